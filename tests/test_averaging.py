"""The six named averages, on numbers that can be checked on paper."""

from __future__ import annotations

import math
from fractions import Fraction

import pytest

import dicecli
from dicecli.averaging import DEFINITIONS, OF_ONE_CASE, average, mean
from dicecli.catalogue import resolve
from dicecli.counts import Counts, pooled

dice, iou, precision = (resolve(name).function for name in ("dice", "iou", "precision"))
EMPTY = Counts(tn=10)

#: Two cases of two labels. Dice: 1/2 and 1, then 0 and 1/2. Pooled per label: 2/7, 2/3; all: 1/2.
TWO = [
    [Counts(1, 1, 1, 7), Counts(1, 0, 0, 9)],
    [Counts(0, 2, 1, 7), Counts(1, 1, 1, 7)],
]
#: As above, but the second label is in neither mask of the second case.
ONE_MISSING = [[Counts(1, 1, 1, 7), Counts(1, 0, 0, 9)], [Counts(0, 2, 1, 7), EMPTY]]
#: A third label is in no mask at all.
ONE_NOWHERE = [[*case, EMPTY] for case in TWO]
NOWHERE = [[EMPTY, EMPTY], [EMPTY, EMPTY]]


def near(expected):
    return pytest.approx(float(expected), rel=1e-15, abs=0)


@pytest.mark.parametrize(
    ("name", "of_dice", "of_iou", "n"),
    [
        # Labels (1, 3, 2) and (2, 1, 1): Dice 2/7 and 4/6, IoU 1/6 and 2/4.
        ("macro", Fraction(10, 21), Fraction(1, 3), 2),
        # All together (3, 4, 3): 6/13 and 3/10.
        ("micro", Fraction(6, 13), Fraction(3, 10), 4),
        # The labels have 3 and 3 pixels in the reference.
        ("weighted", Fraction(10, 21), Fraction(1, 3), 2),
        # Cases (2, 1, 1) and (1, 3, 2): the same numbers by chance of the table's symmetry.
        ("micro-imagewise", (Fraction(4, 6) + Fraction(2, 7)) / 2, (Fraction(1, 2) + Fraction(1, 6)) / 2, 2),
        # Dice 1/2, 1 and 0, 1/2; IoU 1/3, 1 and 0, 1/3.
        ("macro-imagewise", (Fraction(3, 4) + Fraction(1, 4)) / 2, (Fraction(2, 3) + Fraction(1, 6)) / 2, 2),
        ("label-mean", (Fraction(1, 4) + Fraction(3, 4)) / 2, (Fraction(1, 6) + Fraction(2, 3)) / 2, 2),
    ],
)
def test_two_cases_of_two_labels(name, of_dice, of_iou, n):
    """Where everything is defined, each average is its definition, and nothing is left out."""
    for metric, expected in ((dice, of_dice), (iou, of_iou)):
        actual = average(name, TWO, metric)
        assert near(expected) == actual.value
        assert (n, 0) == (actual.n, actual.undefined)
