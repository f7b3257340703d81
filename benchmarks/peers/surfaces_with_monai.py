"""MONAI: HD95, ASSD and NSD of one-hot masks, as its documentation has it, on the processor.

Usage: surfaces_with_monai.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import numpy as np
from monai.metrics import HausdorffDistanceMetric, SurfaceDiceMetric, SurfaceDistanceMetric
from monai.networks.utils import one_hot

if TYPE_CHECKING:
    import torch

#: 1 mm, and what voxels of 0.7 mm in float32 are off by.
TOLERANCE_MM = 1 + 1e-6


def masks(path: str, labels: int) -> tuple[torch.Tensor, list[float]]:
    """Read a mask as a tensor with a channel per label, background included, and its spacing."""
    import nibabel
    import torch

    image = nibabel.load(path)
    values = torch.from_numpy(np.asarray(image.dataobj))[None, None]
    return one_hot(values, labels + 1, dtype=torch.uint8), [float(each) for each in image.header.get_zooms()]


def main(prediction: str, reference: str, labels: int) -> None:
    """Print HD95, ASSD and NSD of each label from 1 on."""
    (predicted, spacing), (expected, _) = masks(prediction, labels), masks(reference, labels)
    metrics = {
        "hd95": HausdorffDistanceMetric(percentile=95, reduction="none"),
        "assd": SurfaceDistanceMetric(symmetric=True, reduction="none"),
        "nsd": SurfaceDiceMetric([TOLERANCE_MM] * labels, reduction="none"),
    }
    scores = {}
    for name, metric in metrics.items():
        for label, value in enumerate(metric(predicted, expected, spacing=spacing)[0].tolist(), 1):
            scores[f"{label} {name}"] = value
    print(json.dumps(scores))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
