"""What averages are in each resample of the cases: their measurements added up, and scored, anew.

Cases, or groups of them, are drawn as :mod:`~dicecli.reports.bootstrap` draws them. Whatever is added up over
what was drawn is a whole number that is exact in float64, and all else is done element by element, in one
order: every machine gives the same interval.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from dicecli.records.wholes import Wholes
from dicecli.reports.adding import Added, scored
from dicecli.reports.bootstrap import RESAMPLES, draws, limits, stepped, units_of
from dicecli.reports.drawn import Block

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.wholes import Summands
    from dicecli.reports.adding import Many

#: Numbers of resamples at a time, so that memory stays small with many labels.
_CELLS = 1 << 21
#: So many cases or groups are drawn in fewer ways than there are resamples: 7 in 1,716.
_FEW = 7


class Mean(NamedTuple):
    """Where the mean of a column is made of sums: the sum of its values, in steps, and their number."""

    total: int
    number: int
    step: float


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
        self._width = 1

    def mean(self, values: np.ndarray) -> Mean:
        """Take in the values of the cases, those that are finite, to draw their mean."""
        steps, defined, scale = stepped(values.reshape(-1, 1), self.units)
        return Mean(self._place(steps[:, 0]), self._place(defined[:, 0]), float(scale[0]))

    def added(self, taken: Sequence[Sequence[Any]], part: slice, summands: Summands) -> Added:
        """Take in what was measured of some of the rows, to draw what it adds up to."""
        found = Added(self.units, taken, part, summands)
        self._width = max(self._width, found.rows * summands.width)
        return found

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

    def limits(self, asked: Sequence[Callable[[Block], np.ndarray]]) -> list[tuple[float, float]]:
        """Return the limits of the 95 % interval of whatever is made of the sums.

        Parameters
        ----------
        asked : sequence of callable
            From resamples to a value of each, NaN where it has none.
        """
        if not asked:
            return []
        every, start = np.empty((len(asked), RESAMPLES)), 0
        self._table = np.column_stack(self._columns) if self._columns else np.zeros((self._number, 0))
        rows = max(1, _CELLS // max(self._width, self._table.shape[1]))
        for drawn in draws(self._number):
            for first in range(0, len(drawn), rows):
                different, which = _different(drawn[first : first + rows])
                block = Block(different)
                for place, each in enumerate(asked):
                    every[place, start : start + len(which)] = each(block)[which]
                start += len(which)
                block.forget()
        return [limits(values) for values in every]

    def mean_of(self, block: Block, found: Mean) -> np.ndarray:
        """Return the mean of a column in each resample, NaN where it has no value there."""
        sums = block.kept(self, lambda: block.drawn @ self._table)
        with np.errstate(invalid="ignore", divide="ignore"):
            means: np.ndarray = sums[:, found.total] / sums[:, found.number] * found.step
        return means


def _different(drawn: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return those of some resamples that differ, and which of them each is: of few units, most are alike."""
    if drawn.shape[1] > _FEW:
        return drawn, np.arange(len(drawn))
    different, which = np.unique(drawn, axis=0, return_inverse=True)
    return different, which.reshape(-1)


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


class Asked(NamedTuple):
    """What averages of one metric over some rows are made of.

    Attributes
    ----------
    added : Added or None
        What was measured of the rows; None where it is not added up anew.
    leading : Added or None
        The same of the statistic that weights are of.
    weigh : callable
        From what that statistic has of a row to its weight.
    means : sequence of Mean
        Of the values of each row.
    """

    added: Added | None
    leading: Added | None
    weigh: Callable[[Any], float]
    means: Sequence[Mean]


class Drawn:
    """What averages ask of a metric in some resamples; NaN is undefined.

    Parameters
    ----------
    sums : Sums
    block : Block
        The resamples.
    metric : Metric
    asked : Asked
    undefined : str
        The policy where both masks are empty.
    """

    def __init__(self, sums: Sums, block: Block, metric: Metric, asked: Asked, undefined: str) -> None:
        self._sums, self._block, self._metric = sums, block, metric
        self._asked, self._undefined = asked, undefined

    @cached_property
    def scores(self) -> np.ndarray:
        """The metric of each row, added up over the cases: float64, ``(resamples, rows)``."""
        return scored(self._metric, _known(self._asked.added).in_rows(self._block), self._undefined)

    @property
    def whole(self) -> np.ndarray:
        """The metric of everything added up: ``(resamples,)``."""
        return scored(self._metric, _known(self._asked.added).whole(self._block), self._undefined)

    @property
    def weights(self) -> np.ndarray:
        """The weight of each row, its size in the reference: ``(resamples, rows)``."""
        return _weighed(self._asked.weigh, _known(self._asked.leading).in_rows(self._block))

    @property
    def means(self) -> np.ndarray:
        """The mean of the metric of each row over the cases where it is finite: ``(resamples, rows)``."""
        found = [self._sums.mean_of(self._block, each) for each in self._asked.means]
        return np.array(found).reshape(len(found), len(self._block)).T

    @staticmethod
    def mean(values: np.ndarray, weights: np.ndarray | None = None) -> np.ndarray:
        """Return the mean over rows, as :func:`over_rows` has it."""
        return over_rows(values, weights)


def _known(added: Added | None) -> Added:
    if added is None:
        raise LookupError("this is not added up anew")
    return added


def _weighed(weigh: Callable[[Any], Any], many: Many) -> np.ndarray:
    """Return the weights of many measurements, whole numbers: float64, 0 where there is nothing."""
    every, weights = many.at_once(weigh), np.zeros(many.there.shape)
    if isinstance(every, Wholes):
        np.copyto(weights, every.values, where=many.there)
        return weights
    for place, each in many.one_by_one(many.there):
        weights[place] = weigh(each)
    return weights
