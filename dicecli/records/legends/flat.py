"""A mapping alone: of names to numbers, ``{"liver": 1}``, or of numbers to names, ``{"1": "liver"}``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.literals import is_integer

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = '{"liver": 1} or {"1": "liver"}'


def is_of(written: Written) -> bool:
    """Whether it is numbers on the one side, and names on the other."""
    content = written.content or {}
    number_first = all(is_integer(key) and isinstance(value, str) for key, value in content.items())
    name_first = all(is_integer(value) and not is_integer(key) for key, value in content.items())
    return bool(content) and (number_first or name_first)


def read(written: Written) -> LabelScheme:
    """Read it."""
    content = (written.content or {}).items()
    pairs = [(key, value) if is_integer(key) else (value, key) for key, value in content]
    return scheme_of([Entry(int(str(label)), str(name)) for label, name in pairs], written)
