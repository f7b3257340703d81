"""A folder of small masks, tables and results, as command lines need them, which becomes again what it was."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import make
import numpy as np
from streams import runner

from dicecli.cli import cli

LEGEND = {"labels": {"0": "background", "1": "liver", "2": "tumour"}, "regions": {"both": [1, 2]}}
PAIRS = "prediction,reference,case,group,site\np/a.png,r/a.png,a,g,x\np/b.png,r/b.png,b,h,\np/c.png,r/c.png,c,h,y\n"
POINTS = "x,y,class\n600005,5799995,1\n600025,5799985,2\n600015,5799965,0\n600055,5799945,1\n"
AREAS = "label,pixels\n0,30\n1,40\n2,30\n"
MATRIX = "reference,name,0,1,2\n0,background,30,4,1\n1,liver,3,40,2\n2,tumour,1,2,33\n"
GEOJSON = {
    "type": "FeatureCollection",
    "features": [
        {
            "type": "Feature",
            "geometry": {"type": "Point", "coordinates": [10.46796 + n / 8e3, 52.34110 - n / 2e4]},
            "properties": {"class": n},
        }
        for n in range(3)
    ],
}
CONFIGURATION = (
    'average = "micro"\nmetric = ["dice", "iou"]\nundefined = "zero"\njobs = 1\nfail-under = ["dice=0.1"]\n'
)

#: How the results are made that stand in the folder: a name, and the command that writes them.
RUNS = {
    "score.json": "score a.png b.png -o score.json",
    "single.json": "score v.nii.gz w.nii.gz -m boundary -m centre_distance,all --tolerance 1mm --region both=1,2 "
    "--ignore-label 3 -o single.json",
    "batch.json": "batch --pairs pairs.csv --labels labels.json --group-by site --fail-under dice=0.9 -o batch.json",
    "slices.json": "batch p r --per-slice s.csv --only 1,2 -m dice,mcc -o slices.json",
    "later.json": "batch p r --baseline batch.json --max-drop 0.01 --average micro -o later.json",
    "soft.json": "soft map.npy a.png -o soft.json",
    "softs.json": "batch --soft soft q --independent --channels 1 -o softs.json",
    "points.json": "points a.tif points.csv --missing skip -o points.json",
    "geo.json": "score a.tif b.tif --nodata ignore -m dice,volume_reference_mm3 -o geo.json",
    "confusion.json": "score a.png b.png --confusion confusion.json",
    "confusion.csv": "score a.png b.png --confusion confusion.csv",
    "schema1.json": "",
}
RECORDS = tuple(name for name in RUNS if name.endswith(".json") and "confusion" not in name)


def laid(folder: Path) -> Path:
    """Write all of it into a folder that is empty, and return the folder."""
    one, other = make.blobs((6, 7), 3, 1), make.blobs((6, 7), 3, 2)
    for name in ("p", "r", "soft", "q"):
        (folder / name).mkdir()
    make.png(folder / "a.png", one)
    make.png(folder / "b.png", other)
    make.png(folder / "ones.png", np.ones((6, 7), np.uint8))
    make.png(folder / "roi.png", (other > 0).astype(np.uint8))
    make.png(folder / "colour.png", np.array([[0, 0, 0], [221, 130, 101]], np.uint8)[(one > 0).astype(int)])
    make.png(folder / "palette.png", one, palette=[0, 0, 0, 221, 130, 101, 144, 238, 144])
    (folder / "broken.png").write_bytes((folder / "a.png").read_bytes()[:50])
    for seed, name in enumerate("abc"):
        make.png(folder / "p" / f"{name}.png", make.blobs((6, 7), 3, seed))
        make.png(folder / "r" / f"{name}.png", make.blobs((6, 7) if name < "c" else (5, 7), 3, seed + 5))
        make.png(folder / "q" / f"{name}.png", (make.blobs((6, 7), 3, seed) > 0).astype(np.uint8))
        np.save(folder / "soft" / f"{name}.npy", np.random.default_rng(seed).random((6, 7, 1), np.float32))
    share = np.random.default_rng(0).random((6, 7, 3), np.float32) + 0.1
    np.save(folder / "map.npy", share / share.sum(axis=2, keepdims=True))
    np.save(folder / "two.npy", np.stack([share[..., 0] / 2, 1 - share[..., 0] / 2], axis=2))
    _volumes_and_maps(folder)
    for name, text in (
        ("labels.json", json.dumps(LEGEND)),
        ("pairs.csv", PAIRS),
        ("points.csv", POINTS),
        ("areas.csv", AREAS),
        ("matrix.csv", MATRIX),
        ("points.geojson", json.dumps(GEOJSON)),
        ("lut.txt", "0 background 0 0 0 0\n1 liver 221 130 101 0\n2 tumour 144 238 144 0\n"),
    ):
        (folder / name).write_text(text, encoding="utf-8")
    _results(folder)
    return folder


def _volumes_and_maps(folder: Path) -> None:
    """Write NIfTI volumes, of labels and of probabilities, and GeoTIFFs of one place."""
    affine = np.diag([1.0, 1.5, 2.0, 1.0])
    for name, seed in (("v", 1), ("w", 2)):
        make.nifti(folder / f"{name}.nii.gz", make.blobs((6, 5, 4), 3, seed), affine=affine)
    share = np.random.default_rng(0).random((6, 5, 4, 3), np.float32) + 0.1
    make.nifti(folder / "map.nii.gz", share / share.sum(axis=3, keepdims=True), affine=affine)
    for name, seed in (("a", 1), ("b", 2)):
        make.geotiff(folder / f"{name}.tif", make.blobs((6, 7), 3, seed), nodata=0)


def _results(folder: Path) -> None:
    """Run the program for each of the results; schema 1's is one that an old version wrote."""
    before = Path.cwd()
    os.chdir(folder)
    try:
        for name, line in RUNS.items():
            found = runner().invoke(cli, line.split()) if line else None
            old = Path(__file__).parents[1] / "reports" / "records" / "batch.json"
            if found is None:
                shutil.copyfile(old, name)
            elif not Path(name).is_file():
                raise AssertionError(f"{line}: {found.output}{found.stderr}")
        Path("s.csv").unlink()
    finally:
        os.chdir(before)


class Desk:
    """The folder, and how it was; :meth:`reset` makes it so again."""

    def __init__(self, folder: Path) -> None:
        self.folder = laid(folder)
        self._contents = {path: path.read_bytes() for path in self._files()}
        self._folders = {path for path in folder.rglob("*") if path.is_dir()}
        self._stats = {path: _stat(path) for path in self._contents}

    def _files(self) -> list[Path]:
        found: list[Path] = []
        for at, _, names in os.walk(self.folder):
            found += [Path(at, name) for name in names]
        return found

    def reset(self) -> list[str]:
        """Take away what is new, write again what is not as it was; return the names of both, sorted."""
        changed = []
        for path in self._files():
            if path not in self._contents:
                path.unlink()
                changed.append(path.name)
        for path, content in self._contents.items():
            if not path.is_file() or path.is_symlink() or _stat(path) != self._stats[path]:
                path.write_bytes(content)
                self._stats[path] = _stat(path)
                changed.append(path.name)
        for path in sorted(self.folder.rglob("*"), reverse=True):
            if path.is_dir() and path not in self._folders:
                path.rmdir()
        return sorted(changed)


def _stat(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_mtime_ns, found.st_size, found.st_ino
