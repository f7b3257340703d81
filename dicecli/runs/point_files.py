"""Points with their class: from a CSV, or from GeoJSON."""

from __future__ import annotations

import json
import math
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.records.alike import did_you_mean_file
from dicecli.runs.csv_rows import csv_rows
from dicecli.words import did_you_mean, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What GeoJSON is in unless it says otherwise: longitude and latitude.
WGS84 = "EPSG:4326"
#: Columns of coordinates that are taken without being named.
_USUAL = (("x", "y"), ("lon", "lat"), ("longitude", "latitude"))
_FORMS = "Give a CSV with a column for x, for y and for the class; or GeoJSON of points."
#: A whole number as a table of floats has it: 3.0.
_WHOLE = re.compile(r"(-?[0-9]+)\.0*")
#: So many names are said of a file.
_FEW = 8


@dataclass(frozen=True)
class Points:
    """Points of a reference, in their order.

    Attributes
    ----------
    places : tuple of (float, float)
        x and y, or longitude and latitude.
    classes : tuple of str
        As they are written.
    lines : tuple of str
        Where each stands: the line, or the feature.
    crs : str or None
        What the places are in, where the file says it.
    """

    places: tuple[tuple[float, float], ...]
    classes: tuple[str, ...]
    lines: tuple[str, ...]
    crs: str | None = None


def read_points(path: str, column: str, x: str | None = None, y: str | None = None) -> Points:
    """Read points.

    Parameters
    ----------
    path : str
        A CSV (.csv), or GeoJSON (.geojson, .json).
    column : str
        The column, or the property, of the class.
    x, y : str, optional
        The columns of the coordinates; x and y, or lon and lat, by default. GeoJSON has none.

    Raises
    ------
    UsageError
        The file cannot be understood, has no such column, or a point without place or class.
    """
    if not os.path.isfile(path):  # noqa: PTH113 - which takes names too long
        raise UsageError("there is no such file", f"{did_you_mean_file(path)}{_FORMS}", path)
    suffix = Path(path).suffix.lower()
    if suffix not in {".csv", ".geojson", ".json"}:
        raise UsageError(f"'{suffix}' is no suffix of points", _FORMS, path)
    found = _of_csv(path, column, x, y) if suffix == ".csv" else _of_geojson(path, column)
    if not found.places:
        raise UsageError("there is no point in this file", _FORMS, path)
    return found


def _of_csv(path: str, column: str, x: str | None, y: str | None) -> Points:
    axes: list[str] = []

    def check_header(header: list[str], path: str) -> None:
        """Find the columns of the coordinates; raise UsageError where one, or the class, is missing."""
        axes.extend(_axes(header, x, y, path))
        if column not in header:
            raise _no_class(column, header, path)

    places, classes, lines = [], [], []
    for line, row in csv_rows(path, check_header, UsageError):
        where = f"line {line}"
        places.append(_place([row[axis] for axis in axes], where, path))
        classes.append(_class(row[column], where, path))
        lines.append(where)
    return Points(tuple(places), tuple(classes), tuple(lines))


def _axes(header: Sequence[str], x: str | None, y: str | None, path: str) -> tuple[str, str]:
    """Return the columns of the coordinates."""
    usual = next((pair for pair in _USUAL if {*pair} <= {*header}), _USUAL[0])
    axes = (x or usual[0], y or usual[1])
    missing = [axis for axis in axes if axis not in header]
    if missing:
        raise UsageError(
            f"it has no column '{missing[0]}' of coordinates: its columns are {some_of(header, _FEW)}",
            "Say which columns have them: --x COLUMN --y COLUMN.",
            path,
        )
    return axes


def _no_class(column: str, known: Sequence[str], path: str) -> UsageError:
    return UsageError(
        f"it has no '{column}' for the class: there are {some_of(known, _FEW)}",
        f"{did_you_mean(column, known)}Say which one has it: --class COLUMN.",
        path,
    )


def _place(texts: Sequence[Any], where: str, path: str) -> tuple[float, float]:
    try:
        x, y = (float(each) for each in texts[:2])
    except (TypeError, ValueError, OverflowError):
        x = y = math.nan
    if not (math.isfinite(x) and math.isfinite(y)):
        raise UsageError(
            f"{where} has no place: {', '.join(map(str, texts[:2]))}",
            "Write both coordinates as numbers, with points: 601234.5; or leave the point out.",
            path,
        )
    return x, y


def _class(given: Any, where: str, path: str) -> str:
    """Return a class as a text; a number that is whole without its decimals."""
    is_number = isinstance(given, (int, float)) and not isinstance(given, bool)
    text = str(given) if is_number else given
    if not isinstance(text, str) or not text.strip():
        raise UsageError(
            f"{where} has no class: {given!r}", "Write its number or its name, or leave the point out.", path
        )
    whole = _WHOLE.fullmatch(text.strip())
    return whole[1] if whole else text.strip()


def _of_geojson(path: str, column: str) -> Points:
    try:
        record = json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except (OSError, ValueError, RecursionError) as error:
        raise UsageError(f"cannot be read as JSON: {error}", _FORMS, path) from error
    features = record.get("features") if isinstance(record, dict) else None
    if not isinstance(features, list):
        raise UsageError("it is no GeoJSON: there is no list of 'features'", _FORMS, path)
    places, classes, lines = [], [], []
    for number, feature in enumerate(features, start=1):
        where = f"feature {number}"
        properties = _member(feature, "properties")
        if column not in properties:
            raise _no_class(column, [str(each) for each in properties], path)
        geometry = _member(feature, "geometry")
        if geometry.get("type") != "Point":
            raise UsageError(
                f"{where} is {geometry.get('type') or 'nothing'}, and no point",
                "Give points alone: of other shapes it is not one pixel that is meant.",
                path,
            )
        coordinates = geometry.get("coordinates")
        places.append(_place(coordinates if isinstance(coordinates, list) else [None, None], where, path))
        classes.append(_class(properties[column], where, path))
        lines.append(where)
    return Points(tuple(places), tuple(classes), tuple(lines), _crs(record))


def _member(feature: object, name: str) -> Mapping[str, Any]:
    found = feature.get(name) if isinstance(feature, dict) else None
    return found if isinstance(found, dict) else {}


def _crs(record: Mapping[str, Any]) -> str:
    """Return what GeoJSON is in: WGS 84, unless its member ``crs``, of 2008, names something else."""
    name = _member(_member({"crs": record.get("crs")}, "crs"), "properties").get("name")
    is_wgs84 = not isinstance(name, str) or name.upper().endswith((":CRS84", ":CRS83"))
    return WGS84 if is_wgs84 else str(name)
