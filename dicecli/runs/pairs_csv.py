"""Pairs that a CSV names, where names of files do not tell which belong together."""

from __future__ import annotations

import difflib
import os
from collections import Counter

from dicecli.errors import PairingError
from dicecli.masks import files
from dicecli.records.alike import on_disk, one_form
from dicecli.records.cases import GROUP, Case
from dicecli.runs.csv_rows import csv_rows
from dicecli.runs.naming import joined
from dicecli.runs.pairing import Pairing

#: So alike are names of which one may be a slip, as grp of group.
_NEAR = 0.75
_COLUMNS = ("prediction", "reference", "case", GROUP)
_FIELD = "within"
_KNOWN = {*_COLUMNS, _FIELD}


def pair_csv(path: str, *, predictions: str | None = None, references: str | None = None) -> Pairing:
    """Read pairs from a CSV file: the columns prediction and reference, and perhaps case, group and within.

    ``within`` names the field of a case, from the folder of the CSV file; an empty cell is none. Any other
    column, such as a fold or a site, is kept with the cases: they can be grouped by it. The cases
    are in the order of the rows. An empty prediction is a case that has none. A case without a name is called
    as its reference is, without the suffix.

    Parameters
    ----------
    path : str
    predictions, references : str, optional
        Where relative paths start; the folder of the CSV file by default.

    Raises
    ------
    PairingError
        A file that cannot be read, columns that are missing, repeated or misspelt, a row without reference or
        with another number of cells than the header, or a case that stands twice.
    """
    own = os.path.dirname(path)  # noqa: PTH120 - as above
    start = {"prediction": predictions or own, "reference": references or own}
    cases: list[Case] = []
    lines: dict[object, int] = {}
    columns: tuple[str, ...] = ()
    for line, row in csv_rows(path, _check_header, PairingError):
        if not row["reference"]:
            raise PairingError(f"line {line} has no reference", "Name one in every row.", path)
        prediction, reference = (_path(start[side], row[side]) for side in ("prediction", "reference"))
        name = row.get("case") or _name(start["reference"], row["reference"])
        pair = tuple(each and os.path.normpath(each) for each in (prediction, reference))
        for key, what, mend in (
            (one_form(name), f"the case '{name}'", "name each case in a column 'case'"),
            (pair, f"the pair with '{row['reference']}'", "correct it"),
        ):
            if key in lines:
                raise PairingError(
                    f"{what} stands twice, in line {lines[key]} and in line {line}",
                    f"Every case stands once: delete one of the rows, or {mend}.",
                    path,
                )
            lines[key] = line
        columns = tuple(column for column in row if column not in _KNOWN or column == GROUP)
        cells = {column: one_form(row[column]) for column in columns}
        group = cells.pop(GROUP, None) or None
        others = tuple((column, cell) for column, cell in cells.items() if cell)
        field = _path(own, row.get(_FIELD))
        cases.append(Case(name, prediction, reference, group, columns=others, within=field))
    if not cases:
        raise PairingError("there is no pair in this file", "Write one row per case below the header.", path)
    return Pairing(tuple(cases), columns=columns)


def _path(start: str, cell: str | None) -> str | None:
    """Return the path that a cell stands for, as the disk has it; None of an empty one."""
    return on_disk(joined(start, cell)) if cell else None


def _check_header(header: list[str], path: str) -> None:
    missing = [column for column in _COLUMNS[:2] if column not in header]
    others = [column for column in dict.fromkeys(header) if column not in {*_COLUMNS, _FIELD}]
    wrong = {
        "missing": missing,
        "unknown": others if missing else [column for column in others if _is_slip(column)],
        "repeated": [column for column, n in Counter(header).items() if n > 1],
    }
    if any(wrong.values()):
        said = (f"{what}: {', '.join(map(repr, columns))}" for what, columns in wrong.items() if columns)
        raise PairingError(
            f"columns {'; '.join(said)}",
            "The first line names the columns: prediction,reference and perhaps case,group,within; and any "
            "others, "
            "of names that are not nearly one of these.",
            path,
        )


def _is_slip(column: str) -> bool:
    """Tell whether a column has no name, or nearly one that has a meaning: groups, Case; not subgroup."""
    if column.lower() == _FIELD:  # other words near it, as width, have a meaning of their own
        return True
    near = difflib.get_close_matches(column.lower(), _COLUMNS, n=1, cutoff=_NEAR)
    return not column or any(len(column) < len(each) + 2 or each not in column.lower() for each in near)


def _name(folder: str, reference: str) -> str:
    """Return a reference's path in its folder without the suffix."""
    root, path = os.path.normpath(folder or "."), os.path.normpath(joined(folder, reference))
    inside = path.startswith(root + os.sep)
    relative = path.removeprefix(root + os.sep) if inside else os.path.normpath(reference)
    relative = relative.replace(os.sep, "/")
    return relative[: len(relative) - len(files.suffix(relative))] or relative
