"""NIfTI masks: exact labels from every type and scaling, and no number from a damaged file."""

from __future__ import annotations

import gzip
import itertools
import math
import os
import shutil
import struct
import tracemalloc
import zlib
from contextlib import contextmanager

import numpy as np
import pytest
from make import NIFTI_FIELDS, blobs, brute, nifti, notes, patched, read, scored

import dicecli
from dicecli.errors import (
    BadHeader,
    CaseError,
    Corrupt,
    EmptyFile,
    FileError,
    ManyVolumes,
    Missing,
    NotARegularFile,
    NotLabels,
    TrailingData,
    Truncated,
    UnknownFormat,
)
from dicecli.masks.pair import open_mask

LABELS = blobs((7, 6, 5), 4)
INTEGERS = ["int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64"]
ONE_FILE = [".nii", ".nii.gz"]


@contextmanager
def memory_below(limit):
    """Fail where the block inside allocates more than so many bytes at once."""
    tracemalloc.start()
    try:
        yield
        assert tracemalloc.get_traced_memory()[1] < limit
    finally:
        tracemalloc.stop()


# Integers.


@pytest.mark.parametrize("endianness", ["<", ">"])
@pytest.mark.parametrize("dtype", INTEGERS)
def test_every_integer_type_is_exact(tmp_path, dtype, endianness):
    """The labels of every integer type come back as they are, at both ends of its range and in any byte order."""
    ends = np.iinfo(dtype)
    labels = LABELS.astype(dtype)
    # The least of 64 bits is what a cast makes of NaN, and labels have 63 bits: both have tests of their own.
    labels[0, 0, 0] = max(ends.min, -(2**63) + 1)
    labels[1, 0, 0] = min(ends.max, 2**63 - 1)
    path = nifti(tmp_path / "a.nii", labels, endianness=endianness)
    assert labels.tolist() == read(path).tolist()


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_labels_beyond_a_byte_are_exact(tmp_path, suffix):
    """Labels 256, -1 and 2^31 in wider types are counted as themselves, not modulo anything."""
    reference = LABELS.astype(np.int64)
    reference[0] = np.array([256, -1, 2**31, 2**53 + 1, -(2**40)])
    prediction = np.where(LABELS == 2, -1, reference)
    one = nifti(tmp_path / f"reference{suffix}", reference)
    other = nifti(tmp_path / f"prediction{suffix}", prediction)
    assert brute(prediction, reference) == scored(other, one).labels


def test_labels_beyond_63_bits_are_refused(tmp_path):
    """A uint64 that no int64 holds is an error that shows it, not a negative label."""
    labels = LABELS.astype(np.uint64)
    labels[2, 2, 2] = 2**63
    with pytest.raises(NotLabels, match="9223372036854775808"):
        read(nifti(tmp_path / "a.nii", labels))


def test_the_least_integer_is_refused(tmp_path):
    """-2^63, which casts make of NaN, is an error: it must not be taken for "no label" and left out."""
    labels = LABELS.astype(np.int64)
    labels[2, 2, 2] = -(2**63)
    path = nifti(tmp_path / "a.nii", labels)
    good = nifti(tmp_path / "b.nii", LABELS)
    for pair in ((path, good), (good, path)):
        with pytest.raises(NotLabels):
            scored(*pair)


# Scaling.


@pytest.mark.parametrize(
    ("slope", "inter"), [(1, 0), (0, 0), (0, 7), (math.nan, 0), (math.nan, math.nan), (math.nan, 3)]
)
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_no_scaling(tmp_path, suffix, slope, inter):
    """Slope 1 with intercept 0 is no scaling; a slope of 0 or NaN means that there is none, as the format says."""
    path = patched(nifti(tmp_path / f"a{suffix}", LABELS), scl_slope=slope, scl_inter=inter)
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize(("slope", "inter"), [(2, 0), (1, 1), (3, -4), (-1, 3)])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_integer_scaling_is_exact(tmp_path, suffix, slope, inter):
    """An integer slope and intercept give exact integer labels."""
    path = nifti(tmp_path / f"a{suffix}", LABELS, slope=slope, inter=inter)
    assert (LABELS.astype(int) * slope + inter).tolist() == read(path).tolist()


