"""The record of a run over probability maps in JSON's types and in rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.metrics._soft.catalogue import SCORES
from dicecli.records.cases import Failed
from dicecli.records.codec import written
from dicecli.reports.record import SUMMARY as SUMMARY_OF_MASKS
from dicecli.reports.record import facts, number
from dicecli.reports.record import frame as frame_of_masks
from dicecli.reports.soft.report import AVERAGES, AVERAGES_OF_RUN, channels_of
from dicecli.reports.summary import RESAMPLES, SEED
from dicecli.statistics.soft.sums import BINS, STEPS, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pandas import DataFrame

    from dicecli.records.cases import Scored
    from dicecli.records.softness import Softness
    from dicecli.reports.soft.report import SoftReport
    from dicecli.reports.soft.rows import SoftRow, SoftScores

NAMES = tuple(each.name for each in SCORES)
#: The columns of rows.
COLUMNS = ("case", "status", "kind", "label", "name", "reference_px", "expected_px", *NAMES, "error")
#: The columns of a summary.
SUMMARY = tuple("score" if each == "metric" else each for each in SUMMARY_OF_MASKS)
#: The columns of a curve.
CURVE = ("kind", "label", "name", "threshold", "tp", "fp", "fn", "tn", "dice", "precision", "recall")


def to_dict(report: SoftReport) -> dict[str, Any]:
    """Return the whole record as JSON's types: undefined is None, numbers have full precision."""
    return frame(report) | {"cases": list(case_dicts(report)), "summary": summary_dict(report)}


def frame(report: SoftReport) -> dict[str, Any]:
    """Return what stands before the cases of the record."""
    return frame_of_masks(report.settings) | {"thresholds": STEPS, "calibration_bins": BINS}


def case_dicts(report: SoftReport) -> Iterator[dict[str, Any]]:
    """Yield the record of one case after the other."""
    for each in report.cases():
        yield facts(each) if isinstance(each, Failed) else _case(*each, report.softness)


def summary_dict(report: SoftReport) -> dict[str, Any]:
    """Return what sums a run up: how many cases, the numbers of all pooled, statistics over cases."""
    summary: dict[str, Any] = {
        "expected": len(report.results),
        **{status: report.number(status) for status in ("scored", "failed", "missing", "pending")},
        "partial": report.number("pending") > 0,
        "definitions": AVERAGES_OF_RUN if report.is_batch else AVERAGES,
        "pooled": _numbers(report.pooled) if report.scored else None,
    }
    if report.is_batch:
        found = report.summary
        summary["bootstrap"] = {"resamples": RESAMPLES, "seed": SEED, "resampled": found.resampled}
        summary["labels"] = [
            {
                "label": row.label,
                "name": row.name,
                "scores": {
                    name: {key: number(value) for key, value in vars(each).items()}
                    for name, each in row.metrics.items()
                },
                "worst": {
                    "score": found.ranked,
                    "cases": [{"case": name, "value": value} for name, value in row.worst],
                },
            }
            for row in found.rows
        ]
    summary["gates"] = []
    summary["notes"] = list(report.notes)
    return summary


def _numbers(scores: SoftScores) -> dict[str, Any]:
    return {
        "labels": [_row(row) for row in scores.rows],
        "not_averaged": [_row(row) for row in scores.others],
        "averages": {
            name: {score: number(value) for score, value in values.items()}
            for name, values in scores.averages.items()
        },
        "undefined": dict(scores.undefined),
        "overall": {name: number(value) for name, value in scores.overall.items()},
    }


def _row(row: SoftRow) -> dict[str, Any]:
    overlap, prediction, squared, reference = row.sums.sums
    values = {name: number(value) for name, value in row.values.items()}  # noqa: PD011 - no frame
    return {
        "label": row.channel.label,
        "name": row.channel.name,
        "reference_px": int(reference),
        "expected_px": prediction,
        "sums": {
            "pg": overlap,
            "p": prediction,
            "p2": squared,
            "g": int(reference),
            "cross_entropy": rounded(row.sums.cross_entropy),
            "brier": rounded(row.sums.brier),
        },
        **values,
    }


def _case(result: Scored, scores: SoftScores, softness: Softness) -> dict[str, Any]:
    return {
        **facts(result),
        "channels": [
            {"label": each.label, "name": each.name, "members": list(each.members)}
            for each in channels_of(result)
            if not softness.is_sum(each)
        ],
        **_numbers(scores),
        "notes": list(result.notes),
        "measured": written(result.measured),
    }


def rows(report: SoftReport) -> Iterator[dict[str, Any]]:
    """Yield one row per case and label or region, then its macro and micro; one per case without numbers."""
    for each in report.cases():
        if isinstance(each, Failed):
            known = {"case": each.case.name, "status": each.status}
            yield known | {"error": f"{each.error}: {each.message}"}
            continue
        result, scores = each
        known = {"case": result.case.name, "status": result.status}
        for row in scores.rows:
            yield known | _flat(row)
        for name, values in scores.averages.items():
            yield known | {"kind": name} | {score: number(value) for score, value in values.items()}


def _flat(row: SoftRow) -> dict[str, Any]:
    channel = row.channel
    return {
        "kind": "region" if channel.label is None else "label",
        "label": channel.label,
        "name": channel.name,
        "reference_px": row.sums.reference,
        "expected_px": rounded(row.sums.prediction),
        **{name: number(value) for name, value in row.values.items()},  # noqa: PD011 - no frame
    }


def summary_rows(report: SoftReport) -> Iterator[dict[str, Any]]:
    """Yield a row per average and score, one per score of all channels, then statistics over cases."""
    if not report.scored:
        return
    scores = report.pooled
    for name, values in scores.averages.items():
        for score, value in values.items():
            undefined = scores.undefined[score] if name == "macro" else None
            known = {"kind": "average", "name": name, "score": score, "value": number(value)}
            yield known | {"undefined": undefined}
    for score, value in scores.overall.items():
        yield {"kind": "overall", "score": score, "value": number(value)}
    for row in report.summary.rows:
        kind = {"kind": "region" if row.label is None else "label", "label": row.label, "name": row.name}
        for score, found in row.metrics.items():
            yield kind | {"score": score} | {key: number(value) for key, value in vars(found).items()}


def curve_rows(report: SoftReport) -> Iterator[dict[str, Any]]:
    """Yield a row per label and threshold, then one per threshold for all labels pooled; over all cases."""
    curves = report.curves()
    rows: list[tuple[str, int | None, str | None]] = [
        ("region" if row.channel.label is None else "label", row.channel.label, row.channel.name)
        for row in report.pooled.rows
    ]
    for (kind, label, name), curve in zip([*rows, ("micro", None, None)], curves.values(), strict=True):
        columns = [curve.thresholds, curve.tp, curve.fp, curve.fn, curve.tn]
        columns += [curve.dice, curve.precision, curve.recall]
        for values in zip(*(column.tolist() for column in columns), strict=True):
            numbers = [number(value) for value in values]
            yield dict(zip(CURVE, [kind, label, name, *numbers], strict=True))


def to_pandas(report: SoftReport) -> DataFrame:
    """Return the rows as a data frame; labels and pixels are integers that may be missing."""
    import pandas as pd

    frame = pd.DataFrame(list(rows(report)), columns=list(COLUMNS))
    return frame.astype({"label": "Int64", "reference_px": "Int64"} | dict.fromkeys(NAMES, "float64"))
