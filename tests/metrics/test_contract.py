"""What every metric of the catalogue promises; a new one is held to it by being there."""

from __future__ import annotations

import itertools
import math
import random
import re
from dataclasses import replace
from typing import NamedTuple

import pytest
import toy

from dicecli.errors import UnknownName, UsageError
from dicecli.metrics._catalogue import BOTH_EMPTY, Metric, catalogue, resolve
from dicecli.records.counts import Counts
from dicecli.statistics.place import Places

METRICS = list(catalogue().values())
#: Those of one label, which take its counts and, some of them, the size of a pixel.
OF_A_LABEL = [each for each in METRICS if each.of == "counts" and each.takes == "row"]
#: Those of the whole matrix.
OF_ALL_LABELS = [each for each in METRICS if each.takes == "every"]
#: Those of another statistic, each of one measurement.
OF_OTHERS = [each for each in METRICS if each.of != "counts"]
SIZES = {"mm3": 0.75, "m2": 100.0}
#: What a metric says of itself; one more is to be checked here.
FIELDS = {
    *("name", "function", "summary", "formula", "range", "undefined", "source", "better", "aliases"),
    *("of", "takes", "size", "unit", "pools"),
}


class Examples(NamedTuple):
    """Measurements of one statistic, and what sentences of the catalogue say about them.

    `equal` are those of masks that are equal, `unequal` of others; `undefined` has for each sentence what
    tells whether it is true of a measurement; `axes` is how many axes the masks have.
    """

    equal: list
    unequal: list
    undefined: dict
    axes: int = 2


#: By the statistic: a metric of one that is missing here fails, for nobody knows what to hold it to.
EXAMPLES: dict[str, Examples] = {
    "place": Examples(
        equal=[Places(2, 4, (6, 2), (12, 4)), Places(0, 1, (), (3, 3)), Places.zero()],
        unequal=[Places(2, 2, (6, 2), (6, 8)), Places(1, 3, (5, 0), (0, 9))],
        undefined={"either mask is empty": lambda place: 0 in {place.reference, place.prediction}},
        axes=2,
    )
}


def named(metrics):
    return pytest.mark.parametrize("metric", metrics, ids=lambda metric: metric.name)


def is_prediction_empty(c):
    return c.tp + c.fp == 0


def is_reference_empty(c):
    return c.tp + c.fn == 0


def is_prediction_full(c):
    return c.fn + c.tn == 0


def is_reference_full(c):
    return c.fp + c.tn == 0


#: What the sentences of the catalogue say about the four counts.
UNDEFINED = {
    BOTH_EMPTY: lambda c: is_reference_empty(c) and is_prediction_empty(c),
    "the prediction is empty": is_prediction_empty,
    "the reference is empty": is_reference_empty,
    "the prediction covers every counted pixel": is_prediction_full,
    "the reference covers every counted pixel": is_reference_full,
    "no pixel was counted": lambda c: sum(c) == 0,
    "the reference is empty, or covers every counted pixel": lambda c: (
        is_reference_empty(c) or is_reference_full(c)
    ),
    "both masks are empty, or both cover every counted pixel": lambda c: (
        (is_reference_empty(c) and is_prediction_empty(c)) or (is_reference_full(c) and is_prediction_full(c))
    ),
    "either mask is empty or covers every counted pixel": lambda c: (
        is_reference_empty(c) or is_reference_full(c) or is_prediction_empty(c) or is_prediction_full(c)
    ),
}
#: Every way in which some of the four counts are 0: both masks empty, one of them, no negatives and so on.
HAND_MADE = [Counts(*counts) for counts in itertools.product((0, 3), (0, 2), (0, 5), (0, 7))]


def random_counts():
    """Make counts of all sizes up to 2^70, many of them 0 or nearly equal."""
    numbers = random.Random(20)  # noqa: S311 - no secret

    def number():
        return numbers.choice([0, 1, numbers.randrange(20), numbers.getrandbits(numbers.randrange(1, 71))])

    return [Counts(number(), number(), number(), number()) for _ in range(3000)]


RANDOM = random_counts()


def perfect_counts():
    """Make counts of masks that are equal, in all sizes up to 2^62."""
    numbers = random.Random(21)  # noqa: S311 - no secret
    return [
        Counts(tp=1 + numbers.getrandbits(bits), tn=1 + numbers.getrandbits(bits))
        for bits in range(1, 62)
        for _ in range(20)
    ]


