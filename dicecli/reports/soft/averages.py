"""The mean of soft scores over classes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.metrics._soft import thresholds
from dicecli.metrics._soft.numbers import tuned
from dicecli.reports.averages import mean

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.statistics.soft.sums import ChannelSums

#: What a macro average does not take the mean of: these belong to the mean's own curve.
_OF_CURVE = ("dice_best", "best_threshold", "gain")


def macro(
    rows: Sequence[Mapping[str, float]], sums: Sequence[ChannelSums], *, has_argmax: bool
) -> tuple[dict[str, float], dict[str, int]]:
    """Return the mean of each score over classes, and how many undefined values each leaves out.

    Its best threshold is the one threshold for all classes at which the mean of their Dice is largest.
    """
    if not rows:
        return {}, {}
    means = {name: mean(row[name] for row in rows) for name in rows[0] if name not in _OF_CURVE}
    values = {name: each.value for name, each in means.items()}
    undefined = {name: each.undefined for name, each in means.items()}
    dice = thresholds.mean_dice([thresholds.curve(each) for each in sums])
    of_curve = tuned(dice, values, has_argmax=has_argmax)
    return values | of_curve, undefined | dict.fromkeys(of_curve, undefined["dice_at_half"])
