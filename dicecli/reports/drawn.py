"""Some resamples of the cases, and sums of whole numbers over what they draw.

Whatever is added up is split where it would not be exact in float64: every machine gives the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.records.wholes import EXACT

if TYPE_CHECKING:
    from collections.abc import Callable


class Block:
    """Some resamples, and what was computed of them, once.

    Parameters
    ----------
    drawn : numpy.ndarray
        How often each unit is drawn: float64, ``(resamples, units)``.
    """

    def __init__(self, drawn: np.ndarray) -> None:
        self.drawn = drawn
        self._kept: dict[object, Any] = {}

    def __len__(self) -> int:
        return len(self.drawn)

    def kept(self, key: object, compute: Callable[[], Any]) -> Any:
        """Return what was computed under a key, or compute it."""
        if key not in self._kept:
            self._kept[key] = compute()
        return self._kept[key]

    def forget(self) -> None:
        """Let go of what was computed, which may hold this block, too."""
        self._kept.clear()


class Columns:
    """Whole numbers of the cases, whose sums over what is drawn, and over rows, are exact.

    Parameters
    ----------
    units : numpy.ndarray
        The number of what is drawn, per case.
    numbers : numpy.ndarray
        ``(cases, numbers, rows)``, none below 0: int64, or Python's where they are large.
    """

    def __init__(self, units: np.ndarray, numbers: np.ndarray) -> None:
        self._shape = numbers.shape[1:]
        flat, sizes = numbers.reshape(len(numbers), -1), np.bincount(units)
        most = int(flat.max(initial=0))
        # A resample draws as many units as there are, and no unit has more than all of its cases.
        room = int(sizes.max()) * len(sizes) * max(1, self._shape[1])
        self._exponents, pieces = [0], [flat]
        if most * room > EXACT:
            bits, every = max(1, EXACT.bit_length() - 1 - room.bit_length()), flat.astype(object)
            low = int(np.bitwise_or.reduce(every, axis=None))
            self._exponents = [*range((low & -low).bit_length() - 1, most.bit_length(), bits)]
            pieces = [(every >> at) % (1 << bits) for at in self._exponents]
        self._table = np.zeros((len(sizes), len(pieces) * flat.shape[1]))
        np.add.at(self._table, units, np.hstack(pieces).astype(np.float64))

    def added(self, block: Block) -> list[tuple[int, np.ndarray]]:
        """Return what they add up to, in pieces: an exponent of 2, and ``(resamples, numbers, rows)``."""
        found: list[tuple[int, np.ndarray]] = block.kept(self, lambda: self._added(block))
        return found

    def _added(self, block: Block) -> list[tuple[int, np.ndarray]]:
        found = (block.drawn @ self._table).reshape(len(block), len(self._exponents), *self._shape)
        return [(at, found[:, place]) for place, at in enumerate(self._exponents)]
