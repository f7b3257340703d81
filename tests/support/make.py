"""Write masks with the formats' own libraries, read them back through the package, and count by brute force.

Every function that writes returns the path it wrote, so that a test reads as one sentence.
"""

from __future__ import annotations

import gzip
import struct
import zlib
from typing import TYPE_CHECKING, Any

import numpy as np

import dicecli
from dicecli.masks.blocks import plan
from dicecli.masks.opening import open_mask
from dicecli.records.cases import Scored
from dicecli.records.counts import Counts
from dicecli.records.measurements import Measured, Row
from dicecli.runs.scoring import make_settings
from dicecli.statistics.matrix import Matrix, label_counts

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path


#: Adam7: first row, first column, step of rows, step of columns of each pass.
ADAM7 = ((0, 0, 8, 8), (0, 4, 8, 8), (4, 0, 8, 4), (0, 2, 4, 4), (2, 0, 4, 2), (0, 1, 2, 2), (1, 0, 2, 1))
PNG_MAGIC = b"\x89PNG\r\n\x1a\n"


def blobs(shape: Sequence[int], labels: int = 4, seed: int = 0) -> np.ndarray:
    """Return a map of labels 0 to ``labels - 1`` in patches of a few pixels, uint8, the same for a seed."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, labels, [-(-n // 3) for n in shape], dtype=np.uint8)
    for axis in range(len(shape)):
        coarse = np.repeat(coarse, 3, axis=axis)
    return np.ascontiguousarray(coarse[tuple(slice(n) for n in shape)])


def png(
    path: Path, array: np.ndarray, *, mode: str | None = None, palette: Sequence[int] | None = None, **options
) -> Path:
    """Write a PNG with Pillow; `palette` is a flat list of red, green, blue; `options` are Pillow's."""
    from PIL import Image

    image = Image.fromarray(np.asarray(array))
    if palette is not None:
        image.putpalette(list(palette))
    if mode is not None:
        image = image.convert(mode)
    image.save(path, format="PNG", **options)
    return path


