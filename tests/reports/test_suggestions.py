"""What a matrix says of other label numbers, held against scoring the masks with these numbers."""

from __future__ import annotations

import math
import shlex

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import UnknownLabel, UsageError
from dicecli.records.observed import Moved
from dicecli.records.settings import Settings
from dicecli.reports.confusions import Confusion
from dicecli.reports.reading_back import from_dict
from dicecli.reports.report import Report
from dicecli.reports.suggestions import how
from dicecli.runs.scoring import make_settings

#: Two masks of a few labels, the prediction first.
MASKS = st.integers(1, 40).flatmap(
    lambda n: st.tuples(*[st.lists(st.integers(0, 4), min_size=n, max_size=n)] * 2)
)


def confusion(prediction, reference):
    """Count pixel by pixel."""
    return Confusion(((r, p, 1) for p, r in zip(prediction, reference, strict=True)), Settings())


def scored(prediction, reference):
    """Return macro Dice and IoU of the report."""
    report = dicecli.score(np.array(prediction), np.array(reference))
    return [report.look_up(name).value for name in ("dice", "iou")]


@settings(max_examples=60)
@given(MASKS, st.permutations(range(5)))
def test_the_macro_averages_are_those_of_the_report(masks, numbers):
    """With the prediction's numbers as they are, and renumbered: as if the masks had been saved so."""
    prediction, reference = masks
    found = confusion(prediction, reference)
    for new in ({}, dict(enumerate(numbers))):
        renumbered = [new.get(label, label) for label in prediction]
        expected = scored(renumbered, reference)
        for value, other in zip(found.macro(new), expected, strict=True):
            assert math.isclose(value, other) or (math.isnan(value) and math.isnan(other))


@settings(max_examples=60)
@given(MASKS, st.integers(0, 4))
def test_leaving_out_a_label_is_what_the_option_does(masks, label):
    """The macro averages without a label are those with `--ignore-label`, where the prediction lacks it."""
    prediction = [each if each != label else 5 for each in masks[0]]
    found = confusion(prediction, masks[1]).without(label).macro()
    report = dicecli.score(np.array(prediction), np.array(masks[1]), ignore_label=label)
    expected = report.look_up("dice").value
    assert math.isclose(found.dice, expected) or (math.isnan(found.dice) and math.isnan(expected))


@pytest.mark.parametrize("only", [None, [2, 7]], ids=str)
@pytest.mark.parametrize("undefined", ["skip", "zero", "one"])
def test_declared_labels_without_pixels_count_as_in_the_report(undefined, only):
    """A label that is declared or asked for, and that no mask has, is 0 or 1 in averages by --undefined."""
    names = {label: f"n{label}" for label in (0, 1, 2, 7, 9)}
    options = {"labels": names, "undefined": undefined, "only": only}
    prediction, reference = np.array([0, 1, 1, 2, 9]), np.array([0, 1, 2, 2, 9])
    found = Confusion([(1, 1, 1), (2, 1, 1), (2, 2, 1), (0, 0, 1), (9, 9, 1)], make_settings(**options))
    for ignore, cells in (((), found), ((9,), found.without(9))):
        end = 5 - len(ignore)
        report = dicecli.score(prediction[:end], reference[:end], ignore_label=ignore, **options)
        assert math.isclose(cells.macro().iou, report.look_up("iou").value)


@pytest.mark.parametrize(
    ("prediction", "reference", "expected"),
    [
        ([0] * 6, [1] * 6, None),  # nothing is predicted
        ([0, 0, 0, 0, 1, 1], [2, 2, 2, 0, 1, 1], None),  # a large label is missed
        ([0] * 9 + [1], [1] * 10, None),  # most of a label that is everywhere is missed
        ([1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 1], {0: 1, 1: 0}),  # the background has another number
        ([0, 0, 2, 2, 1, 1], [2, 2, 1, 1, 3, 3], {0: 2, 2: 1, 1: 3}),  # there is no background
    ],
)
def test_a_label_that_is_missed_is_no_background_under_another_number(prediction, reference, expected):
    """What is predicted nowhere is not made of the prediction's background, unless that is swapped."""
    found = confusion(prediction, reference).renumbered()
    now = confusion(prediction, reference).macro().iou
    if expected is None:
        assert found is None or found.iou == now
    else:
        assert (found.labels, found.iou) == (expected, 1)


def test_a_number_that_is_taken_is_said_to_be_another_label():
    """Renumbered to the letter, 1 would be merged with what has that number already, and no such value come out."""
    prediction, reference = np.array([1] * 9 + [2] + [0] * 9), np.array([2] * 10 + [0] * 9)
    (found,) = next(dicecli.score(prediction, reference).cases()).suggestions
    assert (
        "with the prediction's 1 as 2, its own 2 being another label, macro IoU would be 0.45" in found.text
    )
    assert math.isclose(scored(np.array([0, 2, 9])[prediction], reference)[1], found.then)


