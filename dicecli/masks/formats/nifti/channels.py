"""An axis of a NIfTI file, or of an image of nibabel, as channels of probabilities."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes
from dicecli.masks.formats.nifti import _stored
from dicecli.masks.formats.nifti._header import geometry_of_image
from dicecli.masks.formats.nifti._voxels import Voxels, describe
from dicecli.masks.views import ArraySource

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource, Reading


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a map of probabilities: three axes are one class; of four the last has the classes.

    Each channel has its own way through the file, so that no more than a window of each is held. A compressed
    file is inflated anew for every channel, up to where that ends: the C-th costs as much as the whole file.

    Raises
    ------
    FileError
        As for a mask of labels.
    ManyVolumes
        More than four axes.
    """
    del shape  # the header says which axis is which
    file = _stored.read(path, reading)
    stored, grid = file.stored, file.grid
    layout = _by_class(stored.layout, path)
    grid = _without_trailing_ones(grid)
    number = layout[3] if len(layout) == 4 else 1
    of_one = math.prod(layout[:3])
    channels: list[MaskSource] = []
    for channel in range(number):
        offset = stored.offset + channel * of_one * stored.dtype.itemsize
        is_end = channel == number - 1
        part = stored._replace(layout=grid.shape, offset=offset, channels=number, is_end=is_end)
        source = Voxels(part, grid, reading)
        describe(source, path, file)
        source.dropped_axes += len(layout[:3]) - len(grid.shape)
        channels.append(source)
    return channels


def probabilities_from_image(image: SpatialImage, reading: Reading) -> list[MaskSource]:
    """Take an image of probabilities that nibabel has loaded or made, as :func:`open_probabilities` does.

    Raises
    ------
    CaseError
    """
    grid, layout, path = geometry_of_image(image)
    layout, grid = _by_class(layout, path), _without_trailing_ones(grid)
    values = np.asanyarray(image.dataobj).reshape((*grid.shape, -1))
    channels: list[MaskSource] = []
    for channel in range(layout[3] if len(layout) == 4 else 1):
        source = ArraySource(values[..., channel], path, grid, reading)
        source.chunks, source.order = (*grid.shape[:-1], 1), "F"
        channels.append(source)
    return channels


def _without_trailing_ones(grid: Grid) -> Grid:
    """Drop axes of length 1 before that of the classes, as a mask without classes has none at its end."""
    axes = len(grid.shape)
    while axes > 2 and grid.shape[axes - 1] == 1:
        axes -= 1
    spacing = None if grid.spacing is None else grid.spacing[:axes]
    return replace(grid, shape=grid.shape[:axes], spacing=spacing)


def _by_class(layout: tuple[int, ...], path: str) -> tuple[int, ...]:
    """Return the shape with the classes on the fourth axis; vectors are stored with them on the fifth."""
    if len(layout) == 5 and layout[3] == 1:
        layout = (*layout[:3], layout[4])
    if len(layout) > 4:
        raise ManyVolumes(
            f"it has {len(layout)} axes ({' x '.join(str(n) for n in layout)}); 3 are expected, or 4 with "
            "the classes on the last",
            "Save one time point, with the classes on the fourth axis.",
            path,
        )
    return layout
