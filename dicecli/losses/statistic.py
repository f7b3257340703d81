"""The sums of a batch, and their gradient: two operators of torch that go over the pixels block by block.

``dicecli::soft_sums`` reads predictions and reference once. For the gradient it keeps nothing but what came
in: ``dicecli::soft_sums_backward`` computes the probabilities of a block again, which costs less than
reading them back from memory. So beside the gradient itself there are never more than a few blocks,
:data:`BLOCK` values each. To ``torch.compile`` both are single nodes; they do not break its graph.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import torch
from torch import Tensor

from dicecli.errors import UsageError
from dicecli.losses.activations import ACTIVATIONS
from dicecli.losses.inputs import what_is_wrong
from dicecli.losses.references import block_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch.autograd.function import FunctionCtx

#: Values of a block: on a processor what its caches hold, on other devices what keeps them busy.
BLOCK = {"cpu": 1 << 20}
BLOCK_ELSEWHERE = 1 << 22
#: Given probabilities may leave [0, 1] by this, for the rounding of half precision.
SLACK = 1e-3

_GIVEN = "Tensor prediction, Tensor reference"
_OPTIONS = "str activation, float temperature, int? ignore_label, bool squared, bool cross"


class TensorSums(NamedTuple):
    """Sums over the pixels of each image and class, shape (N, C), float64 where the device has it.

    Ignored pixels are in none of them. What was not asked for is NaN.
    """

    overlap: Tensor
    prediction: Tensor
    prediction_squared: Tensor
    reference: Tensor
    #: Of the pixels' cross-entropy.
    cross: Tensor
    #: Pixels that were not ignored.
    pixels: Tensor


# These calls, unlike the decorator that does all in one, load nothing of the compiler.
torch.library.define(
    "dicecli::soft_sums",
    f"({_GIVEN}, {_OPTIONS}, bool validate) -> Tensor",
    tags=torch.Tag.pt2_compliant_tag,
)
torch.library.define(
    "dicecli::soft_sums_backward",
    f"(Tensor gradient, {_GIVEN}, {_OPTIONS}) -> Tensor",
    tags=torch.Tag.pt2_compliant_tag,
)


@torch.library.impl("dicecli::soft_sums", "default")
def _sums(  # noqa: PLR0917 - operators of torch take their arguments so
    prediction: Tensor,
    reference: Tensor,
    activation: str,
    temperature: float,
    ignore_label: int | None,
    squared: bool,
    cross: bool,
    validate: bool,
) -> Tensor:
    """Sum a batch up.

    Parameters
    ----------
    prediction : torch.Tensor
        Shape (N, C, S), floating.
    reference : torch.Tensor
        Labels of shape (N, S), or one-hot of shape (N, C, S).
    activation : {"none", "sigmoid", "softmax"}
    temperature : float
        What the prediction is divided by before the activation.
    ignore_label : int or None
        Pixels with this label are left out.
    squared, cross : bool
        Whether Σp² and the cross-entropy are wanted.
    validate : bool
        Whether a wrong label or probability is an error, for which the host waits for the device once.
        Otherwise it makes every sum NaN.

    Returns
    -------
    torch.Tensor
        Shape (6, N, C), the fields of :class:`TensorSums`.

    Raises
    ------
    UnknownLabel, NotLabels, UsageError
    """
    act, work = ACTIVATIONS[activation], _work_type(prediction)
    total = torch.zeros((6, *prediction.shape[:2]), dtype=_total_type(prediction), device=prediction.device)
    wrong = torch.zeros(2, dtype=torch.bool, device=prediction.device)
    with torch.autocast(prediction.device.type, enabled=False):
        for images, pixels in _blocks(prediction):
            block = _scaled(prediction[images, :, pixels], work, temperature)
            held = block_of(reference[images, ..., pixels], prediction.shape[1], work, ignore_label)
            wrong[0] |= held.is_wrong
            if activation == "none":
                block = block if held.ignored is None else block.masked_fill(held.ignored, 0)
                wrong[1] |= ((block < -SLACK) | (block > 1 + SLACK)).any()
            p, crosses = act.with_cross(block, held) if cross else (act.probabilities(block), None)
            if held.ignored is not None and p is not block:
                p.masked_fill_(held.ignored, 0)
            total[0, images] += held.sums(p)
            total[1, images] += p.sum(2)
            total[2, images] += p.square().sum(2) if squared else torch.nan
            total[3, images] += held.counts()
            total[4, images] += torch.nan if crosses is None else crosses
            total[5, images] += p.shape[2] if held.ignored is None else (~held.ignored).sum(2)
    if not validate:
        return total.masked_fill_(wrong.any(), torch.nan)
    if wrong.any():
        raise what_is_wrong(prediction, reference, ignore_label)
    return total


@torch.library.register_fake("dicecli::soft_sums")
def _(prediction: Tensor, *_rest: object) -> Tensor:
    return prediction.new_empty((6, *prediction.shape[:2]), dtype=_total_type(prediction))


@torch.library.impl("dicecli::soft_sums_backward", "default")
def _gradient(  # noqa: PLR0917 - as above
    gradient: Tensor,
    prediction: Tensor,
    reference: Tensor,
    activation: str,
    temperature: float,
    ignore_label: int | None,
    squared: bool,
    cross: bool,
) -> Tensor:
    """Return the gradient of the prediction, shape (N, C, S), from that of the sums, shape (6, N, C).

    With a, b, c the gradients of Σpg, Σp and Σp², that of a probability is ``a g + b + 2 c p``. They are
    finite in the narrower type too, lest that of a class which is nowhere make NaN of a g, with g = 0.
    """
    act, work = ACTIVATIONS[activation], _work_type(prediction)
    result = torch.empty_like(prediction)
    most = torch.finfo(work).max
    a, b, c, _, d, _ = (gradient / temperature).clamp(-most, most).to(work)
    with torch.autocast(prediction.device.type, enabled=False):
        for images, pixels in _blocks(prediction):
            block = _scaled(prediction[images, :, pixels], work, temperature)
            held = block_of(reference[images, ..., pixels], prediction.shape[1], work, ignore_label)
            p = act.probabilities(block)
            place = result[images, :, pixels]
            back = place if place.dtype == work else torch.empty_like(p)
            if squared:
                torch.addcmul(b[images].unsqueeze(2), p, 2 * c[images].unsqueeze(2), out=back)
            else:
                back.copy_(b[images].unsqueeze(2).expand_as(p))
            held.add_(back, a[images])
            act.back_(back, p, held, d[images] if cross else None)
            if held.ignored is not None:
                back.masked_fill_(held.ignored, 0)
            if back is not place:
                place.copy_(back)
    return result


@torch.library.register_fake("dicecli::soft_sums_backward")
def _(gradient: Tensor, prediction: Tensor, *_rest: object) -> Tensor:  # noqa: ARG001 - as the operator's
    return torch.empty_like(prediction)


def _keep(ctx: FunctionCtx, inputs: tuple[object, ...], output: Tensor) -> None:  # noqa: ARG001 - as torch calls it
    prediction, reference, *options, _ = inputs
    ctx.save_for_backward(prediction, reference)
    ctx.options = options


def _backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor | None, ...]:
    return torch.ops.dicecli.soft_sums_backward(gradient, *ctx.saved_tensors, *ctx.options), *(None,) * 7


def _no_second(ctx: FunctionCtx, gradient: Tensor) -> None:  # noqa: ARG001 - as torch calls it
    raise UsageError(
        "dicecli's losses have first derivatives only, and a second one was asked for",
        "Leave out create_graph=True.",
    )


torch.library.register_autograd("dicecli::soft_sums", _backward, setup_context=_keep)
torch.library.register_autograd("dicecli::soft_sums_backward", _no_second)

#: Sums a batch up, as :func:`_sums` says, and has a gradient.
soft_sums = torch.ops.dicecli.soft_sums


def _work_type(prediction: Tensor) -> torch.dtype:
    return torch.float64 if prediction.dtype == torch.float64 else torch.float32


def _total_type(prediction: Tensor) -> torch.dtype:
    """float64, in which counts of pixels are exact, but for Apple's devices, which lack it."""
    return torch.float32 if prediction.device.type == "mps" else torch.float64


def _blocks(prediction: Tensor) -> Iterator[tuple[slice, slice]]:
    """Yield images and pixels: several small images at once, or a stretch of a large one."""
    images, classes, pixels = prediction.shape
    room = max(1, BLOCK.get(prediction.device.type, BLOCK_ELSEWHERE) // classes)
    many, long = max(1, room // pixels), min(room, pixels)
    for image in range(0, images, many):
        for pixel in range(0, pixels, long):
            yield slice(image, image + many), slice(pixel, pixel + long)


def _scaled(block: Tensor, work: torch.dtype, temperature: float) -> Tensor:
    return block.to(work) if temperature == 1 else block.to(work) / temperature
