"""rasterio: read both masks in windows of 2048 x 2048 pixels in one thread, and do nothing with them.

Usage: reading_geotiff.py PREDICTION REFERENCE
"""

from __future__ import annotations

import sys

SIDE = 2048


def main(*paths: str) -> None:
    """Read one file after the other."""
    import rasterio
    from rasterio.windows import Window

    for path in paths:
        with rasterio.open(path) as mask:
            for row in range(0, mask.height, SIDE):
                for column in range(0, mask.width, SIDE):
                    height, width = min(SIDE, mask.height - row), min(SIDE, mask.width - column)
                    mask.read(1, window=Window(column, row, width, height))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
