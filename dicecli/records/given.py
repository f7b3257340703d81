"""Values that are given for options: each is of the type that its option has, or refused."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from dicecli.errors import UsageError
from dicecli.plugins import installed
from dicecli.records.label_maps import SIDES
from dicecli.records.labels import LabelScheme, labels_of
from dicecli.records.numbers import is_finite
from dicecli.records.options import table_of
from dicecli.words import did_you_mean

if TYPE_CHECKING:
    from pathlib import Path

    from _typeshed import DataclassInstance

    from dicecli.records.label_maps import LabelMap
    from dicecli.records.options import Option


def checked(given: DataclassInstance) -> dict[str, Any]:
    """Return the values of the options of a record, each of the type that its option has.

    Texts are not looked into, nor what may be several values: who makes something of them does that.

    Raises
    ------
    UsageError
        A value that its option does not take.
    """
    return {each.name: _checked(each, getattr(given, each.name)) for each in table_of(type(given)).values()}


def check_numbers(record: DataclassInstance) -> None:
    """Check the numbers among the options of a record that was read, each of its type, for their limits.

    Raises
    ------
    UsageError
        A number that its option does not take.
    """
    for each in table_of(type(record)).values():
        if each.type in {"integer", "number"}:
            _checked(each, getattr(record, each.name))


def _checked(option: Option, given: Any) -> object:
    if given is option.default or (given is None and option.is_optional):
        return given
    if option.choices:
        is_taken = isinstance(given, str) and (
            given in option.choices or (option.plugins is not None and given in installed(option.plugins))
        )
    elif option.is_many or option.type == "text":
        return given
    else:
        given = given.item() if hasattr(given, "item") and getattr(given, "ndim", 0) == 0 else given
        is_taken = isinstance(given, bool) if option.type == "flag" else _is_number(option, given)
    if not is_taken:
        more = installed(option.plugins) if option.plugins else ()
        expected = replace(option, choices=(*option.choices, *more)).expected
        meant = did_you_mean(given, option.choices) if isinstance(given, str) else ""
        raise UsageError(f"{option.name} is {given!r}", f"{meant}It is {expected}. {option.help}")
    return float(given) if option.type == "number" else given


def _is_number(option: Option, given: object) -> bool:
    kinds = int if option.type == "integer" else (int, float)
    if not isinstance(given, kinds) or isinstance(given, bool):
        return False
    if option.type == "number" and not is_finite(given):
        return False
    return (
        (option.least is None or given >= option.least)
        and (option.above is None or given > option.above)
        and (option.most is None or given <= option.most)
    )


def scheme_of(given: str | Path | Mapping[str, Any] | LabelScheme | None) -> LabelScheme:
    """Return the labels that are given, by whatever they may be; without any, none are declared.

    Raises
    ------
    LabelFileError, UnknownName
        As of :func:`~dicecli.records.schemes.load_labels`.
    """
    if given is None:
        return LabelScheme()
    from dicecli.records.schemes import load_labels

    return load_labels(given)


def named_regions(given: object) -> dict[str, tuple[int, ...]]:
    """Return the regions that were given, by name, the labels of each in ascending order; of None none.

    Raises
    ------
    UsageError
        Something else than a mapping of texts to labels.
    """
    if given is None:
        return {}
    if not (isinstance(given, Mapping) and all(isinstance(name, str) for name in given)):
        raise UsageError(f"regions is {given!r}", "It is a mapping of names to labels: {'kidneys': [2, 3]}.")
    return {name: tuple(sorted(labels_of(members))) for name, members in given.items()}


def maps_of(values: Mapping[str, Any]) -> dict[str, LabelMap]:
    """Return the maps of labels among checked values, by side: empty without any.

    Raises
    ------
    LabelFileError
        One that is no map.
    """
    given = {side: f"map_{side}" for side in SIDES if values.get(f"map_{side}") is not None}
    if not given:
        return {}
    from dicecli.records.label_maps.texts import parse_map

    return {side: parse_map(values[name], name) for side, name in given.items()}
