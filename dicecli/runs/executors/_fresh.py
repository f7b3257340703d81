"""Processes that start afresh, and look for no module in the current folder, which may be a stranger's.

Those of :mod:`multiprocessing` do: its children, and the one that watches over them, begin with
``python -c``, for which the current folder comes before Python's own library. They also take the host's start
method, script and arguments. These here take nothing of the host but where its modules are, and change
nothing of it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from multiprocessing.connection import Pipe, wait
from multiprocessing.spawn import get_executable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.connection import Connection

#: How long the system may take to tell of an end that has been seen already.
_REAPED_S = 1.0


class Fresh:
    """A process that runs one function of this package, with a pipe to it.

    Attributes
    ----------
    pipe : Connection
        Both ways; it ends with the process.
    sentinel : int
        What :func:`multiprocessing.connection.wait` finds ready once the process is over.
    """

    def __init__(self, function: Callable[[Connection], None], *, goes_along: bool = True) -> None:
        """Start it.

        Parameters
        ----------
        function : callable
            Of a module of this package, by its name there.
        goes_along : bool
            Whether it works in the current folder; else it stays where nothing can be imported by chance.

        Raises
        ------
        OSError
        """
        folder = _folder()
        self.pipe, theirs = Pipe()
        try:
            self._process, self.sentinel = _started(theirs, Path(os.__file__).parent if folder else None)
        except BaseException:
            self.pipe.close()
            raise
        finally:
            theirs.close()
        self._is_watched = True
        told = {
            "root": str(Path(__file__).parents[3]),
            "path": [each for each in sys.path if isinstance(each, str)],
            "folder": folder,
            "goes_along": goes_along,
            "module": function.__module__,
            "function": function.__name__,
        }
        with contextlib.suppress(OSError):  # it is dead already, which its end says
            self.pipe.send_bytes(json.dumps(told).encode())

    @property
    def pid(self) -> int:
        """Its number."""
        return self._process.pid

    @property
    def exitcode(self) -> int | None:
        """How it ended: below zero by which signal; None as long as it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """End it by force."""
        self._process.kill()

    def terminate(self) -> None:
        """Ask it to end."""
        self._process.terminate()

    def join(self, timeout: float) -> None:
        """Wait until it is over, for so many seconds at most."""
        if self._process.returncode is None and wait([self.sentinel], timeout):
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_REAPED_S)
        if self._process.returncode is not None and self._is_watched:
            self._is_watched = False
            if sys.platform != "win32":  # there it is the process's own
                os.close(self.sentinel)


def _folder() -> str | None:
    """Return the current folder; None where it is gone."""
    try:
        return os.getcwd()  # noqa: PTH109 - as it is handed on
    except OSError:
        return None


def _started(theirs: Connection, folder: Path | None) -> tuple[subprocess.Popen[bytes], int]:
    """Start Python with one end of a pipe, in a folder of its own modules; return it with its sentinel."""
    flags: list[str] = subprocess._args_from_interpreter_flags()  # type: ignore[attr-defined]  # noqa: SLF001 - as multiprocessing does
    handle = theirs.fileno()
    words = [
        os.fsdecode(get_executable()),
        *flags,
        "-P",
        str(Path(__file__).with_name("_begin.py")),
        str(handle),
    ]
    how: dict[str, Any] = {"stdin": subprocess.DEVNULL, "cwd": folder if folder and folder.is_dir() else None}
    if sys.platform == "win32":
        os.set_handle_inheritable(handle, True)
        how["startupinfo"] = subprocess.STARTUPINFO(lpAttributeList={"handle_list": [handle]})
        process = subprocess.Popen(words, **how)  # noqa: S603 - Python itself
        return process, int(process._handle)  # noqa: SLF001 - as multiprocessing does
    # The end of a pipe that nobody writes into: it ends with the process, whatever becomes of the other one.
    sentinel, held = os.pipe()
    try:
        return subprocess.Popen(words, pass_fds=(handle, held), **how), sentinel  # noqa: S603 - as above
    except BaseException:
        os.close(sentinel)
        raise
    finally:
        os.close(held)
