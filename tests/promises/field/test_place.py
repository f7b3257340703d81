"""Cases from the field: headers that state no place, no unit, another unit, or a place nobody meant."""

from __future__ import annotations

import json
import math

import make
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st
from make import brute, counts, patched, scored

import dicecli
from dicecli.cli import cli
from dicecli.errors import BadHeader, GridMismatch, NotLabels, UnknownLabel
from dicecli.masks.grid import determinant
from dicecli.runs.inspection.file import inspect

LABELS = make.blobs((7, 6, 5), 4)
OTHER = make.blobs((7, 6, 5), 4, seed=3)
STRAIGHT = np.diag([2.0, 3, 4, 1])


def command(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


# A5.


def test_geometry_ignore_on_a_folder_where_one_header_is_broken_and_another_pair_is_ras_against_lps(tmp_path):
    """'`ignore` touches only pairs that `strict` would refuse': the turned pair stays right, the note names the other."""
    for folder in ("p", "r"):
        (tmp_path / folder).mkdir()
    turned = STRAIGHT @ np.array([[-1, 0, 0, 6], [0, -1, 0, 5], [0, 0, 1, 0], [0, 0, 0, 1]])
    for name, labels, affine in (
        ("turned", OTHER[::-1, ::-1], turned),
        ("broken", OTHER, STRAIGHT @ np.diag([1, 1, 7.0, 1])),
        ("far", OTHER, STRAIGHT + np.array([[0, 0, 0, 90]] + [[0] * 4] * 3)),
        ("sound", OTHER, STRAIGHT),
    ):
        make.nifti(tmp_path / "p" / f"{name}.nii.gz", labels, affine=affine)
        make.nifti(tmp_path / "r" / f"{name}.nii.gz", LABELS, affine=STRAIGHT)
    report = dicecli.batch(tmp_path / "p", tmp_path / "r", geometry="ignore", jobs=1)
    assert len(report.scored) == 4
    for each in report.scored:
        assert counts(each) == brute(OTHER, LABELS)
        said = [note for note in each.notes if "geometry ignored" in note]
        assert bool(said) == (each.case.name in {"broken", "far"})
    assert any("voxels apart" in note and "broken" in note for note in report.notes)
    assert not any("geometry ignored" in note and "turned" in note for note in report.notes)


# A12.


def test_a_sheared_sform_has_the_determinant_as_its_volume(tmp_path):
    """'Gantry tilt of 20°, 0.5x0.5x5 mm: 1.25, the determinant'; lengths along the axes are as they are."""
    tilted = np.diag([0.5, 0.5, 5.0, 1])
    tilted[1, 2] = 5 * math.tan(math.radians(20))
    path = make.nifti(tmp_path / "a.nii.gz", LABELS, affine=tilted)
    found = scored(path, path)
    assert found.sizes["mm3"] == pytest.approx(1.25)
    assert found.spacing == pytest.approx((0.5, 0.5, 5 / math.cos(math.radians(20))))
    report = dicecli.score(path, path, metrics=["volume_reference_mm3"])
    (case,) = report.cases()
    for row in case.labels:
        assert row.values["volume_reference_mm3"] == pytest.approx(1.25 * (LABELS == row.label).sum())


@pytest.mark.parametrize(("angle", "is_sheared"), [(20, True), (0.001, False)])
def test_lengths_of_a_tilted_gantry_are_undefined(tmp_path, angle, is_sheared):
    """Steps along axes that lean towards each other are no distances; what rounding leaves is none of that."""
    affine = np.diag([0.5, 0.5, 5, 1])
    affine[1, 2] = 5 * math.tan(math.radians(angle))
    for name, labels in (("p", OTHER), ("r", LABELS)):
        make.nifti(tmp_path / f"{name}.nii.gz", labels, affine=affine)
    report = dicecli.score(tmp_path / "p.nii.gz", tmp_path / "r.nii.gz", metrics=["centre_distance"])
    assert math.isnan(report.look_up("centre_distance[2]").value) == is_sheared
    said = command("score", tmp_path / "p.nii.gz", tmp_path / "r.nii.gz", "-m", "centre_distance").output
    assert ("right angles" in said) == is_sheared


def test_a_sheared_image_in_micrometres_has_its_volume_in_millimetres():
    """Of an image of nibabel in another unit, sheared along two axes, it is the determinant, too."""
    import nibabel

    image = nibabel.Nifti1Image(LABELS, [[500, 100, 0, 1], [0, 700, 0, 2], [0, 300, -900, 3], [0, 0, 0, 1]])
    image.header.set_xyzt_units("micron")
    assert scored(image, image).sizes["mm3"] == pytest.approx(0.5 * 0.7 * 0.9)


@given(
    st.lists(st.floats(0.001, 1e4), min_size=3, max_size=3),
    st.permutations(range(3)),
    st.tuples(*[st.booleans()] * 3),
)
def test_upright_voxels_have_the_product_of_their_steps(steps, order, flips):
    """Where no axis leans the determinant is the product, to the last bit."""
    linear = np.zeros((3, 3))
    for axis, row in enumerate(order):
        linear[row, axis] = -steps[axis] if flips[axis] else steps[axis]
    assert determinant(linear) == math.prod(steps)


@given(st.lists(st.floats(-10, 10), min_size=9, max_size=9))
def test_the_determinant_is_numpys(values):
    """Of any three axes it is what NumPy gives."""
    linear = np.array(values).reshape(3, 3)
    with np.errstate(all="ignore"):  # NumPy's own, of the smallest numbers there are
        expected = abs(np.linalg.det(linear))
    assert determinant(linear) == pytest.approx(expected, abs=1e-9)


# A16.

NAN, INFINITE = (math.nan,) * 4, (1.0, math.inf, 0.0, 0.0)
QFORM = {"qform_code": 1, "sform_code": 0}
PLACELESS = {
    "all NaN": {"srow_x": NAN, "srow_y": NAN, "srow_z": NAN},
    "one row of NaN": {"srow_y": NAN},
    "one row of infinity": {"srow_z": INFINITE},
    "singular": {"srow_x": (0.0,) * 4},
    "qform of NaN": {**QFORM, "quaternion_and_offset": (math.nan,) * 6},
    "qform of sizes NaN": {**QFORM, "pixdim": (1, math.nan, 1, 1, 1, 1, 1, 1)},
    "qform of sizes 0": {**QFORM, "pixdim": (1, 0, 1, 1, 1, 1, 1, 1)},
    "qform of negative sizes": {**QFORM, "pixdim": (1, -1, 1, 1, 1, 1, 1, 1)},
}


@pytest.mark.parametrize("fields", PLACELESS.values(), ids=PLACELESS)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz"])
def test_sform_code_2_and_all_nan_is_a_bad_header(tmp_path, monkeypatch, fields, suffix):
    """'BadHeader, unless --geometry ignore; inspect never says of it that the masks lie on each other'."""
    monkeypatch.setitem(make.NIFTI_FIELDS, "srow_y", (296, "<4f"))
    monkeypatch.setitem(make.NIFTI_FIELDS, "srow_z", (312, "<4f"))
    path = make.nifti(tmp_path / f"a{suffix}", OTHER, codes=(2, 0))
    patched(path, **fields)
    sound = make.nifti(tmp_path / f"b{suffix}", LABELS, codes=(2, 0))
    for pair in ((path, sound), (sound, path), (path, path)):
        with pytest.raises(BadHeader, match="its header states a place") as caught:
            scored(*pair)
        assert "--geometry ignore" in caught.value.hint
    found = scored(path, sound, geometry="ignore")
    assert counts(found) == brute(OTHER, LABELS)
    assert any("geometry is ignored" in note for note in found.notes)
    done = command("inspect", path, sound)
    assert done.exit_code == 3
    assert "lie on each other" not in done.output
    assert inspect(str(path)).error.name == "BadHeader"
    # Followed literally: the header of the image that it belongs to.
    mended = make.nifti(tmp_path / f"a{suffix}", OTHER, codes=(2, 0))
    assert counts(scored(mended, sound)) == brute(OTHER, LABELS)


def test_a_form_that_is_none_beside_one_that_is(tmp_path):
    """Of two stated places the one that there is counts, with a note: also of an image of nibabel."""
    import nibabel

    path = make.nifti(tmp_path / "a.nii", OTHER, codes=(2, 1))
    patched(path, srow_x=NAN)
    reference = make.nifti(tmp_path / "b.nii", LABELS)
    for given_as in (path, nibabel.load(path)):
        found = scored(given_as, reference)
        assert counts(found) == brute(OTHER, LABELS)
        assert "prediction: its sform holds NaN or infinity, and is not used" in found.notes


def test_probabilities_with_a_place_that_is_none(tmp_path):
    """A map of probabilities is refused as a mask is."""
    path = make.nifti(tmp_path / "a.nii", np.full(LABELS.shape, 0.25, np.float32), codes=(2, 0))
    patched(path, srow_x=NAN)
    with pytest.raises(BadHeader):
        dicecli.soft(path, make.nifti(tmp_path / "b.nii", (LABELS > 1) * np.uint8(1)))


@pytest.mark.parametrize("value", [math.nan, math.inf, 1e300])
@pytest.mark.parametrize("at", [0, 2, 4])
def test_a_geotiff_that_states_a_place_and_holds_none(tmp_path, value, at):
    """A transform of NaN or infinity is refused in the same way, as labels and as bands, unless it is ignored."""
    transform = [*make.UTM32]
    transform[at] = value
    path = make.geotiff(tmp_path / "a.tif", OTHER[..., 0], transform=transform)
    sound = make.geotiff(tmp_path / "b.tif", LABELS[..., 0])
    with pytest.raises(BadHeader, match="gives no pixel a place") as caught:
        scored(path, sound)
    assert "--geometry ignore" in caught.value.hint
    assert counts(scored(path, sound, geometry="ignore")) == brute(OTHER[..., 0], LABELS[..., 0])
    assert "lie on each other" not in command("inspect", path, sound).output
    layers = make.geotiff(
        tmp_path / "c.tif", np.stack([OTHER[..., 0] > 1] * 2) * np.uint8(1), transform=transform
    )
    with pytest.raises(BadHeader):
        dicecli.soft(layers, sound, accept_labels=True)


# A22.


def test_a_nifti_without_a_unit_is_in_millimetres_with_one_note_a_run(tmp_path):
    """'mm, with one note': of the pair, and of the whole batch, whichever side it is of."""
    for folder in ("p", "r"):
        (tmp_path / folder).mkdir()
        for name, side in (("a", "pr"), ("b", "p"), ("c", "r")):
            unit = None if folder in side else "mm"
            make.nifti(tmp_path / folder / f"{name}.nii.gz", LABELS, affine=STRAIGHT, unit=unit)
    report = dicecli.batch(tmp_path / "p", tmp_path / "r", metrics=["dice", "volume_reference_mm3"], jobs=1)
    for case in report.cases():
        assert [row.values["volume_reference_mm3"] for row in case.labels] == [
            24.0 * (LABELS == row.label).sum() for row in case.labels
        ]
        assert len([note for note in case.result.notes if "unit of length" in note]) == 1
    assert len([note for note in report.notes if "unit of length" in note]) == 1


def test_lengths_with_and_without_a_unit_are_of_one_run(tmp_path):
    """A batch of distances does not lose the Dice of a case whose header names no unit."""
    for folder in ("p", "r"):
        (tmp_path / folder).mkdir()
        for name, unit in (("a", "mm"), ("b", None), ("c", "micron")):
            affine = STRAIGHT * (1000 if unit == "micron" else 1)
            affine[3, 3] = 1
            make.nifti(tmp_path / folder / f"{name}.nii", LABELS, affine=affine, unit=unit)
    report = dicecli.batch(tmp_path / "p", tmp_path / "r", metrics=["dice", "centre_distance"], jobs=1)
    assert not report.failed
    assert [each.sizes["mm3"] for each in report.scored] == pytest.approx([24] * 3)


# A19.


@pytest.mark.parametrize("default", ["prediction", "reference"])
@pytest.mark.parametrize("direction", [1, -1])
def test_a_default_header_against_the_images(tmp_path, default, direction):
    """'Copy the header', not 'resample': of nibabel's default and of ITK's; followed, the number is right."""
    import nibabel

    place = {"prediction": STRAIGHT, "reference": STRAIGHT} | {
        default: np.diag([direction, direction, 1.0, 1])
    }
    labels = {"prediction": OTHER, "reference": LABELS}
    paths = {
        side: make.nifti(tmp_path / f"{side}.nii.gz", labels[side], affine=place[side]) for side in labels
    }
    with pytest.raises(GridMismatch) as caught:
        scored(**paths)
    other = "reference" if default == "prediction" else "prediction"
    assert f"save it again with the header of the {other}" in caught.value.hint
    header = nibabel.load(paths[other])
    nibabel.save(nibabel.Nifti1Image(labels[default], header.affine, header.header), paths[default])
    assert counts(scored(**paths)) == brute(OTHER, LABELS)
    assert counts(scored(**paths, geometry="ignore")) == brute(OTHER, LABELS)


@pytest.mark.parametrize("suffix", [".nii.gz", ".tif", None])
def test_an_interpolated_label_map_with_values_above_1(tmp_path, suffix):
    """'Save with nearest neighbour', not '--threshold 0.5', which would make one label of all."""
    plane = LABELS[:, :, 0].astype(np.float32)
    plane[3, 3] = 1.5
    given_as = plane
    if suffix is not None:
        write = make.nifti if suffix == ".nii.gz" else make.geotiff
        given_as = write(tmp_path / f"a{suffix}", plane)
        assert "--threshold" not in inspect(str(given_as)).error.hint
    with pytest.raises(NotLabels, match=r"0\.5, and the largest value 3") as caught:
        scored(given_as, given_as)
    assert "nearest neighbour" in caught.value.hint
    assert "--threshold" not in caught.value.hint


def test_an_interpolated_mask_of_0_and_1_is_thresholded(tmp_path):
    """Values up to 1, also those that a spline put a little above, are cut by --threshold 0.5, as the hint says."""
    soft = np.where(LABELS > 1, 1.04, 0.1).astype(np.float32)
    path, reference = (
        make.nifti(tmp_path / "a.nii", soft),
        make.nifti(tmp_path / "r.nii", (LABELS > 1) * np.uint8(1)),
    )
    with pytest.raises(NotLabels) as caught:
        scored(path, reference)
    assert "--threshold 0.5" in caught.value.hint
    assert counts(scored(path, reference, threshold=0.5)) == brute(LABELS > 1, LABELS > 1)


@pytest.mark.parametrize(
    "labels", [{"labels": {"1": "liver"}}, {"labels": {"0": "background", "1": "liver"}}]
)
def test_0_and_255_with_declared_0_and_1(tmp_path, labels):
    """'--threshold 128', not '--ignore-label 255', which would leave out all that is inside."""
    declared = tmp_path / "labels.json"
    declared.write_text(json.dumps(labels))
    full = make.png(tmp_path / "a.png", (OTHER[..., 0] > 1) * np.uint8(255))
    plain = make.png(tmp_path / "b.png", (LABELS[..., 0] > 1) * np.uint8(1))
    expected = brute(OTHER[..., 0] > 1, LABELS[..., 0] > 1)
    for pair, of_pair in (((full, plain), expected), ((full, full), brute(*[OTHER[..., 0] > 1] * 2))):
        with pytest.raises(UnknownLabel) as caught:
            scored(*pair, labels=declared)
        assert "--threshold 128" in caught.value.hint
        assert "--ignore-label" not in caught.value.hint
        assert counts(scored(*pair, labels=declared, threshold=128)) == of_pair


def test_255_where_more_labels_are_declared_is_no_label_1(tmp_path):
    """Where 1 and 2 are declared nobody knows which of them 255 is: no threshold is proposed."""
    full = make.png(tmp_path / "a.png", (OTHER[..., 0] > 1) * np.uint8(255))
    with pytest.raises(UnknownLabel) as caught:
        scored(full, full, labels={"labels": {"1": "liver", "2": "spleen"}})
    assert "--threshold" not in caught.value.hint
