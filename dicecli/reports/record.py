"""The record of a run in JSON's types and in rows: the base of every machine-readable report."""

from __future__ import annotations

import math
from dataclasses import asdict, fields
from typing import TYPE_CHECKING

from dicecli.records.cases import Failed
from dicecli.records.codec import written
from dicecli.records.compared import comparison_written
from dicecli.records.undefined import number
from dicecli.records.version import __version__
from dicecli.reports import grouped, matrix
from dicecli.reports.averages import definition
from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.headline import headline
from dicecli.reports.intervals import Interval
from dicecli.reports.summary import Statistics
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Result
    from dicecli.records.codec import Json
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues, RowValues
    from dicecli.reports.summary import RowSummary

#: Of the JSON record; raised when a reader of the old one would misread the new one.
SCHEMA = 2
#: What stands between the notes of a case, or of a run, in a row.
NOTES = " | "
#: The statistics over cases that are numbers, and those of the finite cases, where some are infinite.
STATISTICS = tuple(each.name for each in fields(Statistics) if each.name not in {"infinite", "finite"})
#: How sure an average is, by the words of the record.
SPREAD = ("ci_low", "ci_high", "sd")
_FINITE = ("infinite", "finite_mean", "finite_sd", "finite_ci_low", "finite_ci_high")


