"""Scoring every case of a pairing: nothing is lost, whatever happens to cases, workers or the run."""

from __future__ import annotations

import os
import traceback
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from dicecli.errors import DicecliError
from dicecli.masks.opening import named
from dicecli.plugins import load
from dicecli.records.cases import Case, Failed, Pending, sharing
from dicecli.records.origin import NOWHERE
from dicecli.reports.report import Report
from dicecli.runs.lost import late, lost, summed_up
from dicecli.runs.scoring import result_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.records.cases import Result
    from dicecli.records.origin import Origin
    from dicecli.records.settings import Settings
    from dicecli.runs.journal import Journal
    from dicecli.runs.pairing import Pairing


#: So many cases, of so many bytes altogether, are scored in less time than workers take to start.
_FEW, _LITTLE = 16, 1 << 18


class Progress(Protocol):
    """What is told of every case that is done."""

    def __call__(self, result: Result, *, is_new: bool) -> None:
        """Take note of a result; `is_new` is False where the journal had it."""


class Stopped(Exception):
    """The run ended before every case was reached.

    Attributes
    ----------
    report : Report
        What was done until then; the other cases stand in it as pending.
    cause : BaseException or None
        What ended it: an interrupt; None where ``strict`` did.
    """

    def __init__(self, report: Report, cause: BaseException | None) -> None:
        super().__init__("the run ended before every case was reached")
        self.report = report
        self.cause = cause


def run(
    pairing: Pairing,
    settings: Settings,
    *,
    jobs: int = 1,
    few_alone: bool = False,
    may_fork: bool = False,
    executor: str | None = None,
    scheduler: str | None = None,
    timeout: float | None = None,
    journal: Journal | None = None,
    strict: bool = False,
    looked_up: Callable[[], None] | None = None,
    progress: Progress | None = None,
    origin: Origin = NOWHERE,
) -> Report:
    """Score every case of a pairing.

    Parameters
    ----------
    pairing : Pairing
    settings : Settings
    jobs : int
        Worker processes.
    few_alone : bool
        Whether a few small files are scored in this process, which takes less time than workers to start.
    may_fork : bool
        Whether worker processes may be forked from this one, which has to be this project's own.
    executor : str, optional
        ``serial``, ``processes`` or ``dask``; by default the first for one job, the second for more, and
        where there is a time limit.
    scheduler : str, optional
        The address of a Dask cluster that exists; by default one is started here, with `jobs` workers.
    timeout : float, optional
        Seconds that a case may take; one that takes longer is a row, and its process is replaced.
    journal : Journal, optional
        Where what is done is written at once, and looked up first.
    strict : bool
        Whether the first case that fails ends the run.
    looked_up : callable, optional
        Called once it is known what the journal has of these cases, before the others are scored.
    progress : callable, optional
        Told of every case that is done.
    origin : Origin
        Where the run comes from; its day is the one on which the journal began.

    Raises
    ------
    Stopped
        An interrupt, or `strict`, ended the run; the report is in it.
    """
    cases, notes = pairing.cases, pairing.notes
    origin = origin if journal is None else origin.since(journal.began)
    reported = partial(Report, settings=settings, is_batch=True, origin=origin)
    results: list[Result] = [_pending(case) for case in cases]
    parts: dict[Any, Any] = {}
    work: Any = None
    try:
        todo = _looked_up(cases, settings, journal, results, progress)
        if looked_up is not None:
            looked_up()
        # A case that is left of an earlier run may be the one that killed its process: not this one, too.
        is_small = len(todo) == len(cases) and (len(cases) <= 1 or (few_alone and _are_small(cases)))
        is_alone = timeout is None and (jobs == 1 or is_small)
        jobs = max(1, min(jobs, len(todo)))
        name = executor or ("serial" if is_alone else "processes")
        plugin = load("executors", name)
        how: dict[str, Any] = {} if scheduler is None else {"scheduler": scheduler}
        if name == "processes":
            how["may_fork"] = may_fork
        if timeout is not None:
            how |= {"timeout": timeout, "late": partial(late, timeout=timeout)}
        guarded = partial(_guarded, settings=settings, is_timed=timeout is not None)
        work = plugin.run(guarded, [cases[each] for each in todo], jobs, lost, **how)
        for place, result in work:
            position = todo[place]
            results[position] = sharing(result, cases[position], parts)
            if journal is not None:
                journal.add(cases[position], settings, result)
            if progress is not None:
                progress(result, is_new=True)
            if strict and result.status == "failed":
                raise Stopped(reported(results, notes=notes), None)
    except (KeyboardInterrupt, SystemExit) as cause:
        raise Stopped(reported(results, notes=notes), cause) from cause
    finally:
        if work is not None:
            work.close()
    return reported(results, notes=notes)


def _are_small(cases: Sequence[Case]) -> bool:
    """Whether cases and their files are so few and small that workers would take longer to start."""
    if len(cases) > _FEW:
        return False
    paths = [path for case in cases for _, path in case.files]
    try:
        return sum(os.stat(each).st_size for each in paths) <= _LITTLE  # noqa: PTH116 - as they are given
    except (OSError, ValueError):
        return False


def _looked_up(
    cases: Sequence[Case],
    settings: Settings,
    journal: Journal | None,
    results: list[Result],
    progress: Progress | None,
) -> list[int]:
    """Take from the journal what it has, and return the positions of the other cases."""
    if journal is None:
        return list(range(len(cases)))
    todo = []
    for position, case in enumerate(cases):
        done = journal.find(case, settings)
        if done is None:
            todo.append(position)
            continue
        results[position] = done
        if progress is not None:
            progress(done, is_new=False)
    return todo


def _pending(case: Case) -> Pending:
    return Pending(
        named(case), "Pending", "the run ended before this case was reached", "Go on with it: --resume."
    )


def _guarded(case: Case, settings: Settings, *, is_timed: bool = False) -> Result:
    """Score a case; a defect of this program costs that case, not what a night has counted."""
    try:
        result = result_of(case, settings)
        return summed_up(result, settings) if is_timed else result
    except DicecliError as error:  # what is wrong with the case alone is a row already
        return Failed.because(named(case), error)
    except MemoryError:
        return Failed(
            named(case),
            "OutOfMemory",
            "there was not enough memory to score it",
            "Try again with fewer --jobs. Formats that are read in blocks (.nii, tiled GeoTIFF) need little.",
        )
    except Exception as error:  # noqa: BLE001 - any defect: it is reported whole, with where it happened
        where = traceback.extract_tb(error.__traceback__)[-1]
        return Failed(
            named(case),
            "InternalError",
            f"{type(error).__name__}: {error} (in {os.path.basename(where.filename)}, line {where.lineno})",  # noqa: PTH119
            "This is a defect of dicecli. Please report it; 'dicecli score' on this pair shows all of it.",
        )
