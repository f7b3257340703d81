"""Pillow and NumPy: four boolean masks per label for every pair of PNG masks in two folders.

Usage: png_with_numpy.py PREDICTIONS REFERENCES LABELS
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np


def main(predictions: str, references: str, labels: int) -> None:
    """Print the mean Dice of each label from 1 on, over the cases where it is defined."""
    from PIL import Image

    scores: dict[int, list[float]] = {label: [] for label in range(1, labels + 1)}
    for path in sorted(Path(references).glob("*.png")):
        with Image.open(path) as one, Image.open(Path(predictions) / path.name) as other:
            expected, predicted = np.asarray(one), np.asarray(other)
        for label, values in scores.items():
            mine, theirs = predicted == label, expected == label
            tp, fp = int(np.sum(mine & theirs)), int(np.sum(mine & ~theirs))
            fn, _ = int(np.sum(~mine & theirs)), int(np.sum(~mine & ~theirs))
            if tp + fp + fn:
                values.append(2 * tp / (2 * tp + fp + fn))
    print(json.dumps({label: float(np.mean(values)) for label, values in scores.items() if values}))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
