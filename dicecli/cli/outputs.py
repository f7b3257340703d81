"""Where reports go: standard output, and the files that ``-o`` names."""

from __future__ import annotations

import errno
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicecli import output
from dicecli.cli.streams import to_nowhere
from dicecli.errors import OutputError
from dicecli.plugins import load, names

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicecli.scores import Report


def formatting(command: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options on what is printed and written."""
    for option in (
        click.option(
            "--summary",
            metavar="FILE",
            help="Write the summary alone to FILE: .csv, .json or .md.",
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
            type=click.Choice(names("exporters")),
            default="table",
            show_default=True,
            help="What standard output gets.",
        ),
    ):
        command = option(command)
    return command


def planned(paths: Iterable[str]) -> dict[str, Any]:
    """Find the exporter of every output file by its suffix, and test that it can be written.

    Raises
    ------
    OutputError
        A suffix that no report has, or a place that cannot be written to.
    """
    found = {}
    for path in paths:
        suffix = Path(path).suffix.lower()
        exporters = [load("exporters", name) for name in names("exporters")]
        exporter = next((each for each in exporters if suffix in each.SUFFIXES), None)
        if exporter is None:
            known = ", ".join(sorted(each for exporter in exporters for each in exporter.SUFFIXES))
            raise OutputError(
                f"{path}: no report has the suffix '{suffix}'", f"The format goes by the suffix: {known}."
            )
        output.check_writable(path)
        found[path] = exporter
    return found


def planned_summary(path: str | None) -> tuple[str, Any] | None:
    """Find the exporter of the summary file, and test that it can be written.

    Raises
    ------
    OutputError
        A suffix that no summary has, or a place that cannot be written to.
    """
    if path is None:
        return None
    ((_, exporter),) = planned([path]).items()
    if not hasattr(exporter, "render_summary"):
        raise OutputError(f"{path}: no summary has this suffix", "Give .csv, .json or .md.")
    return path, exporter


def write_all(
    report: Report, files: dict[str, Any], summary: tuple[str, Any] | None = None
) -> OutputError | None:
    """Write the report to every planned file, and its summary to that file; one that fails costs no other.

    Returns
    -------
    OutputError or None
        The first refusal, for the caller to raise once the report is printed: what was counted is not to be
        lost with a file.
    """
    refusals = []
    planned_ones = [(path, exporter, False) for path, exporter in files.items()]
    for path, exporter, is_summary in [*planned_ones, *([(*summary, True)] if summary else [])]:
        text = exporter.render_summary(report) if is_summary else exporter.render(report, verbose=True)
        try:
            output.write(path, text)
        except OutputError as error:
            refusals.append(error)
    return refusals[0] if refusals else None


def print_report(report: Report, name: str, *, verbose: bool) -> None:
    """Print the report to standard output, as wide and coloured as the terminal allows."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    text = load("exporters", name).render(report, width=width, colour=is_terminal, verbose=verbose)
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        to_nowhere(sys.stdout.fileno())
        if error.errno not in {errno.EPIPE, errno.EINVAL}:
            raise OutputError(
                f"standard output cannot be written: {error.strerror}", "Write to a file with space: -o FILE."
            ) from error
