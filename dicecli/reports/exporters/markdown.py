"""Markdown: the table for a paper's appendix, a merge request or a notebook."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import TYPE_CHECKING

from dicecli.reports.blocks import Facts, Headline, Title, blocks
from dicecli.reports.origins import CHECKSUM
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

_SPECIAL = {char: f"\\{char}" for char in "\\`*_{}[]<>#!|~&"}
#: A sign of mathematics where it stands for itself: GitHub looks for them before and after all else.
_SPECIAL["$"] = "&#36;"
#: Behind these, services make a mention, a reference, a link or a picture of what follows: of whole texts,
#: once Markdown and its escapes are done. So a comment, which nobody sees, makes two texts of one.
_ACTS = re.compile(
    r"(?<![^\W_])@(?=\w)|@(?=[\w-]+\.\w)|[#!%&](?=\d)|[~%](?=[\w\"])|\bgh-(?=\d)|[a-z]:(?=//)|\bwww(?=\.)"
    r"|:(?=(?:[+-]1|100|1234|[\w+-]*[a-z][\w+-]*):)|\$"
    r"|\[(?=[a-z_]+:)|\^(?=[a-z]+#)|\*(?=[a-z]+:)",
    re.IGNORECASE,
)
#: What may be the hash of a commit, which has 7 digits or more.
_HASH, _MOST_DIGITS = re.compile(r"(?<!\w)(?=\d*[a-f])[\da-f]{7,40}(?!\w)", re.IGNORECASE), 6
_APART = "<!-- -->"


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
            said += [f"- **{inert(key)}**: {escaped(value)}" for key, value in block.pairs]
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
        return f"**{escaped(error)}**: {escaped(message)}\n\n{escaped(hint)}\n"
    return "\n".join(f"- {inert(key)}: {escaped(value)}" for key, value in block.pairs) + "\n"


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line, and that no service makes anything of.

    The checksum that a report gives of a file is a span of code, so that it can be copied.
    """
    shown = inert(text)
    if found := CHECKSUM.search(shown):
        return f"{_guarded(shown[: found.start()])}`{found[0]}`{shown[found.end() :]}"
    return _guarded(shown)


def _guarded(shown: str) -> str:
    ends = {found.end() for found in _ACTS.finditer(shown)}
    for found in _HASH.finditer(shown):
        ends.update(range(found.start() + _MOST_DIGITS, found.end(), _MOST_DIGITS))
    if not ends:
        return _as_it_is(shown)
    cuts = [*sorted({0, *ends}), len(shown)]
    return _APART.join(_as_it_is(shown[start:end]) for start, end in pairwise(cuts))


def _as_it_is(text: str) -> str:
    return "".join(_SPECIAL.get(char, char) for char in text)


def _sheet(sheet: Sheet) -> str:
    lines = [f"## {escaped(sheet.title)}", ""] if sheet.title else []
    lines.append(_line(sheet.columns))
    lines.append(_line(["---" if column in TEXT else "---:" for column in sheet.columns]))
    kinds = sheet.kinds or ("",) * len(sheet.rows)
    for kind, row in zip(kinds, sheet.rows, strict=True):
        cells = [escaped(cell) for cell in row]
        if kind == "average":
            cells[1] = f"**{cells[1]}**"
        lines.append(_line(cells))
    return "\n".join([*lines, *(["", escaped(sheet.remark)] if sheet.remark else [])]) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
