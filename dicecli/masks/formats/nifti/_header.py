"""The header of a NIfTI file, checked against the format's rules before anything relies on it."""

from __future__ import annotations

import gzip
import io
import math
import os
import zlib
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import BadHeader, Corrupt, Missing, NotLabels, Truncated, UnknownFormat, Unreadable
from dicecli.masks import files

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

GZIP = b"\x1f\x8b"
#: So many bytes of a file are looked at for its header; of a packed one it must be in the first so many.
_START, _PACKED = 4096, 1 << 20
_MAGIC = {348: (b"n+1\0", b"ni1\0"), 540: (b"n+2\0\r\n\x1a\n", b"ni2\0\r\n\x1a\n")}


def parts(path: str) -> tuple[str, str]:
    """Return the paths of header and data: one file, or an ``.hdr`` beside an ``.img``."""
    suffix = files.suffix(path)
    if suffix in {".nii", ".nii.gz"}:
        return path, path
    base = path[: len(path) - len(suffix)]
    zipped = ".gz" if suffix.endswith(".gz") else ""
    upper = Path(path).name.endswith((".HDR", ".IMG", ".HDR.GZ", ".IMG.GZ"))
    header, data = (base + (each.upper() if upper else each) for each in (".hdr" + zipped, ".img" + zipped))
    other = data if suffix.startswith(".hdr") else header
    files.check_regular(path)
    if not os.path.exists(other):  # noqa: PTH110 - these are strings throughout
        raise Missing(
            f"the other half of the pair, {Path(other).name}, is not beside it",
            "A NIfTI pair needs both files: .hdr with the header and .img with the data.",
            path,
        )
    return header, data


def read(path: str) -> tuple[Nifti1Header, dict[str, object]]:
    """Read the header with nibabel, once its first bytes show that it is one."""
    start = files.head(path, _START)
    if start[:2] == GZIP:
        start = _inflate_start(path)
        if not start:
            raise Corrupt(f"its first {_PACKED:,} bytes hold nothing", "Fetch or save it again.", path)
    size, order = _header_size(start)
    if size is None and start[344:348] in _MAGIC[348]:
        raise BadHeader(
            f"its header gives its own size as {int.from_bytes(start[:4], 'little')}; 348 is expected",
            "It is damaged: fetch or save it again.",
            path,
        )
    if size is None:
        raise UnknownFormat(
            f"this is {files.looks_like(start)}, not NIfTI as its name says",
            "Give a NIfTI file, or name it after its format.",
            path,
        )
    magic = start[344:348] if size == 348 else start[4:12]
    if magic not in _MAGIC[size]:
        what = "an Analyze 7.5 header without orientation" if size == 348 else "a damaged header"
        raise BadHeader(f"its magic is {magic!r}: {what}, not NIfTI", "Convert it to NIfTI.", path)
    if len(start) < size:
        raise Truncated(
            f"the file ends inside its header ({len(start)} of {size} bytes)", "Fetch it again.", path
        )
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Header

    kind = Nifti1Header if size == 348 else Nifti2Header
    header = kind(start[:size], endianness=order, check=False)
    facts: dict[str, object] = {
        "format": f"NIfTI-{1 if size == 348 else 2}",
        "byte order": "big-endian" if order == ">" else "little-endian",
    }
    return header, facts


def _header_size(start: bytes) -> tuple[int | None, str]:
    for order, name in (("<", "little"), (">", "big")):
        size = int.from_bytes(start[:4], name)  # type: ignore[arg-type]  # both are of the two it takes
        if size in _MAGIC:
            return size, order
    return None, ""


def _inflate_start(path: str) -> bytes:
    """Return the first bytes of what is packed, of as many packed ones as a header can be in."""
    start = files.head(path, _PACKED)
    found = b""
    try:
        with gzip.open(io.BytesIO(start)) as file:
            while len(found) < _START and (part := file.read1(_START - len(found))):
                found += part
            return found
    except EOFError as error:
        if len(start) == _PACKED:
            return found
        raise Truncated("the gzip stream ends inside the header", "Fetch it again.", path) from error
    except (OSError, zlib.error) as error:
        if isinstance(error, OSError) and error.errno is not None:  # the system's
            raise Unreadable(f"cannot be read: {error.strerror}", "Check the disk.", path) from error
        raise Corrupt(f"the gzip stream is damaged: {error}", "Fetch it again.", path) from error


def dtype(header: Nifti1Header, path: str) -> np.dtype:
    """Return the type of the stored values.

    Raises
    ------
    BadHeader, UnknownFormat, NotLabels
        There is no such type, or it is none of numbers that can be labels.
    """
    code = int(header["datatype"])
    try:
        stored: np.dtype = np.dtype(header.get_data_dtype())
    except Exception as error:
        # nibabel raises an error class of its own, which a module-level import would be needed to name.
        raise BadHeader(f"its datatype code {code} does not exist", "Save it again.", path) from error
    if code in {0, 1, 255}:
        raise BadHeader(f"its datatype code {code} is no type of voxels", "Save it again.", path)
    if 3000 <= int(header["intent_code"]) < 3100:
        raise UnknownFormat(
            "this is CIFTI-2: a matrix, not a volume", "Give a volume, such as a .nii.gz mask.", path
        )
    if stored.kind not in "iuf":
        what = "colours" if stored.names else f"of type {stored}"
        raise NotLabels(f"its voxels are {what}: no labels", "Save the mask as integers.", path)
    if stored.itemsize > 8:
        raise NotLabels("its voxels are 128-bit floats: no labels", "Save the mask as integers.", path)
    return stored


def offset(header: Nifti1Header, path: str, *, is_single: bool) -> int:
    """Return the byte at which the voxels begin, after the header (`is_single`) or in a file of their own.

    Raises
    ------
    BadHeader
        It is no whole number, or lies within the header.
    """
    value = float(header["vox_offset"])
    least = (352 if int(header["sizeof_hdr"]) == 348 else 544) if is_single else 0
    if is_single and value == 0:
        return least
    if not math.isfinite(value) or value != int(value) or value < least or value >= 2**40:
        raise BadHeader(
            f"its data start at byte {value:g}; at least {least} is expected", "Save it again.", path
        )
    return int(value)
