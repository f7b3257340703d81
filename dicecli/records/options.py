"""Options as data: a field of a dataclass says what its option is called, takes, means and defaults to.

Click's options, the keys of a configuration file, the keywords of Python and the fields of the settings are
made from these fields, so that an option is written once: :mod:`dicecli.records.settings`.
"""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass, field, fields, replace
from functools import cache
from types import NoneType
from typing import (
    TYPE_CHECKING,
    Any,
    Literal,
    TypeVar,
    dataclass_transform,
    get_args,
    get_origin,
    get_type_hints,
)

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

#: What an option's values are: a flag has none, and is true where it is given.
ValueType = Literal["flag", "text", "integer", "number"]
#: What an option is about; a command takes the options of some of these.
Part = Literal["reading", "scoring", "reporting", "pairing", "summing", "measuring"]
#: The groups of options in ``--help``.
Topic = Literal["sides", "labels", "metrics", "output", "gates", "running", "reading", "help"]
_TOPICS: dict[Part, Topic] = {
    "reading": "reading",
    "scoring": "metrics",
    "reporting": "metrics",
    "pairing": "sides",
    "summing": "output",
    "measuring": "metrics",
}
Value = TypeVar("Value")
Record = TypeVar("Record")


@dataclass(frozen=True, eq=False)
class Option:
    """What is known of an option.

    Attributes
    ----------
    help : str
        What it means, in a sentence or two.
    part : {"reading", "scoring", "reporting", "pairing", "summing", "measuring"}
        Of the last one no command takes any: a file that needs it asks for it.
    topic : str or None
        The group in which ``--help`` shows it; None: that of its part.
    long, short : str or None
        On the command line, without hyphens in front; `long` is also the key in a file. By default the name.
    metavar : str or None
        What stands for a value in ``--help``.
    shown : str or None
        The default in words, where its value does not say it.
    choices : tuple of str
        The only values; empty: any.
    plugins : str or None
        Plugins of this kind are choices as well.
    least, above : float or None
        A number is at least the one, and larger than the other.
    most : float or None
    is_many : bool
        Whether it can be given several times.
    is_list : bool
        Whether a text can be several values, with commas between: :func:`dicecli.words.listed`.
    is_path : bool
        Whether it names a file, or may do so.
    after : str or None
        The option that it follows in records and in ``--help``, where it is not declared behind it.
    is_usual : bool
        Whether ``--help`` shows it; the others are for ``--help-all``.
    is_measured : bool
        Whether what is measured of a case depends on it.
    measures : str or None
        The statistic that is measured where the option is given, whatever metrics are asked for.
    name : str
        In Python, and in records; this and what follows is taken from the field.
    type : {"flag", "text", "integer", "number"}
        Of one value, as it is written on the command line.
    default : object
    is_optional : bool
        Whether None is a value, too.
    """

    help: str
    _: KW_ONLY
    part: Part = "reading"
    topic: Topic | None = None
    long: str | None = None
    short: str | None = None
    metavar: str | None = None
    shown: str | None = None
    choices: tuple[str, ...] = ()
    plugins: str | None = None
    least: float | None = None
    above: float | None = None
    most: float | None = None
    is_many: bool = False
    is_list: bool = False
    is_path: bool = False
    after: str | None = None
    is_usual: bool = True
    is_measured: bool = True
    measures: str | None = None
    name: str = ""
    type: ValueType = "text"
    default: object = None
    is_optional: bool = False

    @property
    def key(self) -> str:
        """Its name on the command line and in a file, without hyphens in front."""
        return self.long or self.name.replace("_", "-")

    @property
    def about(self) -> Topic:
        """The group in which ``--help`` shows it."""
        return self.topic or _TOPICS[self.part]

    @property
    def expected(self) -> str:
        """What a value is, in words."""
        if self.choices:
            return f"one of {', '.join(self.choices)}"
        one = {"flag": "true or false", "text": "a text", "integer": "a whole number", "number": "a number"}
        above = "" if self.above is None else f" above {self.above:g}"
        least = "" if self.least is None else f" from {self.least:g}"
        return f"{one[self.type]}{above}{least}{'' if self.most is None else f' to {self.most:g}'}"


@dataclass_transform(kw_only_default=True, frozen_default=True, eq_default=False)
def options(kind: type[Record]) -> type[Record]:
    """Make a class a dataclass of options for others to inherit from: it has fields, and makes no record."""
    return dataclass(init=False, repr=False, eq=False, frozen=True, kw_only=True)(kind)


def option(default: Value, what: Option) -> Value:
    """Make a field of a dataclass an option with this default."""
    found: Value = field(default=default, metadata={"option": replace(what, default=default)})
    return found


def _said_of(kind: type, name: str) -> Option | None:
    """Return what a class, or one that it inherits from, says of an option."""
    for each in kind.__mro__:
        own = each.__dict__.get("__dataclass_fields__", {}).get(name)
        if own is not None and "option" in own.metadata:
            found: Option = own.metadata["option"]
            return found
    return None


def table_of(kind: type[DataclassInstance]) -> dict[str, Option]:
    """Return the options among the fields of a dataclass, by name, in the order in which they are shown."""
    return _table_of(kind)


@cache
def _table_of(kind: Any) -> dict[str, Option]:
    hints = get_type_hints(kind)
    found = {}
    for name in names_of(kind):
        declared = _said_of(kind, name)
        if declared is not None:
            found[name] = replace(declared, name=name, **_facts_of_type(hints[name], declared))
    return found


def names_of(kind: type[DataclassInstance]) -> tuple[str, ...]:
    """Return the names of a dataclass's fields, those of options where these say that they belong."""
    return _names_of(kind)


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    every = [each.name for each in fields(kind)]
    late = {name: found.after for name in every if (found := _said_of(kind, name)) and found.after}
    names = [name for name in every if late.get(name) not in every]
    for name, after in late.items():
        if name not in names:
            names.insert(names.index(after) + 1, name)
    return tuple(names)


def _is_none(kind: object) -> bool:
    return kind is NoneType


def _facts_of_type(hint: Any, declared: Option) -> dict[str, Any]:
    """Return the facts of an option that the type of its field says."""
    parts = (hint, *get_args(hint)) if get_origin(hint) is not Literal else (hint,)
    choices = next((get_args(each) for each in parts if get_origin(each) is Literal), declared.choices)
    if declared.is_list:  # a text is also the form in which a list is typed: what matters is what it holds
        held = [each for part in get_args(hint) for each in get_args(part)]
        parts = (*held, *(each for one in held for each in get_args(one)), *filter(_is_none, parts))
    types: tuple[tuple[type, ValueType], ...] = (
        (bool, "flag"),
        (str, "text"),
        (int, "integer"),
        (float, "number"),
    )
    found = "text" if choices else next((word for each, word in types if each in parts), "text")
    return {"type": found, "choices": choices, "is_optional": NoneType in parts}
