"""Bands of boundary IoU, against every pixel looked at on its own, erosions, and what tools print."""

from __future__ import annotations

import math
from itertools import pairwise, permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_pairs import needs_vectors, pair, printed

from dicecli.statistics._surfaces import reach as reaching
from dicecli.statistics._surfaces.bands import (
    balls,
    context_of_balls,
    context_of_squares,
    squares,
)

FLAT = st.tuples(st.integers(1, 16), st.integers(1, 16))
SHAPES = FLAT | st.tuples(*[st.integers(1, 9)] * 3)
TYPES = st.sampled_from([np.uint8, np.uint16, np.uint32])
SPACINGS = st.lists(st.sampled_from([0.5, 0.7, 1.0, 2.5]) | st.floats(0.5, 2), min_size=3, max_size=3)


@st.composite
def masks(draw, shapes=SHAPES, ignored=(0.0, 0.03, 0.3)):
    """Draw a mask of a few codes in clumps, 0 among them, and ignored pixels in clumps, strewn or around."""
    shape, dtype = draw(shapes), draw(TYPES)
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    codes = rng.choice([0, 1, 2, 3], p=draw(st.sampled_from([[0.1, 0.7, 0.1, 0.1], [0.25] * 4])), size=shape)
    codes = codes.astype(dtype)
    share, is_strewn = draw(st.sampled_from(ignored)), draw(st.booleans())
    is_ignored = rng.random(shape) < share
    codes[is_ignored & (not is_strewn)] = np.iinfo(dtype).max
    for axis in range(len(shape)):
        codes = np.repeat(codes, draw(st.integers(1, 9)), axis)
    codes = codes[tuple(slice(0, length) for length in shape)]
    codes[is_ignored & is_strewn] = np.iinfo(dtype).max
    if share and draw(st.booleans()):
        inner = codes[(slice(1, -1),) * len(shape)]
        codes = np.pad(inner, 1, constant_values=np.iinfo(dtype).max)
    return np.ascontiguousarray(codes)


def in_blocks(band, codes, cuts, context):
    """Return a band found block by block, each with the context it asks for."""
    edges = sorted({0, *(cut for cut in cuts if cut < len(codes)), len(codes)})
    found = []
    for begin, end in pairwise(edges):
        low, high = max(begin - context, 0), min(end + context, len(codes))
        block, core = codes[low:high], slice(begin - low, end - low)
        found.append(band(block, core, first=low == 0, last=high == len(codes)))
    return np.concatenate(found)


def is_row(code, codes):
    return code not in {0, np.iinfo(codes.dtype).max}


def neighbours(codes, at, steps):
    """Yield what lies some steps from a voxel each: a code, or None beyond the array."""
    for step in steps:
        there = tuple(a + b for a, b in zip(at, step, strict=True))
        yield codes[there] if all(0 <= a < n for a, n in zip(there, codes.shape, strict=True)) else None


def by_squares(codes, distance):
    """Return the band of squares as it is defined."""
    window = list(product(range(-distance, distance + 1), repeat=2))
    found = np.zeros(codes.shape, bool)
    for at, code in np.ndenumerate(codes):
        allowed = {code, np.iinfo(codes.dtype).max}
        found[at] = is_row(code, codes) and not set(neighbours(codes, at, window)) <= allowed
    return found


def rims(codes):
    """Return the rim voxels of each code."""
    steps = [step for step in product((-1, 0, 1), repeat=codes.ndim) if sum(map(abs, step)) == 1]
    found = {}
    for at, code in np.ndenumerate(codes):
        allowed = {code, np.iinfo(codes.dtype).max}
        if is_row(code, codes) and not set(neighbours(codes, at, steps)) <= allowed:
            found.setdefault(code, []).append(at)
    return found


def nearest(places, points, spacing):
    """Return the distance from each place to the nearest point, of all pairs."""
    steps = (places[:, None] - np.array(points)[None]) * spacing
    return np.sqrt(np.sort(steps**2, axis=-1).sum(axis=-1)).min(axis=1)


def by_balls(codes, reach, spacing):
    """Return the band of balls as it is defined."""
    found = np.zeros(codes.shape, bool)
    for code, points in rims(codes).items():
        found[codes == code] = nearest(np.argwhere(codes == code), points, spacing) < reach * (1 - 1e-6)
    return found


@given(masks(FLAT), st.integers(1, 5), st.sets(st.integers(1, 15)))
def test_squares_are_as_defined(codes, size, cuts):
    """Whole, and block by block: with ignored pixels, and beyond the array."""
    expected = by_squares(codes, size)

    def band(block, core, **ends):
        return squares(block, core, size, **ends)

    assert expected.tolist() == band(codes, slice(0, len(codes)), first=True, last=True).tolist()
    assert expected.tolist() == in_blocks(band, codes, cuts, context_of_squares(size)).tolist()


