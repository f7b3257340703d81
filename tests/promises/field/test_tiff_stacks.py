"""Field cases A1 and A21: stacks of pages in TIFF are volumes, and page 1 never stands for them."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make import blobs, counts, nifti, scored, tiff_run

import dicecli
from dicecli.errors import AmbiguousPalette, CaseError, ManyImages, Truncated
from dicecli.masks.opening import open_mask

tifffile = pytest.importorskip("tifffile")

EQUAL = np.zeros((4, 4), np.uint8)
EQUAL[0] = 1
FULL, EMPTY = np.ones((4, 4), np.uint8), np.zeros((4, 4), np.uint8)


def pages(path, *images, **options):
    """Write images as the pages of a TIFF, one after the other, with nothing said of them."""
    with tifffile.TiffWriter(path) as file:
        for each in images:
            file.write(each, contiguous=False, metadata=None, **options)
    return path


def dice(prediction, reference, **options):
    """Return the Dice of label 1."""
    found = counts(scored(prediction, reference, **options))[1]
    return 2 * found.tp, 2 * found.tp + found.fp + found.fn


def test_two_pages_of_which_the_first_is_equal(tmp_path):
    """A1: "Two TIFFs of two 4x4 pages; page 1 equal (first row 1), page 2 all 1 in the reference, all 0 in the
    prediction": "pages of equal shape and type are a volume (Dice 8/24)".
    """
    prediction = pages(tmp_path / "p.tif", EQUAL, EMPTY)
    reference = pages(tmp_path / "r.tif", EQUAL, FULL)
    assert (8, 24) == dice(prediction, reference)
    with open_mask(reference) as source:
        assert (4, 4, 2) == source.shape


def test_overviews_masks_and_thumbnails_are_no_pages(tmp_path):
    """A1: "overviews, masks and thumbnails are no pages"."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        file.write(EQUAL[::2, ::2].copy(), subfiletype=1, metadata=None)  # a thumbnail, before the image
        file.write(FULL, metadata=None, contiguous=False)
        file.write(EQUAL[::2, ::2].copy(), subfiletype=1, metadata=None)
    with open_mask(path) as source:
        assert (4, 4) == source.shape
        assert FULL.tolist() == source.read((slice(0, 4), slice(0, 4))).tolist()


def test_masks_are_no_pages_and_are_not_passed_over(tmp_path):
    """A1: "overviews, masks and thumbnails are no pages": what masks say is not left out in silence, either."""
    path = tmp_path / "a.tif"
    with tifffile.TiffWriter(path) as file:
        for each in (EQUAL, FULL):
            file.write(each, metadata=None, contiguous=False)
            file.write(np.ones((4, 4), bool), subfiletype=4, photometric="minisblack", metadata=None)
    for options in ({}, {"page": 2}):
        with pytest.raises(CaseError, match="masks, which say where nothing is known") as error:
            open_mask(path, _settings(**options))
        assert "--nodata label" in error.value.hint
    with open_mask(path, _settings(nodata="label")) as source:
        assert (4, 4, 2) == source.shape


def test_pages_that_differ(tmp_path):
    """A1: "pages that differ: `ManyImages`, with `--page N` (from 1)"."""
    path = pages(tmp_path / "a.tif", EQUAL, FULL[:3, :3].copy(), EMPTY.astype(np.uint16))
    with pytest.raises(ManyImages) as error:
        scored(path, path)
    for fact in ("3 images", "page 1: 4 x 4 of 8 bit", "page 2: 3 x 3 of 8 bit", "page 3: 4 x 4 of 16 bit"):
        assert fact in str(error.value)
    assert "--page N, from 1 to 3" in error.value.hint
    reference = pages(tmp_path / "r.tif", FULL[:3, :3].copy())
    assert (18, 18) == dice(path, reference, page=2)  # the hint, followed
    assert (8, 8) == dice(path, path, page=1)
    with pytest.raises(ManyImages, match="no page 4: it has 3") as error:
        scored(path, path, page=4)
    assert "from 1 to 3" in error.value.hint


def test_a_stack_against_a_nifti(tmp_path):
    """A1: "The pages are the last axis; against a NIfTI they are compared by shape, with a note"."""
    volume = blobs((5, 6, 7), 3)
    stack = pages(tmp_path / "a.tif", *np.moveaxis(volume, 2, 0))
    result = scored(stack, nifti(tmp_path / "a.nii.gz", volume))
    assert all(each.fp == each.fn == 0 for each in counts(result).values())
    assert any("compared pixel by pixel" in each for each in result.notes)
    assert any("rows and columns of the one" in each for each in result.notes)
    with pytest.raises(CaseError, match="shapes differ: prediction 5 x 6 x 7, reference 7 x 6 x 5"):
        scored(stack, nifti(tmp_path / "b.nii.gz", volume.T))


