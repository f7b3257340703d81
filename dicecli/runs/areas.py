"""Accuracy and areas of a map, from the confusion matrix of a sample and what the map has of each class."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping  # noqa: TC003 - the options' types are read
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from pathlib import Path  # noqa: TC003 - as above
from typing import TYPE_CHECKING, Any

from dicecli.masks.opening import shown
from dicecli.records.label_maps import LabelMap  # noqa: TC001 - as above
from dicecli.records.labels import LabelScheme  # noqa: TC001 - the options' types are read
from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS
from dicecli.records.settings import OF_ONE_MAP, Nodata, ReadAs
from dicecli.reports import writing
from dicecli.reports.areas import AreaReport
from dicecli.reports.estimates import estimated
from dicecli.reports.look import Look
from dicecli.reports.outputs import exporter_of
from dicecli.reports.report import Report
from dicecli.runs.keywords import taking
from dicecli.runs.mapped import mapped_areas
from dicecli.runs.matrices import matrix_of
from dicecli.runs.matrix_files import read_matrix
from dicecli.runs.scoring import make_settings
from dicecli.runs.wanted import Paths, check_files, texts

if TYPE_CHECKING:
    from types import ModuleType

    from dicecli.statistics._confusion import ConfusionMatrix


@dataclass(frozen=True, eq=False)
class _Area:
    """What is given to :func:`area`."""

    matrix: Any
    areas: Any
    _: KW_ONLY
    unit: str | None = None
    pixel_size: str | None = None
    labels: str | Path | Mapping[Any, Any] | LabelScheme | None = None
    ignore_label: int | Iterable[int] | None = None
    map_prediction: str | Mapping[Any, int | str] | LabelMap | None = None
    threshold: float | None = None
    band: int | None = None
    page: int | None = None
    nodata: Nodata = "auto"
    read_as: ReadAs = "auto"
    argmax: bool = False
    max_pixels: int = MAX_PIXELS
    max_memory: int | str = MAX_MEMORY
    output: Paths = None


@taking(_Area)
def area(given: _Area) -> AreaReport:
    """Estimate accuracy and areas of a map from a sample; the twin of ``dicecli area``.

    Parameters
    ----------
    matrix : path, Report, ConfusionMatrix or array_like
        Of the sample: the file that ``confusion`` writes, or a report; of an array a row for each label of
        the reference and a column for each of the prediction, which is the map, from 0 on.
    areas : path, mapping, array or image
        What the map has of each class: the map itself; a CSV with the columns ``label`` and one of
        ``pixels``, ``area_ha``, ``area_m2``, ``area_km2``; or pixels by label.
    unit : {"ha", "m2", "km2", "pixels"}, optional
        Of areas; hectares by default, pixels where their size is unknown.
    pixel_size : str, optional
        As ``"30m"`` or ``"30x20m"``, where nothing else says it.
    labels, ignore_label, threshold, band, page, nodata, read_as, argmax, max_pixels, max_memory
        How the map is read, as of :func:`score`; names are those of `labels`, and of the matrix.
    output : path or list of paths, optional
        Files to be written, each in the form that its suffix says.

    Returns
    -------
    AreaReport
        ``overall_accuracy``, ``users_accuracy``, ``producers_accuracy`` and ``area``, with standard errors.

    Raises
    ------
    UsageError
        Options or files that are wrong; a class of the map that has no point.
    CaseError
        A map that cannot be read.

    Examples
    --------
    >>> import dicecli
    >>> sample = [[66, 0, 1, 2], [0, 55, 0, 1], [5, 8, 153, 9], [4, 12, 11, 313]]
    >>> pixels = {0: 200_000, 1: 150_000, 2: 3_200_000, 3: 6_450_000}
    >>> found = dicecli.area(sample, pixels, pixel_size="30m")
    >>> f"{found.area[0].value:,.2f} +- {found.area[0].margin:,.2f} {found.unit}"
    '21,157.76 +- 6,157.63 ha'
    """
    check_files(given)
    reading = {name: getattr(given, name) for name in OF_ONE_MAP if hasattr(given, name)}
    settings = make_settings(**reading)
    planned = planned_areas(texts("output", given.output))
    matrix, names, source = _matrix(given.matrix)
    names = names | dict(settings.labels.names)
    mapped = mapped_areas(given.areas, settings, names, given.pixel_size)
    unit, factor = mapped.factor(given.unit)

    def title(label: int) -> str:
        """Return what a class is called in errors."""
        return f"label {label} ({names[label]})" if label in names else f"label {label}"

    found = AreaReport(
        estimated(matrix, mapped.sizes, title), unit, factor, names, source, mapped.source, mapped.notes
    )
    write_areas(found, planned)
    return found


def planned_areas(paths: Iterable[str]) -> list[tuple[str, ModuleType]]:
    """Find the exporter of each file by its suffix, and test that it can be written.

    Raises
    ------
    OutputError
        No such form, or a place that cannot be written to.
    """
    found = [(path, exporter_of(path, "of_area", "file of accuracy and areas")) for path in paths]
    for path, _ in found:
        writing.check_writable(path)
    return found


def write_areas(found: AreaReport, planned: Iterable[tuple[str, ModuleType]]) -> None:
    """Write accuracy and areas to every planned file.

    Raises
    ------
    OutputError
        One cannot be written.
    """
    for path, exporter in planned:
        writing.write(path, exporter.of_area(found, Look(verbose=True)))


def _matrix(given: Any) -> tuple[ConfusionMatrix, dict[int, str], str]:
    """Return a matrix, what its labels are called, and where it is from."""
    if isinstance(given, Report):
        return given.confusion, dict(given.label_names), "a report"
    if isinstance(given, (str, PathLike)):
        return *read_matrix(os.fspath(given)), os.fspath(given)
    return matrix_of(given), {}, shown(given)
