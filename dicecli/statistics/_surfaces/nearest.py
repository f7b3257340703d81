"""How far points are from the nearest of others, exactly."""

from __future__ import annotations

from math import frexp
from typing import TYPE_CHECKING, Protocol, Self

import numpy as np

from dicecli.statistics._surfaces import extension
from dicecli.statistics._surfaces.plain.nearest import Points

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import ModuleType

#: Points of a leaf, and boxes of a group.
_LEAF = 8


class _Points(Protocol):
    """Points as one of the two implementations has them."""

    def distances(self, queries: Self, spacing: Sequence[float]) -> np.ndarray:
        """Return how far each query is from the nearest of these points."""


class _NativePoints:
    """Points in the order of a curve, in leaves, with boxes around them, made and read by the C extension."""

    def __init__(self, native: ModuleType, points: np.ndarray, spacing: Sequence[float]) -> None:
        n, axes = points.shape
        leaves = -(-n // _LEAF)
        self._native = native
        self._order = np.empty(n, np.uint32)
        self._cells = np.empty((leaves, axes, _LEAF), np.int32)
        self._boxes = np.empty((_groups(leaves), 2, axes, _LEAF), np.int32)
        plain = np.require(points, np.int32, ["C", "A"])
        native.build(plain, _raised(spacing), self._order, self._cells, self._boxes)

    def distances(self, queries: Self, spacing: Sequence[float]) -> np.ndarray:
        """Return how far each query is from the nearest of these points."""
        found = np.empty(len(queries._order))
        there = len(self._order), self._cells, self._boxes
        here = queries._order, queries._cells, queries._boxes
        self._native.nearest(*there, len(spacing), (*spacing, 0.0)[:3], *here, found)
        return found


class Tree:
    """Points, made ready to be looked for.

    Parameters
    ----------
    points : numpy.ndarray
        int32, n times 2 or 3 whole coordinates, n at least 1, in any order; the same point may come twice.
    spacing : sequence of float, optional
        About how long a step along each axis is; it matters to speed alone.

    Raises
    ------
    ValueError
        They are not points, or none.
    """

    def __init__(self, points: np.ndarray, spacing: Sequence[float] | None = None) -> None:
        if points.ndim != 2 or points.shape[1] not in {2, 3} or not len(points) or points.dtype != np.int32:
            raise ValueError("not points: int32 of n times 2 or 3, n at least 1")
        native = extension.native()
        self._n, self._axes = len(points), int(points.shape[1])
        self._points: _Points = (
            Points(points) if native is None else _NativePoints(native, points, spacing or [1.0] * self._axes)
        )

    def __len__(self) -> int:
        return self._n

    def nearest(self, queries: Tree, spacing: Sequence[float]) -> np.ndarray:
        """Return how far each query is from the nearest of these points.

        A distance is the root of the sum, smallest first, of the squares of steps times spacing, each step
        a whole number; so it depends neither on the axes' order nor on how it is looked for.

        Parameters
        ----------
        queries : Tree
            With as many axes.
        spacing : sequence of float
            The length of a step along each axis.

        Returns
        -------
        numpy.ndarray
            float64 in the unit of the spacing, in the order in which the points of `queries` were given.

        Raises
        ------
        ValueError
            They differ in how many axes they have.
        """
        steps = [float(each) for each in spacing]
        if not self._axes == queries._axes == len(steps):
            raise ValueError("points, queries and spacing have not the same axes")
        return self._points.distances(queries._points, steps)


def _groups(leaves: int) -> int:
    """Return how many groups of boxes a tree has at all its levels."""
    groups = total = -(-leaves // _LEAF)
    while groups > 1:
        groups = -(-groups // _LEAF)
        total += groups
    return total


def _raised(spacing: Sequence[float]) -> tuple[int, int, int]:
    """Return by how many bits a step along each axis counts for more than the shortest one, 0 to 30."""
    powers = [frexp(each * 2**0.5)[1] for each in spacing]
    first, second, third, *_ = *(min(30, each - min(powers)) for each in powers), 0
    return first, second, third
