"""How many cases a second ``dicecli batch`` scores, with one job and with two.

Makes pairs of PNG masks of 512 x 512 pixels with four labels (seeded), and runs the command on them as a
whole process, one job and two in turn. Run it on a machine that does nothing else::

    python benchmarks/batch_png.py [--cases 1000] [--rounds 5]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

SIZE = 512


def make_pairs(folder: Path, cases: int) -> None:
    """Write ellipses of four labels; each prediction is its reference moved by some pixels."""
    from PIL import Image

    random = np.random.default_rng(1)
    rows, columns = np.mgrid[:SIZE, :SIZE]
    for side in ("predictions", "references"):
        (folder / side).mkdir()
    for case in range(cases):
        reference = np.zeros((SIZE, SIZE), np.uint8)
        for label in range(1, 5):
            row, column = random.uniform(0.2, 0.8, 2) * SIZE
            height, width = random.uniform(0.05, 0.2, 2) * SIZE
            reference[((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 < 1] = label
        prediction = np.roll(reference, int(random.integers(1, 15)), axis=int(random.integers(2)))
        Image.fromarray(reference).save(folder / "references" / f"{case:05d}.png")
        Image.fromarray(prediction).save(folder / "predictions" / f"{case:05d}.png")


def seconds(folder: Path, jobs: int) -> float:
    """Run the command once and return how long the whole process took."""
    command = [
        sys.executable,
        "-m",
        "dicecli",
        "batch",
        str(folder / "predictions"),
        str(folder / "references"),
    ]
    started = time.perf_counter()
    subprocess.run([*command, "--jobs", str(jobs), "-q", "-f", "csv"], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def main() -> None:
    """Make the data, run both in turn, and print cases per second and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--cases", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        make_pairs(folder, options.cases)
        seconds(folder, 1)  # warms the disk's cache
        taken = {1: [], 2: []}
        for _ in range(options.rounds):
            for jobs, times in taken.items():
                times.append(seconds(folder, jobs))
    print(f"{options.cases:,} pairs of PNG, {SIZE} x {SIZE}, median of {options.rounds} runs in turn")
    for jobs, times in taken.items():
        middle = statistics.median(times)
        print(f"{jobs} at a time: {options.cases / middle:.0f} cases a second ({middle:.2f} s)")
    ratios = [one / two for one, two in zip(taken[1], taken[2], strict=True)]
    print(f"two jobs are {statistics.median(ratios):.2f} times as fast as one")


if __name__ == "__main__":
    main()
