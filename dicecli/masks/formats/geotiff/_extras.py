"""What else is in a TIFF, or beside it: the palette, which is used, and what is not."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from dicecli.masks import files
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.palettes import palette_of

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.sources import MaskSource

_SIDECARS = (".msk", ".aux.xml", ".ovr")
_WORLD_FILES = (".tfw", ".tifw", ".wld", ".TFW")


def describe_extras(
    source: MaskSource, dataset: DatasetReader, band: int, path: str, band_wanted: int | None
) -> None:
    """Note what is in the file, or beside it, and was not used."""
    if dataset.overviews(band):
        source.facts["overviews"] = ", ".join(f"1:{n}" for n in dataset.overviews(band)) + " (not used)"
    if (dataset.scales[band - 1], dataset.offsets[band - 1]) != (1.0, 0.0):
        source.notes.append(_header.UNSCALED)
    bare = path[: len(path) - len(files.suffix(path))]
    if dataset.gcps[0] or dataset.rpcs:
        source.notes.append("its place is given by control points or RPCs, which are not compared")
    if band_wanted not in {None, band}:
        source.notes.append(f"it has one band, which is read; --band {band_wanted} is for the other file")
    beside = [f"{path}{end}" for end in _SIDECARS] + [f"{bare}{end}" for end in _WORLD_FILES]
    present = [os.path.basename(each) for each in beside if os.path.exists(each)]  # noqa: PTH110, PTH119
    if present:
        source.notes.append(f"files beside it were not used: {', '.join(present)}")
    _describe_palette(source, dataset, band)


def _describe_palette(source: MaskSource, dataset: DatasetReader, band: int) -> None:
    """Take the colours of a palette, or those of greys whose 0 is white."""
    kind = dataset.colorinterp[band - 1].name
    if kind not in {"palette", "undefined"}:
        return
    try:
        table = np.array(list(dataset.colormap(band).values()), np.uint8).reshape(-1, 4)
    except ValueError:
        if kind == "palette":
            source.oddities.append("it says that it has a palette, and has none")
        return
    source.palette = palette_of(table[:, :3].tobytes())
    source.facts["palette"] = f"{len(table)} colours"
