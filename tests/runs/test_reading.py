"""What is read of the files of a case, and how often: once for the census, once more where a statistic needs pixels."""

from __future__ import annotations

import os
import pickle
import sys
import time
from collections import Counter, defaultdict
from functools import reduce
from itertools import pairwise
from operator import add

import layered
import make
import near
import numpy as np
import passes
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicecli.errors import Changed
from dicecli.masks import gzipped
from dicecli.masks.formats.nifti import _voxels
from dicecli.masks.pair import Pair
from dicecli.masks.sources import pixels
from dicecli.records.cases import Case
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import make_settings
from dicecli.statistics._pass import push
from dicecli.statistics._sharing import PassWork, share_out
from dicecli.statistics._sums import Sums

SHAPE = (120, 110, 100)
REFERENCE = make.blobs(SHAPE, 4, 1)
PREDICTION = np.roll(REFERENCE, 3, 2)
FLAT = {".png": make.png, ".tif": make.geotiff}
TILES = {"tiled": True, "blockxsize": 128, "blockysize": 128, "compress": "deflate"}


@pytest.fixture(autouse=True)
def _with_neighbours(monkeypatch):
    near.install(monkeypatch)


def written(folder, suffix, *masks):
    """Write masks, of flat formats as one plane of many rows."""
    options = {".tif": TILES}.get(suffix, {})
    write = FLAT.get(suffix, make.nifti)
    flat = [each.reshape(1200, -1) if suffix in FLAT else each for each in masks]
    return [str(write(folder / f"{at}{suffix}", each, **options)) for at, each in enumerate(flat)], flat


def case(paths):
    return Case("case", *paths)


class Reading:
    """What is read of each file: bytes out of gzip streams, and of plain files; pixels of windows; and in which order."""

    def __init__(self, monkeypatch):
        self.inflated, self.pixels = Counter(), Counter()
        self.starts, self.rewound = defaultdict(list), Counter()
        stream, voxels = gzipped.GzipStream, _voxels.Voxels
        read, rewind, plain = stream.read, stream.rewind, voxels._plain_bytes

        def read_stream(this, length, path):
            self.starts[path].append(this.position)
            self.inflated[path] += length
            return read(this, length, path)

        def rewind_stream(this):
            self.rewound[this._path] += 1
            return rewind(this)

        def read_plain(this, start, length):
            self.starts[this.path].append(start)
            self.inflated[this.path] += length
            return plain(this, start, length)

        monkeypatch.setattr(stream, "read", read_stream)
        monkeypatch.setattr(stream, "rewind", rewind_stream)
        monkeypatch.setattr(voxels, "_plain_bytes", read_plain)
        blocks = Pair.blocks

        def read_blocks(this, windows, *given, **options):
            windows = list(windows)
            for source in this.sources:
                self.pixels[source.path] += sum(map(pixels, windows))
            return blocks(this, windows, *given, **options)

        monkeypatch.setattr(Pair, "blocks", read_blocks)

    def assert_forwards(self):
        """Positions only grow, but for a start from the beginning."""
        for starts in self.starts.values():
            assert all(after > before or after == 0 for before, after in pairwise(starts))


