"""Ignored pixels count nowhere: not in a loss, its gradient or its checks, and not in soft scores."""

from __future__ import annotations

import itertools
import json

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import NotLabels, UnknownLabel, UsageError

torch = pytest.importorskip("torch", reason="torch is not installed")

from dicecli.losses import (  # noqa: E402 - without torch there is nothing to import
    DiceCELoss,
    DiceLoss,
    GeneralizedDiceLoss,
    dice_ce_loss,
    dice_loss,
)

KINDS = [("softmax", 3), ("sigmoid", 3), ("sigmoid", 1), ("none", 3), ("none", 1)]
MODULES = (DiceLoss, GeneralizedDiceLoss, DiceCELoss)
GARBAGE = (7.0, -3.0, torch.inf, -torch.inf, torch.nan, 1e38)
TYPES = (torch.float16, torch.bfloat16, torch.float32, torch.float64)


def task(activation, classes, shape, seed):
    """Make predictions (float64) of two images, labels of all classes but the last, and what is ignored."""
    numbers = torch.Generator().manual_seed(seed)
    prediction = torch.rand((2, classes, *shape), generator=numbers, dtype=torch.float64)
    if activation != "none":
        prediction = 8 * prediction - 4
    elif classes > 1:
        prediction = prediction / prediction.sum(1, keepdim=True)
    labels = torch.randint(0, 2, (2, *shape), generator=numbers)
    return prediction, labels, torch.rand((2, *shape), generator=numbers) < 0.4


def references(labels, ignored, classes, garbage):
    """Yield references and their ignore label: labels, and one-hot with garbage in the channels of other classes."""
    yield labels.masked_fill(ignored, 255), 255
    if classes > 1:
        hot = torch.stack([(labels == 0), (labels == 1), ignored], 1).float()
        hot[:, :2].masked_fill_(ignored[:, None], garbage)
        yield hot, 2


def graded(loss, prediction, reference):
    """Return a loss and its gradient."""
    leaf = prediction.detach().requires_grad_()
    value = loss(leaf, reference)
    return value.detach(), torch.autograd.grad(value, leaf)[0]


def laid(values, layout):
    """Lay a tensor out in memory in one way or another."""
    if layout == "transposed":
        return values.transpose(1, 2).contiguous().transpose(1, 2)
    return values.repeat_interleave(2, -1)[..., ::2] if layout == "every second" else values


@settings(max_examples=40)
@given(
    kind=st.sampled_from(KINDS),
    module=st.sampled_from(MODULES),
    shape=st.sampled_from([(3, 4), (2, 3, 2)]),
    dtype=st.sampled_from(TYPES),
    is_all=st.sampled_from(["some", "an image", "everything"]),
    layout=st.sampled_from(["contiguous", "transposed", "every second"]),
    half=st.sampled_from([None, torch.bfloat16, torch.float16]),
    options=st.fixed_dictionaries(
        {
            "imagewise": st.booleans(),
            "include_background": st.booleans(),
            "smooth": st.sampled_from([0, 1e-5]),
        }
    ),
    averaging=st.sampled_from(["macro", "micro", "weighted"]),
    weights=st.sampled_from([None, [1, 0, 0], [0, 1, 2]]),
    seed=st.integers(0, 999),
)
def test_ignored_pixels_count_nowhere(
    kind, module, shape, dtype, is_all, layout, half, options, averaging, weights, seed
):
    """Finite, the same bit for bit whatever lies in ignored pixels of both sides, and with no gradient there."""
    (activation, classes), first = kind, seed % len(GARBAGE)
    prediction, labels, ignored = task(activation, classes, shape, seed)
    ignored |= {"some": False, "everything": True}.get(
        is_all, torch.arange(2).view(2, *[1] * len(shape)) == 0
    )
    garbage = torch.tensor((GARBAGE[first:] + GARBAGE[:first]) * prediction.numel())[: prediction.numel()]
    everywhere = ignored[:, None].expand_as(prediction)
    clean = laid(prediction.masked_fill(everywhere, 0).to(dtype), layout)
    spoilt = laid(torch.where(everywhere, garbage.view_as(prediction), prediction).to(dtype), layout)
    if module is not GeneralizedDiceLoss:
        options = options | {"averaging": averaging}
        if weights and classes > 1:
            options["class_weights"] = weights
    for (right, label), (wrong, _) in zip(
        references(labels, ignored, classes, 0),
        references(labels, ignored, classes, GARBAGE[first]),
        strict=True,
    ):
        loss = module(activation=activation, ignore_label=label, **options)
        expected = graded(loss, clean, right)
        with torch.autocast("cpu", dtype=half or torch.bfloat16, enabled=half is not None):
            found = graded(loss, spoilt, wrong)
        assert all(each.isfinite().all() for each in expected)
        assert torch.equal(expected[0], found[0])
        assert torch.equal(expected[1], found[1])
        assert 0 == found[1][everywhere].abs().max() if ignored.any() else True


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(("activation", "classes"), KINDS)
def test_it_is_the_loss_without_those_pixels(activation, classes, module):
    """Value and gradient are those of a batch from which the ignored pixels, or the whole image, were cut."""
    prediction, labels, _ = task(activation, classes, (6, 5), 1)
    spoilt = prediction.clone()
    spoilt[0], spoilt[1, :, :, 3:] = torch.nan, 7
    void = labels.clone()
    void[0], void[1, :, 3:] = 255, 255
    for imagewise in (False, True):
        loss = module(activation=activation, ignore_label=255, imagewise=imagewise)
        value, slopes = graded(loss, spoilt, void)
        cut, rest = graded(loss, prediction[1:, :, :, :3], labels[1:, :, :3])
        assert cut.item() == pytest.approx(value.item(), abs=1e-12)
        assert (rest - slopes[1:, :, :, :3]).abs().max() < 1e-12
        nothing, slopes = graded(loss, spoilt[:1], void[:1])
        assert (0, 0) == (nothing, slopes.abs().max())


