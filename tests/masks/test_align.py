"""Aligning two sources, without a file: what is turned or dropped is read as it should be, and every sentence."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.errors import GridMismatch, ShapeMismatch
from dicecli.masks.alignment import align
from dicecli.masks.arrays import ArraySource
from dicecli.masks.differing import differences
from dicecli.masks.grid import Grid
from dicecli.masks.placing import check_grids

IGNORE = "--geometry ignore compares pixel by pixel all the same."
RESAMPLE = f"Resample one of them onto the other's grid (nearest neighbour). {IGNORE}"
#: Every element of a volume of 2 x 3 x 4 is another.
VOLUME = np.arange(24).reshape(2, 3, 4)
IMAGE = np.arange(6).reshape(2, 3)


def affine(*columns, origin=None):
    """Return an affine of the columns given, and an origin."""
    linear = np.array(columns, np.float64).T
    return np.column_stack([linear, np.zeros(len(linear)) if origin is None else origin])


#: Steps of 1, 2 and 4 mm; of 10 m, the rows from north to south.
STRAIGHT = affine((1, 0, 0), (0, 2, 0), (0, 0, 4))
NORTH_UP = affine((0, -10), (10, 0))


def volume(matrix=STRAIGHT, shape=(2, 3, 4), **fields):
    spacing = None if matrix is None else tuple(np.linalg.norm(matrix[:, :-1], axis=0).tolist())
    return Grid(shape, **{"spacing": spacing, "unit": "mm", "affine": matrix, "kind": "volume", **fields})


def plan(matrix=NORTH_UP, shape=(2, 3), **fields):
    """Return the grid of a map."""
    return Grid(shape, **{"spacing": (10.0, 10.0), "unit": "m", "affine": matrix, "kind": "map", **fields})


def source(array, grid=None):
    return ArraySource(array, "mask", grid)


def whole(mask):
    """Read every value of a source."""
    return mask.values(tuple(slice(0, n) for n in mask.shape)).tolist()


def aligned(reference, prediction, geometry="strict"):
    """Align two sources, and return the values of both and the notes."""
    first, second, notes = align(reference, prediction, geometry)
    assert first.shape == second.shape
    return whole(first), whole(second), notes


# Shapes.


def test_arrays_of_one_shape_are_left_as_they_are():
    """Two images of one shape are the very sources that were given, the reference first, without a note."""
    reference, prediction = source(IMAGE), source(IMAGE + 1)
    assert align(reference, prediction) == (reference, prediction, [])


@pytest.mark.parametrize(
    ("reference", "prediction", "message", "hint"),
    [
        ((2, 3), (3, 2), "prediction 3 x 2, reference 2 x 3",
         "The same lengths in another order: one mask is transposed. Save both with the same axes."),
        ((2, 3), (2, 1, 3), "prediction 2 x 1 x 3, reference 2 x 3",
         "They differ by axes of length 1: save both with the same number of axes."),
        ((1, 1, 2, 3), (2, 3), "prediction 2 x 3, reference 1 x 1 x 2 x 3",
         "They differ by axes of length 1: save both with the same number of axes."),
        ((4, 3), (2, 6), "prediction 2 x 6, reference 4 x 3",
         "As many pixels in another shape: one mask was reshaped. Save both with the same axes."),
        ((4, 3), (4, 2), "prediction 4 x 2, reference 4 x 3",
         "Nothing is resized here: bring the prediction back to the reference's grid (nearest neighbour)."),
        ((4, 3), (4,), "prediction 4, reference 4 x 3",
         "One mask has an axis more: save the slice or channel that the other one is of, or, of scores, the "
         "label whose score is the largest."),
    ],
)  # fmt: skip
@pytest.mark.parametrize("geometry", ["strict", "ignore"])
def test_other_shapes_are_refused_with_a_hint_on_how_they_differ(
    reference, prediction, message, hint, geometry
):
    """The error has both shapes, the prediction's first, and the hint that fits them."""
    with pytest.raises(ShapeMismatch) as caught:
        align(source(np.zeros(reference)), source(np.zeros(prediction)), geometry)
    assert str(caught.value) == f"the shapes differ: {message}"
    assert caught.value.hint == hint


