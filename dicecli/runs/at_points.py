"""A map at points of a reference: which labels meet there, counted."""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import CaseError, NoPixel, UsageError
from dicecli.masks.declared import check_declared
from dicecli.masks.encoding import meaning
from dicecli.masks.layers import meant
from dicecli.masks.one_map import one_map
from dicecli.masks.opening import on_side
from dicecli.masks.points import check_placed, labels_at, moved, pixels_of
from dicecli.masks.renumbered import numbered
from dicecli.records.alike import one_form
from dicecli.records.cases import Case, Failed, Scored
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import IMAGE, Measured
from dicecli.runs.matrix_files import label_of
from dicecli.runs.point_files import Points, read_points
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._meaning.known import on_unlabelled
from dicecli.statistics.matrix import Matrix
from dicecli.words import counted, did_you_mean, every, some_of

if TYPE_CHECKING:
    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings

#: So many points are named in a message.
_NAMED = 5


@dataclass(frozen=True, eq=False)
class PointSample:
    """What is known of a reference of points.

    Attributes
    ----------
    path : str
        A CSV, or GeoJSON.
    column : str
        The column, or property, of the class.
    x, y : str or None
        The columns of the coordinates of a CSV.
    crs : str or None
        What they are in; by default what the file says, else what the map is in.
    """

    path: str
    column: str = "class"
    x: str | None = None
    y: str | None = None
    crs: str | None = None


def result_at(case: Case, sample: PointSample, settings: Settings) -> Result:
    """Compare a map with points; what is wrong with the map becomes the result."""
    try:
        return measured_at(case, sample, settings)
    except CaseError as error:
        return Failed.because(case, error)


def measured_at(case: Case, sample: PointSample, settings: Settings) -> Scored:
    """Compare a map with points: count which labels meet.

    Parameters
    ----------
    case : Case
        The prediction is the map, the reference the file of points.
    sample : PointSample
    settings : Settings

    Raises
    ------
    UsageError
        Points that are not understood.
    CaseError
        A map that cannot be read; points that have no pixel of it, unless these are misses or left out.
    """
    found = read_points(sample.path, sample.column, sample.x, sample.y)
    reference, said = _classes(found, settings, sample.path)
    labels, renamed, noted = _labels(str(case.prediction), found, sample, settings)
    prediction = np.array([renamed[each] for each in labels.tolist()], np.int64)
    is_lost = prediction == NO_LABEL
    notes = [*said, *noted, *_lost(is_lost, found, settings, case)]
    if settings.missing == "skip":
        reference, prediction = reference[~is_lost], prediction[~is_lost]
    is_read = reference != NO_LABEL
    reference, prediction, unmapped = reference[is_read], prediction[is_read], int((~is_read).sum())
    pairs = Counter(zip(reference.tolist(), prediction.tolist(), strict=True))
    matrix = ConfusionMatrix.from_pairs(
        np.array([row for row, _ in pairs], np.int64),
        np.array([column for _, column in pairs], np.int64),
        np.diag(np.array([*pairs.values()], np.int64)),
    )
    compared = matrix
    for label in settings.labels.ignore:
        compared = compared.without(label)
    return Scored(
        case,
        shape=(len(found.places),),
        spacing=None,
        unit=None,
        sizes={},
        counted=compared.total,
        excluded={
            "ignore_label": unmapped + matrix.total - compared.total,
            "nodata": len(found.places) - unmapped - matrix.total,
        },
        measured=Measured.of({"matrix": {IMAGE: Matrix.of(compared)}}),
        notes=(*notes, *on_unlabelled(compared)),
    )


def _classes(found: Points, settings: Settings, path: str) -> tuple[np.ndarray, list[str]]:
    """Return the label of each point, and what was assumed of them; NO_LABEL where a map leaves it out."""
    by_name = {one_form(name): label for label, name in settings.labels.names.items()}
    labels: dict[str, int] = {}
    for where, text in zip(found.lines, found.classes, strict=True):
        if text not in labels:
            label = by_name.get(one_form(text), label_of(text))
            if label is None:
                how = f"Known: {every(by_name)}." if by_name else "Names are known with --labels FILE."
                raise UsageError(
                    f"{where} has the class '{text}', which is no number, and no name of a label",
                    f"{did_you_mean(text, by_name)}Write the label's number, or one of its names. {how}",
                    path,
                )
            labels[text] = label
    every_label = [labels[text] for text in found.classes]
    sizes = Counter(every_label)
    of_side = settings.labels.maps.get("reference")
    renamed, said = ({}, []) if of_side else meaning(sizes, replace(settings, threshold=None))
    of_label = {label: renamed.get(label, label) for label in sizes}
    read = numbered("reference", of_label, sizes, of_side)
    kept = {read.labels[label]: n for label, n in sizes.items() if label not in read.ignored}
    said = [*said, *read.notes, *check_declared("reference", kept, settings.labels, settings.only)]
    named = np.array([read.labels[label] for label in every_label], np.int64)
    return named, [f"reference: {each}" for each in said]


