"""The losses as functions; every option is described at :class:`~dicecli.losses.DiceLoss`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from dicecli.errors import UsageError
from dicecli.losses import ratios
from dicecli.losses.inputs import check_name, check_options, check_parts, flattened, weights_of
from dicecli.losses.ranks import sum_over_ranks
from dicecli.losses.statistic import SoftSums, soft_sums
from dicecli.records.probabilities import SMOOTH

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor


def dice_loss(
    prediction: Tensor,
    reference: Tensor,
    *,
    form: str = "standard",
    smooth: float = SMOOTH,
    activation: str = "none",
    temperature: float = 1.0,
    averaging: str = "macro",
    imagewise: bool = False,
    include_background: bool = True,
    class_weights: Sequence[float] | Tensor | None = None,
    ignore_label: int | None = None,
    reduce_group: Any = None,
    validate: bool = True,
) -> Tensor:
    """Return 1 − soft Dice; the options are those of :class:`~dicecli.losses.DiceLoss`."""
    check_name("form", form, ratios.FORM_NAMES)
    check_name("averaging", averaging, ratios.AVERAGING_NAMES)
    check_options(activation=activation, temperature=temperature, smooth=smooth, ignore_label=ignore_label)
    flat, held = flattened(prediction, reference, activation, ignore_label)
    squared = form == "squared"
    stack = soft_sums(flat, held, activation, temperature, ignore_label, squared, False, validate)
    weights = _weights(class_weights, stack, include_background)

    def score(sums: SoftSums) -> Tensor:
        return ratios.dice(
            sums,
            form=form,
            smooth=smooth,
            averaging=averaging,
            include_background=include_background,
            weights=weights,
        )

    return _as_wide(_loss(score, stack, imagewise, reduce_group), prediction)


def generalized_dice_loss(
    prediction: Tensor,
    reference: Tensor,
    *,
    weighting: str = "square",
    smooth: float = SMOOTH,
    activation: str = "none",
    temperature: float = 1.0,
    imagewise: bool = False,
    include_background: bool = True,
    ignore_label: int | None = None,
    reduce_group: Any = None,
    validate: bool = True,
) -> Tensor:
    """Return 1 − generalised Dice; the options are those of :class:`~dicecli.losses.GeneralizedDiceLoss`."""
    check_name("weighting", weighting, ratios.WEIGHTING_NAMES)
    check_options(activation=activation, temperature=temperature, smooth=smooth, ignore_label=ignore_label)
    flat, held = flattened(prediction, reference, activation, ignore_label)
    stack = soft_sums(flat, held, activation, temperature, ignore_label, False, False, validate)

    def score(sums: SoftSums) -> Tensor:
        return ratios.generalized_dice(sums, weighting, smooth, include_background)

    return _as_wide(_loss(score, stack, imagewise, reduce_group), prediction)


def dice_ce_loss(
    prediction: Tensor,
    reference: Tensor,
    *,
    dice_weight: float = 1.0,
    ce_weight: float = 1.0,
    form: str = "standard",
    smooth: float = SMOOTH,
    activation: str = "none",
    temperature: float = 1.0,
    averaging: str = "macro",
    imagewise: bool = False,
    include_background: bool = True,
    class_weights: Sequence[float] | Tensor | None = None,
    ignore_label: int | None = None,
    reduce_group: Any = None,
    validate: bool = True,
) -> Tensor:
    """Return Dice loss plus cross-entropy; the options are those of :class:`~dicecli.losses.DiceCELoss`."""
    check_name("form", form, ratios.FORM_NAMES)
    check_name("averaging", averaging, ratios.AVERAGING_NAMES)
    check_parts(dice_weight, ce_weight)
    check_options(activation=activation, temperature=temperature, smooth=smooth, ignore_label=ignore_label)
    flat, held = flattened(prediction, reference, activation, ignore_label)
    squared = form == "squared"
    stack = soft_sums(flat, held, activation, temperature, ignore_label, squared, True, validate)
    weights = _weights(class_weights, stack, include_background)
    total = _over_batch(stack, reduce_group)

    def score(sums: SoftSums) -> Tensor:
        return ratios.dice(
            sums,
            form=form,
            smooth=smooth,
            averaging=averaging,
            include_background=include_background,
            weights=weights,
        )

    loss = _loss(score, stack, True, reduce_group) if imagewise else 1 - score(total)
    cross = ratios.cross_entropy(total, activation, weights)
    return _as_wide(dice_weight * loss + ce_weight * cross, prediction)


def _weights(values: Any, stack: Tensor, include_background: bool) -> Tensor | None:
    if values is None:
        return None
    weights = weights_of(values)
    if weights.shape[0] != stack.shape[-1]:
        raise UsageError(
            f"there are {weights.shape[0]} class_weights and {stack.shape[-1]} channels",
            "Give a weight for each channel, the background's among them"
            + ("." if include_background else ", though it is left out."),
        )
    return weights.to(stack)


def _over_batch(stack: Tensor, reduce_group: Any) -> SoftSums:
    total = stack.sum(1)
    return SoftSums(*(total if reduce_group is None else sum_over_ranks(total, reduce_group)))


def _loss(score: Callable[[SoftSums], Tensor], stack: Tensor, imagewise: bool, reduce_group: Any) -> Tensor:
    if not imagewise:
        return 1 - score(_over_batch(stack, reduce_group))
    losses = 1 - score(SoftSums(*stack))
    if reduce_group is None:
        return losses.mean()
    total, images = sum_over_ranks(
        torch.stack([losses.sum(), losses.new_full((), losses.shape[0])]), reduce_group
    )
    return total / images


def _as_wide(loss: Tensor, prediction: Tensor) -> Tensor:
    """Return a loss of float64 for float64, and of float32 for all narrower types."""
    return loss.to(torch.float64 if prediction.dtype == torch.float64 else torch.float32)
