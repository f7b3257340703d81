"""Where the pixels of a mask lie: shape, spacing, and the way from index to world."""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Literal

import numpy as np

from dicecli.masks import gdal_options

#: Displacements up to this many voxels are rounding of the header's numbers.
EXACT_VOXELS = 0.01
#: Up to here the nearest pixel is still the same one: compared, with a warning.
NEAREST_VOXELS = 0.5
#: Digits of a length in a message, unless the difference needs more.
_DIGITS = 6

#: Digits of a difference; numbers from here on have an exponent.
_SHIFT_DIGITS, _LARGE = 4, 1e15

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


def displacement(reference: Grid, prediction: Grid) -> float:
    """Return how far two grids lie apart in voxels of the reference: the most at any corner along any axis.

    Both must have an affine and as many axes. Where neither has one their spacings are compared instead, and
    without spacings on either side the answer is 0: nothing is known that could differ.
    """
    pair = _comparable(reference, prediction)
    if pair is None:
        return 0.0
    first, second = pair
    axes = first.shape[0]
    corners = reference.corners()
    corners = np.pad(corners, ((0, 0), (0, max(0, axes - corners.shape[1]))))[:, :axes]
    apart = corners @ (second - first)[:, :-1].T + (second - first)[:, -1]
    voxels = np.linalg.solve(first[:, :-1], apart.T)
    return float(np.abs(voxels).max())


def _comparable(reference: Grid, prediction: Grid) -> tuple[np.ndarray, np.ndarray] | None:
    """Return what two grids are compared by: their affines; their spacings, if one has none; or None."""
    grids = (reference, prediction)
    affines = [grid.affine for grid in grids if grid.affine is not None]
    if len(affines) == 2:
        return (affines[0], affines[1]) if affines[0].shape == affines[1].shape else None
    steps = [grid.spacing for grid in grids if grid.spacing is not None]
    if len(steps) < 2 or len(steps[0]) != len(steps[1]):
        return None
    first, second = (np.hstack([np.diag(step), np.zeros((len(step), 1))]) for step in steps)
    return first, second


def same_crs(first: str | None, second: str | None) -> bool:
    """Tell whether two coordinate reference systems are the same system, however they are written."""
    if first == second or first is None or second is None:
        return True
    from rasterio.crs import CRS

    with gdal_options.fixed():
        one, other = CRS.from_wkt(first), CRS.from_wkt(second)
        code = one.to_epsg()
        return bool(one == other or (code is not None and code == other.to_epsg()))


def differences(reference: Grid, prediction: Grid) -> list[str]:
    """Say in words what differs between two grids of one shape: CRS, spacing, origin, direction."""
    found = []
    if not same_crs(reference.crs, prediction.crs):
        found.append(f"CRS {crs_name(prediction.crs)} against {crs_name(reference.crs)}")
    pair = _comparable(reference, prediction)
    if pair is None:
        return found
    first, second = pair
    unit = f" {reference.unit}" if reference.unit else ""
    steps = [np.linalg.norm(each[:, :-1], axis=0) for each in (first, second)]
    # A spacing matters as far as it adds up over the whole mask.
    full = np.array((reference.full_shape + (1,) * first.shape[0])[: first.shape[0]])
    if (np.abs(steps[1] - steps[0]) * full > EXACT_VOXELS * steps[0]).any():
        digits = _digits(steps[0], steps[1])
        found.append(f"spacing {figures(steps[1], digits)} against {figures(steps[0], digits)}{unit}")
    shift = second[:, -1] - first[:, -1]
    if np.abs(np.linalg.solve(first[:, :-1], shift)).max() > EXACT_VOXELS:
        digits = _digits(first[:, -1], second[:, -1])
        origins = (figures(each[:, -1], digits) for each in (second, first))
        pixels = np.linalg.solve(first[:, :-1], shift)
        what = "voxels" if reference.kind in {"volume", "stack"} else "pixels"
        by = f"{figures(shift, _SHIFT_DIGITS)}{unit} or {figures(pixels, _SHIFT_DIGITS)} {what}"
        found.append(f"origin {' against '.join(origins)}{unit}, by {by}")
    cosines = ((first[:, :-1] / steps[0]) * (second[:, :-1] / steps[1])).sum(axis=0)
    degrees = np.degrees(np.arccos(np.clip(cosines, -1, 1)))
    if (np.radians(degrees) * full > EXACT_VOXELS).any() and degrees.max() > 1e-4:
        found.append(f"direction of the axes by {figures(degrees)} degrees")
    return found


def crs_name(wkt: str | None) -> str:
    """Return what people call a coordinate reference system: its code, else its name; none."""
    if wkt is None:
        return "none"
    from rasterio.crs import CRS

    crs = CRS.from_wkt(wkt)
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else wkt.split('"')[1] if '"' in wkt else wkt[:40]


def figures(values: np.ndarray, digits: int = _DIGITS) -> str:
    """Return numbers as people read them, in brackets: large ones without an exponent."""
    return f"({', '.join(figure(value, digits) for value in values.tolist())})"


def figure(value: float, digits: int = _DIGITS) -> str:
    """Return a number with so many digits, large ones without an exponent: 5500020, not 5.50002e+06."""
    # There is no -0.
    text = f"{value + 0.0:.{digits}g}"
    return f"{Decimal(text):f}" if "e+" in text and abs(value) < _LARGE else text


def _digits(first: np.ndarray, second: np.ndarray) -> int:
    """Return how many digits show the difference of two places to 1 %, be they metres from a pole."""
    largest = np.abs(second - first).max()
    shift = (second - first).tolist()
    whole = len(f"{min(np.abs([first, second]).max(), _LARGE):.0f}")
    for digits in range(max(_DIGITS, min(whole, 17)), 17):
        shown = (
            float(f"{b:.{digits}g}") - float(f"{a:.{digits}g}")
            for a, b in zip(first.tolist(), second.tolist(), strict=True)
        )
        if all(abs(there - here) <= 0.01 * largest for there, here in zip(shown, shift, strict=True)):
            return digits
    return 17
