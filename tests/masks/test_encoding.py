"""From stored values to labels: masks of 0 and 255, soft masks, thresholds, declared labels, too many labels."""

from __future__ import annotations

import io
import itertools

import numpy as np
import pytest
from make import blobs, brute, counts, geotiff, nifti, png, scored

import dicecli
from dicecli.errors import NotLabels, TooManyLabels, UnknownLabel, UsageError
from dicecli.masks.declared import check_declared
from dicecli.masks.encoding import meaning, residual, to_labels
from dicecli.records.counts import Counts
from dicecli.records.labels import LabelScheme
from dicecli.runs.scoring import make_settings
from dicecli.statistics._confusion import ConfusionMatrix

MASK = blobs((40, 60), 2)
OTHER = blobs((40, 60), 2, seed=1)
LABELS = blobs((40, 60), 4)


def disc(radius, side=96, finer=8):
    """Draw a disc in 0 and 255, anti-aliased by averaging a finer drawing; uint8."""
    step = (np.arange(side * finer) + 0.5) / finer - side / 2
    inside = step[:, np.newaxis] ** 2 + step**2 <= radius**2
    parts = inside.reshape(side, finer, side, finer).mean(axis=(1, 3))
    return np.rint(parts * 255).astype(np.uint8)


def through_jpeg(array, quality):
    """Return what JPEG makes of an image."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(array).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


# 0 and 255.


@pytest.mark.parametrize("write", [png, nifti, geotiff], ids=["png", "nifti", "geotiff"])
def test_0_and_255_is_0_and_1_with_a_note(tmp_path, write):
    """A mask of 0 and 255 is read as 0 and 1, in every format, and a note says so."""
    suffix = {png: ".png", nifti: ".nii.gz", geotiff: ".tif"}[write]
    reference = write(tmp_path / f"reference{suffix}", OTHER * 255)
    result = scored(write(tmp_path / f"prediction{suffix}", MASK * 255), reference)
    assert brute(MASK, OTHER) == counts(result)
    for side in ("reference", "prediction"):
        assert f"{side}: values are 0 and 255: 255 is read as label 1" in result.notes


@pytest.mark.parametrize("is_swapped", [False, True])
def test_0_and_255_against_0_and_1(tmp_path, is_swapped):
    """A mask of 0 and 255 against one of 0 and 1 is scored as it should be, with a note on the one."""
    stored = [MASK * 255, OTHER] if not is_swapped else [MASK, OTHER * 255]
    paths = [png(tmp_path / f"{number}.png", each) for number, each in enumerate(stored)]
    result = scored(*paths)
    assert brute(MASK, OTHER) == counts(result)
    side = "reference" if is_swapped else "prediction"
    assert [f"{side}: values are 0 and 255: 255 is read as label 1"] == list(result.notes)


def test_the_rule_of_0_and_255_holds_for_wider_and_float_types():
    """The values decide, not the type that holds them."""
    for dtype in ("uint16", "int64", "float32"):
        assert brute(MASK, OTHER) == counts(scored(MASK.astype(dtype) * 255, OTHER))


@pytest.mark.parametrize("is_reference_too", [False, True])
def test_all_255_is_all_1(is_reference_too):
    """A mask of 255 everywhere is a mask of 1 everywhere."""
    full = np.full(MASK.shape, 255, np.uint8)
    reference = full if is_reference_too else OTHER
    assert brute(full // 255, reference // reference.max()) == counts(scored(full, reference))


@pytest.mark.parametrize("value", [1, 2, 128, 254, 256])
def test_255_among_other_labels_is_255(value):
    """One other value among 0 and 255 makes it a map of labels, in which 255 is 255."""
    stored = MASK.astype(np.uint16) * 255
    stored[0, :4] = value
    assert brute(stored, OTHER) == counts(scored(stored, OTHER))


@pytest.mark.parametrize("other", [200, 254, 1000])
def test_only_255_is_read_so(other):
    """0 with any other single value stays what it is."""
    assert brute(MASK * np.uint16(other), OTHER) == counts(scored(MASK * np.uint16(other), OTHER))


def test_255_as_the_ignore_label_stays_255():
    """Where 255 is the ignore label its pixels are left out, and are not label 1."""
    reference = OTHER * np.uint8(255)
    result = scored(MASK, reference, ignore_label=255)
    assert brute(MASK[OTHER == 0], OTHER[OTHER == 0]) == counts(result)
    assert {"ignore_label": int(OTHER.sum()), "nodata": 0} == result.excluded


def test_255_as_the_ignore_label_in_the_prediction_is_no_label():
    """Where 255 is the ignore label, a prediction of 255 is a miss, and nobody's false positive."""
    result = scored(MASK * np.uint8(255), OTHER, ignore_label=255)
    misses = int(((MASK == 1) & (OTHER == 1)).sum())
    total = MASK.size
    assert Counts(0, 0, int(OTHER.sum()), total - int(OTHER.sum())) == counts(result)[1]
    assert any(f"{int(MASK.sum()):,} pixels" in note for note in result.notes)
    assert misses > 0


