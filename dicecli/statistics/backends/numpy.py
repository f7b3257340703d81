"""Counting with NumPy alone, in pieces."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels, ShapeMismatch
from dicecli.statistics._confusion import ConfusionMatrix, check_number
from dicecli.statistics.backends._runs import PIECE, changes, count_bytes, count_codes, run_ends

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Pixels that are looked at as one: whether their labels lie within 256, or how far apart they lie.
BLOCK = 1 << 22
#: Pixels that are brought to 8 bits at a time, so that they stay in the cache meanwhile.
_CAST = 1 << 16
#: Labels of both masks are counted in a table of all between them that has at most so many cells.
_CELLS = 1 << 22
#: A range of labels up to this width is numbered through a table, a wider one by sorting.
_TABLE = 1 << 17
#: Runs pay where they are longer than this, on average.
_WORTH = 2
_ASK = "Give it to dicecli.score, which takes floats that are whole numbers, or a threshold."


def describe() -> str:
    """Say what counts."""
    return f"numpy {np.__version__}"


def count_block(reference: ArrayLike, prediction: ArrayLike) -> ConfusionMatrix:
    """Count two blocks of integer labels.

    Parameters
    ----------
    reference, prediction : array_like
        Integers or booleans of any width, of one shape, in any memory layout.

    Returns
    -------
    ConfusionMatrix
        int64, exact. Two empty blocks give the empty matrix.

    Raises
    ------
    ShapeMismatch, NotLabels, TooManyLabels
    """
    first, second = _checked(reference), _checked(prediction)
    if first.shape != second.shape:
        raise ShapeMismatch(
            f"the shapes differ: prediction {second.shape}, reference {first.shape}",
            "Nothing is broadcast or resized: give arrays of one shape.",
        )
    first, second = _flat(first, second)
    table, total = np.zeros((256, 256), np.int64), ConfusionMatrix.empty()
    for start in range(0, first.size, BLOCK):
        one, other = first[start : start + BLOCK], second[start : start + BLOCK]
        row, column = _as_bytes(one), _as_bytes(other)
        if row is not None and column is not None:
            table += count_bytes(row, column)
        else:
            found = _count_wide(one, other)
            if found.labels == total.labels:  # added to what nobody else has: of many labels it is large
                np.add(found.table, total.table, out=found.table)
                total = found
            else:
                total += found
    return total + ConfusionMatrix.from_pairs(_meant(first.dtype), _meant(second.dtype), table)


def _as_bytes(labels: np.ndarray) -> np.ndarray | None:
    """Return labels as uint8 where they fit; those of 8 bits as the bytes they are, signed or not."""
    if labels.itemsize == 1:
        return labels.view(np.uint8)
    codes = np.empty(labels.size, np.uint8)
    for start in range(0, labels.size, _CAST):
        part = labels[start : start + _CAST]
        if int(np.bitwise_or.reduce(part)) not in range(256):
            return None
        codes[start : start + _CAST] = part
    return codes


def _meant(dtype: np.dtype) -> np.ndarray:
    """Return which label each byte stands for."""
    codes = np.arange(256).astype(np.uint8)
    return (codes.view(dtype) if dtype.itemsize == 1 else codes).astype(np.int64)


def _count_wide(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix:
    """Count a block whose labels are no bytes: in a table of all between them, or else once numbered."""
    lows, highs = zip(_ends(first), _ends(second), strict=True)
    if max(highs) >= 2**63:
        raise NotLabels(f"label {max(highs)} does not fit into 63 bits", "Renumber the labels from 0.")
    rows, columns = (high - low + 1 for low, high in zip(lows, highs, strict=True))
    if rows * columns <= min(_CELLS, 4 * first.size):
        table = _count_near(first, second, lows, columns, rows * columns).reshape(rows, columns)
        return ConfusionMatrix.from_pairs(lows[0] + np.arange(rows), lows[1] + np.arange(columns), table)
    return _count_far(first, second)


def _ends(labels: np.ndarray) -> tuple[int, int]:
    """Return the least and the greatest label; each part is looked at twice while it is in the cache."""
    parts = [labels[start : start + _CAST] for start in range(0, labels.size, _CAST)]
    lows, highs = zip(*((part.min(), part.max()) for part in parts), strict=True)
    return int(min(lows)), int(max(highs))


def _count_near(
    first: np.ndarray, second: np.ndarray, lows: tuple[int, int], columns: int, cells: int
) -> np.ndarray:
    """Count labels in a table of all between them: in pieces no smaller than that, each made in the cache."""
    first, second = (each.view(np.int64) if each.dtype == np.uint64 else each for each in (first, second))
    table = np.zeros(cells, np.int64)
    joint = np.empty(min(first.size, max(PIECE, cells)), np.int64)
    # All modulo 2^64, so that no label is too low or too high: what comes out is a place in the table.
    least = (lows[0] * columns + lows[1] + 2**63) % 2**64 - 2**63
    for piece in range(0, first.size, joint.size):
        size = min(joint.size, first.size - piece)
        for start in range(0, size, _CAST):
            part = joint[start : min(start + _CAST, size)]
            here = slice(piece + start, piece + start + part.size)
            part[...] = first[here]
            part *= columns
            part += second[here]
            if least:
                part -= least
        table += count_codes(joint[:size], cells)
    return table


def _count_far(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix:
    """Count labels that lie far apart, once they are numbered: runs of them where they are alike."""
    weights = None
    if changes(first, second) * _WORTH <= 1:
        ends = run_ends((first[1:] != first[:-1]) | (second[1:] != second[:-1]))
        first, second, weights = first[ends], second[ends], np.diff(ends, prepend=-1)
    rows, codes = _numbered(first)
    columns, others = _numbered(second)
    check_number(max(rows.size, columns.size))
    joint = codes * columns.size + others
    cells = rows.size * columns.size
    if cells <= max(_CELLS, 4 * joint.size):
        counted: np.ndarray = np.bincount(joint, weights, minlength=cells)
    else:
        used, places = np.unique(joint, return_inverse=True)
        counted = np.zeros(cells, np.int64)
        counted[used] = np.bincount(places.reshape(-1), weights)
    table = counted.reshape(rows.size, columns.size).astype(np.int64, copy=False)
    return ConfusionMatrix.from_pairs(rows, columns, table)


def _checked(values: ArrayLike) -> np.ndarray:
    try:
        array = np.asarray(values)
    except ValueError:  # lists of unlike lengths
        array = np.asarray(values, object)
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if not array.size and array.dtype == np.float64:
        return array.astype(np.uint8)  # what NumPy makes of an empty list
    if array.dtype.kind not in "iu":
        raise NotLabels(f"an array of type {array.dtype} holds no labels", _ASK)
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def _flat(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make two arrays one-dimensional in one order, without a copy where both are laid out alike."""
    if first.flags.f_contiguous and second.flags.f_contiguous:
        return first.reshape(-1, order="F"), second.reshape(-1, order="F")
    order = sorted(range(first.ndim), key=lambda axis: -first.strides[axis])
    one, other = first.transpose(order), second.transpose(order)
    if one.flags.c_contiguous and other.flags.c_contiguous:  # as pages of a stack are
        return one.reshape(-1), other.reshape(-1)
    return np.ascontiguousarray(first).reshape(-1), np.ascontiguousarray(second).reshape(-1)


def _numbered(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give labels numbers from 0: the sorted labels (int64), and each pixel's number (intp).

    They go through a table of those that occur, or are sorted where they spread too far.
    """
    low, high = int(labels.min()), int(labels.max())
    if high - low < _TABLE:
        offsets = labels.astype(np.int64) - low
        occurs = np.bincount(offsets, minlength=high - low + 1) > 0
        return np.flatnonzero(occurs) + low, (np.cumsum(occurs) - 1)[offsets]
    found, codes = np.unique(labels, return_inverse=True)
    return found.astype(np.int64), codes.reshape(-1)
