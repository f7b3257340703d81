"""The pass at its edges: small and empty images, huge context, errors in states, memory, and files that change."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import make
import near
import numpy as np
import passes
import pytest
from watch import memory_below

from dicecli.errors import CaseError, Changed, NotLabels, TooManyLabels
from dicecli.masks.pair import Pair
from dicecli.records.cases import Case
from dicecli.runs.measuring import measure_case
from dicecli.runs.scoring import make_settings
from dicecli.statistics import _pass
from dicecli.statistics._pass import plan_of
from dicecli.statistics._sharing import PassWork, share_out

ALL = list(near.NAMES)


@pytest.fixture(autouse=True)
def _with_neighbours(monkeypatch):
    near.install(monkeypatch)


def measured(prediction, reference, name, threads=1, **options):
    """Measure arrays or files by one statistic, and return its rows in their order."""
    found = measure_case(
        Case("case", prediction, reference), make_settings(metrics=[name], **options), threads
    )
    return list(found.measured.get(name, {}).values())


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(), (1,), (1, 1), (1, 1, 1), (7,), (1, 9), (9, 1), (1, 1, 9)])
def test_small_images(name, shape):
    """One pixel, one axis, axes of length 1 and context that is longer than the image: as for whole arrays."""
    rng = np.random.default_rng(0)
    prediction, reference = (np.asarray(rng.integers(0, 2, shape), np.uint8) for _ in range(2))
    expected = near.brute(np.atleast_1d(prediction), np.atleast_1d(reference), 0, near.NAMES[name])
    assert measured(prediction, reference, name) == expected


@pytest.mark.parametrize("name", ALL)
@pytest.mark.parametrize("shape", [(0,), (0, 5), (5, 0), (3, 0, 2)])
def test_empty_images(name, shape):
    """An image without pixels has no rows, and is no error."""
    assert measured(*[np.zeros(shape, np.uint8)] * 2, name) == []


@pytest.mark.parametrize("name", ALL)
def test_nothing_left_to_compare(name):
    """Where every pixel is ignored no row is left, and nothing is counted."""
    mask = np.full((5, 6), 3, np.uint8)
    assert measured(mask, mask, name, ignore_label=3) == []


def test_memory_of_arrays(monkeypatch):
    """Of arrays a pass with context holds a few windows, not a copy of all."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 16)
    monkeypatch.setattr(near.Statistic, "begin", lambda *_: Idle())
    reference = np.zeros((4000, 4000), np.uint8)
    with Pair(Case("case", reference, reference), make_settings()) as pair:
        pair.reference[0].chunks = pair.prediction[0].chunks = (1, 4000)
        with passes.opened(reference[:1], reference[:1], make_settings()) as (_, known), memory_below(3e6):
            _pass.push(pair, plan_of(pair, 2), _sized(known, reference.shape), {"near2": {}}, halo=2)


class Idle:
    """A state that does nothing."""

    def add(self, block, mapped=map):
        """Look at nothing."""


def _sized(known, shape):
    from dataclasses import replace

    return replace(known, shape=shape)


@pytest.mark.parametrize("threads", [1, 3])
def test_memory_of_a_stream(tmp_path, monkeypatch, threads):
    """Of a compressed file a pass with context holds a few windows, not the volume."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 17)
    monkeypatch.setattr(near.Statistic, "begin", lambda *_: Idle())
    volume = np.zeros((200, 200, 400), np.uint8)
    volume[50:90, 50:90] = 1
    path = str(make.nifti(tmp_path / "a.nii.gz", volume))
    case, options = Case("case", path, path), make_settings(metrics=["near2"])
    with passes.opened(path, path, options) as (pair, known):
        work = PassWork(known, {"near2": {}}, 2)
        share_out(case, options, pair, work, threads=threads)
        with memory_below(6e6):
            share_out(case, options, pair, work, threads=threads)


class Broken:
    """A state that refuses its first block."""

    def __add__(self, other):
        return self

    def add(self, block, mapped=map):
        """Raise."""
        del block, mapped
        raise NotLabels("it is broken", "Mend it.")


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("suffix", [".nii.gz", ".tif"])
@pytest.mark.parametrize("name", ["near0", "near2"])
def test_a_state_that_raises(tmp_path, monkeypatch, name, suffix, threads):
    """Its error names the prediction, and no thread stays behind while it is held."""
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 14)
    monkeypatch.setattr(near.Statistic, "begin", lambda *_: Broken())
    write, shape = (make.geotiff, (1100, 1000)) if suffix == ".tif" else (make.nifti, (120, 110, 100))
    options = {"tiled": True, "blockxsize": 128, "blockysize": 128} if suffix == ".tif" else {}
    path = str(write(tmp_path / f"a{suffix}", make.blobs(shape), **options))
    before = set(threading.enumerate())
    with pytest.raises(CaseError) as told:
        measured(path, path, name, threads)
    assert (told.value.side, told.value.path) == ("prediction", path)
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("threads", [1, 3])
def test_a_census_that_raises(tmp_path, threads):
    """Nor does one where a census cannot go on."""
    volume = np.arange(120 * 110 * 100, dtype=np.int32).reshape(120, 110, 100)
    path = str(make.nifti(tmp_path / "a.nii.gz", volume))
    before = set(threading.enumerate())
    with pytest.raises(TooManyLabels) as told:
        measured(path, path, "near0", threads)
    assert told.value.path == path
    assert set(threading.enumerate()) <= before


@pytest.mark.parametrize("name", ["near0", "near2"])
@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".tif"])
def test_a_file_that_changes_between_the_passes(tmp_path, monkeypatch, name, suffix, threads):
    """Labels that were not counted in the census mean a changed file: an error of the case that says so."""
    write, shape = (make.geotiff, (1100, 1000)) if suffix == ".tif" else (make.nifti, (120, 110, 100))
    first, second = (make.blobs(shape, 3, seed) for seed in range(2))
    paths = [str(write(tmp_path / f"{at}{suffix}", each)) for at, each in enumerate((first, second))]
    do = PassWork.do

    def changing(this, pair, *given, **options):
        content = tmp_path / f"new{suffix}"
        write(content, first * 100)
        Path(paths[1]).write_bytes(content.read_bytes())
        os.utime(paths[1], ns=(1, 1))
        return do(this, pair, *given, **options)

    monkeypatch.setattr(PassWork, "do", changing)
    with pytest.raises(Changed) as told:
        measured(*paths, name, threads)
    assert (told.value.side, told.value.path) == ("reference", paths[1])
