"""The measurements in records of schema 1, which had the counts of each row, and no matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.codec import fields, read
from dicecli.records.counts import Counts
from dicecli.records.measurements import Measured, Row
from dicecli.reports import contradictions as checks
from dicecli.statistics.matrix import Matrix

if TYPE_CHECKING:
    from dicecli.records.codec import Json
    from dicecli.records.settings import Settings


def measured_of_rows(record: Json, settings: Settings, where: str) -> Measured:
    """Return what schema 1 has of a case: the counts of its rows, each of which is a matrix of its own.

    Parameters
    ----------
    record : dict
        The case.
    settings : Settings
    where : str
        Where in the record the case stands, for what is said of it.

    Raises
    ------
    LookupError, TypeError, ValueError
        Not what a report of schema 1 says.
    """
    found: dict[Row, Matrix] = {}
    for each in [*as_list(record["labels"]), *as_list(record["not_averaged"])]:
        label, name = (
            read(int | None, each["label"], f"{where}.labels"),
            read(str | None, each["name"], where),
        )
        counts = read(Counts, {key: each[key] for key in fields(Counts)}, f"{where} ({name or label})")
        # A label that neither mask holds has a row where others have it; it was not counted.
        if label is None:
            found[Row("region", None, name, settings.labels.regions[name or ""])] = Matrix.of_counts(counts)
        elif counts.tp + counts.fp + counts.fn:
            found[Row("label", label, settings.labels.name(label), (label,))] = Matrix.of_counts(counts)
    for name in settings.labels.regions:
        if not any(row.kind == "region" and row.name == name for row in found):
            raise ValueError(f"{where} has no row of the region {name}")
    measured = Measured.of({"matrix": found})
    checks.check_matrices(measured, record["counted"], where)
    return measured


def as_list(values: object) -> list[Any]:
    """Return a list of a record as what it is.

    Raises
    ------
    TypeError
        Something else.
    """
    if not isinstance(values, list):
        raise TypeError(f"{values!r} where a list is expected")
    return values
