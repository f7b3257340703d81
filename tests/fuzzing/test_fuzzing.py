"""A short run over damaged masks, what earlier runs have found, and whether the judge of it all can say no.

The long run is ``python tests/fuzzing/run.py``.
"""

from __future__ import annotations

import os
import socket
import struct
import subprocess
import sys
from collections import Counter

import make
import mutants
import numpy as np
import oracle
import places
import pytest
import watch

from dicecli.errors import CaseError

#: Few enough for a few seconds in all.
#: How many mutants of a kind are tried here, and of any other.
USUAL = 400
SOME = {"png": 600, "nii": 400, "nii.gz": 400, "hdr": 400, "tif": 250, "stack": 250, "npy": 400}


@pytest.mark.parametrize("kind", mutants.KINDS)
def test_whole_masks_have_their_numbers(tmp_path, kind):
    """What mutants are made of is scored, with the numbers of an independent decoder."""
    for files in mutants.seeds(kind):
        assert "scored" == oracle.judge(mutants.Mutant(files).write(tmp_path))


@pytest.mark.parametrize("kind", mutants.KINDS)
def test_damaged_masks_are_errors_or_right(tmp_path, kind):
    """Whatever bytes are changed, there is a CaseError that says what to do, or the right number: within two
    seconds of the processor and 512 MB, and nothing else is opened, nothing written, nobody called.
    """
    answers = Counter()
    with watch.Watch(tmp_path) as seen:
        for number in range(SOME.get(kind, USUAL)):
            path = mutants.mutant(kind, number).write(tmp_path)
            seen.clear()
            answers[oracle.judge(path, inspected=number % 5 == 0)] += 1
            assert [] == seen.strange(*(each.name for each in path.parent.glob("mutant.*"))), number
    assert answers["scored"] > SOME.get(kind, USUAL) // 10
    assert len(answers) > 4


# What was found


def refused(path):
    """Return the name of the error that a mask ends in, judged like any mutant."""
    answer = oracle.judge(path)
    assert answer != "scored"
    return answer


def tagged(path, **tags):
    """Overwrite single short values in the directory of a little-endian TIFF."""
    content = bytearray(path.read_bytes())
    (at,) = struct.unpack_from("<I", content, 4)
    for entry in range(struct.unpack_from("<H", content, at)[0]):
        (tag,) = struct.unpack_from("<H", content, at + 2 + 12 * entry)
        if f"tag_{tag}" in tags:
            struct.pack_into("<H", content, at + 10 + 12 * entry, tags[f"tag_{tag}"])
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("rows", [8, 14, 15])
def test_tiles_that_hold_more_than_they_should(tmp_path, rows):
    """Where deflate tiles hold more than the header says, libtiff leaves the end of each tile as the memory
    happened to be: another number at every reading. They are refused.
    """
    labels = make.blobs((35, 41))
    path = make.geotiff(
        tmp_path / "a.tif", labels, compress="deflate", tiled=True, blockxsize=16, blockysize=16
    )
    assert "Corrupt" == refused(tagged(path, tag_323=rows))


def test_a_last_strip_that_is_padded(tmp_path):
    """Some programs write the last strip as long as the others; libtiff misreads what follows its last row."""
    labels = make.blobs((10, 40))
    rows = np.vstack([labels, np.full((6, 40), 9, np.uint8)])
    path = make.geotiff(tmp_path / "a.tif", rows, compress="deflate", blockysize=8)
    assert "Corrupt" == refused(tagged(path, tag_257=10))


