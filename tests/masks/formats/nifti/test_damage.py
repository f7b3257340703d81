"""Damaged NIfTI files: no number from them, and little memory."""

from __future__ import annotations

import gzip
import os
import zlib

import pytest
from make import blobs, nifti, read
from watch import memory_below

from dicecli.errors import (
    Corrupt,
    EmptyFile,
    FileError,
    NotARegularFile,
    TrailingData,
    Truncated,
    UnknownFormat,
)

LABELS = blobs((7, 6, 5), 4)
ONE_FILE = [".nii", ".nii.gz"]


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
