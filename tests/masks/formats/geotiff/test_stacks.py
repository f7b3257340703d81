"""Stacks of pages: exact labels from every way to store them, held against NumPy and tifffile."""

from __future__ import annotations

import itertools
import struct

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import blobs, counts, geotiff, notes, read, scored

import dicecli
from dicecli.errors import (
    CaseError,
    Corrupt,
    LossyCompression,
    ManyImages,
    ManyVolumes,
    NotLabels,
    TooLarge,
    Truncated,
)
from dicecli.masks.formats.geotiff import stacks
from dicecli.masks.opening import open_mask
from dicecli.masks.reading import Reading
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings

tifffile = pytest.importorskip("tifffile")

VOLUME = blobs((5, 33, 37), 4)
PLAIN = {"transform": None, "crs": None}


def stacked(path, pages, **options):
    """Write pages with GDAL, which has every codec, type and order of bytes."""
    for number, page in enumerate(pages):
        geotiff(path, page, **PLAIN, **options, **({"append_subdataset": True} if number else {}))
    return path


def labels_of(pages):
    """Return the volume that pages are: they are its last axis."""
    return np.moveaxis(np.asarray(pages), 0, 2)


# Ways to store pages.


@pytest.mark.parametrize("compress", [None, "deflate", "lzw", "packbits", "zstd"])
@pytest.mark.parametrize(
    "layout",
    [{}, {"blockysize": 7}, {"tiled": True, "blockxsize": 16, "blockysize": 16}, {"predictor": 2}],
    ids=["strips", "low strips", "tiles", "predictor"],
)
@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.uint32])
def test_every_layout_and_lossless_compression_gives_the_same_volume(tmp_path, dtype, layout, compress):
    """Strips and tiles, every lossless compression and whole numbers of every width hold the same volume."""
    from rasterio.errors import RasterioIOError

    if "predictor" in layout and compress not in {"deflate", "lzw", "zstd"}:
        layout = {}
    volume = VOLUME.astype(dtype) * (1 if dtype == np.uint8 else 300) - (dtype == np.int16) * dtype(7)
    try:
        path = stacked(tmp_path / "a.tif", volume, compress=compress, **layout)
    except RasterioIOError:
        pytest.skip(f"this GDAL has no {compress}")
    found = read(path)
    assert labels_of(volume).tolist() == found.tolist()
    assert volume.dtype == found.dtype


@pytest.mark.parametrize("compress", [None, "deflate", "lzw"])
@pytest.mark.parametrize(
    "options", [{"endianness": "BIG"}, {"bigtiff": "YES"}, {"endianness": "BIG", "bigtiff": "YES"}], ids=str
)
@pytest.mark.parametrize("predictor", [1, 2])
def test_byte_order_and_bigtiff_do_not_matter(tmp_path, options, compress, predictor):
    """Big-endian files and BigTIFF hold the same volume."""
    volume = VOLUME.astype(np.uint16) * 300
    more = {} if compress is None else {"predictor": predictor}
    path = stacked(tmp_path / "a.tif", volume, compress=compress, **options, **more)
    assert labels_of(volume).tolist() == read(path).tolist()


@pytest.mark.parametrize("compress", [None, "deflate", "lzw", "ccittfax4"])
@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_a_pixel_are_labels(tmp_path, bits, compress):
    """Pixels of 1, 2 and 4 bits are unpacked, as those of one page are."""
    if compress == "ccittfax4" and bits > 1:
        pytest.skip("it is for one bit")
    volume = VOLUME % (1 << bits)
    path = stacked(tmp_path / "a.tif", volume, nbits=bits, compress=compress)
    assert labels_of(volume).tolist() == read(path).tolist()


