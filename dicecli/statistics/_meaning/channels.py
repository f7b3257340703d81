"""What the channels of a map of probabilities mean, beside a label map."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dicecli.errors import NoChannel
from dicecli.masks.channels import channels_of, check_covered, check_types, summed_regions
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side
from dicecli.records.labels import NO_LABEL
from dicecli.records.observed import Observed
from dicecli.records.only import Only
from dicecli.statistics._apart import UNKNOWN, to_compare, whole
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._meaning.known import (
    label_rows,
    left_out,
    nodata_as_background,
    on_unpredicted,
    opened,
    outside_of,
    places_of,
)
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.pair import Pair
    from dicecli.masks.sources import MaskSource
    from dicecli.records.measurements import Row
    from dicecli.records.probabilities import Probabilities
    from dicecli.records.settings import Settings
    from dicecli.statistics._apart import Counted
    from dicecli.statistics._opened import Opened


_UNMAPPED = "prediction: what is under 'map' in the labels file is of masks: channels are named instead"


def of_channels(pair: Pair, census: Counted, settings: Settings) -> Opened:
    """Understand a map of probabilities beside a label map."""
    options, source = _of_maps(settings), pair.reference[0]
    channels, said = channels_named(pair, settings)
    inside = to_compare(census)[0, 0]
    stored = whole(census)[0, 0].sizes("reference")
    found = on_side("reference", source, meant, "reference", source, stored, settings)
    renamed, notes = found.labels, [*found.notes]
    compared = _valid(inside, renamed, settings)
    unknown = census.get((0, 0, UNKNOWN), ConfusionMatrix.empty())
    ignored, excluded = left_out(found, (inside + unknown).sizes("reference"), settings)
    for_prediction, on_nodata = on_unpredicted(pair, _valid(unknown, renamed, settings).total)
    excludes = options.excludes(len(channels))
    regions, unscored = summed_regions(channels, settings.labels, excludes=excludes)
    sizes = compared.sizes("reference")
    _check_asked((*channels, *regions), settings, pair.prediction[0].path)
    notes += _on_uncovered(source, channels, sizes, settings, excludes=excludes)
    rows = label_rows(sorted(sizes), settings)
    tagged = nodata_as_background(inside, source, {"reference": renamed, "prediction": renamed}, settings)
    return opened(
        pair,
        settings,
        rows=rows,
        regions=regions,
        channels=channels,
        census={(0, 0): compared},
        counted=compared.total,
        excluded=excluded | outside_of(pair, census) | for_prediction,
        notes=(
            *(f"prediction: {note}" for each in pair.prediction for note in each.notes),
            f"prediction: {said}",
            *([_UNMAPPED] if "prediction" in settings.labels.maps else []),
            *unscored,
            *on_nodata,
            *(f"reference: {note}" for note in (*source.notes, *notes)),
        ),
        reference=(places_of(renamed, rows),),
        prediction=(),
        ignored=ignored,
        ignores_unknown=pair.leaves_out_unknown,
        observed=Observed(nodata=tagged),
    )


def _check_asked(rows: Sequence[Row], settings: Settings, path: str) -> None:
    """Refuse what is asked for alone and no channel gives.

    Raises
    ------
    NoChannel
    """
    only = settings.only
    if only is None:
        return
    labels = {row.label for row in rows if row.label is not None}
    names = [row.name or "" for row in rows if row.kind == "region"]
    strange = [
        *map(str, sorted({*only.labels} - labels)),
        *(each for each in only.regions if each not in names),
    ]
    if strange:
        known = Only(tuple(sorted(labels - {settings.labels.background})), tuple(names))
        raise NoChannel(
            f"no channel of the probabilities is about {', '.join(strange)} of --only",
            f"Say what the channels are: --channels; or ask for what they are about: --only "
            f"'{known.in_words()}'.",
            path,
            "prediction",
        )


def _on_uncovered(
    source: MaskSource,
    channels: Sequence[Row],
    sizes: Mapping[int, int],
    settings: Settings,
    *,
    excludes: bool,
) -> list[str]:
    """Refuse labels that no channel is about; or say which, as only some are asked for, on their own.

    Raises
    ------
    NoChannel
    """
    if excludes or settings.only is None:
        check = partial(check_covered, excludes=excludes)
        on_side("reference", source, check, channels, sizes, settings.labels)
        return []
    covered = {settings.labels.background, *(label for each in channels for label in each.members)}
    bare = [f"{label} ({counted(n, 'pixel')})" for label, n in sorted(sizes.items()) if label not in covered]
    return [f"no channel is about label {some_of(bare, 5)}: outside of every channel"] if bare else []


def _valid(matrix: ConfusionMatrix, renamed: Mapping[int, int], settings: Settings) -> ConfusionMatrix:
    """Return a reference counted against itself as its labels are meant, without what is left out."""
    found = matrix.relabelled(reference=renamed, prediction=renamed)
    for label in (NO_LABEL, *settings.labels.ignore):
        found = found.without(label)
    return found


def channels_named(pair: Pair, settings: Settings) -> tuple[tuple[Row, ...], str]:
    """Return what the channels of an open pair are, and a note; raises ChannelMismatch, NotProbabilities."""
    options, channel = _of_maps(settings), pair.prediction[0]
    found: tuple[tuple[Row, ...], str] = on_side(
        "prediction", channel, channels_of, len(pair.prediction), options, settings.labels
    )
    check_types(pair.prediction, options)
    return found


def _of_maps(settings: Settings) -> Probabilities:
    if settings.soft is None:
        raise ValueError("these settings are for masks")
    return settings.soft
