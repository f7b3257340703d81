"""What counting with NumPy alone promises beyond what every backend does: each way to count, and their seams."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicecli.errors import TooManyLabels
from dicecli.statistics.backends import _runs
from dicecli.statistics.backends import numpy as backend

#: Labels of each way to count: as bytes, two at a time or one by one, in a table of all between them, numbered.
FAMILIES = {
    "few": [0, 1, 2, 7],
    "bytes": [0, 3, 128, 255],
    "negative": [-128, -1, 0, 5],
    "near": [1000, 1001, 1290, 65_535 - 300],
    "far": [-(2**62), -1, 0, 2**40, 2**63 - 1],
}


@pytest.fixture
def small(monkeypatch):
    """Make every piece so small that short masks have several of each, the last ones uneven."""
    for name, value in {"PIECE": 50, "_SEEN": 8, "_LEAST_PAIRS": 6}.items():
        monkeypatch.setattr(_runs, name, value)
    for name, value in {"BLOCK": 130, "_CAST": 16, "_CELLS": 400, "_TABLE": 300, "PIECE": 50}.items():
        monkeypatch.setattr(backend, name, value)


def expected(first, second):
    """Count the pairs of labels one by one."""
    return dict(Counter(zip(first.tolist(), second.tolist(), strict=True)))


def found(first, second):
    """Read what the backend counts as such a mapping."""
    matrix = backend.count_block(first, second)
    rows, columns = np.nonzero(matrix.table)
    return {
        (matrix.labels[i], matrix.labels[j]): int(matrix.table[i, j])
        for i, j in zip(rows.tolist(), columns.tolist(), strict=True)
    }


@st.composite
def masks(draw):
    """Two masks of runs of any length, of labels that may change their kind on the way."""
    sides = []
    for _ in range(2):
        parts = []
        for family in draw(st.lists(st.sampled_from(sorted(FAMILIES)), min_size=1, max_size=3)):
            label = st.sampled_from(FAMILIES[family])
            runs = draw(st.lists(st.tuples(label, st.integers(1, 60)), min_size=1, max_size=12))
            parts += [label for label, length in runs for _ in range(length)]
        sides.append(parts)
    n = min(len(side) for side in sides)
    return tuple(np.array(side[:n], np.int64) for side in sides)


@pytest.mark.usefixtures("small")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(masks())
def test_every_way_and_every_seam(pair):
    """Whatever the labels and their runs are, and wherever a piece ends, each pixel is counted once."""
    assert expected(*pair) == found(*pair)


@pytest.mark.usefixtures("small")
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(masks(), st.sampled_from(["int8", "uint8", "int16", "uint16", "int32", "uint32", "uint64"]))
def test_every_width(pair, dtype):
    """The same for labels of every width, cut off to it."""
    pair = [side.astype(dtype) for side in pair]
    if dtype == "uint64":
        pair = [side & np.uint64(2**63 - 1) for side in pair]
    assert expected(*pair) == found(*pair)


@pytest.mark.parametrize("labels", [2, 16, 17, 256])
@pytest.mark.parametrize("length", [1, 3, 40])
@pytest.mark.parametrize("n", [1, 2, (1 << 17) - 1, (1 << 17) + 1, (1 << 20) + 12_345])
def test_bytes_at_full_size(labels, length, n):
    """Runs, pairs and single pixels in pieces of the real size, odd ones too."""
    numbers = np.random.default_rng(n + labels)
    first, second = (
        np.repeat(numbers.integers(0, labels, n // length + 1), length)[:n].astype(np.uint8) for _ in range(2)
    )
    cells = np.bincount(first.astype(np.int64) * 256 + second, minlength=1 << 16).reshape(256, 256)
    assert (cells == _runs.count_bytes(first, second)).all()


def test_a_table_of_all_between_keeps_its_sums(monkeypatch):
    """Labels counted over several pieces that share one table."""
    monkeypatch.setattr(backend, "BLOCK", 1 << 21)
    numbers = np.random.default_rng(3)
    first, second = (numbers.integers(300, 900, 3_000_000).astype(np.uint16) for _ in range(2))
    matrix = backend.count_block(first, second)
    joint = np.bincount((first.astype(np.int64) - 300) * 600 + second - 300, minlength=600**2)
    assert tuple(range(300, 900)) == matrix.labels
    assert (joint.reshape(600, 600) == matrix.table).all()


def test_more_labels_than_a_map_has_are_refused_before_a_table_is_made():
    """Noise of 16 bits has more labels than any table is made for."""
    noise = np.random.default_rng(5).integers(0, 2**16, 1 << 18).astype(np.uint16)
    with pytest.raises(TooManyLabels, match=r"more than 4,096 distinct labels"):
        backend.count_block(noise, noise)
    with pytest.raises(TooManyLabels, match=r"more than 4,096 distinct labels"):
        backend.count_block(noise.astype(np.int64) << 40, np.zeros_like(noise))


@pytest.mark.parametrize(("n", "share"), [(1, 1.0), (2, 1.0), (100_000, 0.0)])
def test_changes_are_estimated_from_any_size(n, share):
    """A mask of one pixel has one run; a long one without changes has next to none."""
    found = _runs.changes(np.arange(n) if share else np.zeros(n))
    assert found == pytest.approx(share, abs=0.001)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_blocks_that_lie_alike_in_memory_are_not_copied(axes):
    """Rows, columns, or pages of a stack first: what both blocks have in one order is counted where it lies."""
    first, second = (np.arange(24).reshape(2, 3, 4).transpose(axes) for _ in range(2))
    one, other = backend._flat(first, second)
    assert np.shares_memory(one, first)
    assert np.shares_memory(other, second)
    assert one.tolist() == other.tolist()
