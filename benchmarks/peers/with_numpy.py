"""nibabel and NumPy: four boolean masks per label, as most scripts do it.

Usage: with_numpy.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import numpy as np


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    import nibabel

    predicted = np.asarray(nibabel.load(prediction).dataobj)
    expected = np.asarray(nibabel.load(reference).dataobj)
    scores = {}
    for label in range(1, labels + 1):
        mine, theirs = predicted == label, expected == label
        tp, fp = int(np.sum(mine & theirs)), int(np.sum(mine & ~theirs))
        fn, _ = int(np.sum(~mine & theirs)), int(np.sum(~mine & ~theirs))
        scores[label] = 2 * tp / (2 * tp + fp + fn)
    print(json.dumps(scores))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
