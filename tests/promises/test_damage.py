"""Damaged files and attacks on resources: each row of what must happen, in a run with a good case beside it."""

from __future__ import annotations

import gzip
import io
import os
import shutil
import socket
import struct
import subprocess
import sys
import time
import zlib
from pathlib import Path

import faults
import make
import numpy as np
import pytest
from faults import LABELS, OTHER, Fault

from dicecli.errors import CaseError, ManyVolumes
from dicecli.masks.formats import geotiff
from dicecli.masks.opening import open_mask
from dicecli.masks.reading import Reading

EVERY = (".png", ".nii", ".nii.gz", ".tif")
needs_posix = pytest.mark.skipif(os.name != "posix", reason="this system has no such files")


# Builders: each puts a fault where a good mask lies.


def put(content):
    """Return a builder that writes bytes."""
    return lambda path: path.write_bytes(content)


def edited(change):
    """Return a builder that changes the bytes that are there."""
    return lambda path: path.write_bytes(change(path.read_bytes()))


def flipped(at):
    """Return a builder that flips a bit of one byte, counted from the end where negative."""

    def change(content):
        data = bytearray(content)
        data[at] ^= 4
        return bytes(data)

    return edited(change)


def packed(**options):
    """Return a builder that writes a GeoTIFF of some layout."""
    return lambda path: make.geotiff(path, OTHER, **options)


def then(first, second):
    """Return a builder that does two things."""
    return lambda path: (first(path), second(path))


def bad_chunk(kind):
    """Return a builder for a PNG with a palette whose chunk of a kind has a wrong checksum."""

    def build(path):
        content = bytearray(make.raw_png(OTHER, colour=3, palette=bytes(range(12))))
        at = content.index(kind)
        length = int.from_bytes(content[at - 4 : at], "big")
        content[at + 4 + length] ^= 1
        path.write_bytes(content)

    return build


def header(**fields):
    """Return a builder that overwrites fields of a NIfTI header."""
    return lambda path: make.patched(path, **fields)


