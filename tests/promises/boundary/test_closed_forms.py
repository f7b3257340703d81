"""Shapes whose distances are known: balls, and what voxels make of them; sheets and single voxels."""

from __future__ import annotations

import math

import numpy as np
import pytest
import surfaces_brute as surfaces

import dicecli

#: Millimetres: of balls in an array of that size.
RADIUS, CENTRE, SIZE = 25.0, (32.0, 32.0, 32.0), 70.0
CORNERS = {"surface": "corner", "percentile_rule": "step"}


def ball(spacing, centre=CENTRE, radius=RADIUS):
    """Return the voxels whose centres are in a ball."""
    shape = [round(SIZE / step) for step in spacing]
    squares = sum(
        (places * step - middle) ** 2
        for places, step, middle in zip(np.ogrid[tuple(map(slice, shape))], spacing, centre, strict=True)
    )
    return squares <= radius * radius


def moved(shift):
    """Return the centre of a ball that was moved."""
    return tuple(middle + by for middle, by in zip(CENTRE, shift, strict=True))


def values(prediction, reference, steps, metrics, **switches):
    """Score two masks of a spacing in millimetres; return the metrics in their order."""
    both = [surfaces.image(each, steps) for each in (prediction, reference)]
    report = dicecli.score(*both, metrics=metrics, labels={"labels": {"1": "ball"}}, name="balls", **switches)
    return [report.value(metric, "balls", 1) for metric in metrics]


THICK = (0.7, 0.7, 3.0)
#: The spacing, by how much the ball is moved; hd95, assd and nsd at 1.05 mm by rims, and by corners.
BALLS = [
    ((1.0,) * 3, (3.0, 0.0, 0.0), (3.0000, 1.4489, 0.4354), (2.8284, 1.1805, 0.5293)),
    ((1.0,) * 3, (2.0, 1.0, 2.0), (2.8284, 1.4778, 0.4210), (2.4495, 1.1940, 0.5285)),
    ((0.5,) * 3, (3.0, 0.0, 0.0), (2.7386, 1.4246, 0.3870), (2.5981, 1.2895, 0.4203)),
    (THICK, (2.1, 0.0, 0.0), (2.1000, 0.5917, 0.7672), (1.9799, 0.6021, 0.7746)),
    (THICK, (0.0, 0.0, 3.0), (3.0000, 1.7060, 0.3883), (3.0000, 0.9649, 0.6567)),
]


@pytest.mark.parametrize(("spacing", "shift", "by_rims", "by_corners"), BALLS)
def test_balls_that_were_moved(spacing, shift, by_rims, by_corners):
    """Voxels make of two balls what an independent program made of them; no distance is longer than the way."""
    pair = ball(spacing, moved(shift)), ball(spacing)
    metrics = ["hd95", "assd", "nsd_1.05mm", "hd"]
    for expected, switches in ((by_rims, {}), (by_corners, CORNERS)):
        *found, hd = values(*pair, spacing, metrics, **switches)
        assert list(expected) == [round(value, 4) for value in found]
        assert math.dist(shift, (0, 0, 0)) >= hd - 1e-12


@pytest.mark.parametrize("shift", [(3.0, 0.0, 0.0), (2.0, 1.0, 2.0)])
def test_balls_that_were_moved_are_half_the_way_apart(shift):
    """By rims of isotropic voxels the mean distance is a few percent below the exact one, half the way."""
    spacing = (1.0,) * 3
    for mean in values(ball(spacing, moved(shift)), ball(spacing), spacing, ["assd", "masd"]):
        assert 0.94 * 1.5 < mean < 1.5


@pytest.mark.parametrize("switches", [{}, {"surface": "corner"}], ids=["voxel", "corner"])
@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.7, 1.4)])
def test_balls_around_one_centre(spacing, switches):
    """Every distance is the difference of the radii, but for the size of a voxel."""
    metrics = ["hd", "hd95", "assd", "asd_to_reference", "asd_to_prediction", "hd_to_reference"]
    diagonal = math.hypot(*spacing)
    for value in values(ball(spacing, radius=19.0), ball(spacing), spacing, metrics, **switches):
        assert abs(value - 6.0) < diagonal
    within = ["nsd_4mm", "nsd_8.5mm"]
    assert [0.0, 1.0] == values(ball(spacing, radius=19.0), ball(spacing), spacing, within, **switches)