@pytest.mark.parametrize(
    ("step", "slope"), [(2, 0.5), (10, 0.1), (255 // 3, 3 / 255), (1, 0.9999999), (1, 1.001)]
)
def test_fractional_scaling_onto_integers_is_accepted(tmp_path, step, slope):
    """A fractional slope that leads to integers, up to the rounding of float32, gives those labels."""
    path = nifti(tmp_path / "a.nii.gz", LABELS * np.uint8(step), slope=slope)
    assert LABELS.tolist() == read(path).tolist()


@pytest.mark.parametrize("slope", [0.5, 1 / 3, 1.1])
def test_fractional_scaling_off_integers_is_refused(tmp_path, slope):
    """Labels that a slope turns into fractions are an error, never rounded or cut: {0, 1, 7} is not {0, 6}."""
    path = nifti(tmp_path / "a.nii", LABELS, slope=slope)
    with pytest.raises(NotLabels, match="not all integers"):
        read(path)


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_the_largest_residual_of_the_whole_file_is_shown(tmp_path, suffix):
    """The error over fractions shows the largest distance from an integer of the file, not of its first part."""
    stored = np.zeros((1024, 1024, 5), np.uint8)
    stored[0, 0, 0] = 11
    stored[5, 5, 4] = 24
    path = nifti(tmp_path / f"a{suffix}", stored, slope=0.1)
    with pytest.raises(NotLabels, match=r"0\.4\b"):
        read(path)


@pytest.mark.parametrize(("slope", "inter"), [(2.0**60, 0), (1e30, 0), (1, 1e30), (-1e30, 1e30)])
def test_scaling_out_of_64_bits_is_refused(tmp_path, slope, inter):
    """A scaling that leads out of 64 bits is an error; nothing wraps, and nothing ends in a traceback."""
    path = nifti(tmp_path / "a.nii", LABELS * np.uint8(60), slope=slope, inter=inter)
    with pytest.raises(CaseError):
        read(path)


@pytest.mark.parametrize(("slope", "inter"), [(math.inf, 0), (-math.inf, 0), (2, math.inf), (2, math.nan)])
def test_an_infinite_scaling_is_a_bad_header(tmp_path, slope, inter):
    """A scaling that is no number is BadHeader."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), scl_slope=slope, scl_inter=inter)
    with pytest.raises(BadHeader):
        read(path)


# Floats.


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_floats_next_to_integers_are_labels(tmp_path, suffix, dtype):
    """0.9999999 is 1, -0.0 is 0, and anything at most 0.01 away from an integer is that integer."""
    values = LABELS.astype(dtype)
    values[:, :, 0] = np.array([0.9999999, -0.0, 1.0099, 2.9901, -0.0099, 300.0])
    expected = LABELS.astype(int)
    expected[:, :, 0] = np.array([1, 0, 1, 3, 0, 300])
    assert expected.tolist() == read(nifti(tmp_path / f"a{suffix}", values)).tolist()


@pytest.mark.parametrize("value", [0.5, 0.0101, 0.98, math.nan, math.inf, -math.inf, 1e300])
def test_floats_that_are_no_labels_are_refused(tmp_path, value):
    """Fractions, NaN, infinity and numbers beyond 64 bits are errors wherever they stand."""
    values = LABELS.astype(np.float64)
    values[6, 5, 4] = value
    with pytest.raises(NotLabels):
        read(nifti(tmp_path / "a.nii.gz", values))


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


@pytest.mark.parametrize("shape", [(7, 6, 5, 2), (7, 6, 1, 2), (7, 6, 5, 1, 3), (1, 1, 1, 2)])
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
    assert expected == scored(nifti(tmp_path / "a.nii.gz", scores), reference, argmax=True).labels


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
        assert expected == scored(path, reference).labels, path.name


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
        assert brute(LABELS, LABELS) == result.labels
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
    assert brute(prediction, LABELS) == by_file.labels == by_image.labels
    assert by_file.sizes == by_image.sizes == {"mm3": pytest.approx(12)}


# Damage.


def zipped_small(tmp_path):
    """Return a small .nii.gz and its labels: few enough bytes to damage each of them."""
    labels = blobs((4, 4, 3), 4, seed=3)
    return nifti(tmp_path / "a.nii.gz", labels), labels


@pytest.mark.parametrize("mask", [0x01, 0x10, 0xFF])
def test_no_flipped_byte_gives_another_number(tmp_path, mask):
    """A changed byte anywhere in a .nii.gz is an error, or changes nothing; never another volume."""
    path, labels = zipped_small(tmp_path)
    whole = path.read_bytes()
    errors = 0
    for position in range(len(whole)):
        damaged = bytearray(whole)
        damaged[position] ^= mask
        path.write_bytes(damaged)
        try:
            found = read(path)
        except FileError:
            errors += 1
        else:
            assert labels.tolist() == found.tolist(), position
    # Only the bytes of gzip's own header that say when, how and under which name may change unseen.
    assert len(whole) - errors < 24


def test_a_cut_at_any_byte_is_an_error(tmp_path):
    """A .nii.gz cut off anywhere, up to the last byte of its trailer, never gives a volume."""
    path, _ = zipped_small(tmp_path)
    whole = path.read_bytes()
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(FileError):
            read(path)


def test_without_its_trailer_it_is_truncated(tmp_path):
    """All voxels there but no checksum: Truncated, for nothing says that they are right."""
    path, _ = zipped_small(tmp_path)
    path.write_bytes(path.read_bytes()[:-8])
    with pytest.raises(Truncated):
        read(path)


@pytest.mark.parametrize("position", [-8, -4])
def test_a_wrong_checksum_or_length_is_corrupt(tmp_path, position):
    """The trailer's CRC and length are held against the data."""
    path, _ = zipped_small(tmp_path)
    whole = bytearray(path.read_bytes())
    whole[position] ^= 4
    path.write_bytes(whole)
    with pytest.raises(Corrupt):
        read(path)


def test_a_cut_between_members_is_truncated(tmp_path):
    """A file of several gzip members that ends after a whole member is cut off all the same."""
    path = nifti(tmp_path / "a.nii", LABELS)
    content = path.read_bytes()
    cut = tmp_path / "cut.nii.gz"
    cut.write_bytes(gzip.compress(content[:400]) + gzip.compress(content[400:500]))
    with pytest.raises(Truncated):
        read(cut)


def test_garbage_after_the_stream_is_an_error(tmp_path):
    """Bytes after the last gzip member that are no member are damage; zeros are gzip's own padding."""
    path, labels = zipped_small(tmp_path)
    whole = path.read_bytes()
    path.write_bytes(whole + bytes(512))
    assert labels.tolist() == read(path).tolist()
    path.write_bytes(whole + b"garbage")
    with pytest.raises(FileError):
        read(path)


@pytest.mark.parametrize("suffix", ONE_FILE)
def test_a_cut_volume_is_truncated(tmp_path, suffix):
    """Fewer voxels than the header claims are Truncated, at any length, in a sound gzip stream too."""
    content = nifti(tmp_path / "whole.nii", LABELS).read_bytes()
    path = tmp_path / f"a{suffix}"
    for length in (100, 348, 351, 352, 353, 400, len(content) - 1):
        path.write_bytes(gzip.compress(content[:length]) if suffix == ".nii.gz" else content[:length])
        with pytest.raises(FileError):
            read(path)
        if length >= 352:
            with pytest.raises(Truncated):
                read(path)


@pytest.mark.parametrize("extra", [1, 100, 5000])
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_more_voxels_than_the_header_claims_are_an_error(tmp_path, suffix, extra):
    """Data after the last voxel are TrailingData: the header's dimensions do not fit them."""
    content = nifti(tmp_path / "whole.nii", LABELS).read_bytes() + bytes(extra)
    path = tmp_path / f"a{suffix}"
    path.write_bytes(gzip.compress(content) if suffix == ".nii.gz" else content)
    with pytest.raises(TrailingData):
        read(path)


def test_a_flood_of_zeros_after_the_volume_takes_no_memory(tmp_path):
    """A small gzip stream that unpacks to 200 MB after its volume is TrailingData, and memory stays flat."""
    packer = zlib.compressobj(1, wbits=31)
    path = tmp_path / "a.nii.gz"
    with path.open("wb") as file:
        file.write(packer.compress(nifti(tmp_path / "whole.nii", LABELS).read_bytes()))
        for _ in range(200):
            file.write(packer.compress(bytes(1_000_000)))
        file.write(packer.flush())
    with memory_below(20e6), pytest.raises(TrailingData):
        read(path)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_an_empty_file_is_its_own_error(tmp_path, name):
    """0 bytes are EmptyFile."""
    (tmp_path / name).touch()
    with pytest.raises(EmptyFile):
        read(tmp_path / name)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
def test_a_pipe_does_not_hang(tmp_path, name):
    """A named pipe with a mask's name is refused without being opened."""
    os.mkfifo(tmp_path / name)
    with pytest.raises(NotARegularFile):
        read(tmp_path / name)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"label,count\n1,20\n" * 40, "text"),
        (b"\x89PNG\r\n\x1a\n" + bytes(400), "PNG"),
        (b"\x93NUMPY" + bytes(400), "NumPy"),
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n", "Git LFS"),
        (bytes(range(128, 250)) * 4, "binary"),
    ],
)
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_other_content_is_refused_and_named(tmp_path, suffix, content, found):
    """What is not NIfTI inside, gzipped or not, is an error that says what it looks like."""
    path = tmp_path / f"a{suffix}"
    path.write_bytes(content)
    with pytest.raises(UnknownFormat, match=found):
        read(path)
    path.write_bytes(gzip.compress(content))
    with pytest.raises(UnknownFormat, match=found):
        read(path)


