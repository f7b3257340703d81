"""How two maps lie to each other that do not cover the same pixels, and the command that would fit them.

Nothing is fitted here: the commands are those of rasterio's ``rio``, for people to look at and to run.
"""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.masks import gdal_options
from dicecli.masks.differing import crs_name, figures, same_crs
from dicecli.masks.windows import Lying, at, lying

if TYPE_CHECKING:
    from dicecli.masks.grid import Grid

#: So many places along each axis are brought into another CRS, in which straight edges may be curved.
_PLACES = 21
#: What to do where one mask is an exact window of the other.
WITHIN = "Score it within that window: --window."
_APART = "There is nothing to compare: give the mask of the same place."


class Fit(NamedTuple):
    """What is known of two maps.

    Attributes
    ----------
    message : str
        How the prediction lies to the reference: CRS, offset, overlap.
    hint : str
        What to do, with a command.
    """

    message: str
    hint: str


def fit_of(reference: Grid, prediction: Grid, paths: tuple[str, str]) -> Fit | None:
    """Say how two maps lie to each other, and what would fit them.

    Parameters
    ----------
    reference, prediction : Grid
        Of any shapes.
    paths : tuple of str
        Of the reference and of the prediction.

    Returns
    -------
    Fit or None
        None where one of them is no map of two axes with a place, or no file; and where one does not name its
        CRS, unless its pixels are those of the other.
    """
    if not all(map(_is_placed, (reference, prediction), paths)):
        return None
    names = [crs_name(grid.crs) for grid in (prediction, reference)]
    said = f"both in {names[1]}" if names[0] == names[1] else f"CRS {names[0]} against {names[1]}"
    window = lying(reference, prediction) if same_crs(reference.crs, prediction.crs) else None
    if window is None:
        return (
            None if None in {reference.crs, prediction.crs} else _warped(reference, prediction, paths, said)
        )
    begin = f"{said}; the prediction begins at {at(window.start)} of the reference"
    if 0 in window.shared:
        return Fit(f"{begin}, and they have no place in common", _APART)
    share = f"{np.prod(window.shared) / reference.size:.1%}"
    if window.shared == prediction.shape:
        said += f"; the prediction is an exact window of the reference at {at(window.start)}: {share} of it"
        return Fit(said, f"{WITHIN} {_cut(reference, window, paths, ('reference',))}")
    if window.shared == reference.shape:
        start = (-window.start[0], -window.start[1])
        said += f"; the reference is an exact window of the prediction at {at(start)}"
        return Fit(said, f"{WITHIN} {_cut(reference, window, paths, ('prediction',))}")
    rows, columns = window.shared
    said = f"{begin}, on the same grid, and they share {rows} x {columns} pixels: {share} of the reference"
    return Fit(said, _cut(reference, window, paths, ("prediction", "reference")))


def _is_placed(grid: Grid, path: str) -> bool:
    is_map = grid.kind == "map" and grid.affine is not None and grid.affine.shape == (2, 3)
    return is_map and len(grid.shape) == 2 and Path(path).suffix.lower() in {".tif", ".tiff"}


def _warped(reference: Grid, prediction: Grid, paths: tuple[str, str], said: str) -> Fit | None:
    """Say it of maps whose pixels do not coincide, or that are in different coordinate systems.

    None where GDAL knows no way from one to the other.
    """
    share = _share(reference, prediction)
    if share is None:
        return None
    if share == 0:
        return Fit(f"{said}, with no place in common", _APART)
    linear = [grid.affine[:, :-1] for grid in (prediction, reference) if grid.affine is not None]
    steps = " against ".join(figures(np.linalg.norm(each, axis=0)) for each in linear)
    turned = ", rows or columns in the other direction" if (linear[0] * linear[1] < 0).any() else ""
    said += f", pixels of {steps}{turned}; the prediction covers about {share:.0%} of the reference"
    return Fit(said, _warp(paths))


def _share(reference: Grid, prediction: Grid) -> float | None:
    """Return about how much of a reference lies in the box around a prediction, in the reference's pixels.

    None where there is no way from one coordinate system to the other.
    """
    along = np.linspace(0, 1, _PLACES)
    places = np.array([(row, column) for row in along for column in along])
    there = prediction.world(places * prediction.shape - 0.5).T
    if not same_crs(reference.crs, prediction.crs):
        from rasterio._err import CPLE_BaseError
        from rasterio.errors import RasterioError
        from rasterio.warp import transform

        try:
            with gdal_options.fixed():
                there = np.array(transform(prediction.crs, reference.crs, *there.tolist()))
        except (RasterioError, CPLE_BaseError):
            return None
    there = there[:, np.isfinite(there).all(axis=0)]
    if reference.affine is None or not there.size:
        return 0.0
    pixels = np.linalg.solve(reference.affine[:, :-1], there - reference.affine[:, -1:]) + 0.5
    low, high = (np.clip(ends, 0, reference.shape) for ends in (pixels.min(axis=1), pixels.max(axis=1)))
    return float(np.prod((high - low) / reference.shape))


def _cut(reference: Grid, window: Lying, paths: tuple[str, str], sides: tuple[str, ...]) -> str:
    """Say how to cut off what lies beyond the other mask; of maps that do not run from north, how to warp."""
    affine = reference.affine
    if affine is None or affine[0, 0] or affine[1, 1] or affine[0, 1] < 0 or affine[1, 0] > 0:
        return _warp(paths)  # rio clips no other maps
    low = np.maximum(window.start, 0)
    ends = reference.world(np.array([low, low + window.shared], np.float64) - 0.5)
    bounds = " ".join(map(repr, (*ends.min(axis=0).tolist(), *ends.max(axis=0).tolist())))
    by_side = dict(zip(("reference", "prediction"), paths, strict=True))
    commands = " && ".join(
        f"rio clip {_made(by_side[side], 'cut')} --bounds {shlex.quote(bounds)}" for side in sides
    )
    what = f"the {sides[0]}" if len(sides) == 1 else "both"
    beyond = ", which leaves out the rest of the reference" if "reference" in sides else ""
    return f"Cut {what} to the place of the other{beyond}, and score that: {commands}"


def _warp(paths: tuple[str, str]) -> str:
    return (
        "Lay the prediction on the reference's grid, where what it does not cover becomes nodata or 0, and "
        f"score that: rio warp {_made(paths[1], 'warped')} --like {shlex.quote(paths[0])} "
        "--resampling nearest"
    )


def _made(path: str, word: str) -> str:
    """Return a file, and what is made of it beside it, as words of a command."""
    return shlex.join([path, str(Path(path).with_name(f"{Path(path).stem}_{word}.tif"))])
