"""Where reports go: standard output, and the files that ``-o`` names."""

from __future__ import annotations

import errno
import shutil
import sys
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli.choices import PluginChoice
from dicecli.cli.streams import to_nowhere
from dicecli.errors import OutputError, UsageError
from dicecli.plugins import by_suffix, having, load, suffixes, with_others
from dicecli.reports import output

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from dicecli.reports.soft.report import SoftReport


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
            type=PluginChoice("exporters"),
            default="table",
            show_default=True,
            help="What standard output gets.",
        ),
    ):
        command = option(command)
    return command


def check_printable(name: str) -> None:
    """Make sure that probability maps have a report of this form.

    Raises
    ------
    UsageError
    """
    if not hasattr(load("exporters", name), "render_soft"):
        known = having("exporters", "render_soft")
        raise UsageError(
            f"probability maps have no report in the form {name}", f"Give one of {', '.join(known)}."
        )


def planned(paths: Iterable[str], function: str = "render") -> dict[str, Any]:
    """Find the exporter of every output file by its suffix, and test that it can be written.

    Only exporters that have the `function` by which the report is to be rendered count.

    Raises
    ------
    OutputError
        A suffix that no report has, or a place that cannot be written to.
    """
    found = {}
    for path in paths:
        suffix = Path(path).suffix.lower()
        exporter = by_suffix("exporters", suffix, function)
        if exporter is None:
            known = ", ".join(suffixes("exporters", function))
            raise OutputError(
                f"{path}: no report has the suffix '{suffix}'", f"The format goes by the suffix: {known}."
            )
        output.check_writable(path)
        found[path] = exporter
    return found


def planned_summary(path: str | None, function: str = "render_summary") -> tuple[str, Any] | None:
    """Find the exporter of the summary file, and test that it can be written.

    Raises
    ------
    OutputError
        A suffix that no summary has, or a place that cannot be written to.
    """
    if path is None:
        return None
    ((_, exporter),) = planned([path]).items()
    if not hasattr(exporter, function):
        hint = with_others("exporters", function, "Give .csv, .json or .md")
        raise OutputError(f"{path}: no summary has this suffix", f"{hint}.")
    return path, exporter


def planned_curve(path: str | None) -> str | None:
    """Test that a file of curves can be made and written.

    Raises
    ------
    OutputError
        Another suffix than .csv and .png, nothing to draw with, or a place that cannot be written to.
    """
    if path is None:
        return None
    suffix = Path(path).suffix.lower()
    if suffix not in {".csv", ".png"}:
        raise OutputError(f"{path}: no curve has the suffix '{suffix}'", "Give .csv or .png.")
    if suffix == ".png":
        from dicecli.reports.curves import check_plotting

        check_plotting()
    output.check_writable(path)
    return path


def write_all(
    report: Any,
    files: dict[str, Any],
    summary: tuple[str, Any] | None = None,
    curve: str | None = None,
) -> OutputError | None:
    """Write the report to every planned file, its summary and its curves; one that fails costs no other.

    Returns
    -------
    OutputError or None
        The first refusal, for the caller to raise once the report is printed: what was counted is not to be
        lost with a file.
    """
    kind = "render" if report.settings.soft is None else "render_soft"
    contents = {path: partial(getattr(each, kind), report, verbose=True) for path, each in files.items()}
    if summary is not None:
        contents[summary[0]] = partial(getattr(summary[1], f"{kind}_summary"), report)
    if curve is not None:
        contents[curve] = partial(_curve, report, Path(curve).suffix.lower())
    refusals = []
    for path, content in contents.items():
        try:
            output.write(path, content())
        except OutputError as error:
            refusals.append(error)
    return refusals[0] if refusals else None


def _curve(report: SoftReport, suffix: str) -> str | bytes:
    """Render the curves of a report, over all of its cases."""
    if suffix == ".png":
        from dicecli.reports.curves import curves_png

        return curves_png(report.curves())
    from dicecli.reports.soft.record import CURVE, curve_rows

    text: str = load("exporters", "csv").written(CURVE, curve_rows(report))
    return text


def print_report(report: Any, name: str, *, verbose: bool) -> None:
    """Print the report to standard output, as wide and coloured as the terminal allows."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    exporter = load("exporters", name)
    render = exporter.render if report.settings.soft is None else exporter.render_soft
    text = render(report, width=width, colour=is_terminal, verbose=verbose)
    try:
        click.echo(text, nl=False)
        sys.stdout.flush()
    except OSError as error:
        to_nowhere(sys.stdout.fileno())
        if error.errno not in {errno.EPIPE, errno.EINVAL}:
            raise OutputError(
                f"standard output cannot be written: {error.strerror}", "Write to a file with space: -o FILE."
            ) from error
