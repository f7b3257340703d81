"""The forms of soft Dice: published numbers, and one definition for floats, arrays and tensors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.records.probabilities import SMOOTH
from dicecli.statistics.soft.forms import FORMS, WEIGHTINGS, Sums, class_weights, generalised, standard

PUBLISHED = Sums(overlap=1.7, prediction=1.9, prediction_squared=1.47, reference=2.0)

sizes = st.lists(st.integers(0, 10**9), min_size=1, max_size=6)


def several(overlap, prediction, reference):
    """Put the sums of several classes into arrays."""
    return Sums(np.array(overlap), np.array(prediction), np.array(prediction), np.array(reference))


@pytest.mark.parametrize(
    ("form", "expected"),
    [("standard", 3.40001 / 3.90001), ("jaccard", 1.70001 / 2.20001), ("squared", 3.40001 / 3.47001)],
)
def test_every_form_gives_the_published_number(form, expected):
    """Vector 12: p = [0.9, 0.1, 0.8, 0.1], g = [1, 0, 1, 0], ε = 1e-5."""
    assert FORMS[form](PUBLISHED, 1e-5) == pytest.approx(expected, rel=1e-15)


def test_arrays_and_tensors_go_through_like_floats():
    """One definition: every form gives the same for a float, an array and a tensor."""
    torch = pytest.importorskip("torch")
    arrays = Sums(*(np.array([each, 2 * each]) for each in PUBLISHED))
    tensors = Sums(*(torch.tensor(each) for each in arrays))
    for form in FORMS.values():
        assert form(PUBLISHED, SMOOTH) == form(arrays, SMOOTH)[0] == float(form(tensors, SMOOTH)[0])
    for weighting in WEIGHTINGS:
        expected = float(generalised(arrays, SMOOTH, weighting))
        assert float(generalised(tensors, SMOOTH, weighting)) == pytest.approx(expected, rel=1e-15)
        stacked = Sums(*(torch.stack([each, each]) for each in tensors))
        assert generalised(stacked, SMOOTH, weighting).shape == (2,)


@pytest.mark.parametrize(("weighting", "power"), WEIGHTINGS.items())
def test_generalised_dice_by_hand(weighting, power):
    """The weights are 1/(Σg)^k; dividing them by the largest one changes nothing without ε."""
    overlap, prediction, reference = [30.0, 2.0], [50.0, 3.5], [40.0, 4.0]
    weights = [1 / size**power for size in reference]
    expected = (
        2
        * math.fsum(w * i for w, i in zip(weights, overlap, strict=True))
        / math.fsum(w * (p + g) for w, p, g in zip(weights, prediction, reference, strict=True))
    )
    assert generalised(several(overlap, prediction, reference), 0.0, weighting) == pytest.approx(
        expected, rel=1e-14
    )


@given(sizes)
def test_an_absent_class_gets_the_largest_weight(reference):
    """Weights lie in (0, 1], the smallest class and every absent one weigh 1, also where none is there."""
    array = np.array(reference, float)
    for weighting, power in WEIGHTINGS.items():
        weights = class_weights(array, weighting)
        there = [size for size in reference if size]
        for weight, size in zip(weights, reference, strict=True):
            expected = (min(there) / size) ** power if size else 1.0
            assert weight == pytest.approx(expected, rel=1e-12)
        assert weights.max() == 1


def test_one_class_alone_gives_the_standard_form():
    """With one class, every weighting is standard soft Dice with the same ε, however large the class."""
    for scale in (1.0, 1e3, 1e9):
        sums = several([1.7 * scale], [1.9 * scale], [2.0 * scale])
        for weighting in WEIGHTINGS:
            assert generalised(sums, SMOOTH, weighting) == standard(sums, SMOOTH)[0]


def test_generalised_dice_is_that_of_monai():
    """Without ε the loss is that of MONAI's GeneralizedDiceLoss, an absent class included."""
    monai_losses = pytest.importorskip("monai.losses")
    torch = pytest.importorskip("torch")
    generator = torch.Generator().manual_seed(0)
    probabilities = torch.softmax(torch.randn(1, 4, 9, 7, generator=generator, dtype=torch.float64), dim=1)
    index = torch.randint(0, 3, (1, 9, 7), generator=generator)  # class 3 is absent
    onehot = torch.nn.functional.one_hot(index, 4).movedim(-1, 1).double()
    sums = Sums(
        (probabilities * onehot).sum((2, 3)),
        probabilities.sum((2, 3)),
        (probabilities**2).sum((2, 3)),
        onehot.sum((2, 3)),
    )
    for weighting in WEIGHTINGS:
        theirs = monai_losses.GeneralizedDiceLoss(w_type=weighting, smooth_nr=0.0, smooth_dr=0.0)
        assert float(1 - generalised(sums, 0.0, weighting)) == pytest.approx(
            float(theirs(probabilities, onehot)), rel=1e-6
        )
