"""Records as JSON and back: exactly what was written, and nothing else is taken for it."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from types import NoneType, UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin, get_type_hints

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.plugins import load, names
from dicecli.records.cases import Case, Failed, LeftOut, Pending, Scored, Verdict
from dicecli.records.codec import fields, read, written
from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE, Least, Measured, Most, Row, Shape
from dicecli.records.observed import Cells, Moved, Observed
from dicecli.records.probabilities import Probabilities
from dicecli.statistics.matrix import Matrix
from dicecli.statistics.place import Places
from dicecli.statistics.slices import Slices
from dicecli.statistics.soft.sums import ChannelSums, JointSums, exact
from dicecli.statistics.surface import Bands, Contours, Distances, Surfaces

MEASUREMENTS = list(
    dict.fromkeys(kind for name in names("statistics") for kind in load("statistics", name).MEASURES.values())
)
LABELS = st.integers(-(2**63), 2**63 - 1)
TEXT = st.text(st.characters(codec="utf-8"), max_size=5)


# Values of every type, made of the types of their fields.


@st.composite
def matrices(draw):
    """Draw a confusion matrix: pairs in order, each once."""
    cells = draw(st.dictionaries(st.tuples(LABELS, st.none() | LABELS), st.integers(1, 2**100), max_size=4))
    parts = [Matrix((row,), (column,), (n,)) for (row, column), n in cells.items()]
    return sum(parts, Matrix.zero())


@st.composite
def slices(draw):
    """Draw the pairs of labels of some slices: in order, each once in a slice."""
    pairs = st.tuples(st.integers(0, 2**70), LABELS, st.none() | LABELS)
    cells = draw(st.dictionaries(pairs, st.integers(1, 2**100), max_size=4))
    parts = [Slices((at,), (row,), (column,), (n,)) for (at, row, column), n in cells.items()]
    return sum(parts, Slices.zero())


@st.composite
def places(draw):
    """Draw where a row lies: coordinates along as many axes, of the sides that have a pixel."""
    axes, numbers = draw(st.integers(1, 4)), st.integers(1, 2**70)
    sides = [draw(st.none() | st.tuples(numbers, st.tuples(*[numbers] * axes))) or (0, ()) for _ in range(2)]
    return Places(sides[0][0], sides[1][0], sides[0][1], sides[1][1])


@st.composite
def surfaces(draw):
    """Draw what was measured of surfaces: as many percentiles and shares as were asked for, none too large."""
    sizes, counts = st.floats(0, 1e300), st.integers(0, 2**70)
    percents, tolerances = draw(st.lists(st.floats(0, 100), max_size=3)), draw(st.lists(TEXT, max_size=3))

    def distances():
        """Draw a list of distances, by what is kept of it."""
        largest = draw(sizes)
        less = [draw(st.floats(0, largest)) for _ in range(len(percents) + 1)]
        within = tuple(draw(sizes) for _ in tolerances)
        return Distances(draw(st.integers(1, 2**70)), draw(sizes), less[0], largest, tuple(less[1:]), within)

    def bands():
        """Draw bands of which some is in both."""
        both = draw(counts)
        return Bands(both + draw(counts), both + draw(counts), both)

    def contours():
        """Draw contours of which some is near."""
        near = draw(counts), draw(counts)
        return Contours(near[0] + draw(counts), near[1] + draw(counts), *near)

    return Surfaces(
        draw(counts),
        draw(counts),
        tuple(draw(st.lists(st.sampled_from(["bands", "contours", "distances"]), max_size=3))),
        tuple(percents),
        tuple(tolerances),
        draw(sizes),
        *(draw(st.just([None] * 3)) if draw(st.booleans()) else [distances() for _ in range(3)]),
        bands() if draw(st.booleans()) else None,
        contours() if draw(st.booleans()) else None,
    )


#: Measurements whose fields depend on each other.
OF_THEIR_OWN = {Matrix: matrices(), Places: places(), Slices: slices(), Surfaces: surfaces()}


@st.composite
def built(draw, kind):
    """Draw a record field by field; tuples and arrays are as long as in the measurement of nothing, if that has any."""
    side = draw(st.integers(0, 3))
    return kind(
        **{
            name: draw(values(each, length=length_of(kind, name), side=side))
            for name, each in fields(kind).items()
            if each is not Any
        }
    )


def length_of(kind, name):
    """Return how long a tuple of a measurement is where every one is as long, as the measurement of nothing tells."""
    found = getattr(kind.zero(), name) if hasattr(kind, "zero") else None
    return len(found) if isinstance(found, tuple) and found else None


def values(kind, length=None, side=2):
    """Return what a field of a type can be."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if origin is Annotated:
        return annotated(*parts, side=side)
    if origin is tuple and parts[1:] != (Ellipsis,):
        return st.tuples(*map(values, parts))
    if origin is tuple:
        inner = st.lists(values(parts[0]), min_size=length or 0, max_size=length or 4)
        return inner.map(tuple)
    if origin in {Union, UnionType}:
        return st.one_of(st.none(), *(values(each) for each in parts if each is not NoneType))
    if origin is Mapping:
        return st.dictionaries(values(parts[0]), values(parts[1]), max_size=3)
    if origin is Literal:
        return st.sampled_from(parts)
    plain = {
        int: st.integers(),
        float: st.floats(allow_nan=False, allow_infinity=False),
        str: TEXT,
        bool: st.booleans(),
    }
    of_records = OF_THEIR_OWN[kind] if kind in OF_THEIR_OWN else st.deferred(lambda: built(kind))
    return plain.get(kind, of_records)


