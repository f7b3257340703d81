"""Headers of NIfTI files: what cannot be is refused, before memory is taken for it."""

from __future__ import annotations

import math
import struct
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from make import NIFTI_FIELDS, blobs, nifti, patched, read, scored
from watch import memory_below

from dicecli.errors import (
    BadHeader,
    CaseError,
    FileError,
    NotLabels,
    Truncated,
)

LABELS = blobs((7, 6, 5), 4)
ONE_FILE = [".nii", ".nii.gz"]


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


#: Read a volume, then one that is refused, and say by how many bytes the process grew.
_TAKEN = """
import sys
from pathlib import Path
from dicecli.errors import Truncated
from dicecli.masks.opening import open_mask
from dicecli.runs.scoring import make_settings

def status(what):
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(each.split()[1]) << 10 for each in lines if each.startswith(what))

for path in sys.argv[1:]:
    Path("/proc/self/clear_refs").write_text("5")
    before = status("VmRSS")
    try:
        with open_mask(path, make_settings()) as source:
            source.read(tuple(slice(0, each) for each in source.shape))
    except Truncated:
        print(status("VmHWM") - before)
"""


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
def test_a_claim_that_the_stream_might_hold_takes_only_what_is_there(tmp_path):
    """A header within what gzip could unpack to is believed only as far as the stream really goes."""
    path = nifti(tmp_path / "a.nii.gz", np.random.default_rng(4).integers(0, 255, (100, 100, 30), np.uint8))
    patched(path, dim=(3, 1000, 1000, 200, 1, 1, 1, 1))
    warm = nifti(tmp_path / "b.nii.gz", np.zeros((4, 4, 4), np.uint8))
    taken = subprocess.run(
        [sys.executable, "-c", _TAKEN, warm, path], capture_output=True, encoding="utf-8", check=True
    )
    assert int(taken.stdout) < 20e6


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


def test_header_fields_are_where_the_tests_think():
    """The offsets that these tests patch are those of nibabel's header."""
    import nibabel

    for name, (position, _) in NIFTI_FIELDS.items():
        nibabel_name = "quatern_b" if name == "quaternion_and_offset" else name
        assert nibabel.Nifti1Header.template_dtype.fields[nibabel_name][1] == position


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
