"""Hints of the losses, followed to the letter: each leads to the loss that Dice is, computed apart, or to another error."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from following import PREDICTION, REFERENCE, Table

torch = pytest.importorskip("torch")

from torch.autograd import forward_ad  # noqa: E402 - as below

from dicecli import losses  # noqa: E402 - it is torch's

TABLE = Table(
    "losses",
    unfollowed={
        "losses.import: Install it with: pip install": "tests install nothing; tests/losses imports with torch alone",
    },
)
#: Of one class: 1 - 2 · 2 / (3 + 2); soft Dice is Dice where probabilities are 0 and 1, but for ε.
LOSS = 0.2
P, G = (torch.tensor(each[None, None].astype("f4")) for each in (PREDICTION, REFERENCE))
#: Two classes, the background's channel first, and labels.
TWO, LABELS = torch.cat([1 - P, P], 1), torch.tensor(REFERENCE[None].astype("i8"))
#: Of the background: 2 · 3 / (3 + 4).
BOTH = 1 - (6 / 7 + 0.8) / 2


def lost(prediction, reference, *, backward=False, create_graph=False, **options):
    """Return the loss as a number; the losses take ε as the scores do, here none."""
    leaf = prediction.clone().requires_grad_() if backward else prediction
    loss = losses.DiceLoss(**{"smooth": 0.0} | options)(leaf, reference)
    if backward:
        (slope,) = torch.autograd.grad(loss, leaf, create_graph=create_graph)
        slope.sum().backward() if create_graph else None
    return float(loss.detach())


def logits(p):
    """Return what a sigmoid makes these probabilities of, as nearly as floats can."""
    return (p * 2 - 1) * 60


def right(scene, expected, prediction, reference, **options):
    scene.works(lost, prediction, reference, **options)
    assert lost(prediction, reference, **options) == pytest.approx(expected, abs=1e-6)


def two_logits(p):
    return torch.cat([-logits(p), logits(p)], 1)


@TABLE("losses.functions._weights: Give a weight for each channel,")
def weights_for_fewer(scene):
    for options in ({}, {"include_background": False}):
        scene.refused(lost, TWO, LABELS, class_weights=[1.0], **options)
        right(scene, LOSS if options else BOTH, TWO, LABELS, class_weights=[1.0, 1.0], **options)


@TABLE("losses.inputs.weights_of: Give a number for each channel.")
def weights_that_are_no_list(scene):
    scene.refused(lost, TWO, LABELS, class_weights=torch.ones(1, 2))
    right(scene, BOTH, TWO, LABELS, class_weights=[1.0, 1.0])


@TABLE("losses.inputs.weights_of: Give finite numbers from 0 up,")
def weights_below_zero(scene):
    for bad in ([-1.0, 1.0], [0.0, 0.0], [float("inf"), 1.0]):
        scene.refused(lost, TWO, LABELS, class_weights=bad)
    right(scene, LOSS, TWO, LABELS, class_weights=[0.0, 1.0])


@TABLE("losses.inputs.flattened: Bring them to one device with")
def two_devices(scene):
    scene.refused(lost, P, G.to("meta"))
    right(scene, LOSS, P, G.to("cpu"))


@TABLE("losses.inputs.flattened: Give labels of shape")
def other_shapes(scene):
    scene.refused(lost, TWO, LABELS[:, :1])
    right(scene, BOTH, TWO, LABELS)
    right(scene, BOTH, TWO, LABELS[:, None])
    right(scene, BOTH, TWO, torch.cat([1 - G, G], 1))


@TABLE("losses.inputs.flattened: Round them to integers:")
def labels_in_floats(scene):
    """To the letter also where floats lie just below the integers that they stand for."""
    for floats in (LABELS.float(), LABELS.float() - 1e-4):
        called = scene.refused(lost, TWO, floats).partition(": ")[2].rstrip(".")
        right(scene, BOTH, TWO, eval(f"floats{called}", {"floats": floats}))  # noqa: S307 - a hint of our own


@TABLE("losses.inputs.flattened: Of a one-hot reference a channel")
def ignoring_what_one_hot_lacks(scene):
    scene.refused(lost, TWO, torch.cat([1 - G, G], 1), ignore_label=255)
    void = LABELS.clone()
    void[0, 0, 1] = 255  # the one pixel that is wrong
    right(scene, 0.0, TWO, void, ignore_label=255)
    right(scene, 0.0, TWO, torch.cat([1 - G, G], 1), ignore_label=0)


@TABLE("losses.inputs.what_is_wrong: If they are logits, say so")
def logits_for_probabilities(scene):
    scene.refused(lost, logits(P), G)
    right(scene, LOSS, logits(P), G, activation="sigmoid")
    scene.refused(lost, two_logits(P), LABELS)
    right(scene, BOTH, two_logits(P), LABELS, activation="softmax")


@TABLE("losses.inputs.what_is_wrong: Give 0 or 1; a label")
def other_values_in_one_channel(scene):
    scene.refused(lost, P, G * 255)
    right(scene, LOSS, P, G * 255 / 255)
    void = G.clone()
    void[0, 0, 0, 1] = 255
    scene.refused(lost, P, void)
    right(scene, 0.0, P, void, ignore_label=255)
    scene.refused(lost, TWO, torch.cat([1 - G, G * 2], 1))
    right(scene, BOTH, TWO, LABELS)


@TABLE("losses.inputs.what_is_wrong: Renumber the labels, or leave these")
def a_label_without_a_channel(scene):
    void = LABELS.clone()
    void[0, 0, 1] = 7
    scene.refused(lost, TWO, void)
    right(scene, BOTH, TWO, torch.where(void == 7, 0, void))
    right(scene, 0.0, TWO, void, ignore_label=7)


@TABLE("losses.inputs._plain: Convert it with torch.as_tensor.")
def arrays(scene):
    array = P.numpy()
    scene.refused(losses.DiceLoss(smooth=0.0), array, G)
    right(scene, LOSS, torch.as_tensor(array), G)


@TABLE("losses.inputs._check_prediction: Give logits or probabilities, not labels.")
def labels_for_a_prediction(scene):
    scene.refused(lost, TWO.long(), LABELS)
    right(scene, BOTH, TWO, LABELS)
    right(scene, BOTH, two_logits(P), LABELS, activation="softmax")


@TABLE("losses.inputs._check_prediction: Take it backwards: loss.backward(), torch.autograd.grad")
def a_derivative_in_forward_mode(scene):
    soft = P * 0.5 + 0.25
    with warnings.catch_warnings(), forward_ad.dual_level():
        warnings.simplefilter("ignore", DeprecationWarning)  # of torch.jit, which torch itself takes for this
        scene.refused(lost, forward_ad.make_dual(soft, torch.ones_like(soft)), G)
    slopes = torch.autograd.functional.jacobian(lambda x: losses.dice_loss(x, G), soft)
    more = soft + 1e-2 * torch.sign(slopes)
    assert losses.dice_loss(more, G) > losses.dice_loss(soft, G)
    scene.works(lost, soft, G, backward=True)


@TABLE("losses.inputs._check_prediction: Give a batch of at least")
def no_image(scene):
    scene.refused(lost, P[:0], G[:0])
    scene.refused(lost, P[0, 0, 0], G[0, 0, 0])
    right(scene, LOSS, P, G)


@TABLE("losses.inputs._check_prediction: Take activation='sigmoid' for one class, or")
def softmax_of_one(scene):
    scene.refused(lost, logits(P), G, activation="softmax")
    right(scene, LOSS, logits(P), G, activation="sigmoid")
    right(scene, BOTH, two_logits(P), LABELS, activation="softmax")


@TABLE("losses.options.__post_init__: 1 leaves logits as they are.")
def no_temperature(scene):
    scene.refused(lost, logits(P), G, activation="sigmoid", temperature=0.0)
    right(scene, LOSS, logits(P), G, activation="sigmoid", temperature=1)


@TABLE("losses.options.__post_init__: A temperature divides logits: choose")
def a_temperature_alone(scene):
    scene.refused(lost, P, G, temperature=2.0)
    right(scene, LOSS, P, G)
    right(scene, LOSS, logits(P), G, temperature=2.0, activation="sigmoid")
    right(scene, BOTH, two_logits(P), LABELS, temperature=2.0, activation="softmax")


@TABLE("losses.options._check_amount: 1e-5 is what the scores")
def no_smooth(scene):
    scene.refused(lost, P, G, smooth=-1.0)
    right(scene, 1 - (4 + 1e-5) / (5 + 1e-5), P, G, smooth=1e-5)


@TABLE("losses.options._check_amount: 1 takes this part as it")
def no_weight(scene):
    def mixed(**options):
        return float(losses.DiceCELoss(smooth=0.0, **options)(P * 0.5 + 0.25, G).detach())

    for name in ("dice_weight", "ce_weight"):
        scene.refused(mixed, **{name: -1.0})
        scene.works(mixed, **{name: 1})
        entropy = -(5 * np.log(0.75) + np.log(0.25)) / 6
        inside = 2 * (0.75 * 2) / (0.75 * 3 + 0.25 * 3 + 2)
        assert mixed(**{name: 1}) == pytest.approx(1 - inside + entropy, abs=1e-6)


@TABLE("losses.options.loss: Write …(prediction, reference), and options")
def a_loss_of_one_side(scene):
    scene.refused(losses.dice_loss, P)
    assert float(losses.dice_loss(P, G, smooth=0.0)) == pytest.approx(LOSS, abs=1e-6)


@TABLE("losses.options.inner: Write …(…=...): ….")
def an_option_without_its_name(scene):
    hint = scene.refused(losses.DiceLoss, 0.0)
    assert hint.startswith("Write DiceLoss(smooth=...)")
    right(scene, LOSS, P, G, smooth=0.0)


@TABLE("losses.options.__post_init__: Give the label to leave out,")
def a_label_that_is_none(scene):
    void = LABELS.clone()
    void[0, 0, 1] = 255
    scene.refused(lost, TWO, void, ignore_label=[255])
    right(scene, 0.0, TWO, void, ignore_label=255)


@TABLE("losses.ranks.sum_over_ranks: Call torch.distributed.init_process_group first, or leave reduce_group")
def a_group_of_nobody(scene):
    scene.refused(lost, P, G, reduce_group=object())
    right(scene, LOSS, P, G)
    store = f"file://{scene.folder}/store"
    torch.distributed.init_process_group("gloo", init_method=store, rank=0, world_size=1)
    try:
        right(scene, LOSS, P, G, reduce_group=torch.distributed.group.WORLD)
    finally:
        torch.distributed.destroy_process_group()


@TABLE("losses.statistic._no_second: Leave out create_graph=True.")
def a_second_derivative(scene):
    soft = P * 0.5 + 0.25
    scene.refused(lost, soft, G, backward=True, create_graph=True)
    scene.works(lost, soft, G, backward=True)


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
