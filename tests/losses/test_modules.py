"""The Dice losses: their numbers, their gradients, and what they refuse."""

from __future__ import annotations

import importlib.util
import itertools

import numpy as np
import places
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.errors import NotLabels, ShapeMismatch, UnknownLabel, UnknownName, UsageError

torch = pytest.importorskip("torch", reason="torch is not installed")

from dicecli.losses import (  # noqa: E402 - without torch there is nothing to import
    DiceCELoss,
    DiceLoss,
    GeneralizedDiceLoss,
    dice_ce_loss,
    dice_loss,
    generalized_dice_loss,
    references,
    statistic,
)

FORMS = ("standard", "jaccard", "squared")
AVERAGINGS = ("macro", "micro", "weighted")
KINDS = [("softmax", 3), ("sigmoid", 3), ("sigmoid", 1), ("none", 3), ("none", 1)]
MODULES = (DiceLoss, GeneralizedDiceLoss, DiceCELoss)


def batch(activation, classes, shape=(3, 4), seed=0, images=2):
    """Make a prediction (float64) and labels from a seed; probabilities stay away from 0 and 1."""
    numbers = torch.Generator().manual_seed(seed)
    prediction = torch.rand((images, classes, *shape), generator=numbers, dtype=torch.float64)
    if activation == "none":
        prediction = 0.05 + 0.9 * prediction
        prediction = prediction / prediction.sum(1, keepdim=True) if classes > 1 else prediction
    else:
        prediction = 8 * prediction - 4
    labels = torch.randint(0, max(2, classes), (images, *shape), generator=numbers)
    return prediction.requires_grad_(), labels


def one_hot(labels, classes):
    """Give each class a channel; one channel is label 1."""
    if classes == 1:
        return labels.unsqueeze(1)
    return torch.stack([labels == each for each in range(classes)], 1)


def plain(
    prediction, labels, *, activation, form, averaging, imagewise, class_weights, ignore_label, ce_weight
):
    """Compute the loss in the plainest way, with torch's own gradient: the reference for what follows."""
    classes = prediction.shape[1]
    is_counted = (labels != ignore_label).unsqueeze(1)
    g = one_hot(labels, classes).masked_fill(~is_counted, 0).to(prediction.dtype)
    p = {"none": lambda x: x, "sigmoid": torch.sigmoid, "softmax": lambda x: x.softmax(1)}[activation](
        prediction
    )
    w = torch.tensor(class_weights, dtype=p.dtype)
    wide = w[:, None, None]
    if activation == "sigmoid" or classes == 1:
        each = -(g * p.log() + (1 - g) * (1 - p).log()) * is_counted
        cross = (each * wide).sum() / (is_counted * wide.expand_as(g)).sum()
    else:
        cross = (-g * p.log() * wide).sum() / (g * wide).sum()
    p = p * is_counted
    axes = (2, 3) if imagewise else (0, 2, 3)
    overlap, size_p, size_p2, size_g = (each.sum(axes) for each in (p * g, p, p * p, g))
    if averaging == "micro":
        overlap, size_p, size_p2, size_g = (
            (each * w / w.mean()).sum(-1) for each in (overlap, size_p, size_p2, size_g)
        )
    e = 1e-5
    ratio = {
        "standard": (2 * overlap + e) / (size_p + size_g + e),
        "jaccard": (overlap + e) / (size_p + size_g - overlap + e),
        "squared": (2 * overlap + e) / (size_p2 + size_g + e),
    }[form]
    if averaging != "micro":
        heavy = w * size_g if averaging == "weighted" else w.expand_as(ratio)
        ratio = (ratio * heavy).sum(-1) / heavy.sum(-1)
    return 1 - ratio.mean() + ce_weight * cross


def gradient(loss, prediction):
    """Return the gradient of a loss."""
    return torch.autograd.grad(loss, prediction)[0]


# --- Numbers ------------------------------------------------------------------------------------------------

P, G = [0.9, 0.1, 0.8, 0.1], [1, 0, 1, 0]
PUBLISHED = {"standard": 3.40001 / 3.90001, "jaccard": 1.70001 / 2.20001, "squared": 3.40001 / 3.47001}


