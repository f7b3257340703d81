"""What is run against what, and what is wanted of it."""

from __future__ import annotations

import csv
import io
import json
import statistics
import sys
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from processes import command_of

if TYPE_CHECKING:
    from collections.abc import Callable

#: By label, or by what else is compared of it.
Scores = dict[int, float] | dict[str, float]

PEERS = Path(__file__).with_name("peers")
DICECLI = "dicecli"
VOLUMES = ("prediction.nii.gz", "reference.nii.gz")
RASTERS = ("prediction.tif", "reference.tif")
FOLDERS = ("predictions", "references")


@dataclass(frozen=True)
class Entrant:
    """One way to do the work.

    Attributes
    ----------
    name : str
    command : tuple of str
        Run in the folder of the data.
    scores : callable, optional
        Takes what the command printed, and gives the Dice of each label, or what else all compute.
    convention : str
        Only those of one convention compute the same numbers.
    tolerance : float
        How far, in numbers above 1 as a share, its scores may be from those of the first of its convention.
    is_slow : bool
        Run in the first round alone.
    cores : int, optional
        Kept to so many processors.
    needs : tuple of str
        Modules without which it is left out.
    """

    name: str
    command: tuple[str, ...]
    scores: Callable[[str], Scores] | None = None
    is_slow: bool = False
    cores: int | None = None
    needs: tuple[str, ...] = ()
    convention: str = ""
    tolerance: float = 1e-6

    @property
    def missing(self) -> list[str]:
        """The modules that it needs and that are not installed."""
        return [name for name in self.needs if find_spec(name) is None]


@dataclass(frozen=True)
class Limit:
    """What one entrant is held to.

    Attributes
    ----------
    kind : {"faster", "slower", "memory", "seconds"}
        At least `value` times as fast as `peer`; at most `value` times the time of `peer`; below `value` MB;
        at most `value` seconds.
    """

    kind: Literal["faster", "slower", "memory", "seconds"]
    value: float
    peer: str = ""
    name: str = DICECLI


@dataclass(frozen=True)
class Contest:
    """Entrants that do the same work on the same data."""

    title: str
    entrants: tuple[Entrant, ...]
    limits: tuple[Limit, ...] = ()
    #: Rounds for each one that is asked for: short processes are measured more often.
    repeats: int = 1
    notes: tuple[str, ...] = field(default=())


def contests() -> dict[str, Contest]:
    """Return every contest by the name of its data."""
    return {
        "help": _help(),
        "two-png": _two_png(),
        "png": _png(),
        "few-png": _few_png(),
        "large-png": _large_png(),
        "volume": _volume(),
        "geotiff": _geotiff(),
        "large-geotiff": _large_geotiff(),
        "sparse": _sparse(),
    }


TWO_JOBS, TWO_CORES = "dicecli, two jobs", "dicecli, two cores"
DEFAULT_JOBS = "dicecli, as many jobs as it chooses"
_OF_JOBS = "The processor's seconds and the memory of two jobs are those of the first process alone."

#: The folder of data for each contest, where it has another name.
DATA = {"help": "startup", "two-png": "startup"}


def from_json(text: str) -> Scores:
    """Read what a peer printed."""
    return {int(label): float(value) for label, value in json.loads(text).items()}


def from_csv(text: str) -> Scores:
    """Take the mean of each label's Dice over the cases of dicecli's CSV."""
    found: dict[int, list[float]] = {}
    for row in csv.DictReader(io.StringIO(text)):
        if row["label"] and row["dice"]:
            found.setdefault(int(row["label"]), []).append(float(row["dice"]))
    return {label: statistics.fmean(values) for label, values in found.items()}


def from_record(text: str) -> Scores:
    """Take the Dice of each label from dicecli's JSON of one case."""
    return {row["label"]: row["dice"] for row in json.loads(text)["cases"][0]["labels"]}


def scoring(paths: tuple[str, str], name: str = DICECLI, cores: int | None = None) -> Entrant:
    """Return dicecli, scoring one pair."""
    command = (*command_of(DICECLI), "score", *paths, "-f", "csv", "-q")
    return Entrant(name, command, from_csv, cores=cores)


def peer(name: str, script: str, arguments: tuple[str, ...], *needs: str, is_slow: bool = False) -> Entrant:
    """Return a peer's script; the last of three arguments is the number of labels, and then it scores."""
    scores = from_json if len(arguments) == 3 else None
    return Entrant(
        name, (sys.executable, str(PEERS / script), *arguments), scores, is_slow=is_slow, needs=needs
    )


def importing(modules: str) -> Entrant:
    """Return a Python that imports some modules and does nothing with them."""
    statement = f"import {modules}"
    return Entrant(f'python -c "{statement}"', (sys.executable, "-c", statement))


def _help() -> Contest:
    entrants = (Entrant("dicecli --help", (*command_of(DICECLI), "--help")), importing("click"))
    limit = Limit("slower", 2, entrants[1].name, entrants[0].name)
    return Contest("Start-up: the help", entrants, (limit,), repeats=7)


