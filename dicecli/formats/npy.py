"""NumPy's ``.npy``: arrays of probabilities, held or mapped; pickled objects are never loaded."""

from __future__ import annotations

import math
from tokenize import TokenError
from typing import TYPE_CHECKING, Literal

import numpy as np

from dicecli import files
from dicecli.channel_arrays import array_channels
from dicecli.errors import BadHeader, NotProbabilities, TrailingData, Truncated, UnknownFormat, Unreadable
from dicecli.limits import check_pixels

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from dicecli.sources import MaskSource, Reading

SUFFIXES = (".npy",)

_MAGIC = b"\x93NUMPY"
#: A file up to this size is held, a larger one mapped.
_MOST_HELD = 1 << 30
#: A header says a type and a shape; a longer one is hostile.
_MAX_HEADER = 10_000


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open an array of probabilities against a reference of some shape; one source per channel.

    Raises
    ------
    UnknownFormat, BadHeader, Truncated, TrailingData
    NotProbabilities
        Pickled objects, records, or numbers that are neither integers nor floats.
    ShapeMismatch
        The array has neither the reference's shape nor that and an axis of channels.
    """
    there = files.check_regular(path)
    start = files.head(path)
    if not start.startswith(_MAGIC):
        raise UnknownFormat(
            f"this is {files.looks_like(start)}, not a NumPy array as its name says",
            "Give an array that numpy.save wrote.",
            path,
        )
    found, is_fortran, dtype, offset = _header(path)
    if dtype.kind not in "biuf" or dtype.itemsize > 8:
        raise _not_numbers(dtype, path)
    check_pixels(found, reading.max_pixels, path)
    claimed = offset + math.prod(found) * dtype.itemsize
    if claimed > there:
        raise Truncated(
            f"its header claims {claimed:,} bytes; the file has {there:,}",
            "The file is cut off: fetch or save it again.",
            path,
        )
    if claimed < there:
        raise TrailingData(f"{there - claimed:,} bytes follow its last value", "Save it again.", path)
    values = _held(path, dtype, offset, found, "F" if is_fortran else "C")
    return array_channels(values, path, shape, reading)


def _held(
    path: str, dtype: np.dtype, offset: int, shape: tuple[int, ...], order: Literal["C", "F"]
) -> np.ndarray:
    """Return the values: read whole, or mapped where that would take too much memory.

    A mapping ends the process where the file shrinks under it.
    """
    length = math.prod(shape) * dtype.itemsize
    with files.readable(path):
        if length > _MOST_HELD:
            return np.memmap(path, dtype, "r", offset, shape, order)
        with files.open_regular(path) as file:
            file.seek(offset)
            raw = file.read(length)
    if len(raw) < length:
        raise Truncated("the file has become shorter while it was read", "Score it again.", path)
    return np.frombuffer(raw, dtype).reshape(shape, order=order)


def _header(path: str) -> tuple[tuple[int, ...], bool, np.dtype, int]:
    """Return shape, whether the first axis runs fastest, type, and where the values start."""
    from pathlib import Path

    try:
        with Path(path).open("rb") as file:
            shape, is_fortran, dtype = _parsed(file, Path(path))
            offset = file.tell()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}", "Check its permissions.", path) from error
    if not shape or min(shape) < 1:
        raise BadHeader(f"its shape is {shape}: there is no pixel", "Save it again.", path)
    return shape, is_fortran, dtype, offset


def _parsed(file: BinaryIO, path: Path) -> tuple[tuple[int, ...], bool, np.dtype]:
    from numpy.lib import format as npy

    try:
        version = npy.read_magic(file)
        if version == (1, 0):
            return npy.read_array_header_1_0(file, max_header_size=_MAX_HEADER)
        if version == (2, 0):
            return npy.read_array_header_2_0(file, max_header_size=_MAX_HEADER)
    except (ValueError, TypeError, SyntaxError, EOFError, UnicodeDecodeError, TokenError) as error:
        said = str(error).split("\n", 1)[0]
        raise BadHeader(
            f"its header cannot be read: {said}", "It is cut off or damaged: save it again.", str(path)
        ) from error
    raise UnknownFormat(
        f"it is of version {version[0]}.{version[1]} of the format, which plain numbers do not need",
        "Save plain floats with numpy.save.",
        str(path),
    )


def _not_numbers(dtype: np.dtype, path: str) -> NotProbabilities:
    if dtype.hasobject:
        return NotProbabilities(
            "it holds pickled Python objects, which are never loaded: they can run any code",
            "Save a plain array: numpy.save(path, numpy.asarray(values, dtype='float32')).",
            path,
        )
    return NotProbabilities(
        f"its values are of type {dtype}: no probabilities", "Save them as float32 or float64.", path
    )