@pytest.mark.parametrize("options", [0, 1, 4, 5], ids=["1-D", "2-D", "filled", "2-D, filled"])
@pytest.mark.parametrize("order", [1, 2], ids=["", "bits turned"])
def test_every_use_of_group_3_gives_the_same_volume(tmp_path, options, order):
    """CCITT Group 3 codes rows by themselves or by the one before, as a tag of each page says."""
    from PIL import Image, features

    if not features.check("libtiff"):
        pytest.skip("this Pillow writes no CCITT")
    first, *others = [Image.fromarray(page > 1) for page in VOLUME]
    for name, more in (("one", []), ("all", others)):
        path = tmp_path / f"{name}.tif"
        tags = {292: options, 266: order}
        first.save(path, compression="group3", tiffinfo=tags, save_all=True, append_images=more)
    assert (VOLUME[0] > 1).astype(int).tolist() == read(tmp_path / "one.tif").tolist()
    assert labels_of(VOLUME > 1).astype(int).tolist() == read(tmp_path / "all.tif").tolist()


@pytest.mark.parametrize("tag", [256, 258, 259, 262, 277, 278, 292])
def test_a_number_that_no_tiff_has_is_an_error(tmp_path, tag):
    """BigTIFF can write any number with 64 bits, as of a compression."""
    path = stacked(tmp_path / "a.tif", VOLUME[:2], compress="lzw", bigtiff="YES")
    whole = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<Q", whole, 8)
    (number,) = struct.unpack_from("<Q", whole, at)
    entries = range(at + 8, at + 8 + 20 * number, 20)
    # Another tag gives its place where there is none.
    entry = next((each for each in entries if struct.unpack_from("<H", whole, each)[0] == tag), entries[-1])
    struct.pack_into("<HHQQ", whole, entry, tag, 16, 1, 3 << 56)
    path.write_bytes(whole)
    with pytest.raises(Corrupt, match="contradicts the format"):
        read(path)


@pytest.mark.parametrize("photometric", ["minisblack", "miniswhite", "palette"])
def test_labels_are_the_stored_numbers_whatever_they_mean_as_colours(tmp_path, photometric):
    """White as 0, and a palette, change nothing: a stack is read as one page is."""
    volume = VOLUME > 1 if photometric == "miniswhite" else VOLUME
    colours = {"colormap": np.zeros((3, 256), np.uint16)} if photometric == "palette" else {}
    for path, pages in ((tmp_path / "one.tif", volume[:1]), (tmp_path / "all.tif", volume)):
        with tifffile.TiffWriter(path) as file:
            for page in pages:
                file.write(page, photometric=photometric, contiguous=False, metadata=None, **colours)
    alone = read(tmp_path / "one.tif")
    assert volume[0].astype(int).tolist() == alone.tolist()
    assert labels_of(volume).astype(int).tolist() == read(tmp_path / "all.tif").tolist()


@pytest.mark.parametrize("compress", [None, "deflate", "lzw"])
@pytest.mark.parametrize("predictor", [1, 3])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_floats_that_are_whole_are_labels(tmp_path, dtype, predictor, compress):
    """Floats are read exactly, also with the predictor for them; fractions are refused as in one page."""
    more = {} if compress is None else {"predictor": predictor}
    path = stacked(tmp_path / "a.tif", VOLUME.astype(dtype), compress=compress, **more)
    assert labels_of(VOLUME).tolist() == read(path).tolist()
    with pytest.raises(NotLabels, match=r"largest distance from one is 0\.5"):
        read(stacked(tmp_path / "b.tif", VOLUME.astype(dtype) / 2, compress=compress, **more))


def test_pages_may_be_stored_each_in_its_own_way(tmp_path):
    """Codecs, blocks and predictors change from page to page: shape and type are what counts."""
    path = tmp_path / "a.tif"
    ways = [
        {},
        {"compress": "lzw"},
        {"compress": "deflate", "predictor": 2},
        {"compress": "lzw"},
        {"tiled": True},
    ]
    for number, (page, way) in enumerate(zip(VOLUME, ways, strict=True)):
        geotiff(path, page, **PLAIN, **way, append_subdataset=number > 0)
    assert labels_of(VOLUME).tolist() == read(path).tolist()
    assert labels_of(tifffile.imread(path, key=range(1))[None]).tolist() == labels_of(VOLUME[:1]).tolist()