@settings(max_examples=60)
@given(MASKS)
def test_renumbering_promises_no_more_than_it_gives(masks):
    """Saved with the numbers that are suggested, the prediction has the macro IoU that is promised."""
    prediction, reference = masks
    better = confusion(prediction, reference).renumbered()
    if better is None or None in better.labels.values():
        return  # what a preset lacks would be no label, which arrays without nodata cannot say
    taken = set(better.labels.values())
    # Labels whose number is taken are others then; the background stays, beside what becomes background.
    new = {label: 90 + label if label in taken - {0} else label for label in range(5)}
    new |= {label: to for label, to in better.labels.items() if to is not None}
    value = scored([new[label] for label in prediction], reference)[1]
    assert math.isclose(value, better.iou) or (math.isnan(value) and better.iou == 0)


def followed(suggestion):
    """Return the keywords of the options that a suggestion has."""
    words = shlex.split(suggestion.option)
    return {
        option[2:].replace("-", "_"): value for option, value in zip(words[::2], words[1::2], strict=True)
    }


def renumbering_of(report):
    """Return what is suggested about the numbers of labels, of the only case or of all."""
    every = report.suggestions
    return next((each for each in every if each.kind in {"preset", "offset", "relabelling"}), None)


DECLARED = {"labels": {str(label): f"l{label}" for label in range(5)}, "ignore": 5}


@settings(max_examples=40)
@given(
    st.lists(st.integers(0, 4), min_size=20, max_size=60),
    st.one_of(
        st.permutations(range(5)), st.sampled_from([[1, 2, 3, 4, 5], [0, 0, 1, 2, 3], [255, 0, 0, 0, 0]])
    ),
    st.dictionaries(st.integers(0, 19), st.integers(0, 5), max_size=5),
    st.sampled_from([{}, {"ignore_label": 3}, {"labels": DECLARED}, {"include_background": True}]),
)
@example([0, 2, *[0] * 18], range(5), {1: 1, 0: 2}, {"ignore_label": 3})
@example([0, 2, *[0] * 18], range(5), {1: 1, 0: 2}, {"regions": {"both": [2, 3]}})
def test_an_option_that_is_suggested_gives_what_it_promises(reference, numbers, noise, asked):
    """Whatever a prediction is: followed to the letter, macro IoU is the one that was said, to the last digit."""
    prediction = np.array(numbers)[reference]
    prediction[[*noise]] = [*noise.values()]
    asked = {"labels": None} | asked
    if asked["labels"] and 255 in prediction:
        return
    sides = prediction, np.array(reference)
    found = renumbering_of(dicecli.score(*sides, **asked))
    if found is not None:
        assert found.text.endswith(found.option)
        then = dicecli.score(*sides, **asked, **followed(found)).look_up("iou").value
        assert math.isclose(then, found.then, rel_tol=1e-12)


def of_presets():
    """Return a prediction with the numbers of Cityscapes' training, and the reference with those of its files."""
    there = {name: label for label, name in dicecli.load_labels("cityscapes").names.items()}
    prediction = np.repeat(np.arange(19), 5)
    table = [there[name] for name in dicecli.load_labels("cityscapes-train").names.values()]
    return prediction, np.array(table)[prediction]


ADE = np.repeat(np.arange(151), 3)


@pytest.mark.parametrize(
    ("kind", "sides", "options", "said"),
    [
        ("preset", of_presets(), {}, "--map-prediction '0-1:+7,2-4:+9,5=17,6-15:+13,16-18:+15,*=ignore'"),
        ("preset", of_presets()[::-1], {"labels": "cityscapes-train"}, None),  # 33 is not declared, and refused
        ("offset", (np.where(ADE, ADE - 1, 7), ADE), {"labels": "ade20k"}, "--map-prediction 0-149:+1"),
        ("offset", (np.where(ADE, ADE - 1, 7), ADE), {}, "--map-prediction 0-149:+1"),
        ("offset", (ADE[:30] + 1, ADE[:30]), {"ignore_label": 4}, "--map-prediction '1-10:-1,*=ignore'"),
        ("relabelling", (np.array([3, 0, 0, 9] * 5), np.array([0, 1, 1, 2] * 5)), {}, "--map-prediction 0=1,3=0,9=2"),
        ("relabelling", (np.array([1] * 9 + [2, 0]), np.array([2] * 10 + [0])), {}, "--map-prediction 1-2:+1"),
        ("relabelling", (255 * (ADE < 90), ADE >= 90), {}, "--map-prediction 0=1,255=0"),
        ("relabelling", (255 * (ADE < 90), 255 * (ADE >= 90)), {}, "--map-prediction 0=1,255=0 --map-reference 255=1"),
    ],
)  # fmt: skip
def test_each_kind_of_other_numbers_has_its_option(kind, sides, options, said):
    """Of one case, and of a batch of it twice: the option stands in text and record, and keeps its promise."""
    if said is None:
        with pytest.raises(UnknownLabel):
            dicecli.score(*sides, **options)
        return
    found = renumbering_of(dicecli.score(*sides, **options))
    assert (found.kind, found.option) == (kind, said)
    cases = [dicecli.Case(name, *sides) for name in "ab"]
    of_run = renumbering_of(dicecli.score_many(cases, dicecli.make_settings(**options)))
    assert (of_run.kind, of_run.option) == (kind, said)
    mapped = dicecli.make_settings(**options, **followed(of_run))
    assert math.isclose(dicecli.score_many(cases, mapped).look_up("iou").value, of_run.then, rel_tol=1e-12)


