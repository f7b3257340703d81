"""Strips and tiles of every size: each pixel is counted once, in little memory."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from make import UTM32, blobs, brute, counts, geotiff, notes, read, scored

from dicecli.records.counts import Counts


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
        assert expected == counts(scored(path, strips))
        assert expected == {
            label: replace(each, fp=each.fn, fn=each.fp)
            for label, each in counts(scored(strips, path)).items()
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
        0: Counts(side**2 - 120_000, 30_000, 30_000, 60_000),
        3: Counts(60_000, 30_000, 30_000, side**2 - 120_000),
    }
    assert expected == counts(result)
    assert any("sparse" in note for note in result.notes)