@pytest.mark.parametrize("compress", [None, "deflate", "lzw"])
@settings(max_examples=25)
@given(ends=st.tuples(*[st.tuples(st.integers(0, n), st.integers(0, n)) for n in (33, 37, 5)]))
def test_any_window_is_that_part_of_the_volume(tmp_path_factory, compress, ends):
    """Windows may begin and end anywhere, across blocks and pages."""
    path = tmp_path_factory.getbasetemp() / f"windows_{compress}.tif"
    if not path.exists():
        stacked(path, VOLUME, compress=compress, tiled=True, blockxsize=16, blockysize=16)
    window = tuple(slice(min(each), max(each)) for each in ends)
    if any(part.start == part.stop for part in window):
        return
    with open_mask(path) as source:
        assert labels_of(VOLUME)[window].tolist() == source.read(window).tolist()


def test_tifffile_reads_the_same_with_the_pages_first(tmp_path):
    """What tifffile writes by itself is read, and what it reads is the same volume with its axes moved."""
    tifffile.imwrite(tmp_path / "a.tif", VOLUME, photometric="minisblack")
    tifffile.imwrite(tmp_path / "b.tif", VOLUME, photometric="minisblack", compression="zlib", rowsperstrip=8)
    for name in ("a.tif", "b.tif"):
        assert labels_of(tifffile.imread(tmp_path / name)).tolist() == read(tmp_path / name).tolist()


def test_two_stacks_are_counted_as_their_volumes_are(tmp_path):
    """Counts of two stacks are those of the arrays, stored alike or not."""
    other = np.roll(VOLUME, 1, axis=2)
    expected = counts(scored(labels_of(other), labels_of(VOLUME)))
    for first, second in itertools.product([{}, {"compress": "lzw", "tiled": True}], repeat=2):
        prediction = stacked(tmp_path / "p.tif", other, **first)
        reference = stacked(tmp_path / "r.tif", VOLUME, **second)
        assert expected == counts(scored(prediction, reference))


def test_many_pages_are_read_in_batches(tmp_path, monkeypatch):
    """More pages than one made-up directory has are read through several."""
    from dicecli.masks.formats.geotiff import _joined

    path = stacked(tmp_path / "a.tif", VOLUME, compress="lzw")
    opened, real = [], _joined.open_dataset
    monkeypatch.setattr(_joined, "open_dataset", lambda name: opened.append(name) or real(name))
    monkeypatch.setattr(_joined, "_MOST_PAGES", 2)
    assert labels_of(VOLUME).tolist() == read(path).tolist()
    assert 3 == len(opened)


@pytest.mark.parametrize("name", ["ä ö.tif", " a.tif", "a&b<c>.tif", "a\nb.tif", "a'\"b.tif"])
def test_names_of_any_kind(tmp_path, name):
    """What GDAL is given as a list of files holds any name."""
    stacked(tmp_path / "plain.tif", VOLUME, compress="lzw").rename(tmp_path / name)
    assert labels_of(VOLUME).tolist() == read(tmp_path / name).tolist()


# Nodata, masks and what is not stored.


@pytest.mark.parametrize("compress", [None, "lzw"])
def test_nodata_is_that_of_every_page(tmp_path, compress):
    """The tag is left out of the reference, as in one page; where pages differ in it they are no volume."""
    path = stacked(tmp_path / "a.tif", VOLUME, nodata=3, compress=compress)
    assert {0, 1, 2} == set(counts(scored(path, path)))
    assert {0, 1, 2, 3} == set(counts(scored(path, path, nodata="label")))
    geotiff(path, VOLUME[0], **PLAIN, nodata=2, append_subdataset=True)
    with pytest.raises(ManyImages, match="nodata 2"):
        open_mask(path)
    zero = stacked(tmp_path / "b.tif", VOLUME, nodata=0)
    assert any("also the background label" in each for each in notes(zero))


