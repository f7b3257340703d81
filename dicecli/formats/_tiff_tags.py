"""What GDAL does not tell of a TIFF: whether its first image lies in tiles."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from typing import BinaryIO

_TILE_WIDTH = 322
#: Entries of a directory that are looked at; GDAL has read it already, so that this is a bound, not a check.
_MOST = 1 << 16


def is_tiled(file: BinaryIO) -> bool:
    """Whether the first directory has the width of a tile, as it has for tiles as wide as the image, too."""
    file.seek(0)
    start = file.read(16)
    order = "<" if start[:2] == b"II" else ">"
    is_big = 43 in start[2:4]
    place, number, entry = ("Q", "Q", 20) if is_big else ("I", "H", 12)
    (at,) = struct.unpack_from(order + place, start, 8 if is_big else 4)
    file.seek(at)
    counted = file.read(struct.calcsize(number))
    if len(counted) < struct.calcsize(number):
        return False
    count = min(struct.unpack(order + number, counted)[0], _MOST)
    entries = file.read(count * entry)
    tags = (struct.unpack_from(order + "H", entries, start)[0] for start in range(0, len(entries) - 1, entry))
    return _TILE_WIDTH in tags
