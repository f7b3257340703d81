"""Numbers of thirteen tools for the same masks: which of them switches give, which not, and why not."""

from __future__ import annotations

import json
import math
from functools import cache
from typing import NamedTuple

import numpy as np
import places
import pytest
import surfaces_brute as surfaces

import dicecli

PATH = places.SHARED_MASKS.parent / "vectors_boundary.json"

pytestmark = pytest.mark.skipif(not PATH.is_file(), reason="the other tools' values are not here")

FOUND = json.loads(PATH.read_text(encoding="utf-8")) if PATH.is_file() else {"pairs": {}, "values": []}


class Same(NamedTuple):
    """What gives a tool's number here: a metric, or two of which the larger is meant; and switches.

    ``{unit}`` and ``{least}`` are the pair's unit and its smallest spacing.
    """

    metric: str | tuple[str, str]
    switches: tuple[tuple[str, str], ...] = ()


def same(metric, **switches):
    return Same(metric, tuple(sorted(switches.items())))


CORNERS = {"surface": "corner"}
DEEPMIND = {"surface": "corner", "percentile_rule": "step"}
POOL = {"directions": "pool"}

#: What every tool calls it, and what it is here.
TABLE = {
    ("monai", "hd"): same("hd"),
    ("monai", "hd95"): same("hd95"),
    ("monai", "hd95_directed"): same("hd95_to_reference"),
    ("monai", "hd_directed"): same("hd_to_reference"),
    ("monai", "assd"): same("assd"),
    ("monai", "asd(default)"): same("asd_to_reference"),
    ("monai", "nsd@1.0"): same("nsd_1{unit}"),
    ("monai", "nsd@2.0"): same("nsd_2{unit}"),
    ("monai", "nsd_subvoxel@1.0"): same("nsd_1{unit}", **CORNERS),
    ("monai", "nsd_subvoxel@2.0"): same("nsd_2{unit}", **CORNERS),
    ("torchmetrics", "hd"): same("hd"),
    ("torchmetrics", "hd_directed"): same("hd_to_reference"),
    ("metricsreloaded", "hd"): same("hd"),
    ("metricsreloaded", "hd95"): same("hd95"),
    ("metricsreloaded", "assd"): same("assd"),
    ("metricsreloaded", "masd"): same("masd"),
    ("metricsreloaded", "nsd@1.0"): same("nsd_1{unit}"),
    ("metricsreloaded", "nsd@2.0"): same("nsd_2{unit}"),
    # A whole number of pixels is of squares in images; this one has the same pixels as 1 and 2 in circles.
    ("metricsreloaded", "boundary_iou@1"): same("boundary_iou", boundary_width="0.99px"),
    ("metricsreloaded", "boundary_iou@2"): same("boundary_iou", boundary_width="1.99px"),
    ("metricsreloaded", "centre_distance"): same("centre_distance"),
    ("medpy", "hd"): same("hd"),
    ("medpy", "hd95"): same("hd95", **POOL),
    ("medpy", "assd"): same("assd"),
    ("medpy", "asd(pred,ref)"): same("asd_to_reference"),
    ("medpy", "asd(ref,pred)"): same("asd_to_prediction"),
    **{
        ("medpy", f"{theirs}_connectivity{number}"): same(ours, rim=rim, **POOL)
        for number, rim in ((2, "edge"), (3, "all"))
        for theirs, ours in {
            "hd": "hd",
            "hd95": "hd95",
            "assd": "assd",
            "asd(pred,ref)": "asd_to_reference",
            "asd(ref,pred)": "asd_to_prediction",
        }.items()
    },
    ("panoptica", "hd"): same("hd"),
    ("panoptica", "hd95"): same("hd95", **POOL),
    ("panoptica", "assd"): same("masd"),
    ("panoptica", "nsd(default)"): same("nsd_{least}{unit}", nsd_directions="mean"),
    ("panoptica", "nsd@1.0"): same("nsd_1{unit}", nsd_directions="mean"),
    ("panoptica", "nsd@2.0"): same("nsd_2{unit}", nsd_directions="mean"),
    ("panoptica", "centre_distance"): same("centre_distance"),
    ("gcm", "hd"): same("hd"),
    ("gcm", "hd95"): same("hd95", percentile_rule="index"),
    ("gcm", "modified_hd"): same(("asd_to_reference", "asd_to_prediction")),
    ("gcm", "measures.hd95"): same("hd95", percentile_rule="index"),
    ("gcm", "measures.modified"): same(("asd_to_reference", "asd_to_prediction")),
    ("deepmind", "hd"): same("hd", **DEEPMIND),
    ("deepmind", "hd95"): same("hd95", **DEEPMIND),
    ("deepmind", "asd_ref_to_pred"): same("asd_to_prediction", **DEEPMIND),
    ("deepmind", "asd_pred_to_ref"): same("asd_to_reference", **DEEPMIND),
    ("deepmind", "nsd@1.0"): same("nsd_1{unit}", **DEEPMIND),
    ("deepmind", "nsd@2.0"): same("nsd_2{unit}", **DEEPMIND),
    ("pymia", "hd"): same("hd", **DEEPMIND),
    ("pymia", "hd95"): same("hd95", **DEEPMIND),
    ("pymia", "nsd@1.0"): same("nsd_1{unit}", **DEEPMIND),
    ("pymia", "nsd@2.0"): same("nsd_2{unit}", **DEEPMIND),
    ("segmetrics", "hd"): same("hd", rim="all", **POOL),
    ("segmetrics", "hd95"): same("hd95", rim="all", **POOL),
    ("segmetrics", "msd"): same("assd", rim="all", **POOL),
    ("segmetrics", "mdsd"): same("hd50", rim="all", **POOL),
    ("boundaryiou", "boundary_iou@ratio0.02"): same("boundary_iou"),
    ("boundaryiou", "boundary_iou@ratio0.005"): same("boundary_iou", boundary_width="{width}px"),
    ("davis", "F(0.008)"): same("boundary_f"),
    ("davis", "F@2px"): same("boundary_f", boundary_width="2px"),
}

