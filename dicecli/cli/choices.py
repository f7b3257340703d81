"""What values of options are: one of some words, the name of a plugin, or several with commas between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dicecli.errors import UsageError
from dicecli.plugins import installed, own
from dicecli.words import did_you_mean, listed, plain

if TYPE_CHECKING:
    import os

    Choice = click.Choice[str]
    Type = click.ParamType[Any]
else:
    Choice, Type = click.Choice, click.ParamType  # of some versions they take no parameter


class FilePath(click.Path):
    """A file or a folder, there or not; what no system takes for the name of one is refused."""

    def __init__(self) -> None:
        super().__init__(path_type=str, readable=False)

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str:
        """Take a path as it is given."""
        try:
            return str(super().convert(value, param, ctx))
        except ValueError as error:  # a character 0, or half of one that takes two
            self.fail(f"{value!a} is no path: {error}.", param, ctx)


class OutputPath(FilePath):
    """A file that is written: one that a configuration file names lies in the folder of that."""


class BadValue(click.BadParameter):
    """A value that an option does not take, with what may be meant.

    Attributes
    ----------
    meant : str
        The beginning of a hint, with a space behind it; empty where nothing is near.
    """

    def __init__(
        self, message: str, meant: str, ctx: click.Context | None, param: click.Parameter | None
    ) -> None:
        super().__init__(message, ctx, param)
        self.meant = meant


class WordChoice(Choice):
    """One of some words, however it is spelt; a word with a slip is refused with the nearest ones."""

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a known word; case, and what stands between its parts, do not matter."""
        known = {plain(each): each for each in self.choices}
        try:
            return super().convert(known.get(plain(str(value)), value), param, ctx)
        except click.BadParameter as error:
            raise BadValue(error.message, did_you_mean(str(value), self.choices), ctx, param) from error


class PluginChoice(WordChoice):
    """One of the plugins of a kind; installed packages are asked only for a name that is none of the first.

    Parameters
    ----------
    kind : str
        As in :mod:`dicecli.plugins`.
    first : sequence of str, optional
        Names that are known without asking; by default those of the folder.
    """

    def __init__(self, kind: str, first: tuple[str, ...] | None = None) -> None:
        super().__init__(own(kind) if first is None else first)
        self._kind = kind

    def ask(self) -> None:
        """Take in the names of installed packages."""
        self.choices = tuple(dict.fromkeys((*self.choices, *installed(self._kind))))

    def get_metavar(self, *arguments: Any, **named: Any) -> str | None:
        """Show every name there is."""
        self.ask()
        return super().get_metavar(*arguments, **named)

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a known name, or one of an installed package."""
        if value not in self.choices:
            self.ask()
        return super().convert(value, param, ctx)


class Several(Type):
    """Values of another type with commas between them, as :func:`dicecli.words.listed` takes them apart.

    The option is one that repeats, and :meth:`flat` makes one list of all that was given.
    """

    def __init__(self, one: Type) -> None:
        self.one = one
        self.name = one.name

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        """Take a text apart, and return its parts as the type of one has them."""
        if isinstance(value, tuple):
            return value  # some versions of click convert twice
        try:
            words = listed(value) if isinstance(value, str) else (value,)
        except UsageError as error:
            raise BadValue(f"{error.message}.", f"{error.hint} ", ctx, param) from error
        return tuple(self.one.convert(each, param, ctx) for each in words)

    def flat(self, values: tuple[tuple[Any, ...], ...]) -> tuple[Any, ...]:
        """Return the values of all that was given, in their order."""
        return tuple(each for several in values for each in several)
