"""What masks mean: each row of what must happen, in a run with a good case beside it."""

from __future__ import annotations

import os
import shutil

import faults
import make
import numpy as np
import pytest
from click.testing import CliRunner
from faults import LABELS, OTHER, Fault

import dicecli
from dicecli.cli import cli
from dicecli.records.counts import Counts

VOLUME, ANOTHER = make.blobs((6, 7, 5)), make.blobs((6, 7, 5), seed=1)
PLACE = np.diag([2.0, 2.0, 3.0, 1.0])
PLACE[:3, 3] = (-10, -20, 30)


def pair(write, prediction, reference):
    """Return a builder that writes both masks of the bad case: each as (array, options)."""

    def build(path):
        for side, (array, options) in (("p", prediction), ("r", reference)):
            write(path.parents[1] / side / path.name, array, **options)

    return build


def moved(voxels, place=PLACE):
    """Return an affine that lies so many voxels away along the first axis."""
    away = place.copy()
    away[:3, 3] += place[:3, 0] * voxels
    return away


def mirrored(axis, place=PLACE, shape=VOLUME.shape):
    """Return the affine under which the array reversed along an axis is the same mask."""
    other = place.copy()
    other[:3, axis] *= -1
    other[:3, 3] += place[:3, axis] * (shape[axis] - 1)
    return other


def turned(degrees, place=PLACE):
    """Return an affine turned about the first voxel."""
    angle = np.radians(degrees)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    other = place.copy()
    other[:3, :3] = (turn @ place)[:3, :3]
    return other


def volumes(prediction, reference=PLACE):
    """Return a builder for one mask under two affines."""
    return pair(make.nifti, (VOLUME, {"affine": prediction}), (VOLUME, {"affine": reference}))


def maps(**options):
    """Return a builder for one map in two places."""
    return pair(make.geotiff, (OTHER, options), (OTHER, {}))


def shifted(columns, step=10.0):
    """Return a transform so many pixels to the east, or with other pixels."""
    return {"transform": (step, 0.0, 600_000.0 + 10 * columns, 0.0, -step, 5_800_000.0)}


def floats(value, **options):
    """Return a builder for volumes of 0 and 1 in floats, one voxel of the prediction being something else."""
    stored = (VOLUME > 1).astype(np.float32)
    odd = stored.copy()
    odd[np.unravel_index(int(np.argmax(stored)), stored.shape)] = value
    return pair(make.nifti, (odd, options), (stored, {}))


TALL = np.vstack([OTHER, OTHER])

ROWS = [
    Fault("shapes differ", ".png", pair(make.png, (TALL, {}), (LABELS, {})), "ShapeMismatch", "prediction 24 x 15"),
    Fault("shapes differ, transposed", ".png", pair(make.png, (OTHER.T.copy(), {}), (LABELS, {})), "ShapeMismatch", "prediction 15 x 12"),
    Fault("shapes differ by a leading 1 in the middle of others", ".nii", pair(make.nifti, (VOLUME[:, :1], {}), (VOLUME, {})), "ShapeMismatch"),
    Fault("a leading 1 is squeezed with a note", ".nii", pair(make.nifti, (OTHER[np.newaxis], {}), (LABELS, {})), "", "length 1"),
    Fault("a trailing 1 is squeezed with a note", ".nii", pair(make.nifti, (OTHER[..., np.newaxis, np.newaxis], {}), (LABELS, {})), "", "length 1"),
    Fault("RAS and LAS of one mask", ".nii", pair(make.nifti, (VOLUME[::-1].copy(), {"affine": mirrored(0)}), (VOLUME, {"affine": PLACE})), "", "LAS"),
    Fault("north-up and south-up of one map", ".tif", pair(make.geotiff, (OTHER[::-1].copy(), {"transform": (10.0, 0, 600_000, 0, 10.0, 5_800_000 - 120)}), (OTHER, {})), "", "turned"),
    Fault("spacing differs", ".nii", volumes(np.diag([2.5, 2, 3, 1.0]) + (PLACE - np.diag(np.diag(PLACE)))), "GridMismatch", "spacing"),
    Fault("origin differs by more than half a voxel", ".nii", volumes(moved(0.6)), "GridMismatch", "origin"),
    Fault("origin differs by less than half a voxel", ".nii", volumes(moved(0.4)), "", "0.400 voxels"),
    Fault("direction differs", ".nii", volumes(turned(20)), "GridMismatch", "direction"),
    Fault("CRS differs", ".tif", maps(crs="EPSG:32633"), "GridMismatch", "EPSG:32633"),
    Fault("transform differs by more than half a pixel", ".tif", maps(**shifted(0.6)), "GridMismatch", "0.6 voxels"),
    Fault("transform differs by its pixels", ".tif", maps(**shifted(0, 11.0)), "GridMismatch", "spacing"),
    Fault("slope 0.5", ".nii", pair(make.nifti, (VOLUME, {"slope": 0.5}), (VOLUME, {})), "NotLabels", "0.5"),
    Fault("float labels 0.9999999: 1", ".nii", floats(0.9999999), ""),
    Fault("float labels 0.5", ".nii", floats(0.5), "NotLabels", "0.5"),
    Fault("float labels NaN", ".nii", floats(np.nan), "NotLabels", "NaN"),
    Fault("float labels inf", ".nii", floats(np.inf), "NotLabels", "infinity"),
    Fault("float labels -0.0: 0", ".nii", floats(-0.0), ""),
    Fault("{0, 255} against {0, 1}", ".png", pair(make.png, ((OTHER > 1) * np.uint8(255), {}), ((LABELS > 1).astype(np.uint8), {})), "", "255 is read as label 1"),
    Fault("both masks empty", ".png", pair(make.png, (0 * OTHER, {}), (0 * OTHER, {})), ""),
    Fault("one of them empty", ".png", pair(make.png, (0 * OTHER, {}), (LABELS, {})), ""),
]  # fmt: skip


