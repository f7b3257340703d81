"""Where a TIFF lies is the same whether GDAL is asked, or has told it of a file like it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pytest
import rasterio
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.masks.formats.geotiff import _place
from dicecli.masks.opening import open_mask

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from dicecli.masks.grid import Grid

SYSTEMS = ("EPSG:32632", "EPSG:4326", "EPSG:2263", "+proj=laea +lat_0=52 +lon_0=10 +datum=WGS84", None)
PLACES = st.floats(-1e7, 1e7, allow_nan=False)
STEPS = st.floats(1e-3, 1e4, allow_nan=False)


@pytest.fixture(autouse=True)
def _nothing_known() -> Iterator[None]:
    _place._KNOWN.clear()
    yield
    _place._KNOWN.clear()


def write(
    path: Path, transform: rasterio.Affine, crs: str | None, *, area: bool = True, **more: object
) -> str:
    options = {"crs": crs, "transform": transform, "dtype": "uint8", "count": 1, "height": 3, "width": 4}
    with rasterio.open(path, "w", driver="GTiff", **options | more) as file:
        file.update_tags(AREA_OR_POINT="Area" if area else "Point")
        file.write(np.arange(12, dtype=np.uint8).reshape(3, 4), 1)
    return str(path)


def upright(x: float, y: float, across: float, down: float) -> rasterio.Affine:
    return rasterio.Affine(across, 0, x, 0, -down, y)


def grid_of(path: str) -> tuple[Grid, list[str]]:
    with open_mask(path) as source:
        return source.grid, source.notes


def same(one: Grid, other: Grid) -> bool:
    plain = ("shape", "spacing", "unit", "crs", "pixel_size", "kind")
    is_same_place = np.array_equal(np.array(one.affine, float), np.array(other.affine, float))
    return is_same_place and all(getattr(one, name) == getattr(other, name) for name in plain)


@pytest.mark.filterwarnings("ignore::rasterio.errors.NotGeoreferencedWarning")  # as they are written
@settings(max_examples=25)
@given(st.sampled_from(SYSTEMS), st.booleans(), PLACES, PLACES, STEPS, STEPS)
def test_a_place_that_is_known_is_as_gdal_has_it(
    tmp_path_factory: pytest.TempPathFactory,
    crs: str | None,
    area: bool,
    x: float,
    y: float,
    across: float,
    down: float,
) -> None:
    folder = tmp_path_factory.mktemp("places")
    first = write(folder / "first.tif", upright(10, 20, 2, 3), crs, area=area)
    second = write(folder / "second.tif", upright(x, y, across, down), crs, area=area)
    _place._KNOWN.clear()
    asked = grid_of(second)
    _place._KNOWN.clear()
    grid_of(first)
    before = dict(_place._KNOWN)
    told = grid_of(second)
    assert same(asked[0], told[0])
    assert asked[1] == told[1]
    assert _place._KNOWN == before
    assert len(before) == (0 if crs is None and area else 1)


def test_files_of_other_systems_or_tags_are_not_taken_for_known(tmp_path: Path) -> None:
    kinds = [(crs, area) for crs in SYSTEMS[:3] for area in (True, False)]
    made = [
        write(tmp_path / f"{n}.tif", upright(10, 20, 2, 3), crs, area=area)
        for n, (crs, area) in enumerate(kinds)
    ]
    asked = [grid_of(each)[0] for each in made]
    assert len(_place._KNOWN) == len(made)
    told = [grid_of(each)[0] for each in reversed(made)][::-1]
    assert all(map(same, asked, told))
    assert len({each.crs for each in told}) == 3


@pytest.mark.parametrize("transform", [rasterio.Affine(1, 1, 5, 1, -1, 7), rasterio.Affine(2, 0, 5, 0, 2, 7)])
def test_what_is_not_upright_is_asked_of_gdal(tmp_path: Path, transform: rasterio.Affine) -> None:
    path = write(tmp_path / "turned.tif", transform, "EPSG:32632")
    first, second = grid_of(path), grid_of(path)
    assert same(first[0], second[0])
    assert first[1] == second[1]
    assert not _place._KNOWN


def test_no_more_systems_are_remembered_than_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_place, "_MOST", 2)
    for code in (32631, 32632, 32633):
        grid_of(write(tmp_path / f"{code}.tif", upright(1, 2, 3, 3), f"EPSG:{code}"))
    assert len(_place._KNOWN) == 1