def whole(report: Numbers) -> Json:
    """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
    return frame(report) | {"cases": list(cases(report)), "summary": summary(report)}


def frame(report: Numbers) -> Json:
    """Return what stands before the cases of the record."""
    origin, settings = written(report.origin), report.settings.to_dict()
    return {"schema": SCHEMA, "dicecli": __version__, "origin": origin, "settings": settings}


def cases(report: Numbers) -> Iterator[Json]:
    """Yield the record of one case after the other: of many, all of them would fill the memory."""
    return (_case(each) for each in report.cases())


def summary(report: Numbers) -> Json:
    """Return what sums a run up: how many cases, the averages, the statistics, the gates."""
    infinite = {each.name for each in report.metrics if each.infinite}
    reads = report.settings.reads
    intervals = report.intervals if report.is_batch else dict.fromkeys(report.averages)
    found: Json = {
        "headline": headline(report).text,
        "expected": len(report.results),
        **{status: report.number(status) for status in ("scored", "failed", "missing", "pending")},
        "partial": report.number("pending") > 0,
        "averages": {
            name: {"definition": definition(name, reads)} | _average(values, infinite, intervals[name])
            for name, values in report.averages.items()
        },
    }
    found["overall"] = {name: number(value) for name, value in report.overall.items()}
    if report.is_batch:
        over_cases = report.summary
        found["bootstrap"] = {"resamples": RESAMPLES, "seed": SEED, "resampled": over_cases.resampled}
        found["labels"] = [_row_summary(row, over_cases.ranked, infinite) for row in over_cases.rows]
    if report.settings.group_by is not None:
        found["groups"] = grouped.record(report)
    found["gates"] = [asdict(each) | {"value": number(each.value)} for each in report.verdicts]
    if report.comparison is not None:
        found["comparison"] = comparison_written(report.comparison)
    found["notes"] = list(report.notes_on_run)
    # How many of them, the last ones, are made from the cases, and so again when this is read back.
    found["made_notes"] = len(report.notes_on_run) - len(report.given_notes)
    found["suggestions"] = [written(each) for each in report.suggestions_on_run]
    found |= {"confusion": matrix.record(report.matrix, report.settings)} if reads == "labels" else {}
    return found


def _average(
    values: Mapping[str, Average], infinite: set[str], intervals: Mapping[str, Interval] | None
) -> Json:
    found: Json = {
        "values": {name: number(each.value) for name, each in values.items()},
        "n": {name: each.n for name, each in values.items()},
        "undefined": {name: each.undefined for name, each in values.items()},
    }
    if intervals is not None:
        found |= _spread({name: _own(values[name], each) for name, each in intervals.items()})
    missed = {name: each for name, each in values.items() if name in infinite or each.infinite}
    if missed:
        found["infinite"] = {name: each.infinite for name, each in missed.items()}
        found["finite"] = {name: number(each.finite) for name, each in missed.items()}
        if intervals is not None:
            finite = _spread({name: intervals[name] for name in missed})
            found |= {f"finite_{key}": each for key, each in finite.items()}
    return found


def _spread(intervals: Mapping[str, Interval]) -> Json:
    return {
        key: {name: number(each[place]) for name, each in intervals.items()}
        for place, key in enumerate(SPREAD)
    }


def _own(average: Average, interval: Interval) -> Interval:
    """Return the interval of an average itself: of one that is infinite there is none."""
    return Interval() if average.infinite else interval


def _row_summary(row: RowSummary, ranked: str | None, infinite: set[str]) -> Json:
    return {
        "label": row.label,
        "name": row.name,
        "metrics": {name: _statistics(each, name in infinite) for name, each in row.metrics.items()},
        "worst": {
            "metric": ranked,
            "cases": [{"case": name, "value": number(value)} for name, value in row.worst],
        },
    }


def _statistics(found: Statistics, may_be_infinite: bool) -> Json:
    every: Json = {name: number(getattr(found, name)) for name in STATISTICS}
    if may_be_infinite or found.infinite:
        every["infinite"] = found.infinite
        every["finite"] = {name: number(value) for name, value in asdict(found.finite).items()}
    return every


def _row(row: RowValues) -> Json:
    values = {name: number(value) for name, value in row.values.items()}
    return {"label": row.label, "name": row.name, **written(row.facts), **values}


def _case(case: CaseValues | Failed) -> Json:
    if isinstance(case, Failed):
        return facts(case)
    return facts(case.result) | {
        "labels": [_row(row) for row in case.rows],
        "not_averaged": [_row(row) for row in case.others],
        "averages": {
            name: {metric: number(each.value) for metric, each in values.items()}
            for name, values in case.averages.items()
        },
        "undefined": {
            name: {metric: each.undefined for metric, each in values.items()}
            for name, values in case.averages.items()
        },
        "overall": {name: number(value) for name, value in case.overall.items()},
        "checks": case.checks,
        "notes": list(case.notes),
        # How many of them, the last ones, are made from the counts, and so again when this is read back.
        "advice": len(case.notes) - len(set(case.result.notes)),
        "suggestions": [written(each) for each in case.suggestions],
        "observed": written(case.result.observed),
        "measured": written(case.result.measured),
    }


def facts(result: Result) -> Json:
    """Return what the record says of any case, and of its grid and pixels where it was scored."""
    case = result.case
    found: Json = {
        "case": case.name,
        "group": case.group,
        **({"columns": dict(case.columns)} if case.columns else {}),
        "status": result.status,
        "prediction": str(case.prediction),
        "reference": str(case.reference),
    }
    if isinstance(result, Failed):
        return found | {"error": result.error, "message": result.message, "hint": result.hint}
    return found | {
        "shape": list(result.shape),
        "spacing": None if result.spacing is None else list(result.spacing),
        "unit": result.unit,
        "pixel_size": dict(result.sizes),
        "counted": result.counted,
        "excluded": dict(result.excluded),
    }


def columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`rows`."""
    own = leading(report.settings.reads).COLUMNS
    metrics = (each.name for each in report.listed)
    return ("case", "status", "label", "name", *own, *metrics, "error", "notes")


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
        known["notes"] = NOTES.join(report.notes_of(place)) or None
        values = [report.table.of_one(each, place) for each in report.listed]
        taken = report.table.leading[place]
        place += 1
        for row, own, *found in zip(report.evaluated, taken, *values, strict=True):
            if own is not None:
                said = {"label": row.label, "name": row.name}
                yield known | said | _plain(head.facts(own), head.COLUMNS) | by_name(report.listed, found)
        if not report.evaluated:
            yield known


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
    return (*head, *rest, *more, *own, "notes")


def _has_infinite(report: Numbers) -> bool:
    return any(each.infinite for row in report.summary.rows for each in row.metrics.values())


def summary_rows(report: Numbers) -> Iterator[Mapping[str, object]]:
    """Yield a row per average and metric, then one per label or region and metric, with its statistics.

    Then, where cases are grouped, one per group and metric, of the average that leads. Rows of averages have
    the notes on the run.
    """
    notes, intervals = {"notes": NOTES.join(report.notes_on_run) or None}, report.intervals
    for name, values in report.averages.items():
        for metric, each in values.items():
            known = notes | {"kind": "average", "name": name, "metric": metric, "value": or_none(each.value)}
            said = {"n": each.n, "undefined": each.undefined, "infinite": each.infinite}
            interval = intervals[name][metric]
            spread = dict(zip(SPREAD, map(or_none, _own(each, interval)), strict=True))
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