@given(
    masks(),
    st.sampled_from([0.3, 1.0, 1.5, 2.0, 3.7, 50.0]) | st.floats(0.5, 9),
    SPACINGS,
    st.booleans(),
    st.sets(st.integers(1, 15)),
)
def test_balls_are_as_defined(codes, reach, spacing, is_even, cuts):
    """Whole, and block by block: with ignored pixels, beyond the array, and where spacings differ."""
    spacing = tuple(spacing[:1] * codes.ndim if is_even else spacing[: codes.ndim])
    expected = by_balls(codes, reach, spacing)

    def band(block, core, **ends):
        return balls(block, core, reach, spacing, **ends)

    assert expected.tolist() == band(codes, slice(0, len(codes)), first=True, last=True).tolist()
    assert expected.tolist() == in_blocks(band, codes, cuts, context_of_balls(reach, spacing[0])).tolist()


@given(masks(ignored=(0.0,)), SPACINGS)
@settings(max_examples=30)
def test_no_rim_is_nearer_than_the_own_one(codes, spacing):
    """Which is why codes need not be told apart."""
    points = rims(codes)
    for own, other in permutations(points, 2):
        places = np.argwhere(codes == own)
        to_own, to_other = (nearest(places, points[code], spacing[: codes.ndim]) for code in (own, other))
        assert (to_own < to_other).all()


@given(masks(), st.floats(0.5, 5), SPACINGS)
@settings(max_examples=30)
def test_axes_can_be_exchanged_and_mirrored(codes, reach, spacing):
    """And scaling the spacing with the reach changes nothing."""
    spacing = tuple(spacing[: codes.ndim])
    found = whole(codes, reach, spacing)
    for order in permutations(range(codes.ndim)):
        turned = np.ascontiguousarray(np.flip(codes.transpose(order), 0))
        again = whole(turned, reach, tuple(spacing[axis] for axis in order))
        assert np.flip(again, 0).tolist() == found.transpose(order).tolist()
    assert whole(codes, 3 * reach, tuple(3 * side for side in spacing)).tolist() == found.tolist()


def whole(codes, reach, spacing):
    return balls(codes, slice(0, len(codes)), reach, spacing, first=True, last=True)


@pytest.mark.parametrize("reach", [3, 2.1, float(np.float32(0.7)) * 3])
def test_a_distance_of_the_reach_is_not_in_the_band(reach):
    """Even where the file's spacing is a little off."""
    side = reach / 3 if reach == 3 else 0.7
    side = float(np.float32(side))
    line = np.ones((1, 9), np.uint8)
    codes = np.concatenate((line * 0, *[line] * 9, line * 0))
    found = whole(np.pad(codes, ((0, 0), (9, 9)), constant_values=1), reach, (side, side))
    assert [True] * 3 + [False] * 3 + [True] * 3 == found[1:-1, 13].tolist()


@pytest.mark.parametrize("axis", [0, 1])
@pytest.mark.parametrize("step", [1, -1])
def test_a_rim_behind_ignored_pixels_is_no_rim_of_another_code(axis, step):
    """Whose own rim is far away; nor does an ignored pixel make a rim."""
    line, expected = [1, 0, 255, 2, 2, 2, 2, 2, 2], [1, 0, 0, 0, 0, 1, 1, 1, 1]
    codes = np.array([line[::step]] * 9, np.uint8)
    found = whole(np.ascontiguousarray(np.moveaxis(codes, 1, axis)), 3.5, (1.0, 1.0))
    assert expected[::step] == found.take(4, 1 - axis).astype(int).tolist()


@pytest.mark.parametrize("shape", [(0, 5), (5, 0), (5, 5), (0, 3, 3), (3, 3, 3)])
@pytest.mark.parametrize("fill", [0, 255, 1])
def test_what_is_empty_has_no_band(shape, fill):
    """And a code that fills the array has one along its edges."""
    codes = np.full(shape, fill, np.uint8)
    expected = by_balls(codes, 1.5, (1.0,) * len(shape))
    assert expected.tolist() == whole(codes, 1.5, (1.0,) * len(shape)).tolist()
    if len(shape) == 2:
        found = squares(codes, slice(0, len(codes)), 1, first=True, last=True)
        assert by_squares(codes, 1).tolist() == found.tolist()
    assert balls(codes, slice(0, 0), 1.5, (1.0,) * len(shape), first=True, last=True).size == 0


