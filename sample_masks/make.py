"""Make the sample masks of this folder, and ``expected.json``: what scoring them must give.

All of them are drawn from seeded noise: no patient, satellite or street was ever near. The expected numbers
are counted here with a plain boolean mask per label, without the package that they are to test.
"""

from __future__ import annotations

import gzip
import json
import math
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import scenes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

FOLDER = Path(__file__).parent
SEED = 20

ORGANS = {
    "labels": {0: "background", 1: "liver", 2: "right kidney", 3: "left kidney", 4: "spleen", 5: "tumour"},
    "regions": {"liver with tumour": [1, 5], "kidneys": [2, 3]},
    "background": 0,
    "colours": {
        1: [165, 85, 70],
        2: [225, 175, 60],
        3: [245, 215, 120],
        4: [125, 80, 155],
        5: [80, 200, 120],
    },
}
LANDCOVER = {
    "labels": {1: "water", 2: "forest", 3: "grassland", 4: "cropland", 5: "built-up"},
    "background": None,
    "colours": {
        1: [60, 120, 190],
        2: [40, 100, 55],
        3: [165, 205, 115],
        4: [235, 210, 120],
        5: [195, 70, 65],
    },
}
STREET = {
    "labels": {0: "road", 1: "pavement", 2: "building", 3: "vegetation", 4: "sky", 5: "person", 6: "car"},
    "ignore": scenes.VOID,
    "background": None,
    "colours": {
        0: [95, 90, 105],
        1: [205, 165, 190],
        2: [155, 115, 90],
        3: [85, 140, 60],
        4: [140, 190, 230],
        5: [220, 50, 60],
        6: [40, 60, 165],
        scenes.VOID: [0, 0, 0],
    },
}


def write_nifti(name: str, labels: np.ndarray, spacing: Sequence[float], origin: Sequence[float]) -> None:
    """Write a volume with sform and qform; a compressed one has no time and no name in its gzip header."""
    import nibabel as nib

    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = origin
    image = nib.Nifti1Image(labels, affine)
    image.set_sform(affine, code=1)
    image.set_qform(affine, code=1)
    image.header.set_xyzt_units("mm")
    content = image.to_bytes()
    (FOLDER / name).write_bytes(gzip.compress(content, mtime=0) if name.endswith(".gz") else content)


def write_png(name: str, values: np.ndarray, palette: Mapping[int, Sequence[int]] | None = None) -> None:
    """Write grey of 8 or 16 bits or RGB, as the array is; with a palette, indices into that."""
    from PIL import Image

    image = Image.fromarray(values)
    if palette is not None:
        image.putpalette([part for index in range(256) for part in palette.get(index, (0, 0, 0))])
    image.save(FOLDER / name)


def write_geotiff(name: str, labels: np.ndarray, pixel: float, **options: Any) -> None:
    """Write a map in UTM zone 32 north, its pixels so many metres wide."""
    import rasterio

    height, width = labels.shape
    where = {"crs": "EPSG:32632", "transform": rasterio.Affine(pixel, 0, 691_200, 0, -pixel, 5_334_000)}
    what = {"count": 1, "height": height, "width": width, "dtype": labels.dtype}
    with rasterio.open(FOLDER / name, "w", driver="GTiff", **where, **what, **options) as file:
        file.write(labels, 1)


def write_points(name: str, prediction: np.ndarray, reference: np.ndarray, pixel: float) -> None:
    """Write a sample of a map: 20 points in each class of the prediction, with the reference's class."""
    rng = np.random.default_rng([SEED, 101])
    lines = ["x,y,cover"]
    for label in range(1, 6):
        there = np.argwhere((prediction == label) & (reference != scenes.NODATA))
        for row, column in rng.choice(there, 20, replace=False).tolist():
            x, y = 691_200 + pixel * (column + 0.5), 5_334_000 - pixel * (row + 0.5)
            lines.append(f"{x:.0f},{y:.0f},{reference[row, column]}")
    (FOLDER / name).write_text("\n".join(lines) + "\n", encoding="utf-8", newline="\n")


def write_json(name: str, content: Mapping[str, Any]) -> None:
    """Write an object; what holds no further object or list stands on one line."""
    text = json.dumps(content, indent=2)
    text = re.sub(r"[\[{][^\[\]{}]*[\]}]", lambda found: " ".join(found[0].split()), text)
    text = re.sub(r"(?<=[\[{]) (?=\S)|(?<=\S) (?=[\]}])", "", text)
    (FOLDER / name).write_text(text + "\n", encoding="utf-8", newline="\n")


def names(stem: str, ending: str) -> tuple[str, str]:
    """Return the names of a prediction and its reference."""
    return f"{stem}_prediction{ending}", f"{stem}_reference{ending}"


