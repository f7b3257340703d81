"""How far points are from the nearest of others, exactly."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._surfaces import plain_nearest

if TYPE_CHECKING:
    from collections.abc import Sequence


class Tree:
    """Points, made ready to be looked for.

    Parameters
    ----------
    points : numpy.ndarray
        int32, n times 2 or 3 whole coordinates, n at least 1, in any order; the same point may come twice.

    Raises
    ------
    ValueError
        They are not points, or none.
    """

    def __init__(self, points: np.ndarray) -> None:
        if points.ndim != 2 or points.shape[1] not in {2, 3} or not len(points) or points.dtype != np.int32:
            raise ValueError("not points: int32 of n times 2 or 3, n at least 1")
        self._points = np.ascontiguousarray(points)

    def __len__(self) -> int:
        return len(self._points)

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
        steps = tuple(float(each) for each in spacing)
        if not self._points.shape[1] == queries._points.shape[1] == len(steps):
            raise ValueError("points, queries and spacing have not the same axes")
        return plain_nearest.distances(self._points, queries._points, steps)
