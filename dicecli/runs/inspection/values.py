"""Which values a mask stores, how often, and how ``score`` would take them."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels, TooManyLabels
from dicecli.masks.declared import check_declared
from dicecli.masks.encoding import MAX_RESIDUAL, residual, to_labels
from dicecli.masks.exact import shown
from dicecli.masks.inside import meant_inside
from dicecli.masks.largest import folded, untied
from dicecli.masks.palettes import meant_values
from dicecli.masks.renumbered import numbered
from dicecli.plugins import load
from dicecli.statistics._confusion import MAX_LABELS
from dicecli.statistics._devices import cpu_backend
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings

_OF_FLOATS = (
    "Give a label map; or, where all values are probabilities from 0 to 1, a threshold, as --threshold 0.5."
)


def stored_values(source: MaskSource) -> dict[float, int] | None:
    """Count every stored value; None once there are too many for a map of labels."""
    backend = load("backends", cpu_backend())
    counted: dict[float, int] = {}
    for window in source.windows():
        block = source.values(window)
        if block.dtype.kind in "iub" and block.dtype.itemsize == 1:
            pairs = backend.count_block(block, block).sizes("reference").items()
        else:
            found = np.unique(block, return_counts=True)
            if found[0].size > MAX_LABELS:
                return None
            pairs = zip(*(each.tolist() for each in found), strict=True)
        for value, n in pairs:
            # NaN is not equal to itself: one object stands for all of them.
            key = value if value == value else math.nan  # noqa: PLR0124 - that is how NaN is told
            counted[key] = counted.get(key, 0) + n
        if len(counted) > MAX_LABELS:
            return None
    return dict(sorted(counted.items(), key=lambda pair: (math.isnan(pair[0]), pair[0])))


def values_of_layers(layers: list[MaskSource], settings: Settings) -> dict[float, int]:
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
        for window in layer.windows():
            values, numbers = np.unique(layer.read(window), return_counts=True)
            sizes.update(dict(zip(values.tolist(), numbers.tolist(), strict=True)))
        meant_inside(layer, sizes, settings)
        counted.update(sizes)
    return dict(sorted(counted.items()))


def encoding(
    values: dict[float, int] | None, source: MaskSource, settings: Settings, problems: list[str]
) -> str:
    """Say how the values would be read, as ``score`` does it, and add to `problems` what looks wrong.

    Raises
    ------
    CaseError
        ``score`` would refuse them.
    """
    if values is None:
        problems.append(f"more than {MAX_LABELS:,} distinct values: an image, probabilities or instances?")
        if settings.threshold is not None:
            return f"1 from {settings.threshold:g} on, else 0"
        kind = NotLabels if source.dtype.kind == "f" else TooManyLabels
        raise kind(
            f"it holds more than {MAX_LABELS:,} distinct values; a label map has fewer",
            _OF_FLOATS if source.dtype.kind == "f" else "Give a label map.",
        )
    problems += _oddities(folded(values) if source.is_largest else values, source)
    if source.is_largest:
        return _of_largest(values, source, settings)
    nans = sum(n for value, n in values.items() if math.isnan(value))
    if nans and not source.nan_is_nodata and not math.isnan(source.nodata or 0):
        raise NotLabels(
            f"it holds NaN ({counted(nans, 'pixel')})",
            "Save the mask as integers. If NaN marks missing pixels of a GeoTIFF: --nodata ignore.",
        )
    stored = np.array(list(values), source.dtype if source.dtype.kind in "iuf" else np.uint8)
    if settings.threshold is None and residual(stored, source.nodata) > MAX_RESIDUAL:
        top = max(value for value in values if math.isfinite(value) and value != source.nodata)
        raise source.fractions(residual(stored, source.nodata), top)
    labels = to_labels(
        stored, source.nodata, settings.threshold, nan_is_nodata=source.nan_is_nodata, ignore=source.ignore
    )
    missing = source.nodata_label
    sizes: dict[int, int] = {}
    for label, n in zip(labels.tolist(), values.values(), strict=True):
        if label != missing:
            sizes[label] = sizes.get(label, 0) + n
    renamed, said = meant_values(source.palette, sizes, settings, is_mapped=bool(settings.labels.maps))
    said = [
        *source.notes,
        *said,
        *_of_labels({each: renamed.get(each, each) for each in sizes}, sizes, settings),
    ]
    if source.nodata is not None and not source.has_own_nodata:
        said.append(f"{shown(source.nodata)} is nodata, and left out")
    return "; ".join(said) if said else "labels are the stored values"


def _of_labels(labels: Mapping[int, int], sizes: Mapping[int, int], settings: Settings) -> list[str]:
    """Check what stored labels mean against what is declared; say what a map makes of them."""
    side, of_side = next(iter(settings.labels.maps.items()), ("prediction", None))
    found = numbered(side, labels, sizes, of_side)
    kept = {found.labels[label]: n for label, n in sizes.items() if label not in found.ignored}
    check_declared(side, kept, settings.labels)
    return found.notes


def _of_largest(values: dict[float, int], source: MaskSource, settings: Settings) -> str:
    """Say how indices of the largest score are read."""
    sizes = {int(value): n for value, n in values.items() if value != source.nodata_label}
    renamed = untied(sizes, source.path)
    said = _of_labels({each: renamed.get(each, each) for each in sizes}, sizes, settings)
    return "; ".join([*source.notes, *said])


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
