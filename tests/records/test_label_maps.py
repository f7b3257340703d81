"""Maps of labels: how they are written, what they make of each label, and what is refused."""

from __future__ import annotations

import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.errors import LabelFileError
from dicecli.records.label_maps import LabelMap
from dicecli.records.label_maps.texts import parse_map
from dicecli.records.legends import own
from dicecli.records.schemes import load_labels

TABLES = st.dictionaries(st.integers(-9, 9), st.none() | st.integers(-9, 9), min_size=1)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("5=1,6=1", {5: 1, 6: 1, 0: 0}),
        (" 5 = 1 ,, 6=IGNORE", {5: 1, 6: None}),
        ("0-149:+1", {0: 1, 7: 8, 149: 150}),
        ("1-150:-1", {0: 0, 1: 0, 150: 149}),
        ("10=1,20=2,*=ignore", {10: 1, 20: 2, 0: 0, 3: None, -3: None}),
        ("11-34=1,0=ignore", {11: 1, 20: 1, 34: 1, 0: None}),
        ("-3--1=-7,-9:+2,*=0", {-3: -7, -2: -7, -1: -7, -9: -7, 5: 0}),
        (f"{2**62}-{2**63 - 1}:-1", {2**63 - 1: 2**63 - 2}),  # never written out
        (
            {5: 1, "6": "1", "10-12": "+1", "20-22": "-1", "*": "ignore"},
            {5: 1, 6: 1, 11: 12, 21: 20, 9: None},
        ),
    ],
)
def test_each_label_is_read_as_it_is_written(text, expected):
    """Single labels, ranges to one label, ranges that are moved, the rest, and none; 0 stays 0."""
    found = parse_map(text, "map")
    assert {label: found[label] for label in expected} == expected
    assert parse_map(found.text, "map") == pickle.loads(pickle.dumps(found)) == parse_map(found, "map")  # noqa: S301


def test_what_a_map_lacks_has_no_answer():
    """A label that nothing says anything about is not guessed."""
    found = parse_map("5-7=1", "map")
    assert [found.has(label) for label in (0, 4, 5, 7, 8)] == [True, False, True, True, False]
    with pytest.raises(KeyError):
        found[8]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("", "without any label"),
        ({}, "without any label"),
        (5, "no map"),
        ({True: 1}, "no part"),
        ({5: True}, "no part"),
        ({5: 1.0}, "no part"),
        ("5", "'5' is no part"),
        ("5=", "no part"),
        ("5:1", "no part"),
        ("5:ignore", "no part"),
        ("*:+1", "no part"),
        ("5-3=1", "ends before it begins"),
        ("5=1,5=1", "label 5 stands in it twice"),
        ("1-9=1,9-12:+1", "label 9 stands in it twice, in '1-9=1' and in '9-12:.1'"),
        ({5: 1, "05": 2}, "label 5 stands in it twice"),
        ("*=1,*=2", "stands in it twice"),
        (f"5={2**63}", "63 bits"),
        (f"-{2**63}=5", "63 bits"),
        (f"5-{2**63 - 1}:+1", "63 bits"),
    ],
)
def test_what_is_no_map_is_refused(given, said):
    """What stands where, and where it was given, is said."""
    with pytest.raises(LabelFileError, match=f"^map_reference.*{said}"):
        parse_map(given, "map_reference")


@given(TABLES, st.sampled_from([(), (None,), (3,)]))
def test_a_table_becomes_a_map_of_the_same(table, rest):
    """Whatever is put together in ranges, each label is read as the table says, also out of the text."""
    found = LabelMap.of(table, rest)
    assert {label: found[label] for label in table} == table
    assert all(found.has(label) == (label in table or label == 0 or bool(rest)) for label in range(-12, 12))
    again = parse_map(found.text, "map")
    assert again == found
    assert len(found.text) <= len(",".join(f"{key}={to or 'ignore'}" for key, to in table.items())) + 12


@pytest.mark.parametrize(
    ("text", "side", "said"),
    [
        ("5=1,6=1", "prediction", "labels 5 and 6 are read as 1"),
        ("0-149:+1", "prediction", "labels 0 to 149 are read 1 higher"),
        ("4=4,5:-2", "reference", "label 5 is read 2 lower"),
        ("10=1,20=2,*=ignore", "prediction", "label 10 is read as 1; label 20 is read as 2; every other label but 0 is no label"),
        ("0=0,3=ignore,*=1", "reference", "label 3 is left out; every other label is read as 1"),
        ("1-9:+0", "reference", None),
        ("1=2,3=4,5=6,7=8,9=1", "prediction", "label 1 is read as 2; label 3 is read as 4; label 5 is read as 6; 2 more parts of the map likewise"),
        ("1=0,3-9=0,12=0", "prediction", "9 labels are read as 0"),
    ],
)  # fmt: skip
def test_a_map_has_words(text, side, said):
    """Labels that keep their number are not named, and of many there is a number."""
    assert parse_map(text, "map").said(side) == said


LABELS = {"labels": {"0": "rest", "1": "liver"}}


def test_a_labels_file_has_maps_of_sides():
    """A map of each side, or one of both; nnU-Net's form has none."""
    both = load_labels(LABELS | {"map": {"5": 1, "*": "ignore"}}).maps
    assert both == dict.fromkeys(("prediction", "reference"), parse_map("5=1,*=ignore", "map"))
    assert load_labels(LABELS | {"map": "5=1,*=ignore"}).maps == both
    one = load_labels(LABELS | {"map": {"reference": {"0-9": "+1"}}}).maps
    assert one == {"reference": parse_map("0-9:+1", "map")}
    for text in ("1-9:-1,12=-1", "0-149:+1", "-3--1=2,*=ignore"):
        there = load_labels(LABELS | {"map": {"reference": text}})
        assert load_labels(own.write(there)).maps == there.maps
    with pytest.raises(LabelFileError, match="'map' beside labels written as name"):
        load_labels({"labels": {"liver": 1}, "map": {"5": 1}})
    with pytest.raises(LabelFileError, match=r"'map' of the reference: '5: 1.5' is no part"):
        load_labels(LABELS | {"map": {"reference": {"5": 1.5}}})
