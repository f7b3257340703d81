"""NIfTI masks: one volume from whatever axes, files and order of reading."""

from __future__ import annotations

import gzip
import itertools
import math
import shutil

import numpy as np
import pytest
from make import blobs, brute, counts, nifti, notes, read, scored

from dicecli.errors import (
    ManyVolumes,
    Missing,
    NotLabels,
)
from dicecli.masks.opening import open_mask

LABELS = blobs((7, 6, 5), 4)
ONE_FILE = [".nii", ".nii.gz"]


# Axes.


@pytest.mark.parametrize("extra", [(1,), (1, 1), (1, 1, 1, 1)])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_trailing_axes_of_length_1_are_dropped(tmp_path, suffix, extra):
    """7 x 6 x 5 x 1 is the volume 7 x 6 x 5."""
    path = nifti(tmp_path / f"a{suffix}", LABELS.reshape(LABELS.shape + extra))
    assert LABELS.tolist() == read(path).tolist()


def test_a_flat_volume_is_a_plane(tmp_path):
    """7 x 6 x 1 is 7 x 6; and lengths of 1 that do not trail stay."""
    plane = LABELS[:, :, :1]
    assert plane[..., 0].tolist() == read(nifti(tmp_path / "a.nii", plane)).tolist()
    across = LABELS[:1]
    assert across.tolist() == read(nifti(tmp_path / "b.nii", across)).tolist()


@pytest.mark.parametrize("shape", [(7, 6, 5, 2), (7, 6, 1, 2), (7, 6, 5, 1, 3), (3, 1, 1, 2)])
def test_several_volumes_are_refused(tmp_path, shape):
    """More than one volume is an error that names --argmax, not the first volume."""
    path = nifti(tmp_path / "a.nii.gz", blobs(shape))
    with pytest.raises(ManyVolumes, match=" x ".join(str(n) for n in shape)) as caught:
        read(path)
    assert "--argmax" in caught.value.hint


@pytest.mark.parametrize("suffix", [*ONE_FILE, ".img"])
@pytest.mark.parametrize("axis", [-1, 0, 1, 2, 3])
def test_argmax_takes_the_largest_score(tmp_path, suffix, axis):
    """With --argmax the label is the index of the largest score along --channel-axis."""
    scores = np.random.default_rng(1).random((5, 4, 3, 6)).astype(np.float32)
    path = nifti(tmp_path / f"a{suffix}", scores)
    found = read(path, argmax=True, channel_axis=axis)
    assert scores.argmax(axis).tolist() == found.tolist()
    assert any("largest" in note for note in notes(path, argmax=True, channel_axis=axis))


def test_argmax_of_a_scored_pair(tmp_path):
    """Scores against labels of the same place are counted as labels."""
    scores = np.random.default_rng(2).random((7, 6, 5, 4))
    expected = brute(scores.argmax(-1), LABELS)
    reference = nifti(tmp_path / "reference.nii.gz", LABELS)
    assert expected == counts(scored(nifti(tmp_path / "a.nii.gz", scores), reference, argmax=True))


def test_argmax_sees_scaled_scores(tmp_path):
    """A negative slope turns the order of scores round, and the largest scaled one is taken."""
    stored = np.random.default_rng(3).permuted(np.arange(4 * 4 * 3 * 5, dtype=np.int16)).reshape(4, 4, 3, 5)
    path = nifti(tmp_path / "a.nii", stored, slope=-0.25, inter=10)
    assert (stored * -0.25 + 10).argmax(-1).tolist() == read(path, argmax=True).tolist()


def test_argmax_refuses_nan(tmp_path):
    """No score is larger than NaN, so that a voxel with NaN has no label: an error."""
    scores = np.random.default_rng(2).random((7, 6, 5, 4))
    scores[3, 3, 3, 1] = math.nan
    with pytest.raises(NotLabels, match="NaN"):
        read(nifti(tmp_path / "a.nii.gz", scores), argmax=True)


def test_argmax_changes_nothing_for_one_volume(tmp_path):
    """A file of labels stays what it is under --argmax, so that one option fits a run of both."""
    path = nifti(tmp_path / "a.nii.gz", LABELS)
    assert LABELS.tolist() == read(path, argmax=True).tolist()


# One volume, many files.


