"""Batches of real masks in mixed formats, good and bad: every pair is accounted for, and counted as alone."""

from __future__ import annotations

import csv
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from xml.etree import ElementTree as ET

import places
import pytest
from real_masks import APART, BAD, NO_LABELS
from record_schema import loaded

import dicecli
from dicecli.records.settings import Settings

FOLDER = places.SHARED_MASKS

pytestmark = pytest.mark.skipif(
    not (FOLDER / "pairs.csv").is_file(), reason="the folder of real masks is not here"
)

OUTPUTS = ("scores.csv", "scores.json", "scores.md", "scores.xml", "scores.txt", "summary.csv")
METRICS = ("dice", "iou")
#: Pairs of two formats, or of two files of one format, that are put into folders under one name.
MIXED = {
    "spine": ("nifti/spine_sem_pred.nii.gz", "nifti/spine_sem_ref.nii.gz"),
    "site 1/liver": ("nifti/totalseg_empty_brain.nii.gz", "nifti/totalseg_liver_bin.nii.gz"),
    "site 1/levels": ("nifti/sct_levels_f64.nii.gz", "nifti/sct_t2_manual.nii.gz"),
    "site 1/types": ("nifti/dtype27_int64.nii", "nifti/dtype27_uint8.nii"),
    "site 2/swan": ("png/davis_blackswan_osvos.png", "png/davis_blackswan_gt.png"),
    "site 2/ade": ("png/ade_val1_pred.png", "png/ade_val1_gt.png"),
    "site 3/landfire": ("geotiff/landfire_evt_i16.tif", "geotiff/landfire_evc_i16.tif"),
    "site 3/buildings": ("geotiff/bldg_edge_inner_255.tif", "geotiff/bldg_fp_255.tif"),
    "apart": ("nifti/monai_label_las_u16.nii.gz", "nifti/monai_label_ras_u16.nii.gz"),
    "two formats": ("png/membrane0_bin255.png", "geotiff/landfire_evc_i16.tif"),
    "broken": ("bad/png_badadler.png", "png/davis_camel_gt.png"),
    "broken reference": ("geotiff/gdal_lzw_tiled.tif", "bad/gdal_byte_truncated.tif"),
}


def run(folder, *arguments):
    """Run the command with every kind of output, in a process of its own."""
    options = [part for name in OUTPUTS[:-1] for part in ("-o", folder / name)]
    words = [*arguments, *options, "--summary", folder / "summary.csv", "-m", "dice", "-m", "iou"]
    return subprocess.run(
        [sys.executable, "-m", "dicecli", *(str(each) for each in words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=300,
    )


def contents(folder):
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


def record(folder):
    return loaded((folder / "scores.json").read_text(encoding="utf-8"))


def pairs():
    """Return prediction, reference, name and group of every pair of the folder, and of every bad file."""
    with (FOLDER / "pairs.csv").open(encoding="utf-8", newline="") as file:
        found = [(row["one"], row["other"]) for row in csv.DictReader(file)]
    # Each bad file stands on either side of a sound one of its kind.
    for number, name in enumerate(sorted(BAD)):
        beside = {".png": "png/membrane0_bin255.png", ".nii": "nifti/evalseg_20.nii.gz"}
        sound = beside.get(Path(name).suffix, "geotiff/landfire_evc_i16.tif")
        found.append((f"bad/{name}", sound) if number % 2 else (sound, f"bad/{name}"))
    return [(*pair, f"{pair[0]} and {pair[1]}", pair[0].partition("/")[0]) for pair in found]


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    """Write the pairs as a table that names each file by its full path, and one prediction that is missing."""
    path = tmp_path_factory.mktemp("table") / "pairs.csv"
    rows = [(FOLDER / one, FOLDER / other, name, group) for one, other, name, group in pairs()]
    rows.append(("", FOLDER / "png/ade_val1_gt.png", "no prediction", ""))
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("prediction", "reference", "case", "group"), *rows])
    return path


@pytest.fixture(scope="module")
def at_once(table, tmp_path_factory):
    """Score all pairs one after the other; return the folder with the outputs."""
    folder = tmp_path_factory.mktemp("at_once")
    done = run(folder, "batch", "--pairs", table, "-j", 1)
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    return folder


def expected_errors(one, other):
    """Return the names of the errors that are right for a pair; nothing where it can be scored."""
    if (one, other) in APART:
        return {APART[one, other]}
    bad = {error for name in (one, other) for error in BAD.get(name.removeprefix("bad/")) or ()}
    bad |= {NO_LABELS[name] for name in (one, other) if name in NO_LABELS}
    return bad


