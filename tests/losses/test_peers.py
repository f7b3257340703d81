"""The losses against MONAI's and segmentation_models.pytorch's: equal where they mean the same, and where they do not.

The second half is the table of docs/soft.md, row by row.
"""

from __future__ import annotations

import importlib.util

import places
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from dicecli.errors import NotLabels  # noqa: E402 - without torch there is nothing to import
from dicecli.losses import dice_ce_loss, dice_loss, generalized_dice_loss  # noqa: E402 - as above

E = 1e-5
CLASSES = 3
SOFTMAX = {"activation": "softmax"}
pytestmark = pytest.mark.filterwarnings(
    "ignore::DeprecationWarning", "ignore::FutureWarning", "ignore::UserWarning"
)


@pytest.fixture(scope="module")
def monai():
    """Import MONAI's losses, where they are installed."""
    return pytest.importorskip("monai.losses", reason="MONAI is not installed", exc_type=ImportError)


@pytest.fixture(scope="module")
def smp():
    """Import segmentation_models.pytorch's losses, where they are installed."""
    place = places.ROOT / "benchmarks" / "smp_losses.py"
    spec = importlib.util.spec_from_file_location("smp_losses", place)
    loader = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(loader)
    try:
        return loader.load()
    except ImportError as error:
        pytest.skip(f"segmentation_models.pytorch is not installed: {error}")


@pytest.fixture
def logits():
    """Make logits of two images and three classes."""
    numbers = torch.Generator().manual_seed(5)
    return (6 * torch.rand((2, CLASSES, 7, 9), generator=numbers, dtype=torch.float64) - 3).requires_grad_()


@pytest.fixture
def labels():
    """Make labels whose classes are of unlike size in both images."""
    numbers = torch.Generator().manual_seed(6)
    return torch.multinomial(torch.tensor([[6.0, 3, 1], [1, 6, 3]]), 63, True, generator=numbers).view(
        2, 7, 9
    )


def one_hot(labels):
    """Give each class a channel, in MONAI's floats."""
    return torch.stack([labels == each for each in range(CLASSES)], 1).double()


def agree(first, second, logits, tolerance=1e-7):
    """Say whether two losses and their gradients are equal."""
    slopes = [torch.autograd.grad(each, logits, retain_graph=True)[0] for each in (first, second)]
    return bool(abs(first - second) < tolerance and (slopes[0] - slopes[1]).abs().max() < tolerance)


# --- Where they mean the same -------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("background", [True, False])
@pytest.mark.parametrize("form", ["standard", "squared", "jaccard"])
def test_monai_dice(monai, logits, labels, form, background, batch):
    """MONAI's Dice is ours, macro: over the batch or per image, with or without background; Jaccard with half our ε."""
    loss = monai.DiceLoss(
        softmax=True,
        to_onehot_y=True,
        batch=batch,
        include_background=background,
        squared_pred=form == "squared",
        jaccard=form == "jaccard",
        smooth_nr=E,
        smooth_dr=E,
    )
    smooth = E / 2 if form == "jaccard" else E
    options = {"form": form, "include_background": background, "imagewise": not batch, "smooth": smooth}
    assert agree(loss(logits, labels.unsqueeze(1)), dice_loss(logits, labels, **SOFTMAX, **options), logits)


def test_monai_sigmoid(monai, logits, labels):
    """So is it with sigmoid and a channel for each class."""
    theirs = monai.DiceLoss(sigmoid=True, batch=True)(logits, one_hot(labels))
    assert agree(theirs, dice_loss(logits, one_hot(labels), activation="sigmoid"), logits)


def test_monai_ignored(monai, logits, labels):
    """So are ignored labels, of a class or of none."""
    for ignored in (2, 255):
        marked = labels.masked_fill(labels == 2, ignored)
        loss = monai.DiceLoss(softmax=True, to_onehot_y=True, batch=True, ignore_index=ignored)
        ours = dice_loss(logits, marked, ignore_label=ignored, **SOFTMAX)
        assert agree(loss(logits, marked.unsqueeze(1)), ours, logits)


