"""The masks that the benchmarks run on, made from a fixed seed.

Each part of the benchmarks has a folder of its own, which is made once::

    python benchmarks/data.py volume FOLDER [--quick]
"""

from __future__ import annotations

import argparse
import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sizes import FULL, QUICK
from surface_data import PARTS

if TYPE_CHECKING:
    from collections.abc import Callable

    from sizes import Shape, Sizes

SEED = 1
SPACING = (0.7, 0.7, 1.0)
LAND_COVERS = 8
#: Half the axes of each ellipsoid, as shares of the volume's: together they fill 2.8 % of it.
ELLIPSOIDS = ((0.15, 0.13, 0.14), (0.10, 0.12, 0.14), (0.12, 0.08, 0.13), (0.10, 0.09, 0.11))
CENTRES = ((0.30, 0.35, 0.40), (0.65, 0.30, 0.55), (0.40, 0.70, 0.60), (0.72, 0.70, 0.35))


def ellipsoids(shape: Shape, shift: int = 0) -> np.ndarray:
    """Draw four labelled ellipsoids into a volume; `shift` moves each by some voxels, each its own way."""
    volume = np.zeros(shape, np.uint8, order="F")
    axes = np.ogrid[tuple(slice(0, n) for n in shape)]
    for label, (radii, centre) in enumerate(zip(ELLIPSOIDS, CENTRES, strict=True), 1):
        moved = [shift * (label + axis) % (2 * shift + 1) - shift for axis in range(3)]
        distance = sum(
            ((at - n * middle - step) / (n * radius)) ** 2
            for at, n, middle, radius, step in zip(axes, shape, centre, radii, moved, strict=True)
        )
        volume[distance < 1] = label
    return volume


def lattice(shape: Shape, labels: int) -> np.ndarray:
    """Draw 20 x 20 x 5 small ellipsoids whose labels take turns, so that the foreground stays."""
    cells, distance = [], np.float32(0)
    for axis, (n, parts) in enumerate(zip(shape, (20, 20, 5), strict=True)):
        at = np.arange(n, dtype=np.float32).reshape([-1 if each == axis else 1 for each in range(3)])
        cell = (at * parts / n).astype(np.int32)
        cells.append(cell)
        distance = distance + ((at - (cell + 0.5) * n / parts) / (0.3 * n / parts)) ** 2
    number = (cells[0] * 20 + cells[1]) * 5 + cells[2]
    return np.asfortranarray(np.where(distance < 1, 1 + number % labels, 0).astype(np.uint16))


def save_volume(path: Path, volume: np.ndarray, spacing: tuple[float, float, float] = SPACING) -> None:
    """Write a volume with millimetres as its unit."""
    import nibabel

    image = nibabel.Nifti1Image(volume, np.diag([*spacing, 1.0]))
    image.header.set_xyzt_units("mm")
    nibabel.save(image, path)


