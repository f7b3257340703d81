"""What a process opens, writes and connects to, while masks are read.

Three ways to see it, since none sees all:

- an audit hook sees what Python itself opens, writes, starts and connects to, and nothing that a C library does;
- inotify (Linux) sees every open, change and new file of the watched folders, whoever does it;
- strace (Linux, where it is installed; for scripts) sees every system call that names a file or a network.
"""

from __future__ import annotations

import ctypes
import os
import re
import struct
import sys
import sysconfig
import tempfile
import tracemalloc
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What Python does that reading a mask has no business to do.
_NEVER = (
    "socket.",
    "subprocess.",
    "os.system",
    "os.exec",
    "os.posix_spawn",
    "os.fork",
    "os.remove",
    "os.rename",
)
_NEVER += ("os.mkdir", "os.rmdir", "os.link", "os.symlink", "os.truncate", "os.chmod", "shutil.", "urllib.")
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND
_PYTHON = tuple(
    os.path.realpath(each)
    for each in {
        sys.prefix,
        sys.base_prefix,
        *sysconfig.get_paths().values(),
        *filter(None, sys.path),
        Path(__file__).parents[2] / "dicecli",
        Path(__file__).parent,
    }
)
#: What C libraries and the system read on their own: loaders, locales, time zones, and what they know of a CPU.
_SYSTEM = ("/lib", "/usr/lib", "/usr/local/lib", "/usr/share", "/etc/ld.so", "/etc/localtime", "/dev/urandom")
_SYSTEM += (
    "/dev/null",
    "/proc/self/",
    "/proc/cpuinfo",
    "/proc/meminfo",
    "/sys/devices/system",
    "/sys/fs/cgroup",
)
#: A path that is looked for when the mutants begin, so that a log of strace tells what was before.
STARTED = "/the-mutants-begin"

_current: Watch | None = None
_is_hooked = False

_IN_OPEN, _IN_MODIFY, _IN_CREATE, _IN_DELETE, _IN_MOVED = 0x20, 0x2, 0x100, 0x200, 0xC0


class Watch:
    """Record what is opened, written and connected to; a context manager.

    Parameters
    ----------
    *folders : Path
        Where the masks lie: they, and nothing beside them, may be opened for reading.
    """

    def __init__(self, *folders: Path) -> None:
        self._folders = tuple(os.path.realpath(folder) for folder in folders)
        self._calls: list[str] = []
        self._inotify = -1
        self._writes_bytecode = False

    def __enter__(self) -> Self:
        global _current, _is_hooked  # noqa: PLW0603 - an audit hook stays for ever: one serves all
        if not _is_hooked:
            sys.addaudithook(_hook)
            _is_hooked = True
        if sys.platform == "linux":
            libc = ctypes.CDLL(None, use_errno=True)
            self._inotify = libc.inotify_init1(os.O_NONBLOCK)
            mask = _IN_OPEN | _IN_MODIFY | _IN_CREATE | _IN_DELETE | _IN_MOVED
            for folder in self._folders:
                assert libc.inotify_add_watch(self._inotify, os.fsencode(folder), mask) >= 0
        # What Python writes of a module that is imported now is nothing that reading a mask does.
        self._writes_bytecode, sys.dont_write_bytecode = sys.dont_write_bytecode, True
        _current = self
        return self

    def __exit__(self, *_: object) -> None:
        global _current  # noqa: PLW0603 - as above
        _current = None
        sys.dont_write_bytecode = self._writes_bytecode
        if self._inotify >= 0:
            os.close(self._inotify)

    def clear(self) -> None:
        """Forget what was seen: what a test itself has written, say."""
        self.events()
        self._calls.clear()

    def calls(self) -> list[str]:
        """Return what the audit hook saw that reading a mask has no business to do."""
        return list(self._calls)

    def events(self) -> list[tuple[int, str]]:
        """Return what inotify saw in the folders since the last time: kind, and the name of the file."""
        try:
            raw = os.read(self._inotify, 1 << 20) if self._inotify >= 0 else b""
        except BlockingIOError:
            raw = b""
        found, at = [], 0
        while at < len(raw):
            _, kind, _, length = struct.unpack_from("iIII", raw, at)
            found.append(
                (kind, raw[at + 16 : at + 16 + length].rstrip(b"\0").decode("utf-8", "surrogateescape"))
            )
            at += 16 + length
        return found

    def strange(self, *may_open: str) -> list[str]:
        """Return all that was wrong: calls, files written, and files opened other than those named (if any)."""
        wrong = self.calls()
        for kind, name in self.events():
            if kind & (_IN_MODIFY | _IN_CREATE | _IN_DELETE | _IN_MOVED):
                wrong.append(f"changed {name}")
            elif may_open and name and name not in may_open:
                wrong.append(f"opened {name}")
        return wrong

    def saw(self, event: str, arguments: tuple[Any, ...]) -> None:
        """Take note of an audit event, if it is one that must not be."""
        if event == "open":
            path, mode, flags = arguments
            if isinstance(path, int):
                return
            name = os.path.realpath(os.fsdecode(path))
            is_writing = bool(flags & _WRITING) or bool(set(mode or "") & set("wxa+"))
            is_own = name.startswith((*self._folders, *_PYTHON, *_SYSTEM))
            if is_writing or not is_own:
                self._calls.append(f"open {name!r} {mode} {flags:#x}")
        elif event.startswith(_NEVER):
            self._calls.append(f"{event} {arguments!r}"[:300])


