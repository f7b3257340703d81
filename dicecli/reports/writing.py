"""Where reports are written: tested before the work, written whole or not at all."""

from __future__ import annotations

import contextlib
import errno
import os
import shlex
import stat
import tempfile
from pathlib import Path

from dicecli.errors import OutputError

#: So much of a file's name is in that of the temporary one beside it: names may be long, but not longer.
_NAMED = 50


def check_writable(path: str | os.PathLike[str]) -> None:
    """Make sure that a file can be written at `path`, without touching what is there.

    Raises
    ------
    OutputError
        The folder is missing or refuses, or the path is a folder itself; or as of :func:`followed`.
    """
    target = followed(path)
    if target.is_dir():
        raise OutputError(f"{target}: this is a folder", "Give the name of a file in it.")
    if target.exists() and not target.is_file():
        raise OutputError(f"{target}: this is a pipe, socket or device, not a file", "Give another name.")
    folder = target.parent
    if not folder.is_dir():
        raise OutputError(f"{target}: the folder {folder} does not exist", "Make it first, or give another.")
    if target.exists() and not os.access(target, os.W_OK):
        raise OutputError(f"{target}: the file is read-only", "Give another name, or change its permissions.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OutputError(
            f"{target}: cannot write into {folder}: {error.strerror}",
            "Give a folder that can be written to.",
        ) from error


def write(path: str | os.PathLike[str], content: str | bytes) -> None:
    """Write text, as UTF-8, or bytes to a temporary file beside `path`, flush it to the disk, and rename it.

    Where `path` is a symbolic link of one's own, its target is written.

    Raises
    ------
    OutputError
        The system refuses. What was at `path` before is untouched; only where the disk does not confirm the
        new name is the new text there, whole. Or as of :func:`followed`.
    """
    target = followed(path)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name[:_NAMED]}.", suffix=".part", dir=target.parent)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content.encode() if isinstance(content, str) else content)
                file.flush()
                os.fsync(file.fileno())
            _give_usual_mode(name, target)
            Path(name).replace(target)
        except BaseException:
            with contextlib.suppress(OSError):
                Path(name).unlink()
            raise
    except OSError as error:
        raise OutputError(
            f"{target}: cannot be written: {error.strerror}",
            "What was there before is untouched. Free some space, or give another path.",
        ) from error
    try:
        sync_folder(target.parent)
    except OSError as error:
        raise OutputError(
            f"{target}: the disk does not confirm that it is written: {error.strerror}",
            "The new file is there, whole, but may not outlive a power failure. Look after the disk.",
        ) from error


def sync_folder(folder: Path) -> None:
    """Flush the names in a folder to the disk, where the system can: a power failure does not undo a rename.

    Raises
    ------
    OSError
        The disk fails.
    """
    if os.name != "posix":
        return
    try:
        handle = os.open(folder, os.O_RDONLY)
    except OSError:
        return  # a folder that can be written to, but not be read
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in {errno.EINVAL, errno.ENOTSUP, errno.EBADF}:  # a file system without that
            raise
    finally:
        os.close(handle)


def append(path: str | os.PathLike[str], text: str) -> None:
    """Add a text, as UTF-8, to the end of a file that others write to as well.

    Raises
    ------
    OutputError
        The system refuses; or as of :func:`followed`.
    """
    target = followed(path)
    try:
        with target.open("a", encoding="utf-8", newline="") as file:
            file.write(text)
    except OSError as error:
        raise OutputError(f"{path}: cannot be written: {error.strerror}", "Give another path.") from error


def followed(path: str | os.PathLike[str]) -> Path:
    """Return the file that a path leads to: a rename would put a file in the place of a symbolic link.

    A link of somebody else's is not followed, wherever on the way it is: who made it chooses what is written.
    Nor is a link at the end of the way in a folder in which others can put links: one of another owner, or
    one that all may write to. The owner of the system, root, is trusted. Where files have no owners, as on
    Windows, every link is followed.

    Raises
    ------
    OutputError
        There is such a link; or the system takes the path for none, as where it is too long.
    """
    found = Path(path)
    if "\0" in str(found):
        raise OutputError(f"{found}: no name of a file has the character NUL", "Leave it out of the name.")
    if os.name == "posix":
        _check_links(found)
    try:
        found.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"{path!s}: cannot be written: {why}", "Give another path.") from error
    return Path(os.path.realpath(found)) if os.path.islink(found) else found  # noqa: PTH114 - as realpath


#: Links on one way that the system follows, at most.
_LINKS = 40


def _check_links(path: Path) -> None:
    """Check every link on the way to a file, one after another, as the system would follow them.

    Raises
    ------
    OutputError
    """
    step = strange_link(path)
    if step is not None:
        meant = shlex.quote(os.path.realpath(path))
        raise OutputError(
            f"{path}: {step} is a symbolic link that others may have put there; it is not followed",
            f"Give another path; or, where that is meant, the file that it leads to: {meant}",
        )


def strange_link(path: Path) -> Path | None:
    """Return the first link on the way to a file that others may have put there; None where there is none."""
    at, ahead, links = Path(), [*reversed(path.parts)], 0
    while ahead and links < _LINKS:  # beyond, the system itself refuses
        step = at / ahead.pop()
        try:
            status = step.lstat()
        except (OSError, ValueError):
            return None  # what is not there is said by whoever opens it
        if not stat.S_ISLNK(status.st_mode):
            at = step
            continue
        links += 1
        if _is_strange(status) or (not ahead and _is_open(at.stat())):
            return step
        ahead += reversed(step.readlink().parts)
    return None


def _is_strange(status: os.stat_result) -> bool:
    """Whether something belongs to somebody else than this user and the owner of the system."""
    return hasattr(os, "geteuid") and status.st_uid not in {0, os.geteuid()}


def _is_open(folder: os.stat_result) -> bool:
    """Whether others can put links into a folder."""
    return _is_strange(folder) or bool(folder.st_mode & stat.S_IWOTH)


def _give_usual_mode(name: str, target: Path) -> None:
    """Give a temporary file the mode that a new file would have, or that of the file it replaces."""
    if os.name != "posix":
        return
    mode = target.stat().st_mode & 0o777 if target.exists() else 0o666 & ~_umask()
    Path(name).chmod(mode)


def _umask() -> int:
    """Return the modes that new files do not get; it is set only where it cannot be read."""
    with (
        contextlib.suppress(OSError),
        Path("/proc/self/status").open(encoding="ascii", errors="replace") as status,
    ):
        for line in status:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    mask = os.umask(0)
    os.umask(mask)
    return mask
