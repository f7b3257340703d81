"""An option that a command does not have: which one is meant, or which command has it."""

from __future__ import annotations

import click

from dicecli.errors import UnknownName
from dicecli.records.elsewhere import typed
from dicecli.words import did_you_mean, file_meant, plain


def no_option(ctx: click.Context, option: str, said: list[str]) -> UnknownName:
    """Make the error of an option that a command does not have: the one that is meant, or who has it."""
    own = {name: each for each in ctx.command.get_params(ctx) for name in each.opts if name.startswith("--")}
    how = f"'{ctx.command_path} --help-all' lists every one."
    homes = [f"'{ctx.find_root().info_name} {name}'" for name in _commands_with(option, ctx)]
    keywords = {each.name or "": long for long, each in own.items()} | {_keyword(long): long for long in own}
    file = file_meant(option, said)
    elsewhere = typed(plain(_keyword(option)), keywords)
    if homes:
        hint = f"{' and '.join(homes)} {'has' if len(homes) == 1 else 'have'} it. {how}"
    elif elsewhere:
        hint = f"Here it is {elsewhere}. {how}"
    elif file:
        hint = f"If the file of that name is meant, write {file}. {how}"
    else:
        hint = f"{did_you_mean(option, own)}{how}"
    return UnknownName(f"there is no option '{option}' of '{ctx.command_path}'", hint)


def _commands_with(option: str, ctx: click.Context) -> list[str]:
    """Return the other commands that have an option."""
    group = None if ctx.parent is None else ctx.parent.command
    if not isinstance(group, click.Group):
        return []
    every = {name: group.get_command(ctx, name) for name in group.list_commands(ctx)}
    return [name for name, each in every.items() if each and any(option in one.opts for one in each.params)]


def _keyword(option: str) -> str:
    return option.lstrip("-").replace("-", "_")