@pytest.mark.parametrize("fault", ROWS, ids=str)
def test_meaning(tmp_path, fault):
    """A mask that does not mean what the other one does is a row with a hint; one that does is scored."""
    report, strange = faults.run(tmp_path, fault)
    faults.hold(report, fault)
    assert [] == strange


def counts(tmp_path, row):
    """Return the record of the bad case of a row that is scored, its labels by number."""
    fault = next(each for each in ROWS if each.row == row)
    record = faults.hold(faults.run(tmp_path, fault)[0], fault)
    return record, {each["label"]: each for each in record["labels"]}


def test_the_hint_of_a_transposed_mask(tmp_path):
    """Shapes differ, also transposed: row ShapeMismatch with a hint that says so."""
    fault = next(each for each in ROWS if "transposed" in each.row)
    assert "transposed" in faults.hold(faults.run(tmp_path, fault)[0], fault)["hint"]


@pytest.mark.parametrize("row", ["RAS and LAS of one mask", "north-up and south-up of one map"])
def test_one_mask_in_two_directions(tmp_path, row):
    """RAS and LAS of one mask; north-up and south-up of one map: Dice 1."""
    _, labels = counts(tmp_path, row)
    assert [1.0] * 3 == [each["dice"] for each in labels.values()]


@pytest.mark.parametrize("value", ["0.9999999: 1", "-0.0: 0"])
def test_floats_that_are_labels(tmp_path, value):
    """Float labels 0.9999999 and -0.0 are 1 and 0: nothing of the label, or one voxel, is missed."""
    _, labels = counts(tmp_path, f"float labels {value}")
    assert (0, int(value.startswith("-"))) == (labels[1]["fp"], labels[1]["fn"])
    assert {0} == {each["tp"] + each["fp"] + each["fn"] for label, each in labels.items() if label != 1}


def test_0_and_255_against_0_and_1(tmp_path):
    """{0, 255} against {0, 1}: scored as the masks that both are."""
    _, labels = counts(tmp_path, "{0, 255} against {0, 1}")
    expected = make.brute(OTHER > 1, LABELS > 1)[1]
    assert expected == Counts(*(labels[1][key] for key in ("tp", "fp", "fn", "tn")))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".tif"])
def test_labels_in_wider_types(tmp_path, suffix):
    """Labels 256, -1, 2^31 in wider types: exact."""
    dtype = np.int64
    stored = [np.array([0, 256, -1, 2**31], dtype)[each] for each in (ANOTHER[:, :, 0], VOLUME[:, :, 0])]
    write = make.geotiff if suffix == ".tif" else make.nifti
    paths = [write(tmp_path / f"{name}{suffix}", array) for name, array in zip("pr", stored, strict=True)]
    assert make.brute(*stored) == make.counts(make.scored(*paths))


def test_palette_against_grey(tmp_path):
    """Palette against grey with the same indices; 1, 2, 4-bit; interlaced: exact, each against each."""
    for top, depths in ((2, (1, 2, 4, 8, 16)), (4, (2, 4, 8, 16)), (16, (4, 8, 16))):
        labels = make.blobs((9, 11), top)
        files = []
        for depth in depths:
            for colour in (0, 3) if depth < 16 else (0,):
                for is_interlaced in (False, True):
                    path = tmp_path / f"{depth}-{colour}-{is_interlaced}.png"
                    stored = labels.astype(np.uint16) if depth == 16 else labels
                    path.write_bytes(
                        make.raw_png(
                            stored,
                            depth=depth,
                            colour=colour,
                            is_interlaced=is_interlaced,
                            palette=bytes(range(3 * top)) if colour else b"",
                        )
                    )
                    files.append(path)
        for path in files:
            assert make.brute(labels, labels) == make.counts(make.scored(path, files[0])), path.name


