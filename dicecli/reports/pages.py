"""What a report of many cases shows to people, as plain sheets that every human format renders."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from dicecli.reports.averages import definition, exists
from dicecli.reports.presentation import MANY_LABELS, UNDEFINED, WORST, figure, not_pooled, title
from dicecli.reports.rows import labels_found
from dicecli.reports.summary import RESAMPLES, SEED
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.metrics._catalogue import Metric
    from dicecli.records.cases import Failed
    from dicecli.reports.report import Report
    from dicecli.reports.summary import RowSummary, Summary

#: Cases listed by name where many have gone wrong; all of them stand in CSV and JSON.
_LISTED = 20
#: Columns of text; all others are numbers.
TEXT = {
    "name",
    "average",
    "definition",
    "case",
    "error",
    "message",
    "gate",
    "verdict",
    "detail",
    "worst cases",
}


@dataclass(frozen=True)
class Sheet:
    """A table: what it is about, its columns, its rows, and a remark under it."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    remark: str = ""


class Run(Protocol):
    """What a report says of its cases, whatever their predictions are."""

    @property
    def results(self) -> tuple[Any, ...]:
        """One for every expected case."""

    @property
    def unscored(self) -> tuple[Failed, ...]:
        """Those without numbers."""

    def number(self, status: str) -> int:
        """Return how many cases have a status."""


def sheets(report: Report, *, every: bool = False) -> Iterator[Sheet]:
    """Yield the sheets of a report in the order to read them; empty ones are left out."""
    yield count_sheet(report)
    if report.scored:
        yield _averages(report)
        yield _overall(report)
        yield Sheet("What the averages are", ("average", "definition"), _definitions(report))
        for metric in report.shown:
            yield _statistics(report, metric, every=every)
        rows, _ = _chosen(report, every=every)
        yield worst_sheet(report.summary, rows)
    yield unscored_sheet(report)
    yield gates(report)


def gates(report: Report) -> Sheet:
    """Return the gates with value, limit and verdict."""
    rows = tuple(
        (
            inert(each.gate),
            figure(each.value),
            f"{each.limit:g}",
            "passed" if each.holds else "FAILED",
            inert(each.detail),
        )
        for each in report.verdicts
    )
    return Sheet("Gates", ("gate", "value", "limit", "verdict", "detail"), rows)


def count_sheet(report: Run) -> Sheet:
    """Return how many cases were expected, scored and not."""
    counts = {"expected": len(report.results)} | {
        status: report.number(status) for status in ("scored", "failed", "missing", "pending")
    }
    shown = {status: n for status, n in counts.items() if n or status in {"expected", "scored", "failed"}}
    remark = (
        "This report is partial: the run ended before every case was reached." if counts["pending"] else ""
    )
    return Sheet("Cases", tuple(shown), (tuple(f"{n:,}" for n in shown.values()),), remark)


def _averages(report: Report) -> Sheet:
    metrics = [each for each in report.shown if each.averaged]
    rows = []
    for name, values in report.averages.items():
        figures = [
            _with_undefined(values[each.name].value, values[each.name].undefined)
            if exists(name, each)
            else UNDEFINED
            for each in metrics
        ]
        n = next((str(values[each.name].n) for each in metrics if exists(name, each)), "")
        rows.append((name, *figures, n))
    columns = ("average", *(title(each) for each in metrics), "n")
    has_undefined = any(each.undefined for values in report.averages.values() for each in values.values())
    remark = "In brackets: undefined values that the mean leaves out." if has_undefined else ""
    background = report.settings.labels.background
    if background not in report.labels and any(background in labels_found(each) for each in report.scored):
        remark = f"Label {background} is the background: left out of the averages. {remark}".strip()
    if unpooled := not_pooled(metrics):
        remark = f"{remark} {unpooled}.".strip()
    return Sheet("Averages", columns, tuple(rows), remark)


