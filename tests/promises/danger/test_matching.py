"""Patterns and names of strangers: how long matching may take, and what belongs together."""

from __future__ import annotations

import re
import sys
import unicodedata
from difflib import SequenceMatcher
from pathlib import Path
from typing import TYPE_CHECKING

import backtracking
import make
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import dicecli
from dicecli.errors import AmbiguousPair, DicecliError, PairingError
from dicecli.masks.named_channels import parse_channels
from dicecli.records.cases import Scored
from dicecli.records.label_maps.texts import parse_map
from dicecli.records.labels import LabelScheme
from dicecli.records.limits import parse_bytes
from dicecli.records.only import Only, parse_only
from dicecli.records.schemes import load_labels
from dicecli.reports.comparison.matching import match
from dicecli.reports.merging import merged
from dicecli.runs.finding import find_pairs
from dicecli.runs.in_common import shared
from dicecli.runs.laying import Wish, laid
from dicecli.runs.pairing import pair_folders
from dicecli.runs.pairs_csv import pair_csv
from dicecli.runs.scoring import make_settings, result_of

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


# Names

COMPOSED, APART = "caf\u00e9", "cafe\u0301"


@pytest.fixture
def pair(tmp_path, monkeypatch):
    """Return a function that makes files of two names beside each other, and pairs their folders."""
    monkeypatch.chdir(tmp_path)

    def made(prediction, reference, **options):
        for folder, name in (("p", prediction), ("r", reference)):
            path = Path(folder, name)
            path.parent.mkdir(parents=True, exist_ok=True)
            make.png(path, np.array([[0, 1], [1, 1]], np.uint8))
        return pair_folders("p", "r", **options)

    return made


@pytest.mark.parametrize("forms", [(COMPOSED, APART), (APART, COMPOSED)], ids=ascii)
@pytest.mark.parametrize("pattern", [None, "{case}.png", "\u00e9_{case}/{label}.png"], ids=ascii)
def test_names_in_two_forms_pair(pair, forms, pattern):
    """Names that differ by NFC/NFD: paired by NFC; what is shown and opened is as the disk has it."""
    named = [
        f"{unicodedata.normalize('NFD', chr(233)) if form == APART else chr(233)}_{form}" for form in forms
    ]
    names = [f"{each}/{each}.png" if pattern and "label" in pattern else f"{each}.png" for each in named]
    (case,) = pair(*names, prediction_pattern=pattern, reference_pattern=pattern).cases
    assert case.prediction is not None
    paths = [getattr(each, "paths", [str(each)]) for each in (case.prediction, case.reference)]
    assert [[str(Path(side, name))] for side, name in zip("pr", names, strict=True)] == [
        [*each] for each in paths
    ]
    assert named[1].partition("_")[2] in case.name
    assert isinstance(result_of(case, make_settings()), Scored)


@pytest.mark.parametrize(
    ("prediction", "reference", "said"),
    [
        ("A", "a", "by case alone"),
        (
            "Stra\u00dfe",
            "strasse",
            "by U+0053 LATIN CAPITAL LETTER S, U+00DF LATIN SMALL LETTER SHARP S against",
        ),
        ("\ufb01n", "fin", "by U+FB01 LATIN SMALL LIGATURE FI against U+0066 LATIN SMALL LETTER F, U+0069"),
        ("\uff41", "a", "by U+FF41 FULLWIDTH LATIN SMALL LETTER A against U+0061 LATIN SMALL LETTER A"),
        ("c\u0430se", "case", "by U+0430 CYRILLIC SMALL LETTER A against U+0061 LATIN SMALL LETTER A"),
        ("a ", "a", "by U+0020 SPACE against nothing"),
        ("a\u00a0b", "a b", "by U+00A0 NO-BREAK SPACE against U+0020 SPACE"),
        ("a\u200b", "a", "by U+200B ZERO WIDTH SPACE against nothing"),
    ],
    ids=ascii,
)
def test_names_that_look_alike_say_what_differs(pair, prediction, reference, said):
    """Names that differ by case: never pair, look the same: the hint says what differs."""
    found = pair(f"{prediction}.png", f"{reference}.png")
    assert [None] == [case.prediction for case in found.cases]
    assert f"'{prediction}.png' against '{reference}.png' differ {said}" in found.notes[0]
    assert "no case name in common" not in "".join(found.notes)


def test_two_files_of_one_name_are_refused(pair):
    """Two files of one folder whose names are equal after NFC: none is chosen, and both are named."""
    pair(f"{COMPOSED}.png", "other.png")
    if len({*Path("p").iterdir()}) == 1 and Path("p", f"{APART}.png").exists():
        pytest.skip("this file system has one name for both")
    with pytest.raises(AmbiguousPair) as caught:
        pair(f"{APART}.png", f"{APART}.png")
    for name in (COMPOSED, APART):
        assert ascii(f"{name}.png") in caught.value.message


def test_names_elsewhere_are_in_one_form(pair):
    """A list of pairs, fields, groups, labels, --only, channels and gates: a name is one in both forms."""
    pair(f"{APART}.png", f"{APART}.png")
    make.png(Path("w.png"), np.ones((2, 2), np.uint8))
    Path("w.png").rename(f"w_{APART}.png")
    Path("pairs.csv").write_text(
        f"prediction,reference,group,site,within\np/{COMPOSED}.png,r/{COMPOSED}.png,{APART},{APART},w_{COMPOSED}.png\n",
        encoding="utf-8",
    )
    (case,) = pair_csv("pairs.csv").cases
    assert (f"p/{APART}.png", f"r/{APART}.png", f"w_{APART}.png") == tuple(
        Path(each).as_posix() for each in (case.prediction, case.reference, case.within)
    )
    assert (COMPOSED, (("site", COMPOSED),)) == (case.group, case.columns)
    found = find_pairs("p", "r", within_pattern="w_{case}.png").cases
    assert [f"w_{APART}.png"] == [each.within for each in found]
    scheme = load_labels({"labels": {"1": APART}, "regions": {f"{APART}s": [1]}})
    assert {1: COMPOSED} == scheme.names
    for form in (COMPOSED, APART):
        assert Only((1,), ()) == parse_only(form, scheme)
        assert 1 == parse_channels(form, scheme)[0].label
        report = dicecli.batch(pairs="pairs.csv", labels=scheme)
        assert 1.0 == report.look_up(f"dice[{form}]").value
    with pytest.raises(DicecliError, match="two regions"):
        load_labels({"labels": {"1": "a"}, "regions": {COMPOSED: [1], APART: [1]}})


def test_names_of_runs_are_in_one_form(pair):
    """The cases of a baseline are this run's in either form, and a case of two shards is one; A is not a."""
    reports = []
    for name in (APART, COMPOSED, COMPOSED.upper()):
        pair(f"{name}.png", f"{name}.png")
        reports.append(dicecli.batch("p", "r"))
        for side in "pr":
            Path(side, f"{name}.png").unlink()
    old, new, other = reports
    assert [COMPOSED] == [each.case.name for each in match(new, old).new]
    with pytest.raises(DicecliError, match="more than one report"):
        merged([old, new])
    with pytest.raises(DicecliError, match="differ by case alone"):
        match(other, old)
