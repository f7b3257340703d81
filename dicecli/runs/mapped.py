"""What a map has of each class: counted in the map, or read from a CSV."""

from __future__ import annotations

import math
import os
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from dicecli.errors import UnknownLabel, UsageError
from dicecli.masks.layers import meant
from dicecli.masks.one_map import one_map
from dicecli.masks.opening import on_side, shown
from dicecli.records.alike import one_form
from dicecli.records.labels import NO_LABEL
from dicecli.records.lengths import PIXELS, parse_length
from dicecli.runs.csv_rows import csv_rows
from dicecli.runs.matrix_files import label_of
from dicecli.statistics._census import census_of_one
from dicecli.words import counted, did_you_mean

if TYPE_CHECKING:
    from dicecli.masks.renumbered import Meant
    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings

#: Units of areas, with the square metres that each is; a pixel's are known or not.
SQUARE_METRES = {"m2": 1.0, "ha": 1e4, "km2": 1e6}
UNITS = ("ha", "m2", "km2", "pixels")
#: Columns of a CSV, with the unit of what stands there.
COLUMNS = {"pixels": "pixels", **{f"area_{unit}": unit for unit in SQUARE_METRES}}
#: A size of pixels: a side, perhaps the other, their unit.
_SIZE = re.compile(r"\s*([0-9.]+)\s*(?:x\s*([0-9.]+)\s*)?([a-z]+)\s*")
#: No map is larger, whatever the unit: squares of such areas, and of what they add up to, are floats.
_MOST = 1e60
_EXAMPLE = "Write two columns: label,pixels; or label and one of area_ha, area_m2, area_km2."


@dataclass(frozen=True)
class Mapped:
    """What a map has of each class.

    Attributes
    ----------
    sizes : mapping of int to float
        By label, in `unit`.
    unit : {"pixels", "m2", "ha", "km2"}
    pixel_area : float or None
        Square metres of a pixel, where known.
    source : str
        Where it was read.
    notes : tuple of str
    """

    sizes: Mapping[int, float]
    unit: str
    pixel_area: float | None
    source: str
    notes: tuple[str, ...] = ()

    def factor(self, unit: str | None) -> tuple[str, float]:
        """Return a unit, hectares by default where they are known, and by what areas come to be in it.

        Raises
        ------
        UsageError
            There is no such unit, or the size of a pixel is not known.
        """
        if unit is not None and unit not in UNITS:
            raise UsageError(
                f"the unit is {unit!r}", f"{did_you_mean(str(unit), UNITS)}Give one of {', '.join(UNITS)}."
            )
        metres = SQUARE_METRES | ({} if self.pixel_area is None else {"pixels": self.pixel_area})
        unit = unit or ("ha" if self.unit in metres else self.unit)
        if unit != self.unit and not {unit, self.unit} <= metres.keys():
            raise UsageError(
                f"areas are asked for in {unit}, and {self.source} has them in {self.unit}: the size of a "
                "pixel is not known",
                "Say how large a pixel is: --pixel-size 30m, or 30x20m.",
            )
        return unit, 1.0 if unit == self.unit else metres[self.unit] / metres[unit]


def mapped_areas(given: Any, settings: Settings, names: Mapping[int, str], pixel_size: str | None) -> Mapped:
    """Return what a map has of each class.

    Parameters
    ----------
    given : mapping, path, array or image
        Pixels by label; a CSV of areas; or a map that is counted.
    settings : Settings
        How a map is read.
    names : mapping of int to str
        What labels are called: a CSV may have these in place of numbers.
    pixel_size : str or None
        As ``30m`` or ``30x20m``, where the map does not say it itself.

    Raises
    ------
    UsageError
        No such file, or one that is not understood; a size of pixels that is known otherwise.
    CaseError
        A map that cannot be read.
    """
    if isinstance(given, Mapping):
        found = _of_mapping(given)
    elif isinstance(given, (str, os.PathLike)) and Path(given).suffix.lower() == ".csv":
        found = _of_csv(os.fspath(given), names)
    elif given is None or isinstance(given, (bytes, int, float)):
        raise UsageError(f"areas is {given!r}", "Give a map, a CSV of areas, or pixels by label: {1: 5000}.")
    else:
        found = _counted(given, settings)
    if pixel_size is None:
        return found
    area = _pixel_area(pixel_size)
    if found.unit != "pixels" or found.pixel_area is not None:
        raise UsageError(
            f"{found.source} has areas of its own, beside --pixel-size {pixel_size}",
            "Leave out --pixel-size.",
        )
    return replace(found, pixel_area=area)


