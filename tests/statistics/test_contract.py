"""What every statistic promises, tried on all that the folder has: one that cannot be tried here fails."""

from __future__ import annotations

import dataclasses
from fractions import Fraction

import make
import nibabel
import numpy as np
import passes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dicecli.masks.blocks import Plan
from dicecli.metrics._catalogue import catalogue
from dicecli.plugins import load, own
from dicecli.records import codec
from dicecli.records.measurements import Row
from dicecli.records.settings import Settings
from dicecli.runs.measuring import measure_case

NAMES = own("statistics")
OF_LABELS = [name for name in NAMES if load("statistics", name).READS == "labels"]
KINDS = ("label", "region", "image")
SHAPES = st.tuples(st.integers(1, 9), st.integers(1, 9)) | st.tuples(*[st.integers(1, 6)] * 3)


def same(one, other):
    """Tell whether two measurements are the same: whole numbers exactly, sums of fractions to 1e-12.

    Fractions are whole numbers of 2^-1074, which nothing else comes near.
    """
    for each in dataclasses.fields(one):
        for a, b in zip(numbers(getattr(one, each.name)), numbers(getattr(other, each.name)), strict=True):
            if a != b and (max(a, b) < 2**900 or abs(Fraction(a - b, max(a, b))) > Fraction(1, 10**12)):
                return False
    return True


def numbers(value):
    """Return what a field holds as a flat list."""
    if dataclasses.is_dataclass(value):
        return [each for field in dataclasses.fields(value) for each in numbers(getattr(value, field.name))]
    if isinstance(value, str):
        return [ord(letter) for letter in value]
    if isinstance(value, (tuple, list, np.ndarray)):
        return [each for part in value for each in numbers(part)]
    return [0 if value is None else value if isinstance(value, float) else int(value)]


def assert_same(found, expected):
    assert found.keys() == expected.keys()
    for row, each in expected.items():
        assert same(found[row], each), row


@pytest.mark.parametrize("name", NAMES)
def test_a_statistic_says_what_it_is(name):
    """What it reads, what it measures by kind of row, and which settings it depends on: all of it known."""
    statistic = load("statistics", name)
    assert statistic.READS in passes.READS
    of_metrics = {
        each.parameter.name for each in catalogue().values() if each.statistic == name and each.parameter
    }
    assert set(statistic.OPTIONS) - {"parts"} <= set(Settings.__dataclass_fields__) | of_metrics
    assert statistic.MEASURES
    assert set(statistic.MEASURES) <= set(KINDS)
    for kind in statistic.MEASURES.values():
        assert dataclasses.is_dataclass(kind)
        assert kind.__dataclass_params__.frozen
        assert kind.__doc__
        assert codec.fields(kind)
    for function in ("halo", "begin", "done"):
        assert getattr(statistic, function).__doc__, function


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, st.integers(0, 10**6))
@settings(max_examples=20)
def test_its_measurements_are_a_commutative_monoid_and_become_json(name, shape, seed):
    """Zero adds nothing, order and grouping do not matter, and the codec gives back what it was given."""
    every = []
    for shift in range(3):
        prediction, reference, options = passes.drawn(load("statistics", name).READS, shape, seed + shift)
        with passes.opened(prediction, reference, options) as (pair, known):
            every.append(passes.of_one_pass(name, pair, known, options, pair.windows()))
    for row in set.intersection(*(set(each) for each in every)):
        a, b, c = (each[row] for each in every)
        kind = load("statistics", name).MEASURES[row.kind]
        assert type(a) is kind
        assert a + kind.zero() == a == kind.zero() + a
        assert a + b == b + a
        assert (a + b) + c == a + (b + c)
        assert codec.read(kind, codec.written(a)) == a


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, st.integers(0, 10**6), st.randoms(), st.booleans())
@settings(max_examples=40)
def test_any_tiling_order_and_grouping_gives_the_same(name, shape, seed, order, travelling):
    """States of any windows, added in any order, also once they travelled, give what one state gives.

    A window with context never counts a pixel twice: windows of one plane are mostly context.
    """
    prediction, reference, options = passes.drawn(load("statistics", name).READS, shape, seed)
    with passes.opened(prediction, reference, options) as (pair, known):
        whole = passes.of_one_pass(name, pair, known, options, [tuple(slice(0, n) for n in shape)])
        if passes.halo_of(name, known, options):
            tiling = Plan(shape, (order.randint(1, shape[0]), *shape[1:]), "C")
        else:
            tiling = Plan(shape, [order.randint(1, n) for n in shape], "C")
        parts = passes.cut(tiling, order.randint(1, len(tiling)))
        order.shuffle(parts)
        assert_same(passes.of_passes(name, pair, known, options, parts, travelling=travelling), whole)


@pytest.mark.parametrize("name", NAMES)
@given(SHAPES, st.integers(0, 10**6), st.randoms(), st.integers(1, 3))
@settings(max_examples=20)
def test_more_context_than_it_asks_for_does_not_matter(name, shape, seed, order, more):
    """Beside a statistic that needs wider blocks it measures the same."""
    prediction, reference, options = passes.drawn(load("statistics", name).READS, shape, seed)
    with passes.opened(prediction, reference, options) as (pair, known):
        whole = passes.of_one_pass(name, pair, known, options, [tuple(slice(0, n) for n in shape)])
        parts = passes.cut(Plan(shape, (order.randint(1, shape[0]), *shape[1:]), "C"), order.randint(1, 3))
        assert_same(passes.of_passes(name, pair, known, options, parts, more=more), whole)


