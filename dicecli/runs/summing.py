"""Summing over one case: a probability map and its reference into what is reported of them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import NotProbabilities
from dicecli.masks.blocks import plan
from dicecli.masks.channels import channels_of, check_covered, summed_regions
from dicecli.masks.encoding import check_declared, meaning
from dicecli.masks.pair import named, on_side
from dicecli.masks.probability_pair import SoftPair
from dicecli.plugins import cpu_backend, load
from dicecli.records.cases import Scored
from dicecli.records.measurements import IMAGE, Measured, Row
from dicecli.statistics._spreading import WORTH_PIXELS
from dicecli.statistics.soft.sums import LEAST
from dicecli.statistics.soft.windows import Meaning, Summing

if TYPE_CHECKING:
    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings
    from dicecli.records.softness import Softness
    from dicecli.statistics.soft.checks import Watch
    from dicecli.statistics.soft.sums import SoftSums


def sum_case(case: Case, settings: Settings, threads: int = 1) -> Scored:
    """Read a probability map and its reference through one plan of windows, and sum.

    The reference alone is read first: what its values mean is a matter of the whole mask.

    Parameters
    ----------
    case : Case
    settings : Settings
        With `soft` set.
    threads : int
        How many read and sum at the same time; the result is the same, to the last bit.

    Raises
    ------
    CaseError
        With the side and the file that it concerns.
    """
    softness = settings.soft
    if softness is None:
        raise ValueError("these settings are for masks")
    with SoftPair(case, settings) as pair:
        number = len(pair.channels)
        channels, said = on_side(
            "prediction", pair.channels[0], channels_of, number, softness, settings.labels
        )
        _refuse_types(pair.channels, softness)
        meant, sizes, notes = _reference(pair, settings)
        excludes = softness.excludes(number)
        regions, unscored = summed_regions(channels, settings.labels, excludes=excludes)
        on_side("reference", pair.reference, _check_reference, channels, meant, sizes, settings, excludes)
        sets = np.array([[each.label in region.members for each in channels] for region in regions], bool)
        every = (*channels, *regions)
        summing = Summing(Meaning.of(meant, every), softness, number, sets.reshape(len(regions), number))
        sums = _summed(pair, summing, threads)
        pair.finish()
        on_side("prediction", pair.channels[0], _refuse_hard, summing.watch, softness)
        notes = [
            *pair.notes,
            *(f"prediction: {note}" for each in pair.channels for note in each.notes),
            f"prediction: {said}",
            *unscored,
            *(f"reference: {note}" for note in (*pair.reference.notes, *notes)),
            *_seen(summing.watch, sums, softness),
        ]
        grid = pair.reference.grid
    excluded = _excluded(meant, sizes, settings)
    if sum(sizes.values()) == sum(excluded.values()):
        notes.append("no pixel is left to compare")
    rows: dict[Row, Any] = dict(zip(every, sums.channels, strict=True))
    return Scored(
        case=named(case),
        shape=grid.shape,
        spacing=grid.spacing,
        unit=grid.unit,
        sizes=grid.sizes(),
        counted=sum(sizes.values()) - sum(excluded.values()),
        excluded=excluded,
        measured=Measured.of({"soft": rows if sums.joint is None else rows | {IMAGE: sums.joint}}),
        notes=tuple(dict.fromkeys(notes)),
    )


def _refuse_types(channels: list[MaskSource], softness: Softness) -> None:
    """Refuse what is no number, and integers: no network gives them as probabilities."""
    first = channels[0]
    kinds = {each.dtype.kind for each in channels}
    if not kinds <= set("biuf"):
        raise NotProbabilities(
            f"its values are of type {first.dtype}: no probabilities",
            "Give floats.",
            first.path,
            "prediction",
        )
    if kinds <= set("iub") and softness.logits is None and not softness.accept_labels:
        raise NotProbabilities(
            f"its values are of type {first.dtype}: a mask of labels, not probabilities",
            "Score labels with 'dicecli score'. If 0 and 1 are what the network gave: --accept-labels.",
            first.path,
            "prediction",
        )


def _reference(pair: SoftPair, settings: Settings) -> tuple[dict[int, int | None], dict[int, int], list[str]]:
    """Return what each stored label of the reference means (None: left out), its pixels, and notes."""
    source = pair.reference
    stored = reference_sizes(source)
    nodata = source.nodata_label
    sizes = {label: n for label, n in stored.items() if label != nodata}
    renamed, notes = on_side("reference", source, meaning, sizes, settings)
    meant: dict[int, int | None] = {label: renamed.get(label, label) for label in sizes}
    if nodata in stored:
        background = settings.labels.background or 0
        meant[nodata] = background if settings.nodata == "background" else None
    for label, what in meant.items():
        if what in settings.labels.ignore:
            meant[label] = None
    return meant, stored, notes


def reference_sizes(source: MaskSource) -> dict[int, int]:
    """Read a reference alone, and return how many pixels each stored label has."""
    backend = load("backends", cpu_backend())
    sizes: dict[int, int] = {}
    for window in plan(source):
        block = on_side("reference", source, source.read, window)
        for label, n in backend.count_block(block, block).sizes("reference").items():
            sizes[label] = sizes.get(label, 0) + n
    return dict(sorted(sizes.items()))


def _check_reference(
    channels: tuple[Row, ...],
    meant: dict[int, int | None],
    stored: dict[int, int],
    settings: Settings,
    excludes: bool,
) -> None:
    sizes: dict[int, int] = {}
    for label, what in meant.items():
        if what is not None:
            sizes[what] = sizes.get(what, 0) + stored[label]
    check_declared(sizes, settings.labels)
    check_covered(channels, sizes, settings.labels, excludes=excludes)


def _excluded(meant: dict[int, int | None], stored: dict[int, int], settings: Settings) -> dict[str, int]:
    left_out = {label: stored[label] for label, what in meant.items() if what is None}
    ignored = sum(n for label, n in left_out.items() if label in settings.labels.ignore)
    return {"ignore_label": ignored, "nodata": sum(left_out.values()) - ignored}


def _summed(pair: SoftPair, summing: Summing, threads: int) -> SoftSums:
    number, sums = len(pair.channels), summing.nothing()
    with ExitStack() as stack:
        mapped: Any = map
        if threads > 1 and pair.reference.grid.size * number > WORTH_PIXELS:
            mapped = stack.enter_context(ThreadPoolExecutor(threads)).map
        for window in pair.windows():
            read = pair.read(window, mapped)
            sums += on_side("prediction", pair.channels[0], summing.window, *read, mapped)
    return sums


def _refuse_hard(watch: Watch, softness: Softness) -> None:
    """Refuse a map of nothing but 0 and 1, which is a mask; nothing but 0 may be what a network gave."""
    if softness.logits is None and watch.has_one and not watch.has_fractions and not softness.accept_labels:
        raise NotProbabilities(
            "it holds nothing but 0 and 1: a mask of labels, not probabilities",
            "Score labels with 'dicecli score'. If 0 and 1 are what the network gave: --accept-labels.",
        )


def _seen(watch: Watch, sums: SoftSums, softness: Softness) -> list[str]:
    """Say what was seen of the whole map."""
    notes = []
    is_empty = not any(each.pixels for each in sums.channels)
    if not (is_empty or watch.has_fractions or watch.has_one) and softness.logits is None:
        notes.append("prediction: every probability is 0")
    if softness.logits is not None and watch.is_within and watch.has_fractions:
        notes.append("prediction: every logit lies between 0 and 1: are they probabilities already?")
    if watch.missing:
        notes.append(
            f"prediction: {watch.missing:,} pixels with nodata where the reference is valid count as "
            "probability 0"
        )
    bounded = max(
        [each.bounded for each in sums.channels] + ([sums.joint.bounded] if sums.joint is not None else [])
    )
    if bounded:
        notes.append(
            f"prediction: at {bounded:,} pixels it is certain and wrong: infinite cross-entropy, bounded by "
            f"p = {LEAST:.4g}"
        )
    return notes
