"""Where a TIFF says that it lies, as its own tags have it, and systems that GDAL has made of such tags.

A system is made of a file's keys by PROJ, which takes longer than all else of opening a small file. Where the
first directory says the same as one before it, but for where the image and its blocks lie, GDAL is not asked.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dicecli.masks.formats.geotiff._directories import LENGTHS_OF_TYPES

if TYPE_CHECKING:
    from rasterio.crs import CRS
    from rasterio.io import DatasetReader

    from dicecli.masks.formats.geotiff._directories import Directories, Directory

#: ModelPixelScale, the steps along x, y and z; ModelTiepoint, a pixel and its place; the directory of keys.
SCALE, _TIE, _KEYS = 33550, 33922, 34735
#: Where blocks lie, and how long they are: what differs from file to file, and says nothing of the place.
_BLOCKS = {273, 279, 324, 325}
_SAMPLES = 277
#: Bytes of tags, and systems, that are remembered.
_MOST_BYTES, _MOST = 1 << 12, 64

#: By column and row of corners, as rasterio has it.
Corners = tuple[float, float, float, float, float, float]


class System(NamedTuple):
    """A coordinate reference system: its text, the unit of spacings, and what brings the map's unit to it."""

    wkt: str | None
    unit: str | None
    factor: float


class Stated(NamedTuple):
    """What a directory of the simplest form says of its place: steps along x and y, and one corner.

    Attributes
    ----------
    key : tuple
        The values of every other tag, but for where blocks lie.
    steps, corner : tuple of float
    """

    key: tuple[object, ...]
    steps: tuple[float, float]
    corner: tuple[float, float]

    def transform(self, *, are_points: bool) -> Corners:
        """Return the transform as GDAL makes it of these tags; the corner of points is half a pixel away."""
        (a, e), (x, y) = (self.steps[0], -self.steps[1]), self.corner
        if are_points:
            x, y = x - a * 0.5, y - e * 0.5
        return a, 0.0, x, 0.0, e, y


class _Known(NamedTuple):
    are_points: bool
    system: System


_KNOWN: dict[tuple[object, ...], _Known] = {}


class Place(NamedTuple):
    """Where an image lies, without GDAL."""

    transform: Corners
    system: System


def stated(directories: Directories, directory: Directory) -> Stated | None:
    """Return what a directory says of its place; None where it is more than steps and a corner.

    Raises
    ------
    CaseError
        Tags that cannot be read.
    """
    entries = directory.entries
    if not {SCALE, _TIE, _KEYS} <= entries.keys() or directories.number(directory, _SAMPLES, 1) != 1:
        return None
    others = [tag for tag in entries if tag not in {SCALE, _TIE, *_BLOCKS}]
    sizes = (entries[tag].amount * LENGTHS_OF_TYPES.get(entries[tag].kind, _MOST_BYTES) for tag in others)
    if sum(sizes) > _MOST_BYTES or any(
        entries[tag].kind != 12 or entries[tag].amount > 6 for tag in (SCALE, _TIE)
    ):
        return None
    scale, tie = (directories.numbers(entries[tag], 6).tolist() for tag in (SCALE, _TIE))
    if len(scale) != 3 or len(tie) != 6 or scale[2] or any((*tie[:3], tie[5])):
        return None
    if not all(map(math.isfinite, (*scale, *tie))) or min(scale[:2]) <= 0:
        return None
    said = [(tag, *entries[tag][:2], directories.raw(entries[tag], _MOST_BYTES)) for tag in others]
    return Stated((directories.order, directories.is_big, *said), (scale[0], scale[1]), (tie[3], tie[4]))


def known(found: Stated | None) -> Place | None:
    """Return the place of what a directory says, where GDAL has told of one that says so; else None."""
    before = None if found is None else _KNOWN.get(found.key)
    if found is None or before is None:
        return None
    return Place(found.transform(are_points=before.are_points), before.system)


def remember(found: Stated, dataset: DatasetReader) -> None:
    """Keep the system of an open data set, if its transform is the one that its tags come to here."""
    transform = tuple(dataset.transform[:6])
    for are_points in (False, True):
        if transform == found.transform(are_points=are_points):
            if len(_KNOWN) >= _MOST:
                _KNOWN.clear()
            _KNOWN[found.key] = _Known(are_points, system(dataset.crs))


def system(crs: CRS | None) -> System:
    """Return what is to be known of a coordinate reference system."""
    unit, factor = _unit(crs)
    return System(crs.to_wkt() if crs else None, unit, factor)


def _unit(crs: CRS | None) -> tuple[str | None, float]:
    """Return the unit of the spacing, and the factor that brings the map's unit to it."""
    from rasterio.errors import CRSError

    if not crs:
        return None, 1.0
    if crs.is_geographic:
        return "degree", 1.0
    try:
        return ("m", float(crs.linear_units_factor[1])) if crs.is_projected else (None, 1.0)
    except CRSError:
        return None, 1.0
