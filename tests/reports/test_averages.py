"""The named averages, on numbers that can be checked on paper, and against nested loops."""

from __future__ import annotations

import copy
import json
import math
import pickle
from fractions import Fraction

import numpy as np
import pytest
from averaging import average
from hypothesis import example, given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.metrics._catalogue import resolve
from dicecli.records.cases import Case
from dicecli.records.counts import Counts, pooled
from dicecli.records.settings import Settings
from dicecli.reports.averages import (
    AVERAGES,
    OVER_REGIONS,
    alone,
    definition,
    exists,
    leading,
    names_of,
    without_pools,
)
from dicecli.reports.intervals import Interval
from dicecli.reports.means import Average, mean, of_one
from dicecli.reports.report import Report
from dicecli.runs.scoring import make_settings, result_of, score_many

dice, iou, precision = (resolve(name).function for name in ("dice", "iou", "precision"))
EMPTY = Counts(tn=10)
SIX = ["macro", "micro", "weighted", "micro-imagewise", "macro-imagewise", "label-mean"]
OF_ONE_CASE = names_of((), several=False)

#: Two cases of two labels. Dice 6/7 and 1, then 0 and 2/5; IoU 3/4 and 1, then 0 and 1/4.
FULL = [
    [Counts(3, 1, 0, 6), Counts(2, 0, 0, 8)],
    [Counts(0, 2, 1, 7), Counts(1, 1, 2, 6)],
]
#: The second label is in neither mask of the second case.
ONE_MISSING = [FULL[0], [Counts(1, 2, 1, 6), EMPTY]]
#: A third label is in no mask at all.
ONE_NOWHERE = [[*case, EMPTY] for case in FULL]
#: No label is in any mask of the second case.
ONE_CASE_EMPTY = [FULL[0], [EMPTY, EMPTY]]


def near(expected):
    return pytest.approx(float(expected), rel=1e-15, abs=0)


def with_policy(metric, undefined):
    return lambda counts: resolve(metric).value(counts, None, undefined)


def test_there_are_six():
    """The six averages have a definition each; the three that differ for one case are among them."""
    assert SIX == [*names_of((), several=True)] == [*AVERAGES]
    assert ("macro", "micro", "weighted") == OF_ONE_CASE
    assert len(SIX) == len({definition(name) for name in AVERAGES})


@pytest.mark.parametrize(
    ("name", "of_dice", "of_iou", "n"),
    [
        # The labels pooled over the cases: (3, 3, 1) and (3, 1, 2).
        ("macro", (Fraction(3, 5) + Fraction(2, 3)) / 2, (Fraction(3, 7) + Fraction(1, 2)) / 2, 2),
        # All of them together: (6, 4, 3).
        ("micro", Fraction(12, 19), Fraction(6, 13), 4),
        # The labels have 4 and 5 pixels in the reference.
        (
            "weighted",
            (4 * Fraction(3, 5) + 5 * Fraction(2, 3)) / 9,
            (4 * Fraction(3, 7) + 5 * Fraction(1, 2)) / 9,
            2,
        ),
        # The cases pooled over the labels: (5, 1, 0) and (1, 3, 3).
        (
            "micro-imagewise",
            (Fraction(10, 11) + Fraction(1, 4)) / 2,
            (Fraction(5, 6) + Fraction(1, 7)) / 2,
            2,
        ),
        # The means of the cases.
        (
            "macro-imagewise",
            (Fraction(13, 14) + Fraction(1, 5)) / 2,
            (Fraction(7, 8) + Fraction(1, 8)) / 2,
            2,
        ),
        # The means of the labels.
        ("label-mean", (Fraction(3, 7) + Fraction(7, 10)) / 2, (Fraction(3, 8) + Fraction(5, 8)) / 2, 2),
    ],
)
def test_everything_defined(name, of_dice, of_iou, n):
    """Where every label is in every case, each average is its definition, and nothing is left out."""
    for metric, expected in ((dice, of_dice), (iou, of_iou)):
        actual = average(name, FULL, metric)
        assert near(expected) == actual.value
        assert (n, 0) == (actual.n, actual.undefined)