def matrix(*rows):
    """Give the counts of every label of a confusion matrix with the reference in its rows."""
    total = sum(map(sum, rows))
    counts = []
    for label, row in enumerate(rows):
        column = sum(each[label] for each in rows)
        tp = row[label]
        counts.append(Counts(tp, column - tp, sum(row) - tp, total - column - sum(row) + tp))
    return counts


# --- What the catalogue says --------------------------------------------------------------------------------


@named(METRICS)
def test_every_metric_says_what_it_is(metric):
    """It has a formula, a range, a sentence on when it is undefined, a source, and a summary of one line."""
    for text in (metric.formula, metric.range, metric.undefined, metric.source, metric.summary):
        assert text == text.strip()
        assert text
        assert "\n" not in text
    assert len(metric.summary) <= 100
    assert not metric.summary.endswith(".")
    assert metric.better in {"higher", "lower", "neither"}


@named(METRICS)
def test_every_name_is_a_word_of_the_command_line(metric):
    """A metric's name is the key of the catalogue, lower case with underscores."""
    assert metric is catalogue()[metric.name]
    assert re.fullmatch(r"[a-z][a-z0-9_]*", metric.name)


@named(METRICS)
def test_every_source_can_be_found(metric):
    """A source begins with a name and has a year."""
    assert re.match(r"[^\W\d].*\b(1[89]|20)\d\d\b", metric.source)


def bounds(metric):
    """Read the range that a metric states."""
    stated = re.match(r"(-?\d+|-infinity) to (\d+|infinity)\b", metric.range)
    assert stated, metric.range
    low, high = (float(each.replace("infinity", "inf")) for each in stated.groups())
    return low, high


@named(METRICS)
def test_every_range_has_two_ends(metric):
    """A range is written as two ends, the lower one first."""
    low, high = bounds(metric)
    assert low < high


@named(METRICS)
def test_every_field_is_one_that_is_checked_here(metric):
    """A metric says nothing of itself that this contract does not know, nor takes what it does not give it."""
    assert set(Metric.__dataclass_fields__) == FIELDS
    assert (metric.of, metric.takes, metric.size, metric.unit, metric.pools) in {
        *(("counts", "row", size, None, True) for size in (None, *SIZES)),
        ("counts", "every", None, None, True),
        *((of, "row", None, None, pools) for of in EXAMPLES for pools in (True, False)),
        *((of, "row", None, "length", False) for of in EXAMPLES),
    }
    assert metric.reads in {"labels", "probabilities"}


def test_every_metric_is_held_to_a_part_of_this_contract():
    """None is of a kind that no test below is about."""
    assert set(METRICS) == {*OF_A_LABEL, *OF_ALL_LABELS, *OF_OTHERS}


# --- One label ----------------------------------------------------------------------------------------------


@named(OF_A_LABEL)
@pytest.mark.parametrize("counts", HAND_MADE, ids=lambda counts: "-".join(map(str, counts)))
def test_undefined_exactly_as_said(metric, counts):
    """A metric is NaN for exactly those counts that its sentence names."""
    value = metric.value(counts, SIZES)
    if metric.size is not None:
        assert not math.isnan(value)
        assert math.isnan(metric.value(counts, {}))
        assert math.isnan(metric.value(counts))
    elif metric.undefined in UNDEFINED:
        assert UNDEFINED[metric.undefined](counts) == math.isnan(value)
    elif all(counts):
        assert not math.isnan(value)
    else:
        pytest.skip(f"what '{metric.undefined}' says of counts is not written down here")


@named(OF_A_LABEL)
def test_a_value_is_a_float(metric):
    """A metric gives a Python float, whether defined or not."""
    assert {float} == {type(metric.value(counts, SIZES)) for counts in HAND_MADE + RANDOM}


@named(OF_A_LABEL)
def test_a_value_is_in_its_range(metric):
    """A metric stays within its stated range, to the bit, for counts of any size up to 2^70."""
    low, high = bounds(metric)
    values = {counts: metric.value(counts, SIZES) for counts in HAND_MADE + RANDOM + perfect_counts()}
    assert {} == {
        counts: value
        for counts, value in values.items()
        if not math.isnan(value) and not low <= value <= high
    }


