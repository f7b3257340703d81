"""From sums to scores: of one class, and of all channels together."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.metrics._soft import thresholds
from dicecli.statistics.soft import forms as soft_forms
from dicecli.statistics.soft.sums import pooled, rounded

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.records.counts import Counts
    from dicecli.records.softness import Softness
    from dicecli.statistics.soft.sums import ChannelSums, SoftSums


def scores_of(sums: ChannelSums, argmax: Counts | None, softness: Softness) -> dict[str, float]:
    """Return every score of one class; NaN where undefined.

    Parameters
    ----------
    sums : ChannelSums
        Of a class, or of several pooled.
    argmax : Counts or None
        The hard counts of the largest probability, where channels exclude each other.
    softness : Softness
    """
    n = sums.pixels
    dice = {name: _soft(name, sums, softness.smooth) for name in soft_forms.FORMS}
    values = {f"soft_dice_{name}": value for name, value in dice.items()}
    values |= {f"loss_{name}": 1 - value for name, value in dice.items()}
    values["cross_entropy"] = rounded(sums.cross_entropy) / n if n else math.nan
    values["dice_ce"] = combined(1 - dice[softness.form], values["cross_entropy"], softness)
    values["brier"] = rounded(sums.brier) / n if n else math.nan
    values["ece"] = thresholds.of_class(sums)
    values["average_precision"] = thresholds.average_precision(sums)
    curve = thresholds.curve(sums)
    values["dice_at_half"] = _hard(curve.counts(0.5))
    values["dice_argmax"] = math.nan if argmax is None else _hard(argmax)
    return values | tuned(curve.dice, values, has_argmax=argmax is not None)


def combined(loss: float, entropy: float, softness: Softness) -> float:
    """Return a Dice loss and a cross-entropy, added with their weights."""
    return softness.dice_weight * loss + softness.ce_weight * entropy


def tuned(dice: np.ndarray, values: Mapping[str, float], *, has_argmax: bool) -> dict[str, float]:
    """Return the best threshold of a curve, and what it brings."""
    threshold, best = thresholds.best(dice)
    now = values["dice_argmax" if has_argmax else "dice_at_half"]
    return {"dice_best": best, "best_threshold": threshold, "gain": best - now}


def _soft(form: str, sums: ChannelSums, smooth: float) -> float:
    try:
        return float(soft_forms.FORMS[form](sums.sums, smooth))
    except ZeroDivisionError:
        return math.nan


def _hard(counts: Counts) -> float:
    below = 2 * counts.tp + counts.fp + counts.fn
    return 2 * counts.tp / below if below else math.nan


def overall(
    sums: SoftSums, evaluated: Sequence[ChannelSums], macro_loss: float, softness: Softness
) -> dict[str, float]:
    """Return the scores of all channels together.

    Parameters
    ----------
    sums : SoftSums
        Of every channel, the background's too.
    evaluated : sequence of ChannelSums
        Of those that take part in averages: what generalised Dice is over.
    macro_loss : float
        The mean of their Dice losses.
    softness : Softness
    """
    values = {}
    each = [one.sums for one in evaluated]
    columns = zip(*each, strict=True) if each else ((),) * len(soft_forms.Sums._fields)
    stacked = soft_forms.Sums(*(np.array(column, np.float64) for column in columns))
    for weighting in soft_forms.WEIGHTINGS:
        with np.errstate(invalid="ignore"):
            value = soft_forms.generalised(stacked, softness.smooth, weighting) if each else math.nan
        values[f"generalised_dice_{weighting}"] = float(value)
    entropy, brier, ece, accuracy = _joint(sums)
    values["overall_cross_entropy"] = entropy
    values["overall_dice_ce"] = combined(macro_loss, entropy, softness)
    values["overall_brier"] = brier
    values["overall_ece"] = ece
    values["overall_accuracy"] = accuracy
    return values


def _joint(sums: SoftSums) -> tuple[float, float, float, float]:
    """Return cross-entropy, Brier score, calibration error and accuracy of all channels."""
    joint = sums.joint
    every = pooled(sums.channels if joint is None else sums.channels[: len(joint.table)])
    if not every.pixels:
        return math.nan, math.nan, math.nan, math.nan
    if joint is None:
        n = every.pixels
        return (
            rounded(every.cross_entropy) / n,
            rounded(every.brier) / n,
            thresholds.of_class(every),
            math.nan,
        )
    n = int(joint.table.sum())
    error = thresholds.calibration_error(joint.most.tolist(), joint.hits.tolist(), joint.confidence)
    return rounded(joint.cross_entropy) / n, rounded(every.brier) / n, error, int(joint.hits.sum()) / n
