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
    """A file to be written: a part of the report, by an exporter."""

    path: str
    part: Part
    exporter: ModuleType

    def content(self, report: Report) -> str | bytes:
        """Render the part."""
        found: str | bytes = self.exporter.render(report, self.part, Look(verbose=True))
        return found


def planned(paths: Iterable[str], part: Part = "report", reads: Reads = "labels") -> list[Target]:
    """Find the exporter of every output file by its suffix, and test that it can be written.

    Raises
    ------
    OutputError
        A suffix that no exporter has which renders this part, several files with commas between them, or a
        place that cannot be written to; a package that the exporter needs is not installed.
    UsageError
        An exporter is of masks alone, and probabilities are read.
    """
    found = []
    for path in paths:
        _check_is_one(path, part)
        suffix = _suffix(path, part)
        exporter = by_suffix("exporters", suffix, part)
        if exporter is None:
            known = suffixes("exporters", part)
            raise OutputError(
                f"{path}: no {PARTS[part].called} has the suffix '{suffix}'",
                f"{did_you_mean(suffix, known)}The format goes by the suffix: {', '.join(known)}.",
            )
        check_reads(path, exporter, reads)
        if can(exporter, "check"):
            exporter.check(part)
        writing.check_writable(path)
        found.append(Target(path, part, exporter))
    return found


def _check_is_one(path: str, part: Part) -> None:
    """Check that a path is no list: none of its commas follows the suffix of an exporter.

    Raises
    ------
    OutputError
    """
    first, *others = (each.strip() for each in path.split(","))
    if others and first.lower().endswith(suffixes("exporters", part, of_folder=True)):
        each, option = [first, *filter(None, others)], PARTS[part].option
        word = "output" if part == "report" else part
        raise OutputError(
            f"{path}: this is a list of files, and one is expected",
            f"Repeat the option: {' '.join(f'{option} {shlex.quote(one)}' for one in each)}; in Python "
            f"{word}={each}.",
        )


def _suffix(path: str, part: Part) -> str:
    """Return the longest suffix of a path that an exporter has: .nnunet.json before .json."""
    name = Path(path).name.lower()
    known = [each for each in suffixes("exporters", part, of_folder=True) if name.endswith(each)]
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
