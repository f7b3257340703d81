"""The sheet of cases by a column of the CSV of pairs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.grouped import led
from dicecli.reports.presentation import figure, interval
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from dicecli.reports.numbers import Numbers

#: What stands for an empty cell.
_NOWHERE = "(none)"


def groups(report: Numbers) -> Sheet:
    """Return what leads of each group of cases, and of all of them, with its interval.

    It has no rows where cases are not grouped.
    """
    column, every = report.settings.group_by, {**report.groups}
    if column is None:
        return Sheet("", (), ())
    named = [(_NOWHERE if value is None else inert(value), group) for value, group in every.items()]
    lines, titles = [], dict[str, None]()
    for value, group in [*named, ("all", report)]:
        cells = []
        for each in led(group):
            titles[f"{each.metric}@{each.average}"] = None
            cells += [figure(each.found.value), interval(each.interval.low, each.interval.high)]
        lines.append((value, f"{len(group.scored):,} of {len(group.results):,}", *cells))
    columns = ("group", "cases", *(cell for title in titles for cell in (title, "95 % CI")))
    empty = len(every[None].results) if None in every else 0
    said = f"{_NOWHERE}: {counted(empty, 'case')} with an empty cell. " if empty else ""
    unit = "groups" if any(each.case.group is not None for each in report.scored) else "cases"
    said += f"95 % CI: bootstrap over {unit} ({RESAMPLES:,} resamples, seed {SEED})."
    return Sheet(f"By {inert(column)}", columns, tuple(lines), said, kept=2)