# Headers.


@pytest.mark.parametrize(
    "dim",
    [
        (0, 7, 6, 5, 1, 1, 1, 1),
        (8, 7, 6, 5, 1, 1, 1, 1),
        (-1, 7, 6, 5, 1, 1, 1, 1),
        (3, 0, 6, 5, 1, 1, 1, 1),
        (3, 7, 6, 0, 1, 1, 1, 1),
        (3, -7, 6, 5, 1, 1, 1, 1),
        (3, -7, -6, 5, 1, 1, 1, 1),
        (4, 7, 6, 5, 0, 1, 1, 1),
    ],
    ids=str,
)
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_impossible_dimensions_are_a_bad_header(tmp_path, suffix, dim):
    """An axis count of 0 or 8, and a length of 0 or below, are BadHeader."""
    path = patched(nifti(tmp_path / f"a{suffix}", LABELS), dim=dim)
    with pytest.raises(BadHeader):
        read(path)


@pytest.mark.parametrize("offset", [math.nan, math.inf, -math.inf, -1, 2.0**40, 1, 347, 352.5], ids=str)
@pytest.mark.parametrize("suffix", ONE_FILE)
def test_impossible_offsets_are_a_bad_header(tmp_path, suffix, offset):
    """Voxels that begin nowhere, before the end of the header, or beyond all bounds are BadHeader."""
    path = patched(nifti(tmp_path / f"a{suffix}", LABELS), vox_offset=offset)
    with pytest.raises(BadHeader):
        read(path)


