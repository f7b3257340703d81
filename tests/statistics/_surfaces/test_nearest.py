"""How far points are from the nearest of others: the C extension and its twin, held against all pairs."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicecli.statistics._surfaces import extension
from dicecli.statistics._surfaces.nearest import Tree

FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
SPACINGS = [0.6000000238, 0.7, 1.0, 3.0, 1e-3, 0.1, 1e4]


@pytest.fixture(params=["native", "numpy"], autouse=True)
def implementation(request, monkeypatch):
    """Let the extension, where it was built, or its twin look for points."""
    if request.param == "numpy":
        monkeypatch.setattr(extension, "native", lambda: None)
    elif extension.native() is None:
        pytest.skip("the C extension is not built")
    return request.param


def all_pairs(points, queries, spacing):
    """Return the distance of each query from the nearest point: of all pairs, squares added smallest first."""
    best = np.full(len(queries), np.inf)
    for point in points:
        squares = np.sort(((queries.astype(float) - point) * spacing) ** 2, axis=1)
        total = squares[:, 0] + squares[:, 1]
        best = np.minimum(best, total + squares[:, 2] if squares.shape[1] == 3 else total)
    return np.sqrt(best)


@st.composite
def sets(draw, axes, most=300):
    """Draw points: anywhere up to a limit, in a plane, all alike, or far from 0; some of them twice."""
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    limit = draw(st.sampled_from([0, 1, 3, 20, 500, 2**20, 2**31 - 1]))
    low = draw(st.sampled_from([-limit, 0, 2**31 - 1 - limit, -(2**31)]))
    points = random.integers(low, min(low + 2 * limit, 2**31 - 1) + 1, (draw(st.integers(1, most)), axes))
    if draw(st.booleans()):
        points[:, draw(st.integers(0, axes - 1))] = points[0, 0]
    return points.astype(np.int32)


@st.composite
def cases(draw):
    """Two sets of points, which may share some, and a spacing."""
    axes = draw(st.integers(2, 3))
    points, queries = draw(sets(axes)), draw(sets(axes))
    if draw(st.booleans()):
        queries = np.concatenate([queries, points[: len(points) // 2]])
    return points, queries, [draw(st.sampled_from(SPACINGS)) for _ in range(axes)]


@FIXTURES
@given(cases())
def test_distances_are_those_of_all_pairs_to_the_bit(case):
    """Whatever the points are, also where they lie at the ends of 32 bits, and in the order they were given."""
    points, queries, spacing = case
    found = Tree(points).nearest(Tree(queries), spacing)
    assert all_pairs(points, queries, spacing).tolist() == found.tolist()


@FIXTURES
@given(cases(), st.permutations(range(3)), st.integers(0, 7))
def test_axes_in_another_order_or_direction_change_no_bit(case, order, flipped):
    """Nor does a hint how long steps are, nor the order of the points."""
    *sides, spacing = case
    sides = [np.maximum(each, -(2**31) + 1) for each in sides]  # whose opposite is a number of 32 bits, too
    order = [each for each in order if each < len(spacing)]
    signs = np.array([-1 if flipped >> each & 1 else 1 for each in order], np.int32)
    points, queries = (Tree(each, spacing) for each in sides)
    steps = [spacing[each] for each in order]
    turned, turned_queries = (Tree(each[::-1, order] * signs) for each in sides)
    found = turned.nearest(turned_queries, steps)
    assert points.nearest(queries, spacing).tolist() == found[::-1].tolist()


def surface(centre, radius, shape=(26, 28, 24)):
    """Return the voxels of a sphere's shell."""
    square = sum(
        (axis - at) ** 2 for axis, at in zip(np.ogrid[tuple(map(slice, shape))], centre, strict=True)
    )
    is_shell = (square <= radius**2) & (square > (radius - 1.1) ** 2)
    return np.argwhere(is_shell).astype(np.int32, order="C")


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (surface((13, 14, 12), 11), surface((14, 12, 12), 10)),
        (surface((13, 14, 12), 9), surface((13, 14, 12), 9) + np.array([280, 3, 0], np.int32)),
        (surface((13, 14, 12), 3), surface((13, 14, 12), 11)),
    ],
    ids=["near", "far", "inside"],
)
@pytest.mark.parametrize("spacing", [(1, 1, 1), (0.7, 0.7, 3.0)])
def test_surfaces(first, second, spacing):
    """Many points that lie as surfaces do: near each other, far apart, one inside the other."""
    trees = Tree(first, spacing), Tree(second, spacing)
    assert all_pairs(first, second, spacing).tolist() == trees[0].nearest(trees[1], spacing).tolist()
    assert all_pairs(second, first, spacing).tolist() == trees[1].nearest(trees[0], spacing).tolist()


def test_a_distance_equal_to_a_tolerance_is_not_missed_by_a_rounding():
    """Steps are counted first and multiplied afterwards: 3 x 0.1 is what NumPy makes of it, wherever it lies."""
    for at in range(0, 1000, 37):
        points, queries = np.array([[at, 5, 5]], np.int32), np.array([[at + 3, 5, 5]], np.int32)
        assert [np.sqrt((3 * 0.1) ** 2)] == Tree(points).nearest(Tree(queries), (0.1, 0.1, 0.1)).tolist()


