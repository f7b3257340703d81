"""What the C extension promises beyond what every backend does: its edges, its errors and its memory."""

from __future__ import annotations

import itertools
import sys
import tracemalloc
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicecli.backends import native, numpy
from dicecli.errors import UsageError

INTEGERS = [f"{sign}int{bits}" for sign in ("", "u") for bits in (8, 16, 32, 64)]
#: The sizes that the extension looks at at a time: words, runs, chunks and blocks.
SIZES = (8, 16, 64, 128, 4096)


@pytest.fixture
def c():
    """Import the extension, where it was built."""
    return pytest.importorskip(
        "dicecli.backends._native", reason="the C extension is not built", exc_type=ImportError
    )


def count_bytes(c, reference, prediction, *limit):
    """Count into a table of its own."""
    table = np.zeros((256, 256), np.int64)
    rows, columns = c.count_bytes(reference, prediction, table, *limit)
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


# --- 8-bit labels -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pair", [(0, 0), (3, 3), (0, 31), (32, 0), (255, 200)], ids=str)
@pytest.mark.parametrize("around", SIZES)
def test_runs_of_every_place_and_length(c, pair, around):
    """A run that begins and ends anywhere about the sizes of words and blocks is counted to the pixel."""
    edges = sorted({max(0, around + shift) for shift in (-9, -8, -7, -1, 0, 1, 7, 8, 9)} | {0, 1, 63})
    for start, length in itertools.product(edges, edges):
        reference, prediction = noise(start, start + length + 70, 5)
        reference[start : start + length], prediction[start : start + length] = pair
        assert (expected(reference, prediction) == count_bytes(c, reference, prediction)).all()


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("labels", [(0, 1), (1, 0), (7, 32), (255, 254)], ids=str)
def test_one_pixel_is_never_overlooked(c, side, labels):
    """A single other pixel in a constant field, at any place and on either side, is counted."""
    for place in [*range(300), 4094, 4095, 4096, 4097, 4500]:
        masks = np.full((2, 4600), labels[0], np.uint8)
        masks[side, place] = labels[1]
        table = count_bytes(c, *masks)
        pair = [labels[0], labels[0]]
        pair[side] = labels[1]
        assert (1, 4599) == (table[tuple(pair)], table[labels[0], labels[0]])


def test_every_length(c):
    """Masks of every length up to 600 pixels are counted to the last one."""
    reference, prediction = noise(1, 600, 40)
    for n in range(600):
        assert (
            expected(reference[:n], prediction[:n]) == count_bytes(c, reference[:n], prediction[:n])
        ).all()


def test_every_pair_of_bytes(c):
    """Each of the 65,536 pairs has a cell of its own."""
    reference, prediction = (each.astype(np.uint8).ravel() for each in np.indices((256, 256)))
    assert (count_bytes(c, reference, prediction) == 1).all()


@pytest.mark.parametrize("limit", [1, 2, 7, 127, 129, 4095, 4096, 4097, 9000, 2**32 - 1])
@pytest.mark.parametrize("labels", [1, 5, 33, 256])
def test_32_bit_tables_are_folded_in_time(c, limit, labels):
    """However seldom the 32-bit tables are emptied into the large one, the counts are the same."""
    reference, prediction = noise(2, 10_000, labels)
    reference[3000:5000] = prediction[3000:5000] = labels - 1
    assert (expected(reference, prediction) == count_bytes(c, reference, prediction, limit)).all()


def test_counts_are_added(c):
    """Counts are added to what the table holds, exactly beyond 2^53."""
    table = np.full((256, 256), 2**62 + 1)
    c.count_bytes(*np.ones((2, 5000), np.uint8), table)
    assert (2**62 + 5001, 2**62 + 1) == (table[1, 1], table[0, 0])


# --- Wider labels -------------------------------------------------------------------------------------------


def number(c, labels, low=0, places=1 << 17, known=256, dtype=np.uint8):
    """Give labels numbers from scratch."""
    table, found = np.zeros(places, np.uint16), np.zeros(known, np.int64)
    codes = np.zeros(labels.size, dtype)
    return c.number(labels, low, table, found, 0, codes), found, codes


@pytest.mark.parametrize("dtype", INTEGERS)
@pytest.mark.parametrize("codes", [np.uint8, np.uint16])
def test_labels_are_numbered_as_they_are_met(c, dtype, codes):
    """Each label gets the next number, wherever runs of one label begin and end."""
    labels = np.repeat([5, 0, 7, 5, 100, 0, 0, 7], [1, 63, 64, 65, 66, 127, 128, 500]).astype(dtype)
    known, found, numbers = number(c, labels, dtype=codes)
    assert [5, 0, 7, 100] == found[:known].tolist()
    assert labels.tolist() == found[numbers].tolist()


