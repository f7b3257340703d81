"""Where a run of the command line comes from: its sides, its words, and the configuration file it obeys."""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import click

    from dicecli.records.origin import Obeyed, Origin
    from dicecli.records.settings import Settings

#: By this word the context of a command knows the configuration file that it obeys.
_CONFIG = "dicecli.config"


def obeying(ctx: click.Context, path: Path | None) -> None:
    """Take note of the configuration file that the command obeys."""
    ctx.meta[_CONFIG] = path


def file_obeyed(ctx: click.Context) -> Path | None:
    """Return the configuration file that the command obeys."""
    found: Path | None = ctx.meta.get(_CONFIG)
    return found


def obeyed(ctx: click.Context) -> Obeyed | None:
    """Return the configuration file that a command obeys, with the options that come from it."""
    from dicecli.records.origin import Obeyed

    path = file_obeyed(ctx)
    options = [
        max(each.opts, key=len).removeprefix("--")
        for each in ctx.command.params
        if ctx.get_parameter_source(each.name or "") is ParameterSource.DEFAULT_MAP
    ]
    if path is None or not options:
        return None
    shown = str(path)
    with suppress(ValueError):  # of another drive
        shown = os.path.relpath(path)
    return Obeyed(shown, tuple(options))


def origin_of_call(
    ctx: click.Context,
    given: Mapping[str, object],
    settings: Settings,
    sides: tuple[str | None, str | None],
) -> Origin:
    """Return where the run of a command comes from.

    Parameters
    ----------
    ctx : click.Context
        Of the command.
    given : mapping
        The options of the command, before any was taken out.
    settings : Settings
        What they came to.
    sides : tuple of str or None
        Prediction and reference.

    Raises
    ------
    UsageError
        ``SOURCE_DATE_EPOCH`` is no moment.
    """
    from dicecli.runs.provenance import origin_of

    return origin_of(settings, given, sides, obeyed(ctx))