@pytest.mark.parametrize(("shape", "place"), [((1, 2, 3), "first"), ((2, 3, 1), "last")])
def test_an_axis_of_length_1_is_dropped(shape, place):
    """The axis goes, whichever mask has it; both keep their places and their values."""
    more, fewer = source(IMAGE.reshape(shape)), source(IMAGE + 10)
    noted = "axis has length 1 and was dropped"
    expected = (IMAGE.tolist(), (IMAGE + 10).tolist(), [f"the reference's {place} {noted}"])
    assert aligned(more, fewer) == expected
    expected = ((IMAGE + 10).tolist(), IMAGE.tolist(), [f"the prediction's {place} {noted}"])
    assert aligned(fewer, more) == expected


@pytest.mark.parametrize(("dropped", "which"), [((1, 0), "reference"), ((0, 2), "prediction")])
def test_axes_that_one_file_has_beyond_the_other_are_said(dropped, which):
    """Trailing axes of length 1 that only one file had are said, where both have as many axes left."""
    reference, prediction = source(IMAGE), source(IMAGE)
    reference.dropped_axes, prediction.dropped_axes = dropped
    notes = [f"trailing axes of length 1 of the {which}'s file are dropped"]
    assert align(reference, prediction) == (reference, prediction, notes)


def test_axes_that_both_files_have_beyond_are_no_difference():
    """As many axes dropped of both need no word; nor do any where the masks have other numbers of axes."""
    reference, prediction = source(IMAGE), source(IMAGE)
    reference.dropped_axes = prediction.dropped_axes = 1
    assert align(reference, prediction)[2] == []
    longer = source(IMAGE[np.newaxis])
    assert align(reference, longer)[2] == ["the prediction's first axis has length 1 and was dropped"]


# Turning.


