"""The sheet of cases by a column of the CSV of pairs."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.grouped import led
from dicecli.reports.presentation import UNDEFINED, figure
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

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
            is_known = not math.isnan(each.interval.low)
            limits = f"{each.interval.low:.3f} to {each.interval.high:.3f}" if is_known else UNDEFINED
            cells += [figure(each.found.value), limits]
        lines.append((value, f"{len(group.scored):,} of {len(group.results):,}", *cells))
    columns = ("group", "cases", *(cell for title in titles for cell in (title, "95 % CI")))
    said = f"{_NOWHERE}: {_cases(len(every[None].results))} with an empty cell. " if None in every else ""
    unit = "groups" if any(each.case.group is not None for each in report.scored) else "cases"
    said += f"95 % CI: bootstrap over {unit} ({RESAMPLES:,} resamples, seed {SEED})."
    return Sheet(f"By {inert(column)}", columns, tuple(lines), said, kept=2)


def _cases(number: int) -> str:
    return f"{number:,} case{'' if number == 1 else 's'}"
