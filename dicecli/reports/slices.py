"""The numbers of every slice of every case, as rows."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.records.measurements import Measured
from dicecli.reports.table import Table
from dicecli.reports.tabular import by_name
from dicecli.statistics._leading import leading, name_of, taken_as
from dicecli.statistics.matrix import Matrix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.numbers import Numbers
    from dicecli.statistics.slices import Slices


def columns(report: Numbers) -> tuple[str, ...]:
    """Return the columns of :func:`rows`."""
    own = leading(report.settings.reads).COLUMNS
    return ("case", "slice", "label", "name", *own, *(each.name for each in _metrics(report)))


def rows(report: Numbers) -> Iterator[Mapping[str, object]]:
    """Yield a row per scored case, slice, and label or region; undefined is None.

    Every slice has a row for all that is evaluated, so that the counts of a label add up to those of its
    case; where neither mask has the label they are true negatives. Values are of the metrics of counts.

    Raises
    ------
    UsageError
        No slice was counted.
    """
    check_slices(report)
    metrics, head = _metrics(report), leading(report.settings.reads)
    for case in report.scored:
        table = Table(_each(case), report.evaluated, report.settings)
        for at, taken in enumerate(table.leading):
            values = [table.of_one(each, at) for each in metrics]
            for row, own, *found in zip(report.evaluated, taken, *values, strict=True):
                known = {"case": case.case.name, "slice": at, "label": row.label, "name": row.name}
                facts = head.facts(own)
                known |= {name: getattr(facts, name) for name in head.COLUMNS}
                yield known | by_name(metrics, found)


def check_slices(report: Numbers) -> None:
    """Check that slices were counted.

    Raises
    ------
    UsageError
        The predictions are probability maps, or nobody asked for slices when the masks were read.
    """
    if report.settings.reads != "labels":
        raise UsageError(
            "slices are counted of masks, and these are probability maps",
            "Save the masks that the maps give, and score those: dicecli score.",
        )
    if not report.settings.per_slice:
        raise UsageError(
            "the slices were not counted",
            "Score the masks again with --per-slice FILE.csv, or in Python with per_slice=True: what is "
            "counted stands in the JSON then.",
        )


def _metrics(report: Numbers) -> tuple[Metric, ...]:
    """Return the metrics that slices have: those of the four counts."""
    return tuple(each for each in report.listed if each.of == taken_as(report.settings.reads))


def _each(case: Scored) -> list[Scored]:
    """Return the slices of a case as cases of their own, each with its part of the case's matrix."""
    from dicecli.statistics.slices import number_of

    cells: list[dict[Row, list[tuple[Any, ...]]]] = [{} for _ in range(number_of(case.shape))]
    found: Mapping[Row, Slices] = case.measured["slices"]
    for row, each in found.items():
        for of_slice in cells:
            of_slice[row] = []
        for at, *cell in each.cells():
            cells[at][row].append(tuple(cell))
    name = name_of("labels")
    slices = []
    for of_slice in cells:
        matrices = {row: Matrix.of_cells(each) for row, each in of_slice.items()}
        counted = next((each.total for each in matrices.values()), 0)
        slices.append(replace(case, counted=counted, measured=Measured.of({name: matrices})))
    return slices
