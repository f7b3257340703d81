"""``dicecli config``: the options in force, and where each came from."""

from __future__ import annotations

import json
import textwrap
from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

import click
from click.core import ParameterSource

from dicecli.cli.choices import WordChoice
from dicecli.cli.configuration import OWN, SHARED
from dicecli.cli.defaults import COMMANDS, defaults, in_a_file
from dicecli.cli.helping import OptionsCommand, SharedOption, about
from dicecli.cli.kinds import OF_METRICS, kind_of
from dicecli.cli.obeying import configured, searched
from dicecli.cli.options import settings_from
from dicecli.cli.terminal import prose
from dicecli.records.options import table_of
from dicecli.records.settings import KINDS
from dicecli.reports.text import inert, of_json

if TYPE_CHECKING:
    from pathlib import Path

    from dicecli.records.settings import Reads

_KEYS = 24
#: What sources are called, in the order in which they are shown; what is in none of them is a default.
_SOURCES = {ParameterSource.ENVIRONMENT: "environment", ParameterSource.DEFAULT_MAP: "file"}
#: Options whose values are texts with a meaning of their own, which needs no other option to be known.
_TEXTS = (
    "labels",
    "regions",
    "map_prediction",
    "map_reference",
    "tolerance",
    "boundary_width",
    "empty_distance",
    "max_memory",
)
_EPILOG = """\b
Examples:
  dicecli config
  dicecli config batch -f json
"""


class _InForce(NamedTuple):
    """An option of a command.

    Attributes
    ----------
    key : str
        Its long name.
    value : object
        As it is in force: JSON's types.
    words : str
        The same for people.
    source : {"environment", "file", "default"}
    """

    key: str
    value: object
    words: str
    source: str


@click.command("config", cls=OptionsCommand, epilog=_EPILOG)
@click.argument("command_name", metavar="[COMMAND]", required=False, type=WordChoice(COMMANDS))
@about(
    "output",
    "-f",
    "--format",
    "format_name",
    type=WordChoice(["table", "json"]),
    default="table",
    show_default=True,
    help="What standard output gets.",
)
@configured
@click.pass_context
def command(ctx: click.Context, /, command_name: str | None, format_name: str) -> None:
    """Show the options in force, and where each came from.

    Of every command that takes options from a configuration file, or of COMMAND alone; as it would be called
    in this folder without any option.
    """
    path, passed = searched(ctx).path, searched(ctx).passed
    names = [command_name] if command_name else COMMANDS
    found = {name: _in_force(name, defaults(name, path)) for name in names}
    if format_name == "json":
        commands = {
            name: {each.key: {"value": each.value, "from": each.source} for each in options}
            for name, options in found.items()
        }
        others = [{"file": str(each.path), "why": each.why} for each in passed]
        file = None if path is None else str(path)
        record = {"schema": 1, "file": file, "not_obeyed": others, "commands": commands}
        click.echo(of_json(json.dumps(record, indent=2)))
        return
    parts = ["\n".join(_lines(name, options, path)) for name, options in found.items()]
    told = [f"Not obeyed: {inert(str(each.path))}: {each.why}." for each in passed]
    if path is None:
        told.insert(0, f"No {OWN} is obeyed, and no {SHARED} with [tool.dicecli].")
    click.echo("\n\n".join(["\n".join(told), *parts] if told else parts))


def _in_force(name: str, said: dict[str, Any]) -> list[_InForce]:
    """Return the options of a command, as they are where a file says this of them and nothing is given."""
    of_name: click.Command = import_module(f"dicecli.cli.{name}").command
    context = click.Context(of_name, info_name=f"dicecli {name}", default_map=said)
    found, said_there = [], {}
    value: object
    for key, option in in_a_file(of_name).items():
        given, source = option.consume_value(context, {})
        if source in _SOURCES:
            given = option.type_cast_value(context, given)  # what the command would refuse is refused
            said_there[option.name or ""] = given
        # How click says that there is no default depends on its version.
        value = given if isinstance(given, (bool, int, float, str)) else None
        if option.multiple:
            value = list(given) if isinstance(given, (list, tuple)) else []
        shown = option.shown if isinstance(option, SharedOption) and source not in _SOURCES else None
        found.append(_InForce(key, value, shown or _words(value), _SOURCES.get(source, "default")))
    _check(name, said_there)
    return found


def _check(command: str, said: dict[str, Any]) -> None:
    """Check what a file or the environment says of a command as the command would: metrics, gates, labels.

    What goes together is left to the command, which may be given more.

    Raises
    ------
    UsageError
    """
    reads: Reads = "probabilities" if command == "soft" else "labels"
    for name in OF_METRICS:
        for text in said.get(name, ()):
            kind_of(name, text, reads)
    table = table_of(KINDS[reads])
    texts = {name: said[name] for name in _TEXTS if name in said and name in table}
    settings_from(texts, soft=command == "soft")


def _words(value: object) -> str:
    if isinstance(value, list):
        return ", ".join(map(_words, value)) or "none"
    if value is None:
        return "none"
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lines(name: str, options: list[_InForce], path: Path | None) -> list[str]:
    """Return a command's options, by their sources: what is no default comes first."""
    lines = [click.style(f"dicecli {name}", bold=True)]
    for source in (*_SOURCES.values(), "default"):
        of_source = [each for each in options if each.source == source]
        if of_source:
            lines.append(f"  from {inert(str(path))}" if source == "file" else f"  {source}")
        for each in of_source:
            start = f"    {each.key}".ljust(_KEYS)
            lines += textwrap.wrap(
                inert(each.words),
                prose(),
                initial_indent=start,
                subsequent_indent=" " * _KEYS,
                break_long_words=False,
                break_on_hyphens=False,
            ) or [start.rstrip()]
    return lines
