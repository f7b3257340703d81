"""Hard Dice of a probability map: at one half, by the largest probability, and at the best threshold."""

from __future__ import annotations

import math
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import metric
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.records.counts import Counts
    from dicecli.statistics.soft.measured import Channel

_NOWHERE = "neither mask has the class"
_DICE = "Dice LR. Ecology 26(3), 1945. doi:10.2307/1932409"
_ZIJDENBOS = "Zijdenbos AP et al. IEEE Transactions on Medical Imaging 13(4), 1994. doi:10.1109/42.363096"
_score = partial(metric, of="soft", shown="always", undefined=_NOWHERE)
_tuned = partial(_score, tuned=True, source=_ZIJDENBOS)


@_score(formula="2 tp / (2 tp + fp + fn)", follows_undefined=True, source=_DICE)
def dice_at_half(channel: Channel) -> float:
    """Hard Dice of p >= 0.5, as 'dicecli score --threshold 0.5' gives it."""
    return _hard(channel.half)


@_score(formula="2 tp / (2 tp + fp + fn)", follows_undefined=True, source=_DICE)
def dice_argmax(channel: Channel) -> float | None:
    """Hard Dice of the class with the largest probability, where channels exclude each other."""
    return None if channel.argmax is None else _hard(channel.argmax)


def _hard(counts: Counts) -> float:
    return ratio(2 * counts.tp, 2 * counts.tp + counts.fp + counts.fn)


def _best_of_mean(channels: Sequence[Channel], weights: Sequence[float] | None) -> tuple[float, float]:
    """Return the one threshold for all labels at which the mean of their Dice is largest, and that mean."""
    from dicecli.statistics.soft.curves import best, mean_dice

    return best(mean_dice([each.curve for each in channels], weights))


def _mean(
    score: Callable[[Channel], float | None], channels: Sequence[Channel], weights: Sequence[float] | None
) -> float:
    """Return the mean of a score over the labels where it is defined."""
    each = [1.0] * len(channels) if weights is None else weights
    pairs = [(score(channel), weight) for channel, weight in zip(channels, each, strict=True)]
    kept = [
        (value, weight) for value, weight in pairs if value is not None and not math.isnan(value) and weight
    ]
    return fmean(*zip(*kept, strict=True)) if kept else math.nan


def _now(channels: Sequence[Channel], weights: Sequence[float] | None) -> float:
    """Return the mean Dice without tuning: of the largest probability where there is one, else of 0.5."""
    has_argmax = all(each.argmax is not None for each in channels)
    return _mean(dice_argmax if has_argmax else dice_at_half, channels, weights)


@_tuned(
    formula="max_t 2 tp / (2 tp + fp + fn)",
    over_labels=lambda channels, weights: _best_of_mean(channels, weights)[1],
)
def dice_best(channel: Channel) -> float:
    """Hard Dice at the best of the thresholds 0.001, 0.002 ... 1."""
    return channel.best[1]


@_tuned(
    formula="argmax_t dice(p >= t)",
    low=0.001,
    better="neither",
    over_labels=lambda channels, weights: _best_of_mean(channels, weights)[0],
)
def best_threshold(channel: Channel) -> float:
    """The threshold of dice_best; of equally good ones the nearest to 0.5."""  # noqa: D401 - no function to a reader
    return channel.best[0]


@_tuned(
    formula="dice_best - dice_argmax, or where there is no argmax dice_best - dice_at_half",
    low=-1,
    better="neither",
    remark="below 0 where argmax is better than any threshold",
    over_labels=lambda channels, weights: _best_of_mean(channels, weights)[1] - _now(channels, weights),
)
def gain(channel: Channel) -> float:
    """What tuning the threshold would bring."""  # noqa: D401 - as above
    return channel.best[1] - _now([channel], None)
