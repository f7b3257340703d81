"""The curves along the thresholds, as rows."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.reports.measured import added

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.measurements import Row
    from dicecli.reports.numbers import Numbers
    from dicecli.statistics.soft.curves import Curve

_COLUMNS = ("kind", "label", "name", "threshold", "tp", "fp", "fn", "tn", "dice", "precision", "recall")


def columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`rows`."""
    del report
    return _COLUMNS


def rows(report: Numbers) -> Iterator[dict[str, object]]:
    """Yield a row per label and threshold, then one per threshold for all labels pooled; over all cases."""
    for row, curve in curves_of(report):
        head = ("micro", None, None) if row is None else (row.kind, row.label, row.name)
        found = [curve.thresholds, curve.tp, curve.fp, curve.fn, curve.tn]
        found += [curve.dice, curve.precision, curve.recall]
        for values in zip(*(column.tolist() for column in found), strict=True):
            numbers = [None if math.isnan(value) else value for value in values]
            yield dict(zip(_COLUMNS, [*head, *numbers], strict=True))


def curves_of(report: Numbers) -> list[tuple[Row | None, Curve]]:
    """Return the curve of each row over all cases; then, without a row, that of the labels pooled.

    Where there is no label, it is that of the regions.

    Raises
    ------
    UsageError
        The predictions are masks, which have no thresholds.
    """
    check_curves(report)
    pairs = [*zip(report.evaluated, report.table.totals("soft"), strict=True)]
    pairs = [(row, each) for row, each in pairs if each is not None]
    labels = [each for row, each in pairs if row.kind == "label"] or [each for _, each in pairs]
    together: list[tuple[Row | None, Curve]] = [(None, added(labels).curve)] if labels else []
    return [(row, each.curve) for row, each in pairs] + together


def check_curves(report: Numbers) -> None:
    """Check that there are thresholds.

    Raises
    ------
    UsageError
        The predictions are masks.
    """
    if report.settings.reads != "probabilities":
        raise UsageError("masks have no curves", "Score maps of probabilities: dicecli soft.")
