"""The bands of a TIFF as red, green and blue: labels through a colour table, or why they are none."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import CaseError, Changed, ManyVolumes, NotLabels, UnknownColour
from dicecli.masks import colours
from dicecli.masks.exact import where_missing
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.formats.geotiff._band import Band, rectangle
from dicecli.masks.formats.geotiff._gdal import closed_off
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    import threading
    from collections.abc import Iterator

    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._hidden import Cover
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading

_BANDS = [1, 2, 3]
#: Rows that are looked at together where all colours are asked for.
_ROWS = 256
#: Red, green and blue, of which one band alone has a value: as one-hot bands look.
_ONE_BAND = (0xFF0000, 0x00FF00, 0x0000FF)


class Colours(Band):
    """Labels that are stored as colours; what is hidden, or has the tag's value in all bands, is nodata."""

    def __init__(
        self,
        dataset: DatasetReader,
        path: str,
        place: Grid,
        *,
        nodata: float | None,
        cover: Cover | None,
        reading: Reading,
    ) -> None:
        for band in _BANDS:
            if _header.dtype(dataset.dtypes[band - 1], path) != np.uint8:
                raise NotLabels(
                    f"its colours are of type {dataset.dtypes[band - 1]}",
                    "Save them with 8 bits a channel, or save labels.",
                    path,
                )
        is_missing = cover is not None or nodata is not None
        super().__init__(
            dataset,
            path,
            place,
            dtype=np.dtype(np.int64),
            band=1,
            nodata=NO_LABEL if is_missing else None,
            reading=reading,
        )
        self.notes.append(colours.said_of_table(reading))
        self.beside, self.has_own_nodata = (2, 3), True
        self._tag, self._cover = nodata, cover

    @property
    def pixel_bytes(self) -> int:
        """The three bands as read and as put last, and the label; twice that where some are missing."""
        return 14 if self.nodata is None else 28

    def values(self, window: Window) -> np.ndarray:
        """Return the labels of a window.

        Raises
        ------
        UnknownColour
            With the pixels of the whole file.
        """
        found, missing = self._stored(window)
        known = found if missing is None else found[~missing]
        try:
            labels = colours.by_table(known, self.reading.colours, self.path)
        except UnknownColour:
            raise self._strange() from None
        if missing is None:
            return labels
        every = np.full(missing.shape, NO_LABEL, np.int64)
        every[~missing] = labels
        return every

    def _stored(self, window: Window) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the colours of a window, red, green and blue last; and where nothing is known."""
        with self._lock:
            found = _read(self._dataset, window, self.path)
        gone = [] if self._cover is None else [self._cover.hides(window, self._lock)]
        tagged = where_missing(found, self._tag)
        if tagged is not None:
            gone.append(np.asarray(tagged.all(axis=-1)))
        return found, np.logical_or.reduce(gone) if gone else None

    def _strange(self) -> CaseError:
        """Make the error for colours that the table lacks, from all pixels of the file."""
        stored = (self._stored(window) for window in _bands_of_rows(self.shape))
        packed, times = colours.counted(
            colours.packed(found if missing is None else found[~missing]) for found, missing in stored
        )
        table = self.reading.colours
        known = np.array([(r << 16) | (g << 8) | b for r, g, b in table], np.uint32)
        is_strange = ~np.isin(packed, known)
        if not is_strange.any():
            return Changed(
                "its colours are others than a moment ago", "Score it once nobody writes to it.", self.path
            )
        return colours.unknown_colour(
            packed[is_strange], times[is_strange], int(times.sum()), table, self.path
        )

    def finish(self) -> None:
        """Check the checksums of the bands and of what hides them."""
        super().finish()
        if self._cover is not None:
            self._cover.finish()


def colours_of(dataset: DatasetReader, path: str, lock: threading.Lock) -> CaseError:
    """Make the error for bands that are colours, where no colour table is given: it has the colours."""
    with lock:
        size = (dataset.height, dataset.width)
        packed, times = colours.counted(
            colours.packed(_read(dataset, window, path)) for window in _bands_of_rows(size)
        )
    if all(colour % 0x010101 == 0 for colour in packed.tolist()):
        return ManyVolumes(
            "its bands are red, green and blue, and equal: grey stored as colours",
            "Read one of them: --band 1.",
            path,
        )
    error = colours.no_table(packed, times, path)
    if packed.size > 1 and all(colour in _ONE_BAND for colour in packed.tolist()):
        hint = f"If each band is the mask of a label, the first of label 0: --argmax. If not: {error.hint}"
        one_hot = UnknownColour(error.message, hint, path)
        one_hot.facts = error.facts
        return one_hot
    return error


def _read(dataset: DatasetReader, window: Window, path: str) -> np.ndarray:
    """Return red, green and blue of a window on the last axis; the caller has the lock."""
    with closed_off(path):
        return np.moveaxis(dataset.read(_BANDS, window=rectangle(window)), 0, -1)


def _bands_of_rows(shape: tuple[int, ...]) -> Iterator[Window]:
    for row in range(0, shape[0], _ROWS):
        yield slice(row, min(row + _ROWS, shape[0])), slice(0, shape[1])
