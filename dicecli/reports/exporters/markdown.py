"""Markdown: the table for a paper's appendix, a merge request or a notebook."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.cases import Failed
from dicecli.reports import presentation as show
from dicecli.reports.averages import leading
from dicecli.reports.pages import TEXT, gates, sheets
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.reports.pages import Sheet
    from dicecli.reports.report import Report
    from dicecli.reports.rows import CaseScores
    from dicecli.reports.soft.report import SoftReport

SUFFIXES = (".md", ".markdown")

_SPECIAL = "\\`*_{}[]<>#!|~$&"


def render(report: Report, *, verbose: bool = False, **_: Any) -> str:
    """Return one case in full, or the summary of many: tables, and what was assumed."""
    parts = []
    if report.is_batch:
        parts += [_sheet(sheet) for sheet in sheets(report, every=verbose) if sheet.rows]
    else:
        (case,) = report.cases()
        parts.append(_failed(case) if isinstance(case, Failed) else _case(case, report, every=verbose))
        parts += [_sheet(gates(report))] if report.verdicts else []
    if report.notes:
        parts.append("\n".join(f"- **note**: {escaped(note)}" for note in report.notes) + "\n")
    return "\n".join(parts)


def render_summary(report: Report) -> str:
    """Return the sheets that sum a run up, all labels in them."""
    return "\n".join(_sheet(sheet) for sheet in sheets(report, every=True) if sheet.rows)


def render_soft(report: SoftReport, **_: Any) -> str:
    """Return the scores of one probability map in full; or the summary of many."""
    from dicecli.reports.soft.pages import soft_explanations, soft_heading, soft_notes, soft_sheets

    parts = []
    if not report.is_batch:
        (result,) = report.results
        if isinstance(result, Failed):
            return _failed(result)
        lines = [f"- {key}: {escaped(value)}" for key, value in soft_heading(result, report.softness)]
        parts.append("\n".join([f"# {escaped(result.case.name)}", "", *lines]) + "\n")
    parts += [_sheet(sheet) for sheet in soft_sheets(report) if sheet.rows]
    said = [] if report.is_batch else soft_explanations(report)
    said += [("note", note) for note in soft_notes(report)]
    if said:
        parts.append("\n".join(f"- **{key}**: {escaped(value)}" for key, value in said) + "\n")
    return "\n".join(parts)


def render_soft_summary(report: SoftReport) -> str:
    """Return the sheets of probability maps."""
    from dicecli.reports.soft.pages import soft_sheets

    return "\n".join(_sheet(sheet) for sheet in soft_sheets(report) if sheet.rows)


def escaped(text: str) -> str:
    """Return a text that Markdown shows as it is, on one line."""
    return "".join(f"\\{char}" if char in _SPECIAL else char for char in inert(text))


def _failed(case: Failed) -> str:
    return (
        f"## {escaped(case.case.name)}\n\n**{case.error}**: {escaped(case.message)}\n\n{escaped(case.hint)}\n"
    )


def _sheet(sheet: Sheet) -> str:
    lines = [f"## {escaped(sheet.title)}", "", _line(sheet.columns)]
    lines.append(_line(["---" if column in TEXT else "---:" for column in sheet.columns]))
    lines += [_line([escaped(cell) for cell in row]) for row in sheet.rows]
    return "\n".join([*lines, *(["", escaped(sheet.remark)] if sheet.remark else [])]) + "\n"


def _case(case: CaseScores, report: Report, *, every: bool) -> str:
    metrics, _ = show.shown_metrics(case, report.shown)
    rows, left = show.shown_labels(case, metrics, every=every)
    lines = [f"## {escaped(case.result.case.name)}", ""]
    lines += [f"- {key}: {escaped(value)}" for key, value in show.heading(case)]
    lines += ["", _line(["label", "name", "reference px", *(show.title(each) for each in metrics)])]
    lines += [_line(["---:", "---", "---:", *("---:" for _ in metrics)])]
    for row in (*rows, *case.regions):
        label = "" if row.label is None else str(row.label)
        values = [show.figure(row.values[each.name]) for each in metrics]
        lines.append(_line([label, escaped(row.name or ""), f"{row.counts.reference:,}", *values]))
    for name, averages in case.averages.items():
        values = show.averaged(name, averages, metrics)
        lines.append(_line(["", f"**{name}**", "", *values]))
    undefined = show.undefined_row(case, metrics)
    if any(undefined):
        means = ", ".join(dict.fromkeys(leading(each) for each in metrics if each.averaged))
        lines.append(_line(["", f"undefined, left out of {means}", "", *(str(n) for n in undefined)]))
    lines += ["", f"{left}\n"] if left else [""]
    said = show.explanations(case, report.shown, report.settings)
    lines += [f"- **{key}**: {escaped(value)}" for key, value in said]
    lines += [f"- **note**: {escaped(note)}" for note in case.notes]
    return "\n".join(lines) + "\n"


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"
