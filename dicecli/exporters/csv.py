"""CSV: a row per case and label, in full precision, for pandas, R and spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from dicecli.record import FIRST, LAST, SUMMARY, rows, summary_rows
from dicecli.text import inert

if TYPE_CHECKING:
    from dicecli.scores import Report

SUFFIXES = (".csv",)

_FORMULA = ("=", "+", "-", "@")


def render(report: Report, **_: Any) -> str:
    """Return the rows as CSV (UTF-8, comma, quoted where needed); undefined and unknown are empty."""
    columns = [*FIRST, *(each.name for each in report.shown), *LAST]
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(row) for row in rows(report))
    return text.getvalue()


def render_summary(report: Report) -> str:
    """Return a row per label, region or average and metric, with the statistics over cases."""
    text = io.StringIO()
    writer = csv.DictWriter(text, SUMMARY, lineterminator="\n", restval="")
    writer.writeheader()
    writer.writerows(_plain(row) for row in summary_rows(report))
    return text.getvalue()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _text(value) if isinstance(value, str) else value for key, value in row.items()}


def _text(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it, as they do."""
    shown = inert(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
