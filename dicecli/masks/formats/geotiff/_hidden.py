"""What the internal mask or the alpha band of a TIFF hides: nodata, by a value that no pixel has."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels, NotProbabilities
from dicecli.masks import files
from dicecli.masks.exact import check_whole, where_missing
from dicecli.masks.formats.geotiff._band import check_deflate, rectangle
from dicecli.masks.formats.geotiff._directories import Directories
from dicecli.masks.formats.geotiff._gdal import closed_off
from dicecli.masks.sources import MaskSource
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    import threading

    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._band import Band
    from dicecli.masks.formats.geotiff._kinds import Kinds
    from dicecli.masks.reading import Reading

#: Stands for nodata among floats: beyond float32, and no number that anybody writes.
_NO_FLOAT = float.fromhex("-0x1.23456789abcdfp+1000")
_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION = 254, 256, 257, 258, 259
_ROWS, _TILE_WIDTH, _TILE_HEIGHT = 278, 322, 323
#: Where blocks lie, and how long they are: of strips, of tiles.
_STRIPS, _TILES = (273, 279), (324, 325)
_IS_MASK, _IS_REDUCED = 4, 1
_DEFLATE = {8, 32946}


class Cover:
    """What hides pixels of an open file: its internal mask, its alpha band, or both.

    Attributes
    ----------
    words : str
        What it is.
    """

    def __init__(self, dataset: DatasetReader, path: str, alpha: int | None, *, has_mask: bool) -> None:
        self._dataset, self._path = dataset, path
        self._alpha, self._has_mask = alpha, has_mask
        self._window: Window | None = None
        self._last = np.zeros((0, 0), bool)
        self._is_checked = False
        self.words = " and ".join(["internal mask"] * has_mask + ["alpha band"] * (alpha is not None))

    def hides(self, window: Window, lock: threading.Lock) -> np.ndarray:
        """Return where a window is hidden: bool; `lock` is the one that reads of this file go through.

        Raises
        ------
        NotLabels
            Pixels that are neither hidden nor seen.
        """
        with lock:
            if window != self._window:
                self._last = self._read(window)
                self._window = window
            return self._last

    def _read(self, window: Window) -> np.ndarray:
        found = []
        with closed_off(self._path):
            if self._has_mask:
                found.append(("internal mask", self._dataset.read_masks(1, window=rectangle(window))))
            if self._alpha is not None:
                found.append(("alpha band", self._dataset.read(self._alpha, window=rectangle(window))))
        hidden: np.ndarray = np.logical_or.reduce([self._hidden(*each) for each in found])
        return hidden

    def _hidden(self, words: str, values: np.ndarray) -> np.ndarray:
        full = np.iinfo(values.dtype).max if values.dtype.kind in "iu" else 1
        is_hidden: np.ndarray = values == 0
        between = ~is_hidden & (values != full)
        if between.any():
            raise NotLabels(
                f"its {words} neither hides nor shows {int(between.sum()):,} pixels of the block where it "
                f"was met: it has {values[between][0]:g} there, between 0 and {full}",
                f"Save it with 0 and {full} alone. To count every pixel as it is stored: --nodata label.",
                self._path,
            )
        return is_hidden

    def finish(self) -> None:
        """Check the checksums of the mask's deflate blocks, once; those of the bands are the band's matter.

        Raises
        ------
        Corrupt, Truncated
        """
        if self._has_mask and not self._is_checked:
            with files.readable(self._path), files.open_regular(self._path) as file:
                directories = Directories(file, self._path)
                for each in directories.walk():
                    kind = directories.number(each, _SUBFILE, 0)
                    size = directories.number(each, _HEIGHT, 0), directories.number(each, _WIDTH, 0)
                    if kind & _IS_MASK and not kind & _IS_REDUCED and size == self._dataset.shape:
                        for offset, length, expected in _blocks(directories, each.at):
                            file.seek(offset)
                            check_deflate(file, length, expected, self._path)
        self._is_checked = True


def _blocks(directories: Directories, at: int) -> list[tuple[int, int, int]]:
    """Return where the deflate blocks of one band lie, their lengths, and the bytes that they inflate to."""
    entries = directories.read(at)
    number = {
        tag: directories.number(entries, tag, default)
        for tag, default in ((_WIDTH, 0), (_HEIGHT, 0), (_BITS, 1), (_COMPRESSION, 1))
    }
    if number[_COMPRESSION] not in _DEFLATE:
        return []
    is_tiled = _TILES[0] in entries.entries
    places, lengths = (
        directories.numbers(entries.entries[tag], 1 << 24).tolist()
        for tag in (_TILES if is_tiled else _STRIPS)
    )
    width = directories.number(entries, _TILE_WIDTH, 0) if is_tiled else number[_WIDTH]
    rows = directories.number(entries, _TILE_HEIGHT if is_tiled else _ROWS, number[_HEIGHT])
    row_bytes = -(-width * number[_BITS] // 8)
    found = []
    for place, (offset, length) in enumerate(zip(places, lengths, strict=True)):
        held = rows if is_tiled else min(rows, number[_HEIGHT] - place * rows)
        if length:
            found.append((offset, length, held * row_bytes))
    return found


def cover(
    dataset: DatasetReader, path: str, kinds: Kinds, reading: Reading
) -> tuple[Cover | None, list[str]]:
    """Return what hides pixels of a file, and a note on it; None where nothing does, or all count."""
    flags = {flag.name for flag in dataset.mask_flag_enums[kinds.held[0] - 1]}
    found = Cover(dataset, path, kinds.alpha, has_mask="per_dataset" in flags and "alpha" not in flags)
    if not found.words:
        return None, []
    if reading.nodata == "label":
        return None, [f"its {found.words} is not used, as --nodata label says"]
    return found, [f"what its {found.words} hides is nodata; --nodata label counts it"]


class Hidden(MaskSource):
    """A band of which some pixels are hidden.

    Labels become 64 bits wide, so that one number is left for nodata, as for what the tag says is nodata. Of
    probabilities hidden values are NaN.
    """

    def __init__(self, source: Band, cover: Cover, *, is_soft: bool = False) -> None:
        is_float = source.dtype.kind == "f" or is_soft
        nodata = source.nodata if is_soft else _NO_FLOAT if is_float else NO_LABEL
        super().__init__(
            source.path,
            source.grid,
            np.dtype(np.float64 if is_float else np.int64),
            chunks=source.chunks,
            order=source.order,
            nodata=nodata,
            nan_is_nodata=is_soft or source.nan_is_nodata,
            reading=source.reading,
        )
        self.notes, self.facts, self.oddities = source.notes, source.facts, source.oddities
        self.checked, self.is_random_access = source.checked, source.is_random_access
        self.palette, self.background_tag = source.palette, source.background_tag
        self.has_own_nodata, self.held = not is_soft, source.held
        self._source, self._cover, self._is_soft = source, cover, is_soft

    def keep_to(self, window: Window) -> None:
        """Let the checks at the end be of a window of the band; what hides it is checked whole."""
        self._source.keep_to(window)

    @property
    def pixel_bytes(self) -> int:
        """What a pixel of the band takes, what hides it, and what is put in its place."""
        return self._source.pixel_bytes + self._source.dtype.itemsize + 18

    def values(self, window: Window) -> np.ndarray:
        """Return the band's values, and nodata where they are hidden."""
        values = self._source.values(window)
        hidden = self._cover.hides(window, self._source.lock)
        if self._is_soft:
            return self._probabilities(values, hidden)
        missing = where_missing(values, self._source.nodata)
        hidden = hidden if missing is None else hidden | missing
        if self.dtype.kind == "f":
            return np.where(hidden, _NO_FLOAT, values.astype(np.float64))
        kept = np.where(hidden, values.dtype.type(0), values)
        check_whole(kept)
        return np.where(hidden, np.int64(NO_LABEL), kept.astype(np.int64))

    def _probabilities(self, values: np.ndarray, hidden: np.ndarray) -> np.ndarray:
        if values.dtype.kind == "f" and not self._source.nan_is_nodata and not math.isnan(self.nodata or 0):
            strange = np.isnan(values) & ~hidden
            if strange.any():
                raise NotProbabilities(
                    f"it holds NaN in {int(strange.sum()):,} pixels that no mask of it hides",
                    "If NaN marks missing pixels: --nodata ignore.",
                    self.path,
                )
        return np.where(hidden, np.nan, values.astype(np.float64))

    def finish(self) -> None:
        """Check the checksums of the band and of what hides it."""
        self._source.finish()
        self._cover.finish()

    def close(self) -> None:
        """Close the file."""
        self._source.close()