def jpeg():
    """Return the bytes of a real JPEG."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(OTHER).save(file, format="JPEG")
    return file.getvalue()


def damaged_block(path):
    """Write a TIFF whose first deflate block is garbage from its middle on."""
    make.geotiff(path, make.blobs((12, 15)), compress="deflate")
    content = path.read_bytes()
    at = content.rindex(zlib.compress(b"", 6)[:1])
    path.write_bytes(content[: at + 4] + b"\xff" * 12 + content[at + 16 :])


def moved_strip(path):
    """Write a TIFF whose only strip begins past the end of the file."""
    entries = [(258, 3, 8), (277, 3, 1), (278, 4, 12), (273, 4, 2**31), (279, 4, 180)]
    make.tiff(path, (15, 12), entries, bytes(180))


def flood(path):
    """Write a volume and 200 MB of zeros after it, in a gzip stream of some hundred kilobytes."""
    plain = make.nifti(path.with_name("whole.nii"), OTHER)
    packer = zlib.compressobj(1, wbits=31)
    with path.open("wb") as file:
        file.write(packer.compress(plain.read_bytes()))
        for _ in range(200):
            file.write(packer.compress(bytes(1_000_000)))
        file.write(packer.flush())
    plain.unlink()


TEXT = b"this is a note, not a mask\n"
HTML = b"<!DOCTYPE html><html><body>404 Not Found</body></html>"
LFS = b"version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 12345\n"

DAMAGED = [
    *(
        Fault("0-byte PNG, NIfTI, TIFF", suffix, put(b""), "EmptyFile", "0 bytes")
        for suffix in (*EVERY, ".hdr")
    ),
    Fault("PNG cut inside its data", ".png", edited(lambda each: each[:-30]), "Truncated", "IDAT"),
    *(
        Fault(
            f"PNG with a wrong chunk CRC ({kind.decode()})", ".png", bad_chunk(kind), "Corrupt", kind.decode()
        )
        for kind in (b"IHDR", b"PLTE", b"IDAT")
    ),
    Fault("PNG without IEND", ".png", edited(lambda each: each[:-12]), "Truncated", "IEND"),
    Fault(".nii.gz with one flipped byte", ".nii.gz", flipped(60), "Corrupt", "gzip stream"),
    Fault(".nii.gz with one flipped byte of its checksum", ".nii.gz", flipped(-6), "Corrupt", "gzip stream"),
    Fault(".nii.gz without its 8-byte trailer", ".nii.gz", edited(lambda each: each[:-8]), "Truncated"),
    Fault(
        ".nii.gz that is not gzip",
        ".nii.gz",
        edited(gzip.decompress),
        "",
        "its content is not gzip, whatever",
    ),
    Fault(".nii that is", ".nii", edited(gzip.compress), "", "its content is gzip, whatever"),
    Fault(".nii.gz with 200 MB of zeros after the volume", ".nii.gz", flood, "TrailingData", "bytes follow"),
    Fault(
        "TIFF strip truncated",
        ".tif",
        then(packed(), edited(lambda each: each[:-40])),
        "Truncated",
        "GDAL cannot",
    ),
    Fault(
        "TIFF tile truncated",
        ".tif",
        then(packed(tiled=True, blockxsize=16, blockysize=16), edited(lambda each: each[:-40])),
        "Truncated",
        "GDAL cannot",
    ),
    Fault("TIFF offset past the end", ".tif", moved_strip, "Truncated", "GDAL cannot"),
    Fault("TIFF deflate block damaged", ".tif", damaged_block, "Corrupt", "GDAL cannot"),
    *(
        Fault(f"{what} named as a mask", suffix, put(content), "UnknownFormat", found)
        for suffix in EVERY
        for what, content, found in (
            ("text", TEXT, "text"),
            ("HTML", HTML, "HTML"),
            ("JPEG", jpeg(), "JPEG"),
            ("git-lfs pointer", LFS, "Git LFS pointer"),
        )
    ),
]


@pytest.mark.parametrize("fault", DAMAGED, ids=str)
def test_damaged_files(tmp_path, fault):
    """A damaged file is a row that says what was found, the case beside it is scored, nothing else is opened."""
    report, strange = faults.run(tmp_path, fault)
    faults.hold(report, fault)
    assert [] == strange


def test_gzip_of_several_members(tmp_path):
    """.nii.gz of several gzip members: 0, same counts as one member."""

    def split(path):
        plain = gzip.decompress(path.read_bytes())
        path.write_bytes(b"".join(gzip.compress(plain[at : at + 200]) for at in range(0, len(plain), 200)))

    report, _ = faults.run(tmp_path, Fault(".nii.gz of several gzip members", ".nii.gz", split, ""))
    assert [make.brute(OTHER, LABELS)] * 2 == [make.counts(each) for each in report.results]


# What is no regular file


def folder(path):
    """Put a folder in a mask's place."""
    path.unlink()
    path.mkdir()


def pipe(path):
    """Put a named pipe, which nobody writes to, in a mask's place."""
    path.unlink()
    os.mkfifo(path)


def plug(path):
    """Put a socket in a mask's place; its name is bound from its folder, since such names are short."""
    path.unlink()
    here = Path.cwd()
    os.chdir(path.parent)
    try:
        with socket.socket(socket.AF_UNIX) as one:
            one.bind(path.name)
    finally:
        os.chdir(here)


def device(path):
    """Put a device that never ends in a mask's place, or a link to one where making one needs rights."""
    path.unlink()
    try:
        os.mknod(path, 0o666 | 0o020000, os.makedev(1, 5))
    except OSError:
        path.symlink_to("/dev/zero")


@needs_posix
@pytest.mark.parametrize("suffix", [".png", ".nii.gz", ".tif"])
@pytest.mark.parametrize("put_there", [folder, pipe, plug, device])
def test_what_is_no_file(tmp_path, suffix, put_there):
    """A directory, FIFO, socket or device with a mask's name: row NotARegularFile, within a second."""
    fault = Fault(put_there.__name__, suffix, put_there, "NotARegularFile", options={"follow_links": True})
    report, strange = faults.run(tmp_path, fault)
    faults.hold(report, fault)
    assert [] == strange
    spent = []
    for _ in range(3):
        started = time.monotonic()
        with pytest.raises(CaseError):
            open_mask(str(tmp_path / "p" / f"bad{suffix}"))
        spent.append(time.monotonic() - started)
    assert min(spent) < 1