def test_declared_labels_are_taken_as_they_are():
    """Where labels are declared 255 is a label like any other: known, or an error."""
    stored = MASK * np.uint8(255)
    declared = {"labels": {"0": "ground", "255": "building"}}
    assert brute(stored, stored) == counts(scored(stored, stored, labels=declared))
    with pytest.raises(UnknownLabel, match="255"):
        scored(stored, MASK, labels={"labels": {"0": "ground", "1": "building"}})


def test_the_rule_looks_at_the_whole_mask(tmp_path):
    """A label that stands only where the reference has nodata is a value of the mask all the same."""
    reference = geotiff(tmp_path / "reference.tif", np.array([[0, 0, 1, 1, 9, 9]], np.uint8), nodata=9)
    prediction = geotiff(tmp_path / "prediction.tif", np.array([[0, 255, 0, 255, 1, 2]], np.uint8))
    result = scored(prediction, reference)
    assert {0: Counts(1, 1, 1, 1), 1: Counts(0, 0, 2, 2), 255: Counts(0, 2, 0, 2)} == counts(result)


# Soft masks.


@pytest.mark.parametrize("radius", [5, 12, 40])
def test_an_anti_aliased_mask_is_refused(radius):
    """Grey levels between 0 and 255 at the edge are no labels: an error that proposes a threshold."""
    soft = disc(radius)
    with pytest.raises(NotLabels, match="anti-aliased") as caught:
        scored(soft, (soft > 127).astype(np.uint8))
    assert "--threshold" in caught.value.hint
    assert "prediction" in str(caught.value)


@pytest.mark.parametrize(
    ("radius", "quality"),
    # Of small discs quality 100 leaves one level beside 0 and 255 at the most: that could be a label.
    [
        each
        for each in itertools.product((3, 6, 12, 40), (30, 75, 90, 95, 100))
        if each not in {(3, 100), (6, 100), (12, 100)}
    ],
)
def test_a_mask_that_was_a_jpeg_is_refused(tmp_path, radius, quality):
    """What JPEG leaves of 0 and 255 is refused: its dozens of grey levels are not dozens of labels."""
    hard = np.where(disc(radius) > 127, np.uint8(255), np.uint8(0))
    damaged = through_jpeg(hard, quality)
    assert len(np.unique(damaged)) > 2, "JPEG must have changed something for this test to say anything"
    path = png(tmp_path / "a.png", damaged)
    with pytest.raises(NotLabels, match="JPEG") as caught:
        scored(path, path)
    assert "--threshold" in caught.value.hint


@pytest.mark.parametrize("factor", [2, 3])
def test_a_smoothly_resized_mask_is_refused(factor):
    """A mask that was resized with interpolation is soft as well."""
    from PIL import Image

    size = 96 * factor // 2 * 2
    image = Image.fromarray(np.where(disc(20) > 127, np.uint8(255), np.uint8(0)))
    soft = np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))
    with pytest.raises(NotLabels):
        scored(soft, soft)


