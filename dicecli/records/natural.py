"""The order in which people list names: c1, c2, c10."""

from __future__ import annotations

import re

#: What names are sorted by.
Natural = tuple[tuple[tuple[int, str], ...], str]
_DIGITS = re.compile(r"([0-9]+)")


def natural(name: str) -> Natural:
    """Return what to sort a name by, so that the numbers in it count as numbers: c1, c2, c10.

    The order is total and depends on nothing but the names: what is no digit of ASCII goes by code point, and
    names that differ by leading zeros alone (c1, c01) as texts. A name may be empty, and a number of any
    length.
    """
    parts = _DIGITS.split(name)
    # Texts and numbers take turns, so that like is compared with like. Of numbers the longer is the larger.
    numbers = (part.lstrip("0") for part in parts[1::2])
    texts = [(0, part) for part in parts[::2]]
    found = [*texts[:1]]
    for number, text in zip(numbers, texts[1:], strict=True):
        found += [(len(number), number), text]
    return tuple(found), name
