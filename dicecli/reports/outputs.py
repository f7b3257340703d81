"""Files of a report: planned before the work by their suffixes, written after it."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import OutputError, UsageError
from dicecli.plugins import by_suffix, can, suffixes
from dicecli.reports import writing
from dicecli.reports.look import Look
from dicecli.reports.parts import PARTS, check_reads
from dicecli.words import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import ModuleType

    from dicecli.records.settings import Reads
    from dicecli.reports.look import Part
    from dicecli.reports.report import Report


class Target(NamedTuple):
    """A file to be written: a part of the report, by an exporter.

    Attributes
    ----------
    path : str
    part : str
    exporter : module
    called : str
        What asked for it, as messages say it.
    option : str
        Of one that a file of options names: the option that names another one.
    """

    path: str
    part: Part
    exporter: ModuleType
    called: str
    option: str = ""

    def content(self, report: Report) -> str | bytes:
        """Render the part."""
        found: str | bytes = self.exporter.render(report, self.part, Look(verbose=True))
        return found


def planned(
    paths: Iterable[str], part: Part = "report", reads: Reads = "labels", word: str | None = None
) -> list[Target]:
    """Find the exporter of every output file by its suffix, and test that it can be written.

    Messages call it by its option; where Python asked for it, by the keyword `word`.

    Raises
    ------
    OutputError
        A suffix that no exporter has which renders this part, several files with commas between them, or a
        place that cannot be written to; a package that the exporter needs is not installed.
    UsageError
        An exporter is of masks alone, and probabilities are read.
    """
    found, its = [], PARTS[part]
    for path in paths:
        exporter = exporter_of(path, part, its.called, its.option, "output" if part == "report" else part)
        check_reads(path, exporter, reads)
        if can(exporter, "check"):
            exporter.check(part)
        writing.check_writable(path)
        called = f"{its.option} {path}" if word is None else f"{word}={path!r}"
        found.append(Target(path, part, exporter, called))
    return found


def exporter_of(path: str, what: str, called: str, option: str = "-o", word: str = "output") -> ModuleType:
    """Find the exporter of an output file by its suffix.

    Parameters
    ----------
    path : str
    what : str
        The part that it must render, or the function that it must have.
    called : str
        What such a file is called in messages.
    option, word : str, optional
        What asks for it on the command line and in Python.

    Raises
    ------
    OutputError
        A suffix that no such exporter has, or several files with commas between them.
    """
    _check_is_one(path, what, option, word)
    suffix = _suffix(path, what)
    exporter = by_suffix("exporters", suffix, what)
    if exporter is None:
        known = suffixes("exporters", what)
        raise OutputError(
            f"{path}: no {called} has the suffix '{suffix}'",
            f"{did_you_mean(suffix, known)}The format goes by the suffix: {', '.join(known)}.",
        )
    return exporter


def _check_is_one(path: str, what: str, option: str, word: str) -> None:
    """Check that a path is no list: none of its commas follows the suffix of an exporter.

    Raises
    ------
    OutputError
    """
    first, *others = (each.strip() for each in path.split(","))
    if others and first.lower().endswith(suffixes("exporters", what, of_folder=True)):
        each = [first, *filter(None, others)]
        raise OutputError(
            f"{path}: this is a list of files, and one is expected",
            f"Repeat the option: {' '.join(f'{option} {shlex.quote(one)}' for one in each)}; in Python "
            f"{word}={each}.",
        )


def _suffix(path: str, what: str) -> str:
    """Return the longest suffix of a path that an exporter has: .nnunet.json before .json."""
    name = Path(path).name.lower()
    known = [each for each in suffixes("exporters", what, of_folder=True) if name.endswith(each)]
    return max(known, key=len, default=Path(name).suffix)


def write_all(report: Report, files: Iterable[Target]) -> UsageError | None:
    """Write the report to every planned file; one that fails costs no other.

    Returns
    -------
    UsageError or None
        The first refusal, for the caller to raise once the report is printed: what was counted is not to be
        lost with a file. A file cannot be written, or the report turns out to have no such part.
    """
    refusals: list[UsageError] = []
    for target in files:
        if PARTS[target.part].needs_numbers and not report.scored and not report.is_batch:
            continue  # there is nothing to show of a case without numbers, which is an error of its own
        try:
            writing.write(target.path, target.content(report))
        except UsageError as error:
            refusals.append(error)
    return refusals[0] if refusals else None
