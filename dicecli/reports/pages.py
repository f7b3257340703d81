"""What a report of many cases shows to people, as plain sheets that every human format renders."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports.averages import definition, exists
from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.presentation import (
    MANY_LABELS,
    UNDEFINED,
    WORST,
    figure,
    hints,
    infinite,
    measured_by,
    not_pooled,
    own_choices,
    size,
    title,
    tuned,
)
from dicecli.reports.rows import labels_found
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.summary import RowSummary

#: Cases listed by name where many have gone wrong; all of them stand in CSV and JSON.
_LISTED = 20
_OF_ALL = {
    "labels": ("Overall agreement", "Of all counted pixels of all cases, the background included."),
    "probabilities": (
        "All channels together",
        "Of all cases; generalised Dice of the labels that are averaged, the others of every channel.",
    ),
}


def sheets(report: Numbers, *, every: bool = False) -> Iterator[Sheet]:
    """Yield the sheets of a report in the order to read them; some may be empty."""
    yield _cases(report)
    if report.scored:
        if any(each.tuned for each in report.shown):
            yield _pooled(report, every=every)
        yield _averages(report)
        yield _overall(report)
        yield Sheet("What the averages are", ("average", "definition"), _definitions(report))
        for metric in report.shown:
            yield _statistics(report, metric, every=every)
        yield _worst(report, every=every)
    yield _unscored(report)
    yield gates(report)


def gates(report: Numbers) -> Sheet:
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


def _cases(report: Numbers) -> Sheet:
    """Return how many cases were expected, scored and not."""
    counts = {"expected": len(report.results)} | {
        status: report.number(status) for status in ("scored", "failed", "missing", "pending")
    }
    shown = {status: n for status, n in counts.items() if n or status in {"expected", "scored", "failed"}}
    remarks = [f"{name}: {text}." for name, text in measured_by(report.shown, report.settings)]
    if counts["pending"]:
        remarks.insert(0, "This report is partial: the run ended before every case was reached.")
    return Sheet("Cases", tuple(shown), (tuple(f"{n:,}" for n in shown.values()),), " ".join(remarks))


def _pooled(report: Numbers, *, every: bool) -> Sheet:
    """Return each row of all cases added up: where a value is tuned, this is the one to tune by."""
    rows, remark = _chosen(report, every=every)
    head, lines = leading(report.settings.reads), []
    names = [(row.label, row.name) for row in report.evaluated]
    totals = dict(zip(names, report.table.pooled_leading, strict=True))
    metrics = sorted(report.shown, key=lambda each: not each.tuned)
    sizes: dict[str, str] = {}
    for row in rows:
        label = "" if row.label is None else str(row.label)
        sizes = {name: size(value) for name, value in head.sizes(totals[row.label, row.name]).items()}
        values = [figure(row.metrics[each.name].pooled) for each in metrics]
        lines.append((label, inert(row.name or ""), *sizes.values(), *values))
    columns = ("label", "name", *sizes, *(title(each) for each in metrics))
    said = f"{tuned(report.shown)}. {remark}".strip()
    return Sheet("All cases pooled", columns, tuple(lines), said, kept=2 + len(sizes))


def _averages(report: Numbers) -> Sheet:
    metrics = [each for each in report.shown if each.averaged]
    rows = []
    for name, values in report.averages.items():
        figures = [
            _with_undefined(values[each.name]) if exists(name, each) else UNDEFINED for each in metrics
        ]
        n = next((str(values[each.name].n) for each in metrics if exists(name, each)), "")
        rows.append((name, *figures, n))
    columns = ("average", *(title(each) for each in metrics), "n")
    every = [each for values in report.averages.values() for each in values.values()]
    remarks = [_left_out(report)]
    remarks.append(
        "In brackets: undefined values that the mean leaves out." * any(e.undefined for e in every)
    )
    remarks.append(f"{unpooled}." if (unpooled := not_pooled(metrics)) else "")
    remarks.append(own_choices(metrics))
    remarks.append(infinite(report.averages))
    return Sheet("Averages", columns, tuple(rows), " ".join(each for each in remarks if each), kept=1)


def _left_out(report: Numbers) -> str:
    """Say which label is the background, where one is left out of the averages."""
    background = report.settings.labels.background
    if background in report.labels or not any(background in labels_found(each) for each in report.scored):
        return ""
    return f"Label {background} is the background: left out of the averages."


def _overall(report: Numbers) -> Sheet:
    values = tuple(figure(value) for value in report.overall.values())
    title, remark = _OF_ALL[report.settings.reads]
    return Sheet(title, tuple(report.overall), (values,), remark, kept=0)


def _definitions(report: Numbers) -> tuple[tuple[str, ...], ...]:
    return tuple((name, definition(name, report.settings.reads)) for name in report.averages)


def _with_undefined(found: Average) -> str:
    return f"{figure(found.value)} ({found.undefined})" if found.undefined else figure(found.value)


def _statistics(report: Numbers, metric: Metric, *, every: bool) -> Sheet:
    found = report.summary
    rows, remark = _chosen(report, every=every)
    left_out = [name for name in ("undefined", "missing") if any(_counts(row, metric, name) for row in rows)]
    lines: list[tuple[str, ...]] = []
    for row in rows:
        it = row.metrics[metric.name]
        numbers = [str(it.n), *(str(_counts(row, metric, name)) for name in left_out)]
        spread = [short(it.mean), short(it.sd), _interval(it.ci_low, it.ci_high)]
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
    if metric.tuned:
        own = "Statistics are of each case's own best threshold; pooled is of one threshold for all cases."
        remark = f"{own} {remark}"
    said = " ".join(filter(None, (said, remark.strip(), _missed(rows, metric))))
    return Sheet(title(metric), (*columns, "pooled"), tuple(lines), said)


def _missed(rows: Sequence[RowSummary], metric: Metric) -> str:
    """Say of which rows cases are infinite, and what is known of the others."""
    said = []
    for row in rows:
        it = row.metrics[metric.name]
        if it.infinite:
            rest = it.finite
            spread = f"{short(rest.mean)} ± {short(rest.sd)}, 95 % CI {_interval(rest.ci_low, rest.ci_high)}"
            said.append(
                f"{inert(row.title)}: {it.infinite} of {it.n} infinite; the other {rest.n}: {spread}."
            )
    return " ".join(said)


def _counts(row: RowSummary, metric: Metric, name: str) -> int:
    return int(getattr(row.metrics[metric.name], name))


def _interval(low: float, high: float) -> str:
    """Write the limits of a confidence interval."""
    return UNDEFINED if math.isnan(low) else f"{short(low)} to {short(high)}"


def short(value: float) -> str:
    """Write a number with three decimals: a table of statistics has many columns."""
    return figure(value) if math.isnan(value) or abs(value) >= 1000 else f"{value:.3f}"


def _chosen(report: Numbers, *, every: bool) -> tuple[tuple[RowSummary, ...], str]:
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


def _worst(report: Numbers, *, every: bool) -> Sheet:
    """Return the cases where each of the labels shown went worst."""
    rows, _ = _chosen(report, every=every)
    lines = [
        (
            "" if row.label is None else str(row.label),
            inert(row.name or ""),
            ", ".join(f"{inert(name)} {figure(value)}" for name, value in row.worst),
        )
        for row in rows
        if row.worst
    ]
    title = f"Worst cases by {report.summary.ranked}"
    return Sheet(title, ("label", "name", "worst cases"), tuple(lines))


def _unscored(report: Numbers) -> Sheet:
    """Return the cases without numbers, and why."""
    lines = [
        (inert(each.case.name), each.status, each.error, inert(each.message))
        for each in report.unscored[:_LISTED]
    ]
    more = len(report.unscored) - len(lines)
    remark = f"and {more:,} more, each in CSV and JSON. " if more > 0 else ""
    remark = f"{remark}{hints(report.unscored)}".strip()
    return Sheet("Cases without numbers", ("case", "status", "error", "message"), tuple(lines), remark)
