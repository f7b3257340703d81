"""The confusion matrix as a record: sparse, exact, and adding up; the counts of labels and regions in it."""

from __future__ import annotations

import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE, Measured, Row
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.matrix import Matrix, is_layered, label_counts, region_counts

FEW = [-(2**62), -1, 0, 1, 2, 255]


def of_cells(cells):
    """Make a matrix of pairs of labels, and how often each meets."""
    return sum((Matrix((row,), (column,), (n,)) for (row, column), n in cells.items()), Matrix.zero())


def of_arrays(pair):
    """Count a prediction and a reference."""
    return Matrix.of(ConfusionMatrix.from_arrays(prediction=pair[0], reference=pair[1]))


MATRICES = st.dictionaries(
    st.tuples(st.sampled_from(FEW), st.sampled_from([*FEW, None])), st.integers(1, 2**80), max_size=6
).map(of_cells)
COUNTS = st.builds(Counts, *[st.integers(0, 2**80)] * 4)
PAIRS = array_shapes(max_dims=3, max_side=5).flatmap(
    lambda shape: st.tuples(*[arrays(np.int64, shape, elements=st.sampled_from(FEW))] * 2)
)


# Sums.


@given(MATRICES, MATRICES, MATRICES)
def test_matrices_add_up_in_any_order_and_grouping(one, other, third):
    """Sums are associative and commutative, the zero adds nothing, and what comes out is a matrix again."""
    assert (one + other) + third == one + (other + third)
    assert one + other == other + one
    assert one + Matrix.zero() == one == Matrix.zero() + one
    (one + other).check()
    assert (one + other).total == one.total + other.total


@given(MATRICES, MATRICES)
def test_counts_of_a_sum_are_the_sum_of_counts(one, other):
    """Counting adds up too, of labels and of sets of labels, those that one of both does not hold included."""
    for members in ((0,), (1, 255), (), FEW):
        assert (one + other).counts(members) == one.counts(members) + other.counts(members)


@given(st.lists(PAIRS, max_size=3))
def test_pieces_add_up_to_the_whole(pieces):
    """A matrix of pieces, each taken from what was counted, is that of their pixels together."""
    total = sum(map(of_arrays, pieces), Matrix.zero())
    flat = [
        np.concatenate([np.empty(0, np.int64), *(pair[side].ravel() for pair in pieces)]) for side in (0, 1)
    ]
    assert total == of_arrays(flat)


def test_only_matrices_add_up():
    """A matrix and something else have no sum."""
    with pytest.raises(TypeError):
        Matrix.zero() + 1


# Counts.


@given(PAIRS)
def test_counts_are_those_of_the_full_matrix(pair):
    """Of each label, of any set of labels, and of labels that neither side holds."""
    full = ConfusionMatrix.from_arrays(prediction=pair[0], reference=pair[1])
    matrix = Matrix.of(full)
    matrix.check()
    assert matrix.labels == full.labels
    assert matrix.total == full.total
    assert matrix.every_count() == {label: full.counts(label) for label in full.labels}
    for members in (*((label,) for label in (*FEW, 7)), (0, 1), (-1, 255, 7), ()):
        assert matrix.counts(members) == full.counts(members)


@given(MATRICES)
def test_the_counts_of_each_label_are_those_of_it_alone(matrix):
    """All at once or one by one, also where the prediction has no label."""
    assert matrix.every_count() == {label: matrix.counts((label,)) for label in matrix.labels}
    assert {each.total for each in matrix.every_count().values()} <= {matrix.total}


@given(COUNTS)
def test_counts_of_their_own_become_a_matrix_and_come_back(counts):
    """Four counts are the matrix of what is inside and what is outside, at any size."""
    matrix = Matrix.of_counts(counts)
    matrix.check()
    assert matrix.counts((1,)) == counts
    assert matrix.total == counts.total


@given(COUNTS, COUNTS)
def test_counts_of_their_own_add_up_as_matrices(one, other):
    """The sum of two is the matrix of the sum."""
    assert Matrix.of_counts(one) + Matrix.of_counts(other) == Matrix.of_counts(one + other)


@given(MATRICES)
def test_a_matrix_travels(matrix):
    """Pickled and back it is the same; and packed and back, whatever the size of its numbers."""
    back = pickle.loads(pickle.dumps(matrix))  # noqa: S301 - our own bytes
    assert back == matrix
    parts = {}
    first, second = matrix.packed(parts), back.packed(parts)
    assert first.unpacked() == second.unpacked() == matrix
    assert first._columns[0] is second._columns[0]
    assert first._columns[1] is second._columns[1]


def test_noise_is_held_in_few_bytes():
    """A matrix of 256 labels that all meet takes a few bytes a pair, not the objects that its numbers are."""
    pairs = [(row, column) for row in range(256) for column in range(256)]
    matrix = Matrix(*zip(*pairs, strict=True), tuple(1 + row + column for row, column in pairs))
    packed = matrix.packed({})
    assert sum(map(len, packed._columns)) < 4.1 * 256**2
    assert packed.unpacked() == matrix


# What a case holds.

WHOLE = of_cells({(0, 0): 5, (1, 1): 4, (1, 2): 3, (2, None): 2})


def test_the_counts_of_a_case_are_those_of_its_matrix():
    """Labels that either side holds, and regions by their members, come from the matrix of the image."""
    measured = Measured.of({"matrix": {IMAGE: WHOLE}})
    assert label_counts(measured) == {0: Counts(5, 0, 0, 9), 1: Counts(4, 0, 3, 7), 2: Counts(0, 3, 2, 9)}
    assert region_counts(measured, {"both": (1, 2), "none": (7,)}) == {
        "both": Counts(7, 0, 2, 5),
        "none": Counts(0, 0, 0, 14),
    }
    assert not is_layered(measured)


def test_a_row_with_a_matrix_of_its_own_is_read_from_that():
    """A label or a region that was counted by itself has those counts, and no others."""
    own = Row("region", None, "own", (1,))
    label, counts = Row("label", 7, None, (7,)), Counts(1, 2, 3, 8)
    rows = {IMAGE: WHOLE, label: Matrix.of_counts(counts), own: Matrix.of_counts(counts + counts)}
    measured = Measured.of({"matrix": rows})
    assert label_counts(measured)[7] == counts
    assert region_counts(measured, {"own": (1,), "one": (1,)}) == {
        "own": counts + counts,
        "one": WHOLE.counts((1,)),
    }
    assert not is_layered(measured)


def test_nothing_measured_is_no_count():
    """A case without a matrix has no labels."""
    assert label_counts(Measured.of({})) == {}
    assert region_counts(Measured.of({}), {"a": (1,)}) == {"a": Counts()}
