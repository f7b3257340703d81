"""The pixels of pages, block by block: what is stored plainly or deflated is read here, the rest by GDAL."""

from __future__ import annotations

import itertools
import math
import threading
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import Corrupt, Truncated
from dicecli.masks import files
from dicecli.masks.formats.geotiff import _layout
from dicecli.masks.formats.geotiff._band import check_deflate
from dicecli.masks.formats.geotiff._directories import Directories
from dicecli.masks.formats.geotiff._joined import Joined
from dicecli.masks.formats.geotiff._layout import (
    DEFLATE,
    NONE,
    blocks_of,
    check_layouts,
    is_ours,
    is_run,
    length_of_block,
    unpacked,
)
from dicecli.masks.inflate import Damaged, inflated

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import BinaryIO

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._layout import Layout
    from dicecli.masks.formats.geotiff._pages import Pages
    from dicecli.masks.reading import Reading

#: How many pages' blocks are remembered where a window does not hold whole pages.
_REMEMBERED = 64


class PageBlocks:
    """Reads rectangles of pages; several threads may ask.

    Attributes
    ----------
    dtype : numpy.dtype
    compression : str
        In words.
    warnings : list of str
        What GDAL warns of.
    """

    def __init__(self, path: str, pages: Pages, reading: Reading) -> None:
        self._path, self._pages, self._lock = path, pages, threading.Lock()
        layouts = set(pages.layouts)
        check_layouts(layouts, path, reading)
        self._file: BinaryIO = files.open_regular(path)
        self._found = Directories(self._file, path)
        self._remembered: dict[int, tuple[np.ndarray, np.ndarray]] = {}
        self._sparse: dict[int, int] = {}
        self._joined = Joined(path, pages, self._places, reading)
        first, found = pages.layouts[0], {each: is_ours(each) for each in layouts}
        self._is_ours = [found[each] for each in pages.layouts]
        for page in [number for number, each in enumerate(self._is_ours) if not each]:
            self._joined.add(page)
        self.compression, self.dtype, self.warnings = "none", first.dtype or np.dtype(np.uint8), list[str]()
        if not all(self._is_ours):
            try:
                self.compression, self.dtype, self.warnings = self._joined.described()
            except BaseException:
                self.close()
                raise
        elif first.compression in DEFLATE:
            self.compression = "deflate"

    def read(self, pages: Sequence[int], window: Window, into: np.ndarray) -> None:
        """Read a rectangle of some pages, which are counted from 0.

        Parameters
        ----------
        pages : sequence of int
        window : tuple of slice
        into : numpy.ndarray
            ``(len(pages), rows, columns)``, of the type that this has.

        Raises
        ------
        Truncated, Corrupt
        """
        for is_here, some in itertools.groupby(enumerate(pages), lambda each: self._is_ours[each[1]]):
            at, numbers = zip(*some, strict=True)
            if is_here:
                with files.readable(self._path):
                    for place, page in zip(at, numbers, strict=True):
                        self._read(page, self._pages.layouts[page], window, into[place])
            else:
                with self._lock:
                    self._joined.read(numbers, window, into[at[0] : at[-1] + 1])

    def _read(self, page: int, layout: Layout, window: Window, into: np.ndarray) -> None:
        """Read the blocks of a rectangle, each once, and copy what of them lies in it."""
        (rows, columns), (top, left) = layout.block, (part.start for part in window)
        with self._lock:
            starts, lengths = self._places(page)
        line = -(-layout.width * layout.bits // 8)
        if layout.compression == NONE and is_run(layout, starts, lengths):
            raw = self._bytes(int(starts[0]) + top * line, (window[0].stop - top) * line)
            into[...] = unpacked(raw, layout, self._pages.order, layout.width)[:, window[1]]
            return
        across = -(-layout.width // columns)
        ranges = [
            range(part.start // n, -(-part.stop // n))
            for part, n in zip(window, (rows, columns), strict=True)
        ]
        for row, column in itertools.product(*ranges):
            at = row * across + column
            first = max(top, row * rows), max(left, column * columns)
            last = min(window[0].stop, (row + 1) * rows), min(window[1].stop, (column + 1) * columns)
            here = into[first[0] - top : last[0] - top, first[1] - left : last[1] - left]
            if not lengths[at]:
                here[...] = self._filling(layout)
                continue
            inner = slice(first[0] - row * rows, last[0] - row * rows)
            block = self._block(layout, int(starts[at]), int(lengths[at]), row, inner)
            here[...] = block[:, first[1] - column * columns : last[1] - column * columns]

    def _filling(self, layout: Layout) -> float:
        """Return what stands where nothing is stored: nodata, where it is a value of the type."""
        try:
            filling = float(layout.nodata or 0)
        except ValueError:
            return 0
        if self.dtype.kind == "f":
            return filling
        info = np.iinfo(self.dtype)
        return int(filling) if math.isfinite(filling) and info.min <= filling <= info.max else 0

    def _block(self, layout: Layout, start: int, length: int, row: int, inner: slice) -> np.ndarray:
        """Return some rows of one block: its row among blocks is `row`."""
        rows, columns = layout.block
        if not layout.tile_width:
            rows = min(rows, layout.height - row * rows)  # the last strip is lower
        line = -(-columns * layout.bits // 8)
        if layout.compression == NONE:
            if length < rows * line:
                raise _short(length, rows * line, self._path)
            raw = self._bytes(start + inner.start * line, (inner.stop - inner.start) * line)
            return unpacked(raw, layout, self._pages.order, columns)
        raw = self._inflated(start, length, rows * line)
        return unpacked(raw, layout, self._pages.order, columns)[inner]

    def _inflated(self, start: int, length: int, expected: int) -> bytes:
        """Return what a deflated block holds, once its checksum was right."""
        try:
            data, is_whole = inflated(self._bytes(start, min(length, 2 * expected + 4096)), expected)
        except Damaged:
            data, is_whole = b"", False
        if len(data) == expected and is_whole:
            return data
        with self._lock:
            self._file.seek(start)
            check_deflate(self._file, length, expected, self._path)
        raise _short(len(data), expected, self._path)

    def _bytes(self, start: int, length: int) -> bytes:
        with self._lock:
            self._file.seek(start)
            raw = self._file.read(length)
        if len(raw) < length:
            raise Truncated(
                f"{length:,} bytes of its pixels should lie at byte {start:,}, and the file ends before",
                "Fetch or save the file again.",
                self._path,
            )
        return raw

    def _places(self, page: int) -> tuple[np.ndarray, np.ndarray]:
        """Return where the blocks of a page lie, and their lengths; 0 where one is not stored.

        The caller has the lock.
        """
        if page not in self._remembered:
            if len(self._remembered) >= _REMEMBERED:
                self._remembered.clear()
            self._remembered[page] = self._looked_up(page)
        return self._remembered[page]

    def _looked_up(self, page: int) -> tuple[np.ndarray, np.ndarray]:
        layout, at = self._pages.layouts[page], self._pages.places[page]
        if self._pages.is_run:
            return np.array([at]), np.array([length_of_block(layout)])
        directory = self._found.read(at)
        tags = (
            (_layout.TILE_OFFSETS, _layout.TILE_LENGTHS)
            if layout.tile_width
            else (_layout.OFFSETS, _layout.LENGTHS)
        )
        blocks = blocks_of(layout)
        starts, lengths = (self._found.places(directory, tag, blocks) for tag in tags)
        if min(len(starts), len(lengths)) < blocks:
            raise Corrupt(
                f"page {page + 1} of it says where fewer than its {blocks:,} blocks lie",
                "Save it again.",
                self._path,
            )
        is_nowhere = (starts < 0) | (lengths < 0) | ((starts == 0) != (lengths == 0))
        if is_nowhere.any() or (starts + lengths > self._found.size).any():
            raise Truncated(
                f"blocks of page {page + 1} should lie outside of the file's {self._found.size:,} bytes",
                "It is cut off or damaged: fetch or save it again.",
                self._path,
            )
        self._sparse[page] = int((lengths == 0).sum())
        return starts, lengths

    @property
    def sparse(self) -> int:
        """How many blocks of the pages that were read are not stored."""
        return sum(self._sparse.values())

    def check(self, page: int) -> None:
        """Check the checksums of a page that GDAL has read, which does not look at those of deflate."""
        layout = self._pages.layouts[page]
        if self._is_ours[page] or layout.compression not in DEFLATE:
            return
        rows, columns = layout.block
        line = -(-columns * layout.bits // 8)
        across = -(-layout.width // columns)
        with files.readable(self._path), self._lock:
            starts, lengths = self._places(page)
            for at, (start, length) in enumerate(zip(starts.tolist(), lengths.tolist(), strict=True)):
                held = rows if layout.tile_width else min(rows, layout.height - at // across * rows)
                self._file.seek(start)
                if length:
                    check_deflate(self._file, length, held * line, self._path)

    def close(self) -> None:
        """Close the file."""
        self._joined.close()
        self._file.close()


def _short(there: int, expected: int, path: str) -> Truncated:
    return Truncated(f"a block of it has {there:,} of {expected:,} bytes", "Fetch or save it again.", path)
