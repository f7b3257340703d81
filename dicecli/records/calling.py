"""Calls with arguments that a function does not take: the error says which it takes."""

from __future__ import annotations

import inspect
from functools import wraps
from typing import TYPE_CHECKING, ParamSpec, TypeVar

from dicecli.errors import UnknownName, UsageError
from dicecli.plugins import unknown
from dicecli.records.elsewhere import advised
from dicecli.words import every

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping, Sequence

Words = ParamSpec("Words")
Answer = TypeVar("Answer")


def telling(function: Callable[Words, Answer]) -> Callable[Words, Answer]:
    """Let a function say, of arguments that it does not take, which it takes.

    Raises
    ------
    UsageError
        By the function, in place of the TypeError of Python.
    """

    @wraps(function)
    def _call(*arguments: Words.args, **named: Words.kwargs) -> Answer:
        try:
            return function(*arguments, **named)
        except TypeError:
            check_call(function.__name__, inspect.signature(function), arguments, named)
            raise

    return _call


def check_call(
    name: str, signature: inspect.Signature, arguments: Sequence[object], named: Mapping[str, object]
) -> None:
    """Check that a function takes arguments.

    Raises
    ------
    UnknownName
        A keyword that there is not.
    UsageError
        One that is missing or given twice, or too many by their position.
    """
    every = [each for each in signature.parameters.values() if each.name not in {"self", "cls"}]
    for each in named:
        if each not in signature.parameters:
            raise no_keyword(each, [one.name for one in every])
    try:
        signature.bind(*arguments, **named)
    except TypeError as error:
        first = [one.name for one in every if one.kind is one.POSITIONAL_OR_KEYWORD]
        needed = [f"{one.name}=..." for one in every if one.kind is one.KEYWORD_ONLY and _is_needed(one)]
        others = ", ".join(one.name for one in every if one.kind is one.KEYWORD_ONLY and not _is_needed(one))
        more = f"; by their names also {others}" if others else ""
        raise UsageError(f"{name}: {error}", f"Write {name}({', '.join(first + needed)}){more}.") from None


def _is_needed(parameter: inspect.Parameter) -> bool:
    return parameter.default is parameter.empty


def no_keyword(name: str, known: Collection[str], function: str = "") -> UnknownName:
    """Make the error of a keyword that there is not: what it is here, or the nearest; and every one.

    Where these are many, help of the function lists them, which is given as it is written: dicecli.score.
    """
    advice, how = advised(name, known), f"those that help({function}) lists" if function else ""
    if not advice:
        return unknown("option", name, tuple(known), how=how)
    return UnknownName(f"there is no option '{name}'", f"{advice} Known: {every(known, how)}.")
