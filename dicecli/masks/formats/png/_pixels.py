"""The pixels of a PNG, inflated once: by the C extension, or by Pillow where there is none."""

from __future__ import annotations

import io
import struct
import zlib
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import Corrupt, Truncated
from dicecli.masks.formats.png._chunks import SAMPLES, Header, raw_bytes
from dicecli.masks.inflate import Damaged, inflated, inflated_length

if TYPE_CHECKING:
    from types import ModuleType


def decoded(data: bytes, stream: bytes, header: Header, path: str) -> np.ndarray:
    """Decode an image, of which every byte was there and every checksum right.

    Parameters
    ----------
    data : bytes
        The whole file.
    stream : bytes
        The part of it that holds the pixels, deflated.
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
    rows = _extension()
    if rows is None or header.interlaced:
        length, is_whole = _guarded(path, inflated_length, (stream,), raw_bytes(header))
        _whole(header, length, is_whole, path)
        return _by_pillow(data, header, path)
    raw, is_whole = _guarded(path, inflated, stream, raw_bytes(header))
    _whole(header, len(raw), is_whole, path)
    bits = header.depth * SAMPLES[header.kind]
    try:
        packed = rows.unfiltered(raw, (header.width * bits + 7) // 8, max(1, bits // 8))
    except ValueError as error:
        raise Corrupt(f"its pixels cannot be decoded: {error}", "Fetch or save it again.", path) from error
    return _unpacked(np.frombuffer(packed, np.uint8), header)


@cache
def _extension() -> ModuleType | None:
    try:
        return import_module("dicecli.masks.formats.png._rows")
    except ImportError:
        return None


def _guarded(path: str, inflate: Any, *arguments: Any) -> Any:
    try:
        return inflate(*arguments)
    except Damaged as error:
        raise Corrupt(
            f"its pixels cannot be inflated: {error}", "Fetch or save the file again.", path
        ) from error


def _whole(header: Header, length: int, is_whole: bool, path: str) -> None:
    """Check that the stream has the bytes that the header asks for; Pillow puts zeros instead, in silence."""
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


def _unpacked(flat: np.ndarray, header: Header) -> np.ndarray:
    """Make an image of its rows' bytes."""
    height, width, depth = header.height, header.width, header.depth
    if depth < 8:
        packed = flat.reshape(height, -1)
        shifts = np.arange(8 - depth, -1, -depth, dtype=np.uint8)
        values = packed[:, :, np.newaxis] >> shifts & np.uint8(2**depth - 1)
        return np.ascontiguousarray(values.reshape(height, -1)[:, :width])
    values = flat.view(">u2").astype(np.uint16) if depth == 16 else flat
    samples = SAMPLES[header.kind]
    return values.reshape((height, width) if samples == 1 else (height, width, samples))


def _by_pillow(data: bytes, header: Header, path: str) -> np.ndarray:
    from PIL import Image, UnidentifiedImageError

    limit = Image.MAX_IMAGE_PIXELS
    try:
        # Pillow's own guard knows nothing of ours, which was checked before anything is allocated.
        Image.MAX_IMAGE_PIXELS = None
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            array = np.asarray(image)
    except UnidentifiedImageError as error:
        raise Corrupt("its chunks cannot be decoded", "Save it again.", path) from error
    except (OSError, ValueError, SyntaxError, EOFError, struct.error, zlib.error) as error:
        kind = Truncated if "truncated" in str(error).lower() else Corrupt
        raise kind(f"its pixels cannot be decoded: {error}", "Fetch or save it again.", path) from error
    finally:
        Image.MAX_IMAGE_PIXELS = limit
    if array.dtype == np.bool_:
        # Pillow hands out booleans whose bytes are 0 and 255: a view would show them.
        return np.asarray(array != 0).astype(np.uint8)
    if header.kind == 0 and header.depth in {2, 4}:
        return np.asarray(array // (255 // (2**header.depth - 1)))
    return array if array.dtype in (np.uint8, np.uint16) else array.astype(np.uint16)
