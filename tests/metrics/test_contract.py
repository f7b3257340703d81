"""What every metric of the catalogue promises; a new one is held to it by being there."""

from __future__ import annotations

import inspect
import itertools
import math
import operator
import random
import re
from dataclasses import replace
from functools import reduce
from typing import NamedTuple

import maps
import numpy as np
import pytest
import soft_brute as brute
import toy
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import UnknownName, UsageError
from dicecli.metrics._catalogue import BOTH_EMPTY, Metric, catalogue, every_of, resolve
from dicecli.metrics._planned import planned
from dicecli.plugins import load
from dicecli.records.counts import Counts
from dicecli.records.lengths import PIXELS, Length
from dicecli.records.settings import Settings
from dicecli.records.wholes import Large, Wholes, ratio
from dicecli.reports.adding import Added, scored
from dicecli.reports.drawn import Block
from dicecli.reports.intervals import is_resampled, summands_of
from dicecli.reports.measured import added as sum_of
from dicecli.statistics._leading import leading
from dicecli.statistics.place import Places
from dicecli.statistics.soft.measured import Channel
from dicecli.statistics.surface import Surfaces

METRICS = list(catalogue().values())
SIZES = {"mm3": 0.75, "m2": 100.0}
#: What a metric says of itself; one more is to be checked here.
FIELDS = {
    *("name", "function", "summary", "formula", "low", "high", "remark", "undefined", "source", "better"),
    *("of", "takes", "size", "unit", "pools", "follows_undefined", "is_empty", "infinite", "tuned", "shown"),
    *(
        "options",
        "parameter",
        "argument",
        "over_labels",
        "resampled",
        "aliases",
        "spoken",
        "given",
        "takes_spacing",
        "needs",
    ),
}


def numbers_of(metric):
    """Return what the number in a metric's name is tried as: both ends, and some between them."""
    low, high = metric.parameter.low, metric.parameter.high
    return sorted(
        {low, *(each for each in (0.1, 0.5, 1, 2, 95, 12345.678) if low < each < high), *{high} - {math.inf}}
    )


def with_number(metric, number, name=None):
    """Return a metric's name, or another word for it, with a number in it; of a length in pixels."""
    unit = PIXELS if metric.parameter.units else ""
    return (name or metric.name).format(**{metric.parameter.name: f"{number}{unit}"})


def words_of(metric):
    """Return the name of a metric, with each number that it is tried with."""
    if metric.parameter is None:
        return [metric.name]
    return [with_number(metric, f"{n:g}") for n in numbers_of(metric)]


def tried(metric):
    """Return a metric as reports have it: with options, and for each number that its name is tried with."""
    words = words_of(metric)
    options = maps.settings(smooth=0.0) if metric.reads == "probabilities" else Settings()
    return [resolve(word).with_settings(options, PIXELS) for word in words]


EVERY = [each for metric in METRICS for each in tried(metric)]
#: Those of one label, which take its counts and, some of them, the size of a pixel.
OF_A_LABEL = [each for each in EVERY if each.of == "counts" and each.takes == "row"]
#: Those of the whole matrix.
OF_ALL_LABELS = [each for each in EVERY if each.of == "counts" and each.takes == "every"]
#: Those of a class of a map, and those of all its channels.
OF_A_CLASS = [each for each in EVERY if each.of == "soft" and each.takes == "row"]
OF_ALL_CLASSES = [each for each in EVERY if each.of == "soft" and each.takes == "every"]
#: Those of another statistic, each of one measurement.
OF_OTHERS = [each for each in EVERY if each.of not in {"counts", "soft"}]


class Examples(NamedTuple):
    """Measurements of one statistic, and what sentences of the catalogue say about them.

    `equal` are those of masks that are equal, `unequal` of others; `undefined` has for each sentence what
    tells whether it is true of a measurement; `axes` is how many axes the masks have.
    """

    equal: list
    unequal: list
    undefined: dict
    axes: int = 2


def surfaces_of(*pairs):
    """Measure the surfaces of masks, with every number that names of metrics are tried with."""
    asked = [word for metric in METRICS if metric.of == "surface" for word in words_of(metric)]
    found = []
    for rows in pairs:
        prediction, reference = (np.array(each, np.uint8) for each in rows)
        (case,) = dicecli.score(prediction, reference, metrics=asked).results
        measured = case.measured.get("surface", {}).items()
        found.append(next((each for row, each in measured if row.label == 1), Surfaces.zero()))
    return found


