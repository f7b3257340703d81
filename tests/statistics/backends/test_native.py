"""What the C extension promises beyond what every backend does: its edges, its errors and its memory."""

from __future__ import annotations

import gc
import itertools
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.errors import UsageError
from dicecli.statistics.backends import native, numpy

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
#: The sizes that the extension looks at at a time: words, runs, chunks and blocks.
SIZES = (8, 16, 128, 4096)


@pytest.fixture
def c():
    """Import the extension, where it was built."""
    return pytest.importorskip(
        "dicecli.statistics.backends._native", reason="the C extension is not built", exc_type=ImportError
    )


def count_near(c, reference, prediction, *limit):
    """Count into a table of its own."""
    table = np.zeros((256, 256), np.int64)
    rows, columns = c.count_near(reference, prediction, table, 0, 0, *limit)
    assert not table[rows:].any()
    assert not table[:, columns:].any()
    return table


def expected(reference, prediction):
    """Count the same with NumPy alone, plainly."""
    cells = reference.astype(np.int64) * 256 + prediction
    return np.bincount(cells, minlength=1 << 16).reshape(256, 256)


def noise(seed, n, labels, dtype=np.uint8):
    """Make two masks of labels that are all over the place."""
    numbers = np.random.default_rng(seed)
    return tuple(numbers.integers(0, labels, n).astype(dtype) for _ in range(2))


# --- Labels within 256 -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [(0, 0), (3, 3), (0, 31), (32, 0), (255, 200)], ids=str)
@pytest.mark.parametrize("around", SIZES)
def test_runs_of_every_place_and_length(c, pair, around):
    """A run that begins and ends anywhere about the sizes of words and blocks is counted to the pixel."""
    edges = sorted({max(0, around + shift) for shift in (-9, -8, -7, -1, 0, 1, 7, 8, 9)} | {0, 1, 63})
    for start, length in itertools.product(edges, edges):
        reference, prediction = noise(start, start + length + 70, 5)
        reference[start : start + length], prediction[start : start + length] = pair
        assert (expected(reference, prediction) == count_near(c, reference, prediction)).all()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("labels", [(0, 1), (1, 0), (7, 32), (255, 254)], ids=str)
def test_one_pixel_is_never_overlooked(c, side, labels):
    """A single other pixel in a constant field, at any place and on either side, is counted."""
    for place in [*range(300), 4094, 4095, 4096, 4097, 4500]:
        masks = np.full((2, 4600), labels[0], np.uint8)
        masks[side, place] = labels[1]
        table = count_near(c, *masks)
        pair = [labels[0], labels[0]]
        pair[side] = labels[1]
        assert (1, 4599) == (table[tuple(pair)], table[labels[0], labels[0]])


def test_every_length(c):
    """Masks of every length up to 600 pixels are counted to the last one."""
    reference, prediction = noise(1, 600, 40)
    for n in range(600):
        assert (expected(reference[:n], prediction[:n]) == count_near(c, reference[:n], prediction[:n])).all()


def test_every_pair_of_bytes(c):
    """Each of the 65,536 pairs has a cell of its own."""
    reference, prediction = (each.astype(np.uint8).ravel() for each in np.indices((256, 256)))
    assert (count_near(c, reference, prediction) == 1).all()


@pytest.mark.parametrize("limit", [1, 2, 7, 127, 129, 4095, 4096, 4097, 9000, 2**32 - 1])
@pytest.mark.parametrize("labels", [1, 5, 33, 256])
def test_32_bit_tables_are_folded_in_time(c, limit, labels):
    """However seldom the 32-bit tables are emptied into the large one, the counts are the same."""
    reference, prediction = noise(2, 10_000, labels)
    reference[3000:5000] = prediction[3000:5000] = labels - 1
    assert (expected(reference, prediction) == count_near(c, reference, prediction, limit)).all()


def test_counts_are_added(c):
    """Counts are added to what the table holds, exactly beyond 2^53."""
    table = np.full((256, 256), 2**62 + 1)
    c.count_near(*np.ones((2, 5000), np.uint8), table, 0, 0)
    assert (2**62 + 5001, 2**62 + 1) == (table[1, 1], table[0, 0])


