"""What Python calls for points: a map against them, and its report."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence  # noqa: TC003 - the options' types are read
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from pathlib import Path  # noqa: TC003 - as above
from typing import Any

from dicecli.errors import UsageError
from dicecli.records.cases import Case
from dicecli.records.label_maps import LabelMap  # noqa: TC001 - as above
from dicecli.records.labels import LabelScheme  # noqa: TC001 - as above
from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS
from dicecli.records.settings import AT_POINTS, Average, Nodata, OnMissing, ReadAs, Undefined
from dicecli.reports.report import Report
from dicecli.runs.at_points import PointSample, measured_at
from dicecli.runs.checking import check_name
from dicecli.runs.choosing import chosen_of_counts
from dicecli.runs.keywords import taking
from dicecli.runs.provenance import origin_of
from dicecli.runs.scoring import case_name, make_settings
from dicecli.runs.wanted import Files, Paths, baseline_of, check_files, files_of, written

#: What names a column or the points' CRS, and may look like.
_SUCH_AS = {"class_column": "class", "x": "lon", "y": "lat", "crs": "EPSG:4326"}


@dataclass(frozen=True, eq=False)
class _Points(Files):
    """What is given to :func:`points`."""

    map: Any
    points: str | PathLike[str]
    _: KW_ONLY
    class_column: str = "class"
    x: str | None = None
    y: str | None = None
    crs: str | None = None
    name: str | None = None
    metrics: str | Iterable[str] | None = None
    labels: str | Path | Mapping[Any, Any] | LabelScheme | None = None
    regions: Mapping[str, Sequence[int]] | None = None
    ignore_label: int | Iterable[int] | None = None
    map_prediction: str | Mapping[Any, int | str] | LabelMap | None = None
    map_reference: str | Mapping[Any, int | str] | LabelMap | None = None
    include_background: bool = False
    only: int | str | Iterable[int | str] | None = None
    average: Average = "macro"
    undefined: Undefined = "skip"
    missing: OnMissing = "error"
    threshold: float | None = None
    band: int | None = None
    page: int | None = None
    nodata: Nodata = "auto"
    read_as: ReadAs = "auto"
    argmax: bool = False
    max_pixels: int = MAX_PIXELS
    max_memory: int | str = MAX_MEMORY
    confusion: Paths = None


@taking(_Points)
def points(given: _Points) -> Report:
    """Compare a map with points of a reference; the twin of ``dicecli points``.

    Parameters
    ----------
    map : str or path
        A GeoTIFF of classes. The pixels at the points are read, and no others.
    points : str or path
        A CSV with a column for x, for y and for the class; or GeoJSON of points.
    class_column : str
        The column, or property, of the class: numbers, or names that `labels` has.
    x, y : str, optional
        The columns of the coordinates; ``x`` and ``y``, or ``lon`` and ``lat``, by default.
    crs : str, optional
        What the coordinates are in, as ``"EPSG:4326"``; of a CSV the map's by default, of GeoJSON what it
        says, else longitude and latitude.
    name : str, optional
        What the report calls the case; the name of the points by default.
    missing : {"error", "zero", "skip"}
        A point beyond the map, or where that has nodata: an error, a miss, or left out.
    metrics, labels, regions, ignore_label, include_background, only, average, undefined
        As of :func:`score`.
    threshold, band, page, nodata, read_as, argmax, max_pixels, max_memory
        How the map is read, as of :func:`score`.
    output, summary, confusion, baseline
        As of :func:`score`; ``confusion`` is what :func:`area` takes.

    Returns
    -------
    Report
        As of :func:`from_matrix`: a pixel of it is a point.

    Raises
    ------
    UsageError
        Options or points that are wrong.
    CaseError
        A map that cannot be read; points that have no pixel of it.

    Examples
    --------
    >>> import dicecli
    >>> report = dicecli.points(
    ...     "sample_masks/landcover_prediction.tif", "sample_masks/landcover_points.csv", class_column="cover"
    ... )
    >>> f"{report.overall_accuracy:.2f} of {report.confusion.total} points"
    '0.82 of 100 points'
    """
    check_files(given)
    check_name(given.name)
    if not isinstance(given.map, (str, PathLike)) or not isinstance(given.points, (str, PathLike)):
        raise UsageError(
            f"map is {type(given.map).__name__}, and points {type(given.points).__name__}", "Give two paths."
        )
    for each, such_as in _SUCH_AS.items():
        named = getattr(given, each)
        if not isinstance(named, str) and (named is not None or each == "class_column"):
            raise UsageError(f"{each} is {named!r}", f"It is a text, such as {each}={such_as!r}.")
    reading = {each: getattr(given, each) for each in (*AT_POINTS, "only", "average")}
    settings = make_settings(metrics=chosen_of_counts(given.metrics), **reading)
    outputs, baseline = files_of(given, settings.reads), baseline_of(given)
    path = os.fspath(given.points)
    sample = PointSample(path, given.class_column, given.x, given.y, given.crs)
    case = Case(given.name or case_name(path), os.fspath(given.map), path)
    origin = origin_of(settings, vars(given), (case.prediction, case.reference))
    return written(Report([measured_at(case, sample, settings)], settings, origin=origin), outputs, baseline)
