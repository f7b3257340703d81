"""What the reports for people's eyes share: how numbers are written, which rows are shown, what is said."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.plugins import load
from dicecli.records.tools import said
from dicecli.reports.averages import AVERAGES, alone, definition, exists, without_pools
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Failed, Scored
    from dicecli.records.settings import Settings
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues, RowValues

#: More labels than this are not all shown, but the worst of them.
MANY_LABELS = 40
WORST = 20
#: Of so many kinds of errors it is said what to do.
_ADVISED = 3
UNDEFINED = "—"
_TITLES = {"dice": "dice = f1"}
_EXCLUDED = {"ignore_label": "an ignored label", "nodata": "nodata"}
#: What the metrics of all labels at once are of.
OVER_ALL = {
    "labels": "of all counted pixels, background included",
    "probabilities": "of all channels together; generalised Dice of those above",
}


def figure(value: float) -> str:
    """Write a number for people: four decimals, a dash where it is undefined."""
    if math.isnan(value):
        return UNDEFINED
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def size(value: float) -> str:
    """Write a number of pixels for people; one that need not be whole with a decimal."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def title(metric: Metric) -> str:
    """Write a metric's name over its column."""
    return _TITLES.get(metric.name, metric.name)


def shown_metrics(result: Scored, metrics: Sequence[Metric]) -> tuple[list[Metric], str]:
    """Return the metrics to show, and what to say of those that this kind of file cannot have."""
    without = [each for each in metrics if each.size is not None and each.size not in result.sizes]
    if not without:
        return list(metrics), ""
    said = f"{', '.join(each.name for each in without)}: the reference gives no size of a pixel for them"
    return [each for each in metrics if each not in without], said


def shown_labels(case: CaseValues, metrics: Sequence[Metric], *, every: bool) -> tuple[list[RowValues], str]:
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


def heading(case: CaseValues) -> list[tuple[str, str]]:
    """Return what was compared: masks, shape, spacing, channels, pixels."""
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


def undefined_row(case: CaseValues, metrics: Sequence[Metric], report: Numbers) -> list[int]:
    """Return how many undefined values the leading average of each metric leaves out."""
    return [
        case.averages[alone(report.leading(each), each)][each.name].undefined if each.averaged else 0
        for each in metrics
    ]


def averaged(name: str, values: Mapping[str, Average], metrics: Sequence[Metric]) -> list[str]:
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
    means = " and ".join(without_pools())
    return f"{', '.join(names)}: values of single cases do not add up, so that there are {means} alone"


def tuned(metrics: Sequence[Metric]) -> str:
    """Say which metrics are chosen on the data that they are of; nothing where none is."""
    names = [each.name for each in metrics if each.tuned]
    if not names:
        return ""
    return (
        f"{', '.join(names)}: chosen on these data, which flatters: choose on one part, score another. The "
        "averages macro, micro and weighted have one threshold for all labels"
    )


def own_choices(metrics: Sequence[Metric]) -> str:
    """Say of which choices averages over cases are, where metrics are tuned on the data that they are of."""
    names = ", ".join(each.name for each in metrics if each.tuned)
    means = [each.name for each in AVERAGES.values() if each.alone != each.name]
    return (
        f"Of {names}: {', '.join(means[:-1])} and {means[-1]} are means of each case's own threshold, not of "
        "one for all."
        if names
        else ""
    )


def options(metrics: Sequence[Metric]) -> str:
    """Say with which options metrics were computed, but for those that a definition says; may be nothing."""
    found: dict[str, object] = {}
    for each in metrics:
        if hasattr(load("statistics", each.statistic), "described"):
            continue
        found |= {name: value for name, value in each.given if name in each.options}
    return ", ".join(
        f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
        for name, value in found.items()
    )


