"""Scoring one pair of masks, or many."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dicecli.errors import CaseError, LinkOutside, Missing, UsageError
from dicecli.masks import files
from dicecli.masks.named_channels import parse_channels
from dicecli.masks.opening import named, shown
from dicecli.records.calling import telling
from dicecli.records.cases import Case, Failed, LeftOut
from dicecli.records.compound import Compound
from dicecli.records.given import checked, maps_of, named_regions, scheme_of
from dicecli.records.labels import labels_of
from dicecli.records.limits import parse_bytes
from dicecli.records.only import parse_only
from dicecli.records.options import names_of, table_of
from dicecli.records.probabilities import Probabilities
from dicecli.records.settings import CALLED, AnyOptions, Options, Reads, Settings, reads_of
from dicecli.records.surfaces import parse_empty_distance, parse_tolerances, parse_width
from dicecli.reports.report import Report
from dicecli.runs.choosing import asked_for, unit_asked
from dicecli.runs.conventions import following
from dicecli.runs.keywords import taking
from dicecli.runs.lost import summed_up, within
from dicecli.runs.measuring import measure_case

if TYPE_CHECKING:
    from dicecli.records.cases import Result


def check_executor(executor: str | None, scheduler: str | None) -> None:
    """Check that an executor makes use of a scheduler that it is given.

    Raises
    ------
    UsageError
    """
    if scheduler is not None and executor != "dask":
        raise UsageError(
            "a scheduler is for the executor dask alone", "Add --executor dask, or leave out --scheduler."
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class _Settings(AnyOptions):
    """What is given to :func:`make_settings`."""

    soft: bool = False
    classes: Iterable[str] | None = ()


@taking(_Settings)
def make_settings(given: _Settings) -> Settings:
    """Build the settings from the words of the command line.

    Parameters
    ----------
    options
    soft : bool
        Whether predictions are maps of probabilities.
    classes : iterable of str, optional
        The names of classes that are a file each, which `only` may name; None where they are not known yet.

    Raises
    ------
    UsageError
        An option that does not exist or is of the other kind, or a value that it does not take.

    Examples
    --------
    >>> import dicecli
    >>> dicecli.make_settings(metrics="dice,iou", ignore_label=255).metrics
    ('dice', 'iou')
    """
    return settings_of(given, soft=given.soft, classes=None if given.classes is None else [*given.classes])


def settings_of(given: Options, *, soft: bool = False, classes: Collection[str] | None = ()) -> Settings:
    """Return what options come to, those of masks or, with `soft`, those of probability maps.

    Raises
    ------
    UsageError
        As for :func:`make_settings`.
    """
    values = checked(given)
    reads: Reads = "probabilities" if soft else "labels"
    _refuse_others(values, given, reads)
    values = following(values)
    regions = named_regions(given.regions)
    tolerances = parse_tolerances(values.get("tolerance"))
    scheme = scheme_of(given.labels).adding(
        regions=regions,
        ignore=labels_of(given.ignore_label),
        maps=maps_of(values),
    )
    plain = {name: values[name] for name in names_of(Settings) if name in values}
    plain |= {
        "metrics": asked_for(given.metrics, reads, tolerances, values.get("like")),
        "length_unit": unit_asked(given.metrics),
        "max_memory": parse_bytes(given.max_memory),
        "only": parse_only(given.only, scheme, include_background=given.include_background, classes=classes),
        **_of_surfaces(values, tolerances),
    }
    if not soft:
        axis = -1 if values["channel_axis"] is None else values["channel_axis"]
        return Settings(**plain | {"labels": scheme, "channel_axis": axis})
    if given.missing == "zero":
        raise UsageError(
            "a missing probability map cannot be counted as zero: its channels are unknown",
            "Give --missing error or skip.",
        )
    of_maps = {name: values[name] for name in names_of(Probabilities)}
    if of_maps["channels"] is not None:
        of_maps["channels"] = parse_channels(of_maps["channels"], scheme)
    probabilities = Probabilities(**of_maps)
    probabilities.check()
    return Settings(**plain | {"labels": scheme, "channel_axis": -1, "soft": probabilities})


def _of_surfaces(values: Mapping[str, Any], tolerances: tuple[str, ...]) -> dict[str, object]:
    """Return the settings of surfaces that are texts with a meaning; maps have them by default."""
    return {
        "tolerance": tolerances,
        "boundary_width": parse_width(values.get("boundary_width")),
        "empty_distance": parse_empty_distance(values.get("empty_distance", "inf")),
    }


def _refuse_others(values: Mapping[str, object], given: Options, reads: Reads) -> None:
    """Refuse options of the other kind that are not as they are by default."""
    for name, each in table_of(type(given)).items():
        kinds = reads_of(name)
        # What else than plain values, as an array, may have no one answer to being equal.
        is_plain = isinstance(values[name], (str, int, float, tuple, type(None)))
        is_default = is_plain and values[name] in (each.default, ())
        if reads not in kinds and not is_default:
            said = f"{name} is for {CALLED[kinds[0]]}, and these are {CALLED[reads]}"
            raise UsageError(said, "Leave it out.")


@telling
def score_many(cases: Iterable[Case], settings: Settings) -> Report:
    """Score cases one after the other; one that fails is a row, not the end of the run.

    Raises
    ------
    UsageError
        Something else than cases, or than settings.

    Examples
    --------
    >>> import dicecli
    >>> cases = [dicecli.Case("a", [[0, 1]], [[0, 1]]), dicecli.Case("b", [[1, 1]], [[0, 1]])]
    >>> dicecli.score_many(cases, dicecli.make_settings()).value("dice", "b")
    0.6666666666666666
    """
    if not isinstance(settings, Settings):
        raise UsageError(
            f"settings is {settings!r}",
            "Give dicecli.make_settings(), with options as dicecli.score has them.",
        )
    cases = list(cases) if isinstance(cases, Iterable) else [cases]
    strange = [each for each in cases if not isinstance(each, Case)]
    if strange:
        raise UsageError(
            f"cases has {strange[0]!r}",
            "Give a list of dicecli.Case('name', 'prediction.png', 'reference.png').",
        )
    return Report([result_of(case, settings) for case in cases], settings)


def result_of(
    case: Case,
    settings: Settings,
    threads: int = 1,
    *,
    executor: str = "serial",
    scheduler: str | None = None,
    timeout: float | None = None,
) -> Result:
    """Measure a case; what is wrong with its masks becomes its result."""
    if case.prediction is None and settings.missing != "zero":
        kind = Failed if settings.missing == "error" else LeftOut
        return kind(
            named(case),
            "Missing",
            f"there is no prediction for {shown(case.reference)}",
            "Make it; or count it as an empty one: --missing zero; or leave the case out: --missing skip."
            if settings.soft is None
            else "Make it; or leave the case out: --missing skip.",
        )
    if case.refused is not None:
        return _outside(case)
    is_of_files = any(isinstance(each, Compound) for each in (case.prediction, case.reference))
    try:
        if is_of_files and settings.missing != "zero":
            from dicecli.runs.classes import check_complete

            check_complete(case, settings)
        return measure_within(
            case, settings, threads, executor=executor, scheduler=scheduler, timeout=timeout
        )
    except CaseError as error:
        # What is missing of no file is a class of one side.
        is_class = isinstance(error, Missing) and error.side is None
        return (LeftOut if is_class and settings.missing == "skip" else Failed).because(named(case), error)


def measure_within(
    case: Case,
    settings: Settings,
    threads: int,
    *,
    executor: str = "serial",
    scheduler: str | None = None,
    timeout: float | None = None,
) -> Result:
    """Measure a case here; or in a process that can be stopped, where it has a time limit."""
    if timeout is None:
        return measure_case(case, settings, threads, executor, scheduler)
    return within(timeout, partial(_measured, settings=settings, threads=threads), case)


def _measured(case: Case, settings: Settings, threads: int) -> Result:
    return summed_up(measure_case(case, settings, threads), settings)


def _outside(case: Case) -> Failed:
    """Return the row of a case whose mask is a link that is not to be followed."""
    path = shown(case.prediction if case.refused == "prediction" else case.reference)
    error = LinkOutside(
        "it is a symbolic link that leads out of the folder; a file inside it is expected",
        "Copy the mask there; or, if the links are your own, follow them: --follow-links.",
        path,
        case.refused,
    )
    return Failed.because(named(case), error)


def case_name(reference: Any) -> str:
    """Return what a report calls a case: the reference's file name without its suffix."""
    return files.stem(reference) if isinstance(reference, (str, os.PathLike)) else "arrays"
