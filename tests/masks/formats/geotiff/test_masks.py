"""GeoTIFF masks: exact labels from every layout, nodata by the documented rules, nothing from elsewhere."""

from __future__ import annotations

import math
import os
import shutil
import struct
import subprocess
import sys
import tracemalloc
import zlib

import numpy as np
import pytest
from make import UTM32, blobs, brute, geotiff, notes, png, read, scored, tiff

from dicecli.errors import (
    CaseError,
    EmptyFile,
    FileError,
    LossyCompression,
    ManyVolumes,
    NotARegularFile,
    NotLabels,
    UnknownFormat,
    UsageError,
)
from dicecli.masks.pair import open_mask

LABELS = blobs((50, 70), 4)
PREDICTION = blobs((50, 70), 4, seed=1)
#: A value that stands for nodata in the arrays that tests count themselves.
NONE = -9


def counted_by_the_rules(prediction, reference):
    """Count by brute force: NONE in the reference is left out, in the prediction it is nobody's label."""
    valid = reference != NONE
    counts = brute(prediction[valid], reference[valid])
    counts.pop(NONE, None)
    return counts


# Layouts and types.


@pytest.mark.parametrize("compress", [None, "deflate", "lzw", "zstd", "packbits", "lzma"])
@pytest.mark.parametrize(
    "layout",
    [
        {},
        {"blockysize": 7},
        {"tiled": True, "blockxsize": 16, "blockysize": 16},
        {"tiled": True, "blockxsize": 256, "blockysize": 256},
        {"predictor": 2},
    ],
    ids=str,
)
def test_every_layout_and_lossless_compression_gives_the_same_labels(tmp_path, layout, compress):
    """Strips, tiles smaller and larger than the image, and every lossless compression hold the same labels."""
    from rasterio.errors import RasterioIOError

    if "predictor" in layout and compress not in {"deflate", "lzw", "zstd"}:
        layout = {}
    try:
        path = geotiff(tmp_path / "a.tif", LABELS, compress=compress, **layout)
    except RasterioIOError:
        pytest.skip(f"this GDAL has no {compress}")
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize(
    "options", [{"endianness": "BIG"}, {"bigtiff": "YES"}, {"endianness": "BIG", "bigtiff": "YES"}], ids=str
)
def test_byte_order_and_bigtiff_do_not_matter(tmp_path, options):
    """Big-endian files and BigTIFF hold the same labels."""
    labels = LABELS.astype(np.uint16) * 300
    assert labels.tolist() == read(geotiff(tmp_path / "a.tif", labels, **options)).tolist()


@pytest.mark.parametrize("bits", [1, 2, 4])
def test_few_bits_a_pixel_are_labels(tmp_path, bits):
    """Files of 1, 2 and 4 bits a pixel hold the labels 0 to 1, 3 and 15."""
    labels = blobs((50, 70), 2**bits)
    assert labels.tolist() == read(geotiff(tmp_path / "a.tif", labels, nbits=bits)).tolist()


@pytest.mark.parametrize(
    "dtype", ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64"]
)
def test_every_type_is_exact(tmp_path, dtype):
    """The labels of every integer type come back at both ends of its range, and those of floats as integers."""
    labels = LABELS.astype(dtype)
    if labels.dtype.kind == "f":
        labels[0, :3] = -5, 70_000, 2**24 - 1
    else:
        ends = np.iinfo(dtype)
        labels[0, :2] = max(ends.min, -(2**63) + 1), min(ends.max, 2**63 - 1)
    path = geotiff(tmp_path / "a.tif", labels)
    assert labels.astype(object).tolist() == read(path).tolist()


def test_complex_values_are_refused(tmp_path):
    """Complex numbers are no labels."""
    with pytest.raises(NotLabels, match="complex"):
        read(geotiff(tmp_path / "a.tif", LABELS.astype(np.complex64)))


@pytest.mark.parametrize("suffix", [".tif", ".tiff", ".TIF", ".gtiff"])
def test_every_suffix_of_tiff(tmp_path, suffix):
    """Whatever a TIFF's suffix, it is read."""
    path = geotiff(tmp_path / f"a{suffix}", LABELS)
    assert LABELS.tolist() == read(path).tolist()