@pytest.mark.parametrize("form", FORMS)
def test_published_numbers(form):
    """Four pixels with sums known by hand give the published soft Dice in each form."""
    prediction = torch.tensor(P, dtype=torch.float64).reshape(1, 1, 2, 2)
    loss = dice_loss(prediction, torch.tensor(G).reshape(1, 2, 2), form=form)
    assert 1 - PUBLISHED[form] == pytest.approx(loss.item(), abs=1e-15)


def test_published_gradient():
    """The gradient of the standard loss at pixel k is (I - 2 g S)/S², with S = Σp + Σg + ε and I = 2Σpg + ε."""
    prediction = torch.tensor(P, dtype=torch.float64).reshape(1, 1, 4).requires_grad_()
    size, overlap = 1.9 + 2 + 1e-5, 2 * 1.7 + 1e-5
    expected = [(overlap - 2 * g * size) / size**2 for g in G]
    actual = gradient(dice_loss(prediction, torch.tensor([G])), prediction)
    assert expected == pytest.approx(actual.flatten().tolist(), abs=1e-15)


@settings(max_examples=40)
@given(
    masks=st.lists(st.tuples(st.integers(0, 2), st.integers(0, 2)), min_size=1, max_size=30),
    averaging=st.sampled_from(["macro", "micro"]),
)
def test_certain_probabilities_give_hard_dice(masks, averaging):
    """With probabilities of 0 and 1 and ε = 0, the loss is 1 - Dice of the command, the empty classes being 1."""
    prediction, reference = (np.array(each) for each in zip(*masks, strict=True))
    report = dicecli.score(prediction, reference, undefined="one", include_background=True)
    certain = one_hot(torch.from_numpy(prediction)[None], 3).double()
    loss = dice_loss(certain, torch.from_numpy(reference)[None], smooth=0, averaging=averaging)
    present = {row.label: row.values["dice"] for case in report.cases() for row in case.labels}
    if averaging == "macro":
        expected = sum(present.get(label, 1) for label in range(3)) / 3
    else:
        expected = report.averages["micro"]["dice"].value
    assert 1 - expected == pytest.approx(loss.item(), abs=1e-12)


@pytest.mark.parametrize(("activation", "classes"), [kind for kind in KINDS if kind[1] > 1])
@pytest.mark.parametrize("background", [True, False])
def test_losses_are_those_of_the_command(activation, classes, background):
    """On the same values, every loss is the one that ``dicecli soft`` reports."""
    prediction, labels = batch(activation, classes, images=1)
    logits = None if activation == "none" else activation
    values, masks = prediction.detach()[0].permute(1, 2, 0).numpy(), labels[0].numpy()
    channels = {"channels": [str(each) for each in range(classes)], "include_background": background}
    report = dicecli.soft(values, masks, logits=logits, **channels)
    options = {"activation": activation, "include_background": background}
    for form, averaging in itertools.product(FORMS, ("macro", "micro")):
        expected = report.averages[averaging][f"loss_{form}"].value
        actual = dice_loss(prediction, labels, form=form, averaging=averaging, **options)
        assert expected == pytest.approx(actual.item(), abs=1e-12)
    overall = report.overall
    for weighting in ("square", "simple", "uniform"):
        actual = 1 - generalized_dice_loss(prediction, labels, weighting=weighting, **options)
        assert overall[f"generalised_dice_{weighting}"] == pytest.approx(actual.item(), abs=1e-12)
    cross = dice_ce_loss(prediction, labels, dice_weight=0, **options)
    assert overall["overall_cross_entropy"] == pytest.approx(cross.item(), abs=1e-12)
    both = dice_ce_loss(prediction, labels, **options)
    assert overall["overall_dice_ce"] == pytest.approx(both.item(), abs=1e-12)


