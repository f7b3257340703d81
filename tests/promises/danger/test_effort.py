"""Files of many bytes that hold next to nothing: they are refused before anyone reads all of them."""

from __future__ import annotations

import gzip
import struct
import zlib

import make
import numpy as np
import pytest

import dicecli
from dicecli.errors import Corrupt, DicecliError, TrailingData
from dicecli.masks import gzipped

LABELS = np.arange(512, dtype=np.uint8).reshape(8, 8, 8) % 3
EMPTY = gzip.compress(b"", 1, mtime=0)


@pytest.fixture
def packed(tmp_path):
    """Return a function that writes a volume's bytes, packed in some way, and the path of the volume itself."""
    plain = tmp_path / "plain.nii"
    make.nifti(plain, LABELS)

    def write(pack):
        path = tmp_path / "packed.nii.gz"
        path.write_bytes(pack(plain.read_bytes()))
        return path, plain

    return write


@pytest.mark.parametrize(
    ("pack", "kind"),
    [
        (lambda data: gzip.compress(data) + EMPTY * 1_000_000, TrailingData),
        (lambda data: EMPTY * 60_000 + gzip.compress(data), Corrupt),
        (lambda data: gzip.compress(data[:352]) + EMPTY * 60_000 + gzip.compress(data[352:]), TrailingData),
    ],
    ids=["behind", "before", "between"],
)
def test_empty_members_are_refused_early(packed, pack, kind, monkeypatch):
    """20 MB of empty gzip members are refused early: no voxel is asked for."""
    monkeypatch.setattr(gzipped.GzipStream, "read", lambda *_: pytest.fail("it was read"))
    with pytest.raises(kind):
        dicecli.score(*packed(pack))


@pytest.mark.parametrize(
    "pack",
    [
        lambda data: EMPTY * 3 + gzip.compress(data[:100]) + EMPTY + gzip.compress(data[100:]) + EMPTY,
        lambda data: gzip.compress(data, 0),
        lambda data: b"".join(gzip.compress(data[at : at + 1]) for at in range(len(data))),
    ],
    ids=["several", "as it is", "byte by byte"],
)
def test_members_that_hold_the_volume_are_read(packed, pack):
    """A `.nii.gz` of several members is right, and so is one that packing did not make shorter."""
    assert 1.0 == dicecli.score(*packed(pack)).look_up("dice").value


def chunk(name, data=b""):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


@pytest.mark.parametrize("name", [b"IDAT", b"tEXt", b"abCd"], ids=bytes.decode)
def test_many_empty_chunks_are_refused(tmp_path, name):
    """A PNG of millions of empty chunks is refused at the 100,001st; of a thousand it is read."""
    path = tmp_path / "a.png"
    make.png(path, LABELS[0])
    data = path.read_bytes()
    at = data.index(b"IDAT") - 4
    for n, is_read in ((1_000, True), (120_000, False)):
        path.write_bytes(data[:at] + chunk(name) * n + data[at:])
        if is_read:
            assert 1.0 == dicecli.score(path, path).look_up("dice").value
        else:
            with pytest.raises(DicecliError, match="100,000 chunks"):
                dicecli.score(path, path)
