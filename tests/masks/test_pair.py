"""Both sides of a case while they are open: their layers, the windows they are read by, and their end."""

from __future__ import annotations

import gzip
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import layered
import make
import numpy as np
import pytest
from batches import needs_proc

from dicecli.errors import Changed, ManyVolumes, Missing, ShapeMismatch, TrailingData, Truncated
from dicecli.masks.arrays import NothingSource
from dicecli.masks.blocks import WINDOW_PIXELS
from dicecli.masks.pair import Pair
from dicecli.records.cases import Case
from dicecli.runs.scoring import make_settings

SHAPE = (12, 11, 10)
LAYERS, OTHERS = layered.drawn(SHAPE, 3, 1), layered.drawn(SHAPE, 3, 2)
MAP = make.blobs(SHAPE, 4)
SUFFIXES = (".nii", ".nii.gz", ".tif")


def opened(prediction, reference, settings=None):
    return Pair(Case("case", prediction, reference), settings or make_settings())


def files(folder, suffix, prediction=OTHERS, reference=LAYERS):
    """Write both sides, of a GeoTIFF one plane of them, and return the paths and the planes."""
    cut = (lambda each: each[..., 0]) if suffix == ".tif" else (lambda each: each)
    prediction, reference = cut(prediction), cut(reference)
    paths = [
        layered.written(folder / f"{name}{suffix}", each)
        for name, each in (("prediction", prediction), ("reference", reference))
    ]
    return *paths, prediction, reference


