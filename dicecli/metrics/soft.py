"""Soft Dice in three forms, their losses, and cross-entropy.

In formulas p is the probability of a class at a pixel, g its reference, 0 or 1; Σ is over the pixels that are
compared.
"""

from __future__ import annotations

import math
from functools import partial
from statistics import fmean
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import metric
from dicecli.records.probabilities import SMOOTH
from dicecli.records.wholes import ratio

if TYPE_CHECKING:
    from dicecli.statistics.soft.measured import Channel, Together

_EMPTY = f"the class is neither in the reference nor predicted, and --smooth is 0 (its default is {SMOOTH:g})"
_NO_PIXEL = "there is no pixel"
_ALL_EMPTY = "no label is averaged, or none of them is anywhere and --smooth is 0"
_GOOD = "Good IJ. Journal of the Royal Statistical Society B 14:107, 1952"
_STANDARD = "Drozdzal M et al. DLMIA, 2016. doi:10.1007/978-3-319-46976-8_19"
_JACCARD = "Rahman MA, Wang Y. ISVC, 2016. doi:10.1007/978-3-319-50835-1_22"
_SQUARED = "Milletari F et al. 3DV, 2016. doi:10.1109/3DV.2016.79"
_SUDRE = "Sudre CH et al. DLMIA, 2017. doi:10.1007/978-3-319-67558-9_28"
_ISENSEE = "Isensee F et al. Nature Methods 18:203, 2021. doi:10.1038/s41592-020-01008-z"
_BOUNDED = "a pixel where it would be infinite counts as p = 2^-52, which is 36.04"

_score = partial(metric, of="soft", shown="rows", undefined=_EMPTY)
_loss = partial(_score, better="lower")
_together = partial(metric, of="soft", takes="every", undefined=_ALL_EMPTY)


@_score(
    formula="(2 Σpg + ε) / (Σp + Σg + ε)",
    shown="always",
    options=("smooth",),
    follows_undefined=True,
    source=_STANDARD,
    spoken="Soft Dice (standard)",
)
def soft_dice_standard(channel: Channel, *, smooth: float) -> float:
    """Soft Dice, the overlap of probabilities."""
    return _form("standard", channel, smooth)


@_score(
    formula="(Σpg + ε) / (Σp + Σg - Σpg + ε)",
    options=("smooth",),
    follows_undefined=True,
    source=_JACCARD,
    spoken="Soft IoU",
)
def soft_dice_jaccard(channel: Channel, *, smooth: float) -> float:
    """Soft IoU, the Jaccard form of soft Dice."""
    return _form("jaccard", channel, smooth)


@_score(
    formula="(2 Σpg + ε) / (Σp² + Σg² + ε)",
    options=("smooth",),
    follows_undefined=True,
    source=_SQUARED,
    spoken="Soft Dice (squared)",
)
def soft_dice_squared(channel: Channel, *, smooth: float) -> float:
    """Soft Dice with squares in the divisor, as of V-Net."""
    return _form("squared", channel, smooth)


@_loss(formula="1 - (2 Σpg + ε) / (Σp + Σg + ε)", options=("smooth",), source=_STANDARD)
def loss_standard(channel: Channel, *, smooth: float) -> float:
    """1 - soft_dice_standard."""
    return 1 - _form("standard", channel, smooth)


@_loss(formula="1 - (Σpg + ε) / (Σp + Σg - Σpg + ε)", options=("smooth",), source=_JACCARD)
def loss_jaccard(channel: Channel, *, smooth: float) -> float:
    """1 - soft_dice_jaccard."""
    return 1 - _form("jaccard", channel, smooth)


@_loss(formula="1 - (2 Σpg + ε) / (Σp² + Σg² + ε)", options=("smooth",), source=_SQUARED)
def loss_squared(channel: Channel, *, smooth: float) -> float:
    """1 - soft_dice_squared."""
    return 1 - _form("squared", channel, smooth)