@pytest.mark.parametrize(("activation", "classes"), KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_value_and_gradient_are_those_of_the_plain_way(activation, classes, form):
    """Whatever is averaged, weighed, ignored and added, they are what torch finds where it is written out plainly."""
    prediction, labels = batch(activation, classes)
    labels[0, 0, :2] = 9
    weights = [0.5, 2.0, 1.0][:classes]
    for averaging, imagewise, ce_weight in itertools.product(AVERAGINGS, (False, True), (0.0, 0.7)):
        options = {
            "form": form,
            "activation": activation,
            "averaging": averaging,
            "imagewise": imagewise,
            "class_weights": weights,
            "ignore_label": 9,
        }
        expected = plain(prediction, labels, ce_weight=ce_weight, **options)
        if ce_weight:
            actual = dice_ce_loss(prediction, labels, ce_weight=ce_weight, **options)
        else:
            actual = dice_loss(prediction, labels.unsqueeze(1), **options)
        assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
        assert (gradient(expected, prediction) - gradient(actual, prediction)).abs().max() < 1e-12


@pytest.mark.parametrize(("activation", "classes"), KINDS)
@pytest.mark.parametrize("form", FORMS)
def test_gradient_is_that_of_finite_differences(activation, classes, form):
    """Moving each value a little moves the loss as the gradient says, in float64."""
    prediction, labels = batch(activation, classes)
    temperature = 1.0 if activation == "none" else 1.7

    def loss(values):
        return dice_ce_loss(values, labels, form=form, activation=activation, temperature=temperature)

    assert torch.autograd.gradcheck(loss, prediction)
    assert torch.autograd.gradcheck(
        lambda x: dice_loss(x, labels, form=form, activation=activation), prediction
    )


@pytest.mark.parametrize("weighting", ["square", "simple", "uniform"])
@pytest.mark.parametrize("imagewise", [False, True])
def test_generalised_dice(weighting, imagewise):
    """Generalised Dice is one ratio of weighted sums, an absent class weighing as the heaviest one present."""
    prediction, labels = batch("softmax", 4)
    labels = labels.clamp(0, 2)
    p, g = prediction.softmax(1), one_hot(labels, 4).double()
    axes = (2, 3) if imagewise else (0, 2, 3)
    sizes = g.sum(axes)
    weights = sizes ** -{"square": 2.0, "simple": 1.0, "uniform": 0.0}[weighting]
    present = weights.masked_fill(sizes == 0, 0).amax(-1, keepdim=True)
    weights = torch.where(sizes == 0, present, weights) / present
    above, below = 2 * (weights * (p * g).sum(axes)).sum(-1), (weights * (p.sum(axes) + sizes)).sum(-1)
    expected = (1 - (above + 1e-5) / (below + 1e-5)).mean()
    options = {"weighting": weighting, "activation": "softmax", "imagewise": imagewise}
    actual = generalized_dice_loss(prediction, labels, **options)
    assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
    assert (gradient(expected, prediction) - gradient(actual, prediction)).abs().max() < 1e-12
    assert torch.autograd.gradcheck(lambda x: generalized_dice_loss(x, labels, **options), prediction)


@pytest.mark.parametrize(("activation", "classes"), [("softmax", 3), ("sigmoid", 3), ("sigmoid", 1)])
def test_gradient_of_cross_entropy(activation, classes):
    """The gradient of the cross-entropy at a logit is p - g, by the number of values that it is the mean of."""
    prediction, labels = batch(activation, classes)
    p = prediction.softmax(1) if activation == "softmax" else prediction.sigmoid()
    n = labels.numel() * (1 if activation == "softmax" else classes)
    loss = dice_ce_loss(prediction, labels, activation=activation, dice_weight=0)
    expected = (p - one_hot(labels, classes).double()) / n
    assert (expected - gradient(loss, prediction)).abs().max() < 1e-15


def test_cross_entropy_is_torchs():
    """With softmax it is that of torch, class weights and ignored pixels included."""
    prediction, labels = batch("softmax", 3)
    weights = torch.tensor([0.2, 1.0, 3.0], dtype=torch.float64)
    expected = torch.nn.functional.cross_entropy(prediction, labels, weights, ignore_index=2)
    options = {"activation": "softmax", "class_weights": weights, "ignore_label": 2, "dice_weight": 0}
    actual = dice_ce_loss(prediction, labels, **options)
    assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
    assert (gradient(expected, prediction) - gradient(actual, prediction)).abs().max() < 1e-12


# --- Options ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("activation", ["softmax", "sigmoid", "none"])
@pytest.mark.parametrize("ignored", [None, 2])
def test_one_hot_gives_what_labels_give(activation, ignored):
    """A one-hot reference of booleans, integers or floats gives the loss and the gradient of the labels."""
    prediction, labels = batch(activation, 3)
    options = {"activation": activation, "ignore_label": ignored, "class_weights": [1, 2, 3]}
    expected = dice_ce_loss(prediction, labels, **options)
    expected_gradient = gradient(expected, prediction)
    for dtype in (torch.bool, torch.uint8, torch.int64, torch.float32):
        actual = dice_ce_loss(prediction, one_hot(labels, 3).to(dtype), **options)
        assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
        assert (expected_gradient - gradient(actual, prediction)).abs().max() < 1e-12


def test_labels_of_every_width():
    """Labels are integers of any width, or booleans."""
    prediction, labels = batch("softmax", 2)
    expected = dice_loss(prediction, labels, activation="softmax")
    for dtype in (torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.uint16):
        assert expected == dice_loss(prediction, labels.to(dtype), activation="softmax")


def test_several_labels_at_a_pixel():
    """One-hot channels may overlap or leave a pixel out: each is a class of its own under sigmoid."""
    prediction, _ = batch("sigmoid", 3)
    reference = torch.rand(prediction.shape, generator=torch.Generator().manual_seed(1)) > 0.5
    alone = [
        dice_ce_loss(prediction[:, [each]], reference[:, [each]], activation="sigmoid") for each in range(3)
    ]
    together = dice_ce_loss(prediction, reference, activation="sigmoid")
    assert torch.stack(alone).mean().item() == pytest.approx(together.item(), abs=1e-12)


def test_background_left_out():
    """Without the background the loss is the mean over the others, and a single channel stays as it is."""
    prediction, labels = batch("softmax", 3)
    hidden = dice_loss(prediction, labels, activation="softmax", include_background=False)
    weightless = dice_loss(prediction, labels, activation="softmax", class_weights=[0, 1, 1])
    assert weightless.item() == pytest.approx(hidden.item(), abs=1e-12)
    single, foreground = batch("sigmoid", 1)
    both = [
        dice_loss(single, foreground, activation="sigmoid", include_background=each) for each in (True, False)
    ]
    assert both[0] == both[1]


def test_temperature_divides_the_logits():
    """A temperature of 2 is the loss of halved logits."""
    prediction, labels = batch("softmax", 3)
    halved = dice_ce_loss(prediction / 2, labels, activation="softmax")
    assert halved == dice_ce_loss(prediction, labels, activation="softmax", temperature=2)


@pytest.mark.parametrize("module", MODULES)
def test_what_is_ignored_counts_nowhere(module):
    """Whatever stands at ignored pixels, even NaN, changes neither the loss nor the gradient, which is 0 there."""
    prediction, labels = batch("softmax", 3, shape=(6, 5))
    labels[:, :2] = 255
    loss = module(activation="softmax", ignore_label=255)
    cut = loss(prediction[:, :, 2:], labels[:, 2:])
    spoilt = prediction.detach().clone()
    spoilt[:, :, :2] = torch.nan
    spoilt.requires_grad_()
    whole = loss(spoilt, labels)
    assert cut.item() == pytest.approx(whole.item(), abs=1e-12)
    expected, actual = gradient(cut, prediction), gradient(whole, spoilt)
    assert (expected - actual).abs().max() < 1e-12
    assert 0 == actual[:, :, :2].abs().max()


def test_weighted_without_any_reference_is_macro():
    """Where no class is in the reference there are no sizes to weigh by: the mean over classes is taken."""
    prediction, _ = batch("sigmoid", 3)
    nothing = torch.zeros(prediction.shape, dtype=torch.bool)
    weighted, macro = (
        dice_loss(prediction, nothing, activation="sigmoid", averaging=each) for each in ("weighted", "macro")
    )
    assert macro == weighted


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize("layout", ["channels last", "transposed", "every second"])
def test_layouts(module, layout):
    """However the prediction lies in memory, the loss and the gradient are the same."""
    prediction, labels = batch("softmax", 3, shape=(4, 6))
    values = prediction.detach()
    laid = {
        "channels last": values.contiguous(memory_format=torch.channels_last),
        "transposed": values.transpose(2, 3).contiguous().transpose(2, 3),
        "every second": torch.stack([values, values], -1).flatten(3)[..., ::2],
    }[layout].requires_grad_()
    loss = module(activation="softmax")
    assert loss(prediction, labels).item() == pytest.approx(loss(laid, labels).item(), abs=1e-14)
    difference = gradient(loss(prediction, labels), prediction) - gradient(loss(laid, labels), laid)
    assert difference.abs().max() < 1e-14


@pytest.mark.parametrize("block", [1, 7, 24, 1000])
def test_any_block_size(block, monkeypatch):
    """Loss and gradient do not depend on how the pixels are divided into blocks, to 1e-12."""
    prediction, labels = batch("softmax", 3, shape=(5, 7), images=4)
    expected = dice_ce_loss(prediction, labels, activation="softmax", form="squared", imagewise=True)
    whole = gradient(expected, prediction)
    monkeypatch.setitem(statistic.BLOCK, "cpu", block)
    actual = dice_ce_loss(prediction, labels, activation="softmax", form="squared", imagewise=True)
    assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
    assert (whole - gradient(actual, prediction)).abs().max() < 1e-12


def test_both_ways_to_count_agree():
    """Labels are counted class by class on a GPU and in one go on the processor, ignored ones in neither."""
    labels = torch.randint(0, 5, (3, 1, 50), generator=torch.Generator().manual_seed(2))
    expected = [[(image == each).sum().item() for each in range(4)] for image in labels]
    assert expected == references.counted(labels, 4).tolist()
    assert expected == references.compared(labels, 4).tolist()


@pytest.mark.parametrize("shape", [(), (5,), (3, 4), (2, 3, 4), (2, 1, 2, 3)], ids=len)
def test_any_number_of_axes(shape):
    """Pixels lie on any number of axes, also on none; the loss is that of the same pixels in a row."""
    prediction, labels = batch("softmax", 3, shape=shape)
    row = dice_loss(prediction.reshape(2, 3, -1), labels.reshape(2, -1), activation="softmax")
    assert row == dice_loss(prediction, labels, activation="softmax")


def test_modules_show_and_move_what_they_hold():
    """A module shows its options, and its class weights follow it from type to type; they are not in its state."""
    loss = DiceLoss(form="squared", class_weights=[1, 3])
    assert "form='squared'" in repr(loss)
    assert "class_weights=[1.0, 3.0]" in repr(loss)
    assert torch.float64 == loss.double().class_weights.dtype
    assert {} == loss.state_dict()


def test_subclasses_of_tensors():
    """A class made from Tensor is taken as the tensor it is, with its gradient."""

    class Decorated(torch.Tensor):
        pass

    prediction, labels = batch("softmax", 3)
    loss = dice_loss(prediction.as_subclass(Decorated), labels.as_subclass(Decorated), activation="softmax")
    assert torch.Tensor is type(loss)
    assert loss == dice_loss(prediction, labels, activation="softmax")
    assert gradient(loss, prediction).abs().max() > 0


# --- Precision ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("smooth", [1e-8, 1e-5, 1e-2, 1.0])
@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_both_masks_empty(form, smooth, dtype):
    """The loss is 0; its gradient at a pixel is at most 1/ε and 1/ε where all is 0; squared, at most 0.65/√ε and 0."""
    reference = torch.zeros((1, 4, 4), dtype=torch.int64)
    bound = 0.65 / smooth**0.5 if form == "squared" else 1 / smooth
    for probability in (0.0, smooth / 48, smooth, (smooth / 48) ** 0.5, 0.5, 1.0):
        prediction = torch.full((1, 1, 4, 4), probability, dtype=dtype, requires_grad=True)
        loss = dice_loss(prediction, reference, form=form, smooth=smooth)
        slope = gradient(loss, prediction)
        assert 0 <= slope.min()
        assert slope.max() <= bound * (1 + 1e-6)
        if probability == 0:
            assert 0 == loss
            assert (0 if form == "squared" else 1 / smooth) == pytest.approx(slope.max().item(), rel=1e-6)


@pytest.mark.parametrize("form", FORMS)
def test_both_masks_empty_without_smoothing(form):
    """With ε = 0 the loss of two empty masks is 0 and so is its gradient, the other classes being as ever."""
    prediction = torch.zeros((1, 2, 4), dtype=torch.float64)
    prediction[0, 0] = torch.tensor([1.0, 0.5, 0.5, 1.0])
    prediction.requires_grad_()
    loss = dice_loss(prediction, torch.zeros((1, 4), dtype=torch.int64), form=form, smooth=0)
    alone = dice_loss(prediction[:, :1], torch.ones((1, 4), dtype=torch.int64), form=form, smooth=0)
    assert alone.item() / 2 == pytest.approx(loss.item(), abs=1e-15)
    slope = gradient(loss, prediction)
    assert 0 == slope[0, 1].abs().max()
    assert slope[0, 0].abs().max() > 0
    generalised = generalized_dice_loss(torch.zeros((1, 2, 4)), torch.zeros((1, 2, 4)), smooth=0)
    assert 0 == generalised


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("activation", "classes"), [("softmax", 3), ("sigmoid", 3), ("sigmoid", 1)])
def test_saturated_logits(activation, classes, sign, dtype):
    """Logits of ±40, all right or all wrong, give a finite loss near 0 or 1 and finite gradients, empty or not."""
    _, labels = batch(activation, classes, shape=(40, 40))
    for reference in (labels, torch.zeros_like(labels)):
        sure = 80.0 * one_hot(reference, classes) - 40
        for form in FORMS:
            prediction = (sign * sure).to(dtype).requires_grad_()
            parts = [
                dice_loss(prediction, reference, activation=activation, form=form),
                generalized_dice_loss(prediction, reference, activation=activation),
                dice_ce_loss(prediction, reference, activation=activation, form=form, dice_weight=0),
            ]
            for loss in parts:
                assert torch.float32 == loss.dtype
                assert loss.isfinite()
                assert gradient(loss, prediction).isfinite().all()
            assert (parts[0] < 1e-6) if sign == 1 else (parts[0] > 0.3)
            assert (parts[2] < 1e-6) if sign == 1 else (parts[2] > 20)


