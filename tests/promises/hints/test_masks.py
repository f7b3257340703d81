"""Hints on what masks mean and where they lie, on files as such, channels and tensors, followed to the letter."""

from __future__ import annotations

import errno
import os
import shlex
import warnings
from contextlib import chdir

import following
import make
import numpy as np
import pytest
import tifffile
from following import DICE, PREDICTION, REFERENCE, Table, forbidden_to_read

import dicecli
from dicecli.errors import ShapeMismatch
from dicecli.masks import files, layers
from dicecli.records.one_each import OneEach

TABLE = Table(
    "masks",
    unfollowed={
        "masks.placing.check_grids: Reproject": "of maps that are no files: tests/masks/test_align.py"
    },
)
_SCORE = "score p.png r.png"
_NII = "score p.nii.gz r.nii.gz"
_HALF = "dice_at_half[1]"
_ARGMAX = "dice_argmax[1]"
#: A map that thresholds at one half make the prediction.
P = PREDICTION * 0.5 + 0.25
VOLUMES = PREDICTION[..., None], REFERENCE[..., None]


def volumes(scene, prediction=VOLUMES[0], reference=VOLUMES[1], *, p=None, r=None):
    """Write two volumes; `p` and `r` are their affines."""
    scene.nii("p.nii.gz", prediction, affine=p)
    scene.nii("r.nii.gz", reference, affine=r)


def moved(*by):
    affine = np.eye(4)
    affine[: len(by), 3] = by
    return affine


@TABLE("masks.renumbered._mapped: Say what it is in")
def labels_that_a_map_lacks(scene):
    """Add what it lacks; 255 is not 1 by itself beside a map."""
    scene.pair(PREDICTION * 5 + REFERENCE)
    scene.refused(f"{_SCORE} --map-prediction 5=5")
    scene.right(1.0, f"{_SCORE} --map-prediction 5=5,6=1", number="dice[1]")
    assert "6=6 to keep it" in scene.refused(f"{_SCORE} --map-prediction 5=5,7=1")
    hint = scene.refused(f"{_SCORE} --map-prediction 9=ignore")
    whole = hint.partition("keep them (")[2].partition(")")[0]
    assert whole == "--map-prediction '9=ignore,5-6:+0'"
    scene.right(0.0, f"{_SCORE} {whole}", number="dice[1]")
    scene.right(0.0, f"{_SCORE} --map-prediction 5=1,7=1,6=6", number="dice[1]")
    for none in ("6=ignore", "*=ignore"):
        scene.right(0.0, f"{_SCORE} --map-prediction '5=1,7=1,{none}'", number="dice[1]")
    scene.pair(PREDICTION * 255)
    scene.refused(f"{_SCORE} --map-prediction 1=1")
    scene.right(DICE, f"{_SCORE} --map-prediction 1=1,255=1")
    scene.right(0.0, f"{_SCORE} --map-prediction 1=1,255=255", number="dice[1]")
    scene.right(0.0, f"{_SCORE} --map-prediction 1=1,255=ignore", number="dice[1]")
    scene.pair(PREDICTION, REFERENCE * 255)
    scene.refused(f"{_SCORE} --map-reference 1=1")
    scene.right(DICE, f"{_SCORE} --map-reference 1=1,255=1")


@TABLE("masks.apart.grids_apart: Resample one of them onto")
def grids_that_lie_apart(scene):
    """Let the prediction lie a voxel beside the reference, as it says; or its header alone."""
    volumes(scene, p=moved(5, 6), r=moved(5, 5))
    scene.refused(_NII)
    scene.right(DICE, f"{_NII} --geometry ignore")
    there = np.zeros_like(VOLUMES[0])
    there[:, 1:] = VOLUMES[0][:, :-1]  # on the reference's grid, a voxel further
    volumes(scene, there, p=moved(5, 5), r=moved(5, 5))
    scene.right(2 * 1 / (3 + 2), _NII)


def with_rio(scene):
    """Run the commands of rasterio that the hint ends with, and return the words that score what they made."""
    from click.testing import CliRunner
    from rasterio.rio.main import main_group

    names = {"p.tif": "p.tif", "r.tif": "r.tif"}
    hint = scene.do(_TIF).text.rpartition("Hint: ")[2]
    for command in " ".join(hint[hint.index("rio ") :].split()).split(" && "):
        words = shlex.split(command)[1:]
        scene.followed |= {word for word in words if word.startswith("--")}
        with chdir(scene.folder), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # those of rasterio's own command line
            done = CliRunner().invoke(main_group, words)
        assert done.exit_code == 0, done.output
        names[words[1]] = words[2]
    return f"score {names['p.tif']} {names['r.tif']}"


def at(row, column, step=10, rows=1):
    """Return the transform of a map that begins at a pixel of another one, which is 10 m wide."""
    return (step, 0, 6e5 + 10 * column, 0, -step * rows, 58e5 - 10 * row)


#: A map of five rows and six columns, and another one: the prediction.
MAPS = np.random.default_rng(14).integers(0, 2, (2, 5, 6)).astype(np.uint8)
_TIF = "score p.tif r.tif"
#: Parts of both: the first row and column of each, its shape, what both have of the whole, and what is said.
WINDOWS = [
    (
        (1, 2, 3, 3),
        (0, 0, 5, 6),
        (1, 4, 2, 5),
        "the prediction is an exact window of the reference at row 1, column 2",
    ),
    (
        (0, 0, 5, 6),
        (2, 1, 3, 4),
        (2, 5, 1, 5),
        "the reference is an exact window of the prediction at row 2, column 1",
    ),
    (
        (0, 0, 4, 4),
        (1, 2, 4, 4),
        (1, 4, 2, 4),
        "at row -1, column -2 of the reference, on the same grid, and they share 3 x 2",
    ),
]


@TABLE(
    "masks.fitting.fit_of: Score it within",
    "masks.fitting._cut: rio clip",
    "masks.apart.grids_apart: --geometry ignore compares",
)
def maps_of_one_grid(scene):
    is_alike = "apart" in scene.place.name
    has_window = "fit_of" in scene.place.name
    for first, second, (top, bottom, left, right), said in (
        WINDOWS[2:] if is_alike else WINDOWS[: 2 + (not has_window)]
    ):
        for name, whole, (row, column, rows, columns) in (("p", MAPS[1], first), ("r", MAPS[0], second)):
            scene.tif(
                f"{name}.tif", whole[row : row + rows, column : column + columns], transform=at(row, column)
            )
        (scene.refused if is_alike else scene.noted)(_TIF)
        assert said in " ".join(scene.do(_TIF).text.split())
        if is_alike:
            scene.right(following.dice(MAPS[1, :4, :4], MAPS[0, 1:, 2:]), f"{_TIF} --geometry ignore")
        expected = following.dice(MAPS[1, top:bottom, left:right], MAPS[0, top:bottom, left:right])
        if "exact window" in said:
            scene.right(expected, f"{_TIF} --window")
        scene.right(expected, with_rio(scene))
        for cut in scene.folder.glob("*_cut.tif"):
            cut.unlink()


