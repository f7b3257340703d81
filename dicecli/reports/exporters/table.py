"""The table on a terminal: what a person wants to look at."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from dicecli.reports.blocks import Facts, Headline, Title, blocks, inert_block
from dicecli.reports.fitting import FOLDED, LEAST_TEXT, fitted, kinds, longest, most_of_a_name, needed, shown
from dicecli.reports.look import PLAIN
from dicecli.reports.sheet import TEXT, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from rich.console import Console
    from rich.table import Table

    from dicecli.reports.areas import AreaReport
    from dicecli.reports.blocks import Block
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".txt",)
PARTS = ("report", "summary", "confusion")

#: A table narrower than this cannot be read, whatever the terminal says.
_LEAST_WIDTH = 60


def render(report: Report, part: Part = "report", look: Look = PLAIN) -> str:
    """Return one case in full: labels, averages set apart, what was assumed; or the summary of many.

    Nothing wraps inside a number. A table that is too wide lacks the columns that it can do without, which is
    said below it; what is still too wide is cut into several tables, of which each has the names.
    """
    return _shown(blocks(report, part, look), look)


def of_area(area: AreaReport, look: Look) -> str:
    """Return accuracy and areas of a map as tables."""
    return _shown(area.blocks(look), look)


def _shown(every: Iterable[Block], look: Look) -> str:
    console, before = _console(look.width, colour=look.colour), None
    for block in map(inert_block, every):
        if isinstance(block, Title):
            continue
        if _is_apart(before, block):
            console.print()
        before = block
        if isinstance(block, Sheet):
            for place, sheet in enumerate(fitted(block, console.width)):
                if place:
                    console.print()
                _print_sheet(console, sheet)
        elif isinstance(block, Headline):
            _print_headline(console, block.text)
        elif isinstance(block, Facts):
            _print_pairs(console, block.pairs, style="yellow" if block.role == "notes" else "dim")
    return _text(console)


def _is_apart(before: Block | None, block: Block) -> bool:
    """Tell whether an empty line stands between two blocks: around tables, but for that of a case."""
    if isinstance(before, Sheet):
        return bool(before.remark) or not before.kinds or isinstance(block, Sheet)
    return isinstance(block, Sheet) and not block.kinds and before is not None


def _print_headline(console: Console, text: str) -> None:
    from rich.text import Text

    console.print(Text(text, "bold"))


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


def _print_sheet(console: Console, sheet: Sheet) -> None:
    from rich.text import Text as Cell

    table, places, before = _empty_table(sheet, console.width), shown(sheet), ""
    for row, kind in kinds(sheet):
        if before in {"label", "region"} and kind != before:
            table.add_section()
        before = kind
        bold = "bold" if kind == "average" else ""
        table.add_row(*(Cell(row[place], bold or _style(row[place])) for place in places))
    if sheet.title:
        console.print(Cell(sheet.title, "bold"))
    _print_whole(console, table, needed(sheet, console.width))
    if sheet.remark:
        console.print(Cell(sheet.remark, "dim"))


def _print_whole(console: Console, table: Table, needs: int) -> None:
    """Print a table no narrower than its numbers need: a line that wraps is better than one that is cut."""
    width = console.width
    # What is printed is never wider than the console, whatever width is asked for there.
    console.width = max(width, needs)
    with console.capture() as shot:
        console.print(table, crop=False, soft_wrap=needs > width)
    console.width = width
    lines = shot.get().split("\n")
    console.file.write("\n".join(line for line in lines[1:-2]) + "\n")  # the frame's edges are empty lines


def _style(cell: str) -> str:
    return {"passed": "green", "FAILED": "bold red", "failed": "red"}.get(cell, "")


def _empty_table(sheet: Sheet, width: int) -> Table:
    """Return a table without rows: text to the left and folded, numbers to the right and whole."""
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    for place in shown(sheet):
        column, most = sheet.columns[place], longest(sheet, place)
        if column in FOLDED:
            table.add_column(column, min_width=min(most, LEAST_TEXT), overflow="fold")
        elif column in TEXT:
            most = min(most, most_of_a_name(width)) if column == "name" else most
            table.add_column(column, min_width=most, max_width=most, overflow="fold")
        else:
            table.add_column(column, justify="right", no_wrap=True, min_width=most)
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
