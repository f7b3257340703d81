"""Records as JSON's types and back, driven by the fields of their dataclasses.

What is read is checked field by field, since it may come from anywhere: a value of another type than its
field's, a number out of its range, a field that is missing or unknown is a ValueError that names the place.
Whole numbers are exact at any size: those beyond 64 bits are written in hexadecimal digits, as a text.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from dicecli.plugins import load
from dicecli.records.measurements import Least, Measured, Most, Row, Shape
from dicecli.records.numbers import LARGE, array, integer, is_finite, refuse

#: An object in JSON's types.
Json = dict[str, Any]


def written(value: Any) -> Any:
    """Return a record, or a part of one, in JSON's types only."""
    if value is None or isinstance(value, (bool, str, float)):
        return value
    if type(value) is tuple:
        return [each if type(each) is int and -LARGE < each < LARGE else written(each) for each in value]
    if isinstance(value, int):
        return value if -LARGE < value < LARGE else hex(value)
    if isinstance(value, Measured):
        return {name: _rows_written(rows) for name, rows in value.items()}
    if hasattr(value, "_asdict"):
        return {name: written(each) for name, each in value._asdict().items()}
    if dataclasses.is_dataclass(value):
        return {name: written(getattr(value, name)) for name in value.__dataclass_fields__}
    if isinstance(value, Mapping):
        return {str(key): written(each) for key, each in value.items()}
    if hasattr(value, "tolist"):
        return value.tolist()
    return [written(each) for each in value]


def _rows_written(rows: Mapping[Row, Any]) -> list[Json]:
    return [{**written(row), **written(each)} for row, each in rows.items()]


def read(kind: Any, content: Any, where: str = "") -> Any:
    """Return the value of a type that :func:`written` gave.

    Parameters
    ----------
    kind : type or annotation
        A dataclass; int, float, bool, str; tuples, mappings and unions of such; Any for what stays as it is.
    content : object
        In JSON's types.
    where : str
        The place, for the error.

    Raises
    ------
    ValueError
        It is something else; nothing is converted on a guess.
    """
    if isinstance(kind, type) and dataclasses.is_dataclass(kind):
        return _record(kind, content, where)
    if hasattr(kind, "_field_defaults"):
        return _named(kind, content, where)
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:], content, where)
    if origin in {Union, UnionType}:
        return None if content is None and NoneType in parts else read(_other(parts), content, where)
    if origin is Literal:
        return content if content in parts and isinstance(content, str) else refuse(parts, content, where)
    if origin is tuple:
        return _tuple(parts, content, where)
    if origin is Mapping:
        return _mapping(parts, content, where)
    if kind is Measured:
        return _measured(content, where)
    return content if kind is Any else _plain(kind, content, where)


def _other(parts: tuple[Any, ...]) -> Any:
    (kind,) = (each for each in parts if each is not NoneType)
    return kind


@cache
def fields(kind: type) -> Json:
    """Return the types of a dataclass's fields, in their order."""
    hints = _hints(kind)
    return {each.name: hints[each.name] for each in dataclasses.fields(kind)}


def _record(kind: type, content: Any, where: str) -> Any:
    if not isinstance(content, Mapping):
        refuse("an object", content, where)
    expected = fields(kind)
    for name in content:
        if name not in expected:
            raise ValueError(f"{_inside(where, name)} is no field of {kind.__name__}")
    values = {}
    for name, type_ in expected.items():
        if name not in content:
            raise ValueError(f"{_inside(where, name)} is missing")
        values[name] = read(type_, content[name], _inside(where, name))
    return _checked(kind(**values), where)


def _checked(found: Any, where: str) -> Any:
    if hasattr(found, "check"):
        try:
            found.check()
        except ValueError as error:
            raise ValueError(f"{where or type(found).__name__}: {error}") from None
    return found


def _named(kind: Any, content: Any, where: str) -> Any:
    """Read a named tuple, which is an object too; what it has a default for may be missing."""
    if not isinstance(content, Mapping):
        refuse("an object", content, where)
    for name in content:
        if name not in kind._fields:
            raise ValueError(f"{_inside(where, name)} is no field of {kind.__name__}")
    for name in kind._fields:
        if name not in content and name not in kind._field_defaults:
            raise ValueError(f"{_inside(where, name)} is missing")
    hints = _hints(kind)
    values = {name: read(hints[name], each, _inside(where, name)) for name, each in content.items()}
    return _checked(kind(**values), where)


