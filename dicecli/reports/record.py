"""The record of a run in JSON's types."""

from __future__ import annotations

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

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.records.cases import Result
    from dicecli.records.codec import Json
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues, RowValues
    from dicecli.reports.summary import RowSummary

#: Of the JSON record; raised when a reader of the old one would misread the new one.
SCHEMA = 2
#: The statistics over cases that are numbers, and those of the finite cases, where some are infinite.
STATISTICS = tuple(each.name for each in fields(Statistics) if each.name not in {"infinite", "finite"})
#: How sure an average is, by the words of the record.
SPREAD = ("ci_low", "ci_high", "sd")


def whole(report: Numbers) -> Json:
    """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
    return frame(report) | {"cases": list(cases(report)), "summary": summary(report)}


def frame(report: Numbers) -> Json:
    """Return what stands before the cases of the record."""
    origin = {name: each for name, each in written(report.origin).items() if each or name == "runs"}
    settings = report.settings.to_dict()
    return {"schema": SCHEMA, "dicecli": __version__, "origin": origin, "settings": settings}


def cases(report: Numbers) -> Iterator[Json]:
    """Yield the record of one case after the other: of many, all of them would fill the memory."""
    return (_case(each) for each in report.cases())


def summary(report: Numbers) -> Json:
    """Return what sums a run up: how many cases, the averages, the statistics, the gates."""
    infinite = {each.name for each in report.metrics if each.infinite}
    reads = report.settings.reads
    # Of the metrics shown alone: of many labels those of all metrics would take most of the time.
    intervals = report.shown_intervals if report.is_batch else dict.fromkeys(report.averages)
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
        found |= _spread({name: own_interval(values[name], each) for name, each in intervals.items()})
    missed = {name: each for name, each in values.items() if name in infinite or each.infinite}
    if missed:
        found["infinite"] = {name: each.infinite for name, each in missed.items()}
        found["finite"] = {name: number(each.finite) for name, each in missed.items()}
        if intervals is not None:
            finite = _spread({name: intervals[name] for name in missed if name in intervals})
            found |= {f"finite_{key}": each for key, each in finite.items()}
    return found


def _spread(intervals: Mapping[str, Interval]) -> Json:
    return {
        key: {name: number([*each][place]) for name, each in intervals.items()}
        for place, key in enumerate(SPREAD)
    }


def own_interval(average: Average, interval: Interval) -> Interval:
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
        **({} if case.within is None else {"within": str(case.within)}),
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
