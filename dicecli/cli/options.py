"""The options that commands share: those of :mod:`dicecli.records.settings`, made for click, and others."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from dicecli.cli import completing
from dicecli.cli.choices import FilePath, PluginChoice, Several, WordChoice
from dicecli.cli.helping import SharedOption, about, adding
from dicecli.errors import UsageError
from dicecli.records.options import table_of
from dicecli.records.settings import AnyOptions, Options, reads_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from dicecli.cli.helping import Command
    from dicecli.records.options import Option, Part
    from dicecli.records.settings import Settings

MASK = FilePath()


#: What shells propose for options whose values are texts.
_COMPLETING = {"metrics": completing.metrics, "labels": completing.labels, "only": completing.rows}


def taking(kind: type[Options], *parts: Part, also: Collection[str] = ()) -> Callable[[Command], Command]:
    """Add the options of a record that belong to these parts, and others of these names."""
    every = table_of(kind).values()
    return adding([_made(each) for each in every if each.part in parts or each.name in also])


def choosing(command: Command) -> Command:
    """Add the options on what a report shows."""
    return taking(Options, "reporting", "summing")(command)


def _made(option: Option) -> Callable[[Command], Command]:
    """Return an option as click takes it."""
    short = [] if option.short is None else [f"-{option.short}"]
    is_shown = option.default is not None and option.shown is None and option.type != "flag"
    many = {"multiple": True} if option.is_many else {"default": option.default}
    return click.option(
        *short,
        f"--{option.key}",
        option.name,
        cls=SharedOption,
        topic=option.about,
        reads=reads_of(option.name),
        shown=option.shown,
        is_usual=option.is_usual,
        help=f"{option.help}{_how_often(option)}",
        metavar=option.metavar,
        show_default=is_shown,
        shell_complete=_COMPLETING.get(option.name),
        **many,
        **({"is_flag": True} if option.type == "flag" else {"type": _type_of(option)}),
    )


def _how_often(option: Option) -> str:
    """Say whether an option takes several values, and how they are given."""
    if option.is_list:
        return " Several: with commas between, or repeated."
    return " Repeatable." if option.is_many else ""


def _type_of(option: Option) -> Any:
    """Return one of click's types; these take parameters in some of its versions."""
    one = _type_of_one(option)
    return Several(one) if option.is_list else one


def _type_of_one(option: Option) -> Any:
    if option.plugins is not None:
        return PluginChoice(option.plugins, option.choices)
    if option.choices:
        return WordChoice(option.choices)
    if option.is_path:
        return MASK
    if option.type == "integer" and (option.least is not None or option.most is not None):
        return click.IntRange(_whole(option.least), _whole(option.most))
    return {"integer": click.INT, "number": click.FLOAT}.get(option.type, click.STRING)


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)


_TIMEOUT = click.option(
    "--timeout",
    cls=SharedOption,
    topic="running",
    type=click.FloatRange(0, min_open=True),
    metavar="SECONDS",
    help="Stop a case that takes longer: it is a failed one.",
    shown="no limit",
)
_SCHEDULER = click.option(
    "--scheduler",
    cls=SharedOption,
    topic="running",
    is_usual=False,
    metavar="ADDRESS",
    help="With --executor dask, a cluster that exists: tcp://host:8786.",
    shown="one on this machine",
)


def running(command: Command) -> Command:
    """Add the options on where a case is scored, and for how long."""
    return adding([_SCHEDULER, _TIMEOUT])(command)


def limiting(command: Command) -> Command:
    """Add the option on how long a case may take."""
    return _TIMEOUT(command)


def jobs(what: str, shown: str = "the cores") -> Callable[[Command], Command]:
    """Add the option on how many threads, or whatever it is, work at the same time."""
    return click.option(
        "-j",
        "--jobs",
        cls=SharedOption,
        topic="running",
        type=click.IntRange(1),
        metavar="N",
        help=f"{what}.",
        shown=shown,
    )


def talking(command: Command) -> Command:
    """Add the options on how much is said."""
    return adding(
        [
            about("output", "-v", "--verbose", is_flag=True, help="Show every label, and say what was done."),
            about(
                "output",
                "-q",
                "--quiet",
                is_flag=True,
                help="Print no notes to standard error, but on the configuration file; reports keep theirs.",
            ),
        ]
    )(command)


def settings_from(
    options: dict[str, Any], *, soft: bool = False, classes: Collection[str] | None = ()
) -> Settings:
    """Take the options of :func:`taking` out of those of a command, and build the settings of them.

    What `classes` are is said at :func:`dicecli.records.only.parse_only`.

    Raises
    ------
    UsageError
        A metric, region or labels file that does not exist or is not understood.
    """
    from dicecli.runs.scoring import make_settings

    given = {name: options.pop(name) for name in table_of(AnyOptions) if name in options}
    regions = _regions(given.get("regions", ()), given.get("labels"))
    return make_settings(soft=soft, classes=classes, **given | {"regions": regions})


def _regions(texts: tuple[str, ...], labels: str | None) -> dict[str, tuple[int, ...]]:
    if not texts:
        return {}
    from dicecli.records.schemes import load_labels, parse_region

    scheme, regions = load_labels(labels), dict[str, tuple[int, ...]]()
    for text in texts:
        name, members = parse_region(text, scheme)
        if name in regions:
            raise UsageError(f"region '{name}' is given twice", "Name all of its labels at once: NAME=1,2,3.")
        regions[name] = members
    return regions


def cores() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
