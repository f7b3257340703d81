"""The voxels of a NIfTI file, window by window: of labels and of a channel of probabilities alike."""

from __future__ import annotations

import mmap
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels, Truncated, Unreadable
from dicecli.masks import files
from dicecli.masks.formats.nifti._stored import trailing
from dicecli.masks.gzipped import GzipStream
from dicecli.masks.sources import MaskSource, pixels

if TYPE_CHECKING:
    from typing import BinaryIO

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.nifti._stored import File, Stored
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading

#: A plain file up to this size is read whole where windows are no runs of it. A larger one is mapped, which
#: takes no memory of its own, but ends the process where the file shrinks between two looks at its size.
_MOST_HELD = 1 << 30
#: Bytes of a mapping that are looked at before they are let go, where it may not be held.
_RELEASED = 1 << 22


class Voxels(MaskSource):
    """The voxels of a NIfTI file; the first axis runs fastest.

    A plain file is read by window, and held, or mapped, for windows that are no run of it. A compressed one
    is inflated forwards as windows come; one that does not follow its predecessor makes the whole volume be
    held.
    """

    def __init__(self, stored: Stored, grid: Grid, reading: Reading) -> None:
        chunks = (*grid.shape[:-1], 1)
        super().__init__(stored.path, grid, stored.value_dtype, chunks=chunks, order="F", reading=reading)
        self.stored = stored
        self._stream = GzipStream(stored.path, stored.offset) if stored.is_zipped else None
        self._file: BinaryIO | None = None
        self._whole: np.ndarray | None = None
        self._next = 0

    @property
    def pixel_bytes(self) -> int:
        """What a voxel takes as stored, scaled, and as a label."""
        stored = self.stored.dtype.itemsize
        return super().pixel_bytes + (stored + self.dtype.itemsize if self.stored.is_scaled else stored // 4)

    def values(self, window: Window) -> np.ndarray:
        """Return the scaled voxels of a window."""
        raw = self._raw(window)
        if not self.stored.is_scaled:
            return raw
        slope, inter = self.stored.scaling
        if self.dtype.kind == "i":
            if raw.dtype.itemsize == 8 and raw.size:
                check_scaling(raw, self.path, int(slope), int(inter))
            scaled: np.ndarray = raw.astype(np.int64) * int(slope) + int(inter)
            return scaled
        if raw.dtype.kind in "iu" and raw.dtype.itemsize == 8 and raw.size:
            check_scaling(raw, self.path, most=2**53)
        # What overflows becomes infinite, which no label is: that is refused where labels are made.
        with np.errstate(over="ignore", invalid="ignore"):
            return raw.astype(np.float64) * slope + inter

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
            raise trailing(extra, self.path)

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
            return self._part(window)
        length = pixels(window) * self.stored.dtype.itemsize
        if self._stream is None:
            raw: bytes | np.ndarray = self._plain_bytes(start * self.stored.dtype.itemsize, length)
        else:
            if start == 0 and self._next:
                self._stream.rewind()
                self._next = 0
            if start != self._next:
                return self._part(window)
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

    def _part(self, where: Window) -> np.ndarray:
        """Return a part of the whole volume; where that may not be held, what was mapped is let go."""
        whole = self._volume()
        if not (isinstance(whole, np.memmap) and self._is_too_large and hasattr(mmap, "MADV_DONTNEED")):
            return whole[where]
        *inner, planes = where
        found = np.empty(
            [len(range(*each.indices(n))) for each, n in zip(where, whole.shape, strict=True)],
            whole.dtype,
            order="F",
        )
        held: mmap.mmap = vars(whole)["_mmap"]  # NumPy has no word for it
        step = max(1, _RELEASED * whole.shape[-1] // self.stored.bytes)
        for first in range(planes.start, planes.stop, step):
            last = min(first + step, planes.stop)
            found[..., first - planes.start : last - planes.start] = whole[(*inner, slice(first, last))]
            held.madvise(mmap.MADV_DONTNEED)
        return found

    @property
    def _is_too_large(self) -> bool:
        """Whether the whole is more than may be held."""
        needed = self.stored.bytes * self.stored.channels * self.reading.sharing
        return needed > self.reading.max_memory

    def _volume(self) -> np.ndarray:
        """Return the whole volume: inflated, read, or mapped where that would take too much memory."""
        stored = self.stored
        if self._stream is None and (stored.bytes > _MOST_HELD or self._is_too_large):
            return self._mapped()
        if self._whole is None:
            if self._stream is None:
                raw: bytes | np.ndarray = self._plain_bytes(0, stored.bytes)
            else:
                what = "it is compressed and must be held whole, to be read in another order"
                self.reading.check_memory(stored.bytes * stored.channels, what, self.path)
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


def check_scaling(stored: np.ndarray, path: str, slope: int = 1, inter: int = 0, most: int = 2**62) -> None:
    """Refuse integers of 64 bits that scaling would round, or carry beyond 64 bits.

    Parameters
    ----------
    stored : numpy.ndarray
        Not empty; numbers of any type.
    path : str
    slope, inter : int
        What they are scaled by, where that is done in integers.
    most : int
        What stored and scaled numbers stay below.

    Raises
    ------
    NotLabels
    """
    ends = [int(stored.min()), int(stored.max())]
    ends += [end * slope + inter for end in ends]
    if max(abs(end) for end in ends) >= most:
        raise NotLabels(
            f"its scaling takes integers of 64 bits to {max(ends, key=abs)}, where they are no longer exact",
            "Save it without scaling, and number the labels from 0.",
            path,
        )


def describe(source: MaskSource, path: str, file: File) -> None:
    """Say what is known of the file, and what was assumed."""
    stored = file.stored
    source.path = path
    source.dropped_axes = file.place.dropped
    source.oddities += file.place.oddities
    source.notes += file.place.notes
    source.facts = file.facts | {
        "stored as": str(stored.dtype),
        "compression": "gzip" if stored.is_zipped else "none",
        "scaling": f"{stored.scaling[0]:g} x value + {stored.scaling[1]:g}" if stored.is_scaled else None,
    }
    if stored.is_zipped != stored.path.lower().endswith(".gz"):
        source.notes.append(
            f"its content is {'' if stored.is_zipped else 'not '}gzip, whatever its name says"
        )
