"""From sums to soft scores: every number of a class of four pixels, and of all channels, checked on paper."""

from __future__ import annotations

import math

import numpy as np
import pytest

from dicecli.metrics._soft.numbers import combined, overall, scores_of, tuned
from dicecli.records.counts import Counts
from dicecli.records.probabilities import Probabilities
from dicecli.statistics.soft.sums import BINS, STEPS, ChannelSums, JointSums, SoftSums, exact

EXACT = Probabilities(smooth=0.0)
#: -(log 3/4 + log 1/4 + log 1/2 + log 1), the cross-entropy of the four pixels below.
ENTROPY = math.log(32 / 3)


def channel(overlap, prediction, squared, entropy, brier, confidence, inside, outside):
    """Return the sums of a class; `confidence` by bin, `inside` and `outside` by probability."""
    said = tuple(exact(float(confidence.get(place, 0))) for place in range(BINS))
    table = np.zeros((2, STEPS + 1), np.int64)
    for row, counts in zip(table, (inside, outside), strict=True):
        for p, n in counts.items():
            row[round(p * STEPS)] = n
    sums = (exact(float(each)) for each in (overlap, prediction, squared, entropy, brier))
    return ChannelSums(*sums, 0, said, *table)


#: Four pixels: p 3/4 and 1/4 where the class is, 1/2 and 0 where it is not.
SUMS = channel(
    1.0, 1.5, 0.875, ENTROPY, 0.875, {15: 0.75, 5: 0.25, 10: 0.5}, {0.75: 1, 0.25: 1}, {0.5: 1, 0: 1}
)
#: The class that is everything else there: p 1/4 and 3/4 where it is not, 1/2 and 1 where it is.
REST = channel(
    1.5, 2.5, 1.875, ENTROPY, 0.875, {5: 0.25, 15: 0.75, 10: 0.5, 19: 1.0},
    {0.5: 1, 1: 1}, {0.25: 1, 0.75: 1},
)  # fmt: skip
#: Largest p 3/4 twice, one of them right, 1/2 of both, which is right, and 1, which is right.
JOINT = JointSums(
    exact(ENTROPY),
    0,
    tuple(exact({15: 1.5, 10: 0.5, 19: 1.0}.get(place, 0.0)) for place in range(BINS)),
    np.array([{15: 2, 10: 1, 19: 1}.get(place, 0) for place in range(BINS)]),
    np.array([{15: 1, 10: 1, 19: 1}.get(place, 0) for place in range(BINS)]),
    np.array([[2, 0], [1, 1]]),
)
BOTH = SoftSums((REST, SUMS), JOINT)


def near(expected):
    return pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


# One class.


def test_every_score_of_a_class():
    """Each score of the four pixels is the fraction that its definition gives."""
    assert scores_of(SUMS, None, EXACT) == near(
        {
            "soft_dice_standard": 4 / 7,
            "soft_dice_jaccard": 2 / 5,
            "soft_dice_squared": 16 / 23,
            "loss_standard": 3 / 7,
            "loss_jaccard": 3 / 5,
            "loss_squared": 7 / 23,
            "cross_entropy": ENTROPY / 4,
            "dice_ce": 3 / 7 + ENTROPY / 4,
            "brier": 7 / 32,
            "ece": 3 / 8,
            "average_precision": 5 / 6,
            # At 1/2 one pixel is found, one missed and one invented.
            "dice_at_half": 1 / 2,
            "dice_argmax": math.nan,
            # Up to 1/4 both are found, with one invented.
            "dice_best": 4 / 5,
            "best_threshold": 1 / 4,
            "gain": 4 / 5 - 1 / 2,
        }
    )


def test_a_class_and_its_complement_are_equally_wrong():
    """What is said of a class is said of its complement: Brier score and cross-entropy are the same."""
    names = ["brier", "cross_entropy"]
    assert [scores_of(REST, None, EXACT)[name] for name in names] == near([7 / 32, ENTROPY / 4])


def test_the_gain_over_the_largest_probability():
    """Where channels exclude each other, Dice is that of their hard counts, and the gain is over it."""
    scores = scores_of(SUMS, Counts(3, 1, 2, 4), EXACT)
    assert scores["dice_argmax"] == near(2 / 3)
    assert scores["dice_at_half"] == near(1 / 2)
    assert scores["gain"] == near(4 / 5 - 2 / 3)


def test_epsilon_is_added_above_and_below():
    """With ε = 1: 3/4.5, 2/3.5 and 3/3.875."""
    scores = scores_of(SUMS, None, Probabilities(smooth=1.0))
    assert [scores[f"soft_dice_{form}"] for form in ("standard", "jaccard", "squared")] == near(
        [2 / 3, 4 / 7, 24 / 31]
    )


@pytest.mark.parametrize(("form", "loss"), [("standard", 3 / 7), ("jaccard", 3 / 5), ("squared", 7 / 23)])
def test_dice_and_cross_entropy_are_of_the_form_and_weights_asked_for(form, loss):
    """Dice + cross-entropy takes the loss of its form twice and half the cross-entropy."""
    softness = Probabilities(smooth=0.0, form=form, dice_weight=2.0, ce_weight=0.5)
    assert scores_of(SUMS, None, softness)["dice_ce"] == near(2 * loss + 0.5 * ENTROPY / 4)


