"""The chunks of a PNG, each checked before a pixel is decoded: decoders forgive what a score must not."""

from __future__ import annotations

import struct
import zlib
from typing import TYPE_CHECKING

from dicecli.errors import Corrupt, NotLabels, TooLarge, Truncated
from dicecli.masks.colours import label_type
from dicecli.masks.formats.png._header import KINDS, SAMPLES, Header, raw_bytes
from dicecli.masks.inflate import MAX_RATIO
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from dicecli.masks.reading import Reading

MAGIC = b"\x89PNG\r\n\x1a\n"
_CRITICAL = {b"IHDR", b"PLTE", b"IDAT", b"IEND"}
#: What a letter of a name has in lower case: the first in chunks that may be left out, the third in none.
_LOWER_CASE = 0x20
#: What some programs leave behind the end, and no other image or chunk is made of.
_PADDING = b"\0\t\n\r "
_ELSEWHERE = "It is damaged, or was written by a program with a fault: save it again from its source."
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
#: A PNG is held whole; this many pixels take gigabytes, and no camera or scanner makes them.
MAX_PIXELS = 1 << 31
#: More chunks than so many have this many bytes each, on average, or nobody wrote them to hold an image.
_MANY, _SHORTEST = 100_000, 64


def check(content: bytes, path: str) -> tuple[Header, list[memoryview]]:
    """Walk through the chunks: every checksum, the order of the PNG specification (5.6), and the end.

    Returns
    -------
    Header
    list of memoryview
        The parts of the stream of the pixels, still deflated.

    Raises
    ------
    Truncated, Corrupt, TooLarge, NotLabels
    """
    data = memoryview(content)
    kind, body, position = _chunk(data, len(MAGIC), path)
    header = _header(kind, body, path)
    palette, pieces, seen, n = b"", list[memoryview](), {kind}, 1
    while kind != b"IEND":
        last = kind
        kind, body, position = _chunk(data, position, path)
        n += 1
        if n > _MANY and position < n * _SHORTEST:
            raise Corrupt(f"it has more than {_MANY:,} chunks that hold next to nothing", _ELSEWHERE, path)
        if kind == b"acTL":
            raise NotLabels("it is an animation (APNG)", "Save one image per file.", path)
        wrong = _misplaced(kind, last, seen) or _misshapen(kind, body, header)
        if wrong is not None:
            raise Corrupt(wrong, _ELSEWHERE, path)
        if kind == b"IDAT":
            pieces.append(body)
        elif kind == b"PLTE":
            palette = bytes(body)
        seen.add(kind)
    if surplus := content[position:].strip(_PADDING):
        what = f"{len(surplus):,} bytes, and no padding, follow its end mark (IEND), which must be last"
        raise Corrupt(what, _ELSEWHERE, path)
    if not any(pieces) or (header.kind == 3 and not palette):
        raise Corrupt(f"it has no {'palette' if any(pieces) else 'pixels'}", "Save it again.", path)
    _check_claim(header, sum(map(len, pieces)), path)
    return header._replace(palette=palette), pieces


def _misplaced(kind: bytes, last: bytes, seen: set[bytes]) -> str | None:
    """Say what is wrong with a chunk behind the `last` one, and after all that were `seen`, if anything.

    Chunks that may be left out are nobody's worry wherever they stand, but for tRNS, which is about PLTE.
    """
    name = _name(kind)
    if kind[2] & _LOWER_CASE:
        return f"its chunk {name} has a name that PNG keeps for later versions"
    if not kind[0] & _LOWER_CASE and kind not in _CRITICAL:
        return f"it has a critical chunk {name}, which PNG does not have: what it changes is not known"
    if kind in {b"IHDR", b"PLTE", b"tRNS"} and kind in seen:
        return f"it has two chunks {name}"
    if kind in {b"PLTE", b"tRNS"} and b"IDAT" in seen:
        return f"its chunk {name} stands after the pixels (IDAT)"
    if kind == b"PLTE" and b"tRNS" in seen:
        return "its chunk tRNS stands before PLTE"
    if kind == b"IDAT" and kind in seen and last != kind:
        return "its pixels (IDAT) are interrupted by other chunks"
    return None


def _misshapen(kind: bytes, body: memoryview, header: Header) -> str | None:
    """Say what is wrong with a chunk beside the header, if anything: its length, or that it is there."""
    if kind == b"IEND" and body:
        return f"its end mark (IEND) holds {len(body):,} bytes instead of none"
    if kind == b"PLTE":
        if header.kind in {0, 4}:
            return f"it is {KINDS[header.kind]}, and has a palette (PLTE) all the same"
        most = 1 << header.depth if header.kind == 3 else 256
        if len(body) % 3 or not 3 <= len(body) <= 3 * most:
            have = f"its palette (PLTE) has {len(body):,} bytes"
            return f"{have}; three are expected for each of 1 to {most} colours"
    if kind == b"tRNS" and header.kind in {4, 6}:
        return f"it is {KINDS[header.kind]}, and has transparent colours (tRNS) all the same"
    return None


def _chunk(data: memoryview, position: int, path: str) -> tuple[bytes, memoryview, int]:
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


def _header(kind: bytes, body: memoryview, path: str) -> Header:
    """Read IHDR, which must come first."""
    if kind != b"IHDR":
        raise Corrupt(f"it begins with the chunk {_name(kind)} instead of IHDR", "Save it again.", path)
    if len(body) != 13:
        raise Corrupt(f"its header (IHDR) has {len(body):,} bytes instead of 13", "Save it again.", path)
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
    return Header(width, height, depth, colour, bool(interlace))


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
    samples = SAMPLES.get(kind, 1) * (2 if depth == 16 else 1)
    # While colours are replaced by labels both are held.
    labels = label_type(reading.colours).itemsize if kind in {2, 6} and reading.colours else 0
    whole = width * height * samples
    # Of several files one is read at a time; they are of one size as images alone.
    once = max(file_bytes, width * height * labels, whole if reading.sharing > 1 else 0)
    reading.check_memory(whole, "a PNG must be held whole", path, once=once)


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
