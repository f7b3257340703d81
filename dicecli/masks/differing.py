"""How two grids differ: by how many voxels, in which coordinate system, and in words."""

from __future__ import annotations

import re
from decimal import Decimal
from typing import TYPE_CHECKING

import numpy as np

from dicecli.masks import gdal_options

if TYPE_CHECKING:
    from rasterio.crs import CRS

    from dicecli.masks.grid import Grid

#: Displacements up to this many voxels are rounding of the header's numbers.
EXACT_VOXELS = 0.01
#: Up to here the nearest pixel is still the same one: compared, with a warning.
NEAREST_VOXELS = 0.5
#: Digits of a length in a message, unless the difference needs more.
_DIGITS = 6
#: Digits of a difference; numbers from here on have an exponent.
_SHIFT_DIGITS, _LARGE = 4, 1e15
#: What WKT of version 1 says of the order of axes: where they point, and at its end the code of the system.
_OF_ORDER = re.compile(
    r',AXIS\["[^"]*",(?:NORTH\],AXIS\["[^"]*",EAST|EAST\],AXIS\["[^"]*",NORTH)\]'
    r'|,AUTHORITY\["[^"]*","[^"]*"\](?=\]$)'
)


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
    """Tell whether two coordinate reference systems are the same system, however they are written.

    Of two geographic ones the order of latitude and longitude does not matter: rasters have longitude along
    their rows, whatever their system says, and files with keys of Esri say so.
    """
    if first == second or first is None or second is None:
        return True
    from rasterio.crs import CRS

    with gdal_options.fixed():
        one, other = CRS.from_wkt(first), CRS.from_wkt(second)
        code = one.to_epsg()
        if one == other or (code is not None and code == other.to_epsg()):
            return True
        is_on_globe = one.is_geographic and other.is_geographic
        return is_on_globe and bool(_without_order(one) == _without_order(other))


def _without_order(crs: CRS) -> CRS:
    """Return a geographic system without the order of its axes: with its datum, prime meridian and unit."""
    from rasterio.crs import CRS

    return CRS.from_wkt(_OF_ORDER.sub("", crs.wkt))


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