@TABLE("masks.fitting.fit_of: Score it within")
def windows_of_a_map_that_runs_from_the_south(scene):
    part = MAPS[1, 1:4, 2:5]
    scene.tif("r.tif", MAPS[0], transform=at(0, 0, rows=-1))
    scene.tif("p.tif", part, transform=at(-1, 2, rows=-1))
    scene.noted(_TIF)
    scene.right(following.dice(part, MAPS[0, 1:4, 2:5]), f"{_TIF} --window")
    scene.right(following.dice(np.pad(part, ((1, 1), (2, 1))), MAPS[0]), with_rio(scene))


@TABLE("masks.uncovered.outside_tiles: Leave out what no tile")
def binary_layers_that_no_tile_covers(scene):
    layers = np.stack([MAPS[0], 1 - MAPS[0]])
    scene.tif("r.tif", layers, transform=at(0, 0))
    (scene.folder / "p").mkdir()
    scene.tif("p/a.tif", layers[:, :3], transform=at(0, 0))
    scene.refused("batch p r.tif")
    scene.right(1.0, "batch p r.tif --uncovered ignore", number="dice@macro-regions")


@TABLE("masks.alignment._in_window: A window is found")
def windows_without_a_place(scene):
    scene.png("p.png", MAPS[1, 1:4, 2:5])
    scene.png("r.png", MAPS[0])
    scene.refused("score p.png r.png --window")
    scene.tif("r.tif", MAPS[0], transform=at(0, 0))
    scene.refused("score p.png r.tif --window")
    scene.tif("p.tif", MAPS[1, 1:4, 2:5], transform=at(1, 2))
    expected = following.dice(MAPS[1, 1:4, 2:5], MAPS[0, 1:4, 2:5])
    scene.right(expected, f"{_TIF} --window")
    scene.nii("p.nii.gz", MAPS[1, 1:4, 2:5], affine=moved(1, 2))
    scene.nii("r.nii.gz", MAPS[0], affine=moved(0, 0))
    assert "Score it within that window: --window." in scene.do(_NII).text
    scene.right(expected, f"{_NII} --window")


@TABLE("masks.fitting._warp: Lay the prediction on")
def maps_of_other_grids(scene):
    """Let the prediction have smaller pixels, run from south to north, or be in another CRS."""
    from rasterio.warp import transform

    (x,), (y,) = transform("EPSG:32632", "EPSG:32633", [6e5], [58e5])
    for prediction, where, crs, said in (
        (
            np.kron(MAPS[1], np.ones((2, 2), np.uint8)),
            at(0, 0, 5),
            "EPSG:32632",
            "pixels of (5, 5) against (10, 10);",
        ),
        (
            MAPS[1][::-1],
            at(5, 0, rows=-1),
            "EPSG:32632",
            "in the other direction; the prediction covers about 100%",
        ),
        (
            np.ones((40, 40), np.uint8),
            (10, 0, x - 200, 0, -10, y + 200),
            "EPSG:32633",
            "CRS EPSG:32633 against EPSG:32632",
        ),
    ):
        scene.tif("r.tif", MAPS[0][:4])
        scene.tif("p.tif", prediction, transform=where, crs=crs)
        scene.noted(_TIF)
        assert said in " ".join(scene.do(_TIF).text.split())
        expected = MAPS[1] if crs == "EPSG:32632" else np.ones_like(MAPS[1])
        scene.right(following.dice(expected[:4], MAPS[0][:4]), with_rio(scene))
        (scene.folder / "p_warped.tif").unlink()


def test_maps_without_a_place_in_common_are_told_how_far_they_are(tmp_path):
    """Neither is a command proposed that would make zeros of them; nor is one where a CRS is not named."""
    made = {name: tmp_path / f"{name}.tif" for name in "pr"}
    make.geotiff(made["r"], MAPS[0])
    make.geotiff(made["p"], MAPS[1][:2], transform=at(90, -7))
    with pytest.raises(
        ShapeMismatch, match="begins at row 90, column -7 of the reference, and they have no place"
    ) as caught:
        dicecli.score(made["p"], made["r"])
    assert caught.value.hint == "There is nothing to compare: give the mask of the same place."
    make.geotiff(made["p"], MAPS[1][:2], transform=at(0, 0, 5), crs=None)
    with pytest.raises(ShapeMismatch, match=r"prediction 2 x 6, reference 5 x 6\n"):
        dicecli.score(made["p"], made["r"])


@TABLE(
    "masks.alignment._shape_error: As many pixels",
    "masks.alignment._shape_error: Nothing is resized",
    "masks.alignment._shape_error: The same lengths",
    "masks.alignment._shape_error: They differ by axes",
)
def other_shapes(scene):
    other = {
        "As many": VOLUMES[0].reshape(6, 1, 1),
        "Nothing": VOLUMES[0][:1],
        "The same": np.swapaxes(VOLUMES[0], 0, 1),
        "They differ": VOLUMES[0][:, None, :, 0].reshape(2, 1, 1, 3)[:, :, :, :],
    }[next(each for each in ("As many", "Nothing", "The same", "They differ") if each in scene.place.name)]
    reference = VOLUMES[1] if other.ndim == 3 else REFERENCE[:, None]
    if other.ndim == 4:
        scene.refused(dicecli.score, other, REFERENCE)
        scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)
        return
    volumes(scene, other, reference)
    scene.refused(_NII)
    volumes(scene)
    scene.right(DICE, _NII)


@TABLE("masks.alignment._shape_error: One mask has an axis more,")
def pages_of_a_stack(scene):
    stack = np.stack([1 - REFERENCE, REFERENCE])
    tifffile.imwrite(scene.folder / "r.tif", stack, photometric="minisblack")
    tifffile.imwrite(scene.folder / "p.tif", PREDICTION)
    assert "--page N" in scene.refused("score p.tif r.tif")
    scene.right(DICE, "score p.tif r.tif --page 2")


@TABLE("masks.alignment._shape_error: One mask has an axis more:")
def an_axis_more(scene):
    scene.png("p.png", PREDICTION)
    scene.nii("r.nii.gz", np.stack([REFERENCE, 1 - REFERENCE], -1))
    assert "--" not in scene.refused("score p.png r.nii.gz")
    scene.refused(dicecli.score, np.stack([1 - P, P]), REFERENCE)
    scene.right(DICE, dicecli.score, np.stack([1 - P, P]).argmax(axis=0), REFERENCE)


@TABLE("masks.channel_arrays._channel_axis: An array has the reference's")
def channels_elsewhere(scene):
    nothing = np.zeros(P.shape)
    scene.npy("p.npy", np.stack([1 - P, P, nothing, nothing], 1))
    scene.png("r.png", REFERENCE)
    scene.refused("soft p.npy r.png")
    scene.right(DICE, "soft p.npy r.png --channel-axis 1", number=_ARGMAX)
    for axis in (0, -1):
        scene.npy("p.npy", np.stack([1 - P, P], axis))
        scene.right(DICE, "soft p.npy r.png", number=_ARGMAX)
    scene.npy("p.npy", P)
    scene.right(DICE, "soft p.npy r.png", number=_HALF)


