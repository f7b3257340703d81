"""The mean of soft scores over classes, on two classes whose curves can be drawn by hand."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dicecli.reports.soft.averages import macro
from dicecli.statistics.soft.sums import BINS, STEPS, ChannelSums


def of_pixels(inside, outside):
    """Return the sums of a class as far as thresholds need them: pixels by their probability."""
    table = np.zeros((2, STEPS + 1), np.int64)
    for row, counts in zip(table, (inside, outside), strict=True):
        for p, n in counts.items():
            row[round(p * STEPS)] = n
    return ChannelSums(0, 0, 0, 0, 0, 0, (0,) * BINS, *table)


#: Dice is 4/5 up to the threshold 1/4, 1/2 up to 1/2, 2/3 up to 3/4, and 0 beyond.
FIRST = of_pixels({0.75: 1, 0.25: 1}, {0.5: 1})
#: Dice is 1/2 up to the threshold 1/4, and 1 beyond.
SECOND = of_pixels({1: 1}, {0.25: 2})
#: In neither mask: no threshold gives a Dice.
NOWHERE = of_pixels({}, {0: 3})
SUMS = [FIRST, SECOND]
ROWS = [
    {"brier": 0.25, "dice_at_half": 0.5, "dice_best": 0.8, "best_threshold": 0.25, "gain": 0.3, "dice_argmax": 0.75},
    {"brier": 0.75, "dice_at_half": 1.0, "dice_best": 1.0, "best_threshold": 0.5, "gain": 0.0, "dice_argmax": 0.25},
]  # fmt: skip


def test_scores_are_averaged_but_the_threshold_is_that_of_the_mean_curve():
    """Their mean Dice is largest, (2/3 + 1)/2, from above 1/2 to 3/4: neither's own best threshold."""
    values, undefined = macro(ROWS, SUMS, has_argmax=False)
    assert values == pytest.approx(
        {
            "brier": 0.5,
            "dice_at_half": 0.75,
            "dice_argmax": 0.5,
            "dice_best": 5 / 6,
            "best_threshold": 0.501,
            "gain": 5 / 6 - 0.75,
        },
        rel=1e-14,
    )
    assert undefined == dict.fromkeys(values, 0)


def test_the_gain_is_over_the_largest_probability_where_there_is_one():
    """The mean Dice of the largest probability is 1/2, that at 1/2 is 3/4."""
    values, _ = macro(ROWS, SUMS, has_argmax=True)
    assert values["gain"] == pytest.approx(5 / 6 - 0.5, rel=1e-14)


def test_undefined_values_are_left_out_and_counted():
    """A class without a Dice changes no mean of it; what belongs to the curve leaves out as many as Dice at 1/2."""
    nan = dict.fromkeys(ROWS[0], math.nan)
    values, undefined = macro([*ROWS, {**nan, "brier": 0.25}], [*SUMS, NOWHERE], has_argmax=False)
    before, _ = macro(ROWS, SUMS, has_argmax=False)
    assert values == {**before, "brier": pytest.approx(1.25 / 3, rel=1e-14)}
    assert undefined == {**dict.fromkeys(values, 1), "brier": 0}


def test_each_score_has_a_count_of_its_own():
    """Dice of the largest probability can be undefined where Dice at 1/2 is not; the curve follows the latter."""
    first = {**ROWS[0], "dice_argmax": math.nan}
    values, undefined = macro([first, ROWS[1]], SUMS, has_argmax=True)
    assert values["dice_argmax"] == 0.25
    assert undefined == {**dict.fromkeys(values, 0), "dice_argmax": 1}


def test_of_classes_that_are_nowhere_the_mean_is_undefined():
    """Where no class has a Dice there is no best threshold and no gain, and none of them is 0."""
    nan = dict.fromkeys(ROWS[0], math.nan)
    values, undefined = macro([nan, nan], [NOWHERE, NOWHERE], has_argmax=False)
    assert all(math.isnan(value) for value in values.values())
    assert undefined == dict.fromkeys(values, 2)


def test_of_no_class_there_is_no_mean():
    """Without a class there is nothing to name."""
    assert macro([], [], has_argmax=True) == ({}, {})
