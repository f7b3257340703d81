"""rasterio and NumPy: two boolean masks per label, window by window.

Usage: geotiff_with_numpy.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import numpy as np

SIDE = 2048


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    import rasterio
    from rasterio.windows import Window

    sizes = np.zeros((labels + 1, 2), np.int64)
    with rasterio.open(prediction) as mine, rasterio.open(reference) as theirs:
        for row in range(0, mine.height, SIDE):
            for column in range(0, mine.width, SIDE):
                height, width = min(SIDE, mine.height - row), min(SIDE, mine.width - column)
                window = Window(column, row, width, height)
                predicted, expected = mine.read(1, window=window), theirs.read(1, window=window)
                for label in range(1, labels + 1):
                    in_one, in_other = predicted == label, expected == label
                    both = np.count_nonzero(in_one & in_other)
                    sizes[label] += both, np.count_nonzero(in_one) + np.count_nonzero(in_other)
    print(
        json.dumps({label: 2 * both / total for label, (both, total) in enumerate(sizes.tolist()) if label})
    )


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
