"""Rims and corners: where labels end, as points."""

from __future__ import annotations

from typing import Literal

import numpy as np

from dicecli.statistics._surfaces import extension
from dicecli.statistics._surfaces.plain.rims import corner_points as corners_without_c
from dicecli.statistics._surfaces.plain.rims import rim_points as rims_without_c
from dicecli.statistics._surfaces.plain.rims import without

#: Which neighbours make a voxel rim.
Rim = Literal["face", "edge", "all"]
#: Along how many axes a neighbour may differ.
_REACH: dict[Rim, int] = {"face": 1, "edge": 2, "all": 3}


def rim_points(
    codes: np.ndarray, core: slice, *, first: bool, last: bool, start: int, rim: Rim, blank: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Find the rim voxels of all codes.

    A voxel with a code is rim if a neighbour is valid and has not the code, or lies beyond the array.

    Parameters
    ----------
    codes : numpy.ndarray
        uint8, uint16 or uint32, of 2 or 3 axes, C-contiguous. 0 is no row, the type's largest value an
        ignored pixel, anything else the place of a row.
    core : slice
        The planes of axis 0 that are asked for; the others are context.
    first, last : bool
        Whether the array begins with the first plane of `codes` and ends with the last one. Where it does
        not, the core has a plane of context at least on that side.
    start : int
        The number that the first plane of `codes` has in the array.
    rim : {"face", "edge", "all"}
        Which neighbours count.
    blank : int
        Another code that is no row, as the background may be.

    Returns
    -------
    index : numpy.ndarray
        int64, ascending: each voxel's place in the array's C order.
    code : numpy.ndarray
        As `codes`, of each voxel.

    Raises
    ------
    ValueError
        Context is missing.
    """
    native, reach = extension.native(), _REACH[rim]
    if native is None:
        codes = without(codes, blank)
        return rims_without_c(codes, core, first=first, last=last, start=start, reach=reach)
    begin, end = _bounds(codes, core)
    plain = _plain(codes)
    index, code = native.rim_points(plain, begin, end, first, last, start, blank, reach)
    return np.frombuffer(index, np.int64), np.frombuffer(code, plain.dtype)


def corner_points(
    codes: np.ndarray, core: slice, *, first: bool, last: bool, start: int, blank: int = 0
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find the corners of voxels at which some code begins or ends.

    The lattice of corners is one longer than the array along each axis. A corner is found for each code that
    some of the 4 or 8 voxels around it have and some valid ones have not; what lies beyond the array is
    valid and has none. A core that ends with the array has one more plane of corners than of voxels.

    Parameters
    ----------
    codes, core, first, last, start, blank
        As in `rim_points`.

    Returns
    -------
    index : numpy.ndarray
        int64, ascending: each corner's place in the C order of the lattice of the whole array.
    code : numpy.ndarray
        As `codes`; ascending where several are found at one corner.
    is_set, is_ignored : numpy.ndarray
        uint8: which of the voxels around have the code, and which are ignored. The voxel at (i, j, k) of
        them, each 0 or 1, has the bit 2^(7 - (4i + 2j + k)), with two axes 2^(3 - (2i + j)).

    Raises
    ------
    ValueError
        Context is missing.
    """
    native = extension.native()
    if native is None:
        return corners_without_c(without(codes, blank), core, first=first, last=last, start=start)
    begin, end = _bounds(codes, core)
    plain = _plain(codes)
    index, code, *bits = native.corner_points(plain, begin, end, first, last, start, blank)
    is_set, is_ignored = (np.frombuffer(each, np.uint8) for each in bits)
    return np.frombuffer(index, np.int64), np.frombuffer(code, plain.dtype), is_set, is_ignored


def _plain(codes: np.ndarray) -> np.ndarray:
    """Return codes whose buffer is what the extension takes: contiguous, aligned, in the machine's order."""
    return np.require(codes, codes.dtype.newbyteorder("="), ["C", "A"])


def _bounds(codes: np.ndarray, core: slice) -> tuple[int, int]:
    begin, end, _ = core.indices(len(codes))
    return begin, max(begin, end)
