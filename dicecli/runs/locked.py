"""A file of which one process at a time has the use."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from typing import TYPE_CHECKING

from dicecli.errors import OutputError

if TYPE_CHECKING:
    from pathlib import Path

#: Beyond any journal, and within what every Windows runtime can lock.
_LOCKED_BYTE = 2**31 - 2


def open_alone(path: Path) -> int:
    """Open a regular file to read and to append, and lock it for as long as it is open.

    A file that is not there is made. What the system refuses is an OSError; a file system without locks is
    used without one.

    Returns
    -------
    int
        The descriptor.

    Raises
    ------
    OutputError
        Something else than a file is there, or another process has it.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0)
    while True:
        file = os.open(path, flags, 0o666)
        try:
            _lock(path, file)
            with contextlib.suppress(FileNotFoundError):  # the run that had it has just removed it
                if os.path.samestat(os.fstat(file), path.stat()):
                    return file
        except BaseException:
            os.close(file)
            raise
        os.close(file)


def _lock(path: Path, file: int) -> None:
    if not stat.S_ISREG(os.fstat(file).st_mode):
        raise OutputError(f"{path}: this is no regular file", "Give the path of a file.")
    try:
        if sys.platform == "win32":
            import msvcrt

            os.lseek(file, _LOCKED_BYTE, os.SEEK_SET)
            msvcrt.locking(file, msvcrt.LK_NBLCK, 1)
            os.lseek(file, 0, os.SEEK_SET)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError) as error:
        raise OutputError(
            f"{path}: another run is using this journal", "Wait until it has ended, or give another path."
        ) from error
    except OSError:
        return  # a file system that has no locks
