"""The definition of surfaces and distances in force, in words that stand in every report."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.surfaces import shares

if TYPE_CHECKING:
    from dicecli.records.settings import Settings

_RIM = {
    "face": "with a neighbour outside across a face",
    "edge": "with a neighbour outside across a face or edge",
    "all": "with a neighbour outside, corners included",
}
_RULE = {
    "linear": "linear between ranks",
    "step": "where the share of the surface is reached",
    "index": "at the rank rounded down",
}
_DIRECTIONS = {
    "max": "the larger of both directions",
    "pool": "of both directions in one list",
    "mean": "the mean of both directions",
}
_SHARES = {"pool": "of both surfaces together", "mean": "the mean of both surfaces' shares"}
_EMPTY = {"inf": "infinite", "diagonal": "the grid's diagonal", "skip": "undefined"}
#: Metrics that have a width in place of distances, each with the width where none is given.
_WIDTHS = {"boundary_iou": "2 % of the diagonal", "boundary_f": "0.8 % of the diagonal"}


def described(settings: Settings) -> str:
    """Return what surfaces are, how distances become one number, and how wide bands are, in one sentence.

    The metrics in the settings are those that it concerns: where all have a width, widths alone are said.
    """
    asked = settings.metrics or ()
    parts = [] if asked and all(each in _WIDTHS for each in asked) else _of_distances(settings)
    widths = {name: settings.boundary_width or usual for name, usual in _WIDTHS.items() if name in asked}
    return "; ".join([*parts, *(f"width of {name} {width}" for name, width in widths.items())])


def _of_distances(settings: Settings) -> list[str]:
    points = (
        "corners of voxels, weighted by the area around them"
        if settings.surface == "corner"
        else f"centres of voxels {_RIM[settings.rim]}"
    )
    unit = ", distances in voxels" if settings.spacing == "voxel" else ""
    return [
        f"{points}{unit}",
        f"percentiles {_RULE[settings.percentile_rule]}, {_DIRECTIONS[settings.directions]}",
        f"nsd {_SHARES[shares(settings.directions, settings.nsd_directions)]}",
        f"distances where one mask is empty: {_EMPTY.get(settings.empty_distance, settings.empty_distance)}",
    ]
