"""Bands along the edges of labels, for boundary IoU: pixels near another label, or voxels near a rim."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._surfaces.reach import Reach
from dicecli.statistics._surfaces.rims import rim_points

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A distance this little below the reach, in parts of it, is not in the band: files keep spacings in float32.
REACH_SLACK = 1e-6
#: How many values are worked on at once, so that they stay in the processor's cache.
_PIECE = 1 << 17


def context_of_squares(distance: int) -> int:
    """Return how many rows of context `squares` needs on each side of its core."""
    return distance


def squares(codes: np.ndarray, core: slice, distance: int, *, first: bool, last: bool) -> np.ndarray:
    """Find the pixels of every code that are near another one, by the larger of both axes' distances.

    What erosions by 3x3 pixels take from the mask of a code, as many as the distance: the band of boundary
    IoU (Cheng et al. 2021, doi:10.1109/CVPR46437.2021.01508). A pixel is in the band of its code if a pixel
    with another code, or with 0, is at most the distance away along both axes, or if the array ends within
    it. Ignored pixels are in no band, and none is a band because of them.

    Parameters
    ----------
    codes : numpy.ndarray
        uint8, uint16 or uint32, ``(rows, columns)``. 0 is no row of a table, the type's largest value an
        ignored pixel, anything else the place of a row.
    core : slice
        The rows of pixels that are asked for; the others are context.
    distance : int
        In pixels, at least 1.
    first, last : bool
        Whether the array begins with the first row of `codes` and ends with the last one. Where it does
        not, the core has as many rows of context as `context_of_squares` says.

    Returns
    -------
    numpy.ndarray
        bool, of the core: whether each pixel is in the band of its code.

    Raises
    ------
    ValueError
        Context is missing.
    """
    begin, end = _checked(codes, core, context_of_squares(distance), first=first, last=last)
    ignored = np.iinfo(codes.dtype).max
    band: np.ndarray = (codes[begin:end] != 0) & (codes[begin:end] != ignored)
    # Beyond these the window leaves the array.
    top, bottom = max(begin, distance) if first else begin, min(end, len(codes) - distance) if last else end
    columns = slice(distance, codes.shape[1] - distance)
    height = max(2 * distance, _PIECE // max(1, codes.shape[1]))
    for row in range(top, bottom if columns.start < columns.stop else top, height):
        rows = slice(row, min(row + height, bottom))
        inner = band[rows.start - begin : rows.stop - begin, columns]
        if inner.any():
            pixels = codes[rows, columns]
            around = codes[rows.start - distance : rows.stop + distance]
            differs = _slid(around, 2 * distance + 1, np.minimum) != pixels
            around = np.where(around == ignored, 0, around)
            inner &= differs | (_slid(around, 2 * distance + 1, np.maximum) != pixels)
    return band


def _checked(codes: np.ndarray, core: slice, context: int, *, first: bool, last: bool) -> tuple[int, int]:
    """Return the first plane of the core and the one after its last.

    Raises
    ------
    ValueError
        Context is missing.
    """
    begin, end, _ = core.indices(len(codes))
    if begin < end and ((begin < context and not first) or (end > len(codes) - context and not last)):
        raise ValueError(f"a band needs {context} planes of context on each side")
    return begin, max(begin, end)


def _slid(values: np.ndarray, size: int, pick: np.ufunc) -> np.ndarray:
    """Return the smallest or largest value of every window of a size along both axes."""
    for axis in range(2):
        width = 1
        while width < size:
            step = min(width, size - width)
            length = values.shape[axis] - step
            values = pick(_planes(values, axis, 0, length), _planes(values, axis, step, step + length))
            width += step
    return values


def _planes(values: np.ndarray, axis: int, begin: int, end: int) -> np.ndarray:
    """Return the view of some planes of an axis."""
    return values[(slice(None),) * axis + (slice(begin, end),)]


def context_of_balls(reach: float, along: float) -> int:
    """Return how many planes of context `balls` needs on each side, from the spacing along the first axis."""
    return math.floor(_limit(reach) / along) + 1


def _limit(reach: float) -> float:
    """Return the distance from which on a voxel is not in the band."""
    return reach * (1 - REACH_SLACK)


def balls(
    codes: np.ndarray, core: slice, reach: float, spacing: tuple[float, ...], *, first: bool, last: bool
) -> np.ndarray:
    """Find the voxels of every code that are nearer than the reach to a rim voxel of their own code.

    The band of boundary IoU as MetricsReloaded has it, there with a spacing of 1. The same where axes are
    exchanged or mirrored: squares of distances are whole numbers, exact where all spacings are the same,
    and to 2^-30 of the square of the reach where they differ.

    Parameters
    ----------
    codes : numpy.ndarray
        uint8, uint16 or uint32, of 2 or 3 axes, C-contiguous. 0 is no row of a table, the type's largest
        value an ignored pixel, anything else the place of a row.
    core : slice
        The planes of axis 0 that are asked for; the others are context.
    reach : float
        In the spacing's unit, above 0.
    spacing : tuple of float
        For each axis.
    first, last : bool
        Whether the array begins with the first plane of `codes` and ends with the last one. Where it does
        not, the core has as many planes of context as `context_of_balls` says.

    Returns
    -------
    numpy.ndarray
        bool, of the core: whether each voxel is in the band of its code.

    Raises
    ------
    ValueError
        Context is missing.
    """
    context = context_of_balls(reach, spacing[0])
    begin, end = _checked(codes, core, context, first=first, last=last)
    band = np.zeros((end - begin, *codes.shape[1:]), bool)
    if not band.size:
        return band
    around = slice(max(begin - context + 1, 0), min(end + context - 1, len(codes)))
    index, code = rim_points(codes, around, first=first, last=last, start=0, rim="face")
    points = np.stack(np.unravel_index(index, codes.shape))
    reached = Reach(_limit(reach), spacing, codes.shape)
    for those, members, is_without in _apart(codes[around], code):
        if len(those):
            box, is_near = reached.voxels(points[:, those], slice(begin, end))
            for each in members:  # few as a rule, and then many times as fast as `isin`
                is_near &= codes[box] != each if is_without else codes[box] == each
            band[slice(box[0].start - begin, box[0].stop - begin), *box[1:]] |= is_near
    return band


def _apart(codes: np.ndarray, code: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, bool]]:
    """Yield which points of a rim, given by their code, go together, and for the voxels of which codes.

    Where the third value says so, for those of all other codes. From a voxel to a rim voxel of another code a
    way leads along the axes and never back. Where it leaves the voxel's own code it has come to a rim voxel
    of this one, which is nearer: so codes need not be told apart. Only where an ignored voxel lies beside a
    code the way may leave it where there is no rim.
    """
    ignored = np.iinfo(codes.dtype).max
    alone = _beside(codes, ignored)
    yield np.flatnonzero(~np.isin(code, alone)), np.append(alone, np.array([0, ignored], codes.dtype)), True
    order = np.argsort(code, kind="stable")
    ends = (np.searchsorted(code[order], alone, side) for side in ("left", "right"))
    for at, (begin, end) in enumerate(zip(*ends, strict=True)):
        yield order[begin:end], alone[at : at + 1], False


def _beside(codes: np.ndarray, ignored: int) -> np.ndarray:
    """Return the codes that a voxel beside an ignored one has, ascending, 0 among them."""
    is_ignored = codes == ignored
    found = [codes[:0].ravel()]
    for axis in range(codes.ndim if is_ignored.any() else 0):
        length = codes.shape[axis]
        for one, other in ((0, 1), (1, 0)):
            beside, voxels, there = (
                _planes(each, axis, at, length - 1 + at)
                for each, at in ((is_ignored, one), (codes, other), (is_ignored, other))
            )
            found.append(np.unique(voxels[beside & ~there]))
    return np.unique(np.concatenate(found))
