"""From measurements to numbers: the table of each case, its averages, and the record of a whole run.

Everything here is arithmetic on what :class:`~dicecli.records.cases.Scored` holds. Nothing reads a mask, so
that a report can be made again, in another form, from the measurements alone.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from dicecli.metrics._catalogue import Metric, catalogue, resolve
from dicecli.plugins import load
from dicecli.records.cases import Failed, Result, Scored, Verdict
from dicecli.records.measurements import Row
from dicecli.reports.advice import advice
from dicecli.reports.averages import DEFINITIONS, Average, of_one_case
from dicecli.reports.lengths import in_one_unit, unit_of
from dicecli.reports.measured import check_measured, counts_of, pooled_labels
from dicecli.reports.notes import length_notes, run_notes
from dicecli.reports.rows import CaseScores, LabelScore, identities, labels_found
from dicecli.reports.table import Table
from dicecli.statistics.matrix import is_layered, label_counts, own_regions

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pandas import DataFrame

    from dicecli.records.counts import Counts
    from dicecli.records.settings import Settings
    from dicecli.reports.summary import Summary

#: What tables show when no metric was chosen.
USUAL = ("dice", "iou", "precision", "recall")


class Report:
    """One record of a run, which every exporter reads.

    Parameters
    ----------
    results : sequence of Scored or Failed
        One for every expected case, in order.
    settings : Settings
    notes : sequence of str
        On the run as a whole.
    verdicts : sequence of Verdict
        What came of the gates.
    is_batch : bool, optional
        Whether to sum up; by default where there are several cases.

    Raises
    ------
    UnknownName
        A metric that does not exist.
    UsageError
        A metric of a statistic that was not measured.

    Notes
    -----
    Lengths of a run are in one unit, which stands in the names of such metrics: where one was asked for, a
    scored case of another unit than the first one's becomes a failed row ``UnitMismatch``.
    """

    def __init__(
        self,
        results: Sequence[Result],
        settings: Settings,
        *,
        notes: Sequence[str] = (),
        verdicts: Sequence[Verdict] = (),
        is_batch: bool | None = None,
    ) -> None:
        self._given = tuple(results)
        self.settings = settings
        self._notes = tuple(notes)
        self.verdicts = tuple(verdicts)
        #: Whether this sums a run up, which may hold a single case, or shows one case alone.
        self.is_batch = len(self._given) != 1 if is_batch is None else is_batch
        chosen = None if settings.metrics is None else [resolve(name) for name in settings.metrics]
        of_matrix = [each for each in catalogue().values() if each.of == "counts"]
        every = of_matrix if chosen is None else list(dict.fromkeys(chosen))
        #: Whether any metric is a length, and what lengths are in.
        self.has_lengths: bool = any(each.unit is not None for each in every)
        self.unit: str = unit_of(self._given)
        self.results = in_one_unit(self._given, self.unit) if self.has_lengths else self._given
        #: The metrics of each label; names of lengths have their unit.
        self.metrics: tuple[Metric, ...] = tuple(
            each.in_unit(self.unit) for each in every if each.takes == "row"
        )
        #: Those that tables show.
        self.shown: tuple[Metric, ...] = tuple(
            each for each in self.metrics if chosen is not None or each.name in USUAL
        )
        self._overall = [each for each in of_matrix if each.takes == "every"]
        if any(each.of != "counts" for each in every):
            check_measured(self.scored, every, self.rows)

    def to_dict(self) -> dict[str, Any]:
        """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
        record: dict[str, Any] = load("exporters", "json").record(self)
        return record

    def to_pandas(self) -> DataFrame:
        """Return the rows of the CSV as a data frame: one per case and label or region, undefined is NaN."""
        frame: DataFrame = load("exporters", "csv").frame(self)
        return frame

    def shown_with(self, settings: Settings) -> Report:
        """Return the same results with other settings of what to show."""
        return Report(
            self._given, settings, notes=self._notes, verdicts=self.verdicts, is_batch=self.is_batch
        )

    @property
    def scored(self) -> tuple[Scored, ...]:
        """The cases that were scored."""
        return tuple(each for each in self.results if isinstance(each, Scored))

    @property
    def failed(self) -> tuple[Failed, ...]:
        """The cases that could not be scored."""
        return tuple(each for each in self.unscored if each.status == "failed")

    @cached_property
    def notes(self) -> tuple[str, ...]:
        """Notes on the run as a whole: those given, and those made from the cases."""
        return tuple(dict.fromkeys((*self._notes, *self.made_notes)))

    @cached_property
    def made_notes(self) -> tuple[str, ...]:
        """What the notes on the cases add up to; nothing where there is one case, which says it itself."""
        if not self.is_batch:
            return ()
        return tuple(run_notes(self.scored, len(self.results), has_lengths=self.has_lengths))

    @property
    def unscored(self) -> tuple[Failed, ...]:
        """Every case without numbers: failed, left out for want of a prediction, or not reached."""
        return tuple(each for each in self.results if isinstance(each, Failed))

    def number(self, status: str) -> int:
        """Return how many cases have a status: scored, failed, missing or pending."""
        return sum(each.status == status for each in self.results)

    @cached_property
    def is_layered(self) -> bool:
        """Whether any case is of binary layers, which are regions, and hold no label."""
        return any(is_layered(each.measured) for each in self.scored)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The labels evaluated: those declared, else those found in any mask of the run; not the ignored.

        None where a case is of binary layers: what is measured of all cases are regions.
        """
        if self.is_layered:
            return ()
        scheme = self.settings.labels
        found = scheme.names or {label for each in self.scored for label in labels_found(each)}
        left_out = {*scheme.ignore, *(() if self.settings.include_background else _only(scheme.background))}
        return tuple(sorted(label for label in found if label not in left_out))

    def cases(self) -> Iterator[CaseScores | Failed]:
        """Yield every case with its numbers, computed as it is asked for."""
        for each in self.results:
            yield each if isinstance(each, Failed) else self.case_scores(each)

    def case_scores(self, result: Scored) -> CaseScores:
        """Compute the numbers of one case."""
        every = label_counts(result.measured)
        table, rows = self._scores(result, self.rows, every)
        labels, regions = tuple(rows[: len(self.labels)]), tuple(rows[len(self.labels) :])
        # Layers have no background; a case of nothing else has none either.
        has_labels = not is_layered(result.measured)
        others = {*every, *(_only(self.settings.labels.background) if has_labels else ())} - {*self.labels}
        not_averaged = [
            Row("label", each, self.settings.labels.name(each), (each,)) for each in sorted(others)
        ]
        scores = CaseScores(
            result=result,
            labels=labels,
            regions=regions,
            others=tuple(self._scores(result, not_averaged, every)[1]),
            averages=table.averages(of_one_case(self.metrics)),
            overall={each.name: each.function(every.values()) for each in self._overall},
            checks=identities([row.counts for row in (*labels, *regions)]),
        )
        of_lengths = length_notes(result) if self.has_lengths else ()
        notes = dict.fromkeys((*result.notes, *advice(scores, self.settings), *of_lengths))
        return replace(scores, notes=tuple(notes))

    @cached_property
    def averages(self) -> dict[str, dict[str, Average]]:
        """The averages over the run, by name and metric; all six where there are several cases.

        A metric that does not pool is missing where counts, or whatever it is of, would be added up.
        """
        return self.table.averages(tuple(DEFINITIONS) if self.is_batch else of_one_case(self.metrics))

    @cached_property
    def overall(self) -> dict[str, float]:
        """The metrics of the whole matrix, from the counts of every label added up over the cases."""
        pools = self.pooled_labels().values()
        return {each.name: each.function(pools) for each in self._overall}

    def pooled_labels(self) -> dict[int, Counts]:
        """Return the counts of every label that any case holds, added up over the cases that have labels."""
        return pooled_labels(self.scored)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """What each case has a row for: the evaluated labels, then the regions."""
        scheme = self.settings.labels
        labels = (Row("label", label, scheme.name(label), (label,)) for label in self.labels)
        return (*labels, *(Row("region", None, name, members) for name, members in self.regions.items()))

    @cached_property
    def regions(self) -> dict[str, tuple[int, ...]]:
        """The regions, with the labels of each: those declared, then layers of their own."""
        found = dict(self.settings.labels.regions)
        for each in self.scored:
            found |= {
                row.name or "": row.members for row in own_regions(each.measured) if row.name not in found
            }
        return found

    def counts(self, result: Scored) -> list[Counts]:
        """Return the counts of each of :attr:`rows` in one case."""
        return counts_of(result, self.rows)

    @cached_property
    def table(self) -> Table:
        """Every value of :attr:`rows`, per scored case."""
        return Table(self.scored, self.rows, self.metrics, self.settings.undefined)

    @cached_property
    def summary(self) -> Summary:
        """The statistics over cases of every row and metric."""
        ranked = next((each for each in (*self.shown, *self.metrics) if each.better != "neither"), None)
        return self.table.summary(len(self.results), ranked)

    def _scores(
        self, result: Scored, rows: Sequence[Row], every: Mapping[int, Counts]
    ) -> tuple[Table, list[LabelScore]]:
        counts = counts_of(result, rows, every)
        table = Table([result], rows, self.metrics, self.settings.undefined, [counts])
        scores = [LabelScore(row, counts[place], table.of_row(0, place)) for place, row in enumerate(rows)]
        return table, scores


def _only(label: int | None) -> tuple[int, ...]:
    return () if label is None else (label,)
