"""One band of a TIFF as a mask of labels, with nothing but what its own file says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes
from dicecli.masks import files
from dicecli.masks.exact import shown
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.formats.geotiff._band import Band
from dicecli.masks.formats.geotiff._deflate_blocks import DeflateBlocks
from dicecli.masks.formats.geotiff._extras import describe_extras
from dicecli.masks.formats.geotiff._grid import grid
from dicecli.masks.formats.geotiff._hidden import Hidden, cover
from dicecli.masks.formats.geotiff._kinds import kinds
from dicecli.masks.formats.geotiff._nodata import nodata_tag
from dicecli.masks.formats.geotiff.colours import Colours
from dicecli.masks.formats.geotiff.scores import largest_of_bands
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._kinds import Kinds
    from dicecli.masks.formats.geotiff._place import Place
    from dicecli.masks.grid import Grid
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource


def open_mask(path: str, reading: Reading, directory: int | None = None) -> MaskSource:
    """Open a TIFF mask: one band, at full resolution, with nothing but what its own file says.

    The image is the first of the file, or that whose `directory` lies at this byte.

    Raises
    ------
    UnknownFormat, Truncated, Corrupt, TooLarge
    ManyVolumes
        Several bands, and none was chosen.
    LossyCompression
        Labels that the compression may have changed.
    NotLabels
        Complex numbers.
    """
    return _header.opened(
        path,
        reading,
        lambda dataset, place: _source(dataset, path, reading, directory, place),
        directory,
    )


def _source(
    dataset: DatasetReader, path: str, reading: Reading, directory: int | None, known: Place | None
) -> MaskSource:
    check_pixels((dataset.height, dataset.width), reading.max_pixels, path)
    found = kinds(dataset)
    if reading.band is None and found.are_colours and reading.colours and not reading.argmax:
        return _of_colours(dataset, path, found, reading, directory, known=known)
    try:
        band = _band(dataset, path, found, reading.band)
    except ManyVolumes as error:
        if reading.argmax and reading.band is None:
            return largest_of_bands(dataset, path, reading, directory, known)
        size = f"{dataset.height} x {dataset.width}"
        error.facts = {"format": "TIFF", "bands": dataset.count, "shape": size}
        if dataset.count <= _header.MAX_BANDS:
            error.facts["stored as"] = ", ".join(dataset.dtypes)
        raise
    dtype = _header.dtype(dataset.dtypes[band - 1], path)
    hider, said = (None, list[str]()) if band == found.alpha else cover(dataset, path, found, reading)
    tag = nodata_tag(dataset, band, path, directory)
    nodata, background, note = _nodata(tag, reading)
    place = grid(dataset, path, reading, known)
    compression = _lossless(dataset, band, path, reading)
    source = _Labels(dataset, path, place, dtype=dtype, band=band, nodata=nodata, reading=reading)
    source.background_tag, source.directory = background, directory
    source.notes += note + said
    source.facts = _facts(dataset, band, place, compression)
    source.facts["nodata"] = None if tag is None else shown(tag)
    describe_extras(source, dataset, band, path, reading.band)
    if hider is None:
        return source
    source.beside = (found.alpha,) if found.alpha else ()
    return Hidden(source, hider)


def _of_colours(
    dataset: DatasetReader,
    path: str,
    found: Kinds,
    reading: Reading,
    directory: int | None,
    *,
    known: Place | None,
) -> MaskSource:
    """Take red, green and blue for labels by the colour table."""
    hider, said = cover(dataset, path, found, reading)
    compression = _lossless(dataset, 1, path, reading)
    place, tag = grid(dataset, path, reading, known), nodata_tag(dataset, 1, path, directory)
    is_label = (tag, tag, tag) in reading.colours and reading.nodata == "auto"
    nodata = None if tag is None or is_label or reading.nodata == "label" else tag
    source = Colours(dataset, path, place, nodata=nodata, cover=hider, reading=reading)
    source.directory = directory
    source.notes += said
    source.facts = _facts(dataset, 1, place, compression)
    source.facts["nodata"] = None if tag is None else shown(tag)
    source.beside += (found.alpha,) if hider and found.alpha else ()
    describe_extras(source, dataset, 1, path, None)
    return source


def _lossless(dataset: DatasetReader, band: int, path: str, reading: Reading) -> str:
    """Return what it is compressed with; refuse what may have changed values, and too large blocks."""
    compression, is_lossy = _header.compressed_with(dataset)
    if is_lossy:
        raise _header.changed_by(compression, path)
    _header.check_blocks(dataset, band, compression, path, reading)
    return compression


def _facts(dataset: DatasetReader, band: int, place: Grid, compression: str) -> dict[str, object]:
    block = dataset.block_shapes[band - 1]
    return {
        "format": "GeoTIFF" if place.kind == "map" else "TIFF",
        "bands": dataset.count,
        "stored as": dataset.dtypes[band - 1],
        "blocks": f"{block[1]} x {block[0]} " + ("tiles" if _is_tiled(dataset, block) else "strips"),
        "compression": compression,
    }


def _band(dataset: DatasetReader, path: str, found: Kinds, wanted: int | None) -> int:
    count = dataset.count
    _header.check_bands(count, path)
    is_alone = len(found.held) == 1
    if wanted is None and not is_alone:
        raise _many(found, count, path)
    if is_alone and wanted is not None and wanted > 0 and wanted != found.alpha:
        return found.held[0]  # the option is meant for the file that has several
    if is_alone and wanted is not None and wanted == found.alpha:
        raise ManyVolumes(
            f"band {wanted} is its alpha band, which says what is hidden",
            f"Its labels are in band {found.held[0]}. If the alpha band is meant, save it as another file.",
            path,
        )
    if wanted is not None and not 1 <= wanted <= count:
        raise ManyVolumes(f"it has no band {wanted}: it has {count}", f"Give --band from 1 to {count}.", path)
    return wanted or found.held[0]


def _many(found: Kinds, count: int, path: str) -> ManyVolumes:
    """Make the error for several bands of which none was chosen."""
    if found.are_colours:
        hint = (
            "If they are colours, give a colour table: --labels FILE with "
            '{"labels": {"1": "road"}, "colours": {"1": "#804080"}}. If each is the mask or score of a '
            "class, save them as that: gdal_translate -co PHOTOMETRIC=MINISBLACK -co ALPHA=NO."
        )
    else:
        hint = (
            "If each band is the score of a label, the first of label 0, or 1 where that label is: --argmax. "
            "If each is the probability of a class: dicecli soft. If one band alone holds labels, and the "
            f"others something else: --band N, from 1 to {count}."
        )
    error = ManyVolumes(
        f"it has {count} bands" + (f": {found.named}" if found.are_colours else ""), hint, path
    )
    error.number = count if found.are_colours else len(found.held)
    return error


def _nodata(tag: float | None, reading: Reading) -> tuple[float | None, float | None, list[str]]:
    """Decide which value is nodata, or nodata that is read as background; the file's own tag says which."""
    if tag is None or reading.nodata == "label":
        return None, None, []
    if reading.nodata == "auto" and tag == reading.background and reading.is_background_a_label:
        return None, tag, [f"nodata is {shown(tag)}, which is also the background label: read as background"]
    return tag, None, []


