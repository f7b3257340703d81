"""The record of a run in JSON's types and in rows: the base of every machine-readable report."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from dicecli.records.cases import Failed
from dicecli.records.version import __version__
from dicecli.reports.averages import definition
from dicecli.reports.measured import measurements
from dicecli.reports.summary import RESAMPLES, SEED, RowSummary

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pandas import DataFrame

    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings
    from dicecli.reports.averages import Average
    from dicecli.reports.report import Report
    from dicecli.reports.rows import CaseScores, LabelScore

#: Of the JSON record; raised when a reader of the old one would misread the new one.
SCHEMA = 2
#: The columns of rows before and after those of the metrics.
_STATISTICS = (
    "undefined",
    "missing",
    "mean",
    "sd",
    "median",
    "q1",
    "q3",
    "min",
    "max",
    "ci_low",
    "ci_high",
    "pooled",
)
#: The columns of a summary.
SUMMARY = ("kind", "label", "name", "metric", "value", "expected", "scored", "n", *_STATISTICS)
_COUNTS = ("tp", "fp", "fn", "tn")
FIRST, LAST = ("case", "status", "label", "name", "tp", "fp", "fn", "tn"), ("error",)


def to_dict(report: Report) -> dict[str, Any]:
    """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
    return frame(report.settings) | {"cases": list(case_dicts(report)), "summary": summary_dict(report)}


def frame(settings: Settings) -> dict[str, Any]:
    """Return what stands before the cases of the record."""
    return {"schema": SCHEMA, "dicecli": __version__, "settings": settings.to_dict()}


def case_dicts(report: Report) -> Iterator[dict[str, Any]]:
    """Yield the record of one case after the other: of many, all of them would fill the memory."""
    return (_case(each) for each in report.cases())


def summary_dict(report: Report) -> dict[str, Any]:
    """Return what sums a run up: how many cases, the averages, the statistics, the gates."""
    summary: dict[str, Any] = {
        "expected": len(report.results),
        **{status: report.number(status) for status in ("scored", "failed", "missing", "pending")},
        "partial": report.number("pending") > 0,
        "averages": {
            name: {"definition": definition(name)} | _average(values)
            for name, values in report.averages.items()
        },
    }
    summary["overall"] = {name: number(value) for name, value in report.overall.items()}
    if report.is_batch:
        found = report.summary
        summary["bootstrap"] = {"resamples": RESAMPLES, "seed": SEED, "resampled": found.resampled}
        summary["labels"] = [_row_summary(row, found.ranked) for row in found.rows]
    summary["gates"] = [asdict(each) | {"value": number(each.value)} for each in report.verdicts]
    summary["notes"] = list(report.notes)
    return summary


def _row_summary(row: RowSummary, ranked: str | None) -> dict[str, Any]:
    return {
        "label": row.label,
        "name": row.name,
        "metrics": {
            name: {key: number(value) for key, value in vars(each).items()}
            for name, each in row.metrics.items()
        },
        "worst": {"metric": ranked, "cases": [{"case": name, "value": value} for name, value in row.worst]},
    }


def rows(report: Report) -> Iterator[dict[str, Any]]:
    """Yield one row per case and label or region, and one per case without numbers; undefined is None.

    Values are of the metrics that are shown.
    """
    policy, others = report.settings.undefined, [each for each in report.shown if each.of != "counts"]
    for result in report.results:
        known = {"case": result.case.name, "status": result.status}
        if isinstance(result, Failed):
            yield known | {"error": f"{result.error}: {result.message}"}
            continue
        taken = {"counts": report.counts(result)}
        taken |= {each.of: measurements(result, each.of, report.rows) for each in others}
        values = [each.of_case(taken[each.of], result, policy) for each in report.shown]
        for row, counts, *found in zip(report.rows, taken["counts"], *values, strict=True):
            numbers = {each.name: number(value) for each, value in zip(report.shown, found, strict=True)}
            yield (
                known
                | {"label": row.label, "name": row.name}
                | dict(zip(_COUNTS, counts, strict=True))
                | numbers
            )
        if not report.rows:
            yield known


def summary_rows(report: Report) -> Iterator[dict[str, Any]]:
    """Yield a row per average and metric, then one per label or region and metric, with its statistics."""
    for name, values in report.averages.items():
        for metric, each in values.items():
            facts = {"kind": "average", "name": name, "metric": metric, "value": number(each.value)}
            yield facts | {"n": each.n, "undefined": each.undefined}
    for name, value in report.overall.items():
        yield {"kind": "overall", "metric": name, "value": number(value)}
    for row in report.summary.rows:
        kind = {"kind": "region" if row.label is None else "label", "label": row.label, "name": row.name}
        for metric, found in row.metrics.items():
            yield kind | {"metric": metric} | {key: number(value) for key, value in vars(found).items()}


def to_pandas(report: Report) -> DataFrame:
    """Return the rows as a data frame; counts and labels are integers that may be missing."""
    import pandas as pd

    columns = [*FIRST, *(each.name for each in report.shown), *LAST]
    frame = pd.DataFrame(list(rows(report)), columns=columns)
    values = dict.fromkeys((each.name for each in report.shown), "float64")
    return frame.astype(dict.fromkeys(("label", "tp", "fp", "fn", "tn"), "Int64") | values)


def number(value: float) -> float | None:
    """Return a value as JSON has it: undefined is None."""
    return None if math.isnan(value) else value


def _average(values: dict[str, Average]) -> dict[str, Any]:
    return {
        "values": {name: number(each.value) for name, each in values.items()},
        "n": {name: each.n for name, each in values.items()},
        "undefined": {name: each.undefined for name, each in values.items()},
    }


def _row(row: LabelScore) -> dict[str, Any]:
    values = {name: number(value) for name, value in row.values.items()}  # noqa: PD011 - no frame
    return {"label": row.label, "name": row.name, **dict(zip(_COUNTS, row.counts, strict=True)), **values}


def _case(case: CaseScores | Failed) -> dict[str, Any]:
    from dicecli.records.codec import written

    if isinstance(case, Failed):
        return facts(case)
    return facts(case.result) | {
        "labels": [_row(row) for row in (*case.labels, *case.regions)],
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
        "measured": written(case.result.measured),
    }


def facts(result: Result) -> dict[str, Any]:
    """Return what the record says of any case, and of its grid and pixels where it was scored."""
    case = result.case
    found: dict[str, Any] = {
        "case": case.name,
        "group": case.group,
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
