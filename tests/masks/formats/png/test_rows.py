"""The filters of PNG's rows, undone by the C extension and by its twin: held against the specification, written out plainly."""

from __future__ import annotations

import tracemalloc
import zlib

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from make import png_of, read

from dicecli.errors import Corrupt
from dicecli.masks.formats.png import _pixels as _png_pixels


@pytest.fixture(params=["_rows", "_plain_rows"])
def rows_of(request, monkeypatch):
    """Import the extension, where it was built, or its twin."""
    module = pytest.importorskip(
        f"dicecli.masks.formats.png.{request.param}",
        reason="the C extension is not built",
        exc_type=ImportError,
    )
    monkeypatch.setattr(_png_pixels, "_rows", lambda: module)
    return module


def paeth(left, above, corner):
    """Return whichever is nearest to left + above - corner; the first of them where several are."""
    estimate = left + above - corner
    return min((left, above, corner), key=lambda each: abs(estimate - each))


def unfiltered(rows, source, width, step, target=None):
    """Undo filters from the first row on, and return the rows as bytes."""
    target = np.zeros(len(source) // (width + 1) * width, np.uint8) if target is None else target
    rows.unfilter(source, np.zeros(width, np.uint8), step, target, 0)
    return bytes(target)


PREDICTORS = [
    lambda _left, _above, _corner: 0,
    lambda left, _above, _corner: left,
    lambda _left, above, _corner: above,
    lambda left, above, _corner: (left + above) // 2,
    paeth,
]


def filtered(rows, filters, step):
    """Apply filters, a byte at a time; what the extension is to undo."""
    out = bytearray()
    above = bytes(len(rows[0])) if rows else b""
    for row, kind in zip(rows, filters, strict=True):
        out.append(kind)
        for i, value in enumerate(row):
            left, corner = (row[i - step], above[i - step]) if i >= step else (0, 0)
            out.append((value - PREDICTORS[kind](left, above[i], corner)) % 256)
        above = row
    return bytes(out)


@st.composite
def images(draw):
    """Rows of runs, as in masks, or of noise; with a filter for each."""
    step = draw(st.sampled_from([1, 2, 3, 4, 6, 8]))
    width = step * draw(st.integers(1, 40))
    value = st.sampled_from([0, 1, 2, 127, 128, 255]) | st.integers(0, 255)
    runs = st.lists(st.tuples(value, st.integers(1, 40)), min_size=width, max_size=width)
    rows = []
    for _ in range(draw(st.integers(0, 6))):
        if rows and draw(st.booleans()):
            rows.append(rows[-1])
            continue
        rows.append(b"".join(bytes([each]) * times for each, times in draw(runs))[:width])
    return rows, draw(st.lists(st.integers(0, 4), min_size=len(rows), max_size=len(rows))), step, width


@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(images())
def test_every_filter_is_undone_to_the_byte(rows_of, image):
    """For pixels of every width, rows of any kind and filters in any order come out as they went in."""
    rows, filters, step, width = image
    assert b"".join(rows) == unfiltered(rows_of, filtered(rows, filters, step), width, step)


@pytest.mark.parametrize("kind", range(5))
@pytest.mark.parametrize("step", [1, 3])
def test_every_pair_of_neighbours(rows_of, kind, step):
    """All values of left and above, in one row below another, for each filter."""
    above = bytes(value for value in range(256) for _ in range(256))
    row = bytes(range(256)) * 256
    rows = [above[: len(above) // step * step], row[: len(row) // step * step]]
    assert b"".join(rows) == unfiltered(rows_of, filtered(rows, [0, kind], step), len(rows[0]), step)


@pytest.mark.parametrize(
    "arguments",
    [
        (b"\0" * 11, 4, 1, 8),
        (b"\0" * 10, 0, 1, 0),
        (b"\0" * 10, 9, 0, 9),
        (b"", 9, 9, 0),
        (b"\0" * 10, 9, 1, 8),
    ],
)
def test_what_are_no_rows_is_refused(rows_of, arguments):
    """A length that is no multiple of a row's, a pixel without bytes, or another target's length, is an error."""
    source, width, step, length = arguments
    with pytest.raises(ValueError, match="not rows of this width"):
        unfiltered(rows_of, source, width, step, np.zeros(length, np.uint8))


def test_rows_go_on_where_others_ended(rows_of):
    """An image in two parts, the second below the last row of the first, is the image; errors count on."""
    rows = [bytes((7 * row + column) % 256 for column in range(12)) for row in range(6)]
    source = filtered(rows, [4, 2, 3, 4, 2, 1], 3)
    target = np.zeros((6, 12), np.uint8)
    rows_of.unfilter(source[: 2 * 13], np.zeros(12, np.uint8), 3, target[:2].reshape(-1), 0)
    rows_of.unfilter(source[2 * 13 :], target[1], 3, target[2:].reshape(-1), 2)
    assert b"".join(rows) == target.tobytes()
    with pytest.raises(ValueError, match="row 41 has filter 7"):
        rows_of.unfilter(bytes(13) + b"\x07" + bytes(12), target[1], 3, target[2:4].reshape(-1), 40)


def test_a_filter_that_png_does_not_have_is_an_error_that_names_it(rows_of, tmp_path):
    """In the extension, and for the file that it stands in."""
    raw = bytes(9) + b"\x05" + bytes(8)
    with pytest.raises(ValueError, match="row 1 has filter 5, which PNG does not have"):
        unfiltered(rows_of, raw, 8, 1)
    path = tmp_path / "a.png"
    path.write_bytes(png_of(zlib.compress(raw), width=8, height=2))
    with pytest.raises(Corrupt, match="row 1 has filter 5"):
        read(path)


def test_nothing_is_kept(rows_of):
    """Neither rows that are fine nor those that are not leave memory behind."""
    good, bad = bytes(1001 * 100), b"\x09" * 1001 * 100

    def both():
        unfiltered(rows_of, good, 1000, 1)
        with pytest.raises(ValueError, match="filter 9"):
            unfiltered(rows_of, bad, 1000, 1)

    both()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(50):
        both()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert left < 50_000


@pytest.mark.parametrize("depth", [1, 2, 4])
@pytest.mark.parametrize("width", [1, 3, 7, 8, 9, 16, 17])
def test_packed_samples_end_with_the_row(depth, width):
    """Where a row does not fill its last byte, the bits that are left over are no pixels."""
    header = _png_pixels.Header(width, 3, depth, 0, False)
    bits = np.random.default_rng(width).integers(0, 2**depth, (3, width), dtype=np.uint8)
    per_byte = 8 // depth
    padded = np.full((3, -(-width // per_byte) * per_byte), 2**depth - 1, np.uint8)
    padded[:, :width] = bits
    shifts = np.arange(8 - depth, -1, -depth)
    packed = (padded.reshape(3, -1, per_byte) << shifts).sum(axis=2).astype(np.uint8)
    assert bits.tolist() == _png_pixels._unpacked(packed.ravel(), header, width).tolist()
