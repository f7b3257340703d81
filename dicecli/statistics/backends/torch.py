"""Counting with torch, on the device where the tensors are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels, ShapeMismatch, UsageError
from dicecli.masks.tensors import plain
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.backends._tensors import count_piece

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import ModuleType

    from numpy.typing import ArrayLike
    from torch import Tensor
    from torch import device as torch_device

#: Bytes of a mask that are counted at a time: many, since each piece asks the device for numbers a few times,
#: and not all, since counting takes up to 9 times as much memory: 0.6 GB.
PIECE = 1 << 26
#: Pixels at a time on a device that may count in float32, which is exact up to here.
_CAREFUL = 1 << 24
_ASK = "Give it to dicecli.score, which takes floats that are whole numbers, or a threshold."


def describe() -> str:
    """Say what counts.

    Raises
    ------
    UsageError
        torch is not installed.
    """
    return f"torch {_torch().__version__}"


def device(wanted: str) -> tuple[torch_device | None, str | None]:
    """Return the torch device that `wanted` (``cuda``, ``mps``, ``auto``) means, and a note on a fallback.

    Returns
    -------
    device : torch.device or None
        None: there is no such device here, and the processor counts, without torch.
    note : str or None

    Raises
    ------
    UsageError
        A device is asked for by its name, and torch is not installed.
    """
    try:
        torch = _torch()
    except UsageError:
        if wanted != "auto":
            raise
        return None, "torch is not installed, so no GPU is looked for: counted on the processor"
    present = [
        name
        for name, is_there in (
            ("cuda", torch.cuda.is_available()),
            ("mps", torch.backends.mps.is_available()),
        )
        if is_there
    ]
    if wanted in present:
        return torch.device(wanted), None
    if wanted == "auto" and present:
        return torch.device(present[0]), None
    missing = "GPU" if wanted == "auto" else f"{wanted} device"
    return None, f"there is no {missing} here: counted on the processor"


def count_block(
    reference: Tensor | ArrayLike, prediction: Tensor | ArrayLike, where: torch_device | None = None
) -> ConfusionMatrix:
    """Count two blocks of integer labels on a device.

    Parameters
    ----------
    reference, prediction : torch.Tensor or array_like
        Integers or booleans of any width, of one shape, in any memory layout.
    where : torch.device, optional
        Where to count. By default where the tensors lie; of two places the one that is not the host, else the
        reference's. What lies elsewhere is brought there piece by piece.

    Returns
    -------
    ConfusionMatrix
        int64, exact beyond 2^24; only tables come back to the host.

    Raises
    ------
    ShapeMismatch, NotLabels, TooManyLabels
    MemoryError
        The device has not as much memory as a piece takes.
    """
    torch = _torch()
    first, second = _tensor(torch, reference), _tensor(torch, prediction)
    if first.shape != second.shape:
        raise ShapeMismatch(
            f"the shapes differ: prediction {tuple(second.shape)}, reference {tuple(first.shape)}",
            "Nothing is broadcast or resized: give arrays of one shape.",
        )
    place = _place(first, second) if where is None else where
    most = _CAREFUL if place.type == "mps" else PIECE // max(first.element_size(), second.element_size())
    total = ConfusionMatrix.empty()
    try:
        for one, other in _pieces(first, second, most):
            total += count_piece(torch, one.to(place), other.to(place))
    except torch.cuda.OutOfMemoryError as error:
        raise MemoryError(f"the device {place} has too little memory: {error}") from error
    if total.total != math.prod(first.shape):
        raise RuntimeError(f"{place} has counted {total.total:,} of {math.prod(first.shape):,} pixels")
    return total


def _torch() -> ModuleType:
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            "counting on a device needs torch, which is not installed",
            "Install it with: pip install 'dicecli[torch]', or leave out --device.",
        ) from error
    module: ModuleType = torch
    return module


def _tensor(torch: ModuleType, values: Tensor | ArrayLike) -> Tensor:
    """Return what is given as a tensor of integers where it lies; booleans as the bytes that they are."""
    tensor = plain(values if isinstance(values, torch.Tensor) else torch.from_numpy(_array(values)))
    if tensor.is_floating_point() or tensor.is_complex():
        raise NotLabels(f"a tensor of type {tensor.dtype} holds no labels", _ASK)
    if tensor.dtype == torch.uint64:
        # torch can hardly reckon with this type; seen as signed, what is too large is negative.
        tensor = tensor.view(torch.int64)
        if tensor.numel() and int(tensor.min()) < 0:
            raise NotLabels("a label does not fit into 63 bits", "Renumber the labels from 0.")
    return tensor.view(torch.uint8) if tensor.dtype == torch.bool else tensor


def _array(values: ArrayLike) -> np.ndarray:
    """Return an array of integers that torch can see: native byte order, writable, no backward steps."""
    array = np.asarray(values)
    if not array.size and array.dtype == np.float64:
        array = array.astype(np.uint8)  # what NumPy makes of an empty list
    if array.dtype.kind not in "iub":
        raise NotLabels(f"an array of type {array.dtype} holds no labels", _ASK)
    return np.require(array.astype(array.dtype.newbyteorder("="), copy=False), None, ["C", "W"])


def _place(first: Tensor, second: Tensor) -> torch_device:
    return second.device if first.device.type == "cpu" else first.device


def _pieces(first: Tensor, second: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut two tensors of one shape alike, so that making them flat copies no more than a piece."""
    # In the order in which the first one lies in memory, pixels come in neighbouring runs.
    axes = sorted(range(first.ndim), key=lambda axis: -first.stride(axis))
    first, second = first.permute(axes), second.permute(axes)
    if first.is_contiguous() and second.is_contiguous():
        first, second = first.reshape(-1), second.reshape(-1)
        for start in range(0, first.numel(), most):
            yield first[start : start + most], second[start : start + most]
        return
    yield from _halves(first, second, most)


def _halves(first: Tensor, second: Tensor, most: int) -> Iterator[tuple[Tensor, Tensor]]:
    if first.numel() > most:
        axis = next(axis for axis, n in enumerate(first.shape) if n > 1)
        half, n = first.shape[axis] // 2, first.shape[axis]
        for start, length in ((0, half), (half, n - half)):
            yield from _halves(first.narrow(axis, start, length), second.narrow(axis, start, length), most)
    elif first.numel():
        yield first.reshape(-1), second.reshape(-1)
