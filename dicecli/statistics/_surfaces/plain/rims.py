"""The twin of what the C extension does for ``rims``, with NumPy."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator


def rim_points(
    codes: np.ndarray, core: slice, *, first: bool, last: bool, start: int, reach: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find rim voxels as ``rims.rim_points`` does; neighbours differ along at most `reach` axes."""
    there, below = _planes(codes, core, first=first, last=last)
    mine = codes[there]
    ignored = np.iinfo(codes.dtype).max
    around = _padded(codes, there, below)
    is_rim = np.zeros(mine.shape, bool)
    for steps in itertools.product((0, 1, 2), repeat=codes.ndim):
        if 0 < sum(step != 1 for step in steps) <= reach:
            other = _shifted(around, steps, mine.shape)
            is_rim |= (other != mine) & (other != ignored)
    is_rim &= (mine != 0) & (mine != ignored)
    found = np.flatnonzero(is_rim)
    return found + (start + there.start) * _per_plane(codes.shape, 0), mine.reshape(-1)[found]


def corner_points(
    codes: np.ndarray, core: slice, *, first: bool, last: bool, start: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Find corners as ``rims.corner_points`` does."""
    there, below = _planes(codes, core, first=first, last=last)
    planes = there.stop - there.start + (there.start < there.stop == len(codes))  # the array's end
    shape = (planes, *(length + 1 for length in codes.shape[1:]))
    around = _padded(codes, there, below)
    views = [_shifted(around, steps, shape) for steps in itertools.product((0, 1), repeat=codes.ndim)]
    differs = np.zeros(shape, bool)
    for view in views[1:]:
        differs |= view != views[0]
    places = np.flatnonzero(differs) + (start + there.start) * _per_plane(codes.shape, 1)
    cells = np.stack([view[differs] for view in views], axis=1)
    pieces = [(places[rows], *entry) for rows, *entry in _entries(cells)]
    index, code, is_set, is_ignored = (np.concatenate(each) for each in zip(*pieces, strict=True))
    order = np.lexsort((code, index))
    return index[order], code[order], is_set[order], is_ignored[order]


def without(codes: np.ndarray, blank: int) -> np.ndarray:
    """Return codes with 0 in the place of one that is no row."""
    return np.where(codes == blank, 0, codes).astype(codes.dtype, copy=False) if blank else codes


def _entries(cells: np.ndarray) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    """Give, for each of the voxels around corners, the corners at which its code is found.

    Yields where they are, their codes, and the bits of the voxels that are set and that are ignored.
    """
    bits = 1 << np.arange(cells.shape[1] - 1, -1, -1)
    ignored = np.iinfo(cells.dtype).max
    is_ignored = (cells == ignored) @ bits
    for place in range(cells.shape[1]):
        code = cells[:, place]
        is_set = (cells == code[:, None]) @ bits
        is_new = (cells[:, :place] != code[:, None]).all(axis=1)
        found = is_new & (code != 0) & (code != ignored) & ((is_set | is_ignored) != bits.sum())
        yield found, code[found], is_set[found].astype(np.uint8), is_ignored[found].astype(np.uint8)


def _per_plane(shape: tuple[int, ...], more: int) -> int:
    """Return how many voxels, or with `more` = 1 corners, a plane has."""
    count = 1
    for length in shape[1:]:
        count *= length + more
    return count


def _planes(codes: np.ndarray, core: slice, *, first: bool, last: bool) -> tuple[slice, int]:
    """Return the core's planes as places, and how many planes of nothing go before them."""
    begin, end, _ = core.indices(len(codes))
    end = max(begin, end)
    if begin < end and ((begin == 0 and not first) or (end == len(codes) and not last)):
        raise ValueError("planes without the context that they need")
    return slice(begin, end), int(begin == 0)


def _padded(codes: np.ndarray, there: slice, below: int) -> np.ndarray:
    """Return the core with a plane of context on each side, and 0 all around where the array ends."""
    above = int(there.stop == len(codes))
    part = codes[there.start - 1 + below : there.stop + 1 - above]
    return np.pad(part, [(below, above), *[(1, 1)] * (codes.ndim - 1)])


def _shifted(around: np.ndarray, steps: tuple[int, ...], shape: tuple[int, ...]) -> np.ndarray:
    """Return the view of a shape that begins some steps from the first voxel."""
    return around[tuple(slice(step, step + length) for step, length in zip(steps, shape, strict=True))]
