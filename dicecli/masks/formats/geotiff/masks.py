"""One band of a TIFF as a mask of labels, with nothing but what its own file says."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes
from dicecli.masks import files
from dicecli.masks.formats.geotiff import _header
from dicecli.masks.formats.geotiff._band import Band
from dicecli.masks.formats.geotiff._deflate_blocks import DeflateBlocks
from dicecli.masks.formats.geotiff._grid import grid
from dicecli.masks.palettes import palette_of
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.sources import MaskSource, Reading

_SIDECARS = (".msk", ".aux.xml", ".ovr")
_WORLD_FILES = (".tfw", ".tifw", ".wld", ".TFW")


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a TIFF mask: one band, at full resolution, with nothing but what its own file says.

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
    return _header.opened(path, lambda dataset: _source(dataset, path, reading))


def _source(dataset: DatasetReader, path: str, reading: Reading) -> MaskSource:
    check_pixels((dataset.height, dataset.width), reading.max_pixels, path)
    try:
        band = _band(dataset, path, reading.band)
    except ManyVolumes as error:
        size = f"{dataset.height} x {dataset.width}"
        error.facts = {"format": "TIFF", "bands": dataset.count, "shape": size}
        if dataset.count <= _header.MAX_BANDS:
            error.facts["stored as"] = ", ".join(dataset.dtypes)
        raise
    dtype = _header.dtype(dataset.dtypes[band - 1], path)
    compression, is_lossy = _header.compressed_with(dataset)
    if is_lossy:
        raise _header.changed_by(compression, path)
    _header.check_blocks(dataset, band, compression, path, reading)
    block = dataset.block_shapes[band - 1]
    nodata, tag, note = _nodata(dataset, band, reading)
    source = _Labels(
        dataset, path, grid(dataset, path, reading), dtype=dtype, band=band, nodata=nodata, reading=reading
    )
    source.background_tag = tag
    source.notes += note
    source.facts = {
        "format": "GeoTIFF" if source.grid.kind == "map" else "TIFF",
        "bands": dataset.count,
        "stored as": str(dtype),
        "blocks": f"{block[1]} x {block[0]} " + ("tiles" if _is_tiled(dataset, block) else "strips"),
        "compression": compression,
        "nodata": None if dataset.nodatavals[band - 1] is None else f"{dataset.nodatavals[band - 1]:g}",
    }
    _describe_extras(source, dataset, band, path, reading.band)
    return source


def _band(dataset: DatasetReader, path: str, wanted: int | None) -> int:
    count = dataset.count
    _header.check_bands(count, path)
    if wanted is None and count > 1:
        error = ManyVolumes(
            f"it has {count} bands",
            f"Say which one holds the labels: --band N, from 1 to {count}. If each is the probability of a "
            "class: dicecli soft.",
            path,
        )
        error.number = count
        raise error
    if count == 1 and wanted is not None and wanted > 0:
        return 1  # the option is meant for the file that has several
    if wanted is not None and not 1 <= wanted <= count:
        raise ManyVolumes(f"it has no band {wanted}: it has {count}", f"Give --band from 1 to {count}.", path)
    return wanted or 1


def _nodata(
    dataset: DatasetReader, band: int, reading: Reading
) -> tuple[float | None, float | None, list[str]]:
    """Decide which value is nodata, or nodata that is read as background; the file's own tag says which."""
    tag = dataset.nodatavals[band - 1]
    if tag is None or reading.nodata == "label":
        return None, None, []
    if reading.nodata == "auto" and tag == reading.background and reading.is_background_a_label:
        said = f"nodata is {tag:g}, which is also the background label: read as background"
        return None, float(tag), [said]
    return float(tag), None, []


def _is_tiled(dataset: DatasetReader, block: tuple[int, int]) -> bool:
    return bool(dataset.profile.get("tiled")) or block[1] != dataset.width


def _describe_extras(
    source: MaskSource, dataset: DatasetReader, band: int, path: str, band_wanted: int | None
) -> None:
    """Note what is in the file, or beside it, and was not used."""
    if len(dataset.subdatasets) > 1:
        source.notes.append(f"the file holds {len(dataset.subdatasets)} images: the first one is read")
    if dataset.overviews(band):
        source.facts["overviews"] = ", ".join(f"1:{n}" for n in dataset.overviews(band)) + " (not used)"
    if (dataset.scales[band - 1], dataset.offsets[band - 1]) != (1.0, 0.0):
        source.notes.append(_header.UNSCALED)
    if "per_dataset" in [flag.name for flag in dataset.mask_flag_enums[band - 1]]:
        source.notes.append("the file's internal mask is not used: only its nodata value is")
    bare = path[: len(path) - len(files.suffix(path))]
    if dataset.gcps[0] or dataset.rpcs:
        source.notes.append("its place is given by control points or RPCs, which are not compared")
    if dataset.count == 1 and band_wanted not in {None, 1}:
        source.notes.append(f"it has one band, which is read; --band {band_wanted} is for the other file")
    beside = [f"{path}{end}" for end in _SIDECARS] + [f"{bare}{end}" for end in _WORLD_FILES]
    present = [os.path.basename(each) for each in beside if os.path.exists(each)]  # noqa: PTH110, PTH119
    if present:
        source.notes.append(f"files beside it were not used: {', '.join(present)}")
    _describe_palette(source, dataset, band)


def _describe_palette(source: MaskSource, dataset: DatasetReader, band: int) -> None:
    """Take the colours of a palette, or those of greys whose 0 is white."""
    kind = dataset.colorinterp[band - 1].name
    if kind not in {"palette", "undefined"}:
        return
    try:
        table = np.array(list(dataset.colormap(band).values()), np.uint8).reshape(-1, 4)
    except ValueError:
        if kind == "palette":
            source.oddities.append("it says that it has a palette, and has none")
        return
    source.palette = palette_of(table[:, :3].tobytes())
    source.facts["palette"] = f"{len(table)} colours"


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
        if not self._was_read:
            self._was_read = True
            is_simple = self.dtype == np.uint8 and self._dataset.count == 1 and not self._is_split
            if is_simple and self.facts["compression"] == "deflate":
                blocks = DeflateBlocks(self._dataset, self.path, self.shape, self.chunks)
                self._blocks_alone = blocks
                if not blocks.is_usable or not self._agrees(blocks, window):
                    self._close_blocks()
        found = None if self._blocks_alone is None else self._blocks_alone.read(window)
        if found is None:
            return None
        pixels, held = found
        self.checked.update(held)
        return pixels

    def _agrees(self, blocks: DeflateBlocks, window: Window) -> bool:
        """Whether GDAL sees the same pixels in a window; what cannot be read without it is no difference."""
        found = blocks.read(window)
        if found is None:
            return True
        return np.array_equal(found[0], self._from_gdal(window))

    def _close_blocks(self) -> None:
        if self._blocks_alone is not None:
            self._blocks_alone.close()
            self._blocks_alone = None

    def close(self) -> None:
        """Close the file."""
        self._close_blocks()
        super().close()