def test_types_that_numpy_lacks(tmp_path):
    """GDAL's complex integers are no labels, like any complex number."""
    path = make.geotiff(tmp_path / "a.tif", make.blobs((6, 7)).astype(np.complex64))
    content = path.read_bytes()
    assert "NotLabels" == refused(path)
    # Samples of complex integers (5) of 32 bits instead of complex floats (6) of 64.
    path = tagged(path, tag_339=5, tag_258=32)
    assert content != path.read_bytes()
    assert "NotLabels" == refused(path)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"pixdim": (3.0, 1, 1, 1, 0, 0, 0, 0), "qform_code": 1, "sform_code": 0}, "BadHeader"),
        ({"pixdim": (1.0, -1, 1, 1, 0, 0, 0, 0), "qform_code": 1, "sform_code": 0}, "BadHeader"),
        ({"pixdim": (1.0, float("inf"), 1, 1, 0, 0, 0, 0), "qform_code": 1, "sform_code": 0}, "BadHeader"),
        ({"quaternion_and_offset": (float("inf"),) * 6, "qform_code": 1, "sform_code": 0}, "BadHeader"),
        ({"pixdim": (1.0, 1e-40, 1e-40, 1e-40, 0, 0, 0, 0), "qform_code": 0, "sform_code": 0}, "scored"),
        ({"srow_x": (1e-40, 0, 0, 0), "sform_code": 1}, "BadHeader"),
    ],
)
def test_places_that_are_none(tmp_path, fields, expected):
    """A form of NaN, infinity, nothing or less places no voxel: an error, unless no place was stated."""
    path = make.patched(make.nifti(tmp_path / "a.nii", make.blobs((4, 5, 6))), **fields)
    assert expected == oracle.judge(path)


def test_a_size_that_is_a_signalling_nan(tmp_path):
    """Bits of a size that stand for NaN, and for an alarm where they are cast, raise none."""
    path = make.nifti(tmp_path / "a.nii", make.blobs((4, 5, 6)))
    content = bytearray(path.read_bytes())
    content[80:84] = b"\1\0\x80\x7f"
    path.write_bytes(content)
    assert "scored" == oracle.judge(path)


def test_names_of_coordinate_systems_that_are_not_text(tmp_path):
    """A CRS whose name is no UTF-8 is damage, and not rasterio's UnicodeDecodeError."""
    path = make.geotiff(tmp_path / "a.tif", make.blobs((4, 5)), crs='LOCAL_CS["name",UNIT["metre",1]]')
    content = path.read_bytes()
    assert b"name" in content
    path.write_bytes(content.replace(b"name", b"na\xb3e"))
    assert oracle.judge(path) in {"Corrupt", "scored"}
    assert "Corrupt" == oracle.judge(path)


def test_infinity_when_inspected(tmp_path):
    """An infinite voxel is refused without NumPy's warning, by inspect too."""
    stored = make.blobs((4, 5, 6)).astype(np.float32)
    stored[0, 0, 0] = np.inf
    assert "NotLabels" == oracle.judge(make.nifti(tmp_path / "a.nii", stored), inspected=True)


def test_a_transform_that_is_none(tmp_path):
    """A transform whose numbers overflow, or come to nothing, places no pixel either."""
    for step in (1e-300, 1e300, 5e-324):
        path = make.geotiff(tmp_path / "a.tif", make.blobs((4, 5)), transform=(step, 0, 0, 0, -step, 0))
        assert "BadHeader" == oracle.judge(path)


# Whether the judge can say no


def test_the_judge_finds_a_wrong_number(tmp_path, monkeypatch):
    """A reader that gives another number, an error that is none of ours, or a warning, is a finding."""
    from dicecli.masks.formats.nifti._voxels import Voxels

    path = make.nifti(tmp_path / "mutant.nii", make.blobs((4, 5, 6)))
    right = Voxels.values
    monkeypatch.setattr(Voxels, "values", lambda self, window: right(self, window) + 1)
    with pytest.raises(oracle.Finding, match="right is"):
        oracle.judge(path)
    monkeypatch.setattr(Voxels, "values", lambda *_: np.zeros(3)[5])
    with pytest.raises(oracle.Finding, match="IndexError"):
        oracle.judge(path)
    monkeypatch.setattr(Voxels, "values", lambda *_: np.array([1.0]) / np.zeros(1))
    with pytest.raises(oracle.Finding, match="RuntimeWarning"):
        oracle.judge(path)


