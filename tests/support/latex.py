"""LaTeX: the tables for a paper; an exporter as an installed package brings one."""

from __future__ import annotations

from dicecli.reports.blocks import Facts, Sheet, blocks
from dicecli.reports.text import inert

SUFFIXES = (".tex",)
PARTS = ("report", "summary")
_SPECIAL = {each: f"\\{each}" for each in "&%$#_{}"} | {
    "\\": "\\textbackslash{}",
    "~": "\\textasciitilde{}",
    "^": "\\textasciicircum{}",
}


def render(report, part, look):
    """Return one case in full, or the summary of many, as tables and lists."""
    return "\n\n".join(map(_block, blocks(report, part, look))) + "\n"


def _block(block):
    if isinstance(block, Sheet):
        lines = [" & ".join(map(_escaped, row)) + r" \\" for row in (block.columns, *block.rows)]
        title, columns = _escaped(block.title), "l" * len(block.columns)
        table = [rf"\begin{{tabular}}{{{columns}}}", *lines, r"\end{tabular}", _escaped(block.remark)]
        return "\n".join(each for each in (title and rf"\section*{{{title}}}", *table) if each)
    if isinstance(block, Facts):
        return "\n".join(rf"{_escaped(key)}: {_escaped(value)}\\" for key, value in block.pairs)
    return _escaped(block.text)


def _escaped(text):
    return "".join(_SPECIAL.get(char, char) for char in inert(text))