def test_what_is_to_be_tried_is_the_first_note_of_a_run():
    """Next to numbers that are of other labels stands that they are, before what was done to come to them."""
    sides = of_presets()
    results = dicecli.score_many([dicecli.Case(name, *sides) for name in "ab"], Settings()).results
    text = Report(results, Settings(), notes=("layout cityscapes: said before",), is_batch=True).render(
        "table"
    )
    assert 0 < text.index("note  the prediction has the label numbers of") < text.index("said before")


@pytest.mark.parametrize("strange", [150, 200, 255])
@pytest.mark.parametrize("declared", [{"labels": "ade20k"}, {}])
def test_an_offset_where_some_predictions_hold_what_it_is_not_of(strange, declared):
    """ADE20K counted from 0, but for void or what nobody knows in one of two cases: options, then hints, are followed."""
    shifted = np.where(ADE, ADE - 1, 7)
    other = np.where(np.arange(len(ADE)) < 4, strange, shifted)
    cases = [dicecli.Case("a", shifted, ADE), dicecli.Case("b", other, ADE)]
    then = renumbering_of(dicecli.score_many(cases, dicecli.make_settings(**declared)))
    options = followed(then)
    found = dicecli.score_many(cases, dicecli.make_settings(**declared, **options))
    if declared and strange != 150:
        (failed,) = found.failed
        assert (failed.case.name, failed.error) == ("b", "UnknownLabel")
        assert f"add {strange}={strange} to keep it" in failed.hint
        assert f"{strange}=ignore where it is none" in failed.hint
        options["map_prediction"] += f",{strange}=ignore"
        found = dicecli.score_many(cases, dicecli.make_settings(**declared, **options))
    right = [np.where(each < 150, each + 1, 999) for each in (shifted, other)]
    by_hand = [dicecli.Case(str(at), each, ADE) for at, each in enumerate(right)]
    expected = dicecli.score_many(by_hand, dicecli.make_settings(**declared, only=range(1, 151)))
    assert len(found.scored) == 2
    for label in (1, 2, 8, 150):
        assert found.look_up(f"dice[{label}]").value == expected.look_up(f"dice[{label}]").value


def test_labels_that_were_mapped_already_have_no_further_option():
    """A map in place of the one there is would lose what that says."""
    sides = np.array([5, 6, 7, 0] * 9), np.array([1, 2, 3, 0] * 9)
    found = renumbering_of(dicecli.score(*sides, map_prediction="5-7:-2"))
    assert (found.kind, found.then, found.option) == ("offset", 1, None)


@pytest.mark.parametrize(
    ("moved", "words"),
    [
        (((0, 1), (1,), (0, 0)), "is the prediction mirrored along axis 1"),
        (((1, 0), (), (0, 0)), "is the prediction transposed"),
        (
            ((2, 1, 0), (0,), (0, 0, 0)),
            "is the prediction transposed along axes 0 and 2 and mirrored along axis 0",
        ),
        (
            ((0, 1), (), (3, -1)),
            "is the prediction to be shifted by whole pixels, +3 along axis 0, -1 along axis 1",
        ),
    ],
)
def test_a_move_has_words(moved, words):
    """What the prediction seems to be is said in the axes of the reference."""
    assert how(Moved(*moved, 1, None)) == words


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cells", {"reference": [0], "prediction": [0], "pixels": [17]}),
        ("cells", {"reference": [0], "prediction": [], "pixels": [16]}),
        ("axes", [0, 1, 2]),
        ("mirrored", [2]),
    ],
)
def test_what_was_observed_is_checked_when_it_is_read(key, value):
    """A record whose observations contradict the case, or each other, is refused, and the place is named."""
    reference = np.zeros((4, 4), int)
    reference[0, :2] = 1
    record = dicecli.score(reference[::-1], reference).to_dict()
    assert record["cases"][0]["observed"]["moved"]["mirrored"] == [0]
    assert from_dict(record).to_dict() == record
    record["cases"][0]["observed"]["moved"][key] = value
    with pytest.raises(UsageError, match=r"cases\[0\].observed.moved"):
        from_dict(record)
