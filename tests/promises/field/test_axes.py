"""Cases from the field: the same mask as PNG and, by ITK, as NIfTI."""

from __future__ import annotations

import layered
import make
import numpy as np
import pytest
from click.testing import CliRunner
from make import brute, counts, scored

import dicecli
from dicecli.cli import cli
from dicecli.errors import GridMismatch, ShapeMismatch
from dicecli.runs.inspection.pair import inspect_pair

#: A mask that is not its own mirror image, and one that is nearly the same.
MASK = np.zeros((12, 12), np.uint8)
MASK[1:4, 5:11], MASK[7:11, 2:4] = 1, 2
NEAR = MASK.copy()
NEAR[1, 5:11], NEAR[6, 2] = 0, 2
WIDE = MASK[:, :9]
PROBABILITIES = np.stack([np.where(NEAR == label, 0.8, 0.1) for label in range(3)])


def of_itk(path, labels):
    """Write an image as ITK does: x, the column, is the first axis."""
    return make.nifti(path, np.asarray(labels).T)


def command(*words):
    return CliRunner().invoke(cli, [str(word) for word in words])


def as_image(labels):
    import nibabel

    return nibabel.Nifti1Image(labels, np.eye(4))


@pytest.mark.parametrize("is_reference", [False, True])
def test_itk_writes_x_as_the_first_axis(tmp_path, is_reference):
    """'The same mask as PNG and as .nii.gz: square: Dice 0' is an error that names --axes, which gives 1."""
    pair = of_itk(tmp_path / "a.nii.gz", MASK), make.png(tmp_path / "a.png", MASK)
    pair = pair[::-1] if is_reference else pair
    with pytest.raises(GridMismatch, match=r"macro IoU would be 1\.00") as caught:
        scored(*pair)
    assert "--axes xy" in caught.value.hint
    assert "--axes ij" in caught.value.hint
    assert counts(scored(*pair, axes="xy")) == brute(MASK, MASK)
    assert counts(scored(*pair, axes="ij")) == (brute(MASK, MASK.T) if is_reference else brute(MASK.T, MASK))


@pytest.mark.parametrize(("write", "name"), [(make.png, "a.png"), (make.geotiff, "a.tif"), (None, "array")])
def test_only_the_transpose_fits(tmp_path, write, name):
    """'Else refused without a way out': where only the transpose fits, the error names --axes xy."""
    image = WIDE if write is None else write(tmp_path / name, WIDE)
    volume = of_itk(tmp_path / "a.nii", WIDE)
    with pytest.raises(ShapeMismatch, match="first two axes swapped") as caught:
        scored(volume, image)
    assert caught.value.hint.endswith("--axes xy.")
    assert counts(scored(volume, image, axes="xy")) == brute(WIDE, WIDE)
    with pytest.raises(ShapeMismatch) as caught:
        scored(make.nifti(tmp_path / "b.nii", WIDE), image, axes="xy")
    assert caught.value.hint.endswith("--axes ij.")


def test_what_fits_as_it_is_stays_as_it_is(tmp_path):
    """A NIfTI as nibabel writes arrays, a bad mask that fits neither way, and two NIfTI are scored as they are."""
    image = make.png(tmp_path / "a.png", MASK)
    assert counts(scored(make.nifti(tmp_path / "a.nii", NEAR), image)) == brute(NEAR, MASK)
    bad = np.roll(MASK, 6)
    assert counts(scored(make.nifti(tmp_path / "b.nii", bad), image)) == brute(bad, MASK)
    volumes = make.nifti(tmp_path / "c.nii", MASK.T), make.nifti(tmp_path / "d.nii", MASK)
    assert counts(scored(*volumes)) == counts(scored(*volumes, axes="xy")) == brute(MASK.T, MASK)
    assert counts(scored(MASK.T, MASK)) == brute(MASK.T, MASK)


def test_ignored_and_unlabelled_pixels_do_not_hide_it(tmp_path):
    """The transposed masks are compared as they are meant: 0 and 255, ignored labels and volumes of several planes."""
    stack = np.stack([MASK, NEAR, np.roll(MASK, 2, 0)], axis=-1)
    void = np.where(stack == 2, 255, stack).astype(np.uint8)
    volume = make.nifti(tmp_path / "a.nii.gz", np.swapaxes(stack, 0, 1))
    with pytest.raises(GridMismatch, match=r"would be 1\.00"):
        dicecli.score(volume, void, ignore_label=255)
    found = scored(volume, void, ignore_label=255, axes="xy")
    assert found.excluded["ignore_label"] == (void == 255).sum()
    assert counts(found)[1].tp == (stack == 1).sum()
    full = make.png(tmp_path / "a.png", (MASK > 0) * np.uint8(255))
    with pytest.raises(GridMismatch, match=r"would be 1\.00"):
        scored(of_itk(tmp_path / "b.nii", (MASK > 0).astype(np.uint8)), full)


