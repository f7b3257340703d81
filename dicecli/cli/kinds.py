"""Which options, and which metrics of a file, go with what a run reads: others are refused, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli.options import SharedOption
from dicecli.errors import UsageError
from dicecli.records.settings import CALLED
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.records.settings import Reads

_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def leave_others(ctx: click.Context, options: dict[str, Any], reads: Reads) -> None:
    """Take the options out that a run which reads labels, or probabilities, does not have.

    Raises
    ------
    UsageError
        One of them was given on the command line.
    """
    others = {
        each.name or "": max(each.opts, key=len)
        for each in ctx.command.params
        if isinstance(each, SharedOption) and reads not in each.reads
    }
    soft = reads == "probabilities"
    given = [long for name, long in others.items() if ctx.get_parameter_source(name) in _GIVEN]
    if given:
        hint = f"Leave it out, or {'leave out' if soft else 'add'} --soft."
        other = CALLED["labels" if soft else "probabilities"]
        raise UsageError(f"{', '.join(given)} {'is' if len(given) == 1 else 'are'} for {other}", hint)
    kept = [
        long for name, long in others.items() if ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP
    ]
    if kept and soft:
        click.echo(f"Note: not used with --soft: {', '.join(kept)}, of the configuration file", err=True)
    for name in others:
        del options[name]


def leave_other_metrics(ctx: click.Context, options: dict[str, Any], reads: Reads, *, quiet: bool) -> None:
    """Leave the metrics of a configuration file out that are of the other kind; a note says which.

    Raises
    ------
    UnknownName
        The file names a metric that there is not.
    """
    if ctx.get_parameter_source("metrics") is not ParameterSource.DEFAULT_MAP:
        return
    from dicecli.metrics._catalogue import resolve

    given = options["metrics"]
    kept = tuple(each for each in given if each.strip().lower() == "all" or resolve(each).reads == reads)
    left = [each for each in given if each not in kept]
    if left and not quiet:
        said = f"these are {CALLED[reads]}; not used: {', '.join(left)}, of the configuration file"
        click.echo(f"Note: {inert(said)}", err=True)
    options["metrics"] = kept
