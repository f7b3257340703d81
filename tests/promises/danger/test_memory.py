"""--max-memory and what masks really hold: a process of its own is measured, for some kinds of file.

``tests/endurance/measure_memory.py`` does so for every kind.
"""

from __future__ import annotations

import re
import sys
import tempfile
from functools import partial
from pathlib import Path
from unittest import mock

import make
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings
from hypothesis import strategies as st

import dicecli
from dicecli.cli import cli
from dicecli.errors import TooLarge
from dicecli.masks import blocks
from dicecli.masks.blocks import pixels_within
from dicecli.masks.opening import open_mask
from dicecli.masks.pair import Pair
from dicecli.records.cases import Case
from dicecli.records.limits import parse_bytes
from dicecli.runs.scoring import make_settings
from dicecli.statistics._allowed import _distinct

sys.path.insert(0, str(Path(__file__).parents[2] / "endurance"))
from measure_memory import _SCHEME, MIB, Kind, measured, nifti, npy, png, tif, wrong

#: By name: what is made, and the limit. Each took three times that and more, or far more than it was refused for.
KINDS = {
    "an RGB PNG with colours, interlaced": (
        Kind(partial(png, colour=2, interlaced=True), 2600, options={"labels": _SCHEME}),
        12,
    ),
    "a PNG of 16 bits": (Kind(partial(png, depth=16), 4000), 12),
    "a turned .nii.gz of int32": (Kind(partial(nifti, dtype="i4", turned=True), 200, 1), 12),
    "a turned .nii of int32": (Kind(partial(nifti, suffix=".nii", dtype="i4", turned=True), 200, 1), 12),
    "a .nii of floats": (Kind(partial(nifti, suffix=".nii", dtype="f8", slope=2.0), 180), 12),
    "a map of probabilities that is inspected": (
        Kind(partial(npy, channels=4), 1000, 1, words="inspect {0}"),
        12,
    ),
    "a TIFF with colours": (
        Kind(
            partial(tif, colours=True, tiled=True, blockxsize=256, blockysize=256),
            2600,
            options={"labels": _SCHEME},
        ),
        12,
    ),
}


@pytest.mark.skipif(not Path("/proc/self/clear_refs").exists(), reason="only Linux forgets a peak")
def test_the_limit_is_per_mask_and_counts_what_is_really_held_within_a_third(tmp_path):
    """The limit is per mask and counts what is really held, within a third."""
    limits = {name: limit * MIB for name, (_, limit) in KINDS.items()}
    found = measured({name: kind for name, (kind, _) in KINDS.items()}, limits, tmp_path)
    said = {name: wrong(each, limits[name]) for name, each in found.items()}
    assert said == dict.fromkeys(KINDS), found
    assert {name for name, each in found.items() if each["refused"] is not None} == {
        "an RGB PNG with colours, interlaced",
        "a PNG of 16 bits",
        "a turned .nii.gz of int32",
    }


def test_windows_shrink_with_the_memory_and_with_what_reads():
    """Windows have a third of the memory, for all layers and readers; at the usual limit they are as ever."""
    arrays = [np.broadcast_to(np.uint8(1), (3000, 4000))] * 2
    case = Case("a", *arrays)

    def most(memory, readers=1, halo=None, layers=1):
        with Pair(case, make_settings(max_memory=memory)) as pair:
            pair.readers = readers
            pair.reference[0].chunks = pair.prediction[0].chunks = (1, 4000)
            pair.prediction *= layers
            plan = pair.windows() if halo is None else pair.slabs(halo)
            return max(np.prod([part.stop - part.start for part in window]) for window in plan)

    usual, pixel = most(16 << 30), 3
    assert (usual, usual) == (most(1 << 40), most(16 << 30, readers=64))
    assert most(9_000_000) <= 1_000_000 == pixels_within(9_000_000, pixel)
    assert most(9_000_000, readers=4) <= 250_000
    assert most(9_000_000, layers=4) <= 250_000
    assert most(9_000_000, halo=20) <= 1_000_000 - 2 * 20 * 4000
    assert most(1) == 16 * 4000 <= pixels_within(1, pixel) == 1 << 16


