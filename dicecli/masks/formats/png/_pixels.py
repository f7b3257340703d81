"""The pixels of a PNG: inflated once, filters undone in C or by NumPy, interlaced passes put together."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import Corrupt, Truncated
from dicecli.masks.formats.png._chunks import SAMPLES, Header, passes, raw_bytes, row_bytes
from dicecli.masks.inflate import Damaged, inflated

if TYPE_CHECKING:
    from types import ModuleType


def decoded(stream: bytes, header: Header, path: str) -> np.ndarray:
    """Decode an image, of which every byte was there and every checksum right.

    Parameters
    ----------
    stream : bytes
        The part of the file that holds the pixels, deflated.
    header : Header
    path : str

    Returns
    -------
    numpy.ndarray
        Shape (height, width), with a third axis where a pixel has several values; uint8, or uint16 for 16
        bit. Grey of less than 8 bits is as it is stored, not stretched to 255.

    Raises
    ------
    Truncated, Corrupt
    """
    try:
        raw, is_whole = inflated(stream, raw_bytes(header))
    except Damaged as error:
        raise Corrupt(
            f"its pixels cannot be inflated: {error}", "Fetch or save the file again.", path
        ) from error
    _check_whole(header, len(raw), is_whole, path)
    try:
        return _interlaced(raw, header) if header.interlaced else _image(raw, header, header.width)
    except ValueError as error:
        raise Corrupt(f"its pixels cannot be decoded: {error}", "Fetch or save it again.", path) from error


def _check_whole(header: Header, length: int, is_whole: bool, path: str) -> None:
    """Check that the stream has the bytes that the header asks for."""
    expected = raw_bytes(header)
    if length > expected:
        raise Corrupt(
            f"it holds more than the {expected:,} bytes of pixels that its header claims",
            "Save it again.",
            path,
        )
    if length < expected or not is_whole:
        raise Truncated(
            f"its pixels end after {length:,} of {expected:,} bytes",
            "It is cut off: fetch or save it again.",
            path,
        )


def _interlaced(raw: bytes, header: Header) -> np.ndarray:
    """Put an image together of its passes, each of which is filtered as an image of its own."""
    samples = SAMPLES[header.kind]
    shape = (header.height, header.width) if samples == 1 else (header.height, header.width, samples)
    image = np.empty(shape, np.uint16 if header.depth == 16 else np.uint8)
    start, left = 0, memoryview(raw)
    for where, rows, columns in passes(header):
        end = start + rows * (1 + row_bytes(header, columns))
        image[where] = _image(left[start:end], header, columns)
        start = end
    return image


def _image(raw: bytes | memoryview, header: Header, columns: int) -> np.ndarray:
    """Make an image of its filtered rows; ValueError where a filter is none."""
    rows = _rows()
    step = max(1, header.depth * SAMPLES[header.kind] // 8)
    return _unpacked(
        np.frombuffer(rows.unfiltered(raw, row_bytes(header, columns), step), np.uint8), header, columns
    )


@cache
def _rows() -> ModuleType:
    """Return what undoes filters: the C extension, or its twin where it was not built."""
    try:
        return import_module("dicecli.masks.formats.png._rows")
    except ImportError:
        return import_module("dicecli.masks.formats.png._plain_rows")


def _unpacked(flat: np.ndarray, header: Header, columns: int) -> np.ndarray:
    """Make an image of its rows' bytes."""
    samples, depth = SAMPLES[header.kind], header.depth
    if depth < 8:
        packed = flat.reshape(-1, row_bytes(header, columns))
        shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
        values = packed[:, :, np.newaxis] >> shifts & np.uint8(2**depth - 1)
        return np.ascontiguousarray(values.reshape(packed.shape[0], -1)[:, :columns])
    values = flat.view(">u2").astype(np.uint16) if depth == 16 else flat
    return values.reshape((-1, columns) if samples == 1 else (-1, columns, samples))
