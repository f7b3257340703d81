"""The confusion matrix of a report: what the prediction calls each label of the reference, in pixels."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UsageError
from dicecli.records.codec import written
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import IMAGE
from dicecli.statistics.matrix import Matrix, is_layered

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.codec import Json
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix

#: Of so many labels the matrix fits a terminal, and the cells of its picture have room for numbers.
FEW = 12


def pooled(cases: Sequence[Scored], settings: Settings) -> Matrix | None:
    """Return the matrices of cases added up; None where one has none of all its labels."""
    if settings.reads != "labels" or not all(map(_has_matrix, cases)):
        return None
    return Matrix.added(each.measured["matrix"][IMAGE] for each in cases)


def check_matrix(cases: Sequence[Scored], settings: Settings) -> None:
    """Check that there is a matrix of these cases.

    Raises
    ------
    UsageError
        The predictions are probabilities; a case is of binary layers, or its record has counts alone.
    """
    if settings.reads != "labels":
        raise UsageError(
            "probability maps have no confusion matrix",
            "Score them as masks: dicecli batch with --argmax, or of one class with --threshold T.",
        )
    without = next((each for each in cases if not _has_matrix(each)), None)
    if without is None:
        return
    if is_layered(without.measured):
        raise UsageError(
            f"{without.case.name} is of binary layers, which may overlap: a pixel is in no one row of a "
            "confusion matrix",
            "What each layer has right and wrong are tp, fp, fn and tn: -o FILE.csv.",
        )
    raise UsageError(
        f"{without.case.name}: its record is of schema 1, which kept the counts of labels alone",
        "Score the masks again: records of this version keep the confusion matrix.",
    )


def _has_matrix(case: Scored) -> bool:
    return IMAGE in case.measured.rows("matrix")


def whole(matrix: Matrix) -> ConfusionMatrix:
    """Return a matrix with every cell, also those without a pixel; over the labels of either side.

    Raises
    ------
    UsageError
        More labels than a label map has: the table would have a cell for each two of them.
    """
    import numpy as np

    from dicecli.statistics._confusion import MAX_LABELS, ConfusionMatrix

    labels = matrix.labels
    if len(labels) > MAX_LABELS:
        raise UsageError(
            f"the cases hold {len(labels):,} labels, too many for a table of {MAX_LABELS:,} rows",
            "JSON has the pairs that meet, without the empty cells: -o FILE.json, summary.confusion.",
        )
    every = ((NO_LABEL,) if None in matrix.prediction else ()) + labels
    place = {label: at for at, label in enumerate(every)}
    is_large = matrix.total >= 1 << 63  # as a file of results may say
    table = np.zeros((len(every), len(every)), object if is_large else np.int64)
    for row, column, n in matrix.cells():
        table[place[row], place[NO_LABEL if column is None else column]] = n
    return ConfusionMatrix(every, table)


def columns(matrix: ConfusionMatrix) -> tuple[str, ...]:
    """Return the columns of its rows: the reference's label and name, then the prediction's labels."""
    labels = [str(each) for each in matrix.labels if each != NO_LABEL]
    return ("reference", "name", *labels, *(["none"] if NO_LABEL in matrix.labels else []))


def names(labels: Iterable[int], settings: Settings) -> dict[int, str]:
    """Return what labels are called, of those that have a name; the background has one in any case."""
    scheme = settings.labels
    own = {label: scheme.name(label) for label in labels}
    found = {label: name or "background" * (label == scheme.background) for label, name in own.items()}
    return {label: name for label, name in found.items() if name}


def record(matrix: Matrix | None, settings: Settings) -> Json | None:
    """Return a matrix in JSON's types: labels, names, pairs that meet; None is no label, or no matrix."""
    if matrix is None:
        return None
    labels = matrix.labels
    known = names(labels, settings)
    return {
        "labels": list(labels),
        "names": [known.get(label) for label in labels],
        "cells": [written(cell) for cell in matrix.cells()],
    }