def test_of_no_pixel_every_score_is_undefined():
    """Without a pixel, and without ε, no score is a number: not even 0."""
    scores = scores_of(ChannelSums.zero(), Counts(), EXACT)
    assert len(scores) == 16
    assert all(math.isnan(value) for value in scores.values())


def test_a_class_that_is_nowhere_is_perfect_by_epsilon_alone():
    """Of two pixels that neither mask has, soft Dice is ε/ε = 1; hard Dice and the gain stay undefined."""
    nowhere = channel(0, 0, 0, 0, 0, {}, {}, {0: 2})
    scores = scores_of(nowhere, Counts(tn=2), Probabilities())
    assert [scores[name] for name in ("soft_dice_standard", "loss_jaccard", "brier", "ece")] == [1, 0, 0, 0]
    undefined = ["average_precision", "best_threshold", "dice_argmax", "dice_at_half", "dice_best", "gain"]
    assert undefined == sorted(name for name, value in scores.items() if math.isnan(value))


def test_weights_of_dice_and_cross_entropy():
    """2 · 1/4 + 4 · 1/2."""
    assert combined(0.25, 0.5, Probabilities(dice_weight=2.0, ce_weight=4.0)) == 2.5


@pytest.mark.parametrize(("has_argmax", "gain"), [(True, 0.5), (False, 0.25)])
def test_the_best_threshold_of_a_curve(has_argmax, gain):
    """It is compared with Dice of the largest probability where there is one, else with that at 1/2."""
    dice = np.full(STEPS, 0.25)
    dice[299] = 0.75
    found = tuned(dice, {"dice_argmax": 0.25, "dice_at_half": 0.5}, has_argmax=has_argmax)
    assert found == {"dice_best": 0.75, "best_threshold": 0.3, "gain": gain}


# All channels.


def test_every_score_of_channels_that_exclude_each_other():
    """Generalised Dice of two classes of 2 pixels each is (2 · 2.5) / (3.5 + 4.5), however they weigh."""
    assert overall(BOTH, [REST, SUMS], 0.25, EXACT) == near(
        {
            "generalised_dice_square": 5 / 8,
            "generalised_dice_simple": 5 / 8,
            "generalised_dice_uniform": 5 / 8,
            "overall_cross_entropy": ENTROPY / 4,
            "overall_dice_ce": 0.25 + ENTROPY / 4,
            # Over both classes, of each pixel.
            "overall_brier": 7 / 16,
            # Two pixels of 3/4 and one hit are one half apart, and so are one of 1/2 and its hit.
            "overall_ece": 1 / 4,
            "overall_accuracy": 3 / 4,
        }
    )


def test_every_score_of_independent_channels():
    """Each pixel counts once per channel, and there is no accuracy."""
    scores = overall(SoftSums((REST, SUMS)), [SUMS], 0.25, EXACT)
    assert scores == near(
        {
            # Of the one evaluated class: that is its standard form.
            "generalised_dice_square": 4 / 7,
            "generalised_dice_simple": 4 / 7,
            "generalised_dice_uniform": 4 / 7,
            "overall_cross_entropy": ENTROPY / 4,
            "overall_dice_ce": 0.25 + ENTROPY / 4,
            "overall_brier": 7 / 32,
            # Of the two pixels of p 1/4, of 1/2 and of 3/4 one each has the class; 0 and 1 are right.
            "overall_ece": (abs(1 - 0.5) + abs(1 - 1.5)) / 8,
            "overall_accuracy": math.nan,
        }
    )


def test_generalised_dice_weighs_classes_by_their_size():
    """Classes of 2 and 4 pixels weigh 1 and 1/4, 1 and 1/2, or alike; ε is added once."""
    larger = channel(3, 4, 3, 1, 1, {}, {1: 4}, {0: 4})
    scores = overall(SoftSums((SUMS, larger)), [SUMS, larger], 0.0, EXACT)
    names = [f"generalised_dice_{name}" for name in ("square", "simple", "uniform")]
    assert [scores[name] for name in names] == near([3.5 / 5.5, 5 / 7.5, 8 / 11.5])
    scores = overall(SoftSums((SUMS, larger)), [SUMS, larger], 0.0, Probabilities(smooth=1.0))
    assert [scores[name] for name in names] == near([4.5 / 6.5, 6 / 8.5, 9 / 12.5])


def test_the_mean_loss_and_the_entropy_have_their_weights():
    """3 · 1/4 + 2 · cross-entropy."""
    softness = Probabilities(smooth=0.0, dice_weight=3.0, ce_weight=2.0)
    scores = overall(BOTH, [SUMS], 0.25, softness)
    assert scores["overall_dice_ce"] == near(0.75 + 2 * ENTROPY / 4)


def test_a_region_is_not_counted_twice():
    """The channel of a region is a sum of others: beside them it changes no score of all channels."""
    region = channel(4, 4, 4, 9, 9, {19: 4}, {1: 4}, {})
    with_region = SoftSums((REST, SUMS, region), JOINT)
    assert overall(with_region, [SUMS], 0.25, EXACT) == overall(BOTH, [SUMS], 0.25, EXACT)


@pytest.mark.parametrize("joint", [0, 2])
def test_of_no_pixel_every_score_of_all_channels_is_undefined(joint):
    """Without a pixel, and without ε, nothing is a number and nothing warns."""
    nothing = SoftSums.empty(2, joint=joint)
    scores = overall(nothing, nothing.channels, math.nan, EXACT)
    assert len(scores) == 8
    assert all(math.isnan(value) for value in scores.values())