def annotated(kind, *marks, side):
    """Return numbers within their bounds, half of them next to these, and arrays of a shape."""
    shapes = [mark.lengths for mark in marks if isinstance(mark, Shape)]
    if shapes:
        shape = tuple(side if each is None else each for each in shapes[0])
        numbers = st.lists(st.sampled_from([0, 1, 2**53 + 1, 2**63 - 1]), min_size=1, max_size=9)
        return numbers.map(lambda few: np.resize(np.array(few, np.int64), shape))
    least = next((mark.value for mark in marks if isinstance(mark, Least)), None)
    most = next((mark.value for mark in marks if isinstance(mark, Most)), None)
    assert kind is int, "the codec knows bounds of whole numbers alone"
    near = [each for each in (least, 2**53 + 1, 2**63, most) if most is None or each <= most]
    return st.integers(least, most) | st.sampled_from(near)


def through(value):
    """Write a value as JSON, and read the text."""
    return json.loads(json.dumps(written(value), allow_nan=False))


@pytest.mark.parametrize("kind", [*MEASUREMENTS, Counts], ids=lambda kind: kind.__name__)
def test_a_measurement_comes_back_exactly(kind):
    """Every measurement of every statistic is the same after it was text, at any size of its numbers."""

    @given(values(kind))
    def law(value):
        assert read(kind, through(value)) == value

    law()


@pytest.mark.parametrize("number", [2**53 + 1, 2**63 - 1, 2**63, 2**64 + 1, 2**127 + 1])
def test_whole_numbers_are_exact(number):
    """Beyond what floats and 64 bits hold nothing is rounded, and no reader of JSON need hold more than 64 bits."""
    counts, matrix = Counts(number, number - 1, 0, number + 1), Matrix((0,), (1,), (number,))
    assert read(Counts, through(counts)) == counts
    assert read(Matrix, through(matrix)) == matrix
    numbers = [*written(counts).values(), *written(matrix)["pixels"]]
    assert all(isinstance(each, str) or each < 2**63 for each in numbers)


def test_a_sum_of_fractions_is_exact():
    """The smallest step of float64, and thousands of bits above it, stay apart."""
    sums = ChannelSums.zero() + ChannelSums(
        exact(1e18) + 1, 1, 2, 3, 4, 5, (6,) * 20, *[np.ones(1001, int)] * 2
    )
    assert read(ChannelSums, through(sums)) == sums
    assert read(ChannelSums, through(sums)).overlap == exact(1e18) + 1


# What is no record.

OTHERS = ["x", "0x", "0xg", 1.5, None, True, [], {}, [1], {"a": 1}, math.nan, math.inf, -math.inf]
#: What is never taken for a type: values that JSON, or a reader of it that knows NaN, can give.
NEVER = {
    int: OTHERS,
    float: ["x", "1", None, True, [], {}, math.nan, math.inf, 10**400],
    str: [1, 1.5, None, True, [], {}, ["x"]],
    bool: ["true", 0, 1, None, [], {}],
    tuple: ["x", 1, None, True, {}],
    Mapping: ["x", 1, None, True, [], [1]],
    Literal: ["x", "", 1, None, True, [], {}],
}


