"""What a report has rows for: the labels and regions that are evaluated, and those that are left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.measurements import Row
from dicecli.reports.rows import labels_found
from dicecli.statistics._leading import name_of
from dicecli.statistics.matrix import is_layered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.settings import Settings


def labels_of(scored: Sequence[Scored], settings: Settings) -> tuple[int, ...]:
    """Return the labels evaluated: those declared, else those found in any case; not the ignored.

    Of maps of probabilities they are those that a channel is about. Where some alone are asked for they are
    these, whether a case has them or not. None where a case is of binary layers: what is measured of all
    cases are regions.
    """
    if any(is_layered(each.measured) for each in scored):
        return ()
    if settings.only is not None:
        return settings.only.labels
    scheme = settings.labels
    found = scheme.names if settings.reads == "labels" and scheme.names else _found(scored)
    return tuple(sorted(filter(settings.evaluates, found)))


def regions_of(scored: Sequence[Scored], settings: Settings) -> dict[str, tuple[int, ...]]:
    """Return the regions, with the labels of each: those declared, then those measured on their own.

    Where every case is of binary layers, those declared that are none of them have no pixels, and no row.
    Where some alone are asked for, these.
    """
    declared = dict(settings.labels.regions) if settings.reads == "labels" else {}
    name = name_of(settings.reads)
    own: dict[str, tuple[int, ...]] = {}
    for each in scored:
        rows = [row for row in each.measured.rows(name) if row.kind == "region"]
        own |= {row.name or "": row.members for row in rows if row.name not in own}
    if scored and all(is_layered(each.measured) for each in scored):
        declared = {region: members for region, members in declared.items() if region in own}
    found = declared | {region: members for region, members in own.items() if region not in declared}
    return {
        region: members
        for region, members in found.items()
        if settings.has_layer(Row("region", None, region, members))
    }


def evaluated(scored: Sequence[Scored], settings: Settings) -> tuple[Row, ...]:
    """Return what each case has a row for: the evaluated labels, then the regions."""
    labels = (row_of(label, settings) for label in labels_of(scored, settings))
    regions = regions_of(scored, settings).items()
    return (*labels, *(Row("region", None, name, members) for name, members in regions))


def left_out(case: Scored, evaluated: Sequence[Row], settings: Settings) -> tuple[Row, ...]:
    """Return the labels of a case that have no row: the background, and what is ignored.

    Where some labels alone are asked for, the background alone of all others.
    """
    # Layers have no background; a map has one where it has a channel for it.
    has_background = settings.reads == "labels" and not is_layered(case.measured)
    every = {*labels_found(case), *(_background(settings) if has_background else ())}
    every &= every if settings.only is None else {*_background(settings)}
    return tuple(row_of(each, settings) for each in sorted(every - {row.label for row in evaluated}))


def row_of(label: int, settings: Settings) -> Row:
    """Return the row of a label."""
    return Row("label", label, settings.labels.name(label), (label,))


def _found(scored: Sequence[Scored]) -> set[int]:
    return {label for each in scored for label in labels_found(each)}


def _background(settings: Settings) -> tuple[int, ...]:
    background = settings.labels.background
    return () if background is None else (background,)
