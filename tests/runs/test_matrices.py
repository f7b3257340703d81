"""A report of a confusion matrix: the numbers that the masks themselves have, and nothing that they alone can say."""

from __future__ import annotations

import functools
import operator

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dicecli
from dicecli.errors import UnknownLabel, UsageError
from dicecli.records.labels import NO_LABEL

masks = hnp.arrays(np.int16, (2, 12), elements=st.integers(0, 4))
OPTIONS = st.fixed_dictionaries(
    {},
    optional={
        "ignore_label": st.sampled_from([3, [0, 2]]),
        "regions": st.just({"both": [1, 2]}),
        "include_background": st.booleans(),
        "undefined": st.sampled_from(["zero", "one"]),
        "labels": st.just({label: f"l{label}" for label in range(5)}),
        "metrics": st.just("dice,iou,overall_kappa"),
        "average": st.just("micro"),
    },
)


@settings(max_examples=30)
@given(masks, OPTIONS)
def test_it_has_the_numbers_of_the_masks(pair, options):
    """Of every option: each row, average and overall number is that of the masks, and so what is left out."""
    prediction, reference = pair
    expected = dicecli.score(prediction, reference, **options).to_dict()
    matrix = dicecli.ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    found = dicecli.from_matrix(matrix, **options).to_dict()
    assert expected["settings"] == found["settings"]
    for name in (
        "labels",
        "not_averaged",
        "averages",
        "undefined",
        "overall",
        "counted",
        "excluded",
        "measured",
    ):
        assert expected["cases"][0][name] == found["cases"][0][name], name


def test_arrays_and_counts_are_matrices():
    """An array has a row for each label of the reference, as scikit-learn has it; of counts label 1 is inside."""
    expected = dicecli.score(np.array([0, 1, 1, 1]), np.array([0, 0, 1, 1]))
    for given_ in ([[1, 1], [0, 2]], np.array([[1, 1], [0, 2]], np.uint8), dicecli.Counts(2, 1, 0, 1)):
        report = dicecli.from_matrix(given_)
        assert report[1].counts == expected[1].counts == dicecli.Counts(2, 1, 0, 1)
        assert report.dice == expected.dice


@pytest.mark.parametrize(
    "given_",
    [
        np.array([[2**63, 1], [1, 2**63]], np.uint64),
        [[2**61] * 2] * 2,
        np.array([[5, 2**63], [1, 7]], np.uint64),
        [[2**90, 3], [0, 2**64 - 1]],
    ],
)
def test_numbers_of_any_size_are_exact(given_):
    """As in files of results: counts and scores of Python's integers, whatever is left out or renamed."""
    ((tn, fp), (fn, tp)) = [[int(n) for n in row] for row in given_]
    report = dicecli.from_matrix(given_)
    assert report[1].counts == dicecli.Counts(tp, fp, fn, tn)
    assert report.dice.value == 2 * tp / (2 * tp + fp + fn)
    assert report.overall["overall_accuracy"] == (tp + tn) / (tp + tn + fp + fn)
    assert report.confusion.table.tolist() == [[tn, fp], [fn, tp]]
    left = dicecli.from_matrix(given_, ignore_label=0)
    assert left.overall["overall_accuracy"] == tp / (tp + fn)
    one = dicecli.ConfusionMatrix.from_arrays(prediction=[0, 5], reference=[0, 1])
    assert (one + report.confusion).total == tp + tn + fp + fn + 2


@pytest.mark.parametrize(
    "given_",
    [
        3,
        [[1, 2], [3]],
        np.array([[1, "2"], [3, 4]], object),
        [[1, 2]],
        [[0.5, 1], [2, 3]],
        [[-1, 1], [2, 3]],
        "cm.csv",
        None,
        [[[1]]],
    ],
)
def test_what_is_no_matrix_is_refused(given_):
    """The error says what was given and what is expected."""
    with pytest.raises(UsageError, match="a row for each label of the reference") as caught:
        dicecli.from_matrix(given_)
    assert "square array" in caught.value.hint


def test_labels_that_are_not_declared_are_refused():
    """As those of masks are; the words of other libraries are told."""
    with pytest.raises(UnknownLabel, match="label 2"):
        dicecli.from_matrix(np.eye(3, dtype=int), labels={0: "a", 1: "b"})
    with pytest.raises(UsageError) as caught:
        dicecli.from_matrix([[1]], class_names=["a"])
    assert caught.value.hint.startswith("Here it is labels=")
    assert "settings" not in caught.value.hint


def test_one_label_is_a_region_as_of_masks():
    """Whatever takes several labels takes one of them alone, and the origin says it as it is."""
    found = dicecli.from_matrix([[1, 2], [3, 4]], regions={"all": 1})
    assert found["all"].counts == found[1].counts
    masks_ = np.array([[0, 1], [1, 1]])
    assert dicecli.score(masks_, masks_, regions={"all": 1})["all"].dice == 1


def test_what_only_masks_have_is_said_to_be_missing():
    """Boundaries cannot be had of a matrix; every metric is every one of counts."""
    with pytest.raises(UsageError, match="hd95 is measured of masks"):
        dicecli.from_matrix([[1, 2], [3, 4]], metrics="hd95")
    report = dicecli.from_matrix([[1, 2], [3, 4]], metrics="all")
    assert (report.iou, "hd95" in report.settings.metrics) == (4 / 9, False)


@given(st.lists(masks, max_size=4))
def test_matrices_add_up_with_sum(pairs):
    """From nothing on, in any grouping; to another number than 0 nothing is added."""
    matrices = [dicecli.ConfusionMatrix.from_arrays(prediction=p, reference=r) for p, r in pairs]
    expected = functools.reduce(operator.add, matrices, dicecli.ConfusionMatrix.empty())
    assert sum(matrices, dicecli.ConfusionMatrix.empty()) == expected
    assert not matrices or sum(matrices) == expected
    with pytest.raises(TypeError):
        1 + expected


def test_a_matrix_shows_itself():
    """In a line, and as a table in a notebook, whatever is in it."""
    matrix = dicecli.ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
    assert repr(matrix) == "<dicecli.ConfusionMatrix: 2 labels, 4 pixels, 75.0% alike>"
    assert matrix._repr_html_().count("<td>") == 4
    left = dicecli.ConfusionMatrix.from_arrays(prediction=[0, 5, 1], reference=[0, 0, 5], ignore_label=5)
    assert NO_LABEL in left.labels
    assert "<th>none</th>" in left._repr_html_()
    assert str(NO_LABEL) not in repr(left) + left._repr_html_()
    assert (
        repr(dicecli.ConfusionMatrix.empty()) == "<dicecli.ConfusionMatrix: 0 labels, 0 pixels, nan% alike>"
    )
    many = dicecli.ConfusionMatrix.from_arrays(prediction=np.arange(50), reference=np.arange(50))
    assert many._repr_html_() is None
