"""Cases whose process was lost or stopped: what their rows say, and the time that a case may take."""

from __future__ import annotations

import math
import pickle
from functools import partial
from typing import TYPE_CHECKING, NoReturn, TypeVar

from dicecli.errors import Timeout, UsageError, WorkerDied
from dicecli.masks.opening import named, shown
from dicecli.plugins import load
from dicecli.records.cases import Case, Failed, Scored
from dicecli.reports.report import Report

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.records.settings import Settings

Outcome = TypeVar("Outcome")

#: Measurements of so many bytes are summed up in a fiftieth of a second; most cases have a tenth of them.
_LITTLE = 1 << 15


def lost(case: Case, reason: str) -> Failed:
    """Make the row of a case over which its process died."""
    return Failed.because(named(case), _death(case, reason))


def late(case: Case, *, timeout: float) -> Failed:
    """Make the row of a case that was stopped after so many seconds."""
    return Failed.because(named(case), _lateness(case, timeout))


def check_timeout(timeout: float | None, executor: str | None) -> None:
    """Check that a time limit is one, and that the executor can stop a case.

    Raises
    ------
    UsageError
    """
    if timeout is None:
        return
    if isinstance(timeout, bool) or not isinstance(timeout, (int, float)) or not 0 < timeout < math.inf:
        raise UsageError(f"the timeout is {timeout!r}", "It is a number of seconds above 0.")
    if executor not in {None, "processes"}:
        raise UsageError(
            f"the executor {executor} cannot stop a case that takes too long",
            "A timeout needs processes of our own: leave out the executor, or the timeout.",
        )


def within(timeout: float, function: Callable[[Case], Outcome], case: Case) -> Outcome:
    """Return what a function gives for a case, in a process that is stopped after so many seconds.

    Raises
    ------
    UsageError
        Masks that are no files: pixels do not travel.
    Timeout, WorkerDied
    Exception
        What the function raises.
    """
    if not case.is_of_files:
        raise UsageError(
            "a timeout is for files, which another process can open", "Leave it out, or give two paths."
        )
    run = load("executors", "processes").run
    ((_, outcome),) = run(
        function, [case], 1, _raise_death, timeout=timeout, late=partial(_raise_lateness, timeout)
    )
    found: Outcome = outcome
    return found


def summed_up(result: Outcome, settings: Settings) -> Outcome:
    """Return a result, after all that a report makes of it was made once: its time is the case's, too.

    Masks of many labels are measured sooner than summed up: there may be as many pairs of labels as pixels.
    """
    if isinstance(result, Scored) and len(pickle.dumps(result)) > _LITTLE:
        Report([result], settings).render("table")
    return result


def _raise_death(case: Case, reason: str) -> NoReturn:
    raise _death(case, reason)


def _raise_lateness(timeout: float, case: Case) -> NoReturn:
    raise _lateness(case, timeout)


def _death(case: Case, reason: str) -> WorkerDied:
    return WorkerDied(
        f"the process that scored it {reason}",
        "Try again with fewer --jobs. If it happens again, this pair of masks brings the process down.",
        _both(case),
    )


def _lateness(case: Case, timeout: float) -> Timeout:
    return Timeout(
        f"it took longer than {timeout:g} s, and was stopped",
        f"Give it more time: --timeout {10 * timeout:g}. If cases like it are quick, look at its masks: "
        "dicecli inspect.",
        _both(case),
    )


def _both(case: Case) -> str:
    return f"{shown(case.prediction)} against {shown(case.reference)}"
