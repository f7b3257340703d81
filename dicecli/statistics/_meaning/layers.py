"""What binary layers mean: of both sides, or of one beside a label map whose regions they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import NotLabels
from dicecli.masks.arrays import NothingSource
from dicecli.masks.classes import Classes
from dicecli.masks.inside import meant_inside, meant_regions
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side
from dicecli.masks.renumbered import Meant
from dicecli.records.label_maps import option_of
from dicecli.records.labels import NO_LABEL
from dicecli.statistics._apart import to_compare, where_predicted, whole
from dicecli.statistics._meaning.classes import notes_on_classes, notes_on_neither, notes_on_others
from dicecli.statistics._meaning.known import (
    left_out,
    on_unlabelled,
    on_unpredicted,
    opened,
    outside_of,
    unpredicted_of,
)
from dicecli.statistics._opened import DEPTHS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.masks.sources import MaskSource
    from dicecli.records.measurements import Row
    from dicecli.records.settings import Settings
    from dicecli.statistics._apart import Counted
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


def of_layers(pair: Pair, census: Counted, settings: Settings) -> Opened:
    """Understand binary layers: of both sides, or of one beside a label map whose regions they are."""
    counted = {at: each for at, each in census.items() if at != DEPTHS}
    matrices, everywhere = (dict(sorted(part(counted).items())) for part in (to_compare, whole))
    sides = {"reference": pair.reference, "prediction": pair.prediction}
    sizes = _stored_sizes(everywhere)
    classes = pair.classes or Classes()
    inside = {
        side: _inside_layers(side, sources, sizes[side], classes, settings)
        for side, sources in sides.items()
        if side in classes.sides or len(sources) > 1
    }
    rows = classes.rows or _rows_by_number(pair, len(matrices), settings)
    _check_asked(rows, settings, pair.prediction[0].path)
    ignored, excluded = left_out(Meant({}, []), {}, settings)
    unpredicted: frozenset[int] = frozenset()
    notes = notes_on_neither(classes, settings)
    for side, (source, *others) in sides.items():
        if side in inside:
            said = _on_layers(side, classes, rows, census)
        else:
            found = on_side(side, source, meant, side, source, sizes[side][0], settings)
            renamed, said = found.labels, [*found.notes]
            inside[side] = meant_regions(source, renamed, rows, settings)
            if side == "reference":
                ignored, excluded = left_out(found, matrices[0, 0].sizes(side), settings)
            else:
                unpredicted = unpredicted_of(pair, renamed)
            said += notes_on_others(classes, renamed, matrices[0, 0].sizes(side), settings)
        notes += [f"{side}: {note}" for note in (*_noted((source, *others)), *said)]
    facts, for_prediction, said = _predicted(pair, matrices, inside, unpredicted)
    return opened(
        pair,
        settings,
        rows=rows,
        regions=(),
        ignored=ignored,
        unpredicted=unpredicted,
        excluded=excluded | outside_of(pair, census) | for_prediction,
        notes=tuple(dict.fromkeys((*notes, *said))),
        **facts,
    )


def _noted(sources: Sequence[MaskSource]) -> list[str]:
    return [note for each in sources for note in each.notes]


def _stored_sizes(
    matrices: Mapping[tuple[int, int], ConfusionMatrix],
) -> dict[str, dict[int, dict[int, int]]]:
    """Return the pixels of each stored label, layer by layer of each side."""
    return {
        side: {at[which]: each.sizes(side) for at, each in matrices.items()}
        for which, side in enumerate(("reference", "prediction"))
    }


def _on_layers(side: str, classes: Classes, rows: Sequence[Row], census: Counted) -> list[str]:
    """Say what the layers of a side are: of files for each class, what is odd about these."""
    if classes.sides:
        return notes_on_classes(side, classes, census.get(DEPTHS))
    titles = ", ".join(row.title for row in rows)
    return [f"it has {len(rows)} binary layers, which may overlap: {titles}"]


def _predicted(
    pair: Pair,
    matrices: Mapping[tuple[int, int], ConfusionMatrix],
    inside: Mapping[str, Sequence[Mapping[int, int]]],
    unpredicted: frozenset[int],
) -> tuple[dict[str, Any], dict[str, int], list[str]]:
    """Return what is known of layers, how many pixels are left out for the prediction, and notes."""
    facts = _of_inside(matrices, inside)
    valid = facts["counted"]
    if unpredicted:
        predicted = {at: where_predicted(each, unpredicted) for at, each in matrices.items()}
        facts = _of_inside(predicted, inside)
    reason, said = on_unpredicted(pair, valid - facts["counted"])
    return facts, reason, [*said, *on_unlabelled(facts["census"][0, 0])]


def _check_asked(rows: Sequence[Row], settings: Settings, path: str) -> None:
    """Refuse binary layers none of which is asked for, where some labels or regions alone are.

    Raises
    ------
    NotLabels
    """
    only = settings.only
    if only is not None and not any(map(settings.has_layer, rows)):
        titles = ", ".join(row.title for row in rows)
        raise NotLabels(
            f"--only {only.in_words()} names none of its binary layers: {titles}",
            "Leave out --only; or declare a region for each layer, in their order, by the labels that it "
            "stands for, and name some of these: --region NAME=LABELS --only NAME.",
            path,
        )


def _rows_by_number(pair: Pair, number: int, settings: Settings) -> tuple[Row, ...]:
    """Return what layers are that have no name: the declared regions in their order, else layers 1, 2 ..."""
    from dicecli.masks.channels import layer_rows

    is_missing = isinstance(pair.prediction[0], NothingSource)
    numbers = len(pair.reference), number if is_missing else len(pair.prediction)
    return layer_rows(*numbers, settings.labels, pair.prediction[0].path)


def _of_inside(
    matrices: Mapping[tuple[int, int], ConfusionMatrix],
    inside: Mapping[str, Sequence[Mapping[int, int]]],
) -> dict[str, Any]:
    """Return what is known of layers once it is known which stored labels are inside each."""
    census = {
        at: each.relabelled(reference=reference, prediction=prediction).without(NO_LABEL)
        for (at, each), reference, prediction in zip(
            matrices.items(), inside["reference"], inside["prediction"], strict=True
        )
    }
    places = {
        side: tuple(
            {at: place if is_in == 1 else 0 for at, is_in in each.items()}
            for place, each in enumerate(inside[side], start=1)
        )
        for side in inside
    }
    return {"census": census, "counted": census[0, 0].total, **places}


def _inside_layers(
    side: str,
    sources: Sequence[MaskSource],
    sizes: Mapping[int, Mapping[int, int]],
    classes: Classes,
    settings: Settings,
) -> list[dict[int, int]]:
    """Return what each stored label of binary layers is, layer by layer: 1 inside, 0 outside."""
    ignored = {*settings.labels.ignore}
    # Of files for each class an ignored label is no matter, unless there is a file of it.
    is_of_it = any(row.members and ignored.issuperset(row.members) for row in classes.rows)
    if side == "reference" and ignored and (is_of_it or not classes.sides):
        raise NotLabels(
            "binary layers hold no label, so that none of it can be left out",
            "Score it without --ignore-label, and without 'ignore' in the labels file.",
            sources[0].path,
            side,
        )
    if side in settings.labels.maps:
        raise NotLabels(
            "binary layers hold no label, so that none can be read as another one",
            f"Score it without {option_of(side)}; a labels file has to say under 'map' which side it is of.",
            sources[0].path,
            side,
        )
    return [
        on_side(side, each, meant_inside, each, sizes[place], settings) for place, each in enumerate(sources)
    ]
