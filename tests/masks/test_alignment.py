"""Two masks are compared where they lie on each other; nothing is ever resampled, and nothing is silent."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from make import UTM32, blobs, brute, counts, geotiff, nifti, png, scored

from dicecli.errors import GeometryError, GridMismatch, ShapeMismatch

LABELS = blobs((7, 6, 5), 4)
PREDICTION = blobs((7, 6, 5), 4, seed=1)
MAP = blobs((40, 30), 4)
OTHER_MAP = blobs((40, 30), 4, seed=1)
DEGREES = (1e-5, 0.0, 7.123456, 0.0, -1e-5, 50.654321)


def rotation(degrees, axis=2):
    """Return a 4 x 4 rotation about one axis of the world."""
    turned = np.eye(4)
    first, second = [each for each in range(3) if each != axis]
    angle = math.radians(degrees)
    turned[first, first] = turned[second, second] = math.cos(angle)
    turned[first, second], turned[second, first] = -math.sin(angle), math.sin(angle)
    return turned


def placed(spacing=(1.0, 1.0, 1.0), origin=(0.0, 0.0, 0.0)):
    """Return an affine of some spacing and origin."""
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    return affine


STRAIGHT = placed((2, 3, 4), (-30, 50, 7))
OBLIQUE = rotation(20) @ rotation(-35, 0) @ rotation(11, 1) @ STRAIGHT
#: Rotated so far that two axes of the volume lean equally towards the same axis of the world.
DIAGONAL = rotation(45) @ rotation(45, 0) @ STRAIGHT


def moved(transform, columns=0.0, rows=0.0):
    """Return a map's transform moved by so many pixels."""
    a, b, c, d, e, f = transform
    return (a, b, c + a * columns + b * rows, d, e, f + d * columns + e * rows)


# Shapes.


@pytest.mark.parametrize("shape", [(7, 6, 4), (7, 6, 10), (8, 6, 5), (14, 3, 5), (7, 6)])
def test_other_shapes_are_refused(tmp_path, shape):
    """Masks of other shapes are an error that gives both shapes; nothing is resized or broadcast."""
    reference = nifti(tmp_path / "reference.nii", LABELS)
    prediction = nifti(tmp_path / "prediction.nii", blobs(shape))
    with pytest.raises(ShapeMismatch) as caught:
        scored(prediction, reference)
    assert f"prediction {' x '.join(str(n) for n in shape)}, reference 7 x 6 x 5" in str(caught.value)
    assert "prediction.nii" in str(caught.value)
    assert "reference.nii" in str(caught.value)
    with pytest.raises(ShapeMismatch):
        scored(prediction, reference, geometry="ignore")


@pytest.mark.parametrize("shape", [(1, 6, 5), (7, 1, 5), (1, 1, 1), (1,), (5,), ()])
def test_nothing_is_broadcast(shape):
    """Shapes that NumPy would stretch to fit are an error like any other."""
    with pytest.raises(ShapeMismatch):
        scored(np.ones(shape, np.uint8), LABELS)


def test_a_transposed_mask_gets_a_hint(tmp_path):
    """Where the lengths are the same in another order, the hint says that one mask is transposed."""
    reference = png(tmp_path / "reference.png", MAP)
    with pytest.raises(ShapeMismatch) as caught:
        scored(png(tmp_path / "prediction.png", MAP.T), reference)
    assert "transposed" in caught.value.hint


@pytest.mark.parametrize("place", ["first", "last"])
@pytest.mark.parametrize("side", ["reference", "prediction"])
def test_an_axis_of_length_1_at_an_end_is_dropped_with_a_note(place, side):
    """A leading or trailing axis of length 1 that only one mask has is dropped, and a note says whose."""
    squeezed = {"reference": MAP, "prediction": OTHER_MAP}
    squeezed[side] = squeezed[side][np.newaxis] if place == "first" else squeezed[side][..., np.newaxis]
    result = scored(**squeezed)
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert f"the {side}'s {place} axis has length 1 and was dropped" in result.notes