def measured_by(metrics: Sequence[Metric], settings: Settings) -> list[tuple[str, str]]:
    """Return by which definition each statistic of some metrics was measured that has several.

    Before them what ``--like`` stood for.
    """
    found = []
    if settings.like is not None:
        named = [(each.name, each.function.__name__) for each in metrics]
        found.append(("like", said(settings.like, settings.option, named)))
    for name in dict.fromkeys(each.statistic for each in metrics):
        statistic = load("statistics", name)
        if hasattr(statistic, "described"):
            shown = tuple(each.name for each in metrics if each.statistic == name)
            found.append((name, statistic.described(replace(settings, metrics=shown))))
    return found


def infinite(averages: Mapping[str, Mapping[str, Average]]) -> str:
    """Say of which averages some values are infinite, and what the mean without them is."""
    return " ".join(
        f"{name} of {metric}: {figure(each.finite)} without its infinite values ({each.infinite})."
        for name, values in averages.items()
        for metric, each in values.items()
        if each.infinite
    )


def _defined(name: str, values: Mapping[str, Average], metrics: Sequence[Metric], reads: str) -> str:
    """Say what an average is, and how many values of the first metric went in and were left out."""
    first = next((values[each.name] for each in metrics if each.name in values), None)
    if first is None:
        return definition(name, reads)
    left_out = f", {first.undefined} undefined left out" if first.undefined else ""
    return f"{definition(name, reads)} (n = {first.n}{left_out})"


def explanations(case: CaseValues, report: Numbers) -> list[tuple[str, str]]:
    """Return what the numbers of one case mean: averages, overall agreement, checks, what is left out."""
    metrics, reads = report.shown, report.settings.reads
    _, unknown = shown_metrics(case.result, metrics)
    overall = [f"{name} {figure(value)}" for name, value in case.overall.items()]
    said = [("not given", unknown), ("overall", f"{', '.join(overall)}: {OVER_ALL[reads]}")]
    said += [(name, _defined(name, values, metrics, reads)) for name, values in case.averages.items()]
    said += [("infinite", infinite(case.averages).removesuffix(".")), ("not pooled", not_pooled(metrics))]
    said += measured_by(metrics, report.settings)
    said += [("options", options(metrics)), ("tuned", tuned(metrics))]
    said.append(("background", _background(case, report)))
    wrong = [name for name, holds in case.checks.items() if not holds]
    if case.checks:
        holds = "F1 = Dice and Dice = 2 IoU / (1 + IoU), exactly, for every label; not for means"
        said.append(("checked", f"DOES NOT HOLD: {', '.join(wrong)}" if wrong else holds))
    return [(key, text) for key, text in said if text]


def _background(case: CaseValues, report: Numbers) -> str:
    """Say what became of the background; nothing where there is none."""
    background = report.settings.labels.background
    is_there = any(row.label == background and any(row.sizes.values()) for row in case.others)
    if report.settings.reads == "probabilities":
        others = ", ".join(inert(row.title) for row in case.others)
        return (
            f"{others}: left out of tables and averages (--include-background takes the background in), not "
            "of what concerns all channels together"
        ) * bool(others)
    if is_there or any(row.label == background and row.counts.prediction for row in case.others):
        return (
            f"label {background} is left out of the averages (--include-background takes it "
            "in); its pixels still count as false positives and false negatives of the others, so "
            "micro Dice is not accuracy"
        )
    if report.settings.include_background and not any(case.result.excluded.values()):
        return "taken into the averages: micro Dice, IoU's counts and accuracy cover all"
    return ""


def hints(unscored: Sequence[Failed]) -> str:
    """Say what to do about cases without numbers: the usual hint of each kind of error, by their number.

    Where there are more kinds than a few, the others are left to JSON; empty where no case has a hint.
    """
    kinds = Counter(each.error for each in unscored if each.hint)
    found = []
    for kind, count in kinds.most_common(_ADVISED):
        usual = Counter(each.hint for each in unscored if each.error == kind and each.hint)
        ((hint, _),) = usual.most_common(1)
        found.append(f"Hint on {inert(kind)}, in {count:,} case{'s' * (count > 1)}: {inert(hint)}")
    return " ".join(found)