@pytest.mark.parametrize("name", OF_LABELS)
@given(
    # A first axis that is shorter than the last would be one of channels.
    st.tuples(st.integers(3, 6), *[st.integers(1, 6)] * 2),
    st.integers(0, 10**6),
    st.randoms(),
)
@settings(max_examples=20)
def test_binary_layers_in_any_windows_give_the_same(name, shape, seed, order):
    """Layers that overlap are rows of their own, however the file is cut, and no pixel of one is another's."""
    rng = np.random.default_rng(seed)
    sides = rng.integers(0, 2, (2, *shape, 3), np.uint8)
    sides[:, 0, 0, 0] = [0, 1, 1]  # never all of them one value, which might be no layer
    every, alone = (
        [nibabel.Nifti1Image(each[..., keep], np.eye(4)) for each in sides] for keep in ([0, 1, 2], [0, 1, 1])
    )
    with passes.opened(*every, Settings()) as (pair, known):
        shape = known.shape  # axes of length 1 at the end are none
        whole = passes.of_one_pass(name, pair, known, Settings(), [tuple(slice(0, n) for n in shape)])
        steps = (*shape[:-1], order.randint(1, shape[-1]))
        if not passes.halo_of(name, known, Settings()):
            steps = [order.randint(1, n) for n in shape]
        tiling = Plan(shape, steps, "F")
        parts = passes.cut(tiling, order.randint(1, len(tiling)))
        order.shuffle(parts)
        assert_same(passes.of_passes(name, pair, known, Settings(), parts, travelling=True), whole)
    with passes.opened(*alone, Settings()) as (pair, known):
        found = passes.of_one_pass(name, pair, known, Settings(), pair.windows())
    first, second, _ = whole.values()
    assert all(map(same, found.values(), (first, second, second)))


@pytest.mark.parametrize("name", NAMES)
@given(st.tuples(*[st.integers(1, 6)] * 3), st.integers(0, 10**6), st.randoms())
@settings(max_examples=20)
def test_left_out_pixels_do_not_matter(name, shape, seed, order):
    """What the prediction has where the reference is ignored changes nothing."""
    prediction, reference, options = passes.drawn(load("statistics", name).READS, shape, seed)
    other = prediction.copy()
    for place in np.argwhere(reference == 3):
        at = (..., *place)
        other[at] = other[at][::-1] if other[at].ndim else order.randint(0, 2)
    found = []
    for each in (prediction, other):
        with passes.opened(each, reference, options) as (pair, known):
            found.append(passes.of_one_pass(name, pair, known, options, pair.windows()))
    shared = {row: each for row, each in found[1].items() if row in found[0]}
    assert_same(shared, {row: found[0][row] for row in shared})
    assert len(shared) >= len([row for row in found[0] if row.kind != "label"])


@pytest.mark.parametrize("name", NAMES)
@given(
    st.tuples(*[st.integers(2, 5)] * 3), st.integers(0, 10**6), st.permutations([0, 1, 2]), st.integers(0, 7)
)
@settings(max_examples=15)
def test_any_orientation_of_a_file_gives_the_same(name, shape, seed, axes, flips):
    """A prediction that is stored with its axes in another order, or reversed, is laid on the reference."""
    prediction, reference, options = passes.drawn(load("statistics", name).READS, shape, seed)
    last = np.moveaxis(prediction, 0, -1) if prediction.ndim > 3 else prediction
    if options.soft is not None:
        options = dataclasses.replace(options, soft=dataclasses.replace(options.soft, channel_axis=-1))
    affine = np.diag([1.0, 2.0, 3.0, 1.0])
    turned, other = make.turned(last, affine, axes, [bool(flips >> axis & 1) for axis in range(3)])
    found = []
    for voxels, place in ((last, affine), (turned, other)):
        image, truth = (nibabel.Nifti1Image(each, at) for each, at in ((voxels, place), (reference, affine)))
        with passes.opened(image, truth, options) as (pair, known):
            found.append(
                passes.of_one_pass(name, pair, known, options, passes.plan(pair, known, name, options))
            )
    assert_same(found[1], found[0])


@pytest.mark.parametrize("name", OF_LABELS)
@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".png", ".tif"])
def test_threads_and_files_of_every_format_give_what_arrays_give(name, suffix, tmp_path, monkeypatch):
    """Whether read from a file, forwards or in any order, by one thread or three: the same measurements."""
    shape = (220, 240) if suffix in {".png", ".tif"} else (48, 44, 40)
    monkeypatch.setattr("dicecli.masks.pair.WINDOW_PIXELS", 1 << 13)
    monkeypatch.setattr("dicecli.statistics._sharing.WORTH_PIXELS", 1)
    reference = make.blobs(shape, 4, 1)
    prediction = np.roll(reference, 3, 0)
    write = {".png": make.png, ".tif": make.geotiff}.get(suffix, make.nifti)
    paths = [str(write(tmp_path / f"{at}{suffix}", mask)) for at, mask in enumerate((prediction, reference))]
    options = passes.measuring(name)
    expected = measure_case(passes.case(prediction, reference), options).measured[name]
    for threads in (1, 3):
        assert dict(measure_case(passes.case(*paths), options, threads).measured[name]) == dict(expected)


def test_a_row_is_a_row():
    """Every kind of row that is tried here is one that records know."""
    assert {Row(kind).kind for kind in KINDS} == set(KINDS)