def members(content: bytes, pieces: int) -> bytes:
    """Return a gzip file of several members, as pigz or concatenation make them."""
    edges = [len(content) * piece // pieces for piece in range(pieces + 1)]
    return b"".join(gzip.compress(content[start:stop]) for start, stop in itertools.pairwise(edges))


def test_all_containers_give_the_same_counts(tmp_path):
    """.nii, .nii.gz, pairs, NIfTI-2, big-endian and several gzip members of one volume score alike."""
    reference = nifti(tmp_path / "reference.nii", LABELS)
    prediction = blobs(LABELS.shape, 4, seed=9)
    expected = brute(prediction, LABELS)
    made = [
        nifti(tmp_path / f"{number}{suffix}", prediction, **options)
        for number, (suffix, options) in enumerate(
            [
                (".nii", {}),
                (".nii.gz", {}),
                (".hdr", {}),
                (".img", {}),
                (".img.gz", {}),
                (".nii", {"version": 2}),
                (".nii.gz", {"version": 2}),
                (".hdr", {"version": 2}),
                (".nii", {"endianness": ">", "dtype": np.int16}),
                (".nii.gz", {"endianness": ">", "dtype": np.float32, "version": 2}),
            ]
        )
    ]
    several = tmp_path / "several.nii.gz"
    several.write_bytes(members(made[0].read_bytes(), 5))
    for path in [*made, several]:
        assert expected == counts(scored(path, reference)), path.name


@pytest.mark.parametrize("zipped", ["", ".gz"])
def test_either_half_of_a_pair_names_it(tmp_path, zipped):
    """Header or data may be given for a pair; without the other half it is Missing, which is named."""
    header = nifti(tmp_path / f"a.hdr{zipped}", LABELS)
    data = tmp_path / f"a.img{zipped}"
    assert LABELS.tolist() == read(header).tolist() == read(data).tolist()
    away = tmp_path / "away"
    for given, other in ((header, data), (data, header)):
        shutil.move(other, away)
        with pytest.raises(Missing, match=other.name):
            read(given)
        shutil.move(away, other)


def test_a_wrong_suffix_is_read_by_content_with_a_note(tmp_path):
    """Gzip named .nii, and .nii.gz that is not gzip, are scored by what they are; a note says so."""
    plain, zipped = nifti(tmp_path / "a.nii", LABELS), nifti(tmp_path / "b.nii.gz", LABELS)
    for source, name in ((zipped, "c.nii"), (plain, "d.nii.gz")):
        path = tmp_path / name
        shutil.copy(source, path)
        result = scored(path, plain)
        assert brute(LABELS, LABELS) == counts(result)
        assert any(note.startswith("prediction: ") and "gzip" in note for note in result.notes)


def test_an_extension_of_the_header_is_passed_over(tmp_path):
    """Voxels begin where the header says, after whatever extension stands between."""
    import nibabel

    image = nibabel.Nifti1Image(LABELS, np.eye(4))
    image.header.extensions.append(nibabel.nifti1.Nifti1Extension("comment", b"words " * 3000))
    for suffix in ONE_FILE:
        image.to_filename(tmp_path / f"a{suffix}")
        assert LABELS.tolist() == read(tmp_path / f"a{suffix}").tolist()


def test_windows_in_any_order_see_the_same_voxels(tmp_path):
    """A compressed volume gives the same voxels forwards, backwards and crosswise."""
    path = nifti(tmp_path / "a.nii.gz", LABELS)
    windows = [
        (slice(0, 7), slice(0, 6), slice(3, 5)),
        (slice(0, 7), slice(0, 6), slice(0, 1)),
        (slice(2, 5), slice(1, 6), slice(0, 5)),
        (slice(0, 7), slice(0, 6), slice(1, 2)),
        (slice(0, 7), slice(2, 3), slice(2, 3)),
        (slice(6, 7), slice(5, 6), slice(4, 5)),
    ]
    with open_mask(path) as source:
        for window in windows * 2:
            assert LABELS[window].tolist() == source.read(window).tolist()
        source.finish()


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_a_loaded_image_counts_as_its_file(tmp_path, suffix):
    """An image that nibabel has loaded, or made, gives the counts that its file gives."""
    import nibabel

    prediction = blobs(LABELS.shape, 4, seed=9)
    path = nifti(tmp_path / f"a{suffix}", prediction, affine=np.diag([2.0, 2, 3, 1]))
    reference = nifti(tmp_path / "b.nii", LABELS, affine=np.diag([2.0, 2, 3, 1]))
    by_file, by_image = scored(path, reference), scored(nibabel.load(path), nibabel.load(reference))
    assert brute(prediction, LABELS) == counts(by_file) == counts(by_image)
    assert by_file.sizes == by_image.sizes == {"mm3": pytest.approx(12)}
