"""Gates: numbers that a run must reach, and how far it may fall behind a baseline.

A gate is ``NUMBER=LIMIT``, with the name of any number of a report (:mod:`dicecli.reports.asked`): ``dice``
is the average that leads, ``iou@micro``, ``dice[liver]`` (pooled over cases), ``dice[liver]@label-mean``.
``min:`` before it, or ``max:`` where lower is better, asks the same of every single case. What is undefined
or infinite never passes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dicecli.errors import GateError, UnknownName, UsageError
from dicecli.metrics._catalogue import arguments_of, measured_for, statistics_needed
from dicecli.records.cases import Verdict
from dicecli.records.settings import CALLED
from dicecli.reports import asked as names
from dicecli.reports.bound import bind, check_has_row
from dicecli.reports.report import Report
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings
    from dicecli.reports.asked import Asked
    from dicecli.reports.bound import Number
    from dicecli.reports.numbers import Numbers

EVERY = re.compile(r"^\s*(min|max)(?=\s*:)", re.IGNORECASE)
_EXAMPLES = "Write dice=0.8, iou@micro=0.7, dice[liver]=0.9, or min:dice[liver]=0.5 for every single case."


@dataclass(frozen=True)
class Gate:
    """One gate; ``under`` fails below the limit, ``over`` above it."""

    text: str
    asked: Asked
    limit: float
    direction: Literal["under", "over"]
    every_case: bool = False

    @property
    def metric(self) -> Metric:
        """What it is on."""
        return self.asked.metric

    def holds(self, value: float) -> bool:
        """Whether a value passes; the limit itself does, what is undefined or infinite does not."""
        if not math.isfinite(value):
            return False
        return value >= self.limit if self.direction == "under" else value <= self.limit


def parse(text: str, *, over: bool) -> Gate:
    """Read the gate of ``--fail-under``, or with `over` of ``--fail-over``.

    Raises
    ------
    GateError
        Malformed, or on a metric whose direction is not the option's.
    UnknownName
        There is no such metric.
    """
    asked, limit, every = parts(text, _EXAMPLES)
    metric = asked.metric
    if metric.better == "neither":
        raise GateError(
            f"'{text}': {metric.name} is neither better high nor better low",
            "Gate a metric that has a direction: 'dicecli metrics NAME' says which is better.",
        )
    is_low = metric.better == "lower"
    option, fitting = ("--fail-over", "max") if is_low else ("--fail-under", "min")
    if is_low != over or every not in {None, fitting}:
        raise GateError(
            f"'{text}': {metric.name} is better the {metric.better} it is",
            f"Write {option} '{EVERY.sub(fitting, text)}'.",
        )
    _check_range(metric, limit, text)
    return Gate(text, asked, limit, "over" if over else "under", every is not None)


def judge(gates: Sequence[Gate], report: Report) -> list[Verdict]:
    """Judge a report by gates, one verdict each; all gates are checked before the first is judged.

    A case whose own value is undefined is left out of ``min:`` and ``max:``, as it is of means. These fail
    where no case is defined, and where a case was not scored.

    Raises
    ------
    GateError
        An average, label or region that the report does not have.
    """
    shown = view(report, gates, report.results)
    numbers = [bound(gate, shown) for gate in gates]
    return [
        (_of_cases if gate.every_case else _of_run)(gate, number)
        for gate, number in zip(gates, numbers, strict=True)
    ]


def view(report: Report, gates: Sequence[Gate], results: Sequence[Result]) -> Report:
    """Return a report in which the gates' numbers can be looked up: this one, or one of some of its results.

    Where a gate is on a length, cases of another unit are failed rows in it, whatever the report shows.
    """
    has_lengths = any(gate.metric.unit is not None for gate in gates)
    if len(results) == len(report.results) and report.has_lengths >= has_lengths:
        return report
    metrics = tuple(dict.fromkeys(gate.metric.name for gate in gates))
    return Report(results, replace(report.settings, metrics=metrics), is_batch=report.is_batch)


def bound(gate: Gate, report: Report, where: str = "this run", beside: Sequence[Report] = ()) -> Number:
    """Look up what a gate names.

    Raises
    ------
    GateError
    """
    try:
        return bind(gate.asked, report, where, beside)
    except UsageError as error:
        raise GateError(f"'{gate.text}': {error.message}", error.hint) from error


def parts(text: str, examples: str) -> tuple[Asked, float, str | None]:
    """Take a gate apart, from the right: the name of a label may hold any sign."""
    head, _, last = text.rpartition("=")
    limit, every = to_number(last), EVERY.match(head)
    name = head[every.end() :].lstrip()[1:] if every else head
    if names.FORM.fullmatch(name.strip()) is None or not math.isfinite(limit):
        is_form = names.FORM.fullmatch(name.strip()) is not None
        what = "the limit must be a finite number" if is_form else "METRIC=LIMIT is expected"
        raise GateError(f"'{text}' is no gate: {what}", examples)
    before, after = f"{every[1].lower()}:" if every else "", last.strip()
    try:
        asked = names.parse(name, written=lambda meant: f"{before}{meant}={after}")
    except UnknownName:
        raise
    except UsageError as error:
        raise GateError(f"'{text}': {error.message}", error.hint) from error
    metric = asked.metric
    if metric.size is not None and not (every and asked.row):
        option = "over max" if metric.better == "lower" else "under min"
        raise GateError(
            f"'{text}': {metric.name} has no averages; it is of one label of one case",
            f"Ask it of every case: --fail-{option}:{metric.name}[1]={after}.",
        )
    return asked, limit, every[1].lower() if every else None


def check_asked_for(gates: Sequence[Gate], settings: Settings) -> None:
    """Check that what gates need is measured in a run with these settings, and has a row in it.

    Raises
    ------
    GateError
    """
    measured = statistics_needed(settings)
    for gate in gates:
        if gate.metric.reads != settings.reads:
            there, here = CALLED[gate.metric.reads], CALLED[settings.reads]
            raise GateError(
                f"'{gate.text}': {gate.metric.name} is of {there}, and this run is of {here}",
                f"Gate a metric of {here}: 'dicecli metrics' lists them.",
            )
        if gate.metric.statistic not in measured:
            raise GateError(
                f"'{gate.text}': the statistic '{gate.metric.statistic}' is measured only where one of its "
                "metrics is asked for",
                f"Add -m {gate.metric.name}, and the others to be shown: -m dice -m iou.",
            )
        if gate.asked.row is not None:
            try:
                check_has_row(gate.asked.row, settings)
            except UsageError as error:
                raise GateError(f"'{gate.text}': {error.message}", error.hint) from error
        option, asked_for = measured_for(gate.metric), arguments_of(settings.metrics, gate.metric.statistic)
        if option is not None and gate.metric.argument not in asked_for.get(option, ()):
            raise GateError(
                f"'{gate.text}': {gate.metric.name} is measured only where it is asked for",
                f"Add -m {gate.metric.name}.",
            )


def to_number(text: str) -> float:
    """Read a number; what is none is NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