def _of_mapping(given: Mapping[Any, Any]) -> Mapped:
    for label, n in given.items():
        is_number = isinstance(n, (int, float)) and not isinstance(n, bool) and 0 <= n <= _MOST
        if not isinstance(label, int) or not is_number:
            raise UsageError(
                f"areas has {label!r}: {n!r}", "Give pixels by label, as numbers from 0: {1: 5000, 2: 300}."
            )
    return Mapped(dict(given), "pixels", None, "areas")


def _of_csv(path: str, names: Mapping[int, str]) -> Mapped:
    by_name = {one_form(name): label for label, name in names.items()}
    sizes: dict[int, float] = {}
    column = ""
    for line, row in csv_rows(path, _check_header, UsageError):
        column = next(each for each in COLUMNS if each in row)
        label = by_name.get(one_form(row["label"]), label_of(row["label"]))
        if label is None:
            raise UsageError(
                f"line {line} is of the label '{row['label']}', no number, and no name of the matrix",
                f"{did_you_mean(row['label'], by_name)}Write the number of the label.",
                path,
            )
        if label in sizes:
            raise UsageError(
                f"line {line} is of the label {label}, which stands twice", "Write each label once.", path
            )
        sizes[label] = _size(row[column], f"line {line}", path)
    return Mapped(sizes, COLUMNS.get(column, "pixels"), None, path)


def _check_header(header: list[str], path: str) -> None:
    sizes = [each for each in header if each in COLUMNS]
    if Counter(header)["label"] != 1 or len(sizes) != 1:
        raise UsageError(
            f"its columns are {', '.join(header)}; label and one column of areas are expected", _EXAMPLE, path
        )


def _size(text: str, where: str, path: str) -> float:
    try:
        size = float(text)
    except ValueError:
        size = math.nan
    if not 0 <= size <= _MOST:
        raise UsageError(
            f"{where} has the area '{text}'; a number from 0 is expected",
            "Write it with a point, and without commas or a unit: 21158.5.",
            path,
        )
    return size


def _pixel_area(text: str) -> float:
    """Return the square metres of a pixel of a size as ``30m`` or ``30x20m``.

    Raises
    ------
    UsageError
    """
    found = _SIZE.fullmatch(text.lower()) if isinstance(text, str) else None
    sides = [f"{found[1]}{found[3]}", f"{found[2] or found[1]}{found[3]}"] if found else [text]
    metres = [parse_length(each, "--pixel-size", "30m, or 30x20m").in_unit("m") for each in sides]
    if None in metres:
        raise UsageError(
            f"--pixel-size is {text!r}, and {PIXELS} is no size of a pixel",
            "Write it in metres: 30m, or 30x20m.",
        )
    area = math.prod(each or 0 for each in (metres[0], metres[-1]))
    if area > _MOST:
        raise UsageError(
            f"--pixel-size is {text!r}, more than any map has", "Write it in metres: 30m, or 30x20m."
        )
    return area


def _counted(given: Any, settings: Settings) -> Mapped:
    """Count a map: what is nodata or ignored is no part of its area."""
    with one_map(given, settings) as source:
        matrix = census_of_one("", source)
        source.finish()
        found = on_side("", source, _meant, source, matrix.sizes("reference"), settings)
    sizes: Counter[int] = Counter()
    for at, n in matrix.sizes("reference").items():
        sizes[found.labels[at]] += n
    left_out = {label: sizes.pop(label) for label in (NO_LABEL, *settings.labels.ignore) if label in sizes}
    notes = [*source.notes, *found.notes, *_left_out(left_out), *_of_degrees(source)]
    return Mapped(dict(sizes), "pixels", source.grid.sizes().get("m2"), shown(given), tuple(notes))


def _meant(source: MaskSource, sizes: Mapping[int, int], settings: Settings) -> Meant:
    """Decide what each stored label of a map means; every class of it has to be declared."""
    try:
        return meant("prediction", source, sizes, settings)
    except UnknownLabel as error:
        if (of_map := settings.labels.maps.get("prediction")) and not all(map(of_map.has, sizes)):
            raise
        raise UnknownLabel(
            error.message,
            "Declare it in --labels, or take it for no part of the area: --ignore-label N.",
        ) from error


def _left_out(sizes: Mapping[int, int]) -> list[str]:
    pixels = sum(sizes.values())
    said = f"{counted(pixels, 'pixel')} of nodata or an ignored label: no part of the area"
    return [said] if pixels else []


def _of_degrees(source: MaskSource) -> list[str]:
    """Say it of pixels in degrees, which are no areas."""
    if source.grid.unit != "degree":
        return []
    return [
        "the map's pixels are in degrees, and smaller towards the poles: shares of pixels are shares of the "
        "area only where the map spans few degrees of latitude; a map in an equal-area CRS has areas"
    ]