def test_a_flipped_prediction_is_turned():
    """A volume stored from right to left is read from left to right, and both orientations are named."""
    flipped = volume(affine((-1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(1, 0, 0)))
    reference, prediction = source(VOLUME, volume()), source(VOLUME[::-1], flipped)
    said = "the prediction's axes were turned from LAS to RAS, without interpolation"
    assert aligned(reference, prediction) == (VOLUME.tolist(), VOLUME.tolist(), [said])


def test_a_permuted_prediction_is_turned():
    """A volume whose axes run up, to the right and backwards is put into the reference's order."""
    stored = VOLUME.transpose(2, 0, 1)[:, :, ::-1]
    matrix = affine((0, 0, 4), (1, 0, 0), (0, -2, 0), origin=(0, 4, 0))
    prediction = source(stored, volume(matrix, stored.shape))
    said = "the prediction's axes were turned from SRP to RAS, without interpolation"
    assert aligned(source(VOLUME, volume()), prediction) == (VOLUME.tolist(), VOLUME.tolist(), [said])


def test_a_map_is_turned_without_letters():
    """A south-up map is read from north to south; maps have no letters for it."""
    south_up = source(IMAGE[::-1], plan(affine((0, 10), (10, 0), origin=(0, -10))))
    said = "the prediction's axes were turned into the reference's order and direction, without interpolation"
    assert aligned(source(IMAGE, plan()), south_up) == (IMAGE.tolist(), IMAGE.tolist(), [said])


def test_a_transposed_map_is_turned():
    """Columns stored as rows are turned although none runs backwards."""
    transposed = source(IMAGE.T, plan(affine((10, 0), (0, -10)), (3, 2)))
    said = "the prediction's axes were turned into the reference's order and direction, without interpolation"
    assert aligned(source(IMAGE, plan()), transposed) == (IMAGE.tolist(), IMAGE.tolist(), [said])


@pytest.mark.parametrize("grid", [volume(), None], ids=["volume", "array"])
def test_what_runs_the_same_way_is_not_turned(grid):
    """On one grid the sources are those that were given, without a note."""
    reference, prediction = source(VOLUME, grid), source(VOLUME + 1, grid)
    assert align(reference, prediction) == (reference, prediction, [])


def test_an_axis_that_leans_on_two_alike_gives_no_order():
    """Where one axis leans most on two of the reference's, there is no order to turn into, and none is noted."""
    leaning = volume(affine((-1, -1, 0), (0.5, -0.5, 0), (0, 0, 4)), (1, 1, 4))
    row = VOLUME[:1, :1]
    reference = source(row, volume(affine((1, 0, 0), (0, 1, 0), (0, 0, 4)), (1, 1, 4)))
    prediction = source(row, leaning)
    assert align(reference, prediction) == (reference, prediction, [])


def test_geometry_ignore_turns_nothing_that_lies_elsewhere():
    """With --geometry ignore the stored values are compared where the masks would be refused, and it is said why."""
    flipped = volume(affine((-1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(100, 0, 0)))
    reference, prediction = source(VOLUME, volume()), source(VOLUME, flipped)
    notes = [
        "geometry ignored: the masks lie up to 100 voxels apart: prediction origin (100, 0, 0) against (0, 0, 0) mm, "
        "by (100, 0, 0) mm or (100, 0, 0) voxels; "
        "direction of the axes by (180, 0, 0) degrees; compared pixel by pixel all the same"
    ]
    assert align(reference, prediction, "ignore") == (reference, prediction, notes)


def test_geometry_ignore_turns_what_need_not_be_refused():
    """With --geometry ignore a volume on the same place of the world is turned as ever, with the same notes."""
    flipped = volume(affine((-1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(1, 0, 0)))
    pair = source(VOLUME, volume()), source(VOLUME[::-1], flipped)
    assert aligned(*pair) == aligned(*pair, "ignore")


@pytest.mark.parametrize("default", ["reference", "prediction"])
@pytest.mark.parametrize("direction", [(1, 1, 1), (-1, -1, 1)])
def test_a_header_that_nobody_wrote_is_to_be_copied(default, direction):
    """Spacing 1 and origin 0 on one side alone: the hint says to copy the other's header, not to resample."""
    grids = {
        "reference": volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(10, 20, 30))),
        "prediction": volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(50, 20, 30))),
    }
    grids[default] = volume(affine(*np.diag(direction).tolist()))
    with pytest.raises(GridMismatch) as caught:
        check_grids(**grids)
    assert f"The {default}'s header is that of an array saved without one" in caught.value.hint
    assert "Resample" not in caught.value.hint


def test_what_lies_elsewhere_is_not_turned():
    """A flipped volume 0.4 voxels away is turned and noted; 0.6 voxels away it is refused as it is stored."""

    def flipped(shift):
        return volume(affine((-1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(1 + shift, 0, 0)))

    reference = source(VOLUME, volume())
    _, values, notes = aligned(reference, source(VOLUME[::-1], flipped(0.4)))
    assert values == VOLUME.tolist()
    assert notes == [
        "the prediction's axes were turned from LAS to RAS, without interpolation",
        "the grids lie up to 0.400 voxels apart: origin (0.4, 0, 0) against (0, 0, 0) mm, by (0.4, 0, 0) mm or "
        "(0.4, 0, 0) voxels. Compared pixel by pixel",
    ]
    with pytest.raises(GridMismatch) as caught:
        align(reference, source(VOLUME[::-1], flipped(0.6)))
    assert str(caught.value) == (
        "the masks lie up to 1.6 voxels apart: prediction origin (1.6, 0, 0) against (0, 0, 0) mm, "
        "by (1.6, 0, 0) mm or (1.6, 0, 0) voxels; "
        "direction of the axes by (180, 0, 0) degrees"
    )


def test_a_turned_prediction_of_another_shape_is_refused_as_it_is_stored():
    """What would have another shape even when turned is refused by the shape that the file has."""
    stored = np.zeros((4, 2, 5))
    matrix = affine((0, 0, 4), (1, 0, 0), (0, 2, 0))
    with pytest.raises(ShapeMismatch, match="prediction 4 x 2 x 5, reference 2 x 3 x 4"):
        align(source(VOLUME, volume()), source(stored, volume(matrix, stored.shape)))


# Grids of one shape.


def test_grids_that_lie_on_each_other_need_no_note():
    """Equal grids, images of no place, and grids 0.01 of a voxel apart are the same."""
    assert check_grids(volume(), volume()) == []
    assert check_grids(plan(), plan()) == []
    assert check_grids(Grid((2, 3)), Grid((2, 3))) == []
    assert check_grids(volume(), volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(0, 0.019, 0)))) == []