def test_a_palette_keeps_its_indices(tmp_path):
    """The labels of a TIFF with a palette are its indices."""
    import rasterio

    path = geotiff(tmp_path / "a.tif", LABELS, photometric="palette")
    with rasterio.open(path, "r+") as dataset:
        dataset.write_colormap(1, {n: (n * 60, 255, 255 - n) for n in range(4)})
    assert LABELS.tolist() == read(path).tolist()


def test_a_plain_tiff_is_a_mask_too(tmp_path):
    """A TIFF without any georeferencing is read, by pixel."""
    path = geotiff(tmp_path / "a.tif", LABELS, transform=None, crs=None)
    assert brute(LABELS, LABELS) == scored(path, path).labels
    with open_mask(path) as source:
        assert source.grid.affine is None
        assert source.grid.spacing is None


def test_scale_and_offset_are_noted_and_not_applied(tmp_path):
    """A band's scale and offset belong to measurements: labels are the stored values, and a note says so."""
    import rasterio

    path = geotiff(tmp_path / "a.tif", LABELS)
    with rasterio.open(path, "r+") as dataset:
        dataset.scales, dataset.offsets = (0.1,), (5.0,)
    assert LABELS.tolist() == read(path).tolist()
    assert any("scale" in note for note in notes(path))


def test_sizes_of_pixels(tmp_path):
    """Areas come in square metres, from maps in metres and in feet; degrees and unknown units have none."""
    metres = geotiff(tmp_path / "a.tif", LABELS)
    assert scored(metres, metres).sizes == {"m2": pytest.approx(100)}
    feet = geotiff(tmp_path / "b.tif", LABELS, crs="EPSG:2263", transform=(10, 0, 0, 0, -10, 0))
    assert scored(feet, feet).sizes == {"m2": pytest.approx(100 * 0.3048006**2)}
    degrees = geotiff(tmp_path / "c.tif", LABELS, crs="EPSG:4326", transform=(0.1, 0, 7, 0, -0.1, 50))
    assert scored(degrees, degrees).sizes == {}
    assert scored(degrees, degrees).unit == "degree"
    unknown = geotiff(tmp_path / "d.tif", LABELS, crs=None)
    assert scored(unknown, unknown).sizes == {}


# Nodata.


def with_nodata(labels, value, seed, share=0.1):
    """Put a value into some pixels of a map; return it, and the map with NONE in its place."""
    hidden = np.random.default_rng(seed).random(labels.shape) < share
    stored = np.where(hidden, value, labels.astype(np.float64))
    return stored, np.where(hidden, NONE, labels.astype(np.int64))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("values", [(255, 255), (255, 200), (3, 200), (200, 3)])
def test_nodata_of_both_files_follows_the_rules(tmp_path, dtype, values):
    """Reference nodata is left out; the prediction's is a miss and nobody's false positive.

    Each file's own value counts, also where it is a label of the other file.
    """
    stored, reference = with_nodata(LABELS % 3, values[0], seed=5)
    one = geotiff(tmp_path / "reference.tif", stored.astype(dtype), nodata=values[0])
    stored, prediction = with_nodata(PREDICTION % 3, values[1], seed=6)
    other = geotiff(tmp_path / "prediction.tif", stored.astype(dtype), nodata=values[1])
    result = scored(other, one)
    assert counted_by_the_rules(prediction, reference) == result.labels
    assert {"ignore_label": 0, "nodata": int((reference == NONE).sum())} == result.excluded
    assert int((reference != NONE).sum()) == result.counted
    missed = int(((prediction == NONE) & (reference != NONE)).sum())
    assert any(f"{missed:,} pixels with nodata" in note for note in result.notes)


def test_one_files_nodata_may_be_the_others_label(tmp_path):
    """A value that is nodata in one file and a label in the other is taken by each file's own tag."""
    reference = np.array([[1, 1, 2, 2, 255, 255]], np.uint8)
    prediction = np.array([[1, 255, 2, 255, 1, 255]], np.uint8)
    one = geotiff(tmp_path / "reference.tif", reference, nodata=2)
    other = geotiff(tmp_path / "prediction.tif", prediction, nodata=255)
    expected = counted_by_the_rules(
        np.where(prediction == 255, NONE, prediction.astype(int)),
        np.where(reference == 2, NONE, reference.astype(int)),
    )
    result = scored(other, one)
    assert expected == result.labels
    assert result.excluded["nodata"] == 2