def test_what_gdal_holds_of_a_block_bounds_the_readers(tmp_path):
    """A tile is held by each reader: so many read at a time as there is room for, one at least."""
    _, path = tif(tmp_path, 600, tiled=True, blockxsize=512, blockysize=512, compress="lzw")
    for memory, readers in ((512 * 512, 1), (3 * 512 * 512, 3), (7 * 512 * 512 // 2, 3)):
        with Pair(Case("a", str(path), str(path)), make_settings(max_memory=memory)) as pair:
            assert readers == pair.most_readers
    ended = CliRunner().invoke(cli, ["score", str(path), str(path), "--max-memory", str(512 * 512 - 1)])
    assert (3, True) == (ended.exit_code, "--max-memory 256KiB" in ended.output)


@given(st.lists(st.integers(-(2**15), 2**15 - 1), min_size=1, max_size=300), st.integers(1, 40))
def test_labels_are_counted_as_they_are(values, spread):
    """How many labels there are, where they may be more than are allowed: as NumPy finds them."""
    block = np.array(values, np.int64).reshape(1, -1) * spread
    for dtype in (np.int16, np.int64):
        part = block.astype(dtype)
        found = _distinct(part, 3)
        assert found in {0, len({*part.ravel().tolist()})}
        assert found or np.ptp(part.astype(np.int64)) < 3


def test_labels_are_refused_where_their_table_is_more_than_the_memory(tmp_path):
    """1,500 labels under 20 MB, whether they come at once or window by window; what is allowed is as ever."""
    image = np.sort(np.arange(1500 * 800) % 1500).reshape(1500, 800).astype(np.uint16)
    path = str(make.geotiff(tmp_path / "a.tif", image, blockysize=8))
    for order in (image, image.reshape(-1)[np.arange(image.size).reshape(800, 1500).T].copy()):
        with pytest.raises(TooLarge, match=r"1,[0-9]{3} labels or more"):
            dicecli.score(order, order, max_memory=20_000_000)
    with pytest.raises(TooLarge, match="labels or more"):
        dicecli.score(path, path, max_memory=20_000_000)
    assert dicecli.score(path, path, max_memory="30MB").look_up("dice") == 1


def test_files_for_each_class_share_the_memory_of_their_side(tmp_path):
    """Five PNG, each held whole: refused by the size of all of them; with what the hint says they are scored."""
    for side in ("p", "r"):
        (tmp_path / side).mkdir()
        for at in range(5):
            make.png(tmp_path / side / f"x_{at}.png", (make.blobs((40, 50), 5) == at).astype(np.uint8))
    patterns = [f"--{side}-pattern={{case}}_{{label}}.png" for side in ("prediction", "reference")]
    words = ["batch", str(tmp_path / "p"), str(tmp_path / "r"), *patterns, "--jobs", "1"]
    for limit, code in ((40 * 50 * 5, 3), (40 * 50 * 10, 0)):
        ended = CliRunner().invoke(cli, [*words, "--max-memory", str(limit)], terminal_width=500)
        assert code == ended.exit_code, ended.output
        assert (code == 3) == ("5 files of its side" in ended.output)


#: What writes a volume or an image of the same labels, each in its own way.
WRITERS = {
    "png": lambda path, array: make.png(path.with_suffix(".png"), array.astype(np.uint8)),
    "nii": lambda path, array: make.nifti(path.with_suffix(".nii"), array.astype(np.int16)),
    "turned": lambda path, array: make.nifti(
        path.with_suffix(".nii"), array.transpose(2, 0, 1).astype(np.int32), affine=np.eye(4)[:, [2, 0, 1, 3]]
    ),
    "gz": lambda path, array: make.nifti(path.with_suffix(".nii.gz"), array.astype(np.int16)),
    "tiles": lambda path, array: make.geotiff(
        path.with_suffix(".tif"), array.astype(np.uint16), tiled=True, blockxsize=16, blockysize=16
    ),
    "strips": lambda path, array: make.geotiff(
        path.with_suffix(".tif"), array.astype(np.uint8), compress="lzw", blockysize=3
    ),
}
#: What the other side is written by, where that is another: axes are turned then.
OTHERS = {"turned": "nii", "gz": "turned"}
OPTIONS = [{}, {"metrics": "hd95,dice"}, {"ignore_label": 2}, {"metrics": "boundary_iou,assd"}]


@settings(max_examples=25)
@given(
    st.sampled_from(sorted(WRITERS)),
    st.sampled_from(OPTIONS),
    st.integers(1_000, 40_000),
    st.tuples(st.integers(20, 70), st.integers(20, 70)),
    st.integers(0, 99),
)
def test_numbers_are_the_same_whatever_memory_is_allowed(form, options, limit, size, seed):
    """Windows shrink to what is allowed; a mask that does not fit is refused with the limit that it needs."""
    is_volume = form in {"nii", "turned", "gz"}
    shape = (*size, 5) if is_volume else size
    with tempfile.TemporaryDirectory() as folder:
        paths = []
        for side in (0, 1):
            path = Path(folder, "pr"[side])
            WRITERS[OTHERS.get(form, form) if side else form](path, make.blobs(shape, 4, seed + side))
            paths.append(str(next(path.parent.glob(f"{path.name}.*"))))
        whole = dicecli.score(*paths, **options).to_dict()
        while True:
            try:
                with mock.patch.object(blocks, "_LEAST_PIXELS", 64):
                    small = dicecli.score(*paths, **options, max_memory=limit).to_dict()
                break
            except TooLarge as error:
                allowed = parse_bytes(re.search(r"--max-memory (\w+)", error.hint)[1])
                assert allowed > limit
                limit = allowed
    whole["settings"]["max_memory"] = small["settings"]["max_memory"] = None
    assert {**whole, "origin": None} == {**small, "origin": None}


def test_a_mapped_volume_gives_the_same_in_any_order(tmp_path):
    """What is mapped because it may not be held is let go piece by piece, and is what it would be held."""
    path, _ = nifti(tmp_path, 40, suffix=".nii", dtype=">i4")
    windows = [
        (slice(a, a + 9), slice(b, b + 17), slice(c, c + 23))
        for a, b, c in ((3, 4, 5), (30, 0, 17), (0, 20, 0))
    ]
    with (
        open_mask(str(path), make_settings()) as held,
        open_mask(str(path), make_settings(max_memory=1000)) as other,
    ):
        for window in windows:
            assert held.read(window).tolist() == other.read(window).tolist()
        assert isinstance(other._whole, np.memmap)
        assert not isinstance(held._whole, np.memmap)
