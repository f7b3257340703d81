"""Brier score, calibration error and average precision, of four pixels and of all channels, checked on paper."""

from __future__ import annotations

import math

import maps
import numpy as np
import pytest
import soft_brute as brute
from hypothesis import given
from hypothesis import strategies as st
from maps import FOUR, REST


def near(expected):
    return pytest.approx(expected, rel=1e-14, abs=0, nan_ok=True)


@pytest.mark.parametrize(
    ("name", "expected"), [("brier", 7 / 32), ("ece", 3 / 8), ("average_precision", 5 / 6)]
)
def test_every_score_of_a_class(name, expected):
    """Each score of the four pixels is the fraction that its definition gives."""
    assert maps.value(name, FOUR) == near(expected)


def test_a_class_and_its_complement_are_equally_wrong():
    """What is said of a class is said of its complement: the Brier score is the same."""
    assert maps.value("brier", REST) == near(7 / 32)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        # Over both classes, of each pixel.
        ("overall_brier", 7 / 16),
        # Two pixels of 3/4 and one hit are one half apart, and so are one of 1/2 and its hit.
        ("overall_ece", 1 / 4),
        ("overall_accuracy_argmax", 3 / 4),
    ],
)
def test_channels_that_exclude_each_other(name, expected):
    """Calibration is of the largest probability, and its class is right or wrong."""
    assert maps.value(name, maps.four([0, 1])) == near(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("overall_brier", 7 / 32),
        # Of the two pixels of p 1/4, of 1/2 and of 3/4 one each has the class; 0 and 1 are right.
        ("overall_ece", (abs(1 - 0.5) + abs(1 - 1.5)) / 8),
        ("overall_accuracy_argmax", math.nan),
    ],
)
def test_independent_channels(name, expected):
    """Each pixel counts once per channel, and there is no accuracy."""
    assert maps.value(name, maps.four([1], exclusive=False)) == near(expected)


@given(st.lists(st.tuples(st.integers(0, 1000), st.booleans()), min_size=1, max_size=30))
def test_what_plain_python_gives(pixels):
    """Probabilities on the edges of bins and thresholds too: each pixel is in the bin that begins there."""
    p, g = [each / 1000 for each, _ in pixels], [int(each) for _, each in pixels]
    channel = brute.channel(p, g)
    assert maps.value("ece", channel) == pytest.approx(brute.calibration_error(p, g), rel=1e-11, abs=1e-13)
    assert maps.value("average_precision", channel) == pytest.approx(
        brute.average_precision(p, g), rel=1e-12, nan_ok=True
    )
    assert maps.value("brier", channel) == pytest.approx(
        np.mean((np.array(p) - g) ** 2), rel=1e-12, abs=1e-300
    )
