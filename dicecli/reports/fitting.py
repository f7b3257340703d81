"""Tables made as narrow as a terminal: no number is cut, and none of them lacks its names."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.reports.sheet import TEXT, Sheet

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Text is folded into a column of at least this width.
LEAST_TEXT = 8
#: Columns of text that is folded into what the others leave.
FOLDED = TEXT - {"name", "average", "over"}
#: Columns that say how sure the value before them is, and mean nothing beside another.
_BESIDE = {"95 % CI", "SD", "SE"}
#: A name that is longer, or longer than a third of the terminal, is folded.
_MOST_NAME = 36


def fitted(sheet: Sheet, width: int) -> Iterator[Sheet]:
    """Make a sheet no wider than the terminal: first without some columns, then cut into several.

    What is spare goes only where a piece of it would be too wide as well.
    """
    found, left_out = sheet, list[str]()
    for column in (each for each in sheet.drops if each in sheet.columns):
        if needed(found, width) <= width:
            break
        left_out.append(column)
        found = sheet.without({*left_out})
    for column in (each for each in sheet.spare if each in sheet.columns):
        if _least(found, width) <= width:
            break
        left_out.append(column)
        found = sheet.without({*left_out})
    if left_out:
        said = f"Left out at {width} columns: {', '.join(left_out)}; a wider terminal has them, and -v."
        found = replace(found, remark=f"{said} {sheet.remark}".strip())
    yield from _cut(found, width)


def _cut(sheet: Sheet, width: int) -> Iterator[Sheet]:
    """Cut a sheet into some that are no wider than the terminal; each has the columns that are to be kept."""
    if sheet.kept is None:
        yield sheet
        return
    start = end = sheet.kept
    for first, last in _groups(sheet, width):
        if start < first and needed(_part(sheet, start, last), width) > width:
            yield _part(sheet, start, end)
            start = first
        end = last
    yield replace(_part(sheet, start, len(sheet.columns)), remark=sheet.remark)


def _groups(sheet: Sheet, width: int) -> Iterator[tuple[int, int]]:
    """Yield from which column to which there is no cut, if the width allows: a value, how sure it is."""
    start = sheet.kept or 0
    for end in range(start + 1, len(sheet.columns) + 1):
        if end == len(sheet.columns) or sheet.columns[end] not in _BESIDE:
            if needed(_part(sheet, start, end), width) <= width:
                yield start, end
            else:
                yield from ((place, place + 1) for place in range(start, end))
            start = end


def _least(sheet: Sheet, width: int) -> int:
    """Return how wide the widest piece is that a sheet would be cut into."""
    if sheet.kept is None:
        return needed(sheet, width)
    return max((needed(_part(sheet, *each), width) for each in _groups(sheet, 1 << 30)), default=0)


def _part(sheet: Sheet, start: int, end: int) -> Sheet:
    """Return a sheet with the kept columns and some of the others; the title stands over the first alone."""
    kept = sheet.kept
    lines = [((*row[:kept], *row[start:end]), kind) for row, kind in kinds(sheet)]
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


def needed(sheet: Sheet, width: int) -> int:
    """Return how many columns of a terminal a sheet takes at least: text is folded, numbers are not."""
    columns = [(sheet.columns[place], longest(sheet, place)) for place in shown(sheet)]
    least = {"name": most_of_a_name(width)} | dict.fromkeys(FOLDED, LEAST_TEXT)
    return sum(min(most, least.get(column, most)) + 2 for column, most in columns)


def most_of_a_name(width: int) -> int:
    """Return how wide names may be on a terminal of this width."""
    return min(_MOST_NAME, max(width // 3, LEAST_TEXT))


def longest(sheet: Sheet, place: int) -> int:
    """Return how wide a column is, unfolded: in cells of the terminal, of which some characters take two."""
    from rich.cells import cell_len

    return max([cell_len(sheet.columns[place]), *(cell_len(row[place]) for row in sheet.rows)])


def shown(sheet: Sheet) -> list[int]:
    """Return the places of the columns that are shown: names only where there is one."""
    return [
        place
        for place, column in enumerate(sheet.columns)
        if column != "name" or any(row[place] for row in sheet.rows)
    ]


def kinds(sheet: Sheet) -> Iterator[tuple[tuple[str, ...], str]]:
    """Yield each row with its kind."""
    return zip(sheet.rows, sheet.kinds or ("",) * len(sheet.rows), strict=True)
