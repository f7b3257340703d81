"""NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, and pairs of ``.hdr`` and ``.img``."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dicecli.errors import ManyVolumes, NotLabels, TrailingData, Truncated, Unreadable
from dicecli.masks import files
from dicecli.masks.formats.nifti import _header as headers
from dicecli.masks.grid import Grid
from dicecli.masks.gzipped import GzipStream
from dicecli.masks.inflate import MAX_RATIO
from dicecli.masks.sources import MaskSource, Reading, pixels
from dicecli.masks.views import ArraySource
from dicecli.records.limits import check_memory, check_pixels

if TYPE_CHECKING:
    from typing import BinaryIO

    from dicecli.masks.blocks import Window

#: A plain file up to this size is read whole where windows are no runs of it. A larger one is mapped, which
#: takes no memory of its own, but ends the process where the file shrinks between two looks at its size.
_MOST_HELD = 1 << 30


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
    file = _header(path, reading)
    stored, grid = file.stored, file.grid
    layout = stored.layout
    grid = _one_volume(grid, layout, path, reading)
    source = _Nifti(stored, grid, reading)
    _describe(source, path, file)
    if grid.shape != layout[: len(grid.shape)] or len(layout) > 3:
        source.notes.append(f"labels are the index of the largest of {layout[reading.channel_axis]} scores")
    return source


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a map of probabilities: three axes are one class; of four the last has the classes.

    Each channel has its own way through the file, so that no more than a window of each is held. A compressed
    file is inflated anew for every channel, up to where that ends: the C-th costs as much as the whole file.

    Raises
    ------
    FileError
        As :func:`open_mask`.
    ManyVolumes
        More than four axes.
    """
    del shape  # the header says which axis is which
    file = _header(path, reading)
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
        source = _Nifti(part, grid, reading)
        _describe(source, path, file)
        source.dropped_axes += len(layout[:3]) - len(grid.shape)
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


def _header(path: str, reading: Reading) -> _File:
    """Read what the header says, and hold it against the file's size."""
    header_path, data_path = headers.parts(path)
    files.check_regular(header_path)
    data_bytes = files.check_regular(data_path)
    header, facts = headers.read(header_path)
    grid, layout, oddities = headers.geometry(header, header_path)
    stored = _Stored(
        path=data_path,
        dtype=headers.dtype(header, path),
        layout=layout,
        offset=headers.offset(header, header_path, is_single=header_path == data_path),
        scaling=headers.slope(header, path),
        is_zipped=files.head(data_path, 2) == headers.GZIP,
    )
    _check_size(stored, data_bytes, path)
    check_pixels(layout, reading.max_pixels, path)
    return _File(stored, grid, facts, oddities, int(header["dim"][0]))


def _describe(source: _Nifti, path: str, file: _File) -> None:
    """Say what is known of the file, and what was assumed."""
    stored = source.stored
    source.path = path
    source.dropped_axes = max(0, file.axes - len(file.stored.layout))
    source.oddities += file.oddities
    # What decides where it lies is said wherever it is compared.
    source.notes += [each for each in file.oddities if "used" in each]
    source.facts = file.facts | {
        "stored as": str(stored.dtype),
        "compression": "gzip" if stored.is_zipped else "none",
        "scaling": f"{stored.scaling[0]:g} x value + {stored.scaling[1]:g}" if stored.is_scaled else None,
    }
    if stored.is_zipped != stored.path.lower().endswith(".gz"):
        source.notes.append(
            f"its content is {'' if stored.is_zipped else 'not '}gzip, whatever its name says"
        )


def probabilities_from_image(image: Any, reading: Reading) -> list[MaskSource]:
    """Take an image of probabilities that nibabel has loaded or made, as :func:`open_probabilities` does.

    Raises
    ------
    CaseError
    """
    grid, layout, path = _image_geometry(image)
    layout, grid = _by_class(layout, path), _without_trailing_ones(grid)
    values = np.asanyarray(image.dataobj).reshape((*grid.shape, -1))
    channels: list[MaskSource] = []
    for channel in range(layout[3] if len(layout) == 4 else 1):
        source = ArraySource(values[..., channel], path, grid, reading)
        source.chunks, source.order = (*grid.shape[:-1], 1), "F"
        channels.append(source)
    return channels