def test_a_leading_axis_of_a_file_is_dropped_with_a_note(tmp_path):
    """A plane stored as 1 x rows x columns is compared with the plane stored as rows x columns."""
    prediction = nifti(tmp_path / "prediction.nii.gz", OTHER_MAP[np.newaxis])
    result = scored(prediction, png(tmp_path / "reference.png", MAP))
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert any("first axis has length 1" in note for note in result.notes)


def test_an_axis_of_length_1_in_the_middle_stays():
    """Only axes at the ends are dropped, and only one of them."""
    for shape in ((40, 1, 30), (1, 1, 40, 30), (1, 40, 30, 1)):
        with pytest.raises(ShapeMismatch) as caught:
            scored(OTHER_MAP.reshape(shape), MAP)
        assert "length 1" in caught.value.hint


# Orientation.


def every_orientation():
    """List the 48 ways to store one volume: each order of its axes, each axis in either direction."""
    for axes in itertools.permutations(range(3)):
        for flips in itertools.product((1, -1), repeat=3):
            yield np.array([axes, flips]).T


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
@pytest.mark.parametrize("affine", [STRAIGHT, OBLIQUE, DIAGONAL], ids=["straight", "oblique", "diagonal"])
@pytest.mark.parametrize("shape", [(7, 6, 5), (5, 5, 5), (7, 6, 1), (1, 1, 6)], ids=str)
def test_all_48_orientations_of_a_volume_are_one(tmp_path, shape, affine, suffix):
    """One world grid stored in any order and direction of its axes is compared in one, with a note.

    Cubes must be turned although their shapes agree, and planes whichever axis their length of 1 is on.
    """
    import nibabel

    labels, prediction = blobs(shape, 4), blobs(shape, 4, seed=1)
    reference = nifti(tmp_path / "reference.nii", labels, affine=affine)
    image = nibabel.Nifti1Image(prediction, affine)
    image.header.set_xyzt_units("mm")
    expected = brute(prediction, labels)
    path = tmp_path / f"prediction{suffix}"
    turned = 0
    for orientation in every_orientation():
        nibabel.save(image.as_reoriented(orientation), path)
        result = scored(path, reference)
        assert expected == counts(result), orientation
        turned += any("without interpolation" in note for note in result.notes)
    assert turned == 47


def test_names_of_orientations_stand_in_the_note(tmp_path):
    """The note on turned axes names both orientations, and both volumes of one label score Dice 1."""
    las = nifti(tmp_path / "las.nii.gz", LABELS[::-1], affine=STRAIGHT @ placed((-1, 1, 1), (6, 0, 0)))
    result = scored(las, nifti(tmp_path / "ras.nii.gz", LABELS, affine=STRAIGHT))
    assert all(counts.fp == counts.fn == 0 for counts in counts(result).values())
    assert any("from LAS to RAS" in note for note in result.notes)


def test_turned_and_moved_is_refused(tmp_path):
    """Another orientation is no excuse: a turned volume elsewhere in the world is refused."""
    affine = STRAIGHT @ placed((-1, 1, 1), (6, 0, 0))
    affine[:3, 3] += 5
    prediction = nifti(tmp_path / "prediction.nii", LABELS[::-1], affine=affine)
    with pytest.raises(GridMismatch):
        scored(prediction, nifti(tmp_path / "reference.nii", LABELS, affine=STRAIGHT))


def test_the_same_mask_mirrored_in_the_world_is_not_turned(tmp_path):
    """Equal arrays under mirrored affines lie mirrored: they are compared where they lie, not as arrays."""
    affine = STRAIGHT @ placed((-1, 1, 1), (6, 0, 0))
    prediction = nifti(tmp_path / "prediction.nii", LABELS, affine=affine)
    result = scored(prediction, nifti(tmp_path / "reference.nii", LABELS, affine=STRAIGHT))
    assert brute(LABELS[::-1], LABELS) == counts(result)


