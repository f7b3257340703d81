"""A run beside its baseline: what became of each number over the cases that both scored."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import UsageError
from dicecli.records.compared import Change, Comparison
from dicecli.reports.asked import parse
from dicecli.reports.averages import AVERAGES, OF_VALUES, OVER_REGIONS
from dicecli.reports.bootstrap import of_tables
from dicecli.reports.bound import bind
from dicecli.reports.comparison.matching import match
from dicecli.reports.means import mean
from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.measurements import Row
    from dicecli.reports.bound import Number
    from dicecli.reports.comparison.matching import Matched
    from dicecli.reports.numbers import Numbers


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
    notes += _other_rows(old, new)
    pairs = [pair for name in metrics for pair in _pairs(name, new, old)]
    notes += ["no label or region is in both"] * (bool(metrics) and not pairs)
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


def _other_rows(old: Report, new: Report) -> list[str]:
    """Say where averages are over other labels, or over other regions, than those of the baseline."""
    found = []
    for kind in ("label", "region"):
        was, now = _rows(old, kind), _rows(new, kind)
        if was and now and was.keys() != now.keys():
            before, after = (", ".join(rows.values()) for rows in (was, now))
            found.append(f"averages are over the {kind}s {before} in the baseline, and {after} here")
    return found


def _rows(report: Report, kind: str) -> dict[frozenset[int], str]:
    """Return what the labels or regions of a report are called, by their members."""
    rows = [row for row in report.evaluated if row.kind == kind]
    return {frozenset(row.members): row.title.removeprefix("label ") for row in rows}


def _unlike(metric: Metric, report: Report, baseline: Report, cases: Matched) -> str | None:
    """Say why a metric cannot be compared, or None."""
    try:
        new, old = _views(report, baseline, cases, [metric.name])
        for each, where in ((old, "the baseline"), (new, "this run")):
            bind(parse(metric.name), each, where)
    except UsageError as error:
        return error.message
    if len(old.scored) < len(cases.old) or len(new.scored) < len(cases.new):
        return "the cases are not of one unit, or not of one kind"
    return None


def _pairs(name: str, new: Report, old: Report) -> Iterator[tuple[Number, Number]]:
    """Yield a metric then and now: what leads, and each label and region."""
    was, now = (bind(parse(name), each) for each in (old, new))
    if now.metric.averaged:
        for average in _shared_averages(now, new, old):
            yield replace(was, average=average), replace(now, average=average)
    average = "macro" if now.metric.pools else OF_VALUES
    for before, after in rows_of_both(old, new):
        yield replace(was, row=before, average=average), replace(now, row=after, average=average)


def _shared_averages(now: Number, new: Report, old: Report) -> Iterator[str]:
    """Yield the average that leads; where the two are not of the same labels, that over regions as well."""
    name = OVER_REGIONS.get(now.average or "", now.average or "")
    if not any(each.regions and not each.labels for each in (new, old)):
        yield name
    labels = [_rows(each, "label").keys() for each in (new, old)]
    if new.regions and old.regions and (labels[0] != labels[1] or not labels[0]):
        yield AVERAGES[name].over_regions


def rows_of_both(old: Numbers, new: Numbers) -> list[tuple[Row, Row]]:
    """Return the rows that can be compared, labels by their new names.

    They are every label that either evaluates, and that has a row in both where some alone have one; and
    regions of one name and the same labels, or of the same labels where the old report has no region of the
    name.
    """
    scheme = new.settings.labels
    labels = {row.label: row for row in (*old.evaluated, *new.evaluated) if row.label is not None}
    chosen = [{*each.labels} for each in (old, new) if each.settings.only is not None]
    kept = sorted({*labels}.intersection(*chosen))
    rows = [labels[each]._replace(name=scheme.name(each)) for each in kept]
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
