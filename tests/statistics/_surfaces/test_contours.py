"""Contours, against their definition for one mask at a time, and against what DAVIS prints."""

from __future__ import annotations

import math
from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_pairs import needs_vectors, pair, printed

from dicecli.statistics._surfaces.contours import contour_points


@st.composite
def masks(draw):
    """Draw a mask of a few codes in clumps, 0 and ignored pixels among them, the way a table has them."""
    height, width, dtype = (
        draw(st.integers(0, 12)),
        draw(st.integers(0, 9)),
        draw(st.sampled_from([np.uint8, np.uint16, np.uint32])),
    )
    rng = np.random.default_rng(draw(st.integers(0, 10**6)))
    codes = (
        rng.integers(0, 4, (height, width))
        .repeat(draw(st.integers(1, 3)), 0)
        .repeat(draw(st.integers(1, 3)), 1)
    )
    codes = codes[:height, :width].astype(dtype)
    codes[rng.random(codes.shape) < draw(st.sampled_from([0, 0.2]))] = np.iinfo(dtype).max
    return np.ascontiguousarray(codes)


def by_definition(codes):
    """Return each code with the places of the pixels on its contour."""
    (height, width), ignored = codes.shape, np.iinfo(codes.dtype).max
    found = []
    for code, row, column in product(np.unique(codes).tolist(), range(height), range(width)):
        steps = ((0, 1), (1, 0), (1, 1))
        there = [codes[row + a, column + b] for a, b in steps if row + a < height and column + b < width]
        valid = [each for each in there if each != ignored] if codes[row, column] != ignored else []
        if code not in {0, ignored} and any((each == code) != (codes[row, column] == code) for each in valid):
            found.append((code, row * width + column))
    return found


def pairs(found):
    index, code = found
    assert index.dtype == np.int64
    return list(zip(code.tolist(), index.tolist(), strict=True))


@given(masks(), st.sets(st.integers(1, 11)))
def test_contours_are_as_defined(codes, cuts):
    """Whole, and block by block with a row of context: by code, then by place, each once."""
    expected = by_definition(codes)
    found = contour_points(codes, slice(0, len(codes)), last=True, start=0)
    assert found[1].dtype == codes.dtype
    assert expected == pairs(found)
    edges, blocks = sorted({0, *(cut for cut in cuts if cut < len(codes)), len(codes)}), []
    for begin, end in pairwise(edges):
        above = begin // 2
        block = codes[above : end + 1]
        core = slice(begin - above, end - above)
        blocks += pairs(contour_points(block, core, last=end + 1 >= len(codes), start=above))
    assert expected == sorted(blocks)


def test_the_last_row_and_column_look_one_way():
    """The last row to the right alone, the last column down alone, the last pixel nowhere."""
    codes = np.array([[0, 0, 0], [0, 0, 1], [0, 1, 0]], np.uint8)
    assert [(1, place) for place in (1, 2, 3, 4, 5, 6, 7)] == pairs(
        contour_points(codes, slice(0, 3), last=True, start=0)
    )
    assert pairs(contour_points(np.eye(2, dtype=np.uint8)[::-1].copy(), slice(0, 2), last=True, start=0)) == [
        (1, 0),
        (1, 1),
        (1, 2),
    ]


def test_places_are_beyond_32_bits():
    codes = np.ones((2, 3), np.uint8)
    codes[0, 0] = 0
    found = contour_points(codes, slice(0, 2), last=True, start=2**33)
    assert [(1, 3 * 2**33)] == pairs(found)


def test_a_missing_row_is_told():
    with pytest.raises(ValueError, match="the row after"):
        contour_points(np.ones((3, 3), np.uint8), slice(0, 3), last=False, start=0)


def near(points, shape, reach):
    """Return which pixels are within reach of points, by shifting the image of these."""
    image = np.zeros(shape, bool)
    image.ravel()[points] = True
    padded = np.pad(image, reach)
    found = np.zeros(shape, bool)
    for down, right in product(range(-reach, reach + 1), repeat=2):
        if down**2 + right**2 <= reach**2:
            rows, columns = (
                slice(reach + step, reach + step + n) for step, n in zip((down, right), shape, strict=True)
            )
            found |= padded[rows, columns]
    return found.ravel()


@needs_vectors
@pytest.mark.parametrize("name", ["S1", "R3"])
def test_f_is_that_of_davis(name):
    """The harmonic mean of the shares of each contour that is near the other."""
    *sides, _ = pair(name)
    shape = sides[0].shape
    reference, prediction = (
        contour_points(np.ascontiguousarray(mask, np.uint8), slice(0, len(mask)), last=True, start=0)[0]
        for mask in sides
    )
    found = {}
    for metric, reach in (("F(0.008)", math.ceil(0.008 * math.hypot(*shape))), ("F@2px", 2)):
        precision = near(reference, shape, reach)[prediction].mean()
        recall = near(prediction, shape, reach)[reference].mean()
        found[metric] = 2 * precision * recall / (precision + recall)
    expected = printed(name, "davis")
    assert {metric: expected[metric] for metric in found} == found