def make_volume(folder: Path, sizes: Sizes) -> None:
    """Write a pair of volumes with four organs."""
    save_volume(folder / "reference.nii.gz", ellipsoids(sizes.volume))
    save_volume(folder / "prediction.nii.gz", ellipsoids(sizes.volume, max(2, sizes.volume[0] // 64)))


def make_geotiff(folder: Path, sizes: Sizes) -> None:
    """Write a pair of land cover maps."""
    make_maps(folder, sizes.raster)


def make_large_geotiff(folder: Path, sizes: Sizes) -> None:
    """Write a pair of land cover maps that is larger."""
    make_maps(folder, sizes.large_raster)


def make_maps(folder: Path, side: int) -> None:
    """Write maps of fields with ragged borders; a tenth of the fields are confused in the prediction."""
    random = np.random.default_rng(SEED)
    field = 48
    cells = side // field + 40
    fields = random.integers(0, LAND_COVERS, (cells, cells), np.uint8)
    confused = np.where(random.random(fields.shape) < 0.1, (fields + 1) % LAND_COVERS, fields)
    ragged = [np.cumsum(random.integers(-1, 2, side)) % (12 * field) for _ in range(2)]
    for name, table, shift in (("reference", fields, 0), ("prediction", confused.astype(np.uint8), 2)):
        with _raster(folder / f"{name}.tif", side) as file:
            for top in range(0, side, 512):
                rows, columns = np.ogrid[top : min(top + 512, side), :side]
                block = table[(rows + ragged[0] + shift) // field, (columns + ragged[1][rows]) // field]
                _write(file, block, top, 0)


def make_sparse(folder: Path, sizes: Sizes) -> None:
    """Write a pair of huge maps in which nearly nothing is stored: some fields of 400 x 400 pixels."""
    random = np.random.default_rng(SEED)
    corners = random.integers(0, sizes.sparse - 512, (40, 2)).tolist()
    for name, shift in (("reference", 0), ("prediction", 20)):
        with _raster(folder / f"{name}.tif", sizes.sparse, sparse_ok=True, bigtiff="YES") as file:
            for number, (top, left) in enumerate(corners):
                _write(file, np.full((400, 400), 1 + number % 4, np.uint8), top + shift, left + shift)


def _raster(path: Path, side: int, **options: object) -> object:
    import rasterio
    from rasterio.transform import from_origin

    return rasterio.open(
        path,
        "w",
        driver="GTiff",
        width=side,
        height=side,
        count=1,
        dtype="uint8",
        crs="EPSG:32633",
        transform=from_origin(500_000, 5_500_000, 10, 10),
        tiled=True,
        blockxsize=512,
        blockysize=512,
        compress="deflate",
        **options,
    )


def _write(file: object, block: np.ndarray, top: int, left: int) -> None:
    from rasterio.windows import Window

    file.write(block, 1, window=Window(left, top, block.shape[1], block.shape[0]))


def make_pairs(folder: Path, cases: int, side: int) -> None:
    """Write PNG with ellipses of four labels; each prediction is its reference moved by some pixels."""
    from PIL import Image

    random = np.random.default_rng(1)
    rows, columns = np.ogrid[:side, :side]
    for name in ("predictions", "references"):
        (folder / name).mkdir()
    for case in range(cases):
        reference = np.zeros((side, side), np.uint8)
        for label in range(1, 5):
            row, column = random.uniform(0.2, 0.8, 2) * side
            height, width = random.uniform(0.05, 0.2, 2) * side
            reference[((rows - row) / height) ** 2 + ((columns - column) / width) ** 2 < 1] = label
        prediction = np.roll(reference, int(random.integers(1, 15)), axis=int(random.integers(2)))
        Image.fromarray(reference).save(folder / "references" / f"{case:05d}.png")
        Image.fromarray(prediction).save(folder / "predictions" / f"{case:05d}.png")


def make_png(folder: Path, sizes: Sizes) -> None:
    """Write pairs of masks of 512 x 512 pixels."""
    make_pairs(folder, sizes.cases, 512)


def make_few_png(folder: Path, sizes: Sizes) -> None:
    """Write six pairs of masks of 512 x 512 pixels."""
    del sizes
    make_pairs(folder, 6, 512)


def make_large_png(folder: Path, sizes: Sizes) -> None:
    """Write pairs of masks of 3,072 x 3,072 pixels."""
    make_pairs(folder, sizes.cases, 3072)


def make_startup(folder: Path, sizes: Sizes) -> None:
    """Write two masks of 256 x 256 pixels."""
    from PIL import Image

    del sizes
    mask = np.zeros((256, 256), np.uint8)
    mask[40:140, 60:200], mask[160:220, 30:90] = 1, 2
    for name, shift in (("references", 0), ("predictions", 5)):
        (folder / name).mkdir()
        Image.fromarray(np.roll(mask, shift, axis=0)).save(folder / name / "mask.png")


def make_growth(folder: Path, sizes: Sizes) -> None:
    """Write volumes of four sizes, and volumes with four numbers of labels."""
    for number, shape in enumerate(sizes.shapes):
        for name, shift in (("reference", 0), ("prediction", 2)):
            save_volume(folder / f"size{number}_{name}.nii.gz", ellipsoids(shape, shift))
    for number, labels in enumerate(sizes.labels):
        reference = lattice(sizes.many_labels, labels)
        save_volume(folder / f"labels{number}_reference.nii.gz", reference)
        save_volume(folder / f"labels{number}_prediction.nii.gz", np.roll(reference, 1, axis=(0, 1)))


def make_surfaces(part: str, folder: Path, sizes: Sizes) -> None:
    """Write a pair of volumes whose surfaces are compared."""
    draw, size, spacing = PARTS[part]
    for name in ("reference", "prediction"):
        volume = draw(getattr(sizes, size), predicted=name == "prediction")
        save_volume(folder / f"{name}.nii.gz", volume, spacing)


MAKERS: dict[str, Callable[[Path, Sizes], None]] = {
    "startup": make_startup,
    "png": make_png,
    "few-png": make_few_png,
    "large-png": make_large_png,
    "volume": make_volume,
    "geotiff": make_geotiff,
    "large-geotiff": make_large_geotiff,
    "sparse": make_sparse,
    "growth": make_growth,
    **{part: partial(make_surfaces, part) for part in PARTS},
}


def main() -> None:
    """Make the data of one part, unless they are there; what was left half done is made again."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("part", choices=MAKERS)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args()
    folder: Path = options.folder
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}.part")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    MAKERS[options.part](unfinished, QUICK if options.quick else FULL)
    unfinished.rename(folder)


if __name__ == "__main__":
    main()
