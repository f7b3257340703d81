"""Where labels end, as points: the C extension and its twin, held against what is written out voxel by voxel."""

from __future__ import annotations

import itertools
import tracemalloc

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dicecli.statistics._surfaces import extension
from dicecli.statistics._surfaces.rims import corner_points, rim_points

FIXTURES = settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
TYPES = [np.uint8, np.uint16, np.uint32]
REACH = {"face": 1, "edge": 2, "all": 3}
WHOLE = {"first": True, "last": True, "start": 0}


@pytest.fixture(params=["native", "numpy"], autouse=True)
def implementation(request, monkeypatch):
    """Let the extension, where it was built, or its twin find the points."""
    if request.param == "numpy":
        monkeypatch.setattr(extension, "native", lambda: None)
    elif extension.native() is None:
        pytest.skip("the C extension is not built")
    return request.param


@st.composite
def coded(draw):
    """Codes of any type, with ignored pixels; noise, boxes, or one code everywhere; some lines long."""
    dtype = np.dtype(draw(st.sampled_from(TYPES)))
    ignored = np.iinfo(dtype).max
    axes = draw(st.integers(2, 3))
    shape = [draw(st.integers(0 if axes == 2 else 1, 6)) for _ in range(axes - 1)]
    shape.append(draw(st.integers(1, 6) | st.integers(60, 70)))
    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    codes = np.full(shape, draw(st.sampled_from([0, 0, 1, 7, ignored])), dtype)
    for _ in range(draw(st.integers(0, 3))):
        box = tuple(slice(*sorted(random.integers(0, length + 1, 2))) for length in shape)
        codes[box] = draw(st.sampled_from([0, 1, 2, ignored - 1, ignored]))
    if draw(st.booleans()):
        noise = random.random(shape) < draw(st.sampled_from([0.02, 0.3]))
        codes[noise] = random.choice(np.array([0, 1, 2, ignored], dtype), noise.sum())
    return codes


def rim_of(codes, rim):
    """Return what is rim, voxel by voxel."""
    ignored = np.iinfo(codes.dtype).max
    steps = [
        each
        for each in itertools.product((-1, 0, 1), repeat=codes.ndim)
        if 0 < sum(map(abs, each)) <= REACH[rim]
    ]
    found = []
    for place in np.ndindex(codes.shape):
        code = codes[place]
        around = [tuple(a + b for a, b in zip(place, step, strict=True)) for step in steps]
        if code not in {0, ignored} and any(
            not all(0 <= a < n for a, n in zip(each, codes.shape, strict=True))
            or codes[each] not in {code, ignored}
            for each in around
        ):
            found.append((int(np.ravel_multi_index(place, codes.shape)), int(code)))
    return found


def corners_of(codes):
    """Return the corners at which codes begin or end, corner by corner."""
    ignored = np.iinfo(codes.dtype).max
    lattice = tuple(length + 1 for length in codes.shape)
    found = []
    for corner in np.ndindex(lattice):
        around = []
        for steps in itertools.product((0, 1), repeat=codes.ndim):
            place = tuple(a + b - 1 for a, b in zip(corner, steps, strict=True))
            is_inside = all(0 <= a < n for a, n in zip(place, codes.shape, strict=True))
            around.append(int(codes[place]) if is_inside else 0)
        is_ignored = int("".join(str(int(each == ignored)) for each in around), 2)
        for code in sorted(set(around) - {0, ignored}):
            if any(each not in {code, ignored} for each in around):
                is_set = int("".join(str(int(each == code)) for each in around), 2)
                found.append((int(np.ravel_multi_index(corner, lattice)), code, is_set, is_ignored))
    return found


def rows(found):
    return list(zip(*(each.tolist() for each in found), strict=True))


