"""Counting with NumPy, in pieces that fit into the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.backends._bytes import count_bytes
from dicecli.confusion import ConfusionMatrix
from dicecli.errors import NotLabels, ShapeMismatch

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Pixels of a piece: with its codes it stays in a core's second-level cache.
PIECE = 1 << 16
#: Pixels whose labels are brought to 8 bits at a time.
BLOCK = 1 << 22
#: A range of labels up to this width is numbered through a table, a wider one by sorting.
_TABLE = 1 << 17


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
    total = ConfusionMatrix.empty()
    for start in range(0, first.size, BLOCK):
        total += _count(first[start : start + BLOCK], second[start : start + BLOCK])
    return total


def _count(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix:
    """Count one block: by bytes where the labels of each mask span less than 256, else by numbers."""
    row, column = _as_bytes(first), _as_bytes(second)
    if row is not None and column is not None:
        table = count_bytes(row[1], column[1])
        codes = np.arange(256, dtype=np.int64)
        return ConfusionMatrix.from_pairs(codes + row[0], codes + column[0], table)
    total = _Tally()
    for start in range(0, first.size, PIECE):
        total.add(first[start : start + PIECE], second[start : start + PIECE])
    return total.matrix()


def _as_bytes(labels: np.ndarray) -> tuple[int, np.ndarray] | None:
    """Return the least label, and how far each label is from it as uint8; None where that does not fit."""
    if labels.dtype == np.uint8:
        return 0, labels
    low, high = int(labels.min()), int(labels.max())
    if high - low > 255:
        return None
    if high >= 2**63:
        raise NotLabels(f"label {high} does not fit into 63 bits", "Renumber the labels from 0.")
    if low >= 0 and high < 256:
        return 0, labels.astype(np.uint8)
    return low, (labels - labels.dtype.type(low)).astype(np.uint8)


def _checked(values: ArrayLike) -> np.ndarray:
    array = np.asarray(values)
    if array.dtype.kind == "b":
        return array.astype(np.uint8)
    if not array.size and array.dtype == np.float64:
        return array.astype(np.uint8)  # what NumPy makes of an empty list
    if array.dtype.kind not in "iu":
        raise NotLabels(
            f"an array of type {array.dtype} holds no labels", "Convert it to integers, or give a threshold."
        )
    if array.dtype.isnative:
        return array
    return array.astype(array.dtype.newbyteorder("="))


def _flat(first: np.ndarray, second: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Make two arrays one-dimensional in one order, without a copy where both are laid out alike."""
    if first.flags.f_contiguous and second.flags.f_contiguous:
        return first.reshape(-1, order="F"), second.reshape(-1, order="F")
    return np.ascontiguousarray(first).reshape(-1), np.ascontiguousarray(second).reshape(-1)


class _Tally:
    """A sum of pieces. Most pieces hold the same few labels, so their tables are added as they are."""

    def __init__(self) -> None:
        self._rows = self._columns = np.zeros(0, np.int64)
        self._table = np.zeros((0, 0), np.int64)
        self._done = ConfusionMatrix.empty()

    def add(self, first: np.ndarray, second: np.ndarray) -> None:
        """Count one piece."""
        rows, codes = _numbered(first)
        columns, others = _numbered(second)
        if not (np.array_equal(rows, self._rows) and np.array_equal(columns, self._columns)):
            self._flush()
            self._rows, self._columns = rows, columns
            self._table = np.zeros((rows.size, columns.size), np.int64)
        if rows.size == columns.size == 1:
            self._table[0, 0] += first.size
            return
        joint = codes.astype(np.intp) * columns.size + others
        if self._table.size <= 4 * PIECE:
            counted = np.bincount(joint, minlength=self._table.size)
            self._table += counted.reshape(self._table.shape)
        else:
            cells, times = np.unique(joint, return_counts=True)
            self._table.reshape(-1)[cells] += times

    def matrix(self) -> ConfusionMatrix:
        """Return the sum."""
        self._flush()
        return self._done

    def _flush(self) -> None:
        if self._table.size:
            self._done += ConfusionMatrix.from_pairs(self._rows, self._columns, self._table)


def _numbered(labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Give the labels of a piece numbers from 0: the sorted labels (int64), and each pixel's number.

    They go through a table of those that occur, or are sorted where they spread too far.
    """
    low, high = int(labels.min()), int(labels.max())
    if high >= 2**63:
        raise NotLabels(f"label {high} does not fit into 63 bits", "Renumber the labels from 0.")
    if low == high:
        return np.array([low], np.int64), np.zeros(1, np.uint8)
    if high - low < _TABLE:
        offsets = labels.astype(np.int64) - low
        occurs = np.bincount(offsets, minlength=high - low + 1) > 0
        found = np.flatnonzero(occurs) + low
        codes = (np.cumsum(occurs) - 1)[offsets]
    else:
        found, codes = np.unique(labels, return_inverse=True)
        codes = codes.reshape(-1)
    return found.astype(np.int64), codes