@pytest.mark.parametrize("text", ["9007199254740993", "none"])
def test_nodata_that_cannot_be_told_is_refused(tmp_path, text):
    """A tag beyond what floats hold, or that is no number, is an error; the hint takes it for none."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for page in VOLUME:
            file.write(page, contiguous=False, metadata=None, extratags=[(42113, 2, 0, text, False)])
    with pytest.raises(NotLabels, match="its nodata is") as error:
        open_mask(path)
    assert "--nodata label" in error.value.hint
    assert labels_of(VOLUME).tolist() == read(path, nodata="label").tolist()


@pytest.mark.parametrize("compress", [None, "deflate", "lzw"])
def test_blocks_that_are_not_stored_are_nodata(tmp_path, compress):
    """Sparse blocks are 0, or nodata, with a note that counts them."""
    for nodata, value in ((None, 0), (7, 7)):
        page = np.full((32, 32), value, np.uint8)
        page[16:, :16] = 2
        options = {"sparse_ok": True, "tiled": True, "blockxsize": 16, "blockysize": 16, "nodata": nodata}
        path = stacked(tmp_path / f"{nodata}.tif", [page, page], compress=compress, **options)
        assert labels_of([page, page]).tolist() == read(path).tolist()
        assert any(each.startswith("6 of its blocks are sparse") for each in notes(path))


# Pages that are no volume, and one alone.


@pytest.mark.parametrize(
    "other",
    [VOLUME[0][:32], VOLUME[0].astype(np.uint16), VOLUME[0].astype(np.int8), VOLUME[0].astype(np.float16)],
    ids=["shape", "width of numbers", "sign", "floats"],
)
def test_pages_that_differ_name_what_differs(tmp_path, other):
    """The error says which pages are what, and `inspect` how many there are; each can be read alone."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for page in (VOLUME[0], VOLUME[1], other):
            file.write(page, contiguous=False, metadata=None)
    with pytest.raises(ManyImages, match=r"page 1, 2: 33 x 37 of 8 bit unsigned; page 3: "):
        open_mask(path)
    assert 3 == inspect(str(path)).facts["pages"]
    assert VOLUME[1].tolist() == read(path, page=2).tolist()
    assert ["page 2 alone is read"] == notes(path, page=2)
    if other.dtype != np.float16:
        assert other.tolist() == read(path, page=3).tolist()


def test_a_chosen_page_is_read_as_a_file_of_its_own(tmp_path):
    """Bands, palette, checksums and blocks of a page are its own, not those of the first one."""
    path = tmp_path / "a.tif"
    geotiff(path, VOLUME[0], **PLAIN, compress="deflate", tiled=True, blockxsize=16, blockysize=16)
    geotiff(path, np.stack([VOLUME[1], VOLUME[2]]), **PLAIN, compress="deflate", append_subdataset=True)
    geotiff(path, VOLUME[3], compress="deflate", blockysize=8, append_subdataset=True)
    with pytest.raises(ManyImages, match="2 samples"):
        open_mask(path)
    assert VOLUME[0].tolist() == read(path, page=1).tolist()
    assert VOLUME[2].tolist() == read(path, page=2, band=2).tolist()
    assert VOLUME[3].tolist() == read(path, page=3).tolist()
    with open_mask(path, make_settings(page=3)) as source:
        assert source.grid.crs is not None
    with pytest.raises(ManyVolumes, match="2 bands"):
        open_mask(path, make_settings(page=2))