NOTHING_THERE = [[0, 0, 0], [0, 0, 0], [0, 0, 0]]
#: By the statistic: a metric of one that is missing here fails, for nobody knows what to hold it to.
EXAMPLES: dict[str, Examples] = {
    "place": Examples(
        equal=[Places(2, 4, (6, 2), (12, 4)), Places(0, 1, (), (3, 3)), Places.zero()],
        unequal=[Places(2, 2, (6, 2), (6, 8)), Places(1, 3, (5, 0), (0, 9))],
        undefined={"either mask is empty": lambda place: 0 in {place.reference, place.prediction}},
        axes=2,
    ),
    "surface": Examples(
        equal=surfaces_of(
            ([[0, 1, 1], [0, 1, 1]], [[0, 1, 1], [0, 1, 1]]),
            ([[1, 0, 0], [0, 0, 0], [0, 0, 1]], [[1, 0, 0], [0, 0, 0], [0, 0, 1]]),
            (NOTHING_THERE, NOTHING_THERE),
        ),
        unequal=surfaces_of(
            ([[1, 0, 0], [0, 0, 0], [0, 0, 0]], [[0, 0, 0], [0, 0, 0], [0, 0, 1]]),
            (NOTHING_THERE, [[0, 0, 0], [0, 1, 0], [0, 0, 0]]),
            ([[0, 0, 0], [0, 1, 0], [0, 0, 0]], NOTHING_THERE),
        ),
        undefined={
            BOTH_EMPTY: lambda row: not row.reference and not row.prediction,
            f"{BOTH_EMPTY}, or fill the image; of volumes": lambda row: (
                not row.reference and not row.prediction
            ),
        },
        axes=2,
    ),
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
    assert metric.function.__module__.startswith("dicecli.metrics.")
    for text in (metric.formula, metric.range, metric.undefined, metric.source, metric.summary):
        assert text == text.strip()
        assert text
        assert "\n" not in text
    assert len(metric.summary) <= 100
    assert not metric.summary.endswith(".")
    assert metric.better in {"higher", "lower", "neither"}


@named(METRICS)
def test_every_name_is_a_word_of_the_command_line(metric):
    """A metric's name is the key of the catalogue, lower case with underscores; only a parameter has braces."""
    assert metric is catalogue()[metric.name]
    in_full = metric.name.replace("_{", "{").replace("{", "_").replace("}", "")
    assert metric.function.__name__ in {metric.name.partition("_{")[0], in_full}
    braces = "" if metric.parameter is None else rf"\{{{metric.parameter.name}\}}"
    assert re.fullmatch(rf"[a-z][a-z0-9_]*{braces}[a-z_]*", metric.name)


@named(METRICS)
def test_every_source_can_be_found(metric):
    """A source begins with a name and has a year."""
    assert re.match(r"[^\W\d].*\b(1[89]|20)\d\d\b", metric.source)


@named(METRICS)
def test_every_range_has_two_ends(metric):
    """The lower end comes first, and people read both, and the remark, in one line."""
    assert metric.low < metric.high
    low, high = (f"{end:.4g}".replace("inf", "infinity") for end in (metric.low, metric.high))
    assert metric.range == f"{low} to {high}{metric.remark and ', '}{metric.remark}"


@named(METRICS)
def test_every_field_is_one_that_is_checked_here(metric):
    """A metric says nothing of itself that this contract does not know, nor takes what it does not give it."""
    assert set(Metric.__dataclass_fields__) == FIELDS
    assert (metric.of, metric.takes, metric.size, metric.unit, metric.pools) in {
        *(("counts", "row", size, None, True) for size in (None, *SIZES)),
        ("counts", "every", None, None, True),
        *(("soft", takes, None, None, True) for takes in ("row", "every")),
        *((of, "row", None, None, pools) for of in EXAMPLES for pools in (True, False)),
        *((of, "row", None, "length", False) for of in EXAMPLES),
    }
    assert metric.reads == ("probabilities" if metric.of == "soft" else "labels")
    assert metric.shown in {"always", "rows", "asked"}
    assert (metric.argument, metric.given) == (None, ())
    # A metric that may be infinite has no end there, and is a length.
    assert not metric.infinite or (metric.high == math.inf and metric.unit == "length")
    assert not metric.takes_spacing or metric.unit == "length"
    # A statistic measures the parts that are asked for, where it has several.
    assert not metric.needs or "parts" in load("statistics", metric.statistic).OPTIONS
    # What is chosen on the data, as a threshold is, has one choice for all labels.
    assert metric.tuned == (metric.over_labels is not None)


@named(METRICS)
def test_every_option_is_a_setting(metric):
    """A metric takes its options, and the number in its name, as keywords: each is one of the settings."""
    settings = maps.settings() if metric.reads == "probabilities" else Settings()
    for option in metric.options:
        settings.option(option)
    keywords = inspect.signature(metric.function).parameters.values()
    taken = [each.name for each in keywords if each.kind is inspect.Parameter.KEYWORD_ONLY]
    assert sorted(taken) == sorted([*metric.options, *([metric.parameter.name] if metric.parameter else [])])


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
def test_some_metric_is_always_shown(reads):
    """A run that asked for none has tables, and the first of them is what a drop alone is of."""
    shown = [each.name for each in METRICS if each.reads == reads and each.shown == "always"]
    assert shown[0] == {"labels": "dice", "probabilities": "soft_dice_standard"}[reads]
    assert [each.name for each in every_of(reads)] == [
        each.name for each in METRICS if each.reads == reads and each.parameter is None
    ]


@named([each for each in METRICS if each.parameter is not None])
def test_the_number_in_a_name(metric):
    """It is read with all its digits, and written so; out of its range, or missing, is an error with a way out."""
    name, low, high, units, _ = metric.parameter
    for number in [*numbers_of(metric), 0.1 + 0.2]:
        found = resolve(with_number(metric, repr(float(number))))
        argument = Length(number, PIXELS) if units else number
        assert (found.argument, found.function) == (argument, metric.function)
        assert resolve(found.name) == found
        assert found.with_settings(Settings(), PIXELS).given[-1] == (name, argument)
    assert "0.30000000000000004" in found.name
    wrong = [metric.name, *([with_number(metric, high + 1)] if math.isfinite(high) else [])]
    wrong += [with_number(metric, low / 2)] * (low > 0)
    wrong += [metric.parameter.stem(metric.name)] * bool(units)
    for word in wrong:
        with pytest.raises(UsageError) as caught:
            resolve(word)
        assert metric.example in caught.value.hint
    assert resolve(metric.example).parameter == metric.parameter
    assert metric not in every_of(metric.reads)


def test_every_metric_is_held_to_a_part_of_this_contract():
    """None is of a kind that no test below is about, and each is tried as often as it has examples."""
    parts = [*OF_A_LABEL, *OF_ALL_LABELS, *OF_A_CLASS, *OF_ALL_CLASSES, *OF_OTHERS]
    assert sorted(each.name for each in parts) == sorted(each.name for each in EVERY)
    assert {each.function for each in parts} == {each.function for each in METRICS}


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
    else:
        assert UNDEFINED[metric.undefined](counts) == math.isnan(value)


@named(OF_A_LABEL)
def test_a_value_is_a_float(metric):
    """A metric gives a Python float, whether defined or not."""
    assert {float} == {type(metric.value(counts, SIZES)) for counts in HAND_MADE + RANDOM}


@named(OF_A_LABEL)
def test_a_value_is_in_its_range(metric):
    """A metric stays within its stated range, to the bit, for counts of any size up to 2^70."""
    low, high = metric.low, metric.high
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


def hold_at_once(metric, measurements):
    """Hold a metric of many resamples at once to what each gives alone: to the bit, under every policy.

    Each measurement is drawn alone, then several of them, some more than once. What is returned is what the
    metric says of the former at once: None where it does not take them so.
    """
    number = len(measurements)
    draws = np.vstack([np.eye(number), np.random.default_rng(4).integers(0, 3, (4, number))])
    added = Added(np.arange(number), [[each] for each in measurements], slice(None), summands_of(metric.of))
    for policy in ("skip", "zero", "one") if metric.follows_undefined else ("skip",):
        alone = []
        for draw in draws.astype(int).tolist():
            whole = sum_of(each for each, times in zip(measurements, draw, strict=True) for _ in range(times))
            alone.append(metric.value(whole, None, policy))
        np.testing.assert_array_equal(alone, scored(metric, added.in_rows(Block(draws)), policy)[:, 0])
        np.testing.assert_array_equal(alone, scored(metric, added.whole(Block(draws)), policy))
    return added.in_rows(Block(draws[:number])).at_once(metric.at_once)


@named([each for each in OF_A_LABEL if each.averaged])
def test_many_counts_at_once_are_as_each_alone(metric):
    """Resamples are scored at once: to the bit what each gives alone, under every policy, also huge counts."""
    small = HAND_MADE + [each for each in RANDOM[:300] if each.total < 2**50]
    for counts in (HAND_MADE, small, RANDOM[:100], [Counts()]):
        hold_at_once(metric, counts)


def test_a_policy_puts_values_at_once_where_both_are_empty():
    """Where a value is undefined for other reasons, too, a policy puts one where the metric says."""
    hold_at_once(replace(catalogue()["dice"], is_empty=lambda counts: counts.tn > 0), HAND_MADE)


#: Those that are ratios of whole numbers, and no more.
RATIOS = {
    *("dice", "f1", "iou", "precision", "recall", "specificity", "npv", "fpr", "fnr", "fdr", "prevalence"),
    *("accuracy", "balanced_accuracy", "kappa", "volume_similarity", "relative_volume_difference"),
    *("relative_volume_error", "fbeta_0.5", "fbeta_2"),
}


@named([each for each in OF_A_LABEL if each.name in RATIOS])
def test_ratios_are_scored_at_once(metric):
    """Whatever is a ratio of whole numbers takes many counts in place of one; else intervals take long."""
    many = Counts(*(Wholes(np.array([3.0, 0.0]), 3) for _ in range(4)))
    assert isinstance(metric.at_once(many), np.ndarray)
    numbers = random.Random(7)  # noqa: S311 - no secret
    large = [Counts(*(numbers.getrandbits(40) for _ in range(4))) for _ in range(50)]
    found = metric.at_once(
        Counts(*(Wholes(np.array(field, float), 2**40) for field in zip(*large, strict=True)))
    )
    assert found is None or found.tolist() == [metric.value(each) for each in large]


@given(st.lists(st.integers(0, 2**1200) | st.integers(0, 2**70), min_size=1, max_size=4), st.integers(1, 13))
def test_large_numbers_are_rounded_as_one_is(numbers, over):
    """Numbers in pieces, which may overlap, are rounded to the nearest float64, once, whatever their size is."""
    places = range(0, 1240, 40)
    pieces = [(at, [(each >> at) % 2**40 * (1 + over * (at % 80)) for each in numbers]) for at in places]
    whole = [sum(piece[place] << at for at, piece in pieces) for place in range(len(numbers))]
    many = Large([(at, np.array(piece, np.float64)) for at, piece in pieces])
    assert [each / 2**1074 for each in whole] == many.scaled(-1074).tolist()


def test_many_whole_numbers_are_no_one_number():
    """What is asked of one number, or is not exact, is refused, so that each is scored alone."""
    many = Wholes(np.array([1.0, 0.0]), 1)
    refused = [bool, float, lambda n: n == 0, lambda n: n < 1, lambda n: n / 2, lambda n: n + 0.5, math.sqrt]
    for each in (*refused, lambda n: ratio(n, 1), lambda n: ratio(1, n)):
        with pytest.raises(TypeError):
            each(many)
    assert [bool(Wholes(np.array(each), 5)) for each in ([1.0, 5.0], [0.0, 0.0])] == [True, False]
    with pytest.raises(OverflowError):
        many + 2**53
    assert [2.0, -6.0] == ((3 - many) * -2 + abs(-many) + many * 5 - 0).values.tolist()


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
    low, high = metric.low, metric.high
    expected = high if metric.better == "higher" else low
    assert {expected} == {metric.value(counts, SIZES) for counts in PERFECT + perfect_counts()}


@named(OF_A_LABEL)
@pytest.mark.parametrize(("policy", "value"), [("zero", 0.0), ("one", 1.0)])
def test_policies_fill_in_where_both_masks_are_empty(metric, policy, value):
    """The policies put a value for exactly the metrics whose sentence is "both empty", and only there."""
    empty = Counts(0, 0, 0, 7)
    assert (metric.undefined == BOTH_EMPTY) == metric.follows_undefined
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
    assert catalogue()[name].follows_undefined


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
        ("relative_volume_error", 3 / 8),
        ("volume_error_mm3", 2.25),
        ("area_error_m2", 300.0),
        ("fbeta_2", 15 / 37),
        ("fbeta_0.5", 3.75 / 7),
        ("fbeta_1", 6 / 13),
        ("fbeta_0", 3 / 5),
    ],
)
def test_by_hand(name, expected):
    """Each metric of 3 true and 2 false positives, 5 false and 7 true negatives."""
    actual = resolve(name).with_settings(Settings(), PIXELS).value(Counts(3, 2, 5, 7), SIZES)
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
    low, high = metric.low, metric.high
    values = [metric.function(labels) for labels in EQUAL + UNEQUAL]
    defined = [value for value in values if not math.isnan(value)]
    assert {float} == {type(value) for value in values}
    assert [] == [value for value in defined if not low <= value <= high]
    best = [metric.function(labels) for labels in EQUAL]
    assert [high if metric.better == "higher" else low] * len(EQUAL) == best


