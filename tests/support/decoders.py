"""Small decoders of the formats, written from their specifications alone, to hold the package's numbers against.

Each returns the number of pixels by label, and raises whatever it likes where the bytes have none.
"""

from __future__ import annotations

import gzip
import io
import math
import struct
import warnings
import zlib
from collections import Counter
from typing import TYPE_CHECKING

import make
import numpy as np
from PIL import Image

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

_CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
_TYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}  # fmt: skip


def sizes(path: Path) -> dict[int, int]:
    """Return the pixels by label of a whole mask, 0 and 255 alone being 0 and 1."""
    assert path.suffix in DECODERS, f"no decoder of {path.suffix} stands in DECODERS of {__file__}"
    found = DECODERS[path.suffix](path)
    if path.suffix == ".npy":
        return found
    return {int(label == 255): n for label, n in found.items()} if _is_0_and_255(found) else dict(found)


def _is_0_and_255(found: Counter) -> bool:
    return 255 in found and set(found) <= {0, 255}


def png(path: Path) -> Counter:
    """Count the samples of a PNG by hand, and hold Pillow and libpng against that, neither of which may refuse.

    They are given critical chunks alone: of text or of gamma they have opinions of their own.
    """
    content = path.read_bytes()
    found = _png_by_hand(content)
    chunks = [(kind, body) for kind, body in _png_chunks(content) if kind[0] < ord("a")]
    critical = make.PNG_MAGIC + b"".join(make.chunk(*each) for each in chunks)
    for decoder in (_by_pillow, _by_libpng):
        other = Counter(decoder(critical).ravel().tolist())
        assert found == other, f"{decoder.__name__} has {other} instead of {found}"
    return found


def _by_pillow(content: bytes) -> np.ndarray:
    """Return the first sample of each pixel; grey of 2 and 4 bits comes as 0 to 255."""
    with Image.open(io.BytesIO(content), formats=["PNG"]) as image:
        samples = np.asarray(image)
    depth, colour = content[24:26]
    samples = samples if samples.ndim == 2 else samples[..., 0]
    return (
        samples // (255 // (2**depth - 1)) if colour == 0 and depth in {2, 4} else samples.astype(np.uint16)
    )


def _by_libpng(content: bytes) -> np.ndarray:
    """Return the first sample of each pixel, as GDAL has it of libpng."""
    import rasterio

    with warnings.catch_warnings(), rasterio.MemoryFile(content) as file:
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with file.open(driver="PNG") as dataset:
            return dataset.read(1)


def _png_by_hand(content: bytes) -> Counter:
    """Count the samples of a PNG: chunks, passes, filters and bits by hand."""
    assert content.startswith(make.PNG_MAGIC)
    header, packed = b"", b""
    for kind, body in _png_chunks(content):
        header = header or body
        packed += body if kind == b"IDAT" else b""
    stream = zlib.decompressobj()
    raw = stream.decompress(packed, 1 << 24)
    assert stream.eof
    return _png_samples(header, raw)


