"""Options that a repository keeps in a file, as defaults of the command line."""

from __future__ import annotations

from dataclasses import replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli import configuration
from dicecli.cli.choices import OutputPath, PluginChoice, Several
from dicecli.cli.configuration import OptionKind
from dicecli.errors import ConfigError

if TYPE_CHECKING:
    from pathlib import Path

#: The commands that take options from the file; each takes those that it knows.
COMMANDS = ("score", "batch", "soft", "points", "report", "area", "inspect")
#: The commands that show again what others wrote, whose outputs a file names.
_AGAIN = ("report",)
#: Options of a single run, which in a file would concern every run; and those that lift what protects from
#: strangers' files, which no file may do.
_NOT_IN_A_FILE = {
    *("help", "dry-run", "resume", "scheduler", "schema", "config", "no-config"),
    *("prediction", "reference", "areas"),
    *("allow-same", "follow-links"),
}


def defaults(command: str, path: Path | None) -> dict[str, Any]:
    """Return what a configuration file says of a command's options; nothing without a file.

    Raises
    ------
    ConfigError
        The file cannot be understood, or has a key that no command knows.
    """
    if command not in COMMANDS or path is None:
        return {}
    try:
        own, known = _known(command)
        found = configuration.load(path, known, _NOT_IN_A_FILE)
    except ConfigError:
        # A name that is none of the project's may be one of an installed package: asking takes its time.
        own, known = _known(command, asking=True)
        found = configuration.load(path, known, _NOT_IN_A_FILE)
    # Of an option that commands share, a value that this one does not have is for the others.
    return {
        name: value
        for name, value in found.items()
        if name in own and _fits(value, own[name]) and not (own[name].is_output and command in _AGAIN)
    }


def _known(command: str, *, asking: bool = False) -> tuple[dict[str, OptionKind], dict[str, OptionKind]]:
    """Return a command's options by their names, and those of all commands by their long names."""
    by_command = {
        name: _options(import_module(f"dicecli.cli.{name}").command, asking=asking) for name in COMMANDS
    }
    known: dict[str, OptionKind] = {}
    for options in by_command.values():
        for name, kind in options.items():
            choices = (*known[name].choices, *kind.choices) if name in known else kind.choices
            known[name] = replace(kind, choices=tuple(dict.fromkeys(choices)))
    return {kind.name: kind for kind in by_command[command].values()}, known


def kinds(command: str) -> dict[str, OptionKind]:
    """Return what options take that may stand in a file, by the names that click gives their values."""
    options = _options(import_module(f"dicecli.cli.{command}").command)
    return {kind.name: kind for kind in options.values()}


def _fits(value: object, kind: OptionKind) -> bool:
    several = value if isinstance(value, list) else [value]
    return not kind.choices or all(each in kind.choices for each in several)


def in_a_file(command: click.Command) -> dict[str, click.Option]:
    """Return the options of a command that may stand in a file, by their long names."""
    found = {}
    for option in command.params:
        if isinstance(option, click.Option) and option.name is not None:
            long = next(name for name in option.opts if name.startswith("--")).removeprefix("--")
            if long not in _NOT_IN_A_FILE:
                found[long] = option
    return found


def _options(command: click.Command, *, asking: bool = False) -> dict[str, OptionKind]:
    return {long: _kind(long, option, asking=asking) for long, option in in_a_file(command).items()}


def _kind(long: str, option: click.Option, *, asking: bool) -> OptionKind:
    if asking and isinstance(option.type, PluginChoice):
        option.type.ask()
    numbers = {"integer": "integer", "integer range": "integer", "float": "number", "float range": "number"}
    return OptionKind(
        name=option.name or "",
        is_flag=bool(option.is_flag),
        is_multiple=bool(option.multiple),
        is_list=isinstance(option.type, Several),
        choices=tuple(option.type.choices) if isinstance(option.type, click.Choice) else (),
        type=numbers.get(option.type.name, "text"),  # type: ignore[arg-type]  # of the three it names
        is_path=isinstance(option.type, click.Path),
        is_output=isinstance(option.type, OutputPath),
        long=long,
    )
