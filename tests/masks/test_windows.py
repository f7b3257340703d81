"""A mask that is an exact window of the other one's grid is compared within it, and nothing else is taken for one."""

from __future__ import annotations

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import Corrupt, GridMismatch, ShapeMismatch
from dicecli.masks.grid import Grid
from dicecli.masks.windows import lying, window_in

WHOLE = make.blobs((40, 56), 4), make.blobs((40, 56), 4, seed=1)
VOLUMES = make.blobs((9, 8, 7), 3), make.blobs((9, 8, 7), 3, seed=1)
STEPS = np.diag([2.0, -3, 4, 1])


def at(row, column):
    """Return the transform of a map that begins at a pixel of one of 10 m."""
    return (10, 0, 6e5 + 10 * column, 0, -10, 58e5 - 10 * row)


def placed(shape, start, linear):
    """Return a grid that begins at an index of the one whose steps these are."""
    affine = np.column_stack([linear, linear @ np.array(start, float)])
    return Grid(shape, tuple(np.linalg.norm(linear, axis=0).tolist()), "m", affine, kind="map")


@given(st.data(), st.integers(2, 3))
@settings(max_examples=25)
def test_a_window_is_found_where_it_is_and_nowhere_else(data, axes):
    """Of any affine, at any offset; what sticks out, or lies off by more than 0.01 of a pixel, is none."""
    lengths = st.tuples(*[st.integers(1, 30)] * axes)
    outer, inner = data.draw(lengths), data.draw(lengths)
    start = data.draw(st.tuples(*[st.integers(-6, 25)] * axes))
    off = data.draw(st.sampled_from([0.0, 0.004, 0.02, 0.5]))
    linear = np.linalg.qr(np.random.default_rng(sum(outer)).normal(size=(axes, axes)))[0] * 7
    first = placed(outer, [0] * axes, linear)
    second = placed(inner, [start[0] + off, *start[1:]], linear)
    ends = [(max(0, -a), min(m, n - a)) for a, m, n in zip(start, inner, outer, strict=True)]
    found = lying(first, second)
    assert (found is None) == (off > 0.01)
    if found is not None:
        assert found.start == start
        assert found.shared == tuple(max(0, high - low) for low, high in ends)
    is_in = all(0 <= a and a + m <= n for a, m, n in zip(start, inner, outer, strict=True))
    expected = tuple(slice(a, a + m) for a, m in zip(start, inner, strict=True))
    is_window = is_in and off < 0.01
    assert window_in(first, second) == (expected if is_window else None)


def test_steps_that_add_up_to_another_place_are_another_grid():
    """A difference of 1e-5 of a step is nothing in a tile, and too much in a map of 2,000 pixels."""
    grid = placed((4000, 4000), (0, 0), np.eye(2) * 10)
    for size, is_window in ((400, True), (2000, False)):
        other = placed((size, size), (0, 0), np.eye(2) * 10 * (1 + 1e-5))
        assert (window_in(grid, other) is not None) == is_window


@pytest.mark.parametrize("options", [{}, {"tiled": True, "blockxsize": 16, "blockysize": 16}], ids=str)
@pytest.mark.parametrize("window", [(16, 32, 16, 48), (7, 40, 11, 56), (39, 40, 0, 1)], ids=str)
def test_maps(options, window, tmp_path):
    """On either side, of blocks that it cuts and of blocks that it does not; with nodata in the whole."""
    top, bottom, left, right = window
    part = np.s_[top:bottom, left:right]
    for whole, tile, names in ((WHOLE[1], WHOLE[0], "rp"), (WHOLE[0], WHOLE[1], "pr")):
        first = make.geotiff(
            tmp_path / "w.tif", whole, transform=at(0, 0), nodata=3, compress="deflate", **options
        )
        second = make.geotiff(tmp_path / "t.tif", tile[part], transform=at(top, left))
        given_ = dict(zip(names, (first, second), strict=True))
        report = dicecli.score(given_["p"], given_["r"], window=True, nodata="label")
        assert make.counts(report.scored[0]) == make.brute(WHOLE[0][part], WHOLE[1][part])
        share = f"{WHOLE[0][part].size / WHOLE[0].size:.2%} of it, which alone is compared"
        assert any(f"from row {top}, column {left} on: {share}" in note for note in report.notes)
        left_out = dicecli.score(given_["p"], given_["r"], window=True).scored[0].excluded["nodata"]
        assert left_out == (np.count_nonzero(WHOLE[1][part] == 3) if names == "rp" else 0)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_volumes(suffix, tmp_path):
    """A crop of a volume, by its header; boundaries are those of the crop as a mask of its own."""
    part = np.s_[2:7, 1:8, 3:6]
    moved = STEPS.copy()
    moved[:3, 3] = STEPS[:3, :3] @ [2, 1, 3]
    whole = make.nifti(tmp_path / f"w{suffix}", VOLUMES[1], affine=STEPS)
    tile = make.nifti(tmp_path / f"t{suffix}", VOLUMES[0][part], affine=moved)
    alone = make.nifti(tmp_path / f"a{suffix}", VOLUMES[1][part], affine=moved)
    report = dicecli.score(tile, whole, window=True, metrics="dice,hd95,assd")
    assert (
        report.scored[0].measured == dicecli.score(tile, alone, metrics="dice,hd95,assd").scored[0].measured
    )
    assert any("from voxel (2, 1, 3) on" in note for note in report.notes)
    with pytest.raises(ShapeMismatch, match=r"exact window of the reference, from voxel \(2, 1, 3\)"):
        dicecli.score(tile, whole)


