"""Random masks against plain Python loops, and against scikit-learn."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
import sklearn.metrics

import dicecli
from dicecli.errors import TooManyLabels
from dicecli.metrics._catalogue import resolve
from dicecli.plugins import load
from dicecli.records.cases import Case
from dicecli.records.counts import Counts
from dicecli.runs.scoring import make_settings, score_many
from dicecli.statistics._confusion import MAX_LABELS, ConfusionMatrix

NAN = math.nan


def near(expected):
    return pytest.approx(expected, rel=0, abs=1e-12, nan_ok=True)


def dense(numbers, shape, labels):
    """Every label equally often, and a prediction that is right on most pixels."""
    reference = numbers.integers(0, labels, shape)
    return reference, np.where(numbers.random(shape) < 0.7, reference, numbers.integers(0, labels, shape))


def sparse(numbers, shape, labels):
    """Mostly background; labels far apart and on few pixels, some of them in one mask only."""
    masks = []
    for _ in range(2):
        held = numbers.integers(0, labels, shape)
        masks.append(np.where(numbers.random(shape) < 0.1, held, 0))
    return tuple(masks)


#: Seed, shape, number of labels, type, and how the labels are spread over the type's range.
CASES = [
    (1, (1,), 1, "uint8", dense, 1),
    (2, (50,), 2, "uint8", dense, 1),
    (3, (997,), 2, "uint8", sparse, 255),
    (4, (31, 17), 5, "uint8", dense, 1),
    (5, (64, 40), 256, "uint8", sparse, 1),
    (6, (20, 30), 20, "int16", dense, -37),
    (7, (8, 9, 10), 7, "uint16", dense, 1000),
    (8, (12, 11, 10), 300, "uint16", dense, 200),
    (9, (9, 8, 7), 40, "int32", sparse, 1_000_003),
    (10, (6, 5, 4, 3), 300, "int32", dense, -5),
    (11, (4, 5, 6, 7), 12, "int64", dense, 10**12),
    (12, (3, 4, 5, 6), 300, "int64", sparse, -(10**15)),
]


@pytest.fixture(
    scope="module", params=CASES, ids=lambda case: f"{case[4].__name__}-{case[3]}-{case[2]}-{case[0]}"
)
def pair(request):
    """Make a reference and a prediction from a seed."""
    seed, shape, labels, dtype, kind, step = request.param
    masks = kind(np.random.default_rng(seed), shape, labels)
    return tuple((mask * step).astype(dtype) for mask in masks)


def joint(pair):
    """Count the pairs of labels in a loop."""
    table = {}
    for reference, prediction in zip(*(mask.ravel().tolist() for mask in pair), strict=True):
        table[reference, prediction] = table.get((reference, prediction), 0) + 1
    return table


def loop_counts(table, label):
    """Count one label from the joint table, pair by pair."""
    tp = fp = fn = tn = 0
    for (reference, prediction), n in table.items():
        if reference == label and prediction == label:
            tp += n
        elif prediction == label:
            fp += n
        elif reference == label:
            fn += n
        else:
            tn += n
    return tp, fp, fn, tn


def divided(above, below):
    return above / below if below else NAN


def formulas(tp, fp, fn, tn):
    """Give the overlap and agreement metrics of four counts, in the words of a textbook."""
    total = tp + fp + fn + tn
    recall, specificity = divided(tp, tp + fn), divided(tn, tn + fp)
    chance = divided((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp), total**2)
    agreement = divided(tp + tn, total)
    margins = [tp + fp, tp + fn, tn + fp, tn + fn]
    return {
        "dice": divided(2 * tp, 2 * tp + fp + fn),
        "f1": divided(2 * tp, 2 * tp + fp + fn),
        "iou": divided(tp, tp + fp + fn),
        "precision": divided(tp, tp + fp),
        "recall": recall,
        "specificity": specificity,
        "npv": divided(tn, tn + fn),
        "fpr": 1 - specificity,
        "fnr": 1 - recall,
        "fdr": 1 - divided(tp, tp + fp),
        "prevalence": divided(tp + fn, total),
        "accuracy": agreement,
        "balanced_accuracy": (recall + specificity) / 2,
        "kappa": divided(agreement - chance, 1 - chance),
        "mcc": divided(tp * tn - fp * fn, math.prod(math.sqrt(margin) for margin in margins)),
        "volume_similarity": 1 - divided(abs(fn - fp), 2 * tp + fp + fn),
        "relative_volume_difference": divided((tp + fp) - (tp + fn), tp + fn),
        "relative_volume_error": divided(abs((tp + fp) - (tp + fn)), tp + fn),
    }


def test_matrix_is_that_of_loops(pair):
    """The matrix holds what a loop over the pixels counts, over the sorted labels of both masks."""
    reference, prediction = pair
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    table = joint(pair)
    labels = sorted({label for both in table for label in both})
    assert tuple(labels) == matrix.labels
    assert [[table.get((r, p), 0) for p in labels] for r in labels] == matrix.table.tolist()


@pytest.mark.filterwarnings("ignore:A single label was found")  # scikit-learn's, on the pair of one label
def test_matrix_is_scikit_learns(pair):
    """The matrix is scikit-learn's, with the reference in the rows."""
    reference, prediction = pair
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    expected = sklearn.metrics.confusion_matrix(reference.ravel(), prediction.ravel(), labels=matrix.labels)
    assert expected.tolist() == matrix.table.tolist()


