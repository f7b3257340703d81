"""The way into a TIFF for labels and probabilities alike: opened, its header checked against what can be."""

from __future__ import annotations

import math
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import (
    FileError,
    LossyCompression,
    ManyVolumes,
    NotLabels,
    TooLarge,
    Truncated,
    UnknownFormat,
)
from dicecli.masks import files
from dicecli.masks.formats.geotiff._directories import Directories
from dicecli.masks.formats.geotiff._gdal import closed_off, listening, nameable
from dicecli.masks.formats.geotiff._place import SCALE, known, remember
from dicecli.masks.formats.geotiff._place import stated as stated_in
from dicecli.masks.formats.geotiff._reopened import keep_few_blocks, open_dataset
from dicecli.masks.inflate import MAX_RATIO

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import TypeVar

    from rasterio.io import DatasetReader

    from dicecli.masks.formats.geotiff._directories import Directory
    from dicecli.masks.formats.geotiff._place import Place, Stated
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource

    _Made = TypeVar("_Made", MaskSource, list[MaskSource])

_MAGIC = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
_LOSSY = ("JPEG", "WEBP", "JXL", "LERC", "OJPEG", "JPEG2000")
#: GDAL holds one block of a file at a time; a larger one is a damaged or hostile header.
MAX_BLOCK_BYTES = 1 << 30
#: GDAL keeps a record of every band; a spectrometer has some hundred.
MAX_BANDS = 4096
#: Blocks up to this size are nobody's worry.
_SMALL_BLOCK = 1 << 24
UNSCALED = "the band's scale and offset are not applied: labels are the stored values"


class _Beginning(NamedTuple):
    """What is read of a file before GDAL opens it: its first bytes, and what its first directory says."""

    start: bytes
    on_scale: list[str]
    stated: Stated | None


def opened(
    path: str,
    reading: Reading,
    make: Callable[[DatasetReader, Place | None], _Made],
    directory: int | None = None,
) -> _Made:
    """Open the file and make of it what is asked for; it is closed again where that cannot be.

    Its image is the first one, or that whose `directory` lies at this byte. Where it is known from files like
    it where that lies, the data set has no place, which takes GDAL longest: `make` is told of it instead.
    """
    files.check_regular(path)
    begins = _beginning(path)
    if not begins.start.startswith(_MAGIC):
        raise UnknownFormat(
            f"this is {files.looks_like(begins.start)}, not TIFF as its name says",
            "Give a TIFF file, or name it after its format.",
            path,
        )
    stated = begins.stated if directory is None else None
    place = known(stated)
    with closed_off(path, has_place=place is None), listening() as said:
        with _image(path, directory) as name:
            dataset = open_dataset(name)
        try:
            made = make(dataset, place)
            # Only now: of types that NumPy lacks nobody can tell what they take; by now they are refused.
            keep_few_blocks(dataset, lambda: _image(path, directory), reading)
        except BaseException:
            dataset.close()
            raise
        if stated is not None and place is None and not said:
            remember(stated, dataset)
        first = made[0] if isinstance(made, list) else made
        first.notes += [f"GDAL warns: {each}" for each in said] + begins.on_scale
        return made


@contextmanager
def _image(path: str, directory: int | None) -> Iterator[str]:
    """Give a name that GDAL opens the image by."""
    with nameable(path) as name:
        yield name if directory is None else f"GTIFF_DIR:off:{directory}:{name}"


def _beginning(path: str) -> _Beginning:
    """Read how a file begins; what is damaged in its directory is told where that is needed."""
    start, on_scale, found = files.head(path), list[str](), None
    if start.startswith(_MAGIC):
        with files.readable(path), files.open_regular(path) as file, suppress(FileError):
            directories = Directories(file, path)
            directory = directories.read(directories.first)
            on_scale = _on_scale(directories, directory)
            found = None if on_scale else stated_in(directories, directory)
    return _Beginning(start, on_scale, found)


def _on_scale(directories: Directories, directory: Directory) -> list[str]:
    """Say where rows go up by the scale: GDAL says it no more once it is told what to make of that."""
    entry = directory.entries.get(SCALE)
    scale = [] if entry is None else directories.numbers(entry, 2).tolist()
    if len(scale) < 2 or not scale[1] < 0:
        return []
    return ["its scale is negative, so that its rows would go up: they are taken to go down, as GDAL does"]


def check_bands(count: int, path: str) -> None:
    """Refuse more bands than labels or classes can have.

    Raises
    ------
    ManyVolumes
    """
    if count > MAX_BANDS:
        raise ManyVolumes(
            f"it has {count:,} bands; no raster of so many holds labels or classes",
            f"Save those that are meant alone; up to {MAX_BANDS:,} bands are looked at.",
            path,
        )


def dtype(name: str, path: str) -> np.dtype:
    """Return the type of a band's values; GDAL has some that NumPy lacks, none of which can hold labels."""
    known = "complex" not in name
    if not known or np.dtype(name).kind not in "iuf":
        raise NotLabels(f"its values are {name}: no labels", "Save the mask as integers.", path)
    return np.dtype(name)


def compressed_with(dataset: DatasetReader) -> tuple[str, bool]:
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


def changed_by(compression: str, path: str) -> LossyCompression:
    """Make the error for labels that a compression may have changed."""
    return LossyCompression(
        f"it is compressed with {compression}, which changes values",
        "Labels need a lossless compression such as deflate, LZW or ZSTD: make it again from the source.",
        path,
    )


def check_blocks(dataset: DatasetReader, band: int, compression: str, path: str, reading: Reading) -> None:
    """Refuse blocks that are larger than the file can hold, or than memory should."""
    block, samples = dataset.block_shapes[band - 1], samples_together(dataset)
    block_bytes = held_of_a_block(dataset, band)
    _check_block(dataset, band, block_bytes, compression, path)
    shape = f"{block[1]:,} x {block[0]:,} pixels in {samples:,} samples"
    reading.check_memory(block_bytes, f"one block of it has {shape}", path)
    if block_bytes > MAX_BLOCK_BYTES:
        raise TooLarge(
            f"one block of it has {shape}",
            "Save it with tiles: gdal_translate -co TILED=YES.",
            path,
        )


def held_of_a_block(dataset: DatasetReader, band: int) -> int:
    """Return the bytes of the block of a band that GDAL holds while windows cut it."""
    stored: int = np.dtype(dataset.dtypes[band - 1]).itemsize * samples_together(dataset)
    return int(math.prod(dataset.block_shapes[band - 1])) * stored


def _check_block(dataset: DatasetReader, band: int, block_bytes: int, compression: str, path: str) -> None:
    """Check the size of a block against that of the file: GDAL takes memory for it before it reads."""
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


def samples_together(dataset: DatasetReader) -> int:
    """Return how many samples of a pixel lie together in a block."""
    return dataset.count if dataset.interleaving and dataset.interleaving.value == "PIXEL" else 1
