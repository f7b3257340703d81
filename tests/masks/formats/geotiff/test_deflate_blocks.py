"""Blocks of a TIFF that are read without GDAL: the same pixels as GDAL's, and only where nothing is unusual."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import UTM32, blobs, counts, geotiff, scored
from rasterio.windows import Window

from dicecli.masks.blocks import plan
from dicecli.masks.formats.geotiff import _band
from dicecli.masks.formats.geotiff import masks as plugin
from dicecli.masks.reading import Reading

SHAPE = (70, 90)
LAYOUTS = {
    "tiles": {"tiled": True, "blockxsize": 32, "blockysize": 16},
    "tiles as wide as the map": {"tiled": True, "blockxsize": 96, "blockysize": 16},
    "strips": {"blockysize": 9},
    "rows": {"blockysize": 1},
}


def opened(path):
    return plugin.open_mask(str(path), Reading())


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_block_is_read_once_and_checked_as_it_is_read(layout, tmp_path, monkeypatch):
    """All pixels come out, at the edges too, and nothing is left for the end to check."""
    labels = blobs(SHAPE, 7)
    path = geotiff(tmp_path / "a.tif", labels, compress="deflate", **layout)
    monkeypatch.setattr(_band, "check_deflate", lambda *_: pytest.fail("a block is inflated again"))
    with opened(path) as source:
        pixels = np.zeros(SHAPE, np.uint8)
        for window in plan(source):
            pixels[window] = source.values(window)
        source.finish()
        assert source.checked
    assert labels.tolist() == pixels.tolist()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow], max_examples=60)
@given(st.data(), st.sampled_from(sorted(LAYOUTS)))
def test_any_window_is_what_gdal_reads(tmp_path, data, layout):
    """Windows that cut blocks, or lie on their edges, in any order."""
    path = tmp_path / f"{layout}.tif"
    if not path.exists():
        geotiff(path, blobs(SHAPE, 7), compress="deflate", **LAYOUTS[layout])
    with opened(path) as source, rasterio.open(path) as dataset:
        for _ in range(data.draw(st.integers(1, 4))):
            parts = []
            for n, chunk in zip(SHAPE, source.chunks, strict=True):
                cuts = st.sampled_from(sorted({0, *range(0, n, chunk), n})) | st.integers(0, n)
                start, stop = sorted(data.draw(st.lists(cuts, min_size=2, max_size=2, unique=True)))
                parts.append(slice(start, stop))
            rows, columns = parts
            where = Window(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)
            assert dataset.read(1, window=where).tolist() == source.values(tuple(parts)).tolist()


@pytest.mark.parametrize(
    "unusual",
    [
        {"predictor": 2},
        {"compress": "lzw"},
        {"compress": "zstd"},
        {"dtype": "uint16"},
        {"dtype": "int16"},
        {"nbits": 4},
        {"dtype": "int8"},
    ],
    ids=str,
)
@pytest.mark.parametrize("layout", ["tiles", "strips"])
def test_what_is_unusual_is_left_to_gdal(layout, unusual, tmp_path):
    """Where bytes are not the pixels GDAL reads them, and the labels are right."""
    options = {"compress": "deflate"} | LAYOUTS[layout] | unusual
    labels = blobs(SHAPE, 7).astype(options.pop("dtype", "uint8"))
    path = geotiff(tmp_path / "a.tif", labels, **options)
    with opened(path) as source:
        (window,) = [tuple(slice(0, n) for n in SHAPE)]
        assert labels.tolist() == source.values(window).tolist()
        assert not source.checked


def test_sparse_blocks_are_left_to_gdal(tmp_path):
    """A window with a block that is not stored comes from GDAL, which knows what stands there."""
    path = tmp_path / "a.tif"
    kind = {"driver": "GTiff", "width": 64, "height": 64, "count": 1, "dtype": "uint8", "nodata": 9}
    kind["transform"] = rasterio.Affine(*UTM32)
    with rasterio.open(
        path, "w", **kind, compress="deflate", tiled=True, blockxsize=32, blockysize=32, sparse_ok=True
    ) as file:
        file.write(np.full((32, 32), 3, np.uint8), 1, window=Window(0, 0, 32, 32))
    with opened(path) as source:
        pixels = source.values((slice(0, 64), slice(0, 64)))
    assert [3, 9, 9, 9] == [int(pixels[row, column]) for row in (0, 40) for column in (0, 40)]


def test_threads_tell_what_they_have_checked(tmp_path, monkeypatch):
    """Counted by several threads, no block is inflated a second time, and the counts are those of one."""
    monkeypatch.setattr("dicecli.statistics._sharing.WORTH_PIXELS", 1)
    monkeypatch.setattr("dicecli.masks.blocks.WINDOW_PIXELS", 1 << 12)
    options = {"compress": "deflate", "tiled": True, "blockxsize": 32, "blockysize": 32}
    paths = [geotiff(tmp_path / f"{seed}.tif", blobs((300, 200), 5, seed), **options) for seed in (1, 2)]
    alone = scored(*paths)
    monkeypatch.setattr(_band, "check_deflate", lambda *_: pytest.fail("a block is inflated again"))
    assert counts(alone) == counts(scored(*paths, threads=3))


def test_a_difference_from_gdal_gives_way_to_it(tmp_path, monkeypatch):
    """Where the first window is not what GDAL sees, GDAL reads everything."""
    path = geotiff(tmp_path / "a.tif", blobs(SHAPE, 7), compress="deflate", **LAYOUTS["tiles"])
    read = plugin.DeflateBlocks.read

    def other(blocks, window):
        pixels, held = read(blocks, window)
        return pixels + 1, held

    monkeypatch.setattr(plugin.DeflateBlocks, "read", other)
    with opened(path) as source:
        for window in plan(source):
            assert blobs(SHAPE, 7)[window].tolist() == source.values(window).tolist()
        assert not source.checked
