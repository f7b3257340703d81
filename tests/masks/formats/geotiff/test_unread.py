"""What is no mask of labels, whatever its name: other places, other content, and lossy compression."""

from __future__ import annotations

import os

import numpy as np
import pytest
from make import blobs, geotiff, png, read, scored

from dicecli.errors import (
    EmptyFile,
    LossyCompression,
    NotARegularFile,
    UnknownFormat,
    UsageError,
)

LABELS = blobs((50, 70), 4)


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
