"""What the reports for people's eyes share: how numbers are written, which rows are shown, what is said."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports.averages import OF_VALUES, definition, exists, leading
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.metrics._catalogue import Metric
    from dicecli.records.settings import Settings
    from dicecli.reports.averages import Average
    from dicecli.reports.rows import CaseScores, LabelScore

#: More labels than this are not all shown, but the worst of them.
MANY_LABELS = 40
WORST = 20
UNDEFINED = "—"
_TITLES = {"dice": "dice = f1"}


def figure(value: float) -> str:
    """Write a number for people: four decimals, a dash where it is undefined."""
    if math.isnan(value):
        return UNDEFINED
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def title(metric: Metric) -> str:
    """Write a metric's name over its column."""
    return _TITLES.get(metric.name, metric.name)


def shown_metrics(case: CaseScores, metrics: Sequence[Metric]) -> tuple[list[Metric], str]:
    """Return the metrics to show, and what to say of those that this kind of file cannot have."""
    without = [each for each in metrics if each.size is not None and each.size not in case.result.sizes]
    if not without:
        return list(metrics), ""
    said = f"{', '.join(each.name for each in without)}: the reference gives no size of a pixel for them"
    return [each for each in metrics if each not in without], said


def shown_labels(case: CaseScores, metrics: Sequence[Metric], *, every: bool) -> tuple[list[LabelScore], str]:
    """Return the labels to show, and what to say of the others: with many labels, the worst alone."""
    rows = list(case.labels)
    if every or len(rows) <= MANY_LABELS:
        return rows, ""
    ranked = next((each for each in metrics if each.better != "neither"), None)
    if ranked is None:
        return rows[:WORST], f"the first {WORST} of {len(rows)} labels; all of them: -v, or -f csv"
    sign = 1 if ranked.better == "higher" else -1
    defined = [row for row in rows if not math.isnan(row.values[ranked.name])]
    worst = sorted(defined, key=lambda row: (sign * row.values[ranked.name], row.label))[:WORST]
    return worst, (
        f"the {len(worst)} of {len(rows)} labels with the worst {ranked.name}, worst first; "
        "all of them: -v, or -f csv"
    )


def heading(case: CaseScores) -> list[tuple[str, str]]:
    """Return what was compared: masks, shape, spacing, pixels."""
    result = case.result
    shape = " x ".join(str(n) for n in result.shape)
    if result.spacing:
        steps = " x ".join(f"{step:.6g}" for step in result.spacing)
        shape += f", spacing {steps} {result.unit or '(unit unknown)'}"
    counted = f"{result.counted:,} pixels"
    left_out = [f"{n:,} of {_EXCLUDED[why]}" for why, n in result.excluded.items() if n]
    if left_out:
        counted += f"; left out: {', '.join(left_out)}"
    return [
        ("prediction", inert(str(result.case.prediction))),
        ("reference", inert(str(result.case.reference))),
        ("shape", shape),
        ("counted", counted),
    ]


def _defined(name: str, values: dict[str, Average], metrics: Sequence[Metric]) -> str:
    """Say what an average is, and how many values of the first metric went in and were left out."""
    first = next((values[each.name] for each in metrics if each.name in values), None)
    if first is None:
        return definition(name)
    left_out = f", {first.undefined} undefined left out" if first.undefined else ""
    return f"{definition(name)} (n = {first.n}{left_out})"


_EXCLUDED = {"ignore_label": "an ignored label", "nodata": "nodata"}


def undefined_row(case: CaseScores, metrics: Sequence[Metric]) -> list[int]:
    """Return how many undefined values the leading average of each metric leaves out."""
    return [case.averages[leading(each)][each.name].undefined if each.averaged else 0 for each in metrics]


def averaged(name: str, values: dict[str, Average], metrics: Sequence[Metric]) -> list[str]:
    """Write an average of each metric: nothing where it has none at all, a dash where it lacks this one."""
    return [
        (figure(values[each.name].value) if exists(name, each) else UNDEFINED) if each.averaged else ""
        for each in metrics
    ]


def not_pooled(metrics: Sequence[Metric]) -> str:
    """Say which metrics lack averages, and why; nothing where none does."""
    names = [each.name for each in metrics if not each.pools]
    if not names:
        return ""
    means = " and ".join(OF_VALUES)
    return f"{', '.join(names)}: values of single cases do not add up, so that there are {means} alone"


def explanations(case: CaseScores, metrics: Sequence[Metric], settings: Settings) -> list[tuple[str, str]]:
    """Return what the numbers mean: the averages, the overall agreement, the checks, the background."""
    overall = case.overall
    _, unknown = shown_metrics(case, metrics)
    said = [("not given", unknown)] if unknown else []
    said += [
        (
            "overall",
            f"accuracy {figure(overall['overall_accuracy'])}, kappa {figure(overall['overall_kappa'])}, "
            f"mcc {figure(overall['overall_mcc'])}: of all counted pixels, background included",
        ),
    ]
    said += [(name, _defined(name, values, metrics)) for name, values in case.averages.items()]
    said += [("not pooled", unpooled)] if (unpooled := not_pooled(metrics)) else []
    background = settings.labels.background
    if any(row.label == background and row.counts.reference + row.counts.prediction for row in case.others):
        said.append(
            (
                "background",
                f"label {background} is left out of the averages (--include-background takes it "
                "in); its pixels still count as false positives and false negatives of the others, so "
                "micro Dice is not accuracy",
            )
        )
    elif settings.include_background and not any(case.result.excluded.values()):
        said.append(
            ("background", "taken into the averages: micro Dice, IoU's counts and accuracy cover all")
        )
    wrong = [name for name, holds in case.checks.items() if not holds]
    said.append(
        (
            "checked",
            f"DOES NOT HOLD: {', '.join(wrong)}"
            if wrong
            else "F1 = Dice and Dice = 2 IoU / (1 + IoU), exactly, for every label; not for means",
        )
    )
    return said
