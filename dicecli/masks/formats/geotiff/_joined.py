"""Pages as GDAL reads them: many at a time, as bands of one TIFF that is made up around the file.

GDAL opens one directory at a time, and walks there from the first: for page after page that grows with the
square of their number, and costs a millisecond at the least. So a directory is written in memory whose planes
are the blocks of many pages, and put before the file, which itself is not changed.
"""

from __future__ import annotations

import itertools
import os
import re
import struct
from contextlib import ExitStack, contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import CaseError
from dicecli.masks import files
from dicecli.masks.formats.geotiff import _header, _layout
from dicecli.masks.formats.geotiff._band import rectangle
from dicecli.masks.formats.geotiff._gdal import closed_off, listening, nameable, reading_fax
from dicecli.masks.formats.geotiff._reopened import keep_few_blocks, open_dataset

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager

    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._directories import Order
    from dicecli.masks.formats.geotiff._layout import Layout
    from dicecli.masks.formats.geotiff._pages import Pages
    from dicecli.masks.reading import Reading

#: Pages, and blocks of them, that one made-up directory has at most.
_MOST_PAGES, _MOST_BLOCKS = 1 << 10, 1 << 20
_SHORT, _LONG, _LONG8, _ASCII = 3, 4, 16, 2
_EXTRA = 338
#: Characters that stand in a list of files as they are; names with others go by the number of an open file.
_PLAIN = re.compile(r"[\w./\\:+,=@%~()\[\]{}#!$&'; -]*[^\s]", re.ASCII)