@pytest.mark.parametrize("is_transposed", [False, True])
@pytest.mark.parametrize(("flip_rows", "flip_columns"), [(False, False), (True, False), (True, True)])
def test_maps_of_any_direction_are_one(tmp_path, flip_rows, flip_columns, is_transposed):
    """North-up, south-up and transposed maps of one world are compared in one direction, with a note."""
    a, b, c, d, e, f = UTM32
    stored = OTHER_MAP
    if flip_rows:
        stored, (b, e, c, f) = stored[::-1], (-b, -e, c + b * 40, f + e * 40)
    if flip_columns:
        stored, (a, d, c, f) = stored[:, ::-1], (-a, -d, c + a * 30, f + d * 30)
    if is_transposed:
        stored, (a, b, d, e) = stored.T, (b, a, e, d)
    prediction = geotiff(tmp_path / "prediction.tif", stored, transform=(a, b, c, d, e, f))
    result = scored(prediction, geotiff(tmp_path / "reference.tif", MAP))
    assert brute(OTHER_MAP, MAP) == counts(result)
    is_turned = flip_rows or flip_columns or is_transposed
    assert is_turned == any("without interpolation" in note for note in result.notes)


# Displacement.


def quiet(result):
    """Tell whether nothing is noted on where the masks lie."""
    return not [note for note in result.notes if "apart" in note or "georeferencing" in note]


@pytest.mark.parametrize("axis", [0, 1, 2])
@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize("affine", [STRAIGHT, OBLIQUE], ids=["straight", "oblique"])
def test_displacement_of_volumes(tmp_path, affine, sign, axis):
    """Up to 0.01 of a voxel passes, up to half a voxel with a note, and beyond is an error on the origin."""
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=affine)
    shift = np.zeros(3)
    for voxels in (0.005, 0.3, 0.6, 100):
        shift[axis] = voxels * sign
        prediction = nifti(tmp_path / "prediction.nii", PREDICTION, affine=affine @ placed(origin=shift))
        if voxels < 0.5:
            result = scored(prediction, reference)
            assert brute(PREDICTION, LABELS) == counts(result)
            assert (voxels == 0.005) == quiet(result)
        else:
            with pytest.raises(GridMismatch, match="origin") as caught:
                scored(prediction, reference)
            assert f"{voxels:g} voxels" in str(caught.value)
            assert "spacing" not in str(caught.value)
            assert "direction" not in str(caught.value)
            assert "--geometry ignore" in caught.value.hint


def test_opposite_shifts_do_not_cancel(tmp_path):
    """A shift of +100 mm along one axis and -100 mm along another is a shift."""
    reference = nifti(tmp_path / "reference.nii", LABELS)
    prediction = nifti(tmp_path / "prediction.nii", LABELS, affine=placed(origin=(100, -100, 0)))
    with pytest.raises(GridMismatch, match="100 voxels"):
        scored(prediction, reference)


def test_another_slice_is_refused(tmp_path):
    """Two planes of one shape that lie in different slices of the world are not compared."""
    plane = LABELS[:, :, :1]
    reference = nifti(tmp_path / "reference.nii", plane)
    with pytest.raises(GridMismatch, match="origin"):
        scored(nifti(tmp_path / "prediction.nii", plane, affine=placed(origin=(0, 0, 5))), reference)


def test_displacement_is_measured_at_the_corners(tmp_path):
    """A spacing that differs too little to see in one voxel is an error where it adds up over the mask."""
    labels = blobs((200, 4, 3))
    reference = nifti(tmp_path / "reference.nii", labels)
    for step, is_refused in ((1.00002, False), (1.001, False), (1.004, True)):
        prediction = nifti(tmp_path / "prediction.nii", labels, affine=placed((step, 1, 1)))
        if is_refused:
            with pytest.raises(GridMismatch, match="spacing"):
                scored(prediction, reference)
        else:
            assert (step < 1.0001) == quiet(scored(prediction, reference))


