"""A run from its pairs to its files: the journal beside them, the cases, gates, and what is written."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.reports.outputs import write_all
from dicecli.reports.overwriting import Named, check_cases, check_folders
from dicecli.runs.batch import Stopped, run
from dicecli.runs.entries import journals_of
from dicecli.runs.journal import Journal
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from contextlib import AbstractContextManager

    from dicecli.records.settings import Settings
    from dicecli.reports.judging import Gates
    from dicecli.reports.outputs import Target
    from dicecli.reports.report import Report
    from dicecli.runs.batch import Progress
    from dicecli.runs.pairing import Pairing

    #: What is told of what a person may want to know besides.
    Say = Callable[[str], None]


def _silence(_: str) -> None:
    """Say nothing."""


@dataclass(frozen=True)
class Done:
    """What came of a run.

    Attributes
    ----------
    report : Report
    stopped : Stopped or None
        What ended it before every case was reached; it was not judged then.
    refusal : UsageError or None
        The first file that could not be written.
    """

    report: Report
    stopped: Stopped | None
    refusal: UsageError | None


def journal_beside(
    files: Sequence[Target],
    pairing: Pairing,
    *,
    written: Sequence[Named],
    resume: bool,
    say: Say = _silence,
) -> Journal | None:
    """Open the journal beside the first output, once no output is a mask, now or in the next run.

    Without an output there is none, and nothing to resume.

    Parameters
    ----------
    files : sequence of Target
    pairing : Pairing
    written : sequence of Named
        Everything that the run writes.
    resume : bool
    say : callable, optional
        As of :func:`carry_out`.

    Raises
    ------
    UsageError
        There is no output, and the run is to be resumed.
    OutputError
        What is written is read; the journal cannot be written, or another run is using it.
    """
    beside = [Named(path, f"the file of labels {path}") for path in pairing.legends]
    check_cases(written, pairing.cases, beside)
    check_folders(files, pairing.folders)
    first = _first(files)
    if first is None:
        if resume:
            raise UsageError(
                "--resume needs the output of the interrupted run",
                "Give the same -o FILE as in that run, in Python output=FILE.",
            )
        return None
    path, _ = journals_of(first)
    journal = Journal.open(path, resume=resume)
    if journal.kept:
        try:
            say(
                f"{path} is of an earlier run: what it has, {counted(journal.kept, 'case')}, is kept in "
                f"{journal.old}. To go on with it, stop this run, and give --resume."
            )
        except BaseException:  # a warning may be an error
            journal.close()
            raise
    return journal


def carry_out(
    pairing: Pairing,
    settings: Settings,
    *,
    files: Sequence[Target],
    gates: Gates,
    journal: Journal | None,
    progress: AbstractContextManager[Progress | None],
    say: Say = _silence,
    **how: Any,
) -> Done:
    """Score every case of a pairing, judge what came of it, and write it; see to the journal.

    Parameters
    ----------
    pairing, settings, journal, how
        As for :func:`~dicecli.runs.batch.run`.
    files : sequence
        As :func:`dicecli.reports.outputs.planned` gives them.
    gates : Gates
    say : callable
        Told, in a sentence, of what becomes of the journal.
    progress : context manager
        Entered while cases are scored; what it gives is told of every case that is done.

    Raises
    ------
    GateError
        What a gate is on is not there; what was counted is written all the same.
    """
    try:
        stopped = None
        try:
            with progress as told:
                looked_up = None if journal is None else partial(_say_changed, journal, say)
                report = run(pairing, settings, journal=journal, looked_up=looked_up, progress=told, **how)
        except Stopped as error:
            report, stopped = error.report, error
        try:
            if stopped is None:
                gates.judge(report)
        finally:
            # Also where a gate names a label that is nowhere: what was counted is not lost.
            refusal = write_all(report, files)
    finally:
        if journal is not None:
            journal.close()
    if journal is not None and refusal is None:
        _settle(journal, report, say)
    return Done(report, stopped, refusal)


def _settle(journal: Journal, report: Report, say: Say) -> None:
    """Remove the journal once every case has its numbers; else say what it is good for; so of what is old."""
    is_done = not report.number("failed") and not report.number("pending")
    if journal.used:
        used = f"{counted(journal.used, 'case')} came from {journal.old}, of an earlier run"
        if not is_done:
            say(f"{used}: once that is deleted, all are counted again.")
        elif journal.is_old_spent:
            say(f"{used}, which is of no more use: it may be deleted.")
        else:
            say(f"{used}; what else that has is of other settings or files.")
    if is_done:
        journal.remove()
    else:
        say(f"{journal.path} keeps what is done; --resume counts only the rest.")


def _say_changed(journal: Journal, say: Say) -> None:
    """Say, before the work, which cases are there in vain."""
    if journal.changed:
        are = "is" if journal.changed == 1 else "are"
        say(
            f"{counted(journal.changed, 'case')} that an earlier run has done {are} counted again: "
            "their files or the settings have changed."
        )


def _first(files: Sequence[Target]) -> str | None:
    """Return the first file that gets the whole report."""
    return next((each.path for each in files if each.part == "report"), None)
