"""How voxels lie in their file, as its header says; checked against the file's size."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import BadHeader, TrailingData, Truncated
from dicecli.masks import files
from dicecli.masks.formats.nifti import _header as headers
from dicecli.masks.formats.nifti._place import place_of
from dicecli.masks.inflate import MAX_RATIO
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header

    from dicecli.masks.formats.nifti._place import Place
    from dicecli.masks.reading import Reading


#: So many bytes, beside a hundredth, gzip may add: headers, names, and blocks that it cannot make shorter.
_PACKING = 1 << 20


class Stored(NamedTuple):
    """How the voxels lie in their file; of how many channels they are one, and whether they are the last."""

    path: str
    dtype: np.dtype
    layout: tuple[int, ...]
    offset: int
    scaling: tuple[float, float]
    is_zipped: bool
    channels: int = 1
    is_end: bool = True

    @property
    def bytes(self) -> int:
        """The length of all voxels in the file, inflated."""
        return math.prod(self.layout) * self.dtype.itemsize

    @property
    def is_scaled(self) -> bool:
        """Whether the values are not the stored numbers themselves."""
        return self.scaling != (1.0, 0.0)

    @property
    def value_dtype(self) -> np.dtype:
        """The type of the values once they are scaled; integers where slope and intercept are."""
        if not self.is_scaled:
            return self.dtype
        return np.dtype(np.int64 if self._scales_exactly else np.float64)

    @property
    def _scales_exactly(self) -> bool:
        """Whether values are integers of 64 bits once they are scaled."""
        if self.dtype.kind not in "iu" or any(each != int(each) for each in self.scaling):
            return False
        slope, inter = (int(each) for each in self.scaling)
        info = np.iinfo(self.dtype)
        ends = (slope * int(info.min) + inter, slope * int(info.max) + inter)
        # Of 64 bits it depends on the values.
        return info.bits == 64 or max(abs(end) for end in ends) < 2**62


class File(NamedTuple):
    """What a header says: how voxels lie in the file and in space, and what to show of it."""

    stored: Stored
    place: Place
    facts: dict[str, object]


def read(path: str, reading: Reading, shape: tuple[int, ...] = ()) -> File:
    """Read what the header says, beside a reference of some shape, and check it against the file's size."""
    header_path, data_path = headers.parts(path)
    files.check_regular(header_path)
    data_bytes = files.check_regular(data_path)
    header, facts = headers.read(header_path)
    place = place_of(header, header_path, reading, shape)
    stored = Stored(
        path=data_path,
        dtype=headers.dtype(header, path),
        layout=place.layout,
        offset=headers.offset(header, header_path, is_single=header_path == data_path),
        scaling=_scaling(header, path),
        is_zipped=files.head(data_path, 2) == headers.GZIP,
    )
    _check_size(stored, data_bytes, path)
    check_pixels(place.layout, reading.max_pixels, path)
    return File(stored, place, facts)


def _check_size(stored: Stored, there: int, path: str) -> None:
    """Check the header's claim against the bytes that are there, before any memory is asked for."""
    claimed = stored.offset + stored.bytes
    if claimed > (there * MAX_RATIO if stored.is_zipped else there):
        raise Truncated(
            f"its header claims {claimed:,} bytes; the file has {there:,}"
            + (", which cannot unpack to that" if stored.is_zipped else ""),
            "The file is cut off or damaged: fetch or save it again.",
            path,
        )
    if not stored.is_zipped and claimed < there:
        raise trailing(there - claimed, path)
    _check_packing(stored, claimed, there, path)


def _check_packing(stored: Stored, claimed: int, there: int, path: str) -> None:
    """Check that there is no more than what packs into it: members that hold nothing are read for long."""
    if stored.is_zipped and there > claimed + claimed // 100 + _PACKING:
        raise TrailingData(
            f"its header claims {claimed:,} bytes; the file has {there:,}, and packing makes nothing longer",
            "Save it again with the right dimensions.",
            path,
        )


def trailing(extra: int, path: str) -> TrailingData:
    """Make the error for bytes that no voxel belongs to."""
    return TrailingData(
        f"{extra:,} bytes follow its last voxel: the header's dimensions do not fit the data",
        "Save it again with the right dimensions.",
        path,
    )


def _scaling(header: Nifti1Header, path: str) -> tuple[float, float]:
    """Return slope and intercept; a slope of 0 or NaN means that there is no scaling."""
    factor, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if factor == 0 or math.isnan(factor):
        return 1.0, 0.0
    if not math.isfinite(factor) or not math.isfinite(inter):
        raise BadHeader(f"its scaling is {factor:g} x value + {inter:g}", "Save it again.", path)
    return factor, inter
