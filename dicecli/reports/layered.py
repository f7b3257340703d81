"""What the cases of a run are of: label maps, or the same number of binary layers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import ChannelMismatch
from dicecli.records.cases import Failed, Scored
from dicecli.records.measurements import layers_by_number
from dicecli.statistics._leading import name_of
from dicecli.statistics.matrix import is_layered

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Result
    from dicecli.records.settings import Settings

#: The names of the layers that stand for no labels; empty where a case is scored by its labels.
_Layers = tuple[str, ...]


def in_one_kind(results: Sequence[Result], settings: Settings) -> tuple[Result, ...]:
    """Return the results with a failed row for each case that has no row in common with the first one.

    Binary layers without declared regions are no labels, so that a label map has none of them. Where regions
    are declared, label maps have them too, and layers are those regions: all of it goes together. So do
    layers with names, as of a file for each class, whatever classes a case has.
    """
    if settings.reads != "labels":
        return tuple(results)
    scored = [each for each in results if isinstance(each, Scored)]
    if not any(is_layered(each.measured) for each in scored):
        return tuple(results)
    first = scored[0]
    wanted = _layers(first, settings)
    found = [_layers(each, settings) if isinstance(each, Scored) else wanted for each in results]
    return tuple(
        _mismatch(each, first, wanted, layers)
        if isinstance(each, Scored) and layers != wanted and not (_is_named(each) and _is_named(first))
        else each
        for each, layers in zip(results, found, strict=True)
    )


def _is_named(case: Scored) -> bool:
    """Tell whether a case is of layers with names; one that another case lacks is undefined there."""
    rows = case.measured.rows(name_of("labels"))
    return is_layered(case.measured) and tuple(rows) != layers_by_number(len(rows))


def _layers(case: Scored, settings: Settings) -> _Layers:
    if not is_layered(case.measured):
        return ()
    rows = case.measured.rows(name_of(settings.reads))
    return tuple(row.name or "" for row in rows if not row.members)


def _mismatch(case: Scored, first: Scored, wanted: _Layers, found: _Layers) -> Failed:
    error = ChannelMismatch(
        f"it is {_words(found)}, and the first case of this run, {first.case.name}, is {_words(wanted)}",
        "Score cases of one kind in a run of their own. Label maps and binary layers go together where a "
        "region is declared for each layer, in their order: --region NAME=1,2,3.",
    )
    return Failed.because(case.case, error)


def _words(layers: _Layers) -> str:
    return f"{len(layers)} binary layers" if layers else "a label map"