@named(OF_ALL_LABELS)
def test_overall_metrics_stay_in_range(metric):
    """They stay within their range, to the bit, for equal masks of two labels of any size."""
    low, high = metric.low, metric.high
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


# --- A class of a map ---------------------------------------------------------------------------------------

probabilities = st.sampled_from([0.0, 1.0, 0.5, 0.499, 0.001, 0.0009, 0.999]) | st.floats(
    0, 1, allow_subnormal=False
)


@st.composite
def maps_of_classes(draw, least=0):
    """Draw up to 12 pixels of one to four classes: probabilities by class, and the class of each pixel."""
    classes, pixels = draw(st.integers(1, 4)), draw(st.integers(least, 12))
    columns = [draw(st.lists(probabilities, min_size=classes, max_size=classes)) for _ in range(pixels)]
    is_exact = draw(st.booleans())
    labels = [draw(st.integers(0, classes - 1)) for _ in range(pixels)]
    if is_exact:  # the reference itself, with some pixels of another class
        shown = [draw(st.sampled_from([label, 0])) for label in labels]
        columns = [[float(k == label) for k in range(classes)] for label in shown]
    rows = [[column[k] for column in columns] for k in range(classes)]
    return rows, labels


def channels_of(drawn, *, exclusive):
    """Return what metrics take of each class of a map."""
    rows, labels = shared(drawn) if exclusive else drawn
    return brute.together(rows, labels, range(len(rows)), exclusive=exclusive).evaluated