@named(OF_A_LABEL)
def test_huge_counts_scale(metric):
    """Counts far beyond 64 bits neither overflow nor lose the value: a ratio stays as it is."""
    counts = Counts(7, 2, 3, 11)
    huge = Counts(*(number * 2**70 for number in counts))
    scale = 1.0 if metric.size is None else 2.0**70
    expected = metric.value(counts, SIZES) * scale
    assert pytest.approx(expected, rel=1e-15, abs=0) == metric.value(huge, SIZES)


PERFECT = [Counts(50, 0, 0, 50), Counts(1, 0, 0, 2**40), Counts(2**40, 0, 0, 1)]
BAD = [
    Counts(10, 40, 40, 10),
    Counts(0, 50, 50, 0),
    Counts(49, 1, 1, 49),
    Counts(0, 0, 50, 50),
    Counts(0, 50, 0, 50),
    Counts(50, 50, 0, 0),
]


@named([each for each in OF_A_LABEL if each.better != "neither"])
def test_direction(metric):
    """Equal masks are at least as good as bad ones, in the direction that is stated, and once strictly better."""
    sign = 1 if metric.better == "higher" else -1
    best = {sign * metric.value(counts, SIZES) for counts in PERFECT}
    bad = [sign * metric.value(counts, SIZES) for counts in BAD]
    defined = [value for value in bad if not math.isnan(value)]
    assert max(defined) <= min(best)
    assert min(defined) < min(best)


@named([each for each in OF_A_LABEL if each.better != "neither"])
def test_equal_masks_reach_the_end_of_the_range(metric):
    """Equal masks of any size get the best value of the range, to the bit: 1, or 0 for errors."""
    low, high = bounds(metric)
    expected = high if metric.better == "higher" else low
    assert {expected} == {metric.value(counts, SIZES) for counts in PERFECT + perfect_counts()}


@named(OF_A_LABEL)
@pytest.mark.parametrize(("policy", "value"), [("zero", 0.0), ("one", 1.0)])
def test_policies_fill_in_where_both_masks_are_empty(metric, policy, value):
    """The policies put a value for exactly the metrics whose sentence is "both empty", and only there."""
    empty = Counts(0, 0, 0, 7)
    assert (metric.undefined == BOTH_EMPTY) == metric.follows_policy
    if metric.undefined == BOTH_EMPTY:
        assert value == metric.value(empty, SIZES, policy)
        assert math.isnan(metric.value(empty, SIZES, "skip"))
        assert math.isnan(metric.value(empty, SIZES))
    for counts in HAND_MADE:
        if metric.undefined != BOTH_EMPTY or counts.tp + counts.fp + counts.fn:
            expected, actual = metric.value(counts, SIZES), metric.value(counts, SIZES, policy)
            assert expected == actual or (math.isnan(expected) and math.isnan(actual))


@pytest.mark.parametrize("name", ["dice", "f1", "iou", "volume_similarity"])
def test_policies_concern_these(name):
    """Dice, F1, IoU and volume similarity share the denominator that the policies speak of."""
    assert catalogue()[name].follows_policy


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("dice", 6 / 13),
        ("f1", 6 / 13),
        ("iou", 3 / 10),
        ("precision", 3 / 5),
        ("recall", 3 / 8),
        ("specificity", 7 / 9),
        ("npv", 7 / 12),
        ("fpr", 2 / 9),
        ("fnr", 5 / 8),
        ("fdr", 2 / 5),
        ("prevalence", 8 / 17),
        ("accuracy", 10 / 17),
        ("balanced_accuracy", (3 / 8 + 7 / 9) / 2),
        ("kappa", 22 / 141),
        ("mcc", 11 / math.sqrt(5 * 8 * 9 * 12)),
        ("volume_similarity", 10 / 13),
        ("relative_volume_difference", -3 / 8),
        ("volume_reference_mm3", 6.0),
        ("volume_prediction_mm3", 3.75),
        ("area_reference_m2", 800.0),
        ("area_prediction_m2", 500.0),
    ],
)
def test_by_hand(name, expected):
    """Each metric of 3 true and 2 false positives, 5 false and 7 true negatives."""
    actual = catalogue()[name].value(Counts(3, 2, 5, 7), SIZES)
    assert pytest.approx(expected, rel=1e-15, abs=0) == actual


@pytest.mark.parametrize("name", ["dice", "f1", "iou"])
@pytest.mark.parametrize("counts", [Counts(0, 5, 0, 5), Counts(0, 0, 5, 5)], ids=["reference", "prediction"])
def test_one_empty_mask_is_no_excuse(name, counts):
    """Where one mask is empty and the other is not, the overlap is 0 and not undefined."""
    assert 0.0 == catalogue()[name].value(counts)


