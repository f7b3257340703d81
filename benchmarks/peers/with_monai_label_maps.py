"""MONAI: DiceMetric on label maps, its leaner way, on the processor.

Usage: with_monai_label_maps.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from monai.metrics import DiceMetric


def mask(path: str) -> Any:
    """Read a mask as a tensor of one sample and one channel."""
    import nibabel
    import torch

    values = np.asarray(nibabel.load(path).dataobj)
    return torch.from_numpy(values)[None, None]


def main(prediction: str, reference: str, labels: int) -> None:
    """Print the Dice of each label from 1 on."""
    metric = DiceMetric(include_background=False, reduction="none", num_classes=labels + 1)
    scores = metric(mask(prediction), mask(reference))[0].tolist()
    print(json.dumps(dict(zip(range(1, labels + 1), scores, strict=True))))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
