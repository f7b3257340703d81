"""Measuring one case: both sides into what is reported of them."""

from __future__ import annotations

import filecmp
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from dicecli.errors import UsageError
from dicecli.masks.opening import named, on_side
from dicecli.masks.pair import Pair
from dicecli.metrics._catalogue import arguments_of, statistics_needed
from dicecli.plugins import load
from dicecli.records.cases import Case, Scored
from dicecli.records.measurements import Measured
from dicecli.records.observed import NOTHING
from dicecli.statistics._apart import whole
from dicecli.statistics._census import census_of_reference, device_note, whole_tensors
from dicecli.statistics._meaning import understood
from dicecli.statistics._moved import moved
from dicecli.statistics._pass import halos, measured, options_of
from dicecli.statistics._sharing import CensusWork, PassWork, several, share_out
from dicecli.statistics._sums import Sums

if TYPE_CHECKING:
    from collections.abc import Collection

    from dicecli.records.settings import Settings
    from dicecli.statistics._census import Counted
    from dicecli.statistics._opened import Census, Opened, State
    from dicecli.statistics._sharing import Fold


def measure_case(
    case: Case,
    settings: Settings,
    threads: int = 1,
    executor: str = "serial",
    scheduler: str | None = None,
) -> Scored:
    """Read both sides of a case, and measure what the settings ask for.

    A first reading counts labels, of a map of probabilities those of its reference alone: what values mean is
    a matter of the whole mask. Where that is not enough, every statistic gets what it needs from one more.

    Parameters
    ----------
    case : Case
    settings : Settings
    threads : int
        How many may read and count at the same time; the result is the same, to the last bit.
    executor : str
        ``dask`` shares out a raster that can be read in any order with workers, `threads` of them.
    scheduler : str, optional
        The address of a Dask cluster that exists.

    Raises
    ------
    UsageError
        An executor that has no use for one case, or a cluster that cannot be had.
    CaseError
        With the side and the file that it concerns.
    """
    fold = _fold(executor, threads, scheduler)
    asked = _asked(case, settings)
    with Pair(asked, settings) as pair:
        counted = _counted(asked, settings, pair, threads, fold)
        further = _further(case, pair, counted, settings)
        if further is None:
            return _measured(asked, settings, pair, counted, threads=threads, fold=fold)
    # A class that has no file is an empty layer of its own.
    return measure_case(further, settings, threads, executor, scheduler)


def _asked(case: Case, settings: Settings) -> Case:
    """Return a case with the classes that alone are asked for; most cases have no files of classes."""
    if not case.is_compound:
        return case
    from dicecli.masks.class_names import with_asked

    return with_asked(case, settings)


def _further(case: Case, pair: Pair, census: Counted, settings: Settings) -> Case | None:
    """Return a case with the classes that a label map has and that have no file; None where there is none."""
    if not case.is_compound:
        return None
    from dicecli.statistics._meaning.unfiled import with_unfiled

    return with_unfiled(case, pair, census.parts, settings)


def _measured(
    case: Case, settings: Settings, pair: Pair, census: Counted, *, threads: int, fold: Fold | None
) -> Scored:
    """Measure what is open, once its labels are counted."""
    counted = census.parts
    opened = understood(pair, counted, settings)
    on_axes = _on_axes(pair, opened, settings)
    options = _options(settings)
    needed = on_side("reference", pair.reference[0], halos, opened, options)
    states: Sums[str, State] = Sums({})
    if needed:
        work = PassWork(opened, {name: options[name] for name in needed}, max(needed.values()))
        states = share_out(case, settings, pair, work, threads=threads, fold=fold)
        pair.finish(threads)
    with several(threads if needed else 1) as mapped:
        found, said = measured(states.parts, options, opened, pair, mapped)
    observed = opened.observed
    if fold is None and not pair.is_soft:
        observed = replace(observed, moved=moved(pair, opened, settings.labels.background))
    notes = [*pair.notes, *on_axes, *_on_device(settings, needed), *opened.notes, *said]
    notes += [] if opened.counted else ["no pixel is left to compare"]
    if settings.soft is None:
        observed = replace(observed, twins=_twins(case, whole(counted)))
    return Scored(
        case=named(case),
        shape=opened.shape,
        spacing=opened.spacing,
        unit=opened.unit,
        sizes=pair.grid.sizes(),
        counted=opened.counted,
        excluded=opened.excluded,
        measured=Measured.of(found),
        notes=tuple(dict.fromkeys(notes)),
        observed=None if observed == NOTHING else observed,
    )


def _options(settings: Settings) -> dict[str, dict[str, Any]]:
    """Return what each statistic that is to be measured depends on."""
    return options_of(statistics_needed(settings), settings, partial(arguments_of, settings.metrics))


def _counted(case: Case, settings: Settings, pair: Pair, threads: int, fold: Fold | None) -> Counted:
    if pair.is_soft:
        from dicecli.statistics._meaning.channels import channels_named

        channels_named(pair, settings)
        return census_of_reference(pair)
    found = whole_tensors(pair) or share_out(
        case, settings, pair, CensusWork(settings.device), threads=threads, fold=fold
    )
    pair.finish(threads)
    return found


def _on_axes(pair: Pair, opened: Opened, settings: Settings) -> list[str]:
    """Check a volume beside an image, whose first axis may be the row or the column; most pairs are none."""
    if pair.volume_in_doubt is None:
        return []
    from dicecli.statistics._turned import check_axes

    return check_axes(pair, opened, settings)


def _on_device(settings: Settings, needed: Collection[str]) -> list[str]:
    """Say what ran elsewhere than it was asked for: counting, or statistics that need a pass of their own."""
    note = device_note(settings.device)
    if note is not None:
        return [note]
    if settings.device == "cpu" or not needed:
        return []
    names = " and ".join(needed)
    return [f"{names}: measured on the processor; {settings.device} counts labels alone"]


def _fold(executor: str, threads: int, scheduler: str | None) -> Fold | None:
    if executor == "serial":
        return None
    plugin = load("executors", executor)
    if not hasattr(plugin, "fold"):
        raise UsageError(f"the executor {executor} does not share out one case", "Give serial or dask.")
    return partial(plugin.fold, jobs=threads, scheduler=scheduler)


def _twins(case: Case, census: Census) -> Literal["file", "bytes"] | None:
    """Tell whether both masks are one file, or the same bytes: more often a mistake than a perfect result."""
    sides = [[path for side, path in case.files if side == each] for each in ("prediction", "reference")]
    if not sides[0] or len(sides[0]) != len(sides[1]):
        return None
    pairs = [*zip(*sides, strict=True)]
    # Masks that differ are no twins; and where nothing is in them, equal bytes are to be expected.
    differ = any(int(each.table.trace()) != each.total for each in census.values())
    if differ or all(len(each.trimmed().labels) < 2 for each in census.values()):
        return None
    try:
        if all(Path(one).samefile(other) for one, other in pairs):
            return "file"
        is_twin = all(filecmp.cmp(one, other, shallow=False) for one, other in pairs)
    except OSError:
        return None
    return "bytes" if is_twin else None
