"""What Python gives to a run beside its options: masks, files to be written, gates, an earlier run."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from os import PathLike
from typing import TYPE_CHECKING, Any, TypeVar

from dicecli.errors import CaseError, UsageError
from dicecli.records.settings import CALLED
from dicecli.reports.judging import Baseline, Gates
from dicecli.reports.outputs import planned, write_all
from dicecli.reports.overwriting import Named, check_apart
from dicecli.reports.parts import PARTS
from dicecli.reports.report import Report
from dicecli.runs.entries import journals_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.settings import Reads
    from dicecli.reports.outputs import Target
    from dicecli.runs.batch import Stopped

Given = TypeVar("Given", bound="Files")
#: A file, or several.
Paths = str | PathLike[str] | Iterable[str | PathLike[str]] | None
Texts = str | Iterable[str]
#: What is called so is a file, or several, to be written.
OUTPUTS = ("output", *(part for part in PARTS if part != "report"))


@dataclass(frozen=True, kw_only=True, eq=False)
class Files:
    """The files that a run of any kind can write, and what it is compared with."""

    output: Paths = None
    summary: Paths = None
    baseline: str | PathLike[str] | Report | None = None


@dataclass(frozen=True, kw_only=True, eq=False)
class Judged(Files):
    """The gates of a run of many cases."""

    fail_under: Texts = ()
    fail_over: Texts = ()
    max_drop: float | Texts | Iterable[float] = ()


def check_files(given: object) -> None:
    """Check that no file that is to be written is one that is given to be read, nor another one of them.

    Parameters
    ----------
    given : dataclass
        What a function was called with. What its fields for files are is said by :data:`OUTPUTS`; every other
        text, path or image may be of a file that is read.

    Raises
    ------
    UsageError
        What is no path.
    OutputError
        Nothing was read or written.
    """
    read = {word: _file_of(each) for word, each in vars(given).items() if word not in {*OUTPUTS, "name"}}
    check_apart(outputs_of(given), [Named(path, f"{word}={path!r}") for word, path in read.items() if path])


def outputs_of(given: object) -> list[Named]:
    """Return every file that is to be written, journals among them.

    Raises
    ------
    UsageError
        What is no path.
    OutputError
        As of :func:`dicecli.reports.writing.followed`.
    """
    values = vars(given)
    outputs = {word: texts(word, values[word]) for word in OUTPUTS if word in values}
    written = [Named(path, f"{word}={path!r}") for word, paths in outputs.items() for path in paths]
    if "resume" in values:
        journals = (each for path in outputs["output"][:1] for each in journals_of(path))
        written += [Named(path, f"the journal {path}") for path in journals]
    return written


def _file_of(given: object) -> str | None:
    """Return the file that a value is, or an image was opened from; None of anything else."""
    if isinstance(given, (str, PathLike)):
        path = os.fspath(given)
    elif hasattr(given, "dataobj") and hasattr(given, "get_filename"):
        path = given.get_filename()
    else:
        path = getattr(given, "filename", None)
    return path if isinstance(path, str) else None


def asking(given: Given) -> Given:
    """Return what was given, with the options that have a run measure what its files are made of."""
    asked: dict[str, Any] = {
        its.asks: True for part, its in PARTS.items() if its.asks and getattr(given, part, None)
    }
    return replace(given, **asked)


def files_of(given: Files, reads: Reads) -> list[Target]:
    """Plan every file that is asked for; its keyword is the name of its part, and ``output`` the report's.

    Raises
    ------
    UsageError
        What is no path, or a part that runs of this kind do not have.
    OutputError
        No such form, or a place that cannot be written to.
    """
    found = []
    for part, its in PARTS.items():
        word = "output" if part == "report" else part
        paths = texts(word, getattr(given, word, None))
        if paths and reads not in its.reads:
            kind = CALLED[its.reads[0]]
            raise UsageError(f"{word} is for {kind}, and these are {CALLED[reads]}", "Leave it out.")
        found += planned(paths, part, reads, word)
    return found


def gates_of(given: Judged) -> Gates:
    """Parse the gates, and read what is to be compared with.

    Raises
    ------
    UsageError
        A gate that is not understood, or a drop without a baseline.
    """
    names = ("fail_under", "fail_over", "max_drop")
    return Gates(baseline=_earlier(given), **{name: texts(name, getattr(given, name)) for name in names})


def baseline_of(given: Files) -> Baseline:
    """Read what is to be compared with.

    Raises
    ------
    UsageError
        The file is missing, or no such record.
    """
    return Baseline(_earlier(given))


def _earlier(given: Files) -> str | Report | None:
    """Return the earlier run that was given: a report, or the path of its JSON."""
    found = given.baseline
    if found is None or isinstance(found, Report):
        return found
    (path,) = texts("baseline", found) or [""]
    return path


def texts(name: str, given: object) -> list[str]:
    """Return what is one value or several as texts.

    Raises
    ------
    UsageError
        It is neither a text, a path, a number nor several of them.
    """
    if given is None:
        return []
    one = [given] if isinstance(given, (str, PathLike, float, int)) else given
    try:
        several = list(one) if isinstance(one, Iterable) else [None]
    except TypeError:  # an array of one value is no list
        several = [None]
    if not all(isinstance(each, (str, PathLike, float, int)) for each in several):
        raise UsageError(f"{name} is {given!r}", "Give a text, or a list of texts.")
    return [os.fspath(each) if isinstance(each, PathLike) else str(each) for each in several]


def ending(stopped: Stopped) -> BaseException:
    """Return what to raise where a run was stopped: the interrupt once more, or the error of the case."""
    if stopped.cause is not None:
        return type(stopped.cause)(*stopped.cause.args)
    return stopped.report.failed[0].as_error()


def written(report: Report, files: Sequence[Target], baseline: Baseline) -> Report:
    """Compare the report on one case, write it, and return it.

    Raises
    ------
    CaseError
        The case has no numbers as they were asked for.
    GateError
        It cannot be compared.
    OutputError
        A file cannot be written.
    """
    for failed in report.failed:
        raise CaseError(failed.message, failed.hint)
    try:
        baseline.compare(report)
    finally:
        refusal = write_all(report, files)
    if refusal is not None:
        raise refusal
    return report
