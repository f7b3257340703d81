"""Nodata of GeoTIFF masks: by the documented rules, and each file's own."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from make import blobs, brute, counts, geotiff, scored

from dicecli.errors import (
    NotLabels,
)

LABELS = blobs((50, 70), 4)
PREDICTION = blobs((50, 70), 4, seed=1)
#: A value that stands for nodata in the arrays that tests count themselves.
NONE = -9


def counted_by_the_rules(prediction, reference):
    """Count by brute force: NONE in the reference is left out, in the prediction it is nobody's label."""
    valid = reference != NONE
    counts = brute(prediction[valid], reference[valid])
    counts.pop(NONE, None)
    return counts


def with_nodata(labels, value, seed, share=0.1):
    """Put a value into some pixels of a map; return it, and the map with NONE in its place."""
    hidden = np.random.default_rng(seed).random(labels.shape) < share
    stored = np.where(hidden, value, labels.astype(np.float64))
    return stored, np.where(hidden, NONE, labels.astype(np.int64))


@pytest.mark.parametrize("dtype", ["uint8", "int16", "float32", "float64"])
@pytest.mark.parametrize("values", [(255, 255), (255, 200), (3, 200), (200, 3)])
def test_nodata_of_both_files_follows_the_rules(tmp_path, dtype, values):
    """Reference nodata is left out; the prediction's is a miss and nobody's false positive.

    Each file's own value counts, also where it is a label of the other file.
    """
    stored, reference = with_nodata(LABELS % 3, values[0], seed=5)
    one = geotiff(tmp_path / "reference.tif", stored.astype(dtype), nodata=values[0])
    stored, prediction = with_nodata(PREDICTION % 3, values[1], seed=6)
    other = geotiff(tmp_path / "prediction.tif", stored.astype(dtype), nodata=values[1])
    result = scored(other, one)
    assert counted_by_the_rules(prediction, reference) == counts(result)
    assert {"ignore_label": 0, "nodata": int((reference == NONE).sum())} == result.excluded
    assert int((reference != NONE).sum()) == result.counted
    missed = int(((prediction == NONE) & (reference != NONE)).sum())
    assert any(f"{missed:,} pixels with nodata" in note for note in result.notes)


def test_one_files_nodata_may_be_the_others_label(tmp_path):
    """A value that is nodata in one file and a label in the other is taken by each file's own tag."""
    reference = np.array([[1, 1, 2, 2, 255, 255]], np.uint8)
    prediction = np.array([[1, 255, 2, 255, 1, 255]], np.uint8)
    one = geotiff(tmp_path / "reference.tif", reference, nodata=2)
    other = geotiff(tmp_path / "prediction.tif", prediction, nodata=255)
    expected = counted_by_the_rules(
        np.where(prediction == 255, NONE, prediction.astype(int)),
        np.where(reference == 2, NONE, reference.astype(int)),
    )
    result = scored(other, one)
    assert expected == counts(result)
    assert result.excluded["nodata"] == 2


def test_nodata_0_is_background_with_a_note(tmp_path):
    """A nodata value that is also the background label means background, and a note says so."""
    one = geotiff(tmp_path / "reference.tif", LABELS, nodata=0)
    other = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    result = scored(other, one)
    assert brute(PREDICTION, LABELS) == counts(result)
    assert result.excluded["nodata"] == 0
    for side in ("reference", "prediction"):
        assert any(note.startswith(f"{side}: nodata is 0") for note in result.notes)


def test_nodata_ignore_leaves_even_0_out(tmp_path):
    """With --nodata ignore a nodata value of 0 is nodata."""
    one = geotiff(tmp_path / "reference.tif", LABELS, nodata=0)
    other = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    prediction, reference = (np.where(each == 0, NONE, each.astype(int)) for each in (PREDICTION, LABELS))
    result = scored(other, one, nodata="ignore")
    assert counted_by_the_rules(prediction, reference) == counts(result)
    assert result.excluded["nodata"] == int((LABELS == 0).sum())


def test_nodata_background_makes_it_0(tmp_path):
    """With --nodata background nodata pixels of either file are background."""
    one_stored, one = with_nodata(LABELS, 255, seed=7)
    other_stored, other = with_nodata(PREDICTION, 254, seed=8)
    reference = geotiff(tmp_path / "reference.tif", one_stored.astype(np.uint8), nodata=255)
    prediction = geotiff(tmp_path / "prediction.tif", other_stored.astype(np.uint8), nodata=254)
    result = scored(prediction, reference, nodata="background")
    assert brute(np.where(other == NONE, 0, other), np.where(one == NONE, 0, one)) == counts(result)
    assert result.excluded["nodata"] == 0


def test_nodata_label_takes_it_as_any_other(tmp_path):
    """With --nodata label the nodata value is a label like any other."""
    stored, _ = with_nodata(LABELS, 200, seed=7)
    reference = geotiff(tmp_path / "reference.tif", stored.astype(np.uint8), nodata=200)
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION, nodata=0)
    result = scored(prediction, reference, nodata="label")
    assert brute(PREDICTION, stored) == counts(result)
    assert result.excluded["nodata"] == 0