def shared(drawn):
    """Return the same with probabilities that sum to 1 at each pixel, as those of a softmax do."""
    rows, labels = drawn
    columns = [
        (each, sum(each)) if any(each) else ((1.0, *each[1:]), 1.0) for each in zip(*rows, strict=True)
    ]
    return [[each[k] / total for each, total in columns] for k in range(len(rows))], labels


def is_nowhere(channel, threshold):
    """Tell whether neither the reference nor the prediction at a threshold has the class."""
    counts = channel.argmax if threshold == "argmax" else channel.curve.counts(threshold)
    return counts.tp + counts.fp + counts.fn == 0


def without_tuning(channel):
    """Return what the gain of tuning is over."""
    return 0.5 if channel.argmax is None else "argmax"


NO_PIXEL = "there is no pixel"
EMPTY = "the class is neither in the reference nor predicted, and --smooth is 0 (its default is 1e-05)"
NOWHERE = "neither mask has the class"
#: At which threshold a class is nowhere, by the metric: where several, at any.
AT = {
    "dice_at_half": lambda _: [0.5],
    "dice_argmax": lambda _: ["argmax"],
    "dice_best": lambda _: [0.001],
    "best_threshold": lambda _: [0.001],
    "gain": lambda channel: [0.001, without_tuning(channel)],
}


