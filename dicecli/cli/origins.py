"""Where a run of the command line comes from: its sides, its words, and the configuration file it obeys."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from click.core import ParameterSource

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import click

    from dicecli.records.origin import Origin
    from dicecli.records.settings import Settings

#: By this word the context of a command knows the configuration file that it obeys.
_CONFIG = "dicecli.config"


def obeying(ctx: click.Context, path: Path | None) -> None:
    """Take note of the configuration file that the command obeys."""
    ctx.meta[_CONFIG] = path


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

    obeyed = [
        max(each.opts, key=len).removeprefix("--")
        for each in ctx.command.params
        if ctx.get_parameter_source(each.name or "") is ParameterSource.DEFAULT_MAP
    ]
    path = ctx.meta.get(_CONFIG) if obeyed else None
    return origin_of(
        settings,
        given,
        sides,
        config=None if path is None else os.path.relpath(path),
        from_config=tuple(obeyed),
    )