# --- All labels ---------------------------------------------------------------------------------------------

EQUAL = [matrix([3, 0, 0], [0, 4, 0], [0, 0, 5]), matrix([10**8 + 39, 0], [0, 10**8 + 7])]
UNEQUAL = [
    matrix([1, 2, 0], [2, 1, 1], [0, 3, 2]),
    matrix([0, 3], [4, 0]),
    matrix([2**66, 3], [2**68, 2**70]),
    matrix([5, 4], [0, 0]),
]


@named(OF_ALL_LABELS)
def test_overall_metrics(metric):
    """A metric of the whole matrix gives a float in its range, and equal masks are the best there are."""
    low, high = bounds(metric)
    values = [metric.function(labels) for labels in EQUAL + UNEQUAL]
    defined = [value for value in values if not math.isnan(value)]
    assert {float} == {type(value) for value in values}
    assert [] == [value for value in defined if not low <= value <= high]
    best = [metric.function(labels) for labels in EQUAL]
    assert [high if metric.better == "higher" else low] * len(EQUAL) == best


@named(OF_ALL_LABELS)
def test_overall_metrics_stay_in_range(metric):
    """They stay within their range, to the bit, for equal masks of two labels of any size."""
    low, high = bounds(metric)
    values = {
        counts: metric.function([counts, Counts(counts.tn, 0, 0, counts.tp)]) for counts in perfect_counts()
    }
    assert {} == {counts: value for counts, value in values.items() if not low <= value <= high}


@named(OF_ALL_LABELS)
def test_overall_metrics_take_any_iterable(metric):
    """They read the labels once, in any order."""
    labels = UNEQUAL[0]
    assert metric.function(labels) == metric.function(iter(labels[::-1]))


@named(OF_ALL_LABELS)
def test_overall_metrics_of_no_pixel_are_undefined(metric):
    """Without a pixel there is no number."""
    assert math.isnan(metric.function([]))


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        # Both masks hold one label only, the same.
        (matrix([9]), {"overall_accuracy": 1.0, "overall_kappa": None, "overall_mcc": None}),
        # Only the reference does.
        (matrix([5, 4], [0, 0]), {"overall_accuracy": 5 / 9, "overall_kappa": 0.0, "overall_mcc": None}),
        # By hand: N = 9, 4 right, sum(ref pred) = 3*2 + 4*4 + 2*3 = 28, squares 29 and 29.
        (
            matrix([1, 2, 0], [1, 2, 1], [0, 0, 2]),
            {"overall_accuracy": 5 / 9, "overall_kappa": 17 / 53, "overall_mcc": 17 / 52},
        ),
    ],
    ids=["one label", "one label in the reference", "three labels"],
)
def test_overall_by_hand(labels, expected):
    """The metrics of the whole matrix, in numbers that can be checked on paper."""
    for name, value in expected.items():
        actual = catalogue()[name].function(labels)
        assert math.isnan(actual) if value is None else pytest.approx(value, rel=1e-15) == actual


def test_overall_metrics_count_pixels_without_a_prediction():
    """Pixels whose prediction belongs to no label are wrong, and part of the whole."""
    labels = [Counts(3, 0, 2, 5), Counts(5, 0, 0, 5)]
    assert 0.8 == catalogue()["overall_accuracy"].function(labels)
    assert pytest.approx(40 / 60) == catalogue()["overall_kappa"].function(labels)
    # The sizes are 5, 5 and 0 in the reference, and 3, 5 and 2 in the prediction.
    assert pytest.approx(40 / math.sqrt(50 * 62)) == catalogue()["overall_mcc"].function(labels)


# --- Another statistic --------------------------------------------------------------------------------------


def hold(metric, examples):
    """Hold a metric to what it says, for measurements of its statistic."""
    low, high = bounds(metric)
    is_undefined = examples.undefined[metric.undefined]
    ones = (1.0,) * examples.axes
    every = [*examples.equal, *examples.unequal]
    values = [metric.value(each, spacing=ones) for each in every]
    assert {float} == {type(value) for value in values}
    assert [is_undefined(each) for each in every] == [math.isnan(value) for value in values]
    assert all(low <= value <= high and math.isfinite(value) for value in values if not math.isnan(value))
    equal, unequal = ([metric.value(each, spacing=ones) for each in part] for part in examples[:2])
    if metric.better != "neither":
        assert {high if metric.better == "higher" else low} == {
            each for each in equal if not math.isnan(each)
        }
        assert {each for each in unequal if not math.isnan(each)} - set(equal)
    if metric.unit is not None:
        hold_to_its_unit(metric, every, examples.axes)
    if metric.pools:
        total = sum(every[1:], every[0])
        assert is_undefined(total) == math.isnan(metric.value(total))
    assert math.isnan(metric.value(None))


