"""What Python calls: the twins of the commands, which take their options as keywords."""

from __future__ import annotations

import os
from dataclasses import KW_ONLY, dataclass
from os import PathLike
from typing import Any

from dicecli.errors import UsageError
from dicecli.records.cases import Case
from dicecli.records.settings import AnyOptions, MapOptions, MaskOptions
from dicecli.reports.grouping import check_column
from dicecli.reports.report import Report
from dicecli.runs.batch import find_pairs, run
from dicecli.runs.keywords import taking
from dicecli.runs.lost import check_timeout
from dicecli.runs.provenance import origin_of
from dicecli.runs.scoring import case_name, check_executor, measure_within, settings_of
from dicecli.runs.sides import contradiction, noting


@dataclass(frozen=True, eq=False)
class _Score(MaskOptions):
    """What is given to :func:`score`."""

    prediction: Any
    reference: Any
    _: KW_ONLY
    name: str | None = None
    threads: int = 1
    executor: str = "serial"
    scheduler: str | None = None
    timeout: float | None = None


@taking(_Score)
def score(given: _Score) -> Report:
    """Score one pair of masks; the twin of ``dicecli score``.

    Parameters
    ----------
    prediction, reference : str, path, array, tensor or nibabel image
        PNG, NIfTI or GeoTIFF files; or NumPy arrays, torch tensors (counted on their device) or nibabel
        images. Integers or booleans, of one shape after the documented squeeze.
    options
    name : str, optional
        What the report calls the case; the reference's name by default.
    threads : int
        How many may read and count one large mask at the same time; the result is the same.
    executor : {"serial", "dask"}
        ``dask`` counts a large GeoTIFF with so many worker processes instead.
    scheduler : str, optional
        The address of a Dask cluster that exists.
    timeout : float, optional
        Seconds that it may take: two files are then scored in a process of their own, which can be stopped.

    Returns
    -------
    Report
        The record that ``-f json`` prints, as :meth:`Report.to_dict` gives it.

    Raises
    ------
    UsageError
        Options that are wrong; of a misspelt one the error lists every right one.
    CaseError
        Masks that cannot be read, understood or laid on each other.
    """
    check_given(given.prediction, given.reference)
    settings = settings_of(given)
    check_executor(given.executor, given.scheduler)
    check_timeout(given.timeout, None if given.executor == "serial" else given.executor)
    check_workers("threads", given.threads)
    case = Case(given.name or case_name(given.reference), given.prediction, given.reference)
    result = measure_within(
        case,
        settings,
        given.threads,
        executor=given.executor,
        scheduler=given.scheduler,
        timeout=given.timeout,
    )
    result = noting(result, contradiction(given.prediction, given.reference))
    origin = origin_of(settings, vars(given), (given.prediction, given.reference))
    return Report([result], settings, origin=origin)


@dataclass(frozen=True, eq=False)
class _Soft(MapOptions):
    """What is given to :func:`soft`."""

    probabilities: Any
    reference: Any
    _: KW_ONLY
    name: str | None = None
    threads: int = 1
    timeout: float | None = None


@taking(_Soft)
def soft(given: _Soft) -> Report:
    """Score a map of probabilities against a mask; the twin of ``dicecli soft``.

    Parameters
    ----------
    probabilities : str, path, array, tensor or nibabel image
        NIfTI (classes on the fourth axis), GeoTIFF (a band per class) or ``.npy``; or an array of the
        reference's shape, or with an axis of channels before or after it.
    reference : str, path, array, tensor or nibabel image
        A mask, as :func:`score` takes it.
    options
    name : str, optional
        What the report calls the case; the reference's name by default.
    threads : int
        How many read and sum at the same time; the result is the same.
    timeout : float, optional
        As for :func:`score`.

    Returns
    -------
    Report
        The record that ``-f json`` prints, as :meth:`Report.to_dict` gives it.

    Raises
    ------
    UsageError
        Options that are wrong; of a misspelt one the error lists every right one.
    CaseError
        Files that cannot be read, understood or laid on each other.
    """
    check_given(given.probabilities, given.reference)
    settings = settings_of(given, soft=True)
    check_timeout(given.timeout, None)
    check_workers("threads", given.threads)
    case = Case(given.name or case_name(given.reference), given.probabilities, given.reference)
    result = measure_within(case, settings, given.threads, timeout=given.timeout)
    result = noting(result, contradiction(given.probabilities, given.reference))
    origin = origin_of(settings, vars(given), (given.probabilities, given.reference))
    return Report([result], settings, origin=origin)


