"""Masks that are no file: an array, and nothing at all."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.masks.exact import check_whole
from dicecli.masks.grid import Grid
from dicecli.masks.palettes import palette_of
from dicecli.masks.sources import MaskSource
from dicecli.masks.tensors import is_tensor, plain
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from dicecli.masks.blocks import Window
    from dicecli.masks.reading import Reading


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