@_loss(
    formula="-mean(g log p + (1 - g) log(1 - p))",
    high=math.inf,
    remark=_BOUNDED,
    undefined=_NO_PIXEL,
    source=_GOOD,
)
def cross_entropy(channel: Channel) -> float:
    """Binary cross-entropy of the class, the mean over pixels, in nats."""
    return _per_pixel(channel.sums.cross_entropy, channel.sums.pixels)


@_loss(
    formula="dice_weight (1 - D) + ce_weight cross_entropy, with D of --form",
    high=math.inf,
    options=("smooth", "form", "dice_weight", "ce_weight"),
    undefined=f"{_NO_PIXEL}, or {_EMPTY}",
    source=_ISENSEE,
)
def dice_ce(channel: Channel, *, smooth: float, form: str, dice_weight: float, ce_weight: float) -> float:
    """Dice loss and cross-entropy added with weights, as losses for training do."""
    return dice_weight * (1 - _form(form, channel, smooth)) + ce_weight * cross_entropy(channel)


@_together(
    formula="(2 Σ_c w Σpg + ε) / (Σ_c w (Σp + Σg) + ε); w is divided by the largest, an absent class has 1",
    options=("smooth",),
    source=_SUDRE,
)
def generalised_dice_square(maps: Together, *, smooth: float) -> float:
    """Generalised Dice over the classes, weighted by 1/(Σg)²."""
    return _generalised("square", maps, smooth)


@_together(formula="as generalised_dice_square, with w = 1/Σg", options=("smooth",), source=_SUDRE)
def generalised_dice_simple(maps: Together, *, smooth: float) -> float:
    """Generalised Dice over the classes, weighted by 1/Σg."""
    return _generalised("simple", maps, smooth)


@_together(formula="as generalised_dice_square, with w = 1", options=("smooth",), source=_SUDRE)
def generalised_dice_uniform(maps: Together, *, smooth: float) -> float:
    """Generalised Dice over the classes, every weight 1: micro soft Dice."""
    return _generalised("uniform", maps, smooth)


@_together(
    formula="-mean(log p of the reference's class)",
    high=math.inf,
    remark=_BOUNDED,
    undefined=_NO_PIXEL,
    better="lower",
    source=_GOOD,
)
def overall_cross_entropy(maps: Together) -> float:
    """Cross-entropy over channels that exclude each other; else the mean of the channels' own."""
    total = maps.pooled.cross_entropy if maps.joint is None else maps.joint.cross_entropy
    return _per_pixel(total, maps.pixels)


@_together(
    formula="dice_weight mean_c(1 - D) + ce_weight overall_cross_entropy",
    high=math.inf,
    better="lower",
    options=("smooth", "form", "dice_weight", "ce_weight"),
    undefined=f"{_NO_PIXEL}, or {_ALL_EMPTY}",
    source=_ISENSEE,
)
def overall_dice_ce(
    maps: Together, *, smooth: float, form: str, dice_weight: float, ce_weight: float
) -> float:
    """Macro Dice loss and overall cross-entropy, added with weights."""
    losses = [1 - _form(form, each, smooth) for each in maps.evaluated]
    defined = [each for each in losses if not math.isnan(each)]
    loss = fmean(defined) if defined else math.nan
    return dice_weight * loss + ce_weight * overall_cross_entropy(maps)


def _form(form: str, channel: Channel, smooth: float) -> float:
    from dicecli.statistics.soft.forms import defined

    found: float = defined(form, channel.sums.sums, smooth)
    return found


def _generalised(weighting: str, maps: Together, smooth: float) -> float:
    import numpy as np

    from dicecli.statistics.soft.forms import Sums, generalised

    if not maps.evaluated:
        return math.nan
    columns = zip(*(each.sums.sums for each in maps.evaluated), strict=True)
    with np.errstate(invalid="ignore"):
        stacked = Sums(*(np.array(column, np.float64) for column in columns))
        return float(generalised(stacked, smooth, weighting))


def _per_pixel(total: int, pixels: int) -> float:
    from dicecli.statistics.soft.sums import rounded

    return ratio(rounded(total), pixels)
