"""What a file is as a mask: what its header says, which values it holds, and what looks wrong with it."""

from __future__ import annotations

import math
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicecli.errors import CaseError
from dicecli.masks import files
from dicecli.masks.differing import figure
from dicecli.masks.largest import folded
from dicecli.masks.opening import opened_layers
from dicecli.masks.palettes import by_colour
from dicecli.masks.renumbered import numbered
from dicecli.records.label_maps import IGNORE
from dicecli.records.settings import Settings
from dicecli.runs.inspection.probabilities import Stored, stored_probabilities
from dicecli.runs.inspection.values import encoding, stored_values, values_of_layers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource
    from dicecli.records.label_maps import Side


@dataclass
class Inspection:
    """What was found out about one file.

    Attributes
    ----------
    path : str
    facts : dict of str to object
        What the header says, in the order to show it.
    values : dict of float to int or None
        Pixels by stored value, ascending; None where there are more than 4,096 values, or none were read.
    names : dict of float to str
        Names of those values, from the declared labels.
    read : dict of float to int or None
        What a map of labels reads those values as, None where that is no label; empty without a map.
    encoding : str
        How ``score`` would take the values.
    problems : list of str
        What looks wrong, though it may be meant.
    error : CaseError or None
        Why ``score`` would refuse the file.
    probabilities : Stored or None
        What it holds, where ``score`` would refuse it and it is a map of probabilities.
    """

    path: str
    facts: dict[str, object] = field(default_factory=dict)
    values: dict[float, int] | None = None
    names: dict[float, str] = field(default_factory=dict)
    read: dict[float, int | None] = field(default_factory=dict)
    encoding: str = ""
    problems: list[str] = field(default_factory=list)
    error: CaseError | None = None
    probabilities: Stored | None = None

    @property
    def is_bad(self) -> bool:
        """Whether neither ``score`` nor ``soft`` would read it."""
        return self.error is not None and self.probabilities is None

    def read_as(self, value: float) -> int | str | None:
        """Return what a map of labels reads a value as: a label, or ``ignore``; None where none reads it."""
        label = self.read.get(value)
        return IGNORE if value in self.read and label is None else label

    def to_dict(self) -> dict[str, object]:
        """Return everything as JSON's types."""
        values = self.values or {}
        total = sum(values.values())
        return {
            "path": self.path,
            "facts": self.facts,
            "values": None
            if self.values is None
            else [
                {
                    "value": value if math.isfinite(value) else str(value),
                    "name": self.names.get(value),
                    "read_as": self.read_as(value),
                    "count": n,
                    "share": n / total,
                }
                for value, n in values.items()
            ],
            "encoding": self.encoding,
            "problems": self.problems,
            "error": self.error.name if self.error else None,
            "message": str(self.error) if self.error else None,
            "hint": self.error.hint if self.error else None,
            "probabilities": self.probabilities.to_dict() if self.probabilities else None,
        }


def inspect(path: str, settings: Settings | None = None, side: Side | None = None) -> Inspection:
    """Find out what a file is as a mask. What is wrong with it becomes part of the answer.

    Parameters
    ----------
    path : str
    settings : Settings, optional
    side : {"prediction", "reference"}, optional
        By whose map its labels are read; None: by the only one there is. Where there are two that differ
        it is by none, which is a problem.
    """
    given = settings or Settings()
    settings = _of_one(given, side)
    found = Inspection(path)
    if side is None and given.labels.maps and not settings.labels.maps:
        found.problems.append("it is read by neither map of labels: they differ, and its side is not known")
    before = files.state(path)
    try:
        with ExitStack() as stack:
            layers = [stack.enter_context(each) for each in opened_layers("", path, settings)]
            source = layers[0]
            found.facts = source.facts | _geometry(source.grid)
            found.problems += source.oddities
            values = stored_values(source) if len(layers) == 1 else values_of_layers(layers, settings)
            for each in layers:
                each.finish()
            files.check_unchanged(path, before)
            found.values = folded(values) if values and source.is_largest else values
            if len(layers) > 1:
                found.encoding = f"{len(layers)} binary layers, which may overlap; pixels of all are added up"
                return found
            found.encoding = encoding(values, source, settings, found.problems)
            if values and source.has_own_nodata and source.nodata in values:
                found.facts["hidden"] = f"{values.pop(source.nodata):,} of its pixels"
            labels = _meant(values or {}, source, settings)
            names = settings.labels.names
            found.names = {
                value: names[label] for value, label in labels.items() if label is not None and label in names
            }
            found.read = labels if settings.labels.maps else {}
    except CaseError as error:
        error.path = error.path or path
        found.error = error
        found.facts |= error.facts
        found.probabilities = stored_probabilities(path, settings)
        if found.probabilities is not None:
            source = found.probabilities.source
            found.facts |= {"format": "NumPy", "stored as": str(source.dtype)} | source.facts
            found.facts |= _geometry(source.grid)
    return found


def _of_one(settings: Settings, side: Side | None) -> Settings:
    """Return the settings with the map of labels of one side; of none with the only one there is."""
    maps = settings.labels.maps
    wanted = side if side is not None or len({*maps.values()}) != 1 else next(iter(maps))
    return replace(
        settings, labels=replace(settings.labels, maps={at: maps[at] for at in maps if at == wanted})
    )


def _meant(values: Mapping[float, int], source: MaskSource, settings: Settings) -> dict[float, int | None]:
    """Return the labels that whole values mean: themselves, or what colours and a map say; None for none."""
    whole = {int(value): n for value, n in values.items() if math.isfinite(value) and value == int(value)}
    labels: Mapping[int, int] = {value: value for value in whole}
    if source.palette is not None and settings.read_as == "colour":
        used = {value: n for value, n in whole.items() if value != source.nodata_label}
        labels = by_colour(source.palette, used, settings)[0]
    for side, of_side in settings.labels.maps.items():
        known = {each: label for each, label in labels.items() if each != source.nodata_label}
        found = numbered(side, known, whole, of_side)
        return {value: None if value in found.ignored else to for value, to in found.labels.items()}
    return {value: labels[int(value)] for value in values if value in labels}


def _geometry(grid: Grid) -> dict[str, object]:
    facts: dict[str, object] = {"shape": " x ".join(str(n) for n in grid.shape)}
    if grid.spacing:
        steps = " x ".join(figure(step, 7) for step in grid.spacing)
        facts["spacing"] = f"{steps} {grid.unit or '(unit unknown)'}"
    if grid.orientation:
        facts["orientation"] = grid.orientation
    if grid.affine is not None:
        facts["origin"] = ", ".join(figure(value, 12) for value in grid.affine[:, -1].tolist())
    if grid.kind == "map":
        facts["crs"] = _crs(grid.crs)
        if grid.affine is not None:
            (b, a, _), (e, d, _) = grid.affine.tolist()
            facts["transform"] = (
                f"x by {a:.10g} a column, {b:.10g} a row; y by {d:.10g} a column, {e:.10g} a row"
            )
    return facts


def _crs(wkt: str | None) -> str:
    if wkt is None:
        return "none"
    from rasterio.crs import CRS

    crs = CRS.from_wkt(wkt)
    name = wkt.split('"')[1] if '"' in wkt else ""
    return f"EPSG:{crs.to_epsg()} ({name})" if crs.to_epsg() else name or wkt[:60]
