"""A run beside its baseline: which cases both scored, and what became of each number over these."""

from __future__ import annotations

import math
from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import GateError, UsageError
from dicecli.records.compared import Change, Comparison
from dicecli.records.natural import natural
from dicecli.records.options import table_of
from dicecli.records.settings import CALLED, AnyOptions
from dicecli.reports.asked import parse
from dicecli.reports.averages import OF_VALUES
from dicecli.reports.bootstrap import of_tables
from dicecli.reports.bound import bind
from dicecli.reports.means import mean
from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.bound import Number
    from dicecli.reports.numbers import Numbers

NAMED_CASES = 5
#: Settings by which numbers that are compared do not differ, beside those that measure something more.
_NO_MATTER = {"labels", "metrics", "device", "like", "average", "group_by"}


@dataclass(frozen=True)
class Matched:
    """The cases of a run and of its baseline, matched by their names.

    Attributes
    ----------
    new, old : tuple of Scored
        Those that both scored, of the run and of the baseline, in one order.
    only_new, only_old : tuple of str
        The names of those that one alone scored.
    settings : tuple of str
        The settings in which the two differ, and by which numbers may.
    """

    new: tuple[Scored, ...]
    old: tuple[Scored, ...]
    only_new: tuple[str, ...]
    only_old: tuple[str, ...]
    settings: tuple[str, ...]

    @property
    def facts(self) -> list[str]:
        """What people want to know beside the numbers: how many cases, which are left out, other settings."""
        found = [f"{len(self.new):,} shared case{'' if len(self.new) == 1 else 's'}"]
        found += [f"only in the baseline: {_some(self.only_old)}"] * bool(self.only_old)
        found += [f"only in this run: {_some(self.only_new)}"] * bool(self.only_new)
        return found + self.other_settings

    @property
    def other_settings(self) -> list[str]:
        """What is said of other settings; nothing where there are none."""
        return [f"other settings than the baseline: {', '.join(self.settings)}"] * bool(self.settings)


def match(report: Report, baseline: Report) -> Matched:
    """Match the cases of a report with those of an earlier one.

    Raises
    ------
    GateError
        One is of masks and the other of maps, they share no case, or two cases have one name.
    """
    if report.settings.reads != baseline.settings.reads:
        mine, others = CALLED[report.settings.reads], CALLED[baseline.settings.reads]
        raise GateError(
            f"the baseline is of {others}, and this run of {mine}", f"Give as a baseline results of {mine}."
        )
    here, there = _by_name(report, "this run"), _by_name(baseline, "the baseline")
    shared = [name for name in here if name in there]
    if not shared:
        raise GateError(
            f"no case was scored both in this run ({_some(here)}) and in the baseline ({_some(there)})",
            "Cases are matched by their names. Give the baseline of the same cases.",
        )
    own, given = report.settings.to_dict(), baseline.settings.to_dict()
    no_matter = _NO_MATTER | {each.name for each in table_of(AnyOptions).values() if each.measures}
    return Matched(
        tuple(here[name] for name in shared),
        tuple(there[name] for name in shared),
        tuple(sorted(here.keys() - there.keys(), key=natural)),
        tuple(sorted(there.keys() - here.keys(), key=natural)),
        tuple(key for key in own if own[key] != given.get(key) and key not in no_matter),
    )


def comparison(report: Report, baseline: Report, path: str | None = None) -> Comparison:
    """Compare the numbers that lead, and those of every label and region, with those of an earlier run.

    A metric that the baseline cannot give, such as a distance that was not measured, is left out, and a note
    says so.

    Parameters
    ----------
    report, baseline : Report
        Each keeps its own settings, but for the average that leads, which is the report's.
    path : str, optional
        Where the baseline was read.

    Raises
    ------
    GateError
        As for :func:`match`.
    """
    cases = match(report, baseline)
    metrics, notes = [], cases.other_settings
    for each in report.shown:
        why = _unlike(each, report, baseline, cases)
        if why is None:
            metrics.append(each.name)
        else:
            notes.append(f"{each.name} is not compared: {why}")
    new, old = _views(report, baseline, cases, metrics)
    pairs = [pair for name in metrics for pair in _pairs(name, new, old)]
    groups = [each.case.group for each in cases.new]
    return Comparison(
        path,
        len(cases.new),
        cases.only_old,
        cases.only_new,
        "case" if all(each is None for each in groups) else "group",
        tuple(dict.fromkeys(notes)),
        tuple(_changes(pairs, groups)),
    )


