"""The sheets of a run of many cases, in the order to read them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.reports.averages import exists
from dicecli.reports.headline import n_in_words
from dicecli.reports.means import Average
from dicecli.reports.pages.groups import groups
from dicecli.reports.pages.statistics import pooled, statistics, worst
from dicecli.reports.presentation import UNDEFINED, averages_of, figure, interval, short, title
from dicecli.reports.said import hints
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports.numbers import Numbers

#: Cases listed by name where many have gone wrong; all of them stand in CSV and JSON.
_LISTED = 20
_CALLED = "Averages"
#: Of so many metrics that nobody asked for, statistics over cases are shown.
_FIRST = 1


def sheets(report: Numbers, *, every: bool = False) -> Iterator[Sheet]:
    """Yield the sheets of what was scored in the order to read them; some may be empty.

    With `every`, those of all metrics, of every label, and the worst cases of each.
    """
    if not report.scored:
        return
    if any(each.tuned for each in report.shown):
        yield pooled(report, every=every)
    if not every:
        yield averages(report, report.shown)
    yield groups(report)
    for metric in report.shown if every or report.settings.metrics else report.shown[:_FIRST]:
        if every:
            yield averages(report, [metric], f"Averages of {title(metric)}")
        yield statistics(report, metric, every=every)
    if every:
        yield worst(report, every=every)


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


def partial(report: Numbers) -> list[tuple[str, str]]:
    """Return that a run ended before its end, where it did."""
    said = "This report is partial: the run ended before every case was reached."
    return [("partial", said)] if report.number("pending") else []


def averages(report: Numbers, metrics: Sequence[Metric], called: str = _CALLED) -> Sheet:
    """Return the averages: the first metric with interval and SD, the others as the width allows.

    Metrics that were asked for by name are not left out for want of width.
    """
    metrics = [each for each in metrics if each.averaged]
    if not metrics:
        return Sheet("", (), ())
    first, *others = metrics
    rows = []
    shown = averages_of(report.averages, report.labels, report.regions)
    for name, values in shown.items():
        cells = [_cell(report, name, each) for each in others]
        it = report.shown_intervals[name].get(first.name)
        spread = ("", "") if it is None else (interval(it.low, it.high), _sd(it.sd))
        of = next((values[each.name] for each in metrics if each.name in values), None)
        n = "" if of is None else n_in_words(report, name, Average(of.value, of.n, 0))
        rows.append((name, n, _cell(report, name, first), *spread, *cells))
    columns = ("average", "over", title(first), "95 % CI", "SD", *(title(each) for each in others))
    drops = () if report.settings.metrics else tuple(title(each) for each in reversed(others))
    spare = ("over",) if called == _CALLED else ()
    lasting = {first.name, *(each.name for each in others if not drops)}
    every = [each for values in shown.values() for name, each in values.items() if name in lasting]
    has_left_out = any(each.undefined for each in every)
    remark = "In brackets: undefined values that the mean leaves out." if has_left_out else ""
    found = Sheet(called, columns, tuple(rows), remark, kept=2, drops=drops, spare=spare)
    empty = {"95 % CI": 3, "SD": 4}
    return found.without(
        {column for column, place in empty.items() if not any(row[place].strip(UNDEFINED) for row in rows)}
    )


def _cell(report: Numbers, name: str, metric: Metric) -> str:
    if not exists(name, metric):
        return UNDEFINED
    found = report.averages[name][metric.name]
    return f"{figure(found.value)} ({found.undefined})" if found.undefined else figure(found.value)


def _sd(value: float) -> str:
    return "" if value != value else short(value)  # noqa: PLR0124 - NaN: there is none


def unscored(report: Numbers) -> Sheet:
    """Return the cases without numbers, and why."""
    lines = [
        (inert(each.case.name), each.status, each.error, inert(each.message))
        for each in report.unscored[:_LISTED]
    ]
    more = len(report.unscored) - len(lines)
    remark = f"and {more:,} more, each in CSV and JSON. " if more > 0 else ""
    remark = f"{remark}{hints(report.unscored)}".strip()
    return Sheet("Cases without numbers", ("case", "status", "error", "message"), tuple(lines), remark)
