"""The sheets of statistics over cases: of each label and region, a metric at a time."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING

from dicecli.reports.presentation import MANY_LABELS, WORST, figure, interval, short, size, title
from dicecli.reports.said import tuned
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert
from dicecli.statistics._leading import leading

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.summary import RowSummary

_WORST = 3
#: What is left out, in this order, where the width does not do.
_DROPS = ("Q1", "Q3", "max", "min", "median", "pooled")


def statistics(report: Numbers, metric: Metric, *, every: bool) -> Sheet:
    """Return the statistics of one metric; with `every`, of every label, and without dropping a column."""
    rows, remark = chosen(report, every=every)
    left_out = [name for name in ("undefined", "missing") if any(_counts(row, metric, name) for row in rows)]
    lines: list[tuple[str, ...]] = []
    for row in rows:
        it = row.metrics[metric.name]
        numbers = [str(it.n), *(str(_counts(row, metric, name)) for name in left_out)]
        spread = [short(it.mean), short(it.sd), interval(it.ci_low, it.ci_high)]
        spread += [short(value) for value in (it.pooled, it.min, it.q1, it.median, it.q3, it.max)]
        label = "" if row.label is None else str(row.label)
        lines.append((label, inert(row.name or ""), *numbers, *spread))
    columns = ("label", "name", "n", *left_out, "mean", "SD", "95 % CI", "pooled")
    if metric.tuned:
        own = "Statistics are of each case's own best threshold; pooled is of one threshold for all cases."
        remark = f"{own} {remark}"
    said = " ".join(filter(None, (remark.strip(), _missed(rows, metric))))
    columns = (*columns, "min", "Q1", "median", "Q3", "max")
    kept, drops = 3 + len(left_out), () if every else _DROPS
    found = Sheet(f"{title(metric)} over cases", columns, tuple(lines), said, kept=kept, drops=drops)
    return found if metric.pools else found.without({"pooled"})


def pooled(report: Numbers, *, every: bool) -> Sheet:
    """Return each row of all cases added up: where a value is tuned, this is the one to tune by."""
    rows, remark = chosen(report, every=every)
    head, lines = leading(report.settings.reads), []
    names = [(row.label, row.name) for row in report.evaluated]
    totals = dict(zip(names, report.table.pooled_leading, strict=True))
    metrics = sorted(report.shown, key=lambda each: not each.tuned)
    # A row that no case has, as of a label that --only names, has nothing that adds up.
    sizes = next((tuple(head.sizes(total)) for total in totals.values() if total is not None), ())
    for row in rows:
        label = "" if row.label is None else str(row.label)
        total = totals[row.label, row.name]
        its = {} if total is None else head.sizes(total)
        values = [figure(row.metrics[each.name].pooled) for each in metrics]
        shown = (size(its[name]) if name in its else "" for name in sizes)
        lines.append((label, inert(row.name or ""), *shown, *values))
    columns = ("label", "name", *sizes, *(title(each) for each in metrics))
    said = f"{tuned(report.shown)}. {remark}".strip()
    return Sheet("All cases pooled", columns, tuple(lines), said, kept=2 + len(sizes))


def worst(report: Numbers, *, every: bool) -> Sheet:
    """Return the cases where each of the labels shown went worst."""
    rows, _ = chosen(report, every=every)
    lines = [
        (
            "" if row.label is None else str(row.label),
            inert(row.name or ""),
            ", ".join(f"{inert(name)} {figure(value)}" for name, value in row.worst),
        )
        for row in rows
        if row.worst
    ]
    title = f"Worst cases by {report.summary.ranked}"
    return Sheet(title, ("label", "name", "worst cases"), tuple(lines))


def worst_of_all(report: Numbers) -> list[tuple[str, str]]:
    """Return the few worst values of all labels and cases, as a pair of a word and what is said of it."""
    found = report.summary
    sign = -1 if any(each.name == found.ranked and each.better == "lower" for each in report.metrics) else 1
    every = [(sign * value, name, value, row) for row in found.rows for name, value in row.worst]
    worst = sorted(every, key=itemgetter(0))[:_WORST]
    several = len(found.rows) > 1
    said = [
        f"{inert(name)} {short(value)}{f' ({inert(row.title)})' * several}" for _, name, value, row in worst
    ]
    return [("worst", f"{found.ranked}: {', '.join(said)}")] if said and len(report.scored) > 1 else []


def chosen(report: Numbers, *, every: bool) -> tuple[tuple[RowSummary, ...], str]:
    """Return the rows to show, of many labels those that went worst, and what to say of it."""
    found = report.summary
    if every or len(found.rows) <= MANY_LABELS or found.ranked is None:
        return found.rows, ""
    ranked = next(each for each in report.metrics if each.name == found.ranked)
    sign = 1 if ranked.better == "higher" else -1
    defined = [row for row in found.rows if row.metrics[ranked.name].n]
    rows = sorted(defined, key=lambda row: sign * row.metrics[ranked.name].mean)[:WORST]
    return tuple(rows), (
        f"The {len(rows)} of {len(found.rows)} labels with the worst mean {ranked.name}; all of them: "
        "-v, or --summary FILE.csv."
    )


def _missed(rows: Sequence[RowSummary], metric: Metric) -> str:
    """Say of which rows cases are infinite, and what is known of the others."""
    said = []
    for row in rows:
        it = row.metrics[metric.name]
        if it.infinite:
            rest = it.finite
            spread = f"{short(rest.mean)} ± {short(rest.sd)}, 95 % CI {interval(rest.ci_low, rest.ci_high)}"
            missed = f"{it.infinite} of {it.n} infinite"
            said.append(f"{inert(row.title)}: {missed}; the other {rest.n}: mean ± SD {spread}.")
    return " ".join(said)


def _counts(row: RowSummary, metric: Metric, name: str) -> int:
    return int(getattr(row.metrics[metric.name], name))
