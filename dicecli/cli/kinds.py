"""Which options go with what a run reads: those of the other kind are refused, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli.options import SharedOption
from dicecli.errors import UsageError
from dicecli.records.settings import CALLED

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
