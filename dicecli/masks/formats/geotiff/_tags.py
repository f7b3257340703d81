"""What GDAL does not tell of a TIFF: the tags of a directory as they stand in the file."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import BinaryIO

TILE_WIDTH, TILE_LENGTH, ROWS_PER_STRIP = 322, 323, 278
_BITS, _COMPRESSION, _FILL_ORDER, _SAMPLES, _PREDICTOR, _FORMAT = 258, 259, 266, 277, 317, 339
#: Deflate, by its registered and by its older number (TIFF Technical Note 3 of Adobe Photoshop).
_DEFLATE = {8, 32946}
#: Entries of a directory that are looked at; GDAL has read it already, so that this is a bound, not a check.
_MOST = 1 << 16
#: How a number that stands in its entry is written, by its type: SHORT, LONG and LONG8.
_INLINE = {3: "H", 4: "I", 16: "Q"}


def tags(file: BinaryIO, directory: int | None = None) -> dict[int, int | None]:
    """Return the tags of a directory, or the first one; the value of those that are one number, or None."""
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    is_big = 43 in start[2:4]
    place, number, entry = ("Q", "Q", "HHQ8s") if is_big else ("I", "H", "HHI4s")
    (at,) = struct.unpack_from(order + place, start, 8 if is_big else 4)
    file.seek(at if directory is None else directory)
    counted = file.read(struct.calcsize(order + number))
    if len(counted) < struct.calcsize(order + number):
        return {}
    size = struct.calcsize(order + entry)
    entries = file.read(min(struct.unpack(order + number, counted)[0], _MOST) * size)
    found: dict[int, int | None] = {}
    for tag, kind, count, value in struct.iter_unpack(order + entry, entries[: len(entries) // size * size]):
        code = _INLINE.get(kind)
        is_inline = count == 1 and code is not None and struct.calcsize(order + code) <= len(value)
        found.setdefault(tag, struct.unpack_from(order + str(code), value)[0] if is_inline else None)
    return found


def is_tiled(file: BinaryIO, directory: int | None = None) -> bool:
    """Whether a directory has the width of a tile, as it has for tiles as wide as the image, too."""
    return TILE_WIDTH in tags(file, directory)


def inflates_to_pixels(found: Mapping[int, int | None]) -> bool:
    """Whether blocks are deflated bytes, each a sample without sign, to which nothing else was done."""
    return (
        found.get(_COMPRESSION) in _DEFLATE
        and found.get(_BITS) == 8
        and all(found.get(tag, 1) == 1 for tag in (_SAMPLES, _PREDICTOR, _FILL_ORDER, _FORMAT))
    )
