"""What Python calls: the twins of the commands, which take their options as keywords.

The file is long because :func:`help` is: what each function takes is explained beside it.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable  # noqa: TC003 - the options' types are read
from dataclasses import KW_ONLY, dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.records.cases import Case, Result
from dicecli.records.settings import AnyOptions, MapOptions, MaskOptions, Settings
from dicecli.reports.grouping import check_column
from dicecli.reports.overwriting import check_cases, check_folders
from dicecli.reports.report import Report
from dicecli.runs.checking import check_field, check_given, check_name, check_workers
from dicecli.runs.classes import check_complete
from dicecli.runs.finding import find_pairs
from dicecli.runs.keywords import taking
from dicecli.runs.laid_out import lay_out
from dicecli.runs.lost import check_timeout
from dicecli.runs.placeholders import classes_named
from dicecli.runs.progress import watching
from dicecli.runs.provenance import origin_of
from dicecli.runs.running import carry_out, journal_beside
from dicecli.runs.scoring import case_name, check_executor, measure_within, settings_of
from dicecli.runs.sides import contradiction, noting
from dicecli.runs.single import sides_of
from dicecli.runs.wanted import (
    Files,
    Judged,
    Paths,
    asking,
    baseline_of,
    check_files,
    ending,
    files_of,
    gates_of,
    outputs_of,
    written,
)

if TYPE_CHECKING:
    from dicecli.runs.pairing import Pairing


@dataclass(frozen=True, eq=False)
class _Score(Files, MaskOptions):
    """What is given to :func:`score`."""

    prediction: Any
    reference: Any
    _: KW_ONLY
    within: Any = None
    name: str | None = None
    threads: int = 1
    executor: str = "serial"
    scheduler: str | None = None
    timeout: float | None = None
    slices: Paths = None
    confusion: Paths = None


@taking(_Score)
def score(given: _Score) -> Report:
    """Score one pair of masks; the twin of ``dicecli score``.

    Parameters
    ----------
    prediction, reference : str, path, array, tensor or nibabel image
        PNG, NIfTI or GeoTIFF files, or folders with a file for each class; or NumPy arrays, torch tensors
        (counted on their device) or nibabel images. Integers or booleans, of one shape after the documented
        squeeze.
    options
    within : str, path, array, tensor or nibabel image, optional
        A mask on the reference's grid: only pixels where it is neither 0 nor nodata are compared.
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
    output, summary : path or list of paths, optional
        Files to be written, whole or with the summary alone, each in the form that its suffix says.
    slices : path or list of paths, optional
        Files for the counts and metrics of every slice, along the last axis: .csv.
    confusion : path or list of paths, optional
        Files for which labels are taken for which: .csv, .json, .md, .html, .txt, or .png (extra ``plot``).
    baseline : path or Report, optional
        An earlier run to compare with: ``report.comparison``.

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

    Examples
    --------
    >>> import dicecli
    >>> report = dicecli.score("sample_masks/street_prediction.png", "sample_masks/street_reference.png")
    >>> f"{report.dice:.4f}"
    '0.7514'
    """
    check_files(given)
    given = asking(given)
    check_given(given.prediction, given.reference)
    check_name(given.name)
    sides = sides_of(given.prediction, given.reference)
    settings = settings_of(given, classes=sides.names)
    sides.check_asked(settings)
    check_executor(given.executor, given.scheduler)
    check_timeout(given.timeout, None if given.executor == "serial" else given.executor)
    check_workers("threads", given.threads)
    files, baseline = files_of(given, settings.reads), baseline_of(given)
    check_field(given.within)
    name = given.name or case_name(given.reference)
    case = Case(name, sides.prediction, sides.reference, within=given.within)
    check_cases(outputs_of(given), [case])
    check_folders(files, sides.folders)
    with sides.advising():
        if given.missing != "zero":
            check_complete(case, settings)
        result = measure_within(
            case,
            settings,
            given.threads,
            executor=given.executor,
            scheduler=given.scheduler,
            timeout=given.timeout,
        )
    result = noting(result, (*sides.notes, *contradiction(given.prediction, given.reference)))
    origin = origin_of(settings, vars(given), (given.prediction, given.reference))
    return written(Report([result], settings, origin=origin), files, baseline)


@dataclass(frozen=True, eq=False)
class _Soft(Files, MapOptions):
    """What is given to :func:`soft`."""

    probabilities: Any
    reference: Any
    _: KW_ONLY
    within: Any = None
    name: str | None = None
    threads: int = 1
    timeout: float | None = None
    curve: Paths = None


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
    within
        As for :func:`score`.
    name : str, optional
        What the report calls the case; the reference's name by default.
    threads : int
        How many read and sum at the same time; the result is the same.
    timeout : float, optional
        As for :func:`score`.
    output, summary, baseline
        As for :func:`score`.
    curve : path or list of paths, optional
        Files for Dice, precision and recall at every threshold: .csv, or .png (extra ``plot``).

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

    Examples
    --------
    >>> import dicecli
    >>> f'{dicecli.soft([[0.2, 0.9], [0.1, 0.6]], [[0, 1], [0, 1]]).soft_dice_standard:.3f}'
    '0.789'
    """
    check_files(given)
    check_given(given.probabilities, given.reference, soft=True)
    check_name(given.name)
    settings = settings_of(given, soft=True)
    check_timeout(given.timeout, None)
    check_workers("threads", given.threads)
    files, baseline = files_of(given, settings.reads), baseline_of(given)
    check_field(given.within)
    name = given.name or case_name(given.reference)
    case = Case(name, given.probabilities, given.reference, within=given.within)
    result = measure_within(case, settings, given.threads, timeout=given.timeout)
    result = noting(result, contradiction(given.probabilities, given.reference))
    origin = origin_of(settings, vars(given), (given.probabilities, given.reference))
    return written(Report([result], settings, origin=origin), files, baseline)


