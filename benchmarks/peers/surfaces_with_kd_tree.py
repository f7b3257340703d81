"""nibabel, NumPy and SciPy's KD-tree, as who knows them would write it: rims of what find_objects boxes.

Usage: surfaces_with_kd_tree.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys

import numpy as np

TOLERANCE_MM = 1 + 1e-6


def rim(mask: np.ndarray) -> np.ndarray:
    """Return the places, shape (n, 3), of voxels with a face neighbour outside; so is what lies beyond."""
    padded = np.pad(mask, 1)
    middle = slice(1, -1)
    inner = mask.copy()
    for axis in range(mask.ndim):
        for beside in (slice(None, -2), slice(2, None)):
            inner &= padded[tuple(beside if each == axis else middle for each in range(mask.ndim))]
    return np.argwhere(mask & ~inner)


def distances(prediction: np.ndarray, reference: np.ndarray, spacing: np.ndarray) -> list[np.ndarray]:
    """Return how far each rim voxel of either mask is from the other's rim."""
    from scipy.spatial import cKDTree

    mine, theirs = (rim(each) * spacing for each in (prediction, reference))
    return [cKDTree(theirs).query(mine)[0], cKDTree(mine).query(theirs)[0]]


def main(prediction: str, reference: str, labels: int) -> None:
    """Print HD95, ASSD and NSD of each label from 1 on that both masks have."""
    import nibabel
    from scipy.ndimage import find_objects

    images = [nibabel.load(path) for path in (prediction, reference)]
    spacing = np.asarray(images[0].header.get_zooms(), float)
    volumes = [np.asarray(image.dataobj) for image in images]
    scores = {}
    for label, boxes in enumerate(zip(*(find_objects(each, labels) for each in volumes), strict=True), 1):
        if None in boxes:
            continue
        box = tuple(slice(min(a.start, b.start), max(a.stop, b.stop)) for a, b in zip(*boxes, strict=True))
        lists = distances(*(each[box] == label for each in volumes), spacing)
        pooled = np.concatenate(lists)
        scores[f"{label} hd95"] = max(float(np.percentile(each, 95)) for each in lists)
        scores[f"{label} assd"] = float(pooled.mean())
        scores[f"{label} nsd"] = float(np.mean(pooled <= TOLERANCE_MM))
    print(json.dumps(scores))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