_FACES = "its surfaces are faces of voxels, which are not asked for here"
_SKELETON = "skeletons are another family"
_SOLID = "one side is a solid mask instead of a surface: what lies inside it is at distance 0, and holes are not seen"
_ONE_SIDE = "the share of one surface alone is no metric here"
_SIZE = "the size of a surface is no metric of a comparison"
_MIXED = "its two sides are surfaces of different kinds"

#: What is given by no switch.
NOT_HERE = {
    ("monai", "hd_chessboard"): "the spacing is not used, and the distance is that of a king",
    ("monai", "hd_taxicab"): "the spacing is not used, and the distance is that along the axes",
    ("metricsreloaded", "cldice"): _SKELETON,
    ("panoptica", "cldice"): _SKELETON,
    ("gcm", "mean_contour_distance"): _SOLID,
    ("gcm", "measures"): "no number, but an error",
    ("deepmind", "overlap_ref@1.0"): _ONE_SIDE,
    ("deepmind", "overlap_ref@2.0"): _ONE_SIDE,
    ("deepmind", "overlap_pred@1.0"): _ONE_SIDE,
    ("deepmind", "overlap_pred@2.0"): _ONE_SIDE,
    ("pymia", "overlap_ref@1.0"): _ONE_SIDE,
    ("pymia", "overlap_pred@1.0"): _ONE_SIDE,
    ("deepmind", "area_ref"): _SIZE,
    ("deepmind", "area_pred"): _SIZE,
    ("deepmind", "n_ref"): _SIZE,
    ("deepmind", "n_pred"): _SIZE,
    ("pymia", "average_distance"): _SOLID,
    ("segmetrics", "stdsd"): "the spread of distances is no metric here",
    ("segmetrics", "hd_faceconnected"): _MIXED,
    ("segmetrics", "hd95_faceconnected"): _MIXED,
    ("segmetrics", "msd_faceconnected"): _MIXED,
    ("segmetrics", "mdsd_faceconnected"): _MIXED,
    ("segmetrics", "stdsd_faceconnected"): _MIXED,
    ("simpleitk", "hd"): _SOLID,
    ("simpleitk", "average_hd"): _SOLID,
    ("simpleitk", "directed"): "no number, but an error",
    ("miseval", "average_hd"): _SOLID,
    ("miseval", "simple_hd"): "it takes rows of an image for points",
    **{
        ("meshmetrics", metric): _FACES
        for metric in [
            "hd",
            "hd95",
            "masd",
            "assd",
            "nsd@1.0",
            "nsd@1.05",
            "nsd@2.0",
            "nsd@2.05",
            "boundary_iou@1.0",
            "boundary_iou@1.05",
            "boundary_iou@2.0",
            "boundary_iou@2.05",
            "area_ref",
            "area_pred",
            "n_ref",
            "n_pred",
        ]
    },
}

