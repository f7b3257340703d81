"""Laws that hold for every pair of masks: the algebra of the matrix, exact fractions, windows and layouts."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import pytest
from averaging import average, parts
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

import dicecli
from dicecli.masks.blocks import MAX_WINDOW_PIXELS, plan
from dicecli.metrics._catalogue import resolve
from dicecli.records.counts import Counts, pooled
from dicecli.records.measurements import Row
from dicecli.reports.averages import AVERAGES
from dicecli.reports.rows import RowValues, identities
from dicecli.statistics._confusion import NO_LABEL, ConfusionMatrix

LAW = settings(derandomize=True, database=None, max_examples=60)

#: Neighbours, negatives, and values beyond 8, 16, 31 and 32 bits.
LABELS = (-(2**40), -1, 0, 1, 2, 3, 255, 256, 2**16, 2**31, 2**40)
FEW = (0, 1, 2, 3, 4)


@st.composite
def pairs(draw, labels=LABELS, max_dims=3):
    """Draw a reference and a prediction of one shape."""
    shape = draw(array_shapes(min_dims=1, max_dims=max_dims, min_side=0, max_side=6))
    return tuple(draw(arrays(np.int64, shape, elements=st.sampled_from(labels))) for _ in range(2))


def count(pair):
    reference, prediction = pair
    return ConfusionMatrix.from_arrays(prediction=prediction, reference=reference)


def cells(matrix):
    """Read a matrix as a mapping: how often each pair (reference, prediction) occurs."""
    numbers = zip(itertools.product(matrix.labels, matrix.labels), matrix.table.ravel().tolist(), strict=True)
    return {pair: n for pair, n in numbers if n}


def brute(pair):
    """Count the pairs one by one."""
    return dict(Counter(zip(*(mask.ravel().tolist() for mask in pair), strict=True)))


matrices = pairs(max_dims=1).map(count)
number = st.one_of(st.integers(0, 12), st.integers(0, 2**70), st.integers(2**70 - 3, 2**70))
four = st.builds(Counts, number, number, number, number)
#: Cases with the counts of three labels each, in one order throughout.
rows = st.lists(st.lists(st.builds(Counts, *[st.integers(0, 9)] * 4), min_size=3, max_size=3), max_size=6)


# --- The matrix is a commutative monoid ---------------------------------------------------------------------


@LAW
@given(pairs())
def test_matrix_is_the_joint_histogram(pair):
    """A matrix holds, over sorted unique labels and in int64, how often each pair of labels meets."""
    matrix = count(pair)
    assert brute(pair) == cells(matrix)
    assert tuple(sorted({*pair[0].flat, *pair[1].flat})) == matrix.labels
    assert np.dtype(np.int64) == matrix.table.dtype
    assert (len(matrix.labels),) * 2 == matrix.table.shape
    assert pair[0].size == matrix.total


@LAW
@given(matrices, matrices)
def test_merge_is_commutative(first, second):
    """Which of two matrices comes first does not matter."""
    assert cells(second + first) == cells(first + second)
    assert first + second == second + first


@LAW
@given(matrices, matrices, matrices)
def test_merge_is_associative(first, second, third):
    """How matrices are grouped does not matter."""
    assert cells(first + (second + third)) == cells((first + second) + third)
    assert first + (second + third) == (first + second) + third


@LAW
@given(matrices)
def test_empty_is_the_identity(matrix):
    """Adding the matrix of no pixels, on either side, changes nothing."""
    empty = ConfusionMatrix.empty()
    assert cells(matrix) == cells(matrix + empty) == cells(empty + matrix)
    assert matrix.labels == (matrix + empty).labels
    assert matrix == matrix + empty


@LAW
@given(matrices, matrices)
def test_equality_is_that_of_the_cells(first, second):
    """Matrices are equal when they hold the same numbers, whatever labels of no pixel they carry."""
    assert (cells(first) == cells(second)) == (first == second)
    wider = ConfusionMatrix((*first.labels, 2**50), np.pad(first.table, ((0, 1), (0, 1))))
    assert first == wider


@st.composite
def tilings(draw):
    """Draw two masks, and windows in any order that cut them."""
    pair = draw(pairs())
    axes = []
    for n in pair[0].shape:
        cuts = sorted({0, n, *draw(st.lists(st.integers(0, n), max_size=3))})
        axes.append([slice(start, stop) for start, stop in itertools.pairwise(cuts)])
    return pair, draw(st.permutations(list(itertools.product(*axes))))


@LAW
@given(tilings())
def test_any_tiling_gives_the_same_matrix(tiling):
    """Windows may be cut anywhere and counted in any order."""
    pair, windows = tiling
    total = ConfusionMatrix.empty()
    for window in windows:
        total += count(tuple(mask[window] for mask in pair))
    assert cells(count(pair)) == cells(total)
    assert count(pair).labels == total.labels


@LAW
@given(pairs())
def test_swapping_the_masks_transposes(pair):
    """Reference and prediction swapped give the transposed table."""
    matrix, swapped = count(pair), count(pair[::-1])
    assert matrix.labels == swapped.labels
    assert matrix.table.T.tolist() == swapped.table.tolist()


# --- Counts, regions and renamed labels are algebra on the matrix -------------------------------------------


def counts_of(pair, members):
    """Count a set of labels, pixel by pixel."""
    both = Counter((r in members, p in members) for r, p in zip(*(mask.flat for mask in pair), strict=True))
    return Counts(both[True, True], both[False, True], both[True, False], both[False, False])


@LAW
@given(pairs(), st.sets(st.sampled_from((*LABELS, 7)), max_size=5))
def test_counts_of_labels_and_regions(pair, region):
    """The counts of a label or a region are those of its pixels, and sum up to all pixels."""
    matrix = count(pair)
    for label in (*LABELS, 7):
        counts = matrix.counts(label)
        assert counts_of(pair, {label}) == counts
        assert pair[0].size == counts.total == sum(counts)
    assert counts_of(pair, region) == matrix.counts(region)


@LAW
@given(pairs(), st.sets(st.sampled_from(LABELS), min_size=1, max_size=5))
def test_a_region_is_its_labels_merged(pair, region):
    """A region's counts equal those of the one label that its labels are renamed to."""
    matrix = count(pair)
    merged = dict.fromkeys(region, 99)
    assert matrix.counts(region) == matrix.relabelled(reference=merged, prediction=merged).counts(99)


