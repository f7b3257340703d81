"""Counting with a small C extension, which lets other threads run meanwhile.

Labels within 256 are counted as bytes, whatever their type is; labels that lie farther apart in a table of
all between them, or, where that would be too large, once they are numbered. What spreads over more than a
table of numbers can hold is left to NumPy.
"""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import UsageError
from dicecli.statistics._confusion import MAX_LABELS, ConfusionMatrix
from dicecli.statistics.backends.numpy import _checked, _flat
from dicecli.statistics.backends.numpy import count_block as count_with_numpy

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from types import ModuleType

    from numpy.typing import ArrayLike

#: Pixels that are numbered at a time: with their numbers they stay in a core's second-level cache.
PIECE = 1 << 18
#: Pixels that are counted in a table of 32 bits, before it is added to one of 64.
FOLD = 1 << 31
#: A range of labels up to this width is numbered through a table; wider ones are NumPy's, which sorts them.
_TABLE = 1 << 17
#: A joint table has at most this many cells.
_CELLS = 1 << 22


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
    first, second = (_plain(each) for each in _flat(first, second))
    try:
        return _count_near(first, second, _nearest(first, 0), _nearest(second, 0))
    except IndexError:
        matrix = _count_far(first, second)
    return count_with_numpy(first, second) if matrix is None else matrix


def _plain(labels: np.ndarray) -> np.ndarray:
    """Return an array whose buffer names its type by one letter: aligned, its byte order not spelt out."""
    return np.require(labels.view(np.dtype(labels.dtype.type)), None, "A")


@cache
def _extension() -> ModuleType | None:
    try:
        return import_module("dicecli.statistics.backends._native")
    except ImportError:
        return None


def _native() -> ModuleType:
    extension = _extension()
    if extension is None:
        raise UsageError(
            "the C extension was not built",
            "Install a C compiler and dicecli once more, or count with NumPy.",
        )
    return extension


def _nearest(labels: np.ndarray, low: int) -> int:
    """Return where a table of 256 labels begins that holds `low` and ends within the type; 0 for 8 bits."""
    return 0 if labels.itemsize == 1 else min(low, int(np.iinfo(labels.dtype).max) - 255, 2**63 - 256)


def _count_near(first: np.ndarray, second: np.ndarray, *lows: int) -> ConfusionMatrix:
    """Count labels within 256 of a least one on each side; IndexError where they are not."""
    table = np.zeros((256, 256), np.int64)
    found = _native().count_near(first, second, table, *lows)
    codes = np.arange(256, dtype=np.uint8)
    rows, columns = (
        codes[:n].view(labels.dtype).astype(np.int64) if labels.itemsize == 1 else low + np.arange(n)
        for labels, low, n in zip((first, second), lows, found, strict=True)
    )
    return ConfusionMatrix.from_pairs(rows, columns, table[: rows.size, : columns.size])


def _count_far(first: np.ndarray, second: np.ndarray) -> ConfusionMatrix | None:
    """Count labels that spread farther; None where they spread too far, or are too many."""
    lows = int(first.min()), int(second.min())
    spans = int(first.max()) - lows[0] + 1, int(second.max()) - lows[1] + 1
    if max(lows[0] + spans[0], lows[1] + spans[1]) > 2**63 or max(spans) > _TABLE:
        return None
    if max(spans) <= 256:
        return _count_near(first, second, _nearest(first, lows[0]), _nearest(second, lows[1]))
    if spans[0] * spans[1] <= _CELLS and max(spans) < 2**16:
        rows, columns = (low + np.arange(span) for low, span in zip(lows, spans, strict=True))
        table = _folded(
            first.size, spans, lambda part, cells: _count(first[part], second[part], cells, *lows)
        )
        return ConfusionMatrix.from_pairs(rows, columns, table)
    return _count_numbered(_Numbering(first, lows[0], spans[0]), _Numbering(second, lows[1], spans[1]))


def _count(first: np.ndarray, second: np.ndarray, table: np.ndarray, *lows: int) -> None:
    _native().count_far(first, second, table, *lows)


def _folded(size: int, shape: tuple[int, int], count: Callable[[slice, np.ndarray], None]) -> np.ndarray:
    """Count in 32 bits, part by part, and add up in 64."""
    total = np.zeros(shape, np.int64)
    for part in _parts(slice(0, size), FOLD):
        table = np.zeros(shape, np.uint32)
        count(part, table)
        total += table
    return total


def _parts(whole: slice, size: int) -> Iterator[slice]:
    for start in range(whole.start, whole.stop, size):
        yield slice(start, min(start + size, whole.stop))


class _Numbering:
    """The labels of a mask, numbered from 0 in the order in which they are met."""

    def __init__(self, labels: np.ndarray, low: int, span: int) -> None:
        self._labels, self._low = labels, low
        self._places, self._found = np.zeros(span, np.uint16), np.zeros(MAX_LABELS, np.int64)
        self.whole = slice(0, labels.size)
        self.known = 0

    @property
    def labels(self) -> np.ndarray:
        """The labels met so far, each at its number."""
        return self._found[: self.known]

    def numbers(self, piece: slice) -> np.ndarray:
        """Return the numbers of a piece; of no use once more labels are known than a matrix has."""
        labels = self._labels[piece]
        codes = np.empty(labels.size, np.uint16)
        if self.known <= MAX_LABELS:
            self.known = _native().number(labels, self._low, self._places, self._found, self.known, codes)
        return codes


def _count_numbered(first: _Numbering, second: _Numbering) -> ConfusionMatrix | None:
    table = np.zeros((256, 256), np.int64)
    for piece in _parts(first.whole, PIECE):
        codes, others = first.numbers(piece), second.numbers(piece)
        if max(first.known, second.known) > 256:
            return _count_many(first, second)
        _native().count_near(codes, others, table, 0, 0)
    return ConfusionMatrix.from_pairs(first.labels, second.labels, table[: first.known, : second.known])


def _count_many(first: _Numbering, second: _Numbering) -> ConfusionMatrix | None:
    """Count more than 256 labels: number both masks to their end first, so that the table has a size."""
    for piece in _parts(first.whole, PIECE):
        first.numbers(piece)
        second.numbers(piece)
    if max(first.known, second.known) > MAX_LABELS or first.known * second.known > _CELLS:
        return None

    def count(part: slice, table: np.ndarray) -> None:
        """Count some of the pixels into a table."""
        for piece in _parts(part, PIECE):
            _count(first.numbers(piece), second.numbers(piece), table, 0, 0)

    table = _folded(first.whole.stop, (first.known, second.known), count)
    return ConfusionMatrix.from_pairs(first.labels, second.labels, table)