@pytest.mark.parametrize(
    ("dtype", "low", "label"),
    [
        ("int8", -3, -4),
        ("int16", 0, -1),
        ("uint16", 5, 4),
        ("int32", -10, 90),
        ("uint32", 0, 2**32 - 1),
        ("int64", 2**62, -(2**63)),
        ("int64", -(2**62), 2**63 - 1),
        ("uint64", 0, 2**64 - 1),
        ("uint64", 2**62, 0),
    ],
)
@pytest.mark.parametrize("place", [0, 63, 64, 199])
def test_a_label_beyond_the_table_is_an_error(c, dtype, low, label, place):
    """A label before the table or behind it is an error that says where it is."""
    labels = np.full(200, low if low > -(2**62) else low + 1).astype(dtype)
    labels[place] = label
    with pytest.raises(IndexError, match=f"pixel {place} "):
        number(c, labels, low=low, places=100)


def test_the_ends_of_the_table_belong_to_it(c):
    """The first place of the table is a label, the last one too, and the next one is not."""
    assert [-2, 7] == number(c, np.array([-2, 7]), low=-2, places=10)[1][:2].tolist()
    with pytest.raises(IndexError):
        number(c, np.array([8]), low=-2, places=10)


def test_more_labels_than_numbers_are_told(c):
    """Where the numbers are used up, one more than there are is returned, and those given out stay."""
    known, found, _ = number(c, np.arange(300, dtype=np.int32))
    assert 257 == known
    assert list(range(256)) == found.tolist()
    assert 5 == number(c, np.arange(5), known=5)[0]


def test_a_table_that_was_filled_elsewhere_is_refused(c):
    """A number in the table that was never given out is an error, not a code."""
    table, found = np.full(10, 9, np.uint16), np.zeros(256, np.int64)
    with pytest.raises(IndexError):
        c.number(np.zeros(3, np.int32), 0, table, found, 4, np.zeros(3, np.uint8))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize("place", [0, 63, 64, 150, 199])
def test_a_number_beyond_the_table_is_an_error(c, side, place):
    """A number that the table has no row or column for is an error, and nothing is written beside it."""
    masks = np.ones((2, 200), np.uint16)
    masks[side, place] = 3
    around = np.zeros((5, 3), np.int64)
    with pytest.raises(IndexError, match=f"pixel {place} "):
        c.count_numbers(*masks, around[1:4])
    assert place == around.sum() == around[2, 1]


@pytest.mark.parametrize("n", [0, 1, 63, 64, 65, 128, 1000])
def test_numbers_are_counted(c, n):
    """Numbers, alone and in runs, are counted as NumPy counts them."""
    reference, prediction = noise(3, n, 300, np.uint16)
    reference[70:400], prediction[100:300] = 299, 1
    table = np.zeros((300, 301), np.int64)
    c.count_numbers(reference, prediction, table)
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


@pytest.mark.parametrize("labels", [256, 257, 600, 3000])
@pytest.mark.parametrize("low", [0, -70_000, 10**6])
def test_many_labels_that_come_late(c, labels, low):  # noqa: ARG001
    """More labels than 8 bits hold, which come after pieces that hold few, are counted as NumPy counts them."""
    late = noise(5, 50_000, labels, np.int64)
    reference, prediction = (np.concatenate([np.zeros(native.PIECE + 5, int), each]) + low for each in late)
    one, two = numpy.count_block(reference, prediction), native.count_block(reference, prediction)
    assert one.labels == two.labels
    assert (one.table == two.table).all()


# --- What is refused ----------------------------------------------------------------------------------------

BYTES, WORDS, FOUND = np.zeros(9, np.uint8), np.zeros(9, np.uint16), np.zeros(9, np.int64)
TABLE = np.zeros((256, 256), np.int64)
FROZEN = TABLE.copy()
FROZEN.flags.writeable = False
ODD = np.frombuffer(bytearray(256 * 256 * 8 + 1), np.int64, offset=1)


