"""Lists of distances, against fractions and NumPy, and against what tools print."""

from __future__ import annotations

import math
from fractions import Fraction
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from vector_pairs import needs_vectors, pair, printed

from dicecli.statistics._surfaces.cells import weights as cell_weights
from dicecli.statistics._surfaces.lists import Distances, mean, of, percentile, pooled

VALUES = st.lists(
    st.integers(0, 12).map(math.sqrt) | st.floats(0, 1e6, allow_subnormal=False), min_size=1, max_size=40
)
WEIGHTS = st.sampled_from([0.1, 0.2165063509461096, 1.0, 3.7])
WEIGHTED = st.lists(st.tuples(st.integers(0, 6).map(math.sqrt), WEIGHTS), min_size=1, max_size=40)
PERCENTAGES = st.sampled_from([0, 5, 50, 95, 99, 99.9, 100]) | st.floats(0, 100)


def weighted(pairs):
    return of(*np.array(pairs).T)


def same(one, other):
    """Tell whether two lists are the same to the bit."""
    both = ((one.values, other.values), (one.weights, other.weights))
    return all(a is b is None or a.tobytes() == b.tobytes() for a, b in both)


@given(VALUES, PERCENTAGES)
def test_linear_is_the_percentile_of_numpy(values, percent):
    """To the bit; the weights do not matter."""
    expected = float(np.percentile(values, percent))
    assert expected == percentile(of(np.array(values)), percent, "linear")
    assert expected == percentile(of(np.array(values), np.arange(1.0, len(values) + 1)), percent, "linear")


def test_linear_is_the_percentile_of_numpy_at_any_rank():
    """Which rounds in another way in the upper half between two neighbours."""
    rng = np.random.default_rng(7)
    for size in range(2, 300):
        values, percent = rng.random(size), float(rng.integers(0, 1001)) / 10
        assert float(np.percentile(values, percent)) == percentile(of(values), percent, "linear")


@given(VALUES, PERCENTAGES)
def test_index_takes_the_rank_below(values, percent):
    expected = sorted(values)[math.floor((len(values) - 1) * Fraction(str(percent)) / 100)]
    assert expected == percentile(of(np.array(values)), percent, "index")
    assert expected == percentile(of(np.array(values), np.ones(len(values))), percent, "index")


@given(VALUES, PERCENTAGES)
def test_step_takes_the_first_that_reaches_the_share(values, percent):
    wanted = Fraction(str(percent)) / 100
    expected = next(
        value for at, value in enumerate(sorted(values), 1) if Fraction(at, len(values)) >= wanted
    )
    assert expected == percentile(of(np.array(values)), percent, "step")


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 5)), min_size=1, max_size=30), PERCENTAGES)
def test_a_weight_is_as_often(pairs, percent):
    """A point of weight 0.3 is three of weight 0.1: even where a share is reached exactly."""
    values, times = np.array(pairs).T
    found = percentile(of(values, 0.1 * times), percent, "step")
    assert found == percentile(of(np.repeat(values, times)), percent, "step")


@pytest.mark.parametrize("weight", [0.1, 0.7, 1 / 3])
def test_a_share_that_is_reached_exactly_is_reached(weight):
    """However sums of weights are rounded."""
    for size in range(20, 600, 20):
        values = np.arange(size)
        found = percentile(of(values, np.full(size, weight)), 95, "step")
        assert found == percentile(of(values), 95, "step") == size * 19 // 20 - 1


@pytest.mark.parametrize(("percent", "expected"), [(99.9, 998), (99.8, 997), (0.1, 0)])
def test_percentages_are_decimal_numbers(percent, expected):
    """The 999th of 1000 reaches 99.9 %; in binary 99.9 / 100 is more than 0.999."""
    assert expected == percentile(of(np.arange(1000)), percent, "step")
    assert math.ceil(999 * percent / 100 - 1e-9) - 1 <= percentile(of(np.arange(1000)), percent, "index")


@given(WEIGHTED, st.randoms())
def test_means_hang_on_no_order(pairs, random):
    for distances in (of, weighted):
        given_as = [each[0] for each in pairs] if distances is of else pairs
        shuffled = random.sample(given_as, len(given_as))
        one, other = distances(np.array(given_as)), distances(np.array(shuffled))
        assert same(one, other)
        assert mean(one) == mean(other)
    exact = sum(Fraction(value) * Fraction(weight) for value, weight in pairs)
    total = sum(Fraction(weight) for _, weight in pairs)
    assert mean(weighted(pairs)) == pytest.approx(float(exact / total), rel=1e-15)
    plain = sum(Fraction(value) for value, _ in pairs) / len(pairs)
    assert mean(of(np.array(pairs)[:, 0])) == pytest.approx(float(plain), rel=1e-15)


@given(WEIGHTED, WEIGHTED)
def test_pooled_is_the_list_of_all(one, other):
    """And the mean of the pooled list is that of both sums."""
    assert same(weighted(one + other), pooled(weighted(one), weighted(other)))
    values = [np.array(each)[:, 0] for each in (one, other)]
    assert same(of(np.concatenate(values)), pooled(*map(of, values)))


@given(WEIGHTED, st.lists(st.floats(0, 3), min_size=2, max_size=2))
def test_what_is_within_grows_with_the_tolerance(pairs, tolerances):
    """By exactly the points between; it is all at the largest distance."""
    values = np.array(pairs)[:, 0]
    for distances, size in ((weighted(pairs), math.fsum), (of(values), len)):
        found = [distances.within(tolerance) for tolerance in sorted(tolerances)]
        assert found == [
            size([weight for value, weight in pairs if value <= tolerance * (1 + 1e-6)])
            for tolerance in sorted(tolerances)
        ]
        assert found[0] <= found[1] <= distances.total == distances.within(distances.largest)
        assert distances.total == size([weight for _, weight in pairs])


