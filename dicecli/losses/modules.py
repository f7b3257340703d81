"""The losses as modules, for a model's training loop; each is its function with its options."""

from __future__ import annotations

from dataclasses import fields, replace
from typing import TYPE_CHECKING

from torch import nn

from dicecli.losses import functions
from dicecli.losses.inputs import weights_of
from dicecli.losses.options import DiceCEOptions, DiceOptions, GeneralizedDiceOptions, as_init

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor

    from dicecli.losses.options import Options


class _Loss(nn.Module):
    """Options, and class weights that move with the module."""

    def __init__(self, options: Options, class_weights: Sequence[float] | Tensor | None = None) -> None:
        super().__init__()
        self.options = options
        weights = None if class_weights is None else weights_of(class_weights)
        self.register_buffer("class_weights", weights, persistent=False)

    def extra_repr(self) -> str:
        """Show the options."""
        each = ((field.name, getattr(self.options, field.name)) for field in fields(self.options))
        shown = {name: value for name, value in each if value is not None}
        if self.class_weights is not None:
            shown["class_weights"] = self.class_weights.tolist()
        return ", ".join(f"{name}={value!r}" for name, value in shown.items())


class DiceLoss(_Loss):
    """1 − soft Dice.

    Called with the prediction, floating, of shape (N, C, *S), and the reference: labels of shape (N, *S) or
    (N, 1, *S), integers from 0 to C − 1, or one-hot of the prediction's shape, any type, 0 or 1. A single
    channel is a class of its own, and its reference is 0 or 1, of shape (N, *S) or (N, 1, *S). The loss is
    float64 for float64 and float32 for every narrower type; inside, sums are float64 where the device has it.

    Parameters
    ----------
    form : {"standard", "jaccard", "squared"}
        The ratio: see :mod:`dicecli.statistics.soft.forms`.
    smooth : float
        ε. With 0, two empty masks have loss 0 and no gradient, which is the limit for ε → 0.
    activation : {"none", "sigmoid", "softmax"}
        What makes probabilities of the prediction; with ``none`` it holds probabilities already.
    temperature : float
        Logits are divided by it.
    averaging : {"macro", "micro", "weighted"}
        ``macro``: the ratio per class, mean over classes. ``weighted``: as macro, weighted by the class's
        size in the reference. ``micro``: the sums are pooled over classes before the ratio.
    imagewise : bool
        The ratio for each image, and the mean over images, instead of sums over the batch. An image whose
        pixels are all ignored is in no mean.
    include_background : bool
        False leaves channel 0 out of the average. Of a single channel it says nothing.
    class_weights : sequence of float, optional
        One for each channel, from 0 up; only their proportions matter. In ``macro`` and ``weighted`` they
        weigh the ratios, in ``micro`` the sums. Where all the classes in the average weigh 0, Dice loss is 0
        and has no gradient.
    ignore_label : int, optional
        Pixels with this label in the reference count nowhere, whatever the prediction or other channels of
        the reference hold there, NaN too; of a one-hot reference, those of this channel. Their gradient is
        0, and if no pixel is left, so is the loss. If it is also a channel's number, that channel stays in
        the average. What the reference's type cannot hold is none of its labels.
    reduce_group : torch.distributed.ProcessGroup or "world", optional
        Sums are added up over its ranks before the ratio, so that every rank has the loss of all. The
        gradient is that of the sum of the ranks' losses: averaged over ranks, as DistributedDataParallel
        does, it is the gradient of one process with the whole batch.
    validate : bool
        A label without a channel, a one-hot value other than 0 and 1, or a given probability outside [0, 1]
        is an error, for which the host waits for the device once in each call. False: they make the loss
        NaN.

    Raises
    ------
    UsageError
        Options that make no sense, when they are given; a prediction that is not floating, or no
        probabilities.
    ShapeMismatch, NotLabels, UnknownLabel
        When called: what does not fit the prediction.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import DiceLoss
    >>> logits, labels = torch.zeros(1, 2, 4, requires_grad=True), torch.tensor([[0, 1, 1, 0]])
    >>> loss = DiceLoss(activation="softmax")(logits, labels)
    >>> loss.backward()
    >>> round(loss.item(), 3)
    0.5
    """

    options: DiceOptions

    @as_init(DiceOptions)
    def __init__(self, options: DiceOptions) -> None:
        super().__init__(replace(options, class_weights=None), options.class_weights)

    def forward(self, prediction: Tensor, reference: Tensor) -> Tensor:
        """Return the loss, without axes."""
        return functions.dice(prediction, reference, self.options, self.class_weights)


class GeneralizedDiceLoss(_Loss):
    """1 − generalised Dice: one ratio over all classes, each weighted by its size in the reference.

    Called as :class:`DiceLoss`, whose options it has but for the form, the averaging and class weights.

    Parameters
    ----------
    weighting : {"square", "simple", "uniform"}
        1/(Σg)², 1/Σg or 1. A class that is absent from the reference gets the largest weight of those
        present: see :func:`dicecli.statistics.soft.forms.class_weights`.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import GeneralizedDiceLoss
    >>> loss = GeneralizedDiceLoss(activation="softmax")(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 0]]))
    >>> round(loss.item(), 3)
    0.5
    """

    options: GeneralizedDiceOptions

    @as_init(GeneralizedDiceOptions)
    def __init__(self, options: GeneralizedDiceOptions) -> None:
        super().__init__(options)

    def forward(self, prediction: Tensor, reference: Tensor) -> Tensor:
        """Return the loss, without axes."""
        return functions.generalized_dice(prediction, reference, self.options)


class DiceCELoss(_Loss):
    """Dice loss plus cross-entropy, from one pass: ``dice_weight · Dice loss + ce_weight · CE``.

    Called as :class:`DiceLoss`, and with its options. The cross-entropy is the mean over pixels: with
    softmax −log of the probability of the pixel's class, with sigmoid binary for each channel. It takes in
    every channel, the background's too, and the whole batch, whatever the average of Dice; class weights
    weigh it as in ``torch.nn.CrossEntropyLoss``, the sum divided by the weights of the pixels' classes. Its
    gradient at a logit is p − g. Where no pixel counts it is 0. With activation ``none``, one channel is
    binary.

    Parameters
    ----------
    dice_weight, ce_weight : float
        From 0 up.

    Examples
    --------
    >>> import torch
    >>> from dicecli.losses import DiceCELoss
    >>> loss = DiceCELoss(activation="softmax")(torch.zeros(1, 2, 4), torch.tensor([[0, 1, 1, 0]]))
    >>> round(loss.item(), 3)
    1.193
    """

    options: DiceCEOptions

    @as_init(DiceCEOptions)
    def __init__(self, options: DiceCEOptions) -> None:
        super().__init__(replace(options, class_weights=None), options.class_weights)

    def forward(self, prediction: Tensor, reference: Tensor) -> Tensor:
        """Return the loss, without axes."""
        return functions.dice_ce(prediction, reference, self.options, self.class_weights)
