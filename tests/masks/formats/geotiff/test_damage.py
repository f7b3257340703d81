"""Damaged and hostile TIFF: an error without much memory, and never other labels."""

from __future__ import annotations

import logging
import struct
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from make import blobs, geotiff, read, scored, tiff

from dicecli.errors import (
    CaseError,
    Corrupt,
    FileError,
)

LABELS = blobs((50, 70), 4)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compress": "deflate"},
        {"compress": "lzw", "blockysize": 3},
        {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "zstd"},
        {"tiled": True, "blockxsize": 16, "blockysize": 16},
        {"compress": "packbits", "bigtiff": "YES"},
    ],
    ids=str,
)
def test_a_cut_anywhere_is_an_error(tmp_path, options):
    """A TIFF cut off within its header, its directory or its pixels never gives labels."""
    labels = blobs((20, 18), 4)
    path = geotiff(tmp_path / "a.tif", labels, **options)
    whole = path.read_bytes()
    step = max(1, len(whole) // 300)
    for length in [*range(0, len(whole), step), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(CaseError):
            read(path)


@pytest.mark.parametrize("compress", ["ccittfax3", "ccittfax4", "ccittrle"])
@pytest.mark.parametrize("images", ["one", "pages", "bands"])
@pytest.mark.parametrize("is_silent", [False, True], ids=["", "logs turned off"])
def test_damage_that_gdal_only_warns_of_is_an_error(tmp_path, compress, images, is_silent):
    """Of CCITT libtiff goes on behind what makes no sense: no number comes of it.

    Nor where a host has turned logs off, through which rasterio says what GDAL warns of.
    """
    path, labels = tmp_path / "a.tif", blobs((33, 41), 2)
    for page in range(2 if images == "pages" else 1):
        options = {"append_subdataset": True} if page else {}
        held = np.stack([labels] * 2) if images == "bands" else labels
        geotiff(path, held, nbits=1, compress=compress, interleave="band", **options)
    place, length = first_block(path)
    whole = bytearray(path.read_bytes())
    assert scored(path, path).counted == labels.size * (2 if images == "pages" else 1)
    whole[place : place + length] = b"\x7f" * length
    path.write_bytes(whole)
    logger = logging.getLogger("rasterio._err")
    logger.disabled = is_silent
    try:
        with pytest.raises(Corrupt, match=r"a\.tif: GDAL cannot read it whole: "):
            scored(path, path)
    finally:
        logger.disabled = False
    assert not {"log", "warning"} & vars(logger).keys()


def test_packbits_of_which_some_rows_are_needed_are_whole(tmp_path):
    """GDAL warns of a run that goes on behind the image in the last tiles, which is as it should be."""
    labels = np.zeros((17, 23), np.uint8)
    path = geotiff(
        tmp_path / "a.tif", labels, nbits=1, compress="packbits", tiled=True, blockxsize=16, blockysize=16
    )
    assert labels.tolist() == read(path).tolist()


def first_block(path):
    """Return where the first block of a TIFF lies, and its length."""
    import rasterio

    with rasterio.open(path) as dataset:
        return tuple(
            int(dataset.get_tag_item(f"BLOCK_{what}_0_0", "TIFF", bidx=1)) for what in ("OFFSET", "SIZE")
        )


def test_samples_of_more_bits_than_there_are_take_no_memory(tmp_path):
    """Nothing is made as large as numbers of so many bits before they are refused."""
    entries = [(258, 4, 1 << 31), (273, 4, 8), (278, 4, 4), (279, 4, 64)]
    path = tiff(tmp_path / "a.tif", (4, 4), entries, bytes(64))
    tracemalloc.start()
    try:
        with pytest.raises(CaseError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 10 << 20
    finally:
        tracemalloc.stop()


def test_damage_within_deflate_gives_no_other_labels(tmp_path):
    """Deflate has a checksum: a changed byte of a block is an error, or changes nothing."""
    labels = blobs((32, 32), 4)
    path = geotiff(tmp_path / "a.tif", labels, compress="deflate", blockysize=32)
    whole = path.read_bytes()
    start = whole.rindex(b"\x78")
    for position in range(start, len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= 0x21
        path.write_bytes(damaged)
        try:
            found = read(path)
        except FileError:
            continue
        assert labels.tolist() == found.tolist(), position


def test_the_hand_made_tiff_is_sound(tmp_path):
    """A TIFF of these tests with sound numbers is read: what the others refuse is what they damage."""
    entries = [(258, 3, 8), (277, 3, 1), (278, 4, 2), (279, 4, 6)]
    path = tiff(tmp_path / "a.tif", (3, 2), [*entries, (273, 4, 8 + 2 + 12 * 9 + 4)], bytes(range(6)))
    assert read(path).tolist() == [[0, 1, 2], [3, 4, 5]]


@pytest.mark.parametrize(
    ("size", "entries"),
    [
        ((200_000, 200_000), [(258, 3, 8), (277, 3, 1), (278, 4, 200_000), (273, 4, 8), (279, 4, 10)]),
        ((1, 1), [(258, 3, 8), (277, 3, 1), (322, 4, 2**30), (323, 4, 2**30), (324, 4, 8), (325, 4, 10)]),
        ((1, 1), [(258, 3, 8), (277, 3, 1), (322, 4, 2**15), (323, 4, 2**16), (324, 4, 8), (325, 4, 10)]),
        ((0, 0), [(258, 3, 8), (277, 3, 1), (278, 4, 1), (273, 4, 8), (279, 4, 10)]),
        ((100, 100), [(258, 3, 8), (277, 3, 1), (278, 4, 100), (273, 4, 2**31), (279, 4, 10_000)]),
        ((100, 100), [(258, 3, 8), (277, 3, 1), (278, 4, 100), (273, 4, 8), (279, 4, 10)]),
        ((100, 100), [(258, 3, 33), (277, 3, 1), (278, 4, 100), (273, 4, 8), (279, 4, 10)]),
    ],
    ids=[
        "one strip",
        "huge tile",
        "large tile",
        "no pixels",
        "offset past the end",
        "short strip",
        "33 bits",
    ],
)
def test_claims_beyond_the_file_take_no_memory(tmp_path, size, entries):
    """Blocks far larger than the file, and offsets past its end, are errors without much memory."""
    path = tiff(tmp_path / "a.tif", size, entries, bytes(10))
    tracemalloc.start()
    try:
        with pytest.raises(FileError):
            read(path)
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("band", [None, 1])
def test_thousands_of_samples_a_pixel_take_no_memory(tmp_path, band):
    """A TIFF of 65,529 samples a pixel, with or without a band chosen, is an error."""
    entries = [(258, 3, 8), (277, 3, 65_529), (278, 4, 100), (273, 4, 8), (279, 4, 10)]
    with pytest.raises(CaseError):
        read(tiff(tmp_path / "a.tif", (100, 100), entries, bytes(10)), band=band)


def test_a_directory_that_points_to_itself_ends(tmp_path):
    """A loop of directories does not hang, and the first image is read."""
    path = geotiff(tmp_path / "a.tif", LABELS, transform=None, crs=None)
    whole = bytearray(path.read_bytes())
    (start,) = struct.unpack_from("<I", whole, 4)
    (entries,) = struct.unpack_from("<H", whole, start)
    struct.pack_into("<I", whole, start + 2 + 12 * entries, start)
    path.write_bytes(whole)
    assert LABELS.tolist() == read(path).tolist()


def test_a_damaged_block_names_gdals_reason(tmp_path):
    """The message of a damaged block holds what GDAL said of it, and the file's name."""
    labels = blobs((64, 64), 4)
    path = geotiff(tmp_path / "a.tif", labels, compress="deflate", blockysize=16)
    whole = path.read_bytes()
    place = whole.rindex(b"\x78")
    path.write_bytes(whole[:place] + zlib.compress(b"x")[:5] + b"\xff" * 5 + whole[place + 10 :])
    with pytest.raises(FileError, match="GDAL") as caught:
        read(path)
    assert "a.tif" in str(caught.value)
    assert "See previous exception" not in str(caught.value)


@pytest.mark.skipif(sys.platform != "linux", reason="the peak of a process's memory is read as on Linux")
def test_one_strip_larger_than_its_file_takes_little_memory(tmp_path):
    """A few bytes that claim one strip of 400 MB are an error before GDAL makes room for the strip."""
    side = 20_000
    entries = [(258, 3, 8), (277, 3, 1), (278, 4, side), (273, 4, 150), (279, 4, side * side)]
    path = tiff(tmp_path / "a.tif", (side, side), entries, bytes(10))
    small = geotiff(tmp_path / "small.tif", LABELS)
    program = (
        "import resource, sys; from dicecli.runs.inspection.file import inspect; inspect(sys.argv[1]);"
        "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss; found = inspect(sys.argv[2]);"
        "print(found.error.name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, small, path], capture_output=True, text=True, check=True
    )
    name, kilobytes = done.stdout.split()
    assert name in {"Truncated", "TooLarge", "Corrupt"}
    assert int(kilobytes) < 150_000


@pytest.mark.parametrize("value", [0x7F, 0xFF])
def test_no_header_ends_in_a_traceback(tmp_path, value):
    """Whatever byte of the directory is overwritten, there are labels or there is a CaseError."""
    path = geotiff(tmp_path / "a.tif", LABELS, nodata=255)
    good = geotiff(tmp_path / "b.tif", LABELS)
    whole = path.read_bytes()
    refused = 0
    for position in range(len(whole) - LABELS.size):
        path.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
        try:
            scored(path, good)
        except CaseError:
            refused += 1
    assert refused > 10