def chunk(kind: bytes, body: bytes) -> bytes:
    """Return one chunk of a PNG, with its length and checksum."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def raw_png(
    array: np.ndarray,
    *,
    depth: int = 8,
    colour: int = 0,
    is_interlaced: bool = False,
    palette: bytes = b"",
    before: bytes = b"",
) -> bytes:
    """Return the bytes of a PNG made without any library, so of any depth, interlaced or not.

    Parameters
    ----------
    array : numpy.ndarray
        Samples as they are stored: rows and columns, and channels for colours.
    depth, colour : int
        The header's bit depth and colour type.
    palette : bytes
        Of PLTE: red, green, blue of each index.
    before : bytes
        Further chunks, put before the pixels.
    """
    height, width = array.shape[:2]
    passes = ADAM7 if is_interlaced else ((0, 0, 1, 1),)
    parts = [array[top::down, left::across] for top, left, down, across in passes]
    data = b"".join(b"\0" + _packed(row, depth) for part in parts if part.size for row in part)
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, int(is_interlaced))
    table = chunk(b"PLTE", palette) if palette else b""
    pixels = chunk(b"IDAT", zlib.compress(data))
    return PNG_MAGIC + chunk(b"IHDR", header) + table + before + pixels + chunk(b"IEND", b"")


def png_of(data: bytes, *, width: int = 8, height: int = 8, depth: int = 8, colour: int = 0) -> bytes:
    """Return a PNG with a header of one's choice over compressed pixels of one's choice; its CRCs hold."""
    header = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return PNG_MAGIC + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def _packed(row: np.ndarray, depth: int) -> bytes:
    """Pack one row of samples, the leftmost in the highest bits."""
    if depth >= 8:
        return row.astype(">u2" if depth == 16 else np.uint8).tobytes()
    bits = (row.reshape(-1, 1) >> np.arange(depth - 1, -1, -1)) & 1
    return np.packbits(bits.astype(np.uint8)).tobytes()


def nifti(
    path: Path,
    array: np.ndarray,
    *,
    affine: np.ndarray | None = None,
    dtype: Any = None,
    slope: float | None = None,
    inter: float | None = None,
    codes: tuple[int, int] | None = None,
    unit: str | None = "mm",
    version: int = 1,
    endianness: str = "<",
) -> Path:
    """Write a NIfTI with nibabel: one file, gzipped or not, or a pair, as the suffix says.

    Parameters
    ----------
    dtype : dtype, optional
        Of the stored values; the array's own by default.
    slope, inter : float, optional
        Put into the header as they are: the array holds stored values.
    codes : tuple of int, optional
        sform_code and qform_code; both forms are the affine.
    """
    import nibabel

    kinds = {
        (1, False): nibabel.Nifti1Image,
        (1, True): nibabel.Nifti1Pair,
        (2, False): nibabel.Nifti2Image,
        (2, True): nibabel.Nifti2Pair,
    }
    is_pair = path.name.endswith((".hdr", ".img", ".hdr.gz", ".img.gz"))
    kind = kinds[version, is_pair]
    array = np.asarray(array)
    header = kind.header_class(endianness=endianness)
    header.set_data_dtype(np.dtype(dtype or array.dtype))
    image = kind(array, np.eye(4) if affine is None else affine, header, dtype=np.dtype(dtype or array.dtype))
    image.header.set_xyzt_units(unit)
    if slope is not None:
        image.header.set_slope_inter(slope, inter or 0.0)
    image.to_filename(path)
    # nibabel sets the codes anew as it writes.
    return path if codes is None else patched(path, sform_code=codes[0], qform_code=codes[1])


#: Where fields of a NIfTI-1 header stand, and how they are written there, little-endian.
NIFTI_FIELDS = {
    "dim": (40, "<8h"),
    "intent_code": (68, "<h"),
    "datatype": (70, "<h"),
    "pixdim": (76, "<8f"),
    "vox_offset": (108, "<f"),
    "scl_slope": (112, "<f"),
    "scl_inter": (116, "<f"),
    "xyzt_units": (123, "<B"),
    "qform_code": (252, "<h"),
    "sform_code": (254, "<h"),
    "quaternion_and_offset": (256, "<6f"),
    "srow_x": (280, "<4f"),
    "magic": (344, "<4s"),
}


def turned(
    voxels: np.ndarray, affine: np.ndarray, axes: Sequence[int], flips: Sequence[bool]
) -> tuple[np.ndarray, np.ndarray]:
    """Store the same voxels of a volume, or of its channels, in another order of axes and directions.

    Axis ``t`` of what is returned is axis ``axes[t]`` of what was given, reversed where ``flips[t]``.
    """
    moved = voxels.transpose((*axes, *range(3, voxels.ndim)))
    matrix = np.eye(4)
    matrix[:3, :3] = 0
    for at, (axis, flip) in enumerate(zip(axes, flips, strict=True)):
        matrix[axis, at] = -1 if flip else 1
        matrix[axis, 3] = voxels.shape[axis] - 1 if flip else 0
    moved = np.flip(moved, [at for at, flip in enumerate(flips) if flip])
    return moved, affine @ matrix


def patched(path: Path, **fields: Any) -> Path:
    """Overwrite fields of a little-endian NIfTI-1 header where they stand; gzipped files are packed again."""
    is_zipped = path.name.endswith(".gz")
    content = bytearray(gzip.decompress(path.read_bytes()) if is_zipped else path.read_bytes())
    for name, value in fields.items():
        position, layout = NIFTI_FIELDS[name]
        struct.pack_into(layout, content, position, *(value if isinstance(value, (tuple, list)) else [value]))
    path.write_bytes(gzip.compress(bytes(content), mtime=0) if is_zipped else bytes(content))
    return path


#: Ten metres a pixel, north up, somewhere in UTM zone 32.
UTM32 = (10.0, 0.0, 600_000.0, 0.0, -10.0, 5_800_000.0)


def geotiff(
    path: Path,
    array: np.ndarray,
    *,
    transform: Sequence[float] | None = UTM32,
    crs: Any = "EPSG:32632",
    nodata: float | None = None,
    **options: Any,
) -> Path:
    """Write a GeoTIFF with rasterio; a 2-D array is one band, a 3-D one has its bands first.

    `transform` and `crs` of None leave the georeferencing out; `options` are those of the driver, such as
    ``compress="lzw"``, ``tiled=True``, ``blockxsize=16``, ``nbits=1``.
    """
    import warnings

    import rasterio

    array = np.asarray(array)
    bands = array if array.ndim == 3 else array[np.newaxis]
    profile = {"driver": "GTiff", "count": bands.shape[0], "dtype": bands.dtype, "nodata": nodata, "crs": crs}
    if transform is not None:
        profile["transform"] = rasterio.Affine(*transform)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        size = {"height": bands.shape[1], "width": bands.shape[2]}
        with rasterio.open(path, "w", **profile, **size, **options) as dataset:
            dataset.write(bands)
    return path


def tiff(path: Path, size: Sequence[int], entries: Sequence[tuple], data: bytes = b"") -> Path:
    """Write a TIFF from nothing: a directory of (tag, type, value) or (tag, type, [values]), and its pixels."""
    width, height = size
    kinds = {3: "H", 4: "I"}
    given = [(256, 4, width), (257, 4, height), (259, 3, 1), (262, 3, 1), *entries]
    table, extra = b"", b""
    start = 8 + 2 + 12 * len(given) + 4
    for tag, kind, value in sorted(given):
        values = value if isinstance(value, list) else [value]
        packed = struct.pack(f"<{len(values)}{kinds[kind]}", *values)
        if len(packed) > 4:
            extra += packed
            packed = struct.pack("<I", start + len(extra) - len(packed))
        table += struct.pack("<HHI", tag, kind, len(values)) + packed.ljust(4, b"\0")
    head = b"II*\0" + struct.pack("<IH", 8, len(given)) + table + bytes(4) + extra
    path.write_bytes(head + data)
    return path


def tiff_run(path: Path, volume: np.ndarray, description: str, *, order: str = "<") -> Path:
    """Write a stack as ImageJ does above 4 GB: one directory, and the pixels of all pages behind it."""
    _, height, width = volume.shape
    text = description.encode() + b"\0"
    bits = volume.dtype.itemsize * 8
    entries = [(256, 3, 1, width), (257, 3, 1, height), (258, 3, 1, bits), (262, 3, 1, 1)]
    entries += [(270, 2, len(text), 1000), (273, 4, 1, 1000 + len(text)), (277, 3, 1, 1), (278, 3, 1, height)]
    entries += [(279, 4, 1, volume[0].nbytes), (339, 3, 1, {"u": 1, "f": 3}[volume.dtype.kind])]
    found = {"<": b"II*\0", ">": b"MM\0*"}[order] + struct.pack(f"{order}IH", 8, len(entries))
    for tag, kind, amount, value in entries:
        inline = f"{order}HH" if kind == 3 else f"{order}I"
        found += struct.pack(f"{order}HHI", tag, kind, amount)
        found += struct.pack(inline, value, *([0] if kind == 3 else []))
    found = (found + bytes(4)).ljust(1000, b"\0") + text
    path.write_bytes(found + volume.astype(volume.dtype.newbyteorder(order)).tobytes())
    return path


def read(path: Path, **options: Any) -> np.ndarray:
    """Return the labels of a whole mask as the package reads them, window by window to its end."""
    with open_mask(path, make_settings(**options)) as source:
        labels = None
        for window in plan(source):
            block = source.read(window)
            labels = np.zeros(source.shape, block.dtype) if labels is None else labels
            labels[window] = block
        source.finish()
    return labels


def notes(path: Path, **options: Any) -> list[str]:
    """Return what the package notes about a mask while it reads it."""
    with open_mask(path, make_settings(**options)) as source:
        for window in plan(source):
            source.read(window)
        source.finish()
        return list(source.notes)


def scored(prediction: Any, reference: Any, **options: Any) -> Scored:
    """Score one pair and return its one result, with its counts and notes."""
    return dicecli.score(prediction, reference, **options).results[0]


def counts(result: Scored) -> dict[int, Counts]:
    """Return the counts of each label that either mask of a case holds."""
    return label_counts(result.measured)


def measured(counts: Mapping[int, Counts], regions: Mapping[str, Counts] | None = None) -> Measured:
    """Make what is measured of a case from the counts of its labels, and of regions of their own."""
    rows = {Row("label", label, None, (label,)): Matrix.of_counts(each) for label, each in counts.items()}
    own = {Row("region", None, name, ()): Matrix.of_counts(each) for name, each in (regions or {}).items()}
    return Measured.of({"matrix": rows | own})


def brute(prediction: np.ndarray, reference: np.ndarray) -> Mapping[int, Counts]:
    """Count two arrays label by label with boolean masks: what every route through files must give."""
    prediction, reference = np.asarray(prediction), np.asarray(reference)
    assert reference.shape == prediction.shape
    counted = {}
    for label in sorted({*np.unique(reference).tolist(), *np.unique(prediction).tolist()}):
        here, there = prediction == label, reference == label
        counted[int(label)] = Counts(
            int((here & there).sum()),
            int((here & ~there).sum()),
            int((~here & there).sum()),
            int((~here & ~there).sum()),
        )
    return counted


def journal_record(case, tp=1):
    """Make the record of a case as a journal keeps it: one label, and values that are no round numbers."""
    found = measured({7: Counts(tp, 2, 3, 4)})
    return Scored(case, (4, 4), (0.1, 1 / 3), "mm", {"mm3": 0.3}, 16, {"nodata": 2}, found)
