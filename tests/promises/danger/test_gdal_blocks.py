"""What GDAL keeps of files in a host's process: `max_memory` holds there too, and the host's cache is its own."""

from __future__ import annotations

import os
import sys
from functools import partial
from pathlib import Path

import make
import numpy as np
import pytest

import dicecli
from dicecli.masks import gdal_options
from dicecli.masks.formats.geotiff import _reopened

sys.path.insert(0, str(Path(__file__).parents[2] / "endurance"))
from measure_memory import MIB, Kind, measured, tif, wrong

_TILES = {"tiled": True, "blockxsize": 16, "blockysize": 16}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
def test_the_limit_counts_what_gdal_keeps_of_a_file_in_a_host(tmp_path):
    """`max_memory` counts what is really held at once: blocks in GDAL's cache, which is a host's, too."""
    tiles = {"tiled": True, "blockxsize": 256, "blockysize": 256}
    kind = Kind(partial(tif, dtype="u2", compress="lzw", **tiles), 4000, is_hosts=True)
    found = measured({"lzw": kind}, {"lzw": 6 * MIB}, tmp_path)
    assert wrong(found["lzw"], 6 * MIB) is None, found


def _pages(path):
    from PIL import Image

    pages = [make.blobs((300, 400), seed=at) for at in range(3)]
    images = [Image.fromarray(each) for each in pages]
    images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
    return path


def _masked(path, image):
    import rasterio

    make.geotiff(path, image, compress="lzw", **_TILES)
    with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
        dataset.write_mask(np.where(make.blobs(image.shape, seed=5) == 3, 0, 255).astype(np.uint8))
    return path


def _calls(folder):
    """Return calls on files of each kind that GDAL reads, by name."""
    image = make.blobs((300, 400))
    other, score = make.geotiff(folder / "other.tif", make.blobs((300, 400), seed=9)), dicecli.score
    scores = np.stack([np.where(image == at, 0.7, 0.1) for at in range(4)]).astype("f4")
    tif = partial(make.geotiff, compress="lzw")
    unnamed = Path(os.fsdecode(os.fsencode(folder / "a") + b"\xff.tif"))
    tif(folder / "named.tif", image).rename(unnamed)
    paths = {
        "strips": tif(folder / "strips.tif", image),
        "tiles": tif(folder / "tiles.tif", image, **_TILES),
        "one strip": make.geotiff(folder / "one.tif", image, blockysize=300),
        "a mask in it": _masked(folder / "masked.tif", image),
        "a name that is no text": unnamed,
    }
    calls = {name: partial(score, path, other) for name, path in paths.items()}
    placed = tif(folder / "placed.tif", image, transform=(1, 0, 0, 0, -1, 0), crs="EPSG:32632", **_TILES)
    calls["a raster with its place"] = partial(score, placed, placed)
    for interleave in ("pixel", "band"):
        path = tif(folder / f"{interleave}.tif", scores, interleave=interleave, **_TILES)
        calls[f"bands by {interleave}"] = partial(dicecli.soft, path, other)
        calls[f"the largest, by {interleave}"] = partial(score, path, other, argmax=True)
    pages = _pages(folder / "pages.tif")
    calls["pages"] = partial(score, pages, pages)
    calls["one of them"] = partial(score, pages, other, page=2)
    return calls


def test_files_that_are_opened_again_have_the_same_numbers(tmp_path, monkeypatch):
    """Whatever GDAL reads, it is opened again before its blocks take too much, and every number stays."""
    calls = _calls(tmp_path)
    with monkeypatch.context() as patch:
        patch.setattr(gdal_options, "keeps_blocks", lambda: False)
        usual = {name: call(max_memory=MIB).to_dict()["cases"] for name, call in calls.items()}
    begun, real = [], _reopened._begin
    monkeypatch.setattr(_reopened, "_begin", lambda *given: begun.append(given[1]) or real(*given))
    monkeypatch.setattr(gdal_options._Cache, "is_own", False)
    monkeypatch.setattr(_reopened, "_OF_MEMORY", 1 << 30)  # every window goes beyond that
    for name, call in calls.items():
        begun.clear()
        assert usual[name] == call(max_memory=MIB).to_dict()["cases"], name
        assert len(begun) > 2 + (name == "pages"), name
    assert usual["tiles"] == calls["tiles"](threads=2, max_memory=MIB).to_dict()["cases"]
    monkeypatch.undo()
    monkeypatch.setattr(_reopened, "_begin", lambda *given: begun.append(given[1]) or real(*given))
    begun.clear()
    calls["tiles"]()
    assert len(begun) == 2  # by default none is


def test_a_file_that_is_gone_when_it_is_opened_again_is_refused(tmp_path, monkeypatch):
    """A file that somebody takes away or cuts meanwhile is a case that fails, not a wrong number."""
    from dicecli.errors import CaseError

    path, other = (
        make.geotiff(tmp_path / f"{name}.tif", make.blobs((600, 400)), compress="lzw") for name in "ab"
    )
    monkeypatch.setattr(gdal_options._Cache, "is_own", False)
    monkeypatch.setattr(_reopened, "_OF_MEMORY", 1 << 30)
    real = _reopened._begin
    opened = []

    def gone(dataset, name):
        opened.append(name)
        if len(opened) == 3:
            Path(name).unlink()
        real(dataset, name)

    monkeypatch.setattr(_reopened, "_begin", gone)
    with pytest.raises(CaseError):
        dicecli.score(path, other, max_memory=MIB)
    assert len(opened) >= 3