_EDGE = "a mask has no surface there where the image cuts it"
_SLICE = "an image becomes a volume of one slice, of which every pixel is surface"

#: Single numbers that are wrong there, or of another meaning on this one pair.
BUT = {
    ("S4", "monai", "hd95"): "the rank of the percentile is rounded to float32",
    **{
        (pair, "segmetrics", metric): _EDGE
        for pair, metrics in {
            "S2": ("hd95", "msd", "mdsd"),
            "R1": ("msd",),
            "R2": ("msd",),
            "R3": ("hd95", "msd"),
            "R4:20": ("hd", "msd"),
        }.items()
        for metric in metrics
    },
    **{
        (pair, "pymia", metric): _SLICE
        for pair in ("S1", "R3")
        for metric in ("hd", "hd95", "nsd@1.0", "nsd@2.0")
    },
}

#: What is not followed where a mask is empty.
NOT_WHERE_EMPTY = {
    "metricsreloaded": "0 and 1 where both are empty",
    "panoptica": "the array's own corner stands for the missing surface",
    "gcm": "the array's own corner stands for the missing surface",
    "deepmind": "an infinite distance where both are empty",
    "pymia": "an infinite distance where both are empty",
    "segmetrics": "a perfect distance where one is empty",
}


class Masks(NamedTuple):
    """A pair as it is scored, the row of it that is meant, and what it is measured in."""

    prediction: object
    reference: object
    row: int
    unit: str
    least: float
    shape: tuple[int, ...]


@cache
def masks(pair):
    """Return a pair by its name: of the file's code, of files, or with an empty side."""
    name, _, label = pair.partition(":")
    found = FOUND["pairs"][name]
    if "ref" in found:
        paths = [str(places.SHARED_MASKS / found[side]) for side in ("pred", "ref")]
        (scored,) = dicecli.score(*paths).scored
        row = int(label or found["label"])
        spacing = scored.spacing or (1.0,)
        return Masks(
            *paths, 1 if row == 255 else row, scored.length or "px", min(spacing), tuple(scored.shape)
        )
    names = {"np": np}
    if "code" in found:
        exec(found["code"], names)  # noqa: S102 - two small arrays, in NumPy's words
        spacing = found["spacing"]
    else:
        full, spacing = np.zeros((8, 9, 10), bool), (1.0, 1.0, 2.0)
        full[2:5, 3:6, 4:8] = True
        names["ref"] = full if name == "E2" else ~(full | True)
        names["pred"] = full if name == "E1" else ~(full | True)
    both = [surfaces.image(names[side], spacing) for side in ("pred", "ref")]
    return Masks(*both, 1, "mm", min(spacing), names["ref"].shape)


def filled(text, pair):
    """Put what a pair has into a name or the value of a switch."""
    given = masks(pair)
    width = max(1, round(0.005 * math.hypot(*given.shape)))
    return text.format(unit=given.unit, least=f"{given.least:.7g}", width=width)


@cache
def report(pair, switches):
    """Score a pair once for all metrics that have the same switches."""
    given = masks(pair)
    metrics = {
        filled(name, pair)
        for each in TABLE.values()
        if each.switches == switches
        for name in ([each.metric] if isinstance(each.metric, str) else each.metric)
        if len(given.shape) == 2 or name != "boundary_f"
    }
    filled_in = {name: filled(value, pair) for name, value in switches}
    declared = None if pair[0] == "R" else {"labels": {"1": "it"}}
    both = given.prediction, given.reference
    return dicecli.score(*both, metrics=sorted(metrics), labels=declared, name="pair", **filled_in)


