"""``dicecli explain``: what a number of a report is."""

from __future__ import annotations

import textwrap

import click

from dicecli.cli import options as shared
from dicecli.cli.completing import numbers
from dicecli.cli.helping import OptionsCommand
from dicecli.cli.terminal import prose
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
    mean over cases), as gates name them. Without one: the averages that lead, and what every average is. Of
    several, those that there are come first, then why another one is none.
    """
    from dicecli.reports.explaining import explained, leading, meanings
    from dicecli.reports.reading_back import read_report

    report = read_report(file)
    shown, refused = [], None
    for name in names or leading(report):
        try:
            shown.append(_lines(name, explained(report, name)))
        except UsageError as error:
            refused = refused or error
    if not names:
        shown.append(_lines("what the numbers mean", meanings(report)))
    if shown:
        click.echo("\n\n".join(shown))
    if refused is not None:
        raise refused


def _lines(title: str, pairs: list[tuple[str, str]]) -> str:
    lines = [click.style(inert(title), bold=True)]
    indent = max(11, *(len(key) + 2 for key, _ in pairs))
    for key, value in pairs:
        lines += textwrap.wrap(
            inert(value), prose(), initial_indent=f"{key:<{indent}}", subsequent_indent=" " * indent
        )
    return "\n".join(lines)