@pytest.mark.parametrize(
    ("call", "arguments", "error"),
    [
        ("count_bytes", (BYTES, BYTES), TypeError),
        ("count_bytes", (BYTES, [0] * 9, TABLE), TypeError),
        ("count_bytes", (None, BYTES, TABLE), TypeError),
        ("count_bytes", (WORDS, BYTES, TABLE), TypeError),
        ("count_bytes", (BYTES, BYTES.astype(float), TABLE), TypeError),
        ("count_bytes", (BYTES, BYTES, TABLE.astype(np.uint64)), TypeError),
        ("count_bytes", (BYTES, BYTES, TABLE.astype(float)), TypeError),
        ("count_bytes", (BYTES, BYTES, TABLE.astype(">i8")), TypeError),
        ("count_bytes", (BYTES, BYTES, TABLE, 2.5), TypeError),
        ("count_bytes", (BYTES, BYTES[1:], TABLE), ValueError),
        ("count_bytes", (BYTES[::2], BYTES[::2], TABLE), ValueError),
        ("count_bytes", (BYTES, BYTES, TABLE[1:]), ValueError),
        ("count_bytes", (BYTES, BYTES, TABLE.T[::-1]), ValueError),
        ("count_bytes", (BYTES, BYTES, FROZEN), ValueError),
        ("count_bytes", (BYTES, BYTES, ODD), ValueError),
        ("count_bytes", (BYTES, BYTES, TABLE, 0), ValueError),
        ("count_bytes", (BYTES, BYTES, TABLE, -1), ValueError),
        ("count_bytes", (BYTES, BYTES, TABLE, 2**32), ValueError),
        ("number", (BYTES.astype(float), 0, WORDS, FOUND, 0, WORDS), TypeError),
        ("number", (WORDS.astype(">u2"), 0, WORDS, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, BYTES, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, WORDS, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, FOUND, 0, FOUND), TypeError),
        ("number", (BYTES, "0", WORDS, FOUND, 0, WORDS), TypeError),
        ("number", (BYTES, 0, WORDS, FOUND, 0, WORDS[1:]), ValueError),
        ("number", (BYTES, -1, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (FOUND, 2**62 + 1, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (FOUND, -(2**62) - 1, WORDS, FOUND, 0, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, FOUND, -1, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, FOUND, 10, WORDS), ValueError),
        ("number", (BYTES, 0, WORDS, np.zeros(257, np.int64), 0, BYTES), ValueError),
        ("number", (BYTES, 0, WORDS, np.zeros(65536, np.int64), 0, WORDS), ValueError),
        ("count_numbers", (BYTES, WORDS, TABLE), TypeError),
        ("count_numbers", (WORDS, WORDS.astype(np.int16), TABLE), TypeError),
        ("count_numbers", (WORDS, WORDS, WORDS), TypeError),
        ("count_numbers", (WORDS, WORDS[1:], TABLE), ValueError),
        ("count_numbers", (WORDS, WORDS, TABLE.ravel()), ValueError),
    ],
)
def test_what_does_not_fit_is_refused(c, call, arguments, error):
    """Buffers of another kind, width, length or place are errors, and nothing is counted."""
    with pytest.raises(error):
        getattr(c, call)(*arguments)
    assert not TABLE.any()


def test_without_the_extension(monkeypatch):
    """Where the extension was not built, the backend says so, and what to do."""
    monkeypatch.setitem(sys.modules, "dicecli.backends._native", None)
    native._extension.cache_clear()
    try:
        assert not native.is_available()
        for call in (native.describe, lambda: native.count_block([1], [1])):
            with pytest.raises(UsageError, match="was not built"):
                call()
    finally:
        native._extension.cache_clear()


# --- Memory and threads -------------------------------------------------------------------------------------


def call_all(c, masks):
    """Call everything, with success and without."""
    first, second, table = masks
    numbers = np.zeros(first.size, np.uint16)
    c.count_bytes(first, second, table)
    number(c, first)
    c.count_numbers(numbers, numbers, table)
    wrong = [
        lambda: c.count_bytes(first, second[1:], table),
        lambda: c.count_bytes(first, second, numbers),
        lambda: c.number(first, 0, numbers[:1], table.ravel()[:256], 0, numbers),
        lambda: c.number(first, 0, numbers, None, 0, numbers),
        lambda: c.count_numbers(numbers + 300, numbers, table),
        lambda: c.count_numbers(numbers, None, table),
    ]
    for call in wrong:
        with pytest.raises((TypeError, ValueError, IndexError)):
            call()


def test_no_reference_is_kept(c):
    """After many calls, good and bad, each object has the references that it had, and no memory is held."""
    masks = *noise(6, 5000, 256), np.zeros((256, 256), np.int64)
    call_all(c, masks)
    before = [sys.getrefcount(mask) for mask in masks], sys.getrefcount(None)
    tracemalloc.start()
    try:
        held = tracemalloc.get_traced_memory()[0]
        for _ in range(200):
            call_all(c, masks)
        assert 100_000 > tracemalloc.get_traced_memory()[0] - held
    finally:
        tracemalloc.stop()
    assert before[0] == [sys.getrefcount(mask) for mask in masks]
    assert 100 > abs(sys.getrefcount(None) - before[1])


def test_no_memory_of_its_own_is_kept(c):
    """The half megabyte that counting many labels takes is given back, call by call."""
    resource = pytest.importorskip("resource", reason="the system does not tell")
    reference, prediction = noise(7, 5000, 256)
    table = np.zeros((256, 256), np.int64)
    peaks = []
    for _ in range(2):
        for _ in range(300):
            c.count_bytes(reference, prediction, table)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    kilobyte = 1 if sys.platform == "linux" else 1024
    assert 50_000 * kilobyte > peaks[1] - peaks[0]


def test_buffers_are_given_back(c):
    """A buffer can be resized once it was counted or refused; while it is held, that is an error."""
    masks = [bytearray(10), bytearray(10)]
    c.count_bytes(*masks, np.zeros((256, 256), np.int64))
    masks[0].append(1)
    with pytest.raises(ValueError, match="length"):
        c.count_bytes(*masks, np.zeros((256, 256), np.int64))
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
    """A mask that another thread writes to while it is counted leads nowhere outside: every pixel counts once."""
    reference, prediction = noise(9, 1_000_000, 3, dtype)
    other = noise(10, 1_000_000, 250, dtype)[0]
    with ThreadPoolExecutor(1) as pool:
        for _ in range(5):
            counting = pool.submit(native.count_block, reference, prediction)
            while not counting.done():
                prediction[:] = other
                prediction[:] = 0
            assert 1_000_000 == counting.result().total
