"""How far a run may fall behind an earlier one, and what got worse."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.errors import GateError, UsageError
from dicecli.records.cases import Verdict
from dicecli.reports.averages import AVERAGES, OF_VALUES
from dicecli.reports.chosen import first_of
from dicecli.reports.comparison.comparing import rows_of_both
from dicecli.reports.comparison.matching import NAMED_CASES, match
from dicecli.reports.gates import Gate, bound, parts, to_number, view

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports.bound import Number
    from dicecli.reports.report import Report

    Change = tuple[str, float, float]

_DROPS = "Write 0.01 (of Dice, or of maps soft_dice_standard), iou@micro=0.01, or dice[liver]=0.02."
#: A drop within this is noise of floating point.
SLACK = 1e-12
_NAMED_LABELS = 10
_NOTHING = "no case was scored; undefined never passes"


def compare(report: Report, baseline: Report, drops: Sequence[str]) -> list[Verdict]:
    """Compare a report with an earlier one, over the cases that both scored; one verdict for each drop.

    Parameters
    ----------
    report, baseline : Report
        Cases are matched by name; each report keeps its own settings. Of a run without a case that was
        scored every drop is undefined, whatever the baseline has.
    drops : sequence of str
        Gates whose limit is how much worse the metric may be, without ``min:`` and ``max:``; a number alone
        is of Dice, of maps of soft Dice, in the average that leads. A verdict's value is the drop, negative
        where the metric got better.

    Raises
    ------
    GateError
        Malformed, no shared case, two cases of one name, or what either report does not have.
    UnknownName
        There is no such metric.
    """
    gates = [parse_drop(text, report.settings.reads) for text in drops]
    if not report.scored:
        return [Verdict(gate.text, math.nan, gate.limit, False, _NOTHING) for gate in gates]
    cases = match(report, baseline)
    new = view(report, gates, cases.new)
    try:
        old = view(baseline, gates, cases.old)
    except UsageError as error:
        raise GateError(f"the baseline: {error.message}", error.hint) from error
    pairs = _numbers(gates, old, new, (report, baseline))
    return [_of_drop(gate, *pair, cases.facts) for gate, pair in zip(gates, pairs, strict=True)]


def _numbers(
    gates: Sequence[Gate], old: Report, new: Report, full: Sequence[Report]
) -> list[tuple[Number, Number]]:
    """Look up what each gate means in both reports; `full` are they with all of their cases.

    Raises
    ------
    GateError
        It is another thing in the one than in the other, or in neither.
    """
    if any(gate.metric.unit for gate in gates) and old.unit != new.unit:
        raise GateError(
            f"lengths of the baseline are in {old.unit}, and those of this run in {new.unit}",
            "Give a baseline whose lengths are in the same unit.",
        )
    of_labels = [gate for gate in gates if gate.asked.average in AVERAGES and gate.asked.row is None]
    if of_labels and (old.is_layered or new.is_layered):
        raise GateError(
            f"'{of_labels[0].text}' is an average over labels, and masks of binary layers have regions alone",
            "Name a region, as dice[tumour]=0.01, or their mean: dice@macro-regions=0.01.",
        )
    pairs = [(bound(gate, old, "the baseline", full), bound(gate, new, beside=full)) for gate in gates]
    for gate, (was, now) in zip(gates, pairs, strict=True):
        if was.average != now.average:
            raise GateError(
                f"'{gate.text}' is {was.average} in the baseline and {now.average} in this run",
                f"Name one average: {gate.metric.name}@{now.average}={gate.limit!r}.",
            )
    return pairs


def parse_drop(text: str, reads: str = "labels") -> Gate:
    """Read the gate of ``--max-drop``; a number alone is of the first metric of a run that reads so.

    Raises
    ------
    GateError, UnknownName
        As for :func:`compare`.
    """
    is_number = not math.isnan(to_number(text))
    asked, limit, every = parts(f"{first_of(reads)}={text}" if is_number else text, _DROPS)
    if every or limit < 0 or asked.metric.better == "neither":
        raise GateError(
            f"'{text}' is no drop: it takes no min: or max:, a limit from 0, and a metric with a direction",
            _DROPS,
        )
    return Gate(f"max-drop {text.strip()}", asked, limit, "over")


def _of_drop(gate: Gate, old: Number, new: Number, facts: Sequence[str]) -> Verdict:
    metric, was, now = gate.metric, old.of_run().value, new.of_run().value
    drop = _worse_by(metric, was, now)
    # What was infinite and is no longer has got better by more than any limit.
    holds = drop - SLACK <= gate.limit
    earlier = {each.case.name: each for each in old.report.scored}
    cases = [
        (each.case.name, old.of_case(earlier[each.case.name]), new.of_case(each))
        for each in new.report.scored
    ]
    facts = [
        *facts,
        *["infinite in both: how far apart nobody knows, which never passes"]
        * (math.isinf(was) and was == now),
        *["undefined in both, which never passes"] * (math.isnan(was) and math.isnan(now)),
    ]
    listed = _worse("labels", metric, _of_labels(old, new), _NAMED_LABELS)
    listed += _worse("cases", metric, cases, NAMED_CASES)
    return Verdict(gate.text, drop, gate.limit, holds, "; ".join([_change(was, now), *facts, *listed]))


def _of_labels(old: Number, new: Number) -> Iterator[Change]:
    """Yield the pooled value of every label and shared region, then and now; overall metrics have none."""
    if not new.metric.averaged:
        return
    average = "macro" if new.metric.pools else OF_VALUES
    for before, after in rows_of_both(old.report, new.report):
        pair = (replace(old, average=average, row=before), replace(new, average=average, row=after))
        was, now = (each.of_run().value for each in pair)
        yield after.title, was, now


def _worse(kind: str, metric: Metric, changes: Iterable[Change], most: int) -> list[str]:
    """List what got worse, the most first. Where undefined means that nothing was wrong, it counts as 1."""
    best = 1.0 if metric.follows_undefined else math.nan
    falls = []
    for title, was, now in changes:
        drop = _worse_by(metric, *(best if math.isnan(value) else value for value in (was, now)))
        if drop > SLACK:
            falls.append((-drop, f"{title} {_change(was, now)}"))
    said = [text for _, text in sorted(falls)[:most]] + [f"{len(falls) - most} more"] * (len(falls) > most)
    return [f"worse {kind}: {', '.join(said)}"] if said else []


def _worse_by(metric: Metric, was: float, now: float) -> float:
    """Return by how much it got worse; NaN where both are infinite, so that nobody knows."""
    return now - was if metric.better == "lower" else was - now


def _change(was: float, now: float) -> str:
    return " → ".join("undefined" if math.isnan(value) else f"{value:.6g}" for value in (was, now))
