"""Where a NIfTI volume lies, and how large its voxels are."""

from __future__ import annotations

import math
import struct

import numpy as np
import pytest
from make import blobs, brute, counts, nifti, patched, scored

import dicecli
from dicecli.errors import BadHeader
from dicecli.masks.opening import open_mask

LABELS = blobs((7, 6, 5), 4)


@pytest.mark.parametrize(("unit", "step"), [("mm", 2.0), ("meter", 0.002), ("micron", 2000.0)])
def test_sizes_are_in_millimetres_whatever_the_unit(tmp_path, unit, step):
    """Spacing and the size of a voxel are converted from metres and micrometres to millimetres."""
    affine = np.diag([step, step, step * 1.5, 1])
    result = scored(*[nifti(tmp_path / "a.nii", LABELS, affine=affine, unit=unit)] * 2)
    assert result.unit == "mm"
    assert result.spacing == pytest.approx((2, 2, 3))
    assert result.sizes == {"mm3": pytest.approx(12)}


@pytest.mark.parametrize(
    "bits", [0x7FF0000000000001, 0x7FEFFFFFFFFFFFFF], ids=["a NaN that signals", "the largest number"]
)
def test_a_place_that_is_no_number_is_an_error_and_no_warning(tmp_path, bits):
    """Of NIfTI-2 any 64 bits come as they are; a host that makes NumPy raise gets the same error."""
    path = nifti(tmp_path / "a.nii", LABELS, version=2, unit="meter")
    whole = bytearray(path.read_bytes())
    struct.pack_into("<Q", whole, 400 + 3 * 8, bits)
    path.write_bytes(whole)
    with np.errstate(all="raise"), pytest.raises(BadHeader):
        scored(path, path)


@pytest.mark.parametrize("unit", [0, 4, 7])
def test_without_a_unit_lengths_are_millimetres(tmp_path, unit):
    """Where the header names no unit of length, or one that there is not, it is mm, and one note says so."""
    path = patched(nifti(tmp_path / "a.nii", LABELS, affine=np.diag([1, 2, 3, 1])), xyzt_units=unit)
    report = dicecli.score(path, path, metrics=["volume_reference_mm3"])
    (case,) = report.cases()
    assert case.result.unit == "mm"
    assert case.result.sizes == {"mm3": 6}
    assert [(LABELS == row.label).sum() * 6 for row in case.labels] == [
        row.values["volume_reference_mm3"] for row in case.labels
    ]
    assert ["a NIfTI header names no unit of length: millimetres are taken"] == [
        note for note in case.result.notes if "unit" in note
    ]


@pytest.mark.parametrize("unit", [2 | 8, 2 | 16, 2 | 56, 2 | 64, 2 | 128])
def test_units_of_time_do_not_matter(tmp_path, unit):
    """The unit of time, in the same byte of the header, does not disturb millimetres; nor do unused bits."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), xyzt_units=unit)
    assert scored(path, path).sizes == {"mm3": pytest.approx(1)}


def two_forms(tmp_path, codes, sform, qform):
    """Write a volume whose sform and qform differ."""
    import nibabel

    image = nibabel.Nifti1Image(LABELS, None)
    image.header.set_xyzt_units("mm")
    image.header.set_qform(qform, 1)
    image.header.set_sform(sform, 1)
    image.header["sform_code"], image.header["qform_code"] = codes
    nibabel.save(image, tmp_path / "a.nii")
    return patched(tmp_path / "a.nii", sform_code=codes[0], qform_code=codes[1])


@pytest.mark.parametrize(
    ("codes", "chosen"),
    [((1, 1), "sform"), ((2, 0), "sform"), ((0, 1), "qform"), ((4, 2), "sform"), ((0, 0), None)],
)
def test_the_sform_goes_before_the_qform(tmp_path, codes, chosen):
    """The sform is used where its code is above 0, else the qform, else nothing says where the volume lies."""
    forms = {"sform": np.diag([2.0, 2, 2, 1]), "qform": np.diag([3.0, 3, 3, 1])}
    forms["sform"][:3, 3] = 10, 20, 30
    path = two_forms(tmp_path, codes, **forms)
    with open_mask(path) as source:
        if chosen is None:
            assert source.grid.affine is None
            assert source.grid.spacing == pytest.approx((3, 3, 3))
        else:
            assert np.allclose(forms[chosen][:3], source.grid.affine)
            assert source.grid.spacing == pytest.approx(np.diag(forms[chosen])[:3])
        is_odd = any("sform and qform" in oddity for oddity in source.oddities)
        assert is_odd == (min(codes) > 0)


def test_a_singular_sform_is_not_used(tmp_path):
    """An sform that maps the volume onto a plane says nothing; the qform is used, and that is odd."""
    path = two_forms(tmp_path, (1, 1), np.diag([2.0, 2, 2, 1]), np.diag([3.0, 3, 3, 1]))
    patched(path, srow_x=(0, 0, 0, 0))
    with open_mask(path) as source:
        assert np.allclose(np.diag([3.0, 3, 3, 1])[:3], source.grid.affine)
        assert any("singular" in oddity for oddity in source.oddities)


@pytest.mark.parametrize("size", [0.0, math.nan, math.inf])
def test_impossible_voxel_sizes_leave_the_size_unknown(tmp_path, size):
    """Voxels of 0, NaN or infinite size have no volume; their labels are counted all the same."""
    path = nifti(tmp_path / "a.nii", LABELS, codes=(0, 0))
    patched(path, pixdim=(1, size, 1, 1, 1, 1, 1, 1))
    result = scored(path, path)
    assert brute(LABELS, LABELS) == counts(result)
    assert result.sizes == {}
