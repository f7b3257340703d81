"""Where reports go: standard output, and the files that ``-o`` names."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dicecli import output
from dicecli.errors import OutputError
from dicecli.plugins import load, names

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.scores import Report


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


def write_all(report: Report, files: dict[str, Any]) -> None:
    """Write the report to every planned file."""
    for path, exporter in files.items():
        output.write(path, exporter.render(report, verbose=True))


def print_report(report: Report, name: str, *, verbose: bool) -> None:
    """Print the report to standard output, as wide and coloured as the terminal allows."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size((100, 24)).columns if is_terminal else 100
    text = load("exporters", name).render(report, width=width, colour=is_terminal, verbose=verbose)
    click.echo(text, nl=False)