@pytest.mark.parametrize(
    "values",
    [
        [0, 1, 2, 3, 255],
        [*list(range(20)), 255],
        [*list(range(182)), 255],
        [0, 7, 8, 11, 255],
        [0, 50, 255],
        [0, 85, 170, 255],
    ],
    ids=["three", "twenty", "coco", "gaps", "one", "steps"],
)
def test_label_maps_with_0_and_255_are_accepted(values):
    """Maps with several classes of some size, 0 and 255 among them, are labels."""
    rng = np.random.default_rng(3)
    labels, other = (rng.choice(np.array(values, np.uint8), (90, 90)) for _ in range(2))
    assert brute(other, labels) == counts(scored(other, labels))


def test_labels_with_a_narrow_void_are_accepted():
    """A map of classes whose objects are ringed by 255, as in Pascal VOC, is a map of labels."""
    labels = np.zeros((100, 100), np.uint8)
    for number, start in enumerate((5, 30, 55), start=1):
        labels[start : start + 22, 10:60] = 255
        labels[start + 2 : start + 20, 12:58] = number * 7
    assert brute(labels, labels) == counts(scored(labels, labels))


def test_a_declared_scheme_settles_what_grey_levels_are():
    """Grey levels that are declared as labels are labels."""
    soft = disc(12)
    declared = {"labels": {str(value): f"level {value}" for value in range(256)}}
    assert brute(soft, soft) == counts(scored(soft, soft, labels=declared))


# Thresholds.


def test_threshold_of_probabilities():
    """Values at or above the threshold are 1, all others 0, in floats."""
    values = np.random.default_rng(4).random((40, 60)).astype(np.float32)
    values[0, :3] = 0.5, np.nextafter(np.float32(0.5), np.float32(0)), 1
    result = scored(values, OTHER, threshold=0.5)
    assert brute((values >= 0.5).astype(int), OTHER) == counts(result)


@pytest.mark.parametrize("threshold", [1, 2, 127.5, 128, 255])
def test_threshold_of_soft_masks(threshold):
    """A soft mask of 0 to 255 is cut at the threshold, on both sides of the pair."""
    soft, other = disc(20), disc(23)
    expected = brute((other >= threshold).astype(int), (soft >= threshold).astype(int))
    assert expected == counts(scored(other, soft, threshold=threshold))


def test_threshold_leaves_a_mask_of_0_and_1_alone():
    """A mask that is 0/1 already is kept under a threshold for 255, with a note, rather than emptied."""
    soft = disc(20)
    reference = (disc(22) > 127).astype(np.uint8)
    result = scored(soft, reference, threshold=128)
    assert brute((soft >= 128).astype(int), reference) == counts(result)
    assert list(result.notes) == [
        "reference: it holds only 0 and 1: taken as it is, without the threshold 128"
    ]


def test_threshold_that_nothing_reaches_leaves_nothing():
    """Values of which none reaches the threshold, other than 0 and 1, are all 0."""
    low = np.random.default_rng(5).integers(0, 100, MASK.shape, np.uint8)
    assert brute(np.zeros_like(low), MASK) == counts(scored(low, MASK, threshold=128))


def test_threshold_of_negative_values():
    """Values below 0 are below any threshold."""
    values = np.random.default_rng(6).normal(size=MASK.shape)
    expected = brute((values >= 0.25).astype(int), MASK)
    assert expected == counts(scored(values, MASK, threshold=0.25))


def test_threshold_of_labels_joins_them():
    """With a threshold every label at or above it is 1: the mask becomes binary."""
    assert brute((LABELS >= 2).astype(int), MASK) == counts(scored(LABELS, MASK, threshold=2))