def test_a_page_of_the_other_file_is_noted(tmp_path):
    """A file of one page is read whatever page is asked for, as it is with bands, and says so."""
    path = geotiff(tmp_path / "a.tif", VOLUME[0])
    assert VOLUME[0].tolist() == read(path, page=2).tolist()
    assert any("--page 2 is for the other file" in each for each in notes(path, page=2))
    assert [] == notes(path, page=1)
    both = stacked(tmp_path / "b.tif", VOLUME)
    assert any("--band 2 is for the other file" in each for each in notes(both, band=2))


def test_colours_on_several_pages_are_no_volume(tmp_path):
    """Pages of three samples are refused; one of them has its bands."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for _ in range(2):
            file.write(np.zeros((5, 6, 3), np.uint8), photometric="rgb", contiguous=False, metadata=None)
    with pytest.raises(ManyImages, match="of several samples each"):
        open_mask(path)


def test_lossy_pages_are_refused(tmp_path):
    """JPEG has changed labels, on whichever page it is."""
    path = geotiff(tmp_path / "a.tif", VOLUME[0], **PLAIN)
    geotiff(path, VOLUME[1], **PLAIN, compress="jpeg", append_subdataset=True)
    with pytest.raises(LossyCompression, match="JPEG"):
        open_mask(path)


# Damage.


def patched(path, tag, value, page=0):
    """Write another value into an entry of a page's directory of a small-endian TIFF; return the path."""
    data = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", data, 4)
    for _ in range(page):
        (entries,) = struct.unpack_from("<H", data, at)
        (at,) = struct.unpack_from("<I", data, at + 2 + 12 * entries)
    (entries,) = struct.unpack_from("<H", data, at)
    if tag == "next":
        struct.pack_into("<I", data, at + 2 + 12 * entries, value(data))
    for number in range(entries):
        if struct.unpack_from("<H", data, at + 2 + 12 * number)[0] == tag:
            struct.pack_into("<I", data, at + 10 + 12 * number, value(data))
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("damage", "error", "said"),
    [
        (("next", lambda data: struct.unpack_from("<I", data, 4)[0], 4), Corrupt, "go round in a circle"),
        (("next", lambda _: 1 << 31, 2), Truncated, "a directory of it should lie at byte 2,147,483,648"),
        (("next", len, 2), Truncated, "is not there whole"),
        ((273, lambda _: 1 << 30, 3), Truncated, "blocks of page 4 should lie outside"),
        ((279, lambda _: 5, 3), Truncated, "has 5 of 1,221 bytes"),
        ((278, lambda _: 1, 3), Corrupt, "says where fewer than its 33 blocks lie"),
    ],
    ids=["circle", "far away", "at the end", "pixels far away", "few bytes", "few blocks"],
)
def test_damaged_stacks_are_errors(tmp_path, damage, error, said):
    """What does not lie where it should is an error with a hint, never a page less."""
    tag, value, page = damage
    path = patched(stacked(tmp_path / "a.tif", VOLUME, blockysize=33), tag, value, page)
    with pytest.raises(error, match=said) as found:
        read(path)
    assert found.value.hint


def test_a_page_before_the_damage_can_be_read_alone(tmp_path):
    """What lies behind the page that is chosen, and the next one, is not looked at."""
    path = patched(stacked(tmp_path / "a.tif", VOLUME), "next", lambda _: 1 << 31, 2)
    assert VOLUME[1].tolist() == read(path, page=2).tolist()
    with pytest.raises(Truncated):
        read(path)