def whole(pair, blocks):
    """Put the blocks of all windows together: each side, each layer."""
    sides = (
        [np.zeros(pair.grid.shape, np.int64) for _ in side] for side in (pair.reference, pair.prediction)
    )
    found = list(sides)
    for window, stored in zip(pair.windows(), blocks, strict=True):
        for arrays, layers in zip(found, stored, strict=True):
            for array, block in zip(arrays, layers, strict=True):
                array[window] += block
    return found


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("is_map", [(False, False), (True, False), (False, True), (True, True)])
def test_layers_of_each_side(tmp_path, suffix, is_map):
    """A label map is one layer, several binary volumes or bands are one each; windows hold what they hold."""
    sides = [MAP if each else layers for each, layers in zip(is_map, (OTHERS, LAYERS), strict=True)]
    prediction, reference, *arrays = files(tmp_path, suffix, *sides)
    with opened(prediction, reference) as pair:
        assert [len(pair.prediction), len(pair.reference)] == [1 if each else 3 for each in is_map]
        assert pair.sources == (*pair.reference, *pair.prediction)
        found = whole(pair, pair.blocks(pair.windows()))[::-1]
    for layers, array, each in zip(found, arrays, is_map, strict=True):
        np.testing.assert_array_equal(layers, array[None] if each else array)


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_every_way_of_reading_gives_the_same(tmp_path, suffix, monkeypatch):
    """In turn, ahead in two threads, and several layers at a time: the same blocks."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 600)
    monkeypatch.setattr("dicecli.masks.pair._LEAST_PIXELS", 100)
    prediction, reference, *arrays = files(tmp_path, suffix)
    with opened(prediction, reference) as pair, ThreadPoolExecutor(3) as pool:
        assert len(pair.windows()) > 1 or suffix == ".tif"
        for options in ({}, {"ahead": True}, {"mapped": pool.map}):
            found = whole(pair, pair.blocks(pair.windows(), **options))
            np.testing.assert_array_equal(found[0], arrays[1])
            np.testing.assert_array_equal(found[1], arrays[0])
            pair.finish(3 if options else 1)


@pytest.mark.parametrize("options", [{}, {"ahead": True}, {"mapped": None}])
def test_of_two_errors_the_references_is_told(tmp_path, options):
    """Where both sides are damaged the reference's damage is told, however they are read."""
    noise = np.random.default_rng(0).random((3, 30, 30, 30)) < 0.5
    paths = files(tmp_path, ".nii.gz", noise, noise)[:2]
    for path in paths:
        content = Path(path).read_bytes()
        Path(path).write_bytes(content[: len(content) // 3])
    with opened(*paths) as pair, ThreadPoolExecutor(3) as pool:
        given = {key: value or pool.map for key, value in options.items()}
        with pytest.raises(Truncated) as told:
            list(pair.blocks(pair.windows(), **given))
    assert (told.value.side, told.value.path) == ("reference", paths[1])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_plans_cover_every_pixel_once(tmp_path, suffix, monkeypatch):
    """Windows and slabs cover each pixel once; slabs are whole along all axes but the files' slowest."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 600)
    monkeypatch.setattr("dicecli.masks.pair._LEAST_PIXELS", 100)
    prediction, reference, *_ = files(tmp_path, suffix)
    with opened(prediction, reference) as pair:
        for plan in (pair.windows(), pair.slabs()):
            seen = np.zeros(pair.grid.shape, int)
            for window in plan:
                seen[window] += 1
            assert (seen == 1).all()
        slowest = 0 if suffix == ".tif" else 2
        for window in pair.slabs():
            for axis, part in enumerate(window):
                assert axis == slowest or (part.start, part.stop) == (0, pair.grid.shape[axis])


@pytest.mark.parametrize("layers", [1, 2, 8])
def test_memory_does_not_grow_with_the_layers(layers):
    """All layers of a window together hold as many pixels as a window of one, or few."""
    arrays = [np.broadcast_to(np.uint8(1), (3000, 4000)) for _ in range(2)]
    with opened(*arrays) as pair:
        pair.prediction *= layers
        pair.reference[0].chunks = pair.prediction[0].chunks = (1, 4000)
        for plan in (pair.windows(), pair.slabs()):
            most = max(np.prod([part.stop - part.start for part in window]) for window in plan)
            assert most * layers <= WINDOW_PIXELS


def test_a_missing_prediction_has_the_references_order(tmp_path):
    """Without a prediction there is one layer of nothing; a compressed reference of layers is still streamed."""
    _, reference, *_ = files(tmp_path, ".nii.gz")
    with opened(None, reference, make_settings(missing="zero")) as pair:
        assert [type(each) for each in pair.prediction] == [NothingSource]
        assert pair.leading is pair.reference[0]
        (_, (found,)), *_ = pair.blocks(pair.windows())
        assert not found.any()
        assert all(each._source._whole is None for each in pair.reference)


def test_all_layers_have_one_grid(tmp_path):
    """The layers of a prediction whose axes are turned are all laid on the reference; other shapes are refused."""
    affine = np.diag([2.0, 3.0, 4.0, 1.0])
    stored, place = make.turned(np.moveaxis(OTHERS, 0, -1), affine, (2, 0, 1), (True, False, True))
    turned = make.nifti(tmp_path / "turned.nii.gz", stored.astype(np.uint8), affine=place)
    reference = layered.written(tmp_path / "reference.nii.gz", LAYERS, affine=affine)
    with opened(turned, reference) as pair:
        assert {each.shape for each in pair.sources} == {SHAPE}
        assert any("turned" in note for note in pair.notes)
        np.testing.assert_array_equal(whole(pair, pair.blocks(pair.windows()))[1], OTHERS)
    with pytest.raises(ShapeMismatch) as told, opened(layered.image(OTHERS[..., :4]), reference):
        pass
    assert "against" in told.value.path


def test_turned_layers_are_held_to_be_binary(tmp_path):
    """What is no binary layer is refused also where its axes are turned."""
    for value in (2, 0.5):
        volume = np.moveaxis(OTHERS, 0, -1).astype(np.float32)
        volume[3, 4, 5, 1] = value
        stored, place = make.turned(volume, np.eye(4), (2, 0, 1), (True, False, True))
        turned = str(make.nifti(tmp_path / "turned.nii", stored, affine=place))
        with opened(turned, layered.image(LAYERS)) as pair, pytest.raises(ManyVolumes) as told:
            list(pair.blocks(pair.windows()))
        assert (told.value.side, told.value.path) == ("prediction", turned)


@pytest.mark.parametrize("threads", [1, 3])
def test_finish_looks_at_the_end(tmp_path, threads):
    """What follows the last layer shows as both are finished, and a file that has changed."""
    prediction, reference, *_ = files(tmp_path, ".nii.gz")
    content = gzip.decompress(Path(prediction).read_bytes())
    Path(prediction).write_bytes(gzip.compress(content + b"\1" * 9))
    with opened(prediction, reference) as pair:
        list(pair.blocks(pair.windows()))
        with pytest.raises(TrailingData) as told:
            pair.finish(threads)
    assert told.value.side == "prediction"
    prediction, reference, *_ = files(tmp_path, ".nii.gz")
    with opened(prediction, reference) as pair:
        list(pair.blocks(pair.windows()))
        os.utime(reference, ns=(1, 1))
        with pytest.raises(Changed) as told:
            pair.finish(threads)
    assert (told.value.side, told.value.path) == ("reference", reference)


def test_channels_of_probabilities_are_layers_of_stored_values(tmp_path):
    """Of a map of probabilities the prediction's blocks are values, and the reference's labels."""
    p = np.random.default_rng(0).random((3, *SHAPE)).astype(np.float32)
    path = str(make.nifti(tmp_path / "p.nii.gz", np.moveaxis(p, 0, -1)))
    settings = make_settings(soft=True, labels={"labels": {"0": "a", "1": "b", "2": "c"}})
    with opened(path, MAP % 3, settings) as pair:
        assert pair.is_soft
        assert pair.leading is pair.prediction[0]
        (((labels,), values),) = pair.blocks(pair.windows())
    np.testing.assert_array_equal(labels, MAP % 3)
    np.testing.assert_array_equal(values, p)


@needs_proc
def test_a_side_that_cannot_be_opened_closes_the_other(tmp_path):
    """Where the prediction is missing the reference's file is closed again; the error names the prediction."""
    _, reference, *_ = files(tmp_path, ".tif")
    pair = opened(str(tmp_path / "none.tif"), reference)
    with pytest.raises(Missing) as told, pair:
        pass
    assert told.value.side == "prediction"
    assert reference not in [os.path.realpath(each) for each in Path("/proc/self/fd").glob("*")]
