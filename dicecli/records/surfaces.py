"""The options of boundary metrics: which surfaces there are, and how their distances become one number."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Literal

from dicecli.errors import UsageError
from dicecli.records.lengths import parse_length
from dicecli.records.options import Option, option, options
from dicecli.words import did_you_mean, listed

Surface = Literal["voxel", "corner"]
Rim = Literal["face", "edge", "all"]
PercentileRule = Literal["linear", "step", "index"]
Directions = Literal["max", "pool", "mean"]
NsdDirections = Literal["pool", "mean"]
Spacing = Literal["header", "voxel"]
#: What a distance can be where one mask is empty, besides a number.
EMPTY = ("inf", "diagonal", "skip")


@options
class OfSurfaces:
    """The options that metrics of surfaces have, and nothing else."""

    tolerance: str | Iterable[str] | None = option(
        None,
        Option(
            "Also give nsd, the share of both surfaces that lies within T of the other: 2mm, 1.5px, 10m.",
            part="scoring",
            metavar="T",
            is_many=True,
            is_list=True,
        ),
    )
    spacing: Spacing = option(
        "header", Option("What distances are in: the file's unit, or voxels.", part="scoring")
    )
    surface: Surface = option(
        "voxel",
        Option(
            "Points of a surface: centres of rim voxels; or corners of voxels, each with the area around it.",
            part="scoring",
            is_usual=False,
        ),
    )
    rim: Rim = option(
        "face",
        Option(
            "Which neighbours outside make a voxel rim: across faces, also edges, or all.",
            part="scoring",
            is_usual=False,
        ),
    )
    percentile_rule: PercentileRule = option(
        "linear",
        Option(
            "Of hd95 and the like: linear between ranks; the first distance at which the share is reached "
            "(step); the distance at rank (n - 1) p / 100, rounded down (index).",
            part="scoring",
            is_usual=False,
        ),
    )
    directions: Directions = option(
        "max",
        Option(
            "How the percentiles or shares of both directions become one: the larger percentile (nsd pools "
            "then), that of both lists together, or the mean.",
            part="scoring",
            is_usual=False,
        ),
    )
    nsd_directions: NsdDirections | None = option(
        None,
        Option(
            "The same of nsd alone: pool or mean.",
            part="scoring",
            shown="as --directions",
            is_usual=False,
        ),
    )
    boundary_width: str | None = option(
        None,
        Option(
            "Of boundary_iou and boundary_f: 5px, 3mm.",
            part="scoring",
            metavar="D",
            shown="2 % and 0.8 % of the diagonal",
            is_usual=False,
        ),
    )
    empty_distance: str = option(
        "inf",
        Option(
            "What a distance is where one mask alone is empty: inf, the grid's diagonal, a number, or skip.",
            part="scoring",
            metavar="VALUE",
            is_usual=False,
        ),
    )


def parse_tolerances(given: str | Iterable[str] | None) -> tuple[str, ...]:
    """Return tolerances as they are written in names, each once.

    Raises
    ------
    UsageError
        One of them is no length.
    """
    if given is None:
        return ()
    every = listed(given) if isinstance(given, str) else given if isinstance(given, Iterable) else [given]
    lengths = (parse_length(each, "a tolerance", "--tolerance 2mm", may_be_zero=True) for each in every)
    return tuple(dict.fromkeys(map(str, lengths)))


def parse_width(given: str | None) -> str | None:
    """Return the width of a boundary as it is written in records.

    Raises
    ------
    UsageError
        It is no length.
    """
    return None if given is None else str(parse_length(given, "the boundary's width", "--boundary-width 5px"))


def parse_empty_distance(given: object) -> str:
    """Return what a distance is where one mask is empty: a word, or a number as it is written.

    Raises
    ------
    UsageError
        It is neither.
    """
    text = str(given).strip().lower()
    if text in EMPTY:
        return text
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 <= number < math.inf:
        raise UsageError(
            f"the distance where one mask is empty is {given!r}; {', '.join(EMPTY)} is expected, or a number "
            "from 0 in the unit of the distances",
            f"{did_you_mean(text, EMPTY)}Write --empty-distance diagonal, or --empty-distance 374.",
        )
    return repr(number)


def shares(directions: str, nsd_directions: str | None) -> str:
    """Return how the shares of both directions become one: ``pool`` or ``mean``."""
    return nsd_directions or ("mean" if directions == "mean" else "pool")