def is_soft_empty(metric, channel, smooth):
    """Tell whether 0/0 is what a form of soft Dice is of a class: squares of tiny probabilities are 0, too."""
    pg, p, p2, g = channel.sums.sums
    is_squared = "squared" in metric.name
    return not smooth and not g and not (p2 if is_squared else p) and not pg


def is_undefined_of_class(metric, channel, smooth):
    """Tell whether the sentence of a metric is true of a class."""
    if metric.undefined == NOWHERE:
        return any(is_nowhere(channel, each) for each in AT[metric.name](channel))
    return {
        NO_PIXEL: channel.sums.pixels == 0,
        EMPTY: is_soft_empty(metric, channel, smooth),
        f"{NO_PIXEL}, or {EMPTY}": channel.sums.pixels == 0 or is_soft_empty(metric, channel, smooth),
        "the reference is empty": channel.sums.reference == 0,
    }[metric.undefined]


def with_smooth(metric, smooth):
    """Return a metric with another epsilon, where it has one."""
    return replace(metric, given=tuple((k, smooth if k == "smooth" else v) for k, v in metric.given))


@named(OF_A_CLASS)
@settings(max_examples=40)
@given(maps_of_classes(), st.booleans(), st.sampled_from([0.0, 1e-5, 1.0]))
def test_scores_of_a_class_keep_their_word(metric, drawn, exclusive, smooth):
    """A score is a float in its range, to the bit, and undefined for exactly those sums that its sentence names."""
    metric = with_smooth(metric, smooth)
    for channel in channels_of(drawn, exclusive=exclusive):
        value = metric.value(channel)
        assert type(value) is float
        if metric.name == "dice_argmax" and not exclusive:
            assert metric.function(channel) is None
            assert math.isnan(value)
            continue
        assert is_undefined_of_class(metric, channel, smooth) == math.isnan(value)
        assert math.isnan(value) or metric.low <= value <= metric.high


