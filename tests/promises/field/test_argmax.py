"""Cases from the field: files of several channels, and what --argmax may be taken of."""

from __future__ import annotations

import math

import layered
import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from make import brute, counts, scored

import dicecli
from dicecli.errors import ManyVolumes, NotLabels, ShapeMismatch
from dicecli.masks.largest import largest_of, untied
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings

LABELS = make.blobs((7, 6, 5), 4)
OTHER = make.blobs((7, 6, 5), 4, seed=3)


def binary(labels, axis=-1):
    """Return one binary volume per class, without one of the background."""
    return np.stack([(labels == label).astype(np.uint8) for label in (1, 2, 3)], axis=axis)


def as_image(array):
    import nibabel

    return nibabel.Nifti1Image(array, np.eye(4))


@pytest.mark.parametrize("how", ["file", "image", "array"])
@pytest.mark.parametrize("full", [1, 255])
def test_one_binary_volume_per_class_with_argmax(tmp_path, how, full):
    """'4-D NIfTI with one binary volume per class; --argmax: ties go to channel 0' is refused; regions are right."""
    volumes = binary(OTHER) * np.uint8(full)
    path = make.nifti(tmp_path / "a.nii.gz", volumes)
    given_as = {"file": path, "image": as_image(volumes), "array": volumes}[how]
    reference = make.nifti(tmp_path / "r.nii.gz", LABELS)
    with pytest.raises(NotLabels) as caught:
        scored(given_as, reference, argmax=True)
    assert "leave out --argmax" in caught.value.hint
    if how == "array":  # which holds no binary layers
        return
    of_regions = scored(given_as, reference, regions={"a": [1], "b": [2], "c": [3]})
    expected = brute(OTHER, LABELS)
    assert list(layered.found(of_regions).values()) == [expected[label] for label in (1, 2, 3)]


def test_binary_channels_are_regions_that_may_overlap(tmp_path):
    """Two sides of overlapping binary volumes are compared volume by volume."""
    one, other = (layered.drawn((7, 6, 5), seed=seed) for seed in range(2))
    paths = [layered.written(tmp_path / f"{n}.nii.gz", each) for n, each in enumerate((one, other))]
    assert list(layered.found(scored(*paths)).values()) == layered.brute(one, other)


@pytest.mark.parametrize("how", ["file", "image"])
@pytest.mark.parametrize("axis", [0, 3])
def test_argmax_over_one_channel_is_refused(tmp_path, how, axis):
    """One score is the largest everywhere: all of it would be 0."""
    scores = (
        np.random.default_rng(0).random((1, 6, 5, 4)) if axis == 0 else np.ones((7, 6, 5, 1), np.float32) / 3
    )
    given_as = as_image(scores) if how == "image" else make.nifti(tmp_path / "a.nii.gz", scores)
    with pytest.raises(NotLabels):
        scored(given_as, given_as, argmax=True, channel_axis=axis)


def test_argmax_over_integer_label_maps_is_refused(tmp_path):
    """Two label maps in one file are no scores, also where they hardly tie, and where they are floats."""
    maps = np.stack([LABELS + 5, OTHER], axis=-1)
    for dtype in (np.uint8, np.int16, np.float32):
        stored = maps.astype(dtype)
        for given_as in (make.nifti(tmp_path / "a.nii", stored), as_image(stored), stored):
            _refused_as_labels(given_as)


def _refused_as_labels(given_as):
    with pytest.raises(NotLabels, match="whole numbers"):
        scored(given_as, given_as, argmax=True)


def test_integers_that_are_scores_are_taken(tmp_path):
    """One-hot volumes, and probabilities in bytes, have a largest one: their labels are right."""
    hot = np.stack([OTHER == label for label in range(4)], axis=-1)
    rng = np.random.default_rng(0)
    parts = rng.dirichlet((0.5,) * 4, OTHER.shape) * 0.5 + hot * 0.5
    reference = make.nifti(tmp_path / "r.nii", LABELS)
    for scores in (hot.astype(np.uint8), hot.astype(np.float32), np.rint(parts * 255).astype(np.uint8)):
        path = make.nifti(tmp_path / "a.nii", scores)
        assert counts(scored(path, reference, argmax=True)) == brute(OTHER, LABELS)
        assert counts(scored(scores, LABELS, argmax=True)) == brute(OTHER, LABELS)


def scores_with_ties(ties):
    """Return scores of 10,000 voxels, so many of which have two largest ones; the first of them is 1."""
    rng = np.random.default_rng(1)
    scores = rng.random((100, 10, 10, 3))
    flat = scores.reshape(-1, 3)
    flat[:ties] = (0.1, 0.8, 0.8)
    return scores