def test_sums_beyond_float16_and_float32():
    """300,000 pixels of float16, whose sum that type cannot hold, and 2^25 whole pixels are summed exactly."""
    prediction = torch.ones((1, 1, 300_000), dtype=torch.float16)
    reference = torch.zeros((1, 300_000), dtype=torch.uint8)
    reference[:, ::2] = 1
    assert dice_loss(prediction, reference, smooth=0).item() == pytest.approx(
        1 - 2 * 150_000 / 450_000, rel=1e-7
    )
    ones = torch.ones(1, dtype=torch.float64).expand(1, 1, 2**25 + 1)
    total = statistic.soft_sums(ones, ones, "none", 1.0, None, False, False, True)
    assert 2**25 + 1 == total[0, 0, 0]


@pytest.mark.parametrize("module", MODULES)
def test_autocast(module):
    """Under autocast a network's bfloat16 logits give the loss that they give without, and a gradient of their type."""
    prediction, labels = batch("softmax", 3)
    half = prediction.detach().bfloat16().requires_grad_()
    loss = module(activation="softmax")
    expected = loss(half, labels)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        actual = loss(half, labels)
        slope = gradient(actual, half)
    assert expected == actual
    assert torch.bfloat16 == slope.dtype
    assert (slope.float() - gradient(loss(half.float(), labels), half).float()).abs().max() < 1e-3


