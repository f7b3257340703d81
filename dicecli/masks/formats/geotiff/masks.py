"""GeoTIFF and plain TIFF, through GDAL's own driver and nothing else that lies beside the file."""

from __future__ import annotations

import itertools
import math
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import (
    Corrupt,
    LossyCompression,
    ManyVolumes,
    NotLabels,
    TooLarge,
    Truncated,
    UnknownFormat,
)
from dicecli.masks import files
from dicecli.masks.formats.geotiff._deflate_blocks import DeflateBlocks
from dicecli.masks.formats.geotiff._gdal import closed_off, listening, nameable
from dicecli.masks.formats.geotiff._grid import grid
from dicecli.masks.formats.geotiff._tags import is_tiled
from dicecli.masks.inflate import MAX_RATIO, Damaged, inflated_length
from dicecli.masks.sources import MaskSource, Reading
from dicecli.records.limits import check_memory, check_pixels

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO, TypeVar

    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid

    _Made = TypeVar("_Made", MaskSource, list[MaskSource])


_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LOSSY = ("JPEG", "WEBP", "JXL", "LERC", "OJPEG", "JPEG2000")
#: GDAL holds one block of a file at a time; a larger one is a damaged or hostile header.
MAX_BLOCK_BYTES = 1 << 30
#: GDAL keeps a record of every band; a spectrometer has some hundred.
MAX_BANDS = 4096
#: Blocks up to this size are nobody's worry.
_SMALL_BLOCK = 1 << 24
#: Bytes inflated at a time where checksums are held.
_PIECE = 1 << 20
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
    return _opened(path, lambda dataset: _source(dataset, path, reading))


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a map of probabilities, a band per class. Scale and offset of a band are applied.

    Raises
    ------
    UnknownFormat, Truncated, Corrupt, TooLarge
    """
    del shape  # bands are classes, whatever the reference has
    return _opened(path, lambda dataset: _bands(dataset, path, reading))


def _opened(path: str, make: Callable[[Any], _Made]) -> _Made:
    """Open the file and make of it what is asked for; it is closed again where that cannot be."""
    files.check_regular(path)
    start = files.head(path)
    if not start.startswith(_MAGIC):
        raise UnknownFormat(
            f"this is {files.looks_like(start)}, not TIFF as its name says",
            "Give a TIFF file, or name it after its format.",
            path,
        )
    with closed_off(path), listening() as said, nameable(path) as name:
        import rasterio

        dataset = rasterio.open(name, driver="GTiff", sharing=False)
        try:
            made = make(dataset)
        except BaseException:
            dataset.close()
            raise
        first = made[0] if isinstance(made, list) else made
        first.notes += [f"GDAL warns: {each}" for each in said]
        return made


def _bands(dataset: Any, path: str, reading: Reading) -> list[MaskSource]:
    """Make a source of every band; they share one reader, which decodes a window of all bands at once."""
    check_pixels((dataset.height, dataset.width, dataset.count), reading.max_pixels, path)
    _check_bands(dataset.count, path)
    for name in set(dataset.dtypes):
        _dtype(name, path)
    compression, is_lossy = _compressed_with(dataset)
    _check_blocks(dataset, 1, compression, path, reading)
    place, read = grid(dataset), _WindowOfBands(dataset, path)
    channels: list[MaskSource] = []
    for band in range(1, dataset.count + 1):
        # A tag of 0 is no background here: it is nodata where every band has it.
        tag = None if reading.nodata == "label" else dataset.nodatavals[band - 1]
        nodata = None if tag is None else float(tag)
        source = _Band(read, dataset, path, place, band=band, nodata=nodata, reading=reading)
        source.facts = {"format": "GeoTIFF" if place.kind == "map" else "TIFF", "compression": compression}
        channels.append(source)
    if is_lossy:
        channels[0].notes.append(f"it is compressed with {compression}, which changes values a little")
    return channels


def _source(dataset: Any, path: str, reading: Reading) -> MaskSource:
    check_pixels((dataset.height, dataset.width), reading.max_pixels, path)
    try:
        band = _band(dataset, path, reading.band)
    except ManyVolumes as error:
        size = f"{dataset.height} x {dataset.width}"
        error.facts = {"format": "TIFF", "bands": dataset.count, "shape": size}
        if dataset.count <= MAX_BANDS:
            error.facts["stored as"] = ", ".join(dataset.dtypes)
        raise
    dtype = _dtype(dataset.dtypes[band - 1], path)
    compression, is_lossy = _compressed_with(dataset)
    if is_lossy:
        raise LossyCompression(
            f"it is compressed with {compression}, which changes values",
            "Labels need a lossless compression such as deflate, LZW or ZSTD: make it again from the source.",
            path,
        )
    _check_blocks(dataset, band, compression, path, reading)
    block = dataset.block_shapes[band - 1]
    nodata, note = _nodata(dataset, band, reading)
    source = _GeoTiff(dataset, path, grid(dataset), dtype=dtype, band=band, nodata=nodata, reading=reading)
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


def _check_bands(count: int, path: str) -> None:
    if count > MAX_BANDS:
        raise ManyVolumes(
            f"it has {count:,} bands; no raster of so many holds labels or classes",
            f"Save those that are meant alone; up to {MAX_BANDS:,} bands are looked at.",
            path,
        )


def _band(dataset: Any, path: str, wanted: int | None) -> int:
    count = dataset.count
    _check_bands(count, path)
    if wanted is None and count > 1:
        raise ManyVolumes(
            f"it has {count} bands", f"Say which one holds the labels: --band N, from 1 to {count}.", path
        )
    if count == 1 and wanted is not None and wanted > 0:
        return 1  # the option is meant for the file that has several
    if wanted is not None and not 1 <= wanted <= count:
        raise ManyVolumes(f"it has no band {wanted}: it has {count}", f"Give --band from 1 to {count}.", path)
    return wanted or 1


def _dtype(name: str, path: str) -> np.dtype:
    """Return the type of a band's values; GDAL has some that NumPy lacks, none of which can hold labels."""
    known = "complex" not in name
    if not known or np.dtype(name).kind not in "iuf":
        raise NotLabels(f"its values are {name}: no labels", "Save the mask as integers.", path)
    return np.dtype(name)