def test_long_distances_are_right():
    """From one end of 32 bits to the other, against whole numbers of any size."""
    ends = np.array([[-(2**31)] * 3], np.int32), np.array([[2**31 - 1] * 3], np.int32)
    (found,) = Tree(ends[0]).nearest(Tree(ends[1]), (1, 1, 1)).tolist()
    assert abs(Fraction(found) ** 2 / (3 * (2**32 - 1) ** 2) - 1) < Fraction(1, 2**50)


def test_distances_beyond_all_numbers_are_infinite():
    """A square that no float64 holds is inf, not an error."""
    points = Tree(np.zeros((20, 3), np.int32)), Tree(np.full((20, 3), 9, np.int32))
    with np.errstate(over="ignore"):
        assert [np.inf] * 20 == points[0].nearest(points[1], (1e200, 1.0, 1.0)).tolist()


def test_one_tree_serves_many_threads():
    """Nothing of a tree is changed by a search, whose others run meanwhile."""
    trees = [Tree(surface((13, 14, 12), radius)) for radius in (8, 9, 11)]
    pairs = [(a, b) for a in trees for b in trees] * 2
    wanted = [a.nearest(b, (1, 1, 2)).tolist() for a, b in pairs]
    with ThreadPoolExecutor(4) as threads:
        found = threads.map(lambda pair: pair[0].nearest(pair[1], (1, 1, 2)).tolist(), pairs)
        assert wanted == list(found)


@pytest.mark.parametrize(
    "points",
    [
        np.zeros((0, 3), np.int32),
        np.zeros((5, 1), np.int32),
        np.zeros((5, 4), np.int32),
        np.zeros(5, np.int32),
        np.zeros((5, 3), np.int64),
        np.zeros((5, 3)),
    ],
)
def test_what_are_no_points_is_refused(points):
    with pytest.raises(ValueError, match="not points"):
        Tree(points)


def test_points_of_other_axes_are_refused():
    flat, solid = Tree(np.zeros((5, 2), np.int32)), Tree(np.zeros((5, 3), np.int32))
    for queries, spacing in ((solid, (1, 1)), (solid, (1, 1, 1)), (flat, (1, 1, 1))):
        with pytest.raises(ValueError, match="axes"):
            flat.nearest(queries, spacing)
    assert (5, 5) == (len(flat), len(solid))


def test_points_in_any_memory_are_taken():
    """Of another order or at an odd address."""
    points = surface((13, 14, 12), 10)
    odd = np.zeros(points.nbytes + 1, np.uint8)[1:].view(np.int32).reshape(points.shape)
    odd[...] = points
    queries = Tree(surface((12, 12, 11), 10))
    wanted = Tree(points).nearest(queries, (1, 2, 3)).tolist()
    for each in (odd, np.asfortranarray(points), np.repeat(points, 2, axis=0)[::2]):
        assert wanted == Tree(each).nearest(queries, (1, 2, 3)).tolist()


def test_buffers_that_do_not_fit_are_refused(implementation):
    """By the extension, whatever they hold; it writes nowhere else, and reads nothing else."""
    if implementation == "numpy":
        pytest.skip("the twin has no buffers")
    native = extension.native()
    points = surface((13, 14, 12), 9)
    n, leaves = len(points), -(-len(points) // 8)
    tree = Tree(points)._points
    order, cells, boxes = tree._order, tree._cells, tree._boxes
    raised = (0, 0, 0)
    assert leaves == len(cells)
    for wrong in (
        (points, raised, order[1:], cells, boxes),
        (points, raised, order, cells[1:], boxes),
        (points, raised, order, cells, boxes[1:]),
        (points[:, :2].copy(), raised, order, cells, boxes),
        (points[:, :1].copy(), raised, order, cells, boxes),
        (points[:0], raised, order[:0], cells[:0], boxes[:0]),
        (points.ravel(), raised, order, cells, boxes),
        (points, (0, 31, 0), order, cells, boxes),
        (points, (0, 0, -1), order, cells, boxes),
    ):
        with pytest.raises(ValueError, match=r"tree|size|number|bits"):
            native.build(*wrong)
    with pytest.raises(TypeError, match="format"):
        native.build(points.astype(np.int64), raised, order, cells, boxes)
    found = np.empty(n)
    steps = (1.0, 1.0, 1.0)
    good = [n, cells, boxes, 3, steps, order, cells, boxes, found]
    native.nearest(*good)
    assert not found.any()
    for place, wrong in (
        (0, n + 8), (0, 0), (0, -1), (1, cells[1:]), (2, boxes[1:]), (3, 2), (3, 4), (5, order[1:]),
        (5, order + np.uint32(1)), (6, cells[1:]), (7, boxes[1:]), (8, found[1:]),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=r"tree|size|number"):
            native.nearest(*good[:place], wrong, *good[place + 1 :])
    random = np.random.default_rng(1)
    for _ in range(20):  # any numbers are a tree of some kind, if no good one
        made = [random.integers(-(2**31), 2**31, each.shape).astype(np.int32) for each in (cells, boxes)]
        native.nearest(n, *made, 3, steps, order, *made, found)