@named(OF_A_CLASS)
@settings(max_examples=20)
@given(maps_of_classes(), st.sampled_from([0.0, 1e-5]), st.sampled_from([("zero", 0.0), ("one", 1.0)]))
def test_policies_fill_in_where_a_class_is_nowhere(metric, drawn, smooth, policy):
    """The policies put a value exactly where a metric that follows them is undefined, and nowhere else."""
    assert metric.follows_undefined == (
        (metric.undefined == EMPTY and metric.better == "higher")
        or metric.name in {"dice_at_half", "dice_argmax"}
    )
    metric, (word, filled) = with_smooth(metric, smooth), policy
    nothing = Channel(brute.channel_sums([0.0, 0.0], [0, 0]), Counts(tn=2))
    for channel in [*channels_of(drawn, exclusive=True), nothing]:
        value, found = metric.value(channel), metric.value(channel, undefined=word)
        if metric.follows_undefined and math.isnan(value):
            assert found == filled
        else:
            assert found == value or (math.isnan(found) and math.isnan(value))
    assert math.isnan(metric.value(None, undefined=word))


@named([each for each in OF_A_CLASS if each.better != "neither"])
@settings(max_examples=20)
@given(st.lists(st.booleans(), min_size=1, max_size=9), st.lists(probabilities, min_size=9, max_size=9))
def test_a_perfect_map_reaches_the_end_of_the_range(metric, inside, others):
    """A map that is its reference gets the best value, to the bit, and no other map a better one."""
    p = [float(each) for each in inside]
    perfect = metric.value(brute.channel(p, inside, inside))
    best, sign = (metric.high, 1) if metric.better == "higher" else (metric.low, -1)
    assert perfect == best or (math.isnan(perfect) and not any(inside))
    other = metric.value(brute.channel(others[: len(p)], inside, [each >= 0.5 for each in others[: len(p)]]))
    assert math.isnan(other) or sign * other <= sign * best


@named(OF_A_CLASS)
def test_a_wrong_map_is_worse(metric):
    """Where the direction is stated, a map that is wrong everywhere is at the other end, or worse at least."""
    right, wrong = (brute.channel(p, [1, 1, 0, 0], p) for p in ([1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]))
    one, other = metric.value(right), metric.value(wrong)
    assert (metric.better == "neither") or (one > other) == (metric.better == "higher")


@named(OF_A_CLASS)
@settings(max_examples=15)
@given(st.lists(maps_of_classes(least=1), min_size=2, max_size=3), st.booleans())
def test_added_sums_are_those_of_all_pixels(metric, drawn, exclusive):
    """A metric of sums that were added up is that of one map that has all the pixels."""
    classes = min(len(rows) for rows, _ in drawn)
    for k in range(classes):
        parts = [channels_of(each, exclusive=exclusive)[k] for each in drawn]
        alike = [shared(each) if exclusive else each for each in drawn]
        p = [value for rows, _ in alike for value in rows[k]]
        g = [int(label == k) for _, labels in drawn for label in labels]
        whole = Channel(
            brute.channel_sums(p, g), parts[0].argmax and reduce(operator.add, [e.argmax for e in parts])
        )
        found, expected = metric.value(reduce(operator.add, parts)), metric.value(whole)
        assert found == expected or (math.isnan(found) and math.isnan(expected))


def some_classes():
    """Return classes of maps of a few pixels, tiny and equal probabilities among them; and of none."""
    random = np.random.default_rng(8)
    found = []
    for pixels in (0, 1, 5, 9, 9):
        p = random.choice([0.0, 1.0, 0.5, 1e-9, 1e-200, *random.random(5)], pixels).tolist()
        g = random.integers(0, 2, pixels).tolist()
        found.append(brute.channel(p, g, random.integers(0, 2, pixels).tolist()))
    return [*found, brute.channel([0.0, 0.0], [0, 0], [0, 0])]


SOME_CLASSES = some_classes()


#: Those that need the histograms are scored one by one, which takes too long for resamples.
ONE_BY_ONE = {"average_precision", "dice_best", "best_threshold", "gain"}


@named(OF_A_CLASS)
@pytest.mark.parametrize("smooth", [0.0, 1e-5])
def test_many_classes_at_once_are_as_each_alone(metric, smooth):
    """Resamples are scored to the bit as each alone, also where a case has no such class or no argmax."""
    metric = with_smooth(metric, smooth)
    at_once = hold_at_once(metric, SOME_CLASSES)
    hold_at_once(metric, [*SOME_CLASSES[1:4], None, replace(SOME_CLASSES[2], argmax=None)])
    if metric.function.__module__.startswith("dicecli."):
        assert isinstance(at_once, np.ndarray) == is_resampled(metric) == (metric.name not in ONE_BY_ONE)


