"""torchmetrics: segmentation.DiceScore on label maps, on the processor.

Usage: with_torchmetrics.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from torchmetrics.segmentation import DiceScore


def mask(path: str) -> Any:
    """Read a mask as a tensor of one sample; one-hot masks are made of 64-bit labels alone."""
    import nibabel
    import torch

    return torch.from_numpy(np.asarray(nibabel.load(path).dataobj).astype(np.int64))[None]


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    metric = DiceScore(labels + 1, include_background=False, average="none", input_format="index")
    scores = metric(mask(prediction), mask(reference)).tolist()
    print(json.dumps(dict(zip(range(1, labels + 1), scores, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
