"""How two pixel grids lie to each other whose pixels coincide, and whether one is a window of the other."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.masks.differing import EXACT_VOXELS, same_crs

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid

#: Where a window begins and ends, by axis.
Box = tuple[tuple[int, int], ...]


class Lying(NamedTuple):
    """Where a grid lies in the pixels of another one.

    Attributes
    ----------
    start : tuple of int
        The other one's index of its first pixel, by axis; below 0 where it begins before.
    shared : tuple of int
        How many pixels both have, by axis; 0 along an axis where they have none in common.
    """

    start: tuple[int, ...]
    shared: tuple[int, ...]


def lying(outer: Grid, inner: Grid) -> Lying | None:
    """Return where a grid lies in another one; None where their pixels do not coincide, or have no place.

    The CRS is not looked at. Axes that were dropped count with a length of 1.
    """
    first, second = outer.affine, inner.affine
    if first is None or second is None or first.shape != second.shape:
        return None
    offset = np.linalg.solve(first[:, :-1], second[:, -1] - first[:, -1])
    linear = np.linalg.solve(first[:, :-1], second[:, :-1])
    start = tuple(round(each) for each in offset.tolist())
    ends = [
        (max(0, -begin), min(there, here - begin))
        for begin, there, here in zip(start, inner.full_shape, outer.full_shape, strict=True)
    ]
    # Where nothing is shared the pixels are compared where the inner grid begins.
    held = ends if all(low < high for low, high in ends) else [(0, 1)] * len(ends)
    corners = np.array(list(itertools.product(*((low, high - 1) for low, high in held))), np.float64)
    apart = corners @ (linear - np.eye(len(ends))).T + (offset - start)
    # Away from what is shared steps must be alike as well, or it is another grid that begins nearby.
    if np.abs(apart).max() > EXACT_VOXELS or np.abs(linear - np.eye(len(ends))).max() > EXACT_VOXELS:
        return None
    return Lying(start, tuple(max(0, high - low) for low, high in ends))


def window_in(outer: Grid, inner: Grid) -> Window | None:
    """Return the slices of a grid that another one of as many axes covers exactly, maybe all; else None.

    Exactly is within 0.01 pixels at every corner, in the same CRS, in the same order and directions.
    """
    if len(outer.shape) != len(inner.shape):
        return None
    found = lying(outer, inner)
    if found is None or found.shared != inner.full_shape:
        return None
    if not same_crs(outer.crs, inner.crs):
        return None
    return tuple(slice(begin, begin + n) for begin, n in zip(found.start, found.shared, strict=True))[
        : len(outer.shape)
    ]


def at(start: tuple[int, ...]) -> str:
    """Say where a window begins: row and column of an image, else the voxel."""
    if len(start) == 2:
        return f"row {start[0]}, column {start[1]}"
    return f"voxel ({', '.join(map(str, start))})"


def union(boxes: Sequence[Box]) -> int:
    """Return how many pixels lie in any of some boxes; 0 without boxes."""
    return 0 if not boxes else _union(np.array(boxes, np.int64))


def _union(boxes: np.ndarray) -> int:
    """Return it of an array ``(boxes, axes, 2)``: summed up over the first axis, from one end to the next."""
    first = boxes[:, 0]
    if boxes.shape[1] == 1:
        start, stop = first[np.argsort(first[:, 0])].T
        reached = np.maximum.accumulate(stop)
        begin = np.maximum(start[1:], reached[:-1])
        return int(stop[0] - start[0] + np.maximum(stop[1:] - begin, 0).sum())
    ends = np.unique(first)
    total, last = 0, (b"", 0)
    for low, high in zip(ends[:-1].tolist(), ends[1:].tolist(), strict=True):
        here = boxes[(first[:, 0] <= low) & (first[:, 1] >= high), 1:]
        if len(here):
            key = here.tobytes()  # tiles in rows and columns: one row of them has many ends alike
            if key != last[0]:
                last = (key, _union(here))
            total += last[1] * (high - low)
    return total