@pytest.fixture
def reading(monkeypatch):
    """Take note of what is read from now on, in windows of which every file has several."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 17)
    return Reading(monkeypatch)


PASSES = {(): 1, ("near0",): 2, ("near2",): 2, ("near0", "near1", "near2"): 2}


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("metrics", PASSES, ids="+".join)
@pytest.mark.parametrize("suffix", [".nii.gz", ".nii"])
def test_bytes_of_nifti(tmp_path, reading, suffix, metrics, threads):
    """Every voxel is inflated or read once; twice where a statistic needs pixels, however many do; only forwards."""
    paths, _ = written(tmp_path, suffix, PREDICTION, REFERENCE)
    found = measure_case(case(paths), make_settings(metrics=["dice", *metrics]), threads).measured
    assert reading.inflated == dict.fromkeys(paths, PASSES[metrics] * REFERENCE.size)
    assert reading.rewound == Counter(
        dict.fromkeys(paths, PASSES[metrics] - 1) if suffix == ".nii.gz" else {}
    )
    assert all(len(starts) > 2 for starts in reading.starts.values())
    reading.assert_forwards()
    for name in metrics:
        assert list(found[name].values()) == near.brute(PREDICTION, REFERENCE, 2, near.NAMES[name])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("metrics", PASSES, ids="+".join)
@pytest.mark.parametrize("suffix", [".png", ".tif"])
def test_pixels_of_flat_files(tmp_path, reading, suffix, metrics, threads):
    """Every pixel is asked for once, or twice; where threads share windows with context, also the seams between them."""
    paths, (prediction, reference) = written(tmp_path, suffix, PREDICTION, REFERENCE)
    found = measure_case(case(paths), make_settings(metrics=["dice", *metrics]), threads).measured
    halo = max([near.NAMES[name] for name in metrics], default=0)
    seams = 2 * halo * reference.shape[1] * 4 * threads if threads > 1 and suffix == ".tif" else 0
    for path in paths:
        assert 0 <= reading.pixels[path] - PASSES[metrics] * reference.size <= seams
    for name in metrics:
        assert list(found[name].values()) == near.brute(prediction, reference, 0, near.NAMES[name])


@pytest.mark.parametrize("metrics", [(), ("near2",)], ids="+".join)
def test_bytes_of_layers(tmp_path, reading, metrics):
    """Of a compressed file of layers each layer is inflated once for every pass, from the start up to where it ends."""
    layers, others = layered.drawn((40, 30, 20), 3, 1), layered.drawn((40, 30, 20), 3, 2)
    paths = [layered.written(tmp_path / f"{at}.nii.gz", each) for at, each in enumerate((others, layers))]
    found = measure_case(case(paths), make_settings(metrics=["dice", *metrics])).measured
    assert reading.inflated == dict.fromkeys(paths, PASSES[metrics] * layers.size)
    for name in metrics:
        assert list(found[name].values()) == near.brute(others, layers, 2, near.NAMES[name])


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".tif"])
def test_a_file_that_changes_after_the_census(tmp_path, monkeypatch, suffix, threads):
    """What was counted is of another file than what the pass reads: no number comes of them."""
    paths, _ = written(tmp_path, suffix, PREDICTION, REFERENCE)
    begin = near.near0.begin

    def changed(*given):
        written(tmp_path, suffix, REFERENCE, REFERENCE)
        return begin(*given)

    monkeypatch.setitem(vars(near.near0), "begin", changed)  # undone without a trace in every pytest
    time.sleep(0.02)  # more than a tick of the clock by which the system tells times of change
    with pytest.raises(Changed, match="changed") as caught:
        measure_case(case(paths), make_settings(metrics=["near0"]), threads)
    assert caught.value.path in paths


# A halo never counts twice.


def slabs(shape, axis, cuts):
    """Cut a shape along one axis where it is said."""
    edges = [0, *sorted({cut for cut in cuts if 0 < cut < shape[axis]}), shape[axis]]
    whole = [slice(0, n) for n in shape]
    return [(*whole[:axis], slice(start, stop), *whole[axis + 1 :]) for start, stop in pairwise(edges)]


def pushed(pair, known, name, parts):
    """Return what a statistic finds, each part of the windows pushed through a state of its own."""
    states = [push(pair, part, known, {name: {}}, halo=near.NAMES[name]) for part in parts]
    total = reduce(add, states, Sums({})).parts[name]
    return [each for _, each in getattr(near, name).done(total, known)]


SHAPES = st.one_of(
    st.tuples(st.integers(1, 30)), st.tuples(*[st.integers(1, 9)] * 2), st.tuples(*[st.integers(1, 6)] * 3)
)


@given(SHAPES, st.sampled_from(list(near.NAMES)), st.integers(0, 10**6), st.randoms(), st.data())
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_slabs_of_arrays_are_the_whole(shape, name, seed, order, data):
    """However a case is cut, and whatever shares begin in the middle of it: what whole arrays give, ignored labels too."""
    rng = np.random.default_rng(seed)
    reference, prediction = (rng.integers(0, 3, shape).astype(np.uint8) for _ in range(2))
    ignored = data.draw(st.sampled_from([(), (2,)]))
    windows = slabs(shape, 0, data.draw(st.lists(st.integers(1, shape[0]))))
    options = make_settings(ignore_label=ignored)
    with passes.opened(prediction, reference, options) as (pair, known):
        parts = passes.cut(windows, order.randint(1, len(windows)))
        order.shuffle(parts)
        found = pushed(pair, known, name, parts)
    assert found == near.brute(prediction, reference, 0, near.NAMES[name], ignored)


@given(
    st.integers(0, 10**6), st.sampled_from(list(near.NAMES)), st.lists(st.integers(1, 8)), st.integers(1, 4)
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_slabs_of_layers_are_the_whole(seed, name, cuts, number):
    """The same of layers that overlap, whose first axis runs fastest."""
    rng = np.random.default_rng(seed)
    prediction, reference = (rng.random((3, 5, 4, 9)) < 0.5 for _ in range(2))
    with passes.opened(layered.image(prediction), layered.image(reference), make_settings()) as (pair, known):
        windows = slabs((5, 4, 9), 2, cuts)
        found = pushed(pair, known, name, passes.cut(windows, min(number, len(windows))))
    assert found == near.brute(prediction, reference, 2, near.NAMES[name])


@pytest.mark.parametrize("name", ["near0", "near2"])
@pytest.mark.parametrize("suffix", [".tif", ".nii.gz", ".png"])
@pytest.mark.parametrize("way", ["forwards", "threads", "workers"])
def test_every_way_of_sharing_out_is_the_whole(tmp_path, monkeypatch, name, suffix, way):
    """Forwards, by threads and by workers: what whole arrays give."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 15)
    paths, (prediction, reference) = written(tmp_path, suffix, PREDICTION, REFERENCE)
    options, shares = make_settings(metrics=[name]), []

    def fold(of_share, cut, combine):
        shares.extend(cut(3))
        of_share = pickle.loads(pickle.dumps(of_share))  # noqa: S301 - our own
        return reduce(combine, map(of_share, reversed(shares)))

    with passes.opened(*paths, options) as (pair, known):
        work = PassWork(known, {name: {}}, near.NAMES[name])
        assert len(work.plan(pair)) > 4
        given_fold = fold if way == "workers" else None
        found = share_out(
            case(paths), options, pair, work, threads=1 if way == "forwards" else 3, fold=given_fold
        )
    assert bool(shares) == (way == "workers" and suffix == ".tif")
    axis = 2 if suffix == ".nii.gz" else 0
    total = [each for _, each in getattr(near, name).done(found.parts[name], known)]
    assert total == near.brute(prediction, reference, axis, near.NAMES[name])