@pytest.mark.parametrize("module", MODULES)
def test_compiled(module):
    """torch.compile takes the loss as one graph, with the same value and gradient, and bad labels still show."""
    pytest.importorskip("torch._dynamo", reason="this torch cannot compile")
    prediction, labels = batch("softmax", 3)
    labels[0], labels[1, 0] = 9, 9
    prediction = prediction.detach().masked_fill(labels.unsqueeze(1) == 9, torch.nan).requires_grad_()
    options = {} if module is GeneralizedDiceLoss else {"class_weights": [1, 0, 0]}
    loss = module(activation="softmax", ignore_label=9, imagewise=True, include_background=False, **options)
    compiled = torch.compile(lambda x, y: loss(2 * x, y), fullgraph=True, backend="aot_eager")
    expected, actual = loss(2 * prediction, labels), compiled(prediction, labels)
    assert expected.item() == pytest.approx(actual.item(), abs=1e-12)
    assert (gradient(expected, prediction) - gradient(actual, prediction)).abs().max() < 1e-12
    with pytest.raises(UnknownLabel):
        compiled(prediction, labels + 5)


def test_second_derivatives_are_refused():
    """There is no second derivative, and asking for one says so instead of giving a wrong one."""
    prediction, labels = batch("softmax", 3)
    (first,) = torch.autograd.grad(
        dice_loss(prediction, labels, activation="softmax"), prediction, create_graph=True
    )
    with pytest.raises(UsageError, match="second"):
        first.sum().backward()


