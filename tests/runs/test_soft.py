"""Scores of probability maps: against published numbers, plain Python, hard Dice and scikit-learn."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import reduce
from operator import add

import make
import maps
import numpy as np
import passes
import pytest
import soft_brute as brute
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import dicecli
from dicecli.errors import UsageError
from dicecli.masks.blocks import plan
from dicecli.records.counts import Counts
from dicecli.records.undefined import number
from dicecli.statistics.soft.measured import rows_of
from dicecli.statistics.soft.sums import ChannelSums, exact, rounded

FORMS = ("standard", "jaccard", "squared")


def soft(p, g, **options):
    """Score arrays, and return the numbers of the one case."""
    return next(dicecli.soft(np.asarray(p), np.asarray(g), **options).cases())


probabilities = st.one_of(
    st.floats(0, 1, allow_subnormal=False), st.sampled_from([0.0, 1.0, 0.5, 0.05, 0.15, 0.7, 0.999, 0.001])
)
pixels = st.lists(st.tuples(probabilities, st.integers(0, 1)), min_size=1, max_size=40)


def test_published_numbers():
    """Vector 12: p = [0.9, 0.1, 0.8, 0.1], g = [1, 0, 1, 0] with ε = 1e-5, the default."""
    (row,) = soft([[0.9, 0.1], [0.8, 0.1]], [[1, 0], [1, 0]]).labels
    assert row.values["soft_dice_standard"] == pytest.approx(3.40001 / 3.90001, rel=1e-14)
    assert row.values["soft_dice_jaccard"] == pytest.approx(1.70001 / 2.20001, rel=1e-14)
    assert row.values["soft_dice_squared"] == pytest.approx(3.40001 / 3.47001, rel=1e-14)
    assert row.values["loss_standard"] == 1 - row.values["soft_dice_standard"]
    assert [getattr(row.facts.sums, name) for name in ("pg", "p", "p2", "g")] == pytest.approx(
        [1.7, 1.9, 1.47, 2.0], rel=1e-15
    )


@settings(max_examples=60)
@given(pixels, st.sampled_from([0.0, 1e-5, 1.0]))
def test_one_class_is_what_plain_python_gives(pixels, smooth):
    """Every score of one class equals the loop over pixels that its formula says."""
    p, g = ([*column] for column in zip(*pixels, strict=True))
    (row,) = soft([p], [g], smooth=smooth, accept_labels=True).labels
    found = row.values
    for form in FORMS:
        assert found[f"soft_dice_{form}"] == pytest.approx(
            brute.soft_dice(form, p, g, smooth), rel=1e-12, nan_ok=True
        )
    assert found["cross_entropy"] == pytest.approx(brute.cross_entropy(p, g), rel=1e-12)
    assert found["brier"] == pytest.approx(brute.brier(p, g), rel=1e-12, abs=1e-300)
    assert found["ece"] == pytest.approx(brute.calibration_error(p, g), rel=1e-11, abs=1e-13)
    assert found["average_precision"] == pytest.approx(brute.average_precision(p, g), rel=1e-12, nan_ok=True)
    assert (found["best_threshold"], found["dice_best"]) == pytest.approx(brute.best(p, g), nan_ok=True)
    assert found["dice_at_half"] == pytest.approx(brute.hard_dice(*brute.counts_at(p, g, 0.5)), nan_ok=True)
    assert found["gain"] == pytest.approx(found["dice_best"] - found["dice_at_half"], nan_ok=True)
    assert found["dice_ce"] == pytest.approx(
        found["loss_standard"] + found["cross_entropy"], nan_ok=True, rel=1e-14
    )


def test_several_channels_are_what_plain_python_gives():
    """What concerns all channels together: cross-entropy, Brier, calibration, accuracy, generalised Dice."""
    p, g = maps.softmax((4, 9, 11), 3)
    scores = soft(p, g, smooth=1e-5)
    columns, labels = p.reshape(4, -1).T.tolist(), g.ravel().tolist()
    n = len(labels)
    overall = scores.overall
    assert overall["overall_cross_entropy"] == pytest.approx(
        -math.fsum(math.log(row[label]) for row, label in zip(columns, labels, strict=True)) / n, rel=1e-13
    )
    errors = [
        (each - (k == label)) ** 2
        for row, label in zip(columns, labels, strict=True)
        for k, each in enumerate(row)
    ]
    assert overall["overall_brier"] == pytest.approx(math.fsum(errors) / n, rel=1e-13)
    hits = [row.index(max(row)) == label for row, label in zip(columns, labels, strict=True)]
    assert overall["overall_accuracy_argmax"] == sum(hits) / n
    assert overall["overall_ece"] == pytest.approx(
        brute.calibration_error([max(row) for row in columns], hits), rel=1e-12
    )
    each = [brute.sums([row[k] for row in columns], [int(label == k) for label in labels]) for k in (1, 2, 3)]
    for weighting, power in {"square": 2, "simple": 1, "uniform": 0}.items():
        weights = [(min(one[3] for one in each) / sg) ** power for _, _, _, sg in each]
        above = 2 * sum(w * pg for w, (pg, *_) in zip(weights, each, strict=True)) + 1e-5
        below = sum(w * (sp + sg) for w, (_, sp, _, sg) in zip(weights, each, strict=True)) + 1e-5
        assert overall[f"generalised_dice_{weighting}"] == pytest.approx(above / below, rel=1e-13)
    macro = math.fsum(row.values["loss_standard"] for row in scores.labels) / 3
    assert overall["overall_dice_ce"] == pytest.approx(macro + overall["overall_cross_entropy"], rel=1e-14)
    assert scores.averages["macro"]["loss_standard"].value == pytest.approx(macro, rel=1e-15)
    micro = brute.soft_dice(
        "standard",
        [row[k] for k in (1, 2, 3) for row in columns],
        [int(label == k) for k in (1, 2, 3) for label in labels],
        1e-5,
    )
    assert scores.averages["micro"]["soft_dice_standard"].value == pytest.approx(micro, rel=1e-13)


@settings(max_examples=80)
@given(
    hnp.arrays(np.uint8, st.tuples(st.integers(1, 7), st.integers(1, 7)), elements=st.integers(0, 3)),
    st.integers(0, 2**32 - 1),
    st.sampled_from([None, 2]),
)
def test_probabilities_of_0_and_1_give_hard_dice(g, seed, ignore):
    """With every p 0 or 1 and ε = 0, soft Dice is hard Dice from `score`, exactly, label by label."""
    prediction = np.random.default_rng(seed).integers(0, 4, g.shape)
    p = (np.arange(4)[:, None, None] == prediction).astype(np.float32)
    scores = soft(p, g, smooth=0.0, accept_labels=True, ignore_label=ignore)
    matrix = dicecli.ConfusionMatrix.from_arrays(prediction=prediction, reference=g, ignore_label=ignore)
    hard = dicecli.score(prediction, g, ignore_label=ignore, undefined="skip").to_dict()["cases"][0]
    dice_of = {row["label"]: row["dice"] for row in hard["labels"]}
    for row in scores.labels:
        assert dice_of.get(row.label) == number(row.values["soft_dice_standard"])
        tp, fp, fn, _ = matrix.counts(row.label)
        if tp + fp + fn:
            dice, iou = 2 * tp / (2 * tp + fp + fn), tp / (tp + fp + fn)
            assert dice == row.values["soft_dice_standard"] == row.values["soft_dice_squared"]
            assert dice == row.values["dice_argmax"] == row.values["dice_at_half"] == row.values["dice_best"]
            assert iou == row.values["soft_dice_jaccard"]
        else:
            assert all(math.isnan(row.values[f"soft_dice_{form}"]) for form in FORMS)
            assert math.isnan(row.values["dice_argmax"])


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64])
def test_counts_at_a_threshold_are_those_of_score(dtype):
    """A pixel is predicted at t exactly where `score --threshold t` predicts it, stored values at t included."""
    rng = np.random.default_rng(5)
    p = rng.choice(np.arange(1001) / 1000, (40, 50)).astype(dtype)
    g = rng.integers(0, 2, p.shape)
    report = dicecli.soft(p, g)
    curve = report.curves()["label 1"]
    for threshold in (0.001, 0.1, 0.3, 0.5, 0.7, 0.9, 0.999, 1.0):
        matrix = dicecli.ConfusionMatrix.from_arrays(prediction=p >= threshold, reference=g.astype(bool))
        assert matrix.counts(1) == curve.counts(threshold)
        scored = dicecli.score(p, g, threshold=threshold).results[0]
        assert make.counts(scored).get(1, Counts(tn=p.size)) == curve.counts(threshold)


@settings(max_examples=40)
@given(
    st.tuples(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5)),
    st.integers(0, 10**6),
    st.integers(1, 200),
    st.sampled_from([None, "softmax", "sigmoid"]),
)
def test_any_tiling_gives_the_same_sums(shape, seed, pixels, logits):
    """Windows of any size, added in any order, give the same sums to 1e-12, and the same integers."""
    p, g = maps.softmax((3, *shape), seed)
    values = p if logits is None else np.log(p)
    options = maps.settings(logits=logits, channel_axis=0, ignore_label=2)

    class Whole:
        chunks, order = (1, 1, 1), "C"

    Whole.shape = shape
    with passes.opened(values, g.astype(int), options) as (pair, known):
        whole, tiled = (
            reduce(add, [passes.state("soft", pair, known, options, [window]) for window in windows]).sums
            for windows in ([tuple(slice(0, n) for n in shape)], reversed(list(plan(Whole, pixels=pixels))))
        )
    for one, other in zip(whole.channels, tiled.channels, strict=True):
        assert np.array_equal(one.inside, other.inside)
        assert np.array_equal(one.outside, other.outside)
        for name in ("overlap", "prediction", "squared", "cross_entropy", "brier"):
            assert rounded(getattr(one, name)) == pytest.approx(rounded(getattr(other, name)), rel=1e-12)
        assert [rounded(each) for each in one.confidence] == pytest.approx(
            [rounded(each) for each in other.confidence], rel=1e-12
        )
    if whole.joint is not None:
        assert np.array_equal(whole.joint.table, tiled.joint.table)
        assert rounded(whole.joint.cross_entropy) == pytest.approx(
            rounded(tiled.joint.cross_entropy), rel=1e-12
        )


@given(st.lists(st.floats(0, 1e12), max_size=8), st.randoms())
def test_merging_rounds_nothing(values, random):
    """Sums are whole numbers: any order and grouping gives the same, and the total is the exact one."""
    parts = [replace(ChannelSums.zero(), prediction=exact(value)) for value in values]
    shuffled = parts.copy()
    random.shuffle(shuffled)
    total = sum(parts, ChannelSums.zero())
    assert total == sum(shuffled, ChannelSums.zero())
    assert rounded(total.prediction) == math.fsum(values)


def test_a_billion_pixels_lose_nothing():
    """Beside 10^9 pixels at 0.1 a single one more of 1e-7 still shows in the sum, as it must."""
    many = replace(ChannelSums.zero(), prediction=exact(0.1) * 10**9)
    one = replace(ChannelSums.zero(), prediction=exact(1e-7))
    assert (many + one).prediction - many.prediction == exact(1e-7)
    assert rounded((many + one).prediction) == pytest.approx(1e8 + 1e-7, rel=1e-15)


def test_scikit_learn_agrees_where_it_means_the_same():
    """Average precision of probabilities on the grid of thresholds, Brier score and log loss are its own."""
    metrics = pytest.importorskip("sklearn.metrics")
    rng = np.random.default_rng(8)
    g = rng.integers(0, 2, 500)
    p = np.clip(np.rint(1000 * (0.3 * g + 0.5 * rng.random(500))) / 1000, 0.001, 0.999)
    (row,) = soft(p.reshape(20, 25), g.reshape(20, 25)).labels
    assert row.values["average_precision"] == pytest.approx(metrics.average_precision_score(g, p), rel=1e-12)
    assert row.values["brier"] == pytest.approx(metrics.brier_score_loss(g, p), rel=1e-12)
    assert row.values["cross_entropy"] == pytest.approx(metrics.log_loss(g, p), rel=1e-12)
    several, labels = maps.softmax((3, 12, 13), 9)
    assert soft(several, labels).overall["overall_cross_entropy"] == pytest.approx(
        metrics.log_loss(labels.ravel(), several.reshape(3, -1).T), rel=1e-12
    )
    assert soft(several, labels, include_background=True).averages["macro"][
        "dice_argmax"
    ].value == pytest.approx(
        metrics.f1_score(labels.ravel(), several.argmax(axis=0).ravel(), average="macro"), rel=1e-14
    )


@pytest.mark.parametrize("logits", ["sigmoid", "softmax"])
@pytest.mark.parametrize("temperature", [1.0, 2.5])
def test_logits_become_probabilities(logits, temperature):
    """--logits and --temperature give the scores of the probabilities that the formulas say."""
    rng = np.random.default_rng(2)
    z, g = 3 * rng.normal(size=(3, 8, 9)), rng.integers(0, 3, (8, 9))
    scaled = z / temperature
    p = np.exp(scaled) / np.exp(scaled).sum(axis=0) if logits == "softmax" else 1 / (1 + np.exp(-scaled))
    options = {"channels": [0, 1, 2], "include_background": True}
    direct = soft(p, g, independent=logits == "sigmoid", **options)
    found = soft(z, g, logits=logits, temperature=temperature, **options)
    for one, other in zip(direct.labels, found.labels, strict=True):
        assert one.values == pytest.approx(other.values, rel=1e-9, nan_ok=True)
    assert direct.overall == pytest.approx(found.overall, rel=1e-9, nan_ok=True)


def test_saturated_logits_keep_their_digits():
    """Cross-entropy of logits of ±60 is 60 and e^-60, not what is left of a rounded probability."""
    z = np.array([[60.0, -60.0], [60.0, -60.0]])
    g = np.array([[0, 0], [1, 1]])
    (row,) = soft(z, g, logits="sigmoid").labels
    assert row.facts.sums.cross_entropy == pytest.approx(120 + 2 * math.exp(-60), rel=1e-15)
    both = soft(np.stack([0 * z, z]), g, logits="softmax")
    assert both.overall["overall_cross_entropy"] == pytest.approx(30, rel=1e-12)
    assert both.labels[0].values["cross_entropy"] == pytest.approx(30, rel=1e-12)


def test_certain_and_wrong_is_bounded_and_said():
    """P = 0 where the class is, or 1 where it is not, costs 36.04 instead of infinity, and a note counts it."""
    report = dicecli.soft(np.array([[0.0, 1.0, 0.5]]), np.array([[1, 0, 1]]))
    scores = next(report.cases())
    expected = (2 * 52 * math.log(2) + math.log(2)) / 3
    assert scores.labels[0].values["cross_entropy"] == pytest.approx(expected, rel=1e-14)
    assert any("at 2 pixels it is certain and wrong" in note for note in scores.notes)


def test_empty_on_both_sides():
    """Neither reference nor probability: undefined without ε, 1 with it, as the formula says."""
    nothing = np.zeros((3, 4))
    (row,) = soft(nothing, nothing.astype(int), smooth=0.0).labels
    assert all(math.isnan(row.values[f"soft_dice_{form}"]) for form in FORMS)
    assert all(math.isnan(row.values[name]) for name in ("dice_best", "best_threshold", "gain"))
    assert math.isnan(row.values["average_precision"])
    (row,) = soft(nothing, nothing.astype(int)).labels
    assert [row.values[f"soft_dice_{form}"] for form in FORMS] == [1, 1, 1]
    report = dicecli.soft(nothing, nothing.astype(int), smooth=0.0)
    assert report.to_dict()["cases"][0]["labels"][0]["soft_dice_standard"] is None
    assert any("every probability is 0" in note for note in report.results[0].notes)


def test_ignored_pixels_are_as_if_they_were_not_there():
    """Leaving pixels out by their label gives the scores of the map without them, wherever p is invalid there."""
    rng = np.random.default_rng(4)
    p, g = rng.random((6, 30)), rng.integers(0, 2, (6, 30))
    wide = np.concatenate([p, np.full((2, 30), np.nan)])
    void = np.concatenate([g, np.full((2, 30), 255)])
    one, other = soft(p, g), soft(wide, void, ignore_label=255)
    assert one.labels[0].values == pytest.approx(other.labels[0].values, nan_ok=True)
    (result,) = dicecli.soft(wide, void, ignore_label=255).results
    assert result.excluded == {"ignore_label": 60, "nodata": 0}
    assert result.counted == 180


def test_where_no_pixel_is_left_nothing_is_defined():
    """With every pixel ignored the counts are 0, means are undefined, and a note says so."""
    report = dicecli.soft(np.array([[0.3, 0.4]]), np.array([[2, 2]]), ignore_label=2, smooth=0.0)
    (result,) = report.results
    assert result.counted == 0
    assert "no pixel is left to compare" in result.notes
    row = report.to_dict()["cases"][0]["labels"][0]
    assert {row[name] for name in ("soft_dice_standard", "cross_entropy", "brier", "ece")} == {None}


@pytest.mark.parametrize("dtype", [complex, object, "U3", "M8[s]"])
def test_arrays_that_are_no_numbers(dtype):
    """Complex numbers, objects, text and dates are refused by their type."""
    with pytest.raises(dicecli.CaseError, match="no probabilities"):
        dicecli.soft(np.zeros((2, 2), dtype), np.zeros((2, 2), int))


def test_a_reference_of_0_and_255_is_read_as_by_score():
    """255 beside nothing but 0 is label 1, with a note; where 255 is ignored it is not."""
    p = np.array([[0.9, 0.2]])
    report = dicecli.soft(p, np.array([[255, 0]]))
    assert next(report.cases()).labels[0].facts.reference_px == 1
    assert any("255 is read as label 1" in note for note in report.results[0].notes)


def test_regions_are_channels_of_their_own():
    """A sigmoid channel may be a region: its reference is every label of it."""
    g = np.array([[0, 1, 2, 4], [0, 1, 2, 4]])
    p = np.array([np.where(np.isin(g, members), 0.9, 0.1) for members in ((1, 2, 4), (1, 4), (4,))])
    regions = {"whole": [1, 2, 4], "core": [1, 4]}
    scores = soft(p, g, channels="whole,core,4", regions=regions, independent=True)
    assert [row.title for row in scores.labels] == ["label 4"]
    assert [row.title for row in scores.regions] == ["whole", "core"]
    assert [row.facts.reference_px for row in scores.rows] == [2, 6, 4]
    assert all(row.values["dice_at_half"] == 1 for row in scores.rows)
    for name, rows in (("macro", scores.labels), ("macro-regions", scores.regions)):
        found = scores.averages[name]["soft_dice_standard"]
        assert found.value == pytest.approx(
            math.fsum(row.values["soft_dice_standard"] for row in rows) / len(rows), rel=1e-14
        )
    named = dicecli.soft(p, g, channels="whole,1,4", regions=regions, independent=True).results[0]
    assert any("no channel gives are not scored: core" in note for note in named.notes)
    with pytest.raises(UsageError, match="does not exclude"):
        dicecli.soft(p / p.sum(axis=0), g, channels="whole,core,4", regions=regions)


def test_a_region_of_a_softmax_is_the_sum_of_its_labels():
    """Its scores are those of a map of that sum alone; averages and what concerns all channels stay the same."""
    p, g = maps.softmax((4, 20, 21), 21)
    regions = {"both": [1, 3]}
    with_region = soft(p, g, regions=regions)
    without = soft(p, g)
    (row,) = with_region.regions
    summed = soft(np.minimum(1, p[1] + p[3]), np.isin(g, (1, 3)).astype(int)).labels[0]
    for name, value in summed.values.items():
        if name not in {"dice_argmax", "gain"}:
            assert row.values[name] == pytest.approx(value, rel=1e-12)
    top = np.isin(p.argmax(axis=0), (1, 3))
    inside = np.isin(g, (1, 3))
    assert row.values["dice_argmax"] == 2 * (top & inside).sum() / (top.sum() + inside.sum())
    assert without.averages.items() <= with_region.averages.items()
    assert with_region.overall == without.overall
    record = dicecli.soft(p, g, regions=regions).to_dict()["cases"][0]
    assert [each["name"] for each in record["labels"]] == [None, None, None, "both"]
    assert [each["label"] for each in record["not_averaged"]] == [0]
    assert list(dicecli.soft(p, g, regions=regions).curves()) == [
        "label 1",
        "label 2",
        "label 3",
        "both",
        "micro",
    ]


def test_the_rule_for_channels():
    """One channel is label 1, or the one declared; exclusive ones start at 0, independent ones at 1."""
    p, g = maps.softmax((3, 4, 5), 0)

    def titles(p, **options):
        report = dicecli.soft(p, np.zeros((4, 5), int), **options)
        return [each.label for each in rows_of(report.results[0])], report.results[0].notes

    assert titles(p[0])[0] == [1]
    assert titles(p[0], labels={"labels": {"0": "rest", "7": "thing"}})[0] == [7]
    labels, notes = titles(p)
    assert labels == [0, 1, 2]
    assert any("counted from 0; --channels says otherwise" in note for note in notes)
    assert titles(p, independent=True)[0] == [1, 2, 3]
    assert titles(p, logits="sigmoid")[0] == [1, 2, 3]
    declared = {"labels": {"3": "a", "5": "b"}}
    assert titles(p, labels=declared)[0] == [0, 3, 5]
    assert titles(p[:2], labels=declared, independent=True)[0] == [3, 5]
    assert titles(p, channels=[2, 1, 0])[0] == [2, 1, 0]
    del g


def test_the_macro_threshold_is_one_for_all_labels():
    """Macro's best threshold maximises the mean of the labels' Dice, so it never beats their own best."""
    p, g = maps.softmax((4, 30, 31), 11)
    scores = soft(p, g)
    mean_of_best = math.fsum(row.values["dice_best"] for row in scores.labels) / 3
    macro = scores.averages["macro"]
    assert macro["dice_best"].value <= mean_of_best
    at = macro["best_threshold"].value
    dice = [
        brute.hard_dice(*brute.counts_at(p[k].ravel().tolist(), (g == k).astype(int).ravel().tolist(), at))
        for k in (1, 2, 3)
    ]
    assert macro["dice_best"].value == pytest.approx(math.fsum(dice) / 3, rel=1e-14)


def test_threads_change_nothing():
    """Several threads give the same record as one."""
    p, g = maps.softmax((3, 70, 80, 90), 1, np.float32)
    one = dicecli.soft(p, g)
    several = dicecli.soft(p, g, threads=4)
    assert one.results[0].measured == several.results[0].measured
    assert one.to_dict() == several.to_dict()


def test_what_python_takes():
    """Arrays with channels first or last, torch tensors and nibabel images give one and the same record."""
    nibabel = pytest.importorskip("nibabel")
    torch = pytest.importorskip("torch")
    p, g = maps.softmax((3, 5, 6, 7), 12, np.float32)
    last = np.moveaxis(p, 0, -1)
    expected = numbers(dicecli.soft(p, g))
    image = nibabel.Nifti1Image(last, np.eye(4))
    mask = nibabel.Nifti1Image(g.astype(np.uint8), np.eye(4))
    for given_p, given_g in ((last, g), (torch.from_numpy(p), torch.from_numpy(g)), (image, mask)):
        assert _close(numbers(dicecli.soft(given_p, given_g)), expected)
    frame = dicecli.soft(p, g).to_pandas()
    assert frame["label"].tolist() == [1, 2]
    assert frame["soft_dice_standard"].dtype == np.float64


def numbers(report):
    """Return what a report says of its one case, but for where the map comes from."""
    (case,) = report.to_dict()["cases"]
    names = ("labels", "not_averaged", "averages", "undefined", "overall", "counted")
    return {name: case[name] for name in names}


def _close(found, expected):
    if isinstance(expected, dict):
        return found.keys() == expected.keys() and all(_close(found[key], expected[key]) for key in expected)
    if isinstance(expected, list):
        return len(found) == len(expected) and all(map(_close, found, expected))
    return found == (pytest.approx(expected, rel=1e-12) if isinstance(expected, float) else expected)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"logits": "tanh"}, "logits is 'tanh'"),
        ({"form": "cubic"}, "form is 'cubic'"),
        ({"smooth": -1.0}, "smooth is -1.0"),
        ({"temperature": 0.0, "logits": "sigmoid"}, "temperature is 0.0"),
        ({"temperature": 2.0}, "a temperature is for logits"),
        ({"independent": True, "logits": "softmax"}, "not independent"),
        ({"channels": "1,x"}, "'x' is no label"),
        ({"channels": "1,1"}, "stands twice"),
        ({"threshold": 0.5}, "threshold is for masks"),
        ({"missing": "zero"}, "cannot be counted as zero"),
        ({"nothing": 1}, "there is no option 'nothing'"),
    ],
)
def test_wrong_options(options, said):
    """An option with a value that makes no sense is named, before anything is read."""
    with pytest.raises(UsageError, match=said):
        maps.settings(**options)
