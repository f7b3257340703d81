"""The pixels of a PNG: inflated once, filters undone in C or by NumPy, interlaced passes put together."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import Corrupt, Truncated
from dicecli.masks.formats.png._header import SAMPLES, Header, passes, raw_bytes, row_bytes
from dicecli.masks.inflate import Damaged, Inflating

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

#: Bytes of rows that are inflated at a time.
_BAND = 1 << 20


def decoded(stream: Sequence[memoryview], header: Header, path: str) -> np.ndarray:
    """Decode an image, of which every byte was there and every checksum right.

    Beside the image no more than some rows of it are held.

    Parameters
    ----------
    stream : sequence of memoryview
        The parts of the file that hold the pixels, deflated.
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
        inflating = Inflating(stream)
        image, wrong = _image(inflating, header)
        inflating.skip(raw_bytes(header) + 1 - inflating.length)
    except Damaged as error:
        raise Corrupt(
            f"its pixels cannot be inflated: {error}", "Fetch or save the file again.", path
        ) from error
    _check_whole(header, inflating.length, inflating.is_whole, path)
    if wrong is not None:
        raise Corrupt(f"its pixels cannot be decoded: {wrong}", "Fetch or save it again.", path)
    return image


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


def _image(inflating: Inflating, header: Header) -> tuple[np.ndarray, str | None]:
    """Put an image together of its passes, each of which is filtered as an image of its own, by some rows.

    What the stream is too short for is left as it is, and so is what follows a row that cannot be decoded:
    then it is said why.
    """
    samples = SAMPLES[header.kind]
    shape = (header.height, header.width) if samples == 1 else (header.height, header.width, samples)
    image = np.empty(shape, np.uint16 if header.depth == 16 else np.uint8)
    for where, rows, columns in passes(header):
        width = row_bytes(header, columns)
        step, part = max(1, _BAND // (1 + width)), image[where]
        # Rows that lie in the image as they lie in the file are written there, the others unpacked.
        is_plain = header.depth == 8 and not header.interlaced
        above: np.ndarray = np.zeros(width, np.uint8)
        for first in range(0, rows, step):
            band = part[first : first + step]
            raw = inflating.read(len(band) * (1 + width))
            if len(raw) < len(band) * (1 + width):
                return image, None
            flat = band.reshape(-1) if is_plain else np.empty(len(band) * width, np.uint8)
            try:
                _rows().unfilter(raw, above, max(1, header.depth * samples // 8), flat, first)
            except ValueError as error:
                return image, str(error)
            above = flat[-width:]
            if not is_plain:
                band[...] = _unpacked(flat, header, columns)
    return image, None


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
        return values.reshape(packed.shape[0], -1)[:, :columns]
    values = flat.view(">u2") if depth == 16 else flat
    return values.reshape((-1, columns) if samples == 1 else (-1, columns, samples))