@pytest.mark.parametrize("threshold", [0, -1, float("nan"), float("inf")])
def test_an_impossible_threshold_is_wrong_usage(threshold):
    """A threshold that all or nothing reaches is wrong usage."""
    with pytest.raises(UsageError, match="threshold"):
        scored(MASK, MASK, threshold=threshold)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_a_threshold_does_not_excuse_nan(value):
    """NaN and infinity are no probabilities."""
    values = np.random.default_rng(7).random(MASK.shape)
    values[3, 3] = value
    with pytest.raises(NotLabels):
        scored(values, MASK, threshold=0.5)


def test_threshold_with_nodata(tmp_path):
    """Nodata is taken out before the threshold: it is neither 0 nor 1."""
    values = np.random.default_rng(8).random(MASK.shape).astype(np.float32)
    values[:5] = -9999
    reference = OTHER.copy()
    reference[:, :7] = 250
    one = geotiff(tmp_path / "reference.tif", reference, nodata=250)
    result = scored(geotiff(tmp_path / "a.tif", values, nodata=-9999), one, threshold=0.5)
    valid = reference != 250
    prediction = np.where(values == -9999, -9, values >= 0.5).astype(int)
    expected = dict(brute(prediction[valid], reference[valid]))
    expected.pop(-9)
    assert expected == counts(result)


def test_an_ignore_label_holds_under_a_threshold():
    """Pixels that the reference marks with an ignore label are left out, not thresholded into label 1."""
    values = np.random.default_rng(9).random(MASK.shape)
    reference = OTHER.copy()
    reference[:6] = 255
    result = scored(values, reference, threshold=0.5, ignore_label=255)
    valid = reference != 255
    assert brute((values >= 0.5).astype(int)[valid], reference[valid]) == counts(result)
    assert result.excluded["ignore_label"] == int((~valid).sum())


# Declared labels.


@pytest.mark.parametrize("side", ["prediction", "reference"])
def test_an_undeclared_label_is_an_error(tmp_path, side):
    """A label that the declared scheme lacks is an error that names it and its pixels; none is dropped."""
    scheme = {"labels": {"0": "ground", "1": "road", "2": "house"}}
    masks = {"prediction": LABELS % 3, "reference": LABELS % 3, side: LABELS}
    paths = {name: png(tmp_path / f"{name}.png", mask) for name, mask in masks.items()}
    with pytest.raises(UnknownLabel, match=rf"label 3 \({int((LABELS == 3).sum()):,} pixels\)") as caught:
        scored(**paths, labels=scheme)
    assert str(caught.value).startswith(f"{side} {paths[side]}")


def test_declared_ignore_labels_regions_and_background_are_known():
    """Ignore labels and the background are declared without standing among the names; regions are of names."""
    scheme = {"labels": {"1": "road", "2": "house"}, "regions": {"built": [1, 2]}, "ignore": 3}
    result = scored(LABELS, LABELS, labels=scheme)
    assert result.excluded["ignore_label"] == int((LABELS == 3).sum())
    assert set(counts(result)) == {0, 1, 2}


def test_without_background_0_must_be_declared():
    """Where a scheme says that there is no background, 0 is a label to be declared like any other."""
    scheme = {"labels": {"1": "a", "2": "b", "3": "c"}, "background": None}
    with pytest.raises(UnknownLabel, match="label 0"):
        scored(LABELS, LABELS, labels=scheme)


def test_check_declared_names_at_most_five():
    """The error over many undeclared labels names the first and counts the rest."""
    scheme = LabelScheme({1: "one"}, source="scheme.json")
    with pytest.raises(UnknownLabel, match=r"label 2 .*, 6 \(6 pixels\) and 3 more .* scheme.json"):
        check_declared("prediction", {label: label for label in range(10)}, scheme)
    check_declared("prediction", {0: 5, 1: 3}, scheme)


# Too many.


def test_16_bit_noise_has_too_many_labels(tmp_path):
    """65,536 distinct values are no labels: an error that suggests what they may be."""
    noise = np.random.default_rng(10).permutation(2**16).astype(np.uint16).reshape(256, 256)
    path = png(tmp_path / "a.png", noise)
    with pytest.raises(TooManyLabels, match="4,096") as caught:
        scored(path, png(tmp_path / "b.png", noise % 3))
    assert "instances" in caught.value.hint


