"""What was measured of a case: a mapping that does not change, travels, and shares what is equal."""

from __future__ import annotations

import pickle
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE, Measured, Row
from dicecli.statistics.matrix import Matrix

LIVER = Row("label", 1, "liver", (1,))
BOTH = Row("region", None, "both", (1, 2))
HERE, THERE = Matrix((0, 1), (0, 1), (3, 2)), Matrix((0, 1), (0, 1), (5, 7))
GIVEN = {"matrix": {IMAGE: HERE, BOTH: THERE}, "other": {LIVER: Counts(1, 2, 3, 4)}}


def test_it_is_the_mapping_that_it_is_made_of():
    """Statistics, rows and measurements come back by their names, in their order; nothing else is there."""
    measured = Measured.of(GIVEN)
    assert isinstance(measured, Mapping)
    assert measured == GIVEN
    assert {name: list(rows) for name, rows in measured.items()} == {
        "matrix": [IMAGE, BOTH],
        "other": [LIVER],
    }
    assert len(measured) == 2
    assert "matrix" in measured
    assert "soft" not in measured
    assert measured.get("soft", {}) == {}
    with pytest.raises(KeyError, match="soft"):
        measured["soft"]
    assert measured != Measured.of({"matrix": GIVEN["matrix"]})
    assert eval(repr(measured)) == measured  # noqa: S307 - our own text
    assert len(Measured.of({})) == 0


def test_nothing_in_it_changes():
    """It takes no entry, and what it gives out is no way into it."""
    measured = Measured.of(GIVEN)
    with pytest.raises(TypeError):
        measured["matrix"] = {}
    measured["matrix"][IMAGE] = THERE
    assert measured == GIVEN
    with pytest.raises(AttributeError):
        measured.more = 1


@given(
    st.dictionaries(
        st.sampled_from(["matrix", "other"]), st.dictionaries(st.integers(0, 9), st.integers(), min_size=1)
    )
)
def test_it_travels(content):
    """Pickled and back, it is the same, in the same order."""
    rows = {
        name: {Row("label", label, None, (label,)): Matrix((0,), (0,), (n,)) for label, n in each.items()}
        for name, each in content.items()
    }
    measured = Measured.of(rows)
    back = pickle.loads(pickle.dumps(measured))  # noqa: S301 - our own bytes
    assert back == measured == rows
    assert repr(back) == repr(measured)


def test_equal_parts_are_kept_once():
    """Of results that came from workers, equal keys and equal pairs of labels are one object; what is seen is the same."""
    copies = [
        pickle.loads(pickle.dumps(Measured.of({"matrix": {IMAGE: each}})))  # noqa: S301 - our own bytes
        for each in (HERE, THERE)
    ]
    parts = {}
    shared = [each.packed(parts) for each in copies]
    assert shared == copies
    (first,), (second,) = (each["matrix"].items() for each in shared)
    assert first[0] is second[0]
    assert (first[1], second[1]) == (HERE, THERE)
    one, other = (each._values[0]._columns for each in shared)
    assert one[0] is other[0]
    assert one[1] is other[1]


@pytest.mark.parametrize(
    ("row", "title"),
    [(LIVER, "liver"), (BOTH, "both"), (IMAGE, "the image"), (Row("label", 0, None, (0,)), "label 0")],
)
def test_a_row_has_a_title(row, title):
    """Its name, else its number; a row is equal to one of the same fields, and to be a key."""
    assert row.title == title
    assert {row: 1}[Row(*row)] == 1
    row.check()
