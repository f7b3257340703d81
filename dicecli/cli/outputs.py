"""Where reports go: standard output, and the files that ``-o`` names."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from dicecli.cli.choices import PluginChoice
from dicecli.cli.streams import to_nowhere
from dicecli.errors import CaseError, OutputError, UsageError
from dicecli.plugins import by_suffix, can, having, load, suffixes
from dicecli.records.cases import Failed
from dicecli.reports import writing
from dicecli.reports.look import Look
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType

    from dicecli.reports.look import Part
    from dicecli.reports.report import Report


def formatting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options on what is printed and written."""
    for option in (
        click.option(
            "--summary",
            metavar="FILE",
            help="Write the summary alone to FILE: .csv, .json, .md or .txt.",
        ),
        click.option(
            "-o",
            "--output",
            "outputs",
            metavar="FILE",
            multiple=True,
            help="Write the report to FILE: .json, .csv, .md, .txt or .xml (JUnit). Repeatable.",
        ),
        click.option(
            "-f",
            "--format",
            "format_name",
            type=PluginChoice("exporters"),
            default="table",
            show_default=True,
            help="What standard output gets.",
        ),
    ):
        command = option(command)
    return command


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
        A suffix that no exporter has which renders this part, or a place that cannot be written to.
    """
    found = []
    words = {"report": "report", "summary": "summary", "curve": "curve"}
    for path in paths:
        suffix = Path(path).suffix.lower()
        exporter = by_suffix("exporters", suffix, part)
        if exporter is None and (part != "curve" or suffix != ".png"):
            known = [*suffixes("exporters", part), *([".png"] if part == "curve" else [])]
            raise OutputError(
                f"{path}: no {words[part]} has the suffix '{suffix}'",
                f"The format goes by the suffix: {', '.join(known)}.",
            )
        if exporter is None:
            from dicecli.reports.curves import check_plotting

            check_plotting()
        writing.check_writable(path)
        found.append(Target(path, part, exporter))
    return found


class Target(NamedTuple):
    """A file to be written: a part of the report, by an exporter; a picture where there is none."""

    path: str
    part: Part
    exporter: ModuleType | None

    def content(self, report: Report) -> str | bytes:
        """Render the part."""
        if self.exporter is None:
            from dicecli.reports.curves import curves_png

            return curves_png(report.curves())
        found: str | bytes = self.exporter.render(report, self.part, Look(verbose=True))
        return found


def planned_files(options: dict[str, Any]) -> list[Target]:
    """Plan every file that the options of :func:`formatting`, and that of curves, name.

    Raises
    ------
    OutputError
    """
    found = planned(options.pop("outputs"))
    for part in ("summary", "curve"):
        path = options.pop(part, None)
        found += planned([path], part) if path is not None else []
    return found


def write_all(report: Report, files: Iterable[Target]) -> OutputError | None:
    """Write the report to every planned file; one that fails costs no other.

    Returns
    -------
    OutputError or None
        The first refusal, for the caller to raise once the report is printed: what was counted is not to be
        lost with a file.
    """
    refusals = []
    for target in files:
        if target.part == "curve" and not report.scored and not report.is_batch:
            continue  # there is nothing to draw of a case without numbers, which is an error of its own
        try:
            writing.write(target.path, target.content(report))
        except OutputError as error:
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