@pytest.mark.parametrize("order", ["<", ">"])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16, np.float32])
@pytest.mark.parametrize(
    "description",
    [
        "ImageJ=1.54f\nimages=5\nslices=5\nloop=false\n",
        "ImageJ=1.54f\nimages=5\n",
        json.dumps({"shape": [5, 6, 7]}),
    ],
    ids=["slices", "images", "shape"],
)
def test_one_directory_that_stands_for_many(tmp_path, description, dtype, order):
    """A21: "an ImageJ stack above 4 GB (`images=N`, data appended), tifffile's `shape` in the description": "read
    as the volume, or refused; never page 1".
    """
    volume = blobs((5, 6, 7), 4).astype(dtype)
    path = tiff_run(tmp_path / "a.tif", volume, description, order=order)
    with open_mask(path) as source:
        window = (slice(1, 6), slice(0, 6), slice(2, 5))
        assert volume[2:5, 1:6, 0:6].transpose(1, 2, 0).tolist() == source.read(window).tolist()
        assert (6, 7, 5) == source.shape
    with open_mask(path, _settings(page=3)) as source:
        assert volume[2].tolist() == source.read((slice(0, 6), slice(0, 7))).tolist()
    with pytest.raises(ManyImages, match="no page 6: it has 5"):
        open_mask(path, _settings(page=6))


def _settings(**options):
    from dicecli.runs.scoring import make_settings

    return make_settings(**options)


def test_one_directory_that_stands_for_more_than_there_is(tmp_path):
    """A21: "never page 1": a description whose images are not in the file is refused; the hint chooses the one."""
    volume = blobs((5, 6, 7), 4)
    path = tiff_run(tmp_path / "a.tif", volume, "ImageJ=1.54f\nimages=6\n")
    with pytest.raises(Truncated, match="speaks of 6 images") as error:
        open_mask(path)
    assert "--page 1" in error.value.hint
    with open_mask(path, _settings(page=1)) as source:
        assert volume[0].tolist() == source.read((slice(0, 6), slice(0, 7))).tolist()


def test_image_depth(tmp_path):
    """A21: "ImageDepth above 1": "read as the volume, or refused; never page 1"."""
    volume = blobs((4, 16, 16), 3)
    tifffile.imwrite(tmp_path / "a.tif", volume, tile=(4, 16, 16), volumetric=True, photometric="minisblack")
    with pytest.raises(ManyImages, match="stands for 4 slices") as error:
        open_mask(tmp_path / "a.tif")
    assert "a page for each slice" in error.value.hint
    tifffile.imwrite(tmp_path / "b.tif", volume, photometric="minisblack")  # the hint, followed
    with open_mask(tmp_path / "b.tif") as source:
        assert (16, 16, 4) == source.shape


def test_pages_are_not_opened_one_by_one(tmp_path, monkeypatch):
    """A21: "no reopening page by page": however many pages GDAL reads, it opens the file once."""
    from dicecli.masks.formats.geotiff import _header, _joined

    opened, real = [], _joined.open_dataset
    for module in (_header, _joined):
        monkeypatch.setattr(module, "open_dataset", lambda name: opened.append(name) or real(name))
    volume = blobs((40, 9, 9), 4)
    from PIL import Image

    images = [Image.fromarray(each) for each in volume]
    images[0].save(tmp_path / "a.tif", save_all=True, append_images=images[1:], compression="tiff_lzw")
    with open_mask(tmp_path / "a.tif") as source:
        whole = source.read((slice(0, 9), slice(0, 9), slice(0, 40)))
        source.finish()
    assert volume.transpose(1, 2, 0).tolist() == whole.tolist()
    assert 1 == len(opened)


@pytest.mark.parametrize("is_run", [False, True])
def test_the_palette_of_pages_is_held_against_the_other_one(tmp_path, is_run):
    """Stacks of one picture whose palettes have its colours at other numbers are refused, as single images."""
    one = np.array([[[0, 1], [2, 2]], [[0, 1], [1, 2]]], np.uint8)
    colours = np.zeros((3, 256), np.uint16)
    colours[0, 1] = colours[1, 2] = 128 << 8
    swapped = colours.copy()
    swapped[:, [1, 2]] = colours[:, [2, 1]]
    for name, pages, table in (("a", one, colours), ("b", np.array([0, 2, 1], np.uint8)[one], swapped)):
        tifffile.imwrite(
            tmp_path / f"{name}.tif", pages, photometric="palette", colormap=table, metadata={"axes": "ZYX"},
            truncate=is_run,
        )  # fmt: skip
    with pytest.raises(AmbiguousPalette):
        dicecli.score(tmp_path / "a.tif", tmp_path / "b.tif")
    report = dicecli.score(tmp_path / "a.tif", tmp_path / "b.tif", read_as="index")
    assert report.look_up("dice[1]").value == 0
