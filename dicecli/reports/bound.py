"""The name of a number, bound to a report: what it means there, its value over the run and in each case."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.alike import one_form
from dicecli.records.measurements import Row
from dicecli.records.settings import CALLED
from dicecli.reports.averages import AVERAGES, OF_VALUES, OVER_REGIONS, alone
from dicecli.reports.evaluated import row_of
from dicecli.reports.means import mean, of_one
from dicecli.reports.rows import labels_found
from dicecli.statistics._leading import leading as leading_statistic
from dicecli.words import did_you_mean, every

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.settings import Settings
    from dicecli.reports.asked import Asked
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers


@dataclass(frozen=True)
class Number:
    """One number of a report.

    Attributes
    ----------
    report : Numbers
    metric : Metric
        As the report has it.
    row : Row or None
        The label or region; None: all of them.
    average : str or None
        Over labels or regions; of a row ``macro`` is the pooled value, ``label-mean`` the mean over cases.
        None for a metric of all labels at once.
    """

    report: Numbers
    metric: Metric
    row: Row | None
    average: str | None

    def of_run(self) -> Average:
        """Return the number over all cases; undefined where none was scored, whatever the policy."""
        scored = self.report.scored
        if self.average is None and self.row is None:
            found = self.report.overall_of(scored, [self.metric])
            return of_one(found[self.metric.name] if scored else math.nan, len(scored))
        if self.row is None:
            name = self.average or ""
            name = name if name in self.report.average_names else alone(name, self.metric)
            return self.report.table.averages([name], [self.metric])[name][self.metric.name]
        table, place = self.report.table_of(self.row)
        if self.average == OF_VALUES:
            every = table.values(self.metric)[place :: len(table.rows)]
            return mean(
                value for value, case in zip(every, table.leading, strict=True) if case[place] is not None
            )
        value = table.pooled(self.metric)[place] if scored else math.nan
        return of_one(value, len(scored))

    def of_case(self, case: Scored) -> float:
        """Return the number of one case."""
        at = self.report.place_of(case)
        if self.average is None and self.row is None:
            return self.report.overall_of([case], [self.metric])[self.metric.name]
        if self.row is None:
            name = alone(self.average or "", self.metric)
            return self.report.table.of_case(at).averages([name], [self.metric])[name][self.metric.name].value
        table, place = self.report.table_of(self.row)
        return table.of_one(self.metric, at)[place]

    def is_there(self, case: Scored) -> bool:
        """Tell whether a case has what this number is of."""
        if self.row is None:
            return self.report.has_something(case)
        head = leading_statistic(self.report.settings.reads)
        (taken,) = head.taken(case, [self.row])
        return taken is not None and head.is_there(taken)


def metric_of(asked: Asked, report: Numbers, where: str = "this run") -> Metric:
    """Return the metric that a name means, as the report has it.

    Raises
    ------
    UsageError
        It is of predictions of the other kind, a length in another unit, or was not measured.
    """
    if asked.metric.reads != report.settings.reads:
        of, here = asked.metric.reads, report.settings.reads
        raise UsageError(
            f"{asked.metric.name} is of {CALLED[of]}, and {where} is of {CALLED[here]}",
            f"Name a metric of {CALLED[here]}: 'dicecli metrics' lists them.",
        )
    metric = asked.metric.with_settings(report.settings, report.unit)
    if asked.unit not in {None, report.unit} and report.scored:
        raise UsageError(
            f"lengths of {where} are in {report.unit}", f"Write {metric.name}, and the limit in that unit."
        )
    report.check_measured([asked.metric])
    return metric


def bind(asked: Asked, report: Numbers, where: str = "this run", beside: Sequence[Numbers] = ()) -> Number:
    """Look up what a name means; a label's number may also be one that the reports `beside` have.

    Raises
    ------
    UsageError
        An average, label or region that the report does not have, or as for :func:`metric_of`.
    """
    metric = metric_of(asked, report, where)
    if asked.row is not None:
        row = row_called(asked.row, report, where, beside)
        average = asked.average or ("macro" if metric.pools else OF_VALUES)
        meant = OVER_REGIONS.get(average, average)
        if row.kind == "label" and meant != average:
            raise UsageError(
                f"{average} is over regions, and '{asked.row}' is a label",
                f"Write {metric.name}[{asked.row}]@{meant}.",
            )
        return Number(report, metric, row, meant)
    if not metric.averaged:
        if metric.takes == "row":
            raise UsageError(f"{metric.name} has no averages", f"Name a label: {metric.name}[1].")
        return Number(report, metric, None, None)
    average = asked.average or report.leading(metric)
    known = [*report.average_names, *(each for each in AVERAGES if each not in report.average_names)]
    if average not in known and not (report.regions and average in OVER_REGIONS):
        raise UsageError(f"there is no average '{average}' in {where}", f"Known: {', '.join(known)}.")
    return Number(report, metric, None, average)


def row_called(text: str, report: Numbers, where: str = "this run", beside: Sequence[Numbers] = ()) -> Row:
    """Return the row that a text means: of a label by its number or name, or of a region.

    Raises
    ------
    UsageError
        There is none, or a label and a region are called so; the hint has those that there are. Or it has no
        row, where some labels alone are asked for.
    """
    check_has_row(text, report.settings)
    scheme = report.settings.labels
    background = () if scheme.background is None else (scheme.background,)
    found = (label for each in (report, *beside) for label in _found(each))
    asked = () if report.settings.only is None else report.settings.only.labels
    # Binary layers hold no label: they are regions, of which one may be called as a label is.
    labels = set() if report.is_layered else {*scheme.names, *background, *found, *asked}
    known = sorted(labels - {*scheme.ignore})
    # Where nothing was scored, nobody knows which labels and regions there are: undefined, and no fault of
    # the name.
    is_open = not scheme.is_declared and not report.scored
    if re.fullmatch(r"-?\d{1,4000}", text) and (int(text) in known or is_open):
        return row_of(int(text), report.settings)
    meant = [row_of(label, report.settings) for label in known if _is_called(scheme.name(label), text)]
    regions = report.regions if report.scored else {**scheme.regions, **report.regions}
    for name, members in regions.items():
        is_of_it = report.is_layered and [*map(str, members)] == [text]
        if (_is_called(name, text) or is_of_it) and (not meant or [*members] != [row.label for row in meant]):
            meant.append(Row("region", None, name, members))
    if len(meant) > 1:
        means = " and ".join(
            f"region {row.name}" if row.kind == "region" else f"label {row.label}" for row in meant
        )
        raise UsageError(f"'{text}' is {means}", "Write a label's number, or rename the region.")
    if not meant and is_open:
        return Row("region", None, text, ())
    if not meant:
        raise _unknown(text, known, regions, report, where)
    return meant[0]


def _unknown(
    text: str, known: Sequence[int], regions: Iterable[str], report: Numbers, where: str
) -> UsageError:
    names = {label: report.settings.labels.name(label) for label in known}
    labels = [f"{label} ({name})" if name else str(label) for label, name in names.items()]
    near = did_you_mean(text, [*filter(None, names.values()), *regions])
    return UsageError(
        f"there is no label or region '{text}' in {where}", f"{near}Known: {every([*labels, *regions])}."
    )


def check_has_row(text: str, settings: Settings) -> None:
    """Check that a label or region has a row where some alone are asked for.

    Raises
    ------
    UsageError
    """
    only, scheme = settings.only, settings.labels
    if only is None:
        return
    names = [*map(str, only.labels), *map(scheme.name, only.labels), *only.regions]
    if not any(_is_called(each, text.strip()) for each in names):
        raise UsageError(
            f"'{text}' has no row: --only {only.in_words()} says what has one",
            f"Name it there, too: --only '{only.in_words()},{text}'; or ask for one of these.",
        )


def _is_called(name: str | None, text: str) -> bool:
    """Whether a text means a name; blanks around either do not matter."""
    return bool(text) and name is not None and one_form(name.strip()) == one_form(text)


def _found(report: Numbers) -> list[int]:
    return sorted({label for each in report.scored for label in labels_found(each)})
