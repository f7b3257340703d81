"""The summary.json of nnU-Net (version 2): counts, Dice and IoU of each case and label, and their means.

Keys, means and numbers that are no number are as its ``evaluate_predictions`` has them, so that its own
tools read the file: a label is its number, a region the tuple of its labels; where there are regions, they
alone. Means leave NaN out; that of the foreground is the mean of the means. Cases without numbers, of which
nnU-Net knows nothing, stand beside, where there are some; so does a configuration file that was obeyed.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.reports.means import mean
from dicecli.reports.of_nnunet import WITHOUT
from dicecli.reports.origins import obeyed
from dicecli.reports.text import of_json

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.records.cases import Failed
    from dicecli.records.codec import Json
    from dicecli.records.counts import Counts
    from dicecli.records.measurements import Row
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".nnunet.json",)
PARTS = ("report",)
#: Maps of probabilities have no counts.
READS = ("labels",)
_NUMBERS = ("Dice", "FN", "FP", "IoU", "TN", "TP", "n_pred", "n_ref")


def render(report: Report, part: Part, look: Look) -> str:
    """Return the summary, undefined as NaN, which JSON has not, and nnU-Net's readers do.

    Raises
    ------
    UsageError
        Regions have no labels, as binary layers do: nothing there that could be a key.
    """
    del part, look
    places = {_key(row): place for place, row in enumerate(report.evaluated) if _is_key(row, report)}
    every = [{key: _metrics(case[place]) for key, place in places.items()} for case in report.table.leading]
    cases = [
        {
            "reference_file": str(result.case.reference),
            "prediction_file": str(result.case.prediction),
            "metrics": metrics,
        }
        for result, metrics in zip(report.scored, every, strict=True)
    ]
    means = {key: _means(case[key] for case in every) for key in places}
    foreground = [each for key, each in means.items() if key != "0"]
    found: Json = {
        "foreground_mean": {name: _mean([each[name] for each in foreground]) for name in _NUMBERS},
        "mean": means,
        "metric_per_case": cases,
    }
    if report.unscored:
        found[WITHOUT] = [_without(each) for each in report.unscored]
    if told := obeyed(report.origin):
        found["notes"] = list(told)
    return of_json(json.dumps(found, indent=4, sort_keys=True)) + "\n"


def _is_key(row: Row, report: Report) -> bool:
    return row.kind == "region" or not report.regions


def _key(row: Row) -> str:
    """Return what nnU-Net calls a label or region; a region of one label is that label."""
    if not row.members:
        raise UsageError(
            f"the region {row.title} has no labels, of which keys are made in nnU-Net's summary.json",
            "Binary layers have none: write a form of this project, -o results.json.",
        )
    return str(row.members[0] if len(row.members) == 1 else row.members)


def _metrics(counts: Counts) -> dict[str, float]:
    tp, fp, fn, tn = counts
    union = tp + fp + fn
    return {
        "Dice": 2 * tp / (union + tp) if union else math.nan,
        "FN": fn,
        "FP": fp,
        "IoU": tp / union if union else math.nan,
        "TN": tn,
        "TP": tp,
        "n_pred": counts.prediction,
        "n_ref": counts.reference,
    }


def _means(cases: Iterable[Mapping[str, float]]) -> dict[str, float]:
    every = list(cases)
    return {name: mean(each[name] for each in every).value for name in _NUMBERS}


def _mean(values: list[float]) -> float:
    """Return the mean of the means, NaN where one of them is."""
    return math.fsum(values) / len(values) if values else math.nan


def _without(case: Failed) -> Json:
    paths = {"reference_file": str(case.case.reference), "prediction_file": str(case.case.prediction)}
    said = {"error": case.error, "message": case.message, "hint": case.hint}
    return {"case": case.case.name, "status": case.status, **paths, **said}