def hold_to_its_unit(metric, every, axes):
    """Hold a length to being one: twice as long in a grid twice as wide, and of pixels without a spacing."""
    for each in every:
        plain, ones, wide = (metric.value(each, spacing=step and (step,) * axes) for step in (None, 1.0, 2.0))
        assert plain == ones or (math.isnan(plain) and math.isnan(ones))
        assert 2 * plain == wide or (math.isnan(plain) and math.isnan(wide))


@named(OF_OTHERS)
def test_metrics_of_other_statistics(metric):
    """Its values are what its range, its direction, its sentence and its unit say of the measurements."""
    hold(metric, EXAMPLES[metric.of])


TOY = Examples(
    equal=[toy.Spots((2, 2), (7, 7)), toy.Spots((9, 9), (0, 0)), toy.Spots()],
    unequal=[toy.Spots((2, 2), (3, 7)), toy.Spots((1, 3), (5, 5))],
    undefined={BOTH_EMPTY: lambda spots: 0 in spots.pixels},
    axes=2,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"range": "0 to 1"},
        {"better": "higher"},
        {"undefined": "the reference is full"},
        {"function": lambda spots, spacing: toy.distance(spots, spacing and (1.0,))},
        {"function": lambda spots, spacing: toy.distance(spots, spacing or (2.0,))},
        {"function": lambda spots, spacing: toy.distance(spots, spacing) or 0},
        {"function": lambda *_: 0.0},
        {"function": lambda *_: math.inf},
    ],
    ids=["range", "direction", "sentence", "spacing", "pixels", "type", "undefined", "infinite"],
)
def test_a_metric_that_says_something_wrong_is_found(wrong):
    """The contract of other statistics fails for a metric with any one fault, and holds for the one without."""
    hold(toy.DISTANCE, TOY)
    with pytest.raises((AssertionError, KeyError)):
        hold(replace(toy.DISTANCE, **wrong), TOY)


# --- Names --------------------------------------------------------------------------------------------------

NAMES = [(word, each.name) for each in METRICS for word in each.words]


@pytest.mark.parametrize(("word", "name"), NAMES, ids=[word for word, _ in NAMES])
def test_names_and_aliases_resolve(word, name):
    """Each name and alias finds its metric, whatever its case and with hyphens or spaces."""
    for written in (
        word,
        word.upper(),
        word.title(),
        word.replace("_", "-"),
        word.replace("_", " "),
        f" {word} ",
    ):
        assert name == resolve(written).name


def test_names_are_unique():
    """No word means two metrics."""
    words = [word for word, _ in NAMES]
    assert sorted(set(words)) == sorted(words)


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("user's accuracy", "precision"),
        ("producer's accuracy", "recall"),
        ("sensitivity", "recall"),
        ("Jaccard", "iou"),
        ("DSC", "dice"),
        ("balanced-accuracy", "balanced_accuracy"),
        ("Volume-Reference-mm3", "volume_reference_mm3"),
        ("PPV", "precision"),
    ],
)
def test_words_of_the_field_resolve(word, name):
    """The words that people of the field use find the metric."""
    assert name == resolve(word.replace("'", "")).name


@named(METRICS)
def test_unknown_names_are_told_the_near_ones(metric):
    """A misspelt name is a usage error whose hint begins with the metric that was meant."""
    with pytest.raises(UnknownName, match=f"'{metric.name[:-1]}'") as caught:
        resolve(metric.name[:-1])
    suggestion, _, known = caught.value.hint.partition("? ")
    assert suggestion.startswith("Did you mean ")
    assert metric.name in suggestion.removeprefix("Did you mean ").split(" or ")
    assert all(each.name in known for each in METRICS)
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("word", ["", "hausdorff95x", "dice score of the whole", "тест"])
def test_names_like_no_other_list_all(word):
    """A word that resembles none is told all that there are."""
    with pytest.raises(UnknownName) as caught:
        resolve(word)
    assert all(each.name in caught.value.hint for each in METRICS)
