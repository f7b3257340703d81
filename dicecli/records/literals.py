"""Integers and colours as files of labels write them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, TypeGuard

from dicecli.errors import LabelFileError

if TYPE_CHECKING:
    from dicecli.records.labels import Colour

_INTEGERS = "Write the number of a label, or several in brackets: [1, 2]."


def colours_of(
    table: dict[str, object], ignore: tuple[int, ...], source: str
) -> dict[Colour, tuple[int, ...]]:
    """Return the labels of each colour: the one that it is read as, then others, which are left out.

    A label has one colour or a list of them. Of labels with one colour at most one may be evaluated.

    Raises
    ------
    LabelFileError
        A value is no colour, or two labels that are evaluated have one.
    """
    found: dict[Colour, list[int]] = {}
    for key, value in table.items():
        several = [value]
        if isinstance(value, list) and isinstance(next(iter(value), 0), (list, str)):
            several = value
        for colour in several:
            found.setdefault(_colour(colour, source), []).append(integers(key, source, "colours")[0])
    if any(sum(label not in ignore for label in labels) > 1 for labels in found.values()):
        raise LabelFileError(f"{source}: two labels have the same colour", "Give each label its own colour.")
    return {colour: tuple(sorted(labels, key=ignore.__contains__)) for colour, labels in found.items()}


def is_integer(value: object) -> TypeGuard[int | str]:
    """Tell whether a value is an integer, or a text that is one, of digits that Python turns into one."""
    if isinstance(value, str):
        return re.fullmatch(r"-?\d{1,4000}", value) is not None
    return isinstance(value, int) and not isinstance(value, bool)


def _is_byte(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def integers(value: object, source: str, what: str) -> tuple[int, ...]:
    """Return the labels that a value is, one or a list of them: each once, in ascending order.

    Raises
    ------
    LabelFileError
        It is something else; `what` it was to be, and in which `source`.
    """
    several = value if isinstance(value, list) else [value]
    labels = [int(each) for each in several if is_integer(each)]
    if not labels or len(labels) < len(several):
        raise LabelFileError(
            f"{source}: {what} is {value!r}, not an integer or a list of integers", _INTEGERS
        )
    return tuple(sorted(set(labels)))


def _colour(value: object, source: str) -> Colour:
    if isinstance(value, str) and re.fullmatch(r"#[0-9a-fA-F]{6}", value):
        value = [int(value[i : i + 2], 16) for i in (1, 3, 5)]
    if not (isinstance(value, list) and len(value) == 3 and all(_is_byte(each) for each in value)):
        raise LabelFileError(
            f"{source}: {value!r} is no colour",
            'Write [red, green, blue], each 0 to 255, or "#rrggbb"; several in brackets.',
        )
    return value[0], value[1], value[2]