@pytest.mark.parametrize(("shift", "voxels"), [(0.03, "0.015"), (-0.9, "0.450"), (1.0, "0.500")])
def test_grids_up_to_half_a_voxel_apart_have_a_note(shift, voxels):
    """The note has the distance in voxels of the reference, and what differs; half a voxel belongs to it."""
    moved = volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(0, shift, 0)))
    assert check_grids(volume(), moved) == [
        f"the grids lie up to {voxels} voxels apart: origin (0, {shift:g}, 0) against (0, 0, 0) mm, "
        f"by (0, {shift:g}, 0) mm or (0, {shift / 2:g}, 0) voxels. "
        "Compared pixel by pixel"
    ]


def test_grids_further_apart_are_refused():
    """The error has the distance in voxels of the reference, what differs, and what to do."""
    moved = volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(0, 1.01, 0)))
    with pytest.raises(GridMismatch) as caught:
        check_grids(volume(), moved)
    assert str(caught.value) == (
        "the masks lie up to 0.505 voxels apart: prediction origin (0, 1.01, 0) against (0, 0, 0) mm, "
        "by (0, 1.01, 0) mm or (0, 0.505, 0) voxels"
    )
    assert caught.value.hint == RESAMPLE


def test_volumes_without_a_place_are_compared_by_their_spacing():
    """Steps of 2 against 1 mm add up to 1 voxel over 2 of them."""
    one, two = (volume(None, spacing=(step, 1.0, 1.0)) for step in (1.0, 2.0))
    with pytest.raises(GridMismatch) as caught:
        check_grids(one, two)
    assert str(caught.value) == (
        "the masks lie up to 1 voxels apart: prediction spacing (2, 1, 1) against (1, 1, 1) mm"
    )


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_one_grid_without_a_place(bare):
    """What has no georeferencing is named, and the spacings are compared where both are of one kind."""
    grids = {"reference": volume(), "prediction": volume(), bare: volume(None, spacing=(1.0, 2.0, 4.0))}
    said = f"the {bare} has no georeferencing: compared pixel by pixel"
    assert check_grids(**grids) == [said]
    grids[bare] = volume(None)
    assert check_grids(**grids) == [said]
    grids[bare] = volume(None, spacing=(9.0, 2.0, 4.0))
    with pytest.raises(GridMismatch, match="spacing"):
        check_grids(**grids)


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_an_image_beside_a_map(bare):
    """An image has no place; beside a map that runs from south to north it may be upside down."""
    sides = {"reference": plan(), "prediction": plan(), bare: Grid((2, 3), spacing=(1.0, 1.0))}
    said = f"the {bare} has no georeferencing: compared pixel by pixel"
    assert check_grids(**sides) == [said]
    other = "prediction" if bare == "reference" else "reference"
    sides[other] = plan(affine((0, 10), (10, 0)))
    assert check_grids(**sides) == [
        said, "the map's rows run from south to north: is the other one upside down against it?"
    ]  # fmt: skip


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_an_image_beside_a_volume(bare):
    """Beside a volume it is said which axes its rows and columns are; a volume is never upside down."""
    up = volume(affine((0, 1, 0), (1, 0, 0), (0, 0, 1)), (2, 3))
    sides = {"reference": up, "prediction": up, bare: Grid((2, 3))}
    assert check_grids(**sides) == [
        f"the {bare} has no georeferencing: compared pixel by pixel",
        "rows and columns of the one are the first and second axis of the other",
    ]


