"""Points on a map: in its coordinate reference system, the pixels they fall into, and the labels there."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NoPixel, UsageError
from dicecli.masks import gdal_options
from dicecli.masks.blocks import plan
from dicecli.masks.differing import crs_name

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource

#: Pixels that are read for a point at a time, unless the file's own blocks are larger.
_WINDOW = 1 << 16
#: Degrees beyond which there is no place: some count longitudes from 0 to 360.
_LONGITUDES, _LATITUDES = 360, 90


def check_placed(grid: Grid, path: str) -> None:
    """Make sure that the pixels of a map have places in the world.

    Raises
    ------
    NoPixel
    """
    if grid.kind != "map" or grid.affine is None or grid.affine.shape != (2, 3) or len(grid.shape) != 2:
        raise NoPixel(
            "its pixels have no place in the world, so that no point falls into one",
            "Give the map as a GeoTIFF with its transform and CRS.",
            path,
        )


def moved(places: np.ndarray, crs: str, grid: Grid) -> np.ndarray:
    """Bring places into the coordinate reference system of a map.

    Parameters
    ----------
    places : numpy.ndarray
        float64, ``(n, 2)``: x and y, or longitude and latitude.
    crs : str
        Theirs, as ``EPSG:4326``, ``4326`` or WKT.
    grid : Grid

    Returns
    -------
    numpy.ndarray
        float64, ``(n, 2)``; not finite where the map's system has no such place.

    Raises
    ------
    UsageError
        The map names no system, or the points one that is not known, or there is no way between them.
    """
    from rasterio._err import CPLE_BaseError
    from rasterio.crs import CRS
    from rasterio.errors import RasterioError
    from rasterio.warp import transform

    if grid.crs is None:
        raise UsageError(
            f"the points are in {crs}, and the map names no coordinate reference system",
            "Give the points in the map's own coordinates: a CSV with the columns x and y, without --crs.",
        )
    # A code alone is one of EPSG's, as GIS programs show them.
    crs = f"EPSG:{crs.strip()}" if crs.strip().isdecimal() else crs
    try:
        with gdal_options.fixed():
            known = CRS.from_user_input(crs)
    except (RasterioError, CPLE_BaseError, ValueError, TypeError) as error:
        raise UsageError(
            f"'{crs}' is no coordinate reference system that is known here",
            "Write the code of the points' system: --crs EPSG:4326 for longitude and latitude.",
        ) from error
    try:
        with gdal_options.fixed():
            x, y = transform(known, CRS.from_wkt(grid.crs), *places.T.tolist())[:2]
    except (RasterioError, CPLE_BaseError) as error:
        raise _no_way(crs, places, grid, in_degrees=known.is_geographic) from error
    return np.array([x, y], np.float64).T.reshape(-1, 2)


def _no_way(crs: str, places: np.ndarray, grid: Grid, *, in_degrees: bool) -> UsageError:
    """Make the error of places that cannot be brought into a map's system: they may be no degrees."""
    x, y = np.abs(places).max(axis=0).tolist()
    if in_degrees and (x > _LONGITUDES or y > _LATITUDES):
        return UsageError(
            f"the points are said to be in {crs}, in degrees, and have coordinates up to {x:.10g}, {y:.10g}, "
            "which are no longitude and latitude",
            "Leave out --crs where they are in the map's own coordinates; else give the code of theirs.",
        )
    return UsageError(
        f"there is no way from {crs} to {crs_name(grid.crs or '')}",
        "Give the points in the map's own coordinates: a CSV with the columns x and y, without --crs.",
    )


def pixels_of(places: np.ndarray, grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels that places fall into; a place between two is of the one that follows in the array.

    Parameters
    ----------
    places : numpy.ndarray
        float64, ``(n, 2)``, in the map's own system.
    grid : Grid

    Returns
    -------
    pixels : numpy.ndarray
        int64, ``(n, 2)``: row and column; of places beyond the map 0.
    is_inside : numpy.ndarray
        bool, ``(n,)``: whether there is such a pixel.
    """
    if grid.affine is None:
        raise ValueError("a grid without affine has no pixels at places")
    indices = np.linalg.solve(grid.affine[:, :-1], (places - grid.affine[:, -1]).T).T + 0.5
    with np.errstate(invalid="ignore"):
        is_inside = np.asarray(((indices >= 0) & (indices < grid.shape)).all(axis=1))
    return np.floor(np.where(is_inside[:, None], indices, 0)).astype(np.int64), is_inside


def labels_at(source: MaskSource, pixels: np.ndarray) -> np.ndarray:
    """Return the stored label of each pixel: a window is read where a pixel lies in it, and no other.

    Parameters
    ----------
    source : MaskSource
        A map of two axes.
    pixels : numpy.ndarray
        int64, ``(n, 2)``: row and column, all within the map; in any order, also twice.

    Returns
    -------
    numpy.ndarray
        int64, ``(n,)``.

    Raises
    ------
    CaseError
        What reading finds wrong.
    """
    found = np.empty(len(pixels), np.int64)
    for window, chosen in _windows(source, pixels):
        row, column = (pixels[chosen, axis] - window[axis].start for axis in (0, 1))
        found[chosen] = source.read(window)[row, column]
    return found


def _windows(source: MaskSource, pixels: np.ndarray) -> Iterator[tuple[Window, np.ndarray]]:
    """Yield the windows in which pixels lie, in the order of the file, with the places of these pixels."""
    if not len(pixels):
        return
    steps = np.array([part.stop for part in plan(source, pixels=_WINDOW, growth=1)[0]])
    where, inverse = np.unique(pixels // steps, axis=0, return_inverse=True)
    order = np.argsort(inverse.reshape(-1), kind="stable")
    ends = np.cumsum(np.bincount(inverse.reshape(-1), minlength=len(where)))
    for (row, column), chosen in zip((where * steps).tolist(), np.split(order, ends[:-1]), strict=True):
        stops = (min(row + int(steps[0]), source.shape[0]), min(column + int(steps[1]), source.shape[1]))
        yield (slice(row, stops[0]), slice(column, stops[1])), chosen
