"""Hold what masks really take of memory against --max-memory: each kind of file, in a process of its own.

A process scores a small case of a kind, forgets its peak, and scores the large one under a limit: what it grew by at the
most, shared among the masks, is what one has taken. A kind that is refused is scored once more with what it was refused
for. Run: ``python tests/endurance/measure_memory.py [--only WORD] [--limit 24]``; it ends with 1 where a mask took more
than a third above the limit, or was refused although it takes less than two thirds of what it was refused for.
The file is long because it is a table, and what writes each row's files.
"""

from __future__ import annotations

import argparse
import ctypes
import gc
import json
import re
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))

import make
import numpy as np

MIB = 1 << 20
#: What a run takes beside the masks: windows do not shrink to nothing, and freed memory is kept.
BESIDE = 12 * MIB
_COLOURS = np.array([[0, 0, 0], [200, 0, 0], [0, 200, 0], [90, 90, 10]], np.uint8)
_SCHEME = {
    "labels": {str(n): str(n) for n in range(4)},
    "colours": {str(n): "#{:02x}{:02x}{:02x}".format(*each) for n, each in enumerate(_COLOURS.tolist())},
}
_TILES = {"tiled": True, "blockxsize": 256, "blockysize": 256}
_INSPECTED = (
    *(
        "PNG grey, 8 bit",
        "PNG grey, 16 bit",
        "PNG RGB, 8 bit",
        ".nii.gz i4",
        ".nii f4",
        ".nii.gz f4, argmax of 4",
    ),
    *("TIFF lzw tiles", "TIFF one deflate strip", "TIFF f4 tiles", "TIFF colours", "TIFF 20 lzw pages"),
    *("TIFF f4, argmax of 4 bands", "npy C f4", "npy F f4", "npy C f8, 16 channels", "TIFF f4, 8 bands"),
)
_HUGE = {"tiled": True, "blockxsize": 4096, "blockysize": 4096}


class Kind(NamedTuple):
    """A kind of case: what writes it with so many pixels a side, how many, what is held at once, and options.

    Where there are `words`, they are a command line, in which ``{0}`` and ``{1}`` are what was written. One that
    `is_hosts` is scored in a process that is not this project's own: GDAL keeps blocks there.
    """

    write: Any
    side: int
    masks: int = 2
    options: dict[str, Any] = {}  # noqa: RUF012 - none is changed
    words: str = ""
    is_hosts: bool = False


def png(folder, n, depth=8, colour=0, *, interlaced=False):
    """Write a PNG of any depth and colour type, as both sides."""
    image = make.blobs((n, n)) & (2**depth - 1 if depth < 8 else 255)
    if colour in {2, 6}:
        image = _COLOURS[image]
    if colour == 6:
        image = np.dstack([image, np.full((n, n), 255, np.uint8)])
    path = folder / "a.png"
    palette = bytes(range(12)) if colour == 3 else b""
    content = make.raw_png(image, depth=depth, colour=colour, palette=palette, is_interlaced=interlaced)
    path.write_bytes(content)
    return path, path


def nifti(folder, n, suffix=".nii.gz", dtype="u1", *, turned=False, channels=0, **more):
    """Write a NIfTI; `turned` has a prediction whose axes are in another order than the reference's."""
    array = make.blobs((n, n, n))
    path = make.nifti(folder / f"a{suffix}", array.astype(dtype), **more)
    if channels:
        scores = np.stack([(array == at) for at in range(channels)], axis=-1).astype(dtype)
        if dtype[0] != "f":
            layers = make.nifti(folder / f"s{suffix}", scores)
            return layers, layers
        return make.nifti(folder / f"s{suffix}", scores * 0.8 + 0.05), path
    affine = np.eye(4)[[2, 0, 1, 3]]
    return (
        make.nifti(folder / f"b{suffix}", array.astype(dtype), affine=affine, **more) if turned else path,
        path,
    )


