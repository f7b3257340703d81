"""MONAI: DiceMetric on one-hot masks, as its tutorials do it, on the processor.

Usage: with_monai.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from monai.metrics import DiceMetric
from monai.networks.utils import one_hot


def masks(path: str, labels: int) -> Any:
    """Read a mask as a tensor with a channel per label, background included."""
    import nibabel
    import torch

    values = np.asarray(nibabel.load(path).dataobj)
    return one_hot(torch.from_numpy(values)[None, None], labels + 1, dtype=torch.uint8)


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    metric = DiceMetric(include_background=False, reduction="none")
    scores = metric(masks(prediction, labels), masks(reference, labels))[0].tolist()
    print(json.dumps(dict(zip(range(1, labels + 1), scores, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