renaming = st.dictionaries(st.sampled_from(LABELS), st.sampled_from((*LABELS, 7)), max_size=6)


@LAW
@given(pairs(), renaming, renaming)
def test_renaming_is_renaming_the_pixels(pair, of_reference, of_prediction):
    """A renamed matrix is that of renamed masks; swapped and merged names included."""
    renamed = tuple(
        np.array([names.get(each, each) for each in mask.ravel().tolist()], np.int64)
        for mask, names in zip(pair, (of_reference, of_prediction), strict=True)
    )
    matrix = count(pair).relabelled(reference=of_reference, prediction=of_prediction)
    assert brute(renamed) == cells(matrix)
    assert count(renamed).labels == matrix.labels


@LAW
@given(pairs(labels=FEW), st.sampled_from(FEW))
def test_ignoring_a_label(pair, label):
    """Only pixels whose reference is another label stay; where their prediction is it, they have no label."""
    matrix = count(pair).without(label)
    kept = [(r, p) for r, p in zip(*(mask.ravel().tolist() for mask in pair), strict=True) if r != label]
    assert Counter((r, NO_LABEL if p == label else p) for r, p in kept) == Counter(cells(matrix))
    assert sum(p == label for _, p in kept) == matrix.unlabelled
    assert Counts(tn=len(kept)) == matrix.counts(label)
    for other in set(FEW) - {label}:
        tp = sum(r == p == other for r, p in kept)
        fp = sum(r != other and p == other for r, p in kept)
        fn = sum(r == other and p != other for r, p in kept)
        assert Counts(tp, fp, fn, len(kept) - tp - fp - fn) == matrix.counts(other)


@LAW
@given(pairs(labels=FEW), st.sampled_from(FEW), st.sampled_from(FEW))
def test_ignoring_commutes_with_merging_and_with_itself(pair, first, second):
    """Labels are ignored in any order, before or after windows are added."""
    matrix = count(pair)
    assert cells(matrix.without(first).without(second)) == cells(matrix.without(second).without(first))
    assert cells((matrix + matrix).without(first)) == cells(matrix.without(first) + matrix.without(first))


# --- Metrics are exact fractions of integers ----------------------------------------------------------------

