"""Markdown: the table for a paper's appendix, a merge request or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli import presentation as show
from dicecli.results import Failed
from dicecli.text import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.scores import CaseScores, Report

SUFFIXES = (".md", ".markdown")

_SPECIAL = "\\`*_{}[]<>()#+!|~$"


def render(report: Report, *, verbose: bool = False, **_: Any) -> str:
    """Return a section per case: the table, the averages, and what was assumed."""
    parts = []
    for case in report.cases():
        if isinstance(case, Failed):
            parts.append(
                f"## {escaped(case.case.name)}\n\n**{case.error}**: {escaped(case.message)}\n\n"
                f"{escaped(case.hint)}\n"
            )
        else:
            parts.append(_case(case, report, every=verbose))
    return "\n".join(parts)


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in inert(text))


def _case(case: CaseScores, report: Report, *, every: bool) -> str:
    metrics, _ = show.shown_metrics(case, report.shown)
    rows, left = show.shown_labels(case, metrics, every=every)
    lines = [f"## {escaped(case.result.case.name)}", ""]
    lines += [f"- {key}: {escaped(value)}" for key, value in show.heading(case)]
    lines += ["", _line(["label", "name", "reference", *(show.title(each) for each in metrics)])]
    lines += [_line(["---:", "---", "---:", *("---:" for _ in metrics)])]
    for row in (*rows, *case.regions):
        label = "" if row.label is None else str(row.label)
        values = [show.figure(row.values[each.name]) for each in metrics]
        lines.append(_line([label, escaped(row.name or ""), f"{row.counts.reference:,}", *values]))
    for name, averages in case.averages.items():
        values = [show.figure(averages[each.name].value) if each.averaged else "" for each in metrics]
        lines.append(_line(["", f"**{name}**", "", *values]))
    undefined = show.undefined_row(case, metrics)
    if any(undefined):
        lines.append(_line(["", "undefined, left out of macro", "", *(str(n) for n in undefined)]))
    lines += ["", f"{left}\n"] if left else [""]
    lines += [
        f"- **{key}**: {escaped(value)}"
        for key, value in show.explanations(case, report.shown, report.settings)
    ]
    lines += [f"- **note**: {escaped(note)}" for note in case.notes]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
