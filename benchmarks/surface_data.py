"""The masks that surfaces are measured on: organs, a whole CT, and what is hard for a search of the nearest.

All arrays lie as NIfTI stores them, the first axis fastest. Data are made as `data.py` makes the others.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sizes import Shape

SEED = 15
#: Half the axes of each organ, and its middle, as shares of the volume's.
RADII = ((0.175, 0.155, 0.165), (0.124, 0.154, 0.174), (0.144, 0.105, 0.154), (0.134, 0.124, 0.144))
MIDDLES = ((0.28, 0.33, 0.38), (0.68, 0.28, 0.56), (0.36, 0.72, 0.62), (0.74, 0.70, 0.34))
#: How far bumps go in and out, as a share of an organ's radius, and how many there are along each axis.
BUMP, BUMPS = 0.05, 3.0
#: Cells of a CT, one structure in each of the first `CT_LABELS`.
CT_CELLS, CT_LABELS = (5, 4, 6), 117
SALT = 0.02
#: Voxels of the gyroid's period, and how far its two sides go from where it changes sign.
PERIOD, LEVEL = 48, 0.56
#: The share of a volume's side between two sheets, and how many voxels thick they are.
APART, THICK = 200 / 256, 8


def organs(shape: Shape, *, predicted: bool) -> np.ndarray:
    """Draw four bumpy ellipsoids; the prediction's are moved by a voxel and have slightly other bumps."""
    volume = np.zeros(shape, np.uint8, order="F")
    for label, (radii, middle) in enumerate(zip(RADII, MIDDLES, strict=True), 1):
        step = [(label + axis) % 3 - 1 if predicted else 0 for axis in range(3)]
        centre = [n * share + by for n, share, by in zip(shape, middle, step, strict=True)]
        half = [n * share for n, share in zip(shape, radii, strict=True)]
        blob(volume, label, centre, half, label + 0.12 * predicted)
    return volume


def blob(
    volume: np.ndarray, label: int, centre: Sequence[float], half: Sequence[float], phase: float
) -> None:
    """Draw an ellipsoid with bumps into a volume, over what is there."""
    reach = 1 + 2 * BUMP
    box, axes, total = [], [], np.float32(0)
    for axis, (n, middle, radius) in enumerate(zip(volume.shape, centre, half, strict=True)):
        span = slice(max(0, int(middle - reach * radius)), min(n, int(middle + reach * radius) + 2))
        at = (np.arange(span.start, span.stop, dtype=np.float32) - np.float32(middle)) / np.float32(radius)
        at = at.reshape([-1 if each == axis else 1 for each in range(3)])
        box.append(span)
        axes.append(np.sin(BUMPS * at + np.float32(phase * (axis + 1))))
        total = total + at * at
    bumps = axes[0] * axes[1] + axes[1] * axes[2] + axes[2] * axes[0]
    volume[tuple(box)][total < (1 + np.float32(BUMP) * bumps) ** 2] = label


def structures(shape: Shape, *, predicted: bool) -> np.ndarray:
    """Draw 117 structures from the size of a vessel to a liver's; the prediction's are moved a little."""
    random = np.random.default_rng(SEED)
    volume = np.zeros(shape, np.uint8, order="F")
    cells = list(product(*map(range, CT_CELLS)))
    for label, cell in enumerate(cells[:CT_LABELS], 1):
        size = [n / parts for n, parts in zip(shape, CT_CELLS, strict=True)]
        half = [each * 0.15 * 4.0 ** random.random() for each in size]
        middle = [(at + random.uniform(0.4, 0.6)) * each for at, each in zip(cell, size, strict=True)]
        step = random.integers(-2, 3, 3).tolist()
        centre = [at + by * predicted for at, by in zip(middle, step, strict=True)]
        blob(volume, label, centre, half, label + 0.25 * predicted)
    return volume


def sheets(side: int, *, predicted: bool) -> np.ndarray:
    """Draw a wavy sheet; the prediction's lies 200 of 256 voxels further along the last axis."""
    first, second, third = np.ogrid[:side, :side, :side]
    waves = 2 * np.sin(first / 11) + 2 * np.sin(second / 17 + 1.5 * predicted)
    start = 6 + APART * side * predicted + waves
    return np.asfortranarray((third >= start) & (third < start + THICK)).astype(np.uint8, order="F")


def salt(side: int, *, predicted: bool) -> np.ndarray:
    """Draw single voxels, 2 % of all; the two sides know nothing of each other."""
    random = np.random.default_rng((SEED, predicted))
    return np.asfortranarray(random.random((side, side, side), np.float32) < SALT).astype(np.uint8, order="F")


def gyroid(side: int, *, predicted: bool) -> np.ndarray:
    """Draw one half of a space parted by a gyroid; the prediction's surface lies up to 9 voxels away."""
    first, second, third = (2 * np.pi / PERIOD * axis for axis in np.ogrid[:side, :side, :side])
    value = np.sin(first) * np.cos(second) + np.sin(second) * np.cos(third) + np.sin(third) * np.cos(first)
    return np.asfortranarray(value > (LEVEL if predicted else -LEVEL)).astype(np.uint8, order="F")


#: What is drawn for each part, the size of what, and the millimetres of a voxel.
PARTS: dict[str, tuple[Callable[..., np.ndarray], str, tuple[float, float, float]]] = {
    "surfaces": (organs, "volume", (0.7, 0.7, 1.0)),
    "surfaces-ct": (structures, "ct", (0.7, 0.7, 1.0)),
    "surfaces-apart": (sheets, "cube", (1.0, 1.0, 1.0)),
    "surfaces-salt": (salt, "cube", (1.0, 1.0, 1.0)),
    "surfaces-gyroid": (gyroid, "cube", (1.0, 1.0, 1.0)),
}
