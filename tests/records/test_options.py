"""Options as data: what the type of a field says, which values are taken, and in which order they stand."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping  # noqa: TC003 - the options' types are read
from dataclasses import dataclass, fields
from pathlib import Path  # noqa: TC003 - as above
from typing import Literal

import numpy as np
import pytest

from dicecli.errors import UsageError
from dicecli.records.given import checked
from dicecli.records.options import Option, names_of, option, table_of
from dicecli.records.probabilities import OfMaps, Probabilities
from dicecli.records.settings import (
    AVERAGES,
    AnyOptions,
    MapOptions,
    MaskOptions,
    Options,
    Settings,
    reads_of,
)

PARTS = {"reading", "scoring", "reporting", "pairing", "summing", "measuring"}


@dataclass(frozen=True, kw_only=True)
class Toy:
    """A field of every type."""

    flag: bool = option(False, Option("A flag."))
    word: Literal["one", "two"] | None = option(None, Option("A choice."))
    whole: int | None = option(None, Option("A whole number.", least=-2, most=3))
    number: float = option(1.0, Option("A number.", above=0, after="flag"))
    size: int | str = option(5, Option("A size."))
    several: int | Iterable[int] | None = option(None, Option("Whole numbers.", is_many=True))
    labels: str | Path | Mapping[str, object] | None = option(None, Option("A file.", is_path=True))
    plugin: str = option("numpy", Option("A plugin.", choices=("numpy",), plugins="backends"))
    plain: int = 3


@dataclass(frozen=True, kw_only=True)
class Narrowed(Toy):
    """One field is of a narrower type, and says nothing more of itself."""

    number: float = 2.0


@dataclass(frozen=True, kw_only=True)
class Every(AnyOptions):
    """A record of every option that there is."""


def test_the_type_of_a_field_says_what_values_are():
    """One value's type on the command line, its choices, and whether there may be none; other fields are none."""
    found = {name: (each.type, each.choices, each.is_optional) for name, each in table_of(Toy).items()}
    assert found == {
        "flag": ("flag", (), False),
        "number": ("number", (), False),
        "word": ("text", ("one", "two"), True),
        "whole": ("integer", (), True),
        "size": ("text", (), False),
        "several": ("integer", (), True),
        "labels": ("text", (), True),
        "plugin": ("text", ("numpy",), False),
    }
    assert [each.default for each in table_of(Toy).values()] == [
        False,
        1.0,
        None,
        None,
        5,
        None,
        None,
        "numpy",
    ]


def test_an_option_stands_where_it_says():
    """`after` puts it behind another one, also where a class narrows its type; the other fields keep their order."""
    expected = ("flag", "number", "word", "whole", "size", "several", "labels", "plugin", "plain")
    assert expected == names_of(Toy)
    assert expected == names_of(Narrowed)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"flag": True}, True),
        ({"word": "two"}, "two"),
        ({"word": None}, None),
        ({"whole": -2}, -2),
        ({"whole": 3}, 3),
        ({"whole": np.int16(3)}, 3),
        ({"number": 2}, 2.0),
        ({"number": np.float32(0.5)}, 0.5),
        ({"size": "5GB"}, "5GB"),
        ({"several": (1, 2)}, (1, 2)),
        ({"labels": {"labels": {}}}, {"labels": {}}),
        ({"plugin": "numpy"}, "numpy"),
    ],
)
def test_values_are_taken_in_the_type_of_their_option(given, expected):
    """Scalars of NumPy become Python's; texts and what may be several are passed on as they are."""
    (name,) = given
    found = checked(Toy(**given))
    assert (type(found[name]), found[name]) == (type(expected), expected)
    assert found == checked(Toy()) | {name: expected}


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"flag": 1}, "true or false"),
        ({"flag": "yes"}, "true or false"),
        ({"word": "three"}, "one of one, two"),
        ({"word": ["one"]}, "one of one, two"),
        ({"whole": -3}, "a whole number from -2 to 3"),
        ({"whole": 4}, "a whole number from -2 to 3"),
        ({"whole": 1.0}, "a whole number"),
        ({"whole": True}, "a whole number"),
        ({"number": 0}, "a number above 0"),
        ({"number": math.nan}, "a number above 0"),
        ({"number": math.inf}, "a number above 0"),
        ({"number": "1"}, "a number above 0"),
        ({"number": None}, "a number above 0"),
        ({"number": np.ones(2)}, "a number above 0"),
        ({"plugin": "nowhere"}, "one of numpy"),
        ({"plugin": None}, "one of numpy"),
    ],
)
def test_a_value_that_an_option_does_not_take_is_an_error(given, said):
    """The message has the name and what was given, the hint what is expected."""
    ((name, value),) = given.items()
    with pytest.raises(UsageError) as error:
        checked(Toy(**given))
    assert str(error.value) == f"{name} is {value!r}"
    assert error.value.hint.startswith(f"It is {said}")


@pytest.mark.parametrize("name", table_of(AnyOptions))
def test_every_option_is_whole(name):
    """It says what it means, belongs to a part, stands behind an option that there is, and takes its default."""
    found = table_of(AnyOptions)[name]
    assert found.help.endswith(".")
    assert found.part in PARTS
    assert found.after is None or found.after in table_of(AnyOptions)
    assert checked(Every())[name] == found.default
    assert reads_of(name)


def test_settings_have_every_option():
    """An option is a field of the settings, with its default, unless it becomes part of the labels."""
    become_labels = {"regions", "ignore_label", "map_prediction", "map_reference"}
    assert table_of(MaskOptions).keys() - become_labels == set(names_of(Settings)) - {"soft", "length_unit"}
    assert table_of(MapOptions).keys() - table_of(Options).keys() == set(names_of(Probabilities))
    assert [each.name for each in fields(OfMaps)] == list(names_of(Probabilities))
    narrowed = {"labels", "channel_axis", "tolerance"}
    for kind, record in ((MaskOptions, Settings()), (OfMaps, Probabilities())):
        for name, each in table_of(kind).items():
            if name not in become_labels | narrowed:
                assert getattr(record, name) == each.default


def test_what_the_options_of_both_kinds_are():
    """Those on thresholds and devices are of masks alone; those on probabilities of their maps alone."""
    both = {name for name in table_of(AnyOptions) if len(reads_of(name)) == 2}
    assert {"metrics", "average", "undefined", "labels", "channel_axis", "missing"} <= both
    assert {"threshold", "argmax", "device"} <= {
        name for name in table_of(AnyOptions) if reads_of(name) == ("labels",)
    }
    assert table_of(OfMaps).keys() - both == {
        name for name in table_of(AnyOptions) if reads_of(name) == ("probabilities",)
    }


def test_the_averages_that_can_lead():
    """Their names are those that reports have; macro leads unless another one is chosen."""
    assert AVERAGES == ("macro", "micro", "weighted", "micro-imagewise", "macro-imagewise", "label-mean")
    assert Settings().average == "macro"


def test_what_a_run_reads():
    """Settings say whether predictions are labels or probabilities."""
    assert [Settings().reads, Settings(soft=Probabilities()).reads] == ["labels", "probabilities"]