@FIXTURES
@given(coded(), st.sampled_from(["face", "edge", "all"]))
def test_rims_are_those_that_are_written_out(codes, rim):
    """Every rim voxel is found once, in order, with its code; none beside an ignored zone alone."""
    index, code = found = rim_points(codes, slice(None), rim=rim, **WHOLE)
    assert rim_of(codes, rim) == rows(found)
    assert (np.int64, codes.dtype) == (index.dtype, code.dtype)


@pytest.mark.parametrize(
    ("axes", "rim", "around"),
    [(3, "face", 6), (3, "edge", 18), (3, "all", 26), (2, "face", 4), (2, "edge", 8), (2, "all", 8)],
)
def test_a_hole_has_as_many_neighbours_as_count(axes, rim, around):
    """One voxel of another code makes rim of its neighbours, one that is ignored of none; so does the array's end."""
    codes = np.full((9,) * axes, 2, np.uint8)
    shell = 9**axes - 7**axes
    for hole, more in ((0, around), (5, around + 1), (255, 0)):
        codes[(4,) * axes] = hole
        index, _ = rim_points(codes, slice(None), rim=rim, **WHOLE)
        assert shell + more == index.size


@FIXTURES
@given(coded())
def test_corners_are_those_that_are_written_out(codes):
    """Every corner is found once for each code, in order, with the bits of the voxels around it."""
    found = corner_points(codes, slice(None), **WHOLE)
    assert corners_of(codes) == rows(found)
    assert (np.int64, codes.dtype, np.uint8, np.uint8) == tuple(each.dtype for each in found)


@FIXTURES
@given(coded(), st.data())
def test_parts_of_an_array_give_what_the_whole_gives(codes, data):
    """Cut into cores, each with as many planes of context as it needs or more, nothing is lost or found twice."""
    cuts = sorted({0, len(codes), *data.draw(st.lists(st.integers(0, len(codes)), max_size=3))})
    find = data.draw(st.sampled_from([corner_points, lambda *a, **k: rim_points(*a, rim="all", **k)]))
    found = []
    for begin, end in itertools.pairwise(cuts):
        low, high = max(begin - data.draw(st.integers(1, 2)), 0), min(end + 1, len(codes))
        edges = {"first": low == 0, "last": high == len(codes), "start": low}
        found += rows(find(codes[low:high], slice(begin - low, end - low), **edges))
    assert rows(find(codes, slice(None), **WHOLE)) == found


@FIXTURES
@given(
    st.sampled_from([np.uint8, np.uint16, np.uint32]),
    st.sampled_from([(1, 1), (3, 150), (2, 3, 70), (3, 2, 9)]),
    st.integers(0, 10**6),
    st.sampled_from([1, 2, 7, -2]),
)
def test_another_code_can_be_no_row(dtype, shape, seed, blank):
    """What has it is outside, as 0 is: lines that begin and end with it, or with 0, or are full of it."""
    random, blank = np.random.default_rng(seed), blank % (1 << 8 * np.dtype(dtype).itemsize)
    codes = random.choice(np.array([0, 1, 2, 3, 7, 259, 2**32 - 1], np.uint64), shape).astype(dtype)
    for line in codes.reshape(-1, shape[-1]):
        begin, end = sorted(random.integers(0, shape[-1] + 1, 2).tolist())
        line[:begin] = line[end:] = random.choice([0, blank])
    plain = np.where(codes == blank, 0, codes).astype(dtype)
    for find in (corner_points, lambda *a, **k: rim_points(*a, rim="face", **k)):
        assert rows(find(plain, slice(None), **WHOLE)) == rows(find(codes, slice(None), blank=blank, **WHOLE))


@pytest.mark.parametrize("shape", [(0, 5), (3, 0), (0, 0, 0), (2, 0, 3), (2, 3, 0)])
def test_arrays_of_nothing_have_no_points(shape):
    codes = np.zeros(shape, np.uint8)
    assert all(each.size == 0 for each in rim_points(codes, slice(None), rim="face", **WHOLE))
    assert all(each.size == 0 for each in corner_points(codes, slice(None), **WHOLE))


