"""Valid masks of each format, and seeded ways to damage them: in any byte, and where a format keeps its sense.

Mutant number N of a format is the same bytes wherever the libraries that write the valid masks are the same.
"""

from __future__ import annotations

import contextlib
import gzip
import random
import struct
import tempfile
import zlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import make
import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

#: The formats that are fuzzed, by the suffix of the file that is named, and stacks, which are ``.tif``, too; a
#: ``.hdr`` has its ``.img`` beside it.
KINDS = ("png", "nii", "nii.gz", "hdr", "tif", "stack", "npy")

#: Numbers at which arithmetic and allocations go wrong.
_INTEGERS = (0, 1, 2, 3, 7, 8, 127, 128, 255, 256, 32767, 32768, 65529, 65535, 65536, 2**24, 2**31 - 1, 2**31, 2**32 - 1, 2**40, 2**63 - 1)  # fmt: skip
_FLOATS = (0.0, -0.0, 0.5, 1.0, -1.0, 1e-40, 0.9999999, 352.0, 353.0, 3.4e38, float("inf"), float("-inf"), float("nan"))  # fmt: skip


class Mutant(NamedTuple):
    """The bytes of a damaged mask, by the suffix of each of its files; the first is the one that is named."""

    files: dict[str, bytes]

    def write(self, folder: Path) -> Path:
        """Write it into a folder, over its predecessor, and return the path of the file that is named."""
        for suffix, content in self.files.items():
            (folder / f"mutant.{suffix}").write_bytes(content)
        return folder / f"mutant.{next(iter(self.files))}"


def mutant(kind: str, number: int) -> Mutant:
    """Make one damaged mask of a format."""
    rng = random.Random(f"{kind} {number}")  # noqa: S311 - it must be repeatable, not secret
    files = dict(rng.choice(seeds(kind)))
    victim = rng.choice(list(files))
    how = _STRUCTURED[kind] if rng.random() < 0.6 else _bytewise
    files[victim] = how(rng, files[victim])
    if rng.random() < 0.2:
        files[victim] = _bytewise(rng, files[victim])
    return Mutant(files)


@cache
def seeds(kind: str) -> list[dict[str, bytes]]:
    """Return the valid masks of a format that mutants are made of."""
    with tempfile.TemporaryDirectory() as folder:
        return _SEEDS[kind](Path(folder))


def _png_seeds(_: Path) -> list[dict[str, bytes]]:
    labels = make.blobs((11, 13))
    text = make.chunk(b"tEXt", b"Comment\0made for the tests") + make.chunk(b"gAMA", struct.pack(">I", 45455))
    contents = [
        make.raw_png(labels, before=text),
        make.raw_png(labels, colour=3, palette=bytes(range(12))),
        make.raw_png(labels % 2, depth=1),
        make.raw_png(labels, depth=4, is_interlaced=True),
        make.raw_png(labels, depth=2, colour=3, palette=bytes(range(12)), is_interlaced=True),
        make.raw_png(labels.astype(np.uint16) * 300, depth=16),
        make.raw_png(labels % 2 * 255),
        make.raw_png(np.stack([labels] * 3, 2), colour=2),
        make.raw_png(np.stack([labels, np.full_like(labels, 255)], 2), colour=4),
    ]
    return [{"png": content} for content in contents]


def _nifti_seeds(suffix: str) -> Callable[[Path], list[dict[str, bytes]]]:
    """Write volumes of each type with nibabel, and return their files."""

    def written(folder: Path) -> list[dict[str, bytes]]:
        labels = make.blobs((6, 5, 4))
        variants: list[dict] = [
            {},
            {"dtype": np.int16, "endianness": ">"},
            {"dtype": np.float32, "slope": 1.0, "inter": 0.0},
            {"dtype": np.int32, "slope": 2.0, "inter": 1.0, "codes": (0, 1)},
            {"dtype": np.uint8, "version": 2},
            {"dtype": np.float64, "affine": np.diag([-1.5, 1.5, 3.0, 1.0])},
        ]
        found = []
        for options in variants:
            path = make.nifti(folder / f"seed.{suffix}", labels, **options)
            if suffix == "nii.gz":  # without the time at which it was packed
                path.write_bytes(gzip.compress(gzip.decompress(path.read_bytes()), mtime=0))
            ends = ("hdr", "img") if suffix == "hdr" else (suffix,)
            found.append({end: path.with_name(f"seed.{end}").read_bytes() for end in ends})
        if suffix == "nii.gz":
            plain = gzip.decompress(found[0][suffix])
            found.append({suffix: gzip.compress(plain[:400], mtime=0) + gzip.compress(plain[400:], mtime=0)})
        return found

    return written


