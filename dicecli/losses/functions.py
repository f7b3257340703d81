"""The losses as functions; every option is described at :class:`~dicecli.losses.DiceLoss`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from dicecli.errors import UsageError
from dicecli.losses import ratios
from dicecli.losses.inputs import flattened, weights_of
from dicecli.losses.options import DiceCEOptions, DiceOptions, GeneralizedDiceOptions, as_function
from dicecli.losses.ranks import sum_over_ranks
from dicecli.losses.statistic import TensorSums, soft_sums

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor

    from dicecli.losses.options import Options


@as_function(DiceOptions)
def dice_loss(prediction: Tensor, reference: Tensor, options: DiceOptions) -> Tensor:
    """Return 1 − soft Dice; the options are those of :class:`~dicecli.losses.DiceLoss`.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import dice_loss
    >>> loss = dice_loss(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 0]]), activation="softmax")
    >>> round(loss.item(), 3)
    0.5
    """
    return dice(prediction, reference, options, options.class_weights)


@as_function(GeneralizedDiceOptions)
def generalized_dice_loss(prediction: Tensor, reference: Tensor, options: GeneralizedDiceOptions) -> Tensor:
    """Return 1 − generalised Dice; the options are those of :class:`~dicecli.losses.GeneralizedDiceLoss`.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import generalized_dice_loss
    >>> loss = generalized_dice_loss(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 0]]), activation="softmax")
    >>> round(loss.item(), 3)
    0.5
    """
    return generalized_dice(prediction, reference, options)


@as_function(DiceCEOptions)
def dice_ce_loss(prediction: Tensor, reference: Tensor, options: DiceCEOptions) -> Tensor:
    """Return Dice loss plus cross-entropy; the options are those of :class:`~dicecli.losses.DiceCELoss`.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import dice_ce_loss
    >>> loss = dice_ce_loss(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 0]]), activation="softmax")
    >>> round(loss.item(), 3)
    1.193
    """
    return dice_ce(prediction, reference, options, options.class_weights)


def dice(
    prediction: Tensor,
    reference: Tensor,
    options: DiceOptions,
    class_weights: Sequence[float] | Tensor | None,
) -> Tensor:
    """Return 1 − soft Dice. Class weights are given apart: a module moves its own from device to device."""
    stack = _sums(prediction, reference, options, squared=options.form == "squared")
    weights = _weights(class_weights, stack, options)

    def score(sums: TensorSums) -> Tensor:
        return ratios.dice(sums, options, weights)

    return _as_wide(_loss(score, stack, options), prediction)


def generalized_dice(prediction: Tensor, reference: Tensor, options: GeneralizedDiceOptions) -> Tensor:
    """Return 1 − generalised Dice."""
    stack = _sums(prediction, reference, options)

    def score(sums: TensorSums) -> Tensor:
        return ratios.generalized_dice(sums, options)

    return _as_wide(_loss(score, stack, options), prediction)


def dice_ce(
    prediction: Tensor,
    reference: Tensor,
    options: DiceCEOptions,
    class_weights: Sequence[float] | Tensor | None,
) -> Tensor:
    """Return Dice loss plus cross-entropy; class weights as in :func:`dice`."""
    stack = _sums(prediction, reference, options, squared=options.form == "squared", cross=True)
    weights = _weights(class_weights, stack, options)
    total = _over_batch(stack, options)

    def score(sums: TensorSums) -> Tensor:
        return ratios.dice(sums, options, weights)

    loss = _loss(score, stack, options) if options.imagewise else 1 - score(total)
    cross = ratios.cross_entropy(total, options.activation, weights)
    return _as_wide(options.dice_weight * loss + options.ce_weight * cross, prediction)


def _sums(
    prediction: Tensor, reference: Tensor, options: Options, *, squared: bool = False, cross: bool = False
) -> Tensor:
    """Return the sums of each image and class: the fields of TensorSums, shape (6, N, C)."""
    activation, ignored = options.activation, options.ignore_label
    flat, held = flattened(prediction, reference, activation, ignored)
    stack: Tensor = soft_sums(
        flat, held, activation, options.temperature, ignored, squared, cross, options.validate
    )
    return stack


def _weights(values: Sequence[float] | Tensor | None, stack: Tensor, options: DiceOptions) -> Tensor | None:
    if values is None:
        return None
    weights = weights_of(values)
    if weights.shape[0] != stack.shape[-1]:
        raise UsageError(
            f"there are {weights.shape[0]} class_weights and {stack.shape[-1]} channels",
            "Give a weight for each channel, the background's among them"
            + ("." if options.include_background else ", though it is left out."),
        )
    return weights.to(stack)


def _over_batch(stack: Tensor, options: Options) -> TensorSums:
    total, group = stack.sum(1), options.reduce_group
    return TensorSums(*(total if group is None else sum_over_ranks(total, group)))


def _loss(score: Callable[[TensorSums], Tensor], stack: Tensor, options: Options) -> Tensor:
    """Return the loss of the batch, or the mean over the images that have a pixel which is not ignored."""
    if not options.imagewise:
        return 1 - score(_over_batch(stack, options))
    sums = TensorSums(*stack)
    losses = 1 - score(sums)
    if options.reduce_group is None and options.ignore_label is None:
        return losses.mean()
    counts = (sums.pixels[:, 0] != 0).to(losses)
    both = torch.stack([(losses * counts).sum(), counts.sum()])
    total, images = both if options.reduce_group is None else sum_over_ranks(both, options.reduce_group)
    return total / images.clamp_min(1)


def _as_wide(loss: Tensor, prediction: Tensor) -> Tensor:
    """Return a loss of float64 for float64, and of float32 for all narrower types."""
    return loss.to(torch.float64 if prediction.dtype == torch.float64 else torch.float32)