@pytest.mark.parametrize("ends", [{"first": False, "last": True}, {"first": True, "last": False}])
def test_missing_context_is_told(ends):
    codes = np.ones((6, 6), np.uint8)
    core = slice(1, 6) if ends["last"] else slice(0, 5)
    assert squares(codes, core, 1, **ends).shape == (5, 6)
    with pytest.raises(ValueError, match="a band needs 2 planes of context on each side"):
        squares(codes, core, 2, **ends)
    assert balls(codes, core, 0.9, (1.0, 1.0), **ends).shape == (5, 6)
    with pytest.raises(ValueError, match="a band needs 2 planes of context on each side"):
        balls(codes, core, 1.1, (1.0, 1.0), **ends)


@pytest.mark.parametrize(
    ("limit", "spacing", "dtype"),
    [
        (100.0, (2.0, 2.0), np.uint16),
        (1e3, (2.0, 2.0), np.uint32),
        (1e9, (2.0, 2.0), np.int64),
        (5.0, (1.0, 2.0), np.uint32),
    ],
)
def test_squares_of_distances_fit_their_type(limit, spacing, dtype):
    """And twice the limit does, so that nothing runs over before it is compared."""
    reach = reaching.Reach(limit, spacing, (40_000, 40_000))
    assert {dtype} == {costs.dtype.type for costs in reach._costs}
    assert 2 * reach._cap <= np.iinfo(dtype).max
    assert all(costs[-1] < reach._cap and (np.diff(costs.astype(int)) > 0).all() for costs in reach._costs)


@pytest.mark.parametrize("reach", [3.0, 40.0, 200.0])
def test_long_ways_and_many_pieces(reach, monkeypatch):
    """Whatever the type of the squares, and however small the pieces."""
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(5)
    codes = np.zeros((90, 300), np.uint8)
    codes[2:-3, 4:] = 1
    codes[rng.integers(0, 90, 4), rng.integers(0, 300, 4)] = 0
    for spacing in ((1.0, 1.0), (1.3, 0.4)):
        mask = codes == 1
        rim = mask & ~ndimage.binary_erosion(mask)
        expected = mask & (ndimage.distance_transform_edt(~rim, sampling=spacing) < reach)
        for size in (1 << 17, 100):
            monkeypatch.setattr(reaching, "_PIECE", size)
            assert (expected == whole(codes, reach, spacing)).all()


def test_large_images_are_done_in_strips():
    """As erosions do them."""
    ndimage = pytest.importorskip("scipy.ndimage")
    rng = np.random.default_rng(6)
    codes = np.kron(rng.integers(0, 3, (30, 40)), np.ones((30, 30))).astype(np.uint16)
    codes[400:600] = 0
    for size in (1, 4, 13):
        expected = np.zeros(codes.shape, bool)
        for code in (1, 2):
            mask = codes == code
            expected |= mask & ~ndimage.binary_erosion(mask, np.ones((3, 3)), iterations=size)
        assert (expected == squares(codes, slice(0, 900), size, first=True, last=True)).all()


# --- What tools print -----------------------------------------------------------------------------------------


def iou(masks, band):
    """Return the IoU of the bands of two masks."""
    codes = [np.ascontiguousarray(mask, np.uint8) for mask in masks]
    bands = [band(each, slice(0, len(each)), first=True, last=True) for each in codes]
    return np.count_nonzero(bands[0] & bands[1]) / np.count_nonzero(bands[0] | bands[1])


@needs_vectors
@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S4", "R1", "R2", "R3", "R4:7", "R4:20", "R4:13"])
def test_boundary_iou_is_that_of_metricsreloaded(name):
    """Its spacing is that of voxels; one empty mask gives 0."""
    *sides, _ = pair(name)
    spacing = (1.0,) * sides[0].ndim
    found = {
        f"boundary_iou@{reach}": iou(
            sides, lambda *codes, reach=reach, **ends: balls(*codes, reach, spacing, **ends)
        )
        for reach in (1, 2)
    }
    expected = printed(name, "metricsreloaded")
    assert {metric: expected[metric] for metric in found} == found


@needs_vectors
@pytest.mark.parametrize("name", ["S1", "R3"])
def test_boundary_iou_is_that_of_its_authors(name):
    *sides, _ = pair(name)
    found = {}
    for ratio in (0.02, 0.005):
        size = max(1, round(ratio * math.hypot(*sides[0].shape)))
        found[f"boundary_iou@ratio{ratio}"] = iou(
            sides, lambda *codes, size=size, **ends: squares(*codes, size, **ends)
        )
    expected = printed(name, "boundaryiou")
    assert {metric: expected[metric] for metric in found} == found
