"""The counts of many cases, in as little memory as their numbers need."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import TYPE_CHECKING, overload

from dicecli.records.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np


class Packed(Sequence[list[Counts]]):
    """The counts of some rows, case by case, in a fifth of the memory that they take as objects.

    Parameters
    ----------
    rows : int
    cases : iterable of list of Counts
        Each of so many.
    """

    def __init__(self, rows: int, cases: Iterable[list[Counts]]) -> None:
        self._width = 4 * rows
        self._cases = 0
        self._numbers: array[int] | list[int] = array("q")
        for case in cases:
            self._cases += 1
            numbers = [number for counts in case for number in counts]
            try:
                self._numbers.extend(numbers)
            except OverflowError:  # beyond 64 bits, as a file of results may say
                self._numbers = [*self._numbers[: (self._cases - 1) * self._width], *numbers]

    def __len__(self) -> int:
        return self._cases

    @overload
    def __getitem__(self, case: int) -> list[Counts]: ...
    @overload
    def __getitem__(self, case: slice) -> list[list[Counts]]: ...
    def __getitem__(self, case: int | slice) -> list[Counts] | list[list[Counts]]:
        if isinstance(case, slice):
            return [self[at] for at in range(self._cases)[case]]
        start = range(self._cases)[case] * self._width
        numbers = self._numbers[start : start + self._width]
        return [Counts(*numbers[at : at + 4]) for at in range(0, self._width, 4)]

    def numbers(self) -> np.ndarray:
        """Return all numbers, shape ``(cases, rows, 4)``, in the order of the fields of the counts.

        int64 where the sums of all cases fit into it, else Python's integers.
        """
        import numpy as np

        numbers, shape = self._numbers, (self._cases, self._width // 4, 4)
        if isinstance(numbers, array):
            table = np.frombuffer(numbers, np.int64) if numbers else np.zeros(0, np.int64)
            if int(table.max(initial=0)) < (1 << 62) // max(1, self._cases):
                return table.reshape(shape)
        return np.array(list(numbers), object).reshape(shape)

    def totals(self) -> list[Counts]:
        """Return the counts of each row, added up over the cases."""
        return [Counts(*row) for row in self.numbers().sum(axis=0).tolist()]