def test_nodata_0_is_background_with_a_note(tmp_path):
    """A nodata value that is also the background label means background, and a note says so."""
    one = geotiff(tmp_path / "reference.tif", LABELS, nodata=0)
    other = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    result = scored(other, one)
    assert brute(PREDICTION, LABELS) == result.labels
    assert result.excluded["nodata"] == 0
    for side in ("reference", "prediction"):
        assert any(note.startswith(f"{side}: nodata is 0") for note in result.notes)


def test_nodata_ignore_leaves_even_0_out(tmp_path):
    """With --nodata ignore a nodata value of 0 is nodata."""
    one = geotiff(tmp_path / "reference.tif", LABELS, nodata=0)
    other = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    prediction, reference = (np.where(each == 0, NONE, each.astype(int)) for each in (PREDICTION, LABELS))
    result = scored(other, one, nodata="ignore")
    assert counted_by_the_rules(prediction, reference) == result.labels
    assert result.excluded["nodata"] == int((LABELS == 0).sum())


def test_nodata_background_makes_it_0(tmp_path):
    """With --nodata background nodata pixels of either file are background."""
    one_stored, one = with_nodata(LABELS, 255, seed=7)
    other_stored, other = with_nodata(PREDICTION, 254, seed=8)
    reference = geotiff(tmp_path / "reference.tif", one_stored.astype(np.uint8), nodata=255)
    prediction = geotiff(tmp_path / "prediction.tif", other_stored.astype(np.uint8), nodata=254)
    result = scored(prediction, reference, nodata="background")
    assert brute(np.where(other == NONE, 0, other), np.where(one == NONE, 0, one)) == result.labels
    assert result.excluded["nodata"] == 0


def test_nodata_label_takes_it_as_any_other(tmp_path):
    """With --nodata label the nodata value is a label like any other."""
    stored, _ = with_nodata(LABELS, 200, seed=7)
    reference = geotiff(tmp_path / "reference.tif", stored.astype(np.uint8), nodata=200)
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    result = scored(prediction, reference, nodata="label")
    assert brute(PREDICTION, stored) == result.labels
    assert result.excluded["nodata"] == 0


def test_0_and_255_with_nodata_0(tmp_path):
    """A mask of 0 and 255 whose nodata value is 0 is binary like any other."""
    mask, other = (LABELS > 1).astype(np.uint8), (PREDICTION > 1).astype(np.uint8)
    reference = geotiff(tmp_path / "reference.tif", mask * 255, nodata=0)
    prediction = geotiff(tmp_path / "prediction.tif", other)
    assert brute(other, mask) == scored(prediction, reference).labels


@pytest.mark.parametrize("text", [b"-99\0", b"nan\0", b"0.5\0", b"999\0", b"inf\0"], ids=str)
def test_a_nodata_value_that_the_type_cannot_hold_hides_nothing(tmp_path, text):
    """A nodata tag that no pixel can equal leaves every pixel in."""
    path = geotiff(tmp_path / "a.tif", LABELS, nodata=255)
    entry = struct.pack("<HHI", 42113, 2, 4)
    whole = path.read_bytes()
    assert whole.count(entry + b"255\0") == 1
    path.write_bytes(whole.replace(entry + b"255\0", entry + text))
    result = scored(path, geotiff(tmp_path / "b.tif", LABELS))
    assert brute(LABELS, LABELS) == result.labels
    assert result.excluded["nodata"] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_least_float_as_nodata(tmp_path, dtype):
    """-3.4e38, the usual nodata of float maps, is found in float32 and in float64."""
    value = float(np.finfo(np.float32).min)
    stored, reference = with_nodata(LABELS, value, seed=9)
    one = geotiff(tmp_path / "reference.tif", stored.astype(dtype), nodata=value)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert counted_by_the_rules(PREDICTION.astype(int), reference) == result.labels


