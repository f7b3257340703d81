"""Functions whose keywords are the fields of a record, so that options and their types are written once."""

from __future__ import annotations

import inspect
import textwrap
from collections.abc import Iterator
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar, cast

from dicecli.errors import UsageError
from dicecli.records.calling import check_call, no_keyword
from dicecli.records.options import table_of
from dicecli.records.settings import CALLED, reads_of

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

Words = ParamSpec("Words")
Given = TypeVar("Given")
Answer = TypeVar("Answer")
Owner = TypeVar("Owner")
#: What the docstring of a function has where its options are to be explained.
PLACE = "    options\n"


def taking(kind: Callable[Words, Given]) -> Callable[[Callable[[Given], Answer]], Callable[Words, Answer]]:
    """Let a function of one record be called with the fields of that record.

    Type checkers, :func:`inspect.signature` and :func:`help` see every field with its type; in the docstring
    the line ``options`` becomes what is known of each option.

    Parameters
    ----------
    kind : type
        A dataclass.

    Raises
    ------
    UsageError
        By the function: a keyword that there is not, with every one that there is; an argument that is
        missing.
    """

    def _decorate(function: Callable[[Given], Answer]) -> Callable[Words, Answer]:
        @wraps(function)
        def _call(*arguments: Words.args, **named: Words.kwargs) -> Answer:
            return function(_made(kind, function.__name__, arguments, named))

        _show(_call, function, kind)
        return _call

    return _decorate


def initialising(
    kind: Callable[Words, Given],
) -> Callable[[Callable[[Owner, Given], None]], Callable[Concatenate[Owner, Words], None]]:
    """Let the ``__init__`` of a class, which takes a record, be called with the fields of that record.

    All else is as for :func:`taking`.
    """

    def _decorate(function: Callable[[Owner, Given], None]) -> Callable[Concatenate[Owner, Words], None]:
        @wraps(function)
        def _call(self: Owner, /, *arguments: Words.args, **named: Words.kwargs) -> None:
            function(self, _made(kind, type(self).__name__, arguments, named))

        _show(_call, function, kind)
        return _call

    return _decorate


def _made(
    kind: Callable[..., Given], called: str, arguments: tuple[object, ...], named: Mapping[str, object]
) -> Given:
    """Make the record of what a function of some name is called with."""
    signature = inspect.signature(kind)
    for name in named:
        if name not in signature.parameters:
            raise _strange(name, signature.parameters, f"dicecli.{called}")
    named = {name: _held(each) for name, each in named.items()}
    try:
        return kind(*arguments, **named)
    except TypeError:
        check_call(called, signature, arguments, named)
        raise


def _held(given: Any) -> object:
    """Return a value as it can be looked at more than once, and gone through only where it has parts."""
    if isinstance(given, Iterator):
        return tuple(given)
    return given.item() if getattr(given, "ndim", None) == 0 and hasattr(given, "item") else given


def _show(call: Callable[..., object], function: Callable[..., object], kind: Callable[..., object]) -> None:
    """Give a function the signature of the record instead of the record, which it takes last; and its doc."""
    own = inspect.signature(function)
    parameters = [*list(own.parameters.values())[:-1], *inspect.signature(kind).parameters.values()]
    shown = own.replace(parameters=parameters)
    setattr(call, "__signature__", shown)  # noqa: B010 - mypy knows no such attribute of functions
    call.__doc__ = (function.__doc__ or "").replace(PLACE, _explained(cast("type[Any]", kind)))


def _strange(name: str, known: Collection[str], function: str) -> UsageError:
    """Make the error of a keyword that a function does not have."""
    kinds = reads_of(name)
    if len(kinds) == 1:
        at_home = {"labels": "dicecli.score", "probabilities": "dicecli.soft"}[kinds[0]]
        return UsageError(f"{name} is for {CALLED[kinds[0]]}", f"Leave it out; {at_home} has it.")
    return no_keyword(name, known, function)


def _explained(kind: type[Any]) -> str:
    """Return what a docstring says of the options of a record."""
    lines = []
    for each in table_of(kind).values():
        choices = f"{{{', '.join(map(repr, each.choices))}}}{' or None' if each.is_optional else ''}"
        taken = choices if each.choices and not each.plugins else kind.__dataclass_fields__[each.name].type
        lines.append(f"{each.name} : {taken}, default {each.shown or repr(each.default)}")
        lines += textwrap.wrap(each.help, 96, initial_indent="    ", subsequent_indent="    ")
    return textwrap.indent("\n".join(lines) + "\n", "    ")