class Joined:
    """Reads pages that are not read without GDAL.

    Parameters
    ----------
    path : str
    pages : Pages
    places : callable
        Returns where the blocks of a page lie, and their lengths.
    reading : Reading
    """

    def __init__(
        self,
        path: str,
        pages: Pages,
        places: Callable[[int], tuple[np.ndarray, np.ndarray]],
        reading: Reading,
    ) -> None:
        self._path, self._pages, self._places, self._reading = path, pages, places, reading
        self._batches: list[list[int]] = []
        self._place_of: dict[int, tuple[int, int]] = {}
        self._stack, self._open, self._dataset = ExitStack(), -1, None
        self._name, self._warnings = "", list[str]()

    def add(self, page: int) -> None:
        """Take a page, from 0; the pages of one batch have one layout."""
        layout = self._pages.layouts[page]
        last = self._batches[-1] if self._batches else []
        rows, columns = layout.block
        blocks = -(-layout.height // rows) * -(-layout.width // columns)
        most = max(1, min(_MOST_PAGES, _MOST_BLOCKS // blocks))
        if not last or self._pages.layouts[last[0]] != layout or len(last) >= most:
            last = []
            self._batches.append(last)
        self._place_of[page] = len(self._batches) - 1, len(last)
        last.append(page)

    def described(self) -> tuple[str, np.dtype, list[str]]:
        """Return of the first batch its compression in words, the type of its values, and GDAL's warnings."""
        dataset = self._opened(0)
        name, _ = _header.compressed_with(dataset)
        return name, _header.dtype(dataset.dtypes[0], self._path), self._warnings

    def read(self, pages: Sequence[int], window: Window, into: np.ndarray) -> None:
        """Read a rectangle of some pages; one thread at a time.

        Parameters
        ----------
        pages : sequence of int
            From 0, all of one batch or of several.
        window : tuple of slice
            Of rows and columns.
        into : numpy.ndarray
            ``(len(pages), rows, columns)``.

        Raises
        ------
        Truncated, Corrupt
        """
        for batch, some in itertools.groupby(enumerate(pages), lambda each: self._place_of[each[1]][0]):
            at, numbers = zip(*some, strict=True)
            dataset = self._opened(batch)
            bands = [self._place_of[each][1] + 1 for each in numbers]
            is_fax = self._pages.layouts[numbers[0]].compression in _layout.FAX
            with self._named(reading_fax if is_fax else closed_off):
                into[at[0] : at[-1] + 1] = dataset.read(bands, window=rectangle(window))

    def _opened(self, batch: int) -> DatasetReader:
        """Open a batch, and let go of the one before."""
        if batch != self._open or self._dataset is None:
            self.close()
            starts, lengths = zip(*map(self._places, self._batches[batch]), strict=True)
            layout = self._pages.layouts[self._batches[batch][0]]
            shift = len(_directory(layout, self._pages.order, starts, lengths))
            moved = [np.where(each == 0, 0, each + shift) for each in starts]
            head = _directory(layout, self._pages.order, moved, lengths)
            from rasterio.io import MemoryFile

            with self._named(closed_off), listening() as said, ExitStack() as stack:
                name = stack.enter_context(_named(self._path))
                before = stack.enter_context(MemoryFile(head))
                both = _joined((before.name, len(head)), (name, Path(self._path).stat().st_size))
                around = stack.enter_context(MemoryFile(both))
                self._name = f"/vsisparse/{around.name}"
                self._dataset = stack.enter_context(open_dataset(self._name))
                keep_few_blocks(self._dataset, lambda: nullcontext(self._name), self._reading)
                self._stack, self._open, self._warnings = stack.pop_all(), batch, said
        return self._dataset

    @contextmanager
    def _named(self, run: Callable[[str], AbstractContextManager[None]]) -> Iterator[None]:
        """Run GDAL closed off, and name in its errors the file instead of what was made up."""
        try:
            with run(self._path):
                yield
        except CaseError as error:
            said = error.message.replace(self._name, os.path.basename(self._path))  # noqa: PTH119 - a string
            raise type(error)(said, error.hint, self._path) from error.__cause__

    def close(self) -> None:
        """Close what is open."""
        self._stack.close()
        self._stack, self._open, self._dataset = ExitStack(), -1, None


def _directory(
    layout: Layout, order: Order, starts: Sequence[np.ndarray], lengths: Sequence[np.ndarray]
) -> bytes:
    """Return the head of a BigTIFF that has a plane for each page: header, directory and its arrays."""
    planes, (rows, columns) = len(starts), layout.block
    tiles = {_layout.TILE_WIDTH: [columns], _layout.TILE_LENGTH: [rows]}
    where = _layout.OFFSETS, _layout.LENGTHS
    if layout.tile_width:
        where = _layout.TILE_OFFSETS, _layout.TILE_LENGTHS
    longs: dict[int, list[int]] = {
        _layout.WIDTH: [layout.width],
        _layout.LENGTH: [layout.height],
        **(tiles if layout.tile_width else {_layout.ROWS: [rows]}),
        _layout.FAX_3: [layout.fax_3],
        _layout.FAX_4: [layout.fax_4],
    }
    shorts: dict[int, list[int]] = {
        _layout.BITS: [layout.bits] * planes,
        _layout.COMPRESSION: [layout.compression],
        _layout.PHOTOMETRIC: [1],
        _layout.FILL_ORDER: [layout.fill_order],
        _layout.SAMPLES: [planes],
        _layout.PLANAR: [2],
        _layout.PREDICTOR: [layout.predictor],
        _EXTRA: [0] * (planes - 1),
        _layout.FORMAT: [layout.format] * planes,
    }
    entries = {tag: (_LONG, np.array(each, f"{order}u4")) for tag, each in longs.items()}
    entries |= {tag: (_SHORT, np.array(each, f"{order}u2")) for tag, each in shorts.items() if each}
    for tag, arrays in zip(where, (starts, lengths), strict=True):
        entries[tag] = _LONG8, np.concatenate(arrays).astype(f"{order}u8")
    if layout.nodata is not None:
        entries[_layout.NODATA] = _ASCII, np.frombuffer(layout.nodata.encode() + b"\0", np.uint8)
    return _written(entries, order)


def _written(entries: Mapping[int, tuple[int, np.ndarray]], order: Order) -> bytes:
    """Return a BigTIFF's header and its one directory, with the arrays that do not fit into it behind."""
    at = 16 + 8 + 20 * len(entries) + 8
    directory, behind = [struct.pack(f"{order}Q", len(entries))], list[bytes]()
    for tag, (kind, values) in sorted(entries.items()):
        raw = values.tobytes()
        place = raw.ljust(8, b"\0")
        if len(raw) > 8:
            place = struct.pack(f"{order}Q", at)
            behind.append(raw + bytes(-len(raw) % 8))
            at += len(behind[-1])
        directory.append(struct.pack(f"{order}HHQ", tag, kind, values.size) + place)
    start = (b"II" if order == "<" else b"MM") + struct.pack(f"{order}HHHQ", 43, 8, 0, 16)
    return b"".join([start, *directory, bytes(8), *behind])


def _joined(*parts: tuple[str, int]) -> bytes:
    """Return what GDAL takes for files of some lengths one after the other."""
    at, regions = 0, ""
    for name, length in parts:
        quoted = name.replace("&", "&amp;").replace("<", "&lt;")
        regions += (
            f'<SubfileRegion><Filename relative="0">{quoted}</Filename>'
            f"<DestinationOffset>{at}</DestinationOffset><SourceOffset>0</SourceOffset>"
            f"<RegionLength>{length}</RegionLength></SubfileRegion>"
        )
        at += length
    return f"<VSISparseFile><Length>{at}</Length>{regions}</VSISparseFile>".encode()


@contextmanager
def _named(path: str) -> Iterator[str]:
    """Give a name of the file that stands in XML as it is, while it is needed."""
    with nameable(path) as name:
        if _PLAIN.fullmatch(name):
            yield name
            return
    with files.open_regular(path) as file:
        yield f"/dev/fd/{file.fileno()}"
