"""Every threshold at once: hard Dice, precision and recall along the thresholds, from one histogram."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicecli.records.counts import Counts
from dicecli.statistics.soft.sums import BINS, STEPS, rounded

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
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)

    @property
    def precision(self) -> np.ndarray:
        """Precision at each threshold; NaN where nothing is predicted."""
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> np.ndarray:
        """Recall at each threshold; NaN where the reference is empty."""
        return ratio(self.tp, self.tp + self.fn)

    def counts(self, threshold: float) -> Counts:
        """Return the four counts at one of the thresholds."""
        place = round(threshold * STEPS) - 1
        return Counts(*(int(each[place]) for each in (self.tp, self.fp, self.fn, self.tn)))


def curve(sums: ChannelSums) -> Curve:
    """Return the counts at every threshold."""
    tp, fp = (np.cumsum(each[::-1])[::-1][1:] for each in (sums.inside, sums.outside))
    thresholds = np.arange(1, STEPS + 1) / STEPS
    return Curve(thresholds, tp, fp, sums.reference - tp, int(sums.outside.sum()) - fp)


def ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """Divide whole numbers; NaN where the divisor is 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        found: np.ndarray = above / below
    return np.where(below > 0, found, np.nan)


def mean_dice(curves: Sequence[Curve]) -> np.ndarray:
    """Return the mean over classes of Dice at each threshold; undefined values are left out."""
    dice = np.array([each.dice for each in curves]).reshape(len(curves), STEPS)
    defined = ~np.isnan(dice)
    return ratio(np.where(defined, dice, 0.0).sum(axis=0), defined.sum(axis=0))


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


def average_precision(sums: ChannelSums) -> float:
    """Return Σ (R_k - R_{k-1}) P_k over the thresholds from 1 down to 0: the area under precision and recall.

    Between 0 and 1. NaN where the reference is empty. Without interpolation, as scikit-learn defines it.

    Source: Zhu M. Technical report, University of Waterloo, 2004.
    """
    if not sums.reference:
        return math.nan
    tp, fp = (np.cumsum(each[::-1]) for each in (sums.inside, sums.outside))
    gained = np.diff(tp, prepend=0)
    kept = gained > 0
    terms = gained[kept] * (tp[kept] / (tp[kept] + fp[kept]))
    return math.fsum(terms.tolist()) / sums.reference


def calibration_error(pixels: Sequence[int], hits: Sequence[int], confidence: Sequence[int]) -> float:
    """Return the expected calibration error: Σ_b n_b / n abs(hits_b / n_b - confidence_b / n_b).

    Between 0 and 1. NaN where there is no pixel.

    Parameters
    ----------
    pixels, hits : sequence of int
        By bin.
    confidence : sequence of int
        The probabilities added up, by bin, in units of 2^-1074.

    Source: Naeini MP, Cooper GF, Hauskrecht M. AAAI, 2015. doi:10.1609/aaai.v29i1.9602
    """
    total = sum(pixels)
    if not total:
        return math.nan
    apart = (abs(hit - rounded(said)) for hit, said in zip(hits, confidence, strict=True))
    return math.fsum(apart) / total


def of_class(sums: ChannelSums) -> float:
    """Return the expected calibration error of one class: its probability against how often it is there."""
    inside, outside = (_by_bin(each) for each in (sums.inside, sums.outside))
    return calibration_error([a + b for a, b in zip(inside, outside, strict=True)], inside, sums.confidence)


def _by_bin(counts: np.ndarray) -> list[int]:
    merged: list[int] = counts[:STEPS].reshape(BINS, -1).sum(axis=1).tolist()
    merged[-1] += int(counts[STEPS])
    return merged
