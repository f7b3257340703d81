"""Counting codes with NumPy: runs that are alike at once where that pays, else two pixels at a time, or each.

Masks are mostly constant: the background, the inside of an organ, a field on a map. Where the pair of labels
changes seldom, the changes are looked up, and each run is one entry whose weight is its length. Elsewhere
``bincount`` counts the pixels; codes of 8 bits two at a time, since both fit into 16 bits.
"""

from __future__ import annotations

import numpy as np

#: Pixels counted at a time: so many that what a piece costs whatever is in it vanishes beside them.
PIECE = 1 << 20
#: How often the codes of a piece change is seen in so many places, at so many pixels each.
_PLACES, _SEEN = 8, 4096
#: Runs pay where they are longer than this, on average: against two pixels at a time, and against each.
_WORTH_PAIRS, _WORTH_PIXELS = 8, 4
#: Below so many pixels a table of two pixels at a time, with 65,536 entries, costs more than it brings.
_LEAST_PAIRS = 1 << 17


def count_bytes(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Count how often each pair of 8-bit codes meets.

    Parameters
    ----------
    first, second : numpy.ndarray
        uint8, one-dimensional, contiguous, of one length.

    Returns
    -------
    numpy.ndarray
        int64, shape ``(256, 256)``: rows are codes of the first, columns of the second.
    """
    table = np.zeros((256, 256), np.int64)
    for start in range(0, first.size, PIECE):
        one, other = first[start : start + PIECE], second[start : start + PIECE]
        rows, columns = int(one.max()) + 1, int(other.max()) + 1
        if rows == columns == 1:
            table[0, 0] += one.size
            continue
        if columns < 256 and rows * columns <= 256:
            joint = one * np.uint8(columns) + other
        else:
            joint = one.astype(np.uint16)
            joint *= np.uint16(columns)
            joint += other
        table[:rows, :columns] += count_codes(joint, rows * columns).reshape(rows, columns)
    return table


def count_codes(codes: np.ndarray, cells: int) -> np.ndarray:
    """Count how often each code occurs.

    Parameters
    ----------
    codes : numpy.ndarray
        Integers of any width from 0 to below `cells`, one-dimensional, not empty.
    cells : int

    Returns
    -------
    numpy.ndarray
        int64, of length `cells`.
    """
    in_pairs = codes.dtype == np.uint8 and codes.size >= _LEAST_PAIRS
    share = changes(codes)
    if share * (_WORTH_PAIRS if in_pairs else _WORTH_PIXELS) <= 1:
        ends = run_ends(codes[1:] != codes[:-1])
        weights = np.diff(ends, prepend=-1)
        # Weights are summed up as floats, which hold the pixels of a piece exactly.
        return np.bincount(codes[ends], weights, minlength=cells).astype(np.int64)
    if in_pairs:
        return _in_pairs(codes, cells)
    return np.bincount(codes, minlength=cells)


def changes(*masks: np.ndarray) -> float:
    """Estimate from some places how large the share of the pixels is in which any mask changes."""
    size = masks[0].size
    seen = differing = 0
    for start in range(0, size, max(size // _PLACES, _SEEN)):
        parts = [each[start : start + _SEEN] for each in masks]
        change = np.zeros(parts[0].size - 1, bool)
        for part in parts:
            change |= part[1:] != part[:-1]
        seen += parts[0].size
        differing += 1 + int(np.count_nonzero(change))
    return differing / seen


def run_ends(change: np.ndarray) -> np.ndarray:
    """Return the last pixel of each run, from whether each pixel differs from the next one."""
    return np.append(np.flatnonzero(change), change.size)


def _in_pairs(codes: np.ndarray, cells: int) -> np.ndarray:
    """Count 8-bit codes two at a time; which of the two is which does not matter."""
    even = codes.size // 2 * 2
    both = np.bincount(codes[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
    counted: np.ndarray = (both.sum(axis=0) + both.sum(axis=1))[:cells]
    if even < codes.size:
        counted[codes[-1]] += 1
    return counted