def _hook(event: str, arguments: tuple[Any, ...]) -> None:
    if _current is not None:
        _current.saw(event, arguments)


@contextmanager
def memory_below(limit: float) -> Iterator[None]:
    """Fail where the block inside allocates more than so many bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


def bound_memory(more: int) -> None:
    """Let this process take so many bytes of address space beyond what it has; nothing where it cannot be."""
    try:
        import resource

        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError):
        return
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_AS, (most, most))


def megabytes_now() -> float:
    """Return the size of this process in memory, and have the largest size be counted from now on.

    Where the system does not tell, the largest size until now stands for it.
    """
    try:
        Path("/proc/self/clear_refs").write_text("5")
        return _status("VmRSS")
    except OSError:
        return most_megabytes()


def most_megabytes() -> float:
    """Return the largest size that this process has had in memory."""
    try:
        return _status("VmHWM")
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak / (1 << 20 if sys.platform == "darwin" else 1 << 10)


def _status(field: str) -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(field)) / 1024


_CALL = re.compile(r'^\d+ +(?P<call>\w+)\((?:AT_FDCWD, )?(?:"(?P<path>[^"]*)")?(?P<rest>.*)$')
_TO_WRITE = re.compile(r"O_WRONLY|O_RDWR|O_CREAT")
_LOOKING = (
    "stat",
    "lstat",
    "newfstatat",
    "statx",
    "access",
    "faccessat",
    "faccessat2",
    "readlink",
    "readlinkat",
)
_NETWORK = ("connect", "bind", "sendto", "sendmsg", "accept", "accept4", "listen")


def foreign_in(log: str) -> list[str]:
    """Return the calls of an strace log, after the mutants began, that concern anything but masks and libraries."""
    _, _, during = log.rpartition(STARTED) if STARTED in log else ("", "", log)
    mine = (*_PYTHON, *_SYSTEM, os.path.realpath(tempfile.gettempdir()) + "/mutants")
    wrong = []
    for line in during.splitlines():
        match = _CALL.match(line)
        if match is None:
            continue
        call, path = match["call"], match["path"]
        if call in _NETWORK:
            wrong.append(line)
        elif path is not None and call not in _LOOKING:
            is_own = os.path.realpath(path).startswith(mine)
            if not is_own or (_TO_WRITE.search(match["rest"]) and "/mutants" not in path):
                wrong.append(line)
    return wrong