def _geotiff_seeds(folder: Path) -> list[dict[str, bytes]]:
    labels = make.blobs((35, 41))
    variants: list[dict] = [
        {},
        {"compress": "deflate", "tiled": True, "blockxsize": 16, "blockysize": 16},
        {"compress": "lzw", "predictor": 2},
        {"compress": "packbits", "blockysize": 5},
        {"compress": "zstd", "nodata": 3},
        {"BIGTIFF": "YES", "tiled": True, "blockxsize": 32, "blockysize": 16},
        {"ENDIANNESS": "BIG", "dtype": np.uint16},
        {"nbits": 2},
        {"dtype": np.float32, "compress": "deflate", "predictor": 3},
        {"dtype": np.int32, "nodata": -1, "transform": None, "crs": None},
        {"SPARSE_OK": True, "tiled": True, "blockxsize": 16, "blockysize": 16, "zeros": True},
    ]
    found = []
    for options in variants:
        stored = labels.astype(options.pop("dtype", np.uint8))
        if options.pop("zeros", False):
            stored[:16] = 0
        path = make.geotiff(folder / "seed.tif", stored, **options)
        found.append({"tif": path.read_bytes()})
    return found


def _stack_seeds(folder: Path) -> list[dict[str, bytes]]:
    pages = np.moveaxis(make.blobs((11, 13, 4)), 2, 0)
    variants: list[dict] = [
        {},
        {"compress": "deflate", "blockysize": 5},
        {"compress": "deflate", "predictor": 2, "ENDIANNESS": "BIG", "dtype": np.uint16},
        {"compress": "lzw", "tiled": True, "blockxsize": 16, "blockysize": 16},
        {"BIGTIFF": "YES", "compress": "packbits", "nodata": 3},
        {"nbits": 1, "compress": "deflate"},
    ]
    found = []
    for options in variants:
        stored = (pages % 2 if options.get("nbits") else pages).astype(options.pop("dtype", np.uint8))
        path = folder / "seed.tif"
        for number, page in enumerate(stored):
            make.geotiff(path, page, transform=None, crs=None, append_subdataset=number > 0, **options)
        found.append({"tif": path.read_bytes()})
    return found


#: The shape of the reference that arrays of probabilities are read against.
SOFT_SHAPE = (11, 13)


def _npy_seeds(folder: Path) -> list[dict[str, bytes]]:
    one = make.blobs(SOFT_SHAPE, 5) / np.float32(4)
    several = np.stack([one, 1 - one])
    variants = [one, several.astype(np.float32), several.astype(">f8"), np.asfortranarray(several)]
    variants += [one.astype(np.float16), (one > 0.5), np.moveaxis(several, 0, -1)]
    found = []
    for array in variants:
        np.save(folder / "seed.npy", array)
        found.append({"npy": (folder / "seed.npy").read_bytes()})
    return found


_SEEDS = {
    "png": _png_seeds,
    "nii": _nifti_seeds("nii"),
    "nii.gz": _nifti_seeds("nii.gz"),
    "hdr": _nifti_seeds("hdr"),
    "tif": _geotiff_seeds,
    "stack": _stack_seeds,
    "npy": _npy_seeds,
}


def _bytewise(rng: random.Random, content: bytes) -> bytes:
    """Damage any bytes, knowing nothing of the format, one to four times."""
    data = bytearray(content)
    for _ in range(rng.randint(1, 4)):
        if not data:
            break
        # Half of the time near the start, where headers stand.
        at = rng.randrange(min(len(data), 400) if rng.random() < 0.5 else len(data))
        _BYTEWISE[rng.randrange(len(_BYTEWISE))](rng, data, at)
    return bytes(data)


def _flip(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] ^= 1 << rng.randrange(8)


def _replace(rng: random.Random, data: bytearray, at: int) -> None:
    data[at] = rng.choice((0, 1, 127, 128, 255, rng.randrange(256)))


def _number(rng: random.Random, data: bytearray, at: int) -> None:
    packed = _packed(rng, rng.choice("HIQfd"), rng.choice("<>"))
    data[at : at + len(packed)] = packed


def _cut(_: random.Random, data: bytearray, at: int) -> None:
    del data[at:]


