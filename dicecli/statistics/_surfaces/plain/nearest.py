"""The twin of what the C extension does for ``nearest``, with NumPy.

Points are put in the order of a Z curve and cut into groups of neighbours. A group of queries looks through
groups of points, those with the nearest box first, until no box is nearer than the best found for all.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Bits of a coordinate that decide on the order.
_BITS = 21
#: Numbers that are reckoned at a time.
_CHUNK = 1 << 20


class Points:
    """Points in groups of neighbours.

    Parameters
    ----------
    points : numpy.ndarray
        int32, n times 2 or 3, n at least 1.
    """

    def __init__(self, points: np.ndarray) -> None:
        n, axes = points.shape
        size = max(16, isqrt(n) // 8)
        #: The number of each point as it was given.
        self.order = np.argsort(_keys(points), kind="stable")
        filled = np.pad(points[self.order], ((0, -n % size), (0, 0)), mode="edge")
        #: float64, axes times groups times the points of a group; the last group is filled up.
        self.places = np.ascontiguousarray(filled.T, np.float64).reshape(axes, -1, size)
        #: float64, axes times groups: where each group's box begins and ends.
        self.lows, self.highs = self.places.min(axis=2), self.places.max(axis=2)

    def distances(self, queries: Self, spacing: Sequence[float]) -> np.ndarray:
        """Return how far each query is from the nearest of these points, float64 in the queries' order."""
        groups, size = queries.places.shape[1:]
        found = np.empty((groups, size))
        step = max(1, _CHUNK // max(self.lows.shape[1], size * self.places.shape[2]))
        for begin in range(0, groups, step):
            part = slice(begin, begin + step)
            found[part] = _squares(self, queries, part, spacing)
        result = np.empty(len(queries.order))
        result[queries.order] = found.reshape(-1)[: len(queries.order)]
        return np.sqrt(result)


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


def _squares(there: Points, here: Points, part: slice, spacing: Sequence[float]) -> np.ndarray:
    """Return the squared distances of some groups of queries, groups times points of a group."""
    lows, highs, queries = here.lows[:, part, None], here.highs[:, part, None], here.places[:, part]
    gaps = np.maximum(np.maximum(there.lows[:, None] - highs, lows - there.highs[:, None]), 0)
    bounds = _squared(gaps, spacing)
    best = np.full(queries.shape[1:], np.inf)
    rows = np.arange(len(best))
    while rows.size:
        nearest = bounds[rows].argmin(axis=1)
        is_near = bounds[rows, nearest] < best[rows].max(axis=1)
        rows, nearest = rows[is_near], nearest[is_near]
        bounds[rows, nearest] = np.inf
        apart = queries[:, rows, :, None] - there.places[:, nearest, None, :]
        best[rows] = np.minimum(best[rows], _squared(apart, spacing).min(axis=2))
    return best


def _squared(apart: np.ndarray, spacing: Sequence[float]) -> np.ndarray:
    """Return squared lengths of whole steps along the axes, the squares added smallest first."""
    first, second, *others = (np.square(steps * each) for steps, each in zip(apart, spacing, strict=True))
    total: np.ndarray = first + second
    for third in others:
        less, more = np.minimum(first, second), np.maximum(first, second)
        total = less + np.minimum(more, third) + np.maximum(more, third)
    return total
