"""What averages are in each resample of the cases: their measurements added up, and scored, anew.

Cases, or groups of them, are drawn as :mod:`~dicecli.reports.bootstrap` draws them. Whatever is added up over
what was drawn is a whole number that is exact in float64, and all else is done element by element, in one
order: every machine gives the same interval.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, NamedTuple, cast

import numpy as np

from dicecli.metrics._wholes import EXACT, Wholes
from dicecli.records.counts import Counts
from dicecli.reports.bootstrap import RESAMPLES, draws, limits, stepped, units_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.metrics._metric import Metric

#: Numbers of resamples at a time, so that memory stays small with many labels.
_CELLS = 1 << 21
#: Numbers that are too large are added up in pieces of so many bits.
_PIECE = 20


class Mean(NamedTuple):
    """Where the mean of a column is made of sums: the sum of its values, in steps, and their number."""

    total: int
    number: int
    step: float


class Whole(NamedTuple):
    """Where a whole number is among the sums: in pieces, each worth so much more than the one before."""

    pieces: tuple[int, ...]


class Sums:
    """Columns of numbers per case, each added up once over what is drawn.

    Parameters
    ----------
    groups : sequence of str or None
        Of the cases; a case without a group is one of its own.
    """

    def __init__(self, groups: Sequence[str | None]) -> None:
        self.units = units_of(groups)
        self._number = int(self.units.max(initial=-1)) + 1
        self._columns: list[np.ndarray] = []
        self._places: dict[bytes, int] = {}

    def mean(self, values: np.ndarray) -> Mean:
        """Take in the values of the cases, those that are finite, to draw their mean."""
        steps, defined, scale = stepped(values.reshape(-1, 1), self.units)
        return Mean(self._place(steps[:, 0]), self._place(defined[:, 0]), float(scale[0]))

    def whole(self, numbers: np.ndarray) -> Whole:
        """Take in whole numbers of the cases, none below 0: int64, or Python's where these are large."""
        most = int(numbers.max(initial=0))
        # A resample draws as many units as there are, and no unit has more than all of its cases.
        largest = most * int(np.bincount(self.units).max(initial=1))
        if largest * self._number <= EXACT:
            return Whole((self._place(numbers.astype(np.float64)),))
        found, rest = [], numbers.astype(object)
        for _ in range(0, most.bit_length(), _PIECE):
            found.append(self._place((rest % (1 << _PIECE)).astype(np.float64)))
            rest = rest >> _PIECE
        return Whole(tuple(found))

    def _place(self, per_case: np.ndarray) -> int:
        column = np.bincount(self.units, weights=per_case, minlength=self._number)
        key = column.tobytes()
        if key not in self._places:
            self._places[key] = len(self._columns)
            self._columns.append(column)
        return self._places[key]

    def several(self, is_there: np.ndarray) -> bool:
        """Whether more than one of what is drawn has something, by what each case has."""
        return np.unique(self.units[is_there]).size > 1

    def limits(self, asked: Sequence[Callable[[np.ndarray], np.ndarray]]) -> list[tuple[float, float]]:
        """Return the limits of the 95 % interval of whatever is made of the sums.

        Parameters
        ----------
        asked : sequence of callable
            From sums, ``(resamples, columns)``, to a value of each resample, NaN where it has none.
        """
        if not asked:
            return []
        every = np.empty((len(asked), RESAMPLES))
        table, start = np.column_stack(self._columns), 0
        rows = max(1, _CELLS // table.shape[1])
        for drawn in draws(self._number):
            for first in range(0, len(drawn), rows):
                sums = drawn[first : first + rows] @ table
                for place, each in enumerate(asked):
                    every[place, start : start + len(sums)] = each(sums)
                start += len(sums)
        return [limits(values) for values in every]


def mean_of(sums: np.ndarray, found: Mean) -> np.ndarray:
    """Return the mean of a column in each resample, NaN where it has no value there."""
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = sums[:, found.total] / sums[:, found.number] * found.step
    return means


def over_rows(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
    """Return the mean over rows of those that are finite, weighted or not, in each resample.

    Parameters
    ----------
    values, weights : numpy.ndarray
        ``(resamples, rows)``.

    Returns
    -------
    numpy.ndarray
        ``(resamples,)``; NaN where no row is left, or no weight.
    """
    finite = np.isfinite(values)
    kept = finite.astype(np.float64) if weights is None else np.where(finite, weights, 0.0)
    summands = np.where(finite, values, 0.0) * kept
    # One row after the other, since how NumPy adds up an axis is its own affair.
    total, weight = np.zeros(len(values)), np.zeros(len(values))
    for row in range(values.shape[1]):
        total += summands[:, row]
        weight += kept[:, row]
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = total / weight
    return means


class Counted:
    """The counts of some rows, to be added up over what is drawn, and scored by any metric of counts.

    Parameters
    ----------
    sums : Sums
    numbers : numpy.ndarray
        Per case and row the four counts, ``(cases, rows, 4)``.
    """

    def __init__(self, sums: Sums, numbers: np.ndarray) -> None:
        self._rows = [[sums.whole(row) for row in field] for field in numbers.transpose(2, 1, 0)]
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self.is_several = sums.several(np.any(numbers[:, :, :3] > 0, axis=(1, 2)))

    def drawn(self, sums: np.ndarray) -> np.ndarray:
        """Return the counts in each resample: ``(4, resamples, rows)``, float64 or, where large, Python's."""
        if self._last is None or self._last[0] is not sums:
            shape = (4, len(sums), len(self._rows[0]))
            every = [[_added(sums, row) for row in field] for field in self._rows]
            self._last = sums, np.array(every).transpose(0, 2, 1).reshape(shape)
        return self._last[1]


class Asked(NamedTuple):
    """Where the sums have what averages of one metric over some rows are made of.

    Attributes
    ----------
    counted : Counted or None
        The counts of the rows; None of a metric that is of something else.
    means : sequence of Mean
        Of the values of each row.
    """

    counted: Counted | None
    means: Sequence[Mean]


class Drawn:
    """What averages ask of a metric in some resamples; NaN is undefined.

    Parameters
    ----------
    sums : numpy.ndarray
        What is added up in each resample, ``(resamples, columns)``.
    metric : Metric
    asked : Asked
        Where in the sums there is what.
    undefined : str
        The policy where both masks are empty.
    """

    def __init__(self, sums: np.ndarray, metric: Metric, asked: Asked, undefined: str) -> None:
        self.sums, self._metric, self._asked, self._undefined = sums, metric, asked, undefined

    @cached_property
    def scores(self) -> np.ndarray:
        """The metric of each row, added up over the cases: float64, ``(resamples, rows)``."""
        return scored(self._metric, self._counted.drawn(self.sums), self._undefined)

    @property
    def whole(self) -> np.ndarray:
        """The metric of everything added up: ``(resamples,)``."""
        found = self._counted.drawn(self.sums)
        if not found.size:
            return np.full(len(self.sums), math.nan)
        fits = found.max() * found.shape[2] <= EXACT
        return scored(self._metric, (found if fits else _as_integers(found)).sum(axis=2), self._undefined)

    @property
    def weights(self) -> np.ndarray:
        """The weight of each row, its size in the reference: ``(resamples, rows)``."""
        tp, _, fn, _ = self._counted.drawn(self.sums)
        weights: np.ndarray = (tp + fn).astype(np.float64)
        return weights

    @property
    def means(self) -> np.ndarray:
        """The mean of the metric of each row over the cases where it is finite: ``(resamples, rows)``."""
        found = [mean_of(self.sums, each) for each in self._asked.means]
        return np.array(found).reshape(len(found), len(self.sums)).T

    mean = staticmethod(over_rows)

    @property
    def _counted(self) -> Counted:
        if self._asked.counted is None:
            raise LookupError(f"{self._metric.name} is of no counts")
        return self._asked.counted


def _added(sums: np.ndarray, number: Whole) -> np.ndarray:
    """Return a whole number in each resample."""
    if len(number.pieces) == 1:
        found: np.ndarray = sums[:, number.pieces[0]]
        return found
    pieces = (_as_integers(sums[:, place]) << (_PIECE * at) for at, place in enumerate(number.pieces))
    return cast("np.ndarray", sum(pieces))


def _as_integers(values: np.ndarray) -> np.ndarray:
    """Return whole numbers as Python's integers, of any size."""
    found = np.empty(values.shape, object)
    found.reshape(-1)[:] = [int(each) for each in values.reshape(-1)]
    return found


def scored(metric: Metric, counts: np.ndarray, undefined: str) -> np.ndarray:
    """Return a metric of many counts: at once where it is a ratio of them, else one by one.

    Parameters
    ----------
    metric : Metric
        Of counts.
    counts : numpy.ndarray
        ``(4, ...)``: float64, each a whole number, or Python's integers.
    undefined : str
        The policy where both masks are empty.

    Returns
    -------
    numpy.ndarray
        float64 of the shape ``(...)``; each is what the metric gives of these counts alone, to the bit.
    """
    shape = counts.shape[1:]
    if counts.dtype != object and counts.size and metric.is_empty is None:
        found = metric.at_once(_wholes(counts))
        if isinstance(found, np.ndarray) and found.shape == shape:
            is_put = metric.follows_undefined and undefined != "skip"
            return np.where(np.isnan(found), float(undefined == "one"), found) if is_put else found
    known: dict[tuple[int, ...], float] = {}
    every = []
    for each in zip(*_as_integers(counts).reshape(4, -1).tolist(), strict=True):
        if each not in known:
            known[each] = metric.value(Counts(*each), None, undefined)
        every.append(known[each])
    return np.array(every, np.float64).reshape(shape)


def _wholes(counts: np.ndarray) -> Counts:
    """Return the counts of many as those of one, so that a metric takes them."""
    return Counts(*cast("tuple[int, ...]", (Wholes(each, int(each.max())) for each in counts)))
