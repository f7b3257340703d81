"""The three activations: probabilities of a block, cross-entropies, and the way back to what came in.

Each works on a block of shape (n, C, s) in float32 or float64, on the values already divided by the
temperature. With p the probability and g the reference:

softmax
    C = −Σ_c g log p; back from ∂p: p (∂p − Σ_c p ∂p); of the cross-entropy: p − g.
sigmoid
    C = −g log p − (1 − g) log(1 − p) for each class; back from ∂p: p (1 − p) ∂p; of the cross-entropy: p − g.
none
    What comes in are probabilities. One channel has the sigmoid's C, several the softmax's, with
    probabilities of at least 2^-52 in the logarithm, as in the scores: a pixel costs 36.04 at most.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import torch
from torch.nn.functional import logsigmoid

from dicecli.statistics.soft.sums import LEAST

if TYPE_CHECKING:
    from torch import Tensor

    from dicecli.losses.references import Reference


class Activation(Protocol):
    """One way from what a network gives to probabilities."""

    def probabilities(self, block: Tensor) -> Tensor:
        """Return p, shape (n, C, s)."""

    def with_cross(self, block: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return p, and the sums of the cross-entropy over the block's pixels, shape (n, C)."""

    def back_(self, gradient: Tensor, p: Tensor, reference: Reference, cross: Tensor | None) -> Tensor:
        """Turn ∂p in place into the gradient of the block; `cross` is that of the cross sums, (n, C)."""


class Softmax:
    """Over the channels."""

    @staticmethod
    def probabilities(block: Tensor) -> Tensor:
        """Return p, shape (n, C, s)."""
        return torch.softmax(block, 1)

    @staticmethod
    def with_cross(block: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return p, and the sums of the cross-entropy over the block's pixels, shape (n, C)."""
        logs = torch.log_softmax(block, 1)
        if reference.ignored is not None:
            logs.masked_fill_(reference.ignored, 0)
        cross = -reference.sums(logs)
        return logs.exp_(), cross

    @staticmethod
    def back_(gradient: Tensor, p: Tensor, reference: Reference, cross: Tensor | None) -> Tensor:
        """Turn ∂p in place into the gradient of the block."""
        gradient.mul_(p)
        common = gradient.sum(1, keepdim=True)
        if cross is None:
            return gradient.addcmul_(p, common, value=-1)
        gradient.addcmul_(p, common.sub_(reference.own(cross)), value=-1)
        return reference.add_(gradient, -cross)


class Sigmoid:
    """Each channel for itself."""

    @staticmethod
    def probabilities(block: Tensor) -> Tensor:
        """Return p, shape (n, C, s)."""
        return torch.sigmoid(block)

    @staticmethod
    def with_cross(block: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return p, and the sums of the cross-entropy over the block's pixels, shape (n, C)."""
        each = logsigmoid(block * _signs(block, reference))
        if reference.ignored is not None:
            each.masked_fill_(reference.ignored, 0)
        return torch.sigmoid(block), -each.sum(2)

    @staticmethod
    def back_(gradient: Tensor, p: Tensor, reference: Reference, cross: Tensor | None) -> Tensor:
        """Turn ∂p in place into the gradient of the block."""
        gradient.mul_(p).mul_(1 - p)
        if cross is None:
            return gradient
        gradient.addcmul_(p, cross.unsqueeze(2))
        return reference.add_(gradient, -cross)


class Given:
    """Probabilities already."""

    @staticmethod
    def probabilities(block: Tensor) -> Tensor:
        """Return p, shape (n, C, s)."""
        return block

    @staticmethod
    def with_cross(block: Tensor, reference: Reference) -> tuple[Tensor, Tensor]:
        """Return p, and the sums of the cross-entropy over the block's pixels, shape (n, C)."""
        if block.shape[1] > 1:
            return block, -reference.sums(block.clamp_min(LEAST).log_())
        each = _of_what_is(block, reference).clamp_min_(LEAST).log_()
        if reference.ignored is not None:
            each.masked_fill_(reference.ignored, 0)
        return block, -each.sum(2)

    @staticmethod
    def back_(gradient: Tensor, p: Tensor, reference: Reference, cross: Tensor | None) -> Tensor:
        """Turn ∂p in place into the gradient of the block."""
        if cross is None:
            return gradient
        if p.shape[1] > 1:
            return gradient.sub_(reference.add_(torch.zeros_like(p), cross).div_(p.clamp_min(LEAST)))
        slopes = _signs(p, reference).div_(_of_what_is(p, reference).clamp_min_(LEAST))
        return gradient.addcmul_(slopes, cross.unsqueeze(2), value=-1)


def _signs(block: Tensor, reference: Reference) -> Tensor:
    """Return 1 where g is 1, −1 where it is 0."""
    twice = torch.full(block.shape[:2], 2, dtype=block.dtype, device=block.device)
    return reference.add_(torch.full_like(block, -1), twice)


def _of_what_is(p: Tensor, reference: Reference) -> Tensor:
    """Return the probability that was given to what is so: p where g is 1, 1 − p where it is 0."""
    return torch.where(_signs(p, reference) > 0, p, 1 - p)


#: Every activation by its word.
ACTIVATIONS: dict[str, Activation] = {"none": Given(), "sigmoid": Sigmoid(), "softmax": Softmax()}
