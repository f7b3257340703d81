"""GeoTIFF masks: exact labels from every layout, band and type, nothing from elsewhere."""

from __future__ import annotations

import shutil

import numpy as np
import pytest
from make import blobs, brute, counts, geotiff, notes, read, scored

from dicecli.errors import (
    ManyVolumes,
    NotLabels,
    UsageError,
)
from dicecli.masks.opening import open_mask

LABELS = blobs((50, 70), 4)
PREDICTION = blobs((50, 70), 4, seed=1)


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
    assert brute(LABELS, LABELS) == counts(scored(path, path))
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


# Bands, overviews and what lies beside.


def test_several_bands_need_a_choice(tmp_path):
    """Of several bands none is guessed; --band N reads the one that it names."""
    bands = np.stack([LABELS, PREDICTION, blobs((50, 70), 4, seed=2)])
    path = geotiff(tmp_path / "a.tif", bands, interleave="band", photometric="minisblack")
    mixed = geotiff(tmp_path / "b.tif", bands, interleave="pixel", photometric="minisblack")
    with pytest.raises(ManyVolumes, match="3 bands") as caught:
        read(path)
    assert "--band" in caught.value.hint
    for number, band in enumerate(bands, start=1):
        assert band.tolist() == read(path, band=number).tolist() == read(mixed, band=number).tolist()


@pytest.mark.parametrize("band", [3, 99])
def test_a_band_that_is_not_there_is_an_error(tmp_path, band):
    """A band beyond the file's own is an error that says how many there are."""
    path = geotiff(tmp_path / "a.tif", np.stack([LABELS, PREDICTION]))
    assert LABELS.tolist() == read(path, band=1).tolist()
    with pytest.raises(ManyVolumes, match=f"no band {band}"):
        read(path, band=band)


@pytest.mark.parametrize("band", [0, -1])
def test_bands_are_counted_from_1(tmp_path, band):
    """A number below is a wrong option, whatever the file."""
    path = geotiff(tmp_path / "a.tif", np.stack([LABELS, PREDICTION]))
    with pytest.raises(UsageError, match=f"band is {band}"):
        read(path, band=band)


def test_a_band_concerns_the_file_that_has_several(tmp_path):
    """A reference of one band is read as it is while --band picks one of the prediction's, with a note."""
    prediction = geotiff(tmp_path / "a.tif", np.stack([LABELS, PREDICTION]))
    result = scored(prediction, geotiff(tmp_path / "b.tif", LABELS), band=2)
    assert counts(scored(geotiff(tmp_path / "c.tif", PREDICTION), tmp_path / "b.tif")) == counts(result)
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
    assert brute(labels, labels) == counts(scored(path, path))
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
    assert counts(before) == counts(after)
    assert before.excluded == after.excluded
    for end in ("a.tif.msk", "a.tif.aux.xml", "a.tif.ovr"):
        assert any(end in note and "not used" in note for note in after.notes)
    with open_mask(bare) as source:
        assert source.grid.affine is None
        assert any("bare.tfw" in note for note in source.notes)