@dataclass(frozen=True, eq=False)
class _Batch(Judged, AnyOptions):
    """What is given to :func:`batch`."""

    predictions: str | PathLike[str] | None = None
    references: str | PathLike[str] | None = None
    _: KW_ONLY
    layout: str | None = None
    prediction_pattern: str | None = None
    reference_pattern: str | None = None
    follow_links: bool = False
    pairs: str | PathLike[str] | None = None
    allow_same: bool = False
    within: str | PathLike[str] | None = None
    within_pattern: str | None = None
    jobs: int = 1
    executor: str | None = None
    scheduler: str | None = None
    timeout: float | None = None
    soft: bool = False
    curve: Paths = None
    slices: Paths = None
    confusion: Paths = None
    resume: bool = False
    strict: bool = False
    progress: bool | Callable[[int, int, Result], object] = False


@taking(_Batch)
def batch(given: _Batch) -> Report:
    """Score every pair of two folders; the twin of ``dicecli batch``.

    Parameters
    ----------
    predictions, references : str or path
        The folders. A prediction and a reference are a case when their paths in the folders are equal but for
        the suffix. One of them may be a file: the raster in which the other one's masks lie as tiles.
    options
    layout : str, optional
        Patterns and labels in a word: nnunet, brats, totalsegmentator, bids, cityscapes, voc, or one that an
        installed package adds. What is given beside it counts.
    prediction_pattern, reference_pattern : str, optional
        Where names differ, such as ``"{case}_pred.nii.gz"``.
    follow_links : bool
        Whether symbolic links to files may lead out of their folder; else their cases fail.
    pairs : str or path, optional
        A CSV with the columns prediction, reference, and optionally case, group, within and others.
    allow_same : bool
        Whether the predictions may be the references themselves; else that is an error.
    within : str or path, optional
        A mask for all cases: only pixels where it is neither 0 nor nodata are compared.
    within_pattern : str, optional
        A mask for each case, such as ``"rois/{case}.png"``, from the current folder.
    jobs : int
        Worker processes. A script needs no ``if __name__ == "__main__":`` for them, and they take no module
        from the current folder.
    executor, scheduler, timeout
        As for :func:`~dicecli.runs.batch.run`.
    soft : bool
        Whether the predictions are maps of probabilities.
    output, summary, curve, slices, confusion : path or list of paths, optional
        As for :func:`score` and :func:`soft`. Beside the first output what is done stands in a journal, until
        every case has its numbers.
    resume : bool
        Whether to go on where a run with the same output was interrupted. If not, what its journal has is
        kept in a file beside it, and a warning says so.
    strict : bool
        Whether the first case that fails ends the run, and raises its error.
    progress : bool or callable
        True: a bar on a terminal or in a notebook, elsewhere a line now and then. Or a function that is
        called as ``progress(done, total, result)``, with the result of each case as soon as it is done.
    fail_under, fail_over : str or list of str
        Gates as on the command line: ``"dice=0.85"``, ``"min:dice[tumour]=0.3"``. What came of them is in
        ``report.verdicts``, and ``report.passed`` is False where one does not hold, or a case failed.
    baseline : path or Report, optional
        An earlier run, to compare with: ``report.comparison``.
    max_drop : float, str or list of them
        How much worse than the baseline a score may be: ``0.01`` is of Dice, ``"dice[liver]=0.02"``.

    Returns
    -------
    Report
        A case that could not be scored is a row of it, not the end of the run.

    Raises
    ------
    UsageError
        Folders that cannot be paired without a guess, or options that are wrong; of a misspelt one the error
        lists every right one. A gate on what is not there is known at the end; files are written by then.
    OutputError
        A file cannot be written, which is found out before the work where that is possible.
    CaseError
        By ``strict``.
    KeyboardInterrupt
        What was done by then is written, and stands in the report that its ``__cause__`` has.

    Examples
    --------
    >>> import dicecli
    >>> report = dicecli.batch("sample_masks/predictions", "sample_masks/references", metrics="dice,iou")
    >>> len(report.scored), f"{report.iou:.4f}"
    (6, '0.7889')
    """
    check_files(given)
    given = asking(given)
    check_executor(given.executor, given.scheduler)
    check_timeout(given.timeout, given.executor)
    check_workers("jobs", given.jobs)
    given, said = _laid_out(given)
    check_files(given)
    classes = classes_named(given.prediction_pattern, given.reference_pattern)
    settings = settings_of(given, soft=given.soft, classes=classes)
    Report([], settings)  # which checks what it is to show
    files, gates = files_of(given, settings.reads), gates_of(given)
    gates.check_asked_for(settings)
    found = _found(given, settings, said)
    settings = found.scored_by(settings)
    if settings.group_by is not None:
        check_column(found.cases, settings.group_by, found.columns)
    done = carry_out(
        found,
        settings,
        files=files,
        gates=gates,
        journal=journal_beside(files, found, written=outputs_of(given), resume=given.resume, say=_warn),
        progress=watching(given.progress, len(found.cases)),
        jobs=given.jobs,
        executor=given.executor,
        scheduler=given.scheduler,
        timeout=given.timeout,
        origin=origin_of(
            settings, vars(given) | {"window": settings.window}, (given.predictions, given.references)
        ),
        strict=given.strict,
    )
    if done.stopped is not None:
        raise ending(done.stopped) from done.stopped
    if done.refusal is not None:
        raise done.refusal
    return done.report