def test_nan_stays_nan():
    """NaN in the prediction makes the loss NaN, and never a number."""
    prediction, labels = batch("softmax", 3)
    spoilt = prediction.detach().clone()
    spoilt[0, 0, 0, 0] = torch.nan
    assert dice_loss(spoilt, labels, activation="softmax").isnan()
    assert dice_loss(torch.full((1, 1, 2), torch.nan), torch.ones(1, 2).int()).isnan()


# --- Training -----------------------------------------------------------------------------------------------


def test_imbalance():
    """Where 0.5 % is foreground, 30 steps by Dice find it and 30 by cross-entropy do not: the documented example."""
    place = places.ROOT / "docs" / "imbalance.py"
    spec = importlib.util.spec_from_file_location("imbalance", place)
    example = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(example)
    share = example.images(64, torch.Generator().manual_seed(0))[1].float().mean()
    assert 0.005 == pytest.approx(share.item(), abs=5e-4)
    last = {name: example.trained(loss, 0, 30)[-1] for name, loss in example.LOSSES.items()}
    assert last["Dice"]["dice"] > 0.7
    assert last["cross-entropy"]["dice"] < 0.1


# --- What is refused ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("module", MODULES)
@pytest.mark.parametrize(
    ("options", "error", "words"),
    [
        ({"activation": "tanh"}, UnknownName, "softmax"),
        ({"temperature": 0}, UsageError, "temperature"),
        ({"temperature": 2.0, "activation": "none"}, UsageError, "activation"),
        ({"smooth": -1e-5}, UsageError, "smooth"),
        ({"smooth": float("nan")}, UsageError, "smooth"),
        ({"ignore_label": 1.5}, UsageError, "ignore_label"),
    ],
)
def test_options_are_checked_when_they_are_given(module, options, error, words):
    """Options that make no sense are an error at once, which names them and says what to do."""
    with pytest.raises(error) as caught:
        module(**options)
    assert words in caught.value.message + caught.value.hint
    assert caught.value.hint


