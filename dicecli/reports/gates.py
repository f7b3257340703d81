"""Gates: numbers that a run must reach, and how far it may fall behind a baseline.

A gate is ``METRIC=LIMIT`` (the macro average; overall metrics have one number), ``METRIC@AVERAGE=LIMIT``, or
``METRIC[LABEL]=LIMIT``: a label by number or name, or a region, its counts added up over the cases. ``min:``
before it, or ``max:`` where lower is better, asks the same of every single case. Undefined never passes.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from dicecli.errors import GateError
from dicecli.metrics._catalogue import Metric, resolve
from dicecli.records.cases import Scored, Verdict
from dicecli.records.counts import Counts, pooled
from dicecli.reports.averages import Average
from dicecli.reports.report import Report
from dicecli.reports.rows import labels_found
from dicecli.statistics.matrix import label_counts, region_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result

    Change = tuple[str, float, float]

_FORM = re.compile(
    r"(?:(?P<every>min|max)\s*:\s*)?(?P<metric>[^\s:@=\[\]][^:@=\[\]]*)"
    r"(?:@(?P<average>[^@=\[\]]+)|\[(?P<label>.+)\])?",
    re.IGNORECASE | re.DOTALL,
)
EVERY = re.compile(r"^\s*(min|max)(?=\s*:)", re.IGNORECASE)
_EXAMPLES = "Write dice=0.8, iou@micro=0.7, dice[liver]=0.9, or min:dice[liver]=0.5 for every single case."
#: What an average over cases is where there is one case.
_OF_ONE_CASE = {"micro-imagewise": "micro", "macro-imagewise": "macro", "label-mean": "macro"}


@dataclass(frozen=True)
class Scope:
    """What a metric is taken of: an average, or a label or region; both None: all labels at once."""

    average: str | None = None
    label: str | None = None
    every_case: bool = False


@dataclass(frozen=True)
class Gate:
    """One gate; ``under`` fails below the limit, ``over`` above it."""

    text: str
    metric: Metric
    scope: Scope
    limit: float
    direction: Literal["under", "over"]

    def holds(self, value: float) -> bool:
        """Whether a value passes; the limit itself does, NaN does not."""
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
    if metric.needs == "labels" and (average or label):
        raise GateError(
            f"'{text}': {metric.name} is one number of all labels, without averages and labels",
            f"Write {metric.name}={limit:g}.",
        )
    if not metric.averaged and metric.needs != "labels" and not (every and label):
        raise GateError(
            f"'{text}': {metric.name} has no averages; it is of one label of one case",
            f"Ask it of every case: {'max' if metric.better == 'lower' else 'min'}:{metric.name}[1]=….",
        )
    if average:
        average = re.sub(r"[\s_]+", "-", average.strip().lower())
    elif not label and metric.averaged:
        average = "macro"
    return metric, Scope(average, label and label.strip(), bool(every)), limit, every and every.lower()


def to_number(text: str) -> float:
    """Read a number; what is none is NaN."""
    try:
        return float(text)
    except ValueError:
        return math.nan


@dataclass(frozen=True)
class Reading:
    """How a gate's number is read: of an average, of a label or region, or else of all labels at once."""

    metric: Metric
    report: Report
    average: str | None = None
    row: int | str | None = None

    def of_run(self) -> Average:
        """Read the number over all cases; undefined where none was scored, whatever the policy."""
        scored = self.report.scored
        if self.average is not None:
            averages = self.report.averages
            name = self.average if self.average in averages else _OF_ONE_CASE[self.average]
            return averages[name][self.metric.name]
        if not scored:
            value = math.nan
        elif self.row is not None:
            counts = pooled(self._counts(each) for each in scored)
            value = self.metric.value(counts, None, self.report.settings.undefined)
        else:
            value = self.metric.function(self.report.pooled_labels().values())
        return Average(value, len(scored), 0)

    def of_case(self, scored: Scored) -> float:
        """Read the number of one case."""
        if self.average is not None:
            averages = self.report.case_scores(scored).averages
            return averages[_OF_ONE_CASE.get(self.average, self.average)][self.metric.name].value
        if self.row is not None:
            counts = self._counts(scored)
            return self.metric.value(counts, scored.sizes, self.report.settings.undefined)
        return self.metric.function(label_counts(scored.measured).values())

    def is_there(self, scored: Scored) -> bool:
        """Tell whether a case has, in either mask, what this number is of."""
        rows = self.report.counts(scored) if self.row is None else [self._counts(scored)]
        return any(each.tp + each.fp + each.fn for each in rows)

    def _counts(self, scored: Scored) -> Counts:
        if isinstance(self.row, str):
            return region_counts(scored.measured, {self.row: self.report.regions[self.row]})[self.row]
        return label_counts(scored.measured).get(self.row or 0, Counts(tn=scored.counted))


