"""Gates: numbers that a run must reach, and how far it may fall behind a baseline.

A gate is ``METRIC=LIMIT`` (the macro average; overall metrics have one number), ``METRIC@AVERAGE=LIMIT``, or
``METRIC[LABEL]=LIMIT``: a label by number or name, or a region, its counts added up over the cases. ``min:``
before it, or ``max:`` where lower is better, asks the same of every single case. Undefined never passes.
"""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from dicecli.errors import GateError
from dicecli.metrics._catalogue import Metric, resolve, statistics_of, unit_in
from dicecli.records.cases import Verdict
from dicecli.reports.averages import DEFINITIONS, MACRO_REGIONS, OF_VALUES, exists, leading
from dicecli.reports.readings import Gate, Reading, Scope, bind, view

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.reports.report import Report

_FORM = re.compile(
    r"(?:(?P<every>min|max)\s*:\s*)?(?P<metric>[^\s:@=\[\]][^:@=\[\]]*)"
    r"(?:@(?P<average>[^@=\[\]]+)|\[(?P<label>.+)\])?",
    re.IGNORECASE | re.DOTALL,
)
EVERY = re.compile(r"^\s*(min|max)(?=\s*:)", re.IGNORECASE)
_EXAMPLES = "Write dice=0.8, iou@micro=0.7, dice[liver]=0.9, or min:dice[liver]=0.5 for every single case."


def parse(text: str, *, over: bool) -> Gate:
    """Read the gate of ``--fail-under``, or with `over` of ``--fail-over``.

    Raises
    ------
    GateError
        Malformed, or on a metric whose direction is not the option's.
    UnknownName
        There is no such metric.
    """
    metric, scope, limit, every = parts(text, _EXAMPLES)
    if metric.better == "neither":
        raise GateError(
            f"'{text}': {metric.name} is neither better high nor better low",
            "Gate a metric that has a direction, such as dice, iou or fdr.",
        )
    is_low = metric.better == "lower"
    option, fitting = ("--fail-over", "max") if is_low else ("--fail-under", "min")
    if is_low != over or every not in {None, fitting}:
        raise GateError(
            f"'{text}': {metric.name} is better the {metric.better} it is",
            f"Write {option} '{EVERY.sub(fitting, text)}'.",
        )
    _check_range(metric, limit, text)
    return Gate(text, metric, scope, limit, "over" if over else "under")


def judge(gates: Sequence[Gate], report: Report) -> list[Verdict]:
    """Hold a report against gates, one verdict each; all gates are checked before the first is judged.

    A case whose own value is undefined is left out of ``min:`` and ``max:``, as it is of means. These fail
    where no case is defined, and where a case was not scored.

    Raises
    ------
    GateError
        An average, label or region that the report does not have.
    """
    shown = view(report, gates, report.results)
    readings = [bind(gate, shown) for gate in gates]
    return [
        (_of_cases if gate.scope.every_case else _of_run)(gate, reading)
        for gate, reading in zip(gates, readings, strict=True)
    ]


def parts(text: str, examples: str) -> tuple[Metric, Scope, float, str | None]:
    """Take a gate apart, from the right: the name of a label may hold any sign."""
    head, _, number = text.rpartition("=")
    found, limit = _FORM.fullmatch(head.strip()), to_number(number)
    if found is None or not math.isfinite(limit):
        what = "METRIC=LIMIT is expected" if found is None else "the limit must be a finite number"
        raise GateError(f"'{text}' is no gate: {what}", examples)
    metric = resolve(found["metric"])
    average, label, every = found["average"], found["label"], found["every"]
    if metric.takes == "every" and (average or label):
        raise GateError(
            f"'{text}': {metric.name} is one number of all labels, without averages and labels",
            f"Write {metric.name}={limit:g}.",
        )
    if metric.size is not None and not (every and label):
        raise GateError(
            f"'{text}': {metric.name} has no averages; it is of one label of one case",
            f"Ask it of every case: {'max' if metric.better == 'lower' else 'min'}:{metric.name}[1]=….",
        )
    if average:
        average = re.sub(r"[\s_]+", "-", average.strip().lower())
        _check_average(metric, average, text)
    elif not label and metric.averaged:
        average = leading(metric)
    scope = Scope(average, label and label.strip(), bool(every), unit_in(found["metric"]))
    return metric, scope, limit, every and every.lower()


