"""Every threshold at once: the counts along the thresholds, the best of them, and means over classes."""

from __future__ import annotations

import math

import numpy as np
import pytest
import soft_brute as brute
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.statistics.soft.curves import best, curve, divided, mean_dice
from dicecli.statistics.soft.sums import STEPS

probabilities = st.integers(0, 1000).map(lambda each: each / 1000) | st.floats(0, 1, allow_subnormal=False)
pixels = st.lists(st.tuples(probabilities, st.booleans()), max_size=20)


@settings(max_examples=50)
@given(pixels)
def test_each_threshold_counts_what_reaches_it(pixels):
    """A pixel is predicted where its probability is at least the threshold."""
    p, g = [each for each, _ in pixels], [int(each) for _, each in pixels]
    found = curve(brute.channel_sums(p, g))
    assert found.thresholds.tolist() == [k / 1000 for k in range(1, 1001)]
    for k in (1, 2, 250, 500, 501, 999, 1000):
        tp, fp, fn, tn = brute.counts_at(p, g, k / 1000)
        assert tuple(found.counts(k / 1000)) == (tp, fp, fn, tn)
        place = k - 1
        assert found.dice[place] == pytest.approx(brute.hard_dice(tp, fp, fn), nan_ok=True)
        assert found.precision[place] == pytest.approx(tp / (tp + fp) if tp + fp else math.nan, nan_ok=True)
        assert found.recall[place] == pytest.approx(tp / (tp + fn) if tp + fn else math.nan, nan_ok=True)
    assert found.best == pytest.approx(brute.best(p, g) if p else (math.nan,) * 2, nan_ok=True)


@pytest.mark.parametrize(
    ("places", "expected"),
    [([300], 0.3), ([300, 699], 0.699), ([300, 700], 0.3), ([1, 1000], 0.001), ([499, 500, 501], 0.5)],
)
def test_of_equally_good_thresholds_it_is_the_nearest_to_one_half(places, expected):
    """Of two that are equally near it is the lower; what is undefined is never best."""
    dice = np.full(STEPS, 0.25)
    dice[400:450] = math.nan
    dice[np.array(places) - 1] = 0.75
    assert best(dice) == (expected, 0.75)


def test_where_dice_is_undefined_there_is_no_best_threshold():
    """Neither the threshold nor the Dice is a number, and nothing warns."""
    assert all(map(math.isnan, best(np.full(STEPS, math.nan))))


@settings(max_examples=50)
@given(st.lists(pixels, max_size=4), st.data())
def test_the_mean_over_classes_leaves_out_what_is_undefined(classes, data):
    """At each threshold it is the mean over the classes that have a Dice there, weighted or not."""
    curves = [curve(brute.channel_sums([p for p, _ in each], [int(g) for _, g in each])) for each in classes]
    weights = data.draw(
        st.none() | st.lists(st.integers(0, 5), min_size=len(curves), max_size=len(curves)), "weights"
    )
    found = mean_dice(curves, weights)
    assert found.shape == (STEPS,)
    for place in (0, 99, 499, 999):
        dice = [each.dice[place].item() for each in curves]
        pairs = [*zip(dice, [1] * len(dice) if weights is None else weights, strict=True)]
        kept = [(value, weight) for value, weight in pairs if weight and not math.isnan(value)]
        total = sum(weight for _, weight in kept)
        expected = math.fsum(value * weight for value, weight in kept) / total if total else math.nan
        assert found[place] == pytest.approx(expected, rel=1e-12, nan_ok=True)


def test_division_by_nothing_is_undefined():
    """Neither 0/0 nor n/0 is a number, and nothing warns."""
    found = divided(np.array([0, 3, 4]), np.array([0, 0, 8]))
    assert found.tolist() == pytest.approx([math.nan, math.nan, 0.5], nan_ok=True)
