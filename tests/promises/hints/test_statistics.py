"""Hints on counting and on probabilities, followed to the letter."""

from __future__ import annotations

import re

import following
import make
import numpy as np
import pytest
from following import DICE, PREDICTION, REFERENCE, Table

import dicecli
from dicecli import ConfusionMatrix
from dicecli.statistics.backends import native
from dicecli.statistics.backends import numpy as backend

TABLE = Table(
    "statistics",
    unfollowed={
        "statistics._sharing.do_share: Every worker must see": "tests/runs/executors/test_dask.py changes files between machines",
    },
)
_SCORE = "score p.png r.png"
#: A map that thresholds at one half make the prediction.
P = PREDICTION * 0.5 + 0.25
_HALF = "dice_at_half[1]"


def counted(prediction, reference, **options):
    """Return Dice of label 1 of two arrays, by way of their matrix."""
    matrix = ConfusionMatrix.from_arrays(prediction=prediction, reference=reference, **options)
    found = matrix.counts(1)
    return 2 * found.tp / (2 * found.tp + found.fp + found.fn)


def scored(prediction, reference, **options):
    return dicecli.score(prediction, reference, **options).look_up("dice")


def soft(scene, *channels, axis=0):
    """Write a map of probabilities, and a mask."""
    scene.npy("p.npy", channels[0] if len(channels) == 1 else np.stack(channels, axis))
    scene.png("r.png", REFERENCE)


@TABLE("statistics._meaning.unfiled._missing: Make a file of each; or")
def a_label_of_the_reference_without_a_file(scene):
    scene.folders("a")
    scene.png("r.png", REFERENCE + 2 * (PREDICTION > REFERENCE))
    score = "score p r.png --region a=1 --labels l.json"
    (scene.folder / "l.json").write_text('{"labels": {"0": "background", "1": "a", "2": "b"}}')
    assert "--only a." in scene.refused(score)
    scene.right(DICE / 2, f"{score} --missing zero")
    scene.refused_again(f"{score} --missing skip")
    scene.right(DICE, f"{score} --only a")
    scene.png("p/b.png", 1 * (PREDICTION > REFERENCE))
    scene.right((DICE + 1) / 2, score)


@TABLE("statistics._confusion.from_arrays: Give it to dicecli.score, to which")
def a_masked_array(scene):
    void = np.ma.masked_array(REFERENCE, PREDICTION != REFERENCE)
    scene.refused(counted, PREDICTION, void)
    scene.gives(1.0, scored, PREDICTION, void)


@TABLE("statistics._confusion.from_arrays: Put a label in its place.")
def what_nan_becomes(scene):
    bad = REFERENCE.astype(np.int64)
    bad[0, 0] = np.iinfo(np.int64).min
    scene.refused(counted, PREDICTION, bad)
    scene.gives(DICE, counted, PREDICTION, np.where(bad < 0, 0, bad))


@TABLE("statistics._allowed._check_number: If they are classes, allow what")
def more_labels_than_the_memory_has_room_for(scene):
    """Allow what any number of labels takes."""
    image = np.arange(3000, dtype=np.uint16).reshape(60, 50)
    for side in "pr":
        make.png(scene.folder / f"{side}.png", image)
    hint = scene.refused(f"{_SCORE} --max-memory 100kB")
    allowed = re.search(r"--max-memory (\d+)", hint)[1]
    scene.right(1.0, f"{_SCORE} --max-memory {allowed}", number="dice[77]")


@TABLE("statistics._confusion.check_number: Is one of them an image,")
def more_labels_than_there_are(scene):
    image = np.arange(5000, dtype=np.uint16).reshape(50, 100)
    make.png(scene.folder / "p.png", image)
    make.png(scene.folder / "r.png", (image > 2500).astype(np.uint8))
    scene.refused(_SCORE)
    found = scene.do("inspect p.png")
    assert found.code == 3
    assert "an image" in found.text


@TABLE(
    "statistics._meaning.layers._inside_layers: Score it without --ignore-label, and without",
    but={"--ignore-label": "it is to be left out"},
)
def ignoring_in_layers(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}.nii.gz", np.stack([array, array], -1)[:, :, None])
    ask = "score p.nii.gz r.nii.gz"
    scene.refused(f"{ask} --ignore-label 1")
    scene.right(DICE, ask, number="dice@macro-regions")
    labels = {"labels": {"0": "rest", "1": "a", "2": "b"}, "regions": {"one": [1], "two": [2]}}
    scene.text("l.json", labels | {"ignore": 255})
    scene.refused(f"{ask} --labels l.json")
    scene.text("l.json", labels)
    scene.right(DICE, f"{ask} --labels l.json", number="dice[two]")