@pytest.mark.parametrize("value", [-9999.5, 1e-3])
def test_a_fractional_nodata_value_is_no_fraction_among_labels(tmp_path, value):
    """Nodata is taken out before anything asks whether the labels are integers."""
    stored, reference = with_nodata(LABELS, value, seed=9)
    one = geotiff(tmp_path / "reference.tif", stored.astype(np.float32), nodata=value)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert counted_by_the_rules(PREDICTION.astype(int), reference) == result.labels


def test_nan_as_nodata(tmp_path):
    """Where the tag says NaN, NaN is nodata like any other value."""
    one_stored, one = with_nodata(LABELS, math.nan, seed=10)
    other_stored, other = with_nodata(PREDICTION, math.nan, seed=11)
    reference = geotiff(tmp_path / "reference.tif", one_stored.astype(np.float32), nodata=math.nan)
    prediction = geotiff(tmp_path / "prediction.tif", other_stored.astype(np.float32), nodata=math.nan)
    assert counted_by_the_rules(other, one) == scored(prediction, reference).labels


def test_nan_without_a_tag_is_refused_unless_ignored(tmp_path):
    """NaN that no tag explains is an error that proposes --nodata ignore, which takes it for nodata."""
    stored, one = with_nodata(LABELS, math.nan, seed=10)
    reference = geotiff(tmp_path / "reference.tif", stored.astype(np.float32))
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION)
    with pytest.raises(NotLabels, match="NaN") as caught:
        scored(prediction, reference)
    assert "--nodata ignore" in caught.value.hint
    result = scored(prediction, reference, nodata="ignore")
    assert counted_by_the_rules(PREDICTION.astype(int), one) == result.labels
    assert result.excluded["nodata"] == int((one == NONE).sum())


def test_another_nodata_value_does_not_excuse_nan(tmp_path):
    """NaN beside a nodata value of another kind is an error; --nodata ignore leaves out both."""
    stored, one = with_nodata(LABELS, -1, seed=12)
    stored = stored.astype(np.float32)
    stored[0, :5] = math.nan
    one[0, :5] = NONE
    reference = geotiff(tmp_path / "reference.tif", stored, nodata=-1)
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION)
    with pytest.raises(NotLabels, match="NaN"):
        scored(prediction, reference)
    result = scored(prediction, reference, nodata="ignore")
    assert counted_by_the_rules(PREDICTION.astype(int), one) == result.labels


def test_nodata_everywhere(tmp_path):
    """A reference of nothing but nodata leaves no pixel, and a note says so."""
    one = geotiff(tmp_path / "reference.tif", np.full((50, 70), 255, np.uint8), nodata=255)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert dict(result.labels) == {}
    assert result.counted == 0
    assert result.excluded["nodata"] == LABELS.size
    assert any("no pixel" in note for note in result.notes)


# Bands, overviews and what lies beside.


def test_several_bands_need_a_choice(tmp_path):
    """Of several bands none is guessed; --band N reads the one that it names."""
    bands = np.stack([LABELS, PREDICTION, blobs((50, 70), 4, seed=2)])
    path = geotiff(tmp_path / "a.tif", bands, interleave="band")
    mixed = geotiff(tmp_path / "b.tif", bands, interleave="pixel")
    with pytest.raises(ManyVolumes, match="3 bands") as caught:
        read(path)
    assert "--band" in caught.value.hint
    for number, band in enumerate(bands, start=1):
        assert band.tolist() == read(path, band=number).tolist() == read(mixed, band=number).tolist()


@pytest.mark.parametrize("band", [0, 3, -1, 99])
def test_a_band_that_is_not_there_is_an_error(tmp_path, band):
    """A band beyond the file's own is an error that says how many there are."""
    path = geotiff(tmp_path / "a.tif", np.stack([LABELS, PREDICTION]))
    assert LABELS.tolist() == read(path, band=1).tolist()
    with pytest.raises(ManyVolumes, match=f"no band {band}"):
        read(path, band=band)


def test_a_band_concerns_the_file_that_has_several(tmp_path):
    """A reference of one band is read as it is while --band picks one of the prediction's, with a note."""
    prediction = geotiff(tmp_path / "a.tif", np.stack([LABELS, PREDICTION]))
    result = scored(prediction, geotiff(tmp_path / "b.tif", LABELS), band=2)
    assert scored(geotiff(tmp_path / "c.tif", PREDICTION), tmp_path / "b.tif").labels == result.labels
    assert any("reference: it has one band" in note for note in result.notes)