def _compressed_with(dataset: Any) -> tuple[str, bool]:
    """Return the compression's name, and whether it may have changed values."""
    tags = dataset.tags(ns="IMAGE_STRUCTURE")
    name = str(tags.get("COMPRESSION", "none"))
    upper = name.upper()
    is_lossy = upper.removeprefix("YCBCR ").startswith(_LOSSY)
    if upper.startswith("LERC"):
        is_lossy = float(tags.get("MAX_Z_ERROR", 0)) > 0
    elif tags.get("COMPRESSION_REVERSIBILITY", "").upper().startswith("LOSSLESS"):
        is_lossy = False
    if is_lossy:
        return name, True
    return "none" if upper == "NONE" else name.lower(), False


def _check_blocks(dataset: Any, band: int, compression: str, path: str, reading: Reading) -> None:
    """Refuse blocks that are larger than the file can hold, or than memory should."""
    block, samples = dataset.block_shapes[band - 1], _samples(dataset)
    block_bytes = math.prod(block) * np.dtype(dataset.dtypes[band - 1]).itemsize * samples
    _check_block(dataset, band, block_bytes, compression, path)
    shape = f"{block[1]:,} x {block[0]:,} pixels in {samples:,} samples"
    check_memory(block_bytes, reading.max_memory, f"one block of it has {shape}", path)
    if block_bytes > MAX_BLOCK_BYTES:
        raise TooLarge(
            f"one block of it has {shape}",
            "Save it with tiles: gdal_translate -co TILED=YES.",
            path,
        )


def _check_block(dataset: Any, band: int, block_bytes: int, compression: str, path: str) -> None:
    """Hold the size of a block against that of the file: GDAL takes memory for it before it reads."""
    ratio = {"none": 1, "deflate": MAX_RATIO}.get(compression, 1 << 16)
    is_sparse = dataset.get_tag_item("BLOCK_OFFSET_0_0", "TIFF", bidx=band) is None
    with files.readable(path):
        there = Path(path).stat().st_size
    if block_bytes > max(_SMALL_BLOCK, there * ratio) and not is_sparse:
        raise Truncated(
            f"one block of it should have {block_bytes:,} bytes, which the file's {there:,} cannot hold",
            "It is cut off or damaged: fetch or save it again.",
            path,
        )


def _nodata(dataset: Any, band: int, reading: Reading) -> tuple[float | None, list[str]]:
    """Decide which stored value is to be treated as nodata; the file's own tag alone says which."""
    tag = dataset.nodatavals[band - 1]
    if tag is None or reading.nodata == "label":
        return None, []
    if reading.nodata == "auto" and tag == reading.background:
        return None, [f"nodata is {tag:g}, which is also the background label: read as background"]
    return float(tag), []


def _samples(dataset: Any) -> int:
    """Return how many samples of a pixel lie together in a block."""
    return dataset.count if dataset.interleaving and dataset.interleaving.value == "PIXEL" else 1


def _is_tiled(dataset: Any, block: tuple[int, int]) -> bool:
    return bool(dataset.profile.get("tiled")) or block[1] != dataset.width


def _describe_extras(source: MaskSource, dataset: Any, band: int, path: str, band_wanted: int | None) -> None:
    """Note what is in the file, or beside it, and was not used."""
    if len(dataset.subdatasets) > 1:
        source.notes.append(f"the file holds {len(dataset.subdatasets)} images: the first one is read")
    if dataset.overviews(band):
        source.facts["overviews"] = ", ".join(f"1:{n}" for n in dataset.overviews(band)) + " (not used)"
    if (dataset.scales[band - 1], dataset.offsets[band - 1]) != (1.0, 0.0):
        source.notes.append("the band's scale and offset are not applied: labels are the stored values")
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
    if dataset.colorinterp[band - 1].name == "palette":
        try:
            source.facts["palette"] = f"{len(dataset.colormap(band))} colours"
        except ValueError:
            source.oddities.append("it says that it has a palette, and has none")