def _check_range(metric: Metric, limit: float, text: str) -> None:
    """Refuse a limit that always or never holds, as a percentage or a lost sign does."""
    if not metric.low <= limit <= metric.high:
        is_percentage = (metric.low, metric.high) == (0, 1) and 1 < limit <= 100
        share = f"Scores are shares, not percentages: '{text.rpartition('=')[0]}={limit / 100:g}'."
        hint = share if is_percentage else "Write a limit within that."
        raise GateError(f"'{text}': {metric.name} lies from {metric.span}, and {limit:g} does not", hint)


def _of_run(gate: Gate, number: Number) -> Verdict:
    read = number.of_run()
    facts = [counted(len(number.report.scored), "case"), *_left_out(number.report, read.undefined)]
    facts += ["undefined never passes"] * math.isnan(read.value)
    facts += [f"{counted(read.infinite, 'infinite value')}, which never passes"] * math.isinf(read.value)
    return Verdict(gate.text, read.value, gate.limit, gate.holds(read.value), "; ".join(facts))


def _of_cases(gate: Gate, number: Number) -> Verdict:
    report = number.report
    every = [(number.of_case(each), each) for each in report.scored]
    defined = [(value, each.case.name) for value, each in every if not math.isnan(value)]
    # A case without the label in either mask says nothing; one that has it, and yet no value, never passes.
    without = [each.case.name for value, each in every if math.isnan(value) and number.is_there(each)]
    worst = min if gate.direction == "under" else max
    value, name = worst(defined, key=lambda each: each[0], default=(math.nan, ""))
    failing = sum(not gate.holds(each) for each, _ in defined)
    facts = [f"worst case: {name}"] if defined else ["undefined never passes"]
    missed = sum(math.isinf(each) for each, _ in defined)
    facts += [f"infinite in {counted(missed, 'case')}, which never passes"] * math.isinf(value)
    facts += [f"{failing} of {counted(len(defined), 'case')} beyond the limit"] * bool(failing)
    if without:
        facts.append(f"{counted(len(without), 'case')} with the label but undefined: {without[0]}")
    facts += _left_out(report, len(every) - len(defined) - len(without))
    holds = bool(defined) and not failing and not without and not _wanting(report)
    return Verdict(gate.text, value, gate.limit, holds, "; ".join(facts))


def _left_out(report: Numbers, undefined: int) -> list[str]:
    facts = [f"{undefined:,} undefined left out"] * bool(undefined)
    return facts + [f"{counted(_wanting(report), 'case')} not scored"] * bool(_wanting(report))


def _wanting(report: Numbers) -> int:
    """Count the cases that should have numbers and have none; one that was left out on request should not."""
    return len(report.unscored) - report.number("missing")
