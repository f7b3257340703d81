"""Confusion matrices that were written: the CSV and the JSON of ``--confusion``, and reports."""

from __future__ import annotations

import json
import os
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import numpy as np

from dicecli.errors import UsageError
from dicecli.records.alike import did_you_mean_file
from dicecli.records.codec import read
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Least, Most
from dicecli.reports.reading_back import read_report
from dicecli.reports.text import out_of_cell
from dicecli.runs.csv_rows import csv_rows
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.words import fault

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    #: A matrix, and what its labels are called.
    Named = tuple[ConfusionMatrix, dict[int, str]]

_HINT = "Give the CSV or the JSON that --confusion of 'dicecli points' or 'dicecli score' writes."
#: The columns that hold no counts.
_TEXTS = ("reference", "name", "notes")
#: No number of points has more digits.
_DIGITS = 40
#: What a label can be in JSON.
_Label = Annotated[int, Least(NO_LABEL + 1), Most(-NO_LABEL - 1)]


def read_matrix(path: str) -> Named:
    """Read a confusion matrix, and what its labels are called.

    Parameters
    ----------
    path : str
        A CSV with the columns reference, perhaps name, then a column for each label of the prediction,
        perhaps none, perhaps notes; or the JSON of the same, or of a whole report.

    Raises
    ------
    UsageError
        The file is no such matrix, or has counts that are not whole numbers from 0.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - which takes names too long
        raise UsageError("there is no such file", f"{did_you_mean_file(path)}{_HINT}", path)
    return _of_json(path) if Path(path).suffix.lower() == ".json" else _of_csv(path)


def label_of(text: str) -> int | None:
    """Return the label that a text is; None where it is no whole number that a label can be."""
    try:
        label = int(text)
    except ValueError:
        return None
    return label if NO_LABEL < label < -NO_LABEL else None


def _of_csv(path: str) -> Named:
    columns: list[int] = []
    rows: list[int] = []
    names: dict[int, str] = {}
    table: list[list[int]] = []
    for line, row in csv_rows(path, _check_header, UsageError):
        counts = {each: n for each, n in row.items() if each not in _TEXTS}
        columns = [NO_LABEL if each == "none" else int(each) for each in counts]
        label = label_of(row["reference"])
        if label is None or label in rows:
            _refuse(path, f"line {line} is of the reference's label {row['reference']!r}", "each label once")
        rows.append(label)
        table.append([_count(n, path, f"line {line}, column {each}") for each, n in counts.items()])
        if row.get("name"):
            names[label] = out_of_cell(row["name"])
    return _made(rows, columns, table), names


def _check_header(header: list[str], path: str) -> None:
    labels = [label_of(each) for each in header if each not in {*_TEXTS, "none"}]
    if "reference" not in header or not labels or None in labels or max(Counter(labels).values()) > 1:
        columns = ", ".join(header)
        _refuse(path, f"its columns are {columns}", "reference, name and the labels of the map")


def _of_json(path: str) -> Named:
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot be read as JSON: {error}", _HINT, path) from error
    if not (isinstance(record, dict) and "cells" in record):
        report = read_report(path)
        return report.confusion, dict(report.label_names)
    return _of_record(record, path)


def _of_record(record: Mapping[str, Any], path: str) -> Named:
    table: dict[tuple[int, int], int] = {}
    try:
        labels = read(tuple[_Label, ...], record["labels"], "labels")
        titles = read(tuple[str | None, ...], record["names"], "names")
        names = {label: name for label, name in zip(labels, titles, strict=True) if name}
        for row, column, n in read(tuple[tuple[_Label, _Label | None, Any], ...], record["cells"], "cells"):
            at = row, NO_LABEL if column is None else column
            table[at] = table.get(at, 0) + _count(str(n), path, f"the cell {row}, {column}")
    except UsageError:
        raise
    except (LookupError, ValueError) as error:
        raise UsageError(f"it is no confusion matrix ({fault(error)})", _HINT, path) from error
    rows, columns = (sorted({at[axis] for at in table}) for axis in (0, 1))
    return _made(rows, columns, [[table.get((row, column), 0) for column in columns] for row in rows]), names


def _count(text: str, path: str, where: str) -> int:
    """Return a count of points.

    Raises
    ------
    UsageError
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _DIGITS):
        raise UsageError(
            f"{where} is '{text[:_DIGITS]}', which is no number of points",
            "Write the numbers of points themselves, whole and from 0: no shares, and no percentages.",
            path,
        )
    return int(text)


def _made(rows: Sequence[int], columns: Sequence[int], table: list[list[int]]) -> ConfusionMatrix:
    if not table:
        return ConfusionMatrix.empty()
    is_large = sum(map(sum, table)) >= -NO_LABEL
    return ConfusionMatrix.from_pairs(
        np.array(rows, np.int64),
        np.array(columns, np.int64),
        np.array(table, object if is_large else np.int64),
    )


def _refuse(path: str, what: str, expected: str) -> NoReturn:
    raise UsageError(f"{what}; {expected} are expected", _HINT, path)