def test_overviews_are_never_used(tmp_path):
    """Counts come from full resolution, although an overview with other labels is in the file."""
    import rasterio
    from rasterio.enums import Resampling

    labels = np.kron(np.indices((128, 128)).sum(axis=0) % 2 * 4, np.ones((1, 1))).astype(np.uint8)
    path = geotiff(tmp_path / "a.tif", labels, tiled=True, blockxsize=16, blockysize=16)
    with rasterio.open(path, "r+") as dataset:
        dataset.build_overviews([2, 4, 8], Resampling.average)
    with rasterio.open(path, overview_level=0) as dataset:
        assert set(np.unique(dataset.read(1)).tolist()) == {2}
    assert brute(labels, labels) == scored(path, path).labels
    with open_mask(path) as source:
        assert "not used" in source.facts["overviews"]


def test_files_beside_it_change_nothing_and_are_noted(tmp_path):
    """A mask, metadata, overviews and a world file beside a map leave its score as it was, with a note."""
    import rasterio

    path = geotiff(tmp_path / "a.tif", LABELS)
    bare = geotiff(tmp_path / "bare.tif", LABELS, crs=None, transform=None)
    other = geotiff(tmp_path / "b.tif", PREDICTION)
    before = scored(path, other)
    geotiff(tmp_path / "mask.tif", np.zeros_like(LABELS))
    for name in ("a", "bare"):
        shutil.copy(tmp_path / "mask.tif", tmp_path / f"{name}.tif.msk")
        shutil.copy(tmp_path / "mask.tif", tmp_path / f"{name}.tif.ovr")
        (tmp_path / f"{name}.tif.aux.xml").write_text(
            "<PAMDataset><SRS>EPSG:4326</SRS><GeoTransform>1, 2, 0, 3, 0, 2</GeoTransform>"
            '<PAMRasterBand band="1"><NoDataValue>1</NoDataValue></PAMRasterBand></PAMDataset>'
        )
        (tmp_path / f"{name}.tfw").write_text("2\n0\n0\n2\n1000\n1000\n")
    with rasterio.open(path) as dataset:
        assert dataset.nodata == 1, "the trap must be one that GDAL falls into by itself"
    after = scored(path, other)
    assert before.labels == after.labels
    assert before.excluded == after.excluded
    for end in ("a.tif.msk", "a.tif.aux.xml", "a.tif.ovr"):
        assert any(end in note and "not used" in note for note in after.notes)
    with open_mask(bare) as source:
        assert source.grid.affine is None
        assert any("bare.tfw" in note for note in source.notes)


def test_an_internal_mask_is_noted_and_not_used(tmp_path):
    """A mask band inside the file leaves the labels alone, and a note says so."""
    import rasterio

    path = geotiff(tmp_path / "a.tif", LABELS)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.zeros(LABELS.shape, bool))
    assert LABELS.tolist() == read(path).tolist()
    assert any("mask" in note for note in notes(path))


def test_a_second_image_is_noted(tmp_path):
    """Of a TIFF with two images the first is read, and a note says so."""
    from PIL import Image

    images = [Image.fromarray(each) for each in (LABELS, PREDICTION)]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:])
    assert LABELS.tolist() == read(tmp_path / "a.tif").tolist()
    assert notes(tmp_path / "a.tif") == ["the file holds 2 images: the first one is read"]


@pytest.mark.parametrize(
    "path",
    [
        "http://127.0.0.1:9/a.tif",
        "https://127.0.0.1:9/a.png",
        "s3://bucket/a.tif",
        "/vsicurl/http://127.0.0.1:9/a.tif",
        "/vsizip/a.zip/a.tif",
        "/vsimem/a.tif",
        "vrt://a.tif",
        "vrt://a.tif?bands=1",
        "GTIFF_DIR:1:a.tif",
        "GTIFF_DIR:1:a",
        "GTIFF_RAW:a.tif",
        "file:///etc/a.tif",
        "http://127.0.0.1:9/a.nii.gz",
    ],
)
def test_places_elsewhere_are_wrong_usage(tmp_path, path, monkeypatch):
    """URLs and GDAL's own names for data are wrong usage: nothing is opened, no connection is made."""
    monkeypatch.chdir(tmp_path)
    good = geotiff(tmp_path / "a.tif", LABELS)
    for pair in ((path, good), (good, path)):
        with pytest.raises(UsageError):
            scored(*pair)