@needs_posix
def test_the_command_does_not_hang_on_a_pipe(tmp_path):
    """The same through the command itself, in a process that would be ended: a row, and no traceback."""
    predictions, references = faults.folders(tmp_path, ".png")
    pipe(predictions / "bad.png")
    done = subprocess.run(
        [sys.executable, "-m", "dicecli", "batch", str(predictions), str(references), "-j", "2", "-f", "csv"],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert 3 == done.returncode
    assert 'bad,failed,,,,,,,,,,,"NotARegularFile: prediction' in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


# Attacks on resources


def wide_png(path):
    """Write a 1-bit PNG of 14,000 x 14,000 in 24 KB."""
    row = b"\0" + bytes(14_000 // 8)
    head = struct.pack(">IIBBBBB", 14_000, 14_000, 1, 0, 0, 0, 0)
    body = make.chunk(b"IDAT", zlib.compress(row * 14_000, 9))
    path.write_bytes(make.PNG_MAGIC + make.chunk(b"IHDR", head) + body + make.chunk(b"IEND", b""))
    assert path.stat().st_size < 30_000


def endless_png(path):
    """Write a PNG of a few bytes whose header claims 2^31 - 1 squared."""
    head = struct.pack(">IIBBBBB", 2**31 - 1, 2**31 - 1, 8, 0, 0, 0, 0)
    body = make.chunk(b"IDAT", zlib.compress(bytes(100)))
    path.write_bytes(make.PNG_MAGIC + make.chunk(b"IHDR", head) + body + make.chunk(b"IEND", b""))


def claiming(*dim):
    """Return a builder for a NIfTI of 100 voxels whose header claims another shape."""

    def build(path):
        make.patched(
            make.nifti(path, np.zeros((10, 10), np.uint8)), dim=(len(dim), *dim, *[1] * (7 - len(dim)))
        )

    return build


def both(build):
    """Return a builder that puts the bad mask on both sides, so that it is more than another shape."""

    def build_both(path):
        build(path)
        shutil.copy(path, path.parents[1] / "r" / path.name)

    return build_both


def noise(path):
    """Write 16-bit noise with all 65,536 values."""
    values = np.random.default_rng(0).permutation(np.arange(1 << 16, dtype=np.uint16))
    make.png(path, values.reshape(256, 256))


def strips(size, rows, length, samples=1):
    """Return a builder for a TIFF of ten bytes in one strip, whatever it claims."""
    entries = [(258, 3, 8), (277, 3, samples), (278, 4, rows), (273, 4, 8), (279, 4, length)]
    return lambda path: make.tiff(path, size, entries, bytes(10))


def tile(width, height):
    """Return a builder for a TIFF of one pixel in one tile of a size."""
    entries = [(258, 3, 8), (277, 3, 1), (322, 4, width), (323, 4, height), (324, 4, 8), (325, 4, 10)]
    return lambda path: make.tiff(path, (1, 1), entries, bytes(10))


SMALL = {"max_pixels": 1_000_000}

#: With the most megabytes that the process may grow by.
RESOURCES = [
    (
        Fault(
            "1-bit PNG 14,000 x 14,000 in 24 KB under a small --max-pixels",
            ".png",
            wide_png,
            "TooLarge",
            "14,000 x 14,000",
            SMALL,
        ),
        20,
    ),
    (Fault("IHDR of 2^31-1 squared", ".png", endless_png, "TooLarge", "2,147,483,647 x 2,147,483,647"), 20),
    (
        Fault(
            "NIfTI of 452 bytes that claims 1000^3",
            ".nii",
            claiming(1000, 1000, 1000),
            "Truncated",
            "the file has 452",
        ),
        20,
    ),
    (
        Fault(
            "gz that claims 30000^3",
            ".nii.gz",
            claiming(30000, 30000, 30000),
            "Truncated",
            "cannot unpack to that",
        ),
        20,
    ),
    (
        Fault(
            ".nii.gz with 200 MB of zeros after the volume: memory stays flat",
            ".nii.gz",
            flood,
            "TrailingData",
        ),
        20,
    ),
    (
        Fault(
            "TIFF with 65,529 samples per pixel", ".tif", strips((100, 100), 100, 10, 65_529), "ManyVolumes"
        ),
        150,
    ),
    (
        Fault(
            "the same with a band chosen",
            ".tif",
            both(strips((100, 100), 100, 10, 65_529)),
            "ManyVolumes",
            "",
            {"band": 1},
        ),
        150,
    ),
    (
        Fault(
            "TIFF of 200,000^2 in one strip of 10 bytes",
            ".tif",
            both(strips((200_000, 200_000), 200_000, 10)),
            "Truncated",
        ),
        150,
    ),
    (Fault("TIFF of 1 x 1 with a 2^30 tile", ".tif", tile(2**15, 2**15), "Truncated"), 150),
    (Fault("the same, 2^30 a side", ".tif", tile(2**30, 2**30), "Truncated"), 150),
]


@pytest.mark.parametrize(("fault", "megabytes"), RESOURCES, ids=str)
def test_resource_attacks(tmp_path, fault, megabytes):
    """A small file that claims much is a row, before memory is asked for: by a process measured from outside."""
    report, strange = faults.run(tmp_path, fault)
    faults.hold(report, fault)
    assert [] == strange
    if sys.platform == "win32":
        return
    bad = tmp_path / "p" / f"bad{fault.suffix}"
    error, grown = faults.measured(tmp_path / "p" / f"good{fault.suffix}", bad, **(fault.options or {}))
    assert fault.error == error
    assert grown < megabytes


def test_thousands_of_samples_as_probabilities(tmp_path):
    """A TIFF with 65,529 samples per pixel is refused where its bands would be classes, too."""
    path = tmp_path / "a.tif"
    strips((100, 100), 100, 10, 65_529)(path)
    with pytest.raises(ManyVolumes, match="65,529 bands"):
        geotiff.open_probabilities(str(path), Reading(), (100, 100))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize(
    "fields",
    [
        {"dim": (3, 0, 15, 1, 1, 1, 1, 1)},
        {"dim": (3, 12, -15, 1, 1, 1, 1, 1)},
        {"dim": (0, 12, 15, 1, 1, 1, 1, 1)},
        {"dim": (8, 12, 15, 1, 1, 1, 1, 1)},
        {"vox_offset": float("nan")},
        {"vox_offset": float("inf")},
        {"vox_offset": -1.0},
        {"vox_offset": 2.0**40},
    ],
    ids=lambda fields: str(next(iter(fields.items()))),
)
def test_impossible_nifti_headers(tmp_path, fields, suffix):
    """NIfTI with a zero or negative dimension, dim[0] 0 or 8, vox_offset NaN, inf, -1 or 2^40: row BadHeader."""
    fault = Fault("an impossible header", suffix, header(**fields), "BadHeader", "is expected" if "vox_offset" in fields else "are expected")  # fmt: skip
    faults.hold(faults.run(tmp_path, fault)[0], fault)


def test_16_bit_noise(tmp_path):
    """16-bit noise with 65,536 labels: row TooManyLabels."""
    fault = Fault("16-bit noise with 65,536 labels", ".png", both(noise), "TooManyLabels", "4,096")
    faults.hold(faults.run(tmp_path, fault)[0], fault)


def sparse(path, side, block, start):
    """Write a GeoTIFF of `side` squared pixels, all but a square of 300 left out of the file."""
    import rasterio
    from rasterio.windows import Window

    layout = {
        "tiled": True,
        "blockxsize": block,
        "blockysize": block,
        "compress": "deflate",
        "sparse_ok": True,
    }
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint8"}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(*make.UTM32)}
    with rasterio.open(path, "w", **profile, **layout, **place) as dataset:
        dataset.write(np.full((300, 300), 3, np.uint8), 1, window=Window(start, side // 2, 300, 300))
    return path


def test_a_sparse_map(tmp_path):
    """A legitimate sparse GeoTIFF: 0, right counts, a note on sparse blocks. Here of 10,000 x 10,000; that of
    100,000 x 100,000 is scored by tests/fuzzing/sparse.py, and its figures stand in docs/engineering/reliability.md.
    """
    reference = sparse(tmp_path / "r.tif", 10_000, 256, 5000)
    result = make.scored(sparse(tmp_path / "p.tif", 10_000, 256, 5100), reference)
    assert (60_000, 30_000, 30_000, 10_000**2 - 120_000) == tuple(make.counts(result)[3])
    assert any("blocks are sparse" in note for note in result.notes)
