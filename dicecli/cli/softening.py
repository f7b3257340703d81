"""Which options of ``dicecli batch`` go with probability maps, and which with masks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from dicecli.cli.options import SOFT_OPTIONS
from dicecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What click calls the options that are about masks alone.
_HARD_OPTIONS = (
    "threshold",
    "argmax",
    "device",
)
#: Those of them that settings of probability maps do not even know; gates are taken out elsewhere.
_UNKNOWN_TO_SOFT = _HARD_OPTIONS
_GIVEN = (ParameterSource.COMMANDLINE, ParameterSource.ENVIRONMENT)


def fitting(ctx: click.Context, options: dict[str, Any]) -> bool:
    """Return whether probability maps are to be scored, and take the options of the other kind out.

    Raises
    ------
    UsageError
        One of the other kind was given on the command line.
    """
    soft = bool(options.pop("soft"))
    others = _HARD_OPTIONS if soft else SOFT_OPTIONS
    given = _long_names(ctx, (each for each in others if ctx.get_parameter_source(each) in _GIVEN))
    if given:
        said = "is for masks" if soft else "is for probability maps"
        hint = f"Leave it out{', or leave out --soft.' if soft else ', or add --soft.'}"
        raise UsageError(f"{', '.join(given)} {said}", hint)
    kept = [each for each in others if ctx.get_parameter_source(each) is ParameterSource.DEFAULT_MAP]
    if kept and soft:
        names = ", ".join(_long_names(ctx, kept))
        click.echo(f"Note: not used with --soft: {names}, of the configuration file", err=True)
    for name in others:
        if not soft or name in _UNKNOWN_TO_SOFT:
            options.pop(name)
        else:
            options[name] = {"baseline": None, "github": False}.get(name, ())
    if soft and ctx.get_parameter_source("channel_axis") is ParameterSource.DEFAULT:
        options["channel_axis"] = None
    return soft


def _long_names(ctx: click.Context, names: Iterable[str]) -> list[str]:
    by_name = {each.name: each for each in ctx.command.params}
    return [max(by_name[name].opts, key=len) for name in names]
