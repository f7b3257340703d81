"""The configuration file that a command obeys: as options, as defaults of its others, and as notes."""

from __future__ import annotations

import shlex
from importlib import import_module
from typing import TYPE_CHECKING

import click

from dicecli.cli.choices import FilePath
from dicecli.cli.helping import about, adding
from dicecli.cli.origins import from_here, obeying, passing
from dicecli.errors import UsageError
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.cli.configuration import OptionKind
    from dicecli.cli.helping import Command
    from dicecli.cli.searching import Search

#: By these words the context of a command knows what was given, and what came of it.
_NAMED, _NONE, _FOUND = "dicecli.named", "dicecli.none", "dicecli.found"


def searched(ctx: click.Context) -> Search:
    """Return which configuration file a command obeys, and which it does not."""
    found: Search = ctx.meta[_FOUND]
    return found


def configured(command: Command) -> Command:
    """Add the options on the configuration file, which gives the defaults of the command's others."""
    return adding(
        [
            about(
                "running",
                "--config",
                metavar="FILE",
                type=FilePath(),
                is_eager=True,
                expose_value=False,
                callback=_named,
                help="Take options from this file, whoever owns it.",
                shown="dicecli.toml or pyproject.toml of this user, of this folder or above: up to the "
                "repository's root or the home folder",
            ),
            about(
                "running",
                "--no-config",
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_none,
                help="Take options from no file.",
            ),
        ]
    )(command)


def _none(ctx: click.Context, _: click.Parameter, wanted: bool) -> None:
    """Take note that no file is to be obeyed; given, this comes before the callback of what is not given."""
    if wanted and not ctx.resilient_parsing:
        ctx.meta[_NONE] = True
        _check_one(ctx)


def _named(ctx: click.Context, _: click.Parameter, path: str | None) -> None:
    """Let the file that is named, or found, give the defaults of the command."""
    if ctx.resilient_parsing:  # a shell that completes a line calls nothing
        return
    ctx.meta[_NAMED] = path
    _check_one(ctx)
    searching = import_module("dicecli.cli.searching")
    found = searching.Search() if ctx.meta.get(_NONE) else searching.search(path)
    ctx.meta[_FOUND] = found
    passing(ctx, ((each.path, each.why, each.has_gates) for each in found.passed if each.is_near))
    _take(ctx, found)


def _check_one(ctx: click.Context) -> None:
    if ctx.meta.get(_NONE) and ctx.meta.get(_NAMED) is not None:
        raise UsageError("--config and --no-config are given, and say two things", "Leave one of them out.")


def _take(ctx: click.Context, found: Search) -> None:
    """Take the defaults of the command out of the file, and say so; of 'config' that is its output."""
    defaults = import_module("dicecli.cli.defaults")
    name = str(ctx.command.name)
    if name in defaults.COMMANDS:
        _say_not_obeyed(found)
    values = defaults.defaults(name, found.path)
    if values:
        ctx.default_map = values
        obeying(ctx, found.path)
        # Also with --quiet: what was not asked for in so many words is to be seen.
        kinds = defaults.kinds(name)
        keys = ", ".join(sorted(_told(kinds[each], value) for each, value in values.items()))
        click.echo(f"Note: options from {inert(str(found.path))}: {inert(keys)}", err=True)


def _told(kind: OptionKind, value: object) -> str:
    """Return the key of an option; of one that names outputs with the files that are written."""
    files = value if kind.is_output and isinstance(value, list) else ()
    return " ".join([kind.long, " and ".join(map(from_here, files))]).rstrip()


def _say_not_obeyed(found: Search) -> None:
    """Say, also with --quiet, which files might be taken for obeyed: near ones, and an own one further up."""
    above = [each for each in found.passed if each.is_own and not each.is_near]
    for each in (*(each for each in found.passed if each.is_near), *above[:1]):
        gates = "its gates do not hold; " * each.has_gates
        how = f"--config {shlex.quote(str(each.path))} obeys it"
        click.echo(f"Note: {inert(f'{each.path} is not obeyed: {each.why}; {gates}{how}')}", err=True)