def ours(pair, meaning):
    """Return the value that a pair has here."""
    names = (meaning.metric,) if isinstance(meaning.metric, str) else meaning.metric
    found = report(pair, meaning.switches)
    return max(found.value(filled(name, pair), "pair", masks(pair).row) for name in names)


def theirs(entry):
    """Return a tool's number, or the right one where its own is wrong; None: no number at all."""
    found = entry.get("right", entry.get("value"))
    return None if found is None else float(found)


def is_close(entry, value):
    """Whether a value is the tool's, to the tolerance that holds for it."""
    expected = theirs(entry)
    if not math.isfinite(expected) or not math.isfinite(value):
        return expected == value or (math.isnan(expected) and math.isnan(value))
    return abs(expected - value) <= entry["tolerance"] * max(1.0, abs(expected))


def is_empty(pair):
    """Whether a side of a pair is empty."""
    return pair in {"E1", "E2", "E3", "R4:13"}


def is_here(pair):
    """Whether the masks of a pair are."""
    return pair[0] != "R" or (places.SHARED_MASKS / "MANIFEST.csv").is_file()


VALUES = [each for each in FOUND["values"] if theirs(each) is not None]
FULL = [each for each in VALUES if not is_empty(each["pair"])]
EMPTY = [each for each in VALUES if is_empty(each["pair"])]


def key(entry):
    return entry["tool"], entry["metric"]


def test_every_metric_of_every_tool_is_in_one_table():
    """What a tool prints is either given here, or there is a reason why not."""
    assert {key(each) for each in FOUND["values"]} == TABLE.keys() | NOT_HERE.keys()
    assert not TABLE.keys() & NOT_HERE.keys()
    assert all(NOT_HERE.values())
    assert {(tool, metric) for _, tool, metric in BUT} <= TABLE.keys()


@pytest.mark.parametrize(("tool", "metric"), TABLE, ids=str)
def test_the_number_of_a_tool(tool, metric):
    """The switches give a tool's number on every pair of which it has one, to what its arithmetic allows."""
    compared = [each for each in FULL if key(each) == (tool, metric) and is_here(each["pair"])]
    meaning = TABLE[tool, metric]
    apart = [
        (each["pair"], theirs(each), ours(each["pair"], meaning))
        for each in compared
        if (each["pair"], tool, metric) not in BUT and not is_close(each, ours(each["pair"], meaning))
    ]
    assert [] == apart
    assert compared


@pytest.mark.parametrize(("pair", "tool", "metric"), BUT, ids=str)
def test_a_number_that_is_not_followed(pair, tool, metric):
    """What is left out for a reason really is another number."""
    if not is_here(pair):
        pytest.skip("the folder of real masks is not here")
    (entry,) = [each for each in FULL if (each["pair"], *key(each)) == (pair, tool, metric)]
    assert not is_close(entry, ours(pair, TABLE[tool, metric]))


@pytest.mark.parametrize(("tool", "metric"), TABLE, ids=str)
def test_the_number_of_a_tool_where_a_mask_is_empty(tool, metric):
    """It is the same, or it is no number, or there is a reason why it is not followed."""
    for each in EMPTY:
        if key(each) == (tool, metric) and is_here(each["pair"]):
            found = ours(each["pair"], TABLE[tool, metric])
            is_number = not math.isnan(theirs(each)) and theirs(each) not in {-1.0, -math.inf}
            assert is_close(each, found) or not is_number or tool in NOT_WHERE_EMPTY, each


def test_what_is_not_followed_where_a_mask_is_empty():
    """Every tool of which this is said has a number there that is another one."""
    other = {
        each["tool"]
        for each in EMPTY
        if key(each) in TABLE
        and is_here(each["pair"])
        and not math.isnan(theirs(each))
        and not is_close(each, ours(each["pair"], TABLE[key(each)]))
    }
    assert other == NOT_WHERE_EMPTY.keys()