def _views(report: Report, baseline: Report, cases: Matched, metrics: Sequence[str]) -> tuple[Report, Report]:
    """Return the two with the cases that both scored, some metrics, and the average that leads here.

    A metric that was not measured is a UsageError.
    """
    mine = replace(report.settings, metrics=tuple(metrics))
    others = replace(baseline.settings, metrics=tuple(metrics), average=mine.average)
    return (
        Report(cases.new, mine, is_batch=report.is_batch),
        Report(cases.old, others, is_batch=report.is_batch),
    )


def _unlike(metric: Metric, report: Report, baseline: Report, cases: Matched) -> str | None:
    """Say why a metric cannot be compared, or None."""
    try:
        new, old = _views(report, baseline, cases, [metric.name])
        was, now = bind(parse(metric.name), old, "the baseline"), bind(parse(metric.name), new)
    except UsageError as error:
        return error.message
    if len(old.scored) < len(cases.old) or len(new.scored) < len(cases.new):
        return "the cases are not of one unit, or not of one kind"
    is_other = was.average != now.average
    return f"it is {was.average} in the baseline and {now.average} in this run" if is_other else None


def _pairs(name: str, new: Report, old: Report) -> Iterator[tuple[Number, Number]]:
    """Yield a metric then and now: what leads, and each label and region."""
    was, now = (bind(parse(name), each) for each in (old, new))
    if now.metric.averaged:
        yield was, now
    average = "macro" if now.metric.pools else OF_VALUES
    for before, after in rows_of_both(old, new):
        yield replace(was, row=before, average=average), replace(now, row=after, average=average)


def rows_of_both(old: Numbers, new: Numbers) -> list[tuple[Row, Row]]:
    """Return the rows that can be compared, labels by their new names.

    They are every label that either evaluates, and regions of one name and the same labels, or of the same
    labels where the old report has no region of the name.
    """
    scheme = new.settings.labels
    labels = {row.label: row for row in (*old.evaluated, *new.evaluated) if row.label is not None}
    rows = [labels[each]._replace(name=scheme.name(each)) for each in sorted(labels)]
    regions = [row for row in old.evaluated if row.kind == "region"]
    found = [(row, row) for row in rows]
    for row in (each for each in new.evaluated if each.kind == "region"):
        named = [each for each in regions if each.name == row.name]
        members = [each for each in regions if row.members and {*each.members} == {*row.members}]
        same = [each for each in named if {*each.members} == {*row.members}] if named else members
        found += [(each, row) for each in same[:1]]
    return found


def _changes(pairs: Sequence[tuple[Number, Number]], groups: Sequence[str | None]) -> Iterator[Change]:
    """Yield what became of each number, with the interval of the mean difference over the cases."""
    differences = [_of_cases(now) - _of_cases(was) for was, now in pairs]
    if not pairs:
        return
    table = np.array(differences, np.float64).T
    (intervals,) = of_tables([(tuple(range(len(groups))), table)], groups)
    for (was, now), column, (low, high) in zip(pairs, differences, intervals, strict=True):
        finite = column[np.isfinite(column)].tolist()
        old, new = was.of_run().value, now.of_run().value
        yield Change(
            now.metric.name,
            now.average or "",
            now.row.label if now.row else None,
            now.row.name if now.row else None,
            now.metric.better,
            old,
            new,
            new - old if math.isfinite(new) or math.isfinite(old) else math.nan,
            len(finite),
            mean(finite).value,
            low,
            high,
        )


def _of_cases(number: Number) -> np.ndarray:
    """Return a number of each case: float64, NaN where it is undefined or infinite."""
    report = number.report
    if number.row is None:
        values = [number.of_case(each) for each in report.scored]
    else:
        table, place = report.table_of(number.row)
        values = table.values(number.metric)[place :: len(table.rows)].tolist()
    found = np.array(values, np.float64)
    found[~np.isfinite(found)] = np.nan
    return found


def _by_name(report: Report, where: str) -> dict[str, Scored]:
    names = Counter(each.case.name for each in report.scored)
    twice = [name for name, n in names.items() if n > 1]
    if twice:
        raise GateError(
            f"more than one case of {where} is named {_some(twice)}", "Give each case a name of its own."
        )
    return {each.case.name: each for each in report.scored}


def _some(names: Iterable[str]) -> str:
    every = sorted(names, key=natural)
    more = [f"{len(every) - NAMED_CASES} more"] * (len(every) > NAMED_CASES)
    return ", ".join(every[:NAMED_CASES] + more) or "none"
