"""Every value of some cases, each computed once; averages, and statistics over cases."""

from __future__ import annotations

import math
from array import array
from collections.abc import Sequence
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any, overload

from dicecli.records.counts import Counts, pooled
from dicecli.reports.averages import MACRO_REGIONS, OF_VALUES, Average, Pools, exists
from dicecli.reports.measured import added, counts_of, measurements

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.metrics._catalogue import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.summary import Summary

#: Per case, per row: the values of one metric, by the metric's name.
Values = dict[str, list[list[float]]]


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


class Table:
    """Measurements and values of some cases.

    Parameters
    ----------
    scored : sequence of Scored
    rows : sequence of Row
        The evaluated labels, then the regions.
    metrics : sequence of Metric
        Of rows.
    undefined : {"skip", "zero", "one"}
        What a metric is where both masks are empty.
    counts : list of list of Counts, optional
        Per case those of each row, where they are known already.
    """

    def __init__(
        self,
        scored: Sequence[Scored],
        rows: Sequence[Row],
        metrics: Sequence[Metric],
        undefined: str,
        counts: list[list[Counts]] | None = None,
    ) -> None:
        self.scored, self.rows, self.metrics = tuple(scored), tuple(rows), tuple(metrics)
        self._undefined = undefined
        self._labels = sum(row.kind == "label" for row in rows)
        if counts is not None:
            self.counts = counts

    @cached_property
    def counts(self) -> Sequence[list[Counts]]:
        """The counts of each row, per case."""
        return Packed(len(self.rows), (counts_of(each, self.rows) for each in self.scored))

    @cached_property
    def measured(self) -> dict[str, Sequence[list[Any]]]:
        """What the metrics take, by what they are of: per case, that of each row."""
        others = dict.fromkeys(each.of for each in self.metrics if each.of != "counts")
        return {"counts": self.counts} | {
            of: [measurements(each, of, self.rows) for each in self.scored] for of in others
        }

    @cached_property
    def values(self) -> Values:
        """Every metric by its name: per case, the value of each row; NaN undefined."""
        found: Values = {each.name: [] for each in self.metrics}
        for at, result in enumerate(self.scored):
            taken = {of: rows[at] for of, rows in self.measured.items()}
            for each in self.metrics:
                found[each.name].append(each.of_case(taken[each.of], result, self._undefined))
        return found

    def of_row(self, case: int, row: int) -> dict[str, float]:
        """Return the value of every metric in one row of a case, both by their places."""
        return {name: values[case][row] for name, values in self.values.items()}

    def averages(self, names: Sequence[str]) -> dict[str, dict[str, Average]]:
        """Compute averages over labels by their names, then by the metric's; one that does not pool has few.

        With regions there is their macro average too.
        """
        end = self._labels
        metrics = [(each, partial(each.value, undefined=self._undefined)) for each in self.metrics]
        metrics = [(each, value) for each, value in metrics if each.averaged]
        pools = self._pools(slice(end))
        cut: Values = {}
        if not set(OF_VALUES).isdisjoint(names):
            cut = {each.name: [row[:end] for row in self.values[each.name]] for each, _ in metrics}
        found = {
            name: {
                each.name: pools[each.of].average(name, value, cut.get(each.name))
                for each, value in metrics
                if exists(name, each)
            }
            for name in names
        }
        if len(self.rows) > end:
            pools = self._pools(slice(end, None))
            found[MACRO_REGIONS] = {
                each.name: pools[each.of].average("macro", value)
                for each, value in metrics
                if exists(MACRO_REGIONS, each)
            }
        return found

    def _pools(self, part: slice) -> dict[str, Pools]:
        """Return what is added up of some of the rows, by what metrics are of."""
        counts = Pools([row[part] for row in self.counts])
        return {"counts": counts} | {
            of: Pools([row[part] for row in rows], added, counts)
            for of, rows in self.measured.items()
            if of != "counts"
        }

    def summary(self, expected: int, ranked: Metric | None) -> Summary:
        """Compute the statistics over cases of every row and metric; cases are worst by `ranked`."""
        import numpy as np

        from dicecli.reports.summary import Columns, summarise

        scored, metrics = self.scored, self.metrics
        shape = (len(metrics), len(scored), len(self.rows))
        table = np.array([self.values[each.name] for each in metrics], np.float64).reshape(shape)
        columns = [
            Columns(row.label, row.name, tuple(range(len(scored))), table[:, :, place].T, self._of_all(place))
            for place, row in enumerate(self.rows)
        ]
        return summarise(
            columns,
            [each.name for each in metrics],
            [each.case for each in scored],
            expected=expected,
            ranked=ranked.name if ranked else None,
            higher_is_better=ranked is not None and ranked.better == "higher",
        )

    def _of_all(self, place: int) -> tuple[float, ...]:
        """Return every metric of one row, added up over the cases; NaN of one that does not pool."""
        totals: dict[str, Any] = {"counts": pooled(row[place] for row in self.counts)}
        for each in self.metrics:
            if each.pools and each.of not in totals:
                totals[each.of] = added(row[place] for row in self.measured[each.of])
        return tuple(
            each.value(totals[each.of], self._sizes, self._undefined) if each.pools else math.nan
            for each in self.metrics
        )

    @cached_property
    def _sizes(self) -> Mapping[str, float]:
        """The size of a pixel, where all cases have one and the same."""
        is_one_size = len({tuple(each.sizes.items()) for each in self.scored}) == 1
        return self.scored[0].sizes if is_one_size else {}
