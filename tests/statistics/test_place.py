"""Where labels lie, against coordinates that are written down one by one."""

from __future__ import annotations

import numpy as np
import passes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.records.measurements import Row
from dicecli.statistics.place import Places

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(*[st.integers(1, 6)] * 3)


def placed(mask):
    """Return the number of pixels and the sums of their coordinates."""
    at = np.argwhere(mask)
    return len(at), tuple(at.sum(axis=0).tolist()) if len(at) else ()


def expected(reference, prediction):
    """Return where two binary masks lie."""
    (n, of_reference), (m, of_prediction) = placed(reference), placed(prediction)
    return Places(n, m, of_reference, of_prediction)


@given(SHAPES, st.integers(0, 10**6), st.sampled_from([0, 3]), st.sampled_from("CF"))
@settings(max_examples=60)
def test_coordinates_are_added_up(shape, seed, common, order):
    """Of each label and region, without pixels whose reference is ignored, however common one label is."""
    prediction, reference, options = passes.drawn("labels", shape, seed)
    rng = np.random.default_rng(seed)
    prediction, reference = (
        np.asarray(np.where(rng.random(shape) < 0.7, common, mask), np.uint8, order=order)
        for mask in (prediction, reference)
    )
    with passes.opened(prediction, reference, options) as (pair, known):
        found = passes.of_one_pass("place", pair, known, options, pair.windows())
    kept = reference != 3
    for row, each in found.items():
        inside = [np.isin(mask, row.members) & kept for mask in (reference, prediction)]
        assert each == expected(*inside)
    assert {row.label for row in found if row.kind == "label"} == {
        *np.unique(reference[kept]),
        *(np.unique(prediction[kept]).tolist() if kept.any() else ()),
    } - {3}
    assert Row("region", None, "both", (1, 2)) in found


def test_a_label_beyond_8_bits_and_a_negative_one():
    """Places are of rows, whatever numbers the labels are."""
    reference = np.array([[-5, 70_000, 70_000], [0, 0, -5]])
    prediction = np.array([[-5, -5, 70_000], [0, 300_000, 0]])
    report = dicecli.score(prediction, reference, metrics="centre_distance")
    found = {row.label: each for row, each in report.results[0].measured["place"].items()}
    for label, each in found.items():
        assert each == expected(reference == label, prediction == label)


@pytest.mark.parametrize("wrong", [(1, 0, (), ()), (0, 0, (1,), ()), (2, 2, (1, 1), (1,)), (0, 3, (), ())])
def test_sums_that_contradict_each_other_are_refused(wrong):
    """Coordinates of no pixel, pixels without coordinates, and sides of unlike dimensions are no place."""
    with pytest.raises(ValueError, match="coordinates"):
        Places(*wrong).check()


def test_binary_layers_have_places_of_their_own(tmp_path):
    """Layers may overlap: each lies where it lies."""
    import nibabel

    rng = np.random.default_rng(0)
    sides = [(rng.random((6, 5, 4, 3)) < 0.4).astype(np.uint8) for _ in range(2)]
    for name, side in zip(("p", "r"), sides, strict=True):
        nibabel.Nifti1Image(side, np.eye(4)).to_filename(tmp_path / f"{name}.nii.gz")
    report = dicecli.score(tmp_path / "p.nii.gz", tmp_path / "r.nii.gz", metrics="centre_distance")
    found = list(report.results[0].measured["place"].values())
    assert found == [expected(sides[1][..., at], sides[0][..., at]) for at in range(3)]
