"""Soft Dice, its losses and cross-entropy, of four pixels and of all channels, checked on paper."""

from __future__ import annotations

import math

import maps
import pytest
import soft_brute as brute
from maps import ENTROPY, FOUR, REST

from dicecli.metrics._catalogue import every_of
from dicecli.records.counts import Counts
from dicecli.statistics.soft.measured import Channel, Together
from dicecli.statistics.soft.sums import ChannelSums, JointSums

ROWS = [each.name for each in every_of("probabilities") if each.takes == "row"]
TOGETHER = [each.name for each in every_of("probabilities") if each.takes == "every"]
GENERALISED = [f"generalised_dice_{name}" for name in ("square", "simple", "uniform")]


def near(expected):
    return pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


# One class.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("soft_dice_standard", 4 / 7),
        ("soft_dice_jaccard", 2 / 5),
        ("soft_dice_squared", 16 / 23),
        ("loss_standard", 3 / 7),
        ("loss_jaccard", 3 / 5),
        ("loss_squared", 7 / 23),
        ("cross_entropy", ENTROPY / 4),
        ("dice_ce", 3 / 7 + ENTROPY / 4),
    ],
)
def test_every_score_of_a_class(name, expected):
    """Each score of the four pixels is the fraction that its definition gives."""
    assert maps.value(name, FOUR) == near(expected)


def test_a_class_and_its_complement_are_equally_surprised():
    """What is said of a class is said of its complement: cross-entropy is the same."""
    assert maps.value("cross_entropy", REST) == near(ENTROPY / 4)


def test_epsilon_is_added_above_and_below():
    """With ε = 1: 3/4.5, 2/3.5 and 3/3.875."""
    forms = ("standard", "jaccard", "squared")
    assert [maps.value(f"soft_dice_{form}", FOUR, smooth=1.0) for form in forms] == near(
        [2 / 3, 4 / 7, 24 / 31]
    )


@pytest.mark.parametrize(("form", "loss"), [("standard", 3 / 7), ("jaccard", 3 / 5), ("squared", 7 / 23)])
def test_dice_and_cross_entropy_are_of_the_form_and_weights_asked_for(form, loss):
    """Dice + cross-entropy takes the loss of its form twice and half the cross-entropy."""
    found = maps.value("dice_ce", FOUR, form=form, dice_weight=2.0, ce_weight=0.5)
    assert found == near(2 * loss + 0.5 * ENTROPY / 4)


def test_of_no_pixel_every_score_is_undefined():
    """Without a pixel, and without ε, no score is a number: not even 0."""
    nothing = Channel(ChannelSums.zero(), Counts())
    assert len(ROWS) == 16
    assert all(math.isnan(maps.value(name, nothing)) for name in ROWS)


def test_a_class_that_is_nowhere_is_perfect_by_epsilon_alone():
    """Of two pixels that neither mask has, soft Dice is ε/ε = 1; hard Dice and the gain stay undefined."""
    nowhere = brute.channel([0.0, 0.0], [0, 0], [0, 0])
    found = {name: maps.value(name, nowhere, smooth=1e-5) for name in ROWS}
    assert [found[name] for name in ("soft_dice_standard", "loss_jaccard", "brier", "ece")] == [1, 0, 0, 0]
    undefined = ["average_precision", "best_threshold", "dice_argmax", "dice_at_half", "dice_best", "gain"]
    assert undefined == sorted(name for name, value in found.items() if math.isnan(value))


# All channels.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Of two classes of 2 pixels each it is (2 · 2.5) / (3.5 + 4.5), however they weigh.
        *((name, 5 / 8) for name in GENERALISED),
        ("overall_cross_entropy", ENTROPY / 4),
        # The mean loss of the two is 1/2 · (3/7 + 1/3).
        ("overall_dice_ce", (3 / 7 + 1 / 3) / 2 + ENTROPY / 4),
    ],
)
def test_channels_that_exclude_each_other(name, expected):
    """Cross-entropy is of the reference's class alone."""
    assert maps.value(name, maps.four([0, 1])) == near(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Of the one evaluated class: that is its standard form.
        *((name, 4 / 7) for name in GENERALISED),
        ("overall_cross_entropy", ENTROPY / 4),
        ("overall_dice_ce", 3 / 7 + ENTROPY / 4),
    ],
)
def test_independent_channels(name, expected):
    """Each pixel counts once per channel."""
    assert maps.value(name, maps.four([1], exclusive=False)) == near(expected)


@pytest.mark.parametrize(
    ("smooth", "expected"), [(0.0, (3.5 / 5.5, 5 / 7.5, 8 / 11.5)), (1.0, (4.5 / 6.5, 6 / 8.5, 9 / 12.5))]
)
def test_generalised_dice_weighs_classes_by_their_size(smooth, expected):
    """Classes of 2 and 4 pixels weigh 1 and 1/4, 1 and 1/2, or alike; ε is added once."""
    larger = brute.channel([1.0, 1.0, 1.0, 0.0, 1.0], [1, 1, 1, 1, 0])
    both = Together((FOUR, larger), (FOUR.sums, larger.sums), None)
    assert [maps.value(name, both, smooth=smooth) for name in GENERALISED] == near([*expected])


def test_the_mean_loss_and_the_entropy_have_their_weights():
    """3 · 3/7 + 2 · cross-entropy."""
    found = maps.value("overall_dice_ce", maps.four([1]), dice_weight=3.0, ce_weight=2.0)
    assert found == near(9 / 7 + 2 * ENTROPY / 4)


@pytest.mark.parametrize("form", ["standard", "jaccard", "squared"])
def test_the_mean_loss_is_of_the_form_asked_for(form):
    """The mean of the labels' losses, those that are undefined left out."""
    nowhere = brute.channel([0.0] * 4, [0] * 4)
    losses = [maps.value(f"loss_{form}", each) for each in (FOUR, REST)]
    every = Together((FOUR, REST, nowhere), (FOUR.sums, REST.sums), None)
    found = maps.value("overall_dice_ce", every, form=form, ce_weight=0.0)
    assert found == near(sum(losses) / 2)


@pytest.mark.parametrize("joint", [None, JointSums.zero(2)], ids=["independent", "exclusive"])
def test_of_no_pixel_every_score_of_all_channels_is_undefined(joint):
    """Without a pixel, and without ε, nothing is a number and nothing warns."""
    nothing = (Channel(ChannelSums.zero(), None),) * 2
    every = Together(nothing, tuple(each.sums for each in nothing), joint)
    assert len(TOGETHER) == 8
    assert all(math.isnan(maps.value(name, every)) for name in TOGETHER)