@pytest.mark.parametrize(
    ("affine", "words"),
    [
        (placed((2, 3, 5), (-30, 50, 7)), ["spacing (2, 3, 5) against (2, 3, 4) mm"]),
        (placed((2, 3, 4), (-30, 50, 17)), ["origin (-30, 50, 17) against (-30, 50, 7) mm", "2.5 voxels"]),
        (STRAIGHT @ rotation(0) @ placed((1.5, 1, 1)), ["spacing (3, 3, 4) against (2, 3, 4) mm"]),
        (rotation(30, 1), ["spacing", "origin", "direction"]),
    ],
    ids=["spacing", "origin", "one spacing", "all"],
)
def test_the_error_says_what_differs_and_by_how_much(tmp_path, affine, words):
    """Spacing, origin and direction are named where they differ, with both sides' numbers and the unit."""
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=STRAIGHT)
    with pytest.raises(GridMismatch) as caught:
        scored(nifti(tmp_path / "prediction.nii", LABELS, affine=affine), reference)
    for word in words:
        assert word in str(caught.value)


def test_another_direction_is_refused(tmp_path):
    """A volume turned by some degrees about its first voxel differs in direction, and in nothing else."""
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=placed((2, 2, 2)))
    prediction = nifti(tmp_path / "prediction.nii", LABELS, affine=rotation(12) @ placed((2, 2, 2)))
    with pytest.raises(GridMismatch, match="direction") as caught:
        scored(prediction, reference)
    assert "12" in str(caught.value)
    assert "degrees" in str(caught.value)
    assert "spacing" not in str(caught.value)
    assert "origin" not in str(caught.value)


def test_different_units_of_length_are_refused(tmp_path):
    """A volume in metres and its twin in millimetres: both units are named; ignored, they lie on each other."""
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=STRAIGHT)
    turned = STRAIGHT @ placed((-1, 1, 1), (6, 0, 0))
    metres = nifti(
        tmp_path / "a.nii", PREDICTION[::-1], affine=np.diag([0.001, 0.001, 0.001, 1]) @ turned, unit="meter"
    )
    with pytest.raises(GridMismatch, match="units of length: prediction m, reference mm") as caught:
        scored(metres, reference)
    assert "--geometry ignore" in caught.value.hint
    result = scored(metres, reference, geometry="ignore")
    assert brute(PREDICTION, LABELS) == counts(result)
    assert any("geometry ignored: the headers state different units" in note for note in result.notes)


@pytest.mark.parametrize("transform", [UTM32, DEGREES], ids=["metres", "degrees"])
def test_displacement_of_maps(tmp_path, transform):
    """Maps in metres and in hundred-thousandths of a degree are judged alike, in pixels."""
    crs = "EPSG:4326" if transform is DEGREES else "EPSG:32632"
    reference = geotiff(tmp_path / "reference.tif", MAP, transform=transform, crs=crs)
    for columns, rows in ((0.004, 0), (0, -0.3), (0.3, 0), (0.6, 0), (0, 0.6), (-1, 1)):
        path = geotiff(
            tmp_path / "prediction.tif", OTHER_MAP, transform=moved(transform, columns, rows), crs=crs
        )
        farthest = max(abs(columns), abs(rows))
        if farthest < 0.5:
            result = scored(path, reference)
            assert brute(OTHER_MAP, MAP) == counts(result)
            assert (farthest < 0.01) == quiet(result)
        else:
            with pytest.raises(GridMismatch, match="origin"):
                scored(path, reference)


def test_noise_of_numbers_in_degrees_is_accepted(tmp_path):
    """The last digits of a transform, as other programs round them, are no displacement."""
    noisy = [value * (1 + 1e-13) for value in DEGREES]
    reference = geotiff(tmp_path / "reference.tif", MAP, transform=DEGREES, crs="EPSG:4326")
    result = scored(geotiff(tmp_path / "a.tif", OTHER_MAP, transform=noisy, crs="EPSG:4326"), reference)
    assert quiet(result)
    assert brute(OTHER_MAP, MAP) == counts(result)


