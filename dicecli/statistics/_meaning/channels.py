"""What the channels of a map of probabilities mean, beside a label map."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from dicecli.masks.channels import channels_of, check_covered, check_types, summed_regions
from dicecli.masks.layers import meant
from dicecli.masks.opening import on_side
from dicecli.records.labels import NO_LABEL
from dicecli.records.observed import Observed
from dicecli.statistics._meaning.known import (
    label_rows,
    left_out,
    nodata_as_background,
    opened,
    places_of,
)

if TYPE_CHECKING:
    from dicecli.masks.pair import Pair
    from dicecli.records.measurements import Row
    from dicecli.records.probabilities import Probabilities
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


def of_channels(pair: Pair, matrix: ConfusionMatrix, settings: Settings) -> Opened:
    """Understand a map of probabilities beside a label map."""
    options, source = _of_maps(settings), pair.reference[0]
    channels, said = channels_named(pair, settings)
    stored = matrix.sizes("reference")
    renamed, notes = on_side("reference", source, meant, source, stored, settings)
    ignored, excluded = left_out(renamed, stored, settings)
    compared = matrix.relabelled(reference=renamed, prediction=renamed)
    for label in (NO_LABEL, *settings.labels.ignore):
        compared = compared.without(label)
    excludes = options.excludes(len(channels))
    regions, unscored = summed_regions(channels, settings.labels, excludes=excludes)
    sizes = compared.sizes("reference")
    covered = partial(check_covered, excludes=excludes)
    on_side("reference", source, covered, channels, sizes, settings.labels)
    rows = label_rows(sorted(sizes), settings)
    return opened(
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
        reference=(places_of(renamed, rows),),
        prediction=(),
        ignored=ignored,
        observed=Observed(
            nodata=nodata_as_background(
                matrix, source, {"reference": renamed, "prediction": renamed}, settings
            )
        ),
    )


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
