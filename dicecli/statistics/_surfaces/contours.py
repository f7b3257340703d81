"""Contours as in DAVIS: pixels whose right, lower or lower right neighbour is across the edge of a mask."""

from __future__ import annotations

import numpy as np


def contour_points(
    codes: np.ndarray, core: slice, *, last: bool, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """Find the contours of all codes at once; a pixel may be on several.

    A pixel is on the contour of a code if it has the code and one of the three neighbours has not, or the
    other way round. The last row has right neighbours alone, the last column lower ones. With an ignored
    pixel no pixel makes a contour. After seg2bmap of DAVIS (Perazzi et al. 2016, doi:10.1109/CVPR.2016.85),
    which took it from Berkeley's segmentation benchmark.

    Parameters
    ----------
    codes : numpy.ndarray
        uint8, uint16 or uint32, ``(rows, columns)``. 0 is no row of a table, the type's largest value an
        ignored pixel, anything else the place of a row.
    core : slice
        The rows of pixels that are asked for, with a start and a stop; one more is looked at.
    last : bool
        Whether the array ends with the last row of `codes`. Where it does not, the core ends before.
    start : int
        The number that the first row of `codes` has in the array.

    Returns
    -------
    index : numpy.ndarray
        int64, ascending for each code: each pixel's place in the array's C order.
    code : numpy.ndarray
        As `codes`, ascending. Both are empty where there is no contour.

    Raises
    ------
    ValueError
        The row after the core is missing.
    """
    if core.stop >= len(codes) and not last:
        raise ValueError("contours need the row after those that are asked for")
    rows = codes[core.start : core.stop + 1]
    height = core.stop - core.start
    found = [_across(rows, height, down=down, right=right) for down, right in ((0, 1), (1, 0), (1, 1))]
    index, code = _distinct(*(np.concatenate(parts) for parts in zip(*found, strict=True)))
    return index + (start + core.start) * codes.shape[1], code


def _across(rows: np.ndarray, height: int, *, down: int, right: int) -> tuple[np.ndarray, np.ndarray]:
    """Return the pixels whose neighbour is of another code, with both codes, but for 0.

    Of the first rows alone, as many as the height says; the index counts from the first pixel of all rows.
    """
    width, pixels = rows.shape[1], rows.ravel()
    height = min(height, len(rows) - down)
    differ = rows[:height, : width - right] != rows[down : height + down, right:]
    index = np.flatnonzero(differ)
    if right and len(index):
        index += index // (width - right)
    codes = np.stack((pixels[index], pixels[index + (down * width + right)]))
    is_valid = (codes != np.iinfo(rows.dtype).max).all(axis=0)
    is_found = is_valid & (codes != 0)
    return np.broadcast_to(index, codes.shape)[is_found], codes[is_found]


def _distinct(index: np.ndarray, code: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return pairs by code and then by index, each once."""
    order = np.lexsort((index, code))
    index, code = index[order], code[order]
    is_new = np.ones(len(code), bool)
    is_new[1:] = (index[1:] != index[:-1]) | (code[1:] != code[:-1])
    return index[is_new], code[is_new]
