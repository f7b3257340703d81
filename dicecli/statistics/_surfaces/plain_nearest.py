"""The twin of what the C extension does for ``nearest``, with NumPy.

Points are put in the order of a Z curve and cut into groups of neighbours. A group of queries looks through
groups of points, those with the nearest box first, until no box is nearer than the best found for all.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import isqrt

import numpy as np

#: Bits of a coordinate that decide on the order.
_BITS = 21
#: Numbers that are reckoned at a time.
_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class _Groups:
    """Points in groups of neighbours; the last group is filled up with its last point."""

    points: np.ndarray  #: float64, axes times groups times the points of a group
    lows: np.ndarray  #: float64, axes times groups: where each box begins
    highs: np.ndarray  #: float64, where it ends
    order: np.ndarray  #: int64, the number of each point as it was given


def distances(points: np.ndarray, queries: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return how far each query is from the nearest point.

    Parameters
    ----------
    points, queries : numpy.ndarray
        int32, each of n times 2 or 3, n at least 1.
    spacing : tuple of float

    Returns
    -------
    numpy.ndarray
        float64, in the order of the queries.
    """
    there, here = _grouped(points), _grouped(queries)
    groups, size = here.points.shape[1:]
    found = np.empty((groups, size))
    step = max(1, _CHUNK // max(there.lows.shape[1], size * there.points.shape[2]))
    for begin in range(0, groups, step):
        part = slice(begin, begin + step)
        found[part] = _squares(there, here, part, spacing)
    result = np.empty(len(queries))
    result[here.order] = found.reshape(-1)[: len(queries)]
    return np.sqrt(result)


def _grouped(points: np.ndarray) -> _Groups:
    order = np.argsort(_keys(points), kind="stable")
    size = max(16, isqrt(len(points)) // 8)
    groups = -(-len(points) // size)
    filled = np.pad(points[order], ((0, groups * size - len(points)), (0, 0)), mode="edge")
    cells = np.ascontiguousarray(filled.T, np.float64).reshape(-1, groups, size)
    return _Groups(cells, cells.min(axis=2), cells.max(axis=2), order)


def _keys(points: np.ndarray) -> np.ndarray:
    """Return each point's place on a Z curve, uint64: the bits of its coordinates by turns."""
    raised = points.astype(np.int64)
    raised -= raised.min(axis=0)
    raised >>= max(0, int(raised.max()).bit_length() - _BITS)
    keys = np.zeros(len(points), np.uint64)
    axes = points.shape[1]
    for bit in range(int(raised.max()).bit_length()):
        for axis in range(axes):
            keys |= ((raised[:, axis] >> bit & 1) << (bit * axes + axis)).astype(np.uint64)
    return keys


def _squares(there: _Groups, here: _Groups, part: slice, spacing: tuple[float, ...]) -> np.ndarray:
    """Return the squared distances of some groups of queries, groups times points of a group."""
    lows, highs, queries = here.lows[:, part, None], here.highs[:, part, None], here.points[:, part]
    gaps = np.maximum(np.maximum(there.lows[:, None] - highs, lows - there.highs[:, None]), 0)
    bounds = _squared(gaps, spacing)
    best = np.full(queries.shape[1:], np.inf)
    rows = np.arange(len(best))
    while rows.size:
        nearest = bounds[rows].argmin(axis=1)
        is_near = bounds[rows, nearest] < best[rows].max(axis=1)
        rows, nearest = rows[is_near], nearest[is_near]
        bounds[rows, nearest] = np.inf
        apart = queries[:, rows, :, None] - there.points[:, nearest, None, :]
        best[rows] = np.minimum(best[rows], _squared(apart, spacing).min(axis=2))
    return best


def _squared(apart: np.ndarray, spacing: tuple[float, ...]) -> np.ndarray:
    """Return squared lengths of whole steps along the axes, the squares added smallest first."""
    squares = [np.square(steps * each) for steps, each in zip(apart, spacing, strict=True)]
    if len(squares) == 2:
        return squares[0] + squares[1]
    first, second, third = squares
    less, more = np.minimum(first, second), np.maximum(first, second)
    return less + np.minimum(more, third) + np.maximum(more, third)
