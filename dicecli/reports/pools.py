"""One metric in some rows of some cases, its measurements added up in every way that averages need."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from dicecli.reports.means import Average, mean, weighted_mean
from dicecli.reports.measured import added

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    Taken = Sequence[Sequence[object]]


class Sums:
    """Measurements of some rows of some cases, added up once for all metrics that take them.

    Parameters
    ----------
    taken : sequence of sequence
        Per case, what metrics take of each row; None where the case has no such row.
    totals : sequence
        Of each row over the cases.
    """

    def __init__(self, taken: Taken, totals: Sequence[object]) -> None:
        self.taken, self.totals = taken, totals

    @cached_property
    def cases(self) -> list[object]:
        """Each case, its rows added up."""
        return [added(case) for case in self.taken]

    @cached_property
    def whole(self) -> object:
        """Everything added up."""
        return added(self.totals)

    @cached_property
    def cells(self) -> int:
        """How many measurements there are: rows that cases have."""
        return sum(each is not None for case in self.taken for each in case)

    @property
    def is_full(self) -> bool:
        """Whether every case has every row."""
        return self.cells == len(self.taken) * len(self.totals)


class Pools:
    """What averages ask of a metric.

    Parameters
    ----------
    sums : Sums
        Of the rows that the average is over.
    score : callable
        From a measurement to the metric's value, NaN where undefined; a policy that puts one is part of it.
    scores : callable
        Gives the metric of each row, added up over the cases.
    values : callable
        Gives the metric per case and row; called where an average is over values.
    weigh : callable
        Gives the weight of each row.
    over : callable, optional
        What the mean over rows is where it is not the mean of values: of measurements, and weights or None.
    """

    def __init__(
        self,
        sums: Sums,
        score: Callable[[object], float],
        scores: Callable[[], Sequence[float]],
        values: Callable[[], Sequence[Sequence[float]]],
        weigh: Callable[[], Sequence[float]],
        *,
        over: Callable[..., float] | None = None,
    ) -> None:
        self._sums, self.score, self._scores = sums, score, scores
        self._values, self._weigh, self._over = values, weigh, over

    @property
    def labels(self) -> Sequence[object]:
        """Each row, added up over the cases."""
        return self._sums.totals

    @property
    def cases(self) -> Sequence[object]:
        """Each case, added up over the rows."""
        return self._sums.cases

    @property
    def whole(self) -> object:
        """Everything added up."""
        return self._sums.whole

    @property
    def cells(self) -> int:
        """How many measurements there are."""
        return self._sums.cells

    @property
    def weights(self) -> Sequence[float]:
        """The weight of each row: its size in the reference."""
        return self._weigh()

    @cached_property
    def scores(self) -> Sequence[float]:
        """The metric of each row, added up over the cases; NaN undefined."""
        return self._scores()

    @cached_property
    def values(self) -> Sequence[Sequence[float]]:
        """The metric per case and row; NaN undefined."""
        return self._values()

    @property
    def columns(self) -> list[list[float]]:
        """The metric per row, of the cases that have the row."""
        if self._sums.is_full and self.values:
            return [list(column) for column in zip(*self.values, strict=True)]
        pairs = list(zip(self.values, self._sums.taken, strict=True))
        rows = range(len(self.labels))
        return [[case[row] for case, taken in pairs if taken[row] is not None] for row in rows]

    def over_labels(
        self, measurements: Sequence[object], values: Sequence[float], weights: Sequence[float] | None = None
    ) -> Average:
        """Average values over rows; what no measurement is of is left out."""
        there = [place for place, each in enumerate(measurements) if each is not None]
        kept = [values[place] for place in there]
        heavy = None if weights is None else [weights[place] for place in there]
        found = mean(kept) if heavy is None else weighted_mean(kept, heavy)
        if self._over is None or not found.n:
            return found
        value = self._over([measurements[place] for place in there], heavy)
        return Average(value, found.n, found.undefined, found.infinite, value)

    def over_labels_of(self, case: int) -> Average:
        """Average over the rows of one case."""
        if self._over is None and self._sums.is_full:
            return mean(self.values[case])
        return self.over_labels(self._sums.taken[case], self.values[case])