def test_0_and_255_with_nodata_0(tmp_path):
    """A mask of 0 and 255 whose nodata value is 0 is binary like any other."""
    mask, other = (LABELS > 1).astype(np.uint8), (PREDICTION > 1).astype(np.uint8)
    reference = geotiff(tmp_path / "reference.tif", mask * 255, nodata=0)
    prediction = geotiff(tmp_path / "prediction.tif", other)
    assert brute(other, mask) == counts(scored(prediction, reference))


@pytest.mark.parametrize("text", [b"-99\0", b"nan\0", b"0.5\0", b"999\0", b"inf\0"], ids=str)
def test_a_nodata_value_that_the_type_cannot_hold_hides_nothing(tmp_path, text):
    """A nodata tag that no pixel can equal leaves every pixel in."""
    path = geotiff(tmp_path / "a.tif", LABELS, nodata=255)
    entry = struct.pack("<HHI", 42113, 2, 4)
    whole = path.read_bytes()
    assert whole.count(entry + b"255\0") == 1
    path.write_bytes(whole.replace(entry + b"255\0", entry + text))
    result = scored(path, geotiff(tmp_path / "b.tif", LABELS))
    assert brute(LABELS, LABELS) == counts(result)
    assert result.excluded["nodata"] == 0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_least_float_as_nodata(tmp_path, dtype):
    """-3.4e38, the usual nodata of float maps, is found in float32 and in float64."""
    value = float(np.finfo(np.float32).min)
    stored, reference = with_nodata(LABELS, value, seed=9)
    one = geotiff(tmp_path / "reference.tif", stored.astype(dtype), nodata=value)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert counted_by_the_rules(PREDICTION.astype(int), reference) == counts(result)


@pytest.mark.parametrize("value", [-9999.5, 1e-3])
def test_a_fractional_nodata_value_is_no_fraction_among_labels(tmp_path, value):
    """Nodata is taken out before anything asks whether the labels are integers."""
    stored, reference = with_nodata(LABELS, value, seed=9)
    one = geotiff(tmp_path / "reference.tif", stored.astype(np.float32), nodata=value)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert counted_by_the_rules(PREDICTION.astype(int), reference) == counts(result)


def test_nan_as_nodata(tmp_path):
    """Where the tag says NaN, NaN is nodata like any other value."""
    one_stored, one = with_nodata(LABELS, math.nan, seed=10)
    other_stored, other = with_nodata(PREDICTION, math.nan, seed=11)
    reference = geotiff(tmp_path / "reference.tif", one_stored.astype(np.float32), nodata=math.nan)
    prediction = geotiff(tmp_path / "prediction.tif", other_stored.astype(np.float32), nodata=math.nan)
    assert counted_by_the_rules(other, one) == counts(scored(prediction, reference))


def test_nan_without_a_tag_is_refused_unless_ignored(tmp_path):
    """NaN that no tag explains is an error that proposes --nodata ignore, which takes it for nodata."""
    stored, one = with_nodata(LABELS, math.nan, seed=10)
    reference = geotiff(tmp_path / "reference.tif", stored.astype(np.float32))
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION)
    with pytest.raises(NotLabels, match="NaN") as caught:
        scored(prediction, reference)
    assert "--nodata ignore" in caught.value.hint
    result = scored(prediction, reference, nodata="ignore")
    assert counted_by_the_rules(PREDICTION.astype(int), one) == counts(result)
    assert result.excluded["nodata"] == int((one == NONE).sum())


def test_another_nodata_value_does_not_excuse_nan(tmp_path):
    """NaN beside a nodata value of another kind is an error; --nodata ignore leaves out both."""
    stored, one = with_nodata(LABELS, -1, seed=12)
    stored = stored.astype(np.float32)
    stored[0, :5] = math.nan
    one[0, :5] = NONE
    reference = geotiff(tmp_path / "reference.tif", stored, nodata=-1)
    prediction = geotiff(tmp_path / "prediction.tif", PREDICTION)
    with pytest.raises(NotLabels, match="NaN"):
        scored(prediction, reference)
    result = scored(prediction, reference, nodata="ignore")
    assert counted_by_the_rules(PREDICTION.astype(int), one) == counts(result)


def test_nodata_everywhere(tmp_path):
    """A reference of nothing but nodata leaves no pixel, and a note says so."""
    one = geotiff(tmp_path / "reference.tif", np.full((50, 70), 255, np.uint8), nodata=255)
    result = scored(geotiff(tmp_path / "prediction.tif", PREDICTION), one)
    assert dict(counts(result)) == {}
    assert result.counted == 0
    assert result.excluded["nodata"] == LABELS.size
    assert any("no pixel" in note for note in result.notes)
