"""Hard Dice along the thresholds: of four pixels, and the one threshold for classes whose curves can be drawn by hand."""

from __future__ import annotations

import math

import maps
import pytest
import soft_brute as brute
from hypothesis import given
from hypothesis import strategies as st
from maps import FOUR

from dicecli.metrics._catalogue import catalogue
from dicecli.records.counts import Counts
from dicecli.reports.averages import AVERAGES
from dicecli.reports.pools import Pools, Sums
from dicecli.statistics.soft.measured import Channel

TUNED = ("dice_best", "best_threshold", "gain")
#: Dice is 4/5 up to the threshold 1/4, 1/2 up to 1/2, 2/3 up to 3/4, and 0 beyond.
FIRST = brute.channel([0.75, 0.25, 0.5], [1, 1, 0])
#: Dice is 1/2 up to the threshold 1/4, and 1 beyond.
SECOND = brute.channel([1, 0.25, 0.25], [1, 0, 0])
#: In neither mask: no threshold gives a Dice.
NOWHERE = brute.channel([0, 0, 0], [0, 0, 0])
#: The same two with hard counts of the largest probability: Dice 3/4 and 1/4.
FIRST_OF_ALL, SECOND_OF_ALL = (
    Channel(each.sums, counts) for each, counts in ((FIRST, Counts(3, 1, 1)), (SECOND, Counts(1, 3, 3)))
)


def near(expected):
    return pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


def macro(name, *channels, average="macro"):
    """Return an average over labels of one case."""
    metric = catalogue()[name]
    pools = Pools(
        Sums([channels], channels),
        metric.value,
        lambda: [metric.value(each) for each in channels],
        lambda: [[metric.value(each) for each in channels]],
        lambda: [each.sums.reference for each in channels],
        over=metric.over_labels,
    )
    return AVERAGES[average].compute(pools)


# One class.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # At 1/2 one pixel is found, one missed and one invented.
        ("dice_at_half", 1 / 2),
        ("dice_argmax", math.nan),
        # Up to 1/4 both are found, with one invented.
        ("dice_best", 4 / 5),
        ("best_threshold", 1 / 4),
        ("gain", 4 / 5 - 1 / 2),
    ],
)
def test_every_score_of_a_class(name, expected):
    """Each score of the four pixels is the fraction that its definition gives."""
    assert maps.value(name, FOUR) == near(expected)


def test_the_gain_over_the_largest_probability():
    """Where channels exclude each other, Dice is that of their hard counts, and the gain is over it."""
    channel = Channel(FOUR.sums, Counts(3, 1, 2, 4))
    assert maps.value("dice_argmax", channel) == near(2 / 3)
    assert maps.value("dice_at_half", channel) == near(1 / 2)
    assert maps.value("gain", channel) == near(4 / 5 - 2 / 3)


@given(
    st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=30),
)
def test_what_plain_python_gives(pixels):
    """Every threshold is tried; a pixel is predicted from its own probability on."""
    p, g = [each / 1000 for each, _ in pixels], [int(each) for _, each in pixels]
    channel = brute.channel(p, g)
    threshold, dice = brute.best(p, g)
    half = brute.hard_dice(*brute.counts_at(p, g, 0.5))
    found = [maps.value(name, channel) for name in (*TUNED, "dice_at_half")]
    assert found == near([dice, threshold, dice - half, half])


# Averages over classes.


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dice_at_half", 0.75),
        # Largest is (2/3 + 1)/2, from above 1/2 to 3/4: neither's own best threshold.
        ("dice_best", 5 / 6),
        ("best_threshold", 0.501),
        ("gain", 5 / 6 - 0.75),
    ],
)
def test_macro_has_the_threshold_of_the_mean_curve(name, expected):
    """One threshold for all classes: the one at which the mean of their Dice is largest."""
    found = macro(name, FIRST, SECOND)
    assert (found, found.n, found.undefined, found.infinite) == (near(expected), 2, 0, 0)
    assert found.finite == near(expected)


def test_the_macro_gain_is_over_the_largest_probability_where_there_is_one():
    """The mean Dice of the largest probability is 1/2, that at 1/2 is 3/4."""
    assert macro("gain", FIRST_OF_ALL, SECOND_OF_ALL).value == near(5 / 6 - 0.5)
    assert macro("gain", FIRST, SECOND_OF_ALL).value == near(5 / 6 - 0.75)


@pytest.mark.parametrize("name", ["dice_at_half", *TUNED])
def test_undefined_values_are_left_out_and_counted(name):
    """A class without a Dice changes no mean of it, and each score says so."""
    without = macro(name, FIRST, SECOND)
    found = macro(name, FIRST, NOWHERE, SECOND)
    assert (found, found.n, found.undefined, found.finite) == (without, without.n, 1, without.finite)


def test_each_score_has_a_count_of_its_own():
    """Where nothing is in the reference and p is small, the best Dice is 0 and that at 1/2 is undefined."""
    small = brute.channel([0.2, 0.1, 0.0], [0, 0, 0])
    assert (macro("dice_best", FIRST, small).n, macro("dice_best", FIRST, small).undefined) == (2, 0)
    assert (macro("dice_at_half", FIRST, small).n, macro("gain", FIRST, small).undefined) == (1, 1)
    first = Channel(FIRST.sums, Counts())
    found = macro("dice_argmax", first, SECOND_OF_ALL)
    assert (found, found.n, found.undefined) == (0.25, 1, 1)
    found = macro("dice_at_half", first, SECOND_OF_ALL)
    assert (found.n, found.undefined) == (2, 0)


@pytest.mark.parametrize("name", TUNED)
def test_of_classes_that_are_nowhere_the_mean_is_undefined(name):
    """Where no class has a Dice there is no best threshold and no gain, and none of them is 0."""
    found = macro(name, NOWHERE, NOWHERE)
    assert math.isnan(found.value)
    assert (found.n, found.undefined) == (0, 2)
    assert math.isnan(macro(name).value)


def test_weighted_has_the_threshold_of_the_weighted_curve():
    """Two thirds of the first curve and one of the second: (2 · 2/3 + 1)/3 against (2 · 4/5 + 1/2)/3."""
    found = {name: macro(name, FIRST, SECOND, average="weighted").value for name in TUNED}
    half = (2 * 1 / 2 + 1) / 3
    expected = (2 * 2 / 3 + 1) / 3
    assert found == near({"dice_best": expected, "best_threshold": 0.501, "gain": expected - half})


def test_a_class_without_weight_has_no_say():
    """A class that is nowhere in the reference weighs nothing, whatever its curve."""
    invented = brute.channel([0.9, 0.9, 0.9], [0, 0, 0])
    for name in TUNED:
        found = macro(name, FIRST, invented, average="weighted").value
        assert found == near(macro(name, FIRST).value)
