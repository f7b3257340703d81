"""Masks that are no file of their own: an array, nothing at all, and another mask turned or squeezed.

The file is long because views are alike: whoever changes what one shares with its source sees the others.
"""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import NotLabels
from dicecli.masks.encoding import Fractions, to_labels
from dicecli.masks.exact import check_whole
from dicecli.masks.grid import Grid
from dicecli.masks.palettes import palette_of
from dicecli.masks.sources import MaskSource, Reading
from dicecli.masks.tensors import is_tensor, plain
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.errors import CaseError
    from dicecli.masks.blocks import Window

#: What inside is stored as in masks of 0 and 255.
_FULL = 255


class ArraySource(MaskSource):
    """An array in memory: NumPy's, torch's, or anything that NumPy can take."""

    def __init__(
        self, array: Any, path: str, grid: Grid | None = None, reading: Reading | None = None
    ) -> None:
        self.is_tensor = is_tensor(array)
        nodata: float | None = None
        held: Any
        if self.is_tensor:
            held = plain(array)
        else:
            held = array if hasattr(array, "shape") and hasattr(array, "dtype") else _array(array)
        if isinstance(held, np.ma.MaskedArray):
            nodata, held = _filled(held, path)
        self.array = held
        shape = tuple(int(n) for n in held.shape)
        dtype = _dtype(held) if self.is_tensor else held.dtype
        super().__init__(path, grid or Grid(shape or (1,)), dtype, nodata=nodata, reading=reading)
        if getattr(array, "mode", None) == "P" and hasattr(array, "getpalette"):  # an image of Pillow's
            self.palette = palette_of(bytes(array.getpalette("RGB")))
        if nodata is not None:
            self.notes.append("a masked array: what is masked is nodata")

    def values(self, window: Window) -> np.ndarray:
        """Return a view of the array, on the host."""
        part = self.array[window] if self.array.ndim else self.array.reshape(1)
        if not self.is_tensor:
            return np.asarray(part)
        return np.asarray((part.double() if part.is_floating_point() else part).cpu())

    @property
    def is_countable(self) -> bool:
        """Whether the array can be counted as it is: integers, all of which are labels."""
        return self.dtype.kind in "iub" and self.threshold is None and self.nodata is None


def _array(given: Any) -> np.ndarray:
    """Return what NumPy makes of something; of lists of unlike lengths objects, which are no labels."""
    try:
        return np.asarray(given)
    except ValueError:
        return np.asarray(given, object)


def _filled(array: Any, path: str) -> tuple[float, np.ndarray]:
    """Return what no label is, and a masked array with it where it is masked: floats, or int64."""
    if array.dtype.kind == "f":
        return math.nan, array.filled(math.nan)
    check_whole(array, path)
    return NO_LABEL, array.astype(np.int64).filled(NO_LABEL)


def _dtype(tensor: Any) -> np.dtype:
    """Return the type of what a tensor's windows are read as: NumPy knows no bfloat16."""
    return np.dtype("float64" if tensor.is_floating_point() else str(tensor.dtype).removeprefix("torch."))


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