def counts(inside: np.ndarray, truth: np.ndarray) -> dict[str, float | None]:
    """Compare two boolean masks of one label."""
    tp, fp = int((inside & truth).sum()), int((inside & ~truth).sum())
    fn, tn = int((~inside & truth).sum()), int((~inside & ~truth).sum())
    union = tp + fp + fn
    dice, iou = (2 * tp / (tp + union), tp / union) if union else (None, None)
    return {"tp": tp, "fp": fp, "fn": fn, "tn": tn, "dice": dice, "iou": iou}


def expected(
    files: tuple[str, str],
    masks: scenes.Pair,
    *,
    labels: str | None = None,
    background: int | None = 0,
    void: int | None = None,
    nodata: int | None = None,
) -> dict[str, Any]:
    """Count one pair. Void and nodata of the reference are left out; nodata of the prediction is no label."""
    prediction, reference = masks
    ignored, missing = reference == void, reference == nodata
    counted = ~(ignored | missing)
    ours, truth = prediction[counted], reference[counted]
    found = sorted({*ours.tolist(), *truth.tolist()} - {nodata})
    scores = {label: counts(ours == label, truth == label) for label in found}
    averaged = [score["dice"] for label, score in scores.items() if label != background]
    return {
        "prediction": files[0],
        "reference": files[1],
        "options": ["--labels", labels] if labels else [],
        "counted": int(counted.sum()),
        "ignored": int(ignored.sum()),
        "nodata": int(missing.sum()),
        "labels": scores,
        "macro_dice": math.fsum(averaged) / len(averaged) if averaged else None,
    }


