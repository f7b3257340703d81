"""Patterns and names of strangers: how long matching may take, and what belongs together."""

from __future__ import annotations

import re
import sys
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import backtracking
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dicecli
from dicecli.errors import DicecliError, PairingError
from dicecli.records.label_maps.texts import parse_map
from dicecli.records.labels import LabelScheme
from dicecli.records.limits import parse_bytes
from dicecli.records.only import parse_only
from dicecli.runs.laying import Wish, laid
from dicecli.runs.patterns import shared

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


@given(st.text("ab_", max_size=14), st.text("ab_", max_size=14))
def test_what_two_names_share(one, other):
    """It is what difflib says, whose time grows with the product of both lengths."""
    expected = SequenceMatcher(None, one, other, autojunk=False).find_longest_match()
    assert ((*expected,) if expected.size else (0, 0, 0)) == shared(one, other)


def test_names_of_one_letter_are_compared_in_linear_steps():
    """So that what is advised of two folders whose names differ does not take for ever."""
    one, two = (steps(lambda n=n: shared("a" * n + "b", "a" * n + "c")) for n in (250, 500))
    assert two <= 2.3 * one <= 50_000


#: Expressions that may go back over a text as often as it is long, and why they may.
BOUNDED = {
    "metrics/_metric.py": "over the names of metrics in the source",
    "records/json_schema.py": "over docstrings of the source",
    "records/legends/cvat.py": "over lines of at most 1,000 characters, the first of which that is wrong ends it",
    "records/legends/freesurfer.py": "likewise",
}
EXPRESSIONS = [*backtracking.expressions(Path(dicecli.__file__).parent)]


def test_expressions_are_linear():
    """No regular expression of the package goes back over a stranger's text as often as that is long."""
    assert len(EXPRESSIONS) > 50
    found = {where for where, *each in EXPRESSIONS if backtracking.goes_back(*each)}
    assert BOUNDED.keys() == {where.partition(":")[0] for where in found}


@pytest.mark.parametrize(
    ("expression", "used"),
    [
        (r"(\w+)\s*=", "findall"),
        (r"\d+\s*([a-z]*)\s*", "fullmatch"),
        (r"(a+)+b", "match"),
        (r"([-_.])([^/]*[A-Z][^/]*)$", "search"),
        (r"(x*y*)*z", "fullmatch"),
    ],
)
def test_expressions_that_are_not_linear_are_found(expression, used):
    """The test above sees what it is there for."""
    assert backtracking.goes_back(expression, {used})


def test_numbers_of_any_length_are_refused():
    """Python makes no number of more than 4,300 digits: nor does anyone need one."""
    for digits in ("9" * 400, "9" * 5_000):
        for read in (
            lambda text: parse_only(text, LabelScheme()),
            lambda text: parse_only(f"1-{text}", LabelScheme()),
            lambda text: parse_map(f"{text}:+1", "here"),
            lambda text: parse_map(f"1={text}", "here"),
            parse_bytes,
        ):
            with pytest.raises(DicecliError):
                read(digits)