@pytest.mark.parametrize(
    ("module", "options", "words"),
    [
        (DiceLoss, {"form": "dice"}, "standard"),
        (DiceCELoss, {"averaging": "mean"}, "macro"),
        (GeneralizedDiceLoss, {"weighting": "cubic"}, "square"),
        (DiceLoss, {"class_weights": [1, -1]}, "0"),
        (DiceLoss, {"class_weights": [0, 0]}, "above 0"),
        (DiceLoss, {"class_weights": 3}, "list"),
        (DiceCELoss, {"ce_weight": -1}, "ce_weight"),
    ],
)
def test_options_of_one_loss(module, options, words):
    """So are those that only some losses have."""
    with pytest.raises(UsageError) as caught:
        module(**options)
    assert words in caught.value.message + caught.value.hint


@pytest.mark.parametrize(
    ("shape", "reference"),
    [
        ((2, 3, 4, 4), (2, 4, 5)),
        ((2, 3, 4, 4), (1, 4, 4)),
        ((2, 3, 4, 4), (2, 2, 4, 4)),
        ((2, 3, 4, 4), (2, 16)),
        ((2, 1, 4, 4), (2, 2, 4, 4)),
        ((2, 1, 4, 4), (4, 4)),
        ((3,), (3,)),
        ((0, 3, 4), (0, 4)),
    ],
)
def test_shapes_must_fit(shape, reference):
    """Nothing is broadcast or resized: the error shows what shapes were found."""
    with pytest.raises(ShapeMismatch) as caught:
        dice_loss(torch.zeros(shape), torch.zeros(reference, dtype=torch.int64), activation="sigmoid")
    assert str(shape) in caught.value.message