def test_the_judge_wants_file_side_and_hint(tmp_path):
    """An error that does not name the file, or says not what to do, is a finding."""
    for error in (CaseError("bad", "do"), CaseError("bad", "", str(tmp_path / "mutant.nii"))):
        with pytest.raises(oracle.Finding):
            oracle._hold_message(error, tmp_path / "mutant.nii")


def test_the_watch_sees_files_and_connections(tmp_path):
    """Opening a file elsewhere, writing one, and connecting are seen; reading the mask is not held against it."""
    mask, other = tmp_path / "mask.png", tmp_path / "other.png"
    mask.write_bytes(b"mask")
    other.write_bytes(b"other")
    with watch.Watch(tmp_path) as seen:
        seen.clear()
        mask.read_bytes()
        assert [] == seen.strange("mask.png")
        other.write_bytes(b"changed")
        assert any("open" in each for each in seen.strange("mask.png"))
        seen.clear()
        with pytest.raises(OSError), open(tmp_path.parent / "no such file"):  # noqa: PTH123
            pass
        assert any("no such file" in each for each in seen.calls())
        seen.clear()
        with socket.socket() as one:
            one.settimeout(0.1)
            one.connect_ex(("127.0.0.1", 9))
        assert any("socket.connect" in each for each in seen.calls())


@pytest.mark.skipif(sys.platform != "linux", reason="inotify is Linux's")
def test_the_watch_sees_what_c_libraries_open(tmp_path):
    """GDAL opens a file without a word to Python; that is seen all the same."""
    import rasterio

    path = make.geotiff(tmp_path / "other.tif", make.blobs((4, 5)))
    with watch.Watch(tmp_path) as seen:
        seen.clear()
        with rasterio.open(path):
            pass
        assert not any("other.tif" in each for each in seen.calls())
        assert "opened other.tif" in seen.strange("mask.tif")


def test_the_reader_of_strace_finds_what_is_foreign():
    """Of a log only masks, Python and its libraries, and what the system reads by itself may be opened."""
    mask = f"{watch.tempfile.gettempdir()}/mutants123/mutant.tif"
    log = [
        '1 openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = 3',
        f'1 stat("{watch.STARTED}", 0x7ffd) = -1 ENOENT',
        f'1 openat(AT_FDCWD, "{mask}", O_RDONLY) = 3',
        f'1 openat(AT_FDCWD, "{os.__file__}", O_RDONLY|O_CLOEXEC) = 3',
        '1 stat("/etc/shadow", {st_mode=S_IFREG}) = 0',
    ]
    assert [] == watch.foreign_in("\n".join(log))
    wrong = [
        '1 openat(AT_FDCWD, "/etc/shadow", O_RDONLY) = 3',
        f'1 openat(AT_FDCWD, "{os.__file__}", O_RDWR) = 3',
        "1 connect(3, {sa_family=AF_INET, sin_port=htons(80)}, 16) = 0",
    ]
    assert wrong == watch.foreign_in("\n".join([*log, *wrong]))


def test_mutants_are_the_same_in_every_process():
    """A number names the same bytes whenever it is asked for, so that a finding can be told by its number."""
    program = "import mutants; print(hash(tuple(map(str, (mutants.mutant('nii', n) for n in range(50))))))"
    environment = os.environ | {"PYTHONHASHSEED": "7", "PYTHONPATH": str(places.SUPPORT)}
    answers = {
        subprocess.run(
            [sys.executable, "-c", program], env=environment, capture_output=True, check=True
        ).stdout
        for _ in range(2)
    }
    assert 1 == len(answers)
    assert len({mutants.mutant("png", n).files["png"] for n in range(50)}) > 45
