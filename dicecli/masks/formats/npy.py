"""NumPy's ``.npy``: arrays of probabilities, mapped into memory; pickled objects are never loaded."""

from __future__ import annotations

import math
import mmap
import os
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import BadHeader, NotProbabilities, TrailingData, Truncated, UnknownFormat, Unreadable
from dicecli.masks import files
from dicecli.masks.arrays import ArraySource
from dicecli.masks.channel_arrays import array_channels
from dicecli.records.limits import check_pixels
from dicecli.words import counted

if TYPE_CHECKING:
    from pathlib import Path
    from typing import BinaryIO

    from dicecli.masks.blocks import Window
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource

SUFFIXES = (".npy",)

_MAGIC = b"\x93NUMPY"
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
        raise TrailingData(
            f"it has {counted(there - claimed, 'byte')} past its last value", "Save it again.", path
        )
    with files.readable(path):
        try:
            values = np.memmap(path, dtype, "r", offset, found, order="F" if is_fortran else "C")
        except ValueError as error:  # of the system's call, where the file has shrunk since
            raise _shrunk(path) from error
    return array_channels(values, path, shape, reading, partial(_Mapped, length=claimed))


class _Mapped(ArraySource):
    """A part of a mapped array; a window is copied, so that its pages need not be kept."""

    def __init__(self, array: Any, path: str, *more: Any, length: int) -> None:
        super().__init__(array, path, *more)
        self._length = length

    def values(self, window: Window) -> np.ndarray:
        """Return a copy of a window.

        Raises
        ------
        Truncated
            The file has shrunk: what is mapped beyond its end would end the process.
        """
        with files.readable(self.path):
            there = os.stat(self.path).st_size  # noqa: PTH116 - the path is a string
        if there < self._length:
            raise _shrunk(self.path)
        copy = np.array(self.array[window])
        if hasattr(mmap, "MADV_DONTNEED"):
            self.array._mmap.madvise(mmap.MADV_DONTNEED)  # noqa: SLF001 - NumPy has no word for it
        return copy

    def close(self) -> None:
        """Let go of the mapping: while it is there, the file cannot be replaced on Windows."""
        self.array = np.zeros(0, self.dtype)


def _shrunk(path: str) -> Truncated:
    return Truncated("the file has become shorter while it was read", "Score it again.", path)


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
    except OSError:
        raise
    except Exception as error:  # of any class: NumPy lets through what Python's parser and tokenizer say
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