@pytest.mark.parametrize("averaging", ["macro", "micro", "weighted"])
@pytest.mark.parametrize(("activation", "classes"), [kind for kind in KINDS if kind[1] > 1])
def test_class_weights_of_the_background_alone_and_no_background(activation, classes, averaging):
    """`class_weights=[1,0,0]` without background: finite. Nothing weighs anything: Dice loss 0, without a gradient."""
    prediction, labels, _ = task(activation, classes, (3, 4), 2)
    options = {"class_weights": [1, 0, 0], "activation": activation}
    for smooth, imagewise in itertools.product((0, 1e-5), (False, True)):
        loss = DiceLoss(
            include_background=False, averaging=averaging, smooth=smooth, imagewise=imagewise, **options
        )
        value, slopes = graded(loss, prediction, labels)
        assert (0, 0) == (value, slopes.abs().max())
        assert loss(torch.full_like(prediction, torch.nan), labels).isnan()
    both = dice_ce_loss(prediction, labels, include_background=False, averaging=averaging, **options)
    assert both == dice_ce_loss(prediction, labels, dice_weight=0, **options)


def test_what_is_wrong_is_said_of_pixels_that_count():
    """Errors show labels and values that lie where nothing is ignored, and those alone."""
    hot = torch.tensor([[[0.0, 9, 5], [1, 0, 0], [0, 1, 0]]])
    with pytest.raises(NotLabels, match="holds 5, and"):
        dice_loss(torch.rand(1, 3, 3), hot, ignore_label=2)
    with pytest.raises(NotLabels, match="holds 2, and"):
        dice_loss(torch.rand(1, 3, 2), torch.tensor([[[0.0, 2], [1, 0], [0, 0]]]), ignore_label=2)
    with pytest.raises(UsageError, match=r"from 0\.5 to 3:"):
        dice_loss(torch.tensor([[[0.5, 7, 3, torch.nan]]]), torch.tensor([[0, 255, 1, 1]]), ignore_label=255)


@pytest.mark.parametrize(
    ("dtype", "value", "label"),
    [
        (torch.uint8, 44, 300),
        (torch.int8, -1, 255),
        (torch.uint64, 2**64 - 1, -1),
        (torch.float16, 2048, 2049),
        (torch.float32, 2**24, 2**24 + 1),
    ],
)
def test_a_label_that_is_no_other_modulo_something(dtype, value, label):
    """What the reference's type cannot hold is none of its labels: nothing is ignored that was not meant."""
    reference = torch.tensor([[0, 1, value]], dtype=dtype)
    with pytest.raises(NotLabels, match=f"holds {value}, and"):
        dice_loss(torch.rand(1, 1, 3), reference, ignore_label=label)
    if not dtype.is_floating_point:
        with pytest.raises(UnknownLabel, match=f"channel: {value};"):
            dice_loss(torch.rand(1, 2, 3), reference, ignore_label=label)
    right = dice_loss(
        torch.rand(1, 1, 3), reference, ignore_label=value if value < 2**63 else None, validate=False
    )
    assert right.isfinite() == (value < 2**63)


def test_labels_beyond_64_bits_are_none():
    """An ignore label that no type of torch holds is an error where it is given."""
    assert dice_loss(torch.rand(1, 1, 2), torch.tensor([[0, -(2**63)]]), ignore_label=-(2**63)).isfinite()
    for label in (2**63, -(2**63) - 1):
        with pytest.raises(UsageError, match="64 bits"):
            DiceLoss(ignore_label=label)


@pytest.mark.parametrize("smooth", [0, 1e-45, 1e-320])
def test_a_class_that_is_nowhere_has_finite_gradients(smooth):
    """However small ε and the probabilities are, one-hot references without the class make no NaN."""
    for module in MODULES:
        loss = module(activation="sigmoid", smooth=smooth)
        _, slopes = graded(loss, torch.full((1, 2, 9), -100.0), torch.zeros(1, 2, 9))
        assert slopes.isfinite().all()


@pytest.mark.parametrize("logits", [None, "sigmoid", "softmax"])
def test_soft_scores_of_ignored_pixels(logits, tmp_path):
    """What lies under an ignored label or beyond `--within` is in no check and no number of soft scores either."""
    prediction, labels, ignored = (each[0].numpy() for each in task(logits or "none", 3, (6, 7), 4))
    garbage = np.resize(np.array(GARBAGE, "f4"), prediction.shape)
    clean, spoilt = (np.where(ignored, each, prediction).astype("f4") for each in (1 / 3, garbage))
    options = {"logits": logits, "channel_axis": 0}
    void = np.where(ignored, 255, labels).astype("u1")
    make.png(tmp_path / "field.png", (~ignored).astype("u1"))
    for reference, more in ((void, {"ignore_label": 255}), (labels, {"within": tmp_path / "field.png"})):
        found = [dicecli.soft(each, reference, **options, **more).to_dict() for each in (clean, spoilt)]
        one, other = (json.dumps([each["cases"], each["summary"]]) for each in found)
        assert one == other
    evaluators = [dicecli.Evaluator(soft=True, ignore_label=255, **options) for _ in range(2)]
    for evaluator, each in zip(evaluators, (clean, spoilt), strict=True):
        evaluator.update(each, void)
    one, other = (each.compute().to_dict()["cases"] for each in evaluators)
    assert one == other