FORMULAS = {
    "dice": lambda c: (2 * c.tp, 2 * c.tp + c.fp + c.fn),
    "f1": lambda c: (2 * c.tp, 2 * c.tp + c.fp + c.fn),
    "iou": lambda c: (c.tp, c.tp + c.fp + c.fn),
    "precision": lambda c: (c.tp, c.tp + c.fp),
    "recall": lambda c: (c.tp, c.tp + c.fn),
    "specificity": lambda c: (c.tn, c.tn + c.fp),
    "npv": lambda c: (c.tn, c.tn + c.fn),
    "fpr": lambda c: (c.fp, c.fp + c.tn),
    "fnr": lambda c: (c.fn, c.fn + c.tp),
    "fdr": lambda c: (c.fp, c.fp + c.tp),
    "prevalence": lambda c: (c.tp + c.fn, c.tp + c.fp + c.fn + c.tn),
    "accuracy": lambda c: (c.tp + c.tn, c.tp + c.fp + c.fn + c.tn),
    "balanced_accuracy": lambda c: (
        c.tp * (c.tn + c.fp) + c.tn * (c.tp + c.fn),
        2 * (c.tp + c.fn) * (c.tn + c.fp),
    ),
    "volume_similarity": lambda c: (2 * c.tp + c.fp + c.fn - abs(c.fn - c.fp), 2 * c.tp + c.fp + c.fn),
}


def same(expected, actual):
    """Compare floats bit for bit; NaN is NaN."""
    return expected == actual or (math.isnan(expected) and math.isnan(actual))


@pytest.mark.parametrize("name", FORMULAS)
def test_a_metric_is_its_fraction(name):
    """A metric is the float nearest to its fraction of integers, at any size; 0/0 is NaN."""
    function = resolve(name).function

    @LAW
    @given(four)
    @example(Counts())
    @example(Counts(2**70, 1, 1, 2**70))
    def holds(counts):
        above, below = FORMULAS[name](counts)
        expected = float(Fraction(above, below)) if below else math.nan
        assert same(expected, function(counts))

    holds()


@LAW
@given(four)
@example(Counts())
@example(Counts(0, 1, 0, 5))
def test_dice_and_iou_give_each_other(counts):
    """Dice is F1, is 2 J / (1 + J), and J = D / (2 - D), in exact fractions; the report's check says so."""
    dice, f1, iou = (resolve(name).function(counts) for name in ("dice", "f1", "iou"))
    assert {"f1_equals_dice": True, "dice_from_iou": True} == identities(
        [RowValues(Row("label", 1), counts, {}, {})]
    )
    if counts.tp + counts.fp + counts.fn:
        exact_iou = Fraction(counts.tp, counts.tp + counts.fp + counts.fn)
        exact_dice = Fraction(2 * counts.tp, counts.prediction + counts.reference)
        assert float(2 * exact_iou / (1 + exact_iou)) == dice == f1
        assert float(exact_dice / (2 - exact_dice)) == iou
    else:
        assert [True] * 3 == [math.isnan(each) for each in (dice, f1, iou)]


@LAW
@given(four, number)
def test_true_negatives_change_no_overlap(counts, more):
    """Pixels where neither mask has the label leave Dice and IoU as they are, to the bit."""
    padded = replace(counts, tn=counts.tn + more)
    for name in ("dice", "f1", "iou"):
        assert same(resolve(name).function(counts), resolve(name).function(padded))


# --- Averages -----------------------------------------------------------------------------------------------


@st.composite
def shuffled(draw):
    """Draw the counts of some cases, and the same with cases and labels in another order."""
    cases = draw(rows)
    places = draw(st.permutations(range(3)))
    return cases, [[case[place] for place in places] for case in draw(st.permutations(cases))]


@pytest.mark.parametrize("name", AVERAGES)
def test_averages_do_not_depend_on_order(name):
    """An average is the same to the bit in whatever order cases and labels come."""

    @LAW
    @given(shuffled(), st.sampled_from(["dice", "iou", "precision"]))
    def holds(both, metric):
        cases, others = both
        function = resolve(metric).function
        first, second = average(name, cases, function), average(name, others, function)
        assert same(first.value, second.value)
        assert parts(first)[1:4] == parts(second)[1:4]
        assert same(first.finite, second.finite)

    holds()


@LAW
@given(rows)
def test_one_label_pooled_by_hand(cases):
    """Pooling is addition: micro over one label equals macro over it."""
    function = resolve("iou").function
    one = [case[:1] for case in cases]
    expected = function(pooled(case[0] for case in cases)) if cases else math.nan
    assert same(expected, average("micro", one, function).value)
    assert same(expected, average("macro", one, function).value)


