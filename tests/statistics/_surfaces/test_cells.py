"""The lines and surfaces in cells, against numbers that are written down and against their symmetries."""

from __future__ import annotations

import math
from itertools import permutations, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from vector_pairs import needs_vectors, pair, printed

from dicecli.statistics._surfaces.cells import weights

SPACINGS = st.floats(1e-3, 1e3)


def codes_of(mask):
    """Return the code of every cell of a mask with nothing beyond its edges."""
    padded, axes = np.pad(mask, 1).astype(int), mask.ndim
    found = 0
    for corner in product((0, 1), repeat=axes):
        part = padded[tuple(slice(at, n - 1 + at) for at, n in zip(corner, padded.shape, strict=True))]
        found = 2 * found + part
    return found.ravel()


def corners(code, axes):
    """Return which corners of a cell are in, as an array of 2 along each axis."""
    return np.array([code >> bit & 1 for bit in range(2**axes - 1, -1, -1)]).reshape((2,) * axes)


def code_of(inside):
    return int("".join(map(str, inside.ravel())), 2)


@pytest.mark.parametrize(
    ("spacing", "expected", "total"),
    [
        (
            (1.0, 1.0, 1.0),
            {
                1: 0.216506350946110,
                3: 0.707106781186548,
                7: 1.149519052838329,
                15: 1,
                22: 0.649519052838329,
                23: 1.299038105676658,
                27: 1.573132184970986,
                60: 1.414213562373095,
                105: 0.866025403784439,
            },
            241.343139705537448,
        ),
        ((0.7, 0.7, 3.0), {7: 2.17875, 27: 2.583204526052455}, 410.457998533479769),
        ((1.0, 1.5, 0.5), {27: 1.689547453302258}, 237.622397377350516),
    ],
)
def test_areas_are_those_of_the_table(spacing, expected, total):
    found = weights(spacing)
    assert {code: pytest.approx(area, rel=4e-15) for code, area in expected.items()} == {
        code: found[code] for code in expected
    }
    assert math.fsum(found) == pytest.approx(total, rel=4e-15)


@pytest.mark.parametrize(
    ("shape", "count", "area"),
    [
        ((1, 1, 1), 8, 1.732050807568877),
        ((2, 1, 1), 12, 4.560477932315068),
        ((3, 3, 3), 56, 42.702613556046021),
    ],
)
def test_areas_of_blocks(shape, count, area):
    codes = codes_of(np.ones(shape, bool))
    found = weights((1.0, 1.0, 1.0))[codes]
    assert (np.count_nonzero(found), math.fsum(found)) == (count, pytest.approx(area, rel=4e-15))


def test_lines_cut_corners_run_straight_or_cut_two():
    """The line between two pixels side by side is as long as a pixel is along it."""
    down, right = 3.0, 4.0
    expected = {
        (1, 0, 0, 0): 2.5,
        (1, 1, 0, 0): right,
        (1, 0, 1, 0): down,
        (1, 0, 0, 1): 5.0,
        (0, 0, 0, 0): 0,
    }
    found = weights((down, right))
    for inside, length in expected.items():
        code = code_of(np.array(inside))
        assert length == found[code] == found[15 - code]
    assert (found[[1, 2, 4, 8, 7, 11, 13, 14]] == 2.5).all()


@given(st.lists(SPACINGS, min_size=2, max_size=3))
@settings(max_examples=20)
def test_axes_can_be_exchanged_and_mirrored(spacing):
    """To the bit, as can what is in and what is out."""
    axes, found = len(spacing), weights(tuple(spacing))
    for order, flips in product(permutations(range(axes)), product((1, -1), repeat=axes)):
        turned = weights(tuple(spacing[axis] for axis in order))
        step = tuple(slice(None, None, flip) for flip in flips)
        moved = [code_of(corners(code, axes).transpose(order)[step]) for code in range(2**2**axes)]
        assert (turned[moved] == found).all()
    assert (found == found[::-1]).all()


@given(st.lists(SPACINGS, min_size=2, max_size=3), st.floats(0.1, 10))
def test_sizes_grow_with_the_spacing(spacing, factor):
    axes = len(spacing)
    found = weights(tuple(factor * side for side in spacing))
    assert np.allclose(found, weights(tuple(spacing)) * factor ** (axes - 1), rtol=1e-14, atol=0)
    assert (found[1:-1] > 0).all()
    assert not found[[0, -1]].any()


def test_nobody_can_change_them():
    with pytest.raises(ValueError, match="read-only"):
        weights((1.0, 1.0))[3] = 2


@needs_vectors
@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S4", "R1", "R4:7", "R4:20", "R4:13"])
def test_areas_of_real_masks_are_those_of_deepmind(name):
    reference, prediction, spacing = pair(name)
    found = {}
    for side, mask in (("ref", reference), ("pred", prediction)):
        area = weights(spacing)[codes_of(mask)]
        found |= {f"area_{side}": math.fsum(area), f"n_{side}": np.count_nonzero(area)}
    expected = printed(name, "deepmind")
    assert {each: expected[each] for each in found} == found