@named([each for each in OF_A_CLASS if each.over_labels is not None])
@settings(max_examples=20)
@given(maps_of_classes(least=1), st.booleans(), st.integers(1, 9))
def test_the_mean_over_one_label_is_its_value(metric, drawn, exclusive, weight):
    """What a metric has instead of the mean over labels is, of one label, its value, whatever that weighs."""
    for channel in channels_of(drawn, exclusive=exclusive):
        value = metric.value(channel)
        for weights in (None, [weight]):
            assert metric.over_labels([channel], weights) == pytest.approx(value, rel=1e-12, nan_ok=True)


# --- All channels -------------------------------------------------------------------------------------------


def is_undefined_together(metric, maps, smooth):
    """Tell whether the sentence of a metric is true of all channels."""
    nothing = not smooth and all(is_soft_empty(metric, each, smooth) for each in maps.evaluated)
    nothing = nothing or not maps.evaluated
    empty = "no label is averaged, or none of them is anywhere and --smooth is 0"
    return {
        NO_PIXEL: maps.pixels == 0,
        empty: nothing,
        f"{NO_PIXEL}, or {empty}": nothing or maps.pixels == 0,
    }[metric.undefined]


@named(OF_ALL_CLASSES)
@settings(max_examples=40)
@given(maps_of_classes(), st.booleans(), st.integers(0, 2), st.sampled_from([0.0, 1e-5]))
def test_scores_of_all_channels_keep_their_word(metric, drawn, exclusive, left_out, smooth):
    """A score is a float in its range, and undefined for exactly those sums that its sentence names."""
    metric, (rows, labels) = with_smooth(metric, smooth), shared(drawn) if exclusive else drawn
    every = brute.together(rows, labels, range(left_out, len(rows)), exclusive=exclusive)
    value = metric.value(every)
    assert type(value) is float
    if metric.name == "overall_accuracy_argmax" and not exclusive:
        assert metric.function(every) is None
        assert math.isnan(value)
        return
    assert is_undefined_together(metric, every, smooth) == math.isnan(value)
    assert math.isnan(value) or metric.low <= value <= metric.high


@named(OF_ALL_CLASSES)
@settings(max_examples=20)
@given(st.lists(st.integers(0, 2), min_size=1, max_size=9), st.booleans(), st.sampled_from([0.0, 1e-5]))
def test_perfect_channels_reach_the_end_of_the_range(metric, labels, exclusive, smooth):
    """Maps that are their references get the best value, to the bit; maps that are wrong everywhere a worse one."""
    metric = with_smooth(metric, smooth)
    right, wrong = (
        brute.together(
            [[float(k == each) for each in top] for k in range(3)], labels, range(3), exclusive=exclusive
        )
        for top in (labels, [(label + 1) % 3 for label in labels])
    )
    best, worse = metric.value(right), metric.value(wrong)
    if math.isnan(best):
        assert metric.name == "overall_accuracy_argmax"
        return
    assert best == (metric.high if metric.better == "higher" else metric.low)
    assert worse != best
    assert (worse < best) == (metric.better == "higher")


# --- Pooled -------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module", params=["labels", "probabilities"])
def run(request):
    """Return a report of three cases with every metric of a kind, and those with a number in their name."""
    rng = np.random.default_rng(7)
    if request.param == "labels":
        cases = [(rng.integers(0, 4, (7, 9 + k)), rng.integers(0, 4, (7, 9 + k))) for k in range(3)]
        options = Settings(metrics=tuple(words_of(each)[0] for each in METRICS if each.reads == "labels"))
    else:
        cases = [maps.softmax((4, 7, 9 + k), k, sharp=1.0) for k in range(3)]
        options = maps.settings(metrics=[each.example for each in METRICS if each.reads == "probabilities"])
    return dicecli.score_many([dicecli.Case(str(k), *pair) for k, pair in enumerate(cases)], options)


def test_pooled_is_the_metric_of_added_measurements(run):
    """What a report pools of a row is the metric of what was measured in all cases, added up, and nothing else."""
    assert len(run.metrics) + len(run.together) == len(
        [each for each in METRICS if each.reads == run.settings.reads]
    )
    for metric in run.metrics:
        for place, row in enumerate(run.evaluated):
            if not metric.pools:
                with pytest.raises(UsageError, match="does not pool"):
                    run.pooled(metric.name, row.label)
                continue
            total = reduce(operator.add, [case[place] for case in run.table.taken(metric.of)])
            found, expected = run.pooled(metric.name, row.label), metric.value(total, {})
            assert found == expected or (math.isnan(found) and math.isnan(expected))
    every = leading(run.settings.reads).every(run.scored, run.evaluated)
    for metric in run.together:
        assert run.look_up(metric.name).value == run.overall[metric.name] == metric.value(every)


