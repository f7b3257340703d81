"""A NIfTI file, or an image of nibabel, as a mask of labels."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes
from dicecli.masks.arrays import ArraySource
from dicecli.masks.formats.nifti import _stored
from dicecli.masks.formats.nifti._place import place_of_image, without_channels
from dicecli.masks.formats.nifti._voxels import Voxels, check_scaling, describe
from dicecli.masks.largest import largest_of

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.nifti._stored import Stored
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource


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
    layout = file.stored.layout
    grid = _one_volume(file.place.grid, layout, path, reading)
    source = (_LargestScore if len(layout) > 3 else Voxels)(file.stored, grid, reading)
    describe(source, path, file)
    if len(layout) > 3:
        source.notes.append(_chosen(layout, reading))
    return source


def from_image(image: SpatialImage, reading: Reading) -> MaskSource:
    """Take an image that nibabel has loaded or made; its header says where it lies.

    Raises
    ------
    CaseError
        As for a file, except for what only a file can have.
    """
    place = place_of_image(image, reading)
    layout, path = place.layout, place.path
    grid = _one_volume(place.grid, layout, path, reading)
    values = np.asanyarray(image.dataobj).reshape(layout)
    if (
        values.dtype.kind == "f"
        and image.get_data_dtype().str[1:] in {"i8", "u8"}
        and np.isfinite(values).all()
    ):
        check_scaling(values, path, most=2**53)
    if len(layout) > 3:
        values = largest_of(values, reading.channel_axis, path)
    source = ArraySource(values, path, grid, reading)
    source.chunks, source.order = (*grid.shape[:-1], 1), "F"
    source.notes += place.notes
    if len(layout) > 3:
        source.take_for_largest()
        source.notes.append(_chosen(layout, reading))
    return source


def _chosen(layout: tuple[int, ...], reading: Reading) -> str:
    return f"labels are the index of the largest of {layout[reading.channel_axis]} scores"


def _one_volume(grid: Grid, layout: tuple[int, ...], path: str, reading: Reading) -> Grid:
    """Return the grid of one volume: of the file as it is, or of the labels that its scores give."""
    if len(layout) <= 3:
        return grid
    axis = reading.channel_axis % 4
    if len(layout) == 4 and reading.argmax:
        return without_channels(grid, layout, axis)
    what = " x ".join(str(n) for n in layout)
    error = ManyVolumes(
        f"it holds several volumes ({what})",
        "If one axis has a score per label, take the largest: --argmax, with --channel-axis N if it is not "
        "the last; or score probabilities: dicecli soft. Volumes of 0 and 1 alone are scored as regions. "
        "Else save one volume per file.",
        path,
    )
    error.facts = {"format": "NIfTI", "shape": what}
    error.number = layout[axis] if len(layout) == 4 else 0
    if len(layout) == 4 and reading.channel_axis == -1 and layout[0] < layout[3]:
        error = _channels_first(error, what)
    raise error


def _channels_first(error: ManyVolumes, what: str) -> ManyVolumes:
    """Return the error for channels that may be on the first axis, as in arrays of training code."""
    other = ManyVolumes(
        f"it has four axes ({what}), of which the first is shorter than the last: are channels on the first?",
        "Say which axis has the binary masks, or scores: --channel-axis 0; or, if it is the last, "
        "--channel-axis 3. Of scores, add --argmax.",
        error.path,
    )
    other.facts = error.facts
    return other


class _LargestScore(Voxels):
    """The index of the largest of several volumes, each the scores of a label."""

    def __init__(self, stored: Stored, grid: Grid, reading: Reading) -> None:
        super().__init__(stored, grid, reading)
        self.dtype = np.dtype(np.int64)
        self.take_for_largest()
        self._channel_axis = reading.channel_axis % 4

    @property
    def pixel_bytes(self) -> int:
        """What the scores of a voxel take, compared with the largest, and the index."""
        return self.stored.layout[self._channel_axis] * (2 * self.stored.dtype.itemsize + 1) + 24

    def values(self, window: Window) -> np.ndarray:
        """Return the index of the largest volume, as :func:`largest_of` does."""
        axis = self._channel_axis
        channels = slice(0, self.stored.layout[axis])
        scores = self._part((*window[:axis], channels, *window[axis:]))
        factor = self.stored.scaling[0]
        return largest_of(scores, axis, self.path, is_reversed=factor < 0, is_whole=factor == int(factor))
