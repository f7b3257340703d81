"""Tensors of torch, told from others and taken as they lie; torch itself is not imported here."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, TypeGuard, TypeVar

from dicecli.errors import NotLabels

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

Given = TypeVar("Given")


def is_tensor(given: object) -> TypeGuard[Tensor]:
    """Tell whether something is a tensor of torch, or of a class made from that."""
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(given, torch.Tensor)


def plain(tensor: Tensor) -> Tensor:
    """Return a tensor without its history and without what a class made from Tensor adds; no pixel is copied.

    Raises
    ------
    NotLabels
        It has no pixels that can be counted as they lie: it is sparse, nested, quantised, or holds no values.
    """
    torch = sys.modules["torch"]
    fake = sys.modules.get("torch._subclasses.fake_tensor")
    if tensor.is_meta or (fake is not None and isinstance(tensor, fake.FakeTensor)):
        raise NotLabels(
            "a tensor without values: it is on the device 'meta', or a fake one", "Give the real one."
        )
    if tensor.is_nested:
        raise NotLabels("a nested tensor: its parts differ in shape", "Give its parts one by one: unbind().")
    if tensor.is_quantized:
        raise NotLabels(
            f"a quantised tensor ({tensor.dtype}) holds no labels",
            "Give its values: dequantize().round().long().",
        )
    if tensor.layout is not torch.strided:
        raise NotLabels(f"a tensor of the layout {tensor.layout}", "Give a dense one: to_dense().")
    return tensor.detach().as_subclass(torch.Tensor)


def on_host(given: Given | Tensor) -> Given | np.ndarray | Tensor:
    """Return a tensor of integers in the host's memory as an array of the same pixels; all else as it is.

    Raises
    ------
    NotLabels
        As for :func:`plain`.
    """
    if not is_tensor(given):
        return given
    tensor = plain(given)
    is_there = tensor.device.type == "cpu" and not (tensor.is_floating_point() or tensor.is_complex())
    return tensor.numpy() if is_there else tensor
