"""Blocks of a TIFF that inflate to the pixels themselves: inflated once, checksum included, without GDAL."""

from __future__ import annotations

import itertools
import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.masks import files
from dicecli.masks.formats.geotiff._tags import (
    ROWS_PER_STRIP,
    TILE_LENGTH,
    TILE_WIDTH,
    inflates_to_pixels,
    tags,
)
from dicecli.masks.inflate import Damaged, inflated

if TYPE_CHECKING:
    from typing import BinaryIO

    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window

#: Blocks of which it is kept that they were read: of more they are counted again at the end.
_MOST_SEEN = 1 << 12


class DeflateBlocks:
    """Reads windows of whole blocks. Whatever is unusual is left to GDAL, and so is every error.

    Parameters
    ----------
    dataset : rasterio.DatasetReader
        Of one band; tells where each block lies.
    path : str
    shape, chunks : tuple of int
        Rows and columns of the image, and of a block.
    directory : int, optional
        The byte where the directory of the image lies; by default the first one.
    """

    def __init__(
        self,
        dataset: DatasetReader,
        path: str,
        shape: tuple[int, ...],
        chunks: tuple[int, ...],
        directory: int | None = None,
    ) -> None:
        self._dataset, self._shape, self._chunks = dataset, shape, chunks
        self._file: BinaryIO = files.open_regular(path)
        self._is_tiled = False
        self._seen = set[int]()
        #: Whether any block can be read so.
        self.is_usable = self._fits(tags(self._file, directory))

    def _fits(self, found: dict[int, int | None]) -> bool:
        """Whether the tags say that bytes are pixels, and agree with GDAL on the size of a block."""
        self._is_tiled = TILE_WIDTH in found
        if self._is_tiled:
            size = found.get(TILE_LENGTH), found[TILE_WIDTH]
        else:
            size = found.get(ROWS_PER_STRIP), self._shape[1]
        return inflates_to_pixels(found) and size == self._chunks

    def read(self, window: Window) -> tuple[np.ndarray, list[int]] | None:
        """Return the pixels of a window, uint8, and where the blocks lie whose checksums were right.

        None where a block is cut by the window's edge, is not stored, or is not what it should be.
        """
        for part, n, chunk in zip(window, self._shape, self._chunks, strict=True):
            if part.start % chunk or (part.stop % chunk and part.stop != n):
                return None
        top, left = (part.start for part in window)
        pixels = np.empty([part.stop - part.start for part in window], np.uint8)
        held = []
        steps = (range(part.start, part.stop, n) for part, n in zip(window, self._chunks, strict=True))
        for row, column in itertools.product(*steps):
            found = self._block(row, column)
            if found is None:
                return None
            block, place = found
            here = pixels[row - top :, column - left :][: self._chunks[0], : self._chunks[1]]
            here[...] = block[: here.shape[0], : here.shape[1]]
            held.append(place)
            if len(self._seen) < _MOST_SEEN:
                self._seen.add(self._number(row, column))
        return pixels, held

    def has_read(self, window: Window | None) -> bool:
        """Whether every block of a window, by default of the image, was read; False where they are many."""
        parts = window or tuple(slice(0, n) for n in self._shape)
        firsts = [part.start // chunk * chunk for part, chunk in zip(parts, self._chunks, strict=True)]
        steps = [
            range(first, part.stop, chunk)
            for first, part, chunk in zip(firsts, parts, self._chunks, strict=True)
        ]
        if math.prod(map(len, steps)) > len(self._seen):
            return False
        return all(self._number(row, column) in self._seen for row, column in itertools.product(*steps))

    def _number(self, row: int, column: int) -> int:
        """Return the number of the block that begins at a pixel."""
        return row // self._chunks[0] * -(-self._shape[1] // self._chunks[1]) + column // self._chunks[1]

    def _block(self, row: int, column: int) -> tuple[np.ndarray, int] | None:
        """Return the block that begins at a pixel, and where in the file it lies."""
        rows, columns = self._chunks
        name = f"{column // columns}_{row // rows}"
        place = int(self._dataset.get_tag_item(f"BLOCK_OFFSET_{name}", "TIFF", bidx=1) or 0)
        length = int(self._dataset.get_tag_item(f"BLOCK_SIZE_{name}", "TIFF", bidx=1) or 0)
        height = rows if self._is_tiled else min(rows, self._shape[0] - row)  # the last strip may be lower
        expected = height * columns
        if not length or length > 2 * expected + 4096:  # deflate makes nothing twice as long
            return None
        self._file.seek(place)
        try:
            data, is_whole = inflated(self._file.read(length), expected)
        except Damaged:
            return None
        if len(data) != expected or not is_whole:
            return None
        return np.frombuffer(data, np.uint8).reshape(height, columns), place

    def close(self) -> None:
        """Close the file."""
        self._file.close()
