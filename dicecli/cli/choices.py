"""Options whose values are the names of plugins: of the folder, and of installed packages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from dicecli.plugins import installed, own

if TYPE_CHECKING:
    Choice = click.Choice[str]
else:
    Choice = click.Choice  # of some versions it takes no parameter


class PluginChoice(Choice):
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

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Take a known name, or one of an installed package."""
        if value not in self.choices:
            self.ask()
        return super().convert(value, param, ctx)
