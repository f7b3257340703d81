"""What is known of every pair once its labels are understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.records.labels import NO_LABEL
from dicecli.records.lengths import length_of
from dicecli.records.measurements import Row
from dicecli.records.observed import Cells
from dicecli.statistics._apart import OUTSIDE
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._opened import Opened
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.masks.renumbered import Meant
    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings
    from dicecli.statistics._apart import Counted


def opened(pair: Pair, settings: Settings, **facts: object) -> Opened:
    """Put together what the pair says, what the settings declare, and what was found out of the labels."""
    grid = pair.grid
    scheme = settings.labels
    regions = tuple(Row("region", None, name, members) for name, members in scheme.regions.items())
    known: dict[str, Any] = {"channels": (), "regions": regions, "order": pair.leading.order}
    spacing, unit = (None, None) if settings.spacing == "voxel" else (grid.spacing, grid.unit)
    length = length_of(spacing, unit, grid.sizes())
    return Opened(shape=grid.shape, spacing=spacing, unit=unit, length=length, **(known | facts))


def label_rows(labels: Sequence[int], settings: Settings) -> tuple[Row, ...]:
    """Return a row for each label, in their order; none for what belongs to no label."""
    scheme = settings.labels
    return tuple(Row("label", label, scheme.name(label), (label,)) for label in labels if label != NO_LABEL)


def places_of(renamed: Mapping[int, int], rows: Sequence[Row]) -> dict[int, int]:
    """Return the place of its row for each stored label; 0 for one that has none."""
    places = {row.label: place for place, row in enumerate(rows, start=1)}
    return {at: places.get(label, 0) for at, label in renamed.items()}


def left_out(
    reference: Meant, sizes: Mapping[int, int], settings: Settings
) -> tuple[frozenset[int], dict[str, int]]:
    """Return the stored labels of a reference that are left out, and how many pixels that is, by reason.

    Parameters
    ----------
    reference : Meant
        What each stored label means.
    sizes : mapping of int to int
        Pixels inside the field by stored label; a label that none has may be missing.
    settings : Settings
    """
    is_ignored = {at for at, label in reference.labels.items() if label in settings.labels.ignore}
    is_ignored |= reference.ignored
    ignored = {at: sizes.get(at, 0) for at in is_ignored}
    nodata = {
        at: sizes.get(at, 0)
        for at, label in reference.labels.items()
        if label == NO_LABEL and at not in is_ignored
    }
    sums = {"ignore_label": sum(ignored.values()), "nodata": sum(nodata.values())}
    return frozenset(ignored | nodata), sums


def outside_of(pair: Pair, census: Counted) -> dict[str, int]:
    """Return how many pixels are outside the field, as a reason; none where a case has no field."""
    return {} if pair.field is None else {"outside": census[0, 0, OUTSIDE].total}


def unpredicted_of(pair: Pair, renamed: Mapping[int, int]) -> frozenset[int]:
    """Return the stored labels of a prediction whose pixels are left out: its nodata, where asked for."""
    nodata = pair.prediction[0].nodata_label
    is_left_out = pair.leaves_out_unknown and nodata is not None and renamed.get(nodata) == NO_LABEL
    return frozenset({nodata} if is_left_out and nodata is not None else ())


def on_unpredicted(pair: Pair, pixels: int) -> tuple[dict[str, int], list[str]]:
    """Return how many pixels are left out for the prediction's nodata, as a reason, and a note on them."""
    if not pair.leaves_out_unknown:
        return {}, []
    verb = "is" if pixels == 1 else "are"
    said = f"{counted(pixels, 'pixel')} where the reference is valid {verb} left out "
    said += "as nodata of the prediction, which flatters it where that is what it could not tell"
    return {"nodata_prediction": pixels}, [f"prediction: {said}"] if pixels else []


def on_unlabelled(matrix: ConfusionMatrix) -> list[str]:
    """Say in how many of the pixels that are compared nothing is predicted."""
    if not matrix.unlabelled:
        return []
    pixels, verb = counted(matrix.unlabelled, "pixel"), "counts" if matrix.unlabelled == 1 else "count"
    return [
        f"prediction: {pixels} with nodata or an ignored label where the reference is valid {verb} as misses"
    ]


def nodata_as_background(
    matrix: ConfusionMatrix, source: MaskSource, of_side: Mapping[str, Mapping[int, int]], settings: Settings
) -> Cells | None:
    """Return where a reference is nodata that is read as background; None where it has no such tag.

    Parameters
    ----------
    matrix : ConfusionMatrix
        Of stored labels.
    source : MaskSource
        The reference.
    of_side : mapping
        What the stored labels of each side mean.
    settings : Settings
    """
    tag = source.background_tag_label
    if tag is None or tag not in matrix.labels:
        return None
    meant = of_side["reference"].get(tag)
    if meant in settings.labels.ignore or meant != (settings.labels.background or 0):
        return None
    labels = np.array(matrix.labels, np.int64)
    row = matrix.labels.index(tag)
    alone = ConfusionMatrix.from_pairs(labels[[row]], labels, matrix.table[[row]]).relabelled(**of_side)
    for label in settings.labels.ignore:
        alone = alone.without(label)
    return cells_of(alone) if alone.total else None


def ignored_in_prediction(matrix: ConfusionMatrix, settings: Settings) -> Cells | None:
    """Return where a prediction has labels that are left out in the reference, which is compared there."""
    ignore = [label for label in settings.labels.ignore if label in matrix.labels]
    if not ignore:
        return None
    labels = np.array(matrix.labels, np.int64)
    is_ignored = np.isin(labels, ignore)
    table = matrix.table[np.ix_(~is_ignored, is_ignored)]
    found = ConfusionMatrix.from_pairs(labels[~is_ignored], labels[is_ignored], table)
    return cells_of(found) if found.labels else None


def cells_of(matrix: ConfusionMatrix) -> Cells:
    """Return the pairs of labels that meet, sorted; NO_LABEL of the prediction is None."""
    rows, columns = matrix.table.nonzero()
    labels = matrix.labels
    prediction = [None if labels[at] == NO_LABEL else labels[at] for at in columns.tolist()]
    pixels = matrix.table[rows, columns].tolist()
    return Cells(tuple(labels[at] for at in rows.tolist()), tuple(prediction), tuple(pixels))
