"""What a PNG is by its header, and how its rows are stored: in passes, packed, with a filter byte each."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

KINDS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
#: How many values a pixel has.
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
#: Where the passes of an interlaced image start and how far they step: x, y, dx, dy (PNG specification, 8.1).
_ADAM7 = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


class Header(NamedTuple):
    """What IHDR says, and the colours of PLTE: red, green and blue of each, one after the other."""

    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool
    palette: bytes = b""


def passes(header: Header) -> Iterator[tuple[tuple[slice, slice], int, int]]:
    """Yield the parts of an image as they are stored: where they lie, how many rows and columns they have.

    Those of an interlaced image that are empty are not stored.
    """
    for x, y, dx, dy in _ADAM7 if header.interlaced else ((0, 0, 1, 1),):
        columns, rows = -((x - header.width) // dx), -((y - header.height) // dy)
        if columns > 0 and rows > 0:
            yield (slice(y, None, dy), slice(x, None, dx)), rows, columns


def row_bytes(header: Header, columns: int) -> int:
    """Return the length of a row of so many packed pixels, without the byte of its filter."""
    return (columns * header.depth * SAMPLES[header.kind] + 7) // 8


def raw_bytes(header: Header) -> int:
    """Return the length of all rows before compression: a filter byte each, and the packed samples."""
    return sum(rows * (1 + row_bytes(header, columns)) for _, rows, columns in passes(header))