@pytest.mark.parametrize(
    ("name", "expected", "n"),
    [
        # The labels pooled over the cases: (4, 3, 1) and (2, 0, 0), with 5 and 2 pixels in the reference.
        ("macro", (Fraction(2, 3) + 1) / 2, 2),
        ("micro", Fraction(3, 4), 4),
        ("weighted", (5 * Fraction(2, 3) + 2) / 7, 2),
        # The cases pooled over the labels: (5, 1, 0) and (1, 2, 1).
        ("micro-imagewise", (Fraction(10, 11) + Fraction(2, 5)) / 2, 2),
        ("macro-imagewise", (Fraction(13, 14) + Fraction(2, 5)) / 2, 2),
        ("label-mean", (Fraction(22, 35) + 1) / 2, 2),
    ],
)
def test_a_label_that_one_case_lacks(name, expected, n):
    """A label that is in neither mask of a case is left out of that case's mean."""
    actual = average(name, ONE_MISSING, dice)
    assert near(expected) == actual.value
    assert n == actual.n


def test_the_six_are_six_numbers():
    """One undefined value is enough to make every average another number."""
    assert len(SIX) == len({average(name, ONE_MISSING, dice).value for name in SIX})


@pytest.mark.parametrize(
    ("name", "undefined"),
    [
        ("macro", 0),
        ("micro", 0),
        ("weighted", 0),
        ("micro-imagewise", 0),
        ("macro-imagewise", 1),
        ("label-mean", 1),
    ],
)
def test_undefined_values_that_were_left_out_are_counted(name, undefined):
    """An average says how many undefined values it left out, also where a mean inside it left them out."""
    assert undefined == average(name, ONE_MISSING, dice).undefined


@pytest.mark.parametrize(
    ("name", "n", "undefined"),
    [("macro", 2, 1), ("micro", 6, 0), ("weighted", 2, 1), ("micro-imagewise", 2, 0)],
)
def test_a_label_in_no_case_is_counted(name, n, undefined):
    """A label that no mask holds is undefined once pooled: left out, counted, and the value is unchanged."""
    actual = average(name, ONE_NOWHERE, dice)
    value = average(name, FULL, dice).value
    assert repr(Average(value, n, undefined, 0, value)) == repr(actual)


@pytest.mark.parametrize("name", ["macro-imagewise", "label-mean"])
def test_a_label_in_no_case_changes_no_mean(name):
    """A label that no mask holds is left out of each case, too."""
    actual = average(name, ONE_NOWHERE, dice)
    assert average(name, FULL, dice).value == actual.value
    assert 2 == actual.n


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("micro-imagewise", Fraction(10, 11)),
        ("macro-imagewise", Fraction(13, 14)),
        ("macro", Fraction(13, 14)),
    ],
)
def test_an_empty_case_is_left_out(name, expected):
    """A case without any label has no value of its own; it lowers no mean."""
    actual = average(name, ONE_CASE_EMPTY, dice)
    assert near(expected) == actual.value
    assert (name != "macro") == (actual.n == 1) == (actual.undefined > 0)


@pytest.mark.parametrize(
    ("name", "zero", "one"),
    [
        ("macro", Fraction(19, 45), (Fraction(19, 15) + 1) / 3),
        ("micro", Fraction(12, 19), Fraction(12, 19)),
        ("weighted", Fraction(86, 135), Fraction(86, 135)),
        ("micro-imagewise", Fraction(51, 88), Fraction(51, 88)),
        ("macro-imagewise", Fraction(79, 210), Fraction(79, 210) + Fraction(1, 3)),
        ("label-mean", Fraction(79, 210), Fraction(79, 210) + Fraction(1, 3)),
    ],
)
def test_a_policy_takes_part_in_the_mean(name, zero, one):
    """Under the policies the value that they put takes part, and nothing is undefined any more."""
    for policy, expected in (("zero", zero), ("one", one)):
        actual = average(name, ONE_NOWHERE, with_policy("dice", policy))
        assert near(expected) == actual.value
        assert 0 == actual.undefined


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("metric", [dice, iou, precision], ids=["dice", "iou", "precision"])
def test_nothing_defined_is_nan(name, metric):
    """Where no value is defined the average is NaN, and never 0."""
    actual = average(name, [[EMPTY, EMPTY]] * 2, metric)
    assert math.isnan(actual.value)
    if name != "micro":
        assert 0 == actual.n
        assert actual.undefined > 0


