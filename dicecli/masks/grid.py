"""Where the pixels of a mask lie: shape, spacing, and the way from index to world."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

#: What a file says of its unit of length.
StatedUnit = Literal["m", "mm", "µm", "none"]


@dataclass(frozen=True, eq=False)
class Grid:
    """The geometry of one mask.

    Attributes
    ----------
    shape : tuple of int
        Pixels along each axis of the array, in the array's order; trailing axes of length 1 are dropped.
    spacing : tuple of float or None
        Distance of neighbours along each axis, in `unit`.
    unit : str or None
        ``"mm"`` for volumes, ``"m"`` or ``"degree"`` for maps, None where unknown.
    affine : numpy.ndarray or None
        float64, shape ``(k, k + 1)`` with k at least the number of axes: ``affine @ (*index, 1)`` is the
        world position of a pixel's centre. None without georeferencing. Axes beyond `shape` have length 1.
    crs : str or None
        The coordinate reference system of a map, as WKT.
    pixel_size : float or None
        Length, area or volume of one pixel in ``unit`` to the power of `k`.
    kind : {"image", "stack", "volume", "map"}
        A stack is a volume of which only its pages are known, rows and columns first.
    unit_stated : {"m", "mm", "µm", "none"} or None
        The unit that the file states, from which lengths were converted to `unit`; ``"none"`` where it could
        state one and does not, so that `unit` is taken for granted. None where that is no question.
    """

    shape: tuple[int, ...]
    spacing: tuple[float, ...] | None = None
    unit: str | None = None
    affine: np.ndarray | None = None
    crs: str | None = None
    pixel_size: float | None = None
    kind: Literal["image", "stack", "volume", "map"] = "image"
    unit_stated: StatedUnit | None = None

    @property
    def full_shape(self) -> tuple[int, ...]:
        """The shape with the dropped axes of length 1 put back, as many as the affine has."""
        axes = len(self.shape) if self.affine is None else max(len(self.shape), self.affine.shape[0])
        return self.shape + (1,) * (axes - len(self.shape))

    @property
    def size(self) -> int:
        """The number of pixels."""
        return math.prod(self.shape)

    @property
    def orientation(self) -> str | None:
        """The directions in which a volume's axes run, as in ``RAS``; None where unknown."""
        if self.affine is None or self.kind != "volume":
            return None
        letters = (("L", "R"), ("P", "A"), ("I", "S"))
        linear = self.affine[:, :-1]
        order = np.argmax(np.abs(linear), axis=0)
        return "".join(letters[row][int(linear[row, axis] > 0)] for axis, row in enumerate(order))

    def sizes(self) -> dict[str, float]:
        """Return the size of one pixel by the unit that metrics ask for: ``mm3``, ``m2``."""
        names = {("volume", "mm"): "mm3", ("stack", "mm"): "mm3", ("map", "m"): "m2"}
        name = names.get((self.kind, self.unit or ""))
        return {} if self.pixel_size is None or name is None else {name: self.pixel_size}

    def corners(self) -> np.ndarray:
        """Return the indices of the corner pixels: float64, shape ``(2**k, k)``."""
        ends = [(0, n - 1) for n in self.full_shape]
        return np.array(list(itertools.product(*ends)), dtype=np.float64)

    def world(self, indices: np.ndarray) -> np.ndarray:
        """Return the world positions of index positions ``(n, k)``; needs an affine."""
        if self.affine is None:
            raise ValueError("a grid without affine has no world positions")
        positions: np.ndarray = indices @ self.affine[:, :-1].T + self.affine[:, -1]
        return positions

    def cropped(self, window: tuple[slice, ...]) -> Grid:
        """Return the grid of a window's pixels: a slice with explicit start and stop for each axis."""
        shape = tuple(part.stop - part.start for part in window)
        if self.affine is None:
            return replace(self, shape=shape)
        affine = self.affine.copy()
        for axis, part in enumerate(window):
            affine[:, -1] += self.affine[:, axis] * part.start
        return replace(self, shape=shape, affine=affine)

    def reoriented(self, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Grid:
        """Return the grid of the same pixels with array axes permuted and reversed.

        Axis ``t`` of the result is axis ``axes[t]`` of this grid, reversed where ``flips[t]``.
        """
        full = tuple(self.full_shape[axis] for axis in axes)
        if self.affine is None:
            known = None if self.spacing is None else tuple(self.spacing[axis] for axis in axes)
            return replace(self, shape=full, spacing=known)
        affine = self.affine.copy()
        origin = affine[:, -1].copy()
        for target, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
            column = self.affine[:, axis]
            affine[:, target] = -column if flip else column
            origin += column * (self.full_shape[axis] - 1) if flip else 0
        affine[:, -1] = origin
        shape = without_trailing_ones(full)
        steps = np.linalg.norm(affine[:, :-1], axis=0)
        spacing = None if self.spacing is None else tuple(steps[: len(shape)].tolist())
        return replace(self, shape=shape, spacing=spacing, affine=affine)


def without_trailing_ones(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without the axes of length 1 at its end; two axes stay."""
    end = len(shape)
    while end > 2 and shape[end - 1] == 1:
        end -= 1
    return shape[:end]


def determinant(linear: np.ndarray) -> float:
    """Return the length, area or volume that steps along each axis span, also where they are not upright.

    Parameters
    ----------
    linear : numpy.ndarray
        float64, ``(k, k)``, a column for each axis. Where every axis is that of a coordinate, the result is
        the product of the steps, to the last bit.
    """
    axes = range(len(linear))
    terms = []
    for rows in itertools.permutations(axes):
        crossings = sum(rows[one] > rows[other] for one, other in itertools.combinations(axes, 2))
        terms.append(
            (-1) ** crossings
            * math.prod(float(linear[row, axis]) for axis, row in zip(axes, rows, strict=True))
        )
    return abs(math.fsum(terms))
