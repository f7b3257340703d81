"""A mask as something to read from: header now, voxels by window."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dicecli.blocks import plan
from dicecli.confusion import NO_LABEL
from dicecli.encoding import Fractions, nodata_label, residual, to_labels
from dicecli.errors import NotLabels
from dicecli.grid import Grid

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.blocks import Window
    from dicecli.labels import Colour


@dataclass(frozen=True)
class Reading:
    """What a format must know beyond the file itself; the fields are those of the settings.

    Attributes
    ----------
    band, threshold, nodata, argmax, channel_axis, background, ignore
        As in :class:`~dicecli.settings.Settings` and its labels.
    colours : mapping of (red, green, blue) to int
        Labels of a colour-coded image.
    """

    band: int | None = None
    threshold: float | None = None
    nodata: str = "auto"
    argmax: bool = False
    channel_axis: int = -1
    background: int | None = 0
    ignore: tuple[int, ...] = ()
    colours: Mapping[Colour, int] = field(default_factory=dict)


class MaskSource(ABC):
    """One mask. A format's source gives stored values by window; labels are made of them here.

    Attributes
    ----------
    path : str
        The file, or what an array was given as.
    grid : Grid
    dtype : numpy.dtype
        Of the values.
    chunks : tuple of int
        The shape that this file is cheapest to read in.
    order : {"C", "F"}
        Whether the last or the first axis runs fastest in the file.
    nodata : float or None
        The stored value that stands for nodata, where it is to be treated as such.
    nan_is_nodata : bool
        Whether NaN stands for it too.
    notes : list of str
        What was assumed, for the report.
    facts : dict of str to object
        What ``dicecli inspect`` shows beside the grid: format, mode, compression and so on.
    oddities : list of str
        What looks wrong with the file although it can be read.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        dtype: np.dtype,
        *,
        chunks: tuple[int, ...] | None = None,
        order: str = "C",
        nodata: float | None = None,
        nan_is_nodata: bool = False,
        reading: Reading | None = None,
    ) -> None:
        self.path = path
        self.grid = grid
        self.dtype = np.dtype(dtype)
        self.chunks = chunks or grid.shape
        self.order = order
        self.nodata = nodata
        self.reading = reading or Reading()
        self.threshold, self.ignore = self.reading.threshold, self.reading.ignore
        self.nan_is_nodata = nan_is_nodata
        self.notes: list[str] = []
        self.facts: dict[str, Any] = {}
        self.oddities: list[str] = []

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""
        return self.grid.shape

    @property
    def nodata_label(self) -> int | None:
        """The label that stands for nodata in what :meth:`read` gives; None if none does."""
        nodata = math.nan if self.nodata is None and self.nan_is_nodata else self.nodata
        return nodata_label(nodata, self.dtype, self.threshold)

    @abstractmethod
    def values(self, window: Window) -> np.ndarray:
        """Return the stored values of a window, scaled as the file says: booleans, integers or floats."""

    def read(self, window: Window) -> np.ndarray:
        """Return the integer labels of a window.

        Windows that come in the file's own order are streamed; others work too.

        Raises
        ------
        NotLabels
            Values that are no labels; fractions are shown with the largest one of the whole file.
        FileError
            Damage that shows only now.
        """
        try:
            return to_labels(
                self.values(window),
                self.nodata,
                self.threshold,
                nan_is_nodata=self.nan_is_nodata,
                ignore=self.ignore,
            )
        except Fractions:
            largest = max(residual(self.values(each), self.nodata) for each in plan(self))
            raise self.fractions(largest) from None

    def fractions(self, largest: float) -> NotLabels:
        """Make the error for values that are no integers, the largest distance from one being `largest`."""
        return NotLabels(
            f"its values are not all integers: the largest distance from one is {largest:.4g}",
            "If it is a probability map, give a threshold, as --threshold 0.5. Labels must be saved without "
            "interpolation and scaling.",
            self.path,
        )

    def finish(self) -> None:  # noqa: B027 - most formats have nothing to do
        """Check what can only be checked at the end: checksums, and that nothing follows."""

    def close(self) -> None:  # noqa: B027 - most formats have nothing to do
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class ArraySource(MaskSource):
    """An array in memory: NumPy's, torch's, or anything that NumPy can take."""

    def __init__(
        self, array: Any, path: str, grid: Grid | None = None, reading: Reading | None = None
    ) -> None:
        held: Any = array if hasattr(array, "shape") and hasattr(array, "dtype") else np.asarray(array)
        self.is_tensor = type(held).__module__.split(".")[0] == "torch"
        if self.is_tensor and held.is_floating_point():
            held = held.double()  # NumPy knows no bfloat16
        self.array = held
        shape = tuple(int(n) for n in held.shape)
        dtype = np.dtype(str(held.dtype).removeprefix("torch.")) if self.is_tensor else held.dtype
        super().__init__(path, grid or Grid(shape or (1,)), dtype, reading=reading)

    def values(self, window: Window) -> np.ndarray:
        """Return a view of the array, on the host."""
        part = self.array[window] if self.array.ndim else self.array.reshape(1)
        return np.asarray(part.detach().cpu() if self.is_tensor else part)

    def whole_tensor(self) -> Any:
        """Return the tensor where it can be counted as it is on its own device, else None."""
        as_it_is = self.is_tensor and self.dtype.kind in "iub" and self.threshold is None
        return self.array if as_it_is else None