@pytest.mark.parametrize("name", SIX)
@pytest.mark.parametrize("cases", [[], [[], []]], ids=["no case", "no label"])
def test_nothing_at_all_is_nan(name, cases):
    """Of no case and of no label the average is NaN, too."""
    actual = average(name, cases, dice)
    assert math.isnan(actual.value)
    assert 0 == actual.n


def test_weights_of_nothing_are_nan():
    """Weights by a reference that is empty everywhere give no mean, and not 0."""
    assert math.isnan(average("weighted", [[Counts(0, 3, 0, 7)]], dice).value)


@pytest.mark.parametrize("name", SIX)
def test_a_miss_is_not_undefined(name):
    """A label that only one mask holds has Dice 0, which lowers every average."""
    actual = average(name, [[Counts(5, 0, 0, 5), Counts(0, 0, 5, 5)]], dice)
    assert near(Fraction(10, 15) if name.startswith("micro") else Fraction(1, 2)) == actual.value
    assert 0 == actual.undefined


@pytest.mark.parametrize("case", FULL, ids=["first", "second"])
def test_one_case_has_three_averages(case):
    """Of one case the six are three: by case and by label there is nothing to pool."""
    values = {name: average(name, [case], dice).value for name in SIX}
    assert values["macro"] == values["macro-imagewise"] == values["label-mean"]
    assert values["micro"] == values["micro-imagewise"]


def test_an_average_that_does_not_exist():
    """There is no seventh."""
    with pytest.raises(KeyError):
        average("mean", FULL, dice)


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([1.0, math.nan, 0.0], Average(0.5, 2, 1, 0, 0.5)),
        ([0.1] * 10, Average(0.1, 10, 0, 0, 0.1)),
        ([1e16, 3.0, -1e16], Average(1.0, 3, 0, 0, 1.0)),
        ([0.0], Average(0.0, 1, 0, 0, 0.0)),
    ],
)
def test_mean(values, expected):
    """A mean leaves NaN out and counts it, and its sum is exact."""
    assert repr(expected) == repr(mean(values))
    assert repr(expected) == repr(mean(iter(values)))


@pytest.mark.parametrize(("values", "undefined"), [([], 0), ([math.nan] * 3, 3)], ids=["empty", "all NaN"])
def test_mean_of_nothing(values, undefined):
    """A mean of nothing is NaN, never 0."""
    actual = mean(values)
    assert math.isnan(actual.value)
    assert (0, undefined, 0) == (actual.n, actual.undefined, actual.infinite)
    assert math.isnan(actual.finite)


def test_pooling_adds():
    """Counts are pooled number by number; of none they are 0."""
    assert Counts(3, 3, 1, 13) == pooled([FULL[0][0], FULL[1][0]])
    assert Counts(0, 0, 0, 0) == pooled([])


# --- In a report --------------------------------------------------------------------------------------------

REFERENCE, PREDICTION = np.array([0, 0, 0, 1, 1, 2]), np.array([0, 1, 0, 1, 1, 0])


def test_background_is_left_out_of_means_only():
    """Without the background in the mean its pixels still are the others' false positives."""
    report = dicecli.score(PREDICTION, REFERENCE)
    assert (1, 2) == report.labels
    assert near(Fraction(4, 5) / 2) == report.averages["macro"]["dice"].value
    assert near(Fraction(4, 6)) == report.averages["micro"]["dice"].value
    ignored = dicecli.score(PREDICTION, REFERENCE, ignore_label=0)
    assert near(Fraction(1, 2)) == ignored.averages["macro"]["dice"].value


def test_background_is_included_when_asked_for():
    """With the background included it is a label like any other."""
    report = dicecli.score(PREDICTION, REFERENCE, include_background=True)
    assert (0, 1, 2) == report.labels
    assert near((Fraction(4, 6) + Fraction(4, 5)) / 3) == report.averages["macro"]["dice"].value
    assert near(Fraction(4, 6)) == report.averages["micro"]["dice"].value


