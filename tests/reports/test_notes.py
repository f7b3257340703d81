"""Notes on a run, whole: what was assumed of its files is added up, and contradictions are named."""

from __future__ import annotations

import pytest
from make import measured

from dicecli.masks.encoding import READ_AS_ONE
from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.observed import Observed
from dicecli.reports.notes import run_notes

AS_ONE = f"prediction: {READ_AS_ONE}"
TURNED = "the prediction's axes were turned from LAS to RAS, without interpolation"


def scored(name, *notes, labels=(1,), twins=None, as_one=()):
    """Return a scored case with such notes, whose masks hold such labels."""
    counts = measured(dict.fromkeys(labels, Counts(1, 0, 0, 1)))
    observed = Observed(twins=twins, as_one=as_one)
    return Scored(Case(name, "p", "r"), (2,), None, None, {}, 2, {}, counts, notes=notes, observed=observed)


def read_as_one(name, side="prediction"):
    """Return a case in which 255 is read as label 1 on one side."""
    return scored(name, f"{side}: {READ_AS_ONE}", as_one=(side,))


def test_a_run_without_notes_has_none():
    """Cases of which nothing was assumed add up to nothing, and so does no case at all."""
    assert run_notes([scored("a"), scored("b")], 2) == []
    assert run_notes([], 2) == []


# One file for both masks.


def test_twins_are_counted_and_named_once():
    """A file given as both masks, and a copy of it, are one kind of twin, said of all expected cases."""
    run = [scored("a", twins="file"), scored("b"), scored("c", twins="bytes")]
    assert run_notes(run, 4) == [
        "in 2 of 4 cases both masks are one file, or files of the same bytes, as copies are and what is wholly "
        "right may be: a, c"
    ]


def test_a_single_twin_is_named():
    """One such case is enough; its other notes are said beside it."""
    assert run_notes([scored("a", TURNED, twins="bytes"), scored("b")], 2) == [
        "in 1 of 2 cases both masks are one file, or files of the same bytes, as copies are and what is wholly "
        "right may be: a",
        f"in 1 of 2 cases: {TURNED} (a)",
    ]


# Equal notes.


def test_equal_notes_are_put_together():
    """A note that several cases have is said once, with how many they are and which."""
    run = [scored("a", TURNED), scored("b"), scored("c", TURNED)]
    assert run_notes(run, 5) == [f"in 2 of 5 cases: {TURNED} (a, c)"]


def test_notes_that_differ_by_numbers_are_put_together_and_the_first_is_shown():
    """0.25 and 0.5 voxels, or 12 and 1,234 pixels, make no two notes of one."""
    run = [
        scored("a", "the grids lie up to 0.25 voxels apart", "12 pixels are NaN"),
        scored("b", "the grids lie up to 0.5 voxels apart", "1,234 pixels are NaN"),
    ]
    assert run_notes(run, 2) == [
        "in 2 of 2 cases: the grids lie up to 0.25 voxels apart; so it is of a, and others have other numbers (a, b)",
        "in 2 of 2 cases: 12 pixels are NaN; so it is of a, and others have other numbers (a, b)",
    ]


def test_notes_that_differ_by_words_stay_apart_in_the_order_of_their_first_cases():
    """Each note stands where its first case has it."""
    run = [scored("a", "of the reference"), scored("b", "of the prediction", "of the reference")]
    assert run_notes(run, 2) == [
        "in 2 of 2 cases: of the reference (a, b)",
        "in 1 of 2 cases: of the prediction (b)",
    ]


@pytest.mark.parametrize(
    ("number", "named"),
    [
        (5, "c0, c1, c2, c3, c4"),
        (6, "c0, c1, c2, c3, c4 and 1 more"),
        (1206, "c0, c1, c2, c3, c4 and 1,201 more"),
    ],
)
def test_five_cases_are_named_and_more_are_counted(number, named):
    """Every note names five cases at most, and writes large numbers with separators."""
    names = [f"c{place}" for place in range(number)]
    assert run_notes([scored(name, TURNED) for name in names], 2000) == [
        f"in {number:,} of 2,000 cases: {TURNED} ({named})"
    ]
    assert run_notes([scored(name, twins="file") for name in names], 2000) == [
        f"in {number:,} of 2,000 cases both masks are one file, or files of the same bytes, as copies are and "
        f"what is wholly right may be: {named}"
    ]


# 255.


def test_255_as_two_things_is_a_contradiction():
    """255 as label 1 in some cases and a label of its own in others is said, with what to do about it."""
    run = [
        read_as_one("a"),
        scored("b", labels=(0, 1, 255)),
        read_as_one("c", "reference"),
        scored("d"),
    ]
    assert run_notes(run, 4)[0] == (
        "255 is read as label 1 in 2 cases (a, c) and is a label of its own in 1 (b): if it is label 1 in the former "
        "and void in the latter, save the former as 0 and 1, and give --ignore-label 255; if it is one label in "
        "all, declare it: --labels FILE"
    )


def test_255_of_many_cases_has_separators():
    """Both numbers of the contradiction are written for people."""
    run = [
        *(read_as_one("a") for _ in range(1000)),
        *(scored("b", labels=(255,)) for _ in range(1001)),
    ]
    first, _ = run_notes(run, 2001)
    assert first.startswith("255 is read as label 1 in 1,000 cases (a, a, a, a, a and 995 more) and")
    assert "is a label of its own in 1,001 (b, b, b, b, b and 996 more): if" in first


@pytest.mark.parametrize(
    ("run", "expected"),
    [
        ([read_as_one("a"), scored("b", labels=(254,))], [f"in 1 of 2 cases: {AS_ONE} (a)"]),
        ([scored("a", labels=(255,)), scored("b", "255 pixels are NaN")], ["in 1 of 2 cases: 255 pixels are NaN (b)"]),
    ],
    ids=["label 1 alone", "its own alone"],
)  # fmt: skip
def test_255_as_one_thing_is_none(run, expected):
    """255 as label 1, or as a label of its own, throughout the run contradicts nothing."""
    assert run_notes(run, 2) == expected


def test_all_notes_in_their_order():
    """Twins first, then 255, then what was assumed about single files."""
    run = [scored("a", TURNED, twins="file"), read_as_one("b"), scored("c", labels=(255,))]
    assert run_notes(run, 3) == [
        "in 1 of 3 cases both masks are one file, or files of the same bytes, as copies are and what is wholly "
        "right may be: a",
        "255 is read as label 1 in 1 case (b) and is a label of its own in 1 (c): if it is label 1 in the former "
        "and void in the latter, save the former as 0 and 1, and give --ignore-label 255; if it is one label in "
        "all, declare it: --labels FILE",
        f"in 1 of 3 cases: {TURNED} (a)",
        f"in 1 of 3 cases: {AS_ONE} (b)",
    ]
