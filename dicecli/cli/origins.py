"""Where a run of the command line comes from: its sides, its words, and the configuration file it obeys."""

from __future__ import annotations

import os
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from click.core import ParameterSource

from dicecli.errors import ConfigError, DicecliError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    import click

    from dicecli.records.origin import NotObeyed, Obeyed, Origin
    from dicecli.records.settings import Settings

#: By these words the context of a command knows the configuration file that it obeys, and others.
_CONFIG, _STRANGE = "dicecli.config", "dicecli.strange"


def obeying(ctx: click.Context, path: Path | None) -> None:
    """Take note of the configuration file that the command obeys."""
    ctx.meta[_CONFIG] = path


def file_obeyed(ctx: click.Context) -> Path | None:
    """Return the configuration file that the command obeys."""
    found: Path | None = ctx.meta.get(_CONFIG)
    return found


def is_of_file(ctx: click.Context, name: str | None) -> bool:
    """Whether a configuration file gives the value of an option."""
    return name is not None and ctx.get_parameter_source(name) is ParameterSource.DEFAULT_MAP


@contextmanager
def telling(ctx: click.Context) -> Iterator[None]:
    """Say of a file that is not there that a configuration file names it, where one does.

    Raises
    ------
    ConfigError
    """
    try:
        yield
    except DicecliError as error:
        config, path = file_obeyed(ctx), error.path
        if config is None or path is None or os.path.lexists(path):
            raise
        for each in ctx.command.params:
            if is_of_file(ctx, each.name) and ctx.params.get(each.name or "") == path:
                long = max(each.opts, key=len)
                what = f"{long.strip('-')} is {path}, and there is no such file"
                hint = (
                    f"Paths start in the folder where it lies. Correct it; or give another one: {long} FILE."
                )
                raise ConfigError(what, hint, str(config)) from error
        raise


def obeyed(ctx: click.Context) -> Obeyed | None:
    """Return the configuration file that a command obeys, with the options that come from it."""
    from dicecli.records.origin import Obeyed

    path = file_obeyed(ctx)
    options = [
        max(each.opts, key=len).removeprefix("--")
        for each in ctx.command.params
        if is_of_file(ctx, each.name)
    ]
    if path is None or not options:
        return None
    return Obeyed(from_here(path), tuple(options))


def from_here(path: Path | str) -> str:
    """Return a path as seen from the current folder."""
    with suppress(ValueError, OSError):  # of another drive; the folder is gone
        return os.path.relpath(path)
    return str(path)


def passing(ctx: click.Context, strange: Iterable[tuple[Path, str, bool]]) -> None:
    """Take note of configuration files that the command would have obeyed but for their owners.

    Parameters
    ----------
    ctx : click.Context
    strange : iterable of (Path, str, bool)
        Each with why it is not obeyed, and whether it seems to have gates.
    """
    ctx.meta[_STRANGE] = tuple(strange)


def not_obeyed(ctx: click.Context) -> tuple[NotObeyed, ...]:
    """Return the configuration files that the command would have obeyed but for their owners."""
    from dicecli.records.origin import NotObeyed

    strange: tuple[tuple[Path, str, bool], ...] = ctx.meta.get(_STRANGE, ())
    return tuple(NotObeyed(from_here(path), why, has_gates) for path, why, has_gates in strange)


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

    return origin_of(settings, given, sides, obeyed(ctx)).beside(not_obeyed(ctx))
