"""Values of NIfTI masks: exact labels from every type and scaling, or an error."""

from __future__ import annotations

import math

import numpy as np
import pytest
from make import blobs, brute, counts, nifti, patched, read, scored

from dicecli.errors import (
    BadHeader,
    CaseError,
    NotLabels,
)

LABELS = blobs((7, 6, 5), 4)
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
ONE_FILE = [".nii", ".nii.gz"]


# Integers.


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_type_is_exact(tmp_path, dtype, endianness):
    """The labels of every integer type come back as they are, at both ends of its range and in any byte order."""
    ends = np.iinfo(dtype)
    labels = LABELS.astype(dtype)
    # The least of 64 bits is what a cast makes of NaN, and labels have 63 bits: both have tests of their own.
    labels[0, 0, 0] = max(ends.min, -(2**63) + 1)
    labels[1, 0, 0] = min(ends.max, 2**63 - 1)
    path = nifti(tmp_path / "a.nii", labels, endianness=endianness)
    assert labels.tolist() == read(path).tolist()


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_labels_beyond_a_byte_are_exact(tmp_path, suffix):
    """Labels 256, -1 and 2^31 in wider types are counted as themselves, not modulo anything."""
    reference = LABELS.astype(np.int64)
    reference[0] = np.array([256, -1, 2**31, 2**53 + 1, -(2**40)])
    prediction = np.where(LABELS == 2, -1, reference)
    one = nifti(tmp_path / f"reference{suffix}", reference)
    other = nifti(tmp_path / f"prediction{suffix}", prediction)
    assert brute(prediction, reference) == counts(scored(other, one))


def test_labels_beyond_63_bits_are_refused(tmp_path):
    """A uint64 that no int64 holds is an error that shows it, not a negative label."""
    labels = LABELS.astype(np.uint64)
    labels[2, 2, 2] = 2**63
    with pytest.raises(NotLabels, match="9223372036854775808"):
        read(nifti(tmp_path / "a.nii", labels))


def test_the_least_integer_is_refused(tmp_path):
    """-2^63, which casts make of NaN, is an error: it must not be taken for "no label" and left out."""
    labels = LABELS.astype(np.int64)
    labels[2, 2, 2] = -(2**63)
    path = nifti(tmp_path / "a.nii", labels)
    good = nifti(tmp_path / "b.nii", LABELS)
    for pair in ((path, good), (good, path)):
        with pytest.raises(NotLabels):
            scored(*pair)


# Scaling.


@pytest.mark.parametrize(
    ("slope", "inter"), [(1, 0), (0, 0), (0, 7), (math.nan, 0), (math.nan, math.nan), (math.nan, 3)]
)
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_no_scaling(tmp_path, suffix, slope, inter):
    """Slope 1 with intercept 0 is no scaling; a slope of 0 or NaN means that there is none, as the format says."""
    path = patched(nifti(tmp_path / f"a{suffix}", LABELS), scl_slope=slope, scl_inter=inter)
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize(("slope", "inter"), [(2, 0), (1, 1), (3, -4), (-1, 3)])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_integer_scaling_is_exact(tmp_path, suffix, slope, inter):
    """An integer slope and intercept give exact integer labels."""
    path = nifti(tmp_path / f"a{suffix}", LABELS, slope=slope, inter=inter)
    assert (LABELS.astype(int) * slope + inter).tolist() == read(path).tolist()


@pytest.mark.parametrize(
    ("step", "slope"), [(2, 0.5), (10, 0.1), (255 // 3, 3 / 255), (1, 0.9999999), (1, 1.001)]
)
def test_fractional_scaling_onto_integers_is_accepted(tmp_path, step, slope):
    """A fractional slope that leads to integers, up to the rounding of float32, gives those labels."""
    path = nifti(tmp_path / "a.nii.gz", LABELS * np.uint8(step), slope=slope)
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize("slope", [0.5, 1 / 3, 1.1])
def test_fractional_scaling_off_integers_is_refused(tmp_path, slope):
    """Labels that a slope turns into fractions are an error, never rounded or cut: {0, 1, 7} is not {0, 6}."""
    path = nifti(tmp_path / "a.nii", LABELS, slope=slope)
    with pytest.raises(NotLabels, match="not all integers"):
        read(path)


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_the_largest_residual_of_the_whole_file_is_shown(tmp_path, suffix):
    """The error over fractions shows the largest distance from an integer of the file, not of its first part."""
    stored = np.zeros((1024, 1024, 5), np.uint8)
    stored[0, 0, 0] = 11
    stored[5, 5, 4] = 24
    path = nifti(tmp_path / f"a{suffix}", stored, slope=0.1)
    with pytest.raises(NotLabels, match=r"0\.4\b"):
        read(path)


@pytest.mark.parametrize(("slope", "inter"), [(2.0**60, 0), (1e30, 0), (1, 1e30), (-1e30, 1e30)])
def test_scaling_out_of_64_bits_is_refused(tmp_path, slope, inter):
    """A scaling that leads out of 64 bits is an error; nothing wraps, and nothing ends in a traceback."""
    path = nifti(tmp_path / "a.nii", LABELS * np.uint8(60), slope=slope, inter=inter)
    with pytest.raises(CaseError):
        read(path)


@pytest.mark.parametrize(("slope", "inter"), [(math.inf, 0), (-math.inf, 0), (2, math.inf), (2, math.nan)])
def test_an_infinite_scaling_is_a_bad_header(tmp_path, slope, inter):
    """A scaling that is no number is BadHeader."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), scl_slope=slope, scl_inter=inter)
    with pytest.raises(BadHeader):
        read(path)


# Floats.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_floats_next_to_integers_are_labels(tmp_path, suffix, dtype):
    """0.9999999 is 1, -0.0 is 0, and anything at most 0.01 away from an integer is that integer."""
    values = LABELS.astype(dtype)
    values[:, :, 0] = np.array([0.9999999, -0.0, 1.0099, 2.9901, -0.0099, 300.0])
    expected = LABELS.astype(int)
    expected[:, :, 0] = np.array([1, 0, 1, 3, 0, 300])
    assert expected.tolist() == read(nifti(tmp_path / f"a{suffix}", values)).tolist()


@pytest.mark.parametrize("value", [0.5, 0.0101, 0.98, math.nan, math.inf, -math.inf, 1e300])
def test_floats_that_are_no_labels_are_refused(tmp_path, value):
    """Fractions, NaN, infinity and numbers beyond 64 bits are errors wherever they stand."""
    values = LABELS.astype(np.float64)
    values[6, 5, 4] = value
    with pytest.raises(NotLabels):
        read(nifti(tmp_path / "a.nii.gz", values))


def test_the_threshold_reaches_the_format(tmp_path):
    """A threshold makes a probability map a mask."""
    values = np.random.default_rng(8).random((7, 6, 5))
    path = nifti(tmp_path / "a.nii.gz", values)
    result = scored(path, nifti(tmp_path / "b.nii", (values >= 0.5).astype(np.uint8)), threshold=0.5)
    assert brute(values >= 0.5, values >= 0.5)[1] == counts(result)[1]