def test_metrics_are_those_of_loops(pair):
    """Every overlap and agreement metric of every label is the textbook's, from counts of a loop."""
    reference, prediction = pair
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)
    table = joint(pair)
    for label in matrix.labels:
        counts = loop_counts(table, label)
        assert Counts(*counts) == matrix.counts(label)
        for name, expected in formulas(*counts).items():
            assert near(expected) == resolve(name).value(Counts(*counts)), (label, name)


@pytest.fixture(scope="module")
def scored(pair):
    """Score a pair with every label included and declared, so that no value is read as anything else."""
    labels = {"labels": {str(label): f"class {label}" for label in np.union1d(*pair).tolist()}}
    report = dicecli.score(pair[1], pair[0], labels=labels, include_background=True)
    (case,) = report.cases()
    flat = [mask.ravel().astype(np.int64) for mask in pair]
    return flat, list(report.labels), report, case


def test_labels_are_scikit_learns(scored):
    """Per label, F1, IoU, precision and recall are scikit-learn's."""
    (true, predicted), labels, _, case = scored
    options = {"labels": labels, "average": None}
    undefined = {"zero_division": NAN}
    expected = {
        "f1": sklearn.metrics.f1_score(true, predicted, **options, **undefined),
        "dice": sklearn.metrics.f1_score(true, predicted, **options, **undefined),
        "precision": sklearn.metrics.precision_score(true, predicted, **options, **undefined),
        "recall": sklearn.metrics.recall_score(true, predicted, **options, **undefined),
        # No label here is in neither mask, so IoU is never undefined.
        "iou": sklearn.metrics.jaccard_score(true, predicted, **options, zero_division=1),
    }
    for name, values in expected.items():
        assert near(values.tolist()) == [row.values[name] for row in case.labels], name


def test_labels_against_the_rest_are_scikit_learns(scored):
    """Accuracy, balanced accuracy, kappa and MCC of a label against the rest are scikit-learn's."""
    (true, predicted), labels, _, case = scored
    compared = Counter()
    for row in sorted(case.labels, key=lambda row: -row.counts.tp)[:15]:
        binary = true == row.label, predicted == row.label
        expected = {"accuracy": sklearn.metrics.accuracy_score(*binary)}
        if 0 < binary[0].sum() < true.size:
            expected["balanced_accuracy"] = sklearn.metrics.balanced_accuracy_score(*binary)
            expected["kappa"] = sklearn.metrics.cohen_kappa_score(*binary)
            if 0 < binary[1].sum() < true.size:
                expected["mcc"] = sklearn.metrics.matthews_corrcoef(*binary)
        compared.update(expected.keys())
        for name, value in expected.items():
            assert near(value) == row.values[name], (row.label, name)
    assert compared["accuracy"] >= 1
    assert len(labels) == 1 or compared["mcc"] >= 1


def test_overall_is_scikit_learns(scored):
    """Overall accuracy, kappa and MCC are scikit-learn's for many classes."""
    (true, predicted), labels, _, case = scored
    assert near(sklearn.metrics.accuracy_score(true, predicted)) == case.overall["overall_accuracy"]
    if len(labels) == 1:
        assert math.isnan(case.overall["overall_kappa"])
        assert math.isnan(case.overall["overall_mcc"])
    else:
        assert near(sklearn.metrics.cohen_kappa_score(true, predicted)) == case.overall["overall_kappa"]
        assert near(sklearn.metrics.matthews_corrcoef(true, predicted)) == case.overall["overall_mcc"]


@pytest.mark.parametrize("name", ["micro", "macro", "weighted"])
def test_averages_are_scikit_learns(scored, name):
    """Micro, macro and weighted mean the same as scikit-learn's words, undefined values left out."""
    (true, predicted), labels, report, _ = scored
    options = {"labels": labels, "average": name}
    averages = report.averages[name]
    assert (
        near(sklearn.metrics.f1_score(true, predicted, **options, zero_division=NAN)) == averages["f1"].value
    )
    assert (
        near(sklearn.metrics.jaccard_score(true, predicted, **options, zero_division=1))
        == averages["iou"].value
    )
    for metric, function in (
        ("precision", sklearn.metrics.precision_score),
        ("recall", sklearn.metrics.recall_score),
    ):
        assert near(function(true, predicted, **options, zero_division=NAN)) == averages[metric].value