def wrong(kind, content):
    """Yield the place and the whole of what `content`, of a type, becomes by one change that makes it wrong."""
    origin, parts = get_origin(kind) or kind, get_args(kind)
    if kind is Any:
        return
    if kind is Measured:
        yield from (("", each) for each in NEVER[Mapping])
    elif origin in {Union, UnionType}:
        (inner,) = (each for each in parts if each is not NoneType)
        yield from ((where, each) for where, each in wrong(inner, content) if each is not None)
    elif origin is Annotated:
        yield from wrong_by_mark(parts[0], parts[1:], content)
    elif origin is tuple or origin is Mapping:
        yield from (("", each) for each in NEVER[origin])
        pairs = list(content.items() if origin is Mapping else enumerate(content))
        for key, each in pairs[:1]:
            for where, other in wrong(parts[-1] if origin is Mapping else parts[0], each):
                changed = copy.copy(content)
                changed[key] = other
                yield (f".{key}" if origin is Mapping else f"[{key}]") + where, changed
    elif kind in NEVER or origin is Literal:
        yield from (("", each) for each in NEVER[Literal if origin is Literal else kind])
    else:
        yield from wrong_record(kind, content)


def wrong_by_mark(kind, marks, content):
    """Yield what is out of bounds, or of another shape."""
    (shape,) = [mark.lengths for mark in marks if isinstance(mark, Shape)] or [None]
    if shape is None:
        yield from wrong(kind, content)
        yield from (("", mark.value - 1) for mark in marks if isinstance(mark, Least))
        yield from (
            ("", each(mark.value + 1)) for mark in marks if isinstance(mark, Most) for each in (int, hex)
        )
        return
    yield from (
        ("", each)
        for each in [*NEVER[tuple], [content], content[0], *([content[:-1], [*content, content[-1]]])]
    )
    first = content[0] if len(shape) > 1 else content
    for number in [*OTHERS, -1, 2**63]:
        row = [number, *first[1:]]
        yield (
            ("[0]" * len(shape) if not isinstance(number, list) else "[0]"),
            [row, *content[1:]] if len(shape) > 1 else row,
        )


def wrong_record(kind, content):
    """Yield a record with a field more, one less, and each field wrong."""
    yield from (("", each) for each in NEVER[Mapping])
    yield ".more", {**content, "more": 1}
    hints = get_type_hints(kind, include_extras=True)
    optional = getattr(kind, "_field_defaults", {})
    for name in [each for each in content if each not in optional]:
        yield f".{name}", {key: each for key, each in content.items() if key != name}
    for name, each in content.items():
        others = list(wrong(hints[name], each))
        others += [] if length_of(kind, name) is None else [("", each[1:]), ("", [*each, 1])]
        yield from ((f".{name}{where}", {**content, name: other}) for where, other in others)


def example(kind):
    """Return a record of a kind with something in each of its fields."""
    case = Case("a", "p.png", "r.png", "site", None)
    rows = {IMAGE: Matrix((0, 1), (0, None), (3, 2))}
    cells = Cells((0, 1), (0, None), (3, 2))
    seen = Observed("file", ("reference",), cells, cells, Moved((0,), (0,), (-1,), 1, cells))
    some = Distances(5, 5.0, 1.0, 2.0, (1.5,), (3.0,))
    known = {
        Matrix: rows[IMAGE],
        Surfaces: Surfaces(
            3,
            4,
            ("distances",),
            (95.0,),
            ("2mm",),
            9.0,
            some,
            some,
            some,
            Bands(2, 2, 1),
            Contours(3, 2, 1, 1),
        ),
        Observed: seen,
        Counts: Counts(1, 2, 3, 4),
        Row: Row("label", 1, "liver", (1,)),
        Case: case,
        Scored: Scored(
            case,
            (5,),
            (0.5,),
            "mm",
            {"mm3": 0.5},
            5,
            {"nodata": 1},
            Measured.of({"matrix": rows}),
            ("a",),
            seen,
        ),
        Verdict: Verdict("dice=0.5", 0.4, 0.5, False, "x"),
        Probabilities: Probabilities(channels=(Row("label", 1, None, (1,)),)),
        **{
            each: each(case, "Truncated", "it ends early", "copy it again")
            for each in (Failed, LeftOut, Pending)
        },
    }
    if kind in known:
        return known[kind]
    return kind.zero(2) if kind is JointSums else kind.zero()


