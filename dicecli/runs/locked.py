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

#: Windows has none, and files are looked at instead.
NEVER_LED = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)
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
        Something else than a file is there, a link, or a file that has other names as well; or another
        process has it.
    """
    if path.is_symlink():
        raise OutputError(
            f"{path}: this is a symbolic link, and is not followed", "Delete it, or give another path."
        )
    flags = os.O_RDWR | os.O_CREAT | os.O_APPEND | NEVER_LED
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


def check_regular(path: Path, found: os.stat_result) -> None:
    """Check that what was opened is a file.

    Raises
    ------
    OutputError
    """
    if not stat.S_ISREG(found.st_mode):
        raise OutputError(f"{path}: this is no regular file", "Give the path of a file.")


def _lock(path: Path, file: int) -> None:
    found = os.fstat(file)
    check_regular(path, found)
    if found.st_nlink > 1:
        raise OutputError(
            f"{path}: this file has another name, too, and would change under that as well",
            "Move it away, or give another path.",
        )
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
