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
    "max": "the larger direction",
    "pool": "both directions in one list",
    "mean": "mean of directions",
}
_SHARES = {"pool": "both surfaces pooled", "mean": "mean of both shares"}
_EMPTY = {"inf": "infinite", "diagonal": "the grid's diagonal", "skip": "undefined"}


def described(settings: Settings) -> str:
    """Return what surfaces are, and how their distances become one number, in one sentence."""
    points = (
        "corners of voxels, weighted by the area around them"
        if settings.surface == "corner"
        else f"centres of voxels {_RIM[settings.rim]}"
    )
    unit = ", distances in voxels" if settings.spacing == "voxel" else ""
    empty = _EMPTY.get(settings.empty_distance, settings.empty_distance)
    width = f"; boundary width {settings.boundary_width}" if settings.boundary_width else ""
    return (
        f"{points}{unit}; percentiles {_RULE[settings.percentile_rule]}, {_DIRECTIONS[settings.directions]}; "
        f"nsd {_SHARES[shares(settings.directions, settings.nsd_directions)]}; one mask empty: {empty}{width}"
    )