@TABLE("masks.channel_arrays._channel_axis: its channels may be on the")
def channels_on_either_side(scene):
    square, p = np.array([[0, 1], [1, 1]], np.uint8), np.array([[0.25, 0.75], [0.25, 0.75]])
    scene.npy("p.npy", np.stack([1 - p, p], -1))
    scene.png("r.png", square)
    scene.noted("soft p.npy r.png --independent --channels 0,1")
    scene.right(2 * 2 / (2 + 3), "soft p.npy r.png --channel-axis -1", number=_ARGMAX)


@TABLE("masks.named_channels.parse_channels: Each channel has a label of")
def a_channel_twice(scene):
    maps(scene, 1 - P, P)
    scene.refused("soft p.npy r.png --channels 1,1")
    scene.right(DICE, "soft p.npy r.png --channels 0,1", number=_ARGMAX)


def maps(scene, *channels, reference=REFERENCE):
    scene.npy("p.npy", np.stack(channels))
    scene.png("r.png", reference)


@TABLE("masks.named_channels._channel: Declared are ….")
def a_channel_that_is_not_declared(scene):
    maps(scene, 1 - P, P)
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver"}})
    assert "1 (liver)" in scene.refused("soft p.npy r.png --labels l.json --channels 0,2")
    scene.right(DICE, "soft p.npy r.png --labels l.json --channels 0,1", number=_ARGMAX)


@TABLE(
    "masks.named_channels._channel: Names come from --labels and --region.",
    but={"--labels": "what is declared is named", "--region": "likewise"},
)
def declared_in_no_way(scene):
    """Hold that a scheme which declares labels has names, so that nothing is said of where they would come from."""
    scene.hint = scene.place.text
    scheme = dicecli.load_labels({"labels": {"1": "liver"}})
    from dicecli.masks.named_channels import _declared

    assert "liver" in _declared(scheme)


@TABLE("masks.named_channels._channel: Name the channels in their order,")
def a_channel_of_no_name(scene):
    maps(scene, 1 - P, P)
    scene.refused("soft p.npy r.png --channels rest,liver")
    scene.right(DICE, "soft p.npy r.png --channels 0,1", number=_ARGMAX)
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver"}})
    scene.right(DICE, "soft p.npy r.png --labels l.json --channels rest,liver", number=_ARGMAX)
    maps(scene, P, P)
    scene.right(DICE, "soft p.npy r.png --independent --region both=1,2 --channels both,1", number=_HALF)


@TABLE(
    "masks.named_channels._channel: Did you mean", but={"--region": "where names come from; followed below"}
)
def a_slip_in_a_channel(scene):
    maps(scene, 1 - P, P)
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver"}})
    scene.refused("soft p.npy r.png --labels l.json --channels rest,livr")
    scene.right(DICE, f"soft p.npy r.png --labels l.json --channels rest,{scene.meant()}", number=_ARGMAX)


@TABLE("masks.channels.channels_of: Name every channel, in their order.")
def fewer_names_than_channels(scene):
    maps(scene, 1 - P, P)
    scene.refused("soft p.npy r.png --channels 1")
    scene.right(DICE, "soft p.npy r.png --channels 0,1", number=_ARGMAX)


@TABLE("masks.channels.channels_of: Name the label of each channel,")
def fewer_labels_than_channels(scene):
    """Nothing that can be pasted is right by chance: which label a channel is, the user says."""
    maps(scene, (1 - P) / 2, (1 - P) / 2, P, reference=REFERENCE * 4)
    scene.text("l.json", {"labels": {"0": "rest", "1": "edema", "2": "core", "4": "enhancing"}})
    ask = "soft p.npy r.png --labels l.json"
    hint = scene.refused(ask)
    scene.refused_again(f"{ask} {hint[hint.index('--channels') :].rstrip('.')}")
    scene.right(DICE, f"{ask} --channels 0,1,4", number="dice_argmax[4]")
    # A number that is printed for all, as 0,1,2 was, scores the wrong channel where the reference lacks that label.
    assert "0,1" not in hint


@TABLE("masks.channels.layer_rows: Save the same layers in both,")
def more_layers_than_the_other(scene):
    for name, count in (("p3", 3), ("p", 2), ("r", 2)):
        array = REFERENCE if name == "r" else PREDICTION
        scene.nii(f"{name}.nii.gz", np.stack([array.T] * count, -1)[:, :, None])
    scene.refused("score p3.nii.gz r.nii.gz")
    scene.right(DICE, _NII, number="dice@macro-regions")


@TABLE("masks.channels.layer_rows: If they are the labels of")
def layers_beside_a_map(scene):
    """One-hot channels, the background's first: regions that a hint makes up would score them as other ones."""
    scene.nii("p.nii.gz", np.stack([1 - PREDICTION, PREDICTION], -1)[:, :, None])
    scene.nii("r.nii.gz", VOLUMES[1])
    hint = scene.refused(_NII)
    named = hint[hint.index("--region") :].rstrip(".")
    scene.refused_again(f"{_NII} {named}")
    scene.refused_again(f"{_NII} --region whole=1")
    scene.right(DICE, f"{_NII} --region rest=0 --region liver=1", number="dice[liver]")
    scene.right(DICE, f"{_NII} --argmax")
    scene.tif("p.tif", np.stack([1 - PREDICTION, PREDICTION]))
    scene.tif("r.tif", REFERENCE)
    scene.refused("score p.tif r.tif")
    scene.right(DICE, "score p.tif r.tif --argmax")


@TABLE("masks.channels.check_types: Give floats.")
def complex_probabilities(scene):
    scene.refused(dicecli.soft, P.astype(np.complex64), REFERENCE)
    scene.right(DICE, dicecli.soft, P.astype(np.float32), REFERENCE, number=_HALF)


@TABLE("masks.channels.check_types: Score labels with 'dicecli score'. Divide")
def integers_for_probabilities(scene):
    for side, array in (("p", PREDICTION), ("r", REFERENCE), ("g", PREDICTION * 200)):
        scene.tif(f"{side}.tif", array)
    scene.refused("soft p.tif r.tif")
    scene.right(DICE, "score p.tif r.tif")
    scene.right(DICE, "soft p.tif r.tif --accept-labels", number=_HALF)
    scene.refused("soft g.tif r.tif")
    scene.refused_again("soft g.tif r.tif --accept-labels")
    scene.tif("g.tif", (PREDICTION * 200 / 255).astype("f4"))
    scene.right(DICE, "soft g.tif r.tif", number=_HALF)


@TABLE("masks.channels.check_covered: Say that channels are probabilities of")
def a_region_among_channels(scene):
    """Of probabilities --independent is meant; of logits, sigmoids: neither is read as the other."""
    maps(scene, 1 - P, P)
    ask = "soft p.npy r.png --region both=1,2 --channels 0,both"
    scene.refused(ask)
    scene.right(DICE, f"{ask} --independent", number="dice_at_half[both]")
    maps(scene, 2 - PREDICTION * 4.0, PREDICTION * 4.0 - 2)
    scene.right(DICE, f"{ask} --logits sigmoid", number="dice_at_half[both]")


