"""What two label maps mean: renamed labels, and what is left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import AmbiguousPalette
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side
from dicecli.masks.palettes import Painted, check_pair
from dicecli.records.labels import NO_LABEL
from dicecli.statistics._meaning.known import label_rows, on_unlabelled, opened, places_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.pair import Pair
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


def of_maps(pair: Pair, matrix: ConfusionMatrix, settings: Settings) -> Opened:
    """Understand two label maps: renamed labels, and what is left out."""
    notes: list[str] = []
    of_side: dict[str, dict[int, int]] = {}
    for side, source in (("reference", pair.reference[0]), ("prediction", pair.prediction[0])):
        of_side[side], said = on_side(side, source, meant, source, matrix.sizes(side), settings)
        notes += [f"{side}: {note}" for note in (*source.notes, *said)]
    if settings.read_as == "auto":
        _check_palettes(pair, of_side)
    notes += _on_255(of_side)
    every = matrix.relabelled(**of_side)
    kept = every.without(NO_LABEL) if NO_LABEL in every.labels else every
    of_kept = kept.total
    nodata = 0 if kept is every else every.total - of_kept
    if nodata and set(kept.labels) <= {0, NO_LABEL}:
        notes.append("all that is not 0 is nodata: if that is what the masks show, --nodata label")
    compared = kept
    for label in settings.labels.ignore:
        compared = compared.without(label)
    counted = of_kept if compared is kept else compared.total
    notes += on_unlabelled(compared)
    rows = label_rows(compared.labels, settings)
    reference, prediction = (places_of(of_side[side], rows) for side in of_side)
    left_out = {NO_LABEL, *settings.labels.ignore}
    return opened(
        pair,
        settings,
        rows=rows,
        census={(0, 0): compared},
        counted=counted,
        excluded={"ignore_label": of_kept - counted, "nodata": nodata},
        notes=tuple(notes),
        reference=(reference,),
        prediction=(prediction,),
        ignored=frozenset(at for at, label in of_side["reference"].items() if label in left_out),
    )


def _check_palettes(pair: Pair, of_side: Mapping[str, Mapping[int, int]]) -> None:
    """Refuse two masks whose palettes contradict each other."""
    reference, prediction = pair.reference[0], pair.prediction[0]
    try:
        check_pair(
            Painted(reference.palette, of_side["reference"]),
            Painted(prediction.palette, of_side["prediction"]),
        )
    except AmbiguousPalette as error:
        error.path = f"{prediction.path} against {reference.path}"
        raise


def _on_255(of_side: Mapping[str, Mapping[int, int]]) -> list[str]:
    """Say when 255 means label 1 in one mask, and stands beside other labels in the other one."""
    for side, other in (("reference", "prediction"), ("prediction", "reference")):
        if of_side[side].get(255) == 1 and of_side[other].get(255, 1) != 1:
            return [
                f"255 is read as label 1 in the {side}, but stands beside other labels in the {other}: if it "
                "marks void, --ignore-label 255; if it is a label, declare it: --labels FILE",
            ]
    return []
