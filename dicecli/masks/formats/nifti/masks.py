"""A NIfTI file, or an image of nibabel, as a mask of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes, NotLabels
from dicecli.masks.formats.nifti import _stored
from dicecli.masks.formats.nifti._header import geometry_of_image
from dicecli.masks.formats.nifti._voxels import Voxels, describe
from dicecli.masks.grid import Grid
from dicecli.masks.views import ArraySource

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.nifti._stored import Stored
    from dicecli.masks.sources import MaskSource, Reading


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a NIfTI mask.

    Raises
    ------
    FileError
        Not a NIfTI file, damaged, or its header contradicts itself or the file's size.
    ManyVolumes
        More than one volume, and `reading.argmax` does not say that they are scores per label.
    NotLabels
        Colours or complex numbers.
    """
    file = _stored.read(path, reading)
    stored, grid = file.stored, file.grid
    layout = stored.layout
    grid = _one_volume(grid, layout, path, reading)
    source = (_LargestScore if len(layout) > 3 else Voxels)(stored, grid, reading)
    describe(source, path, file)
    if grid.shape != layout[: len(grid.shape)] or len(layout) > 3:
        source.notes.append(f"labels are the index of the largest of {layout[reading.channel_axis]} scores")
    return source


def from_image(image: SpatialImage, reading: Reading) -> MaskSource:
    """Take an image that nibabel has loaded or made; its header says where it lies.

    Raises
    ------
    CaseError
        As for a file, except for what only a file can have.
    """
    grid, layout, path = geometry_of_image(image)
    grid = _one_volume(grid, layout, path, reading)
    values = np.asanyarray(image.dataobj).reshape(layout)
    if len(layout) > 3:
        scores = layout[reading.channel_axis]
        values = _largest(values, reading.channel_axis, path)
    source = ArraySource(values, path, grid, reading)
    source.chunks, source.order = (*grid.shape[:-1], 1), "F"
    if len(layout) > 3:
        source.notes.append(f"labels are the index of the largest of {scores} scores")
    return source


def _one_volume(grid: Grid, layout: tuple[int, ...], path: str, reading: Reading) -> Grid:
    """Return the grid of one volume: of the file as it is, or of the labels that its scores give."""
    if len(layout) <= 3:
        return grid
    if len(layout) == 4 and reading.argmax:
        axis = reading.channel_axis % 4
        # The header places the first three axes in space; with scores among them it places nothing.
        return grid if axis == 3 else Grid(layout[:axis] + layout[axis + 1 :], kind="volume")
    what = " x ".join(str(n) for n in layout)
    error = ManyVolumes(
        f"it holds several volumes ({what})",
        "If one axis has a score per label, take the largest: --argmax, with --channel-axis N if it is not "
        "the last; or score probabilities: dicecli soft. Volumes of 0 and 1 alone are scored as regions. "
        "Else save one volume per file.",
        path,
    )
    error.facts = {"format": "NIfTI", "shape": what}
    error.number = layout[3] if len(layout) == 4 else 0
    raise error


def _largest(scores: np.ndarray, axis: int, path: str, *, is_reversed: bool = False) -> np.ndarray:
    """Return the index of the largest score; of the smallest where a negative slope turns them round."""
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise NotLabels("its scores hold NaN", "Save them again without, or save labels.", path)
    index: np.ndarray = (np.argmin if is_reversed else np.argmax)(scores, axis=axis)
    return index


class _LargestScore(Voxels):
    """The index of the largest of several volumes, each the scores of a label."""

    def __init__(self, stored: Stored, grid: Grid, reading: Reading) -> None:
        super().__init__(stored, grid, reading)
        self.dtype = np.dtype(np.int64)
        self._channel_axis = reading.channel_axis % 4

    def values(self, window: Window) -> np.ndarray:
        """Return the index of the largest volume."""
        axis = self._channel_axis
        scores = self._volume()[(*window[:axis], slice(None), *window[axis:])]
        return _largest(scores, axis, self.path, is_reversed=self.stored.scaling[0] < 0)
