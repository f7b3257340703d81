"""What a path is, before a format opens it."""

from __future__ import annotations

import os
import re
import stat
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from dicecli.errors import Changed, EmptyFile, Missing, NotARegularFile, Unreadable, UsageError
from dicecli.records.alike import alike_there

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Windows has neither, and asks for binary instead.
_NEVER_WAIT = getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)
_DOUBLE = (".nii.gz", ".hdr.gz", ".img.gz")
_ELSEWHERE = re.compile(r"[A-Za-z][A-Za-z0-9+._-]+:|/vsi|\\\\\?\\vsi")
_KINDS = (
    (b"\x89PNG\r\n\x1a\n", "a PNG image"),
    (b"\x89PNG", "a PNG image whose signature is damaged, as by a transfer in text mode"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"BM", "a BMP image"),
    (b"II*\0", "a TIFF"),
    (b"MM\0*", "a TIFF"),
    (b"II+\0", "a BigTIFF"),
    (b"MM\0+", "a BigTIFF"),
    (b"\x1f\x8b", "gzip data"),
    (b"PK\x03\x04", "a zip archive"),
    (b"\x93NUMPY", "a NumPy array"),
    (b"\x89HDF", "an HDF5 file"),
    (b"NRRD", "an NRRD file"),
    (b"%PDF", "a PDF"),
    (b"<VRTDataset", "a GDAL VRT"),
    (b"version https://git-lfs", "a Git LFS pointer: the real file was never fetched (git lfs pull)"),
    (b"<!DOCTYPE", "HTML, as of an error page of a download"),
    (b"<html", "HTML, as of an error page of a download"),
)


def suffix(path: str | os.PathLike[str]) -> str:
    """Return a path's suffix in lower case; ``.nii.gz`` and the like count as one."""
    name = Path(path).name.lower()
    return next((each for each in _DOUBLE if name.endswith(each)), Path(name).suffix)


def stem(path: str | os.PathLike[str]) -> str:
    """Return a path's name without folder and suffix; ``.nii.gz`` and the like count as one."""
    name = Path(path).name
    return name[: len(name) - len(suffix(path))] or name


def check_regular(path: str | os.PathLike[str]) -> int:
    """Make sure that a path is a regular file with something in it, without opening it; return its size.

    Raises
    ------
    UsageError
        A URL, or a data set's name in a GDAL driver's own syntax.
    Missing, NotARegularFile, EmptyFile, Unreadable
    """
    text = os.fspath(path)
    try:
        found = os.stat(path)  # noqa: PTH116 - of any path-like
    except (FileNotFoundError, NotADirectoryError) as error:
        _refuse_elsewhere(text, error)
        hint = f"{alike_there(text)}Check the path; relative paths start at the current folder."
        if os.path.islink(path):  # noqa: PTH114 - of any path-like
            hint = "It is a symbolic link whose target does not exist."
        raise Missing("there is no such file", hint, text) from error
    except (OSError, ValueError) as error:
        _refuse_elsewhere(text, error)  # what Windows cannot even look for
        raise Unreadable(f"cannot be read: {error}", "Check the path and its permissions.", text) from error
    if not stat.S_ISREG(found.st_mode):
        what = "a folder" if stat.S_ISDIR(found.st_mode) else "a pipe, socket or device"
        raise NotARegularFile(f"this is {what}, not a file", "Give the path of a mask file.", text)
    if found.st_size == 0:
        raise EmptyFile(
            "the file is empty (0 bytes)", "Was it written to its end? Make or fetch it again.", text
        )
    return found.st_size


def halves(path: str) -> list[str]:
    """Return the files that a path stands for: itself, and of a volume in two files both."""
    if not path.lower().endswith((".hdr", ".img", ".hdr.gz", ".img.gz")):
        return [path]
    end = suffix(path)
    base, given = path[: -len(end)], path[-len(end) :]
    ends = (half + end[4:] for half in (".hdr", ".img"))
    return [path, *(base + (each.upper() if given.isupper() else each) for each in ends)]


#: Of each file that a path stands for.
State = list[tuple[int, int, int] | None]


def state(path: str) -> State:
    """Return what changes with the content of each file that a path stands for; None where there is none.

    The size, the time of the last change of the content, and that of the inode: the first time can be set
    back, as copying programs do, the second cannot. Not the inode's number, which some network file systems
    make up anew.
    """
    found: State = []
    for part in halves(path):
        try:
            status = os.stat(part)  # noqa: PTH116 - it is called for every mask
        except (OSError, ValueError):
            found.append(None)
        else:
            found.append((status.st_size, status.st_mtime_ns, status.st_ctime_ns))
    return found


def check_unchanged(path: str, before: State) -> None:
    """Make sure that a file is still the one whose state was taken before it was read.

    What is written within the same tick of the system's clock as that, without another size, does not show.

    Raises
    ------
    Changed
    """
    now = state(path)
    if now != before:
        what = "vanished" if now.count(None) > before.count(None) else "changed"
        raise Changed(
            f"the file has {what} while it was read", "Score it once nobody writes to it any more.", path
        )


def _refuse_elsewhere(text: str, cause: Exception) -> None:
    if _ELSEWHERE.match(text):
        raise UsageError(
            f"'{text}' is not a local file",
            "Masks are read from local files only: download it first, and give its path.",
        ) from cause


def head(path: str | os.PathLike[str], length: int = 512) -> bytes:
    """Return the first bytes of a regular file.

    Raises
    ------
    Unreadable
        The system refuses.
    """
    try:
        with open_regular(path) as file:
            return file.read(length)
    except OSError as error:
        raise Unreadable(
            f"cannot be read: {error.strerror}", "Check its permissions.", os.fspath(path)
        ) from error


@contextmanager
def readable(path: str) -> Iterator[None]:
    """Turn the system's refusal to read a file into an error of ours.

    Raises
    ------
    Unreadable
    """
    try:
        yield
    except OSError as error:
        raise Unreadable(
            f"cannot be read: {error.strerror or error}", "Check the disk, and the file's permissions.", path
        ) from error


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a regular file for reading; what has become a pipe or device since it was checked is refused.

    Raises
    ------
    Unreadable
        The system refuses.
    NotARegularFile
        It never waits for a pipe's other end.
    """
    try:
        handle = os.open(path, os.O_RDONLY | _NEVER_WAIT)
    except OSError as error:
        kind = Missing if isinstance(error, FileNotFoundError) else Unreadable
        raise kind(f"cannot be read: {error.strerror}", "Check its permissions.", os.fspath(path)) from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise NotARegularFile("this is no file any more", "Give the path of a mask file.", os.fspath(path))
    return os.fdopen(handle, "rb")


def looks_like(start: bytes) -> str:
    """Say what the first bytes of a file are, in words."""
    for magic, kind in _KINDS:
        if start.lstrip()[: len(magic)].lower() == magic.lower():
            return kind
    if start[344:348] in {b"n+1\0", b"ni1\0"} or start[4:8] in {b"n+2\0", b"ni2\0"}:
        return "a NIfTI file"
    try:
        text = start.decode()
    except UnicodeDecodeError:
        return "binary data of another kind"
    return "text" if text.isprintable() or "\n" in text else "binary data of another kind"
