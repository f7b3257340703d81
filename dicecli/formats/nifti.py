"""NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, and pairs of ``.hdr`` and ``.img``."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli import files
from dicecli.errors import ManyVolumes, TrailingData, Truncated
from dicecli.formats import _nifti_header as headers
from dicecli.grid import Grid
from dicecli.gzipped import GzipStream
from dicecli.sources import ArraySource, MaskSource, Reading, pixels

if TYPE_CHECKING:
    from dicecli.blocks import Window

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")

#: No deflate stream unpacks to more than this many times its size (zlib's documentation: 1032:1).
_MAX_RATIO = 1032


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
    header_path, data_path = headers.parts(path)
    files.check_regular(header_path)
    data_bytes = files.check_regular(data_path)
    header, facts = headers.read(header_path)
    grid, layout, oddities = headers.geometry(header, header_path)
    dtype = headers.dtype(header, path)
    offset = headers.offset(header, header_path, is_single=header_path == data_path)
    is_zipped = files.head(data_path, 2) == headers.GZIP
    claimed = offset + math.prod(layout) * dtype.itemsize
    _check_size(claimed, data_bytes, path, is_zipped=is_zipped)
    grid = _one_volume(grid, layout, path, reading)
    scaling = headers.slope(header, path)
    source = _Nifti(data_path, grid, dtype, layout, offset, scaling, reading, is_zipped=is_zipped)
    source.path = path
    source.oddities += oddities
    source.facts = facts | {"stored as": str(dtype), "compression": "gzip" if is_zipped else "none"}
    if scaling != (1.0, 0.0):
        source.facts["scaling"] = f"{scaling[0]:g} x value + {scaling[1]:g}"
    if is_zipped != data_path.lower().endswith(".gz"):
        source.notes.append(f"its content is {'' if is_zipped else 'not '}gzip, whatever its name says")
    if grid.shape != layout[: len(grid.shape)] or len(layout) > 3:
        source.notes.append(f"labels are the index of the largest of {layout[reading.channel_axis]} scores")
    return source


def from_image(image: Any, reading: Reading) -> MaskSource:
    """Take an image that nibabel has loaded or made; its header says where it lies.

    Raises
    ------
    CaseError
        As for a file, except for what only a file can have.
    """
    from nibabel.nifti1 import Nifti1Image

    nifti = Nifti1Image.from_image(image)
    path = image.get_filename() or f"<{type(image).__name__}>"
    grid, layout, _ = headers.geometry(nifti.header, path)
    grid = _one_volume(grid, layout, path, reading)
    values = np.asanyarray(image.dataobj).reshape(layout)
    if len(layout) > 3:
        values = np.argmax(values, axis=reading.channel_axis)
    source = ArraySource(values, path, grid, threshold=reading.threshold)
    source.chunks, source.order = (*grid.shape[:-1], 1), "F"
    return source


def _check_size(claimed: int, there: int, path: str, *, is_zipped: bool) -> None:
    """Hold the header's claim against the bytes that are there, before any memory is asked for."""
    most = there * _MAX_RATIO if is_zipped else there
    if claimed > most:
        raise Truncated(
            f"its header claims {claimed:,} bytes; the file has {there:,}"
            + (", which cannot unpack to that" if is_zipped else ""),
            "The file is cut off or damaged: fetch or save it again.",
            path,
        )
    if not is_zipped and claimed < there:
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
    raise ManyVolumes(
        f"it holds several volumes ({what})",
        "If one axis has a score per label, take the largest: --argmax, with --channel-axis N if it is not "
        "the last. Else save one volume per file.",
        path,
    )


class _Nifti(MaskSource):
    """The voxels of a NIfTI file; the first axis runs fastest.

    A plain file is mapped. A compressed one is inflated forwards as windows come; one that does not follow
    its predecessor makes the whole volume be held.
    """

    def __init__(
        self,
        data_path: str,
        grid: Grid,
        dtype: np.dtype,
        layout: tuple[int, ...],
        offset: int,
        slope: tuple[float, float],
        reading: Reading,
        *,
        is_zipped: bool,
    ) -> None:
        self.slope = slope
        self._exact = dtype.kind in "iu" and all(each == int(each) for each in slope)
        kind = dtype if slope == (1.0, 0.0) else np.dtype(np.int64 if self._exact else np.float64)
        if len(layout) > 3:
            kind = np.dtype(np.int64)
        chunks = (*grid.shape[:-1], 1)
        super().__init__(data_path, grid, kind, chunks=chunks, order="F", threshold=reading.threshold)
        self._data_path, self._stored, self._layout, self._offset = data_path, dtype, layout, offset
        self._stream = GzipStream(data_path, offset) if is_zipped else None
        self._whole: np.ndarray | None = None
        self._next = 0
        self._channel_axis = reading.channel_axis % 4

    def values(self, window: Window) -> np.ndarray:
        """Return the scaled voxels of a window; the index of the largest volume where there are several."""
        if len(self._layout) > 3:
            return self._index_of_largest(window)
        stored = self._stored_values(window)
        if self.slope == (1.0, 0.0):
            return stored
        if self._exact:
            scaled: np.ndarray = stored.astype(np.int64) * int(self.slope[0]) + int(self.slope[1])
            return scaled
        return stored.astype(np.float64) * self.slope[0] + self.slope[1]

    def _index_of_largest(self, window: Window) -> np.ndarray:
        axis = self._channel_axis
        scores = self._volume()[(*window[:axis], slice(None), *window[axis:])]
        largest: np.ndarray = np.argmax(scores, axis=axis)
        return largest

    def finish(self) -> None:
        """Read a compressed stream to its end, where its checksum and length stand.

        Raises
        ------
        TrailingData, Truncated, Corrupt
        """
        if self._stream is None:
            return
        last = self._layout_bytes()
        if self._stream.position < last:
            self._stream.skip(last - self._stream.position, self.path)
        extra = self._stream.drain(self.path)
        if extra:
            raise _trailing(extra, self.path)

    def close(self) -> None:
        """Close the stream, and let go of the mapping."""
        if self._stream is not None:
            self._stream.close()
        self._whole = None

    def _layout_bytes(self) -> int:
        return math.prod(self._layout) * self._stored.itemsize

    def _stored_values(self, window: Window) -> np.ndarray:
        """Read a window as stored: from the stream if it comes next there, else from the whole volume."""
        if self._stream is None or self._whole is not None:
            return self._volume()[window]
        start = self._start_of(window)
        if start == 0 and self._next:
            self._stream.rewind()
            self._next = 0
        if start != self._next:
            return self._volume()[window]
        wanted = pixels(window)
        raw = self._stream.read(wanted * self._stored.itemsize, self.path)
        self._next += wanted
        values = np.frombuffer(raw, self._stored)
        return values.reshape([part.stop - part.start for part in window], order="F")

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
        """Return the whole volume: a mapping of a plain file, the inflated content of a compressed one."""
        if self._whole is None:
            if self._stream is None:
                self._whole = np.memmap(
                    self._data_path, self._stored, "r", self._offset, self._layout, order="F"
                )
            else:
                self._stream.rewind()
                raw = self._stream.read(self._layout_bytes(), self.path)
                self._whole = np.frombuffer(raw, self._stored).reshape(self._layout, order="F")
        return self._whole
