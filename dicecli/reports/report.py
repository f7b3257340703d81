"""From counts to numbers: the table of each case, its averages, and the record of a whole run.

Everything here is arithmetic on the counts in :class:`~dicecli.records.cases.Scored`. Nothing reads a mask,
so that a report can be made again, in another form, from the counts alone.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from functools import cached_property, partial
from typing import TYPE_CHECKING, Any

from dicecli.metrics._catalogue import Metric, catalogue, resolve
from dicecli.plugins import load
from dicecli.records.cases import Failed, Result, Scored, Verdict
from dicecli.records.counts import Counts, pooled
from dicecli.records.measurements import Row
from dicecli.reports.advice import advice
from dicecli.reports.averages import DEFINITIONS, OF_ONE_CASE, Average, Pools
from dicecli.reports.notes import run_notes
from dicecli.reports.rows import CaseScores, LabelScore, labels_found
from dicecli.statistics.matrix import label_counts, own_regions, region_counts

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from pandas import DataFrame

    from dicecli.records.settings import Settings
    from dicecli.reports.summary import Summary

#: Per case, per row: the values of one metric, by the metric's name.
Table = dict[str, list[list[float]]]
#: What tables show when no metric was chosen.
USUAL = ("dice", "iou", "precision", "recall")
#: The mean over regions is kept apart: regions overlap, and would count pixels twice among the labels.
MACRO_REGIONS = "macro-regions"


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
        self.results = tuple(results)
        self.settings = settings
        self._notes = tuple(notes)
        self.verdicts = tuple(verdicts)
        #: Whether this sums a run up, which may hold a single case, or shows one case alone.
        self.is_batch = len(self.results) != 1 if is_batch is None else is_batch
        chosen = None if settings.metrics is None else [resolve(name) for name in settings.metrics]
        every = list(catalogue().values()) if chosen is None else list(dict.fromkeys(chosen))
        #: The metrics of each label.
        self.metrics: tuple[Metric, ...] = tuple(each for each in every if each.needs != "labels")
        #: Those that tables show.
        self.shown: tuple[Metric, ...] = tuple(
            each for each in self.metrics if chosen is not None or each.name in USUAL
        )
        self._overall = [each for each in catalogue().values() if each.needs == "labels"]

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
            self.results, settings, notes=self._notes, verdicts=self.verdicts, is_batch=self.is_batch
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
        return tuple(run_notes(self.scored, len(self.results))) if self.is_batch else ()

    @property
    def unscored(self) -> tuple[Failed, ...]:
        """Every case without numbers: failed, left out for want of a prediction, or not reached."""
        return tuple(each for each in self.results if isinstance(each, Failed))

    def number(self, status: str) -> int:
        """Return how many cases have a status: scored, failed, missing or pending."""
        return sum(each.status == status for each in self.results)

    @cached_property
    def labels(self) -> tuple[int, ...]:
        """The labels evaluated: those declared, else those found in any mask of the run; not the ignored."""
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
        counts = self._counts(result, every)
        rows = [
            LabelScore(row, each, self._values(result, each))
            for row, each in zip(self.rows, counts, strict=True)
        ]
        labels, regions = tuple(rows[: len(self.labels)]), tuple(rows[len(self.labels) :])
        others = {*every, *_only(self.settings.labels.background)} - {*self.labels}
        scores = CaseScores(
            result=result,
            labels=labels,
            regions=regions,
            others=tuple(self._row(result, label, every) for label in sorted(others)),
            averages=self._averages([counts], OF_ONE_CASE),
            overall={each.name: each.function(every.values()) for each in self._overall},
            checks=identities([row.counts for row in (*labels, *regions)]),
        )
        notes = dict.fromkeys((*result.notes, *advice(scores, self.settings)))
        return replace(scores, notes=tuple(notes))

    @cached_property
    def averages(self) -> dict[str, dict[str, Average]]:
        """The averages over the run, by name and metric; all six where there are several cases."""
        if not self.is_batch:
            return self._averages(self.table, OF_ONE_CASE)
        return self._averages(self.table, tuple(DEFINITIONS), self.values)

    @cached_property
    def overall(self) -> dict[str, float]:
        """The metrics of the whole matrix, from the counts of every label added up over the cases."""
        pools = self.pooled_labels().values()
        return {each.name: each.function(pools) for each in self._overall}

    def pooled_labels(self) -> dict[int, Counts]:
        """Return the counts of every label that any case holds, added up over the cases."""
        found: dict[int, Counts] = {}
        counted, of = 0, dict[int, int]()
        for each in self.scored:
            counted += each.counted
            for label, counts in label_counts(each.measured).items():
                found[label] = found.get(label, Counts()) + counts
                of[label] = of.get(label, 0) + each.counted
        # In a case where neither mask holds a label, all pixels are its true negatives.
        return {label: found[label] + Counts(tn=counted - of[label]) for label in sorted(found)}

    @property
    def averaged(self) -> tuple[Metric, ...]:
        """The metrics that have averages."""
        return tuple(each for each in self.metrics if each.averaged)

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
        return self._counts(result, label_counts(result.measured))

    def _counts(self, result: Scored, every: Mapping[int, Counts]) -> list[Counts]:
        nothing = Counts(tn=result.counted)
        regions = region_counts(result.measured, self.regions).values() if self.regions else ()
        return [*(every.get(label, nothing) for label in self.labels), *regions]

    @cached_property
    def table(self) -> list[list[Counts]]:
        """The counts of each of :attr:`rows`, per scored case."""
        return [self.counts(each) for each in self.scored]

    @cached_property
    def values(self) -> Table:
        """Every metric by its name: per scored case, the value of each of :attr:`rows`; NaN undefined."""
        policy = self.settings.undefined
        counts = [(each.sizes, rows) for each, rows in zip(self.scored, self.table, strict=True)]
        return {
            each.name: [[each.value(row, sizes, policy) for row in rows] for sizes, rows in counts]
            for each in self.metrics
        }

    @cached_property
    def summary(self) -> Summary:
        """The statistics over cases of every row and metric."""
        import numpy as np

        from dicecli.reports.summary import Columns, summarise

        scored, metrics, policy = self.scored, self.metrics, self.settings.undefined
        shape = (len(metrics), len(scored), len(self.rows))
        table = np.array([self.values[each.name] for each in metrics], np.float64).reshape(shape)
        pools = [pooled(column) for column in zip(*self.table, strict=True)]
        is_one_size = len({tuple(each.sizes.items()) for each in scored}) == 1
        sizes = scored[0].sizes if is_one_size else {}
        columns = [
            Columns(
                row.label,
                row.name,
                tuple(range(len(scored))),
                table[:, :, place].T,
                tuple(each.value(counts, sizes, policy) for each in metrics),
            )
            for place, (row, counts) in enumerate(
                zip(self.rows, pools or [Counts()] * len(self.rows), strict=True)
            )
        ]
        ranked = next((each for each in (*self.shown, *metrics) if each.better != "neither"), None)
        return summarise(
            columns,
            [each.name for each in metrics],
            [each.case for each in scored],
            expected=len(self.results),
            ranked=ranked.name if ranked else None,
            higher_is_better=ranked is not None and ranked.better == "higher",
        )

    def _row(self, result: Scored, label: int, every: Mapping[int, Counts]) -> LabelScore:
        counts = every.get(label, Counts(tn=result.counted))
        row = Row("label", label, self.settings.labels.name(label), (label,))
        return LabelScore(row, counts, self._values(result, counts))

    def _values(self, result: Scored, counts: Counts) -> dict[str, float]:
        return {each.name: each.value(counts, result.sizes, self.settings.undefined) for each in self.metrics}

    def _averages(
        self, rows: Sequence[Sequence[Counts]], names: Sequence[str], values: Table | None = None
    ) -> dict[str, dict[str, Average]]:
        """Compute averages of every metric that has them; `values` has each metric per case and row."""
        labels, regions = self.labels, self.regions
        pools = Pools([row[: len(labels)] for row in rows])
        averaged = [(each, partial(each.value, undefined=self.settings.undefined)) for each in self.averaged]
        cut = {name: [row[: len(labels)] for row in rows] for name, rows in (values or {}).items()}
        table = {
            name: {each.name: pools.average(name, value, cut.get(each.name)) for each, value in averaged}
            for name in names
        }
        if regions:
            of_regions = Pools([row[len(labels) :] for row in rows])
            table[MACRO_REGIONS] = {each.name: of_regions.average("macro", value) for each, value in averaged}
        return table


def _only(label: int | None) -> tuple[int, ...]:
    return () if label is None else (label,)


def definition(name: str) -> str:
    """Say what an average is."""
    return DEFINITIONS["macro"].replace("label", "region") if name == MACRO_REGIONS else DEFINITIONS[name]


def identities(rows: Sequence[Counts]) -> dict[str, bool]:
    """Check, in exact fractions, that F1 is Dice and that Dice and IoU give each other, for every row."""
    equal = derived = True
    for tp, fp, fn, _ in rows:
        if not tp + fp + fn:
            continue
        dice, f1 = Fraction(2 * tp, 2 * tp + fp + fn), Fraction(2 * tp, (tp + fp) + (tp + fn))
        iou = Fraction(tp, tp + fp + fn)
        table = catalogue()
        counts = Counts(tp, fp, fn)
        equal &= dice == f1 and table["dice"].function(counts) == table["f1"].function(counts) == float(dice)
        derived &= dice == 2 * iou / (1 + iou) and iou == dice / (2 - dice)
        derived &= table["iou"].function(counts) == float(iou)
    return {"f1_equals_dice": equal, "dice_from_iou": derived}