def _check_average(metric: Metric, average: str, text: str) -> None:
    if average in {*DEFINITIONS, MACRO_REGIONS} and not exists(average, metric):
        raise GateError(
            f"'{text}': {metric.name} does not pool, so that there is no {average} of it",
            f"Write {metric.name}@{leading(metric)}=…; it has {' and '.join(OF_VALUES)}.",
        )


def check_asked_for(gates: Sequence[Gate], metrics: Sequence[str] | None) -> None:
    """Hold that what gates need is measured in a run whose settings have some `metrics`.

    Raises
    ------
    GateError
    """
    asked = statistics_of(metrics)
    for gate in gates:
        if gate.metric.statistic not in asked:
            raise GateError(
                f"'{gate.text}': the statistic '{gate.metric.statistic}' is measured only where one of its "
                "metrics is asked for",
                f"Add -m {gate.metric.name}, and the others to be shown: -m dice -m iou.",
            )


def to_number(text: str) -> float:
    """Read a number; what is none is NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _check_range(metric: Metric, limit: float, text: str) -> None:
    """Refuse a limit that always or never holds, as a percentage or a lost sign does."""
    found = re.match(r"(\S+) to (\w+)", metric.range)
    low, high = (float(each) for each in found.groups()) if found else (-math.inf, math.inf)
    span = metric.range.partition(",")[0]
    hint = "Scores are shares, not percentages: dice=0.85." if high == 1 else "Write a limit within that."
    if not low <= limit <= high:
        raise GateError(f"'{text}': {metric.name} lies from {span}, and {limit:g} does not", hint)


def _of_run(gate: Gate, reading: Reading) -> Verdict:
    read = reading.of_run()
    facts = [number_of(len(reading.report.scored), "case"), *_left_out(reading.report, read.undefined)]
    facts += ["undefined never passes"] * math.isnan(read.value)
    return Verdict(gate.text, read.value, gate.limit, gate.holds(read.value), "; ".join(facts))


def _of_cases(gate: Gate, reading: Reading) -> Verdict:
    report = reading.report
    every = [(reading.of_case(each), each) for each in report.scored]
    defined = [(value, each.case.name) for value, each in every if not math.isnan(value)]
    # A case without the label in either mask says nothing; one that has it, and yet no value, never passes.
    without = [each.case.name for value, each in every if math.isnan(value) and reading.is_there(each)]
    worst = min if gate.direction == "under" else max
    value, name = worst(defined, key=lambda each: each[0], default=(math.nan, ""))
    failing = sum(not gate.holds(each) for each, _ in defined)
    facts = [f"worst case: {name}"] if defined else ["undefined never passes"]
    facts += [f"{failing} of {number_of(len(defined), 'case')} beyond the limit"] * bool(failing)
    if without:
        facts.append(f"{number_of(len(without), 'case')} with the label but undefined: {without[0]}")
    facts += _left_out(report, len(every) - len(defined) - len(without))
    holds = bool(defined) and not failing and not without and not _wanting(report)
    return Verdict(gate.text, value, gate.limit, holds, "; ".join(facts))


def _left_out(report: Report, undefined: int) -> list[str]:
    facts = [f"{undefined:,} undefined left out"] * bool(undefined)
    return facts + [f"{number_of(_wanting(report), 'case')} not scored"] * bool(_wanting(report))


def _wanting(report: Report) -> int:
    """Count the cases that should have numbers and have none; one that was left out on request should not."""
    return len(report.unscored) - report.number("missing")


def number_of(n: int, what: str) -> str:
    """Say how many of something there are."""
    return f"{n:,} {what}{'' if n == 1 else 's'}"
