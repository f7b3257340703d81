"""The joint histogram of two flat tensors on one device: exact in integers, in a fixed number of passes.

What is constant is counted by the word, the rest by the pixel, as NumPy's kernel does: on a GPU, pixels that
are alike would wait for each other at one cell of the table. Sums of integers are the same in any order, so
all of it is deterministic.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._confusion import ConfusionMatrix, check_number

if TYPE_CHECKING:
    from types import ModuleType

    from torch import Tensor
    from torch import device as torch_device
    from torch import dtype as torch_dtype

#: One word in so many is looked at before all of them are.
_SAMPLE = 61
#: Below this share of constant words the search does not pay.
_WORTH = 0.3
#: A range of labels up to this width is numbered through a table, a wider one by sorting.
_TABLE = 1 << 20
#: All bytes of a word but the last: where each is as its neighbour, all eight pixels are alike.
_NEIGHBOURS = (1 << 56) - 1


def count_piece(torch: ModuleType, first: Tensor, second: Tensor) -> ConfusionMatrix:
    """Count one piece of two masks.

    Parameters
    ----------
    first, second : torch.Tensor
        Integers but uint64, one-dimensional, of one length above 0, on one device.

    Raises
    ------
    TooManyLabels
    """
    sides = [_measured(torch, each) for each in (first, second)]
    if all(high - low < 256 for _, low, high in sides):
        lows = [0 if low >= 0 and high < 256 else low for _, low, high in sides]
        codes = [
            (labels - low if low else labels).to(torch.uint8)
            for (labels, _, _), low in zip(sides, lows, strict=True)
        ]
        most = max(high - low for (_, _, high), low in zip(sides, lows, strict=True))
        table = _count_bytes(torch, codes[0], codes[1], most + 1)
        numbers = np.arange(len(table), dtype=np.int64)
        return ConfusionMatrix.from_pairs(numbers + lows[0], numbers + lows[1], table)
    (rows, codes_1), (columns, codes_2) = (_numbered(torch, *side) for side in sides)
    joint = codes_1 * len(columns)
    joint += codes_2
    table = torch.bincount(joint, minlength=len(rows) * len(columns)).cpu().numpy()
    return ConfusionMatrix.from_pairs(rows, columns, table.reshape(len(rows), len(columns)).astype(np.int64))


def _measured(torch: ModuleType, labels: Tensor) -> tuple[Tensor, int, int]:
    """Return labels in a type that torch can reckon with, and the least and the largest of them."""
    wider = {torch.uint16: torch.int32, torch.uint32: torch.int64}
    labels = labels.to(wider.get(labels.dtype, labels.dtype))
    ends = (labels.min(), labels.max()) if labels.device.type == "mps" else torch.aminmax(labels)
    low, high = torch.stack(tuple(ends)).tolist()
    return labels, low, high


def _count_bytes(torch: ModuleType, first: Tensor, second: Tensor, labels: int) -> np.ndarray:
    """Count 8-bit codes below `labels`; int64 on the host, shape ``(labels, labels)``."""
    table = np.zeros((labels, labels), np.int64)
    end = first.numel() // 8 * 8
    # Apple's devices hardly take 64-bit words.
    if first.device.type != "mps" and end >= 8 * _SAMPLE:
        one, other = _words(torch, first[:end]), _words(torch, second[:end])
        if float(_alike(one[::_SAMPLE], other[::_SAMPLE]).float().mean()) >= _WORTH:
            one, other = _constant(torch, table, one, other)
            first = torch.cat((one.view(torch.uint8), first[end:]))
            second = torch.cat((other.view(torch.uint8), second[end:]))
    if first.numel():
        joint = first.to(_narrow(torch, first.device, labels)) * labels
        joint += second
        table += _count_codes(torch, joint, labels)
    return table


def _words(torch: ModuleType, codes: Tensor) -> Tensor:
    """See eight pixels as one 64-bit word; what does not begin where a word can is copied."""
    if codes.data_ptr() % 8 or codes.storage_offset() % 8:
        codes = codes.clone()
    return codes.view(torch.int64)


def _alike(one: Tensor, other: Tensor) -> Tensor:
    """Tell of each pair of words whether the eight pixels are alike in both masks."""
    return (((one >> 8) ^ one) | ((other >> 8) ^ other)) & _NEIGHBOURS == 0


def _constant(torch: ModuleType, table: np.ndarray, one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    """Count constant words in `table`, and return the other ones."""
    busy = torch.nonzero(one | other).squeeze(1)
    table[0, 0] += 8 * (one.numel() - busy.numel())
    if busy.numel() < one.numel():
        one, other = one[busy], other[busy]
    del busy
    alike = _alike(one, other)
    runs, mixed = (torch.nonzero(each).squeeze(1) for each in (alike, ~alike))
    if runs.numel():
        joint = (one[runs] & 255) * len(table) + (other[runs] & 255)
        table += 8 * _count_codes(torch, joint.to(torch.int32), len(table))
    return one[mixed], other[mixed]


def _narrow(torch: ModuleType, device: torch_device, labels: int) -> torch_dtype:
    """Return the narrowest type that holds all pairs of labels and that the device can count."""
    if device.type == "mps":
        return torch.int32
    return torch.uint8 if labels <= 16 else torch.int16 if labels <= 181 else torch.int32


def _count_codes(torch: ModuleType, joint: Tensor, labels: int) -> np.ndarray:
    counted: np.ndarray = torch.bincount(joint, minlength=labels * labels).cpu().numpy()
    return counted.astype(np.int64).reshape(labels, labels)


def _numbered(torch: ModuleType, labels: Tensor, low: int, high: int) -> tuple[np.ndarray, Tensor]:
    """Give labels numbers: the sorted labels, int64 on the host, and each pixel's number, int32."""
    wide = labels.to(torch.int64)
    if high - low < _TABLE:
        places = wide - low
        seen = torch.zeros(high - low + 1, dtype=torch.int32, device=wide.device)
        seen[places] = 1
        found = torch.nonzero(seen).squeeze(1) + low
        check_number(found.numel())
        codes = (torch.cumsum(seen, 0, dtype=torch.int32) - 1)[places]
    else:
        found = torch.unique(wide)
        check_number(found.numel())
        codes = torch.searchsorted(found, wide, out_int32=True)
    return found.cpu().numpy(), codes