def test_a_core_of_no_planes_has_no_points():
    """Wherever it lies, and whatever context there is."""
    codes = np.ones((3, 4), np.uint16)
    for begin in range(4):
        core = slice(begin, begin)
        edges = {"first": False, "last": False, "start": 9}
        assert rows(rim_points(codes, core, rim="face", **edges)) == []
        assert rows(corner_points(codes, core, **edges)) == []


@pytest.mark.parametrize(("core", "first", "last"), [(slice(0, 2), False, True), (slice(1, 3), True, False)])
def test_planes_without_context_are_an_error(core, first, last):
    """Where the array goes on, what lies beyond the planes given cannot be guessed."""
    codes = np.ones((3, 4, 5), np.uint8)
    with pytest.raises(ValueError, match="context"):
        rim_points(codes, core, first=first, last=last, start=1, rim="face")
    with pytest.raises(ValueError, match="context"):
        corner_points(codes, core, first=first, last=last, start=1)


def test_where_a_part_lies_is_counted_in_64_bits():
    """A plane far into a large array has numbers beyond 32 bits."""
    codes = np.ones((3, 4, 5), np.uint8)
    edges = {"first": False, "last": False, "start": 2**40}
    index, _ = rim_points(codes, slice(1, 2), rim="face", **edges)
    assert (2**40 + 1) * 20 == index[0]
    assert (2**40 + 1) * 30 == corner_points(codes, slice(1, 2), **edges)[0][0]


def test_odd_arrays_are_taken_as_they_are():
    """Memory in another order, at an odd address, or with bytes swapped."""
    codes = np.zeros((6, 5, 4), np.uint16)
    codes[1:5, 1:4, 1:3] = 3
    wanted = rows(rim_points(codes, slice(None), rim="face", **WHOLE))
    odd = np.zeros(codes.nbytes + 1, np.uint8)[1:].view(np.uint16).reshape(codes.shape)
    odd[...] = codes
    for each in (np.asfortranarray(codes), odd, codes.astype(">u2")):
        assert wanted == rows(rim_points(each, slice(None), rim="face", **WHOLE))


def test_memory_is_given_back():
    """Neither what is found nor an error leaves memory behind."""
    codes = (np.random.default_rng(1).random((20, 30, 40)) < 0.2).astype(np.uint8)

    def both():
        rim_points(codes, slice(None), rim="face", **WHOLE)
        corner_points(codes, slice(None), **WHOLE)
        with pytest.raises(ValueError, match="context"):
            rim_points(codes, slice(None), first=False, last=True, start=0, rim="face")

    both()
    tracemalloc.start()
    before = tracemalloc.get_traced_memory()[0]
    for _ in range(10):
        both()
    left = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    assert left < 50_000


def test_what_cannot_be_planes_is_refused(implementation):
    """Of the extension: other types, cores beyond the planes, numbers that do not fit into 64 bits."""
    if implementation == "numpy":
        pytest.skip("what these are called with is NumPy's to check")
    native = extension.native()
    codes = np.ones((3, 4, 5), np.uint8)
    for find, reach in ((native.rim_points, [0, 1]), (native.corner_points, [0])):
        for wrong in (codes.astype(np.uint64), codes.astype(np.int8), codes.astype(float)):
            with pytest.raises(TypeError, match="format"):
                find(wrong, 0, 3, True, True, 0, *reach)
        for begin, end, start in ((-1, 3, 0), (2, 1, 0), (0, 4, 0), (0, 3, -1), (0, 3, 2**62)):
            with pytest.raises(ValueError, match="planes"):
                find(codes, begin, end, True, True, start, *reach)
        with pytest.raises(ValueError, match="axes"):
            find(codes.reshape(-1), 0, 3, True, True, 0, *reach)
        with pytest.raises((BufferError, ValueError), match="contiguous"):
            find(codes[:, :, ::2], 0, 3, True, True, 0, *reach)
        assert not any(find(np.zeros((0, 2**40), np.uint8), 0, 0, True, True, 0, *reach))
