"""The record of a run as rows: of the CSV, of data frames."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING

from dicecli.records.cases import Failed
from dicecli.reports import grouped
from dicecli.reports.intervals import Interval
from dicecli.reports.record import SPREAD, STATISTICS, own_interval
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports.numbers import Numbers

#: What stands between the notes of a case, or of a run, in a row.
_BETWEEN = " | "
#: The column of notes.
NOTES = "notes"
_FINITE = ("infinite", "finite_mean", "finite_sd", "finite_ci_low", "finite_ci_high")


def columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`rows`."""
    own = leading(report.settings.reads).COLUMNS
    metrics = (each.name for each in report.listed)
    return ("case", "status", "label", "name", *own, *metrics, "error", NOTES)


def rows(report: Numbers) -> Iterator[Mapping[str, object]]:
    """Yield one row per case and label or region, and one per case without numbers; undefined is None.

    Values are of the metrics that are listed; infinite ones are floats.
    """
    head, place = leading(report.settings.reads), 0
    for result in report.results:
        known: dict[str, object] = {"case": result.case.name, "status": result.status}
        if isinstance(result, Failed):
            yield known | {"error": f"{result.error}: {result.message}"}
            continue
        known[NOTES] = joined(report.notes_of(place))
        values = [report.table.of_one(each, place) for each in report.listed]
        taken = report.table.leading[place]
        place += 1
        for row, own, *found in zip(report.evaluated, taken, *values, strict=True):
            if own is not None:
                said = {"label": row.label, "name": row.name}
                yield known | said | _plain(head.facts(own), head.COLUMNS) | by_name(report.listed, found)
        if not report.evaluated:
            yield known


def joined(notes: Iterable[object]) -> str | None:
    """Return the notes that there are as one text; None where there is none."""
    return _BETWEEN.join(str(each) for each in notes if each) or None


def _plain(facts: object, names: Sequence[str]) -> dict[str, object]:
    return {name: getattr(facts, name) for name in names}


def by_name(metrics: Sequence[Metric], values: Sequence[float]) -> dict[str, object]:
    """Return the values of some metrics by their names, as rows have them."""
    return {each.name: or_none(value) for each, value in zip(metrics, values, strict=True)}


def or_none(value: float) -> float | None:
    """Return a value as rows have it: undefined is None."""
    return None if math.isnan(value) else value


def summary_columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`summary_rows`; those of infinite values where there may be some."""
    rest = tuple(each for each in STATISTICS if each not in {"expected", "scored", "n"})
    more = _FINITE if any(each.infinite for each in report.metrics) or _has_infinite(report) else ()
    own = grouped.COLUMNS if report.groups else ()
    head = ("kind", "label", "name", "metric", "value", "expected", "scored", "n")
    return (*head, *rest, *more, *own, NOTES)


def _has_infinite(report: Numbers) -> bool:
    return any(each.infinite for row in report.summary.rows for each in row.metrics.values())


def summary_rows(report: Numbers) -> Iterator[Mapping[str, object]]:
    """Yield a row per average and metric, then one per label or region and metric, with its statistics.

    Of averages, those of metrics that are shown have an interval. Then, where cases are grouped, one per
    group and metric, of the average that leads. Rows of averages have the notes on the run.
    """
    # Those on where it comes from stand in every row of the CSV, of any part.
    on_run = (each for each in report.notes_on_run if each not in report.origin.notes)
    notes, intervals = {NOTES: joined(on_run)}, report.shown_intervals
    for name, values in report.averages.items():
        for metric, each in values.items():
            known = notes | {"kind": "average", "name": name, "metric": metric, "value": or_none(each.value)}
            said = {"n": each.n, "undefined": each.undefined, "infinite": each.infinite}
            interval = intervals[name].get(metric, Interval())
            spread = dict(zip(SPREAD, map(or_none, own_interval(each, interval)), strict=True))
            rest = {f"finite_{key}": or_none(value) for key, value in zip(SPREAD, interval, strict=True)}
            yield {**known, **said, **spread, "finite_mean": or_none(each.finite), **rest}
    for name, value in report.overall.items():
        yield {"kind": "overall", "metric": name, "value": or_none(value)}
    for row in report.summary.rows:
        kind = {"kind": "region" if row.label is None else "label", "label": row.label, "name": row.name}
        for metric, found in row.metrics.items():
            rest = {f"finite_{key}": or_none(value) for key, value in asdict(found.finite).items()}
            own = {key: or_none(getattr(found, key)) for key in STATISTICS}
            yield {**kind, "metric": metric, **own, "infinite": found.infinite, **rest}
    yield from grouped.rows(report)
