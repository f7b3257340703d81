"""How fast the one loop is: the backends against chunked ``np.bincount``, in one process and on one core.

Makes pairs of masks (seeded), counts each with all three in turn, checks that they agree, and prints a table
in Markdown: medians of the times, and medians of the ratios of neighbouring runs. The times are the
processor's, so that what else runs on the machine counts less::

    python benchmarks/kernel.py [--rounds 7] [--full]
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.backends import native
from dicecli.statistics.backends import numpy as numpy_alone

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHUNK = 1 << 20
Masks = tuple[np.ndarray, np.ndarray]


def bincount(reference: np.ndarray, prediction: np.ndarray, labels: int) -> np.ndarray:
    """Count in the way that is measured against; how many labels there are it is told."""
    table = np.zeros(labels * labels, np.int64)
    for start in range(0, reference.size, CHUNK):
        first, second = reference[start : start + CHUNK], prediction[start : start + CHUNK]
        table += np.bincount(first.astype(np.int64) * labels + second, minlength=labels * labels)
    return table.reshape(labels, labels)


def ellipsoids(shape: tuple[int, int, int]) -> Masks:
    """Make a volume with four ellipsoids, about 3 % foreground, and the same moved by some voxels."""
    random = np.random.default_rng(1)
    axes = np.ogrid[tuple(slice(n) for n in shape)]
    reference = np.zeros(shape, np.uint8)
    for label in range(1, 5):
        centre = random.uniform(0.25, 0.75, 3) * shape
        radii = random.uniform(0.1, 0.15, 3) * shape
        inside = sum(((axis - c) / r) ** 2 for axis, c, r in zip(axes, centre, radii, strict=True)) < 1
        reference[inside] = label
    return reference.ravel(), np.roll(reference, (2, 1, 3), (0, 1, 2)).ravel()


def land_cover(side: int, labels: int = 8, field: int = 32, speckle: float = 0.0) -> Masks:
    """Make a map of fields with wavy borders, all labelled; the prediction is moved, and wrong in places."""
    random = np.random.default_rng(2)
    fields = side // field + 2
    rows, columns = np.mgrid[:side, :side].astype(np.float32)
    down = (rows + field / 3 * (1 + np.sin(columns / field * 1.4))).astype(int) // field
    right = (columns + field / 3 * (1 + np.sin(rows / field * 1.7))).astype(int) // field
    truth = random.integers(0, labels, (fields, fields), dtype=np.uint8)
    wrong = random.random((fields, fields)) < 0.1
    guess = np.where(wrong, random.integers(0, labels, (fields, fields), dtype=np.uint8), truth)
    reference, prediction = truth[down, right], np.roll(guess[down, right], (1, 2), (0, 1))
    spots = random.random((side, side)) < speckle
    prediction[spots] = random.integers(0, labels, int(spots.sum()), dtype=np.uint8)
    return reference.ravel(), prediction.ravel()


def noise(n: int, labels: int) -> Masks:
    """Make two masks in which nothing is near its like."""
    random = np.random.default_rng(3)
    first, second = (random.integers(0, labels, n, dtype=np.uint16) for _ in range(2))
    dtype = np.uint8 if labels <= 256 else np.uint16
    return first.astype(dtype), second.astype(dtype)


def workloads(*, is_full: bool) -> Iterator[tuple[str, Masks]]:
    """Make one pair after the other, with what it is."""
    volume = ellipsoids((400, 512, 512) if is_full else (160, 256, 256))
    percent = 100 * float((volume[0] > 0).mean())
    side = 8192 if is_full else 3072
    fields = land_cover(side)
    yield f"ellipsoids, {percent:.1f} % foreground", volume
    yield "land cover, 8 labels, fields of 32 px", fields
    yield "land cover, 2 % of it speckled", land_cover(side, speckle=0.02)
    yield "land cover, 60 labels", land_cover(side, labels=60)
    for labels in (2, 5, 256):
        yield f"noise, {labels} labels", noise(side * side, labels)
    for dtype in ("uint16", "int32", "int64"):
        yield f"ellipsoids, {percent:.1f} % foreground", converted(volume, dtype)
    for dtype in ("uint16", "int32"):
        yield "land cover, 8 labels", converted(fields, dtype)
        yield "noise, 256 labels", converted(noise(side * side, 256), dtype)
    yield "noise, 600 labels", noise(side * side, 600)
    yield "noise, 600 labels", converted(noise(side * side, 600), "int32")


def converted(masks: Masks, dtype: str) -> Masks:
    """Return the same labels in another type."""
    return masks[0].astype(dtype), masks[1].astype(dtype)


def seconds(count: Callable[[], object]) -> tuple[float, object]:
    """Count once, and return how long it took."""
    started = time.process_time()
    result = count()
    return time.process_time() - started, result


def measure(masks: Masks, rounds: int) -> list[list[float]]:
    """Count `rounds` times with bincount, NumPy and C in turn; the first round is checked, and left out."""
    labels = 1 + int(max(mask.max() for mask in masks))
    ways: list[Callable[[], object]] = [
        lambda: bincount(*masks, labels),
        lambda: numpy_alone.count_block(*masks),
        lambda: native.count_block(*masks),
    ]
    taken = []
    for each in range(rounds + 1):
        times, results = zip(*(seconds(way) for way in ways), strict=True)
        if each:
            taken.append(list(times))
            continue
        numbers = np.arange(labels)
        expected = ConfusionMatrix.from_pairs(numbers, numbers, np.asarray(results[0]))
        if not (expected == results[1] == results[2]):
            raise SystemExit("the three do not agree")
    return taken


def main() -> None:
    """Measure all, and print a line for each."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument(
        "--full", action="store_true", help="a volume of 105 million voxels, and maps of 8192^2"
    )
    options = parser.parse_args()
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    print(f"{native.describe()}; one core, medians of {options.rounds} rounds in turn\n")
    print("| masks | type | Mpixels | bincount, ns | NumPy, ns | C, ns | NumPy is | C is |")
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for name, masks in workloads(is_full=options.full):
        taken = measure(masks, options.rounds)
        each = [statistics.median(times) / masks[0].size * 1e9 for times in zip(*taken, strict=True)]
        ratios = [statistics.median(times[0] / times[way] for times in taken) for way in (1, 2)]
        print(
            f"| {name} | {masks[0].dtype} | {masks[0].size / 1e6:.0f} | "
            + " | ".join(f"{n:.2f}" for n in each)
            + " | "
            + " | ".join(f"{ratio:.1f} x" for ratio in ratios)
            + " |",
            flush=True,
        )


if __name__ == "__main__":
    main()