@TABLE("masks.channels.check_covered: Say what the channels are: --channels;")
def a_label_without_a_channel(scene):
    """Name the label of the channel; or leave its pixels out, of which the hint says what that does."""
    maps(scene, 1 - P, P, reference=REFERENCE * 3)
    hint = scene.refused("soft p.npy r.png")
    assert "leaves these pixels out" in hint
    assert "counts as wrong" in hint
    scene.right(DICE, "soft p.npy r.png --channels 0,3", number="dice_argmax[3]")
    scene.right(DICE, "soft p.npy r.png --map-reference 3=1", number="dice_argmax[1]")
    left = hint[hint.index("--ignore-label") :].partition(" leaves")[0]
    assert left == "--ignore-label 3"
    found = scene.do(f"soft p.npy r.png {left}")
    assert found.report.scored[0].excluded["ignore_label"] == int(REFERENCE.sum())


@TABLE("masks.channels._by_rule: the declared labels in ascending", "masks.channels._by_rule: counted from")
def channels_in_another_order(scene):
    extra = "" if "counted" in scene.place.name else " --labels l.json"
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver"}})
    maps(scene, P, 1 - P)
    scene.noted(f"soft p.npy r.png{extra}")
    scene.right(DICE, f"soft p.npy r.png{extra} --channels 1,0", number=_ARGMAX)


@TABLE("masks.channels._by_rule: the declared labels without")
def independent_channels_in_another_order(scene):
    scene.text("l.json", {"labels": {"0": "rest", "1": "liver", "2": "tumour"}})
    maps(scene, np.full(P.shape, 0.25), P)
    scene.noted("soft p.npy r.png --labels l.json --independent")
    scene.right(DICE, "soft p.npy r.png --labels l.json --independent --channels 2,1", number=_HALF)


@TABLE("masks.encoding.to_labels: Save the mask as integers.")
def complex_labels(scene):
    scene.refused(dicecli.score, PREDICTION.astype(np.complex64), REFERENCE)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)


@TABLE(
    "masks.exact.check_whole: Save the mask again, with a",
    "masks.exact.check_whole: Renumber the labels",
)
def labels_beyond_what_can_be(scene):
    bad = REFERENCE.astype(np.int64)
    bad[0, 0] = np.iinfo(np.int64).min
    bad = np.where(REFERENCE, 2**63, 0).astype(np.uint64) if "Renumber" in scene.place.name else bad
    scene.refused(dicecli.score, PREDICTION, bad)
    good = (
        np.unique(bad, return_inverse=True)[1].reshape(bad.shape)
        if bad.dtype == np.uint64
        else np.maximum(bad, 0)
    )
    scene.right(DICE, dicecli.score, PREDICTION, good)


@TABLE("masks.encoding._refuse_nonfinite: Save the mask as integers. If")
def labels_with_nan(scene):
    lost = REFERENCE.astype(np.float32)
    lost[PREDICTION != REFERENCE] = np.nan
    for end, write in (("tif", scene.tif), ("nii.gz", scene.nii)):
        extra = (..., None) if end == "nii.gz" else ...
        write(f"p.{end}", PREDICTION[extra])
        write(f"r.{end}", lost[extra])
        scene.refused(f"score p.{end} r.{end}")
        write(f"r.{end}", REFERENCE[extra])
        scene.right(DICE, f"score p.{end} r.{end}")
        write(f"r.{end}", lost[extra])
    scene.right(1.0, "score p.tif r.tif --nodata ignore")
    scene.refused_again(f"{_NII} --nodata ignore")


@TABLE("masks.encoding._rounded: Save the mask as integers.")
def labels_as_large_floats(scene):
    scene.refused(dicecli.score, PREDICTION, REFERENCE * 1e30)
    scene.right(DICE, dicecli.score, PREDICTION, REFERENCE)


def soft_edges():
    """Return a disc with soft edges in 0 to 255, and the same one in 0 and 1."""
    across = np.arange(24) - 11.5
    inside = np.clip(8.2 - np.hypot(across[:, None], across), 0, 1)
    return np.round(inside * 255).astype(np.uint8), (inside >= 0.5).astype(np.uint8)


@TABLE("masks.encoding.meaning: If both masks are binary, give")
def a_mask_with_soft_edges(scene):
    soft, hard = soft_edges()
    reference = np.roll(hard, 2, axis=1)
    overlap = 2 * int((hard & reference).sum()) / (2 * int(hard.sum()))
    for other in (reference, reference * 255):
        scene.pair(soft, other)
        hint = scene.refused(_SCORE)
        # Beside a mask of labels and void, a threshold would make background of the labels, and 1 of the void.
        assert hint.startswith("If both masks are binary")
        threshold = hint[hint.index("--threshold") :].partition(".")[0]
        scene.right(overlap, f"{_SCORE} {threshold}")
    levels = {str(value): f"level {value}" for value in np.unique(soft).tolist()}
    scene.text("FILE.json", {"labels": levels})
    scene.pair(soft, soft)
    scene.right(1.0, f"{_SCORE} --labels FILE.json", number="dice[255]")


@TABLE("masks.encoding.meaning: If the larger value marks void")
def labels_and_void_beside_soft_edges(scene):
    """Leave the void of the reference out beside the threshold; or save the mask as 0 and 255."""
    soft, hard = soft_edges()
    reference = np.roll(hard, 2, axis=1)
    void = np.where(np.arange(len(hard))[:, None] < 2, 255, reference)
    counted = void != 255
    overlap = 2 * int((hard & reference)[counted].sum()) / int((hard.astype(int) + reference)[counted].sum())
    scene.pair(soft, void)
    assert "--ignore-label" in scene.refused(f"{_SCORE} --threshold 128")
    scene.right(overlap, f"{_SCORE} --threshold 128 --ignore-label 255")
    scene.pair(soft, np.where(void == 255, 255, 0))
    expected = np.where(void == 255, 1, 0)
    scene.right(
        2 * int((hard & expected).sum()) / int((hard.astype(int) + expected).sum()),
        f"{_SCORE} --threshold 128",
    )


@TABLE(
    "masks.files.check_regular: …Check the path; relative paths",
    "masks.files.check_regular: It is a symbolic link",
    "masks.files.check_regular: Give the path",
    "masks.files.check_regular: Was it",
)
def no_file(scene):
    scene.pair()
    path = scene.folder / "q.png"
    path.symlink_to("gone.png") if "link" in scene.place.name else None
    path.mkdir() if "Give" in scene.place.name else None
    path.write_bytes(b"") if "Was it" in scene.place.name else None
    scene.refused("score q.png r.png")
    path.rmdir() if path.is_dir() else path.unlink(missing_ok=True)
    scene.png("q.png", PREDICTION)
    scene.right(DICE, "score q.png r.png")


@TABLE("masks.files.check_regular: Check the path and its permissions.")
def a_path_that_is_none(scene):
    scene.pair()
    scene.refused(dicecli.score, f"{'a' * 300}.png", scene.folder / "r.png")
    scene.right(DICE, dicecli.score, "p.png", "r.png")


@TABLE(
    "masks.files.check_unchanged: Score it once nobody writes to",
    "masks.layers._changed: Score it once nobody",
)
def a_mask_that_changes(scene):
    scene.pair()
    with pytest.MonkeyPatch.context() as patch:
        if "layers" in scene.place.name:

            def broken(*_):
                raise layers._changed()

            scene.refused(broken)
        else:
            states = iter(range(100))
            patch.setattr(files, "state", lambda _: [(next(states), 0, 0)])
            scene.refused(_SCORE)
    scene.right(DICE, _SCORE)


