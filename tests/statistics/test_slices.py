"""How often labels meet in each slice, against what NumPy counts in one slice after the other."""

from __future__ import annotations

import nibabel
import numpy as np
import passes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.records.measurements import IMAGE
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import make_settings
from dicecli.statistics import slices
from dicecli.statistics.slices import Slices

SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(*[st.integers(1, 6)] * 3)


def counted(reference, prediction, kept):
    """Return how often each pair of labels meets in each slice of two masks, as cells in their order."""
    parts = [mask if mask.ndim > 2 else mask[..., None] for mask in (reference, prediction, kept)]
    found = []
    for at in range(parts[0].shape[-1]):
        pairs = np.stack([mask[..., at][parts[2][..., at]] for mask in parts[:2]])
        cells, pixels = np.unique(pairs, axis=1, return_counts=True)
        found += [(at, *cell, n) for cell, n in zip(cells.T.tolist(), pixels.tolist(), strict=True)]
    return found


def measured(prediction, reference, **options):
    """Return what a case has of slices, by row."""
    case = passes.case(prediction, reference)
    return measure_case(case, make_settings(per_slice=True, **options)).measured["slices"]


@given(SHAPES, st.integers(0, 10**6), st.sampled_from("CF"))
@settings(max_examples=40)
def test_every_slice_is_counted(shape, seed, order):
    """Along the last axis, however the array is stored; an image is one slice; ignored pixels are in none."""
    prediction, reference, options = passes.drawn("labels", shape, seed)
    prediction, reference = (np.asarray(mask, order=order) for mask in (prediction, reference))
    with passes.opened(prediction, reference, options) as (pair, known):
        found = passes.of_one_pass("slices", pair, known, options, pair.windows())
    assert list(found) == [IMAGE]
    prediction = np.where(prediction == 3, -1, prediction.astype(int))  # it is no label there
    expected = counted(reference.astype(int), prediction, reference != 3)
    assert [
        (at, row, -1 if column is None else column, n) for at, row, column, n in found[IMAGE].cells()
    ] == expected


def test_labels_of_any_number_and_none():
    """Places are of rows, whatever numbers the labels are; where the prediction has nodata, None stands."""
    rng = np.random.default_rng(3)
    prediction, reference = rng.choice([-5, 0, 300, 70_000], (2, 4, 5, 6))
    (found,) = measured(np.ma.masked_equal(prediction, 300), reference).values()
    expected = {
        (at, row, None if column == 300 else column, n)
        for at, row, column, n in counted(reference, prediction, np.ones(reference.shape, bool))
    }
    assert set(found.cells()) == expected
    found.check()


def test_binary_layers_have_slices_of_their_own():
    """Each layer is counted as 1 inside and 0 outside, whatever the others have there."""
    rng = np.random.default_rng(4)
    prediction, reference = rng.integers(0, 2, (2, 5, 4, 3, 2), np.uint8)
    images = [nibabel.Nifti1Image(each, np.eye(4)) for each in (prediction, reference)]
    found = measured(*images, regions={"whole": [1, 2], "core": [2]})
    assert [row.name for row in found] == ["whole", "core"]
    for layer, each in enumerate(found.values()):
        masks = reference[..., layer], prediction[..., layer]
        assert list(each.cells()) == counted(*masks, np.ones(masks[0].shape, bool))


def test_cells_that_stand_twice_are_added_up(monkeypatch):
    """Of windows that cut slices into many pieces no more is kept than there is."""
    rng = np.random.default_rng(5)
    prediction, reference = rng.integers(0, 3, (2, 40, 4, 5), np.uint8)
    monkeypatch.setattr(slices, "_MANY", 50)
    options = make_settings()
    with passes.opened(prediction, reference, options) as (pair, known):
        windows = [(slice(at, at + 1), slice(0, 4), slice(0, 5)) for at in range(40)]
        state = passes.state("slices", pair, known, options, windows)
        assert len(state.sums(0)) == 45
        assert sum(map(len, state.cells[0])) <= 90 + 45
        ((_, found),) = slices.done(state, known)
    assert list(found.cells()) == counted(reference, prediction, np.ones(reference.shape, bool))


@pytest.mark.parametrize(
    ("cells", "said"),
    [
        (((0,), (1, 2), (1, 2), (5, 5)), "unlike length"),
        (((0, 0), (1, 1), (1, 1), (5, 5)), "twice in a slice, or in no order"),
        (((1, 0), (1, 1), (1, 1), (5, 5)), "twice in a slice, or in no order"),
        (((0, 0), (1, 1), (1, None), (5, 5)), "twice in a slice, or in no order"),
        (((0,), (1,), (1,), (0,)), "no pixel"),
    ],
)
def test_slices_that_contradict_themselves_are_refused(cells, said):
    """Of unlike lengths, a pair twice or out of order, and one that meets nowhere."""
    with pytest.raises(ValueError, match=said):
        Slices(*cells).check()


def test_a_slice_beyond_the_mask_is_refused():
    """A mask has as many as its last axis is long; an image has one."""
    found = Slices((2,), (1,), (1,), (5,))
    found.check_shape((9, 9, 3))
    for shape in ((9, 9, 2), (9, 9)):
        with pytest.raises(ValueError, match="slice 2 of"):
            found.check_shape(shape)