def _overall(report: Report) -> Sheet:
    values = tuple(figure(value) for value in report.overall.values())
    names = tuple(name.removeprefix("overall_") for name in report.overall)
    remark = "Of all counted pixels of all cases, the background included."
    return Sheet("Overall agreement", names, (values,), remark)


def _definitions(report: Report) -> tuple[tuple[str, ...], ...]:
    return tuple((name, definition(name)) for name in report.averages)


def _with_undefined(value: float, undefined: int) -> str:
    return f"{figure(value)} ({undefined})" if undefined else figure(value)


def _statistics(report: Report, metric: Metric, *, every: bool) -> Sheet:
    found = report.summary
    rows, remark = _chosen(report, every=every)
    left_out = [name for name in ("undefined", "missing") if any(_counts(row, metric, name) for row in rows)]
    lines: list[tuple[str, ...]] = []
    for row in rows:
        it = row.metrics[metric.name]
        numbers = [str(it.n), *(str(_counts(row, metric, name)) for name in left_out)]
        spread = [short(it.mean), short(it.sd), interval(it.ci_low, it.ci_high)]
        spread += [short(value) for value in (it.min, it.q1, it.median, it.q3, it.max, it.pooled)]
        label = "" if row.label is None else str(row.label)
        lines.append((label, inert(row.name or ""), *numbers, *spread))
    columns = ("label", "name", "n", *left_out, "mean", "SD", "95 % CI", "min", "Q1", "median", "Q3", "max")
    said = (
        f"95 % CI: of the mean, percentile bootstrap over {found.resampled}s ({RESAMPLES:,} resamples, seed "
        f"{SEED})."
    )
    if not metric.pools:
        remark = f"Pooled: values of single cases do not add up. {remark}"
    return Sheet(title(metric), (*columns, "pooled"), tuple(lines), f"{said} {remark}".strip())


def _counts(row: RowSummary, metric: Metric, name: str) -> int:
    return int(getattr(row.metrics[metric.name], name))


def interval(low: float, high: float) -> str:
    """Write the limits of a confidence interval."""
    return UNDEFINED if math.isnan(low) else f"{short(low)} to {short(high)}"


def short(value: float) -> str:
    """Write a number with three decimals: a table of statistics has many columns."""
    return figure(value) if math.isnan(value) or abs(value) >= 1000 else f"{value:.3f}"


def _chosen(report: Report, *, every: bool) -> tuple[tuple[RowSummary, ...], str]:
    """Return the rows to show: all of them, or with many labels those that went worst."""
    found = report.summary
    if every or len(found.rows) <= MANY_LABELS or found.ranked is None:
        return found.rows, ""
    ranked = next(each for each in report.metrics if each.name == found.ranked)
    sign = 1 if ranked.better == "higher" else -1
    defined = [row for row in found.rows if row.metrics[ranked.name].n]
    worst = sorted(defined, key=lambda row: sign * row.metrics[ranked.name].mean)[:WORST]
    return tuple(worst), (
        f"The {len(worst)} of {len(found.rows)} labels with the worst mean {ranked.name}; all of them: "
        "-v, or --summary FILE.csv."
    )


def worst_sheet(summary: Summary, rows: Sequence[RowSummary]) -> Sheet:
    """Return the cases where each of some labels went worst."""
    lines = [
        (
            "" if row.label is None else str(row.label),
            inert(row.name or ""),
            ", ".join(f"{inert(name)} {figure(value)}" for name, value in row.worst),
        )
        for row in rows
        if row.worst
    ]
    return Sheet(f"Worst cases by {summary.ranked}", ("label", "name", "worst cases"), tuple(lines))


def unscored_sheet(report: Run) -> Sheet:
    """Return the cases without numbers, and why."""
    lines = [
        (inert(each.case.name), each.status, each.error, inert(each.message))
        for each in report.unscored[:_LISTED]
    ]
    more = len(report.unscored) - len(lines)
    remark = f"and {more:,} more, each in CSV and JSON" if more > 0 else ""
    return Sheet("Cases without numbers", ("case", "status", "error", "message"), tuple(lines), remark)