def test_a_distance_of_the_tolerance_is_within():
    """Spacings in files are of single precision."""
    distances = of(np.array([float(np.float32(0.6)), 0.6 * (1 + 2e-6)]))
    assert (1, 2) == (distances.within(0.6), distances.within(0.6000007))
    assert isinstance(distances.within(0.6), int)


def test_integers_become_distances():
    assert of(np.array([3, 1], np.int32)).values.tolist() == [1.0, 3.0]
    assert of(np.array([3, 1], np.float32)).values.dtype == np.float64


def test_what_is_given_is_left_as_it_is():
    given_values = np.array([3.0, 1.0])
    of(given_values)
    assert [3, 1] == given_values.tolist()


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: of(np.zeros(0)), "at least one distance"),
        (lambda: of(np.zeros(0), np.zeros(0)), "at least one point"),
        (lambda: Distances(np.zeros(0)), "a surface has at least one"),
        (lambda: pooled(of(np.ones(1)), of(np.ones(1), np.ones(1))), "cannot be pooled"),
        (lambda: percentile(of(np.ones(1)), 100.1, "linear"), "from 0 to 100, not 100.1"),
        (lambda: percentile(of(np.ones(1)), -1, "step"), "from 0 to 100, not -1"),
        (lambda: percentile(of(np.ones(1)), math.nan, "index"), "from 0 to 100, not nan"),
        (lambda: percentile(of(np.ones(1)), 95, "nearest"), "'nearest' is none of linear, step, index"),
    ],
)
def test_what_is_no_list_or_percentile_is_refused(call, words):
    with pytest.raises(ValueError, match=words):
        call()


# --- What tools print -----------------------------------------------------------------------------------------


def rim(mask):
    """Return where the rim voxels of a mask are."""
    padded = np.pad(mask, 1)
    inside = np.ones(mask.shape, bool)
    for axis, step in product(range(mask.ndim), (-1, 1)):
        inside &= np.roll(padded, step, axis)[(slice(1, -1),) * mask.ndim]
    return np.argwhere(mask & ~inside), None


def corners(mask, spacing):
    """Return where the corners of a mask are, and the line or surface at each."""
    padded = np.pad(mask, 1).astype(int)
    codes = 0
    for corner in product((0, 1), repeat=mask.ndim):
        part = padded[tuple(slice(at, n - 1 + at) for at, n in zip(corner, padded.shape, strict=True))]
        codes = 2 * codes + part
    found = cell_weights(spacing)[codes]
    return np.argwhere(found), found[found > 0]


def lists(points, spacing):
    """Return both lists of distances, by all pairs of points: from the reference, and from the prediction."""
    (ours, our_weights), (theirs, their_weights) = points
    squares = [
        ((ours[:, None, axis] - theirs[None, :, axis]) * side) ** 2 for axis, side in enumerate(spacing)
    ]
    squares = np.sqrt(sum(np.sort(np.stack(squares), axis=0)))
    return of(squares.min(axis=1), our_weights), of(squares.min(axis=0), their_weights)


def of_rims(one, other):
    """Return what tools print that measure between rims, by tool and metric."""
    both = pooled(one, other)
    linear, index = (max(percentile(each, 95, rule) for each in (one, other)) for rule in ("linear", "index"))
    hd, assd = max(one.largest, other.largest), mean(both)
    masd = (mean(one) + mean(other)) / 2
    share = {f"nsd@{tau}.0": (one.within(tau) + other.within(tau)) / both.total for tau in (1, 2)}
    shares = {
        f"nsd@{tau}.0": sum(each.within(tau) / each.total for each in (one, other)) / 2 for tau in (1, 2)
    }
    pool95 = percentile(both, 95, "linear")
    return {
        "monai": {"hd": hd, "assd": assd, "asd(default)": mean(other), **share},
        "metricsreloaded": {"hd": hd, "hd95": linear, "assd": assd, "masd": masd, **share},
        "medpy": {"hd": hd, "hd95": pool95, "assd": assd, "asd(ref,pred)": mean(one)},
        "panoptica": {"hd95": pool95, "assd": masd, **shares},
        "gcm": {"hd": hd, "hd95": index, "modified_hd": max(mean(one), mean(other))},
    }


def of_corners(one, other):
    """Return what DeepMind's tool prints, and MONAI in the same way."""
    within = {tau: [each.within(tau) for each in (one, other)] for tau in (1, 2)}
    total = math.fsum([one.total, other.total])
    return {
        "deepmind": {
            "hd": max(one.largest, other.largest),
            "hd95": max(percentile(each, 95, "step") for each in (one, other)),
            "asd_ref_to_pred": mean(one),
            "asd_pred_to_ref": mean(other),
            **{f"nsd@{tau}.0": sum(found) / total for tau, found in within.items()},
            "overlap_ref@1.0": within[1][0] / one.total,
            "overlap_pred@1.0": within[1][1] / other.total,
        },
        "monai": {f"nsd_subvoxel@{tau}.0": sum(found) / total for tau, found in within.items()},
    }


@needs_vectors
@pytest.mark.parametrize("name", ["S1", "S2", "S3", "S4"])
def test_tools_print_the_same(name):
    reference, prediction, spacing = pair(name)
    surfaces = [(of_rims, rim), (of_corners, lambda mask: corners(mask, spacing))]
    for numbers, points in surfaces:
        for tool, found in numbers(*lists([points(reference), points(prediction)], spacing)).items():
            expected = printed(name, tool)
            assert {metric: expected[metric] for metric in found} == found
