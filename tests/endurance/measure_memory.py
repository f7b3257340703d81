"""Hold what masks really take of memory against --max-memory: each kind of file, in a process of its own.

A process scores a small case of a kind, forgets its peak, and scores the large one under a limit: what it grew by at the
most, shared among the masks, is what one has taken. A kind that is refused is scored once more with what it was refused
for. Run: ``python tests/endurance/measure_memory.py [--only WORD] [--limit 24]``; it ends with 1 where a mask took more
than a third above the limit, or was refused although it takes less than two thirds of what it was refused for.
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
_HUGE = {"tiled": True, "blockxsize": 4096, "blockysize": 4096}


class Kind(NamedTuple):
    """A kind of case: what writes it with so many pixels a side, how many, what is held at once, and options."""

    write: Any
    side: int
    masks: int = 2
    options: dict[str, Any] = {}  # noqa: RUF012 - none is changed


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
    return of_png() | of_nifti() | of_tif() | of_maps()


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
    found[".nii.gz u1, hd95"] = Kind(nifti, 160, 2, {"metrics": ["hd95"]})
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


def child(jobs: list[dict[str, Any]]) -> None:
    """Score a case of each job under its limit, and print what a mask took: JSON, a line for each."""
    from dicecli.runs.allocator import keep_freed_memory

    keep_freed_memory()
    for job in jobs:
        found = taken(job, job["limit"])
        if found["refused"] is not None:
            found["then"] = taken(job, found["refused"])
        print(json.dumps(found), flush=True)


def taken(job: dict[str, Any], limit: int) -> dict[str, Any]:
    """Return how many bytes a mask of a job took at the most, and for how many it was refused."""
    import dicecli
    from dicecli.errors import TooLarge

    options = dict(job["options"])
    call = dicecli.soft if options.pop("soft", False) else dicecli.score
    refused = None

    def run(paths: list[str], most: int) -> None:
        """Score one case; it may be refused for its memory."""
        nonlocal refused
        field = {"within": paths[1]} if "within" in options else {}
        try:
            call(*paths, max_memory=most, **(options | field))
        except TooLarge as error:
            refused = int(re.search(r"--max-memory (\d+)", str(error.hint))[1])

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
            paths.append([str(each) for each in kind.write(folder, side)])
        large, small = paths
        job = {"large": large, "small": small, "masks": kind.masks, "options": kind.options}
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
