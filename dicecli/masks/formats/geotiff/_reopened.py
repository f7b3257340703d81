"""A file that GDAL reads, closed and opened again before its blocks in GDAL's cache take too much memory.

That cache is the process's, and keeps blocks until it is full: by default with 5 % of the machine's memory.
It is a host's, and not changed; but what is closed leaves it.
"""

from __future__ import annotations

import math
from functools import cache
from types import FunctionType
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.masks import gdal_options

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager

    from rasterio.io import DatasetReader

    from dicecli.masks.reading import Reading

#: What cached blocks of a file may have of the memory that a mask is allowed: one part of so many.
_OF_MEMORY = 6
#: What GDAL holds of a block beside its pixels, in bytes.
_BESIDE = 256
#: The name of the mask's blocks; those of bands go by their bands.
_MASK = 0


class _Blocks:
    """Which blocks of an open file are in the cache, as far as they were read through it.

    Parameters
    ----------
    dataset : DatasetReader
    most : int
        The bytes that they may have.
    """

    def __init__(self, dataset: DatasetReader, most: int) -> None:
        self.most, self._held = most, 0
        self._size, self._block = dataset.shape, dataset.block_shapes[0]
        self._are_together = dataset.interleaving is not None and dataset.interleaving.value == "PIXEL"
        self._bytes = np.dtype(dataset.dtypes[0]).itemsize * (dataset.count if self._are_together else 1)
        self._read: dict[int, np.ndarray] = {}

    def add(self, bands: list[int], window: Any) -> bool:
        """Count blocks that will be read, and say whether the others must go before, and are taken to."""
        new = self._marked(bands, window)
        must_go = self._held > 0 and self._held + new > self.most
        if must_go:
            self._read.clear()
            new, self._held = self._marked(bands, window), 0
        self._held += new
        return must_go

    def _marked(self, bands: list[int], window: Any) -> int:
        """Mark the blocks of a window as read, and return the bytes of those that were not yet."""
        parts = (window.row_off, window.height), (window.col_off, window.width)
        place = tuple(
            slice(start // step, -(-(start + length) // step))
            for (start, length), step in zip(parts, self._block, strict=True)
        )
        parted = {min(each, 1) for each in bands} if self._are_together else set(bands)
        new = 0
        for name in parted:
            if name not in self._read:
                across = (-(-n // step) for n, step in zip(self._size, self._block, strict=True))
                self._read[name] = np.zeros(tuple(across), bool)
            there = self._read[name][place]
            fresh = int(there.size - np.count_nonzero(there))
            there[...] = True
            new += fresh * (math.prod(self._block) * (self._bytes if name else 1) + _BESIDE)
        return new


@cache
def _kind() -> type[DatasetReader]:
    """Return the class of files that are so read: rasterio's own, which is loaded by now."""
    from rasterio.io import DatasetReader

    class Reopened(DatasetReader):  # type: ignore[misc]  # rasterio has no types
        """A file that lets go of its cached blocks."""

        blocks: _Blocks | None = None
        named: Callable[[], AbstractContextManager[str]]

        def read(self, indexes: Any = None, *, window: Any) -> Any:
            """Read a window of a band, some bands or all."""
            bands = [indexes] if isinstance(indexes, int) else indexes or list(self.indexes)
            self._make_room(bands, window)
            return super().read(indexes, window=window)

        def read_masks(self, indexes: Any, *, window: Any) -> Any:
            """Read a window of the mask."""
            self._make_room([_MASK], window)
            return super().read_masks(indexes, window=window)

        def _make_room(self, bands: list[int], window: Any) -> None:
            if self.blocks is not None and self.blocks.add(bands, window):
                self.close()
                with gdal_options.fixed(has_place=False), self.named() as name:
                    _begin(self, name)

    return Reopened


def _begun(dataset: DatasetReader, path: Any) -> None:
    dataset.__init__(path, driver="GTiff", sharing=False)


#: The same in a module without a name. Python asks no filter about what is warned of there, and drops it: so
#: it does when modules lose their names as the interpreter ends.
_begun_without_a_name = FunctionType(_begun.__code__, {"__name__": None})


def _begin(dataset: DatasetReader, name: str) -> None:
    from rasterio._path import _parse_path

    _begun_without_a_name(dataset, _parse_path(name))


def open_dataset(name: str) -> DatasetReader:
    """Open a data set with GDAL's GeoTIFF driver alone; the caller has closed GDAL off.

    That it lies nowhere is said elsewhere, and rasterio's warning of it is dropped, whatever a host makes of
    warnings: their filters are the process's, and stay as they are.
    """
    kind: Any = _kind()
    dataset: DatasetReader = kind.__new__(kind)
    _begin(dataset, name)
    return dataset


def keep_few_blocks(
    dataset: DatasetReader, named: Callable[[], AbstractContextManager[str]], reading: Reading
) -> None:
    """Have a data set of :func:`open_dataset` keep few blocks in a host's cache.

    It is opened again before they take more than a sixth of the memory that is allowed, which costs a
    millisecond or two; without its place, which is known by then.

    Parameters
    ----------
    dataset : DatasetReader
    named : callable
        Gives the name that it is opened by, for as long as that takes.
    reading : Reading
    """
    most = reading.max_memory // reading.sharing // _OF_MEMORY
    if gdal_options.keeps_blocks() and _all_bytes(dataset) > most:
        dataset.blocks, dataset.named = _Blocks(dataset, most), named


def _all_bytes(dataset: DatasetReader) -> int:
    """Return what all blocks take, at the least: those at the edges are whole, and a mask has some, too."""
    pixels = math.prod(dataset.shape)
    width = sum(np.dtype(each).itemsize for each in dataset.dtypes) + 1
    blocks = -(-pixels // math.prod(dataset.block_shapes[0])) * dataset.count
    return int(pixels * width + blocks * _BESIDE)
