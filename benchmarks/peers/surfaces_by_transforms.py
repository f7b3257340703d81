"""What the package surface-distance does, in our own words, since it does not import on NumPy 2.

Per label: crop both masks to what they fill together, by projections; give each corner of voxels the code of
the eight around it; transform both surfaces into distances by SciPy; give each corner of the crop the area of
the surface in its cell; sort pairs of distance and area, numbers of NumPy, in Python. HD95 is the first
distance at which 95 % of a side's area is reached, the larger of both sides.

Usage: surfaces_by_transforms.py PREDICTION REFERENCE LABELS
"""

from __future__ import annotations

import json
import sys
from itertools import combinations, pairwise, product

import numpy as np

TOLERANCE_MM = 1 + 1e-6
CORNERS = np.array(list(product((0, 1), repeat=3)))
#: The weight of each of eight voxels in a code: corner (0, 0, 0) the highest.
CODES = np.array([[[128, 64], [32, 16]], [[8, 4], [2, 1]]])


def area(code: int, spacing: np.ndarray) -> float:
    """Return the area of the surface in a cell; `code` has a bit for each of its corners."""
    inside = [bool(code >> (7 - n) & 1) for n in range(8)]
    if sum(inside) > 4:
        inside = [not each for each in inside]
    cut = [
        (a, b)
        for a, b in combinations(range(8), 2)
        if inside[a] != inside[b] and np.abs(CORNERS[a] - CORNERS[b]).sum() == 1
    ]
    beside: dict[tuple[int, int], list[tuple[int, int]]] = {each: [] for each in cut}
    for axis, side in product(range(3), (0, 1)):
        face = [n for n in range(8) if CORNERS[n][axis] == side]
        on_face = [each for each in cut if set(each) <= set(face)]
        ways = [on_face] if len(on_face) == 2 else [[e for e in on_face if n in e] for n in face if inside[n]]
        for one, other in (way for way in ways if len(way) == 2):
            beside[one].append(other)
            beside[other].append(one)
    return sum(_triangles(part, spacing) for loop in _loops(beside) for part in _parts(loop))


def _loops(beside: dict[tuple[int, int], list[tuple[int, int]]]) -> list[list[tuple[int, int]]]:
    """Follow the joins round; each loop is a list of cut edges."""
    left, loops = set(beside), []
    while left:
        loop = [min(left)]
        while following := [each for each in beside[loop[-1]] if each not in loop]:
            loop.append(following[0])
        loops.append(loop)
        left -= set(loop)
    return loops


def _parts(loop: list[tuple[int, int]]) -> list[list[np.ndarray]]:
    """Cut a loop of points in two where it is bent."""
    points = [(CORNERS[a] + CORNERS[b]) / 2 for a, b in loop]
    axes = [int(np.argmax(np.abs(CORNERS[a] - CORNERS[b]))) for a, b in loop]
    if len(loop) == 5:
        (triple,) = {axis for axis in axes if axes.count(axis) == 3}
        start = next(n for n in range(5) if all(axes[(n + k) % 5] == triple for k in range(3)))
        turned = points[start:] + points[:start]
        return [turned[:3], [turned[2], turned[3], turned[4], turned[0]]]
    if len(loop) == 6 and np.linalg.matrix_rank(np.array(points[1:]) - points[0]) == 3:
        ends = [n for n in range(6) if axes[n] not in (axes[n - 1], axes[(n + 1) % 6])]
        return [points[ends[0] : ends[1] + 1], points[ends[1] :] + points[: ends[0] + 1]]
    return [points]


def _triangles(points: list[np.ndarray], spacing: np.ndarray) -> float:
    """Return the area of the triangles from the first of a loop of points, given in cells."""
    first, *others = points
    normals = [np.cross(a - first, b - first) / 2 for a, b in pairwise(others)]
    return sum(float(np.linalg.norm(each * (spacing.prod() / spacing))) for each in normals)


def surface(mask: np.ndarray, areas: np.ndarray, spacing: np.ndarray) -> tuple[np.ndarray, ...]:
    """Return where a mask's corners are, how far everything is from them, and the areas of all cells."""
    from scipy import ndimage

    codes = ndimage.correlate(mask.astype(np.uint8), CODES, mode="constant", cval=0)
    corners = (codes != 0) & (codes != 255)
    return corners, ndimage.distance_transform_edt(~corners, sampling=spacing), areas[codes]


def box_of(mask: np.ndarray) -> tuple[slice, ...]:
    """Return the box around what a mask holds, which is not empty."""
    spans = []
    for axis in range(mask.ndim):
        filled = np.flatnonzero(mask.any(axis=tuple(each for each in range(mask.ndim) if each != axis)))
        spans.append(slice(filled[0], filled[-1] + 1))
    return tuple(spans)


def main(prediction: str, reference: str, labels: int) -> None:
    """Print HD95, the mean over all area, and NSD of each label from 1 on."""
    import nibabel

    images = [nibabel.load(path) for path in (prediction, reference)]
    spacing = np.asarray(images[0].header.get_zooms(), float)
    volumes = [np.asarray(image.dataobj) for image in images]
    areas = np.array([area(code, spacing) for code in range(256)])
    scores = {}
    for label in range(1, labels + 1):
        masks = [each == label for each in volumes]
        box = box_of(masks[0] | masks[1])
        cropped = [np.pad(mask[box], ((0, 1),) * 3) for mask in masks]
        (at, near, mine), (other_at, other_near, theirs) = (surface(each, areas, spacing) for each in cropped)
        lists = [_sorted(other_near[at], mine[at]), _sorted(near[other_at], theirs[other_at])]
        total = sum(w.sum() for _, w in lists)
        scores[f"{label} hd95"] = max(_reached(*each) for each in lists)
        scores[f"{label} assd"] = sum(float(d @ w) for d, w in lists) / total
        scores[f"{label} nsd"] = sum(float(w[d <= TOLERANCE_MM].sum()) for d, w in lists) / total
    print(json.dumps(scores))


def _sorted(distances: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return both by rising distance, and by rising weight where distances are equal."""
    pairs = sorted(zip(distances, weights, strict=True))
    one, other = np.array(pairs).T
    return one, other


def _reached(distances: np.ndarray, weights: np.ndarray) -> float:
    """Return the first distance at which 95 % of the weight is reached."""
    return float(distances[np.searchsorted(np.cumsum(weights) / weights.sum(), 0.95)])


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