@pytest.mark.parametrize("batch", [True, False])
@pytest.mark.parametrize("weighting", ["square", "simple", "uniform"])
def test_monai_generalised_dice(monai, logits, labels, weighting, batch):
    """MONAI's generalised Dice is ours where ε is next to nothing, also with an absent class."""
    for reference in (labels, labels.clamp(0, 1)):
        loss = monai.GeneralizedDiceLoss(
            softmax=True, to_onehot_y=True, w_type=weighting, batch=batch, smooth_nr=1e-12, smooth_dr=1e-12
        )
        options = {"weighting": weighting, "smooth": 1e-12, "imagewise": not batch}
        ours = generalized_dice_loss(logits, reference, **SOFTMAX, **options)
        assert agree(loss(logits, reference.unsqueeze(1)), ours, logits)


def test_monai_dice_with_cross_entropy(monai, logits, labels):
    """MONAI's Dice with cross-entropy under softmax is ours, with weights for the two."""
    loss = monai.DiceCELoss(softmax=True, to_onehot_y=True, batch=True, lambda_dice=0.3, lambda_ce=0.7)
    ours = dice_ce_loss(logits, labels, dice_weight=0.3, ce_weight=0.7, **SOFTMAX)
    assert agree(loss(logits, labels.unsqueeze(1)), ours, logits)


@pytest.mark.parametrize("weights", [None, [1.0, 2.0, 5.0]])
@pytest.mark.parametrize("name", ["DiceLoss", "JaccardLoss"])
def test_smp(smp, logits, labels, name, weights):
    """Its Dice and Jaccard are ours, macro over the batch, with class weights; its `smooth` is half our ε of Dice."""
    loss = getattr(smp, name)("multiclass", smooth=0.5, class_weights=weights)
    form, smooth = ("standard", 1.0) if name == "DiceLoss" else ("jaccard", 0.5)
    ours = dice_loss(logits, labels, form=form, smooth=smooth, class_weights=weights, **SOFTMAX)
    assert agree(loss(logits, labels), ours, logits)


def test_smp_ignored(smp, logits, labels):
    """So are labels that are no class and are ignored."""
    labels[:, 2] = 255
    loss = smp.DiceLoss("multiclass", smooth=0.5, ignore_index=255)
    assert agree(
        loss(logits, labels), dice_loss(logits, labels, smooth=1, ignore_label=255, **SOFTMAX), logits
    )


def test_smp_binary(smp, logits, labels):
    """So is one channel with sigmoid."""
    one, reference = logits[:, :1], (labels == 1).long().unsqueeze(1)
    ours = dice_loss(one, reference, smooth=1, activation="sigmoid")
    assert agree(smp.DiceLoss("binary", smooth=0.5)(one, reference), ours, logits)


# --- Where they do not: the table of docs/soft.md -----------------------------------------------------------


def test_over_the_batch_or_per_image(monai, logits, labels):
    """MONAI's default is the ratio per image, ours and smp's the sums over the batch."""
    theirs = monai.DiceLoss(softmax=True, to_onehot_y=True)(logits, labels.unsqueeze(1))
    assert not agree(theirs, dice_loss(logits, labels, **SOFTMAX), logits)
    assert agree(theirs, dice_loss(logits, labels, imagewise=True, **SOFTMAX), logits)


def test_what_is_added(monai, smp, logits, labels):
    """The same number for ε means our 2 ε in smp's Dice, and half of our ε in MONAI's Jaccard form."""
    theirs = smp.DiceLoss("multiclass", smooth=1.0)(logits, labels)
    assert not agree(theirs, dice_loss(logits, labels, smooth=1.0, **SOFTMAX), logits)
    assert agree(theirs, dice_loss(logits, labels, smooth=2.0, **SOFTMAX), logits)
    loss = monai.DiceLoss(
        softmax=True, to_onehot_y=True, batch=True, jaccard=True, smooth_nr=1.0, smooth_dr=1.0
    )
    theirs = loss(logits, labels.unsqueeze(1))
    assert not agree(theirs, dice_loss(logits, labels, form="jaccard", smooth=1.0, **SOFTMAX), logits)
    assert agree(theirs, dice_loss(logits, labels, form="jaccard", smooth=0.5, **SOFTMAX), logits)


