#!/usr/bin/env bash
# Builds the C extensions with the compiler's sanitizers (addresses, undefined behaviour) in a copy of the
# project, and runs their tests, the contract of the backends and a minute of random calls under them, every
# buffer of which ends where the memory does that was asked for. Before that it makes sure that the sanitizer
# sees one byte too many. Needs gcc on Linux, and a Python with what the tests need, and setuptools:
#
#     benchmarks/sanitize.sh [python] [seconds] [seed]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
seconds=${2:-60}
seed=${3:-$RANDOM}
[[ $python == */* ]] && python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r dicecli tests sample_masks pyproject.toml README.md LICENSE "$work"
cd "$work"
find dicecli -name "*.so" -delete
# Without the loader's choice of a target, which comes before the sanitizer is ready.
CC=gcc CFLAGS="-DONE_TARGET -g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
    LDFLAGS="-fsanitize=address,undefined" "$python" -c "import setuptools; setuptools.setup()" \
    --quiet build_ext --inplace
ls dicecli/statistics/backends/_native.*.so dicecli/statistics/_surfaces/_native.*.so dicecli/masks/formats/png/_rows.*.so

LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
export PYTHONMALLOC=malloc PYTHONPATH=$work OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

if "$python" -c 'import ctypes; ctypes.string_at((ctypes.c_char * 64)(), 65)' 2>"$work/seen"; then
    echo "the sanitizer is not at work: it lets a byte beyond a buffer be read" >&2
    exit 1
fi
grep -q heap-buffer-overflow "$work/seen"

"$python" -m pytest -q -p no:cacheprovider tests/statistics/backends/test_native.py tests/statistics/backends/test_contract.py -k native
"$python" -m pytest -q -p no:cacheprovider tests/masks/formats/png/test_rows.py
"$python" -m pytest -q -p no:cacheprovider tests/statistics/_surfaces/test_rims.py tests/statistics/_surfaces/test_nearest.py -k native

"$python" - "$work" "$seconds" "$seed" <<'FUZZ'
import ctypes
import sys
import time

import numpy as np

from dicecli.statistics._surfaces import _native as surfaces
from dicecli.statistics.backends import _native as c
from dicecli.masks.formats.png import _rows

for built in (c, surfaces, _rows):
    assert built.__file__.startswith(sys.argv[1]), built.__file__
random = np.random.default_rng(int(sys.argv[3]))
types = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]
seen = {"counted": 0, "refused": 0}


def exact(shape, dtype, odd=0):
    """Make an array of zeros that begins `odd` bytes into a piece of memory of its own, and ends with it.

    NumPy keeps small pieces for later use and Python's bytes end with one more: what reads beyond the end of
    those is not seen.
    """
    size = int(np.prod(shape))
    memory = (ctypes.c_char * max(32, odd + size * np.dtype(dtype).itemsize))()
    start = len(memory) - size * np.dtype(dtype).itemsize
    return np.frombuffer(memory, dtype, size, start).reshape(shape) if size else np.zeros(shape, dtype)


def mask(n, dtype):
    """Make labels near some place, a few of them anywhere; beyond the end of the type they begin anew."""
    info = np.iinfo(dtype)
    start = int(random.choice([0, 0, info.min, info.max - 255, info.max // 2]))
    spread = int(random.choice([1, 2, 32, 33, 256, 257, 3000]))
    labels = np.uint64(start % 2**64) + random.integers(0, spread, n, np.uint64)
    if random.random() < 0.5:
        labels = np.repeat(labels, random.integers(1, 300))[:n]
    if n and random.random() < 0.2:
        labels[random.integers(0, n)] = int(random.choice([info.min, info.max])) % 2**64
    made = exact(n, dtype, int(random.integers(0, 9)))
    made[...] = labels.astype(dtype)
    return made, start


def find():
    """Look for rims and corners of what is given, or nearly, in codes of any kind."""
    dtype = random.choice([np.uint8, np.uint16, np.uint32])
    codes = exact((*random.integers(0, 5, random.integers(1, 3)), random.integers(0, 300)), dtype)
    values = np.array([0, 0, 1, 2, np.iinfo(dtype).max], dtype)
    codes[...] = random.choice(values) if random.random() < 0.3 else random.choice(values, codes.shape)
    begin, end = sorted(random.integers(0, len(codes) + 1, 2).tolist())
    end += int(random.random() < 0.05)
    sides = begin == 0, end == len(codes)
    start = int(random.choice([0, 7, 2**40, 2**62, -1]))
    blank = int(random.choice([0, 1, 2, 255, 65535, 2**32 - 1]))
    surfaces.rim_points(codes, begin, end, *sides, start, blank, int(random.integers(-1, 5)))
    surfaces.corner_points(codes, begin, end, *sides, start, blank)


def tree(n, axes):
    """Make a tree of points; sometimes of numbers that no points give."""
    points = exact((n, axes), np.int32)
    limit = int(random.choice([1, 2, 30, 2**20, 2**31]))
    points[...] = random.integers(-limit, limit, points.shape)
    leaves = groups = -(-n // 8)
    total = 0
    while not total or groups > 1:
        groups = -(-groups // 8)
        total += groups
    order, cells = exact(n, np.uint32), exact((leaves, axes, 8), np.int32)
    boxes = exact((total - (random.random() < 0.02), 2, axes, 8), np.int32)
    surfaces.build(points, tuple(random.integers(0, 32, 3).tolist()), order, cells, boxes)
    if random.random() < 0.1:
        cells[...] = random.integers(-(2**31), 2**31, cells.shape)
        boxes[...] = random.integers(-(2**31), 2**31, boxes.shape)
        order[...] = random.integers(0, n + 1, n)
    return order, cells, boxes


def look():
    """Look for the nearest points."""
    sizes, axes = random.choice([1, 7, 8, 9, 64, 65, 513, 700], 2), int(random.integers(2, 4))
    points, queries = (tree(int(n), axes) for n in sizes)
    n = len(points[0]) + int(random.choice([0, 0, 0, 0, 8]))
    distances = exact(len(queries[0]) - (random.random() < 0.02), np.float64)
    steps = tuple(random.choice([0.7, 1.0, 3.0, 1e300, 0.0, np.inf, np.nan], 3, p=[0.3, 0.3, 0.3, *[0.025] * 4]).tolist())
    surfaces.nearest(n, *points[1:], axes, steps, *queries, distances)


def call():
    """Call one function with what fits, or nearly."""
    if random.random() < 0.4:
        return random.choice([find, look])()
    n = int(random.choice([0, 1, 15, 16, 17, 127, 128, 129, 4095, 4096, 4097, 9000]))
    first, low = mask(n, random.choice(types))
    second, other = mask(n if random.random() < 0.95 else n + 1, random.choice(types))
    lows = [0 if each.itemsize == 1 else at for each, at in ((first, low), (second, other))]
    lows[0] += int(random.choice([0, 0, 0, 1, -1]))
    kind = random.integers(0, 4)
    if kind == 3:
        width, step = int(random.integers(1, 70)), int(random.integers(1, 9))
        rows = exact(int(random.integers(0, 9)) * (width + 1), np.uint8)
        rows[:] = random.choice([0, 0, 0, 255, 7], rows.size)
        rows[:: width + 1] = random.integers(0, 5, rows[:: width + 1].size)
        assert len(_rows.unfiltered(rows, width, step)) == rows.size // (width + 1) * width
        _rows.unfiltered(rows, width + int(random.integers(-1, 2)), step)
        return
    if kind == 0:
        table = exact((256, 256), np.int64)
        c.count_near(first, second, table, *lows, int(random.choice([1, 100, 2**31])))
    elif kind == 1:
        table = exact(tuple(random.integers(1, 3001, 2)), np.uint32)
        c.count_far(first, second, table, *lows)
    else:
        places = exact(int(random.integers(1, 3001)), np.uint16)
        if random.random() < 0.2:
            places[:] = random.integers(0, 2**16, places.size)
        found = exact(int(random.integers(1, 4097)), np.int64)
        known = int(random.choice([0, 0, 0, 5]))
        codes = exact(n, np.uint16)
        if c.number(first, lows[0], places, found, known, codes) <= found.size and not known:
            assert (found[codes].astype(first.dtype) == first).all()
        return
    assert table.sum() == n


end = time.monotonic() + float(sys.argv[2])
while time.monotonic() < end:
    try:
        call()
        seen["counted"] += 1
    except (IndexError, ValueError, OverflowError):
        seen["refused"] += 1
print("random calls:", seen, "seed", sys.argv[3])
FUZZ
