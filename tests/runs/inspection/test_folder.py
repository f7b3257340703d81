"""Inspecting a folder, and maps of probabilities: what files hold, what they have in common, and what not."""

from __future__ import annotations

import json

import numpy as np
import pytest
from make import blobs, geotiff, nifti, png
from streams import runner

from dicecli.cli import cli
from dicecli.errors import PairingError
from dicecli.records.settings import Settings
from dicecli.runs.inspection.file import inspect
from dicecli.runs.inspection.folder import Survey, facts_of, listed_folder, shortly
from dicecli.runs.scoring import make_settings

LABELS = blobs((12, 10), 4)
SHARES = np.random.default_rng(3).dirichlet(np.ones(3), (12, 10)).astype(np.float32)


def call(*arguments):
    return runner().invoke(cli, ["inspect", *map(str, arguments)], catch_exceptions=False)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Write masks of which one has another shape, one another label, and one is broken; maps; and a text."""
    path = tmp_path_factory.mktemp("folder")
    for number in (1, 2, 10):
        png(path / f"case_{number}.png", np.where(LABELS == 3, 1, LABELS))
    png(path / "case_9.png", LABELS[:8])
    (path / "case_3.png").write_bytes((path / "case_1.png").read_bytes()[:60])
    (path / "deep").mkdir()
    np.save(path / "deep" / "map.npy", np.moveaxis(SHARES, -1, 0))
    (path / "read me.txt").write_text("hello", encoding="utf-8")
    return path


def test_a_folder_has_a_line_a_file_and_says_what_differs(folder, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    done = call(folder)
    assert done.exit_code == 3
    lines = done.stdout.splitlines()
    assert all(len(line) <= 80 for line in lines[1:])
    names = [line.split()[0] for line in lines[2:] if line.startswith(("case", "deep"))]
    assert names == ["case_1.png", "case_2.png", "case_3.png", "case_9.png", "case_10.png", "deep/map.npy"]
    (row,) = (line for line in lines if line.startswith("case_1.png"))
    assert row.split() == ["case_1.png", "PNG", "12x10", "grey", "8", "0-2"]
    (row,) = (line for line in lines if line.startswith("deep"))
    assert row.split()[:5] == ["deep/map.npy", "NumPy", "12x10", "float32", f"{SHARES.min():.3g}"]
    assert row.endswith(f"to {SHARES.max():.3g} in 3 channels")
    text = " ".join(done.stdout.split())
    assert "not scored Truncated: case_3.png:" in text or "not scored Corrupt: case_3.png:" in text
    assert "sums of the channels: 1 " in text
    assert f"range {SHARES.min():.6g} to {SHARES.max():.6g}" in text
    assert "files 6: 4 masks, 1 map of probabilities, 1 that cannot be scored (case_3.png)" in text
    assert "others 1 not looked at: read me.txt" in text
    assert "12 x 10 in 4 of 5; 8 x 10: case_9.png" in text
    assert "labels 0-3 3: in case_9.png" in text


def test_a_folder_in_json_has_every_file_and_what_all_have(folder):
    done = call(folder, folder / "deep", folder / "case_1.png", "-f", "json", "--labels", "voc")
    assert done.exit_code == 3
    record = json.loads(done.stdout)
    assert [each["path"] for each in record["files"]] == [str(folder / "case_1.png")]
    first, second = record["folders"]
    assert (first["files"], first["masks"], first["maps"], first["bad"]) == (6, 4, 1, ["case_3.png"])
    assert len(first["inspected"]) == 6
    assert {each["is"]: each["files"] for each in first["alike"]["shape"]}["8 x 10"] == ["case_9.png"]
    assert [(each["value"], each["name"]) for each in first["labels"]][1] == (1, "aeroplane")
    assert (second["maps"], second["labels"], second["bad"]) == (1, [], [])
    assert call(folder / "deep").exit_code == 0


def test_labels_that_are_not_declared_are_named(tmp_path):
    png(tmp_path / "a.png", LABELS)
    labels = tmp_path / "labels.json"
    labels.write_text('{"labels": {"0": "rest", "1": "one", "2": "two"}}')
    text = " ".join(call(tmp_path, "--labels", labels).stdout.split())
    assert "labels 0 (rest), 1 (one), 2 (two), 3 undeclared 3" in text
    empty = tmp_path / "empty"
    empty.mkdir()
    assert call(empty).exit_code == 2
    with pytest.raises(PairingError, match="no mask"):
        listed_folder(str(empty))


def test_names_are_whole_and_columns_are_not_empty(tmp_path, monkeypatch):
    """A column appears with the first file that has it; names that are too long have lines of their own."""
    monkeypatch.setenv("COLUMNS", "80")
    png(tmp_path / "a.png", LABELS * 50)
    nifti(tmp_path / "b.nii.gz", LABELS[:, :, None])
    heads = [line.split() for line in call(tmp_path).stdout.splitlines() if line.startswith("file ")]
    assert heads == [
        ["file", "format", "shape", "type", "labels"],
        ["file", "format", "shape", "spacing", "type", "labels"],
    ]
    long = f"{'deep_' * 14}_t1c.nii.gz"
    nifti(tmp_path / long, LABELS[:, :, None])
    lines = call(tmp_path).stdout.splitlines()
    assert lines[lines.index(long) + 1].split() == ["NIfTI-1", "12x10", "1x1", "uint8", "0-3"]
    assert "…" not in "".join(lines)


def test_what_is_odd_or_wrong_is_said_once_with_the_files(tmp_path, monkeypatch):
    """Below all lines; of each file with -v. Fractions of a mask that is refused are no labels."""
    monkeypatch.setenv("COLUMNS", "200")
    for name in ("a", "b", "c", "d"):
        nifti(tmp_path / f"{name}.nii", LABELS[:, :, None].astype(np.float32))
    nifti(tmp_path / "e.nii", (SHARES[:, :, :1] * 3).astype(np.float32))
    lines = call(tmp_path).stdout.splitlines()
    assert sum("floats" in line for line in lines) == 1
    text = " ".join(" ".join(lines).split())
    assert "odd all 5: labels are stored as floats; integers are safer" in text
    assert "not scored NotLabels: e.nii: its values are not all integers" in text
    assert "labels 0-3 " in text
    assert sum("odd: labels" in line for line in call(tmp_path, "-v").stdout.splitlines()) == 5


def test_formats_that_are_not_read_are_said(tmp_path):
    """As a batch says of references; an image beside its mask is none of these."""
    png(tmp_path / "a.png", LABELS)
    (tmp_path / "images").mkdir()
    (tmp_path / "images" / "a.jpg").write_bytes(b"x")
    assert call(tmp_path).exit_code == 0
    (tmp_path / "b.mha").write_bytes(b"x")
    done = call(tmp_path)
    assert done.exit_code == 3
    assert "not read 1 of formats that are not read: b.mha." in " ".join(done.stdout.split())
    (record,) = json.loads(call(tmp_path, "-f", "json").stdout)["folders"]
    assert (record["unread"], record["others"]) == (["b.mha"], ["images/a.jpg"])


def test_a_map_of_labels_is_shown(tmp_path):
    """Of a file by value, of a folder below its lines, of two folders for the side that has it."""
    for side in ("one", "other"):
        (tmp_path / side).mkdir()
        png(tmp_path / side / "a.png", LABELS)
    labels = tmp_path / "labels.json"
    labels.write_text('{"labels": {"1": "wall", "2": "floor", "3": "sky"}}')
    given = ("--map-prediction", "0-2:+1,3=ignore", "--labels", labels)
    text = " ".join(call(tmp_path / "one", *given).stdout.split())
    assert "labels by the map, 0 as 1 (wall), 1 as 2 (floor), 2 as 3 (sky), 3 as ignore" in text
    assert "undeclared" not in text
    lines = call(tmp_path / "one" / "a.png", *given).stdout.splitlines()
    found = [" ".join(line.split()[3:]) for line in lines if "%" in line]
    assert found == ["read as 1 wall", "read as 2 floor", "read as 3 sky", "read as ignore"]
    record = json.loads(call(tmp_path / "one", tmp_path / "other", *given[:2], "-f", "json").stdout)
    assert [[each["read_as"] for each in folder["labels"]] for folder in record["folders"]] == [
        [1, 2, 3, "ignore"],
        [None] * 4,
    ]


def test_facts_are_compared_by_their_words(tmp_path):
    nifti(tmp_path / "a.nii.gz", blobs((5, 4, 3), 2), affine=np.diag([2.0, 2, 3, 1]))
    for name in ("b.nii.gz", "c.nii.gz"):
        nifti(tmp_path / name, blobs((5, 4, 3), 2))
    survey = Survey()
    for name, found in listed_folder(str(tmp_path)).inspected(Settings()):
        survey.add(name, found)
    most = ["b.nii.gz", "c.nii.gz"]
    assert survey.kinds("spacing") == [("1 x 1 x 1 mm", most), ("2 x 2 x 3 mm", ["a.nii.gz"])]
    assert survey.kinds("orientation") == [("RAS", ["a.nii.gz", *most])]
    assert facts_of(inspect("nowhere.png")) == {}


@pytest.mark.parametrize(
    ("values", "text"),
    [([], ""), ([0, 1, 2, 255], "0-2, 255"), ([1, 2], "1, 2"), ([-1, 0, 1, 0.5], "-1 to 1, 0.5")],
)
def test_values_are_written_shortly(values, text):
    assert shortly(values) == text
    assert shortly([0, 50, 100, *range(150, 159)], 18) == "0, 50 and 10 more"


def test_a_map_of_probabilities_has_its_channels_and_their_sums(tmp_path):
    for path in (
        nifti(tmp_path / "a.nii.gz", SHARES[:, :, None]),
        geotiff(tmp_path / "a.tif", np.moveaxis(SHARES, -1, 0)),
        tmp_path / "a.npy",
    ):
        if path.suffix == ".npy":
            np.save(path, SHARES)
        found = inspect(str(path)).probabilities
        assert [each.minimum for each in found.channels] == SHARES.min(axis=(0, 1)).tolist()
        assert [each.maximum for each in found.channels] == SHARES.max(axis=(0, 1)).tolist()
        assert found.apart == abs(SHARES.astype(float).sum(-1) - 1).max() < 1e-6
        assert found.command == f"dicecli soft {path} REFERENCE"
    done = call(tmp_path / "a.npy")
    assert (done.exit_code, "a.npy REFERENCE" in " ".join(done.stdout.split())) == (0, True)


def test_nan_is_counted_and_sums_that_are_not_1_are_said(tmp_path):
    values = SHARES.copy()
    values[:2, 0, 1] = np.nan
    values[5, 5] = (1, 1, 0.5)
    np.save(tmp_path / "a.npy", values)
    found = inspect(str(tmp_path / "a.npy")).probabilities
    assert [each.nan for each in found.channels] == [0, 2, 0]
    assert found.apart == 1.5
    assert found.command.endswith(" --independent")
    assert "NaN is refused" in found.meant
    assert "1  0.5 to 0.5  2 NaN" not in call(tmp_path / "a.npy").stdout
    assert "2 NaN" in call(tmp_path / "a.npy").stdout


@pytest.mark.parametrize(
    ("values", "is_map"),
    [
        (SHARES[..., 0], True),
        (SHARES[..., 0] * 3, False),  # labels that were interpolated
        (LABELS.astype(np.float32), False),
        (np.stack([LABELS] * 3, -1)[:, :, None], False),  # integers
        (SHARES[:, :, None] * 9 - 4, True),
    ],
)
def test_what_is_no_map_is_none(values, is_map, tmp_path):
    found = inspect(str(nifti(tmp_path / "a.nii", values)))
    assert (found.probabilities is not None) == is_map


def test_a_mask_of_floats_that_is_refused_is_no_map(tmp_path):
    path = nifti(tmp_path / "a.nii", (LABELS > 1).astype(np.float32))
    found = inspect(str(path), make_settings(labels={5: "five"}))
    assert (found.error.name, found.probabilities) == ("UnknownLabel", None)


def test_colours_that_are_not_known_are_listed_once(tmp_path):
    png(tmp_path / "a.png", np.array([[(1, 2, 3), (250, 2, 3)]], np.uint8))
    assert call(tmp_path / "a.png").stdout.count("#fa0203 50.00%") == 1