def test_class_weights(monai, logits, labels):
    """MONAI divides weighted losses by the number of classes, we and smp by the sum of the weights."""
    weights = [1.0, 2.0, 5.0]
    loss = monai.DiceLoss(softmax=True, to_onehot_y=True, batch=True, weight=weights)
    theirs = loss(logits, labels.unsqueeze(1))
    ours = dice_loss(logits, labels, class_weights=weights, **SOFTMAX)
    assert not agree(theirs, ours, logits)
    assert agree(theirs, ours * sum(weights) / CLASSES, logits)


def test_absent_class(monai, smp, logits, labels):
    """A class that the reference lacks costs nothing in smp; in ours and MONAI's its probabilities cost up to 1."""
    without = labels.clamp(0, 1)
    ours = dice_loss(logits, without, **SOFTMAX)
    assert agree(
        monai.DiceLoss(softmax=True, to_onehot_y=True, batch=True)(logits, without.unsqueeze(1)), ours, logits
    )
    theirs = smp.DiceLoss("multiclass")(logits, without)
    assert ours - theirs > 0.99 / CLASSES
    present = [
        dice_loss(logits, without, class_weights=weights, **SOFTMAX) for weights in ([1, 0, 0], [0, 1, 0])
    ]
    assert theirs.item() == pytest.approx(sum(present).item() / CLASSES, abs=1e-6)


def test_smoothing_of_generalised_dice(monai, logits, labels):
    """MONAI adds ε beside weights of 1/(Σg)², where it outweighs large masks; our weights are at most 1."""
    many = [each.repeat(1, *[1] * (each.ndim - 3), 60, 60) for each in (logits.detach(), labels)]
    loss = monai.GeneralizedDiceLoss(softmax=True, to_onehot_y=True, batch=True)
    small, large = loss(logits, labels.unsqueeze(1)), loss(many[0], many[1].unsqueeze(1))
    assert small - large > 0.05
    ours = [generalized_dice_loss(*each, **SOFTMAX) for each in ((logits, labels), many)]
    assert ours[0].item() == pytest.approx(ours[1].item(), abs=1e-5)


def test_cross_entropy_under_sigmoid(monai, logits, labels):
    """With sigmoid and several channels MONAI adds the cross-entropy of a softmax, we that of each channel."""
    theirs = monai.DiceCELoss(sigmoid=True, batch=True, lambda_dice=0)(logits, one_hot(labels))
    ours = dice_ce_loss(logits, one_hot(labels), activation="sigmoid", dice_weight=0)
    assert not agree(theirs, ours, logits)
    assert agree(theirs, dice_ce_loss(logits, labels, dice_weight=0, **SOFTMAX), logits)
    binary = torch.nn.functional.binary_cross_entropy_with_logits(logits, one_hot(labels))
    assert agree(binary, ours, logits)


def test_half_precision(monai, smp):
    """Sums of float16 overflow in both: NaN from 66,000 pixels on. Ours are float64."""
    sure = torch.full((1, 1, 300, 300), 10, dtype=torch.float16)
    reference = torch.ones_like(sure)
    assert monai.DiceLoss(sigmoid=True)(sure, reference).isnan()
    assert smp.DiceLoss("binary")(sure, reference).isnan()
    assert 0 <= dice_loss(sure, reference, activation="sigmoid") < 1e-4


def test_soft_labels(monai, smp, logits, labels):
    """Both take references between 0 and 1; to us they are an error."""
    soft = 0.9 * one_hot(labels) + 0.1 / CLASSES
    assert monai.DiceLoss(softmax=True)(logits, soft).isfinite()
    assert smp.DiceLoss("multilabel")(logits, soft).isfinite()
    with pytest.raises(NotLabels):
        dice_loss(logits, soft, **SOFTMAX)


def test_logits_without_activation(monai, smp, logits, labels):
    """Both take logits for probabilities where no activation is named; to us they are an error."""
    assert monai.DiceLoss()(logits, one_hot(labels)).isfinite()
    assert smp.DiceLoss("multiclass", from_logits=False)(logits, labels).isfinite()
    with pytest.raises(ValueError, match="no probabilities"):
        dice_loss(logits, labels)