def test_another_pixel_size_of_maps_is_refused(tmp_path):
    """Maps of one shape and corner but other pixels differ in spacing, which is named in metres."""
    reference = geotiff(tmp_path / "reference.tif", MAP)
    finer = (5, *UTM32[1:4], -5, UTM32[5])
    with pytest.raises(GridMismatch, match=r"spacing \(5, 5\) against \(10, 10\)"):
        scored(geotiff(tmp_path / "prediction.tif", MAP, transform=finer), reference)


# Coordinate systems.


def test_another_crs_is_refused_and_both_are_named(tmp_path):
    """Equal numbers in different coordinate systems are different places."""
    reference = geotiff(tmp_path / "reference.tif", MAP, crs="EPSG:32632")
    prediction = geotiff(tmp_path / "prediction.tif", MAP, crs="EPSG:32633")
    with pytest.raises(GridMismatch, match=r"EPSG:32633 against EPSG:32632"):
        scored(prediction, reference)


@pytest.mark.parametrize(
    ("code", "form"),
    [
        *itertools.product((32632, 4326, 5070, 3035), ("wkt1", "wkt2", "esri")),
        # The datums of the others do not survive in a PROJ string.
        (32632, "proj"),
        (4326, "proj"),
    ],
)
def test_one_crs_in_other_words_is_accepted(tmp_path, code, form):
    """A coordinate system is the same as an EPSG code, as WKT of any kind and as a PROJ string."""
    from rasterio.crs import CRS

    crs = CRS.from_epsg(code)
    same = {
        "wkt1": lambda: CRS.from_wkt(crs.to_wkt(version="WKT1_GDAL")),
        "wkt2": lambda: CRS.from_wkt(crs.to_wkt(version="WKT2_2019")),
        "esri": lambda: CRS.from_wkt(crs.to_wkt(version="WKT1_ESRI")),
        "proj": lambda: CRS.from_string(crs.to_proj4()),
    }
    transform = DEGREES if code == 4326 else UTM32
    reference = geotiff(tmp_path / "reference.tif", MAP, crs=crs, transform=transform)
    prediction = geotiff(tmp_path / "prediction.tif", OTHER_MAP, crs=same[form](), transform=transform)
    assert brute(OTHER_MAP, MAP) == counts(scored(prediction, reference))


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_a_map_without_crs_is_compared_with_a_note(tmp_path, bare):
    """Where one map names no coordinate system it is taken to be the other's, and a note says so."""
    crs = {"reference": "EPSG:32632", "prediction": "EPSG:32632", bare: None}
    reference = geotiff(tmp_path / "reference.tif", MAP, crs=crs["reference"])
    result = scored(geotiff(tmp_path / "prediction.tif", OTHER_MAP, crs=crs["prediction"]), reference)
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert any(bare in note and "CRS" in note for note in result.notes)


def test_a_map_without_crs_elsewhere_is_refused(tmp_path):
    """A missing coordinate system excuses no displacement."""
    reference = geotiff(tmp_path / "reference.tif", MAP)
    path = geotiff(tmp_path / "prediction.tif", MAP, crs=None, transform=moved(UTM32, 3))
    with pytest.raises(GridMismatch, match="origin"):
        scored(path, reference)


# Without georeferencing.


@pytest.mark.parametrize("bare", ["reference", "prediction"])
def test_a_tiff_without_georeferencing_is_compared_by_pixel(tmp_path, bare):
    """A plain TIFF against a map: compared by pixel, with a note on the one that lacks its place."""
    place = {"reference": {}, "prediction": {}, bare: {"crs": None, "transform": None}}
    reference = geotiff(tmp_path / "reference.tif", MAP, **place["reference"])
    result = scored(geotiff(tmp_path / "prediction.tif", OTHER_MAP, **place["prediction"]), reference)
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert f"the {bare} has no georeferencing: compared pixel by pixel" in result.notes