def tif(folder, n, dtype="u1", *, colours=False, bands=0, pages=0, hidden=False, **more):
    """Write a TIFF, as both sides; of `bands` one for each label, or `pages` alike."""
    image = make.blobs((n, n))
    path = folder / "a.tif"
    if pages:
        from PIL import Image

        images = [Image.fromarray(image)] * pages
        images[0].save(path, save_all=True, append_images=images[1:], compression="tiff_lzw")
        return path, path
    if colours:
        more = {"photometric": "RGB"} | more
        image = np.moveaxis(_COLOURS[image], -1, 0)
    if bands:
        scores = np.stack([(image == at) for at in range(bands)]) * 0.8 + 0.2 / bands
        make.geotiff(folder / "r.tif", image, **_TILES)
        return make.geotiff(path, scores.astype(dtype), **more), folder / "r.tif"
    make.geotiff(path, image.astype(dtype), **more)
    if hidden:
        import rasterio

        with rasterio.Env(GDAL_TIFF_INTERNAL_MASK=True), rasterio.open(path, "r+") as dataset:
            dataset.write_mask(np.where(make.blobs((n, n)) == 3, 0, 255).astype(np.uint8))
    return path, path


def calm(folder, n, axes=2, suffix=".tif"):
    """Write a few large patches of 4 labels, moved by one pixel on the other side: little surface."""
    image = make.blobs((24,) * axes)
    for axis in range(axes):
        image = np.repeat(image, -(-n // 24), axis=axis)
    image = image[(slice(n),) * axes]
    return tuple(
        _written(folder / f"{name}{suffix}", array)
        for name, array in (("a", image), ("b", np.roll(image, 1, 0)))
    )


def many(folder, n, suffix=".tif", axes=2):
    """Write 4,000 labels, as both sides."""
    image = np.sort(np.random.default_rng(0).integers(0, 4000, n**axes)).astype(np.uint16)
    path = _written(folder / f"a{suffix}", image.reshape((n,) * axes))
    return path, path


def classes(folder, n, suffix=".nii.gz"):
    """Write a folder of 8 classes, a file each, as both sides."""
    labels = make.blobs((n,) * (3 if "nii" in suffix else 2), 8)
    (folder / "a").mkdir()
    for at in range(8):
        _written(folder / "a" / f"x_{at}{suffix}", (labels == at).astype(np.uint8))
    return folder / "a", folder / "a"


def tiled(folder, n, suffix=".tif"):
    """Write a raster, and 3 of the 4 tiles that it has in a folder."""
    image, half = make.blobs((n, n)), n // 2
    whole = make.geotiff(folder / "whole.tif", image, transform=(1, 0, 0, 0, -1, 0), **_TILES)
    (folder / "tiles").mkdir()
    for row, column in ((0, 0), (0, half), (half, 0)):
        tile = image[row : row + half, column : column + half]
        where = {"transform": (1, 0, column, 0, -1, -row)}
        make.geotiff(folder / "tiles" / f"{row}_{column}{suffix}", tile, **where, **_TILES)
    return folder / "tiles", whole


def part(folder, n):
    """Write a raster, and a window of it."""
    whole = make.geotiff(folder / "whole.tif", make.blobs((n, n)), **_TILES)
    most = n - n // 8
    return make.geotiff(folder / "part.tif", make.blobs((n, n))[:most, :most], **_TILES), whole


def sample(folder, n, **more):
    """Write a map, points all over it, and the matrix of a sample of it."""
    path = make.geotiff(folder / "a.tif", make.blobs((n, n)), transform=(1, 0, 0, 0, -1, 0), **more)
    places = np.random.default_rng(0).integers(0, n, (500, 2)) * [1, -1]
    rows = "\n".join(f"{x + 0.5},{y - 0.5},{y % 4}" for x, y in places.tolist())
    (folder / "points.csv").write_text(f"x,y,class\n{rows}\n", encoding="ascii")
    matrix = [f"{label},,5,5,5,5" for label in range(4)]
    (folder / "matrix.csv").write_text("\n".join(["reference,name,0,1,2,3", *matrix, ""]), encoding="ascii")
    return path, folder / "points.csv", folder / "matrix.csv"


def _written(path, array):
    if ".nii" in path.name:
        return make.nifti(path, array)
    return make.png(path, array) if path.suffix == ".png" else make.geotiff(path, array, **_TILES)


def npy(folder, n, channels=4, order="C", dtype="f4"):
    """Write an array of probabilities, and its reference."""
    labels = make.blobs((n, n))
    path = folder / "p.npy"
    values = np.full((n, n, channels), 0.25 / (channels - 1), dtype)
    for at in range(channels):
        values[..., at][labels == at] = 0.75
    np.save(path, np.asarray(values, order=order))
    return path, make.png(folder / "r.png", labels)


def kinds() -> dict[str, Kind]:
    """Return every kind, by name."""
    return (
        of_png()
        | of_nifti()
        | of_tif()
        | of_maps()
        | of_options()
        | of_surfaces()
        | of_commands()
        | of_hosts()
    )


def of_png() -> dict[str, Kind]:
    """Return the kinds of PNG."""
    found = {}
    named = {0: "grey", 2: "RGB", 3: "palette", 6: "RGB with alpha"}
    for colour, depth in [(0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (3, 2), (3, 8), (2, 8), (6, 8)]:
        for interlaced in (False, True):
            write = partial(png, depth=depth, colour=colour, interlaced=interlaced)
            options = {"labels": _SCHEME} if colour in {2, 6} else {}
            tail = ", interlaced" if interlaced else ""
            found[f"PNG {named[colour]}, {depth} bit{tail}"] = Kind(write, 4000, options=options)
    found["PNG against a field"] = Kind(png, 4000, options={"within": "reference"})
    return found


def of_nifti() -> dict[str, Kind]:
    """Return the kinds of NIfTI; a turned one has most of what is held."""
    found = {}
    for suffix in (".nii.gz", ".nii"):
        for dtype in ("u1", "i2", "i4", "i8", "f4", "f8"):
            found[f"{suffix} {dtype}"] = Kind(partial(nifti, suffix=suffix, dtype=dtype), 256)
            write = partial(nifti, suffix=suffix, dtype=dtype, turned=True)
            found[f"{suffix} {dtype}, turned"] = Kind(write, 256, 1)
        write = partial(nifti, suffix=suffix, dtype="i4", endianness=">")
        found[f"{suffix} i4, big-endian"] = Kind(write, 256)
        write = partial(nifti, suffix=suffix, dtype="f4", slope=2.0)
        found[f"{suffix} f4, scaled"] = Kind(write, 256)
        write = partial(nifti, suffix=suffix, dtype="f4", channels=4)
        found[f"{suffix} f4, argmax of 4"] = Kind(write, 160, 1, {"argmax": True})
        write = partial(nifti, suffix=suffix, dtype="u1", channels=4)
        found[f"{suffix} u1, 4 layers"] = Kind(write, 200)
    found[".hdr i4"] = Kind(partial(nifti, suffix=".hdr", dtype="i4"), 256)
    found[".nii.gz u1, hd95"] = Kind(nifti, 160, 1, {"metrics": ["hd95"]})
    return found


def of_tif() -> dict[str, Kind]:
    """Return the kinds of TIFF."""
    more: dict[str, dict[str, Any]] = {
        "strips": {},
        "tiles": _TILES,
        "big, i4": {"dtype": "i4", "BIGTIFF": "YES"},
    }
    more |= {f"{word} tiles": _TILES | {"compress": word} for word in ("deflate", "lzw", "zstd", "packbits")}
    more |= {"f4 tiles": _TILES | {"dtype": "f4"}, "one strip": {"blockysize": 4000}}
    more |= {f"one {word} strip": {"blockysize": 4000, "compress": word} for word in ("deflate", "lzw")}
    more |= {f"huge {word} tile": _HUGE | {"compress": word} for word in ("deflate", "lzw")}
    more |= {"internal mask": _TILES | {"hidden": True}, "20 lzw pages": {"pages": 20}}
    found = {f"TIFF {name}": Kind(partial(tif, **each), 4000) for name, each in more.items()}
    found["TIFF 20 lzw pages"] = found["TIFF 20 lzw pages"]._replace(side=1000)
    for name, each in {"colours": _TILES, "planar colours": _TILES | {"interleave": "band"}}.items():
        found[f"TIFF {name}"] = Kind(partial(tif, colours=True, **each), 4000, 2, {"labels": _SCHEME})
    found["TIFF tiles, 2 threads"] = Kind(partial(tif, **_TILES), 4000, 2, {"threads": 2})
    found["TIFF lzw tiles of 2048, 2 threads"] = Kind(
        partial(tif, tiled=True, blockxsize=2048, blockysize=2048, compress="lzw"), 4000, 2, {"threads": 2}
    )
    found["TIFF f4, argmax of 4 bands"] = Kind(
        partial(tif, dtype="f4", bands=4, **_TILES), 2000, 1, {"argmax": True}
    )
    return found


def of_maps() -> dict[str, Kind]:
    """Return the kinds of maps of probabilities, of which the reference takes little."""
    soft = {"soft": True}
    found = {f"npy {order} f4": Kind(partial(npy, order=order), 2000, 1, soft) for order in ("C", "F")}
    found["npy C f8, 16 channels"] = Kind(partial(npy, channels=16, dtype="f8"), 1500, 1, soft)
    found["TIFF f4, 8 bands"] = Kind(partial(tif, dtype="f4", bands=8, **_TILES), 2000, 1, soft)
    found[".nii.gz f4, 4 channels"] = Kind(partial(nifti, dtype="f4", channels=4), 160, 1, soft)
    return found


def of_options() -> dict[str, Kind]:
    """Return kinds of cases that options make."""
    tiles, score = partial(tif, **_TILES), "score {0} {1} --jobs 1"
    found = {
        "TIFF against a field": Kind(tiles, 4000, 2, {"within": "reference"}),
        ".nii.gz against a field": Kind(nifti, 256, 2, {"within": "reference"}),
        "a window of a TIFF": Kind(part, 4000, 2, {"window": True}),
        "PNG, per slice": Kind(png, 4000, words=f"{score} --per-slice {{folder}}/s.csv"),
        ".nii.gz, per slice": Kind(nifti, 256, words=f"{score} --per-slice {{folder}}/s.csv"),
        ".nii.gz, hd95 per slice": Kind(
            partial(calm, axes=3, suffix=".nii.gz"),
            256,
            1,
            words=f"{score} -m hd95 --per-slice {{folder}}/s.csv",
        ),
        "PNG of a palette, as colours": Kind(
            partial(png, depth=8, colour=3), 4000, 2, {"read_as": "index", "labels": _SCHEME}
        ),
    }
    batch = "batch {0} {1} --jobs 1 --executor serial --allow-same"
    for suffix, side in ((".png", 3000), (".nii.gz", 200), (".nii", 200), (".tif", 3000)):
        pattern = "{{case}}_{{label}}" + suffix
        words = f"{batch} --prediction-pattern {pattern} --reference-pattern {pattern}"
        found[f"a {suffix} for each class"] = Kind(partial(classes, suffix=suffix), side, words=words)
    found["tiles against a TIFF"] = Kind(tiled, 4000, words=batch)
    found["a TIFF against tiles"] = Kind(tiled, 4000, words="batch {1} {0} --jobs 1 --executor serial")
    for suffix, side, axes in ((".png", 3000, 2), (".tif", 4000, 2), (".nii.gz", 200, 3), (".nii", 200, 3)):
        found[f"{suffix} of 4,000 labels"] = Kind(partial(many, suffix=suffix, axes=axes), side)
    return found


def of_surfaces() -> dict[str, Kind]:
    """Return kinds whose surfaces are measured: in windows with a halo."""
    found = {}
    for metric in ("hd95", "nsd_2px", "boundary_iou", "boundary_f"):
        for suffix, side in ((".tif", 4000), (".png", 4000), (".nii.gz", 256)):
            axes = 3 if "nii" in suffix else 2
            if metric != "boundary_f" or axes == 2:
                # Points of a volume are most of what is held, and held against the limit for both sides.
                masks = 1 if axes == 3 and metric != "boundary_iou" else 2
                kind = Kind(
                    partial(calm, suffix=suffix, axes=axes),
                    side,
                    masks,
                    {"metrics": [metric], "spacing": "voxel"},
                )
                found[f"{suffix}, {metric}"] = kind
    found[".tif, hd95, 2 threads"] = found[".tif, hd95"]._replace(options={"metrics": ["hd95"], "threads": 2})
    return found


def of_commands() -> dict[str, Kind]:
    """Return what other commands do with one mask, or with a folder of them."""
    inspect, found = "inspect {0}", {}
    for name, kind in (of_png() | of_nifti() | of_tif() | of_maps()).items():
        if name in _INSPECTED:
            words = f"{inspect} --labels {{folder}}/scheme.json" if "labels" in kind.options else inspect
            found[f"inspect {name}"] = Kind(kind.write, kind.side, 1, words=words)
    found["inspect a folder"] = Kind(partial(classes, suffix=".tif"), 4000, 1, words=inspect)
    found["inspect two TIFF"] = Kind(partial(tif, **_TILES), 4000, 2, words="inspect {0} {1}")
    for name, more in {
        "tiles": _TILES,
        "lzw strips": {"compress": "lzw"},
        "one deflate strip": {"blockysize": 4000, "compress": "deflate"},
    }.items():
        write = partial(sample, **more)
        found[f"points, {name}"] = Kind(write, 4000, 1, words="points {0} {1}")
        found[f"area, {name}"] = Kind(write, 4000, 1, words="area {2} --areas {0}")
    return found


def of_hosts() -> dict[str, Kind]:
    """Return kinds of TIFF that a host's Python scores: large enough for GDAL's cache to show."""
    more: dict[str, dict[str, Any]] = {
        "tiles": _TILES,
        "lzw tiles": _TILES | {"compress": "lzw"},
        "lzw strips": {"compress": "lzw"},
        "one strip": {"blockysize": 6000},
        "tiles of 16": _TILES | {"blockxsize": 16, "blockysize": 16},
        "internal mask": _TILES | {"hidden": True},
    }
    found = {
        f"a host's TIFF {name}": Kind(partial(tif, dtype="u2", **each), 6000, is_hosts=True)
        for name, each in more.items()
    }
    found["a host's TIFF lzw tiles, 2 threads"] = found["a host's TIFF lzw tiles"]._replace(
        options={"threads": 2}
    )
    found["a host's TIFF colours"] = Kind(
        partial(tif, colours=True, **_TILES), 6000, 2, {"labels": _SCHEME}, is_hosts=True
    )
    found["a host's TIFF 20 lzw pages"] = Kind(partial(tif, pages=20), 1500, is_hosts=True)
    soft = {"soft": True}
    found["a host's TIFF f4, 8 bands"] = Kind(
        partial(tif, dtype="f4", bands=8, **_TILES), 2000, 1, soft, is_hosts=True
    )
    return found


def child(jobs: list[dict[str, Any]]) -> None:
    """Score a case of each job under its limit, and print what a mask took: JSON, a line for each."""
    from dicecli.runs.allocator import keep_freed_memory

    if not any(job["is_hosts"] for job in jobs):
        keep_freed_memory()
    for job in jobs:
        found = taken(job, job["limit"])
        if found["refused"] is not None:
            found["then"] = taken(job, found["refused"])
        print(json.dumps(found), flush=True)


def _called(job: dict[str, Any], paths: list[str], most: int) -> str:
    """Score one case, which may be refused for its memory: return the hint."""
    import dicecli
    from dicecli.errors import TooLarge

    options = dict(job["options"])
    call = dicecli.soft if options.pop("soft", False) else dicecli.score
    options |= {"within": paths[1]} if "within" in options else {}
    try:
        call(*paths, max_memory=most, **options)
    except TooLarge as error:
        return str(error.hint)
    return ""


def _commanded(job: dict[str, Any], paths: list[str], most: int) -> str:
    """Run a command, and return what it says where it is refused for its memory."""
    from click.testing import CliRunner

    from dicecli.cli import cli

    words = job["words"].format(*paths, folder=Path(paths[0]).parent).split()
    found = CliRunner().invoke(cli, [*words, "--no-config", "--max-memory", str(most)], terminal_width=500)
    if found.exit_code and "--max-memory" not in found.output:
        raise RuntimeError(found.output[-2000:])
    return found.output if found.exit_code else ""


def taken(job: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return how many bytes a mask of a job took at the most, and for how many it was refused."""
    from dicecli.records.limits import parse_bytes

    refused = None

    def run(paths: list[str], most: int) -> None:
        nonlocal refused
        found = (_commanded if job["words"] else _called)(job, paths, most)
        asked = re.findall(r"--max-memory (\w+)", found)  # that of the command line may be among them
        refused = max(map(parse_bytes, asked), default=None)

    run(job["small"], 1 << 40)
    gc.collect()
    ctypes.CDLL(None).malloc_trim(0)
    before = _status("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", encoding="ascii")
    run(job["large"], limit)
    return {"held": (_status("VmHWM") - before) // job["masks"], "refused": refused}


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text(encoding="ascii", errors="replace").splitlines()
    return next(int(line.split()[1]) << 10 for line in lines if line.startswith(f"{name}:"))


def measured(kinds: dict[str, Kind], limits: dict[str, int], scratch: Path) -> dict[str, dict[str, Any]]:
    """Measure some kinds in one process, and return by name what came of each."""
    jobs = []
    for number, (name, kind) in enumerate(kinds.items()):
        paths = []
        for side in (kind.side, 32):
            folder = scratch / f"{number}_{side}"
            folder.mkdir()
            (folder / "scheme.json").write_text(json.dumps(_SCHEME), encoding="ascii")
            paths.append([str(each) for each in kind.write(folder, side)])
        large, small = paths
        job = {
            "large": large,
            "small": small,
            "masks": kind.masks,
            "options": kind.options,
            "words": kind.words,
            "is_hosts": kind.is_hosts,
        }
        jobs.append(job | {"limit": limits[name]})
    words = [sys.executable, __file__, "--child", json.dumps(jobs)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr)
    return dict(zip(kinds, map(json.loads, done.stdout.splitlines()), strict=True))


def wrong(found: dict[str, Any], limit: int) -> str | None:
    """Say what does not hold of what came of a kind; None where all does."""
    then = found.get("then")
    allowed, held = (limit, found["held"]) if then is None else (found["refused"], then["held"])
    if then is not None and then["refused"] is not None:
        return f"refused with the {allowed:,} bytes that its hint allows"
    if held > allowed * 4 / 3 + BESIDE:
        return f"it took {held:,} bytes of {allowed:,}"
    if then is not None and held + BESIDE < allowed * 2 / 3:
        return f"refused for {allowed:,} bytes, and took {held:,}"
    return None


def main() -> int:
    """Measure every kind, and say where it does not hold."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="")
    parser.add_argument("--limit", type=int, default=24, help="in MiB")
    parser.add_argument("--child")
    given = parser.parse_args()
    if given.child:
        child(json.loads(given.child))
        return 0
    bad = 0
    for name, kind in kinds().items():
        if given.only not in name:
            continue
        with tempfile.TemporaryDirectory() as scratch:
            try:
                found = measured({name: kind}, {name: given.limit * MIB}, Path(scratch))[name]
                said = wrong(found, given.limit * MIB)
            except RuntimeError as error:
                found, said = {"held": 0, "refused": None}, str(error).strip().splitlines()[-1]
        bad += said is not None
        then = found.get("then")
        text = (
            f"{found['held'] / MIB:.0f}"
            if then is None
            else f"refused for {found['refused'] / MIB:.0f}, then "
        )
        text += "" if then is None else f"{then['held'] / MIB:.0f}"
        print(f"| {name} | {text} | {said or ''}", flush=True)
    return int(bad > 0)


if __name__ == "__main__":
    sys.exit(main())
