"""Maps of labels as people write them: ``5=1,6=1``, ``0-149:+1``, ``10=1,*=ignore``; and mappings so."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise

from dicecli.errors import LabelFileError
from dicecli.records.label_maps import IGNORE, REST, LabelMap, Span, check_fit

#: The largest label, by its size; as in `dicecli.records.labels`.
_LARGEST = 2**63 - 1
_KEY = re.compile(r"\s*(-?\d{1,4000})\s*(?:-\s*(-?\d{1,4000})\s*)?")
_VALUE = re.compile(r"\s*([:=])\s*([+-]?\d{1,4000}|ignore)\s*", re.IGNORECASE)
_HOW = (
    "Write '5=1,6=1' for single labels, '0-149:+1' for a range that is to be 1 higher, '11-34=1' for one "
    "that is one label, and '10=1,*=ignore' where all others are none."
)


def parse_map(given: object, where: str) -> LabelMap:
    """Read a map of labels: a text as on the command line, or a mapping with the same keys.

    Parameters
    ----------
    given : str, mapping or LabelMap
        A mapping has labels, or texts as ``"0-149"`` and ``"*"``, as its keys; its values are labels,
        ``"ignore"``, or with a sign what is added: ``"+1"``.
    where : str
        What it was given as, for errors.

    Raises
    ------
    LabelFileError
        Not of that form, a label twice, or a label beyond 63 bits.
    """
    if isinstance(given, LabelMap):
        return given
    if isinstance(given, str):
        parts = [(part, *_split(part)) for part in given.split(",") if part.strip()]
    elif isinstance(given, Mapping):
        parts = [_part_of(key, value) for key, value in given.items()]
    else:
        raise LabelFileError(f"{where} is {given!r}: no map of labels", _HOW)
    if not parts:
        raise LabelFileError(f"{where} is a map without any label", _HOW)
    return _checked([(part, _parsed(part, key, value, where)) for part, key, value in parts], where)


def _split(part: str) -> tuple[str, str]:
    at = re.search("[:=]", part)
    return (part, "") if at is None else (part[: at.start()], part[at.start() :])


def _part_of(key: object, value: object) -> tuple[str, str, str]:
    """Return an entry of a mapping as a part of a text, its key and its value."""
    text = "?" if isinstance(key, bool) else str(key)
    if isinstance(value, bool) or not isinstance(value, (int, str)) or (isinstance(value, str) and not value):
        return f"{key}: {value!r}", text, "?"
    is_step = isinstance(value, str) and value.strip()[:1] in {"+", "-"}
    return f"{key}: {value!r}", text, f"{':' if is_step else '='}{value}"


def _parsed(part: str, key: str, value: str, where: str) -> Span | tuple[int | None]:
    """Return a part; a tuple of one for the rest."""
    found, given = _VALUE.fullmatch(value), _KEY.fullmatch(key)
    if found is None or (found[1] == ":") != (found[2][0] in "+-" and found[1] == ":"):
        raise LabelFileError(f"{where}: '{part.strip()}' is no part of a map of labels", _HOW)
    to = None if found[2].lower() == IGNORE else int(found[2])
    if key.strip() == REST and found[1] == "=":
        check_fit((to or 0,), f"{where}: '{part.strip()}'")
        return (to,)
    if given is None:
        raise LabelFileError(f"{where}: '{part.strip()}' is no part of a map of labels", _HOW)
    first, last = int(given[1]), int(given[2] or given[1])
    if last < first:
        raise LabelFileError(
            f"{where}: '{part.strip()}' has a range that ends before it begins", f"Write {last}-{first}."
        )
    span = Span(first, last, to, is_step=found[1] == ":")
    ends = (first, last, span.of(first) or 0, span.of(last) or 0)
    check_fit(ends, f"{where}: '{part.strip()}'")
    return span


def _checked(parts: list[tuple[str, Span | tuple[int | None]]], where: str) -> LabelMap:
    """Put parts together; a label that stands in two of them is refused."""
    every = [(each, part.strip()) for part, each in parts if isinstance(each, Span)]
    spans = sorted(every, key=lambda each: each[0][:2])
    rest = [(each, part.strip()) for part, each in parts if not isinstance(each, Span)]
    for (one, first), (other, second) in pairwise(spans):
        if other.first <= one.last:
            raise LabelFileError(
                f"{where}: label {other.first} stands in it twice, in '{first}' and in '{second}'",
                "Let each label stand once: leave out one of both, or make a range shorter.",
            )
    if len(rest) > 1:
        raise LabelFileError(
            f"{where}: {REST} stands in it twice, in '{rest[0][1]}' and in '{rest[1][1]}'",
            "Leave out one of both.",
        )
    return LabelMap(tuple(each for each, _ in spans), rest[0][0] if rest else ())
