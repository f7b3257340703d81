"""Gates: numbers that a run must reach, and how far it may fall behind a baseline.

A gate is ``METRIC=LIMIT`` (the macro average; overall metrics have one number), ``METRIC@AVERAGE=LIMIT``, or
``METRIC[LABEL]=LIMIT``: a label by number or name, or a region, its counts added up over the cases. ``min:``
before it, or ``max:`` where lower is better, asks the same of every single case. Undefined never passes.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Literal

from dicecli.catalogue import Metric, resolve
from dicecli.counts import Counts, pooled
from dicecli.errors import GateError
from dicecli.results import Scored, Verdict
from dicecli.scores import Report, counts_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

_FORM = re.compile(
    r"(?:(?P<every>min|max)\s*:\s*)?(?P<metric>[^:@=\[\]]+)(?:@(?P<average>[^@=\[\]]+)|\[(?P<label>.+)\]\s*)?",
    re.IGNORECASE | re.DOTALL,
)
_EXAMPLES = "Write dice=0.8, iou@micro=0.7, dice[liver]=0.9, or min:dice[liver]=0.5 for every single case."
_DROPS = "Write 0.01 (of the macro Dice), iou@micro=0.01, or dice[liver]=0.02."
#: What an average over cases is where there is one case.
_OF_ONE_CASE = {"micro-imagewise": "micro", "macro-imagewise": "macro", "label-mean": "macro"}
#: A drop within this is noise of floating point.
SLACK = 1e-12
_NAMED_LABELS, _NAMED_CASES = 10, 5


@dataclass(frozen=True)
class Scope:
    """What a gate's metric is taken of: an average, or a label or region; both None: all labels at once."""

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
    metric, scope, limit, every = _parts(text, _EXAMPLES)
    option, fitting = ("--fail-over", "max") if over else ("--fail-under", "min")
    if metric.better == "neither":
        raise GateError(
            f"'{text}': no direction of {metric.name} is the better one",
            "Gate a metric that has one, such as dice, iou or fdr.",
        )
    if (metric.better == "lower") != over:
        option, fitting = ("--fail-under", "min") if over else ("--fail-over", "max")
        better, fails = ("higher", "over") if over else ("lower", "under")
        raise GateError(
            f"'{text}': {metric.name} is better the {better} it is, and cannot fail for being {fails} a limit",
            f"Write {option} '{_with(text, fitting)}'.",
        )
    if every not in {None, fitting}:
        raise GateError(
            f"'{text}': {option} asks for the {fitting} of the cases, not the {every}",
            f"Write {option} '{_with(text, fitting)}'.",
        )
    return Gate(text, metric, scope, limit, "over" if over else "under")


def judge(gates: Sequence[Gate], report: Report) -> list[Verdict]:
    """Hold a report against gates, one verdict each; all gates are checked before the first is judged.

    A case whose own value is undefined is left out of ``min:`` and ``max:``, as it is of means, but with no
    defined case they fail; so they do where a case was not scored.

    Raises
    ------
    GateError
        An average, label or region that the report does not have.
    """
    view = _view(report, gates, report.results)
    readings = [_bind(gate, view) for gate in gates]
    return [
        (_of_cases if gate.scope.every_case else _of_run)(gate, reading)
        for gate, reading in zip(gates, readings, strict=True)
    ]


def compare(report: Report, baseline: Report, drops: Sequence[str]) -> list[Verdict]:
    """Hold a report against an earlier one, over the cases that both scored; one verdict for each drop.

    Parameters
    ----------
    report, baseline : Report
        Cases are matched by name; each report keeps its own settings.
    drops : sequence of str
        Gates whose limit is how much worse the metric may be, without ``min:`` and ``max:``; a number alone
        is of the macro Dice. A verdict's value is the drop, negative where it got better.

    Raises
    ------
    GateError
        Malformed, no shared case, two cases of one name, or what either report does not have.
    UnknownName
        There is no such metric.
    """
    gates = [_drop(text) for text in drops]
    here, there = _by_name(report, "the report"), _by_name(baseline, "the baseline")
    shared = [name for name in here if name in there]
    if not shared:
        raise GateError(
            f"no case was scored both here ({_some(here)}) and in the baseline ({_some(there)})",
            "Cases are matched by their names. Give the baseline of the same cases.",
        )
    new = _view(report, gates, [here[name] for name in shared])
    old = _view(baseline, gates, [there[name] for name in shared])
    full = (report, baseline)
    readings = [(_bind(gate, old, "the baseline", full), _bind(gate, new, beside=full)) for gate in gates]
    facts = [_cases(len(shared), "shared case")]
    facts += [f"only in the baseline: {_some(there.keys() - here.keys())}"] * (len(there) > len(shared))
    facts += [f"only in this run: {_some(here.keys() - there.keys())}"] * (len(here) > len(shared))
    mine, others = report.settings.to_dict(), baseline.settings.to_dict()
    different = [
        key for key in mine if mine[key] != others[key] and key not in {"labels", "metrics", "device"}
    ]
    facts += [f"other settings: {', '.join(different)}"] * bool(different)
    return [_of_drop(gate, *pair, facts) for gate, pair in zip(gates, readings, strict=True)]