def test_a_run_has_all_six_and_a_case_three():
    """A report of several cases has the six averages, and that of one case those three that differ."""
    cases = [Case("a", PREDICTION, REFERENCE), Case("b", REFERENCE, REFERENCE)]
    report = score_many(cases, make_settings())
    assert set(SIX) == set(report.averages)
    assert set(OF_ONE_CASE) == set(score_many(cases[:1], make_settings()).averages)
    assert [set(OF_ONE_CASE)] * 2 == [set(case.averages) for case in report.cases()]


def test_labels_of_a_run_are_those_of_any_mask():
    """A label that one case lacks in both masks is evaluated there too: undefined, and left out."""
    cases = [Case("a", PREDICTION, REFERENCE), Case("b", np.array([1]), np.array([1]))]
    report = score_many(cases, make_settings())
    assert (1, 2) == report.labels
    _, second = report.cases()
    assert Counts(0, 0, 0, 1) == second.labels[1].counts
    assert math.isnan(second.labels[1].values["dice"])
    assert repr(Average(1.0, 1, 1, 0, 1.0)) == repr(second.averages["macro"]["dice"])


def test_a_failed_case_is_a_row():
    """A case that cannot be scored stays in the report, and the averages are those of the others."""
    cases = [Case("a", PREDICTION, REFERENCE), Case("b", PREDICTION[:3], REFERENCE)]
    report = score_many(cases, make_settings())
    assert [("b", "ShapeMismatch")] == [(each.case.name, each.error) for each in report.failed]
    assert ["a", "b"] == [each.case.name for each in report.results]
    assert near(Fraction(4, 5) / 2) == report.averages["macro"]["dice"].value
    assert set(SIX) == set(report.averages)


# --- Over labels and over regions, against nested loops ---------------------------------------------------------

#: Each average over labels, and the one that is the same over regions.
BOTH = {
    "macro": "macro-regions",
    "micro": "micro-regions",
    "weighted": "weighted-regions",
    "micro-imagewise": "micro-imagewise-regions",
    "macro-imagewise": "macro-imagewise-regions",
    "label-mean": "region-mean",
}
MEMBERS = {"whole": [1, 2, 3], "core": [1, 3], "rest": [3]}
FORMULAS = {
    "dice": lambda tp, fp, fn: (2 * tp, 2 * tp + fp + fn),
    "iou": lambda tp, fp, fn: (tp, tp + fp + fn),
    "recall": lambda tp, _, fn: (tp, tp + fn),
    "fdr": lambda tp, fp, _: (fp, tp + fp),
}


def counted(prediction, reference, members):
    """Count one label or region of one case, pixel by pixel."""
    tp = fp = fn = 0
    for p, r in zip(prediction, reference, strict=True):
        tp += p in members and r in members
        fp += p in members and r not in members
        fn += p not in members and r in members
    return tp, fp, fn


def fraction(metric, counts):
    above, below = FORMULAS[metric](*counts)
    return Fraction(above, below) if below else None


def added(many):
    return tuple(map(sum, zip(*many, strict=True))) or (0, 0, 0)


def mean_of(values, weights=None):
    """Return the mean of the values that are defined, how many these are, and how many are not."""
    every = list(values)
    pairs = [
        (value, weight)
        for value, weight in zip(every, weights or [1] * len(every), strict=True)
        if value is not None
    ]
    total = sum(weight for _, weight in pairs)
    found = sum(value * weight for value, weight in pairs) / Fraction(total) if total else None
    return found, len(pairs) if total else 0, len(every) - len(pairs) if total else len(every)


def by_hand(name, table, metric):
    """Compute an average from (tp, fp, fn) by case and row, in nested loops and exact fractions."""
    rows = range(len(table[0]))
    pooled_rows = [added([case[row] for case in table]) for row in rows]
    if name == "macro":
        return mean_of(fraction(metric, each) for each in pooled_rows)
    if name == "weighted":
        sizes = [tp + fn for tp, _, fn in pooled_rows]
        return mean_of([fraction(metric, each) for each in pooled_rows], sizes)
    if name == "micro":
        value, n = fraction(metric, added(pooled_rows)), len(table) * len(rows)
        return (value, n, 0) if value is not None else (None, 0, n)
    if name == "micro-imagewise":
        return mean_of(fraction(metric, added(case)) for case in table)
    turned = table if name == "macro-imagewise" else [[case[row] for case in table] for row in rows]
    inner = [mean_of(fraction(metric, each) for each in line) for line in turned]
    value, n, _ = mean_of(value for value, _, _ in inner)
    return value, n, sum(undefined for _, _, undefined in inner)


