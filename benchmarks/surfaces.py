"""The contests of surfaces: HD95, ASSD and NSD at 1 mm of every label."""

from __future__ import annotations

import csv
import io
import json

from contests import DICECLI, VOLUMES, Contest, Entrant, Limit, Scores, peer
from processes import command_of

ONE_CORE = "dicecli, one core"
CORNERS = "dicecli, corners"
COUNTING = "dicecli, counting alone"
TREE = "NumPy + SciPy KD-tree"
TRANSFORMS = "surface-distance's way"
MONAI = "MONAI"
METRICS = ("-m", "hd95", "-m", "assd", "-m", "nsd", "--tolerance", "1mm")
COLUMNS = {"hd95_mm": "hd95", "assd_mm": "assd", "nsd_1mm": "nsd"}
RIMS, AREAS = "rims", "areas of corners"
_OF_WAY = (
    "surface-distance does not import on NumPy 2: its way is written anew, and held against dicecli's "
    "corners; all others go by rims. MONAI, in float32, is held to 1e-5, the others to 1e-6."
)
_OF_OTHERS = "MedPy and MetricsReloaded take minutes and are left out."
_OF_CORES = "Both are kept to one core; dicecli alone runs on all of them too."


def contests() -> dict[str, Contest]:
    """Return every contest of surfaces by the name of its data."""
    return {
        "surfaces": _four_labels(),
        "surfaces-ct": _whole_ct(),
        "surfaces-apart": _hard("Surfaces 200 mm apart, 256 x 256 x 256"),
        "surfaces-salt": _hard("2 % of all voxels, scattered, 256 x 256 x 256"),
        "surfaces-gyroid": _hard("Gyroids up to 9 mm apart, 256 x 256 x 256"),
    }


def from_columns(text: str) -> Scores:
    """Take what is compared from dicecli's CSV: each label's value of each metric."""
    return {
        f"{row['label']} {name}": float(row[column])
        for row in csv.DictReader(io.StringIO(text))
        if row["label"]
        for column, name in COLUMNS.items()
    }


def from_names(text: str) -> Scores:
    """Read what a peer printed."""
    return {name: float(value) for name, value in json.loads(text).items()}


def measuring(
    name: str = DICECLI, *switches: str, cores: int | None = None, convention: str = RIMS
) -> Entrant:
    """Return dicecli, measuring the surfaces of one pair."""
    command = (*command_of(DICECLI), "score", *VOLUMES, "-f", "csv", "-q", *METRICS, *switches)
    return Entrant(name, command, from_columns, cores=cores, convention=convention)


def _peer(
    name: str,
    script: str,
    labels: int,
    *needs: str,
    is_slow: bool = False,
    cores: int | None = None,
    convention: str = RIMS,
    tolerance: float = 1e-6,
) -> Entrant:
    """Return a peer's script that prints as `from_names` reads."""
    command = peer(name, script, (*VOLUMES, str(labels))).command
    return Entrant(name, command, from_names, is_slow, cores, ("scipy", *needs), convention, tolerance)


def _four_labels() -> Contest:
    corner = ("--surface", "corner", "--percentile-rule", "step")
    way = "surfaces_by_transforms.py"
    entrants = (
        measuring(),
        measuring(ONE_CORE, "--jobs", "1", cores=1),
        measuring(CORNERS, *corner, convention=AREAS),
        _peer(TREE, "surfaces_with_kd_tree.py", 4),
        _peer(TRANSFORMS, way, 4, convention=AREAS, is_slow=True),
        _peer(MONAI, "surfaces_with_monai.py", 4, "monai", "torch", is_slow=True, tolerance=1e-5),
    )
    limits = (
        Limit("seconds", 0.6),
        Limit("memory", 150),
        Limit("faster", 20, TRANSFORMS),
        Limit("faster", 60, MONAI),
        Limit("slower", 1, TREE),
    )
    title = "HD95, ASSD and NSD of four labels, .nii.gz of 512 x 512 x 400"
    return Contest(title, entrants, limits, notes=(_OF_WAY, _OF_OTHERS))


def _whole_ct() -> Contest:
    counting = (*command_of(DICECLI), "score", *VOLUMES, "-f", "csv", "-q")
    entrants = (
        measuring(),
        Entrant(COUNTING, counting),
        _peer(TREE, "surfaces_with_kd_tree.py", 117, is_slow=True),
    )
    limits = (Limit("slower", 3, COUNTING), Limit("memory", 300), Limit("slower", 1, TREE))
    return Contest("The same of 117 labels", entrants, limits)


def _hard(title: str) -> Contest:
    entrants = (
        measuring(ONE_CORE, "--jobs", "1", cores=1),
        measuring(),
        _peer(TREE, "surfaces_with_kd_tree.py", 1, cores=1),
    )
    return Contest(title, entrants, (Limit("slower", 1, TREE, ONE_CORE),), notes=(_OF_CORES,))
