"""Draw boundary.png beside this file: what is a surface of a small mask, and what is measured between two.

With matplotlib::

    python docs/boundary.py [--plot FILE]
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._surfaces.nearest import Tree
from dicecli.statistics._surfaces.rims import corner_points, rim_points

if TYPE_CHECKING:
    from matplotlib.axes import Axes

REFERENCE = """
............
...######...
..########..
.##########.
.####..####.
.####..####.
.##########.
..########..
....####....
............
"""
PREDICTION = """
............
....######..
...########.
..#########.
..#########.
..#########.
..#########.
...######...
....##......
............
"""
TOLERANCE = 1.0
#: One colour for each side, and for what is within the tolerance and beyond it.
OURS, THEIRS, NEAR, FAR = "#0072b2", "#d55e00", "#009e73", "#cc3311"


def mask(text: str) -> np.ndarray:
    """Return the pixels of a drawing, uint8, 1 for ``#``."""
    return np.array([[each == "#" for each in line] for line in text.split()], np.uint8)


def rim(codes: np.ndarray) -> np.ndarray:
    """Return the rim of an image by faces, int64 ``(n, 2)``: rows and columns."""
    index, _ = rim_points(codes, slice(0, len(codes)), first=True, last=True, start=0, rim="face")
    return np.stack(np.unravel_index(index, codes.shape), axis=1)


def corners(codes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the corners of an image, ``(n, 2)``, and as bits which of the four pixels around are set."""
    whole = slice(0, len(codes))
    index, _, is_set, _ = corner_points(codes, whole, first=True, last=True, start=0)
    return np.stack(np.unravel_index(index, tuple(n + 1 for n in codes.shape)), axis=1), is_set


def lines(codes: np.ndarray) -> list[np.ndarray]:
    """Return the lines whose lengths are the weights of corners, each ``(2, 2)``: rows and columns."""
    around = [(-0.5, -0.5), (-0.5, 0.5), (0.5, 0.5), (0.5, -0.5)]
    found = []
    for corner, bits in zip(*corners(codes), strict=True):
        inside = [bool(bits & bit) for bit in (8, 4, 1, 2)]
        crossed = [at for at in range(4) if inside[at - 1] != inside[at]]
        middles = [np.add(around[at - 1], around[at]) / 2 for at in crossed]
        found += [np.array(pair) + corner - 0.5 for pair in zip(middles[::2], middles[1::2], strict=True)]
    return found


def draw(path: Path) -> None:
    """Draw the three pictures into one."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(10.5, 3.5), layout="constrained")
    first, second, third = figure.subplots(1, 3)
    reference, prediction = mask(REFERENCE), mask(PREDICTION)
    _draw_pixels(first, reference, "--surface voxel: the rim")
    first.plot(*rim(reference).T[::-1], "o", color=OURS, markersize=5)
    _draw_pixels(second, reference, "--surface corner: corners, and lengths")
    for line in lines(reference):
        second.plot(*line.T[::-1], color=OURS, linewidth=1.2)
    second.plot(*(corners(reference)[0].T[::-1] - 0.5), "s", color=OURS, markersize=3.5)
    _draw_distances(third, reference, prediction)
    figure.savefig(path, dpi=100)


def _draw_pixels(axes: Axes, codes: np.ndarray, title: str) -> None:
    """Draw an image as grey pixels."""
    axes.imshow(codes, cmap="Greys", vmax=4)
    axes.set_title(title, fontsize=9.5)
    axes.set_xticks(np.arange(codes.shape[1] + 1) - 0.5, labels=[])
    axes.set_yticks(np.arange(codes.shape[0] + 1) - 0.5, labels=[])
    axes.grid(color="white", linewidth=0.8)
    axes.tick_params(length=0)


def _draw_distances(axes: Axes, reference: np.ndarray, prediction: np.ndarray) -> None:
    """Draw both rims, and the way from each point of the reference's to the nearest of the prediction's."""
    theirs, ours = rim(reference), rim(prediction)
    distances = Tree(ours.astype(np.int32)).nearest(Tree(theirs.astype(np.int32)), (1.0, 1.0))
    within = (distances <= TOLERANCE).sum()
    _draw_pixels(axes, reference, f"to_prediction: {within} of {len(theirs)} distances are at most 1")
    for point, distance in zip(theirs, distances, strict=True):
        nearest = ours[np.isclose(np.hypot(*(ours - point).T), distance).argmax()]
        colour = NEAR if distance <= TOLERANCE else FAR
        axes.plot(*np.array([point, nearest]).T[::-1], color=colour, linewidth=1.8)
    axes.plot(*theirs.T[::-1], "o", color=OURS, markersize=5, label="reference")
    axes.plot(*ours.T[::-1], "o", color=THEIRS, markersize=3, label="prediction")
    axes.plot([], [], color=NEAR, label="at most 1")
    axes.plot([], [], color=FAR, label="more")
    axes.legend(fontsize=8, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=4, frameon=False)


def main() -> None:
    """Draw."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--plot", type=Path, default=Path(__file__).with_suffix(".png"))
    draw(parser.parse_args().plot)


if __name__ == "__main__":
    main()
