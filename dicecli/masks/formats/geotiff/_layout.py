"""How a page of a TIFF is stored, what of it can be read without GDAL, and numbers made of its bytes."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import ManyImages, TooLarge, Truncated
from dicecli.masks import files
from dicecli.masks.formats.geotiff._header import MAX_BLOCK_BYTES, changed_by
from dicecli.masks.inflate import MAX_RATIO
from dicecli.masks.palettes import palette_of

if TYPE_CHECKING:
    from collections.abc import Collection

    from dicecli.masks.formats.geotiff._directories import Directories, Directory, Order
    from dicecli.masks.reading import Reading

WIDTH, LENGTH, BITS, COMPRESSION, FILL_ORDER, OFFSETS = 256, 257, 258, 259, 266, 273
SAMPLES, ROWS, LENGTHS, PREDICTOR, TILE_WIDTH, TILE_LENGTH, TILE_OFFSETS = 277, 278, 279, 317, 322, 323, 324
TILE_LENGTHS, FORMAT, NODATA, PLANAR, PHOTOMETRIC, COLOURS = 325, 339, 42113, 284, 262, 320
#: How CCITT's Group 3 and Group 4 were used: rows that say what differs from the one before, fill bits.
FAX_3, FAX_4 = 292, 293
#: Tags of numbers by which pages are alike, and what they are where they are missing.
ALIKE = {
    WIDTH: 0, LENGTH: 0, BITS: 1, FORMAT: 1, SAMPLES: 1, COMPRESSION: 1, PREDICTOR: 1, FILL_ORDER: 1,
    PLANAR: 1, PHOTOMETRIC: 1, TILE_WIDTH: 0, TILE_LENGTH: 0, ROWS: 2**32 - 1, FAX_3: 0, FAX_4: 0,
}  # fmt: skip
#: Photometric interpretations of one sample; and the bits of numbers that a palette can have colours for.
_WHITE_IS_0, _PALETTE, _PALETTE_BITS = 0, 3, 16
#: Photometric interpretations whose samples are packed together: YCbCr, LogL and LogLuv.
_PACKED = {6, 32844, 32845}
NONE, DEFLATE, FAX = 1, {8, 32946}, {2, 3, 4, 32771}
#: Compressions that change values, or may: what they did to it is not said in every file.
_LOSSY = {
    6: "JPEG", 7: "JPEG", 34887: "LERC", 50001: "WebP", 50002: "JPEG XL", 52546: "JPEG XL",
    34712: "JPEG 2000", 33003: "JPEG 2000", 33005: "JPEG 2000",
}  # fmt: skip
#: Ways in which the pages of one file may be stored.
_MOST_LAYOUTS = 16
#: Of blocks up to this size nobody need ask whether the file can hold one.
_SMALL_BLOCK = 1 << 24


class Layout(NamedTuple):
    """How the pixels of a page are stored; of its tags those by which pages can differ."""

    width: int
    height: int
    bits: int
    format: int
    samples: int
    compression: int
    predictor: int
    fill_order: int
    planar: int
    photometric: int
    tile_width: int
    tile_length: int
    rows_per_strip: int
    fax_3: int
    fax_4: int
    nodata: str | None = None

    @property
    def is_possible(self) -> bool:
        """Whether every number is one that the format has for it."""
        positive = (self.width, self.height, self.bits, self.samples, self.rows_per_strip)
        tile = (self.tile_width, self.tile_length)
        return (
            min(positive) > 0
            and max(self.width, self.height, self.rows_per_strip, *tile, self.fax_3, self.fax_4) < 2**32
            and max(self.bits, self.samples, self.compression, self.photometric) < 2**16
            and (min(tile) > 0 or max(tile) == 0)
            and self.planar in {1, 2}
            and self.fill_order in {1, 2}
            and self.predictor in {1, 2, 3}
            and self.format in range(1, 7)
        )

    @property
    def kind(self) -> tuple[int | str | None, ...]:
        """What the pages of a volume have in common: shape, type, and the value of nodata."""
        return (*self[:5], self.nodata)

    @property
    def is_packed(self) -> bool:
        """Whether its samples are packed together, so that its bytes are no samples."""
        return self.photometric in _PACKED

    @property
    def block(self) -> tuple[int, int]:
        """Rows and columns of a tile or a strip."""
        if self.tile_width:
            return self.tile_length, self.tile_width
        return min(self.rows_per_strip, self.height), self.width

    @property
    def dtype(self) -> np.dtype | None:
        """The type of a sample, native; None where NumPy has none of as many bits."""
        letter = {1: "u", 2: "i", 3: "f"}.get(self.format)
        if self.bits == 1 and letter == "u":
            return np.dtype(np.uint8)
        if letter is None or self.bits not in ({16, 32, 64} if letter == "f" else {8, 16, 32, 64}):
            return None
        return np.dtype(f"{letter}{self.bits // 8}")

    def __str__(self) -> str:
        word = {1: "unsigned", 2: "signed", 3: "float"}.get(self.format, "other")
        more = f", {self.samples} samples" if self.samples > 1 else ""
        nodata = "" if self.nodata is None else f", nodata {self.nodata[:40]}"
        return f"{self.height} x {self.width} of {self.bits} bit {word}{more}{nodata}"


def palette(found: Directories, directory: Directory, layout: Layout) -> tuple[int, ...] | None:
    """Return the colours of a page's numbers, those of greys whose 0 is white as well; None for others."""
    if layout.samples != 1 or layout.bits > _PALETTE_BITS:
        return None
    most = 1 << layout.bits
    if layout.photometric == _WHITE_IS_0:
        greys = 255 - np.arange(most) * 255 // (most - 1)
        return palette_of(np.repeat(greys.astype(np.uint8)[:, np.newaxis], 3, axis=1).tobytes())
    stored = (
        found.places(directory, COLOURS, 3 * most)
        if layout.photometric == _PALETTE
        else np.zeros(0, np.int64)
    )
    if len(stored) != 3 * most:
        return None
    return palette_of((stored.reshape(3, most).T >> 8).astype(np.uint8).tobytes())


