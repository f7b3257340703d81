"""A report of what was counted before: of a confusion matrix, or of four counts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003 - the options' types are read
from dataclasses import KW_ONLY, dataclass
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import UsageError
from dicecli.masks.declared import check_declared
from dicecli.masks.renumbered import Meant, numbered
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.labels import NO_LABEL, LabelScheme
from dicecli.records.measurements import IMAGE, Measured
from dicecli.records.settings import Average, Undefined  # noqa: TC001 - the options' types are read
from dicecli.reports.report import Report
from dicecli.runs.checking import check_name
from dicecli.runs.choosing import chosen_of_counts
from dicecli.runs.keywords import taking
from dicecli.runs.scoring import make_settings
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._meaning.known import on_unlabelled
from dicecli.statistics.matrix import Matrix

if TYPE_CHECKING:
    from dicecli.records.settings import Settings

#: What stands in the record where the paths of masks would.
_NO_MASK = "(a confusion matrix)"


@dataclass(frozen=True, eq=False)
class _FromMatrix:
    """What is given to :func:`from_matrix`."""

    matrix: Any
    _: KW_ONLY
    name: str | None = None
    metrics: str | Iterable[str] | None = None
    labels: str | Path | Mapping[Any, Any] | LabelScheme | None = None
    regions: Mapping[str, Sequence[int]] | None = None
    ignore_label: int | Iterable[int] | None = None
    include_background: bool = False
    only: int | str | Iterable[int | str] | None = None
    average: Average = "macro"
    undefined: Undefined = "skip"


@taking(_FromMatrix)
def from_matrix(given: _FromMatrix) -> Report:
    """Return the report of a confusion matrix or of counts: what :func:`score` gives of their masks.

    Parameters
    ----------
    matrix : ConfusionMatrix, Counts or array_like
        A square array has a row for each label of the reference and a column for each of the prediction, from
        0 on, as scikit-learn has it. Of counts label 1 is inside.
    name : str, optional
        What the report calls the case; ``matrix`` by default.
    metrics, labels, regions, ignore_label, include_background, only, average, undefined
        As of :func:`score`.

    Returns
    -------
    Report
        With metrics of counts; boundaries, sizes in mm³ and suggestions need the masks.

    Raises
    ------
    UsageError
        No matrix, or options that are wrong.
    UnknownLabel
        Labels that are not declared.

    Examples
    --------
    >>> import dicecli
    >>> report = dicecli.from_matrix([[50, 2], [3, 45]], labels={0: "background", 1: "liver"})
    >>> round(report["liver"].dice, 4)
    0.9474
    >>> float(dicecli.from_matrix(dicecli.Counts(tp=8, fp=2, fn=2)).iou)
    0.6666666666666666
    """
    settings = make_settings(
        metrics=chosen_of_counts(given.metrics),
        labels=given.labels,
        regions=given.regions,
        ignore_label=given.ignore_label,
        include_background=given.include_background,
        only=given.only,
        average=given.average,
        undefined=given.undefined,
    )
    check_name(given.name)
    return Report([_scored(matrix_of(given.matrix), given.name or "matrix", settings)], settings)


def _scored(whole: ConfusionMatrix, name: str, settings: Settings) -> Scored:
    """Return the matrix as the result of a case."""
    found = {side: _meant(side, whole, settings) for side in ("reference", "prediction")}
    sizes = whole.sizes("reference")
    left_out = sum(sizes[label] for label in found["reference"].ignored)
    known = whole.relabelled(**{side: each.labels for side, each in found.items()}).without(NO_LABEL)
    compared = known
    for label in settings.labels.ignore:
        compared = compared.without(label)
    return Scored(
        Case(name, _NO_MASK, _NO_MASK),
        shape=(whole.total,),
        spacing=None,
        unit=None,
        sizes={},
        counted=compared.total,
        excluded={"ignore_label": known.total - compared.total + left_out, "nodata": 0},
        measured=Measured.of({"matrix": {IMAGE: Matrix.of(compared)}}),
        notes=(
            *(f"{side}: {note}" for side, each in found.items() for note in each.notes),
            *on_unlabelled(compared),
        ),
    )


def _meant(side: str, whole: ConfusionMatrix, settings: Settings) -> Meant:
    """Return what the labels of a side mean; those that are not declared are refused."""
    sizes = {label: n for label, n in whole.sizes(side).items() if label != NO_LABEL}
    found = numbered(side, {label: label for label in sizes}, sizes, settings.labels.maps.get(side))
    kept = {found.labels[label]: n for label, n in sizes.items() if label not in found.ignored}
    return found._replace(notes=[*found.notes, *check_declared(side, kept, settings.labels, settings.only)])


def matrix_of(given: object) -> ConfusionMatrix:
    """Return what was given as a matrix.

    Raises
    ------
    UsageError
    """
    if isinstance(given, ConfusionMatrix):
        return given
    if isinstance(given, Counts):
        given = [[given.tn, given.fp], [given.fn, given.tp]]
    table = _table(given)
    is_square = table.ndim == 2 and table.shape[0] == table.shape[1]
    if not is_square or not (table.dtype.kind in "iuO" and (table >= 0).all()):
        raise UsageError(
            f"matrix is {type(given).__name__} of shape {table.shape}, type {table.dtype}; numbers of pixels "
            "are expected, a row for each label of the reference",
            "Give a square array of whole numbers from 0, a ConfusionMatrix, or Counts.",
        )
    labels = np.arange(table.shape[0], dtype=np.int64)
    # Exact at any size, as files of results are.
    is_large = sum(table.ravel().tolist()) >= 1 << 63
    return ConfusionMatrix.from_pairs(labels, labels, table.astype(object if is_large else np.int64))


def _table(given: object) -> np.ndarray:
    """Return an array of what was given; of Python's integers alone where it is of objects."""
    try:
        table = np.asarray(given)
    except (ValueError, TypeError):  # lists of unlike lengths
        return np.empty(0)
    is_whole = table.dtype == object and all(type(each) is int for each in table.ravel().tolist())
    return table if is_whole or table.dtype != object else table.astype(str)