masks = st.lists(
    st.tuples(*[st.lists(st.sampled_from([0, 0, 1, 2, 3]), min_size=6, max_size=6)] * 2),
    min_size=1,
    max_size=4,
)


@settings(max_examples=60)
@given(masks)
@example([([0] * 6, [0] * 6)] * 2)
@example([([1] * 6, [0] * 6), ([0] * 6, [0] * 6)])
def test_every_average_of_a_report_is_its_definition(pairs):
    """Over labels and, apart, over regions: value, n, and how many undefined values were left out."""
    cases = [Case(str(at), np.array(p), np.array(r)) for at, (p, r) in enumerate(pairs)]
    labels = {"labels": {"1": "a", "2": "b", "3": "c"}, "regions": MEMBERS}
    options = make_settings(labels=labels, metrics=[*FORMULAS])
    run = Report([result_of(case, options) for case in cases], options, is_batch=True)
    assert {*BOTH, *BOTH.values()} == {*run.averages}
    over_labels = [[counted(p, r, (label,)) for label in (1, 2, 3)] for p, r in pairs]
    over_regions = [[counted(p, r, members) for members in MEMBERS.values()] for p, r in pairs]
    for name, same in BOTH.items():
        for found, table in ((run.averages[name], over_labels), (run.averages[same], over_regions)):
            for metric, actual in found.items():
                value, n, undefined = by_hand(name, table, metric)
                expected = math.nan if value is None else float(value)
                assert expected == pytest.approx(actual.value, rel=1e-14, nan_ok=True)
                assert (n, undefined, 0) == (actual.n, actual.undefined, actual.infinite)
                assert actual.finite == pytest.approx(actual.value, rel=0, nan_ok=True)


def test_region_mean_is_foreground_mean_of_nnunet():
    """nnU-Net: per region the mean over its defined cases, then their mean; macro-regions pools first."""
    prediction = [np.array([1, 1, 2, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 0])]
    reference = [np.array([1, 2, 2, 0, 0, 0]), np.array([0, 0, 0, 0, 0, 2])]
    labels = {"labels": {"background": 0, "whole": [1, 2], "core": [2]}, "regions_class_order": [1, 2]}
    run = score_many(
        [Case(str(at), *pair) for at, pair in enumerate(zip(prediction, reference, strict=True))],
        make_settings(labels=labels),
    )
    # nnU-Net's own: metric_per_case, np.nanmean over cases by region, np.mean over regions.
    per_case = [[1.0, 2 / 3], [0.0, 0.0]]
    foreground_mean = np.mean([np.nanmean([case[row] for case in per_case]) for row in range(2)])
    assert run.averages["region-mean"]["dice"].value == pytest.approx(foreground_mean, rel=1e-15)
    # Pooled: whole (3, 0, 1), core (1, 0, 2).
    assert run.averages["macro-regions"]["dice"].value == pytest.approx((6 / 7 + 1 / 2) / 2, rel=1e-15)
    assert run.look_up("dice@region-mean").value == run.averages["region-mean"]["dice"].value


# --- The table itself -----------------------------------------------------------------------------------------


def test_the_names_of_the_table():
    """Those of conventions.md, and over regions each its own; none is of both."""
    assert BOTH == {name: each.over_regions for name, each in AVERAGES.items()}
    assert {same: name for name, same in BOTH.items()} == OVER_REGIONS
    assert not {*AVERAGES} & {*OVER_REGIONS}
    assert ("macro-imagewise", "label-mean") == without_pools()


