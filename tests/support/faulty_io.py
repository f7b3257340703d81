"""A file system that fails on purpose: the Nth open, read, write, fsync or rename in a folder, or a file that hangs.

It is put under Python's own functions, so that it sees what Python code asks of the system. What C libraries ask
by themselves, as GDAL does, it does not see.

In this process it is a context manager::

    with Faults(folder, fail_at=3) as faults: ...
    faults.has_failed

In another process, and in the workers that this one starts, it is switched on by the environment that
:func:`environment` gives.
"""

from __future__ import annotations

import builtins
import contextlib
import errno
import io
import json
import os
import signal
import time
from pathlib import Path
from typing import NamedTuple, Self

KINDS = ("open", "read", "write", "fsync", "rename")
#: For as long as it matters, something that takes so many seconds hangs.
FOR_EVER_S = 3600.0
_VARIABLE = "FAULTY_IO"


class _Opened(NamedTuple):
    path: str
    identity: tuple[int, int]


class Faults:
    """Counts what is done to files in a folder, and lets one call of it fail.

    Parameters
    ----------
    root : path
        Nothing outside it is looked at.
    fail_at : int, optional
        Which call fails, from 1; none by default.
    error : int
        With which errno.
    kinds : sequence of str
        The calls that count.
    name : str
        Only calls on paths that have this in them count.
    hang : str, optional
        Opening a path that has this in it takes for ever.
    kill : str, optional
        Opening a path that has this in it kills the process, as a system does that is out of memory.
    before : callable, optional
        Told kind and path before each call that counts; it may raise.
    log : path, optional
        Where a line is written for every file that is opened, ``process open path``, and for the call that
        fails, ``process failed path``. It outlives a process that is killed.

    Attributes
    ----------
    calls : list of (str, str)
        Kind and path of every call that counted.
    """

    def __init__(
        self,
        root,
        *,
        fail_at=None,
        error=errno.EIO,
        kinds=KINDS,
        name="",
        hang=None,
        kill=None,
        before=None,
        log=None,
    ):
        self.root = os.path.realpath(root)
        self.fail_at, self.error, self.kinds, self.name = fail_at, error, tuple(kinds), name
        self.hang, self.kill, self.before, self.log = hang, kill, before, log
        self.calls = []
        self._opened: dict[int, _Opened] = {}
        self._undo = contextlib.ExitStack()

    @property
    def has_failed(self) -> bool:
        """Whether the call that was to fail has come."""
        return self.fail_at is not None and len(self.calls) >= self.fail_at

    def __enter__(self) -> Self:
        self._real_open, self._real_write = io.open, os.write
        self._replace(io, "open", self._open)
        self._replace(builtins, "open", self._open)
        self._replace(os, "open", self._low_level_open(os.open))
        for name, kind in (("read", "read"), ("write", "write"), ("ftruncate", "write"), ("fsync", "fsync")):
            self._replace(os, name, self._on_descriptor(getattr(os, name), kind))
        for name in ("rename", "replace"):
            self._replace(os, name, self._renaming(getattr(os, name)))
        return self

    def __exit__(self, *_: object) -> None:
        self._undo.close()

    def touch(self, kind, path) -> None:
        """Note a call; let it fail when it is the one."""
        path = os.fsdecode(path)
        if kind not in self.kinds or self.name not in path:
            return
        self.calls.append((kind, path))
        if self.before is not None:
            self.before(kind, path)
        if len(self.calls) == self.fail_at:
            self._note("failed", path)
            raise OSError(self.error, os.strerror(self.error), path)

    def _replace(self, where, name, new):
        self._undo.callback(setattr, where, name, getattr(where, name))
        setattr(where, name, new)

    def _is_inside(self, path) -> bool:
        return isinstance(path, (str, bytes, os.PathLike)) and os.path.realpath(path).startswith(self.root)

    def _opening(self, path):
        self.touch("open", os.fspath(path))
        self._note("open", os.fsdecode(path))
        if self.hang is not None and self.hang in os.fsdecode(path):
            time.sleep(FOR_EVER_S)
        if self.kill is not None and self.kill in os.fsdecode(path):
            os.kill(os.getpid(), signal.SIGKILL)

    def _note(self, what, path):
        if self.log is not None:
            file = self._low_level(self.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
            self._real_write(file, f"{os.getpid()} {what} {path}\n".encode())
            os.close(file)

    def _low_level_open(self, really):
        self._low_level = really

        def open_(path, flags, mode=0o777, *, dir_fd=None):
            if not self._is_inside(path):
                return really(path, flags, mode, dir_fd=dir_fd)
            self._opening(path)
            file = really(path, flags, mode, dir_fd=dir_fd)
            found = os.fstat(file)
            self._opened[file] = _Opened(os.fsdecode(path), (found.st_dev, found.st_ino))
            return file

        return open_

    def _path_of(self, file):
        """Return the path of a descriptor that was opened here; others, and reused ones, have none."""
        opened = self._opened.get(file)
        if opened is None:
            return None
        with contextlib.suppress(OSError):
            found = os.fstat(file)
            if opened.identity == (found.st_dev, found.st_ino):
                return opened.path
        del self._opened[file]
        return None

    def _on_descriptor(self, really, kind):
        def do(file, *arguments):
            path = self._path_of(file)
            if path is not None:
                self.touch(kind, path)
            return really(file, *arguments)

        return do

    def _renaming(self, really):
        def do(source, target, **options):
            if self._is_inside(target):
                self.touch("rename", os.fspath(target))
            return really(source, target, **options)

        return do

    def _open(
        self,
        file,
        mode="r",
        buffering=-1,
        encoding=None,
        errors=None,
        newline=None,
        closefd=True,
        opener=None,
    ):
        path = self._path_of(file) if isinstance(file, int) else file
        if path is None or not self._is_inside(path):
            return self._real_open(file, mode, buffering, encoding, errors, newline, closefd, opener)
        if not isinstance(file, int):
            self._opening(path)
        raw = _FaultyFile(self, path, file, mode.translate({ord("b"): None, ord("t"): None}), closefd, opener)
        if "b" in mode and buffering == 0:
            return raw
        kind = io.BufferedRandom if "+" in mode else io.BufferedReader if "r" in mode else io.BufferedWriter
        buffered = kind(raw)
        return buffered if "b" in mode else io.TextIOWrapper(buffered, encoding, errors, newline)


class _FaultyFile(io.FileIO):
    """A file whose reads and writes count."""

    def __init__(self, faults, path, file, mode, closefd, opener):
        super().__init__(file, mode, closefd, opener)
        self._faults, self._path = faults, path

    def read(self, size=-1):
        self._faults.touch("read", self._path)
        return super().read(size)

    def readall(self):
        self._faults.touch("read", self._path)
        return super().readall()

    def readinto(self, buffer):
        self._faults.touch("read", self._path)
        return super().readinto(buffer)

    def write(self, data):
        self._faults.touch("write", self._path)
        return super().write(data)


def environment(folder, root, **options):
    """Return an environment in which Python processes, and those that they start, have these faults.

    Parameters
    ----------
    folder : path
        For a file that Python loads as it starts.
    """
    code = f"import sys\nsys.path.append({str(Path(__file__).parent)!r})\nimport faulty_io\nfaulty_io.switch_on()\n"
    (Path(folder) / "sitecustomize.py").write_text(code, encoding="utf-8")
    path = os.pathsep.join(filter(None, [str(folder), os.environ.get("PYTHONPATH")]))
    options = {name: str(value) if isinstance(value, Path) else value for name, value in options.items()}
    return {**os.environ, "PYTHONPATH": path, _VARIABLE: json.dumps({"root": str(root), **options})}


def switch_on():
    """Start to fail, for the rest of this process, as the environment says."""
    if _VARIABLE in os.environ:
        Faults(**json.loads(os.environ[_VARIABLE])).__enter__()