def test_4096_labels_are_allowed_and_one_more_is_not():
    """The limit is 4,096 distinct labels."""
    labels = np.arange(4096, dtype=np.int32).reshape(64, 64)
    matrix = ConfusionMatrix.from_arrays(prediction=labels, reference=labels)
    assert len(matrix.labels) == 4096
    assert matrix.counts(4095) == Counts(1, 0, 0, 4095)
    labels = np.arange(4097, dtype=np.int32).reshape(17, 241) * 1000
    with pytest.raises(TooManyLabels):
        scored(labels, labels)


def test_a_thousand_instances_are_counted():
    """A map of instances with many labels is counted label by label."""
    labels = np.arange(900, dtype=np.uint16).reshape(30, 30)
    prediction = labels[::-1]
    assert brute(prediction, labels) == counts(scored(prediction, labels))


# Empty masks.


def dice(prediction, reference, **options):
    """Return the Dice of label 1; None where it is undefined."""
    report = dicecli.score(prediction, reference, labels={"labels": {"0": "no", "1": "yes"}}, **options)
    (case,) = report.cases()
    (row,) = [each for each in case.labels if each.label == 1]
    value = row.values["dice"]
    return None if np.isnan(value) else value


def test_empty_masks():
    """Both empty is undefined, or what --undefined puts; one of them empty is 0 under every policy."""
    empty = np.zeros_like(MASK)
    expected = {"skip": None, "zero": 0.0, "one": 1.0}
    for undefined, value in expected.items():
        assert value == dice(empty, empty, undefined=undefined)
        assert dice(MASK, empty, undefined=undefined) == 0.0
        assert dice(empty, MASK, undefined=undefined) == 0.0
    assert {0: Counts(MASK.size, 0, 0, 0)} == counts(scored(empty, empty))


def test_the_ignore_label_everywhere():
    """Where all is ignored nothing is counted, nothing is defined, and a note says that no pixel is left."""
    full = np.full(MASK.shape, 7, np.uint8)
    result = scored(MASK, full, ignore_label=7)
    assert dict(counts(result)) == {}
    assert result.counted == 0
    assert {"ignore_label": MASK.size, "nodata": 0} == result.excluded
    assert any("no pixel is left" in note for note in result.notes)


def test_several_ignore_labels():
    """Each of several ignore labels of the reference is left out."""
    result = scored(OTHER, LABELS, ignore_label=[2, 3])
    kept = LABELS < 2
    assert brute(OTHER[kept], LABELS[kept]) == counts(result)


def test_an_ignore_label_in_the_prediction_is_a_miss():
    """A prediction of the ignore label where the reference is valid is a miss and no false positive."""
    prediction, reference = np.array([[1, 7, 7, 0]]), np.array([[1, 1, 0, 0]])
    result = scored(prediction, reference, ignore_label=7)
    assert {0: Counts(1, 0, 1, 2), 1: Counts(1, 0, 1, 2)} == counts(result)
    assert any("2 pixels" in note for note in result.notes)


# The functions below it all.


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "int16", "uint32", "int64"])
def test_integers_are_returned_as_they_are(dtype):
    """Integers of any width pass, and booleans become 0 and 1."""
    values = LABELS.astype(dtype)
    assert values.astype(int).tolist() == to_labels(values).astype(int).tolist()


def test_residual_is_the_largest_distance_from_an_integer():
    """The residual of integers is 0; of floats the largest distance, nodata and NaN apart."""
    assert residual(LABELS) == 0
    assert residual(np.array([1.0, 2.25, -0.4, np.nan])) == pytest.approx(0.4)
    assert residual(np.array([1.0, 2.25, -9.5]), nodata=-9.5) == 0.25
    assert residual(np.array([])) == 0


def test_meaning_of_an_empty_mask():
    """A mask of which no pixel is left means nothing, and nothing is assumed."""
    assert meaning({}, make_settings()) == ({}, [])
