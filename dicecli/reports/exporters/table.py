"""The table on a terminal: what a person wants to look at."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from dicecli.records.cases import Failed
from dicecli.reports import presentation as show
from dicecli.reports.pages import TEXT, gates, sheets
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console

    from dicecli.metrics._catalogue import Metric
    from dicecli.reports.pages import Sheet
    from dicecli.reports.report import Report
    from dicecli.reports.rows import CaseScores, LabelScore
    from dicecli.reports.soft.report import SoftReport

SUFFIXES = (".txt",)

#: A table narrower than this cannot be read, whatever the terminal says.
_LEAST_WIDTH = 60
#: Text is folded into a column of at least this width.
_LEAST_TEXT = 8


def render(report: Report, *, width: int = 100, colour: bool = False, verbose: bool = False, **_: Any) -> str:
    """Return one case in full: labels, averages set apart, what was assumed; or the summary of many."""
    console = _console(width, colour=colour)
    if report.is_batch:
        parts = list(sheets(report, every=verbose))
    else:
        parts = [gates(report)]
        (case,) = report.cases()
        if isinstance(case, Failed):
            _print_pairs(console, [(case.error, inert(case.message)), ("hint", inert(case.hint))])
        else:
            _print_case(console, case, report, every=verbose)
    for sheet in parts:
        if sheet.rows:
            _print_sheet(console, sheet)
    if report.notes:
        _print_pairs(console, [("note", inert(note)) for note in report.notes], style="yellow")
    return _text(console)


def render_soft(report: SoftReport, *, width: int = 100, colour: bool = False, **_: Any) -> str:
    """Return the scores of one probability map in full; or the summary of many."""
    from dicecli.reports.soft.pages import soft_explanations, soft_heading, soft_notes, soft_sheets

    console = _console(width, colour=colour)
    if not report.is_batch:
        (result,) = report.results
        if isinstance(result, Failed):
            _print_pairs(console, [(result.error, inert(result.message)), ("hint", inert(result.hint))])
        else:
            _print_pairs(console, soft_heading(result, report.softness))
        console.print()
    for sheet in soft_sheets(report):
        if sheet.rows:
            _print_sheet(console, sheet)
    if not report.is_batch and report.scored:
        _print_pairs(console, soft_explanations(report))
        console.print()
    _print_pairs(console, [("note", inert(note)) for note in soft_notes(report)], style="yellow")
    return _text(console)


def _console(width: int, *, colour: bool) -> Console:
    from rich.console import Console

    return Console(
        file=io.StringIO(),
        width=max(width, _LEAST_WIDTH),
        height=24,  # without one, Rich has its own width where TERM is "dumb"
        force_terminal=colour,
        color_system="standard" if colour else None,
        no_color=not colour,
        highlight=False,
        markup=False,
        emoji=False,
        legacy_windows=False,
    )


def _text(console: Console) -> str:
    """Return what was printed, without blanks at the ends of lines and without runs of empty lines."""
    file: Any = console.file
    lines = "\n".join(line.rstrip() for line in file.getvalue().split("\n"))
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
    from rich.text import Text

    table = _empty_table(["label", "name", "reference px", *(show.title(each) for each in metrics)])
    for group in (rows, case.regions):
        for row in group:
            label = "" if row.label is None else str(row.label)
            values = [show.figure(row.values[each.name]) for each in metrics]
            table.add_row(label, Text(inert(row.name or "")), f"{row.counts.reference:,}", *values)
        if group:
            table.add_section()
    for name, averages in case.averages.items():
        values = show.averaged(name, averages, metrics)
        table.add_row("", Text(name, "bold"), "", *(Text(value, "bold") for value in values))
    undefined = show.undefined_row(case, metrics)
    if any(undefined):
        table.add_row("", "undefined, left out", "", *(str(n) for n in undefined))
    return table


def _print_sheet(console: Console, sheet: Sheet) -> None:
    from rich.text import Text

    kept = [
        place
        for place, column in enumerate(sheet.columns)
        if column != "name" or any(row[place] for row in sheet.rows)
    ]
    table = _empty_table(
        [sheet.columns[place] for place in kept], [[row[place] for place in kept] for row in sheet.rows]
    )
    for row in sheet.rows:
        table.add_row(*(Text(row[place], _style(row[place])) for place in kept))
    console.print(Text(sheet.title, "bold"))
    _print_whole(console, table)
    if sheet.remark:
        console.print(Text(sheet.remark, "dim"))
    console.print()


def _print_whole(console: Console, table: Any) -> None:
    """Print a table no narrower than its numbers need: a line that wraps is better than one that is cut."""
    from rich.measure import Measurement

    needs = Measurement.get(console, console.options.update(max_width=10_000), table).minimum
    width = console.width
    # What is printed is never wider than the console, whatever width is asked for there.
    console.width = max(width, needs)
    console.print(table, crop=False, soft_wrap=needs > width)
    console.width = width


def _style(cell: str) -> str:
    return {"passed": "green", "FAILED": "bold red", "failed": "red"}.get(cell, "")


def _empty_table(columns: Sequence[str], rows: Sequence[Sequence[str]] = ()) -> Any:
    """Return a table without rows: text to the left and folded, numbers to the right and whole."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place, column in enumerate(columns):
        longest = max([len(column), *(len(row[place]) for row in rows)])
        if column in TEXT:
            most = 36 if column == "name" else None
            table.add_column(column, min_width=min(longest, _LEAST_TEXT), max_width=most, overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True, min_width=longest)
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
