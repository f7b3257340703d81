"""An axis of a NIfTI file, or of an image of nibabel, as channels of probabilities."""

from __future__ import annotations

import math
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes, ShapeMismatch
from dicecli.masks.arrays import ArraySource
from dicecli.masks.formats.nifti import _stored
from dicecli.masks.formats.nifti._place import place_of_image, without_channels
from dicecli.masks.formats.nifti._voxels import Voxels, describe
from dicecli.masks.grid import Grid, without_trailing_ones
from dicecli.masks.sources import MaskSource

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.nifti._stored import File
    from dicecli.masks.reading import Reading


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a map of probabilities: three axes are one class; of four the last, or a named one, has classes.

    Each channel on the last axis has its own way through the file, so that no more than a window of each is
    held. A compressed file is inflated anew for every channel, up to where that ends: the C-th costs as much
    as the whole file. Channels on another axis lie in each other, and share the file.

    Raises
    ------
    FileError
        As for a mask of labels.
    ManyVolumes
        More than four axes.
    ShapeMismatch
        Channels on the first axis, where nobody said so.
    """
    file = _stored.read(path, reading, shape)
    layout, axis = _by_class(file.stored.layout, path), _axis(reading)
    if len(layout) < 4:
        return [_described(Voxels(file.stored, _without_trailing_ones(file.place.grid), reading), path, file)]
    _check_axis(layout, axis, shape, path, reading)
    grid = _without_trailing_ones(without_channels(file.place.grid, layout, axis))
    number = layout[axis]
    if axis != 3:
        whole = Voxels(file.stored._replace(layout=layout), Grid(layout, kind="volume"), reading)
        lock = threading.Lock()
        return [_described(_Inside(whole, lock, axis, at, grid), path, file) for at in range(number)]
    of_one = math.prod(layout[:3]) * file.stored.dtype.itemsize
    parts = [
        file.stored._replace(
            layout=grid.shape,
            offset=file.stored.offset + at * of_one,
            channels=number,
            is_end=at == number - 1,
        )
        for at in range(number)
    ]
    return [_described(Voxels(part, grid, reading), path, file) for part in parts]


def _described(source: MaskSource, path: str, file: File) -> MaskSource:
    describe(source, path, file)
    source.dropped_axes += min(3, len(file.stored.layout)) - len(source.grid.shape)
    return source


def probabilities_from_image(
    image: SpatialImage, reading: Reading, shape: tuple[int, ...]
) -> list[MaskSource]:
    """Take an image of probabilities that nibabel has loaded or made, as :func:`open_probabilities` does.

    Raises
    ------
    CaseError
    """
    place = place_of_image(image, reading, shape)
    layout, axis = _by_class(place.layout, place.path), _axis(reading)
    values = np.asanyarray(image.dataobj).reshape(layout)
    if len(layout) < 4:
        values, axis = values[..., np.newaxis], values.ndim
        grid = place.grid
    else:
        _check_axis(layout, axis, shape, place.path, reading)
        grid = without_channels(place.grid, layout, axis)
    grid = _without_trailing_ones(grid)
    channels: list[MaskSource] = []
    for at in range(values.shape[axis]):
        source = ArraySource(values.take(at, axis).reshape(grid.shape), place.path, grid, reading)
        source.chunks, source.order = (*grid.shape[:-1], 1), "F"
        source.notes += place.notes
        channels.append(source)
    return channels


class _Inside(MaskSource):
    """One of several channels that lie in each other, and are read from one file in turn."""

    def __init__(self, whole: Voxels, lock: threading.Lock, axis: int, at: int, grid: Grid) -> None:
        chunks = (*grid.shape[:-1], 1)
        super().__init__(whole.path, grid, whole.dtype, chunks=chunks, order="F", reading=whole.reading)
        self._whole, self._lock, self._axis, self._at = whole, lock, axis, at

    def values(self, window: Window) -> np.ndarray:
        """Return a window of the channel."""
        full = (*window, *(slice(0, 1),) * (3 - len(window)))
        inside = (*full[: self._axis], slice(self._at, self._at + 1), *full[self._axis :])
        with self._lock:
            found = self._whole.values(inside)
        return found.reshape([part.stop - part.start for part in window])

    def finish(self) -> None:
        """Check the file's end."""
        with self._lock:
            self._whole.finish()

    def close(self) -> None:
        """Close the file."""
        self._whole.close()


def _axis(reading: Reading) -> int:
    """Return which of four axes has the channels."""
    named = reading.channel_axis if reading.is_binary else reading.probability_axis
    return 3 if named is None else named % 4


def _check_axis(
    layout: tuple[int, ...], axis: int, shape: tuple[int, ...], path: str, reading: Reading
) -> None:
    """Refuse channels that are on the first axis by the reference's shape, where the axis was not named."""
    if reading.is_binary or reading.probability_axis is not None or axis == 0:
        return
    if shape in {layout[1:], without_trailing_ones(layout[1:])} and shape != without_trailing_ones(
        layout[:3]
    ):
        one, other = (" x ".join(str(n) for n in each) for each in (layout, shape))
        raise ShapeMismatch(
            f"the shapes differ: probabilities {one}, reference {other}: the classes are on the first axis",
            "Say so: --channel-axis 0.",
            path,
        )


def _without_trailing_ones(grid: Grid) -> Grid:
    """Drop axes of length 1 before that of the classes, as a mask without classes has none at its end."""
    shape = without_trailing_ones(grid.shape)
    spacing = None if grid.spacing is None else grid.spacing[: len(shape)]
    return replace(grid, shape=shape, spacing=spacing)


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