# --- Another statistic --------------------------------------------------------------------------------------


def hold(metric, examples):
    """Hold a metric to what it says, for measurements of its statistic."""
    low, high = metric.low, metric.high
    is_undefined = examples.undefined[metric.undefined]
    ones = (1.0,) * examples.axes
    every = [*examples.equal, *examples.unequal]
    values = [metric.value(each, spacing=ones) for each in every]
    assert {float} == {type(value) for value in values}
    assert [is_undefined(each) for each in every] == [math.isnan(value) for value in values]
    defined = [value for value in values if not math.isnan(value)]
    assert all(low <= value <= high and (metric.infinite or math.isfinite(value)) for value in defined)
    equal, unequal = ([metric.value(each, spacing=ones) for each in part] for part in examples[:2])
    if metric.better != "neither":
        assert {high if metric.better == "higher" else low} == {
            each for each in equal if not math.isnan(each)
        }
        assert {each for each in unequal if not math.isnan(each)} - set(equal)
    if metric.takes_spacing:
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


@named([each for each in OF_OTHERS if is_resampled(each)])
def test_many_of_other_statistics_at_once_are_as_each_alone(metric):
    """Resamples are scored to the bit as each alone."""
    equal, unequal, _, _ = EXAMPLES[metric.of]
    hold_at_once(metric, [*unequal, *equal])
    hold_at_once(metric, [*equal[:2], None])


def test_boundary_iou_is_scored_at_once():
    """Where no row is empty; elsewhere one by one, since 0 and undefined are told apart by the masks."""
    (metric,) = [each for each in OF_OTHERS if each.name == "boundary_iou"]
    assert isinstance(hold_at_once(metric, EXAMPLES["surface"].equal[:2]), np.ndarray)


TOY = Examples(
    equal=[toy.Spots((2, 2), (7, 7)), toy.Spots((9, 9), (0, 0)), toy.Spots()],
    unequal=[toy.Spots((2, 2), (3, 7)), toy.Spots((1, 3), (5, 5))],
    undefined={BOTH_EMPTY: lambda spots: 0 in spots.pixels},
    axes=2,
)


@pytest.mark.parametrize(
    "wrong",
    [
        {"high": 1.0},
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

NAMES = [(word, each.name) for each in METRICS if each.parameter is None for word in each.words]
#: With a number in each name that takes one.
NAMES += [
    (with_number(each, "1", word), resolve(with_number(each, "1")).name)
    for each in METRICS
    if each.parameter is not None
    for word in each.words
]


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
        ("HD 95", "hd95"),
        ("Hausdorff", "hd"),
        ("surface-dice 2mm", "nsd_2mm"),
        ("Hausdorff distance 97.5", "hd97.5"),
        ("assd_mm", "assd"),
    ],
)
def test_words_of_the_field_resolve(word, name):
    """The words that people of the field use find the metric."""
    assert name == resolve(word.replace("'", "")).name


@named(METRICS)
def test_unknown_names_are_told_the_near_ones(metric):
    """A misspelt name is a usage error whose hint begins with the metric that was meant, not with all there are."""
    word = metric.example[:-1] if metric.parameter is None else metric.example[:1] + metric.example[2:]
    with pytest.raises(UnknownName, match=f"'{word}'") as caught:
        resolve(word)
    suggestion, _, rest = caught.value.hint.partition("? ")
    assert suggestion.startswith("Did you mean ")
    near = suggestion.removeprefix("Did you mean ").split(" or ")
    assert metric.example in near
    assert {resolve(each).example for each in near}
    assert rest == "'dicecli metrics' lists every one."
    assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("word", ["", "hausdorff95x", "dice score of the whole", "тест"])
def test_names_like_no_other_are_told_where_all_stand(word):
    """A word that resembles none is told which command lists all that there are."""
    with pytest.raises(UnknownName) as caught:
        resolve(word)
    assert caught.value.hint.endswith("'dicecli metrics' lists every one.")


@pytest.mark.parametrize(
    "word",
    ["pq", "PQ", "panoptic quality", "lesion_dice", "instance-f1", "cldice"],
)
def test_metrics_that_are_not_there_yet_say_so(word):
    """A name of the field that means no metric yet is not taken for a misspelt one."""
    with pytest.raises(UnknownName, match="not there yet"):
        resolve(word)


@named(METRICS)
def test_no_metric_that_is_there_is_said_to_be_missing(metric):
    """Every word for a metric finds it, before anything is said to be planned."""
    assert planned(metric.name) is None
