"""What a gate means in a report, and how its number is read there."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from dicecli.errors import GateError
from dicecli.records.measurements import Row
from dicecli.reports.averages import Average, leading, mean
from dicecli.reports.measured import added, measurements
from dicecli.reports.report import Report
from dicecli.reports.rows import labels_found
from dicecli.statistics.matrix import label_counts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.metrics._catalogue import Metric
    from dicecli.records.cases import Result, Scored

#: What an average over cases is where there is one case.
_OF_ONE_CASE = {"micro-imagewise": "micro", "macro-imagewise": "macro", "label-mean": "macro"}


@dataclass(frozen=True)
class Scope:
    """What a metric is taken of: an average, or a label or region; both None: all labels at once.

    `unit` is what a length is said to be in, where the gate says so.
    """

    average: str | None = None
    label: str | None = None
    every_case: bool = False
    unit: str | None = None


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
            name = self.average if self.average in averages else self._of_one_case(self.average)
            return averages[name][self.metric.name]
        if not scored:
            value = math.nan
        elif self.row is not None and not self.metric.pools:
            return mean(self.of_case(each) for each in scored)
        elif self.row is not None:
            total = added(self._measured(each, self.metric.of) for each in scored)
            value = self.metric.value(total, None, self.report.settings.undefined)
        else:
            value = self.metric.function(self.report.pooled_labels().values())
        return Average(value, len(scored), 0)

    def of_case(self, scored: Scored) -> float:
        """Read the number of one case."""
        if self.average is not None:
            averages = self.report.case_scores(scored).averages
            return averages[self._of_one_case(self.average)][self.metric.name].value
        if self.row is not None:
            measured = [self._measured(scored, self.metric.of)]
            return self.metric.of_case(measured, scored, self.report.settings.undefined)[0]
        return self.metric.function(label_counts(scored.measured).values())

    def _of_one_case(self, average: str) -> str:
        """Return what an average is where there is one case."""
        return _OF_ONE_CASE.get(average, average) if self.metric.pools else leading(self.metric)

    def is_there(self, scored: Scored) -> bool:
        """Tell whether a case has, in either mask, what this number is of."""
        rows = self.report.counts(scored) if self.row is None else [self._measured(scored, "counts")]
        return any(each.tp + each.fp + each.fn for each in rows)

    def _measured(self, scored: Scored, of: str) -> Any:
        """Return what was measured of the label or region in one case."""
        if isinstance(self.row, str):
            row = Row("region", None, self.row, self.report.regions[self.row])
        else:
            row = Row("label", self.row or 0, None, (self.row or 0,))
        return measurements(scored, of, [row])[0]


def view(report: Report, gates: Sequence[Gate], results: Sequence[Result]) -> Report:
    """Return these results with the metrics of the gates, whichever the report shows."""
    metrics = tuple(dict.fromkeys(gate.metric.name for gate in gates))
    return Report(results, replace(report.settings, metrics=metrics), is_batch=report.is_batch)


def bind(gate: Gate, report: Report, where: str = "this run", beside: Sequence[Report] = ()) -> Reading:
    """Look up what a gate names; a label's number may also be one that the reports `beside` have."""
    scope, metric = gate.scope, gate.metric.in_unit(report.unit)
    if scope.unit not in {None, report.unit} and report.scored:
        raise GateError(
            f"'{gate.text}': lengths of {where} are in {report.unit}",
            f"Write {metric.name}, and the limit in that unit.",
        )
    if scope.label is not None:
        return Reading(metric, report, row=_row(gate, report, where, beside))
    known = [*report.averages, *(name for name in _OF_ONE_CASE if name not in report.averages)]
    if scope.average is not None and scope.average not in known:
        raise GateError(
            f"'{gate.text}': there is no average '{scope.average}' in {where}", f"Known: {', '.join(known)}."
        )
    return Reading(metric, report, scope.average)


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
    if text in regions and (not meant or [*regions[text]] != meant):
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
