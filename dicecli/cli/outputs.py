"""Where reports go: standard output, and the files that ``-o`` and other options name."""

from __future__ import annotations

import errno
import sys
from contextlib import chdir, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli import terminal
from dicecli.cli.choices import OutputPath, PluginChoice
from dicecli.cli.completing import files
from dicecli.cli.helping import SharedOption, about, adding
from dicecli.cli.overwriting import given_as
from dicecli.cli.streams import to_nowhere
from dicecli.errors import CaseError, OutputError, UsageError
from dicecli.plugins import can, having, load, own
from dicecli.records.alike import near_there
from dicecli.records.cases import Failed
from dicecli.reports.look import Look
from dicecli.reports.outputs import planned, write_all
from dicecli.reports.parts import PARTS, check_reads
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicecli.cli.helping import Command
    from dicecli.records.settings import Reads
    from dicecli.reports.look import Part
    from dicecli.reports.outputs import Target
    from dicecli.reports.report import Report


#: Exporters of the folder that render no whole report.
PICTURES = ("png",)


def formatting(*reads: Reads, but: Part | None = None) -> Callable[[Command], Command]:
    """Add the options on what is printed, and a repeatable one for files of each part of a report.

    Parameters
    ----------
    *reads : {"labels", "probabilities"}
        What predictions are read as in the runs of this command.
    but : str, optional
        A part that its reports do not have.
    """
    forms = tuple(each for each in own("exporters") if each not in PICTURES)
    made = [
        about(
            "output",
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
        if {*part.reads} & {*reads} and name != but:
            long = ("-o", "--output") if name == "report" else (part.option,)
            made.append(
                click.option(
                    *long,
                    _of(name),
                    cls=SharedOption,
                    topic="output",
                    shell_complete=files,
                    reads=part.reads,
                    type=OutputPath(),
                    metavar="FILE",
                    multiple=True,
                    help=f"{part.says} Repeatable.",
                )
            )
    return adding(made)


def _of(part: Part) -> str:
    """Return the name that click gives the files of a part."""
    return "outputs" if part == "report" else part


def check_printable(name: str, reads: Reads) -> None:
    """Check that there is a report of this form, of what is read, and not a part of it alone.

    Raises
    ------
    UsageError
    """
    if not can(load("exporters", name), "report"):
        known = having("exporters", "report")
        raise UsageError(f"{name} is no form of a whole report", f"Give one of {', '.join(known)}.")
    check_reads(name, load("exporters", name), reads)


def planned_files(options: dict[str, Any], reads: Reads, report: Report | None = None) -> list[Target]:
    """Plan every file that the options of :func:`formatting` name, and take these out.

    Parameters
    ----------
    options : dict
        Of a command.
    reads : {"labels", "probabilities"}
        What predictions are read as.
    report : Report, optional
        Where there is one already, it is checked that it has the parts.

    Raises
    ------
    OutputError
        As of :func:`planned`.
    UsageError
        The report has no such part, or not of what is read.
    """
    found = []
    for name, part in PARTS.items():
        paths = options.pop(_of(name), ())
        if paths and report is not None:
            part.check(report)
        elif paths and part.asks is not None:
            options[part.asks] = True
        if any(path.lower().endswith(_pictures()) for path in paths):
            _load_what_draws()
        found += [_with_origin(each) for each in planned(paths, name, reads)]
    return found


def _with_origin(target: Target) -> Target:
    """Return a file with how it was given: on the command line, or by a configuration file."""
    ctx = click.get_current_context()
    (option,) = (each for each in ctx.command.params if each.name == _of(target.part))
    _, called, instead = given_as(ctx, option, target.path)
    return target._replace(called=called, option=instead)


def _pictures() -> tuple[str, ...]:
    return tuple(suffix for each in PICTURES for suffix in load("exporters", each).SUFFIXES)


def _load_what_draws() -> None:
    """Load matplotlib away from the current folder, whose matplotlibrc it would obey, whoever put it there.

    No other thread is there yet that minds where this process is. Python's hosts load it as they like.
    """
    with suppress(ImportError, OSError), chdir(Path(__file__).parent):
        import matplotlib  # noqa: F401, ICN001 - only so that it is loaded


def print_report(report: Report, name: str, *, verbose: bool) -> None:
    """Print the report to standard output, as wide and coloured as the terminal allows."""
    look = Look(terminal.width(), terminal.has_colour(), verbose)
    print_text(report.render(name, "report", look))


def print_text(text: str | bytes) -> None:
    """Print what was rendered to standard output.

    Raises
    ------
    OutputError
        Standard output cannot be written.
    """
    try:
        click.echo(text, nl=False, color=terminal.has_colour())
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
        case = result.case
        masks = (case.prediction, case.reference, case.within) if result.error == "Missing" else ()
        meant = next(filter(None, (near_there(str(each)) for each in masks if each is not None)), "")
        raise CaseError(result.message, f"{meant}{result.hint}")
    if format_name in {"csv", "json"} and not quiet:
        for note in report.case(result).notes:
            click.echo(f"Note: {inert(note)}", err=True)