@pytest.mark.parametrize("wrong", [3, 255, -1, -(2**40)])
@pytest.mark.parametrize("module", MODULES)
def test_a_label_without_a_channel_is_never_dropped(module, wrong):
    """One such pixel is an error that names the label; unchecked, it makes the loss NaN."""
    prediction, labels = batch("softmax", 3)
    labels[1, 2, 3] = wrong
    with pytest.raises(UnknownLabel, match=str(wrong)):
        module(activation="softmax")(prediction, labels)
    assert module(activation="softmax", validate=False)(prediction, labels).isnan()
    assert module(activation="softmax", ignore_label=wrong)(prediction, labels).isfinite()


@pytest.mark.parametrize("classes", [1, 3])
@pytest.mark.parametrize("value", [0.5, 2.0, float("nan")])
def test_one_hot_holds_0_and_1(classes, value):
    """Soft or smoothed labels are an error, since the sums take g for 0 or 1."""
    prediction, _ = batch("sigmoid", classes)
    reference = torch.zeros_like(prediction, requires_grad=False)
    reference[0, 0, 1, 1] = value
    with pytest.raises(NotLabels, match=f"{value:g}"):
        dice_loss(prediction, reference, activation="sigmoid")
    assert dice_loss(prediction, reference, activation="sigmoid", validate=False).isnan()


def test_logits_are_no_probabilities():
    """Values outside [0, 1] without an activation are an error that proposes one."""
    prediction, labels = batch("softmax", 3)
    with pytest.raises(UsageError) as caught:
        dice_loss(prediction, labels)
    assert "activation='softmax'" in caught.value.hint
    assert dice_loss(prediction, labels, validate=False).isnan()


@pytest.mark.parametrize(
    ("prediction", "reference", "options", "error"),
    [
        (torch.zeros(1, 3, 4), torch.zeros(1, 4), {}, NotLabels),
        (torch.zeros(1, 3, 4, dtype=torch.int64), torch.zeros(1, 4).int(), {}, UsageError),
        (torch.zeros(1, 3, 4), np.zeros((1, 4), int), {}, UsageError),
        (torch.zeros(1, 1, 4), torch.zeros(1, 4).int(), {"activation": "softmax"}, UsageError),
        (torch.zeros(1, 3, 4), torch.zeros(1, 4).int(), {"class_weights": [1, 2]}, UsageError),
        (torch.zeros(1, 3, 4), torch.zeros(1, 3, 4), {"ignore_label": 255}, UsageError),
        (torch.zeros(1, 3, 4), torch.zeros(1, 4, device="meta").int(), {}, UsageError),
        (torch.zeros(1, 3, 4), torch.zeros(1, 4).int(), {"reduce_group": "world"}, UsageError),
    ],
    ids=[
        "float labels",
        "labels predicted",
        "array",
        "one channel",
        "weights",
        "ignored",
        "device",
        "no group",
    ],
)
def test_what_does_not_fit_is_refused(prediction, reference, options, error):
    """Each is an error of the package, with a hint."""
    with pytest.raises(error) as caught:
        dice_loss(prediction, reference, **options)
    assert caught.value.hint


def test_missing_torch_is_said(monkeypatch):
    """Without torch the import is an error that says how to install it, and an ImportError too."""
    import importlib
    import sys

    monkeypatch.setitem(sys.modules, "torch", None)
    for name in [name for name in sys.modules if name.startswith("dicecli.losses")]:
        monkeypatch.delitem(sys.modules, name)
    with pytest.raises(ImportError) as caught:
        importlib.import_module("dicecli.losses")
    assert isinstance(caught.value, UsageError)
    assert "dicecli[torch]" in caught.value.hint
