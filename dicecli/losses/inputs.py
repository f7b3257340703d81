"""What a loss is given: checked, and brought into the shapes (N, C, S) and (N, S) or (N, C, S)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.autograd import forward_ad

from dicecli.errors import NotLabels, ShapeMismatch, UnknownLabel, UsageError
from dicecli.losses.references import ignored_in

if TYPE_CHECKING:
    from collections.abc import Sequence


def weights_of(values: Sequence[float] | Tensor) -> Tensor:
    """Return class weights as a tensor, checked.

    Raises
    ------
    UsageError
        They are not a list of finite numbers from 0, of which one is above 0.
    """
    weights = torch.as_tensor(values)
    if weights.ndim != 1 or not weights.numel():
        raise UsageError(
            f"class_weights has the shape {tuple(weights.shape)}, and must be a list",
            "Give a number for each channel.",
        )
    # Elsewhere, the host would wait for the device each time.
    is_seen = weights.device.type == "cpu" and not torch.compiler.is_compiling()
    if is_seen and not bool((weights >= 0).all() & weights.isfinite().all() & (weights > 0).any()):
        raise UsageError(
            f"class_weights are {[float(each) for each in weights]}",
            "Give finite numbers from 0 up, at least one of them above 0.",
        )
    return weights if weights.is_floating_point() else weights.to(torch.float32)


def flattened(
    prediction: Tensor, reference: Tensor, activation: str, ignore_label: int | None
) -> tuple[Tensor, Tensor]:
    """Return the prediction as (N, C, S) and the reference as labels (N, S) or one-hot (N, C, S).

    One channel is one-hot always: its labels are 0 and 1. Contiguous and channels-last tensors are not
    copied.

    Raises
    ------
    ShapeMismatch, NotLabels, UsageError
    """
    prediction, reference = (_plain(each) for each in (prediction, reference))
    _check_prediction(prediction, activation)
    if reference.device != prediction.device:
        raise UsageError(
            f"the prediction lies on {prediction.device}, the reference on {reference.device}",
            "Bring them to one device with .to(device).",
        )
    images, classes = prediction.shape[:2]
    without_channels = (images, *prediction.shape[2:])
    is_labels = classes > 1 and reference.shape in {without_channels, (images, 1, *prediction.shape[2:])}
    if not is_labels and reference.shape not in {prediction.shape, *[without_channels] * (classes == 1)}:
        raise ShapeMismatch(
            f"the prediction has the shape {tuple(prediction.shape)}, the reference {tuple(reference.shape)}",
            f"Give labels of shape {without_channels} or {(images, 1, *prediction.shape[2:])}, "
            f"or one-hot of shape {tuple(prediction.shape)}; nothing is broadcast or resized.",
        )
    if is_labels and (reference.is_floating_point() or reference.is_complex()):
        raise NotLabels(
            f"labels of type {reference.dtype} are no labels", "Round them to integers: .round().long()."
        )
    if not is_labels and classes > 1 and ignore_label is not None and not 0 <= ignore_label < classes:
        raise UsageError(
            f"ignore_label is {ignore_label}, and the one-hot reference has channels 0 to {classes - 1}",
            "Of a one-hot reference a channel is ignored; give labels to ignore other labels.",
        )
    flat = prediction.reshape(images, classes, -1)
    return flat, reference.reshape((images, -1) if is_labels else flat.shape)


def what_is_wrong(prediction: Tensor, reference: Tensor, ignore_label: int | None) -> Exception:
    """Return the error for values that the sums stumbled over: look again, at leisure, for what to say."""
    classes, ignored = prediction.shape[1], ignored_in(reference, ignore_label)
    known = torch.tensor([0, 1] if reference.ndim == 3 else range(classes), device=reference.device)
    is_wrong = ~torch.isin(reference.to(torch.float64), known.to(torch.float64))
    if ignored is not None:
        is_wrong &= ~(ignored if reference.ndim == 3 else ignored.squeeze(1))
        prediction = prediction[~ignored.expand_as(prediction)]
    found = reference[is_wrong]
    if not found.numel():
        low, high = (float(each) for each in torch.aminmax(prediction[~prediction.isnan()]))
        return UsageError(
            f"the prediction holds values from {low:.4g} to {high:.4g}: they are no probabilities",
            "If they are logits, say so with activation='sigmoid' or activation='softmax'.",
        )
    values = ", ".join(
        f"{each:.9g}" if isinstance(each, float) else str(each) for each in torch.unique(found)[:5].tolist()
    )
    if reference.ndim == 3:
        channels = "one channel" if classes == 1 else "a channel for each class"
        return NotLabels(
            f"the reference of {channels} holds {values}, and 0 and 1 alone can be",
            "Give 0 or 1; a label to leave out is ignore_label; labels of several classes have no channels.",
        )
    return UnknownLabel(
        f"the reference holds labels without a channel: {values}; there are channels 0 to {classes - 1}",
        "Renumber the labels, or leave these pixels out with ignore_label.",
    )


def _plain(tensor: object) -> Tensor:
    if not isinstance(tensor, Tensor):
        raise UsageError(f"{type(tensor).__name__} is no tensor", "Convert it with torch.as_tensor.")
    # A class made from Tensor, such as MONAI's, would carry its own baggage through every step.
    return tensor if type(tensor) is Tensor else tensor.as_subclass(Tensor)


def _check_prediction(prediction: Tensor, activation: str) -> None:
    if not prediction.is_floating_point():
        raise UsageError(
            f"the prediction is of type {prediction.dtype}, and must be of a floating type",
            "Give logits or probabilities, not labels.",
        )
    # torch would take the sums for constants: a derivative of 0, in silence.
    if not torch.compiler.is_compiling() and forward_ad.unpack_dual(prediction).tangent is not None:
        raise UsageError(
            "dicecli's losses have no derivatives in forward mode, and one was asked for",
            "Take it backwards: loss.backward(), torch.autograd.grad or torch.autograd.functional.jacobian.",
        )
    if prediction.ndim < 2 or not prediction.numel():
        raise ShapeMismatch(
            f"the prediction has the shape {tuple(prediction.shape)}",
            "Give a batch of at least one image: (N, C, ...), with a channel for each class.",
        )
    if activation == "softmax" and prediction.shape[1] == 1:
        raise UsageError(
            "softmax over one channel is 1 everywhere",
            "Take activation='sigmoid' for one class, or give the background a channel.",
        )