def _png_chunks(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the kind and the body of each chunk, the last of which is the end mark."""
    at, kind = len(make.PNG_MAGIC), b""
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", content, at)
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        (checksum,) = struct.unpack_from(">I", content, at + 8 + length)
        assert zlib.crc32(kind + body) == checksum
        yield kind, body
        at += 12 + length


def _png_samples(header: bytes, raw: bytes) -> Counter:
    width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", header)
    channels = _CHANNELS[colour]
    counted: Counter = Counter()
    at = 0
    for top, left, down, across in make.ADAM7 if interlaced else ((0, 0, 1, 1),):
        rows, columns = len(range(top, height, down)), len(range(left, width, across))
        if not rows or not columns:
            continue
        length = (columns * channels * depth + 7) // 8
        above = bytearray(length)
        for _ in range(rows):
            above = _unfiltered(raw[at], bytearray(raw[at + 1 : at + 1 + length]), above, channels * depth)
            assert len(above) == length
            samples = _samples(above, depth)[: columns * channels]
            counted.update(_labels(samples, colour, channels))
            at += 1 + length
    assert at == len(raw)
    return counted


def _unfiltered(kind: int, row: bytearray, above: bytearray, bits: int) -> bytearray:
    back = max(1, bits // 8)
    for n in range(len(row)):
        a, b = row[n - back] if n >= back else 0, above[n]
        c = above[n - back] if n >= back else 0
        row[n] = (row[n] + (0, a, b, (a + b) // 2, _paeth(a, b, c))[kind]) & 255
    return row


def _paeth(a: int, b: int, c: int) -> int:
    return min((a, b, c), key=lambda each: abs(a + b - c - each))


def _samples(row: bytearray, depth: int) -> list[int]:
    if depth == 16:
        return [row[n] << 8 | row[n + 1] for n in range(0, len(row), 2)]
    return [byte >> shift & 2**depth - 1 for byte in row for shift in range(8 - depth, -1, -depth)]


def _labels(samples: list[int], colour: int, channels: int) -> Iterable[int]:
    pixels = [samples[n : n + channels] for n in range(0, len(samples), channels)]
    if colour in {2, 6}:
        assert all(red == green == blue for red, green, blue, *_ in pixels)
    return (pixel[0] for pixel in pixels)


def nifti(path: Path) -> Counter:
    """Count the voxels of a NIfTI file or pair, which may be gzipped, whatever its name."""
    content = _inflated(path.read_bytes())
    order = "<" if 348 in (size := struct.unpack("<I", content[:4])) or 540 in size else ">"
    is_first = struct.unpack(order + "I", content[:4]) == (348,)
    dims = struct.unpack_from(order + ("8h" if is_first else "8q"), content, 40 if is_first else 16)
    (code,) = struct.unpack_from(order + "h", content, 70 if is_first else 12)
    offset = struct.unpack_from(order + ("f" if is_first else "q"), content, 108 if is_first else 168)[0]
    slope, inter = struct.unpack_from(order + ("2f" if is_first else "2d"), content, 112 if is_first else 176)
    number = math.prod(dims[1 : dims[0] + 1])
    if path.suffix == ".hdr":
        content = _inflated(path.with_suffix(".img").read_bytes())
    elif not offset:
        offset = 352 if is_first else 544
    stored = np.frombuffer(content, order + _TYPES[code], number, int(offset))
    assert int(offset) + stored.nbytes == len(content)
    return Counter(_whole(value, slope, inter) for value in stored.tolist())


def _inflated(content: bytes) -> bytes:
    return gzip.decompress(content) if content[:2] == b"\x1f\x8b" else content


def _whole(value: float, slope: float, inter: float) -> int:
    scaled = value
    if slope and not math.isnan(slope):
        is_exact = slope == int(slope) and inter == int(inter) and isinstance(value, int)
        scaled = value * int(slope) + int(inter) if is_exact else value * slope + inter
    assert abs(scaled - round(scaled)) <= 0.0101
    return round(scaled)


def tiff(path: Path) -> Counter:
    """Count the pixels of a TIFF that GDAL reads page by page, as one block each.

    No second reader knows as many kinds; tifffile reads pages of which GDAL refuses a tag that says nothing of
    their numbers, as a palette that is missing.
    """
    import rasterio

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        places = _directories(path.read_bytes())
        images = [f"GTIFF_DIR:off:{at}:{path}" for at in places] if len(places) > 1 else [path]
        found: Counter = Counter()
        for at, each in zip(places or [0], images, strict=True):
            try:
                with rasterio.open(each, driver="GTiff", sharing=False) as dataset:
                    if dataset.count > 1:  # binary layers, which have no labels
                        held = set(np.unique(dataset.read()).tolist())
                        assert held <= {0, 1} or held <= {0, 255}
                        return Counter()
                    values, nodata = dataset.read(1), dataset.nodata
            except rasterio.errors.RasterioIOError:
                values, nodata = _by_tifffile(path, at)
            kept = values[~_equal(values, nodata)] if nodata else values.ravel()
            found.update(round(value) for value in kept.tolist())
    return found


def _by_tifffile(path: Path, at: int) -> tuple[np.ndarray, float | None]:
    """Return the pixels of the page whose directory lies at a byte, and its nodata."""
    import tifffile

    with tifffile.TiffFile(path) as file:
        page = next(each for each in file.pages if each.offset == at)
        return page.asarray(), page.nodata if "GDAL_NODATA" in page.tags else None


def _directories(content: bytes) -> list[int]:
    """Return where directories of a TIFF begin that are of no overview or mask, up to one that was before."""
    order = "<" if content[:2] == b"II" else ">"
    place, number, size, at = ("Q", "Q", 20, 8) if 43 in content[2:4] else ("I", "H", 12, 4)
    value = size - struct.calcsize(f"={place}")
    found, others = list[int](), set[int]()
    while True:
        (start,) = struct.unpack_from(order + place, content, at)
        if not start or start in found or start + 8 > len(content):
            return [each for each in found if each not in others]
        found.append(start)
        (entries,) = struct.unpack_from(order + number, content, start)
        first = start + struct.calcsize(f"={number}")
        at = first + size * entries
        for entry in range(first, min(at, len(content) - size), size):
            tag, kind = struct.unpack_from(f"{order}HH", content, entry)
            letter = {3: "H", 4: "I"}.get(kind, "B")
            if tag == 254 and struct.unpack_from(order + letter, content, entry + value)[0] & 5:
                others.add(start)


def array(path: Path) -> Counter:
    """Count the values of a NumPy array, NaN left out, as NumPy loads it, which is the format."""
    values = np.load(path, allow_pickle=False).ravel().tolist()
    return Counter(value for value in values if value == value)  # noqa: PLR0124 - NaN is not


def _equal(values: np.ndarray, nodata: float) -> np.ndarray:
    if math.isnan(nodata):
        return np.isnan(values)
    # A fraction is no whole number, whatever a cast makes of it.
    return values == (values.dtype.type(nodata) if values.dtype.kind == "f" else nodata)


#: By the last suffix of a file: what counts the labels in it.
DECODERS = {".png": png, ".tif": tiff, ".npy": array, ".nii": nifti, ".gz": nifti, ".hdr": nifti}