def test_a_header_that_was_only_copied_is_no_reason_to_propose_a_window(tmp_path):
    """A volume of another shape that begins where the other does: nobody is told that it is a window."""
    whole = make.nifti(tmp_path / "w.nii", VOLUMES[1])
    tile = make.nifti(tmp_path / "t.nii", VOLUMES[0][:5])
    with pytest.raises(ShapeMismatch) as caught:
        dicecli.score(tile, whole)
    assert "--window" not in caught.value.hint


def test_probabilities(tmp_path):
    """A tile of probabilities, a band a class, is summed up within the reference's window."""
    part = np.s_[8:24, 10:30]
    classes = np.random.default_rng(0).dirichlet(np.ones(4), WHOLE[0][part].shape).astype(np.float32)
    whole = make.geotiff(tmp_path / "w.tif", WHOLE[1], transform=at(0, 0))
    alone = make.geotiff(tmp_path / "a.tif", WHOLE[1][part], transform=at(8, 10))
    tile = make.geotiff(tmp_path / "t.tif", np.moveaxis(classes, -1, 0), transform=at(8, 10))
    report = dicecli.soft(tile, whole, window=True)
    assert report.scored[0].measured == dicecli.soft(tile, alone).scored[0].measured


@pytest.mark.parametrize(
    ("place", "crs"),
    [(at(30, 0), "EPSG:32632"), (at(1.5, 0), "EPSG:32632"), (at(2, 2), "EPSG:32633")],
    ids=["sticks out", "half a pixel", "another CRS"],
)
def test_what_is_no_window_stays_an_error(place, crs, tmp_path):
    """Nothing is cut off, rounded or resampled: the message is the one that there is without the option."""
    whole = make.geotiff(tmp_path / "w.tif", WHOLE[1], transform=at(0, 0))
    tile = make.geotiff(tmp_path / "t.tif", WHOLE[0][:16, :16], transform=place, crs=crs)
    said = []
    for window in (False, True):
        with pytest.raises((ShapeMismatch, GridMismatch)) as caught:
            dicecli.score(tile, whole, window=window)
        said.append((str(caught.value), caught.value.hint))
    assert said[0] == said[1]
    assert "rio " in said[0][1] or crs == "EPSG:32633"


def test_blocks_beside_the_window_are_not_read(tmp_path):
    """A tile of a large map costs its blocks alone: damage elsewhere is not met, and within is an error."""
    options = {"tiled": True, "blockxsize": 16, "blockysize": 16, "compress": "deflate"}
    whole = make.geotiff(tmp_path / "w.tif", WHOLE[1], transform=at(0, 0), **options)
    tile = make.geotiff(tmp_path / "t.tif", WHOLE[0][16:32, 16:32], transform=at(16, 16))
    import rasterio

    with rasterio.open(whole) as dataset:
        blocks = {
            name: int(dataset.get_tag_item(f"BLOCK_OFFSET_{name}", "TIFF", bidx=1)) for name in ("0_0", "1_1")
        }
    sound = whole.read_bytes()
    for name, is_within in (("0_0", False), ("1_1", True)):
        bad = bytearray(sound)
        bad[blocks[name] + 4 : blocks[name] + 8] = bytes(4)
        whole.write_bytes(bytes(bad))
        if is_within:
            with pytest.raises(Corrupt):
                dicecli.score(tile, whole, window=True)
        else:
            report = dicecli.score(tile, whole, window=True)
            assert make.counts(report.scored[0]) == make.brute(WHOLE[0][16:32, 16:32], WHOLE[1][16:32, 16:32])