def _image_geometry(image: Any) -> tuple[Grid, tuple[int, ...], str]:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Image

    header = image.header
    if not isinstance(header, Nifti1Header):
        header = Nifti2Image.from_image(image).header
        header.set_xyzt_units("mm")  # the unit of every other format that nibabel reads
    path = image.get_filename() or f"<{type(image).__name__}>"
    grid, layout, _ = headers.geometry(header, path)
    return grid, layout, path


def from_image(image: Any, reading: Reading) -> MaskSource:
    """Take an image that nibabel has loaded or made; its header says where it lies.

    Raises
    ------
    CaseError
        As for a file, except for what only a file can have.
    """
    grid, layout, path = _image_geometry(image)
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


class _Stored(NamedTuple):
    """How the voxels lie in their file; of how many channels they are one, and whether they are the last."""

    path: str
    dtype: np.dtype
    layout: tuple[int, ...]
    offset: int
    scaling: tuple[float, float]
    is_zipped: bool
    channels: int = 1
    is_end: bool = True

    @property
    def bytes(self) -> int:
        """The length of all voxels in the file, inflated."""
        return math.prod(self.layout) * self.dtype.itemsize

    @property
    def is_scaled(self) -> bool:
        """Whether the values are not the stored numbers themselves."""
        return self.scaling != (1.0, 0.0)

    @property
    def value_dtype(self) -> np.dtype:
        """The type of the values once they are scaled; integers where slope and intercept are."""
        if not self.is_scaled:
            return self.dtype
        return np.dtype(np.int64 if self._scales_exactly else np.float64)

    @property
    def _scales_exactly(self) -> bool:
        """Whether every value that the type can hold is an integer of 64 bits once it is scaled."""
        if self.dtype.kind not in "iu" or any(each != int(each) for each in self.scaling):
            return False
        slope, inter = (int(each) for each in self.scaling)
        info = np.iinfo(self.dtype)
        ends = (slope * int(info.min) + inter, slope * int(info.max) + inter)
        return info.bits < 64 and max(abs(end) for end in ends) < 2**62


class _File(NamedTuple):
    """What a header says: how voxels lie in the file and in space, how many axes, and what looks odd."""

    stored: _Stored
    grid: Grid
    facts: dict[str, Any]
    oddities: list[str]
    axes: int


def _check_size(stored: _Stored, there: int, path: str) -> None:
    """Hold the header's claim against the bytes that are there, before any memory is asked for."""
    claimed = stored.offset + stored.bytes
    if claimed > (there * MAX_RATIO if stored.is_zipped else there):
        raise Truncated(
            f"its header claims {claimed:,} bytes; the file has {there:,}"
            + (", which cannot unpack to that" if stored.is_zipped else ""),
            "The file is cut off or damaged: fetch or save it again.",
            path,
        )
    if not stored.is_zipped and claimed < there:
        raise _trailing(there - claimed, path)


def _trailing(extra: int, path: str) -> TrailingData:
    return TrailingData(
        f"{extra:,} bytes follow its last voxel: the header's dimensions do not fit the data",
        "Save it again with the right dimensions.",
        path,
    )


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
        "the last; or score probabilities: dicecli soft. Else save one volume per file.",
        path,
    )
    error.facts = {"format": "NIfTI", "shape": what}
    raise error


def _largest(scores: np.ndarray, axis: int, path: str, *, is_reversed: bool = False) -> np.ndarray:
    """Return the index of the largest score; of the smallest where a negative slope turns them round."""
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise NotLabels("its scores hold NaN", "Save them again without, or save labels.", path)
    index: np.ndarray = (np.argmin if is_reversed else np.argmax)(scores, axis=axis)
    return index


