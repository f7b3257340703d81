"""The bands of a TIFF as channels of probabilities, which are read together."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.masks.exact import where_missing
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.formats.geotiff._band import FAX, Band, rectangle
from dicecli.masks.formats.geotiff._gdal import closed_off, reading_fax
from dicecli.masks.formats.geotiff._grid import grid
from dicecli.masks.formats.geotiff._hidden import Hidden, cover
from dicecli.masks.formats.geotiff._kinds import kinds
from dicecli.masks.formats.geotiff._nodata import nodata_tag
from dicecli.masks.formats.geotiff.colours import colours_of
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._place import Place
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource


def open_probabilities(
    path: str, reading: Reading, shape: tuple[int, ...], directory: int | None = None
) -> list[MaskSource]:
    """Open a map of probabilities, a band per class. Scale and offset of a band are applied.

    Those of binary layers are not, as they are not of labels. The image is the first of the file, or that
    whose `directory` lies at this byte.

    Raises
    ------
    UnknownFormat, Truncated, Corrupt, TooLarge
    LossyCompression
        Binary layers that the compression may have changed.
    """
    del shape  # bands are classes, whatever the reference has
    return _header.opened(
        path,
        reading,
        lambda dataset, place: channels_of(dataset, path, reading, directory, place),
        directory,
    )


def channels_of(
    dataset: DatasetReader,
    path: str,
    reading: Reading,
    directory: int | None = None,
    known: Place | None = None,
) -> list[MaskSource]:
    """Make a source of every band; they share one reader, which decodes a window of all bands at once."""
    check_pixels((dataset.height, dataset.width, dataset.count), reading.max_pixels, path)
    _header.check_bands(dataset.count, path)
    for name in set(dataset.dtypes):
        _header.dtype(name, path)
    found = kinds(dataset)
    # Four bands of 8 bits are said to be colours and alpha by writers that were given channels.
    held = range(1, dataset.count + 1) if found.are_colours else found.held
    hider, said = (None, list[str]()) if found.are_colours else cover(dataset, path, found, reading)
    compression, is_lossy = _header.compressed_with(dataset)
    if is_lossy and reading.is_binary:
        raise _header.changed_by(compression, path)
    _header.check_blocks(dataset, 1, compression, path, reading)
    place, read = grid(dataset, path, reading, known), _WindowOfBands(dataset, path, compression)
    channels: list[MaskSource] = []
    for band in held:
        # A tag of 0 is no background here: it is nodata where every band has it.
        nodata = None if reading.nodata == "label" else nodata_tag(dataset, band, path, directory)
        source = _Channel(read, dataset, path, place, band=band, nodata=nodata, reading=reading)
        source.directory = directory
        source.facts = {
            "format": "GeoTIFF" if place.kind == "map" else "TIFF",
            "bands": dataset.count,
            "stored as": dataset.dtypes[band - 1],
            "compression": compression,
        }
        if source.is_unscaled:
            source.notes.append(_header.UNSCALED)
        source.are_colours = found.are_colours and reading.is_binary
        source.beside = (found.alpha,) if hider and found.alpha and band == held[0] else ()
        channels.append(Hidden(source, hider, is_soft=not reading.is_binary) if hider else source)
    channels[0].notes += said
    if is_lossy:
        channels[0].notes.append(f"it is compressed with {compression}, which changes values a little")
    return channels


class _WindowOfBands:
    """Reads a window of every band at once, and keeps the last one for the next band that asks."""

    def __init__(self, dataset: DatasetReader, path: str, compression: str) -> None:
        self._dataset, self._path, self.lock = dataset, path, threading.Lock()
        self._is_fax = compression.startswith(FAX)
        self._window: Window | None = None
        self._block = np.zeros(0)

    def __call__(self, window: Window, band: int) -> np.ndarray:
        """Return the values of one band."""
        with self.lock:
            if window != self._window:
                with reading_fax(self._path) if self._is_fax else closed_off(self._path):
                    self._block = self._dataset.read(window=rectangle(window))
                self._window = window
            values: np.ndarray = self._block[band - 1]
        return values


class _Channel(Band):
    """One band of several that are read together.

    Attributes
    ----------
    are_colours : bool
        Whether the file says that its bands are colours, so that they are masks with 0 and 1 alone.
    """

    are_colours = False

    def __init__(
        self,
        read: _WindowOfBands,
        dataset: DatasetReader,
        path: str,
        place: Grid,
        *,
        band: int,
        nodata: float | None,
        reading: Reading,
    ) -> None:
        self._scaling = (float(dataset.scales[band - 1]), float(dataset.offsets[band - 1]))
        self._is_scaled = self._scaling != (1.0, 0.0) and not reading.is_binary
        self.is_unscaled = self._scaling != (1.0, 0.0) and reading.is_binary
        stored = np.dtype(dataset.dtypes[band - 1])
        super().__init__(
            dataset,
            path,
            place,
            dtype=np.dtype(np.float64) if self._is_scaled else stored,
            band=band,
            nodata=None if nodata is None else self._scaled(nodata),
            reading=reading,
        )
        self._read, self._lock = read, read.lock
        self.held = self.held if band == 1 else 0  # the file is one

    def values(self, window: Window) -> np.ndarray:
        """Return the band's values, and among them nodata, scaled as the file says.

        Raises
        ------
        UnknownColour
            They are colours.
        """
        stored = self._read(window, self._band)
        if self.are_colours and self._is_above_one(stored):
            raise colours_of(self._dataset, self.path, self.lock)
        values: np.ndarray = self._scaled(stored)
        return values

    def _is_above_one(self, stored: np.ndarray) -> bool:
        """Whether any value but nodata is neither 0 nor 1."""
        missing = where_missing(stored, self.nodata)
        return bool(stored.max(initial=0, where=True if missing is None else ~missing) > 1)

    def _scaled(self, stored: Any) -> Any:
        scale, offset = self._scaling
        return stored * scale + offset if self._is_scaled else stored

    def finish(self) -> None:
        """Check the checksums; where a block has the samples of every band, once."""
        if self._band == 1 or _header.samples_together(self._dataset) == 1:
            super().finish()