@pytest.mark.parametrize("dtype", INTEGERS[1:4] + INTEGERS[5:])
def test_every_place_of_wide_labels(c, dtype):
    """Wide labels are counted from the low on, up to the last label of the table, as far as their type goes."""
    info = np.iinfo(dtype)
    for low in {0, 7, int(info.min) // 2, min(int(info.max), 2**63 - 1) - 255}:
        reference, prediction = noise(11, 9000, 256, np.int64)
        masks = (reference + low).astype(dtype), (prediction + 3).astype(dtype)
        table = np.zeros((256, 256), np.int64)
        c.count_near(*masks, table, low, 3)
        assert (expected(reference, prediction) == table).all()


# --- Labels farther apart -----------------------------------------------------------------------------------

#: A type, where a table of a hundred labels begins, and a label outside, most of them by a wrap of the type.
OUTSIDE = [
    ("int16", 0, -1),
    ("int16", 2**15 - 256, -(2**15)),
    ("int16", -(2**15), 2**15 - 1),
    ("uint16", 5, 4),
    ("uint16", 2**16 - 256, 0),
    ("int32", -10, 246),
    ("int32", 2**31 - 256, -(2**31)),
    ("uint32", 0, 2**32 - 1),
    ("uint32", 2**32 - 256, 0),
    ("int64", 2**63 - 256, -(2**63)),
    ("int64", -(2**63), 2**63 - 1),
    ("int64", 0, 2**32),
    ("uint64", 0, 2**64 - 1),
    ("uint64", 2**62, 0),
]


@pytest.mark.parametrize(("dtype", "low", "label"), OUTSIDE)
@pytest.mark.parametrize("place", [0, 15, 16, 4095, 4096, 4999])
def test_a_label_beyond_the_table_is_an_error(c, dtype, low, label, place):
    """A label before the table or behind it is an error, on either side, and nothing is written beside it."""
    inside = np.full(5000, low, dtype)
    outside = inside.copy()
    outside[place] = label
    near, around = np.zeros((256, 256), np.int64), np.zeros((258, 256), np.uint32)
    places, found, codes = np.zeros(256, np.uint16), np.zeros(256, np.int64), np.zeros(5000, np.uint16)
    for masks in ((inside, outside), (outside, inside)):
        with pytest.raises(IndexError):
            c.count_near(*masks, near, low, low)
        with pytest.raises(IndexError):
            c.count_far(*masks, around[1:257], low, low)
    with pytest.raises(IndexError):
        c.number(outside, low, places, found, 0, codes)
    assert not around[[0, 257]].any()
    assert 10_000 > around.sum()


@pytest.mark.parametrize(
    ("dtype", "low"), [("int8", -128), ("int16", 0), ("uint32", 2**31), ("int64", -(2**62))]
)
def test_the_last_row_belongs_to_the_table(c, dtype, low):
    """The last label of a table is counted, and the next one is not."""
    table = np.zeros((100, 100), np.uint32)
    labels = np.array([low, low + 99]).astype(dtype)
    c.count_far(labels, labels, table, low, low)
    assert (1, 1, 2) == (table[0, 0], table[99, 99], table.sum())
    with pytest.raises(IndexError):
        c.count_far(labels, labels + np.array(1).astype(dtype), table, low, low)


def number(c, labels, known=256):
    """Give labels numbers from scratch."""
    places, found = np.zeros(int(labels.max()) + 1, np.uint16), np.zeros(known, np.int64)
    codes = np.zeros(labels.size, np.uint16)
    return c.number(labels, 0, places, found, 0, codes), found, codes


@pytest.mark.parametrize("dtype", INTEGERS)
def test_labels_are_numbered_as_they_are_met(c, dtype):
    """Each label gets the next number, wherever runs of one label begin and end."""
    labels = np.repeat([5, 0, 7, 5, 100, 0, 0, 7], [1, 15, 16, 17, 66, 127, 128, 500]).astype(dtype)
    known, found, numbers = number(c, labels)
    assert [5, 0, 7, 100] == found[:known].tolist()
    assert labels.tolist() == found[numbers].tolist()


def test_more_labels_than_numbers_are_told(c):
    """Where the numbers are used up, one more than there are is returned, and those given out stay."""
    known, found, _ = number(c, np.arange(300, dtype=np.int32))
    assert 257 == known
    assert list(range(256)) == found.tolist()
    assert 5 == number(c, np.arange(5), known=5)[0]


def test_a_table_that_was_filled_elsewhere_is_refused(c):
    """A number in the table that was never given out is an error, not a code."""
    for n in (3, 100):
        places, found = np.full(10, 9, np.uint16), np.zeros(256, np.int64)
        with pytest.raises(IndexError):
            c.number(np.zeros(n, np.int32), 0, places, found, 4, np.zeros(n, np.uint16))


@pytest.mark.parametrize("n", [0, 1, 15, 16, 17, 1000, 4096, 4097, 9000])
def test_far_labels_are_counted(c, n):
    """Labels farther apart, alone and in runs, are counted as NumPy counts them."""
    reference, prediction = noise(3, n, 300, np.uint16)
    reference[70:400], prediction[100:300] = 299, 1
    table = np.zeros((300, 301), np.uint32)
    c.count_far(reference, prediction.astype(np.int64) - 9, table, 0, -9)
    cells = reference.astype(int) * 301 + prediction
    assert np.bincount(cells, minlength=table.size).tolist() == table.ravel().tolist()


@pytest.mark.parametrize("dtype", INTEGERS)
def test_labels_at_odd_addresses(c, dtype):  # noqa: ARG001 - skips where there is no extension
    """Masks that lie across the boundaries of words are counted as others are."""
    for n in (30, 300):
        aligned = noise(4, 1000, n, dtype)
        odd = [np.frombuffer(b"x" + each.tobytes(), dtype, offset=1) for each in aligned]
        assert numpy.count_block(*aligned) == native.count_block(*odd)


LABELS = st.sampled_from([0, 1, 2, 31, 32, 127, 255, 256, 300, -1, -128, 70_000, 2**31, -(2**40), 2**62])
RUNS = st.lists(st.tuples(LABELS, st.integers(1, 300)), min_size=1, max_size=20)


@given(RUNS, RUNS, st.sampled_from(INTEGERS), st.sampled_from(INTEGERS), st.integers(0, 40))
def test_it_agrees_with_numpy(first, second, dtype, other, labels):
    """Runs and noise in masks of all widths give NumPy's matrix, bit for bit."""
    if not native.is_available():
        pytest.skip("the C extension is not built")
    n = min(sum(length for _, length in runs) for runs in (first, second))
    masks = [np.concatenate([np.full(length, label) for label, length in runs]) for runs in (first, second)]
    masks = [masks[0][:n].astype(dtype), masks[1][:n].astype(other)]
    masks = [
        np.where(mask.astype(np.int64) < 0, 0, mask) if mask.dtype == np.uint64 else mask for mask in masks
    ]
    middle = slice(n // 3, n // 2)
    for mask, random in zip(masks, noise(labels, n, 3 * labels + 1, np.int64), strict=True):
        mask[middle] = random[middle]
    one, two = numpy.count_block(*masks), native.count_block(*masks)
    assert one.labels == two.labels
    assert one.table.tolist() == two.table.tolist()


@pytest.mark.parametrize("labels", [256, 257, 600, 2000])
@pytest.mark.parametrize("low", [0, -70_000, 10**6])
@pytest.mark.parametrize("step", [1, 11])
def test_many_labels_that_come_late(c, monkeypatch, labels, low, step):  # noqa: ARG001
    """More labels than 8 bits hold, which come after pieces that hold few, are counted as NumPy counts them."""
    monkeypatch.setattr(native, "PIECE", 7000)
    monkeypatch.setattr(native, "FOLD", 20_000)
    late = noise(5, 30_000, labels, np.int64)
    reference, prediction = (np.concatenate([np.zeros(9001, int), step * each]) + low for each in late)
    one, two = numpy.count_block(reference, prediction), native.count_block(reference, prediction)
    assert one.labels == two.labels
    assert (one.table == two.table).all()


# --- What is refused ----------------------------------------------------------------------------------------

BYTES, WORDS, FOUND = np.zeros(9, np.uint8), np.zeros(9, np.uint16), np.zeros(9, np.int64)
TABLE, CELLS = np.zeros((256, 256), np.int64), np.zeros((9, 9), np.uint32)
FROZEN = TABLE.copy()
FROZEN.flags.writeable = False
ODD = np.frombuffer(bytearray(256 * 256 * 8 + 1), np.int64, offset=1)
AT = (0, 0)


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("count_near", (BYTES, BYTES), TypeError),
        ("count_near", (BYTES, [0] * 9, TABLE, *AT), TypeError),
        ("count_near", (None, BYTES, TABLE, *AT), TypeError),
        ("count_near", (WORDS.astype(">u2"), BYTES, TABLE, *AT), TypeError),
        ("count_near", (BYTES, BYTES.astype(float), TABLE, *AT), TypeError),
        ("count_near", (BYTES, BYTES.astype("V1"), TABLE, *AT), TypeError),
        ("count_near", (BYTES, BYTES, TABLE.astype(np.uint64), *AT), TypeError),
        ("count_near", (BYTES, BYTES, TABLE.astype(np.int32), *AT), TypeError),
        ("count_near", (BYTES, BYTES, TABLE.astype(float), *AT), TypeError),
        ("count_near", (BYTES, BYTES, TABLE.astype(">i8"), *AT), TypeError),
        ("count_near", (BYTES, BYTES, TABLE, *AT, 2.5), TypeError),
        ("count_near", (BYTES, BYTES, TABLE, 0, "0"), TypeError),
        ("count_near", (WORDS, WORDS, TABLE, 0, 2**63), OverflowError),
        ("count_near", (BYTES, BYTES[1:], TABLE, *AT), ValueError),
        ("count_near", (WORDS, BYTES[1:], TABLE, *AT), ValueError),
        ("count_near", (BYTES[::2], BYTES[::2], TABLE, *AT), ValueError),
        ("count_near", (BYTES, BYTES, TABLE[1:], *AT), ValueError),
        ("count_near", (BYTES, BYTES, TABLE.T[::-1], *AT), ValueError),
        ("count_near", (BYTES, BYTES, FROZEN, *AT), ValueError),
        ("count_near", (BYTES, BYTES, ODD, *AT), ValueError),
        ("count_near", (BYTES, BYTES, TABLE, *AT, 0), ValueError),
        ("count_near", (BYTES, BYTES, TABLE, *AT, -1), ValueError),
        ("count_near", (BYTES, BYTES, TABLE, *AT, 2**32), ValueError),
        ("count_near", (BYTES, BYTES, TABLE, 1, 0), ValueError),
        ("count_near", (WORDS, WORDS, TABLE, 0, -1), ValueError),
        ("count_near", (WORDS, WORDS, TABLE, 2**16 - 255, 0), ValueError),
        ("count_near", (FOUND, FOUND, TABLE, 0, 2**63 - 255), ValueError),
        ("count_far", (WORDS, WORDS, TABLE, *AT), TypeError),
        ("count_far", (WORDS, WORDS.astype(">u2"), CELLS, *AT), TypeError),
        ("count_far", (WORDS, WORDS[1:], CELLS, *AT), ValueError),
        ("count_far", (WORDS, WORDS, CELLS.ravel(), *AT), ValueError),
        ("count_far", (WORDS, WORDS, CELLS[:0], *AT), ValueError),
        ("count_far", (WORDS, WORDS, np.zeros((1, 65_536), np.uint32), *AT), ValueError),
        ("count_far", (WORDS, WORDS, CELLS, -1, 0), ValueError),
        ("count_far", (WORDS, WORDS, CELLS, 0, 2**16 - 8), ValueError),
        ("count_far", (WORDS.astype(np.int16), WORDS, CELLS, -(2**15) - 1, 0), ValueError),
        ("number", (BYTES.astype(float), 0, WORDS, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, BYTES, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, WORDS, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, FOUND, 0, BYTES), TypeError),
        ("number", (BYTES, "0", WORDS, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, FOUND, 0, WORDS[1:]), ValueError),
        ("number", (BYTES, 0, WORDS[:0], FOUND, 0, WORDS), ValueError),
        ("number", (BYTES, -1, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (BYTES, 248, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (FOUND, 2**63 - 8, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, FOUND, -1, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, FOUND, 10, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, np.zeros(65_536, np.int64), 0, WORDS), ValueError),
    ],
)
def test_what_does_not_fit_is_refused(c, call, arguments, error):
    """Buffers of another kind, width, length or place are errors, and nothing is counted."""
    with pytest.raises(error):
        getattr(c, call)(*arguments)
    assert not TABLE.any() | CELLS.any() | FOUND.any() | WORDS.any()


def test_without_the_extension(monkeypatch):
    """Where the extension was not built, the backend says so, and what to do."""
    monkeypatch.setitem(sys.modules, "dicecli.statistics.backends._native", None)
    native._extension.cache_clear()
    try:
        assert not native.is_available()
        for call in (native.describe, lambda: native.count_block([1], [1])):
            with pytest.raises(UsageError, match="was not built"):
                call()
    finally:
        native._extension.cache_clear()


# --- Memory and threads -------------------------------------------------------------------------------------


def call_all(c, first, second, table):
    """Call everything, with success and without."""
    numbers, cells = np.zeros(first.size, np.uint16), np.zeros((256, 256), np.uint32)
    c.count_near(first, second, table, 0, 0)
    c.count_far(first, second, cells, 0, 0)
    number(c, first)
    wrong = [
        lambda: c.count_near(first, second[1:], table, 0, 0),
        lambda: c.count_near(first, numbers + 300, table, 0, 0),
        lambda: c.count_near(first, second, numbers, 0, 0),
        lambda: c.count_far(numbers + 300, second, cells, 0, 0),
        lambda: c.count_far(numbers, None, cells, 0, 0),
        lambda: c.number(first, 0, numbers[:1], table.ravel()[:256], 0, numbers),
        lambda: c.number(first, 0, numbers, None, 0, numbers),
    ]
    for call in wrong:
        with pytest.raises((TypeError, ValueError, IndexError)):
            call()


def test_no_reference_is_kept(c):
    """After many calls, good and bad, each object has the references that it had, and no memory is held."""
    masks = *noise(6, 5000, 256), np.zeros((256, 256), np.int64)
    call_all(c, *masks)
    gc.collect()
    before = [sys.getrefcount(mask) for mask in masks], sys.getrefcount(None)
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        for _ in range(1000):
            call_all(c, *masks)
        gc.collect()
        assert 100_000 > tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    assert before[0] == [sys.getrefcount(mask) for mask in masks]
    assert 800 > abs(sys.getrefcount(None) - before[1])


def test_buffers_are_given_back(c):
    """A buffer can be resized once it was counted or refused; while it is held, that is an error."""
    masks = [bytearray(10), bytearray(10)]
    c.count_near(*masks, np.zeros((256, 256), np.int64), 0, 0)
    masks[0].append(1)
    with pytest.raises(ValueError, match="length"):
        c.count_near(*masks, np.zeros((256, 256), np.int64), 0, 0)
    masks[0].append(1)
    masks[1].append(1)
    assert (12, 11) == (len(masks[0]), len(masks[1]))


@pytest.mark.parametrize("dtype", ["uint8", "int32"])
def test_threads_agree(c, dtype):  # noqa: ARG001
    """Several threads that count at once come to the matrix that one comes to."""
    masks = noise(8, 400_000, 50, dtype)
    alone = native.count_block(*masks)
    with ThreadPoolExecutor(4) as pool:
        for matrix in pool.map(lambda _: native.count_block(*masks), range(16)):
            assert alone == matrix


@pytest.mark.parametrize("dtype", ["uint8", "uint16"])
def test_a_mask_that_changes_meanwhile(c, dtype):  # noqa: ARG001
    """A mask that another thread writes to while it is counted leads nowhere outside."""
    reference, prediction = noise(9, 1_000_000, 3, dtype)
    other = noise(10, 1_000_000, 250, dtype)[0]
    with ThreadPoolExecutor(1) as pool:
        for _ in range(5):
            counting = pool.submit(native.count_block, reference, prediction)
            while not counting.done():
                prediction[:] = other
                prediction[:] = 0
            assert 1_000_000 >= counting.result().total > 0
