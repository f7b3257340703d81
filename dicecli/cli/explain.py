"""``dicecli explain``: what a number of a report is."""

from __future__ import annotations

import textwrap

import click

from dicecli.cli import options as shared
from dicecli.cli.completing import numbers
from dicecli.cli.helping import OptionsCommand
from dicecli.errors import UsageError
from dicecli.reports.text import inert

_EPILOG = """\b
Examples:
  dicecli explain results.json
  dicecli explain results.json 'dice[1]' 'dice[1]@label-mean' iou@micro
"""


@click.command("explain", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("file", metavar="RESULTS.json", type=shared.MASK)
@click.argument("names", metavar="[NUMBER]...", nargs=-1, shell_complete=numbers)
def command(file: str, names: tuple[str, ...]) -> None:
    """Say what a number of a report is: its value, its metric, over what it was averaged.

    A NUMBER is METRIC, METRIC@AVERAGE, METRIC[LABEL] (pooled over cases) or METRIC[LABEL]@label-mean (the
    mean over cases), as gates name them; without one, the averages that lead. Of several, those that
    there are come first, then why another one is none.
    """
    from dicecli.reports.explaining import explained, leading
    from dicecli.reports.reading_back import read_report

    report = read_report(file)
    shown, refused = [], None
    for name in names or leading(report):
        lines = [click.style(inert(name), bold=True)]
        try:
            facts = explained(report, name)
        except UsageError as error:
            refused = refused or error
            continue
        for key, value in facts:
            lines += textwrap.wrap(inert(value), 79, initial_indent=f"{key:<11}", subsequent_indent=" " * 11)
        shown.append("\n".join(lines))
    if shown:
        click.echo("\n\n".join(shown))
    if refused is not None:
        raise refused
