"""Where the pixels of a TIFF lie: its transform and coordinate reference system as a grid."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import BadHeader
from dicecli.masks.formats.geotiff._place import system
from dicecli.masks.grid import Grid

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.formats.geotiff._place import Place
    from dicecli.masks.reading import Reading

#: No map is so large, nor are its pixels so small, whatever its unit.
_LARGEST = 1e15


def grid(dataset: DatasetReader, path: str, reading: Reading, place: Place | None = None) -> Grid:
    """Return where the pixels of an open data set lie; without georeference, only how many there are.

    Where the `place` is known, the data set is not asked for it.

    Raises
    ------
    BadHeader
        It states a place that is none, and geometry is not ignored.
    """
    shape = (dataset.height, dataset.width)
    if place is None and dataset.transform.is_identity and dataset.crs is None:
        return Grid(shape)
    transform = dataset.transform if place is None else place.transform
    wkt, unit, factor = system(dataset.crs) if place is None else place.system
    a, b, c, d, e, f = transform[:6]
    # Index (row, column) of a pixel's centre to (x, y); rasterio counts (column, row) from corners.
    affine = np.array([[b, a, c + (a + b) / 2], [e, d, f + (d + e) / 2]])
    if not _is_regular(affine):
        if reading.geometry != "ignore":
            raise BadHeader(
                f"its transform is {tuple(transform[:6])}, which gives no pixel a place: it holds NaN or "
                "infinity, is out of bounds, or its steps span no area",
                "Save it again with the transform of the image that it belongs to. --geometry ignore "
                "compares pixel by pixel all the same.",
                path,
            )
        return Grid(shape, kind="map", crs=wkt)
    steps = np.linalg.norm(affine[:, :2], axis=0) * factor
    return Grid(
        shape=shape,
        spacing=tuple(steps.tolist()),
        unit=unit,
        affine=affine,
        crs=wkt,
        pixel_size=_area(affine) * factor**2 if unit == "m" else None,
        kind="map",
    )


def _is_regular(affine: np.ndarray) -> bool:
    """Tell whether a transform gives every pixel a place of its own, in numbers to reckon with."""
    (b, a, c), (e, d, f) = affine.tolist()
    numbers = (a, b, c, d, e, f)
    if not all(map(math.isfinite, numbers)) or max(map(abs, numbers)) > _LARGEST:
        return False
    largest = max(map(abs, (a, b, d, e)))
    if largest < 1 / _LARGEST:
        return False
    with np.errstate(all="ignore"):
        area = a * e if b == d == 0 else float(np.linalg.det(affine[:, :2]))
    return bool(abs(area) > 1e-9 * largest**2)


def _area(affine: np.ndarray) -> float:
    """Return the area of a pixel; of an upright grid it is the product of its steps, without any rounding."""
    (b, a), (e, d) = affine[:, :2].tolist()
    return float(abs(a * e - b * d))
