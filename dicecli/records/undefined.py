"""Numbers that JSON has not: undefined is null there, infinity a text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dicecli.records.codec import read
from dicecli.records.numbers import refuse

_WORDS = {None: math.nan, "inf": math.inf, "-inf": -math.inf}


def number(value: float) -> float | str | None:
    """Return a value as JSON has it: undefined is None, infinity a text."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def read_numbers(kind: Any, content: Any, where: str, names: tuple[str, ...]) -> Any:
    """Return the value of a dataclass, as :func:`~dicecli.records.codec.read` does.

    Parameters
    ----------
    kind : type
    content : object
        In JSON's types.
    where : str
        The place, for the error.
    names : tuple of str
        The numbers that may be undefined or infinite.

    Raises
    ------
    ValueError
        It is something else.
    """
    given = content if isinstance(content, Mapping) else {}
    words = {each: given[each] for each in names if isinstance(given.get(each, 0), str | None)}
    for name, each in words.items():
        if each not in _WORDS:
            refuse("a number", each, f"{where}.{name}")
    found = read(kind, {**given, **dict.fromkeys(words, 0.0)}, where)
    return replace(found, **{name: _WORDS[each] for name, each in words.items()})
