"""A band of a TIFF, of labels or probabilities alike: how it is read, and its checksums checked."""

from __future__ import annotations

import itertools
import threading
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import Corrupt, Truncated
from dicecli.masks import files
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.formats.geotiff._gdal import closed_off, reading_fax
from dicecli.masks.formats.geotiff._tags import is_tiled
from dicecli.masks.inflate import Damaged, inflated_length
from dicecli.masks.sources import MaskSource

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

    from rasterio import windows
    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading

#: How the names of CCITT's compressions begin.
FAX = "ccitt"
#: Bytes inflated at a time where checksums are checked.
_PIECE = 1 << 20


class Band(MaskSource):
    """One band of a TIFF; threads read through a lock, as GDAL's handles are not to be shared."""

    #: Other bands that are read with this one.
    beside: tuple[int, ...] = ()
    #: The byte where the directory of its image lies; None: the first one.
    directory: int | None = None

    def __init__(
        self,
        dataset: DatasetReader,
        path: str,
        place: Grid,
        *,
        dtype: np.dtype,
        band: int,
        nodata: float | None,
        reading: Reading,
    ) -> None:
        super().__init__(
            path,
            place,
            dtype,
            chunks=tuple(int(n) for n in dataset.block_shapes[band - 1]),
            nodata=nodata,
            # NaN needs no tag to be no number; it is taken for nodata only where that was asked for.
            nan_is_nodata=reading.nodata in {"ignore", "background"},
            reading=reading,
        )
        self.is_random_access = True
        self._dataset, self._band, self._lock = dataset, band, threading.Lock()
        self._is_split, self._is_finished = self._has_one_strip(), False
        self.held = _header.held_of_a_block(dataset, band)
        self._stored_bytes = np.dtype(dataset.dtypes[band - 1]).itemsize

    @property
    def lock(self) -> threading.Lock:
        """What every reading of the file goes through."""
        return self._lock

    def _from_gdal(self, window: Window) -> np.ndarray:
        """Read a window of the band at full resolution; the caller has the lock."""
        is_fax = str(self.facts["compression"]).startswith(FAX)
        with reading_fax(self.path) if is_fax else closed_off(self.path):
            block: np.ndarray = self._dataset.read(self._band, window=rectangle(window))
        return block

    def finish(self) -> None:
        """Check the checksums of deflate, which GDAL does not look at; and say how much is not stored.

        Once: a second pass over the file finds what the first one has.

        Raises
        ------
        Corrupt
        """
        if self._is_finished:
            return
        is_deflate = self.facts["compression"] == "deflate"
        sparse = 0
        with files.readable(self.path), closed_off(self.path), files.open_regular(self.path) as file:
            for offset, length, rows in self._every_block(tiled=is_tiled(file, self.directory)):
                if not length:
                    sparse += 1
                elif is_deflate and offset not in self.checked:
                    file.seek(offset)
                    check_deflate(file, length, rows * self._row_bytes(), self.path)
        if sparse:
            value = "nodata" if self._dataset.nodatavals[self._band - 1] is not None else "0"
            self.notes.append(f"{sparse:,} of its blocks are sparse: not stored, and read as {value}")
        self._is_finished = True

    def _every_block(self, *, tiled: bool) -> Iterator[tuple[int, int, int]]:
        """Yield the blocks of all bands that are read, each once."""
        for band in (self._band, *(self.beside if _header.samples_together(self._dataset) == 1 else ())):
            yield from self._blocks(band, tiled=tiled)

    def _blocks(self, band: int, *, tiled: bool) -> Iterator[tuple[int, int, int]]:
        """Yield where each block of a band lies in the file, its length, and how many rows it holds.

        Those outside of what the case is about are left out. The length is 0 where it is not stored. A tile
        at the edge is a whole tile; the last strip is not.
        """
        height, step = self.shape[0], self.chunks[0]
        kept = self.kept or tuple(slice(0, n) for n in self.shape)
        rows, columns = (
            range(part.start // chunk, -(-part.stop // chunk))
            for part, chunk in zip(kept, self.chunks, strict=True)
        )
        if self._is_split and not tiled:
            rows, step = range(1), height
        tag = self._dataset.get_tag_item
        for row, column in itertools.product(rows, columns):
            where = tag(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=band)
            length = tag(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=band)
            held = step if tiled else min(step, height - row * step)
            yield int(where or 0), int(length or 0), held

    def _has_one_strip(self) -> bool:
        """Whether the image is one high strip, which GDAL hands out row by row as if each were a block.

        GDAL tells so only until the first row is read.
        """
        if self.chunks[0] > 1 or self.shape[0] < 2 or self.chunks[1] < self.shape[1]:
            return False
        size = (
            self._dataset.get_tag_item(f"BLOCK_SIZE_0_{row}", "TIFF", bidx=self._band)
            for row in range(self.shape[0])
        )
        return next(size) is not None and not any(size)

    def _row_bytes(self) -> int:
        """Return the length of one row of a block, unpacked: samples of fewer bits than a byte are packed."""
        bits = int(self._dataset.tags(self._band, ns="IMAGE_STRUCTURE").get("NBITS", 8 * self._stored_bytes))
        return -(-self.chunks[1] * bits * _header.samples_together(self._dataset) // 8)

    def close(self) -> None:
        """Close the file."""
        self._dataset.close()


def rectangle(window: Window) -> windows.Window:
    """Return a window of rows and columns as rasterio has it."""
    from rasterio.windows import Window as Rectangle

    rows, columns = window
    return Rectangle(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


def check_deflate(file: BinaryIO, length: int, expected: int, path: str) -> None:
    """Inflate one block to its end, where its checksum stands; memory stays small.

    Of a block that holds more than it should, as where a tag gives the wrong size of tiles, libtiff can leave
    the last pixels as the memory happened to be: no number comes of that.
    """
    pieces = (file.read(min(_PIECE, length - start)) for start in range(0, length, _PIECE))
    try:
        inflated, is_whole = inflated_length(pieces, expected)
    except Damaged as error:
        raise Corrupt(
            f"a deflate block of it is damaged: {error}", "Fetch or save the file again.", path
        ) from error
    if inflated > expected:
        raise Corrupt(
            f"a deflate block of it holds more than the {expected:,} bytes that its header claims",
            "Save it again from its source.",
            path,
        )
    if not is_whole:
        raise Truncated("a deflate block of it ends too early", "Fetch or save the file again.", path)
