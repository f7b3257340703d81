"""The types of records as JSON Schema, draft 2020-12: of what :func:`dicecli.records.codec.written` gives.

What a property means is taken from the docstring of its class, from the section of the attributes, or from
the option that it is.
"""

from __future__ import annotations

import dataclasses
import inspect
import re
from collections.abc import Mapping
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

from dicecli.plugins import load, names, own
from dicecli.records.measurements import Least, Most, Row, Shape
from dicecli.records.options import names_of, table_of

#: A JSON Schema, or a part of one.
Schema = dict[str, Any]
#: What schemas of this module refer to.
DEFINITIONS: Schema = {
    "integer": {
        "description": "A whole number. One that 64 bits do not hold is a text of hexadecimal digits.",
        "anyOf": [{"type": "integer"}, {"type": "string", "pattern": "^-?0x[1-9a-f][0-9a-f]*$"}],
    },
    "whole": {
        "description": (
            "A whole number from 0, exact at any size. One that 64 bits do not hold is a text of hexadecimal "
            "digits: 0x8000000000000000 is 2^63. Those above 2^53 need a reader with integers, not floats."
        ),
        "anyOf": [{"type": "integer", "minimum": 0}, {"type": "string", "pattern": "^0x[1-9a-f][0-9a-f]*$"}],
    },
}
_PLAIN = {
    int: {"$ref": "#/$defs/integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    str: {"type": "string"},
}
#: From here on whole numbers can be texts; those whose type ends before are numbers always.
_LARGE = 1 << 63
_WHOLE = {"$ref": "#/$defs/whole"}


def of(kind: object) -> Schema:
    """Return the schema of a type; of what stays as it is, one that takes everything.

    Parameters
    ----------
    kind : type or annotation
        As :func:`dicecli.records.codec.read` takes it.

    Raises
    ------
    TypeError
        Records have no such type.
    """
    if _has_fields(kind):
        return described(closed(properties(kind)), summary(kind))
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin is Annotated:
        return _annotated(parts[0], parts[1:])
    if origin in {Union, UnionType}:
        (other,) = (each for each in parts if each is not NoneType)
        return or_null(of(other))
    if origin is Literal:
        return {"type": "string", "enum": list(parts)}
    if origin is tuple:
        return _tuple(parts)
    if origin is Mapping:
        is_number = {"propertyNames": {"pattern": "^-?[0-9]+$"}} if parts[0] is int else {}
        return {"type": "object", **is_number, "additionalProperties": of(parts[1])}
    if kind not in {Any, *_PLAIN}:
        raise TypeError(f"records have no {kind!r}")
    return dict(_PLAIN.get(kind, {}))


def _has_fields(kind: object) -> bool:
    return isinstance(kind, type) and (dataclasses.is_dataclass(kind) or hasattr(kind, "_field_defaults"))


def properties(kind: Any, *, without: tuple[str, ...] = ()) -> Schema:
    """Return the schema of each field of a dataclass or named tuple, with what it means.

    That is what the docstring says of it, or, of an option, what the option says.
    """
    hints, is_class = get_type_hints(kind, include_extras=True), dataclasses.is_dataclass(kind)
    said = {name: plain(each.help) for name, each in table_of(kind).items()} if is_class else {}
    said |= _said(kind)
    fields = names_of(kind) if is_class else kind._fields
    return {name: described(of(hints[name]), said.get(name)) for name in fields if name not in without}


def closed(content: Schema, *, optional: tuple[str, ...] = ()) -> Schema:
    """Return the schema of an object that has these properties and no others."""
    return {
        "type": "object",
        "properties": dict(content),
        "required": [name for name in content if name not in optional],
        "additionalProperties": False,
    }


def described(schema: Schema, text: str | None) -> Schema:
    """Return a schema with what it means in front."""
    rest = {key: each for key, each in schema.items() if key != "description"}
    return {"description": text} | rest if text else dict(schema)


def or_null(schema: Schema) -> Schema:
    """Return the schema of the same, or of null."""
    if "type" not in schema:
        return {"anyOf": [dict(schema), {"type": "null"}]}
    choices = {"enum": [*schema["enum"], None]} if "enum" in schema else {}
    return {**schema, "type": [schema["type"], "null"], **choices}


def _annotated(kind: object, marks: tuple[object, ...]) -> Schema:
    for mark in marks:
        if isinstance(mark, Shape):
            return _array(mark.lengths)
    limits = {
        word: mark.value
        for mark in marks
        for word, of_kind in (("minimum", Least), ("maximum", Most))
        if isinstance(mark, of_kind)
    }
    if (
        kind is int
        and limits.get("maximum", _LARGE) < _LARGE
        and limits.get("minimum", -_LARGE - 1) >= -_LARGE
    ):
        return {"type": "integer", **limits}
    return dict(_WHOLE) if kind is int and limits.get("minimum") == 0 else of(kind) | limits


def _array(lengths: tuple[int | None, ...]) -> Schema:
    """Return the schema of lists of whole numbers that 63 bits hold."""
    found: Schema = {"type": "integer", "minimum": 0, "maximum": _LARGE - 1}
    for length in reversed(lengths):
        limits = {} if length is None else {"minItems": length, "maxItems": length}
        found = {"type": "array", "items": found, **limits}
    return found


def _tuple(parts: tuple[object, ...]) -> Schema:
    if len(parts) == 2 and parts[1] is Ellipsis:
        return {"type": "array", "items": of(parts[0])}
    places = [of(each) for each in parts]
    return {"type": "array", "prefixItems": places, "minItems": len(places), "items": False}


@cache
def _said(kind: object) -> Mapping[str, str]:
    """Return what a class's docstring says of its attributes, as plain text."""
    _, _, section = (inspect.getdoc(kind) or "").partition("Attributes\n----------\n")
    found: dict[str, str] = {}
    for heading, body in re.findall(
        r"^(\w[^\n]*?)(?: :[^\n]*)?\n((?:[ ]+[^\n]+\n?)*)", f"{section}\n", re.MULTILINE
    ):
        several = heading.split(", ")
        text = plain(" ".join(body.split()))
        found |= dict.fromkeys(several, f"{heading}: {text}" if len(several) > 1 else text)
    return found


def plain(text: str) -> str:
    """Return the text of a docstring without its marks; None is null here."""
    text = re.sub(r":\w+:`~?(?:[\w.]*\.)?(\w+)`", r"\1", text)
    return re.sub(r"\bNone\b", "null", re.sub(r"`+([^`]+)`+", r"\1", text))


def summary(kind: object) -> str:
    """Return the first line of a docstring as plain text."""
    return plain((inspect.getdoc(kind) or "").split("\n", maxsplit=1)[0])


def measured() -> Schema:
    """Return the schema of what was measured of a case: rows by statistic, of every statistic there is."""
    found = {}
    for name in names("statistics"):
        try:
            plugin = load("statistics", name)
            found[name] = described(_rows(plugin.MEASURES), summary(plugin))
        except Exception:  # whatever a stranger's package raises as it is described
            if name in own("statistics"):
                raise
            # Of an installed package, whose metrics are refused by name.
    return closed(found, optional=tuple(found))


def _rows(measures: Mapping[str, type]) -> Schema:
    """Return the schema of the rows of one statistic; kinds of rows with one measurement are put together."""
    kinds: dict[type, list[str]] = {}
    for kind, measurement in measures.items():
        kinds.setdefault(measurement, []).append(kind)
    row = properties(Row)
    branches = []
    for measurement, of_kinds in kinds.items():
        head = row | {"kind": described({"enum": of_kinds}, row["kind"].get("description"))}
        branches.append(of(measurement) | closed(head | properties(measurement)))
    return {"type": "array", "items": branches[0] if len(branches) == 1 else {"oneOf": branches}}
