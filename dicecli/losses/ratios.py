"""From sums to a loss: the forms of soft Dice, averages over classes, cross-entropy.

All of it is arithmetic on tensors of a few numbers, and torch differentiates it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from dicecli.statistics.soft.forms import FORMS, Sums, generalised

if TYPE_CHECKING:
    from torch import Tensor

    from dicecli.losses.options import DiceOptions, GeneralizedDiceOptions, Options
    from dicecli.losses.statistic import TensorSums


def dice(sums: TensorSums, options: DiceOptions, weights: Tensor | None) -> Tensor:
    """Return the average of soft Dice over the classes: sums of shape (..., C), result of shape (...).

    macro
        The ratio per class, and the mean over classes, each as heavy as its class weight.
    weighted
        As macro, and as heavy as its class weight times its size in the reference, Σg; as macro where no
        class has any.
    micro
        Σ over classes, each multiplied by its class weight (of mean 1), then the ratio.

    1, without a gradient, where all the classes that are left weigh 0.
    """
    form, smooth, kept = options.form, options.smooth, _kept(sums, options)
    if are_equal := weights is None:
        weights = kept.reference.new_ones(kept.reference.shape[-1])
    else:
        weights = weights.to(kept.reference)[-kept.reference.shape[-1] :]
    if options.averaging == "micro":
        weights = weights / _above_0(weights.mean())
        return _ratio(form, Sums(*((each * weights).sum(-1) for each in kept)), smooth)
    if options.averaging == "weighted":
        sized = weights * kept.reference
        weights = torch.where(sized.sum(-1, keepdim=True) > 0, sized, weights)
    above, total = (_ratio(form, kept, smooth) * weights).sum(-1), weights.sum(-1)
    return above / total if are_equal else above / _above_0(total) + (total == 0)


def generalized_dice(sums: TensorSums, options: GeneralizedDiceOptions) -> Tensor:
    """Return generalised Dice over the classes: sums of shape (..., C), result of shape (...)."""

    def form(kept: Sums, smooth: float) -> Any:
        return generalised(kept, smooth, options.weighting)

    return _defined(form, _kept(sums, options), options.smooth, over_classes=True)


def cross_entropy(sums: TensorSums, activation: str, weights: Tensor | None) -> Tensor:
    """Return the mean cross-entropy: sums of shape (C,), a result without axes.

    Over channels (softmax, or several channels of probabilities) Σ_c w_c Σ −g log p / Σ_c w_c Σg; binary
    (sigmoid, or one channel) Σ_c w_c Σ −(g log p + (1 − g) log(1 − p)) / Σ_c w_c n for n pixels. 0 where no
    pixel counts.
    """
    is_binary = activation == "sigmoid" or sums.cross.shape[-1] == 1
    below = sums.pixels if is_binary else sums.reference
    weights = torch.ones_like(below) if weights is None else weights.to(below)
    below = (weights * below).sum(-1)
    return (weights * sums.cross).sum(-1) / _above_0(below)


def _kept(sums: TensorSums, options: Options) -> Sums:
    """Leave channel 0 out unless it is wanted, or alone: then it is no background."""
    first = 0 if options.include_background or sums.reference.shape[-1] == 1 else 1
    return Sums(*(each[..., first:] for each in sums[:4]))


def _above_0(divisor: Tensor) -> Tensor:
    """Return 1 for a divisor of 0, what is divided being 0 then too."""
    return torch.where(divisor == 0, 1, divisor)


def _ratio(form: str, sums: Sums, smooth: float) -> Tensor:
    return _defined(FORMS[form], sums, smooth)


def _defined(form: Any, sums: Sums, smooth: float, *, over_classes: bool = False) -> Tensor:
    """Return the form; where both masks are empty and ε is 0, its limit for ε → 0, which is 1."""
    if smooth > 0:
        return form(sums, smooth)
    empty = (sums.prediction == 0) & (sums.reference == 0)
    if over_classes:
        empty = empty.all(-1, keepdim=True)
    # All four sums being 1, every form is 1, and no gradient comes of it.
    return form(Sums(*(torch.where(empty, 1, each) for each in sums)), smooth)