class NothingSource(MaskSource):
    """The prediction that is not there, as one that predicts nothing: background, or no label at all."""

    def __init__(self, grid: Grid, background: int | None) -> None:
        super().__init__("(none)", grid, np.dtype(np.int64))
        self._label = NO_LABEL if background is None else background
        self.notes.append("there is none: counted as one that predicts nothing")

    def values(self, window: Window) -> np.ndarray:
        """Return the background's label, or what stands for no label, everywhere."""
        return np.broadcast_to(np.int64(self._label), [part.stop - part.start for part in window])

    def read(self, window: Window) -> np.ndarray:
        """Return the same: there is nothing to convert."""
        return self.values(window)


class Reoriented(MaskSource):
    """Another source with its axes permuted and reversed; no value is interpolated.

    Axis ``t`` of the full shape is axis ``axes[t]`` of the other source, reversed where ``flips[t]``.
    """

    def __init__(self, source: MaskSource, axes: tuple[int, ...], flips: tuple[bool, ...]) -> None:
        grid = source.grid.reoriented(axes, flips)
        chunks = source.chunks + (1,) * (len(axes) - len(source.chunks))
        turned = tuple(chunks[axis] for axis in axes)[: len(grid.shape)]
        super().__init__(
            source.path,
            grid,
            source.dtype,
            chunks=turned,
            order=source.order,
            nodata=source.nodata,
            nan_is_nodata=source.nan_is_nodata,
            reading=source.reading,
        )
        self.notes = source.notes
        self._source, self._axes, self._flips = source, axes, flips

    def values(self, window: Window) -> np.ndarray:
        """Read the window where it lies in the other source, and turn it."""
        full = self._source.grid.full_shape
        wanted = (*window, *(slice(0, 1),) * (len(full) - len(window)))
        inside = [slice(0, 1)] * len(full)
        for target, (axis, flip) in enumerate(zip(self._axes, self._flips, strict=True)):
            start, stop = wanted[target].start, wanted[target].stop
            inside[axis] = slice(full[axis] - stop, full[axis] - start) if flip else slice(start, stop)
        block = self._source.values(tuple(inside[: len(self._source.shape)]))
        block = block.reshape([part.stop - part.start for part in inside]).transpose(self._axes)
        block = np.flip(block, tuple(axis for axis, flip in enumerate(self._flips) if flip))
        return block.reshape([part.stop - part.start for part in window])

    def finish(self) -> None:
        """Check the other source's end."""
        self._source.finish()

    def close(self) -> None:
        """Close the other source."""
        self._source.close()


class Reshaped(MaskSource):
    """Another source without one axis of length 1."""

    def __init__(self, source: MaskSource, axis: int) -> None:
        shape = source.shape[:axis] + source.shape[axis + 1 :]
        spacing = source.grid.spacing
        kept = spacing[:axis] + spacing[axis + 1 :] if spacing else None
        grid = Grid(
            shape, kept, source.grid.unit, None, source.grid.crs, source.grid.pixel_size, source.grid.kind
        )
        super().__init__(
            source.path,
            grid,
            source.dtype,
            chunks=source.chunks[:axis] + source.chunks[axis + 1 :],
            order=source.order,
            nodata=source.nodata,
            nan_is_nodata=source.nan_is_nodata,
            reading=source.reading,
        )
        self.notes = source.notes
        self._source, self._axis = source, axis

    def values(self, window: Window) -> np.ndarray:
        """Read the window with its axis, and drop it."""
        whole = (*window[: self._axis], slice(0, 1), *window[self._axis :])
        return self._source.values(whole).reshape([part.stop - part.start for part in window])

    def finish(self) -> None:
        """Check the other source's end."""
        self._source.finish()

    def close(self) -> None:
        """Close the other source."""
        self._source.close()


def pixels(window: Window) -> int:
    """Return the number of pixels of a window."""
    return math.prod(part.stop - part.start for part in window)