def is_ours(layout: Layout) -> bool:
    """Whether a page is read here: plain or deflated numbers of whole bytes, or of one bit."""
    is_known = layout.dtype is not None and layout.samples == 1 and layout.fill_order == 1
    if layout.predictor == 2:
        is_known &= layout.bits >= 8 and layout.format in {1, 2}
    return is_known and (
        layout.compression == NONE or (layout.compression in DEFLATE and layout.predictor in {1, 2})
    )


def check_layouts(layouts: Collection[Layout], path: str, reading: Reading) -> None:
    """Refuse pages whose values were changed, and blocks larger than the file can hold or memory should.

    Raises
    ------
    LossyCompression, Truncated, TooLarge
    ManyImages
        They are stored in more than 16 ways.
    """
    if len(layouts) > _MOST_LAYOUTS:
        raise ManyImages(
            f"its pages are stored in {len(layouts):,} ways", "Save them all with one compression.", path
        )
    for layout in layouts:
        if layout.compression in _LOSSY:
            raise changed_by(_LOSSY[layout.compression], path)
        _check_block(layout, path, reading)


def _check_block(layout: Layout, path: str, reading: Reading) -> None:
    length, (rows, columns) = length_of_block(layout), layout.block
    ratio = 1 if layout.compression == NONE else MAX_RATIO if layout.compression in DEFLATE else 1 << 16
    with files.readable(path):
        there = Path(path).stat().st_size
    if length > max(_SMALL_BLOCK, there * ratio):
        raise Truncated(
            f"one block of it should have {length:,} bytes, which the file's {there:,} cannot hold",
            "It is cut off or damaged: fetch or save it again.",
            path,
        )
    if layout.compression == NONE:
        return  # rows are read as they are asked for
    shape = f"{columns:,} x {rows:,} pixels"
    reading.check_memory(_held_of_block(layout), f"one block of it has {shape}", path)
    if length > MAX_BLOCK_BYTES:
        raise TooLarge(
            f"one block of it has {shape}", "Save it with tiles, or with strips of few rows.", path
        )


def _held_of_block(layout: Layout) -> int:
    """Return the bytes of a compressed block that are held while it is read: inflated, and as numbers."""
    length, (rows, columns) = length_of_block(layout), layout.block
    is_copied = is_ours(layout) and (layout.predictor == 2 or layout.bits < 8)
    return length + (rows * columns * -(-layout.bits // 8) if is_copied else 0)


def length_of_block(layout: Layout) -> int:
    """Return the bytes of a whole block, unpacked."""
    rows, columns = layout.block
    return rows * -(-columns * layout.bits // 8)


def blocks_of(layout: Layout) -> int:
    """Return how many blocks a page has."""
    rows, columns = layout.block
    return -(-layout.height // rows) * -(-layout.width // columns)


def is_run(layout: Layout, starts: np.ndarray, lengths: np.ndarray) -> bool:
    """Whether the rows of a plain page follow each other in the file, whatever strips they are said to be."""
    full = length_of_block(layout)
    rest = -(-layout.width * layout.bits // 8) * layout.height - full * (blocks_of(layout) - 1)
    follow = (starts[1:] == starts[:-1] + full).all() and (lengths[:-1] == full).all()
    return not layout.tile_width and bool(follow) and int(lengths[-1]) >= rest


def unpacked(raw: bytes, layout: Layout, order: Order, columns: int) -> np.ndarray:
    """Make rows of numbers of bytes: bits apart, and the differences that a predictor has left summed up."""
    if layout.bits == 1:
        bits = np.unpackbits(np.frombuffer(raw, np.uint8).reshape(-1, -(-columns // 8)), axis=1)
        return bits[:, :columns]
    dtype = layout.dtype
    values = np.frombuffer(raw, None if dtype is None else dtype.newbyteorder(order)).reshape(-1, columns)
    if layout.predictor == 2 and layout.compression != NONE:
        return np.cumsum(values, axis=1, dtype=dtype)
    return values
