"""How many labels the memory allows: the table of how often each pair of them meets grows by their square."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import TooLarge
from dicecli.statistics._confusion import MAX_LABELS

if TYPE_CHECKING:
    from dicecli.statistics._confusion import ConfusionMatrix

#: Bytes that a mask takes for a pair of labels while tables are added up, of which there are three or four.
_PAIR_BYTES = 12
#: So many labels take no more than windows, which do not shrink to nothing either.
_FEW_LABELS = 1 << 10
#: Labels between so many numbers are looked for in a table, others are sorted.
_TABLE, _PIECE = 1 << 17, 1 << 16


class AllowedLabels:
    """What keeps the table of two masks within the memory that each is allowed.

    Parameters
    ----------
    memory : int
        Bytes of a mask.
    """

    def __init__(self, memory: int) -> None:
        self._memory = memory
        self._most = max(_FEW_LABELS, math.isqrt(memory // _PAIR_BYTES))

    def check(self, *blocks: np.ndarray) -> None:
        """Check labels that are yet to be counted, of any integer type; nothing where all are allowed.

        Raises
        ------
        TooLarge
        """
        if self._most < MAX_LABELS:
            for block in blocks:
                if block.itemsize > 1 and block.size > self._most:
                    self._check_number(_distinct(block, self._most))

    def added(self, one: ConfusionMatrix, other: ConfusionMatrix) -> ConfusionMatrix:
        """Add up two matrices.

        Raises
        ------
        TooLarge, TooManyLabels
        """
        if self._most < MAX_LABELS and one.labels != other.labels:
            self._check_number(len({*one.labels, *other.labels}))
        return one + other

    def _check_number(self, labels: int) -> None:
        if self._most < labels <= MAX_LABELS:  # of more it is said that they are too many
            raise TooLarge(
                f"the masks hold {labels:,} labels or more, and to count which of them meet takes "
                f"{labels**2 * _PAIR_BYTES:,} bytes of memory; {self._memory:,} are allowed",
                f"If they are classes, allow what the most labels take: --max-memory "
                f"{MAX_LABELS**2 * _PAIR_BYTES}.",
            )


def _distinct(block: np.ndarray, most: int) -> int:
    """Return how many distinct labels a block holds, where these may be more than `most`; else 0."""
    low, high = int(block.min()), int(block.max())
    if high - low < most or high >= 2**63:  # the latter are no labels, which is said of them elsewhere
        return 0
    if high - low >= _TABLE:
        return int(np.unique(block).size)
    occurs, flat = np.zeros(high - low + 1, bool), block.ravel(order="K")
    for start in range(0, flat.size, _PIECE):
        occurs[flat[start : start + _PIECE].astype(np.int64) - low] = True
    return int(np.count_nonzero(occurs))
