"""Counting with torch, on the device where the tensors are."""

from __future__ import annotations

from typing import Any

import numpy as np

from dicecli.confusion import ConfusionMatrix
from dicecli.errors import NotLabels, ShapeMismatch, UsageError

#: Pixels of a piece: bounds the memory that counting takes on the device, 17 bytes a pixel.
PIECE = 1 << 24
#: A joint table of at most this many cells is counted directly; a larger one is compacted first.
_CELLS = 1 << 20


def describe() -> str:
    """Say what counts.

    Raises
    ------
    UsageError
        torch is not installed.
    """
    return f"torch {_torch().__version__}"


def device(wanted: str) -> tuple[Any, str | None]:
    """Return the torch device that `wanted` (``cuda``, ``mps``, ``auto``) means, and a note on a fallback."""
    torch = _torch()
    present = {
        "cuda": torch.cuda.is_available(),
        "mps": torch.backends.mps.is_available(),
    }
    chosen = next((name for name, is_there in present.items() if is_there), "cpu")
    if wanted == "auto" or present.get(wanted, wanted == "cpu"):
        return torch.device(chosen if wanted == "auto" else wanted), None
    return torch.device("cpu"), f"there is no {wanted} device here: counted on the processor"


def count_block(reference: Any, prediction: Any, where: Any = None) -> ConfusionMatrix:
    """Count two blocks of integer labels on a device.

    Parameters
    ----------
    reference, prediction : torch.Tensor or array_like
        Integers or booleans of any width, of one shape.
    where : torch.device, optional
        Where to count. By default where the first tensor of the two lies; the other one is brought there.

    Returns
    -------
    ConfusionMatrix
        int64, exact beyond 2^24; only the table comes back to the host.

    Raises
    ------
    ShapeMismatch, NotLabels, TooManyLabels
    """
    torch = _torch()
    if where is None:
        tensors = [each for each in (reference, prediction) if isinstance(each, torch.Tensor)]
        where = tensors[0].device if tensors else torch.device("cpu")
    first, second = (_checked(torch, each, where) for each in (reference, prediction))
    if first.shape != second.shape:
        raise ShapeMismatch(
            f"the shapes differ: prediction {tuple(second.shape)}, reference {tuple(first.shape)}",
            "Nothing is broadcast or resized: give arrays of one shape.",
        )
    first, second = first.reshape(-1), second.reshape(-1)
    total = ConfusionMatrix.empty()
    for start in range(0, first.numel(), PIECE):
        total += _count_piece(torch, first[start : start + PIECE], second[start : start + PIECE])
    return total


def _torch() -> Any:
    try:
        import torch
    except ImportError as error:
        raise UsageError(
            "counting on a device needs torch, which is not installed",
            "Install it with: pip install 'dicecli[torch]', or leave out --device.",
        ) from error
    return torch


def _checked(torch: Any, values: Any, where: Any) -> Any:
    if not isinstance(values, torch.Tensor):
        array = np.asarray(values)
        if array.dtype.kind not in "iub":
            raise NotLabels(f"an array of type {array.dtype} holds no labels", "Convert it to integers.")
        if array.dtype in (np.uint16, np.uint32):
            array = array.astype(np.int32 if array.dtype == np.uint16 else np.int64)
        elif array.dtype == np.uint64:
            _refuse_wide(int(array.max(initial=0)))
            array = array.astype(np.int64)
        values = torch.from_numpy(np.require(array.astype(array.dtype.newbyteorder("=")), None, ["C", "W"]))
    if values.is_floating_point() or values.is_complex():
        raise NotLabels(f"a tensor of type {values.dtype} holds no labels", "Convert it to integers.")
    if values.dtype == torch.uint64 and values.numel():
        # torch can hardly reckon with this type; seen as signed, what is too large is negative.
        signed = values.view(torch.int64)
        _refuse_wide(2**63 if bool((signed < 0).any()) else 0)
        values = signed
    # A class made from Tensor, such as MONAI's, would carry its own baggage through every step.
    return values.detach().as_subclass(torch.Tensor).to(where)


def _refuse_wide(label: int) -> None:
    if label >= 2**63:
        raise NotLabels("a label does not fit into 63 bits", "Renumber the labels from 0.")


def _count_piece(torch: Any, first: Any, second: Any) -> ConfusionMatrix:
    rows, codes = _numbered(torch, first)
    columns, others = _numbered(torch, second)
    joint = codes * columns.size + others
    cells = rows.size * columns.size
    if cells <= _CELLS:
        table = torch.bincount(joint, minlength=cells).cpu().numpy()
    else:
        found, times = (each.cpu().numpy() for each in torch.unique(joint, return_counts=True))
        table = np.zeros(cells, np.int64)
        table[found] = times
    table = table.astype(np.int64).reshape(rows.size, columns.size)
    return ConfusionMatrix.from_pairs(rows, columns, table)


def _numbered(torch: Any, labels: Any) -> tuple[np.ndarray, Any]:
    """Give the labels of a piece numbers: the sorted labels, on the host, and each pixel's number (int64)."""
    wide = labels.to(torch.int64)
    low, high = (int(each) for each in torch.aminmax(wide))
    if high - low < 256:
        return np.arange(low, high + 1, dtype=np.int64), wide - low
    found, codes = torch.unique(wide, return_inverse=True)
    return found.cpu().numpy(), codes
