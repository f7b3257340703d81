"""Names are listed as people do: c1, c2, c10."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.records.natural import natural

SORTED = [
    ["c1", "c2", "c10", "c100"],
    ["a/2", "a/10", "b/1"],
    ["2_b", "10_a"],
    ["c", "c0", "c00", "c01", "c1", "c1a", "c01b"],
    ["", "1", "a"],
    ["v1.2.9", "v1.2.10", "v1.10"],
    ["x1", f"x{'9' * 5000}", f"x1{'0' * 5000}"],
    ["c9", "c²", "c٣"],  # other digits go by code point
]


@pytest.mark.parametrize("names", SORTED)
def test_numbers_in_names_count_as_numbers(names):
    """Whatever order they came in."""
    backwards = list(reversed(names))
    assert names == sorted(backwards, key=natural)


@settings(derandomize=True, database=None, max_examples=50)
@given(st.lists(st.text("ab012./٣", max_size=6), max_size=6))
def test_the_order_is_total(names):
    """Any two names compare, only equal ones are equal, and of numbers alone the order is that of integers."""
    keys = [natural(each) for each in names]
    assert sorted(keys) == sorted(natural(each) for each in sorted(names))
    assert len(set(keys)) == len(set(names))
    numbers = [each for each in names if each.isascii() and each.isdigit()]
    assert [int(each) for each in sorted(numbers, key=natural)] == sorted(map(int, numbers))
