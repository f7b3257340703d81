"""Numbers of records that are read, checked for what they are; the error where they are something else."""

from __future__ import annotations

import math
from contextlib import suppress
from typing import Any

#: From here on, on both sides of 0, a whole number is written as a text.
LARGE = 1 << 63
#: A text of so many digits is no number of ours, nor one that Python would write in decimal digits.
_DIGITS = 2000


def refuse(expected: Any, content: Any, where: str) -> Any:
    """Raise ValueError: what stands in a place is not what is expected there."""
    shown = repr(content)
    shown = shown if len(shown) < 60 else f"{shown[:60]} ..."
    words = expected if isinstance(expected, str) else f"one of {', '.join(map(str, expected))}"
    raise ValueError(f"{where or 'it'} is {shown}, where {words} is expected")


def integer(content: Any, where: str) -> int:
    """Read a whole number of any size."""
    if isinstance(content, int) and not isinstance(content, bool):
        return content
    digits = content.removeprefix("-") if isinstance(content, str) else ""
    if digits.startswith("0x") and digits.isascii() and digits[2:].isalnum() and len(digits) < _DIGITS:
        with suppress(ValueError):
            return int(content, 16)
    return int(refuse("a whole number", content, where))


def is_finite(number: float) -> bool:
    """Whether a float holds a number."""
    try:
        return math.isfinite(number)
    except OverflowError:
        return False


def array(lengths: tuple[int | None, ...], content: Any, where: str) -> Any:
    """Read an array of whole numbers from 0 that 64 bits hold."""
    import numpy as np

    _lists(lengths, content, where)
    found = np.array(content, np.int64)
    return found if content else found.reshape((0,) * len(lengths))


def _lists(lengths: tuple[int | None, ...], content: Any, where: str) -> None:
    length, inner = lengths[0], lengths[1:]
    if not isinstance(content, list) or length not in {None, len(content)}:
        refuse("a list" if length is None else f"a list of {length}", content, where)
    if inner:
        for at, each in enumerate(content):
            _lists(inner, each, f"{where}[{at}]")
        if len({len(each) for each in content}) > 1:
            refuse("lists of one length", content, where)
    elif not all(map(_is_small, content)):
        at = next(at for at, each in enumerate(content) if not _is_small(each))
        refuse("a whole number from 0, of 63 bits,", content[at], f"{where}[{at}]")


def _is_small(number: Any) -> bool:
    return type(number) is int and 0 <= number < LARGE
