"""Each note on one case, whole, on counts small enough to check on paper; and no note where nothing misleads."""

from __future__ import annotations

import pytest
from make import measured

from dicecli.records.cases import Case, Scored
from dicecli.records.counts import Counts
from dicecli.records.measurements import Row
from dicecli.records.settings import Settings
from dicecli.reports.advice import advice
from dicecli.reports.rows import RowValues

NO_LABEL_IN_COMMON = "the masks have no label in common: do they use the same numbers for the same classes?"
EMPTY = Counts(tn=100)


def advised(labels, undefined="skip", metrics=None):
    """Return the notes on a case of these labels: counts by name, or by number where there is no name."""
    rows = tuple(
        RowValues(Row("label", key) if isinstance(key, int) else Row("label", 9, key), counts, {}, {})
        for key, counts in labels.items()
    )
    result = Scored(Case("a", "p", "r"), (10, 10), None, None, {}, 100, {}, measured({}))
    return advice(result, rows, Settings(undefined=undefined, metrics=metrics))


def test_labels_that_agree_well_need_no_note():
    """Two labels of Dice 8/9 and 6/7, as large as each other, are left without comment."""
    assert advised({1: Counts(40, 5, 5, 50), 2: Counts(30, 5, 5, 60)}) == []


# Labels that one mask has alone.


def test_masks_without_a_label_in_common_are_named_first():
    """One label in the reference alone and another in the prediction alone: other numbers, perhaps."""
    assert advised({1: Counts(fn=30, tn=70), 2: Counts(fp=30, tn=70)}) == [
        NO_LABEL_IN_COMMON,
        "only in the reference, so Dice is 0: label 1",
        "only in the prediction, so Dice is 0: label 2",
    ]


@pytest.mark.parametrize(("error", "side"), [("fn", "reference"), ("fp", "prediction")])
def test_labels_of_one_mask_alone_are_not_called_renumbered(error, side):
    """Where one mask is empty no numbers can differ: the labels of the other are listed, nothing else."""
    labels = {"liver": Counts(**{error: 30}, tn=70), "spleen": Counts(**{error: 40}, tn=60)}
    assert advised(labels) == [f"only in the {side}, so Dice is 0: liver, spleen"]


def test_one_label_in_common_is_enough():
    """A label that both masks hold says that the numbers are the same; the others are listed all the same."""
    labels = {1: Counts(30, 10, 10, 50), 2: Counts(fn=10, tn=90), 3: Counts(fp=10, tn=90)}
    assert NO_LABEL_IN_COMMON not in advised(labels)
    assert "only in the reference, so Dice is 0: label 2" in advised(labels)
    assert "only in the prediction, so Dice is 0: label 3" in advised(labels)


@pytest.mark.parametrize("labels", [{}, {1: EMPTY}, {1: EMPTY, 2: EMPTY}], ids=len)
def test_nothing_in_either_mask(labels):
    """Where neither mask holds an evaluated label one note says so, and none lists the labels."""
    assert advised(labels) == ["neither mask holds an evaluated label: overlap is undefined"]


def test_five_labels_are_named_and_more_are_counted():
    """A list of labels names five at most, and says how many more there are."""
    missed = {name: Counts(fn=30, tn=70) for name in "abcdefg"}
    assert advised(missed) == ["only in the reference, so Dice is 0: a, b, c, d, e and 2 more"]
    del missed["f"], missed["g"]
    assert advised(missed) == ["only in the reference, so Dice is 0: a, b, c, d, e"]


# Accuracy of a rare label.


def test_accuracy_of_a_rare_label_is_explained():
    """4 pixels of 100, of which one is found: accuracy 96/100, Dice 2/6."""
    assert advised({"spleen": Counts(1, 1, 3, 95)}) == [
        "spleen: accuracy is 0.9600 only because 4.00% of the pixels have the label; its Dice is 0.3333"
    ]


def test_accuracy_is_not_explained_where_nobody_asked_for_it():
    """With -m, the note stands beside accuracy, whatever else is asked for, and not without it."""
    counts = {"spleen": Counts(1, 1, 3, 95)}
    for metrics, expected in [(("dice",), 0), (("hd95", "recall"), 0), (("dice", "overall_accuracy"), 1)]:
        assert len(advised(counts, metrics=metrics)) == expected


def test_the_averages_of_distances_carry_nothing():
    """What is said of micro and macro averages is said of metrics that have both."""
    counts = {"first": Counts(900, 20, 20, 60), "second": Counts(5, 45, 45, 905)}
    assert [len(advised(counts, metrics=each)) for each in [None, ("iou",), ("hd95",)]] == [1, 1, 0]


def test_the_limits_of_a_misleading_accuracy_belong_to_it():
    """Accuracy 190/200, Dice 10/20 and a share of 10/200 are each at their limit, and are noted."""
    assert advised({1: Counts(5, 5, 5, 185)}) == [
        "label 1: accuracy is 0.9500 only because 5.00% of the pixels have the label; its Dice is 0.5000"
    ]


@pytest.mark.parametrize(
    "counts",
    [Counts(5, 6, 5, 184), Counts(5, 4, 5, 186), Counts(5, 4, 6, 185)],
    ids=["accuracy 189/200", "Dice 10/19", "share 11/200"],
)
def test_beyond_any_of_the_limits_accuracy_is_not_explained(counts):
    """One pixel beyond the limit of accuracy, of Dice or of the share is enough for no note."""
    assert advised({1: counts}) == []