@pytest.mark.parametrize("fields", [{"datatype": -9510}, {"datatype": 3}, {"magic": b"\0\0\0\0"}], ids=str)
def test_other_impossible_headers_are_refused(tmp_path, fields):
    """A datatype that does not exist, and Analyze 7.5 without a place in the world, are BadHeader."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), **fields)
    with pytest.raises(BadHeader):
        read(path)


@pytest.mark.parametrize("datatype", [0, 1, 255])
def test_datatypes_without_values_are_refused(tmp_path, datatype):
    """The codes for "unknown", single bits and "all" are of the format, and no type to read."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), datatype=datatype)
    with pytest.raises(CaseError):
        read(path)


def test_the_header_size_must_be_one_of_two(tmp_path):
    """A header that gives its own size as something else than 348 or 540 is BadHeader."""
    path = nifti(tmp_path / "a.nii", LABELS)
    path.write_bytes(struct.pack("<i", 347) + path.read_bytes()[4:])
    with pytest.raises(BadHeader, match="347"):
        read(path)


def test_a_small_file_that_claims_1000_cubed_takes_no_memory(tmp_path):
    """452 bytes that claim a thousand million voxels are an error before anything is allocated."""
    path = nifti(tmp_path / "a.nii", np.zeros((10, 10, 1), np.uint8))
    patched(path, dim=(3, 1000, 1000, 1000, 1, 1, 1, 1))
    assert path.stat().st_size == 452
    with memory_below(20e6), pytest.raises(Truncated):
        read(path)


@pytest.mark.parametrize("dim", [(3, 30_000, 30_000, 30_000), (7, *[32_767] * 7)], ids=str)
def test_a_small_gzip_file_that_claims_all_the_world_takes_no_memory(tmp_path, dim):
    """A gzip file cannot unpack to 30,000 cubed voxels: an error before anything is allocated."""
    path = nifti(tmp_path / "a.nii.gz", LABELS)
    patched(path, dim=(*dim, *[1] * (8 - len(dim))))
    with memory_below(20e6), pytest.raises(FileError):
        read(path)