@pytest.mark.parametrize("is_scaled", [False, True])
def test_more_than_a_thousandth_of_ties_is_refused(tmp_path, is_scaled):
    """10 ties in 10,000 voxels go to the first of the two; 11 are refused, in files, images and `inspect`."""
    for ties in (10, 11):
        scores = scores_with_ties(ties)
        stored = np.rint(scores * 2**30).astype(np.int32) if is_scaled else scores
        path = make.nifti(tmp_path / "a.nii.gz", stored, slope=2.0**-30 if is_scaled else None)
        labels = scores.argmax(-1)
        found = inspect(str(path), make_settings(argmax=True))
        if ties == 10:
            assert counts(scored(path, make.nifti(tmp_path / "r.nii", labels), argmax=True)) == brute(
                labels, labels
            )
            assert found.error is None
            assert found.values == dict(enumerate(np.bincount(labels.ravel()).tolist()))
        else:
            for given_as in (path, as_image(scores)):
                with pytest.raises(NotLabels, match=r"in 0\.1% of its pixels") as caught:
                    scored(given_as, path, argmax=True)
            assert "leave out --argmax" in caught.value.hint
            assert found.error.name == "NotLabels"


@given(st.data())
@settings(max_examples=60)
def test_the_largest_by_brute_force(data):
    """Each pixel has the channel of its largest score; where several are the largest, -1 - the first of these."""
    shape = (*data.draw(st.lists(st.integers(1, 3), min_size=2, max_size=3)), data.draw(st.integers(2, 4)))
    number, values = math.prod(shape), st.sampled_from([0.25, 0.5, -1.5, 7.75])
    scores = np.array(data.draw(st.lists(values, min_size=number, max_size=number))).reshape(shape)
    is_reversed = data.draw(st.booleans())
    found = largest_of(scores, -1, "", is_reversed=is_reversed)
    for at in np.ndindex(shape[:-1]):
        row = [-each if is_reversed else each for each in scores[at].tolist()]
        first = row.index(max(row))
        assert found[at] == (first if row.count(max(row)) == 1 else -1 - first)


def test_ties_are_counted_in_the_whole_mask():
    """Of what each index means ties are the first channel's, as long as there are few of them."""
    assert untied({0: 998, 2: 1, -3: 1}, "") == {0: 0, 2: 2, -3: 2}
    with pytest.raises(NotLabels):
        untied({0: 997, 2: 1, -3: 2}, "")
    assert untied({}, "") == {}


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", None])
@pytest.mark.parametrize("lead", [1, 2])
def test_a_leading_axis_of_length_1_is_dropped(tmp_path, suffix, lead):
    """'(1, X, Y, Z) is read as (X, Y, Z)', where the header's place is that of the other three, with a note."""
    affine = np.diag([2.0, 3, 4, 1])
    stored = OTHER[(np.newaxis,) * lead][..., ::-1]
    turned = affine @ np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, -1, 4], [0, 0, 0, 1]])
    reference = make.nifti(tmp_path / "r.nii", LABELS, affine=affine)
    if suffix is None:
        import nibabel

        path = nibabel.Nifti1Image(stored, turned)
    else:
        path = make.nifti(tmp_path / f"a{suffix}", stored, affine=turned)
    found = scored(path, reference)
    assert counts(found) == brute(OTHER, LABELS)
    assert any("first axis has length 1" in note for note in found.notes)
    backwards = scored(reference, path)
    assert backwards.spacing == (2, 3, 4)
    assert backwards.sizes == {"mm3": 24}


def test_channels_on_the_first_axis_are_not_taken_for_others(tmp_path):
    """Binary volumes stored as (C, X, Y, Z) are refused until it is said which axis has them; then they are right."""
    paths = [make.nifti(tmp_path / f"{n}.nii.gz", binary(each, 0)) for n, each in enumerate((OTHER, LABELS))]
    with pytest.raises(ManyVolumes, match="channels on the first") as caught:
        scored(*paths)
    assert "--channel-axis 0" in caught.value.hint
    found = layered.found(scored(*paths, channel_axis=0))
    assert list(found.values()) == layered.brute(binary(OTHER, 0) > 0, binary(LABELS, 0) > 0)
    last = np.moveaxis(binary(OTHER, 0), 3, 0) > 0, np.moveaxis(binary(LABELS, 0), 3, 0) > 0
    assert list(layered.found(scored(*paths, channel_axis=3)).values()) == layered.brute(*last)


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", None])
def test_probabilities_on_the_first_axis(tmp_path, suffix):
    """A map (C, X, Y, Z) has an error that names --channel-axis 0, which scores it as the same map (X, Y, Z, C)."""
    rng = np.random.default_rng(0)
    maps = rng.dirichlet((1, 1, 1, 1), LABELS.shape).astype(np.float32)
    reference = make.nifti(tmp_path / "r.nii.gz", LABELS)
    first = np.moveaxis(maps, -1, 0)
    pair = [
        as_image(each) if suffix is None else make.nifti(tmp_path / f"{n}{suffix}", each)
        for n, each in enumerate((maps, first))
    ]
    with pytest.raises(ShapeMismatch) as caught:
        dicecli.soft(pair[1], reference)
    assert "--channel-axis 0" in caught.value.hint
    expected = dicecli.soft(pair[0], reference).averages
    assert dicecli.soft(pair[1], reference, channel_axis=0).averages == expected
