"""The conventions of other tools: what ``--like`` makes of the options, and what it refuses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.metrics._catalogue import resolve, usual_of
from dicecli.records.options import table_of
from dicecli.records.settings import MaskOptions
from dicecli.records.tools import TOOLS
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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


def check_metrics(like: Tool, names: Sequence[str], words: Iterable[str]) -> None:
    """Check metrics by their names in full, as :func:`check_words` does by what was written: the words."""
    written = {*map(plain, words)}
    for name in names:
        # What a family stands for cannot be changed in place: its others have to be named, too.
        others = names if any(usual_of(word) for word in written) and plain(name) not in written else ()
        _check(like, name, resolve(name).function.__name__, others)


def _check(like: Tool, word: str, meant: str, others: Sequence[str] = ()) -> None:
    tool = TOOLS[like]
    wrong = tool.wrong.get(meant)
    if wrong is not None:
        kept = [each for each in others if resolve(each).function.__name__ not in tool.wrong]
        names = dict.fromkeys((*kept, *wrong.instead)) if wrong.instead else ()
        instead = " ".join(f"-m {each}" for each in names)
        raise UsageError(
            f"{word} is not to be had as {tool.title} has it: {wrong.there}",
            f"Write {instead} instead." if instead else f"Leave out {word}, or --like {like}.",
        )
