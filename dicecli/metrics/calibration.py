"""Whether probabilities are to be believed: Brier score, calibration error, and how well they rank pixels."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import metric
from dicecli.records.wholes import ratio, real, total

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.statistics.soft.measured import Channel, Together
    from dicecli.statistics.soft.sums import ChannelSums

_BRIER = "Brier GW. Monthly Weather Review 78:1, 1950"
_score = partial(metric, of="soft", shown="rows", undefined="there is no pixel", better="lower")
_together = partial(metric, of="soft", takes="every", undefined="there is no pixel", better="lower")


@_score(formula="mean((p - g)²)", source=_BRIER)
def brier(channel: Channel) -> float:
    """Brier score of the class: the mean squared error of its probability."""
    return _squared_error(channel.sums, channel.sums.pixels)


@_score(
    formula="Σ_b n_b / n abs(mean p - mean g) over 20 bins of equal width, [0, 0.05) to [0.95, 1]",
    spoken="ECE",
    source="Naeini MP et al. AAAI, 2015. doi:10.1609/aaai.v29i1.9602",
)
def ece(channel: Channel) -> float:
    """Expected calibration error: how far probabilities are from how often they come true."""  # noqa: D401 - its name
    return _of_class(channel.sums)


@_score(
    formula="Σ_k (R_k - R_(k-1)) P_k",
    undefined="the reference is empty",
    better="higher",
    shown="always",
    resampled=False,
    source="Zhu M. Technical report, University of Waterloo, 2004",
)
def average_precision(channel: Channel) -> float:
    """Area under precision and recall, over the thresholds 1, 0.999 ... 0, not interpolated."""
    import numpy as np

    sums = channel.sums
    if not sums.reference:
        return math.nan
    tp, fp = (np.cumsum(each[::-1]) for each in (sums.inside, sums.outside))
    gained = np.diff(tp, prepend=0)
    kept = gained > 0
    terms = gained[kept] * (tp[kept] / (tp[kept] + fp[kept]))
    return math.fsum(terms.tolist()) / sums.reference


@_together(formula="mean(Σ_c (p - g)²)", high=2, remark="0 to 1 for the mean", source=_BRIER)
def overall_brier(maps: Together) -> float:
    """Brier score over channels that exclude each other, their sum; else the mean of the channels' own."""
    return _squared_error(maps.pooled, maps.pixels)


@_together(
    formula="Σ_b n_b / n abs(mean of the largest p - share of pixels where it is right), "
    "over the bins of ece",
    spoken="Overall ECE",
    source="Guo C et al. ICML, 2017",
)
def overall_ece(maps: Together) -> float:
    """Calibration of the largest probability, where channels exclude each other; else of all pooled."""
    if maps.joint is None:
        return _of_class(maps.pooled)
    joint = maps.joint
    return _calibration_error(joint.most.tolist(), joint.hits.tolist(), joint.confidence)


@_together(
    formula="pixels where it is / pixels",
    undefined="there is no pixel",
    better="higher",
    source="Congalton RG. Remote Sensing of Environment 37(1), 1991. doi:10.1016/0034-4257(91)90048-B",
)
def overall_accuracy_argmax(maps: Together) -> float | None:
    """Share of the pixels where the largest probability is the reference's class, where channels exclude."""
    if maps.joint is None:
        return None
    return int(maps.joint.hits.sum()) / maps.pixels if maps.pixels else math.nan


def _squared_error(sums: ChannelSums, pixels: int) -> float:
    from dicecli.statistics.soft.sums import rounded

    return ratio(rounded(sums.brier), pixels)


def _calibration_error(pixels: Sequence[int], hits: Sequence[int], confidence: Sequence[int]) -> float:
    """Return Σ_b n_b / n abs(hits_b / n_b - confidence_b / n_b); NaN where there is no pixel.

    Parameters
    ----------
    pixels, hits : sequence of int
        By bin.
    confidence : sequence of int
        The probabilities added up, by bin, in units of 2^-1074.
    """
    from dicecli.statistics.soft.sums import rounded

    apart = (abs(real(hit) - rounded(said)) for hit, said in zip(hits, confidence, strict=True))
    return ratio(total(apart), sum(pixels))


def _of_class(sums: ChannelSums) -> float:
    """Return the calibration error of one class: its probability against how often it is there."""
    inside, outside = sums.bins
    return _calibration_error([a + b for a, b in zip(inside, outside, strict=True)], inside, sums.confidence)