class _Nifti(MaskSource):
    """The voxels of a NIfTI file; the first axis runs fastest.

    A plain file is read by window, and held, or mapped, for windows that are no run of it. A compressed one
    is inflated forwards as windows come; one that does not follow its predecessor makes the whole volume be
    held.
    """

    def __init__(self, stored: _Stored, grid: Grid, reading: Reading) -> None:
        dtype = stored.value_dtype if len(stored.layout) <= 3 else np.dtype(np.int64)
        chunks = (*grid.shape[:-1], 1)
        super().__init__(stored.path, grid, dtype, chunks=chunks, order="F", reading=reading)
        self.stored = stored
        self._stream = GzipStream(stored.path, stored.offset) if stored.is_zipped else None
        self._file: BinaryIO | None = None
        self._whole: np.ndarray | None = None
        self._next = 0
        self._channel_axis = reading.channel_axis % 4

    def values(self, window: Window) -> np.ndarray:
        """Return the scaled voxels of a window; the index of the largest volume where there are several."""
        if len(self.stored.layout) > 3:
            return self._index_of_largest(window)
        raw = self._raw(window)
        if not self.stored.is_scaled:
            return raw
        slope, inter = self.stored.scaling
        if self.dtype.kind == "i":
            scaled: np.ndarray = raw.astype(np.int64) * int(slope) + int(inter)
            return scaled
        # What overflows becomes infinite, which no label is: that is refused where labels are made.
        with np.errstate(over="ignore", invalid="ignore"):
            return raw.astype(np.float64) * slope + inter

    def _index_of_largest(self, window: Window) -> np.ndarray:
        axis = self._channel_axis
        scores = self._volume()[(*window[:axis], slice(None), *window[axis:])]
        return _largest(scores, axis, self.path, is_reversed=self.stored.scaling[0] < 0)

    def finish(self) -> None:
        """Read a compressed stream to its end, where its checksum and length stand.

        Raises
        ------
        TrailingData, Truncated, Corrupt
        """
        if self._stream is None or not self.stored.is_end:
            return
        if self._stream.position < self.stored.bytes:
            self._stream.skip(self.stored.bytes - self._stream.position, self.path)
        extra = self._stream.drain(self.path)
        if extra:
            raise _trailing(extra, self.path)

    def close(self) -> None:
        """Close the file, and let go of the mapping."""
        for each in (self._stream, self._file):
            if each is not None:
                each.close()
        self._whole = None

    def _raw(self, window: Window) -> np.ndarray:
        """Read a window as stored: one run of the file from there, others from the whole volume."""
        start = self._start_of(window)
        if self._whole is not None or start is None:
            return self._volume()[window]
        length = pixels(window) * self.stored.dtype.itemsize
        if self._stream is None:
            raw: bytes | bytearray = self._plain_bytes(start * self.stored.dtype.itemsize, length)
        else:
            if start == 0 and self._next:
                self._stream.rewind()
                self._next = 0
            if start != self._next:
                return self._volume()[window]
            raw = self._stream.read(length, self.path)
            self._next += pixels(window)
        values = np.frombuffer(raw, self.stored.dtype)
        return values.reshape([part.stop - part.start for part in window], order="F")

    def _plain_bytes(self, start: int, length: int) -> bytes:
        """Read from a plain file: a mapping would end the process if the file shrank."""
        try:
            if self._file is None:
                self._file = files.open_regular(self.stored.path)
            self._file.seek(self.stored.offset + start)
            raw = self._file.read(length)
        except OSError as error:
            raise Unreadable(f"cannot be read: {error.strerror}", "Check the disk.", self.path) from error
        if len(raw) < length:
            raise self._shrunk()
        return raw

    def _shrunk(self) -> Truncated:
        return Truncated("the file has become shorter while it was read", "Score it again.", self.path)

    def _start_of(self, window: Window) -> int | None:
        """Return a window's first position in the file if the window is one run of it, else None."""
        start = 0
        step = 1
        is_run = True
        for part, n in zip(window, self.shape, strict=True):
            if not is_run and part.stop - part.start > 1:
                return None
            is_run = is_run and part.start == 0 and part.stop == n
            start += part.start * step
            step *= n
        return start

    def _volume(self) -> np.ndarray:
        """Return the whole volume: inflated, read, or mapped where that would take too much memory."""
        stored = self.stored
        if self._stream is None and stored.bytes > _MOST_HELD:
            return self._mapped()
        if self._whole is None:
            if self._stream is None:
                raw: bytes | bytearray = self._plain_bytes(0, stored.bytes)
            else:
                what = "it is compressed and must be held whole, to be read in another order"
                check_memory(stored.bytes * stored.channels, self.reading.max_memory, what, self.path)
                self._stream.rewind()
                raw = self._stream.read(stored.bytes, self.path)
            self._whole = np.frombuffer(raw, stored.dtype).reshape(stored.layout, order="F")
        return self._whole

    def _mapped(self) -> np.ndarray:
        """Return a mapping of a plain file that has not shrunk."""
        stored = self.stored
        try:
            there = Path(stored.path).stat().st_size
            if self._whole is None:
                self._whole = np.memmap(stored.path, stored.dtype, "r", stored.offset, stored.layout, "F")
        except (OSError, ValueError) as error:
            raise Unreadable(f"cannot be mapped: {error}", "Check the disk.", self.path) from error
        if there < stored.offset + stored.bytes:
            raise self._shrunk()
        return self._whole
