"""How time and memory grow with the size of a volume and with its number of labels."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from contests import DICECLI, Entrant, peer, scoring
from report import summed_up
from sizes import FULL, QUICK

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from processes import Run

    Runner = Callable[[tuple[Entrant, ...]], dict[str, list[Run]]]

LABELS_OF_SIZES = 4
OTHER = "SimpleITK"
_PANELS = (
    ("size", "voxels", "seconds", "seconds"),
    ("labels", "labels", "seconds", "seconds"),
    ("size", "voxels", "peak_mb", "peak memory, MB"),
    ("labels", "labels", "peak_mb", "peak memory, MB"),
)


def points(run: Runner, *, quick: bool) -> list[dict[str, Any]]:
    """Measure every size and every number of labels."""
    sizes = QUICK if quick else FULL
    plan = [(f"size{n}", shape, LABELS_OF_SIZES) for n, shape in enumerate(sizes.shapes)]
    plan += [(f"labels{n}", sizes.many_labels, labels) for n, labels in enumerate(sizes.labels)]
    found = []
    for name, shape, labels in plan:
        for who, runs in run(entrants(name, labels)).items():
            row = summed_up(who, runs, runs)
            voxels = math.prod(shape)
            found.append({"series": name.rstrip("0123456789"), "voxels": voxels, "labels": labels, **row})
    return found


def entrants(name: str, labels: int) -> tuple[Entrant, ...]:
    """Return who scores one pair of volumes."""
    paths = (f"{name}_prediction.nii.gz", f"{name}_reference.nii.gz")
    return (
        scoring(paths, DICECLI),
        peer(OTHER, "with_simpleitk.py", (*paths, str(labels)), "SimpleITK"),
    )


def draw(measured: list[dict[str, Any]], path: Path) -> None:
    """Draw time and memory over size and over labels, on logarithmic axes."""
    import matplotlib as mpl

    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(2, 2, figsize=(8, 5.6), sharex="col", sharey="row", layout="constrained")
    for axis, (series, across, upwards, title) in zip(axes.flat, _PANELS, strict=True):
        for name in dict.fromkeys(each["name"] for each in measured):
            mine = [each for each in measured if each["series"] == series and each["name"] == name]
            axis.plot(
                [each[across] for each in mine], [each[upwards] for each in mine], marker="o", label=name
            )
        axis.set(xscale="log", yscale="log")
        axis.grid(visible=True, which="major", alpha=0.3)
        if series == "size":
            axis.set_ylabel(title)
        if upwards == "peak_mb":
            axis.set_xlabel(across)
    axes[0, 0].set_title("four labels, uint8")
    axes[0, 1].set_title("26 million voxels, uint16")
    axes[0, 0].legend()
    figure.savefig(path, dpi=110)
    plt.close(figure)
