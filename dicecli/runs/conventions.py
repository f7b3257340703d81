"""The conventions of other tools: what ``--like`` makes of the options, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.metrics._catalogue import resolve
from dicecli.metrics._parameter import plain
from dicecli.records.options import table_of
from dicecli.records.settings import MaskOptions
from dicecli.records.tools import TOOLS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.records.tools import Tool


def following(values: Mapping[str, Any]) -> dict[str, Any]:
    """Return the values of options with those of the tool that they name, where they are as by default."""
    like = values.get("like")
    table = table_of(MaskOptions)
    sets = {} if like is None else TOOLS[like].sets
    return {**values, **{name: value for name, value in sets.items() if values[name] == table[name].default}}


def check_words(like: Tool, words: Iterable[str]) -> None:
    """Check words for metrics before anything is known of them: some are of that tool alone.

    Raises
    ------
    UsageError
        One means a number that is wrong there, or another one.
    """
    for word in words:
        _check(like, word, plain(word))


def check_metrics(like: Tool, names: Iterable[str]) -> None:
    """Check metrics by their names in full, as :func:`check_words` does by what was written."""
    for name in names:
        _check(like, name, resolve(name).function.__name__)


def _check(like: Tool, word: str, meant: str) -> None:
    tool = TOOLS[like]
    wrong = tool.wrong.get(meant)
    if wrong is not None:
        instead = " ".join(f"-m {each}" for each in wrong.instead)
        raise UsageError(
            f"{word} is not to be had as {tool.title} has it: {wrong.there}",
            f"Write {instead} instead." if instead else f"Leave out {word}, or --like {like}.",
        )