@pytest.mark.parametrize(("policy", "both"), [("skip", None), ("zero", 0.0), ("one", 1.0)])
def test_empty_masks(tmp_path, policy, both):
    """Both masks empty: undefined, or what --undefined puts; one of them empty: 0; as in conventions.md."""
    folders = faults.folders(tmp_path, ".png")
    for name, prediction, reference in (("bad", 0, 0), ("good", 0, 1)):
        make.png(folders[0] / f"{name}.png", LABELS * prediction)
        make.png(folders[1] / f"{name}.png", LABELS * reference)
    record = dicecli.batch(
        *folders, undefined=policy, labels={"labels": {"1": "a"}, "background": 0}, ignore_label=[2, 3]
    )
    dice = {each["case"]: each["labels"][0]["dice"] for each in record.to_dict()["cases"]}
    assert {"bad": both, "good": 0.0} == dice


def test_the_ignore_label_everywhere(tmp_path):
    """Ignore label everywhere: nothing is counted, nothing defined, and a note says that no pixel is left."""
    folders = faults.folders(tmp_path, ".png")
    make.png(folders[1] / "bad.png", np.full_like(LABELS, 9))
    record = dicecli.batch(*folders, ignore_label=9).to_dict()
    (bad,) = (each for each in record["cases"] if each["case"] == "bad")
    assert (0, "scored") == (bad["counted"], bad["status"])
    assert "no pixel is left to compare" in bad["notes"]
    assert {None} == {each["dice"] for each in bad["labels"]} | {None}


def test_missing_and_left_over(tmp_path):
    """A missing prediction; a prediction without reference: row Missing; listed in notes."""
    folders = faults.folders(tmp_path, ".png")
    (folders[0] / "bad.png").rename(folders[0] / "other.png")
    report = dicecli.batch(*folders)
    cases = {each["case"]: each for each in report.to_dict()["cases"]}
    assert {"bad": "failed", "good": "scored"} == {name: each["status"] for name, each in cases.items()}
    assert "Missing" == cases["bad"]["error"]
    assert f"{folders[1]}{os.sep}bad.png" in cases["bad"]["message"]
    assert any("1 prediction has no reference: other.png" in note for note in report.notes)


@pytest.mark.parametrize("side", [0, 1])
def test_two_files_for_one_side(tmp_path, side):
    """a.nii and a.nii.gz in one folder: 2 AmbiguousPair, both named."""
    folders = faults.folders(tmp_path, ".nii")
    faults.write(folders[side] / "bad.nii.gz", LABELS)
    ended = CliRunner().invoke(cli, ["batch", *map(str, folders)], standalone_mode=False)
    assert (2, "AmbiguousPair") == (ended.exception.exit_code, type(ended.exception.__cause__).__name__)
    assert "bad.nii, bad.nii.gz" in str(ended.exception)


def test_hidden_files(tmp_path):
    """.DS_Store, ._a.png, hidden folders: left out, said with -v."""
    folders = faults.folders(tmp_path, ".png")
    for name in (".DS_Store", "._bad.png"):
        (folders[0] / name).write_bytes(b"\0\5\x16\7")
    (folders[1] / ".cache").mkdir()
    shutil.copy(folders[0] / "good.png", folders[1] / ".cache" / "bad.png")
    quiet = CliRunner().invoke(cli, ["batch", *map(str, folders), "-j", "1"])
    loud = CliRunner().invoke(cli, ["batch", *map(str, folders), "-j", "1", "-v"])
    assert (0, 0) == (quiet.exit_code, loud.exit_code)
    for name in (".DS_Store", "._bad.png", ".cache"):
        assert name not in quiet.output
        assert any(line.startswith("Left out: ") and name in line for line in loud.output.splitlines())


@pytest.mark.parametrize("kind", ["the same folder twice", "byte-identical pairs"])
def test_copies(tmp_path, kind):
    """The same folder twice, where that is allowed, or byte-identical pairs: a warning with the count."""
    folders = faults.folders(tmp_path, ".png")
    if kind == "byte-identical pairs":
        for name in ("bad.png", "good.png"):
            shutil.copy(folders[1] / name, folders[0] / name)
    predictions = folders[1] if kind == "the same folder twice" else folders[0]
    report = dicecli.batch(predictions, folders[1], allow_same=True)
    said = [note for note in report.notes if "2 of 2 cases" in note]
    assert said
    assert any("one file" in note for note in said)