def test_binary_layers_beside_a_label_map(tmp_path):
    """Layers of a NIfTI beside an image, of which each is a region: what the image ignores does not hide it."""
    void = MASK.copy()
    void[9:11, 2:4] = 255
    layers = np.stack([MASK == 1, MASK == 2])[..., np.newaxis]
    turned = make.nifti(tmp_path / "a.nii.gz", np.moveaxis(layers.swapaxes(1, 2), 0, -1).astype(np.uint8))
    options = {"regions": {"one": [1], "two": [2]}, "ignore_label": 255}
    with pytest.raises(GridMismatch, match=r"would be 1\.00"):
        dicecli.score(turned, void, **options)
    found = layered.found(scored(turned, void, axes="xy", **options))
    assert [(each.tp, each.fp, each.fn) for each in found.values()] == [(18, 0, 0), (4, 0, 0)]


def test_in_every_command(tmp_path):
    """`score`, `batch`, `inspect A B` and Python say the same, and take the same option."""
    for folder, write in (("p", of_itk), ("r", make.png)):
        (tmp_path / folder).mkdir()
        write(tmp_path / folder / ("a.nii.gz" if folder == "p" else "a.png"), MASK)
    pair = tmp_path / "p" / "a.nii.gz", tmp_path / "r" / "a.png"
    folders = tmp_path / "p", tmp_path / "r", "-f", "json"
    for words in (("score", *pair), ("batch", *folders), ("inspect", *pair)):
        done = command(*words)
        assert done.exit_code == 3, words
        assert "--axes xy" in " ".join(done.output.split()), words
        assert command(*words, "--axes", "xy").exit_code == 0, words
    answer = inspect_pair(*map(str, pair))
    assert not answer["aligned"]
    assert "--axes xy" in answer["hint"]
    with pytest.raises(GridMismatch):
        dicecli.score(as_image(MASK.T), MASK)
    assert dicecli.score(as_image(MASK.T), MASK, axes="xy").averages["macro"]["dice"].value == 1


def test_geometry_ignored_compares_as_it_is_and_says_so(tmp_path):
    """With --geometry ignore the pair is scored by index, and the note says what it would have been refused for."""
    pair = of_itk(tmp_path / "a.nii.gz", MASK), make.png(tmp_path / "a.png", MASK)
    found = scored(*pair, geometry="ignore")
    assert counts(found) == brute(MASK.T, MASK)
    assert any("geometry ignored" in note and "macro IoU would be 1.00" in note for note in found.notes)


def test_arrays_of_simpleitk_are_in_reverse():
    """A volume as an image of nibabel, and as SimpleITK's array (z, y, x): the hint, followed, gives Dice 1."""
    volume = make.blobs((9, 9, 9), 3)
    with pytest.raises(GridMismatch, match="in reverse") as caught:
        dicecli.score(as_image(volume), volume.T)
    assert "array.T" in caught.value.hint
    assert dicecli.score(as_image(volume), volume.T.T).averages["macro"]["dice"].value == 1


@pytest.mark.parametrize("options", [{}, {"independent": True}])
def test_probabilities_beside_an_image(tmp_path, options):
    """Maps of probabilities are held against it, too; with --axes xy they score as the same map in order."""
    image = make.png(tmp_path / "a.png", MASK)
    maps = PROBABILITIES if not options else PROBABILITIES[1:]
    straight = make.nifti(tmp_path / "a.nii.gz", np.moveaxis(maps, 0, -1)[:, :, np.newaxis])
    turned = make.nifti(tmp_path / "b.nii.gz", np.moveaxis(maps.swapaxes(1, 2), 0, -1)[:, :, np.newaxis])
    with pytest.raises(GridMismatch, match="swapped") as caught:
        dicecli.soft(turned, image, **options)
    assert "--axes xy" in caught.value.hint
    expected = dicecli.soft(straight, image, **options).averages
    assert repr(expected) == repr(dicecli.soft(turned, image, axes="xy", **options).averages)
