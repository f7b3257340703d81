"""CSV: a row per case and label, in full precision, for pandas, R and spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any, cast

from dicecli.reports.record import FIRST, LAST, SUMMARY, rows, summary_rows, to_pandas
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from pandas import DataFrame

    from dicecli.reports.report import Report
    from dicecli.reports.soft.report import SoftReport

SUFFIXES = (".csv",)

_FORMULA = ("=", "+", "-", "@")


def frame(report: Report | SoftReport) -> DataFrame:
    """Return the rows of the CSV as a data frame; undefined is NaN."""
    if report.settings.soft is None:
        return to_pandas(cast("Report", report))
    from dicecli.reports.soft import record as soft_record

    return soft_record.to_pandas(cast("SoftReport", report))


def render(report: Report, **_: Any) -> str:
    """Return the rows as CSV (UTF-8, comma, quoted where needed); undefined and unknown are empty."""
    return written([*FIRST, *(each.name for each in report.shown), *LAST], rows(report))


def render_summary(report: Report) -> str:
    """Return a row per label, region or average and metric, with the statistics over cases."""
    return written(SUMMARY, summary_rows(report))


def render_soft(report: SoftReport, **_: Any) -> str:
    """Return the rows of probability maps in the same way: the labels of each case, and its averages."""
    from dicecli.reports.soft import record as soft_record

    return written(soft_record.COLUMNS, soft_record.rows(report))


def render_soft_summary(report: SoftReport) -> str:
    """Return a row per label or average and score, with the statistics over cases."""
    from dicecli.reports.soft import record as soft_record

    return written(soft_record.SUMMARY, soft_record.summary_rows(report))


def written(columns: Sequence[str], lines: Iterable[dict[str, Any]]) -> str:
    """Write rows under their columns; what a row lacks, or has as None, is empty."""
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(row) for row in lines)
    return text.getvalue()


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: _text(value) if isinstance(value, str) else value for key, value in row.items()}


def _text(value: str) -> str:
    """Return a text that no spreadsheet takes for a formula: with an apostrophe before it, as they do."""
    shown = inert(value)
    return f"'{shown}" if shown.startswith(_FORMULA) else shown
