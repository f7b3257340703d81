"""Masks that are another mask in another way: turned, squeezed, widened, or as one of several layers."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels
from dicecli.masks.encoding import Fractions, to_labels
from dicecli.masks.sources import MaskSource

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.errors import CaseError
    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid

#: What inside is stored as in masks of 0 and 255.
_FULL = 255


class View(MaskSource):
    """Another mask in another way: what is known of that holds for it, and it ends as that does.

    Parameters
    ----------
    source : MaskSource
    grid : Grid
        Its own.
    chunks : tuple of int
        Its own.
    dtype : numpy.dtype, optional
        Of the other one's values by default.
    """

    def __init__(
        self, source: MaskSource, grid: Grid, chunks: tuple[int, ...], dtype: np.dtype | None = None
    ) -> None:
        super().__init__(
            source.path,
            grid,
            source.dtype if dtype is None else dtype,
            chunks=chunks,
            order=source.order,
            nodata=source.nodata,
            nan_is_nodata=source.nan_is_nodata,
            reading=source.reading,
        )
        self.source = source
        self.notes, self.checked = source.notes, source.checked
        self.is_random_access, self.refusal = source.is_random_access, source.refusal
        self.is_largest, self.threshold = source.is_largest, source.threshold
        self.palette, self.background_tag = source.palette, source.background_tag
        self.has_own_nodata, self.held = source.has_own_nodata, source.held

    @property
    def pixel_bytes(self) -> int:
        """What a pixel takes there, and once more what is made of it."""
        return self.source.pixel_bytes + self.dtype.itemsize

    def finish(self) -> None:
        """Check the other mask's end."""
        self.source.finish()

    def close(self) -> None:
        """Close the other mask."""
        self.source.close()


class Reoriented(View):
    """Another source with its axes permuted and reversed; no value is interpolated.

    Axis ``t`` of the full shape is axis ``axes[t]`` of the other source, reversed where ``flips[t]``.
    """

    def __init__(self, source: MaskSource, axes: tuple[int, ...], flips: tuple[bool, ...]) -> None:
        grid = source.grid.reoriented(axes, flips)
        chunks = source.chunks + (1,) * (len(axes) - len(source.chunks))
        turned = tuple(chunks[axis] for axis in axes)[: len(grid.shape)]
        super().__init__(source, grid, turned)
        self.axes, self.flips = axes, flips

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


class Reshaped(View):
    """Another source without one axis of length 1."""

    def __init__(self, source: MaskSource, axis: int) -> None:
        shape = source.shape[:axis] + source.shape[axis + 1 :]
        spacing = source.grid.spacing
        kept = spacing[:axis] + spacing[axis + 1 :] if spacing else None
        grid = replace(source.grid, shape=shape, spacing=kept, affine=None)
        super().__init__(source, grid, source.chunks[:axis] + source.chunks[axis + 1 :])
        self.axis = axis

    def values(self, window: Window) -> np.ndarray:
        """Read the window with its axis, and drop it."""
        return self._squeezed(self.source.values, window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values, without the axis."""
        return self._squeezed(self.source.read, window)

    def _squeezed(self, read: Callable[[Window], np.ndarray], window: Window) -> np.ndarray:
        whole = (*window[: self.axis], slice(0, 1), *window[self.axis :])
        return read(whole).reshape([part.stop - part.start for part in window])


class Widened(View):
    """Another source with an axis of length 1 more, on the grid of what was squeezed."""

    def __init__(self, source: MaskSource, axis: int, grid: Grid) -> None:
        chunks = (*source.chunks[:axis], 1, *source.chunks[axis:])
        super().__init__(source, grid, chunks)
        self.axis = axis

    def values(self, window: Window) -> np.ndarray:
        """Read the window without the axis, and put it in."""
        return self._widened(self.source.values, window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values, with the axis."""
        return self._widened(self.source.read, window)

    def _widened(self, read: Callable[[Window], np.ndarray], window: Window) -> np.ndarray:
        return np.expand_dims(read((*window[: self.axis], *window[self.axis + 1 :])), self.axis)


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
        self.facts, self.oddities, self.held = source.facts, source.oddities, source.held
        self.is_random_access, self.dropped_axes = source.is_random_access, source.dropped_axes
        self.refusal: CaseError = refusal
        self._source = source

    def keep_to(self, window: Window) -> None:
        """Let the checks at the end be of a window of the volume."""
        self._source.keep_to(window)

    @property
    def pixel_bytes(self) -> int:
        """What a pixel of the volume takes, and where it is what."""
        return self._source.pixel_bytes + 3

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
