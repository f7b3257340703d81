"""The value that stands for nodata in a TIFF, as its tag has it: a text, which GDAL's floats would round."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

import numpy as np

from dicecli.masks import files
from dicecli.masks.formats.geotiff._directories import Directories

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

#: GDAL_NODATA, and more than any number has.
_TAG, _MOST = 42113, 64


def nodata_tag(dataset: DatasetReader, band: int, path: str, directory: int | None = None) -> float | None:
    """Return the value that a band's tag has, an integer of 64 bits exactly; None without a tag.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
    band : int
    path : str
    directory : int, optional
        The byte where the directory of the image lies; by default the first one.
    """
    tag, dtype = dataset.nodatavals[band - 1], np.dtype(dataset.dtypes[band - 1])
    if dtype.kind == "f" or dtype.itemsize < 8:
        return None if tag is None else float(tag)
    with files.open_regular(path) as file:
        directories = Directories(file, path)
        at = directories.first if directory is None else directory
        text = directories.text(directories.read(at), _TAG, _MOST)
    return tag if text is None else _number(text)


def _number(text: str) -> float | None:
    """Return what a text means; whole numbers of 64 bits as integers, others as floats."""
    if re.fullmatch(r"\s*[+-]?\d{1,20}\s*", text):
        number: float = int(text)
    else:
        try:
            number = float(text)
        except ValueError:
            return None
        if not math.isfinite(number) or number != int(number):
            return number
    return int(number) if -(2**63) <= number < 2**64 else float(number)