def _is_tiled(dataset: DatasetReader, block: tuple[int, int]) -> bool:
    return bool(dataset.profile.get("tiled")) or block[1] != dataset.width


class _Labels(Band):
    """One band of labels; where its blocks inflate to the pixels themselves, GDAL is not asked."""

    _blocks_alone: DeflateBlocks | None = None
    _was_read = False

    def values(self, window: Window) -> np.ndarray:
        """Read a window of the band at full resolution."""
        with self._lock, files.readable(self.path):
            found = self._without_gdal(window)
        if found is not None:
            return found
        with self._lock:
            return self._from_gdal(window)

    def _without_gdal(self, window: Window) -> np.ndarray | None:
        """Read a window of blocks that inflate to pixels; the first one is compared with what GDAL reads."""
        found = self._first(window) if self._blocks_alone is None and not self._was_read else None
        if found is None:
            found = None if self._blocks_alone is None else self._blocks_alone.read(window)
        if found is None:
            return None
        pixels, held = found
        self.checked.update(held)
        return pixels

    def _first(self, window: Window) -> tuple[np.ndarray, list[int]] | None:
        """Decide with the first window whether GDAL is asked: not where it sees the same pixels.

        What cannot be read without it is no difference.
        """
        self._was_read = True
        is_simple = self.dtype == np.uint8 and self._dataset.count == 1 and not self._is_split
        if not is_simple or self.facts["compression"] != "deflate":
            return None
        self._blocks_alone = blocks = DeflateBlocks(
            self._dataset, self.path, self.shape, self.chunks, self.directory
        )
        found = blocks.read(window) if blocks.is_usable else None
        if not blocks.is_usable or (
            found is not None and not np.array_equal(found[0], self._from_gdal(window))
        ):
            self._close_blocks()
            return None
        return found

    def _close_blocks(self) -> None:
        if self._blocks_alone is not None:
            self._blocks_alone.close()
            self._blocks_alone = None

    def finish(self) -> None:
        """Check what is not checked yet; nothing is left where every block was inflated to its end."""
        if self._blocks_alone is None or not self._blocks_alone.has_read(self.kept):
            super().finish()

    def close(self) -> None:
        """Close the file."""
        self._close_blocks()
        super().close()