def test_a_vrt_is_refused_whatever_its_name(tmp_path):
    """A VRT named .tif is refused, and the map that it refers to stays unread."""
    other = geotiff(tmp_path / "other.tif", LABELS)
    path = tmp_path / "a.tif"
    path.write_text(
        '<VRTDataset rasterXSize="70" rasterYSize="50"><VRTRasterBand dataType="Byte" band="1"><SimpleSource>'
        f"<SourceFilename>{other}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
    )
    with pytest.raises(UnknownFormat, match="VRT"):
        read(path)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"<!DOCTYPE html><html></html>", "HTML"),
        (b"P5 2 2 255 \0\0\0\0", "binary|text"),
        (b"version https://git-lfs.github.com/spec/v1\n", "Git LFS"),
        (b"\xff\xd8\xff\xe0\0\x10JFIF\0", "JPEG"),
        (b"<GDAL_WMS></GDAL_WMS>", "text"),
    ],
)
def test_other_content_is_refused_and_named(tmp_path, content, found):
    """What is not TIFF inside is an error that says what it looks like."""
    (tmp_path / "a.tif").write_bytes(content)
    with pytest.raises(UnknownFormat, match=found):
        read(tmp_path / "a.tif")


def test_a_png_named_tif_is_refused(tmp_path):
    """GDAL could read it; only TIFF inside a .tif is read all the same."""
    png(tmp_path / "a.tif", LABELS)
    with pytest.raises(UnknownFormat, match="PNG"):
        read(tmp_path / "a.tif")


def test_empty_files_folders_and_pipes(tmp_path):
    """0 bytes, a folder and a named pipe are refused without being opened."""
    (tmp_path / "a.tif").touch()
    with pytest.raises(EmptyFile):
        read(tmp_path / "a.tif")
    (tmp_path / "b.tif").mkdir()
    with pytest.raises(NotARegularFile):
        read(tmp_path / "b.tif")
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "c.tif")
        with pytest.raises(NotARegularFile):
            read(tmp_path / "c.tif")


# Lossy compression.


def codec(path, labels, **options):
    """Write a GeoTIFF with a codec that not every GDAL has; skip the test where this one lacks it."""
    from rasterio.errors import RasterioIOError

    try:
        return geotiff(path, labels, **options)
    except RasterioIOError:
        pytest.skip(f"this GDAL has no {options['compress']}")


@pytest.mark.parametrize("quality", [75, 100])
def test_jpeg_is_refused(tmp_path, quality):
    """JPEG changes labels at any quality: an error that says so."""
    path = codec(tmp_path / "a.tif", LABELS, compress="jpeg", jpeg_quality=quality)
    with pytest.raises(LossyCompression, match="JPEG"):
        read(path)


@pytest.mark.parametrize("photometric", ["rgb", "ycbcr"])
def test_jpeg_is_refused_band_by_band(tmp_path, photometric):
    """One band of a JPEG-compressed image is as lossy as all of it."""
    bands = np.stack([LABELS] * 3)
    path = codec(tmp_path / "a.tif", bands, compress="jpeg", photometric=photometric)
    with pytest.raises(LossyCompression):
        read(path, band=1)


def test_webp_is_accepted_where_it_is_lossless(tmp_path):
    """WebP's lossless form keeps labels, its lossy one is refused."""
    bands = np.stack([LABELS] * 3)
    lossless = codec(tmp_path / "a.tif", bands, compress="webp", webp_lossless=True)
    assert LABELS.tolist() == read(lossless, band=2).tolist()
    with pytest.raises(LossyCompression, match="WEBP"):
        read(codec(tmp_path / "b.tif", bands, compress="webp", webp_level=90), band=2)


