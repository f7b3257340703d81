"""Every number of a run, whatever its predictions are, each computed once and when it is asked for.

Everything here is arithmetic on what :class:`~dicecli.records.cases.Scored` holds. Nothing reads a mask, so
that a report can be made again, in another form, from the measurements alone. The file is long because the
class is one: what a number hangs on stands beside it.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Self, TypeVar

from dicecli.errors import UsageError
from dicecli.records.cases import Failed, Result, Scored, Verdict
from dicecli.records.origin import NOWHERE
from dicecli.reports.advice import advice
from dicecli.reports.averages import AVERAGES, names_of
from dicecli.reports.averages import leading as leading_of
from dicecli.reports.chosen import chosen
from dicecli.reports.evaluated import evaluated, left_out
from dicecli.reports.grouping import grouped
from dicecli.reports.measured import check_measured, check_rows_measured
from dicecli.reports.named import Named
from dicecli.reports.notes import length_notes
from dicecli.reports.rows import CaseValues, identities
from dicecli.reports.run import Run, check_given
from dicecli.reports.suggestions import of_case
from dicecli.reports.table import Table, values_of
from dicecli.statistics._leading import leading, name_of, taken_as

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.measurements import Row
    from dicecli.records.origin import Origin
    from dicecli.records.settings import Settings
    from dicecli.reports.intervals import Interval
    from dicecli.reports.means import Average
    from dicecli.reports.rows import RowValues
    from dicecli.reports.suggestions import Suggestion
    from dicecli.reports.summary import Summary

Value = TypeVar("Value")


class Numbers(Run):
    """The numbers of a run: what :class:`Run` says of its cases, and every metric of them.

    Raises
    ------
    UnknownName
        A metric that does not exist.
    UsageError
        A metric of a statistic that was not measured.
    """

    def __init__(
        self,
        results: Sequence[Result],
        settings: Settings,
        *,
        notes: Sequence[str] = (),
        verdicts: Sequence[Verdict] = (),
        is_batch: bool | None = None,
        within: Numbers | None = None,
        origin: Origin = NOWHERE,
    ) -> None:
        check_given(results, settings)
        found = chosen(settings)
        notes = (*notes, *(each for each in origin.notes if each not in notes))
        super().__init__(
            results, settings, notes, verdicts, is_batch, has_lengths=found.has_lengths, within=within
        )
        self._within = within
        #: What was compared with what, by which words; without runs where nobody said.
        self.origin = origin
        #: The metrics of each row; names of lengths have their unit.
        self.metrics = self._as_here(found.rows)
        #: Those that rows of all cases have, and the table of one case alone.
        self.listed = self._as_here(found.listed)
        #: Those that tables show.
        self.shown = self._as_here(found.shown) if self.is_batch else self.listed
        #: Those of all labels at once.
        self.together = self._as_here(found.overall)
        self._tables: dict[Row, Table] = {}
        self.check_measured(found.rows)

    def _as_here(self, metrics: Iterable[Metric]) -> tuple[Metric, ...]:
        return tuple(each.with_settings(self.settings, self.unit) for each in metrics)

    def check_measured(self, metrics: Iterable[Metric]) -> None:
        """Check that of each case everything was measured that metrics need.

        Raises
        ------
        UsageError
        """
        others = [each for each in metrics if each.of != taken_as(self.settings.reads)]
        if others:
            check_measured(self.scored, self._as_here(others), self.has_something)
            if self.settings.only is not None:
                head = leading(self.settings.reads)
                check_rows_measured(self.scored, self._as_here(others), self.evaluated, head)

    def has_measured(self, metric: Metric) -> bool:
        """Tell whether of each case that has something everything was measured that a metric needs."""
        if metric.statistic != name_of(self.settings.reads):
            if not any(metric.statistic in each.measured for each in self.scored):
                return False
            try:
                self.check_measured([metric])
            except UsageError:
                return False
        return True

    @cached_property
    def evaluated(self) -> tuple[Row, ...]:
        """What each case has a row for: the evaluated labels, in ascending order, then the regions.

        Of a part of a run they are those of the whole.
        """
        return evaluated(self.scored, self.settings) if self._within is None else self._within.evaluated

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels evaluated."""
        return tuple(row.label for row in self.evaluated if row.label is not None)

    @property
    def regions(self) -> dict[str, tuple[int, ...]]:
        """The regions, with the labels of each."""
        return {row.name or "": row.members for row in self.evaluated if row.kind == "region"}

    @cached_property
    def table(self) -> Table:
        """Every value of :attr:`evaluated`, per scored case."""
        return Table(self.scored, self.evaluated, self.settings)

    def table_of(self, row: Row) -> tuple[Table, int]:
        """Return a table that has a row, evaluated or not, and its place there."""
        if row in self.evaluated:
            return self.table, self.evaluated.index(row)
        if row not in self._tables:
            self._tables[row] = Table(self.scored, [row], self.settings)
        return self._tables[row], 0

    def leading(self, metric: Metric) -> str:
        """Return the average that leads: that of the settings where the metric has it; over labels if any."""
        name = leading_of(metric, self.settings.average)
        return AVERAGES[name].over_regions if self.regions and not self.labels else name

    @cached_property
    def average_names(self) -> tuple[str, ...]:
        """The averages that there are: of several cases all, of one those that differ; over regions too."""
        return self._averages_of(several=self.is_batch)

    def _averages_of(self, *, several: bool) -> tuple[str, ...]:
        over_labels = names_of(self.metrics, several=several)
        return (*over_labels, *(AVERAGES[each].over_regions for each in over_labels if self.regions))

    @cached_property
    def averages(self) -> dict[str, dict[str, Average]]:
        """The averages over the run, by name and metric.

        A metric that does not pool is missing where counts, or whatever it is of, would be added up.
        """
        return _by_name(self.table.averages(self.average_names, self.metrics))

    @cached_property
    def intervals(self) -> dict[str, dict[str, Interval]]:
        """How sure each of :attr:`averages` is, by name and metric: interval and SD, NaN where there is none.

        They are drawn when they are asked for; of one case there are none.
        """
        rest = self._intervals_of([each for each in self.metrics if each not in self.shown])
        return _by_name(
            {
                name: {metric: {**rest[name], **own}[metric] for metric in self.averages[name]}
                for name, own in self.shown_intervals.items()
            }
        )

    @cached_property
    def shown_intervals(self) -> dict[str, dict[str, Interval]]:
        """The same of the metrics that tables show alone, which takes less time."""
        return self._intervals_of(self.shown)

    def _intervals_of(self, metrics: Sequence[Metric]) -> dict[str, dict[str, Interval]]:
        from dicecli.reports.intervals import intervals

        return intervals(self.table, self.average_names, metrics, self.settings.undefined)

    @cached_property
    def overall(self) -> dict[str, float]:
        """The metrics of all labels at once, their measurements added up over the cases."""
        return Named("metric of all labels at once", self.overall_of(self.scored))

    def overall_of(
        self, cases: Sequence[Scored], metrics: Sequence[Metric] | None = None
    ) -> dict[str, float]:
        """Return the metrics of all labels at once in some cases; undefined where there is none."""
        every = leading(self.settings.reads).every(cases, self.evaluated)
        return {each.name: each.value(every) for each in (self.together if metrics is None else metrics)}

    @cached_property
    def summary(self) -> Summary:
        """The statistics over cases of every row and metric."""
        from dicecli.reports.summing import summarise

        ranked = next((each for each in (*self.shown, *self.metrics) if each.better != "neither"), None)
        return summarise(
            self.table.columns(self.metrics),
            [each.name for each in self.metrics],
            [each.case for each in self.scored],
            expected=len(self.results),
            ranked=ranked.name if ranked else None,
            higher_is_better=ranked is not None and ranked.better == "higher",
        )

    @cached_property
    def groups(self) -> dict[str | None, Self]:
        """The cases by the column of ``group_by``, in the natural order of its values, each a report.

        Labels are evaluated, and lengths in the unit, as in the whole run. None is the cases that have
        nothing in the column, and comes last. Empty where nothing is to be grouped.
        """
        if self.settings.group_by is None:
            return {}
        own = replace(self.settings, group_by=None)
        found = grouped(self.results, self.settings.group_by)
        groups = {value: type(self)(each, own, is_batch=True, within=self) for value, each in found.items()}
        return Named(f"group of {self.settings.group_by}", groups)

    def cases(self) -> Iterator[CaseValues | Failed]:
        """Yield every case with its numbers, computed as it is asked for."""
        place = 0
        for each in self.results:
            if isinstance(each, Failed):
                yield each
            else:
                yield self._case(place)
                place += 1

    def case(self, result: Scored | str) -> CaseValues:
        """Return the numbers of one case of the run, given itself or by its name.

        Raises
        ------
        UsageError
            It is no scored case, or no case alone has the name.
        """
        return self._case(self.place_of(result))

    def _case(self, place: int) -> CaseValues:
        """Return the numbers of the scored case at a place."""
        self.table.compute(self.metrics)
        result, table = self.scored[place], self.table.of_case(place)
        rows = values_of(table, self.metrics, self.settings.reads)
        others = Table([result], left_out(result, self.evaluated, self.settings), self.settings)
        found = CaseValues(
            result=result,
            labels=tuple(each for each in rows if each.row.kind == "label"),
            regions=tuple(each for each in rows if each.row.kind == "region"),
            others=values_of(others, self.metrics, self.settings.reads),
            averages=table.averages(self._averages_of(several=False), self.metrics),
            overall=self.overall_of([result]),
            checks=identities(rows) if self.settings.reads == "labels" else {},
        )
        suggestions = tuple(of_case(result, self.settings))
        return replace(found, notes=self._noted(result, rows, suggestions), suggestions=suggestions)

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Every note on the run: of one case alone what is said of the case, else of all of them at once."""
        alone = self.notes_of(0) if self.scored and not self.is_batch else ()
        return tuple(dict.fromkeys((*alone, *self.notes_on_run)))

    @cached_property
    def suggestions(self) -> tuple[Suggestion, ...]:
        """What to try, where the numbers would be much better: of one case, or of all cases at once."""
        alone = of_case(self.scored[0], self.settings) if self.scored and not self.is_batch else ()
        return (*alone, *self.suggestions_on_run)

    def notes_of(self, place: int) -> tuple[str, ...]:
        """Return the notes on the scored case at a place, without computing its metrics."""
        result = self.scored[place]
        rows = values_of(self.table.of_case(place), (), self.settings.reads)
        return self._noted(result, rows, of_case(result, self.settings))

    def _noted(
        self, result: Scored, rows: Sequence[RowValues], suggestions: Sequence[Suggestion]
    ) -> tuple[str, ...]:
        of_lengths = length_notes(result) if self.has_lengths else ()
        made = advice(result, rows, self.settings, suggestions)
        return tuple(dict.fromkeys((*result.notes, *made, *of_lengths)))

    def has_something(self, case: Scored) -> bool:
        """Whether a case has any evaluated row in either side."""
        head = leading(self.settings.reads)
        return any(each is not None and head.is_there(each) for each in head.taken(case, self.evaluated))


def _by_name(content: Mapping[str, Mapping[str, Value]]) -> dict[str, dict[str, Value]]:
    """Return numbers by average and metric so that names with a slip are refused with the right ones."""
    inner = {name: Named(f"metric with the average {name}", each) for name, each in content.items()}
    return Named("average", inner)