@pytest.mark.parametrize("reads", ["labels", "probabilities"])
def test_every_definition_is_said_in_words_of_what_it_is_over(reads):
    """Of masks counts are pooled to a ratio, of maps sums to a score; over regions nothing is said of labels."""
    word = {"labels": "counts", "probabilities": "sums"}[reads]
    for name, same in BOTH.items():
        text, over_regions = definition(name, reads), definition(same, reads)
        assert "{" not in text
        assert ("pool the" in text) == (f"pool the {word}" in text)
        assert "label" not in over_regions
        assert text == over_regions.replace("region", "label")
    assert 12 == len({definition(name, reads) for name in (*BOTH, *BOTH.values())})


def test_what_leads_is_chosen_where_it_exists():
    """A metric that does not pool has means of values alone: label-mean leads, or what was chosen of those."""
    pooling, other = resolve("dice"), resolve("centre_distance")
    for name, each in AVERAGES.items():
        assert name == leading(pooling, name)
        assert (name if not each.pools else "label-mean") == leading(other, name)
        for over in (name, each.over_regions):
            assert exists(over, pooling)
            assert exists(over, other) == (not each.pools)
            assert not exists(over, resolve("volume_reference_mm3"))


def test_of_one_case_each_average_means_one_that_is_there():
    """By case and by label there is nothing to pool: each is macro, micro or weighted, as the table says."""
    dice_metric, other = resolve("dice"), resolve("centre_distance")
    for name, over_regions in BOTH.items():
        same = "weighted" if name == "weighted" else "micro" if name.startswith("micro") else "macro"
        assert same == alone(name, dice_metric)
        assert BOTH[same] == alone(over_regions, dice_metric)
        for each in (name, over_regions) if not AVERAGES[name].pools else ():
            assert exists(alone(each, other), other)


def test_the_setting_can_name_every_average_over_labels():
    """--average takes the names of the table, and Settings lead with macro where none is given."""
    assert "macro" == Settings().average
    for name in AVERAGES:
        assert name == make_settings(average=name).average


def test_weights_of_nothing_leave_a_region_out():
    """A region that no reference holds has no weight, and takes no part in weighted; in macro it is Dice 0."""
    cases = [Case("a", np.array([3, 1, 1, 0]), np.array([0, 1, 0, 0]))]
    run = score_many(cases, make_settings(regions={"found": [1], "invented": [3]}, metrics="dice"))
    assert run.averages["weighted-regions"]["dice"].value == near(Fraction(2, 3))
    assert run.averages["macro-regions"]["dice"].value == near(Fraction(1, 3))
    empty = score_many(
        [Case("a", np.array([3, 3]), np.array([0, 0]))], make_settings(regions={"invented": [3]})
    )
    assert math.isnan(empty.averages["weighted-regions"]["dice"].value)
    assert 0 == empty.averages["weighted-regions"]["dice"].n


def test_an_average_is_its_number():
    """Whatever computes with averages, writes or copies them has the number; what went in stays with copies."""
    one, other = mean([0.5, math.nan, 1.0]), mean([0.25])
    assert (0.5, 1.0, 75.0, 0.75) == (np.mean([one, other]), one + other, one * 100, round(one, 3))
    assert "[0.75, 0.25] 0.75 0.7500" == f"{json.dumps([one, other])} {one} {one:.4f}"
    assert {0.75} == {one}
    assert one > other
    assert type(one.value) is float
    assert repr(one) == repr(copy.deepcopy(one)) == repr(pickle.loads(pickle.dumps(one)))  # noqa: S301 - own bytes
    assert (2, 1) == (one.n, one.undefined)
    with pytest.raises(AttributeError, match="its n is"):
        one.n = 3
    with pytest.raises(TypeError):
        Interval(0.1, 0.2) * 100


def test_a_number_that_is_no_mean_is_its_own_finite_mean():
    """Of all labels at once, and of one pooled, the finite mean is the value; where that is infinite it is none."""
    report = dicecli.score([[0, 1]], [[0, 1]], metrics=["overall_accuracy", "dice"])
    for name in ("overall_accuracy", "dice[1]"):
        assert (1.0, 1.0, 0) == (
            report.look_up(name),
            report.look_up(name).finite,
            report.look_up(name).infinite,
        )
    assert (1, "nan") == (of_one(math.inf, 3).infinite, str(of_one(math.inf, 3).finite))