def sheet(at, axis):
    """Return a sheet one voxel thick across an array."""
    found = np.zeros((9, 9, 9), bool)
    found[(slice(None),) * axis + (at,)] = True
    return found


@pytest.mark.parametrize("switches", [{}, {"rim": "all"}, {"percentile_rule": "step"}], ids=str)
@pytest.mark.parametrize("axis", [0, 1, 2])
def test_sheets_one_voxel_thick(axis, switches):
    """Every distance between two sheets is the way between them, whatever it is called."""
    spacing = (0.7, 1.5, 3.0)
    way = 4 * spacing[axis]
    metrics = [
        "hd",
        "hd95",
        "hd5",
        "assd",
        "masd",
        "hd_to_reference",
        "hd50_to_prediction",
        "asd_to_prediction",
    ]
    found = values(sheet(2, axis), sheet(6, axis), spacing, metrics, **switches)
    assert found == pytest.approx([way] * len(metrics), rel=1e-15)
    near = [f"nsd_{way:g}mm", f"nsd_{0.999 * way:g}mm"]
    assert [1.0, 0.0] == values(sheet(2, axis), sheet(6, axis), spacing, near, **switches)


def test_single_voxels():
    """The distance of two voxels is that of their centres, and of corners that of the nearest ones of each."""
    one, other = np.zeros((9, 9), bool), np.zeros((9, 9), bool)
    one[1, 1] = other[4, 5] = True
    steps = (2.0, 1.5)
    apart = math.hypot(3 * 2.0, 4 * 1.5)
    assert [apart] * 3 == values(one, other, steps, ["hd", "hd95", "assd"])
    assert [math.hypot(3, 4)] == values(one, other, steps, ["hd"], spacing="voxel")
    # From each corner of one voxel to the nearest one of the other.
    rows, columns = [3 * 2.0, 2 * 2.0], [4 * 1.5, 3 * 1.5]
    of_corners = [math.hypot(row, column) for row in rows for column in columns]
    assert values(one, other, steps, ["assd"], surface="corner") == pytest.approx([math.fsum(of_corners) / 4])
    assert [max(of_corners)] == values(one, other, steps, ["hd"], surface="corner")


def test_boxes_one_in_the_other():
    """The surfaces of a box and of one that is larger by the same on all sides, worked out by hand."""
    inner, outer = np.zeros((20, 20), bool), np.zeros((20, 20), bool)
    inner[6:14, 6:14] = True
    outer[4:16, 4:16] = True
    # Of the 28 pixels of the inner rim every one is 2 from the outer; of the 44 of the outer one the 8 on each side
    # that face the inner are 2 from it, those beside them hypot(2, 1), and corners hypot(2, 2).
    to_inner = math.fsum([2.0] * 32 + [math.hypot(2, 1)] * 8 + [math.hypot(2, 2)] * 4)
    expected = [
        math.hypot(2, 2),
        2.0,
        to_inner / 44,
        (56 + to_inner) / 72,
        (2.0 + to_inner / 44) / 2,
        60 / 72,
    ]
    metrics = ["hd", "hd_to_reference", "asd_to_prediction", "assd", "masd", "nsd_2mm"]
    assert values(inner, outer, (1.0, 1.0), metrics) == pytest.approx(expected, rel=1e-15)


DISTANCES = ["hd", "hd95", "assd", "masd", "hd_to_reference", "hd95_to_prediction", "asd_to_prediction"]
RATIOS = ["nsd_2mm", "boundary_iou", "boundary_f"]


def block(shape=(8, 9)):
    """Return an image with a block in it."""
    found = np.zeros(shape, bool)
    found[2:5, 3:6] = True
    return found