@pytest.mark.parametrize("kind", ["lerc", "lerc_deflate", "lerc_zstd"])
def test_lerc_is_accepted_where_its_error_is_0(tmp_path, kind):
    """LERC without tolerance keeps labels; above 0 it is refused."""
    exact = codec(tmp_path / "a.tif", LABELS, compress=kind, max_z_error=0)
    assert LABELS.tolist() == read(exact).tolist()
    with pytest.raises(LossyCompression, match="LERC"):
        read(codec(tmp_path / "b.tif", LABELS, compress=kind, max_z_error=1))


# Damage and attacks.


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


# Blocks.


def test_strips_and_tiles_of_a_large_map_give_the_same_counts(tmp_path):
    """Windows that suit tiles and windows that suit strips count every pixel once, as the whole arrays do."""
    one, other = blobs((2500, 2700), 5), blobs((2500, 2700), 5, seed=1)
    expected = brute(other, one)
    strips = geotiff(tmp_path / "reference.tif", one, blockysize=1)
    layouts = [
        {"tiled": True, "blockxsize": 256, "blockysize": 256, "compress": "deflate", "zlevel": 1},
        {"tiled": True, "blockxsize": 48, "blockysize": 1040},
        {"blockysize": 2500},
    ]
    for number, layout in enumerate(layouts):
        path = geotiff(tmp_path / f"{number}.tif", other, **layout)
        assert expected == scored(path, strips).labels
        assert expected == {
            label: each._replace(fp=each.fn, fn=each.fp)
            for label, each in scored(strips, path).labels.items()
        }


@pytest.mark.parametrize("bigtiff", ["YES", "NO"])
@pytest.mark.parametrize("endianness", ["BIG", "LITTLE"])
def test_tiles_as_wide_as_the_map(tmp_path, bigtiff, endianness):
    """A tile at the lower edge is a whole tile, also where tiles are as wide as the map, as strips are."""
    labels = blobs((50, 32), 4)
    layout = {"tiled": True, "blockxsize": 32, "blockysize": 32, "compress": "deflate"}
    path = geotiff(tmp_path / "a.tif", labels, **layout, BIGTIFF=bigtiff, ENDIANNESS=endianness)
    assert labels.tolist() == read(path).tolist()


@pytest.mark.parametrize("options", [{}, {"nbits": 1}, {"compress": "lzw"}], ids=str)
def test_one_high_strip(tmp_path, options):
    """A map in one strip of thousands of rows, which GDAL reads row by row, is whole: nothing of it is sparse."""
    labels = blobs((2500, 60), 2)
    path = geotiff(tmp_path / "a.tif", labels, blockysize=2500, **{"compress": "deflate"} | options)
    assert labels.tolist() == read(path).tolist()
    assert [] == notes(path)
    bands = geotiff(
        tmp_path / "b.tif", np.stack([labels] * 3), compress="deflate", blockysize=2500, interleave="band"
    )
    for band in (1, 2, 3):
        assert labels.tolist() == read(bands, band=band).tolist()


def test_a_large_sparse_map_takes_little_memory(tmp_path):
    """A map of 400 million pixels, nearly all of them left out of its file, is scored in small windows."""
    import rasterio
    from rasterio.windows import Window

    paths = [tmp_path / "reference.tif", tmp_path / "prediction.tif"]
    side = 20_000
    profile = {"driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint8"}
    layout = {"tiled": True, "blockxsize": 512, "blockysize": 512, "compress": "deflate", "sparse_ok": True}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(*UTM32)}
    for path, start in zip(paths, (10_000, 10_100), strict=True):
        with rasterio.open(path, "w", **profile, **layout, **place) as dataset:
            dataset.write(np.full((300, 300), 3, np.uint8), 1, window=Window(start, 15_000, 300, 300))
    assert max(path.stat().st_size for path in paths) < 2e6
    tracemalloc.start()
    try:
        result = scored(paths[1], paths[0])
        assert tracemalloc.get_traced_memory()[1] < 150e6
    finally:
        tracemalloc.stop()
    expected = {
        0: (side**2 - 120_000, 30_000, 30_000, 60_000),
        3: (60_000, 30_000, 30_000, side**2 - 120_000),
    }
    assert expected == result.labels
    assert any("sparse" in note for note in result.notes)


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
        "import resource, sys; from dicecli.runs.inspection import inspect; inspect(sys.argv[1]);"
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
