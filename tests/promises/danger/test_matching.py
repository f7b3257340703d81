"""Patterns and names of strangers: how long matching may take, and what belongs together."""

from __future__ import annotations

import re
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.errors import PairingError
from dicecli.runs.laying import Wish, laid

if TYPE_CHECKING:
    from collections.abc import Callable


def steps(work: Callable[[], object]) -> int:
    """Return how many functions were called, those in C included."""
    n = 0

    def count(*_: object) -> None:
        nonlocal n
        n += 1

    sys.setprofile(count)
    try:
        work()
    finally:
        sys.setprofile(None)
    return n


def plain(pattern: str, name: str, groups: dict[str, str]) -> dict[str, str] | None:
    """Lay a pattern on a short name as a regular expression that goes back as often as it likes."""
    expression = ""
    for part in re.split(r"(\{case\}|\{label\}|\*+)", pattern):
        if part in groups:
            named = part[1:-1]
            is_again = f"(?P<{named}>" in expression
            expression += f"(?P={named})" if is_again else f"(?P<{named}>{groups[part]})"
        else:
            expression += "[^/]*?" if part.startswith("*") else re.escape(part)
    found = re.fullmatch(expression, name, re.DOTALL)
    return None if found is None else found.groupdict()


WISHES = [
    (Wish(), {"{case}": ".+", "{label}": "[^/]+?"}),
    (Wish(is_short=True), {"{case}": ".+?", "{label}": "[^/]+"}),
    (Wish(length=2), {"{case}": ".{2}", "{label}": "[^/]+?"}),
]
PIECES = st.sampled_from(["{case}", "{label}", "*", "**", "a", "b", "_", "/", ".", "aa", "a_", "\n"])
NAMES = st.text("aab_/.\n", max_size=12)


@given(st.lists(PIECES, min_size=1, max_size=8).map("".join), NAMES, st.lists(NAMES, min_size=3, max_size=3))
def test_patterns_match_as_ever(pattern, name, texts):
    """What a pattern matches, and what {case} and {label} are then, is what a regular expression says."""
    made = pattern
    for placeholder, text in zip(("{case}", "{label}", "*"), texts, strict=True):
        made = made.replace(placeholder, text[:4])
    for wish, groups in WISHES:
        for each in (name, made):
            assert plain(pattern, each, groups) == laid(pattern, each, wish)


ROW = "*_*_*_*_*_*_*{case}.x.png"


@pytest.mark.parametrize(
    ("pattern", "name", "rest"),
    [
        (ROW, "a_", ""),
        (ROW, "a_", ".x.png"),
        ("*" + "_*" * 40 + "{case}.png", "_", ".png"),
        ("{case}*{label}*a*{case}b", "ab", "c"),
    ],
)
def test_linear(pattern, name, rest):
    """`--prediction-pattern '*_*_*_*_*_*_*{case}.x.png'` with a name of 60 `a_`: linear."""
    one, two = (steps(lambda n=n: laid(pattern, name * n + rest)) for n in (60, 120))
    assert two <= 2.1 * one <= 10_000


def test_many_ways_are_refused():
    """Where a placeholder is repeated between stars the ways are counted, and too many are refused, soon."""

    def refused(n: int) -> None:
        with pytest.raises(PairingError, match="could be too many texts"):
            laid("*{case}*{case}*{case}*.png", "ab" * n + ".png")

    assert steps(lambda: refused(250)) <= 2.5 * steps(lambda: refused(125)) <= 2_000_000
    assert {"case": "case_1"} == laid("*{case}*{case}_seg.png", "case_1_case_1_seg.png")
