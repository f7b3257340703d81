"""The sheet of a comparison: what became of numbers since a baseline."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports.bootstrap import RESAMPLES, SEED
from dicecli.reports.presentation import UNDEFINED, figure
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.records.compared import Change, Comparison

_NAMED = 5


def changes(comparison: Comparison | None, *, every: bool = False) -> Sheet:
    """Return the numbers then and now: those that lead; with `every`, or where none does, all of them.

    It has no rows where there is nothing to compare with.
    """
    if comparison is None:
        return Sheet("", (), ())
    leads = [each for each in comparison.changes if each.leads]
    shown = leads if leads and not every else comparison.changes
    rows = tuple((inert(each.title), *_cells(each)) for each in shown)
    title = f"Since the baseline{f' {inert(comparison.baseline)}' if comparison.baseline else ''}"
    columns = ("name", "old", "new", "change", "mean change (95 % CI)", "n")
    return Sheet(title, columns, rows, " ".join(_remarks(comparison, shown)), kept=1)


def _cells(change: Change) -> tuple[str, ...]:
    mean = _signed(change.mean_difference)
    if not math.isnan(change.ci_low):
        mean = f"{mean} ({_signed(change.ci_low)} to {_signed(change.ci_high)})"
    return figure(change.old), figure(change.new), _signed(change.difference), mean, f"{change.n:,}"


def _signed(value: float) -> str:
    """Write a difference with its sign; none where it is nothing."""
    if math.isnan(value):
        return UNDEFINED
    text = figure(abs(value))
    return text if not text.strip("0.,") else f"{'-' if value < 0 else '+'}{text}"


def _remarks(comparison: Comparison, shown: Sequence[Change]) -> Iterator[str]:
    """Yield over which cases the numbers are, which are left out, and what an interval is of."""
    yield f"Over the {counted(comparison.common, 'case')} that both scored."
    for where, names in (("baseline", comparison.only_in_baseline), ("run", comparison.only_in_run)):
        if names:
            more = ", …" * (len(names) > _NAMED)
            listed = ", ".join(map(inert, names[:_NAMED]))
            yield f"Only in the {where}: {counted(len(names), 'case')} ({listed}{more})."
    yield from (f"{inert(each[:1].upper() + each[1:])}." for each in comparison.notes)
    if any(not math.isnan(each.ci_low) for each in shown):
        yield (
            "Mean change: per case, over the n cases where it is known both times; 95 % CI by the bootstrap "
            f"over {comparison.resampled}s ({RESAMPLES:,} resamples, seed {SEED})."
        )
