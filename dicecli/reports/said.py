"""What is said of numbers beside them: definitions, what was left out, what misleads."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import resolve
from dicecli.plugins import load
from dicecli.records.tools import said
from dicecli.reports.averages import AVERAGES, definition, without_pools
from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.intervals import not_resampled
from dicecli.reports.presentation import figure, shown_metrics
from dicecli.reports.rows import labels_found
from dicecli.reports.text import inert
from dicecli.statistics._leading import leading
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Failed, Scored
    from dicecli.records.settings import Settings
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues

    Pairs = list[tuple[str, str]]

#: Of so many kinds of errors it is said what to do.
_ADVISED = 3
#: What the metrics of all labels at once are of.
_OVER_ALL = {
    "labels": "of all counted pixels, background included",
    "probabilities": "of all channels together; generalised Dice of those that are averaged",
}
_OVER_ALL_BRIEFLY = {"labels": "of all counted pixels", "probabilities": "of all channels together"}
_OVERALL = "overall_"


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


def of_case(case: CaseValues, report: Numbers, *, every: bool) -> Pairs:
    """Return what is said of the numbers of one case: what misleads; with `every`, what each means."""
    metrics = report.shown
    _, unknown = shown_metrics(case.result, metrics)
    found = [("not given", unknown), *overall(case.overall, report, [case.result], every=every)]
    if every:
        found += _definitions(case.averages, metrics, report.settings.reads)
    found.append(("infinite", infinite(case.averages).removesuffix(".")))
    found += _of_metrics(metrics, report.settings, every=every)
    if every:
        key = "background" if report.settings.only is None else "left out"
        found.append((key, _background(case, report)))
    wrong = [name for name, holds in case.checks.items() if not holds]
    if case.checks and (wrong or every):
        holds = "F1 = Dice and Dice = 2 IoU / (1 + IoU), exactly, for every label; not for means"
        found.append(("checked", f"DOES NOT HOLD: {', '.join(wrong)}" if wrong else holds))
    return [(key, text) for key, text in found if text]


def of_run(report: Numbers, *, every: bool) -> Pairs:
    """Return what is said of the numbers of many cases: what misleads; with `every`, what each means."""
    found = overall(report.overall, report, report.scored, every=every)
    if every:
        found += _definitions(report.averages, report.shown, report.settings.reads)
    found.append(("95 % CI", _resampled(report, every=every)))
    found.append(("infinite", infinite(report.averages).removesuffix(".")))
    found += _of_metrics(report.shown, report.settings, every=every)
    found.append(("own choices", own_choices(report.shown).removesuffix(".")))
    return [(key, text) for key, text in found if text]


def _resampled(report: Numbers, *, every: bool) -> str:
    """Say how intervals are made and what SD is over; nothing where there is neither."""
    if len(report.scored) < 2:
        return ""
    over = report.summary.resampled
    how = "percentile bootstrap" if every else "bootstrap"
    text = f"{how} over {over}s ({RESAMPLES:,} resamples, seed {SEED}); SD is over cases"
    names = [each.name for each in not_resampled(report.shown)]
    return f"{text}; pooled {', '.join(names)} {'have' if names[1:] else 'has'} none" if names else text


def _of_metrics(metrics: Sequence[Metric], settings: Settings, *, every: bool) -> Pairs:
    """Return what is said of metrics: by which definition, tuned on what; with `every`, their options."""
    found = [("not pooled", not_pooled(metrics))]
    found += measured_by(metrics, settings)
    return [*found, *([("options", options(metrics))] if every else []), ("tuned", tuned(metrics))]


def overall(values: Mapping[str, float], report: Numbers, cases: Sequence[Scored], *, every: bool) -> Pairs:
    """Return the metrics of all labels at once, where they are to be shown, and what averages leave out.

    They are shown where none was asked for, or they were; with `every`, all of them; none where the cases
    that they are of have no measurements of all labels, as those of nnU-Net's summary.json.
    """
    reads, asked = report.settings.reads, report.settings.metrics
    wanted = None if asked is None or every else {resolve(name).name for name in asked}
    shown = {name: value for name, value in values.items() if wanted is None or name in wanted}
    left_out = "" if every else left_out_of_averages(report)
    is_none = all(map(math.isnan, shown.values()))
    if not shown or (is_none and not leading(reads).every(cases, report.evaluated)):
        return [("left out", f"{left_out}: in no average" if left_out else "")]
    if every:
        text = ", ".join(f"{name} {figure(value)}" for name, value in shown.items())
        return [("overall", f"{text}: {_OVER_ALL[reads]}")]
    names = {name: name.removeprefix(_OVERALL) for name in shown}
    text = ", ".join(f"{names[name]} {figure(value)}" for name, value in shown.items())
    whole = f"with {left_out}, not in averages" if left_out else _OVER_ALL_BRIEFLY[reads]
    return [("overall", f"{text}{' ' if left_out else '; '}{whole}")]


def left_out_of_averages(report: Numbers) -> str:
    """Name the labels that averages leave out: the background, or all that are not asked for."""
    if report.settings.only is None:
        background = report.settings.labels.background
        is_there = any(background in labels_found(each) for each in report.scored)
        return f"label {background}" if is_there and background not in report.labels else ""
    others = {label for each in report.scored for label in labels_found(each)} - {*report.labels}
    return f"label{'s' * (len(others) > 1)} {some_of([*map(str, sorted(others))], 5)}" if others else ""


def _definitions(
    averages: Mapping[str, Mapping[str, Average]], metrics: Sequence[Metric], reads: str
) -> Pairs:
    return [(name, _defined(name, values, metrics, reads)) for name, values in averages.items()]


def _background(case: CaseValues, report: Numbers) -> str:
    """Say what became of the background; nothing where there is none."""
    if report.settings.only is not None:
        named = left_out_of_averages(report)
        text = f"{named}: in no row and no average, as others alone are asked for"
        more = "; their pixels still count as false positives and false negatives of these"
        return f"{text}{more * (report.settings.reads == 'labels')}" if named else ""
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
        found.append(f"Hint on {inert(kind)}, in {counted(count, 'case')}: {inert(hint)}")
    return " ".join(found)
