"""HTML: a page for a browser, and what a notebook shows of a report; light or dark as its reader is."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from dicecli.reports.blocks import Facts, Title, blocks
from dicecli.reports.sheet import TEXT, Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicecli.reports.areas import AreaReport
    from dicecli.reports.blocks import Block
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

SUFFIXES = (".html", ".htm")
PARTS = ("report", "summary", "confusion")

#: Colours are those of whatever is around it, so that it can be read on light and on dark, as in a notebook.
_STYLE = """
.dicecli { font: 14px/1.45 system-ui, sans-serif; font-variant-numeric: tabular-nums; }
.dicecli h2 { font-size: 1.15em; margin: 1.2em 0 .4em; }
.dicecli p { margin: .4em 0; max-width: 60em; }
.dicecli p.headline { font-size: 1.15em; font-weight: 600; }
.dicecli .wide { overflow-x: auto; }
.dicecli table { border-collapse: collapse; margin: .4em 0; font-size: 1em; }
.dicecli th, .dicecli td { padding: .2em .7em; border: 0; background: none; }
.dicecli th, .dicecli td { text-align: right; white-space: nowrap; }
.dicecli th { border-bottom: 1px solid; font-weight: 600; }
.dicecli th.text, .dicecli td.text { text-align: left; white-space: normal; }
.dicecli tr.average td { font-weight: 600; }
.dicecli tr.first td { border-top: 1px solid color-mix(in srgb, currentColor 30%, transparent); }
.dicecli td.passed { color: #2e8b57; }
.dicecli td.failed { color: #d9423a; font-weight: 600; }
.dicecli dl { display: grid; grid-template-columns: max-content auto; gap: .1em 1em; margin: .6em 0; }
.dicecli dt { opacity: .7; }
.dicecli dd { margin: 0; max-width: 60em; overflow-wrap: anywhere; }
.dicecli .remark, .dicecli dl.said { opacity: .75; font-size: .93em; }
.dicecli dl.notes, .dicecli dl.error { border-left: 3px solid #c98a00; padding-left: .7em; }
.dicecli dl.error { border-color: #d9423a; }
""".strip()
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 2em auto; max-width: 80em; padding: 0 1em; }}
{style}
</style>
</head>
<body>
{body}
</body>
</html>
"""


def render(report: Report, part: Part, look: Look) -> str:
    """Return a page that needs nothing else: one case in full, or the summary of many."""
    body = _body(blocks(report, part, look))
    return _PAGE.format(title=_text(f"dicecli: {part}"), style=_STYLE, body=body)


def of_area(area: AreaReport, look: Look) -> str:
    """Return a page on accuracy and areas of a map."""
    return _PAGE.format(title=_text("dicecli: area"), style=_STYLE, body=_body(area.blocks(look)))


def fragment(report: Report, part: Part, look: Look) -> str:
    """Return the same without a page around it, for a notebook that has one."""
    return f"<style>\n{_STYLE}\n</style>\n{_body(blocks(report, part, look))}\n"


def _body(every: Iterable[Block]) -> str:
    lines = (line for block in every for line in _block(block))
    return "\n".join(['<div class="dicecli">', *lines, "</div>"])


def _block(block: Block) -> Iterator[str]:
    if isinstance(block, Sheet):
        yield from _sheet(block)
    elif isinstance(block, Title):
        yield f"<h2>{_text(block.text)}</h2>"
    elif isinstance(block, Facts):
        yield f'<dl class="{_text(block.role)}">'
        yield from (f"<dt>{_text(key)}</dt><dd>{_text(value)}</dd>" for key, value in block.pairs)
        yield "</dl>"
    else:
        kind = type(block).__name__.lower()
        yield f'<p class="{kind}">{_text(str(getattr(block, "text", block)))}</p>'


def _sheet(sheet: Sheet) -> Iterator[str]:
    if sheet.title:
        yield f"<h2>{_text(sheet.title)}</h2>"
    kept = [
        at for at, name in enumerate(sheet.columns) if name != "name" or any(row[at] for row in sheet.rows)
    ]
    columns = [sheet.columns[at] for at in kept]
    yield '<div class="wide"><table>'
    yield f"<thead><tr>{''.join(_cell('th', name, name) for name in columns)}</tr></thead>"
    yield "<tbody>"
    before = ""
    for row, kind in zip(sheet.rows, sheet.kinds or ("",) * len(sheet.rows), strict=True):
        first = " first" if before in {"label", "region"} and kind != before else ""
        before = kind
        cells = (_cell("td", row[at], sheet.columns[at]) for at in kept)
        yield f'<tr class="{_text(kind)}{first}">{"".join(cells)}</tr>'
    yield "</tbody></table></div>"
    if sheet.remark:
        yield f'<p class="remark">{_text(sheet.remark)}</p>'


def _cell(tag: str, text: str, column: str) -> str:
    verdict = {"passed": " passed", "FAILED": " failed", "failed": " failed"}.get(text, "")
    kind = f"{'text' * (column in TEXT)}{verdict}".strip()
    return f'<{tag} class="{kind}">{_text(text)}</{tag}>' if kind else f"<{tag}>{_text(text)}</{tag}>"


def _text(text: str) -> str:
    """Return a text in which nothing is markup, and nothing acts."""
    return escape(inert(text))