@LAW
@given(pairs(labels=FEW).filter(lambda pair: pair[0].size))
def test_micro_with_every_label_is_accuracy(pair):
    """With all labels included and nothing ignored, micro Dice, precision, recall and accuracy are one."""
    reference, prediction = pair
    report = dicecli.score(prediction, reference, include_background=True)
    (case,) = report.cases()
    micro = report.averages["micro"]
    expected = float(Fraction(int((reference == prediction).sum()), reference.size))
    assert expected == case.overall["overall_accuracy"]
    assert [expected] * 4 == [micro[name].value for name in ("dice", "f1", "precision", "recall")]


# --- Windows ------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Mask:
    """What the plan needs to know of a mask."""

    shape: tuple[int, ...]
    chunks: tuple[int, ...]
    order: str = "C"


@st.composite
def masks(draw):
    """Draw one or two masks of one shape, some far larger than a window, with blocks of their own."""
    axes = draw(st.integers(0, 4))
    largest = (30_000_000, 30_000, 700, 150)[max(axes, 1) - 1]
    side = st.one_of(st.integers(1, 9), st.integers(1, largest), st.just(0)) if axes else st.nothing()
    shape = tuple(draw(side) for _ in range(axes))
    blocks = st.tuples(*(st.one_of(st.integers(1, n + 3), st.just(max(n, 1)), st.just(1)) for n in shape))
    order = st.sampled_from("CF")
    return [Mask(shape, draw(blocks), draw(order)) for _ in range(draw(st.integers(1, 2)))]


def starts(window, order):
    """Give the starts of a window, the file's slowest axis first."""
    return [part.start for part in (window if order == "C" else reversed(window))]


@LAW
@given(masks())
@example([Mask((4097, 4097), (4097, 4097))])
@example([Mask((9000, 9000), (1, 9000)), Mask((9000, 9000), (256, 256))])
@example([Mask((512, 512, 300), (512, 512, 1), "F")])
def test_windows_cover_every_pixel_once(some):
    """The windows are a grid of intervals, which cut each axis without gap and overlap, each of them once."""
    windows = list(plan(*some))
    shape = some[0].shape
    if not math.prod(shape):
        assert [] == windows
        return
    assert {len(shape)} == {len(window) for window in windows}
    assert {None} >= {part.step for window in windows for part in window}
    axes = [
        sorted({(window[axis].start, window[axis].stop) for window in windows}) for axis in range(len(shape))
    ]
    for intervals, n in zip(axes, shape, strict=True):
        assert [0, *(stop for _, stop in intervals)] == [*(start for start, _ in intervals), n]
        assert all(start < stop for start, stop in intervals)
    assert sorted(itertools.product(*axes)) == sorted(
        tuple((part.start, part.stop) for part in window) for window in windows
    )


@LAW
@given(masks())
@example([Mask((9000, 9000), (9000, 9000))])
@example([Mask((500, 500, 300), (500, 500, 300), "F")])
@example([Mask((9000, 9000), (1, 9000)), Mask((9000, 9000), (9000, 1))])
def test_windows_come_in_the_files_order(some):
    """They come in the order of the first mask's file, and none is larger than the bound."""
    windows = list(plan(*some))
    keys = [starts(window, some[0].order) for window in windows]
    assert sorted(keys) == keys
    assert all(
        math.prod(part.stop - part.start for part in window) <= MAX_WINDOW_PIXELS for window in windows
    )


@st.composite
def files(draw):
    """Draw a file, some larger than the largest window, whose blocks lie in it one behind the other."""
    shape = draw(
        st.sampled_from(
            [
                (9000, 9000),
                (20_000, 30),
                (500, 500, 300),
                (70, 400, 500),
                (3, 50, 400, 500),
                (70_000_000,),
            ]
        )
    )
    order = draw(st.sampled_from("CF"))
    whole = draw(st.integers(0, len(shape)))
    fastest_first = range(len(shape))[:: -1 if order == "C" else 1]
    chunks = dict.fromkeys(fastest_first, 1)
    for place, axis in enumerate(fastest_first):
        if place < whole:
            chunks[axis] = shape[axis]
        elif place == whole:
            chunks[axis] = draw(st.integers(1, 3))
    return Mask(shape, tuple(chunks[axis] for axis in range(len(shape))), order)


@LAW
@given(files())
def test_a_file_is_read_forwards(mask):
    """Where blocks lie one behind the other, a window begins in the file where its predecessor ended."""
    end = 0
    for window in plan(mask):
        corners = [tuple(part.start for part in window), tuple(part.stop - 1 for part in window)]
        first, last = (int(np.ravel_multi_index(each, mask.shape, order=mask.order)) for each in corners)
        assert end == first
        assert math.prod(part.stop - part.start for part in window) == last - first + 1
        assert last - first < MAX_WINDOW_PIXELS
        end = last + 1
    assert math.prod(mask.shape) == end


