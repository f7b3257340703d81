"""Sums over all ranks of a process group, with their gradient."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import Tensor

from dicecli.errors import UsageError

if TYPE_CHECKING:
    from typing import Literal, TypeAlias

    from torch.autograd.function import FunctionCtx
    from torch.distributed import ProcessGroup

    #: What sums are added up over; ``"world"``: all ranks.
    Group: TypeAlias = ProcessGroup | Literal["world"]


class _SumOverRanks(torch.autograd.Function):
    """Σ over ranks; back goes the sum of what all ranks hand back.

    That is the derivative of the sum of all ranks' losses. Every rank has the same loss, so it is as many
    times the one loss's gradient as there are ranks, which DistributedDataParallel's averaging takes out
    again.
    """

    @staticmethod
    def forward(ctx: FunctionCtx, sums: Tensor, group: Group) -> Tensor:
        ctx.group = group
        return _all_reduced(sums, group)

    @staticmethod
    def backward(ctx: FunctionCtx, gradient: Tensor) -> tuple[Tensor, None]:
        return _all_reduced(gradient, ctx.group), None


def _all_reduced(values: Tensor, group: Group) -> Tensor:
    total = values.detach().clone(memory_format=torch.contiguous_format)
    torch.distributed.all_reduce(total, group=group)
    return total


def sum_over_ranks(sums: Tensor, group: Group) -> Tensor:
    """Add a small tensor up over the ranks of `group`, or of all, with ``"world"``; differentiably.

    Each of the ranks must call it, and go back through it.

    Raises
    ------
    UsageError
        No process group was set up.
    """
    if not (torch.distributed.is_available() and torch.distributed.is_initialized()):
        raise UsageError(
            "reduce_group was given, and torch.distributed is not initialised",
            "Call torch.distributed.init_process_group first, or leave reduce_group out.",
        )
    total: Tensor = _SumOverRanks.apply(sums, None if group == "world" else group)
    return total
