"""Which options, and which metrics of a file, go with what a run reads: others are refused, or left out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli.helping import SharedOption
from dicecli.cli.origins import is_of_file
from dicecli.errors import UsageError
from dicecli.records.settings import CALLED
from dicecli.reports.parts import PARTS
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.records.settings import Reads

#: The options whose words are metrics, or numbers of some.
OF_METRICS = ("metrics", "fail_under", "fail_over", "max_drop")
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


def leave_others_of_file(ctx: click.Context, options: dict[str, Any], reads: Reads, *, quiet: bool) -> None:
    """Leave out what a configuration file has of the other kind: metrics, gates, parts; a note says which.

    A baseline of the file goes where none of the file's drops is left.

    Raises
    ------
    UnknownName
        The file names a metric that there is not.
    GateError
        The file has a gate that is none.
    """
    left = []
    for name in OF_METRICS:
        if name in options and is_of_file(ctx, name):
            kept = tuple(each for each in options[name] if kind_of(name, each, reads) == reads)
            left += [each for each in options[name] if each not in kept]
            options[name] = kept
    if left and options.get("baseline") and not options.get("max_drop") and is_of_file(ctx, "baseline"):
        left.append(f"baseline {options['baseline']}")
        options["baseline"] = None
    for part, each in PARTS.items():
        if reads not in each.reads and options.get(part) and is_of_file(ctx, part):
            left += [f"{each.option.strip('-')} {path}" for path in options[part]]
            options[part] = ()
    if left and not quiet:
        said = f"these are {CALLED[reads]}; not used: {', '.join(left)}, of the configuration file"
        click.echo(f"Note: {inert(said)}", err=True)


def kind_of(name: str, text: str, reads: Reads) -> Reads:
    """Return what a metric, or that of a gate, is of; `reads` where it may be of both.

    Raises
    ------
    UnknownName
        There is no such metric.
    GateError
        It is no gate.
    """
    from dicecli.reports import gates
    from dicecli.reports.comparison import drops
    from dicecli.runs.choosing import kind_of_word

    if name == "metrics":
        return kind_of_word(text) or reads
    if name == "max_drop":
        return drops.parse_drop(text, reads).metric.reads
    return gates.parse(text, over=name == "fail_over").metric.reads
