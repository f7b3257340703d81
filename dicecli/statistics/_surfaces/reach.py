"""Which voxels lie within reach of points."""

from __future__ import annotations

import math
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

#: How fine squares of distances are where spacings differ: in parts of the square of the reach.
_PARTS = 1 << 30
#: How many values are worked on at once, so that they stay in the processor's cache.
_PIECE = 1 << 17


class Reach:
    """A distance in an array of voxels, and what lies nearer than that to points.

    Squares of distances are whole numbers, so that it does not matter in which order axes are added: exact
    where all spacings are the same, else to 2^-30 of the square of the reach.

    Parameters
    ----------
    limit : float
        The distance from which on a voxel is out of reach, in the spacing's unit, above 0.
    spacing : tuple of float
        For each axis.
    shape : tuple of int
        Of the array.
    """

    def __init__(self, limit: float, spacing: tuple[float, ...], shape: tuple[int, ...]) -> None:
        self._shape = shape
        steps = [np.arange(length) for length in shape]
        if len(set(spacing)) == 1:
            squared = [each * each for each in steps]
            #: The square of the limit; no square below it is that of a distance out of reach.
            self._cap = min(math.ceil((limit / spacing[0]) ** 2), 1 + sum(int(each[-1]) for each in squared))
        else:
            sides = zip(steps, spacing, strict=True)
            squared = [np.rint((each * side / limit) ** 2 * _PARTS).astype(np.int64) for each, side in sides]
            self._cap = _PARTS
        types = (np.uint16, np.uint32, np.int64)
        dtype = next(each for each in types if 2 * self._cap <= np.iinfo(each).max)
        #: The squares of the distances along each axis that are within reach.
        self._costs = [each[each < self._cap].astype(dtype) for each in squared]

    def voxels(self, points: np.ndarray, planes: slice) -> tuple[tuple[slice, ...], np.ndarray]:
        """Find the voxels of some planes that are nearer to one of some points than the limit.

        Parameters
        ----------
        points : numpy.ndarray
            int64, ``(axes, n)``, at least one; in any planes.
        planes : slice
            Along the first axis, with a start and a stop.

        Returns
        -------
        box : tuple of slice
            Which voxels are looked at; all that are found are in it. It may hold none.
        is_near : numpy.ndarray
            bool, of the box.
        """
        lows, highs = points.min(axis=1), points.max(axis=1) + 1
        reached, *across = (
            slice(max(int(low) - len(costs) + 1, 0), min(int(high) + len(costs) - 1, length))
            for low, high, costs, length in zip(lows, highs, self._costs, self._shape, strict=True)
        )
        begin = min(max(reached.start, planes.start), planes.stop)
        end = max(min(reached.stop, planes.stop), begin)
        origin = np.array([min(int(lows[0]), begin), *(each.start for each in across)])
        height = max(int(highs[0]), end) - int(origin[0])
        sides = (height, *(each.stop - each.start for each in across))
        squared = np.full(sides, self._cap, self._costs[0].dtype)
        squared[tuple(points - origin[:, None])] = 0
        self._spread(squared, 0)
        squared = squared[begin - int(origin[0]) : end - int(origin[0])]
        for axis in range(1, squared.ndim):
            self._spread(squared, axis)
        return (slice(begin, end), *across), squared < self._cap

    def _spread(self, squared: np.ndarray, axis: int) -> None:
        """Replace each value by the smallest along an axis, the cost of the way added to each; in place."""
        costs = self._costs[axis]
        for place in _pieces(squared.shape, axis):
            piece = squared[place]
            if piece.min() >= self._cap:
                continue
            values = np.moveaxis(piece, axis, 0).copy()  # shifts are fast along the slowest axis
            best, raised = values.copy(), np.empty_like(values)
            for step in range(1, min(len(costs), len(values))):
                np.add(values, costs[step], out=raised)
                np.minimum(best[step:], raised[:-step], out=best[step:])
                np.minimum(best[:-step], raised[step:], out=best[:-step])
            piece[...] = np.moveaxis(best, 0, axis)


def _pieces(shape: tuple[int, ...], axis: int) -> Iterator[tuple[slice, ...]]:
    """Yield the pieces that an array is cut into, across all axes but one, so that each fits the cache."""
    sides = list(shape)
    for other in range(len(shape)):
        if other != axis:
            sides[other] = min(sides[other], max(1, _PIECE * sides[other] // max(1, math.prod(sides))))
    starts = (range(0, length, max(1, side)) for length, side in zip(shape, sides, strict=True))
    for begins in product(*starts):
        yield tuple(slice(begin, begin + side) for begin, side in zip(begins, sides, strict=True))