@TABLE("masks.files._refuse_elsewhere: Masks are read from local files")
def a_mask_elsewhere(scene):
    scene.pair()
    scene.refused("score https://example.org/p.png r.png")
    scene.right(DICE, _SCORE)


@TABLE("masks.files.open_regular: Check its permissions.")
def a_mask_that_is_forbidden(scene):
    for end in ("png", "nii.gz"):
        scene.pair() if end == "png" else volumes(scene)
        allow = forbidden_to_read(scene.folder / f"p.{end}")
        try:
            scene.refused(f"score p.{end} r.{end}")
        finally:
            allow()
        scene.right(DICE, f"score p.{end} r.{end}")


@TABLE("masks.files.open_regular: Give the path of a mask")
def a_mask_that_becomes_a_pipe(scene):
    scene.pair()
    os.mkfifo(scene.folder / "q.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("dicecli.masks.formats.png.masks.files.check_regular", lambda _: 9)
        scene.refused("score q.png r.png")
    scene.right(DICE, _SCORE)


@TABLE("masks.files.head: Check its permissions.", "masks.files.readable: Check the disk, and the")
def a_disk_that_fails(scene):
    scene.text("q.xyz", "nothing that is known")
    scene.pair()

    def fails(*_):
        raise OSError(errno.EIO, "Input/output error")

    with pytest.MonkeyPatch.context() as patch:
        if "head" in scene.place.name:
            patch.setattr(files, "open_regular", fails)
            scene.refused("score q.xyz r.png")
        else:

            def read():
                with files.readable("p.png"):
                    fails()

            scene.refused(read)
    scene.right(DICE, _SCORE)


def _classes(scene, **files):
    """Write a folder of predictions, a class each, beside a label map of which each is label 1."""
    (scene.folder / "p").mkdir(exist_ok=True)
    for name, array in files.items():
        scene.png(f"p/{name}.png", array)
    scene.png("r.png", REFERENCE)


@TABLE("masks.classes._unknown: Name the label of each class")
def classes_beside_labels_without_names(scene):
    _classes(scene, liver=PREDICTION)
    scene.refused("score p r.png")
    scene.right(DICE, "score p r.png --region liver=1")
    scene.text("labels.json", {"labels": {"0": "background", "1": "liver"}})
    scene.right(DICE, "score p r.png --labels labels.json")


@TABLE("masks.classes._unknown: All of these are names of")
def classes_of_a_preset_beside_labels(scene):
    _classes(scene, liver=PREDICTION, spleen=PREDICTION * 0)
    scene.png("r.png", REFERENCE * 5)
    hint = scene.refused("score p r.png")
    assert "if the reference's labels are so numbered, --labels totalsegmentator." in hint
    scene.right(DICE, "score p r.png --labels totalsegmentator", number="dice[liver]")
    scene.right(DICE, "score p r.png --region liver=5 --region spleen=1", number="dice[liver]")


@TABLE("masks.classes._unknown: Did you mean …? Name the")
def classes_beside_labels_of_other_names(scene):
    _classes(scene, liver=PREDICTION)
    scene.text("labels.json", {"labels": {"0": "background", "1": "Liver"}})
    scene.refused("score p r.png --labels labels.json")
    assert scene.meant() == "Liver"
    scene.right(DICE, "score p r.png --labels labels.json --region liver=1")
    scene.text("labels.json", {"labels": {"0": "background", "1": "liver"}})
    scene.right(DICE, "score p r.png --labels labels.json")


@TABLE("masks.classes._none_asked: Name some of them, as --only")
def no_class_among_those_alone(scene):
    scene.folders("a", "b")
    scene.png("p/b.png", REFERENCE)
    names = {side: tuple((each, f"{side}/{each}.png") for each in "ab") for side in "pr"}
    case = dicecli.Case("c", OneEach("p", names["p"]), OneEach("r", names["r"]))
    hint = scene.refused(dicecli.score_many, [case], dicecli.make_settings(only=1))
    named = hint.partition(" --only ")[2].partition(";")[0]
    scene.right(DICE, f"score p r --only {named}")
    scene.right((DICE + 1) / 2, "score p r")


@TABLE("masks.classes.check: Save it as a file for")
def classes_beside_layers_without_names(scene):
    _classes(scene, a=PREDICTION, b=PREDICTION)
    scene.tif("r.tif", np.stack([REFERENCE, REFERENCE]))
    words = "--region a=1 --region b=2"
    scene.refused(f"score p r.tif {words}")
    (scene.folder / "r").mkdir()
    for name in "ab":
        scene.png(f"r/{name}.png", REFERENCE)
    scene.right(DICE, "score p r")
    scene.right(DICE, "score p r.png --region a=1 --region b=1")


@TABLE("masks.classes._beside: Save every class of a case")
def classes_of_two_shapes(scene):
    _classes(scene, a=PREDICTION, b=PREDICTION[:, :2])
    words = "--region a=1 --region b=1"
    scene.refused(f"score p r.png {words}")
    scene.png("p/b.png", PREDICTION)
    scene.right(DICE, f"score p r.png {words}")


@TABLE("masks.inside._of_many: Save it as 0 and 1,")
def a_class_of_another_number(scene):
    scene.folders("a_1", prediction=PREDICTION * 5)
    pattern = "--prediction-pattern '{case}_{label}.png' --reference-pattern '{case}_{label}.png'"
    scene.refused(f"batch p r {pattern}")
    scene.png("p/a_1.png", PREDICTION)
    scene.right(DICE, f"batch p r {pattern}")
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.png(f"{side}/a_1.png", array * 5)
    scene.refused(f"batch p r {pattern}")
    plain = pattern.replace("{label}", "1")
    scene.right(DICE, f"batch p r {plain}")


@TABLE("masks.inside.meant_inside: Take it for outside: --nodata background;")
def layers_with_nodata(scene):
    """Where nodata is outside, where it is a value as any other, and in a file whose bands are none of one mask."""
    void = np.where(PREDICTION > REFERENCE, 255, PREDICTION)
    scene.tif("p.tif", np.stack([PREDICTION, void]), nodata=255)
    scene.tif("r.tif", np.stack([REFERENCE, REFERENCE]), nodata=255)
    scene.refused("score p.tif r.tif")
    scene.right((DICE + 1) / 2, "score p.tif r.tif --nodata background", number="dice@macro-regions")
    scene.right(DICE, "score p.tif r.tif --band 1")
    scene.refused_again("score p.tif r.tif --nodata label")  # 1 beside 255: no binary layer
    for side, array in (("p", PREDICTION), ("r", REFERENCE)):
        scene.tif(f"{side}.tif", np.stack([array, array]) * 255, nodata=255)
    scene.refused("score p.tif r.tif")
    scene.right(DICE, "score p.tif r.tif --nodata label", number="dice@macro-regions")


@TABLE(
    "masks.declared.check_declared: Declare it there",
    but={"--ignore-label": "what it does is said; N is none"},
)
def a_label_that_is_not_declared(scene):
    """Of planes 0 and 1 with label 1, 2 and 3 with 2, 4 and 5 with 3, which the prediction calls 2."""
    reference = np.zeros((10, 10, 10), np.uint8)
    for label, start in ((1, 0), (2, 2), (3, 4)):
        reference[start : start + 2] = label
    scene.nii("p.nii.gz", np.where(reference == 3, 2, reference))
    scene.nii("r.nii.gz", reference)
    labels = {"0": "rest", "1": "one", "2": "two"}
    scene.text("l.json", {"labels": labels})
    hint = scene.refused(f"{_NII} --labels l.json")
    scene.refused_again(f"{_NII} --labels l.json --ignore-label N")
    alone = hint.partition("--only ")[2].partition(".")[0]
    scene.right(2 / 3, f"{_NII} --labels l.json --only {alone}", number="dice[two]")
    scene.right(1.0, f"{_NII} --labels l.json --map-reference 1=1,2-3=2", number="dice[two]")
    scene.text("l.json", {"labels": labels | {"3": "three"}})
    scene.right(2 / 3, f"{_NII} --labels l.json", number="dice[two]")


@TABLE("masks.declared.check_declared: In a reference … is usually")
def void_that_is_not_declared(scene):
    """Lead with what 255 usually is, and say where else it may be declared."""
    scene.pair(PREDICTION, np.where(REFERENCE < PREDICTION, 255, REFERENCE).astype(np.uint8))
    scene.text("l.json", {"labels": {"0": "rest", "1": "one"}})
    hint = scene.refused(f"{_SCORE} --labels l.json")
    assert hint.startswith("In a reference 255 is usually void")
    scene.right(1.0, f"{_SCORE} --labels l.json --ignore-label 255", number="dice[one]")
    scene.text("l.json", {"labels": {"0": "rest", "1": "one", "255": "two"}})
    scene.right(DICE, f"{_SCORE} --labels l.json", number="dice[one]")


@TABLE("masks.opening.open_mask: Score probabilities with 'dicecli soft'; save")
def a_mask_in_npy(scene):
    scene.npy("p.npy", P)
    scene.pair()
    scene.refused("score p.npy r.png")
    scene.right(DICE, "soft p.npy r.png", number=_HALF)
    scene.right(DICE, _SCORE)
    volumes(scene)
    scene.right(DICE, _NII)
    scene.tif("p.tif", PREDICTION, crs=None, transform=None)
    scene.right(DICE, "score p.tif r.png")


@TABLE(
    "masks.unread.refusal: Save it as PNG: python -P",
    "masks.unread.refusal: Save it as NIfTI: python -P",
)
def a_format_with_a_way_out(scene):
    """Run the command that the hint has: it makes the file that is asked for."""
    scene.pair()
    if "PNG" in scene.place.name:
        from PIL import Image

        given, made, other = "it's.bmp", "it's.png", "r.png"
        Image.fromarray(PREDICTION).save(scene.folder / given)
    else:
        import nibabel

        given, made, other = "p.mgz", "p.nii.gz", "r.nii.gz"
        for name, array in ((given, VOLUMES[0]), (other, VOLUMES[1])):
            kind = nibabel.MGHImage if name == given else nibabel.Nifti1Image
            nibabel.save(kind(array, np.eye(4)), scene.folder / name)
    *words, code = shlex.split(scene.refused(shlex.join(["score", given, other])).partition(": ")[2])
    assert words == ["python", "-P", "-c"]
    with chdir(scene.folder):
        exec(code, {})  # noqa: S102 - it is what the hint says
    scene.right(DICE, shlex.join(["score", made, other]))


@TABLE(
    "masks.unread.refusal: This format changes pixels as it", "masks.unread.refusal: Save it as .nii.gz, in"
)
def a_format_that_is_saved_anew(scene):
    volumes(scene)
    scene.pair()
    end = "jpg" if "pixels" in scene.place.name else "mha"
    scene.bytes(f"p.{end}", b"of another kind")
    scene.refused(f"score p.{end} r.png")
    scene.right(DICE, _SCORE if end == "jpg" else _NII)


@TABLE("masks.unread.refusal: Give .png, .nii, .nii.gz, .hdr with")
def a_mask_of_another_suffix(scene):
    scene.pair()
    make.png(scene.folder / "p.mask", PREDICTION)
    scene.refused("score p.mask r.png")
    scene.right(DICE, _SCORE)
    for end in ("nii", "nii.gz", "hdr"):
        for side, array in zip("pr", VOLUMES, strict=True):
            scene.nii(f"{side}.{end}", array)
        scene.right(DICE, f"score p.{end} r.{end}")
    for end in ("tif", "tiff"):
        scene.tif(f"p.{end}", PREDICTION, crs=None, transform=None)
        scene.right(DICE, f"score p.{end} r.png")


@TABLE("masks.opening.open_probabilities: Give .nii, .nii.gz")
def probabilities_of_another_suffix(scene):
    scene.pair()
    hint = scene.refused("soft p.png r.png")
    scene.right(DICE, _SCORE)
    for end in ("nii", "nii.gz", "tif", "npy"):
        assert f".{end}" in hint
        array, reference = (P[..., None], VOLUMES[1]) if "nii" in end else (P, REFERENCE)
        if end == "npy":
            scene.npy("q.npy", P)
        else:
            (scene.nii if "nii" in end else scene.tif)(f"q.{end}", array.astype("f4"))
        (scene.nii if "nii" in end else scene.tif)("s.nii.gz" if "nii" in end else "s.tif", reference)
        scene.right(DICE, f"soft q.{end} {'s.nii.gz' if 'nii' in end else 's.tif'}", number=_HALF)


@TABLE("masks.sources.fractions: If it is a probability map,")
def probabilities_for_labels(scene):
    volumes(scene, P[..., None].astype("f4"))
    hint = scene.refused(_NII)
    scene.right(DICE, f"{_NII} {hint[hint.index('--threshold') :].partition(',')[0]}")
    scene.right(DICE, "soft p.nii.gz r.nii.gz", number=_HALF)
    volumes(scene)
    scene.right(DICE, _NII)


@TABLE("masks.apart.grids_apart: The …'s header is that of")
def a_header_that_nobody_wrote(scene):
    """Give the prediction the header of the image, which it was saved without: then it lies where it should."""
    place = np.diag([2.0, 2.0, 3.0, 1.0])
    place[:3, 3] = (-10, 20, 30)
    volumes(scene, r=place)
    assert "do not resample" in scene.refused(_NII)
    scene.right(DICE, f"{_NII} --geometry ignore")
    volumes(scene, p=place, r=place)
    scene.right(DICE, _NII)


@TABLE("masks.apart.grids_apart: The voxels of one are 1,000")
def sizes_in_another_unit(scene):
    """Put metres that say millimetres, or nothing, into millimetres: sizes and place."""
    place = np.diag([2.0, 2.0, 3.0, 1.0])
    place[:3, 3] = (-10, 20, 30)
    for power in (-2, -1, 1):
        volumes(scene, p=np.diag([1000.0**power] * 3 + [1]) @ place, r=place)
        assert "do not resample" in scene.refused(_NII)
        scene.right(DICE, f"{_NII} --geometry ignore")
    volumes(scene, p=place, r=place)
    scene.right(DICE, _NII)


@TABLE("masks.apart.grids_apart: They have no place in common,")
def masks_of_two_places(scene):
    """Give the mask of the same place; or, of masks that are, the header of the other."""
    for by in ((0, 3), (2, 0), (0, -3), (0, 0, 1), (500, 500, 500)):  # of 2 x 3 x 1 voxels
        there = np.array([7.0, 7.0, 7.0])
        there[: len(by)] += by
        volumes(scene, p=moved(*there), r=moved(7, 7, 7))
        scene.refused(_NII)
        scene.right(DICE, f"{_NII} --geometry ignore")
    volumes(scene, p=moved(5, 5), r=moved(5, 5))
    scene.right(DICE, _NII)


@TABLE("masks.alignment._notes_on_units: One of them may be wrong:")
def units_that_differ(scene):
    scene.nii("p.nii.gz", VOLUMES[0], unit="meter")
    scene.nii("r.nii.gz", VOLUMES[1])
    scene.refused(_NII)
    scene.right(DICE, f"{_NII} --geometry ignore")
    scene.nii("p.nii.gz", VOLUMES[0])
    scene.right(DICE, _NII)


@TABLE("masks.alignment._shape_error: … --axes ij.", "masks.alignment._shape_error: … --axes xy.")
def an_image_beside_a_volume(scene):
    """Say what the shapes say; where they do not tell, it is said by what fits far better."""
    is_itk = "--axes xy" in scene.place.name
    scene.png("r.png", REFERENCE)
    scene.nii("p.nii.gz", PREDICTION.T if is_itk else PREDICTION)
    ask = "score p.nii.gz r.png"
    wrong, told = ("", "--axes xy") if is_itk else (" --axes xy", "--axes ij")
    hint = scene.refused(f"{ask}{wrong}")
    assert hint.endswith(f"{told}.")
    scene.right(DICE, f"{ask} {told}")


_COLOURS = np.array([[0, 0, 0], [128, 64, 128]], np.uint8)


def painted(scene, name, labels, colours=_COLOURS):
    """Write labels as colours, as PNG or TIFF."""
    image = colours[labels]
    if name.endswith("png"):
        make.png(scene.folder / name, image)
    else:
        scene.tif(name, np.moveaxis(image, -1, 0), crs=None, transform=None, photometric="rgb")


@TABLE("masks.colours.no_table: Give one: --labels FILE, where FILE")
def colours_without_a_table(scene):
    """Paste the table: what it says is right for a reference of these numbers, and an error for others."""
    scene.png("r.png", REFERENCE)
    painted(scene, "p.png", PREDICTION)
    hint = scene.refused(_SCORE)
    scene.text("FILE", hint[hint.index("{") :])
    scene.right(DICE, f"{_SCORE} --labels ./FILE")
    scene.png("r.png", REFERENCE * 7)
    scene.refused_again(f"{_SCORE} --labels ./FILE")


@TABLE("masks.colours.no_table: So many are an image, not")
def an_image_in_colours(scene):
    image = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    make.png(scene.folder / "p.png", image)
    scene.png("r.png", REFERENCE)
    hint = scene.refused("score p.png p.png")
    scene.text("FILE", hint[hint.index("{") : hint.rindex("}") + 1])
    scene.refused_again("score p.png p.png --labels ./FILE")
    scene.pair()
    scene.right(DICE, _SCORE)


@TABLE("masks.colours.unknown_colour: Add the colour to the table.")
def a_colour_that_the_table_lacks(scene):
    painted(scene, "p.png", PREDICTION)
    scene.png("r.png", REFERENCE)
    table = {"labels": {"0": "rest", "1": "road"}, "colours": {"0": "#000000"}}
    scene.text("l.json", table)
    scene.refused(f"{_SCORE} --labels l.json")
    table["colours"]["1"] = "#804080"
    scene.text("l.json", table)
    scene.right(DICE, f"{_SCORE} --labels l.json")
    painted(scene, "p.png", PREDICTION, _COLOURS + np.uint8(3))  # what JPEG makes of it
    scene.refused(f"{_SCORE} --labels l.json")
    painted(scene, "p.png", PREDICTION)
    scene.right(DICE, f"{_SCORE} --labels l.json")


def scores(*channels, axis=-1):
    """Return scores of channels, each of one slice."""
    return np.stack([each[..., None] for each in channels], axis).astype("f4")


@TABLE("masks.largest.largest_of: Save them again without, or save")
def scores_with_nan(scene):
    p = scores(1 - P, P)
    lost = p.copy()
    lost[0, 0] = np.nan
    volumes(scene, lost)
    scene.refused(f"{_NII} --argmax")
    volumes(scene, p)
    scene.right(DICE, f"{_NII} --argmax")
    volumes(scene)
    scene.right(DICE, _NII)


@TABLE(
    "masks.largest.largest_of: Name the axis that has the",
    but={
        "--channel-axis": "on another axis the shapes differ, which is said before",
        "--argmax": "it is to be left out",
    },
)
def scores_of_one_channel(scene):
    """Take it for the labels, or the one probability, that it is."""
    prediction, reference, p = (np.stack([each] * 2, -1) for each in (PREDICTION, REFERENCE, P.astype("f4")))
    ask = f"{_NII} --argmax --channel-axis 0"
    volumes(scene, prediction[None], reference)
    scene.refused(ask)
    scene.right(DICE, _NII)
    volumes(scene, p[None], reference)
    scene.refused(ask)
    scene.right(DICE, f"{_NII} --threshold 0.5")


@TABLE("masks.largest._refuse_labels: If its channels are binary masks,")
def label_maps_for_scores(scene):
    """Label maps, and binary masks that overlap: without --argmax; scores as whole numbers: as floats."""
    volumes(scene, np.stack([VOLUMES[0] * 9, VOLUMES[0] * 5], -1))
    scene.refused(f"{_NII} --argmax")
    scene.refused_again(_NII)
    volumes(scene, VOLUMES[0])
    scene.right(DICE, _NII)
    whole = np.stack([np.full_like(VOLUMES[0], 5), VOLUMES[0] * 9], -1)
    volumes(scene, whole)
    scene.refused(f"{_NII} --argmax")
    volumes(scene, whole.astype("f4") / 10)
    scene.right(DICE, f"{_NII} --argmax")


@TABLE("masks.largest.untied: If its channels are binary masks,")
def scores_that_tie(scene):
    """Binary masks are scored as regions, instead of by the first channel; or the scores are on another axis."""
    volumes(scene, np.stack([VOLUMES[0], np.zeros_like(VOLUMES[0])], -1))
    scene.refused(f"{_NII} --argmax")
    scene.right(DICE, f"{_NII} --region liver=1 --region none=2", number="dice[liver]")
    # A cube of four axes of one length: the last one, of slices that are equal, is taken for that of the scores.
    p, reference = (np.stack([each[:, 1:]] * 2, -1) for each in (P, REFERENCE))
    volumes(scene, np.stack([1 - p, p]).astype("f4"), reference)
    scene.refused(f"{_NII} --argmax")
    scene.right(2 * 1 / (2 + 1), f"{_NII} --argmax --channel-axis 0")


@TABLE("masks.declared.check_declared: If 255 stands for label 1,")
def white_for_a_declared_label(scene):
    scene.text("l.json", {"labels": {"0": "rest", "1": "road"}})
    for prediction, reference in ((PREDICTION * 255, REFERENCE), (PREDICTION, REFERENCE * 255)):
        scene.pair(prediction, reference)
        scene.refused(f"{_SCORE} --labels l.json")
        scene.right(DICE, f"{_SCORE} --labels l.json --threshold 128")


def palettes(scene, prediction, reference, first, second):
    """Write two PNGs with palettes: lists of colours."""
    for name, array, colours in (("p.png", prediction, first), ("r.png", reference, second)):
        make.png(scene.folder / name, array, palette=[part for colour in colours for part in colour])


_RED, _GREEN, _BLACK = (128, 0, 0), (0, 128, 0), (0, 0, 0)


@TABLE(
    "masks.palettes.by_colour: Leave out --threshold; or take the",
    but={"--threshold": "it is to be left out, or stays"},
)
def colours_and_a_threshold(scene):
    palettes(scene, PREDICTION, REFERENCE, [_BLACK, _RED], [_BLACK, _RED])
    scene.text("l.json", {"labels": {"0": "rest", "1": "road"}, "colours": {"0": "#000000", "1": "#800000"}})
    ask = f"{_SCORE} --labels l.json"
    scene.refused(f"{ask} --read-as colour --threshold 1")
    scene.right(DICE, f"{ask} --read-as colour")
    scene.right(DICE, f"{ask} --read-as index --threshold 1")


@TABLE("masks.palettes.by_colour: Read the numbers instead: --read-as index.")
def a_number_without_a_colour(scene):
    for name, array in (("p.png", PREDICTION), ("r.png", REFERENCE)):
        (scene.folder / name).write_bytes(make.raw_png(array, colour=3, palette=bytes(3)))
    scene.text("l.json", {"labels": {"0": "rest", "1": "road"}, "colours": {"0": "#000000", "1": "#800000"}})
    scene.refused(f"{_SCORE} --labels l.json --read-as colour")
    scene.right(DICE, f"{_SCORE} --labels l.json --read-as index")


@TABLE("masks.palettes.check_palette: If the numbers are the labels,")
def a_palette_of_another_scheme(scene):
    """Take numbers as they are; colours as declared, or by the table that the error shows."""
    palettes(scene, PREDICTION, REFERENCE, [_BLACK, _GREEN], [_BLACK, _GREEN])
    labels = {"0": "rest", "1": "road", "2": "grass"}
    scene.text("l.json", {"labels": labels, "colours": {"0": "#000000", "1": "#800000", "2": "#008000"}})
    ask = f"{_SCORE} --labels l.json"
    scene.refused(ask)
    scene.right(DICE, f"{ask} --read-as index", number="dice[1]")
    scene.right(DICE, f"{ask} --read-as colour", number="dice[2]")
    greys = [(0,) * 3, (128,) * 3, (255,) * 3]
    two = np.where(PREDICTION, 2, 0).astype(np.uint8)
    two[0, 0] = 1
    palettes(scene, two, two, greys, greys)
    scene.refused(_SCORE)
    scene.right(1.0, f"{_SCORE} --read-as index", number="dice[2]")
    again = scene.refused_again(f"{_SCORE} --read-as colour")
    shown = again[again.index("Hint: ") :]
    scene.text("FILE", shown[shown.index("{") : shown.rindex("}") + 1])
    scene.right(1.0, f"{_SCORE} --read-as colour --labels ./FILE")


@TABLE("masks.palettes.check_pair: If the numbers are the labels,")
def palettes_that_contradict(scene):
    """Read the same picture under other numbers by its colours, and by its numbers."""
    prediction, reference = np.array([[0, 1], [2, 2]], np.uint8), np.array([[0, 2], [1, 1]], np.uint8)
    palettes(scene, prediction, reference, [_BLACK, _RED, _GREEN], [_BLACK, _GREEN, _RED])
    scene.refused(_SCORE)
    scene.right(0.0, f"{_SCORE} --read-as index")
    again = scene.refused_again(f"{_SCORE} --read-as colour")
    shown = again[again.index("Hint: ") :]
    scene.text("FILE", shown[shown.index("{") : shown.rindex("}") + 1])
    scene.right(1.0, f"{_SCORE} --read-as colour --labels ./FILE")


#: What is inside of a field: all but the only pixel in which the masks differ.
FIELD = (PREDICTION == REFERENCE).astype(np.uint8)


@TABLE("masks.field.laid: Give a mask of the")
def a_field_that_is_smaller(scene):
    scene.pair()
    scene.png("w.png", FIELD[:1])
    scene.refused(f"{_SCORE} --within w.png")
    scene.png("w.png", FIELD)
    scene.right(1.0, f"{_SCORE} --within w.png")


@TABLE("masks.field.opened_field: Give one mask", "masks.field._refused: Give one mask")
def what_is_no_field(scene):
    scene.pair()
    if "opened" in scene.place.name:
        scene.tif("w.tif", np.stack([FIELD, 1 - FIELD]), photometric="minisblack")
    else:
        scene.tif("w.tif", FIELD * np.float32(0.5))
    scene.refused(f"{_SCORE} --within w.tif")
    scene.tif("w.tif", FIELD * 7)
    scene.right(1.0, f"{_SCORE} --within w.tif")


@TABLE("masks.sources.fractions: These are no probabilities. If they")
def interpolated_labels(scene):
    """No threshold is proposed: it would make label 1 of all of them."""
    blurred = VOLUMES[0].astype("f4") * 2
    blurred[0, 0] = 1.5
    volumes(scene, blurred, VOLUMES[1] * 2)
    assert "threshold" not in scene.refused(_NII)
    volumes(scene, VOLUMES[0] * 2, VOLUMES[1] * 2)
    scene.right(DICE, _NII)


@TABLE(
    "masks.tensors.plain: Give the real one.",
    "masks.tensors.plain: Give its parts",
    "masks.tensors.plain: Give its values",
    "masks.tensors.plain: Give a dense one",
)
def odd_tensors(scene):
    torch = pytest.importorskip("torch")
    warnings.simplefilter("ignore", UserWarning)  # that both kinds of tensors are to go
    tensor, other = torch.tensor(PREDICTION), torch.tensor(REFERENCE)
    makers = {
        "Give the real one": lambda: tensor.to("meta"),
        "Give its parts": lambda: torch.nested.nested_tensor([tensor, tensor[:1]]),
        # Stored as 5 and 8, three steps above a zero point, which come to 0.9: neither is a label as it is.
        "Give its values": lambda: torch.quantize_per_tensor(tensor.float(), 0.3, 5, torch.quint8),
        "Give a dense one": tensor.to_sparse,
    }
    odd = next(make() for words, make in makers.items() if words in scene.place.name)
    hint = scene.refused(dicecli.score, odd, other)
    called = hint.partition(": ")[2].rstrip(".")
    made = eval(f"odd.{called}", {"odd": odd}) if called else tensor  # noqa: S307 - a hint of our own
    scene.right(DICE, dicecli.score, made[0] if isinstance(made, tuple) else made, other)


@pytest.mark.parametrize("place", TABLE.places(), ids=lambda place: place.name)
def test_a_hint_leads_to_a_right_number_or_a_further_error(place, tmp_path):
    TABLE.follow(place, tmp_path)


def test_every_scenario_is_of_a_hint_that_is_there():
    assert TABLE.stale() == []
