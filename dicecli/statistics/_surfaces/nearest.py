"""How far points are from the nearest of others, exactly."""

from __future__ import annotations

from math import frexp
from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._surfaces import extension, plain_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Points of a leaf, and boxes of a group.
_LEAF = 8


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
        self._n, self._axes = points.shape
        native = extension.native()
        self._points = None if native else points
        if native is None:
            return
        leaves = -(-self._n // _LEAF)
        self._order = np.empty(self._n, np.uint32)
        self._cells = np.empty((leaves, self._axes, _LEAF), np.int32)
        self._boxes = np.empty((_groups(leaves), 2, self._axes, _LEAF), np.int32)
        native.build(
            np.require(points, np.int32, "CA"),
            _raised(spacing or [1.0] * self._axes),
            self._order,
            self._cells,
            self._boxes,
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
        if self._points is not None and queries._points is not None:
            return plain_nearest.distances(self._points, queries._points, steps)
        found = np.empty(len(queries))
        extension.native().nearest(
            self._n,
            self._cells,
            self._boxes,
            self._axes,
            (*steps, 0.0)[:3],
            queries._order,
            queries._cells,
            queries._boxes,
            found,
        )
        return found


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
    first, second, third, *_ = [*(min(30, each - min(powers)) for each in powers), 0]
    return first, second, third
