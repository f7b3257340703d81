"""The chunks of a PNG, each checked before a pixel is decoded: decoders forgive what a score must not."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import Corrupt, NotLabels, TooLarge, Truncated
from dicecli.masks.inflate import MAX_RATIO
from dicecli.records.limits import check_memory, check_pixels

if TYPE_CHECKING:
    from dicecli.masks.sources import Reading

MAGIC = b"\x89PNG\r\n\x1a\n"
KINDS = {0: "grey", 2: "RGB", 3: "palette", 4: "grey with alpha", 6: "RGB with alpha"}
#: How many values a pixel has.
SAMPLES = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
#: A PNG is held whole; this many pixels take gigabytes, and no camera or scanner makes them.
MAX_PIXELS = 1 << 31
#: Where the passes of an interlaced image start and how far they step: x, y, dx, dy (PNG specification, 8.1).
_PASSES = (
    (0, 0, 8, 8),
    (4, 0, 8, 8),
    (0, 4, 4, 8),
    (2, 0, 4, 4),
    (0, 2, 2, 4),
    (1, 0, 2, 2),
    (0, 1, 1, 2),
)


class Header(NamedTuple):
    width: int
    height: int
    depth: int
    kind: int
    interlaced: bool
    palette: int


def check(data: bytes, path: str) -> tuple[Header, bytes]:
    """Walk through the chunks: every checksum, the order that matters, and the end.

    Returns
    -------
    Header
    bytes
        The stream of the pixels, still deflated.

    Raises
    ------
    Truncated, Corrupt, TooLarge, NotLabels
    """
    header = None
    palette, pieces = 0, []
    position = len(MAGIC)
    while True:
        kind, body, position = _chunk(data, position, path)
        if header is None:
            header = _header(kind, body, path)
        palette = len(body) // 3 if kind == b"PLTE" else palette
        if kind == b"IDAT":
            pieces.append(body)
        if kind == b"acTL":
            raise NotLabels("it is an animation (APNG)", "Save one image per file.", path)
        if kind == b"IEND":
            break
    if not pieces or (header.kind == 3 and not palette):
        raise Corrupt(f"it has no {'palette' if pieces else 'pixels'}", "Save it again.", path)
    stream = pieces[0] if len(pieces) == 1 else b"".join(pieces)
    _check_claim(header, len(stream), path)
    return header._replace(palette=palette), stream


def _chunk(data: bytes, position: int, path: str) -> tuple[bytes, bytes, int]:
    """Return the kind and the body of the chunk at a position, its checksum checked, and where it ends."""
    if position + 12 > len(data):
        raise Truncated(
            f"the file ends after {len(data):,} bytes without PNG's end mark (IEND)",
            "It is cut off: fetch or save it again.",
            path,
        )
    length, kind = struct.unpack(">I4s", data[position : position + 8])
    body = data[position + 8 : position + 8 + length]
    end = position + 12 + length
    if not kind.isalpha():
        raise Corrupt(
            f"at byte {position:,} there is no chunk of PNG, but {_name(kind)!r}",
            "It is damaged: fetch or save it again.",
            path,
        )
    if end > len(data):
        raise Truncated(
            f"the file ends inside its chunk {_name(kind)}", "It is cut off: fetch or save it again.", path
        )
    if zlib.crc32(body, zlib.crc32(kind)) != int.from_bytes(data[end - 4 : end], "big"):
        raise Corrupt(
            f"the checksum of its chunk {_name(kind)} does not hold", "Fetch or save it again.", path
        )
    return kind, body, end


def _header(kind: bytes, body: bytes, path: str) -> Header:
    """Read IHDR, which must come first."""
    if kind != b"IHDR" or len(body) != 13:
        raise Corrupt(f"it begins with the chunk {_name(kind)} instead of IHDR", "Save it again.", path)
    width, height, depth, colour, compression, filtering, interlace = struct.unpack(">IIBBBBB", body)
    if (
        depth not in _DEPTHS.get(colour, ())
        or compression
        or filtering
        or interlace > 1
        or not 0 < width < 2**31
        or not 0 < height < 2**31
    ):
        raise Corrupt(
            f"its header is invalid ({width} x {height}, colour type {colour}, {depth} bit)",
            "Save it again.",
            path,
        )
    if depth == 16 and colour != 0:
        raise NotLabels(
            f"it is {KINDS[colour]} of 16 bit: no way to store labels",
            "Save the labels as 16-bit grey, or as an 8-bit palette.",
            path,
        )
    return Header(width, height, depth, colour, bool(interlace), 0)


def check_size(start: bytes, file_bytes: int, reading: Reading, path: str) -> None:
    """Check what the header claims against the limits, before the file is read, let alone decoded.

    A header that is damaged is left to :func:`check`, which says how.
    """
    if len(start) < 33 or start[12:16] != b"IHDR":
        return
    width, height, depth, kind = struct.unpack(">IIBB", start[16:26])
    check_pixels((height, width), reading.max_pixels, path)
    if width * height > MAX_PIXELS:
        raise TooLarge(
            f"{width:,} x {height:,} pixels; a PNG must be held whole, and {MAX_PIXELS:,} is the limit",
            "Save it as a tiled GeoTIFF, which is read in blocks.",
            path,
        )
    samples = {2: 3, 4: 2, 6: 4}.get(kind, 1)
    needed = width * height * samples * (2 if depth == 16 else 1) + file_bytes
    check_memory(needed, reading.max_memory, "a PNG must be held whole", path)


def _name(kind: bytes) -> str:
    return kind.decode("ascii", "backslashreplace")


def _check_claim(header: Header, there: int, path: str) -> None:
    """Check what the header claims against the bytes that are there, before memory is asked for."""
    if raw_bytes(header) > there * MAX_RATIO:
        raise Truncated(
            f"its header claims {header.width:,} x {header.height:,} pixels, which its {there:,} bytes of "
            "data cannot hold",
            "It is cut off or damaged: fetch or save it again.",
            path,
        )


def raw_bytes(header: Header) -> int:
    """Return the length of all rows before compression: a filter byte each, and the packed samples."""
    bits = header.depth * SAMPLES[header.kind]
    total = 0
    for x, y, dx, dy in _PASSES if header.interlaced else ((0, 0, 1, 1),):
        columns, rows = -((x - header.width) // dx), -((y - header.height) // dy)
        if columns > 0 and rows > 0:
            total += rows * (1 + (columns * bits + 7) // 8)
    return total