def _warn(text: str) -> None:
    """Say what is to be known before the work ends, where the caller of a function of this module sees it."""
    warnings.warn(text, stacklevel=5)


def _laid_out(given: _Batch) -> tuple[_Batch, tuple[str, ...]]:
    """Return the options with those that a layout stands for, and what it stands for."""
    found = lay_out(
        given.layout,
        _path(given.predictions),
        _path(given.references),
        prediction_pattern=given.prediction_pattern,
        reference_pattern=given.reference_pattern,
        labels=given.labels,
        pairs=given.pairs,
        soft=given.soft,
    )
    made = replace(
        given,
        prediction_pattern=found.prediction_pattern,
        reference_pattern=found.reference_pattern,
        labels=found.labels,
    )
    return made, found.notes


def _found(given: _Batch, settings: Settings, notes: tuple[str, ...]) -> Pairing:
    """Return the cases that two folders, or a CSV, come to."""
    return find_pairs(
        _path(given.predictions),
        _path(given.references),
        prediction_pattern=given.prediction_pattern,
        reference_pattern=given.reference_pattern,
        follow_links=given.follow_links,
        pairs=_path(given.pairs),
        allow_same=given.allow_same,
        within=_path(given.within),
        within_pattern=given.within_pattern,
        settings=settings,
        notes=notes,
    )


def _path(path: str | PathLike[str] | None) -> str | None:
    """Return a path as a text.

    Raises
    ------
    UsageError
    """
    if not isinstance(path, (str, os.PathLike, type(None))):
        raise UsageError(f"{path!r} is no path", "Give a path, as a text or as pathlib's Path.")
    return None if path is None else os.fspath(path)
