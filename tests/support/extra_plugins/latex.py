"""LaTeX: the rows of a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.reports.record import rows

if TYPE_CHECKING:
    from dicecli.reports.report import Report

SUFFIXES = (".tex",)


def render(report: Report, **_: Any) -> str:
    """Return a line per case and label: case, label, and each metric that is shown."""
    names = [each.name for each in report.shown]
    lines = []
    for row in rows(report):
        values = ["--" if row.get(name) is None else f"{row[name]:.3f}" for name in names]
        lines.append(" & ".join([row["case"], str(row.get("label", "--")), *values]) + r" \\")
    return "\n".join([" & ".join(["case", "label", *names]) + r" \\ \hline", *lines, ""])