@pytest.mark.parametrize("bare", ["reference", "prediction"])
@pytest.mark.parametrize("affine", [placed(), STRAIGHT, OBLIQUE], ids=["plain", "straight", "oblique"])
def test_a_volume_without_orientation_is_compared_by_voxel(tmp_path, affine, bare):
    """A NIfTI with neither sform nor qform against one that has it: by voxel, with a note."""
    codes = {"reference": None, "prediction": None, bare: (0, 0)}
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=affine, codes=codes["reference"])
    prediction = nifti(tmp_path / "prediction.nii", PREDICTION, affine=affine, codes=codes["prediction"])
    result = scored(prediction, reference)
    assert brute(PREDICTION, LABELS) == counts(result)
    assert f"the {bare} has no georeferencing: compared pixel by pixel" in result.notes


def test_volumes_without_orientation_still_have_spacings(tmp_path):
    """Two NIfTI files that say nothing but their spacing are refused where it differs."""
    reference = nifti(tmp_path / "reference.nii", LABELS, affine=placed((1, 1, 1)), codes=(0, 0))
    same = nifti(tmp_path / "same.nii", PREDICTION, affine=placed((1, 1, 1), (9, 9, 9)), codes=(0, 0))
    assert brute(PREDICTION, LABELS) == counts(scored(same, reference))
    other = nifti(tmp_path / "other.nii", LABELS, affine=placed((1, 1, 3)), codes=(0, 0))
    with pytest.raises(GridMismatch, match="spacing"):
        scored(other, reference)


def test_three_formats_of_one_array_count_alike(tmp_path):
    """PNG, GeoTIFF, NIfTI and arrays of the same masks give identical counts, each against each."""
    predictions = [
        png(tmp_path / "a.png", OTHER_MAP),
        geotiff(tmp_path / "a.tif", OTHER_MAP),
        nifti(tmp_path / "a.nii.gz", OTHER_MAP),
        nifti(tmp_path / "b.nii", OTHER_MAP[..., np.newaxis]),
        OTHER_MAP,
    ]
    references = [
        png(tmp_path / "c.png", MAP),
        geotiff(tmp_path / "c.tif", MAP, tiled=True, blockxsize=16, blockysize=16),
        nifti(tmp_path / "c.nii.gz", MAP),
        MAP,
    ]
    expected = brute(OTHER_MAP, MAP)
    for prediction, reference in itertools.product(predictions, references):
        result = scored(prediction, reference)
        assert expected == counts(result)
        assert MAP.size == result.counted


def test_a_map_against_a_volume_is_compared_by_pixel_with_a_note(tmp_path):
    """Where a map lies and where a volume lies cannot be compared: by pixel, and a note says so."""
    result = scored(nifti(tmp_path / "a.nii", OTHER_MAP), geotiff(tmp_path / "b.tif", MAP))
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert any("map against a volume" in note for note in result.notes)


# --geometry ignore.


def test_geometry_ignore_compares_by_index_and_says_so(tmp_path):
    """With --geometry ignore masks are compared index by index wherever they lie, and a note says so."""
    reference = nifti(tmp_path / "reference.nii", LABELS)
    for affine in (
        placed(origin=(100, 0, 0)),
        placed((3, 3, 3)),
        rotation(30),
        placed((-1, 1, 1), (60, 0, 0)),
    ):
        result = scored(
            nifti(tmp_path / "prediction.nii", PREDICTION, affine=affine), reference, geometry="ignore"
        )
        assert brute(PREDICTION, LABELS) == counts(result)
        assert any("geometry ignored" in note for note in result.notes)


def test_geometry_ignore_goes_past_the_crs(tmp_path):
    """With --geometry ignore even maps in different coordinate systems are compared."""
    reference = geotiff(tmp_path / "reference.tif", MAP, crs="EPSG:32632")
    prediction = geotiff(tmp_path / "prediction.tif", OTHER_MAP, crs="EPSG:32633")
    result = scored(prediction, reference, geometry="ignore")
    assert brute(OTHER_MAP, MAP) == counts(result)
    assert any("geometry ignored" in note for note in result.notes)


def test_geometry_errors_are_of_one_kind():
    """Both errors of geometry can be caught as one."""
    assert issubclass(ShapeMismatch, GeometryError)
    assert issubclass(GridMismatch, GeometryError)