def _labels(
    path: str, found: Points, sample: PointSample, settings: Settings
) -> tuple[np.ndarray, dict[int, int], list[str]]:
    """Return the stored label at each point, what these mean, and notes; beyond the map NO_LABEL."""
    with one_map(path, settings, "prediction") as source:
        check_placed(source.grid, path)
        stored, notes = _stored(source, found, sample)
        sizes = Counter(stored.tolist())
        read = on_side("prediction", source, meant, "prediction", source, sizes, settings)
    said = [f"prediction: {each}" for each in (*source.notes, *read.notes)]
    return stored, read.labels, [*notes, *said]


def _stored(source: MaskSource, found: Points, sample: PointSample) -> tuple[np.ndarray, list[str]]:
    places, crs = np.array(found.places, np.float64), sample.crs or found.crs
    if crs is not None:
        places = moved(places, crs, source.grid)
    pixels, is_inside = pixels_of(places, source.grid)
    if not is_inside.any():
        raise _elsewhere(places, found, crs, source)
    stored = np.full(len(places), NO_LABEL, np.int64)
    stored[is_inside] = on_side("prediction", source, labels_at, source, pixels[is_inside])
    apart = len(places) - int(is_inside.sum())
    same = len(places) - apart - len(np.unique(pixels[is_inside], axis=0))
    notes = [f"reference: {counted(same, 'point')} in a pixel that another point has, too"] if same else []
    return stored, notes


def _elsewhere(places: np.ndarray, found: Points, crs: str | None, source: MaskSource) -> NoPixel:
    """Make the error of points of which none lies in the map; `places` are they in its coordinates."""
    turned = _exchanged(found, crs, source)
    said = f"none of {counted(len(places), 'point')} lies in the map"
    if turned:
        return NoPixel(
            f"{said}, and {turned:,} would with x and y exchanged",
            "Name the columns of a CSV the other way round: --x lat --y lon, where they are called lon and "
            "lat; GeoJSON has the longitude first.",
            source.path,
            "prediction",
        )
    return NoPixel(
        f"{said}: the first is at {places[0, 0]:.10g}, {places[0, 1]:.10g} in the map's coordinates, and the "
        f"map at {_box(source)}",
        "Say what the points are in: --crs EPSG:4326 for longitude and latitude; or give the map of the "
        "place.",
        source.path,
        "prediction",
    )


def _exchanged(found: Points, crs: str | None, source: MaskSource) -> int:
    """Return how many points would lie in the map if x and y, or longitude and latitude, were exchanged."""
    places = np.array(found.places, np.float64)[:, ::-1]
    with suppress(UsageError):
        places = moved(places, crs, source.grid) if crs else places
        return int(pixels_of(places, source.grid)[1].sum())
    return 0


def _box(source: MaskSource) -> str:
    """Say where a map lies, from its one corner to the other."""
    ends = source.grid.world(np.array([(0, 0), source.shape], np.float64) - 0.5)
    low, high = ends.min(axis=0), ends.max(axis=0)
    return f"x {low[0]:.10g} to {high[0]:.10g}, y {low[1]:.10g} to {high[1]:.10g}"


def _lost(is_lost: np.ndarray, found: Points, settings: Settings, case: Case) -> list[str]:
    """Say which points have no label in the map.

    Raises
    ------
    NoPixel
        There are some, and they are neither misses nor left out.
    """
    lost = np.flatnonzero(is_lost).tolist()
    if not lost:
        return []
    where = some_of([found.lines[at] for at in lost], _NAMED)
    said = f"{counted(len(lost), 'point')} beyond the map, or where it has nodata: {where}"
    if settings.missing == "error":
        raise NoPixel(
            said,
            "Take them for misses: --missing zero; or leave them out, so that the numbers are of the area "
            "that the map covers: --missing skip.",
            str(case.prediction),
            "prediction",
        )
    return [f"reference: {said}{', left out' if settings.missing == 'skip' else ''}"]