# How often files are opened.

_opened: list[str] = []
_is_listening = False


def _hook(event, arguments):
    if _is_listening and event == "open" and isinstance(arguments[0], (str, bytes)):
        _opened.append(os.path.basename(os.fsdecode(arguments[0])))  # noqa: PTH119


@pytest.fixture
def opens(monkeypatch):
    """Return a function that does something, and returns how often Python opened files, and GDAL for rasterio."""
    global _is_listening  # noqa: PLW0603 - an audit hook stays for ever
    from dicecli.masks.formats.geotiff import _header, _joined

    if _hook not in _hooks:
        sys.addaudithook(_hook)
        _hooks.append(_hook)
    by_gdal, open_gdal = [], _joined.open_dataset

    def of_gdal(path):
        by_gdal.append(path)
        return open_gdal(path)

    for module in (_header, _joined):
        monkeypatch.setattr(module, "open_dataset", of_gdal)

    def of(action, *given):
        _opened.clear()
        by_gdal.clear()
        action(*given)
        return Counter(each for each in _opened if each[:1] in "01"), len(by_gdal)

    _is_listening = True
    yield of
    _is_listening = False


_hooks: list[object] = []
#: Opened by Python, and by GDAL; a TIFF for its pages as well.
OPENS = {".nii": (3, 0), ".nii.gz": (4, 0), ".png": (2, 0), ".tif": (4, 1)}


@pytest.mark.parametrize(("suffix", "expected"), OPENS.items())
@pytest.mark.parametrize("metrics", [(), ("near2",)], ids="+".join)
def test_opens(tmp_path, opens, suffix, expected, metrics):
    """A file is opened as often as it always was; for a second pass only a compressed one is, once more."""
    paths, _ = written(tmp_path, suffix, PREDICTION, REFERENCE)
    options = make_settings(metrics=["dice", *metrics])
    by_python, by_gdal = opens(measure_case, case(paths), options)
    more = 1 if metrics and suffix == ".nii.gz" else 0
    assert by_python == {f"{at}{suffix}": expected[0] + more for at in range(2)}
    assert by_gdal == 2 * expected[1]