@pytest.mark.parametrize("compress", ["deflate", "lzw", "packbits"])
@pytest.mark.parametrize("bits", [8, 4])
def test_damaged_pixels_are_errors_that_name_the_file(tmp_path, compress, bits):
    """A flipped byte in a page shows, checksums of deflate included; what was made up for GDAL is not named."""
    volume = VOLUME
    path = stacked(tmp_path / "a.tif", volume, compress=compress, **({"nbits": bits} if bits < 8 else {}))
    data = path.read_bytes()
    with tifffile.TiffFile(path) as file:
        start, length = (each[0] for each in (file.pages[3].dataoffsets, file.pages[3].databytecounts))
    at = start + length - 2 if compress == "deflate" else start
    path.write_bytes(data[:at] + bytes([data[at] ^ 0xFF]) + data[at + 1 :])
    if compress != "deflate":  # it has no checksum: cut off, its end is missing
        path = patched(path, 279, lambda _: length // 2, 3)
    with pytest.raises((Corrupt, Truncated)) as error:
        read(path)
    assert "vsi" not in str(error.value)
    assert "a.tif" in str(error.value)


def test_a_million_directories_are_refused_in_time(tmp_path):
    """A chain of more directories than a stack has ends, with a hint."""
    path = stacked(tmp_path / "a.tif", VOLUME[:1])
    base = path.stat().st_size
    patched(path, "next", len)
    entry = struct.pack("<HHHIIHHII", 2, 256, 3, 1, 1, 257, 3, 1, 1)
    chain = (entry + struct.pack("<I", base + len(entry + bytes(4)) * each) for each in range(1, 70_000))
    path.write_bytes(path.read_bytes() + b"".join(chain))
    with pytest.raises(TooLarge, match="more than 65,536 directories"):
        open_mask(path)


def test_limits_count_the_whole_volume(tmp_path):
    """`--max-pixels` is about all pages, and `--max-memory` about a block that must be inflated."""
    path = stacked(tmp_path / "a.tif", VOLUME, compress="deflate", blockysize=33)
    pixels = VOLUME.size
    with pytest.raises(TooLarge, match="33 x 37 x 5 = 6,105 pixels"):
        stacks.open_mask(str(path), Reading(max_pixels=pixels - 1))
    with pytest.raises(TooLarge, match="one block of it has 37 x 33 pixels"):
        open_mask(path, make_settings(max_memory=1220))
    assert labels_of(VOLUME).tolist() == read(path, max_pixels=pixels, max_memory=1221).tolist()


def test_a_page_that_claims_more_than_there_is_takes_no_memory(tmp_path):
    """A header of huge pages is refused by the size of its file."""
    path = stacked(tmp_path / "a.tif", VOLUME, blockysize=33)
    for page, tag in itertools.product(range(5), (257, 278)):
        patched(path, tag, lambda _: 60_000, page)
    with pytest.raises(CaseError) as error:
        read(path)
    assert error.value.hint


# Probabilities.


def test_pages_are_channels_where_the_reference_has_two_axes(tmp_path):
    """A stack against an image is a channel a page; against a volume, the probability of one class in it."""
    rng = np.random.default_rng(0)
    maps = rng.random((3, 9, 11)).astype(np.float32)
    maps /= maps.sum(axis=0)
    reference = rng.integers(0, 3, (9, 11)).astype(np.uint8)
    path = stacked(tmp_path / "p.tif", maps, compress="lzw")
    found = dicecli.soft(path, geotiff(tmp_path / "r.tif", reference, **PLAIN))
    expected = dicecli.soft(maps, reference, channel_axis=0)
    assert expected.results[0].measured == found.results[0].measured
    volume = rng.integers(0, 2, (9, 11, 3)).astype(np.uint8)
    stack = stacked(tmp_path / "v.tif", np.moveaxis(volume, 2, 0))
    found = dicecli.soft(path, stack)
    expected = dicecli.soft(np.moveaxis(maps, 0, 2), volume)
    assert expected.results[0].measured == found.results[0].measured


def test_probabilities_of_one_page(tmp_path):
    """`--page` chooses a page of a map, whose bands are its classes."""
    maps = np.random.default_rng(0).random((2, 9, 11)).astype(np.float32)
    reference = (maps[1] > 0.3).astype(np.uint8)
    path = stacked(tmp_path / "p.tif", maps)
    found = dicecli.soft(path, reference, page=2)
    assert dicecli.soft(maps[1], reference).results[0].measured == found.results[0].measured