@pytest.mark.parametrize(("undefined", "zero_division"), [("skip", NAN), ("zero", 0.0), ("one", 1.0)])
@pytest.mark.parametrize("name", ["micro", "macro", "weighted"])
def test_policies_are_zero_division(undefined, zero_division, name):
    """For a declared label that is in neither mask, the policies are scikit-learn's zero_division."""
    numbers = np.random.default_rng(13)
    reference, prediction = (numbers.integers(0, 4, 200) for _ in range(2))
    labels = {"labels": {str(label): f"class {label}" for label in range(6)}}
    report = dicecli.score(prediction, reference, labels=labels, include_background=True, undefined=undefined)
    f1 = sklearn.metrics.f1_score(
        reference, prediction, labels=range(6), average=name, zero_division=zero_division
    )
    assert near(f1) == report.averages[name]["f1"].value
    if undefined != "skip":
        iou = sklearn.metrics.jaccard_score(
            reference, prediction, labels=range(6), average=name, zero_division=zero_division
        )
        assert near(iou) == report.averages[name]["iou"].value


def test_several_cases_are_scikit_learns():
    """Over several cases, macro and micro pool the pixels of all of them."""
    numbers = np.random.default_rng(14)
    pairs = [dense(numbers, shape, 6) for shape in ((40,), (7, 9), (3, 4, 5))]
    cases = [Case(str(i), prediction, reference) for i, (reference, prediction) in enumerate(pairs)]
    report = score_many(cases, make_settings(include_background=True))
    true, predicted = (np.concatenate([pair[side].ravel() for pair in pairs]) for side in (0, 1))
    for name in ("micro", "macro", "weighted"):
        expected = sklearn.metrics.jaccard_score(true, predicted, average=name)
        assert near(expected) == report.averages[name]["iou"].value


# --- The largest number of labels ---------------------------------------------------------------------------


@pytest.mark.parametrize("step", [1, 3, 10**9], ids=["dense", "spread", "far apart"])
def test_as_many_labels_as_allowed(step):
    """4,096 distinct labels are counted."""
    reference = np.arange(MAX_LABELS) * step
    matrix = ConfusionMatrix.from_arrays(prediction=reference[::-1], reference=reference)
    assert tuple(reference.tolist()) == matrix.labels
    assert MAX_LABELS == matrix.total
    assert matrix.table[np.arange(MAX_LABELS), np.arange(MAX_LABELS)[::-1]].all()


@pytest.mark.parametrize("backend", ["numpy", "torch"])
def test_only_labels_that_occur_are_limited(backend):
    """4,096 distinct labels are counted also where the reference's few are far from the prediction's."""
    if backend == "torch":
        pytest.importorskip("torch", reason="torch is not installed")
    reference, prediction = np.array([0, 255] * 2047), np.arange(1000, 1000 + 4094)
    matrix = load("backends", backend).count_block(reference, prediction)
    assert (0, 255, *range(1000, 1000 + 4094)) == matrix.labels
    assert 4094 == matrix.total


@pytest.mark.parametrize("step", [1, 10**9], ids=["dense", "far apart"])
def test_too_many_labels_in_one_mask(step):
    """One label more is an error."""
    labels = np.arange(MAX_LABELS + 1) * step
    with pytest.raises(TooManyLabels, match=r"4,096.*4,097"):
        ConfusionMatrix.from_arrays(prediction=labels, reference=labels)


def test_too_many_labels_in_both_masks():
    """The labels of both masks count together."""
    labels = np.arange(2100)
    with pytest.raises(TooManyLabels):
        ConfusionMatrix.from_arrays(prediction=labels + 2100, reference=labels)


def test_too_many_labels_in_sum():
    """They are counted over all windows, too."""
    first, second = (
        ConfusionMatrix.from_arrays(prediction=labels, reference=labels)
        for labels in (np.arange(2100), np.arange(2000, 4200))
    )
    assert first.labels == (first + first).labels
    with pytest.raises(TooManyLabels):
        first + second


def test_too_many_labels_fail_one_case_only():
    """In a run it is the error of that case, and the others are scored."""
    few, many = np.array([0, 1]), np.arange(MAX_LABELS + 1)
    report = score_many([Case("few", few, few), Case("many", many, many)], make_settings())
    assert [("few", "scored"), ("many", "failed")] == [
        (each.case.name, each.status) for each in report.results
    ]
    assert ["TooManyLabels"] == [each.error for each in report.failed]
