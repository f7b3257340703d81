"""scikit-learn: f1_score of all voxels, which is Dice.

Usage: with_scikit_learn.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import numpy as np
from sklearn.metrics import f1_score


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    import nibabel

    predicted = np.asarray(nibabel.load(prediction).dataobj).ravel(order="F")
    expected = np.asarray(nibabel.load(reference).dataobj).ravel(order="F")
    wanted = list(range(1, labels + 1))
    scores = f1_score(expected, predicted, labels=wanted, average=None)
    print(json.dumps(dict(zip(wanted, scores.tolist(), strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
