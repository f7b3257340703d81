"""What a file is as a mask: what its header says, which values it holds, and what looks wrong with it."""

from __future__ import annotations

import math
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import CaseError, NotLabels, TooManyLabels
from dicecli.masks import files
from dicecli.masks.alignment import align
from dicecli.masks.blocks import plan
from dicecli.masks.encoding import MAX_RESIDUAL, meaning, residual, to_labels
from dicecli.masks.grid import differences, displacement
from dicecli.masks.layers import check_declared, meant_inside
from dicecli.masks.opening import opened_layers
from dicecli.plugins import cpu_backend, load
from dicecli.records.settings import Settings
from dicecli.statistics._confusion import MAX_LABELS

if TYPE_CHECKING:
    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource


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
    encoding : str
        How ``score`` would take the values.
    problems : list of str
        What looks wrong, though it may be meant.
    error : CaseError or None
        Why ``score`` would refuse the file.
    """

    path: str
    facts: dict[str, Any] = field(default_factory=dict)
    values: dict[float, int] | None = None
    names: dict[float, str] = field(default_factory=dict)
    encoding: str = ""
    problems: list[str] = field(default_factory=list)
    error: CaseError | None = None

    def to_dict(self) -> dict[str, Any]:
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
        }


def inspect(path: str, settings: Settings | None = None) -> Inspection:
    """Find out what a file is as a mask. What is wrong with it becomes part of the answer."""
    settings = settings or Settings()
    found = Inspection(path)
    before = files.state(path)
    try:
        with ExitStack() as stack:
            layers = [stack.enter_context(each) for each in opened_layers("", path, settings)]
            source = layers[0]
            found.facts = source.facts | _geometry(source.grid)
            found.problems += source.oddities
            values = _values(source) if len(layers) == 1 else _values_of_layers(layers, settings)
            for each in layers:
                each.finish()
            files.check_unchanged(path, before)
            found.values = values
            if len(layers) > 1:
                found.encoding = f"{len(layers)} binary layers, which may overlap; pixels of all are added up"
                return found
            found.encoding = _encoding(values, source, settings, found)
            found.names = {
                value: settings.labels.names[int(value)] for value in values or {} if _named(value, settings)
            }
    except CaseError as error:
        error.path = error.path or path
        found.error = error
        found.facts |= error.facts
    return found


def compare(prediction: str, reference: str, settings: Settings | None = None) -> dict[str, Any]:
    """Say whether two files lie on each other, and if not, by how much.

    Returns
    -------
    dict
        ``aligned`` (bool), ``displacement_voxels`` (float, or None where no place is known), ``differences``
        and ``notes`` (lists of str), ``message`` and ``hint`` (str or None).

    Raises
    ------
    CaseError
        One of the files cannot be opened.
    """
    settings = settings or Settings()
    answer: dict[str, Any] = {"aligned": True, "displacement_voxels": None, "differences": [], "notes": []}
    answer |= {"message": None, "hint": None}
    with ExitStack() as stack:
        (first, *_), (second, *_) = (
            [stack.enter_context(each) for each in opened_layers("", path, settings)]
            for path in (reference, prediction)
        )
        try:
            one, other, answer["notes"] = align(first, second)
            grids = one.grid, other.grid
        except CaseError as error:
            answer |= {"aligned": False, "message": error.message, "hint": error.hint}
            grids = first.grid, second.grid
        if grids[0].shape == grids[1].shape and all(grid.affine is not None for grid in grids):
            answer["differences"] = differences(*grids)
            answer["displacement_voxels"] = displacement(*grids)
    return answer


def _named(value: float, settings: Settings) -> bool:
    return math.isfinite(value) and int(value) == value and int(value) in settings.labels.names


def _geometry(grid: Grid) -> dict[str, Any]:
    facts: dict[str, Any] = {"shape": " x ".join(str(n) for n in grid.shape)}
    if grid.spacing:
        steps = " x ".join(f"{step:.6g}" for step in grid.spacing)
        facts["spacing"] = f"{steps} {grid.unit or '(unit unknown)'}"
    if grid.orientation:
        facts["orientation"] = grid.orientation
    if grid.affine is not None:
        facts["origin"] = ", ".join(f"{value:.6g}" for value in grid.affine[:, -1])
    if grid.kind == "map":
        facts["crs"] = _crs(grid.crs)
        if grid.affine is not None:
            (b, a, _), (e, d, _) = grid.affine.tolist()
            facts["transform"] = f"x by {a:g} a column, {b:g} a row; y by {d:g} a column, {e:g} a row"
    return facts


def _crs(wkt: str | None) -> str:
    if wkt is None:
        return "none"
    from rasterio.crs import CRS

    crs = CRS.from_wkt(wkt)
    name = wkt.split('"')[1] if '"' in wkt else ""
    return f"EPSG:{crs.to_epsg()} ({name})" if crs.to_epsg() else name or wkt[:60]


def _values(source: MaskSource) -> dict[float, int] | None:
    """Count every stored value; None once there are too many for a map of labels."""
    backend = load("backends", cpu_backend())
    counted: dict[float, int] = {}
    for window in plan(source):
        block = source.values(window)
        if block.dtype.kind in "iub" and block.dtype.itemsize == 1:
            pairs = backend.count_block(block, block).sizes("reference").items()
        else:
            pairs = zip(*(each.tolist() for each in np.unique(block, return_counts=True)), strict=True)
        for value, n in pairs:
            # NaN is not equal to itself: one object stands for all of them.
            key = value if value == value else math.nan  # noqa: PLR0124 - that is how NaN is told
            counted[key] = counted.get(key, 0) + n
        if len(counted) > MAX_LABELS:
            return None
    return dict(sorted(counted.items(), key=lambda pair: (math.isnan(pair[0]), pair[0])))


def _values_of_layers(layers: list[MaskSource], settings: Settings) -> dict[float, int]:
    """Count the values of binary layers, all of them together.

    Raises
    ------
    ManyVolumes
        They hold anything else than 0 and 1, or 0 and 255.
    NotLabels
        They hold nodata.
    """
    counted: Counter[float] = Counter()
    for layer in layers:
        sizes: Counter[int] = Counter()
        for window in plan(layer):
            values, numbers = np.unique(layer.read(window), return_counts=True)
            sizes.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
        meant_inside(layer, sizes, settings)
        counted.update(sizes)
    return dict(sorted(counted.items()))


def _encoding(
    values: dict[float, int] | None, source: MaskSource, settings: Settings, found: Inspection
) -> str:
    """Say how the values would be read, as ``score`` does it."""
    if values is None:
        found.problems.append(
            f"more than {MAX_LABELS:,} distinct values: an image, probabilities or instances?"
        )
        if settings.threshold is not None:
            return f"1 from {settings.threshold:g} on, else 0"
        kind = NotLabels if source.dtype.kind == "f" else TooManyLabels
        raise kind(
            f"it holds more than {MAX_LABELS:,} distinct values; a label map has fewer",
            "Give a label map; or a threshold for probabilities, as --threshold 0.5.",
        )
    found.problems += _oddities(values, source)
    nans = sum(n for value, n in values.items() if math.isnan(value))
    if nans and not source.nan_is_nodata and not math.isnan(source.nodata or 0):
        raise NotLabels(
            f"it holds NaN ({nans:,} pixels)",
            "Save the mask as integers. If NaN marks missing pixels of a GeoTIFF: --nodata ignore.",
        )
    stored = np.array(list(values), source.dtype if source.dtype.kind in "iuf" else np.uint8)
    if settings.threshold is None and residual(stored, source.nodata) > MAX_RESIDUAL:
        raise source.fractions(residual(stored, source.nodata))
    labels = to_labels(
        stored, source.nodata, settings.threshold, nan_is_nodata=source.nan_is_nodata, ignore=source.ignore
    )
    missing = source.nodata_label
    sizes: dict[int, int] = {}
    for label, n in zip(labels.tolist(), values.values(), strict=True):
        if label != missing:
            sizes[label] = sizes.get(label, 0) + n
    renamed, said = meaning(sizes, settings)
    check_declared({renamed.get(label, label): n for label, n in sizes.items()}, settings.labels)
    said = [*source.notes, *said]
    if source.nodata is not None:
        said.append(f"{source.nodata:g} is nodata, and left out")
    return "; ".join(said) if said else "labels are the stored values"


def _oddities(values: dict[float, int], source: MaskSource) -> list[str]:
    finite = [value for value in values if math.isfinite(value)]
    odd = []
    if len(values) == 1:
        odd.append(f"every pixel is {finite[0]:g}" if finite else "no pixel has a value")
    if finite and min(finite) < 0 and (source.nodata is None or min(finite) != source.nodata):
        odd.append(f"it holds negative values, down to {min(finite):g}")
    if source.dtype.kind == "f":
        odd.append("labels are stored as floats; integers are safer")
    if len(values) > 256:
        odd.append(f"{len(values):,} distinct values: many for classes, as in a map of instances")
    return odd
