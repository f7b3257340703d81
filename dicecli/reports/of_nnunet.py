"""The summary.json of nnU-Net as a report: counts of each case and label, of which every number is made.

Version 2 has the four counts; regions are tuples of labels. Version 1 has none, but sizes and scores that
they follow from, exactly or not at all.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from pathlib import PureWindowsPath
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.masks.files import stem
from dicecli.records.cases import ALWAYS_EXCLUDED, UNSCORED, Case, Failed, Scored
from dicecli.records.codec import read
from dicecli.records.counts import Counts
from dicecli.records.measurements import Measured, Row
from dicecli.records.numbers import refuse
from dicecli.records.settings import Settings
from dicecli.reports.means import mean
from dicecli.reports.report import Report
from dicecli.statistics.matrix import Matrix
from dicecli.words import fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.records.cases import Result
    from dicecli.records.codec import Json

#: What scores and their means may differ by: nothing but the last digits of a sum.
_NEAR = 1e-9
#: Under this key the files of this project have the cases without numbers, of which nnU-Net knows nothing.
WITHOUT = "cases_without_numbers"
_TUPLE = re.compile(r"\(\s*-?\d+\s*(,\s*-?\d+\s*)*(,\s*)?\)")
_FILES = ("reference", "test")
_NOTE = (
    "read from a summary.json of nnU-Net, which has the counts of labels or regions alone: there are no "
    "distances, no sizes of pixels, no background, and nothing of all labels at once"
)
_Rows = list[tuple[str, Counts]]


def is_summary(record: object) -> bool:
    """Tell whether a file's content is a summary of nnU-Net, by its form."""
    if not isinstance(record, Mapping):
        return False
    results = record.get("results")
    return "metric_per_case" in record or (isinstance(results, Mapping) and "all" in results)


def report_of(record: Json) -> Report:
    """Build a report from a summary.

    Raises
    ------
    UsageError
        It is no whole summary, says two things that cannot both be, or not enough to know the counts.
    """
    try:
        return _report(record)
    except (LookupError, TypeError, AttributeError, ValueError, ArithmeticError) as error:
        raise UsageError(
            f"it is no whole summary of nnU-Net ({fault(error)})",
            "Give summary.json as nnU-Net wrote it, or score the masks again: "
            "dicecli batch PREDICTIONS REFERENCES -o results.json.",
        ) from error


def _report(record: Json) -> Report:
    is_second = "metric_per_case" in record
    results = record if is_second else record["results"]
    cases = [*(_second(results["metric_per_case"]) if is_second else _first(results["all"]))]
    _check_means(cases, results.get("mean", {}), ("Dice", "IoU" if is_second else "Jaccard"))
    found: list[Result] = [_scored(case, rows) for case, rows in cases]
    found += [_unscored(each, f"{WITHOUT}[{place}]") for place, each in enumerate(record.get(WITHOUT, ()))]
    return Report(found, Settings(), notes=[_NOTE], is_batch=True)


def _second(every: Sequence[Json]) -> Iterator[tuple[Case, _Rows]]:
    """Yield the cases of version 2, with the counts of each key."""
    for place, each in enumerate(every):
        rows = []
        for key, metrics in each["metrics"].items():
            where = f"metric_per_case[{place}].metrics['{key}']"
            counts = Counts(*(_whole(metrics[name], f"{where}.{name}") for name in ("TP", "FP", "FN", "TN")))
            _check(metrics, {"n_pred": counts.prediction, "n_ref": counts.reference}, where)
            _check(metrics, {"Dice": _dice(counts), "IoU": _iou(counts)}, where)
            rows.append((key, counts))
        yield _case(each["reference_file"], each["prediction_file"]), rows


def _first(every: Sequence[Json]) -> Iterator[tuple[Case, _Rows]]:
    """Yield the cases of version 1, with the counts that sizes and scores come to."""
    for place, each in enumerate(every):
        labels = {key: metrics for key, metrics in each.items() if key not in _FILES}
        found = {key: _overlap(metrics, f"results.all[{place}]['{key}']") for key, metrics in labels.items()}
        total = _total(labels, found, f"results.all[{place}]")
        rows = []
        for key, (tp, fp, fn) in found.items():
            counts = Counts(tp, fp, fn, total - tp - fp - fn)
            where = f"results.all[{place}]['{key}']"
            accuracy = (counts.tp + counts.tn) / total
            _check(labels[key], {"Jaccard": _iou(counts), "Accuracy": accuracy}, where)
            rows.append((key, counts))
        yield _case(each["reference"], each["test"]), rows