@cache
def _hints(kind: Any) -> Json:
    return get_type_hints(kind, include_extras=True)


def _inside(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _annotated(kind: Any, marks: tuple[Any, ...], content: Any, where: str) -> Any:
    for mark in marks:
        if isinstance(mark, Shape):
            return array(mark.lengths, content, where)
    found = read(kind, content, where)
    for mark in marks:
        if isinstance(mark, Least) and found < mark.value:
            refuse(f"a number from {mark.value}", content, where)
        if isinstance(mark, Most) and found > mark.value:
            is_power = not mark.value & (mark.value - 1)
            limit = f"2^{mark.value.bit_length() - 1}" if is_power else mark.value
            refuse(f"a number to {limit}", content, where)
    return found


def _tuple(parts: tuple[Any, ...], content: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(content, (list, tuple)):
        refuse("a list", content, where)
    if len(parts) == 2 and parts[1] is Ellipsis:
        if _are_within(parts[0], content):
            return tuple(content)
        return tuple([read(parts[0], each, f"{where}[{place}]") for place, each in enumerate(content)])
    if len(content) != len(parts):
        refuse(f"a list of {len(parts)}", content, where)
    return tuple(read(parts[at], each, f"{where}[{at}]") for at, each in enumerate(content))


def _are_within(kind: Any, content: Sequence[Any]) -> bool:
    """Whether all are whole numbers that the type has, or None where it may be: there is nothing to read."""
    is_optional, least, most = _range(kind)
    types = set(map(type, content))
    if least is None or most is None or not types <= ({int, NoneType} if is_optional else {int}):
        return False
    numbers = [each for each in content if each is not None] if NoneType in types else content
    return not numbers or (min(numbers) >= least and max(numbers) <= most)


@cache
def _range(kind: Any) -> tuple[bool, int | None, int | None]:
    """Return whether None is of a type, and its least and largest whole number; None for others."""
    is_optional = get_origin(kind) in {Union, UnionType} and NoneType in get_args(kind)
    parts = get_args(_other(get_args(kind)) if is_optional else kind)
    marks = {type(each): each.value for each in parts if isinstance(each, (Least, Most))}
    is_whole = bool(parts) and parts[0] is int
    return is_optional, *((marks.get(Least), marks.get(Most)) if is_whole else (None, None))


def _mapping(parts: tuple[Any, ...], content: Any, where: str) -> dict[Any, Any]:
    if not isinstance(content, Mapping):
        refuse("an object", content, where)
    found = {}
    for key, each in content.items():
        name = _number(key, where) if parts[0] is int else read(parts[0], key, where)
        found[name] = read(parts[1], each, _inside(where, key))
    return found


def _number(key: str, where: str) -> int:
    with suppress(ValueError):
        number = int(key)
        if str(number) == key:
            return number
    return int(refuse("a whole number as a name", key, where))


def _plain(kind: Any, content: Any, where: str) -> Any:
    if kind is int:
        return integer(content, where)
    if kind is float:
        if isinstance(content, (int, float)) and not isinstance(content, bool) and is_finite(content):
            return float(content)
        return refuse("a finite number", content, where)
    if kind in {str, bool} and isinstance(content, kind):
        return content
    return refuse({str: "a text", bool: "true or false"}.get(kind, "nothing"), content, where)


def _measured(content: Any, where: str) -> Measured:
    if not isinstance(content, Mapping):
        refuse("an object", content, where)
    found: dict[str, dict[Row, Any]] = {}
    for name, rows in content.items():
        if not isinstance(rows, list):
            refuse("a list", rows, _inside(where, name))
        measures = load("statistics", name).MEASURES
        found[name] = dict(_row(measures, each, f"{where}.{name}[{at}]") for at, each in enumerate(rows))
        if len(found[name]) < len(rows):
            raise ValueError(f"{where}.{name} has a row twice")
    return Measured.of(found)


def _row(measures: Mapping[str, type], content: Any, where: str) -> tuple[Row, Any]:
    """Read a row and its measurement, whose fields stand side by side."""
    if not isinstance(content, Mapping):
        refuse("an object", content, where)
    row = _named(Row, {name: content[name] for name in Row._fields if name in content}, where)
    if row.kind not in measures:
        raise ValueError(f"{where}: there is no such measurement of a {row.kind}")
    rest = {name: each for name, each in content.items() if name not in Row._fields}
    return row, read(measures[row.kind], rest, where)
