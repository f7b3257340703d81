"""Every tree of docs/layouts.md, made of the sample masks and scored by the command that stands below it."""

from __future__ import annotations

import json
import re
import shlex

import make
import nibabel
import numpy as np
import places
import pytest
import rasterio
import tifffile
from PIL import Image
from readme_blocks import blocks
from streams import runner

from dicecli.cli import cli
from dicecli.plugins import own
from dicecli.reports.reading_back import from_dict
from dicecli.runs.laid_out import layout_of

PAGE = (places.ROOT / "docs" / "layouts.md").read_text(encoding="utf-8")
SECTIONS = {
    heading: (blocks(body, "text")[0].split(), blocks(body, "sh"))
    for heading, _, body in (each.partition("\n") for each in PAGE.split("\n## ")[1:])
    if blocks(body, "text")
}
SIDES = ("prediction", "reference")
#: What classes are called in files of their own: their labels in the sample, and in the preset.
CLASSES = {"spleen": (4, 1), "kidney_right": (2, 2), "liver": (1, 5)}
#: Ids of Cityscapes for the labels of the street.
CITY = (7, 8, 11, 21, 23, 24, 26)


def volumes(numbers=range(6)):
    """Return two cases: slabs of the organs, without the labels that are not among these numbers."""
    whole = [
        np.asarray(nibabel.load(places.SAMPLES / f"organs_{side}.nii.gz").dataobj).astype(np.uint8)
        for side in SIDES
    ]
    whole = [np.where(np.isin(each, numbers), each, 0) for each in whole]
    return [tuple(each[..., slab] for each in whole) for slab in (slice(8, 20), slice(20, 32))]


def streets(ids=None):
    """Return two cases: halves of the street, with these ids in place of 0 to 6 and, last, void."""
    whole = [np.asarray(Image.open(places.SAMPLES / f"street_{side}.png")) for side in SIDES]
    if ids is not None:
        table = np.zeros(256, np.uint8)
        table[[*range(7), 255]] = ids
        whole = [table[each] for each in whole]
    return [tuple(each[:, half] for each in whole) for half in (slice(0, 128), slice(128, 256))]


def landcovers():
    """Return the whole land cover as one case; its tiles are its quarters."""
    return [tuple(tifffile.imread(places.SAMPLES / f"landcover_{side}.tif") for side in SIDES)]


def lesions():
    """Return two cases, halves of the lesions as 0 and 255."""
    whole = [np.asarray(Image.open(places.SAMPLES / f"lesion_{side}.png")) > 0 for side in SIDES]
    return [tuple(each[:, half] * np.uint8(255) for each in whole) for half in (slice(0, 64), slice(64, 128))]


def field(shape):
    """Return a field of view, a disc, as 0 and 255."""
    rows, columns = np.ogrid[: shape[0], : shape[1]]
    away = (rows / shape[0] - 0.5) ** 2 + (columns / shape[1] - 0.5) ** 2
    return np.where(away < 0.2, 255, 0).astype(np.uint8)


#: Of each section its two cases, what names the second, what is left out of the reference, and the labels.
CASES = {
    "nnU-Net": (volumes, "_002", (), range(1, 6)),
    "BraTS": (lambda: volumes(range(4)), "GLI-00002", (), range(1, 4)),
    "TotalSegmentator": (volumes, "s0058", (), [label for label, _ in CLASSES.values()]),
    "BIDS": (volumes, "sub-02", (), range(1, 6)),
    "Cityscapes": (lambda: streets([*CITY, 0]), "lindau", (0,), CITY),
    "Tiles of one raster": (landcovers, "", (255,), range(1, 6)),
    "Only a field of view": (lesions, "02", (), (255,)),
    "PASCAL VOC": (streets, "000042", (255,), range(1, 7)),
}
_REFERENCE = re.compile("_manual|labelsTs/|-seg[.]|_dseg[.]|_labelIds|SegmentationClass/|/segmentations/")
_PREDICTION = re.compile("predictions/|results/|multilabel/|.*/model/")


def written(folder, paths, cases, second):
    """Write a tree: masks of the two cases where they belong, and everything else as something else."""
    for path in paths:
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        if path.endswith("dataset.json"):
            text = (places.SAMPLES / "organs_dataset.json").read_text(encoding="utf-8")
            (folder / path).write_text(text, encoding="utf-8")
        elif path.endswith("dseg.tsv"):
            rows = [f"{n}\tlabel {n}\n" for n in range(1, 6)]
            (folder / path).write_text("index\tname\n0\tbackground\n" + "".join(rows), encoding="utf-8")
        elif path.endswith(".tif"):
            write_map(folder / path, cases[0])
        elif "test_mask" in path:
            make.png(folder / path, field(cases[0][0].shape))
        elif path.endswith((".json", ".jpg")):
            (folder / path).write_bytes(b"{}")
        else:
            prediction, reference = cases[second in path]
            is_mask = _REFERENCE.search(path)
            array = reference if is_mask else np.full_like(reference, 9)
            array = prediction if _PREDICTION.match(path) else array
            array = of_classes(path, array)
            (make.nifti if path.endswith(".nii.gz") else make.png)(folder / path, array)