def _drop(rng: random.Random, data: bytearray, at: int) -> None:
    del data[at : at + rng.randint(1, 16)]


def _repeat(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = data[at : at + rng.randint(1, 64)]


def _add(rng: random.Random, data: bytearray, at: int) -> None:
    data[at:at] = rng.randbytes(rng.randint(1, 16))


def _append(rng: random.Random, data: bytearray, _: int) -> None:
    data += rng.choice((b"\0", b"\0" * 64, rng.randbytes(8)))


_BYTEWISE = (_flip, _flip, _replace, _replace, _number, _number, _cut, _drop, _repeat, _add, _append)


def _packed(rng: random.Random, code: str, order: str) -> bytes:
    """Return an odd number in a form of :mod:`struct`."""
    if code in "fd":
        return struct.pack(order + code, rng.choice(_FLOATS))
    bits = 8 * struct.calcsize(code)
    return struct.pack(order + code.upper(), rng.choice(_INTEGERS) % 2**bits)


#: A chunk of a PNG: its kind, and what it holds.
Chunk = tuple[bytes, bytes]


def _png_structured(rng: random.Random, content: bytes) -> bytes:
    """Damage chunks, and seal them again: what is inside a sound checksum must still not be believed."""
    chunks, at = [], len(make.PNG_MAGIC)
    while at < len(content):
        length = int.from_bytes(content[at : at + 4], "big")
        chunks.append((content[at + 4 : at + 8], content[at + 8 : at + 8 + length]))
        at += 12 + length
    for _ in range(rng.choice((1, 1, 1, 1, 2))):
        damage = rng.choice((_of_order, _of_order, _of_kind, _of_body, _of_body, _of_body))
        damage(rng, chunks, rng.randrange(len(chunks)))
    return make.PNG_MAGIC + b"".join(make.chunk(*each) for each in chunks)


def _of_order(rng: random.Random, chunks: list[Chunk], place: int) -> None:
    """Drop, repeat, move or swap chunks, or put one between two halves of another one."""
    other = rng.randrange(len(chunks))
    what = rng.randrange(5)
    if what == 0 and len(chunks) > 1:
        del chunks[place]
    elif what == 1:
        chunks.insert(other, chunks[place])
    elif what == 2:
        chunks.insert(other, chunks.pop(place))
    elif what == 3:
        chunks[place], chunks[other] = chunks[other], chunks[place]
    else:
        kind, body = chunks[place]
        half = rng.randrange(len(body) + 1)
        between = [chunks[other]] * rng.randrange(2)
        chunks[place : place + 1] = [(kind, body[:half]), *between, (kind, body[half:])]


def _of_kind(rng: random.Random, chunks: list[Chunk], place: int) -> None:
    """Give a chunk another name, which differs in a letter's case or altogether."""
    kind, body = chunks[place]
    kinds = (b"IDAT", b"PLTE", b"tRNS", b"IEND", b"IHDR", b"acTL", b"zTXt", b"abCD", b"aBcD", b"ABCD")
    if rng.random() < 0.5:
        changed = bytearray(kind)
        changed[rng.randrange(4)] ^= 0x20
        chunks[place] = (bytes(changed), body)
    elif rng.random() < 0.5:
        chunks[place] = (rng.choice(kinds), body)
    else:
        chunks.insert(place, (rng.choice(kinds), rng.randbytes(rng.choice((0, 1, 3, 12, 13, 768, 771)))))


def _of_body(rng: random.Random, chunks: list[Chunk], place: int) -> None:
    """Damage what a chunk holds: pixels, their stream, sizes, the length of a palette."""
    kind, body = chunks[place]
    if kind == b"IDAT" and rng.random() < 0.7:
        # What every filter of a row, and every sample, makes of other bytes.
        with contextlib.suppress(zlib.error):
            body = zlib.compress(_bytewise(rng, zlib.decompress(body)))
        body = _zlib_header(rng, body) if rng.random() < 0.3 else body
    elif kind == b"IHDR":
        body = _ihdr(rng, body)
    elif kind == b"PLTE" and rng.random() < 0.7:
        body = (body * 100)[: rng.choice((0, 1, 3, 4, 6, 9, 12, 48, 51, 768, 769, 771, 900))]
    else:
        body = _bytewise(rng, body)
    chunks[place] = (kind, body)


def _zlib_header(rng: random.Random, stream: bytes) -> bytes:
    """Change the two bytes before a deflate stream: method, window, dictionary, level; the check mostly holds."""
    first, second = rng.choice((rng.randrange(256), rng.randrange(16) << 4 | 8)), rng.randrange(256)
    if rng.random() < 0.8:
        second = second & 0xE0
        second += (31 - (first * 256 + second) % 31) % 31
    return bytes([first, second]) + stream[2:]


def _ihdr(rng: random.Random, body: bytes) -> bytes:
    if len(body) != 13 or rng.random() < 0.05:
        return _bytewise(rng, body)
    width, height, *rest = struct.unpack(">IIBBBBB", body)
    sizes = [width, height]
    sizes[rng.randrange(2)] = rng.choice((*_INTEGERS[:-2], width * 2, height + 1)) % 2**32
    if rng.random() < 0.5:
        rest[rng.randrange(5)] = rng.choice((0, 1, 2, 3, 4, 6, 8, 16, 255))
        sizes = [width, height]
    return struct.pack(">IIBBBBB", *sizes, *rest)


#: Fields of a NIfTI-1 header: where they stand, and their form.
_FIELDS = [(40 + 2 * n, "H") for n in range(8)] + [(70, "H"), (72, "H"), (108, "f"), (112, "f"), (116, "f")]
_FIELDS += [(76 + 4 * n, "f") for n in range(8)] + [(256 + 4 * n, "f") for n in range(18)]
_FIELDS += [(123, "B"), (252, "H"), (254, "H"), (68, "H"), (0, "I"), (344, "I")]
#: And of a NIfTI-2 header.
_FIELDS_2 = [(16 + 8 * n, "Q") for n in range(8)] + [(12, "H"), (14, "H"), (168, "Q"), (176, "d"), (184, "d")]
_FIELDS_2 += [(104 + 8 * n, "d") for n in range(8)] + [(400 + 8 * n, "d") for n in range(12)] + [(4, "Q")]


def _nifti_structured(rng: random.Random, content: bytes) -> bytes:
    """Put odd numbers into fields of the header; where there is none, damage voxels."""
    data = bytearray(content)
    sizes = {order: struct.unpack_from(order + "I", data)[0] for order in "<>"} if len(data) >= 348 else {}
    order = next((each for each, size in sizes.items() if size in {348, 540}), None)
    if order is None or len(data) < sizes[order]:
        return _bytewise(rng, content)
    fields = _FIELDS if sizes[order] == 348 else _FIELDS_2
    for _ in range(rng.randint(1, 3)):
        at, code = rng.choice(fields)
        is_small = code in "BHIQ" and rng.random() < 0.4
        packed = struct.pack(order + code, rng.randrange(20)) if is_small else _packed(rng, code, order)
        data[at : at + len(packed)] = packed
    return bytes(data)


def _gzip_structured(rng: random.Random, content: bytes) -> bytes:
    """Damage what is inside, and pack it again, so that checksum and length hold."""
    plain = gzip.decompress(content)
    how = _nifti_structured if rng.random() < 0.7 else _bytewise
    damaged = how(rng, plain)
    half = rng.randrange(len(damaged) + 1) if rng.random() < 0.2 else len(damaged)
    packed = gzip.compress(damaged[:half], mtime=0)
    return packed + (gzip.compress(damaged[half:], mtime=0) if half < len(damaged) else b"")


def _tiff_structured(rng: random.Random, content: bytes) -> bytes:
    """Put odd numbers into entries of the directory, or change their order; or damage a deflate block."""
    data = bytearray(content)
    if rng.random() < 0.15 and (places := _zlib_streams(content)):
        return _damaged_block(rng, content, *rng.choice(places))
    order = "<" if data[:2] == b"II" else ">"
    is_big = 43 in data[2:4]
    at = struct.unpack_from(order + ("Q" if is_big else "I"), data, 8 if is_big else 4)[0]
    number = struct.unpack_from(order + ("Q" if is_big else "H"), data, at)[0]
    start, size, long = (at + 8, 20, "Q") if is_big else (at + 2, 12, "I")
    for _ in range(rng.randint(1, 2)):
        entry = start + size * rng.randrange(number)
        other = start + size * rng.randrange(number)
        if rng.random() < 0.15:
            one, two = data[entry : entry + size], data[other : other + size]
            data[entry : entry + size] = two
            data[other : other + size] = one if rng.random() < 0.5 else two
            continue
        field, code = rng.choice(
            ((0, "H"), (2, "H"), (4, long), *((size - struct.calcsize(long), long),) * 5)
        )
        few = struct.pack(order + code, rng.randrange(300 if field == 0 else 20))
        packed = few if rng.random() < 0.4 else _packed(rng, code, order)
        data[entry + field : entry + field + len(packed)] = packed
    return bytes(data)


@cache
def _zlib_streams(content: bytes) -> list[tuple[int, int]]:
    """Return where zlib streams begin and end."""
    found, at = [], content.find(b"\x78")
    while at >= 0:
        inflating = zlib.decompressobj()
        with contextlib.suppress(zlib.error):
            inflating.decompress(content[at:])
        end = len(content) - len(inflating.unused_data)
        found += [(at, end)] if inflating.eof else []
        at = content.find(b"\x78", end if inflating.eof else at + 1)
    return found


def _damaged_block(rng: random.Random, content: bytes, start: int, end: int) -> bytes:
    """Damage the header of a zlib stream, or what it inflates to, in the place that it has."""
    stream = content[start:end]
    damaged = zlib.compress(_bytewise(rng, zlib.decompress(stream)), 9)
    if rng.random() < 0.5 or len(damaged) > len(stream):
        damaged = _zlib_header(rng, stream)
    return content[:start] + damaged.ljust(end - start, b"\0") + content[end:]


def _stack_structured(rng: random.Random, content: bytes) -> bytes:
    """Put odd numbers into the directory of any page, or cut or turn the way to the next one."""
    data = bytearray(content)
    order = "<" if data[:2] == b"II" else ">"
    is_big = 43 in data[2:4]
    (ahead, count, size, long) = (8, "Q", 20, "Q") if is_big else (4, "H", 12, "I")
    for _ in range(rng.randrange(4)):
        (at,) = struct.unpack_from(order + long, data, ahead)
        (number,) = struct.unpack_from(order + count, data, at)
        after = at + struct.calcsize(count) + size * number
        if not struct.unpack_from(order + long, data, after)[0]:
            break
        ahead = after
    if rng.random() < 0.2:
        struct.pack_into(
            order + long, data, ahead, rng.choice((0, 8, 1 << 31, len(data), rng.randrange(len(data))))
        )
        return bytes(data)
    # As if the page were the first one, whose directory is damaged; then as it was.
    first = 8 if is_big else 4
    whole = data[:first] + data[ahead : ahead + struct.calcsize(long)] + data[first + struct.calcsize(long) :]
    damaged = bytearray(_tiff_structured(rng, bytes(whole)))
    damaged[first : first + struct.calcsize(long)] = data[first : first + struct.calcsize(long)]
    return bytes(damaged)


def _npy_structured(rng: random.Random, content: bytes) -> bytes:
    """Put other words into the header's text, which keeps its length or not."""
    end = 10 + int.from_bytes(content[8:10], "little")
    text = content[10:end].decode("latin-1")
    words = ("<f4", ">f8", "|O", "|b1", "<c8", "<U3", "|V4", "<i8", "<f2", "<f16", "True", "False")
    words += (
        "(11, 13)",
        "(13, 11)",
        "(2, 11, 13)",
        "(11, 13, 2)",
        "()",
        "(0,)",
        "(-1, 13)",
        "(143,)",
        "(2**40,)",
    )
    words += (
        "(1099511627776, 1099511627776)",
        "(1.5, 2)",
        "'descr'",
        "{}",
        "None",
        "[('a', '<f4')]",
        "(((((",
        "\n",
    )
    for _ in range(rng.randint(1, 2)):
        old = rng.choice(
            ("<f4", ">f8", "<f2", "|b1", "False", "True", "(11, 13)", "(2, 11, 13)", "'shape'", "}")
        )
        text = text.replace(old, rng.choice(words), 1)
    if rng.random() < 0.7:
        text = text.rstrip("\n ").ljust(end - 11)[: end - 11] + "\n"
    packed = text.encode("latin-1")
    length = (len(packed) if rng.random() < 0.8 else rng.choice((0, 1, 118, 65535))) % 65536
    return content[:8] + length.to_bytes(2, "little") + packed + content[end:]


_STRUCTURED: dict[str, Callable[[random.Random, bytes], bytes]] = {
    "png": _png_structured,
    "nii": _nifti_structured,
    "nii.gz": _gzip_structured,
    "hdr": _nifti_structured,
    "tif": _tiff_structured,
    "stack": _stack_structured,
    "npy": _npy_structured,
}
