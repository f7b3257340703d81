"""A worker process as its parent sees it: started, spoken with over one pipe, ended.

How it comes to be started, and what it says, is in :mod:`dicecli.runs.executors._worker`.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import socket
import struct
import sys
import threading
import time
from collections import deque
from typing import TYPE_CHECKING, Any

from dicecli.runs.executors._worker import PATIENCE_S, signals_held, work

if TYPE_CHECKING:
    from collections.abc import Iterator
    from multiprocessing.connection import Connection

#: How long a process whose pipe has ended is waited for, since its exit code says why it died.
_LAST_WORD_S = 10.0
#: How long the rest of a message is waited for once it has begun; a few milliseconds are usual.
_MESSAGE_S = 30
#: Threads start workers at the same time.
_HIDING = threading.Lock()
_WHY = {
    "SIGKILL": "; often the system runs out of memory",
    "SIGSEGV": "; a crash inside a library",
    "SIGABRT": "; a crash inside a library",
}


class Worker:
    """A process, its pipe, what it was given and has not answered, and how many items it may hold.

    Attributes
    ----------
    since : float
        When it began what it is at, its start or an item, by the monotonic clock.
    seconds : float
        What its items took of late, on average.
    is_amid : bool
        Whether a message of it has been read in part: what follows cannot be understood.
    is_recalled : bool
        Whether it was asked for what it has not begun, and has not answered that yet.
    """

    def __init__(self, inherited: list[int] | None = None) -> None:
        """Start it: forked from this process, where it is said which open files it must not keep."""
        self.tasks: deque[tuple[int, Any]] = deque()
        self.is_ready = self.is_amid = self.is_recalled = False
        self.room = 0
        self.seconds = 0.0
        self.since = time.monotonic()
        context = multiprocessing.get_context("spawn" if inherited is None else "fork")
        self.pipe, theirs = context.Pipe()
        _limit_messages(self.pipe)
        unwanted = None if inherited is None else [*inherited, self.pipe.fileno()]
        try:
            with _start_method_kept(), _main_hidden(is_fork=inherited is not None):
                # The stubs give each context its Process, and their common base none.
                self.process = context.Process(target=work, args=(theirs, unwanted), daemon=True)  # type: ignore[attr-defined]  # every context has one
                self.process.start()
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()

    def send(self, data: bytes) -> bool:
        """Send, and return whether that went; where not, the worker is dead, and its pipe will say so."""
        try:
            self.pipe.send_bytes(data)
        except OSError:
            self.room = 0
            self.kill()  # where it only does not listen
            return False
        return True

    def hear(self) -> memoryview:
        """Receive a message; an interrupt amid it leaves the worker marked.

        Raises
        ------
        EOFError, OSError
            It is dead, or stops amid the message.
        """
        self.is_amid = True
        message = memoryview(self.pipe.recv_bytes())
        self.is_amid = False
        return message

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()

    def end(self, *, by_force: bool = False) -> str:
        """Make sure that the process is over, and say how it ended."""
        self.pipe.close()
        if by_force:
            self.kill()
        self.process.join(_LAST_WORD_S)
        if self.process.exitcode is None:
            self.process.kill()
            self.process.join(PATIENCE_S)
            return "closed its pipe"
        return ending(self.process.exitcode)


def start(workers: list[Worker], *, may_fork: bool) -> None:
    """Start a worker, and list it with the others, whatever signal comes meanwhile.

    Raises
    ------
    OSError
    """
    # In a child of a process with threads, a lock may stay locked.
    forks = may_fork and sys.platform == "linux" and threading.active_count() == 1
    inherited = _open_files() if forks else None
    with signals_held(is_fork=inherited is not None):
        workers.append(Worker(inherited))


def _open_files() -> list[int] | None:
    """Return the numbers of open files, but for the standard streams; None where they are unknown.

    A worker must not keep them: the lock of a journal, and the pipes by whose end other workers end.
    """
    try:
        listed = [int(each) for each in os.listdir("/proc/self/fd")]  # noqa: PTH208 - names alone
    except OSError:
        return None
    found = []
    for each in listed:
        with contextlib.suppress(OSError):  # the one that listed them is closed
            os.fstat(each)
            found += [each] if each > 2 else []
    return found


@contextlib.contextmanager
def _start_method_kept() -> Iterator[None]:
    """Leave the start method of multiprocessing to the host: starting a process pins the default one."""
    is_open = multiprocessing.get_start_method(allow_none=True) is None
    try:
        yield
    finally:
        pinned = multiprocessing.get_start_method(allow_none=True)
        if is_open and pinned == multiprocessing.get_all_start_methods()[0]:
            multiprocessing.set_start_method(None, force=True)


@contextlib.contextmanager
def _main_hidden(*, is_fork: bool) -> Iterator[None]:
    """Keep a worker that starts afresh from running the host's script once more: it needs nothing of it.

    Where the script lies is told by two attributes, which are gone for a moment. So no script needs its own
    code below ``if __name__ == "__main__"``, and workers load nothing that they have no use for.
    """
    main = sys.modules.get("__main__")
    if is_fork or main is None:
        yield
        return
    with _HIDING:
        before: dict[str, Any] = {
            name: vars(main)[name] for name in ("__spec__", "__file__") if name in vars(main)
        }
        vars(main).update(dict.fromkeys(before))
        try:
            yield
        finally:
            vars(main).update(before)


def _limit_messages(pipe: Connection) -> None:
    """Let nobody wait for ever on a worker that stops amid a message, where pipes are sockets."""
    if sys.platform == "win32":
        return
    with contextlib.suppress(OSError), socket.socket(fileno=os.dup(pipe.fileno())) as end:
        for option in (socket.SO_RCVTIMEO, socket.SO_SNDTIMEO):
            end.setsockopt(socket.SOL_SOCKET, option, struct.pack("@ll", _MESSAGE_S, 0))


def ending(code: int) -> str:
    """Say in words how a process ended, from its exit code."""
    if code >= 0:
        return f"ended with exit code {code}"
    name = {each.value: each.name for each in signal.Signals}.get(-code, "")
    return f"was killed by signal {-code}{f' ({name})' if name else ''}{_WHY.get(name, '')}"


def affordable(jobs: int) -> int:
    """Bound the workers by what the system lets one process watch."""
    if sys.platform == "win32":
        return min(jobs, 30)  # WaitForMultipleObjects takes 64 handles; each worker has two
    import resource

    limit, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if limit == resource.RLIM_INFINITY:
        return jobs
    return max(1, min(jobs, (limit - 32) // 3))  # each worker takes three, and the program needs some
