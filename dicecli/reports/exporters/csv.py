"""CSV: a row per case and label, in full precision, for pandas, R and spreadsheets."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from dicecli.reports import curves, matrix, slices, tabular
from dicecli.reports.areas import COLUMNS
from dicecli.reports.origins import obeyed
from dicecli.reports.tabular import NOTES
from dicecli.reports.text import of_cell

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from dicecli.reports.areas import AreaReport
    from dicecli.reports.look import Look, Part
    from dicecli.reports.report import Report

    Lines = Iterator[Mapping[str, object]]

SUFFIXES = (".csv",)
PARTS = ("report", "summary", "curve", "slices", "confusion")


def render(report: Report, part: Part, look: Look) -> str:
    """Return rows as CSV (UTF-8, comma, quoted where needed); undefined and unknown are empty."""
    del look
    columns, _ = _PARTS[part]
    return _written(columns(report), lines(report, part), told=bool(obeyed(report.origin)))


def of_area(area: AreaReport, look: Look) -> str:
    """Return accuracy and areas of a map, a row for each number; undefined is empty."""
    del look
    told = obeyed(area.origin)
    return _written(COLUMNS, _telling(area.rows(), told), told=bool(told))


def _telling(every: Lines, told: Sequence[str]) -> Lines:
    """Return rows with what is told of configuration files among their notes, where there is something."""
    if not told:
        return every
    return (dict(row) | {NOTES: tabular.joined((row.get(NOTES), *told))} for row in every)


def _written(columns: Sequence[str], every: Lines, *, told: bool) -> str:
    """Return rows as text; where something is told, each part has a column of notes."""
    columns = tuple(dict.fromkeys((*columns, *[NOTES] * told)))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(_plain(row) for row in every)
    return text.getvalue()


def lines(report: Report, part: Part) -> Lines:
    """Yield the rows of a part; undefined is None, and what was obeyed, or not, is among the notes."""
    _, found = _PARTS[part]
    return _telling(found(report), obeyed(report.origin))


def _confusion(report: Report) -> Lines:
    return report.confusion.rows(report.label_names)


_PARTS: dict[str, tuple[Callable[[Report], tuple[str, ...]], Callable[[Report], Lines]]] = {
    "report": (tabular.columns, tabular.rows),
    "summary": (tabular.summary_columns, tabular.summary_rows),
    "curve": (curves.columns, curves.rows),
    "slices": (slices.columns, slices.rows),
    "confusion": (lambda report: matrix.columns(report.confusion), _confusion),
}


def _plain(row: Mapping[str, object]) -> dict[str, object]:
    return {key: of_cell(value) if isinstance(value, str) else value for key, value in row.items()}