def _check_range(metric: Metric, limit: float, text: str) -> None:
    """Refuse a limit that always or never holds, as a percentage or a lost sign does."""
    found = re.match(r"(\S+) to (\w+)", metric.range)
    low, high = (float(each) for each in found.groups()) if found else (-math.inf, math.inf)
    if not low <= limit <= high:
        raise GateError(
            f"'{text}': {metric.name} lies from {low:g} to {high:g}, and {limit:g} does not",
            "Scores are shares, not percentages: dice=0.85.",
        )


def view(report: Report, gates: Sequence[Gate], results: Sequence[Result]) -> Report:
    """Return these results with the metrics of the gates, whichever the report shows."""
    metrics = tuple(dict.fromkeys(gate.metric.name for gate in gates))
    return Report(results, replace(report.settings, metrics=metrics), is_batch=report.is_batch)


def bind(gate: Gate, report: Report, where: str = "this run", beside: Sequence[Report] = ()) -> Reading:
    """Look up what a gate names; a label's number may also be one that the reports `beside` have."""
    scope = gate.scope
    if scope.label is not None:
        return Reading(gate.metric, report, row=_row(gate, report, where, beside))
    known = [*report.averages, *(name for name in _OF_ONE_CASE if name not in report.averages)]
    if scope.average is not None and scope.average not in known:
        raise GateError(
            f"'{gate.text}': there is no average '{scope.average}' in {where}", f"Known: {', '.join(known)}."
        )
    return Reading(gate.metric, report, scope.average)


def _row(gate: Gate, report: Report, where: str, beside: Sequence[Report]) -> int | str:
    """Return the label's number or the region's name that a gate means."""
    scheme, text = report.settings.labels, gate.scope.label or ""
    background = () if scheme.background is None else (scheme.background,)
    found = (label for each in (report, *beside) for label in _found(each))
    known = sorted({*scheme.names, *background, *found} - {*scheme.ignore})
    # Where nothing was scored, nobody knows which labels there are: undefined, and no fault of the gate.
    is_open = not scheme.is_declared and not report.scored
    if re.fullmatch(r"-?\d+", text) and (int(text) in known or is_open):
        return int(text)
    meant: list[int | str] = [label for label in known if scheme.name(label) == text]
    regions = report.regions
    if text in regions and [*regions[text]] != meant:
        meant.append(text)
    if len(meant) > 1:
        means = " and ".join(f"region {row}" if isinstance(row, str) else f"label {row}" for row in meant)
        raise GateError(
            f"'{gate.text}': '{text}' is {means}", "Write a label's number, or rename the region."
        )
    if not meant:
        labels = [f"{label} ({scheme.name(label)})" if scheme.name(label) else str(label) for label in known]
        raise GateError(
            f"'{gate.text}': there is no label or region '{text}' in {where}",
            f"Known: {', '.join([*labels, *regions])}.",
        )
    return meant[0]


def _found(report: Report) -> list[int]:
    return sorted({label for each in report.scored for label in labels_found(each)})


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
