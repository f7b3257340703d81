"""Records as JSON's types and back, driven by the fields of their dataclasses.

What is read is checked field by field, since it may come from anywhere: a value of another type than its
field's, a number out of its range, a field that is missing or unknown is a ValueError that names the place.
Whole numbers are exact at any size: those beyond 64 bits are written in hexadecimal digits, as a text.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
from contextlib import suppress
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from dicecli.plugins import load
from dicecli.records.measurements import Least, Measured, Most, Row, Shape

#: From here on, on both sides of 0, a whole number is written as a text.
_LARGE = 1 << 63
#: A text of so many digits is no number of ours, nor one that Python would write in decimal digits.
_DIGITS = 2000


def written(value: Any) -> Any:
    """Return a record, or a part of one, in JSON's types only."""
    if value is None or isinstance(value, (bool, str, float)):
        return value
    if type(value) is tuple:
        return [each if type(each) is int and -_LARGE < each < _LARGE else written(each) for each in value]
    if isinstance(value, int):
        return value if -_LARGE < value < _LARGE else hex(value)
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


def _rows_written(rows: Mapping[Row, Any]) -> list[dict[str, Any]]:
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
        return content if content in parts and isinstance(content, str) else _refuse(parts, content, where)
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


def _refuse(expected: Any, content: Any, where: str) -> Any:
    shown = repr(content)
    shown = shown if len(shown) < 60 else f"{shown[:60]} ..."
    words = expected if isinstance(expected, str) else f"one of {', '.join(map(str, expected))}"
    raise ValueError(f"{where or 'it'} is {shown}, where {words} is expected")


@cache
def fields(kind: type) -> dict[str, Any]:
    """Return the types of a dataclass's fields, in their order."""
    hints = _hints(kind)
    return {each.name: hints[each.name] for each in dataclasses.fields(kind)}


def _record(kind: type, content: Any, where: str) -> Any:
    if not isinstance(content, Mapping):
        _refuse("an object", content, where)
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
        _refuse("an object", content, where)
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
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind, include_extras=True)


def _inside(where: str, name: object) -> str:
    return f"{where}.{name}" if where else str(name)


def _annotated(kind: Any, marks: tuple[Any, ...], content: Any, where: str) -> Any:
    for mark in marks:
        if isinstance(mark, Shape):
            return _array(mark.lengths, content, where)
    found = read(kind, content, where)
    for mark in marks:
        if isinstance(mark, Least) and found < mark.value:
            _refuse(f"a number from {mark.value}", content, where)
        if isinstance(mark, Most) and found > mark.value:
            _refuse(f"a number to 2^{mark.value.bit_length() - 1}", content, where)
    return found


def _array(lengths: tuple[int | None, ...], content: Any, where: str) -> Any:
    """Read an array of whole numbers from 0 that 64 bits hold."""
    import numpy as np

    _lists(lengths, content, where)
    found = np.array(content, np.int64)
    return found if content else found.reshape((0,) * len(lengths))


def _lists(lengths: tuple[int | None, ...], content: Any, where: str) -> None:
    length, inner = lengths[0], lengths[1:]
    if not isinstance(content, list) or length not in {None, len(content)}:
        _refuse("a list" if length is None else f"a list of {length}", content, where)
    if inner:
        for at, each in enumerate(content):
            _lists(inner, each, f"{where}[{at}]")
        if len({len(each) for each in content}) > 1:
            _refuse("lists of one length", content, where)
    elif not all(map(_is_small, content)):
        at = next(at for at, each in enumerate(content) if not _is_small(each))
        _refuse("a whole number from 0, of 63 bits,", content[at], f"{where}[{at}]")


def _is_small(number: Any) -> bool:
    return type(number) is int and 0 <= number < _LARGE


def _tuple(parts: tuple[Any, ...], content: Any, where: str) -> tuple[Any, ...]:
    if not isinstance(content, (list, tuple)):
        _refuse("a list", content, where)
    if len(parts) == 2 and parts[1] is Ellipsis:
        return tuple([read(parts[0], each, f"{where}[{place}]") for place, each in enumerate(content)])
    if len(content) != len(parts):
        _refuse(f"a list of {len(parts)}", content, where)
    return tuple(read(parts[at], each, f"{where}[{at}]") for at, each in enumerate(content))


def _mapping(parts: tuple[Any, ...], content: Any, where: str) -> dict[Any, Any]:
    if not isinstance(content, Mapping):
        _refuse("an object", content, where)
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
    return int(_refuse("a whole number as a name", key, where))


def _plain(kind: Any, content: Any, where: str) -> Any:
    if kind is int:
        return _integer(content, where)
    if kind is float:
        if isinstance(content, (int, float)) and not isinstance(content, bool) and _is_finite(content):
            return float(content)
        return _refuse("a finite number", content, where)
    if kind in {str, bool} and isinstance(content, kind):
        return content
    return _refuse({str: "a text", bool: "true or false"}.get(kind, "nothing"), content, where)


def _is_finite(number: float) -> bool:
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def _integer(content: Any, where: str) -> int:
    if isinstance(content, int) and not isinstance(content, bool):
        return content
    digits = content.removeprefix("-") if isinstance(content, str) else ""
    if digits.startswith("0x") and digits.isascii() and digits[2:].isalnum() and len(digits) < _DIGITS:
        with suppress(ValueError):
            return int(content, 16)
    return int(_refuse("a whole number", content, where))


def _measured(content: Any, where: str) -> Measured:
    if not isinstance(content, Mapping):
        _refuse("an object", content, where)
    found: dict[str, dict[Row, Any]] = {}
    for name, rows in content.items():
        if not isinstance(rows, list):
            _refuse("a list", rows, _inside(where, name))
        measures = load("statistics", name).MEASURES
        found[name] = dict(_row(measures, each, f"{where}.{name}[{at}]") for at, each in enumerate(rows))
        if len(found[name]) < len(rows):
            raise ValueError(f"{where}.{name} has a row twice")
    return Measured.of(found)


def _row(measures: Mapping[str, type], content: Any, where: str) -> tuple[Row, Any]:
    """Read a row and its measurement, whose fields stand side by side."""
    if not isinstance(content, Mapping):
        _refuse("an object", content, where)
    row = _named(Row, {name: content[name] for name in Row._fields if name in content}, where)
    if row.kind not in measures:
        raise ValueError(f"{where}: there is no such measurement of a {row.kind}")
    rest = {name: each for name, each in content.items() if name not in Row._fields}
    return row, read(measures[row.kind], rest, where)
