"""Score a sparse GeoTIFF of 100,000 x 100,000 pixels, and say how long it takes and in how much memory.

Its file has about 1.4 MB, since all but a few of its blocks are not stored::

    python tests/fuzzing/sparse.py
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import make
import oracle

import dicecli

SIDE, BLOCK = 100_000, 256


def main() -> int:
    """Make two maps that differ in a square, score them, and hold the counts."""
    with tempfile.TemporaryDirectory() as folder:
        paths = [_sparse(Path(folder) / f"{start}.tif", start) for start in (50_000, 50_100)]
        size = paths[0].stat().st_size
        before, started = oracle.peak_megabytes(), time.monotonic()
        threads = os.cpu_count() or 1
        case = dicecli.score(str(paths[1]), str(paths[0]), threads=threads).results[0]
        spent, grown = time.monotonic() - started, oracle.peak_megabytes() - before
    is_right = tuple(make.counts(case)[3]) == (60_000, 30_000, 30_000, SIDE**2 - 120_000)
    has_note = any("sparse" in note for note in case.notes)
    print(f"file {size / 1e6:.2f} MB; {spent:.1f} s; memory grew by {grown:.0f} MB")
    print(f"counts are right: {is_right}; sparse blocks are noted: {has_note}")
    return 0 if is_right and has_note else 1


def _sparse(path: Path, start: int) -> Path:
    import rasterio
    from rasterio.windows import Window

    layout = {
        "tiled": True,
        "blockxsize": BLOCK,
        "blockysize": BLOCK,
        "compress": "deflate",
        "sparse_ok": True,
    }
    profile = {"driver": "GTiff", "width": SIDE, "height": SIDE, "count": 1, "dtype": "uint8"}
    place = {"crs": "EPSG:32632", "transform": rasterio.Affine(10, 0, 600_000, 0, -10, 5_800_000)}
    with rasterio.open(path, "w", **profile, **layout, **place) as dataset:
        dataset.write(np.full((300, 300), 3, np.uint8), 1, window=Window(start, SIDE // 2, 300, 300))
    return path


if __name__ == "__main__":
    sys.exit(main())
