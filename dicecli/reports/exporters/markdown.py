"""Markdown: the table for a paper's appendix, a merge request or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.reports.blocks import Facts, Headline, Title, blocks
from dicecli.reports.sheet import TEXT, Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from dicecli.reports.areas import AreaReport
    from dicecli.reports.blocks import Block
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".md", ".markdown")
PARTS = ("report", "summary", "confusion")

_SPECIAL = "\\`*_{}[]<>#!|~$&"


def render(report: Report, part: Part, look: Look) -> str:
    """Return one case in full, or the summary of many: tables, and what was assumed."""
    return "\n".join(_rendered(blocks(report, part, look)))


def of_area(area: AreaReport, look: Look) -> str:
    """Return accuracy and areas of a map: tables, and what was assumed."""
    return "\n".join(_rendered(area.blocks(look)))


def _rendered(every: Iterable[Block]) -> Iterator[str]:
    said: list[str] = []
    for block in every:
        if isinstance(block, Facts) and block.role in {"said", "notes"}:
            said += [f"- **{key}**: {escaped(value)}" for key, value in block.pairs]
            continue
        if said:
            yield "\n".join(said) + "\n"
            said = []
        yield _block(block)
    if said:
        yield "\n".join(said) + "\n"


def _block(block: Block) -> str:
    if isinstance(block, Sheet):
        return _sheet(block)
    if isinstance(block, Title):
        return f"## {escaped(block.text)}\n"
    if isinstance(block, Headline):
        return f"**{escaped(block.text)}**\n"
    if block.role == "error":
        (error, message), (_, hint) = block.pairs
        return f"**{error}**: {escaped(message)}\n\n{escaped(hint)}\n"
    return "\n".join(f"- {key}: {escaped(value)}" for key, value in block.pairs) + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in inert(text))


def _sheet(sheet: Sheet) -> str:
    lines = [f"## {escaped(sheet.title)}", ""] if sheet.title else []
    lines.append(_line(sheet.columns))
    lines.append(_line(["---" if column in TEXT else "---:" for column in sheet.columns]))
    kinds = sheet.kinds or ("",) * len(sheet.rows)
    for kind, row in zip(kinds, sheet.rows, strict=True):
        cells = [escaped(cell) for cell in row]
        if kind == "average":
            cells[1] = f"**{row[1]}**"
        lines.append(_line(cells))
    return "\n".join([*lines, *(["", escaped(sheet.remark)] if sheet.remark else [])]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