def test_a_label_that_the_reference_lacks_is_not_called_rare():
    """A label that is only predicted has that note alone."""
    assert advised({1: Counts(fp=3, tn=97)}) == ["only in the prediction, so Dice is 0: label 1"]


def test_of_several_rare_labels_the_largest_of_the_reference_stands_for_all():
    """The second has 4 pixels in the reference, the first 3 and more in the prediction."""
    labels = {"first": Counts(1, 9, 2, 988), "second": Counts(1, 0, 3, 996), "third": Counts(1, 2, 1, 996)}
    assert advised(labels) == [
        "second: accuracy is 0.9970 only because 0.40% of the pixels have the label; its Dice is 0.4000 "
        "(likewise 2 more)"
    ]


@pytest.mark.parametrize(
    ("total", "accuracy", "share"),
    [
        (10_000, "0.9999", "0.01%"),
        (12_500, "0.9999", "less than 0.01%"),
        (20_000, "above 0.9999", "less than 0.01%"),
        (10**9, "above 0.9999", "less than 0.01%"),
    ],
)
def test_no_share_is_rounded_to_nothing_and_no_accuracy_to_one(total, accuracy, share):
    """One pixel missed of very many: accuracy is never written as 1, nor the share as 0.00%."""
    (_, note) = advised({1: Counts(fn=1, tn=total - 1)})
    assert note == (
        f"label 1: accuracy is {accuracy} only because {share} of the pixels have the label; "
        "its Dice is 0.0000"
    )


# A label that carries the micro average.


def test_a_large_label_that_carries_the_micro_average():
    """Dice 4/14 and 160/170: micro is 164/184, macro 0.6134, and the liver has 85 of 93 pixels."""
    assert advised({"tumour": Counts(2, 4, 6, 88), "liver": Counts(80, 5, 5, 10)}) == [
        "micro Dice is 0.8913 but macro 0.6134: liver alone has 91% of the labelled reference and carries "
        "the micro average"
    ]


def test_a_large_label_can_carry_it_down():
    """Dice 1/3 and 18/20: micro is 58/140, below macro."""
    assert advised({"good": Counts(9, 1, 1, 89), "poor": Counts(20, 40, 40, 0)}) == [
        "micro Dice is 0.4143 but macro 0.6167: poor alone has 86% of the labelled reference and carries "
        "the micro average"
    ]


def test_the_largest_label_is_that_of_the_reference():
    """The second label has 12 of 22 pixels of the prediction, but the first 60 of 70 of the reference.

    Dice 20/70 and 18/22: micro is 38/92.
    """
    assert advised({"first": Counts(10, 0, 50, 40), "second": Counts(9, 3, 1, 87)}) == [
        "micro Dice is 0.4130 but macro 0.5519: first alone has 86% of the labelled reference and carries "
        "the micro average"
    ]


@pytest.mark.parametrize(
    ("small", "is_noted"),
    [(Counts(20, 10, 10, 960), True), (Counts(7, 3, 3, 987), False)],
    ids=["0.103 apart", "0.096 apart"],
)
def test_averages_close_to_each_other_need_no_reason(small, is_noted):
    """Beside Dice 900/1000, Dice 40/60 takes macro 0.103 from micro, and Dice 14/20 0.096: 0.1 is the limit."""
    expected = [
        "micro Dice is 0.8868 but macro 0.7833: large alone has 94% of the labelled reference and carries "
        "the micro average"
    ]
    assert advised({"large": Counts(450, 50, 50, 450), "small": small}) == (expected if is_noted else [])


def test_a_label_carries_from_half_of_the_reference_on():
    """50 of 100 pixels carry the average, 50 of 101 do not; micro is 110/200, macro 1.3/3."""
    labels = {"large": Counts(45, 5, 5, 145), "b": Counts(5, 20, 20, 155), "c": Counts(5, 20, 20, 155)}
    assert advised(labels) == [
        "micro Dice is 0.5500 but macro 0.4333: large alone has 50% of the labelled reference and carries "
        "the micro average"
    ]
    assert advised({**labels, "c": Counts(5, 20, 21, 154)}) == []


# Labels that neither mask has.


@pytest.mark.parametrize(
    ("undefined", "what"),
    [("skip", "left out of the means"), ("zero", "taken as zero"), ("one", "taken as one")],
)
def test_labels_in_neither_mask_are_listed_with_what_they_count_as(undefined, what):
    """Labels that neither mask has are listed, with what their undefined values are taken for."""
    labels = {"liver": Counts(40, 5, 5, 50), "cyst": EMPTY, "clip": EMPTY}
    assert advised(labels, undefined) == [f"in neither mask, so undefined and {what}: cyst, clip"]


def test_all_notes_in_their_order():
    """Labels of one mask alone, then the rare one, the one that carries micro, and those that are nowhere.

    Micro Dice is 1602/1781; macro has four labels, (1600/1640 + 2/21) / 4, the fifth being undefined.
    """
    labels = {
        "clip": Counts(tn=1000),
        "liver": Counts(800, 20, 20, 160),
        "vessel": Counts(1, 10, 9, 980),
        "cyst": Counts(fn=60, tn=940),
        "stent": Counts(fp=60, tn=940),
    }
    assert advised(labels) == [
        "only in the reference, so Dice is 0: cyst",
        "only in the prediction, so Dice is 0: stent",
        "vessel: accuracy is 0.9810 only because 1.00% of the pixels have the label; its Dice is 0.0952",
        "micro Dice is 0.8995 but macro 0.2677: liver alone has 92% of the labelled reference and carries "
        "the micro average",
        "in neither mask, so undefined and left out of the means: clip",
    ]
