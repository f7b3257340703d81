"""What the stored labels of both sides mean, and which rows there are: decided once, after the census."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from dicecli.errors import NotLabels
from dicecli.masks.layers import meant, meant_inside, meant_regions
from dicecli.masks.opening import on_side
from dicecli.masks.views import NothingSource
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Row
from dicecli.statistics._opened import Opened

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Census


def understood(pair: Pair, census: Census, settings: Settings) -> Opened:
    """Decide what the stored labels of both sides mean, now that all are counted.

    Raises
    ------
    CaseError
        With the side and the file that it concerns.
    """
    if pair.is_soft:
        return _of_channels(pair, census[0, 0], settings)
    if len(pair.sources) > 2:
        return _of_layers(pair, census, settings)
    return _of_maps(pair, census[0, 0], settings)


def _opened(pair: Pair, settings: Settings, **facts: object) -> Opened:
    grid = pair.grid
    scheme = settings.labels
    regions = tuple(Row("region", None, name, members) for name, members in scheme.regions.items())
    known: dict[str, Any] = {"channels": (), "regions": regions, "order": pair.leading.order}
    return Opened(shape=grid.shape, spacing=grid.spacing, unit=grid.unit, **(known | facts))


def _of_maps(pair: Pair, matrix: ConfusionMatrix, settings: Settings) -> Opened:
    """Understand two label maps: renamed labels, and what is left out."""
    notes: list[str] = []
    of_side: dict[str, dict[int, int]] = {}
    for side, source in (("reference", pair.reference[0]), ("prediction", pair.prediction[0])):
        of_side[side], said = on_side(side, source, meant, source, matrix.sizes(side), settings)
        notes += [f"{side}: {note}" for note in (*source.notes, *said)]
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
    notes += _on_unlabelled(compared)
    rows = _label_rows(compared.labels, settings)
    places = {row.label: place for place, row in enumerate(rows, start=1)}
    reference, prediction = (
        {stored: places.get(label, 0) for stored, label in of_side[side].items()} for side in of_side
    )
    left_out = {NO_LABEL, *settings.labels.ignore}
    return _opened(
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


def _on_unlabelled(matrix: ConfusionMatrix) -> list[str]:
    """Say in how many of the pixels that are compared nothing is predicted."""
    if not matrix.unlabelled:
        return []
    what = f"{matrix.unlabelled:,} pixels with nodata or an ignored label where the reference is valid"
    return [f"prediction: {what} count as misses"]


def _left_out(
    renamed: Mapping[int, int], sizes: Mapping[int, int], settings: Settings
) -> tuple[frozenset[int], dict[str, int]]:
    """Return the stored labels of a reference that are left out, and how many pixels that is, by reason."""
    ignored = {at: sizes[at] for at, label in renamed.items() if label in settings.labels.ignore}
    nodata = {at: sizes[at] for at, label in renamed.items() if label == NO_LABEL}
    sums = {"ignore_label": sum(ignored.values()), "nodata": sum(nodata.values())}
    return frozenset(ignored | nodata), sums


def _label_rows(labels: Sequence[int], settings: Settings) -> tuple[Row, ...]:
    scheme = settings.labels
    return tuple(Row("label", label, scheme.name(label), (label,)) for label in labels if label != NO_LABEL)


def _on_255(of_side: Mapping[str, Mapping[int, int]]) -> list[str]:
    """Say when 255 means label 1 in one mask, and stands beside other labels in the other one."""
    for side, other in (("reference", "prediction"), ("prediction", "reference")):
        if of_side[side].get(255) == 1 and of_side[other].get(255, 1) != 1:
            return [
                f"255 is read as label 1 in the {side}, but stands beside other labels in the {other}: if it "
                "marks void, --ignore-label 255; if it is a label, declare it: --labels FILE",
            ]
    return []


def _of_layers(pair: Pair, census: Census, settings: Settings) -> Opened:
    """Understand binary layers: of both sides, or of one beside a label map whose regions they are."""
    from dicecli.masks.channels import layer_rows

    matrices = dict(sorted(census.items()))
    sides = {"reference": pair.reference, "prediction": pair.prediction}
    sizes = {
        side: {at[which]: each.sizes(side) for at, each in matrices.items()}
        for which, side in enumerate(sides)
    }
    inside = {
        side: _inside_layers(side, sources, sizes[side], settings)
        for side, sources in sides.items()
        if len(sources) > 1
    }
    is_missing = isinstance(pair.prediction[0], NothingSource)
    numbers = len(pair.reference), len(matrices) if is_missing else len(pair.prediction)
    rows = layer_rows(*numbers, settings.labels, pair.prediction[0].path)
    titles = ", ".join(row.title for row in rows)
    ignored, excluded = _left_out({}, {}, settings)
    notes: list[str] = []
    for side, (source, *others) in sides.items():
        said = [f"it has {len(rows)} binary layers, which may overlap: {titles}"]
        first, *rest = sizes[side].values()
        if others and any(first) and all(each == first for each in rest):
            said.append(
                "its layers hold equally many pixels: if they are colours of one mask, --band 1 reads one"
            )
        if not others:
            renamed, said = on_side(side, source, meant, source, sizes[side][0], settings)
            inside[side] = meant_regions(source, renamed, rows, settings)
            if side == "reference":
                ignored, excluded = _left_out(renamed, sizes[side][0], settings)
        every = [note for each in (source, *others) for note in each.notes]
        notes += [f"{side}: {note}" for note in (*every, *said)]
    facts = {"rows": rows, "regions": (), "ignored": ignored, "excluded": excluded}
    return _opened(pair, settings, **facts, **_of_inside(matrices, inside, notes))


def _of_inside(
    matrices: Mapping[tuple[int, int], ConfusionMatrix],
    inside: Mapping[str, Sequence[Mapping[int, int]]],
    notes: Sequence[str],
) -> dict[str, object]:
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
    first = census[0, 0]
    said = tuple(dict.fromkeys((*notes, *_on_unlabelled(first))))
    return {"census": census, "counted": first.total, "notes": said, **places}


def _inside_layers(
    side: str, sources: Sequence[MaskSource], sizes: Mapping[int, Mapping[int, int]], settings: Settings
) -> list[dict[int, int]]:
    """Return what each stored label of binary layers is, layer by layer: 1 inside, 0 outside."""
    if side == "reference" and settings.labels.ignore:
        raise NotLabels(
            "binary layers hold no label, so that none of it can be left out",
            "Score it without --ignore-label, and without 'ignore' in the labels file.",
            sources[0].path,
            side,
        )
    return [
        on_side(side, each, meant_inside, each, sizes[place], settings) for place, each in enumerate(sources)
    ]


def _of_channels(pair: Pair, matrix: ConfusionMatrix, settings: Settings) -> Opened:
    """Understand a map of probabilities beside a label map."""
    from dicecli.masks.channels import check_covered, summed_regions

    softness = settings.soft
    if softness is None:
        raise ValueError("these settings are for masks")
    source = pair.reference[0]
    channels, said = channels_named(pair, settings)
    stored = matrix.sizes("reference")
    renamed, notes = on_side("reference", source, meant, source, stored, settings)
    ignored, excluded = _left_out(renamed, stored, settings)
    compared = matrix.relabelled(reference=renamed, prediction=renamed)
    for label in (NO_LABEL, *settings.labels.ignore):
        compared = compared.without(label)
    excludes = softness.excludes(len(channels))
    regions, unscored = summed_regions(channels, settings.labels, excludes=excludes)
    sizes = compared.sizes("reference")
    covered = partial(check_covered, excludes=excludes)
    on_side("reference", source, covered, channels, sizes, settings.labels)
    rows = _label_rows(sorted(sizes), settings)
    places = {row.label: place for place, row in enumerate(rows, start=1)}
    return _opened(
        pair,
        settings,
        rows=rows,
        regions=regions,
        channels=channels,
        census={(0, 0): compared},
        counted=compared.total,
        excluded=excluded,
        notes=(
            *(f"prediction: {note}" for each in pair.prediction for note in each.notes),
            f"prediction: {said}",
            *unscored,
            *(f"reference: {note}" for note in (*source.notes, *notes)),
        ),
        reference=({at: places.get(label, 0) for at, label in renamed.items()},),
        prediction=(),
        ignored=ignored,
    )


def channels_named(pair: Pair, settings: Settings) -> tuple[tuple[Row, ...], str]:
    """Return what the channels of an open pair are, and a note; raises ChannelMismatch, NotProbabilities."""
    from dicecli.masks.channels import channels_of, check_types

    softness, channel = settings.soft, pair.prediction[0]
    if softness is None:
        raise ValueError("these settings are for masks")
    found: tuple[tuple[Row, ...], str] = on_side(
        "prediction", channel, channels_of, len(pair.prediction), softness, settings.labels
    )
    check_types(pair.prediction, softness)
    return found