def organs(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write the organs, the prediction once more with two axes reversed, and their labels in two forms."""
    prediction, reference = masks = scenes.organs(rng)
    ours, truth = names("organs", ".nii.gz")
    turned = "organs_prediction_lps.nii.gz"
    write_nifti(truth, reference, (1.5, 1.5, 3), (-47.25, -41.25, -58.5))
    write_nifti(ours, prediction, (1.5, 1.5, 3), (-47.25, -41.25, -58.5))
    write_nifti(turned, prediction[::-1, ::-1], (-1.5, -1.5, 3), (47.25, 41.25, -58.5))
    labels = {name: label for label, name in ORGANS["labels"].items()}
    nnunet = {"channel_names": {0: "CT"}, "labels": labels, "numTraining": 1, "file_ending": ".nii.gz"}
    write_json("organs_labels.json", ORGANS)
    write_json("organs_dataset.json", nnunet)
    return [expected((file, truth), masks, labels="organs_labels.json") for file in (ours, turned)]


def kidney(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write one kidney, uncompressed."""
    masks, files = scenes.kidney(rng), names("kidney", ".nii")
    for file, labels in zip(files, masks, strict=True):
        write_nifti(file, labels, (2, 2, 2), (4, -58, -96))
    return [expected(files, masks)]


def landcover(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write the land cover, in tiles."""
    masks, files = scenes.landcover(rng), names("landcover", ".tif")
    tiles = {"tiled": True, "blockxsize": 64, "blockysize": 64}
    for file, labels in zip(files, masks, strict=True):
        write_geotiff(file, labels, 30, **tiles, compress="deflate", nodata=scenes.NODATA)
    write_json("landcover_labels.json", LANDCOVER)
    write_points("landcover_points.csv", *masks, 30)
    return [expected(files, masks, labels="landcover_labels.json", background=None, nodata=scenes.NODATA)]


def street(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write the street with a palette; the prediction in colours too, and the reference in grey."""
    prediction, reference = masks = scenes.street(rng)
    ours, truth = names("street", ".png")
    coloured, grey = "street_prediction_colour.png", "street_reference_grey.png"
    colours = STREET["colours"]
    table = np.array([colours.get(label, (0, 0, 0)) for label in range(256)], np.uint8)
    write_png(ours, prediction, colours)
    write_png(truth, reference, colours)
    write_png(coloured, table[prediction])
    write_png(grey, reference)
    write_json("street_labels.json", STREET)
    options = {"labels": "street_labels.json", "background": None, "void": scenes.VOID}
    return [expected(files, masks, **options) for files in ((ours, truth), (coloured, truth), (ours, grey))]


def binary(stem: str, masks: scenes.Pair) -> list[dict[str, Any]]:
    """Write masks of 0 and 255; these are read as 0 and 1."""
    files = names(stem, ".png")
    for file, inside in zip(files, masks, strict=True):
        write_png(file, np.where(inside, 255, 0).astype(np.uint8))
    return [expected(files, (masks[0].astype(int), masks[1].astype(int)))]


def lesion(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write the lesion."""
    return binary("lesion", scenes.lesion(rng))


def empty(_: np.random.Generator) -> list[dict[str, Any]]:
    """Write two masks of nothing."""
    return binary("empty", (np.zeros((64, 64), bool), np.zeros((64, 64), bool)))


def cells(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write the cells; their numbers need 16 bits."""
    masks, files = scenes.cells(rng), names("cells", ".png")
    for file, labels in zip(files, masks, strict=True):
        write_png(file, labels)
    return [expected(files, masks)]


def misaligned(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write two volumes that fit voxel by voxel, but lie 12 mm apart in the world."""
    masks, files = scenes.nodule(rng), names("misaligned", ".nii.gz")
    for file, labels, x in zip(files, masks, (-11, -23), strict=True):
        write_nifti(file, labels, (2, 2, 3), (x, -23, -22.5))
    return [{"prediction": files[0], "reference": files[1], "options": [], "error": "GridMismatch"}]


def scene(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write one garden in three formats, index by index the same."""
    masks = scenes.garden(rng)
    for number, labels in enumerate(masks):
        write_png(names("scene", ".png")[number], labels)
        write_nifti(names("scene", ".nii.gz")[number], labels[:, :, None], (1, 1, 1), (0, 0, 0))
        write_geotiff(names("scene", ".tif")[number], labels, 1)
    return [expected(names("scene", ending), masks) for ending in (".png", ".nii.gz", ".tif")]


def folders(rng: np.random.Generator) -> list[dict[str, Any]]:
    """Write a few gardens into two folders, for scoring a folder at once."""
    pairs = []
    for folder in ("predictions", "references"):
        (FOLDER / folder).mkdir(exist_ok=True)
    for number in range(1, 7):
        masks = scenes.garden(rng)
        files = (f"predictions/garden_{number}.png", f"references/garden_{number}.png")
        for file, labels in zip(files, masks, strict=True):
            write_png(file, labels)
        pairs.append(expected(files, masks))
    return pairs


def probabilities(_: np.random.Generator) -> list[dict[str, Any]]:
    """Write maps of probabilities that resemble predictions above: of the lesion, the scene, the gardens."""
    from PIL import Image

    def prediction(name: str) -> np.ndarray:
        return np.asarray(Image.open(FOLDER / name))

    rng = np.random.default_rng([SEED, 100])
    inside = (prediction("lesion_prediction.png") > 0).astype(int)
    apart = np.subtract(*scenes.logits(rng, inside, 2, 6)[::-1])
    np.save(FOLDER / "lesion_logits.npy", (apart - 1).astype(np.float16))
    shares = quantised(scenes.logits(rng, prediction("scene_prediction.png"), 4, 6), 256)
    volume = np.moveaxis(shares, 0, -1)[:, :, None] / np.float32(256)
    write_nifti("scene_probabilities.nii.gz", volume, (1, 1, 1), (0, 0, 0))
    (FOLDER / "probabilities").mkdir(exist_ok=True)
    for number in range(1, 7):
        labels = prediction(f"predictions/garden_{number}.png")
        shares = quantised(scenes.logits(rng, labels, 4, 6 - 0.3 * number), 64)
        write_bands(f"probabilities/garden_{number}.tif", shares.astype(np.uint8), 1 / 64)
    return []


def quantised(logits: np.ndarray, steps: int) -> np.ndarray:
    """Return the softmax over the first axis in whole numbers of 1/steps, 1 at least, which sum to 1."""
    shares = np.exp(logits - logits.max(axis=0))
    shares = np.maximum(1, np.floor(steps * shares / shares.sum(axis=0)))
    rest = steps - shares.sum(axis=0)
    largest = shares.argmax(axis=0)[None]
    np.put_along_axis(shares, largest, np.take_along_axis(shares, largest, 0) + rest, axis=0)
    return shares.astype(np.float32)


def write_bands(name: str, bands: np.ndarray, scale: float) -> None:
    """Write an image of several bands, without a place in the world, whose values are to be scaled."""
    import warnings

    import rasterio

    count, height, width = bands.shape
    what = {"count": count, "height": height, "width": width, "dtype": bands.dtype, "compress": "deflate"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", rasterio.errors.NotGeoreferencedWarning)
        with rasterio.open(FOLDER / name, "w", driver="GTiff", **what) as file:
            file.write(bands)
            file.scales = (scale,) * count


def main() -> None:
    """Write every file, and say what scoring it gives."""
    makers = (
        organs,
        kidney,
        landcover,
        street,
        lesion,
        empty,
        cells,
        misaligned,
        scene,
        folders,
        probabilities,
    )
    pairs = []
    for number, make in enumerate(makers):
        pairs += make(np.random.default_rng([SEED, number]))
    write_json("expected.json", {"pairs": pairs})
    for pair in pairs:
        shown = {label: f"{score['dice']:.3f}" for label, score in pair.get("labels", {}).items()}
        print(f"{pair['prediction']} against {pair['reference']}: {pair.get('error', shown)}")


if __name__ == "__main__":
    main()
