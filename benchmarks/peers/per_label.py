"""The per-label way, as nnU-Net's evaluator goes: SimpleITK reads, NumPy counts all four per label.

Usage: per_label.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import numpy as np
import SimpleITK


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    predicted = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(prediction))
    expected = SimpleITK.GetArrayFromImage(SimpleITK.ReadImage(reference))
    scores = {}
    for label in range(1, labels + 1):
        mine, theirs = predicted == label, expected == label
        used = np.ones_like(theirs, dtype=bool)
        tp = int(np.sum((theirs & mine) & used))
        fp = int(np.sum((~theirs & mine) & used))
        fn = int(np.sum((theirs & ~mine) & used))
        np.sum((~theirs & ~mine) & used)  # the true negatives, which Dice does not need
        scores[label] = 2 * tp / (2 * tp + fp + fn)
    print(json.dumps(scores))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
