"""What was measured of some rows, added up over what is drawn of the cases, and scored.

What is added up is exact: see :mod:`dicecli.reports.drawn`; and all else is done element by element, in one
order: every machine gives the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from dicecli.records.wholes import Large, Wholes
from dicecli.reports.drawn import Columns
from dicecli.reports.packed import Packed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.wholes import Summands
    from dicecli.reports.drawn import Block


class Added:
    """What was measured of some rows, to be added up over what is drawn.

    Parameters
    ----------
    units : numpy.ndarray
        The number of what is drawn, per case.
    taken : sequence of sequence
        Per case what metrics take of each row; None where the case has no such row.
    part : slice
        Which of the rows.
    summands : Summands
        What is added up of each.
    """

    def __init__(
        self, units: np.ndarray, taken: Sequence[Sequence[Any]], part: slice, summands: Summands
    ) -> None:
        self._units, self.summands, self._columns = units, summands, dict[str, Columns]()
        self._cells = [] if isinstance(taken, Packed) else [case[part] for case in taken]
        if isinstance(taken, Packed):  # counts of very many, all at once; there are some of every row
            numbers = taken.numbers()[:, part]
            self._columns[_COUNTS] = Columns(units, numbers.transpose(0, 2, 1))
            self._there = None
            has_something = np.any(numbers[:, :, :3] > 0, axis=(1, 2))
            self.rows = numbers.shape[1]
        else:
            there = np.array([[each is not None for each in case] for case in self._cells])
            self.rows = there.shape[1]
            self._there = None if there.all() else Columns(units, there[:, None].astype(np.int64))
            tell = summands.has_something
            has_something = np.array(
                [any(each is not None and tell(each) for each in case) for case in self._cells]
            )
        #: Whether more than one of what is drawn has something.
        self.is_several = np.unique(units[has_something]).size > 1

    def columns(self, name: str) -> Columns:
        """Return the numbers that a word stands for, of all cases and rows."""
        if name not in self._columns:
            numbers = self.summands.numbers[name]
            first = next(each for case in self._cells for each in case if each is not None)
            nothing = np.zeros(len(numbers(first)), int)
            found = [[nothing if each is None else numbers(each) for each in case] for case in self._cells]
            is_array = all(isinstance(each, np.ndarray) for case in found for each in case)
            table = np.array(found, np.int64 if is_array else object)
            self._columns[name] = Columns(self._units, table.transpose(0, 2, 1))
        return self._columns[name]

    def in_rows(self, block: Block) -> Many:
        """Return each row in each resample."""
        return Many(self, block, is_whole=False)

    def whole(self, block: Block) -> Many:
        """Return all rows as one in each resample."""
        return Many(self, block, is_whole=True)

    def is_there(self, block: Block) -> np.ndarray:
        """Return whether anything drawn has each row: ``(resamples, rows)``."""
        if self._there is None:
            return np.ones((len(block), self.rows), bool)
        ((_, found),) = self._there.added(block)
        there: np.ndarray = found[:, 0] > 0
        return there


#: What all numbers of counts are called, which are added up without looking at each.
_COUNTS = "counts"


class Many:
    """The measurements of many resamples at once, as metrics take one: see :class:`Taken`.

    Attributes
    ----------
    there : numpy.ndarray
        Whether there is one: ``(resamples, rows)``, or of all rows as one ``(resamples,)``.
    """

    def __init__(self, added: Added, block: Block, *, is_whole: bool) -> None:
        self._added, self._block, self._is_whole = added, block, is_whole
        there = added.is_there(block)
        self.there = np.asarray(there.any(axis=1)) if is_whole else there

    def __call__(self, name: str) -> list[Wholes | Large]:
        """Return some numbers of all of them, an array each."""
        pieces = self._pieces(name)
        numbers = range(pieces[0][1].shape[1])
        if len(pieces) == 1 and pieces[0][0] == 0:
            found = pieces[0][1]
            return [Wholes(found[:, at], int(found[:, at].max(initial=0))) for at in numbers]
        return [Large([(exponent, values[:, at]) for exponent, values in pieces]) for at in numbers]

    def _pieces(self, name: str) -> list[tuple[int, np.ndarray]]:
        found = self._added.columns(name).added(self._block)
        return [(at, values.sum(axis=2)) for at, values in found] if self._is_whole else found

    def array(self, name: str) -> np.ndarray:
        """Raise TypeError: they are taken one by one then."""
        raise TypeError(f"{name} of many is no one array")

    def at_once(self, function: Callable[[Any], Any]) -> Any:
        """Call a function of one measurement with what has arrays for numbers; None where it takes none."""
        try:
            return function(self._added.summands.made(self))
        except TypeError:
            return None

    def one_by_one(self, where: np.ndarray) -> Iterator[tuple[tuple[int, ...], object]]:
        """Yield the places where something is true, and the measurement there."""
        known: dict[str, np.ndarray] = {}
        for place in zip(*(each.tolist() for each in where.nonzero()), strict=True):
            yield place, self._added.summands.made(_One(self, place, known))

    def integers(self, name: str) -> np.ndarray:
        """Return some numbers of all of them, the numbers last: int64, or Python's where they are large."""
        pieces = self._pieces(name)
        if len(pieces) == 1 and pieces[0][0] == 0:
            return np.moveaxis(pieces[0][1].astype(np.int64), 1, -1)
        summed = sum(values.astype(np.int64).astype(object) << at for at, values in pieces)
        return np.moveaxis(cast("np.ndarray", summed), 1, -1)


class _One:
    """The numbers of one of many, as metrics take them."""

    def __init__(self, many: Many, place: tuple[int, ...], known: dict[str, np.ndarray]) -> None:
        self._many, self._place, self._known = many, place, known

    def __call__(self, name: str) -> list[int]:
        found: list[int] = self.array(name).tolist()
        return found

    def array(self, name: str) -> np.ndarray:
        """Return some numbers as an array."""
        if name not in self._known:
            self._known[name] = self._many.integers(name)
        found: np.ndarray = self._known[name][self._place]
        return found


def scored(metric: Metric, many: Many, undefined: str) -> np.ndarray:
    """Return a metric of many measurements: at once where it takes them so, else one by one.

    Parameters
    ----------
    metric : Metric
    many : Many
    undefined : str
        The policy where both masks are empty.

    Returns
    -------
    numpy.ndarray
        float64 of the shape of ``many.there``: to the bit what the metric gives of each alone; NaN where
        there is nothing.
    """
    every, values = many.at_once(metric.at_once), np.full(many.there.shape, np.nan)
    rest = many.there
    if isinstance(every, np.ndarray) and every.shape == values.shape:
        np.copyto(values, every, where=many.there)
        is_put = metric.follows_undefined and undefined != "skip"
        rest = many.there & np.isnan(values) & is_put
        if metric.is_empty is None:
            values[rest] = float(undefined == "one")
            rest = np.zeros_like(rest)
    for place, each in many.one_by_one(rest):
        values[place] = metric.value(each, None, undefined)
    return values