@TABLE("statistics._meaning.maps._on_nothing_else: all that is not 0 is")
def what_is_not_0_is_nodata(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.tif(f"{side}.tif", array, nodata=1)
    scene.noted("score p.tif r.tif")
    scene.right(DICE, "score p.tif r.tif --nodata label")


@TABLE(
    "statistics._meaning.layers._inside_layers: Score it without …; a labels",
    but={"--map-prediction": "it is to be left out"},
)
def mapping_layers(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}.nii.gz", np.stack([array, array], -1)[:, :, None])
    ask = "score p.nii.gz r.nii.gz"
    scene.refused(f"{ask} --map-prediction 1=1")
    scene.right(DICE, ask, number="dice@macro-regions")
    labels = {"labels": {"0": "rest", "1": "a", "2": "b"}, "regions": {"one": [1], "two": [2]}}
    scene.nii("r.nii.gz", REFERENCE[:, :, None] * 5)
    scene.text("l.json", labels | {"map": {"5": 1}})
    scene.refused(f"{ask} --labels l.json")
    scene.text("l.json", labels | {"map": {"reference": {"5": 1}}})
    scene.right(DICE, f"{ask} --labels l.json", number="dice[one]")


@TABLE("statistics._meaning.maps._check_255: If 255 is inside, say which")
def void_beside_a_binary_mask(scene):
    """Say that 255 is 1 there, or that it is void, or a label, in both."""
    void = np.where(PREDICTION > REFERENCE, 255, REFERENCE)
    scene.pair(PREDICTION * 255, void)
    option = scene.refused(_SCORE).partition("--map-")[2].partition(".")[0]
    scene.right(DICE, f"{_SCORE} --map-{option}", number="dice[1]")
    scene.right(1.0, f"{_SCORE} --map-{option} --ignore-label 255", number="dice[1]")
    scene.text("l.json", {"labels": {"0": "rest", "1": "road", "255": "other"}})
    # As a label, 255 is one of its own on both sides: one pixel of three, and of one.
    scene.right(2 / 4, f"{_SCORE} --labels l.json", number="dice[255]")


@TABLE("statistics.backends.native._native: Install a C compiler and dicecli")
def no_extension(scene):
    scene.pair()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(native, "_extension", lambda: None)
        scene.refused(native.count_block, REFERENCE, PREDICTION)
        matrix = backend.count_block(REFERENCE, PREDICTION)
    scene.gives(DICE, lambda: 2 * matrix.counts(1).tp / (2 * matrix.counts(1).tp + 1))
    scene.gives(DICE, counted, PREDICTION, REFERENCE)


@TABLE(
    "statistics.backends.numpy.count_block: Nothing is broadcast",
    "statistics.backends.torch.count_block: Nothing is broadcast",
)
def arrays_of_other_shapes(scene):
    count = on_device if "torch" in scene.place.name else counted
    taken = tensors if "torch" in scene.place.name else np.asarray
    scene.refused(count, taken(PREDICTION[:1]), taken(REFERENCE))
    scene.gives(DICE, count, taken(PREDICTION), taken(REFERENCE))


def tensors(array):
    torch = pytest.importorskip("torch")
    tensor = torch.as_tensor(np.asarray(array))
    return tensor.float() if tensor.is_floating_point() else tensor


def on_device(prediction, reference):
    """Count as on a device, whatever there is here."""
    from dicecli.statistics.backends import torch

    found = torch.count_block(reference, prediction).counts(1)
    return 2 * found.tp / (2 * found.tp + found.fp + found.fn)


@TABLE(
    "statistics.backends.numpy._count_wide: Renumber the labels from 0.",
    "statistics.backends.torch._tensor: Renumber",
)
def labels_beyond_63_bits(scene):
    wide = np.where(REFERENCE, 2**63 + 1, 0).astype(np.uint64)
    count = on_device if "torch" in scene.place.name else counted
    scene.refused(count, tensors(PREDICTION) if count is on_device else PREDICTION, wide)
    scene.gives(DICE, count, PREDICTION, np.unique(wide, return_inverse=True)[1].reshape(wide.shape))


@TABLE(
    "statistics.backends.numpy._checked: Give it to dicecli.score,",
    "statistics.backends.torch._tensor: Give it to dicecli.score,",
    "statistics.backends.torch._array: Give it to dicecli.score,",
)
def floats_for_labels(scene):
    """Whole floats are labels there; what casting would have cut off is an error, or has a threshold."""
    if "_array" in scene.place.name:
        pytest.importorskip("torch")
    count = on_device if "_array" in scene.place.name else counted
    taken = tensors if "torch._tensor" in scene.place.name else np.asarray
    whole, below, shares = (taken(each.astype("f4")) for each in (PREDICTION, PREDICTION * 0.999, P))
    for bad in (whole, below, shares):
        scene.refused(count, bad, REFERENCE)
    scene.gives(DICE, scored, whole, REFERENCE)
    scene.gives(DICE, scored, below, REFERENCE)
    scene.refused_again(dicecli.score, shares, REFERENCE)
    scene.gives(DICE, scored, shares, REFERENCE, threshold=0.5)


@TABLE("statistics.backends.torch._torch: Install it with:", but={"--device": "it is to be left out"})
def no_torch(scene):
    scene.pair()
    missing = following.module_is_missing("torch")
    try:
        scene.refused(f"{_SCORE} --device cuda")
        scene.right(DICE, _SCORE)
    finally:
        missing.undo()


@TABLE("statistics.soft.checks.check_values: Save them again without;")
def logits_that_overflow(scene):
    logits = np.where(PREDICTION, 70000.0, -70000.0)
    with np.errstate(over="ignore"):
        soft(scene, logits.astype(np.float16))
    scene.refused("soft p.npy r.png --logits sigmoid")
    soft(scene, logits.astype(np.float32))
    scene.right(DICE, "soft p.npy r.png --logits sigmoid", number=_HALF)


@TABLE("statistics.soft.checks._not_within: Save it again without.")
def probabilities_with_nan(scene):
    lost = P.astype("f4")
    lost[0, 1] = np.nan  # the pixel that is wrong
    ask = "soft p.npy r.png"
    soft(scene, lost)
    scene.refused(ask)
    soft(scene, P)
    scene.right(DICE, ask, number=_HALF)
    for side, array in (("p", lost), ("r", REFERENCE)):
        scene.tif(f"{side}.tif", array)
    # What is missing in the prediction counts as nothing predicted there.
    scene.right(1.0, "soft p.tif r.tif --nodata ignore", number=_HALF)
    # Logits with NaN are refused as such, whichever is said.
    soft(scene, lost * 8 - 4)
    scene.refused(ask)
    scene.refused_again(f"{ask} --logits sigmoid")
    soft(scene, -lost, lost)
    scene.refused_again(f"{ask} --logits softmax")


@TABLE("statistics.soft.checks._not_within: Divide grey levels by 255, as")
def grey_levels(scene):
    soft(scene, np.where(PREDICTION, 255.0, 51.0))
    scene.refused("soft p.npy r.png")
    soft(scene, np.where(PREDICTION, 255.0, 51.0) / 255)
    scene.right(DICE, "soft p.npy r.png", number=_HALF)
    scene.pair()
    scene.right(DICE, _SCORE)


@TABLE("statistics.soft.checks._not_within: Score labels with 'dicecli score'; here")
def labels_for_probabilities(scene):
    """Labels are scored as such; per cent that are whole numbers look like labels, and are told what to do as well."""
    soft(scene, PREDICTION * 2.0)
    scene.refused("soft p.npy r.png")
    scene.refused_again("score p.npy r.png")
    scene.pair()
    scene.right(DICE, _SCORE)
    soft(scene, P)
    scene.right(DICE, "soft p.npy r.png", number=_HALF)
    for most in (100.0, 200.0):
        soft(scene, np.where(PREDICTION, most * 0.75, most * 0.25))
        scene.refused("soft p.npy r.png")
    soft(scene, np.where(PREDICTION, 75.0, 25.0) / 100)
    scene.right(DICE, "soft p.npy r.png", number=_HALF)


@TABLE("statistics.soft.checks._not_within: If interpolation went beyond, clip")
def an_overshoot(scene):
    """Clip what lies near 0 to 1; read logits that happen to do so as such."""
    over = np.where(PREDICTION, 1.02, -0.02)
    over[0, 0] = 0.3
    soft(scene, over)
    scene.refused("soft p.npy r.png")
    soft(scene, np.clip(over, 0, 1))
    scene.right(DICE, "soft p.npy r.png", number=_HALF)
    logits(scene, np.where(PREDICTION, 0.2, -0.2))


@TABLE("statistics.soft.checks._not_within: Divide grey levels by 255, and")
def grey_levels_between(scene):
    """Nobody is told to clip them: that would make 1 of all but black."""
    for values, most in ((np.where(PREDICTION, 250.5, 3.5), 255), (np.where(PREDICTION, 90.5, 3.5), 100)):
        soft(scene, values)
        assert "clip" not in scene.refused("soft p.npy r.png")
        soft(scene, values / most)
        scene.right(DICE, "soft p.npy r.png", number=_HALF)
    logits(scene, np.where(PREDICTION, 8.5, 0.5), high=np.full(PREDICTION.shape, 4.5))


@TABLE("statistics.soft.checks._not_within: If they are logits, say")
def logits_for_probabilities(scene):
    soft(scene, np.where(PREDICTION, 4.0, -4.0))
    assert "clip" not in scene.refused("soft p.npy r.png")
    logits(scene, np.where(PREDICTION, 4.0, -4.0))


def logits(scene, inside, high=None):
    """Read logits as the hint says: of one channel, and of two, where the other one is the background's."""
    soft(scene, -inside if high is None else high, inside)
    scene.refused("soft p.npy r.png")
    scene.right(DICE, "soft p.npy r.png --logits softmax", number="dice_argmax[1]")
    soft(scene, inside if high is None else inside - high)
    scene.right(DICE, "soft p.npy r.png --logits sigmoid", number=_HALF)


@TABLE("statistics.soft.checks.check_sums: If each is a probability of")
def channels_that_do_not_sum_to_1(scene):
    ask, other = "soft p.npy r.png", np.full(PREDICTION.shape, 0.5)
    soft(scene, P, other)
    scene.refused(ask)
    scene.right(DICE, f"{ask} --independent", number=_HALF)
    rounded = np.stack([1 - P, P]) * 1.01
    soft(scene, *rounded)
    scene.refused(ask)
    soft(scene, *(rounded / rounded.sum(axis=0)))
    scene.right(DICE, ask, number="dice_argmax[1]")
    # Logits whose first pixels are padding: all of them 0, so that nothing else is seen of them yet.
    padded = np.where(PREDICTION, 0.9, 0.1)
    soft(scene, 0.5 - padded / 2, padded)
    scene.refused(ask)
    soft(scene, np.where(PREDICTION, -4.0, 4.0), np.where(PREDICTION, 4.0, -4.0))
    for way, number in (("softmax", "dice_argmax[1]"), ("sigmoid --channels 0,1", _HALF)):
        scene.right(DICE, f"{ask} --logits {way}", number=number)


@TABLE("statistics.soft.checks.refuse_hard: Score labels with 'dicecli score'. If")
def nothing_but_0_and_1(scene):
    soft(scene, PREDICTION.astype("f4"))
    scene.refused("soft p.npy r.png")
    scene.right(DICE, "soft p.npy r.png --accept-labels", number=_HALF)
    scene.refused_again("score p.npy r.png")
    scene.pair()
    scene.right(DICE, _SCORE)


#: All pixels of both small masks are rim, and one of them, of the prediction, is a step off the reference.
STEP, ASSD = 1, 1 / 5


@TABLE("statistics.surface.asked._unit_of: Leave boundary metrics out.")
def surfaces_of_a_line(scene):
    sides = PREDICTION[1], np.array([1, 1, 1])
    scene.refused(dicecli.score, *sides, metrics=["dice", "hd95"])
    scene.right(DICE, dicecli.score, *sides, metrics=["dice"])
    assert "-m dice -m iou" in scene.refused(dicecli.score, *sides, metrics="all")
    scene.right(DICE, dicecli.score, *sides, metrics=["dice", "iou"])


@TABLE("statistics.surface.asked._unit_of: Leave boundary metrics out; or")
def surfaces_of_four_axes(scene):
    sides = [np.stack([np.stack([each])] * 2) for each in (PREDICTION, REFERENCE)]
    scene.refused(dicecli.score, *sides, metrics=["dice", "assd"])
    scene.right(DICE, dicecli.score, *sides, metrics=["dice"])
    scene.right(ASSD, dicecli.score, sides[0][1], sides[1][1], metrics=["assd"], number="assd")
    scene.right(ASSD, dicecli.score, sides[0][1, 0], sides[1][1, 0], metrics=["assd"], number="assd")


@TABLE("statistics.surface.asked._unit_of: Measure in pixels: --spacing voxel; or")
def distances_in_degrees_or_on_slanting_axes(scene):
    degrees = {"transform": (1e-4, 0, 7, 0, -1e-4, 50), "crs": "EPSG:4326"}
    slanting = {"transform": (10, 2, 6e5, 0, -10, 5.8e6)}
    for grid in (degrees, slanting):
        for side, array in (("p", PREDICTION), ("r", REFERENCE)):
            scene.tif(f"{side}.tif", array, **grid)
            scene.tif(f"{side}_m.tif", array)
        scene.refused("score p.tif r.tif -m assd")
        scene.right(ASSD, "score p.tif r.tif -m assd --spacing voxel", number="assd_px")
        scene.right(10 * ASSD, "score p_m.tif r_m.tif -m assd", number="assd_m")
        scene.refused("score p.tif r.tif -m all")
        scene.right(ASSD, "score p.tif r.tif -m all --spacing voxel", number="assd_px")


@TABLE("statistics.surface.asked._in_unit: Give it in pixels, as 2px;")
def a_tolerance_in_millimetres_of_pixels(scene):
    scene.pair()
    scene.refused(f"{_SCORE} --tolerance 2mm")
    scene.right(1.0, f"{_SCORE} --tolerance 2px", number="nsd_2px")
    assert "spacing" not in scene.works("inspect p.png")
    scene.refused(f"{_SCORE} -m boundary_f --boundary-width 2mm")
    scene.right(1.0, f"{_SCORE} -m boundary_f --boundary-width 2px", number="boundary_f")


@TABLE("statistics.surface.asked._in_unit: Measure in pixels: --spacing voxel; or")
def a_tolerance_in_pixels_of_millimetres(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.nii(f"{side}.nii", array[:, :, None], affine=np.diag([3, 3, 3, 1]))
    ask = "score p.nii r.nii -m nsd"
    scene.refused(f"{ask} --tolerance 2px")
    scene.right(1.0, f"{ask} --tolerance 2px --spacing voxel", number="nsd_2px")
    scene.right(4 / 5, f"{ask} --tolerance 2mm", number="nsd_2mm")


@TABLE("statistics.surface.state.check: Allow more: --max-memory …, where the")
def surfaces_of_a_map_of_noise(scene):
    """Allow what is said to be needed; or cut the part that matters out of both maps, as gdal_translate does."""
    rasterio = pytest.importorskip("rasterio")
    rng = np.random.default_rng(0)
    sides = {side: rng.random((96, 64)) < 0.5 for side in "pr"}
    for side, array in sides.items():
        scene.tif(f"{side}.tif", array.astype(np.uint8), blockysize=16)
    ask = "score {}.tif {}.tif -m hd --max-memory {}"
    hint = scene.refused(ask.format("p", "r", 100_000))
    allowed = re.search(r"--max-memory (\w+)", hint)[1]
    scene.right(10 * farthest(*sides.values()), ask.format("p", "r", allowed), number="hd")
    x, y, width, height = 8, 16, 30, 20
    for side in sides:
        with rasterio.open(scene.folder / f"{side}.tif") as whole:
            part = whole.read(1, window=rasterio.windows.Window(x, y, width, height))
        place = (10, 0, make.UTM32[2] + 10 * x, 0, -10, make.UTM32[5] - 10 * y)
        scene.tif(f"{side}_part.tif", part, transform=place)
    parts = [each[y : y + height, x : x + width] for each in sides.values()]
    scene.right(10 * farthest(*parts), ask.format("p_part", "r_part", 100_000), number="hd")


def farthest(*masks):
    """Return the Hausdorff distance of two masks in pixels, by all pairs of their rims."""
    points = []
    for mask in masks:
        padded = np.pad(mask, 1)
        inner = padded[:-2, 1:-1] & padded[2:, 1:-1] & padded[1:-1, :-2] & padded[1:-1, 2:]
        points.append(np.argwhere(mask & ~inner))
    squares = ((points[0][:, None] - points[1]) ** 2).sum(axis=2)
    return max(squares.min(axis=0).max(), squares.min(axis=1).max()) ** 0.5


@TABLE("statistics._meaning.channels._check_asked: Say what the channels are:")
def channels_of_others_than_those_alone(scene):
    soft(scene, 1 - P, P)
    hint = scene.refused("soft p.npy r.png --only 5")
    (word,) = hint.partition(" --only ")[2].rstrip(".").split()
    scene.right(DICE, f"soft p.npy r.png --only {word}", number=_HALF)
    scene.png("r.png", REFERENCE * 5)
    scene.right(DICE, "soft p.npy r.png --only 5 --channels 0,5", number="dice_at_half[5]")


@TABLE("statistics._meaning.layers._check_asked: Leave out --only; or declare")
def no_layer_among_those_alone(scene):
    for name, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.tif(f"{name}.tif", np.stack([array, REFERENCE]))
    scene.refused("score p.tif r.tif --only 1")
    scene.right((DICE + 1) / 2, "score p.tif r.tif", number="dice@macro-regions")
    named = "score p.tif r.tif --region a=1 --region b=2 --only a"
    scene.right(DICE, named, number="dice@macro-regions")


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
