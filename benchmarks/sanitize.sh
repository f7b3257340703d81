#!/usr/bin/env bash
# Builds the C extension with the compiler's sanitizers (addresses, undefined behaviour) in a copy of the
# project, and runs its tests, the contract of the backends and a minute of random calls under them.
# Needs gcc on Linux, and a Python with what the tests need:
#
#     benchmarks/sanitize.sh [python] [seconds]
set -euo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
seconds=${2:-60}
[[ $python == */* ]] && python=$(cd "$(dirname "$python")" && pwd)/$(basename "$python")

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cp -r dicecli tests sample_masks setup.py pyproject.toml README.md LICENSE "$work"
cd "$work"
rm -f dicecli/backends/_native.*.so
CC=gcc CFLAGS="-g -fno-omit-frame-pointer -fsanitize=address,undefined -fno-sanitize-recover=all" \
    LDFLAGS="-fsanitize=address,undefined" "$python" setup.py --quiet build_ext --inplace
ls dicecli/backends/_native.*.so

LD_PRELOAD="$(gcc -print-file-name=libasan.so) $(gcc -print-file-name=libubsan.so)"
export LD_PRELOAD
export ASAN_OPTIONS=detect_leaks=0:abort_on_error=1 UBSAN_OPTIONS=print_stacktrace=1
export PYTHONMALLOC=malloc PYTHONPATH=$work OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
"$python" -m pytest -q -p no:cacheprovider tests/test_native.py tests/test_backends.py -k native

"$python" - "$work" "$seconds" <<'FUZZ'
import sys
import time

import numpy as np

from dicecli.backends import _native as c

assert c.__file__.startswith(sys.argv[1]), c.__file__
random = np.random.default_rng(int(time.time()))
types = [np.dtype(f"{sign}int{bits}") for sign in ("", "u") for bits in (8, 16, 32, 64)]
seen = {"counted": 0, "refused": 0}


def mask(n, dtype):
    """Make labels near some place, a few of them anywhere, in a buffer that ends where they do."""
    info = np.iinfo(dtype)
    start = int(random.choice([0, 0, info.min, info.max - 255, info.max // 2]))
    spread = int(random.choice([1, 2, 32, 33, 256, 257, 3000]))
    labels = np.minimum(start + random.integers(0, spread, n).astype(object), info.max)
    if random.random() < 0.5:
        labels = np.repeat(labels, random.integers(1, 300))[:n]
    if n and random.random() < 0.2:
        labels[random.integers(0, n)] = int(random.choice([info.min, info.max]))
    odd = int(random.integers(0, 9))
    return np.frombuffer(bytes(odd) + labels.astype(dtype).tobytes(), dtype, offset=odd), start


def call():
    """Call one function with what fits, or nearly."""
    n = int(random.choice([0, 1, 15, 16, 17, 127, 128, 129, 4095, 4096, 4097, 9000]))
    first, low = mask(n, random.choice(types))
    second, other = mask(n if random.random() < 0.95 else n + 1, random.choice(types))
    lows = [0 if each.itemsize == 1 else at for each, at in ((first, low), (second, other))]
    lows[0] += int(random.choice([0, 0, 0, 1, -1]))
    kind = random.integers(0, 3)
    if kind == 0:
        table = np.zeros((256, 256), np.int64)
        c.count_near(first, second, table, *lows, int(random.choice([1, 100, 2**31])))
    elif kind == 1:
        table = np.zeros(random.integers(1, 3001, 2), np.uint32)
        c.count_far(first, second, table, *lows)
    else:
        places = np.zeros(random.integers(1, 3001), np.uint16)
        if random.random() < 0.2:
            places[:] = random.integers(0, 2**16, places.size)
        found = np.zeros(random.integers(1, 4097), np.int64)
        known = int(random.choice([0, 0, 0, 5]))
        codes = np.zeros(n, np.uint16)
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
print("random calls:", seen)
FUZZ