def take_over(view: MaskSource, source: MaskSource) -> None:
    """Let a view of a mask share what is known of it, and what is found out later."""
    view.notes, view.checked = source.notes, source.checked
    view.is_random_access, view.refusal = source.is_random_access, source.refusal
    view.is_largest, view.threshold = source.is_largest, source.threshold
    view.palette, view.background_tag = source.palette, source.background_tag
    view.has_own_nodata = source.has_own_nodata


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
        take_over(self, source)
        self.source, self.axes, self.flips = source, axes, flips

    def values(self, window: Window) -> np.ndarray:
        """Read the window where it lies in the other source, and turn it."""
        return self._turned(self.source.values, window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values, turned."""
        return self._turned(self.source.read, window)

    def _turned(self, read: Callable[[Window], np.ndarray], window: Window) -> np.ndarray:
        full = self.source.grid.full_shape
        wanted = (*window, *(slice(0, 1),) * (len(full) - len(window)))
        inside = [slice(0, 1)] * len(full)
        for target, (axis, flip) in enumerate(zip(self.axes, self.flips, strict=True)):
            start, stop = wanted[target].start, wanted[target].stop
            inside[axis] = slice(full[axis] - stop, full[axis] - start) if flip else slice(start, stop)
        block = read(tuple(inside[: len(self.source.shape)]))
        block = block.reshape([part.stop - part.start for part in inside]).transpose(self.axes)
        block = np.flip(block, tuple(axis for axis, flip in enumerate(self.flips) if flip))
        return block.reshape([part.stop - part.start for part in window])

    def finish(self) -> None:
        """Check the other source's end."""
        self.source.finish()

    def close(self) -> None:
        """Close the other source."""
        self.source.close()


class Reshaped(MaskSource):
    """Another source without one axis of length 1."""

    def __init__(self, source: MaskSource, axis: int) -> None:
        shape = source.shape[:axis] + source.shape[axis + 1 :]
        spacing = source.grid.spacing
        kept = spacing[:axis] + spacing[axis + 1 :] if spacing else None
        grid = replace(source.grid, shape=shape, spacing=kept, affine=None)
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
        take_over(self, source)
        self.source, self.axis = source, axis

    def values(self, window: Window) -> np.ndarray:
        """Read the window with its axis, and drop it."""
        return self._squeezed(self.source.values, window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values, without the axis."""
        return self._squeezed(self.source.read, window)

    def _squeezed(self, read: Callable[[Window], np.ndarray], window: Window) -> np.ndarray:
        whole = (*window[: self.axis], slice(0, 1), *window[self.axis :])
        return read(whole).reshape([part.stop - part.start for part in window])

    def finish(self) -> None:
        """Check the other source's end."""
        self.source.finish()

    def close(self) -> None:
        """Close the other source."""
        self.source.close()


class Widened(MaskSource):
    """Another source with an axis of length 1 more, on the grid of what was squeezed."""

    def __init__(self, source: MaskSource, axis: int, grid: Grid) -> None:
        chunks = (*source.chunks[:axis], 1, *source.chunks[axis:])
        super().__init__(
            source.path, grid, source.dtype, chunks=chunks, order=source.order, reading=source.reading
        )
        take_over(self, source)
        self.source, self.axis = source, axis

    def values(self, window: Window) -> np.ndarray:
        """Read the window without the axis, and put it in."""
        return self._widened(self.source.values, window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values, with the axis."""
        return self._widened(self.source.read, window)

    def _widened(self, read: Callable[[Window], np.ndarray], window: Window) -> np.ndarray:
        return np.expand_dims(read((*window[: self.axis], *window[self.axis + 1 :])), self.axis)

    def finish(self) -> None:
        """Check the other source's end."""
        self.source.finish()

    def close(self) -> None:
        """Close the other source."""
        self.source.close()


class BinaryLayer(MaskSource):
    """One of several volumes or bands: 1 is inside, 0 outside; also where it is stored as 255."""

    def __init__(self, source: MaskSource, refusal: CaseError) -> None:
        super().__init__(
            source.path,
            source.grid,
            source.dtype,
            chunks=source.chunks,
            order=source.order,
            nodata=source.nodata,
            nan_is_nodata=source.nan_is_nodata,
            reading=source.reading,
        )
        self.notes, self.checked = source.notes, source.checked
        self.background_tag = source.background_tag
        self.facts, self.oddities = source.facts, source.oddities
        self.is_random_access, self.dropped_axes = source.is_random_access, source.dropped_axes
        self.refusal: CaseError = refusal
        self._source = source

    def keep_to(self, window: Window) -> None:
        """Let the checks at the end be of a window of the volume."""
        self._source.keep_to(window)

    def values(self, window: Window) -> np.ndarray:
        """Read the window of the volume."""
        return self._source.values(window)

    def read(self, window: Window) -> np.ndarray:
        """Return the window's values as they are stored: 0 and 1, 0 and 255, and what stands for nodata.

        Raises
        ------
        ManyVolumes
            It holds anything else, so that several volumes are no binary layers.
        """
        try:
            labels = to_labels(self.values(window), self.nodata, nan_is_nodata=self.nan_is_nodata)
        except (Fractions, NotLabels):
            raise self.refusal from None
        allowed = (labels == 0) | (labels == 1) | (labels == _FULL)
        if self.nodata_label is not None:
            allowed |= labels == self.nodata_label
        if not allowed.all():
            raise self.refusal
        return labels

    def finish(self) -> None:
        """Check the volume's end."""
        self._source.finish()

    def close(self) -> None:
        """Close the volume."""
        self._source.close()
