"""What is known of every pair once its labels are understood."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Row
from dicecli.statistics._opened import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix


def opened(pair: Pair, settings: Settings, **facts: object) -> Opened:
    """Put together what the pair says, what the settings declare, and what was found out of the labels."""
    grid = pair.grid
    scheme = settings.labels
    regions = tuple(Row("region", None, name, members) for name, members in scheme.regions.items())
    known: dict[str, Any] = {"channels": (), "regions": regions, "order": pair.leading.order}
    return Opened(shape=grid.shape, spacing=grid.spacing, unit=grid.unit, **(known | facts))


def label_rows(labels: Sequence[int], settings: Settings) -> tuple[Row, ...]:
    """Return a row for each label, in their order; none for what belongs to no label."""
    scheme = settings.labels
    return tuple(Row("label", label, scheme.name(label), (label,)) for label in labels if label != NO_LABEL)


def places_of(renamed: Mapping[int, int], rows: Sequence[Row]) -> dict[int, int]:
    """Return the place of its row for each stored label; 0 for one that has none."""
    places = {row.label: place for place, row in enumerate(rows, start=1)}
    return {at: places.get(label, 0) for at, label in renamed.items()}


def left_out(
    renamed: Mapping[int, int], sizes: Mapping[int, int], settings: Settings
) -> tuple[frozenset[int], dict[str, int]]:
    """Return the stored labels of a reference that are left out, and how many pixels that is, by reason."""
    ignored = {at: sizes[at] for at, label in renamed.items() if label in settings.labels.ignore}
    nodata = {at: sizes[at] for at, label in renamed.items() if label == NO_LABEL}
    sums = {"ignore_label": sum(ignored.values()), "nodata": sum(nodata.values())}
    return frozenset(ignored | nodata), sums


def on_unlabelled(matrix: ConfusionMatrix) -> list[str]:
    """Say in how many of the pixels that are compared nothing is predicted."""
    if not matrix.unlabelled:
        return []
    what = f"{matrix.unlabelled:,} pixels with nodata or an ignored label where the reference is valid"
    return [f"prediction: {what} count as misses"]
