"""Where reports go: standard output, and the files that ``-o`` and other options name."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dicecli.cli.choices import PluginChoice
from dicecli.cli.options import SharedOption, adding
from dicecli.cli.streams import to_nowhere
from dicecli.errors import CaseError, OutputError, UsageError
from dicecli.plugins import by_suffix, can, having, load, own, suffixes
from dicecli.records.cases import Failed
from dicecli.reports import writing
from dicecli.reports.look import Look
from dicecli.reports.parts import PARTS
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from dicecli.cli.options import Command
    from dicecli.records.settings import Reads
    from dicecli.reports.look import Part
    from dicecli.reports.report import Report


#: Exporters of the folder that render no whole report.
PICTURES = ("png",)


def formatting(*reads: Reads) -> Callable[[Command], Command]:
    """Add the options on what is printed, and a repeatable one for files of each part of a report.

    Parameters
    ----------
    *reads : {"labels", "probabilities"}
        What predictions are read as in the runs of this command.
    """
    forms = tuple(each for each in own("exporters") if each not in PICTURES)
    made = [
        click.option(
            "-f",
            "--format",
            "format_name",
            type=PluginChoice("exporters", forms),
            default="table",
            show_default=True,
            help="What standard output gets.",
        )
    ]
    for name, part in PARTS.items():
        if {*part.reads} & {*reads}:
            long = ("-o", "--output") if name == "report" else (part.option,)
            made.append(
                click.option(
                    *long,
                    _of(name),
                    cls=SharedOption,
                    reads=part.reads,
                    metavar="FILE",
                    multiple=True,
                    help=f"{part.says} Repeatable.",
                )
            )
    return adding(made)


def _of(part: Part) -> str:
    """Return the name that click gives the files of a part."""
    return "outputs" if part == "report" else part


def check_printable(name: str) -> None:
    """Check that there is a report of this form, and not a part of it alone.

    Raises
    ------
    UsageError
    """
    if not can(load("exporters", name), "report"):
        known = having("exporters", "report")
        raise UsageError(f"{name} is no form of a whole report", f"Give one of {', '.join(known)}.")


def planned(paths: Iterable[str], part: Part = "report") -> list[Target]:
    """Find the exporter of every output file by its suffix, and test that it can be written.

    Raises
    ------
    OutputError
        A suffix that no exporter has which renders this part, or a place that cannot be written to; a package
        that the exporter needs is not installed.
    """
    found = []
    for path in paths:
        suffix = Path(path).suffix.lower()
        exporter = by_suffix("exporters", suffix, part)
        if exporter is None:
            raise OutputError(
                f"{path}: no {PARTS[part].called} has the suffix '{suffix}'",
                f"The format goes by the suffix: {', '.join(suffixes('exporters', part))}.",
            )
        if can(exporter, "check"):
            exporter.check(part)
        writing.check_writable(path)
        found.append(Target(path, part, exporter))
    return found


class Target(NamedTuple):
    """A file to be written: a part of the report, by an exporter."""

    path: str
    part: Part
    exporter: ModuleType

    def content(self, report: Report) -> str | bytes:
        """Render the part."""
        found: str | bytes = self.exporter.render(report, self.part, Look(verbose=True))
        return found


def planned_files(options: dict[str, Any], report: Report | None = None) -> list[Target]:
    """Plan every file that the options of :func:`formatting` name, and take these out.

    Parameters
    ----------
    options : dict
        Of a command.
    report : Report, optional
        Where there is one already, it is checked that it has the parts.

    Raises
    ------
    OutputError
        As of :func:`planned`.
    UsageError
        The report has no such part.
    """
    found = []
    for name, part in PARTS.items():
        paths = options.pop(_of(name), ())
        if paths and report is not None:
            part.check(report)
        elif paths and part.asks is not None:
            options[part.asks] = True
        found += planned(paths, name)
    return found


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


def print_report(report: Report, name: str, *, verbose: bool) -> None:
    """Print the report to standard output, as wide and coloured as the terminal allows."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    text = report.render(name, "report", Look(width, is_terminal, verbose))
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        to_nowhere(sys.stdout.fileno())
        if error.errno not in {errno.EPIPE, errno.EINVAL}:
            raise OutputError(
                f"standard output cannot be written: {error.strerror}", "Write to a file with space: -o FILE."
            ) from error


def show_case(
    report: Report, files: Iterable[Target], format_name: str, *, verbose: bool, quiet: bool
) -> None:
    """Write and print the report on one case; its notes go to standard error where they do not stand in it.

    Raises
    ------
    OutputError
        A file or standard output cannot be written.
    CaseError
        The case could not be scored.
    """
    (result,) = report.results
    refusal = write_all(report, files)
    if format_name != "table" or not isinstance(result, Failed):
        print_report(report, format_name, verbose=verbose)
    if refusal is not None:
        raise refusal
    if isinstance(result, Failed):
        raise CaseError(result.message, result.hint)
    if format_name in {"csv", "json"} and not quiet:
        for note in report.case(result).notes:
            click.echo(f"Note: {inert(note)}", err=True)