@pytest.mark.parametrize("is_reference", [False, True])
def test_one_mask_is_empty(is_reference):
    """Distances are infinite and ratios 0, whichever it is; or distances are what was asked for."""
    pair = (np.zeros_like(block()), block())[:: -1 if is_reference else 1]
    assert [math.inf] * len(DISTANCES) == values(*pair, (1.0, 2.0), DISTANCES)
    assert [0.0] * len(RATIOS) == values(*pair, (1.0, 2.0), RATIOS)
    assert [374.0] * len(DISTANCES) == values(*pair, (1.0, 2.0), DISTANCES, empty_distance="374")
    diagonal = values(*pair, (1.0, 2.0), DISTANCES, empty_distance="diagonal")
    assert [math.hypot(8, 18)] * len(DISTANCES) == diagonal
    assert all(map(math.isnan, values(*pair, (1.0, 2.0), DISTANCES, empty_distance="skip")))
    assert [0.0] * len(RATIOS) == values(*pair, (1.0, 2.0), RATIOS, empty_distance="skip")


@pytest.mark.parametrize("is_reference", [False, True])
def test_one_mask_is_empty_and_the_other_has_no_boundary(is_reference):
    """Ratios are 0 all the same: where the other fills the image, or has but ignored pixels around it."""
    full, filled = np.ones((8, 9), np.uint8), np.full((8, 9), 9, np.uint8)
    filled[2:5, 3:6] = 1
    empty = np.where(filled == 1, 0, filled)
    for one, other in ((full, np.zeros_like(full)), (filled, empty)):
        pair = (one, other)[:: -1 if is_reference else 1]
        assert [0.0] * len(RATIOS) == values(*pair, (1.0, 2.0), RATIOS, ignore_label=9)
    assert math.isnan(*values(full, full, (1.0, 2.0), ["boundary_f"]))


@pytest.mark.parametrize("empty_distance", ["inf", "diagonal", "374"])
def test_both_masks_are_empty(empty_distance):
    """Everything is undefined; what stands for 0/0 stands for ratios alone."""
    pair = [np.zeros_like(block())] * 2
    given = {"empty_distance": empty_distance}
    assert all(map(math.isnan, values(*pair, (1.0, 2.0), DISTANCES + RATIOS, **given)))
    assert all(map(math.isnan, values(*pair, (1.0, 2.0), DISTANCES, undefined="zero", **given)))
    assert [1.0] * len(RATIOS) == values(*pair, (1.0, 2.0), RATIOS, undefined="one", **given)


@pytest.mark.parametrize("undefined", ["zero", "one"])
def test_what_stands_for_empty_masks_stands_for_no_other(undefined):
    """A mask amid ignored pixels has no surface, and one that fills its image no boundary: still undefined."""
    reference, prediction = np.full((9, 9), 9, np.uint8), np.zeros((9, 9), np.uint8)
    reference[3:6, 3:6] = prediction[4, 4] = 1
    given = {"ignore_label": 9, "undefined": undefined}
    assert math.isnan(*values(prediction, reference, (1.0, 1.0), ["nsd_1mm"], **given))
    full = np.ones((9, 9), np.uint8)
    assert math.isnan(*values(full, full, (1.0, 1.0), ["boundary_f"], **given))


def test_the_same_mask_twice():
    """Every distance is 0, and every share 1."""
    found = values(block(), block(), (1.0, 2.0), DISTANCES + RATIOS)
    assert [0.0] * len(DISTANCES) + [1.0] * len(RATIOS) == found


def test_a_border_with_ignored_pixels_is_no_surface():
    """A mask that runs into pixels that are left out has no surface there, and none at all within them."""
    reference = np.zeros((9, 12), np.uint8)
    reference[2:7, 2:7] = 1
    prediction = reference.copy()
    reference[:, 5:], prediction[2:7, 5] = 9, 0
    # Both end where the zone begins, which is an edge of neither.
    assert [0.0, 1.0] == values(prediction, reference, (1.0, 1.0), ["hd", "nsd_1mm"], ignore_label=9)
    reference[:, :] = 9
    reference[4, 4] = 1
    assert all(map(math.isnan, values(prediction, reference, (1.0, 1.0), DISTANCES, ignore_label=9)))
