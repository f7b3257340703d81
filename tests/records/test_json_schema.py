"""Schemas of types: they allow what the codec writes of a value, and refuse what is no value of the type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from dicecli import plugins
from dicecli.errors import BrokenPlugin
from dicecli.records import json_schema
from dicecli.records.codec import written
from dicecli.records.measurements import Label, Least, Shape, Whole


class Named(NamedTuple):
    """A named tuple."""

    number: int = 1


@dataclass(frozen=True)
class Place:
    """Where something is.

    Attributes
    ----------
    rows, columns : int
        How far it is, in ``pixels``
        of :class:`~dicecli.records.cases.Case`.
    name : str or None
        None where it has none.
    """

    rows: Whole
    columns: Whole
    name: str | None


def fits(kind, content):
    found = {"$defs": json_schema.DEFINITIONS, **json_schema.of(kind)}
    Draft202012Validator.check_schema(found)
    return Draft202012Validator(found).is_valid(content)


#: Types, with what is of them in JSON and what is not.
TYPES = {
    "int": (int, [0, -5, "0x8000000000000000", "-0x8000000000000000"], [0.5, "5", "0x", True, None]),
    "whole": (Whole, [0, "0x8000000000000000"], [-1, "-0x8000000000000000", 0.5, True]),
    "label": (Label, [0, -(2**63), 2**63 - 1], [2**63, -(2**63) - 1, "0x1", 0.5, None]),
    "from 1": (Annotated[float, Least(1)], [1, 1.5], [0.5, "1"]),
    "float": (float, [0.5, 1, -1e300], ["1", None, True]),
    "bool": (bool, [True, False], [0, 1, "true", None]),
    "str": (str, ["", "x"], [0, None, ["x"]]),
    "one of some": (Literal["a", "b"], ["a", "b"], ["c", None, 0]),
    "one of some, or None": (Literal["a", "b"] | None, ["a", None], ["c", 0]),
    "None": (int | None, [1, None], ["x", 0.5]),
    "list": (tuple[str, ...], [[], ["a", "b"]], [["a", 1], "a", {}, None]),
    "list or None": (tuple[str, ...] | None, [None, ["a"]], ["a", [1]]),
    "pair": (tuple[int, str], [[1, "a"]], [[1], [1, "a", 2], ["a", 1]]),
    "by number": (Mapping[int, str], [{}, {"-1": "a"}], [{"a": "a"}, {"1": 1}, []]),
    "by name": (Mapping[str, Whole], [{}, {"a": 1}], [{"a": -1}, {"a": None}, []]),
    "array": (
        Annotated[np.ndarray, Shape((2, None))],
        [[[], []], [[1], [0]]],
        [[[1]], [[1], [-1]], [[1], [2**63]], [1, 2]],
    ),
    "fields": (Place, [{"rows": 1, "columns": 2, "name": None}], [{}, {"rows": 1, "columns": 2}, []]),
    "no other field": (Place, [], [{"rows": 1, "columns": 2, "name": "a", "x": 1}]),
    "named tuple": (Named, [{"number": 2}], [{}, [2]]),
    "anything": (Any, [0, "x", None, {}], []),
}


@pytest.mark.parametrize(("kind", "good", "bad"), TYPES.values(), ids=TYPES)
def test_a_type_has_its_schema(kind, good, bad):
    """What is of the type fits, and nothing else."""
    assert [] == [each for each in good if not fits(kind, each)]
    assert [] == [each for each in bad if fits(kind, each)]


def test_a_type_that_no_record_has_is_an_error():
    """A field of another type is not passed over in silence."""
    with pytest.raises(TypeError, match="complex"):
        json_schema.of(complex)


@given(st.integers())
def test_whole_numbers_of_any_size_fit_as_they_are_written(number):
    """Beyond 64 bits they are texts; those below 0 are no whole numbers of something."""
    for each in (number, number << 60):
        assert fits(int, written(each))
        assert fits(Whole, written(each)) == (each >= 0)


@pytest.mark.parametrize("name", plugins.own("statistics"))
def test_the_measurement_of_nothing_fits(name):
    """Of every statistic, what is written of the zero of each measurement keeps its schema."""
    for measurement in plugins.load("statistics", name).MEASURES.values():
        assert fits(measurement, written(measurement.zero()))


def test_what_a_docstring_says_of_fields():
    """Fields are explained by the section of the attributes: plainly, as JSON calls things."""
    found = json_schema.properties(Place)
    assert found["name"]["description"] == "null where it has none."
    assert found["rows"]["description"] == "rows, columns: How far it is, in pixels of Case."
    assert json_schema.of(Place)["description"] == "Where something is."


def statistics(monkeypatch, **found):
    """Let these be the statistics that there are."""

    def load(_, name):
        if found[name] is None:
            raise BrokenPlugin("broken", "")
        return found[name]

    monkeypatch.setattr(json_schema, "names", lambda _: tuple(found))
    monkeypatch.setattr(json_schema, "load", load)
    return Draft202012Validator({"$defs": json_schema.DEFINITIONS, **json_schema.measured()}).is_valid


def test_a_statistic_that_is_added_is_in_it(monkeypatch):
    """Its rows have the fields of its measurement of their kind, side by side with the row's."""
    plugin = SimpleNamespace(MEASURES={"label": Place, "image": Named}, __doc__="New.")
    is_valid = statistics(monkeypatch, new=plugin)
    place = {"kind": "label", "label": 1, "name": "a", "members": [1], "rows": 1, "columns": 2}
    whole = {"kind": "image", "label": None, "name": None, "members": [], "number": 1}
    assert is_valid({"new": [place, whole]})
    assert not is_valid({"new": [place | {"kind": "image"}]})
    assert not is_valid({"new": [whole | {"kind": "region"}]})
    assert not is_valid({"other": [whole]})


def test_a_statistic_that_cannot_be_loaded_is_left_out(monkeypatch):
    """What does not ask for it is not broken by it."""
    is_valid = statistics(monkeypatch, broken=None)
    assert is_valid({})
    assert not is_valid({"broken": []})