def test_a_map_beside_a_volume():
    """Their places cannot be compared, whichever is the reference."""
    said = [
        "a map against a volume: compared pixel by pixel",
        "rows and columns of the one are the first and second axis of the other",
    ]
    assert check_grids(plan(), volume(shape=(2, 3))) == said
    assert check_grids(volume(shape=(2, 3)), plan()) == said


# Coordinate systems.


def wkt(code):
    from rasterio.crs import CRS

    return CRS.from_epsg(code).to_wkt()


def test_other_coordinate_systems_are_refused():
    """Both are named, the prediction's first, even where the numbers agree."""
    with pytest.raises(GridMismatch) as caught:
        check_grids(plan(crs=wkt(32632)), plan(crs=wkt(32633)))
    assert str(caught.value) == (
        "the masks lie in different coordinate systems: prediction CRS EPSG:32633 against EPSG:32632"
    )
    assert caught.value.hint == f"Reproject one of them onto the other's grid (nearest neighbour). {IGNORE}"


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_a_map_that_names_no_coordinate_system(bare):
    """It is taken to be the other's, with a note on which; a map without any place has that note alone."""
    sides = {"reference": plan(crs=wkt(32632)), "prediction": plan(crs=wkt(32632)), bare: plan()}
    assert check_grids(**sides) == [f"the {bare} names no CRS: taken to be the other's"]
    sides[bare] = replace(plan(), affine=None)
    assert check_grids(**sides) == [f"the {bare} has no georeferencing: compared pixel by pixel"]


def test_the_coordinate_system_of_a_map_without_a_place_does_not_count():
    """A map that lies nowhere is compared pixel by pixel, whatever system it names."""
    nowhere = replace(plan(crs=wkt(32633)), affine=None, spacing=None)
    assert check_grids(plan(crs=wkt(32632)), nowhere) == [
        "the prediction has no georeferencing: compared pixel by pixel"
    ]


def test_a_volume_without_any_place_is_one_whose_header_nobody_wrote():
    """A NIfTI without a form has voxels of 1 mm: its header is to be copied, too, and nothing resampled."""
    bare = Grid((2, 3, 4), (1.0, 1.0, 1.0), "mm", kind="volume")
    placed = volume(affine((1, 0, 0), (0, 2, 0), (0, 0, 4), origin=(10, 20, 30)))
    with pytest.raises(GridMismatch) as caught:
        check_grids(reference=placed, prediction=bare)
    assert caught.value.hint.startswith("The prediction's header is that of an array saved without one")


@given(st.integers(-7, 7), st.floats(0.6, 90), st.sampled_from([1.0, 10.0, 1e-4]))
def test_origins_that_differ_are_shown_so_that_they_differ(place, shift, step):
    """However far from the pole a map lies, the two origins in the message are apart by what they are apart."""
    first, second = (
        affine((step, 0, 0), (0, -step, 0), (0, 0, step), origin=(5e5, at, 0))
        for at in (place * 1e6 + 0.25, place * 1e6 + 0.25 + shift * step)
    )
    (said,) = differences(volume(first), volume(second))
    there, here = (float(each.split(", ")[1]) for each in said.removeprefix("origin (").split(" against ("))
    assert there - here == pytest.approx(shift * step, rel=0.011)
    assert "e+" not in said


def test_origins_are_shown_whole_with_what_they_differ_by():
    """Large numbers have no exponent; the difference is in the unit and in pixels along the axes."""
    first, second = (np.array([[0, 10, 5e5], [-10, 0, 5500000.0 + by]]) for by in (0, 20))
    (said,) = differences(plan(affine=first), plan(affine=second))
    assert said == "origin (500000, 5500020) against (500000, 5500000) m, by (0, 20) m or (-2, 0) pixels"
    far = np.array([[0, 10, 5e5], [-10, 0, 5520000.0]])
    (said,) = differences(plan(affine=first), plan(affine=far))
    assert said.endswith("m, by (0, 20000) m or (-2000, 0) pixels")
    wide = {"shape": (100_000, 100_000)}
    (said,) = differences(plan(affine=first, **wide), plan(affine=first * [1, 1 + 1e-6, 1], **wide))
    assert said == "spacing (10, 10.00001) against (10, 10) m"
