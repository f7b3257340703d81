"""Counting with a small C extension, which lets other threads run meanwhile.

8-bit labels are counted as they are. Wider ones are numbered first, piece by piece, through a table of those
met so far; what that table cannot hold is left to NumPy.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.backends.numpy import _checked, _flat
from dicecli.backends.numpy import count_block as count_with_numpy
from dicecli.confusion import MAX_LABELS, ConfusionMatrix
from dicecli.errors import UsageError

if TYPE_CHECKING:
    from numpy.typing import ArrayLike

#: Pixels that are numbered at a time: with their numbers they stay in a core's second-level cache.
PIECE = 1 << 18
#: A range of labels up to this width is numbered through a table.
_TABLE = 1 << 17
#: A joint table of at most this many cells is counted here; larger ones are NumPy's, which counts by sorting.
_CELLS = 1 << 22
#: Tables of labels begin nearer to zero than this, as the extension wants it.
_FAR = 1 << 62


def is_available() -> bool:
    """Tell whether the extension was built."""
    return _extension() is not None


def describe() -> str:
    """Say what counts.

    Raises
    ------
    UsageError
        The extension was not built.
    """
    _native()
    return f"native (C extension, with numpy {np.__version__})"


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
    UsageError
        The extension was not built.
    """
    _native()
    first, second = _checked(reference), _checked(prediction)
    if first.shape != second.shape:
        return count_with_numpy(first, second)  # its error is this one's, too
    first, second = _flat(first, second)
    if first.itemsize == second.itemsize == 1:
        return _count_bytes(first, second)
    matrix = _count_wide(first, second)
    return count_with_numpy(first, second) if matrix is None else matrix


@cache
def _extension() -> Any:
    try:
        return import_module("dicecli.backends._native")
    except ImportError:
        return None


def _native() -> Any:
    if not is_available():
        raise UsageError(
            "the C extension was not built",
            "Install a C compiler and dicecli once more, or count with NumPy.",
        )
    return _extension()


def _count_bytes(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix:
    table = np.zeros((256, 256), np.int64)
    rows, columns = _native().count_bytes(first, second, table)
    codes = np.arange(256, dtype=np.uint8)
    return ConfusionMatrix.from_pairs(
        codes[:rows].view(first.dtype).astype(np.int64),
        codes[:columns].view(second.dtype).astype(np.int64),
        table[:rows, :columns],
    )


def _count_wide(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix | None:
    """Count labels of any width; None where they spread too far, or are too many."""
    try:
        return _count_numbered(_Numbering(first, _usual(first)), _Numbering(second, _usual(second)))
    except IndexError:
        lows = _least(first), _least(second)
    if lows[0] is None or lows[1] is None:
        return None
    return _count_numbered(_Numbering(first, lows[0]), _Numbering(second, lows[1]))


def _usual(labels: np.ndarray) -> int:
    """Return where a table begins that holds every 16-bit label, and the common ones of wider types."""
    return -_TABLE // 2 if labels.dtype.kind == "i" else 0


def _least(labels: np.ndarray) -> int | None:
    """Return where a table begins that holds all of these labels; None where none does."""
    low, high = int(labels.min()), int(labels.max())
    return low if high - low < _TABLE and abs(low) < _FAR else None


class _Numbering:
    """The labels of a mask, numbered from 0 in the order in which they are met."""

    def __init__(self, labels: np.ndarray, low: int) -> None:
        self._labels, self._low = labels, low
        self._places = np.zeros(_TABLE, np.uint16)
        self._found = np.zeros(MAX_LABELS, np.int64)
        self.known = 0
        self.pieces = [slice(start, start + PIECE) for start in range(0, labels.size, PIECE)]

    def numbers(self, piece: slice, dtype: type) -> np.ndarray:
        """Number a piece; of no use where more labels become known than `dtype` or the matrix can hold."""
        labels = self._labels[piece]
        codes = np.empty(labels.size, dtype)
        found = self._found[:256] if dtype is np.uint8 else self._found
        self.known = _native().number(labels, self._low, self._places, found, self.known, codes)
        return codes

    @property
    def labels(self) -> np.ndarray:
        """The labels met so far, each at its number."""
        return self._found[: self.known]


def _count_numbered(rows: _Numbering, columns: _Numbering) -> ConfusionMatrix | None:
    table = np.zeros((256, 256), np.int64)
    for piece in rows.pieces:
        codes, others = rows.numbers(piece, np.uint8), columns.numbers(piece, np.uint8)
        if max(rows.known, columns.known) > 256:
            rows.known, columns.known = min(rows.known, 256), min(columns.known, 256)
            return _count_many(rows, columns)
        _native().count_bytes(codes, others, table)
    return _matrix(rows, columns, table)


def _count_many(rows: _Numbering, columns: _Numbering) -> ConfusionMatrix | None:
    """Count more than 256 labels: number all of both masks first, so that the table has a size."""
    for piece in rows.pieces:
        for side in (rows, columns):
            side.numbers(piece, np.uint16)
            if side.known > MAX_LABELS:
                return None
    if rows.known * columns.known > _CELLS:
        return None
    table = np.zeros((rows.known, columns.known), np.int64)
    for piece in rows.pieces:
        codes, others = rows.numbers(piece, np.uint16), columns.numbers(piece, np.uint16)
        _native().count_numbers(codes, others, table)
    return _matrix(rows, columns, table)


def _matrix(rows: _Numbering, columns: _Numbering, table: np.ndarray) -> ConfusionMatrix:
    return ConfusionMatrix.from_pairs(
        rows.labels, columns.labels, table[: rows.labels.size, : columns.labels.size]
    )