RECORDS = [
    *MEASUREMENTS,
    Counts,
    Row,
    Case,
    Observed,
    Scored,
    Failed,
    LeftOut,
    Pending,
    Verdict,
    Probabilities,
]


@pytest.mark.parametrize("kind", dict.fromkeys(RECORDS), ids=lambda kind: kind.__name__)
def test_every_field_is_checked(kind):
    """Of another type, NaN, out of range, too long or short, missing, unknown: refused, and the place is named."""
    content = through(example(kind))
    assert read(kind, content) == example(kind)
    changed = list(wrong(kind, content))
    assert {where.split(".")[1].split("[")[0] for where, _ in changed if where} >= {
        name for name in content if get_type_hints(kind)[name] is not Any
    }
    for where, other in changed:
        with pytest.raises(ValueError) as caught:
            read(kind, other, "here")
        name = where.split(".")[-1]
        assert str(caught.value).startswith((f"here{where}", f"here: {name} ")), (where, str(caught.value))


def test_only_paths_are_of_any_type():
    """The masks of a case, which may be arrays, are all that is not checked."""
    unchecked = {
        (kind.__name__, name)
        for kind in RECORDS
        for name, each in get_type_hints(kind).items()
        if each is Any
    }
    assert unchecked == {("Case", "prediction"), ("Case", "reference"), ("Case", "within")}


MATRIX = {"reference": [0, 1], "prediction": [0, None], "pixels": [3, 2]}


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"pixels": [3]}, "unlike length"),
        ({"pixels": [3, 0]}, "no pixel"),
        ({"reference": [1, 0]}, "no order"),
        ({"reference": [0, 0], "prediction": [0, 0]}, "twice"),
        ({"reference": [0, 0], "prediction": [0, None]}, "no order"),
        ({"reference": [0, None]}, "reference[1]"),
    ],
)
def test_a_matrix_that_contradicts_itself_is_refused(changed, said):
    """Its pairs are sorted, each stands once, and each meets somewhere."""
    assert read(Matrix, MATRIX).total == 5
    with pytest.raises(ValueError, match="here") as caught:
        read(Matrix, {**MATRIX, **changed}, "here")
    assert said in str(caught.value)


def image(**changed):
    """Return an entry of what was measured of an image, with changes."""
    return {"kind": "image", "label": None, "name": None, "members": [], **MATRIX, **changed}


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ([], "here"),
        ({"nonsense": []}, "nonsense"),
        ({"_confusion": []}, "_confusion"),
        ({"matrix": {}}, "here.matrix"),
        ({"matrix": ["x"]}, "here.matrix[0]"),
        ({"matrix": [image(), image()]}, "here.matrix has a row twice"),
        ({"matrix": [image(), image(kind="pixel")]}, "here.matrix[1].kind"),
        ({"matrix": [image(more=1)]}, "here.matrix[0].more"),
        ({"matrix": [image(members="x")]}, "here.matrix[0].members"),
        ({"matrix": [image(label=1)]}, "no row of one image"),
        ({"matrix": [image(kind="label")]}, "no row of one label"),
        ({"matrix": [image(kind="label", label=1, members=[2])]}, "no row of one label"),
        ({"matrix": [image(kind="label", label=2**63, members=[2**63])]}, "here.matrix[0].label"),
        ({"matrix": [image(kind="region")]}, "no row of one region"),
        ({"matrix": [image(kind="region", name="a", label=1)]}, "no row of one region"),
        (
            {"matrix": [{key: each for key, each in image().items() if key != "kind"}]},
            "here.matrix[0].kind is missing",
        ),
    ],
)
def test_what_was_measured_is_of_known_statistics_and_rows(content, said):
    """A statistic, a row or a field that does not exist, or stands twice, is refused by its place."""
    with pytest.raises(ValueError) as caught:
        read(Measured, content, "here")
    assert said in str(caught.value)


@pytest.mark.parametrize("name", ["1.0", " 1", "01", "1_0", "x", "", "\u0661", "9" * 5000])
def test_a_number_that_is_a_name_is_written_in_one_way(name):
    """Two names of one number would be one label, told twice."""
    assert read(Mapping[int, str], {"-1": "a", "10": "b"}) == {-1: "a", 10: "b"}
    with pytest.raises(ValueError, match="here"):
        read(Mapping[int, str], {name: "a"}, "here")