def test_a_claim_that_the_stream_might_hold_takes_only_what_is_there(tmp_path):
    """A header within what gzip could unpack to is believed only as far as the stream really goes."""
    path = nifti(tmp_path / "a.nii.gz", np.random.default_rng(4).integers(0, 255, (100, 100, 30), np.uint8))
    patched(path, dim=(3, 1000, 1000, 200, 1, 1, 1, 1))
    with memory_below(20e6), open_mask(path) as source, pytest.raises(Truncated):
        source.read((slice(0, 1000), slice(0, 1000), slice(0, 200)))


@pytest.mark.parametrize("dtype", ["rgb", "rgba", np.complex64, np.complex128])
def test_voxels_that_are_no_numbers_are_refused(tmp_path, dtype):
    """RGB and complex voxels are no labels."""
    types = {"rgb": [(c, "u1") for c in "RGB"], "rgba": [(c, "u1") for c in "RGBA"]}
    array = np.zeros((3, 3, 3), np.dtype(types[dtype]) if dtype in types else dtype)
    with pytest.raises(NotLabels):
        read(nifti(tmp_path / "a.nii", array))


def test_cifti_is_refused(tmp_path):
    """CIFTI-2, a matrix in the clothes of NIfTI-2, is named and refused."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), intent_code=3001)
    with pytest.raises(CaseError, match="CIFTI"):
        read(path)


# Place and size.


@pytest.mark.parametrize(("unit", "step"), [("mm", 2.0), ("meter", 0.002), ("micron", 2000.0)])
def test_sizes_are_in_millimetres_whatever_the_unit(tmp_path, unit, step):
    """Spacing and the size of a voxel are converted from metres and micrometres to millimetres."""
    affine = np.diag([step, step, step * 1.5, 1])
    result = scored(*[nifti(tmp_path / "a.nii", LABELS, affine=affine, unit=unit)] * 2)
    assert result.unit == "mm"
    assert result.spacing == pytest.approx((2, 2, 3))
    assert result.sizes == {"mm3": pytest.approx(12)}


@pytest.mark.parametrize("unit", [0, 4, 7])
def test_without_a_unit_there_is_no_volume(tmp_path, unit):
    """Where the header names no unit of length, volumes are undefined rather than guessed."""
    path = patched(nifti(tmp_path / "a.nii", LABELS), xyzt_units=unit)
    report = dicecli.score(path, path, metrics=["volume_reference_mm3"])
    (case,) = report.cases()
    assert case.result.unit is None
    assert case.result.sizes == {}
    assert [math.isnan(row.values["volume_reference_mm3"]) for row in case.labels] == [True] * 3


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
    assert brute(LABELS, LABELS) == result.labels
    assert result.sizes == {}


def test_header_fields_are_where_the_tests_think():
    """The offsets that these tests patch are those of nibabel's header."""
    import nibabel

    for name, (position, _) in NIFTI_FIELDS.items():
        nibabel_name = "quatern_b" if name == "quaternion_and_offset" else name
        assert nibabel.Nifti1Header.template_dtype.fields[nibabel_name][1] == position


def test_the_threshold_reaches_the_format(tmp_path):
    """A threshold makes a probability map a mask."""
    values = np.random.default_rng(8).random((7, 6, 5))
    path = nifti(tmp_path / "a.nii.gz", values)
    result = scored(path, nifti(tmp_path / "b.nii", (values >= 0.5).astype(np.uint8)), threshold=0.5)
    assert brute(values >= 0.5, values >= 0.5)[1] == result.labels[1]


@pytest.mark.parametrize(
    ("version", "value"), [(1, 0x00), (1, 0x7F), (1, 0x80), (1, 0xFF), (2, 0x7F), (2, 0xFF)]
)
def test_no_header_ends_in_a_traceback(tmp_path, version, value):
    """Whatever byte of the header is overwritten with whatever, there are labels or there is a CaseError."""
    path = nifti(tmp_path / "a.nii", LABELS, version=version)
    whole = path.read_bytes()
    good = nifti(tmp_path / "b.nii", LABELS)
    refused = 0
    for position in range(540 if version == 2 else 348):
        path.write_bytes(whole[:position] + bytes([value]) + whole[position + 1 :])
        try:
            scored(path, good, geometry="ignore")
        except CaseError:
            refused += 1
    assert refused > 10