# --- Widths and layouts -------------------------------------------------------------------------------------

DTYPES = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]


def layouts(array):
    """Lay the same pixels out in memory in several ways, by name."""
    spaced = np.full([2 * n for n in array.shape], 77, array.dtype)
    every_other = (slice(None, None, 2),) * array.ndim
    spaced[every_other] = array
    backwards = (slice(None, None, -1),) * array.ndim
    frozen = array.copy()
    frozen.flags.writeable = False
    return {
        "C": np.ascontiguousarray(array),
        "Fortran": np.asfortranarray(array),
        "strided": spaced[every_other],
        "reversed": array[backwards].copy()[backwards],
        "one axis reversed": array[:, ::-1].copy()[:, ::-1],
        "transposed": array.T.copy().T,
        "big-endian": array.astype(array.dtype.newbyteorder(">")),
        "little-endian": array.astype(array.dtype.newbyteorder("<")),
        "read-only": frozen,
    }


@pytest.mark.parametrize("dtype", DTYPES)
def test_layout_does_not_matter(dtype):
    """However the same pixels lie in memory, on either side, the matrix is the same."""
    numbers = np.random.default_rng(7)
    low = 0 if dtype.startswith("u") else -3
    pair = tuple(numbers.integers(low, 5, (4, 5, 3)).astype(dtype) for _ in range(2))
    expected = brute(pair)
    first, second = (layouts(mask) for mask in pair)
    for (name, reference), (other, prediction) in itertools.product(first.items(), second.items()):
        assert expected == cells(count((reference, prediction))), (name, other)


@pytest.mark.parametrize("dtypes", list(itertools.product(["bool", *DTYPES], repeat=2)), ids="-".join)
def test_width_does_not_matter(dtypes):
    """Booleans and integers of every width, mixed, mean the same labels."""
    reference, prediction = np.array([0, 1, 1, 0, 1, 0, 0]), np.array([1, 1, 0, 0, 1, 0, 0])
    matrix = count((reference.astype(dtypes[0]), prediction.astype(dtypes[1])))
    assert (0, 1) == matrix.labels
    assert [[3, 1], [1, 2]] == matrix.table.tolist()


@pytest.mark.parametrize("dtype", DTYPES)
def test_the_ends_of_every_width(dtype):
    """The smallest and the largest value of a width are labels like others, up to 63 bits."""
    info = np.iinfo(dtype)
    low, high = max(info.min, -(2**63) + 1), min(info.max, 2**63 - 1)
    matrix = count((np.array([low, high, high], dtype), np.array([low, low, high], dtype)))
    assert {(low, low): 1, (high, low): 1, (high, high): 1} == cells(matrix)


@pytest.mark.parametrize(
    "labels", [(-1, 256), (2**31, 2**31 + 1), (2**40, -(2**40)), (2**62, -(2**62), 0, 255)]
)
def test_wide_labels_are_exact(labels):
    """Labels beyond 8, 16 and 32 bits, and negative ones, are told apart."""
    reference = np.array([label for label in labels for _ in labels])
    prediction = np.array(labels * len(labels))
    matrix = count((reference, prediction))
    assert tuple(sorted(labels)) == matrix.labels
    assert [[1] * len(labels)] * len(labels) == matrix.table.tolist()
    assert Counts(1, len(labels) - 1, len(labels) - 1, (len(labels) - 1) ** 2) == matrix.counts(labels[0])


def test_labels_may_be_numpys_integers():
    """A label that is asked for may come from an array, as the masks' own labels do."""
    pair = np.array([0, 1, 2, 2]), np.array([0, 1, 1, 2])
    matrix, label = count(pair), np.int64(2)
    assert matrix.counts(2) == matrix.counts(label) == matrix.counts(np.array([label]))
    assert 2 == matrix.reference_size(label)
    assert matrix.without(2) == matrix.without(label)
    (ignored,) = dicecli.score(pair[1], pair[0], ignore_label=label).scored
    assert 2 == ignored.counted


@pytest.mark.parametrize("dtype", [int, np.uint64])
def test_masks_without_a_pixel(dtype):
    """Two arrays without a pixel give the empty matrix."""
    for shape in [(0,), (0, 3), (3, 0, 2)]:
        matrix = count((np.zeros(shape, dtype), np.zeros(shape, dtype)))
        assert () == matrix.labels
        assert 0 == matrix.total
