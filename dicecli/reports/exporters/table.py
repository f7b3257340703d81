"""The table on a terminal: what a person wants to look at."""

from __future__ import annotations

import io
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicecli.reports.blocks import Facts, Text, blocks
from dicecli.reports.look import PLAIN
from dicecli.reports.sheet import TEXT, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from rich.console import Console
    from rich.table import Table

    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".txt",)
PARTS = ("report", "summary")

#: A table narrower than this cannot be read, whatever the terminal says.
_LEAST_WIDTH = 60
#: Text is folded into a column of at least this width.
_LEAST_TEXT = 8


def render(report: Report, part: Part = "report", look: Look = PLAIN) -> str:
    """Return one case in full: labels, averages set apart, what was assumed; or the summary of many."""
    console = _console(look.width, colour=look.colour)
    for block in blocks(report, part, look):
        if isinstance(block, Sheet):
            for sheet in _cut(block, console.width):
                _print_sheet(console, sheet)
        elif isinstance(block, Text):
            console.print(block.text)
            console.print()
        elif isinstance(block, Facts):
            _print_facts(console, block)
    return _text(console)


def _print_facts(console: Console, facts: Facts) -> None:
    if facts.role == "notes":
        console.print()
    _print_pairs(console, facts.pairs, style="yellow" if facts.role == "notes" else "dim")
    if facts.role == "heading":
        console.print()


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


def _cut(sheet: Sheet, width: int) -> Iterator[Sheet]:
    """Cut a sheet into some that are no wider than the terminal; each has the columns that are to be kept."""
    if sheet.kept is None:
        yield sheet
        return
    room = width - sum(_kept_width(sheet, place) for place in range(sheet.kept))
    start, used = sheet.kept, 0
    for end in range(sheet.kept, len(sheet.columns)):
        needs = max(len(sheet.columns[end]), 7) + 2
        if used + needs > room and end > start:
            yield _part(sheet, start, end)
            start, used = end, 0
        used += needs
    last = _part(sheet, start, len(sheet.columns))
    yield replace(last, remark=sheet.remark)


def _kept_width(sheet: Sheet, place: int) -> int:
    """Return how much room a column takes that stands beside all others; names are folded."""
    if sheet.columns[place] not in TEXT:
        return 12
    return min(
        max(16, *(len(row[place]) for row, kind in _kinds(sheet) if kind in {"", "label", "region"}), 0), 36
    )


def _kinds(sheet: Sheet) -> Iterator[tuple[tuple[str, ...], str]]:
    return zip(sheet.rows, sheet.kinds or ("",) * len(sheet.rows), strict=True)


def _part(sheet: Sheet, start: int, end: int) -> Sheet:
    """Return a sheet with the kept columns and some of the others; the title stands over the first alone."""
    kept = sheet.kept
    lines = [((*row[:kept], *row[start:end]), kind) for row, kind in _kinds(sheet)]
    # How many values are undefined is said where any is.
    lines = [(row, kind) for row, kind in lines if kind != "undefined" or {*row[kept:]} - {"0"}]
    return replace(
        sheet,
        title=sheet.title if start == kept else "",
        columns=(*sheet.columns[:kept], *sheet.columns[start:end]),
        rows=tuple(row for row, _ in lines),
        kinds=tuple(kind for _, kind in lines),
        remark="",
    )


def _print_sheet(console: Console, sheet: Sheet) -> None:
    from rich.text import Text as Cell

    kept = [
        place
        for place, column in enumerate(sheet.columns)
        if column != "name" or any(row[place] for row in sheet.rows)
    ]
    table = _empty_table(
        [sheet.columns[place] for place in kept], [[row[place] for place in kept] for row in sheet.rows]
    )
    before = ""
    for row, kind in _kinds(sheet):
        if before in {"label", "region"} and kind != before:
            table.add_section()
        before = kind
        bold = "bold" if kind == "average" else ""
        table.add_row(*(Cell(row[place], bold or _style(row[place])) for place in kept))
    if sheet.title:
        console.print(Cell(sheet.title, "bold"))
    _print_whole(console, table)
    if sheet.remark:
        console.print(Cell(sheet.remark, "dim"))
    console.print()


def _print_whole(console: Console, table: Table) -> None:
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


def _empty_table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> Table:
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
