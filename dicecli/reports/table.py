"""Every value of some cases, each computed once; what is pooled of them, averages, statistics over cases."""

from __future__ import annotations

import math
from array import array
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from dicecli.records.counts import Counts
from dicecli.reports.averages import AVERAGES, OVER_REGIONS, exists
from dicecli.reports.measured import added, measurements
from dicecli.reports.packed import Packed
from dicecli.reports.pools import Pools, Sums
from dicecli.reports.rows import RowValues
from dicecli.statistics._leading import leading, taken_as

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.records.settings import Settings
    from dicecli.reports.means import Average
    from dicecli.reports.summing import Columns


class Table:
    """Measurements and values of some cases.

    Parameters
    ----------
    scored : sequence of Scored
    rows : sequence of Row
        The evaluated labels, then the regions.
    settings : Settings
        What is read, and what a metric is where both masks are empty.
    whole : Table, optional
        One that has the same rows of these cases and of others, so that nothing is computed twice.
    start : int
        The first of these cases in it.
    """

    def __init__(
        self,
        scored: Sequence[Scored],
        rows: Sequence[Row],
        settings: Settings,
        whole: Table | None = None,
        start: int = 0,
    ) -> None:
        self.scored, self.rows = tuple(scored), tuple(rows)
        self._settings, self._undefined = settings, settings.undefined
        self._leading = leading(settings.reads)
        #: What metrics are of that take what the leading statistic has.
        self.taken_as = taken_as(settings.reads)
        self._labels = sum(row.kind == "label" for row in rows)
        self._whole, self._start = whole, start
        self._taken: dict[str, Sequence[list[Any]]] = {}
        self._values: dict[str, array[float]] = {}
        self._totals: dict[str, list[Any]] = {}
        self._pooled: dict[str, list[float]] = {}

    def of_case(self, place: int) -> Table:
        """Return the table of one of the cases alone."""
        return Table(self.scored[place : place + 1], self.rows, self._settings, self, place)

    def taken(self, of: str) -> Sequence[list[Any]]:
        """Return what metrics of a statistic take: per case, of each row; None where it has no such row."""
        if of not in self._taken:
            if self._whole is not None:
                end = self._start + len(self.scored)
                self._taken[of] = self._whole.taken(of)[self._start : end]
            else:
                every = (measurements(each, of, self.rows) for each in self.scored)
                self._taken[of] = Packed(len(self.rows), every) if of == "counts" else list(every)
        return self._taken[of]

    @property
    def leading(self) -> Sequence[list[Any]]:
        """What the leading statistic has of each row, per case."""
        return self.taken(self.taken_as)

    @property
    def pooled_leading(self) -> list[Any]:
        """What the leading statistic has of each row, added up over the cases."""
        return self.totals(self.taken_as)

    def values(self, metric: Metric) -> array[float]:
        """Return every value of a metric: the rows of one case after those of the other; NaN undefined."""
        width = len(self.rows)
        if metric.name not in self._values:
            if self._whole is not None:
                start = self._start * width
                self._values[metric.name] = self._whole.values(metric)[
                    start : start + width * len(self.scored)
                ]
            else:
                self.compute([metric])
        return self._values[metric.name]

    def compute(self, metrics: Iterable[Metric]) -> None:
        """Compute every value of some metrics, case by case, so that each is looked at once."""
        missing = {each.name: each for each in metrics if each.name not in self._values}
        if self._whole is not None or not missing:
            return
        found: dict[str, array[float]] = {name: array("d") for name in missing}
        taken = {each.of: self.taken(each.of) for each in missing.values()}
        for place, case in enumerate(self.scored):
            of_case = {of: every[place] for of, every in taken.items()}
            for name, each in missing.items():
                found[name].extend(each.of_case(of_case[each.of], case, self._undefined))
        self._values |= found

    def of_one(self, metric: Metric, place: int) -> list[float]:
        """Return the values of a metric in one case, without computing those of the others."""
        width = len(self.rows)
        if metric.name in self._values or self._whole is not None:
            return self.values(metric)[place * width : place * width + width].tolist()
        return self._computed(metric, place)

    def _computed(self, metric: Metric, place: int) -> list[float]:
        return metric.of_case(self.taken(metric.of)[place], self.scored[place], self._undefined)

    def totals(self, of: str) -> list[Any]:
        """Return what was measured of each row, added up over the cases; None where no case has the row."""
        if of not in self._totals:
            every = self.taken(of)
            if isinstance(every, Packed) and self.scored:
                self._totals[of] = every.totals()
            else:
                columns = zip(*every, strict=True) if self.scored else [()] * len(self.rows)
                self._totals[of] = [added(column) for column in columns]
        return self._totals[of]

    def pooled(self, metric: Metric) -> list[float]:
        """Return a metric of each row, of the cases added up; NaN of one that does not pool."""
        if not metric.pools:
            return [math.nan] * len(self.rows)
        if metric.name not in self._pooled:
            if len(self.scored) == 1:
                self._pooled[metric.name] = self.of_one(metric, 0)
            else:
                totals = self.totals(metric.of)
                values = [metric.value(each, self._sizes, self._undefined) for each in totals]
                self._pooled[metric.name] = values
        return self._pooled[metric.name]

    def averages(self, names: Iterable[str], metrics: Sequence[Metric]) -> dict[str, dict[str, Average]]:
        """Compute averages by their names, over labels or over regions as these say; then by metric.

        One that does not pool is missing where measurements would be added up.
        """
        names, sums = tuple(names), dict[tuple[str, bool], Sums]()
        if any(not AVERAGES[OVER_REGIONS.get(name, name)].pools for name in names):
            self.compute(each for each in metrics if each.averaged)
        pools: dict[tuple[str, bool], Pools] = {}
        found: dict[str, dict[str, Average]] = {}
        for name in names:
            over_regions, compute = name in OVER_REGIONS, AVERAGES[OVER_REGIONS.get(name, name)].compute
            found[name] = {}
            for each in metrics:
                if exists(name, each):
                    if (each.name, over_regions) not in pools:
                        pools[each.name, over_regions] = self.pools(each, sums, over_regions=over_regions)
                    found[name][each.name] = compute(pools[each.name, over_regions])
        return found

    def part(self, *, over_regions: bool) -> slice:
        """Return which of the rows averages are over."""
        return slice(self._labels, None) if over_regions else slice(self._labels)

    def pools(self, metric: Metric, sums: dict[tuple[str, bool], Sums], *, over_regions: bool) -> Pools:
        """Return what averages of a metric are made of; `sums` keeps what metrics of one kind share."""
        part = self.part(over_regions=over_regions)
        key = metric.of, over_regions
        if key not in sums:
            taken = [case[part] for case in self.taken(metric.of)]
            sums[key] = Sums(taken, self.totals(metric.of)[part])
        return Pools(
            sums[key],
            partial(metric.value, undefined=self._undefined),
            lambda: self.pooled(metric)[part],
            lambda: self._rows_of(metric, part),
            lambda: self._weights[part],
            over=metric.over_labels,
        )

    def _rows_of(self, metric: Metric, part: slice) -> list[list[float]]:
        """Return the values of a metric in some of the rows, per case."""
        flat, width = self.values(metric).tolist(), len(self.rows)
        starts = [place * width for place in range(len(self.scored))]
        return [flat[start : start + width][part] for start in starts]

    @cached_property
    def _weights(self) -> list[float]:
        """What averages weight each row by; nothing where no case was scored."""
        return [0.0 if each is None else self.weigh(each) for each in self.pooled_leading]

    @property
    def weigh(self) -> Callable[[Any], float]:
        """From what the leading statistic has of a row to what averages weight it by."""
        return self._leading.weight

    def columns(self, metrics: Sequence[Metric]) -> list[Columns]:
        """Return what statistics over cases are made of: every value of every row, and what is pooled."""
        import numpy as np

        from dicecli.reports.summing import Columns

        self.compute(metrics)
        shape = (len(metrics), len(self.scored), len(self.rows))
        table = np.array([self.values(each) for each in metrics], np.float64).reshape(shape)
        pooled = [self.pooled(each) for each in metrics]
        every, found = tuple(range(len(self.scored))), []
        for place, row in enumerate(self.rows):
            cases, values = every, table[:, :, place].T
            if not isinstance(self.leading, Packed):  # counts are there of every row
                cases = tuple(at for at, case in enumerate(self.leading) if case[place] is not None)
                values = values[list(cases)]
            of_all, wrong = tuple(each[place] for each in pooled), tuple(self._wrong(place, cases))
            found.append(Columns(row.label, row.name, cases, values, of_all, wrong))
        return found

    def _wrong(self, row: int, cases: Sequence[int]) -> list[int]:
        """Return how much of a row is wrong in some cases."""
        taken, wrong = self.leading, self._leading.wrong
        if isinstance(taken, Packed):  # of very many, all at once
            every: Any = wrong(Counts(*taken.numbers()[:, row].T))
            found: list[int] = every.tolist()
            return found
        return [wrong(taken[case][row]) for case in cases]

    @cached_property
    def _sizes(self) -> Mapping[str, float]:
        """The size of a pixel, where all cases have one and the same."""
        is_one_size = len({tuple(each.sizes.items()) for each in self.scored}) == 1
        return self.scored[0].sizes if is_one_size else {}


def values_of(table: Table, metrics: Sequence[Metric], reads: str) -> tuple[RowValues, ...]:
    """Return the rows that the first case of a table has, with every metric's value."""
    head, found = leading(reads), []
    columns = {each.name: table.of_one(each, 0) for each in metrics}
    for place, (row, taken) in enumerate(zip(table.rows, table.leading[0], strict=True)):
        if taken is not None:
            values = {name: column[place] for name, column in columns.items()}
            found.append(RowValues(row, head.facts(taken), head.sizes(taken), values))
    return tuple(found)
