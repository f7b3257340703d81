"""What two label maps mean: renamed labels, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import AmbiguousPalette, NotLabels
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side
from dicecli.masks.palettes import Painted, check_pair
from dicecli.records.label_maps import option_of
from dicecli.records.labels import NO_LABEL
from dicecli.records.observed import Observed
from dicecli.statistics._apart import to_compare, where_predicted, whole
from dicecli.statistics._meaning.known import (
    ignored_in_prediction,
    label_rows,
    left_out,
    nodata_as_background,
    on_unlabelled,
    on_unpredicted,
    opened,
    outside_of,
    places_of,
    unpredicted_of,
)

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.masks.renumbered import Meant
    from dicecli.masks.sources import MaskSource
    from dicecli.records.observed import Side
    from dicecli.records.settings import Settings
    from dicecli.statistics._apart import Counted
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


def of_maps(pair: Pair, census: Counted, settings: Settings) -> Opened:
    """Understand two label maps: renamed labels, and what is left out.

    Raises
    ------
    NotLabels
        255 would be label 1 in one mask, and stands beside other labels in the other one.
    """
    matrix, inside = whole(census)[0, 0], to_compare(census)[0, 0]
    notes: list[str] = []
    found: dict[str, Meant] = {}
    sides = {"reference": pair.reference[0], "prediction": pair.prediction[0]}
    for side, source in sides.items():
        found[side] = on_side(side, source, meant, side, source, matrix.sizes(side), settings)
        notes += [f"{side}: {note}" for note in (*source.notes, *found[side].notes)]
    of_side = {side: each.labels for side, each in found.items()}
    _check_palettes(pair, of_side, settings)
    as_one = _read_as_one(of_side, settings)
    _check_255(of_side, as_one, sides)
    every = inside.relabelled(**of_side)
    kept = every.without(NO_LABEL) if NO_LABEL in every.labels else every
    ignored, excluded = left_out(found["reference"], inside.sizes("reference"), settings)
    excluded["nodata"] -= sides["reference"].apart
    notes += _on_nothing_else(kept, excluded)
    unpredicted = unpredicted_of(pair, of_side["prediction"])
    compared = valid = _without_ignored(kept, settings)
    if unpredicted:
        compared = _without_ignored(_predicted(inside, unpredicted, of_side), settings)
    for_prediction, said = on_unpredicted(pair, valid.total - compared.total)
    notes += [*said, *on_unlabelled(compared)]
    rows = label_rows(compared.labels, settings)
    reference, prediction = (places_of(of_side[side], rows) for side in of_side)
    tagged = nodata_as_background(inside, sides["reference"], of_side, settings)
    observed = Observed(as_one=as_one, nodata=tagged, ignored=ignored_in_prediction(kept, settings))
    return opened(
        pair,
        settings,
        rows=rows,
        census={(0, 0): compared},
        counted=compared.total,
        excluded=excluded | outside_of(pair, census) | for_prediction,
        notes=tuple(notes),
        reference=(reference,),
        prediction=(prediction,),
        ignored=ignored,
        unpredicted=unpredicted,
        observed=observed,
    )


def _predicted(
    inside: ConfusionMatrix, unpredicted: frozenset[int], of_side: Mapping[str, Mapping[int, int]]
) -> ConfusionMatrix:
    """Return what meets where the prediction is not left out itself, as labels are meant."""
    return where_predicted(inside, unpredicted).relabelled(**of_side).without(NO_LABEL)


def _without_ignored(matrix: ConfusionMatrix, settings: Settings) -> ConfusionMatrix:
    for label in settings.labels.ignore:
        matrix = matrix.without(label)
    return matrix


def _on_nothing_else(matrix: ConfusionMatrix, excluded: Mapping[str, int]) -> list[str]:
    """Say what to try where nothing but background and nodata is there."""
    if not excluded["nodata"] or not set(matrix.labels) <= {0, NO_LABEL}:
        return []
    return ["all that is not 0 is nodata: if that is what the masks show, --nodata label"]


def _check_palettes(pair: Pair, of_side: Mapping[str, Mapping[int, int]], settings: Settings) -> None:
    """Refuse two masks whose palettes contradict each other, where nobody said what they show."""
    if settings.read_as != "auto" or settings.labels.maps:
        return
    reference, prediction = pair.reference[0], pair.prediction[0]
    try:
        check_pair(
            Painted(reference.palette, of_side["reference"]),
            Painted(prediction.palette, of_side["prediction"]),
        )
    except AmbiguousPalette as error:
        error.path = f"{prediction.path} against {reference.path}"
        raise


def _read_as_one(of_side: Mapping[str, Mapping[int, int]], settings: Settings) -> tuple[Side, ...]:
    """Return the sides whose values are 0 and 255, where 255 is read as label 1."""
    if settings.threshold is not None:
        return ()
    sides: tuple[Side, ...] = ("reference", "prediction")
    return tuple(side for side in sides if side not in settings.labels.maps and of_side[side].get(255) == 1)


def _check_255(
    of_side: Mapping[str, Mapping[int, int]], as_one: Sequence[Side], sides: Mapping[str, MaskSource]
) -> None:
    """Refuse 255 that would be label 1 in one mask, and stands beside other labels in the other one."""
    for side in as_one:
        other = "prediction" if side == "reference" else "reference"
        if of_side[other].get(255, 1) != 1:
            raise NotLabels(
                f"its values are 0 and 255, as of a binary mask, and the {other} has 255 beside other "
                "labels: 255 cannot mean label 1 here and something else there",
                f"If 255 is inside, say which label that is: {option_of(side)} 255=1. If 255 is one label, "
                "or void, in both, say so in a labels file: --labels FILE.",
                sides[side].path,
                side,
            )