def _two_png() -> Contest:
    pair = tuple(f"{folder}/mask.png" for folder in FOLDERS)
    command = (*command_of(DICECLI), "score", *pair, "-f", "json")
    entrants = (
        Entrant(DICECLI, command, from_record),
        importing("numpy, click, PIL.Image"),
        peer("Pillow + NumPy, four masks per label", "png_with_numpy.py", (*FOLDERS, "2")),
    )
    limit = Limit("slower", 2.5, entrants[1].name)
    return Contest("Start-up: two PNG of 256 x 256, as JSON", entrants, (limit,), repeats=7)


def _png() -> Contest:
    decoding = peer("Pillow, decoding alone", "decoding_png.py", FOLDERS)
    peers = (decoding, peer("Pillow + NumPy, four masks per label", "png_with_numpy.py", (*FOLDERS, "4")))
    limits = (Limit("slower", 1.6, decoding.name), Limit("slower", 0.75, DICECLI, TWO_JOBS))
    return Contest("PNG pairs of 512 x 512, four labels", (*_jobs(), *peers), limits, notes=(_OF_JOBS,))


def _few_png() -> Contest:
    command = (*command_of(DICECLI), "batch", *FOLDERS, "-f", "csv", "-q")
    entrants = (
        Entrant(DICECLI, (*command, "--jobs", "1"), from_csv),
        Entrant(DEFAULT_JOBS, command, from_csv),
    )
    limits = (Limit("slower", 1.05, DICECLI, DEFAULT_JOBS),)
    return Contest("Six PNG pairs of 512 x 512, four labels", entrants, limits, repeats=7)


def _large_png() -> Contest:
    limits = (Limit("faster", 1.7, DICECLI, TWO_JOBS),)
    return Contest("PNG pairs of 3,072 x 3,072, four labels", _jobs(), limits, notes=(_OF_JOBS,))


def _jobs() -> tuple[Entrant, Entrant]:
    """Return dicecli over two folders, with one job and with two."""
    command = (*command_of(DICECLI), "batch", *FOLDERS, "-f", "csv", "-q", "--jobs")
    return Entrant(DICECLI, (*command, "1"), from_csv), Entrant(TWO_JOBS, (*command, "2"), from_csv)


def _volume() -> Contest:
    arguments = (*VOLUMES, "4")
    sitk, masks = "SimpleITK LabelOverlapMeasures", "nibabel + NumPy, four masks per label"
    one_hot, maps = "MONAI DiceMetric, one-hot", "MONAI DiceMetric, label maps"
    slow = [
        peer("scikit-learn f1_score", "with_scikit_learn.py", arguments, "sklearn", is_slow=True),
        peer(one_hot, "with_monai.py", arguments, "monai", "torch", is_slow=True),
        peer(maps, "with_monai_label_maps.py", arguments, "monai", "torch", is_slow=True),
        peer(
            "torchmetrics DiceScore", "with_torchmetrics.py", arguments, "torchmetrics", "torch", is_slow=True
        ),
    ]
    entrants = (
        scoring(VOLUMES),
        peer(sitk, "with_simpleitk.py", arguments, "SimpleITK"),
        peer(masks, "with_numpy.py", arguments),
        peer("per label, as nnU-Net's evaluator", "per_label.py", arguments, "SimpleITK"),
        *slow,
    )
    limits = (
        Limit("faster", 2.5, sitk),
        Limit("faster", 5, masks),
        Limit("faster", 50, one_hot),
        Limit("faster", 50, maps),
        Limit("memory", 150),
    )
    return Contest("A pair of .nii.gz volumes, four labels", entrants, limits)


def _geotiff() -> Contest:
    reading = peer("rasterio, reading alone, one thread", "reading_geotiff.py", RASTERS)
    entrants = (
        scoring(RASTERS, cores=1),
        scoring(RASTERS, TWO_CORES, cores=2),
        Entrant(reading.name, reading.command, cores=1),
        peer("rasterio + NumPy, two masks per label", "geotiff_with_numpy.py", (*RASTERS, "7")),
    )
    limits = (
        Limit("slower", 1.5, reading.name),
        Limit("memory", 300),
        Limit("faster", 1.7, DICECLI, TWO_CORES),
    )
    note = "dicecli and rasterio's reading are kept to one core each."
    return Contest("A pair of deflate GeoTIFF, land cover, eight labels", entrants, limits, notes=(note,))


def _large_geotiff() -> Contest:
    entrants = (scoring(RASTERS, cores=1), scoring(RASTERS, TWO_CORES, cores=2))
    limits = (Limit("memory", 300), Limit("faster", 1.7, DICECLI, TWO_CORES))
    return Contest(
        "A larger pair of deflate GeoTIFF", entrants, limits, notes=("The first is kept to one core.",)
    )


def _sparse() -> Contest:
    entrants = (
        scoring(RASTERS),
        peer("rasterio, reading alone, one thread", "reading_geotiff.py", RASTERS, is_slow=True),
        peer("rasterio + NumPy, two masks per label", "geotiff_with_numpy.py", (*RASTERS, "4"), is_slow=True),
    )
    return Contest("A pair of sparse GeoTIFF", entrants, (Limit("memory", 400),))
