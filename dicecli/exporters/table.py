"""The table on a terminal: what a person wants to look at."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from dicecli import presentation as show
from dicecli.results import Failed
from dicecli.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from dicecli.catalogue import Metric
    from dicecli.scores import CaseScores, LabelScore, Report

SUFFIXES = (".txt",)

#: A table narrower than this cannot be read, whatever the terminal says.
_LEAST_WIDTH = 60


def render(report: Report, *, width: int = 100, colour: bool = False, verbose: bool = False, **_: Any) -> str:
    """Return a block per case: labels, averages set apart, then what was assumed and left out."""
    from rich.console import Console

    text = io.StringIO()
    console = Console(
        file=text,
        width=max(width, _LEAST_WIDTH),
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )
    for case in report.cases():
        if isinstance(case, Failed):
            _print_pairs(console, [(case.error, inert(case.message)), ("hint", inert(case.hint))])
        else:
            _print_case(console, case, report, every=verbose)
    lines = "\n".join(line.rstrip() for line in text.getvalue().split("\n"))
    return re.sub(r"\n{3,}", "\n\n", lines)


def _print_case(console: Console, case: CaseScores, report: Report, *, every: bool) -> None:
    metrics, _ = show.shown_metrics(case, report.shown)
    rows, left = show.shown_labels(case, metrics, every=every)
    _print_pairs(console, show.heading(case))
    console.print()
    names = [row.name or "" for row in (*rows, *case.regions)]
    for part in _columns(metrics, console.width, max((len(name) for name in names), default=0)):
        console.print(_table(rows, case, part))
        console.print()
    if left:
        console.print(left)
        console.print()
    _print_pairs(console, show.explanations(case, report.shown, report.settings))
    if case.notes:
        console.print()
        _print_pairs(console, [("note", inert(note)) for note in case.notes], style="yellow")


def _columns(metrics: Sequence[Metric], width: int, name_width: int) -> Iterator[Sequence[Metric]]:
    """Cut the metrics into runs that fit beside the labels' names."""
    room = width - min(max(name_width, 16), 36) - 24
    start, used = 0, 0
    for end, metric in enumerate(metrics):
        needs = max(len(show.title(metric)), 7) + 2
        if used + needs > room and end > start:
            yield metrics[start:end]
            start, used = end, 0
        used += needs
    yield metrics[start:]


def _table(rows: Sequence[LabelScore], case: CaseScores, metrics: Sequence[Metric]) -> Any:
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1), header_style="bold")
    table.add_column("label", justify="right", no_wrap=True)
    table.add_column("name", max_width=36, overflow="fold")
    table.add_column("reference", justify="right", no_wrap=True)
    for metric in metrics:
        table.add_column(show.title(metric), justify="right", no_wrap=True)
    for group in (rows, case.regions):
        for row in group:
            label = "" if row.label is None else str(row.label)
            values = [show.figure(row.values[each.name]) for each in metrics]
            table.add_row(label, Text(inert(row.name or "")), f"{row.counts.reference:,}", *values)
        if group:
            table.add_section()
    for name, averages in case.averages.items():
        values = [show.figure(averages[each.name].value) if each.averaged else "" for each in metrics]
        table.add_row("", Text(name, "bold"), "", *(Text(value, "bold") for value in values))
    undefined = show.undefined_row(case, metrics)
    if any(undefined):
        table.add_row("", "undefined, left out", "", *(str(n) for n in undefined))
    return table


def _print_pairs(console: Console, pairs: Sequence[tuple[str, str]], style: str = "dim") -> None:
    from rich.table import Table
    from rich.text import Text

    grid = Table.grid(padding=(0, 2))
    grid.add_column(no_wrap=True)
    grid.add_column(overflow="fold")
    for key, value in pairs:
        grid.add_row(Text(key, style), Text(value))
    console.print(grid)