def test_every_pair_is_accounted_for(at_once):
    """Good, odd, bad or missing: each pair stands exactly once in CSV, JSON and XML, and they add up."""
    names = Counter([*(name for *_, name, _ in pairs()), "no prediction"])
    assert set(names.values()) == {1}
    found = record(at_once)
    assert names == Counter(case["case"] for case in found["cases"])
    summary = found["summary"]
    assert len(names) == summary["expected"] == summary["scored"] + summary["failed"] + summary["missing"]
    cases = ET.parse(at_once / "scores.xml").iterfind("testsuite[@name='cases']/testcase")  # noqa: S314
    assert names == Counter(case.get("name") for case in cases)
    with (at_once / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = Counter((row["case"], row["label"]) for row in csv.DictReader(file))
    assert set(names) == {name for name, _ in rows}
    assert set(rows.values()) == {1}


def test_every_pair_has_the_right_error_or_none(at_once):
    """A pair that cannot be scored has the error that is right for it, and a message that names a file."""
    cases = {case["case"]: case for case in record(at_once)["cases"]}
    for one, other, name, _ in pairs():
        case, right = cases[name], expected_errors(one, other)
        if right:
            assert case["status"] == "failed", name
            # Grids are compared before the pixels are read, in which a bad file may be bad.
            assert case["error"] in right | ({"ShapeMismatch"} if "bad/" in name else set()), name
        if case["status"] == "failed":
            assert {one, other} & {each for each in (one, other) if str(FOLDER / each) in case["message"]}, (
                name
            )
            assert case["hint"], name
            # Files that are sound by themselves may still not lie on each other.
            assert right or case["error"] in {*APART.values()}, name


def test_every_pair_has_the_counts_that_it_has_alone(at_once):
    """What stands beside a pair changes nothing: its counts are those of scoring it alone."""
    scored = 0
    for case in record(at_once)["cases"]:
        if case["status"] != "scored":
            continue
        scored += 1
        report = dicecli.score(case["prediction"], case["reference"], metrics=METRICS)
        (alone,) = report.to_dict()["cases"]
        for name in ("shape", "spacing", "unit", "pixel_size", "counted", "excluded", "overall"):
            assert alone[name] == case[name]
        rows = {row["label"]: row for row in case["labels"]}
        assert all(row == rows[row["label"]] for row in alone["labels"])
        # In a batch a case also has rows for labels that only others have: nothing of them is in it.
        others = set(rows) - {row["label"] for row in alone["labels"]}
        assert all(rows[label]["tp"] + rows[label]["fp"] + rows[label]["fn"] == 0 for label in others)
    assert scored > 35


def test_two_processes_write_the_same_bytes(at_once, table, tmp_path):
    """With two jobs every output is the same; going on with the journal that is left counts nothing anew."""
    done = run(tmp_path, "batch", "--pairs", table, "-j", 2)
    assert done.returncode == 3, done.stderr
    assert contents(at_once) == contents(tmp_path)
    journal = (tmp_path / "scores.csv.journal").read_bytes()
    again = run(tmp_path, "batch", "--pairs", table, "-j", 2, "--resume")
    assert again.returncode == 3, again.stderr
    assert contents(at_once) == contents(tmp_path)
    assert journal == (tmp_path / "scores.csv.journal").read_bytes()


def test_the_report_is_rendered_again(at_once, tmp_path):
    """Every output comes again from the JSON, to the byte."""
    assert run(tmp_path, "report", at_once / "scores.json").returncode == 3
    assert contents(at_once) == contents(tmp_path)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Copy pairs of all formats into two folders, under one name each."""
    root = tmp_path_factory.mktemp("folders")
    for name, files in MIXED.items():
        for side, file in zip(("predictions", "references"), files, strict=True):
            suffix = "".join(Path(file).suffixes[-2:]) if file.endswith(".gz") else Path(file).suffix
            target = root / side / f"{name}{suffix}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(FOLDER / file, target)
    shutil.copyfile(FOLDER / "png/mseg_gt.png", root / "references" / "alone.png")
    shutil.copyfile(FOLDER / "png/mseg_pred.png", root / "predictions" / "site 2" / "extra.png")
    return root


@pytest.mark.parametrize("jobs", [1, 2])
def test_folders_of_mixed_formats(jobs, folders, tmp_path):
    """PNG, NIfTI and GeoTIFF side by side, in subfolders: paired by name, scored as alone, exit code 3."""
    done = run(tmp_path, "batch", folders / "predictions", folders / "references", "-j", jobs)
    assert done.returncode == 3, done.stderr
    found = record(tmp_path)
    cases = {case["case"]: case for case in found["cases"]}
    assert sorted([*MIXED, "alone"]) == list(cases)
    for name, (one, other) in MIXED.items():
        (alone,) = dicecli.score_many(
            [dicecli.Case(name, FOLDER / one, FOLDER / other)], Settings(metrics=METRICS)
        ).to_dict()["cases"]
        assert (alone["status"], alone.get("error")) == (cases[name]["status"], cases[name].get("error"))
        rows = {row["label"]: row for row in cases[name].get("labels", ())}
        assert alone.get("labels", []) == [rows[row["label"]] for row in alone.get("labels", ())]
    errors = {name: case.get("error") for name, case in cases.items()}
    assert errors["alone"] == "Missing"
    assert errors["apart"] == errors["two formats"] == "ShapeMismatch"
    assert errors["broken"] == "Corrupt"
    assert (found["summary"]["expected"], found["summary"]["failed"]) == (13, 5)
    assert any(
        "site 2" + os.sep + "extra.png" in note.replace("/", os.sep) for note in found["summary"]["notes"]
    )