class _GeoTiff(MaskSource):
    """One band of a TIFF; each thread reads through a lock, as GDAL's handles are not to be shared."""

    def __init__(
        self,
        dataset: Any,
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
        self._is_split = self._has_one_strip()
        self._blocks_alone: DeflateBlocks | None = None
        self._was_read = False
        self._stored_bytes = np.dtype(dataset.dtypes[band - 1]).itemsize

    def values(self, window: Window) -> np.ndarray:
        """Read a window of the band at full resolution."""
        with self._lock, files.readable(self.path):
            found = self._without_gdal(window)
        if found is not None:
            return found
        with self._lock, closed_off(self.path):
            block: np.ndarray = self._dataset.read(self._band, window=_rectangle(window))
        return block

    def _without_gdal(self, window: Window) -> np.ndarray | None:
        """Read a window of blocks that inflate to pixels; the first one is held against what GDAL reads."""
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
        with closed_off(self.path):
            return np.array_equal(found[0], self._dataset.read(self._band, window=_rectangle(window)))

    def _close_blocks(self) -> None:
        if self._blocks_alone is not None:
            self._blocks_alone.close()
            self._blocks_alone = None

    def finish(self) -> None:
        """Hold the checksums of deflate, which GDAL does not look at; and say how much is not stored.

        Raises
        ------
        Corrupt
        """
        is_deflate = self.facts["compression"] == "deflate"
        sparse = 0
        with files.readable(self.path), closed_off(self.path), files.open_regular(self.path) as file:
            for offset, length, rows in self._blocks(tiled=is_tiled(file)):
                if not length:
                    sparse += 1
                elif is_deflate and offset not in self.checked:
                    file.seek(offset)
                    _check_deflate(file, length, rows * self._row_bytes(), self.path)
        if sparse:
            value = "nodata" if self._dataset.nodatavals[self._band - 1] is not None else "0"
            self.notes.append(f"{sparse:,} of its blocks are sparse: not stored, and read as {value}")

    def _blocks(self, *, tiled: bool) -> Iterator[tuple[int, int, int]]:
        """Yield where each block of the band lies in the file, its length, and how many rows it holds.

        The length is 0 where it is not stored. A tile at the edge is a whole tile; the last strip is not.
        """
        height, step = self.shape[0], self.chunks[0]
        rows, columns = (-(-n // chunk) for n, chunk in zip(self.shape, self.chunks, strict=True))
        if self._is_split and not tiled:
            rows, step = 1, height
        tag = self._dataset.get_tag_item
        for row, column in itertools.product(range(rows), range(columns)):
            where = tag(f"BLOCK_OFFSET_{column}_{row}", "TIFF", bidx=self._band)
            length = tag(f"BLOCK_SIZE_{column}_{row}", "TIFF", bidx=self._band)
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
        return -(-self.chunks[1] * bits * _samples(self._dataset) // 8)

    def close(self) -> None:
        """Close the file."""
        self._close_blocks()
        self._dataset.close()


def _rectangle(window: Window) -> Any:
    from rasterio.windows import Window as Rectangle

    rows, columns = window
    return Rectangle(columns.start, rows.start, columns.stop - columns.start, rows.stop - rows.start)


class _WindowOfBands:
    """Reads a window of every band at once, and keeps the last one for the next band that asks."""

    def __init__(self, dataset: Any, path: str) -> None:
        self._dataset, self._path, self._lock = dataset, path, threading.Lock()
        self._window: Window | None = None
        self._block = np.zeros(0)

    def __call__(self, window: Window, band: int) -> np.ndarray:
        """Return the values of one band."""
        with self._lock:
            if window != self._window:
                with closed_off(self._path):
                    self._block = self._dataset.read(window=_rectangle(window))
                self._window = window
            values: np.ndarray = self._block[band - 1]
        return values


class _Band(_GeoTiff):
    """One band of several that are read together."""

    def __init__(
        self,
        read: _WindowOfBands,
        dataset: Any,
        path: str,
        place: Grid,
        *,
        band: int,
        nodata: float | None,
        reading: Reading,
    ) -> None:
        self._scaling = (float(dataset.scales[band - 1]), float(dataset.offsets[band - 1]))
        self._is_scaled = self._scaling != (1.0, 0.0)
        stored = np.dtype(dataset.dtypes[band - 1])
        super().__init__(
            dataset,
            path,
            place,
            dtype=np.dtype(np.float64) if self._is_scaled else stored,
            band=band,
            nodata=None if nodata is None else nodata * self._scaling[0] + self._scaling[1],
            reading=reading,
        )
        self._read = read

    def values(self, window: Window) -> np.ndarray:
        """Return the band's values, and among them nodata, scaled as the file says."""
        block = self._read(window, self._band)
        if not self._is_scaled:
            return block
        scale, offset = self._scaling
        values: np.ndarray = block * scale + offset
        return values

    def finish(self) -> None:
        """Hold the checksums; where a block has the samples of every band, once."""
        if self._band == 1 or _samples(self._dataset) == 1:
            super().finish()


def _check_deflate(file: BinaryIO, length: int, expected: int, path: str) -> None:
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