def _overlap(metrics: Json, where: str) -> tuple[int, int, int]:
    """Return true positives, false positives and false negatives, which Dice and both sizes come to."""
    reference = _whole(metrics["Total Positives Reference"], f"{where}['Total Positives Reference']")
    prediction = _whole(metrics["Total Positives Test"], f"{where}['Total Positives Test']")
    dice = metrics["Dice"]
    tp = round(dice * (reference + prediction) / 2) if reference and prediction else 0
    counts = Counts(tp, prediction - tp, reference - tp)
    _whole(min(counts), where)
    if reference and prediction:
        _check(metrics, {"Dice": _dice(counts)}, where)
    return counts.tp, counts.fp, counts.fn


def _total(labels: Json, found: Mapping[str, tuple[int, int, int]], where: str) -> int:
    """Return how many pixels a case of version 1 has: by a label's accuracy, or by all of its labels."""
    for key, (_, fp, fn) in found.items():
        missed: float = 1 - labels[key].get("Accuracy", 1)
        if fp + fn and missed > 0:
            return round((fp + fn) / missed)
    # Nothing is wrong in it: where the background is one of the labels, all of them are all of the pixels.
    if "0" in found:
        return sum(tp + fn for tp, _, fn in found.values())
    raise ValueError(f"{where} does not say how many pixels it has: nothing is wrong, and it has no label 0")


def _scored(case: Case, every: _Rows) -> Scored:
    """Return a case with a matrix for each label or region."""
    totals = {counts.total for _, counts in every}
    if len(totals) != 1:
        raise ValueError(f"the labels of {case.name} are of {sorted(totals)} pixels; one number is expected")
    parsed = [_row(key) for key, _ in every]
    if any(len(row.members) > 1 for row in parsed):
        # Among regions a label is one of a single label.
        parsed = [Row("region", None, row.name or str(row.label), row.members) for row in parsed]
    rows = {row: Matrix.of_counts(counts) for row, (_, counts) in zip(parsed, every, strict=True)}
    if len(rows) < len(every):
        raise ValueError(f"{case.name} has a label or region twice")
    excluded = dict.fromkeys(ALWAYS_EXCLUDED, 0)
    return Scored(case, (), None, None, {}, totals.pop(), excluded, Measured.of({"matrix": rows}))


def _unscored(record: Mapping[str, Any], where: str) -> Failed:
    """Return the row of a case without numbers; files of before say neither its paths nor what to do."""
    sides = ("prediction", "reference")
    paths = {side: read(str, record.get(f"{side}_file", ""), f"{where}.{side}_file") for side in sides}
    said = {"error": record["error"], "message": record["message"], "hint": record.get("hint", "")}
    case = {"name": record["case"], **paths, "group": None, "refused": None, "columns": (), "within": None}
    content = {"case": case, **said}
    found: Failed = read(UNSCORED[record["status"]], content, where)
    return found


def _row(key: str) -> Row:
    """Return the row of a key: a label, the labels of a region, or a name that version 1 was given."""
    if re.fullmatch(r"-?\d+", key):
        return Row("label", int(key), None, (int(key),))
    members = tuple(map(int, re.findall(r"-?\d+", key))) if _TUPLE.fullmatch(key) else ()
    if len(members) == 1:
        return Row("label", members[0], None, members)
    return Row("region", None, key, members)


def _case(reference: str, prediction: str) -> Case:
    """Return a case, called as the file of its reference; paths may be those of another system."""
    return Case(stem(PureWindowsPath(reference).name), str(prediction), str(reference))


def _check_means(cases: Sequence[tuple[Case, _Rows]], means: Json, names: tuple[str, str]) -> None:
    """Check that the means are those of the cases, without those that are NaN."""
    for key, said in means.items():
        every = [counts for _, rows in cases for own, counts in rows if own == key]
        values = (mean(map(_dice, every)).value, mean(map(_iou, every)).value)
        _check(said, dict(zip(names, values, strict=True)), f"mean['{key}']")


def _check(said: Json, known: Mapping[str, float], where: str) -> None:
    """Check numbers that follow from others, where they are said."""
    for name, value in known.items():
        if name in said:
            given = math.nan if said[name] is None else float(said[name])
            is_same = math.isnan(given) if math.isnan(value) else math.isclose(given, value, rel_tol=_NEAR)
            if not is_same:
                raise ValueError(f"{where}.{name} is {given:.9g}, and its counts come to {value:.9g}")


def _whole(value: Any, where: str) -> int:
    """Read a number of pixels, which may be written as a float."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or value < 0 or not float(value).is_integer():
        refuse("a number of pixels", value, where)
    return int(value)


def _dice(counts: Counts) -> float:
    sizes = counts.reference + counts.prediction
    return 2 * counts.tp / sizes if sizes else math.nan


def _iou(counts: Counts) -> float:
    union = counts.tp + counts.fp + counts.fn
    return counts.tp / union if union else math.nan