def write_map(path, case):
    """Write the map of the reference, or, by the two numbers of its name, a quarter of the prediction."""
    prediction, reference = case
    parts = [slice(None), slice(None)]
    if path.parent.name == "tiles":
        ends = zip(path.stem.split("_")[-2:], reference.shape, strict=True)
        parts = [slice(length // 2) if at == "0" else slice(length // 2, None) for at, length in ends]
    top, left = (10.0 * (part.start or 0) for part in parts)
    place = rasterio.Affine(10, 0, left, 0, -10, -top)
    array = (prediction if path.parent.name == "tiles" else reference)[tuple(parts)]
    make.geotiff(path, array, crs="EPSG:32632", transform=place, nodata=255)


def everywhere(reference):
    return np.ones(reference.shape, bool)


def of_classes(path, array):
    """Return what a file of one class holds, or one of all that are numbered as the preset has them."""
    for name, (label, _) in CLASSES.items():
        if path.endswith(f"/{name}.nii.gz"):
            return (array == label).astype(np.uint8)
    if "multilabel" in path:
        return sum((array == label) * np.uint8(number) for label, number in CLASSES.values())
    return array


def dice(cases, ignored, labels, inside=everywhere):
    """Return the mean over labels of Dice, pooled over the cases, by brute force."""
    kept = [~np.isin(reference, ignored) & inside(reference) for _, reference in cases]
    found = []
    for label in labels:
        here = [(prediction == label) & each for (prediction, _), each in zip(cases, kept, strict=True)]
        there = [(reference == label) & each for (_, reference), each in zip(cases, kept, strict=True)]
        both = sum(int((one & other).sum()) for one, other in zip(here, there, strict=True))
        found.append(2 * both / sum(int(each.sum()) for each in (*here, *there)))
    return sum(found) / len(found)


@pytest.mark.parametrize(
    ("section", "command"),
    [(name, each) for name, (_, commands) in SECTIONS.items() for each in commands],
    ids=lambda text: text.removeprefix("dicecli batch ").strip(),
)
def test_one_command_scores_the_tree(section, command, tmp_path, monkeypatch):
    """A command of the page, as it stands there: both cases, and nothing else, with the right numbers."""
    paths, _ = SECTIONS[section]
    make_cases, second, ignored, labels = CASES[section]
    only = re.search(r"--only (\S+)", command)
    labels = [CLASSES[name][0] for name in only[1].split(",")] if only else labels
    cases = make_cases()
    written(tmp_path, paths, cases, second)
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(
        cli, [*shlex.split(command)[1:], *["-m", "dice", "-j", "1", "-f", "json"]], catch_exceptions=False
    )
    assert done.exit_code == 0, done.output
    record = json.loads(done.stdout)
    count = len([path for path in paths if path.startswith("tiles/")]) or len(cases)
    assert [case["status"] for case in record["cases"]] == ["scored"] * count
    average = "macro-regions" if section == "TotalSegmentator" else "macro"
    found = from_dict(record).look_up(f"dice@{average}").value
    inside = (lambda mask: field(mask.shape) > 0) if "--within" in command else everywhere
    assert pytest.approx(dice(cases, ignored, labels, inside), abs=1e-12) == found
    if "--layout" in command:
        check_said(command, done)


def check_said(command, done):
    """Check that what the layout stands for is said, and pairs the same files when it is followed."""
    name = re.search("--layout ([a-z]+)", command)[1]
    assert f"Note: layout {name}: --prediction-pattern " in done.stderr
    said = re.search(rf"layout {name}: (.*)", done.stderr)[1]
    assert ("--labels" in said) == ("predictions Total" not in command)
    short, *_ = command.partition(" --layout")
    outputs = [paired(command), paired(f"{short} {said}")]
    assert outputs[0] == outputs[1]


def paired(command):
    """Return what a command pairs."""
    words = [*shlex.split(command)[1:], "--dry-run"]
    return runner().invoke(cli, words, catch_exceptions=False).stdout


def test_the_page_has_every_layout():
    """The table has each layout of the folder, with its first patterns and its preset; and each has a section."""
    rows = {line.split("`")[1]: line for line in PAGE.splitlines() if line.startswith("| `")}
    assert set(rows) == set(own("layouts"))
    for name, row in rows.items():
        layout = layout_of(name)
        assert layout.references[0] in row or layout.references[1] in row, name
        assert layout.labels is None or f"`{layout.labels}`" in row, name
    commands = " ".join(each for _, commands in SECTIONS.values() for each in commands)
    assert set(rows) == set(re.findall("--layout ([a-z]+)", commands))