@dataclass(frozen=True)
class _Reading:
    """How a gate's number is read from a report: an average, counts, or else all labels at once."""

    metric: Metric
    report: Report
    average: str | None = None
    counts: Callable[[Scored], Counts] | None = None

    def of_run(self) -> float:
        scored = self.report.scored
        if not scored:
            return math.nan
        if self.average:
            averages = self.report.averages
            name = self.average if self.average in averages else _OF_ONE_CASE[self.average]
            return averages[name][self.metric.name].value
        if self.counts:
            return self.metric.value(pooled(map(self.counts, scored)), None, self.report.settings.undefined)
        return self.metric.function(
            [pooled(counts_of(each, n) for each in scored) for n in _found(self.report)]
        )

    def of_case(self, scored: Scored) -> float:
        if self.average:
            averages = self.report.case_scores(scored).averages
            return averages[_OF_ONE_CASE.get(self.average, self.average)][self.metric.name].value
        if self.counts:
            return self.metric.value(self.counts(scored), scored.sizes, self.report.settings.undefined)
        return self.metric.function(scored.labels.values())


def _parts(text: str, examples: str) -> tuple[Metric, Scope, float, str | None]:
    """Take a gate apart, from the right: a label's name may hold any sign."""
    head, _, number = text.rpartition("=")
    found = _FORM.fullmatch(head.strip())
    limit = _number(number)
    if found is None or not found["metric"].strip() or not math.isfinite(limit):
        what = "it ends in no finite number" if found and number.strip() else "it is no METRIC=LIMIT"
        raise GateError(f"'{text}' is no gate: {what}", examples)
    metric = resolve(found["metric"])
    average, label, every = found["average"], found["label"], found["every"]
    if metric.needs == "labels" and (average or label):
        raise GateError(
            f"'{text}': {metric.name} is one number of all labels, without averages and labels",
            f"Write {'' if every is None else every + ':'}{metric.name}={number.strip()}.",
        )
    if not metric.averaged and metric.needs != "labels" and not (every and label):
        raise GateError(
            f"'{text}': {metric.name} is of one case's label; it has no averages",
            f"Ask it of every case: {'max' if metric.better == 'lower' else 'min'}:{metric.name}[LABEL]=…",
        )
    if average:
        average = re.sub(r"[\s_]+", "-", average.strip().lower())
    elif not label and metric.averaged:
        average = "macro"
    scope = Scope(average, label and label.strip(), every is not None)
    return metric, scope, limit, every and every.lower()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _with(text: str, every: str) -> str:
    """Return the text of a gate with this word in place of its own min or max, if it has one."""
    return re.sub(r"^\s*(min|max)(?=\s*:)", every, text, flags=re.IGNORECASE)


def _drop(text: str) -> Gate:
    is_number = not math.isnan(_number(text))
    metric, scope, limit, every = _parts(f"dice={text}" if is_number else text, _DROPS)
    if every or limit < 0 or metric.better == "neither":
        raise GateError(
            f"'{text}' is no drop: "
            + (
                f"no '{every}:' is taken"
                if every
                else "it is below 0"
                if limit < 0
                else "no direction is worse"
            ),
            _DROPS,
        )
    return Gate(f"max-drop {text.strip()}", metric, scope, limit, "over")


def _view(report: Report, gates: Sequence[Gate], results: Sequence[Scored]) -> Report:
    """Return these results with the metrics of the gates, whichever the report shows."""
    metrics = tuple(dict.fromkeys(gate.metric.name for gate in gates))
    return Report(results, replace(report.settings, metrics=metrics))


def _found(report: Report) -> list[int]:
    return sorted({label for each in report.scored for label in each.labels})


def _bind(gate: Gate, report: Report, where: str = "this run", beside: Sequence[Report] = ()) -> _Reading:
    """Look up what a gate names; a label may also be one that the reports `beside` have."""
    scope = gate.scope
    if scope.label is not None:
        return _Reading(gate.metric, report, counts=_counter(gate, report, where, beside))
    if scope.average is not None:
        known = dict.fromkeys([*report.averages, *_OF_ONE_CASE])
        if scope.average not in known:
            raise GateError(
                f"'{gate.text}': there is no average '{scope.average}' in {where}",
                f"Known: {', '.join(known)}.",
            )
    return _Reading(gate.metric, report, scope.average)


def _counter(gate: Gate, report: Report, where: str, beside: Sequence[Report]) -> Callable[[Scored], Counts]:
    """Find the label or region that a gate names, and return what reads its counts from a case."""
    scheme, text = report.settings.labels, gate.scope.label or ""
    reports = (report, *beside)
    known = {*scheme.names, *({scheme.background} - {None}), *(n for each in reports for n in _found(each))}
    known -= {*scheme.ignore}
    is_anything = not scheme.is_declared and not any(each.scored for each in reports)
    if re.fullmatch(r"-?\d+", text) and (int(text) in known or is_anything):
        return partial(counts_of, label=int(text))
    named = [label for label in sorted(known) if scheme.name(label) == text]
    regions = [name for name in scheme.regions if name == text and [*scheme.regions[name]] != named]
    if len(named) + len(regions) > 1:
        meant = [f"label {label}" for label in named] + [f"region {name}" for name in regions]
        raise GateError(
            f"'{gate.text}': '{text}' is {' and '.join(meant)}",
            "Write a label's number, or rename the region.",
        )
    if regions:
        return lambda scored: scored.regions[text]
    if named:
        return partial(counts_of, label=named[0])
    labels = [f"{n} ({scheme.name(n)})" if scheme.name(n) else str(n) for n in sorted(known)]
    raise GateError(
        f"'{gate.text}': there is no label or region '{text}' in {where}",
        f"Known: {', '.join([*labels, *scheme.regions])}.",
    )
