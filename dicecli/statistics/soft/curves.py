"""Every threshold at once: hard Dice, precision and recall along the thresholds, from one histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicecli.records.counts import Counts
from dicecli.statistics.soft.sums import STEPS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.statistics.soft.sums import ChannelSums


@dataclass(frozen=True, eq=False)
class Curve:
    """What each threshold gives; a pixel is predicted where its probability is at least the threshold.

    Attributes
    ----------
    thresholds : numpy.ndarray
        float64, ``(1000,)``: 0.001, 0.002 ... 1.
    tp, fp, fn, tn : numpy.ndarray
        int64, exact counts at each.
    """

    thresholds: np.ndarray
    tp: np.ndarray
    fp: np.ndarray
    fn: np.ndarray
    tn: np.ndarray

    @property
    def dice(self) -> np.ndarray:
        """Hard Dice at each threshold; NaN where neither mask has the class."""
        return divided(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def precision(self) -> np.ndarray:
        """Precision at each threshold; NaN where nothing is predicted."""
        return divided(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> np.ndarray:
        """Recall at each threshold; NaN where the reference is empty."""
        return divided(self.tp, self.tp + self.fn)

    @property
    def best(self) -> tuple[float, float]:
        """The threshold with the largest Dice, and that Dice; NaN where neither mask has the class."""
        return best(self.dice)

    def counts(self, threshold: float) -> Counts:
        """Return the four counts at one of the thresholds."""
        place = round(threshold * STEPS) - 1
        return Counts(*(int(each[place]) for each in (self.tp, self.fp, self.fn, self.tn)))


def curve(sums: ChannelSums) -> Curve:
    """Return the counts at every threshold."""
    tp, fp = (np.cumsum(each[::-1])[::-1][1:] for each in (sums.inside, sums.outside))
    thresholds = np.arange(1, STEPS + 1) / STEPS
    return Curve(thresholds, tp, fp, sums.reference - tp, int(sums.outside.sum()) - fp)


def divided(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide numbers from 0; NaN where the divisor is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = above / below
    return np.where(below > 0, found, np.nan)


def mean_dice(curves: Sequence[Curve], weights: Sequence[float] | None = None) -> np.ndarray:
    """Return the mean over classes of Dice at each threshold, weighted or not, of the defined ones."""
    dice = np.array([each.dice for each in curves]).reshape(len(curves), STEPS)
    each = np.ones((len(curves), 1)) if weights is None else np.array(weights, np.float64)[:, None]
    kept = np.where(np.isnan(dice), 0.0, each)
    return divided((np.where(kept > 0, dice, 0.0) * kept).sum(axis=0), kept.sum(axis=0))


def best(dice: np.ndarray) -> tuple[float, float]:
    """Return the threshold with the largest Dice, and that; of equal ones the nearest to 0.5, then the lower.

    Both are NaN where Dice is undefined at every threshold.
    """
    if np.isnan(dice).all():
        return math.nan, math.nan
    largest = float(np.nanmax(dice))
    places = np.flatnonzero(dice == largest) + 1
    place = int(places[np.argmin(np.abs(2 * places - STEPS))])
    return place / STEPS, largest