@dataclass(frozen=True, eq=False)
class _Batch(AnyOptions):
    """What is given to :func:`batch`."""

    predictions: str | PathLike[str] | None = None
    references: str | PathLike[str] | None = None
    _: KW_ONLY
    prediction_pattern: str | None = None
    reference_pattern: str | None = None
    follow_links: bool = False
    pairs: str | PathLike[str] | None = None
    allow_same: bool = False
    jobs: int = 1
    executor: str | None = None
    scheduler: str | None = None
    timeout: float | None = None
    soft: bool = False


@taking(_Batch)
def batch(given: _Batch) -> Report:
    """Score every pair of two folders; the twin of ``dicecli batch``.

    Parameters
    ----------
    predictions, references : str or path
        The folders. A prediction and a reference are a case when their paths in the folders are equal but for
        the suffix.
    options
    prediction_pattern, reference_pattern : str, optional
        Where names differ, such as ``"{case}_pred.nii.gz"``.
    follow_links : bool
        Whether symbolic links to files may lead out of their folder; else their cases fail.
    pairs : str or path, optional
        A CSV with the columns prediction, reference, and optionally case, group and others.
    allow_same : bool
        Whether the predictions may be the references themselves; else that is an error.
    jobs : int
        Worker processes. A script needs no ``if __name__ == "__main__":`` for them. A process that may start
        none, as those of ``multiprocessing.Pool``, scores alone, and a note says so.
    executor, scheduler, timeout
        As for :func:`~dicecli.runs.batch.run`; ``dask`` without a scheduler needs the line above in a script.
    soft : bool
        Whether the predictions are maps of probabilities.

    Returns
    -------
    Report
        A case that could not be scored is a row of it, not the end of the run.

    Raises
    ------
    UsageError
        Folders that cannot be paired without a guess, or options that are wrong; of a misspelt one the error
        lists every right one.
    """
    check_executor(given.executor, given.scheduler)
    check_timeout(given.timeout, given.executor)
    check_workers("jobs", given.jobs)
    settings = settings_of(given, soft=given.soft)
    found = find_pairs(
        _path(given.predictions),
        _path(given.references),
        prediction_pattern=given.prediction_pattern,
        reference_pattern=given.reference_pattern,
        follow_links=given.follow_links,
        pairs=_path(given.pairs),
        allow_same=given.allow_same,
        soft=given.soft,
    )
    if settings.group_by is not None:
        check_column(found.cases, settings.group_by)
    return run(
        found,
        settings,
        jobs=given.jobs,
        executor=given.executor,
        scheduler=given.scheduler,
        timeout=given.timeout,
        origin=origin_of(settings, vars(given), (given.predictions, given.references)),
    )


def check_given(prediction: object, reference: object) -> None:
    """Check that both sides may be masks at all.

    Raises
    ------
    UsageError
    """
    for side, mask in (("prediction", prediction), ("reference", reference)):
        if mask is None or isinstance(mask, (bytes, bytearray)):
            raise UsageError(f"the {side} is {type(mask).__name__}", "Give a path, an array or an image.")


def check_workers(name: str, given: object) -> None:
    """Check that as many can work at the same time.

    Raises
    ------
    UsageError
    """
    if not isinstance(given, int) or isinstance(given, bool) or given < 1:
        raise UsageError(f"{name} is {given!r}", "It is a whole number from 1.")


def _path(path: str | PathLike[str] | None) -> str | None:
    return None if path is None else os.fspath(path)
