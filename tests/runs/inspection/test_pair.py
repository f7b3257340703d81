"""Comparing two files says whether they lie on each other."""

from __future__ import annotations

import numpy as np
import pytest
from make import UTM32, blobs, geotiff, nifti, png

from dicecli.errors import Missing
from dicecli.runs.inspection.pair import inspect_pair

LABELS = blobs((40, 30), 4)
VOLUME = blobs((7, 6, 5), 4)


def test_inspect_pair_of_masks_that_lie_on_each_other(tmp_path):
    """Two masks of one grid are aligned, 0 voxels apart, with no differences."""
    one, other = geotiff(tmp_path / "a.tif", LABELS), geotiff(tmp_path / "b.tif", LABELS)
    expected = {
        "aligned": True,
        "displacement_voxels": 0.0,
        "differences": [],
        "notes": [],
        "suggestions": [],
        "message": None,
        "hint": None,
    }
    assert expected == inspect_pair(str(one), str(other))


def test_inspect_pair_of_masks_that_do_not(tmp_path):
    """Two masks of two grids: how far apart, what differs, and what to do."""
    moved = (*UTM32[:2], UTM32[2] + 25, *UTM32[3:])
    one = geotiff(tmp_path / "a.tif", LABELS, transform=moved)
    answer = inspect_pair(str(one), str(geotiff(tmp_path / "b.tif", LABELS)))
    assert answer["aligned"] is False
    assert answer["displacement_voxels"] == pytest.approx(2.5)
    assert [each.split()[0] for each in answer["differences"]] == ["origin"]
    assert "2.5 voxels" in answer["message"]
    assert answer["hint"]


def test_inspect_pair_tells_a_small_displacement(tmp_path):
    """Less than half a voxel is aligned, with the displacement as a number and a note."""
    affine = np.eye(4)
    affine[0, 3] = 0.25
    one = nifti(tmp_path / "a.nii", VOLUME, affine=affine)
    answer = inspect_pair(str(one), str(nifti(tmp_path / "b.nii", VOLUME)))
    assert answer["aligned"] is True
    assert answer["displacement_voxels"] == pytest.approx(0.25)
    assert any("0.250 voxels" in note for note in answer["notes"])


def test_inspect_pair_of_turned_masks(tmp_path):
    """Masks of one world grid in two orientations are aligned, 0 voxels apart, with a note."""
    affine = np.diag([-1.0, 1, 1, 1])
    affine[0, 3] = 6
    one = nifti(tmp_path / "a.nii", VOLUME[::-1], affine=affine)
    answer = inspect_pair(str(one), str(nifti(tmp_path / "b.nii", VOLUME)))
    assert answer["aligned"] is True
    assert answer["displacement_voxels"] == pytest.approx(0)
    assert answer["differences"] == []
    assert any("from LAS to RAS" in note for note in answer["notes"])


def test_inspect_pair_of_images_without_place(tmp_path):
    """Of images without any place nothing can be measured."""
    answer = inspect_pair(str(png(tmp_path / "a.png", LABELS)), str(png(tmp_path / "b.png", LABELS)))
    assert answer["aligned"] is True
    assert answer["displacement_voxels"] is None


def test_inspect_pair_of_other_shapes(tmp_path):
    """Masks of other shapes are not aligned, and the message gives both shapes."""
    answer = inspect_pair(str(png(tmp_path / "a.png", LABELS)), str(png(tmp_path / "b.png", LABELS.T)))
    assert answer["aligned"] is False
    assert "40 x 30" in answer["message"]
    assert "transposed" in answer["hint"]


def test_inspect_pair_needs_files_that_open(tmp_path):
    """A file that cannot be opened cannot be compared: its error is raised."""
    one = png(tmp_path / "a.png", LABELS)
    for pair in ((tmp_path / "none.png", one), (one, tmp_path / "none.png")):
        with pytest.raises(Missing):
            inspect_pair(*map(str, pair))
