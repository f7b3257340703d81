"""The rows of slices, against what NumPy counts of one slice after the other, and what they add up to."""

from __future__ import annotations

import csv
import json
from fractions import Fraction

import make
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.reports.reading_back import from_dict

COUNTS = ("tp", "fp", "fn", "tn")
SHAPES = st.tuples(*[st.integers(1, 9)] * 2) | st.tuples(*[st.integers(1, 6)] * 3)
REGIONS = {"both": [1, 2]}


def drawn(shape, seed):
    """Return a prediction and a reference of the labels 0 to 3."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(0, 4, shape)
    return np.where(rng.random(shape) < 0.5, reference, rng.integers(0, 4, shape)), reference


def expected(prediction, reference, members, kept):
    """Return the counts of some labels in one slice."""
    inside, predicted = (np.isin(mask, members)[kept] for mask in (reference, prediction))
    return [
        int(np.count_nonzero(each))
        for each in (inside & predicted, ~inside & predicted, inside & ~predicted, ~inside & ~predicted)
    ]


@given(SHAPES, st.integers(0, 10**6), st.sampled_from(["skip", "one"]))
@settings(max_examples=25)
def test_every_slice_has_what_numpy_counts_there(shape, seed, undefined):
    """Of each label and region; metrics come from the counts, undefined as the settings say; ignored pixels are out."""
    prediction, reference = drawn(shape, seed)
    options = {"regions": REGIONS, "ignore_label": 3, "undefined": undefined}
    report = dicecli.score(prediction, reference, per_slice=True, metrics=["dice", "recall"], **options)
    sides = [mask if mask.ndim > 2 else mask[..., None] for mask in (prediction, reference)]
    rows = list(report.rows("slices"))
    evaluated = [(row.label, row.name, row.members) for row in report.evaluated]
    assert len(rows) == sides[0].shape[-1] * len(evaluated)
    places = [(at, *each) for at in range(sides[0].shape[-1]) for each in evaluated]
    for row, (at, label, name, members) in zip(rows, places, strict=True):
        one, other = (mask[..., at] for mask in sides)
        tp, fp, fn, tn = expected(one, other, members, other != 3)
        assert [row[key] for key in ("slice", "label", "name", *COUNTS)] == [at, label, name, tp, fp, fn, tn]
        size = 2 * tp + fp + fn
        assert row["dice"] == (float(Fraction(2 * tp, size)) if size else 1.0 if undefined == "one" else None)
        assert row["recall"] == (tp / (tp + fn) if tp + fn else None)


def summed(rows):
    """Return counts by case and row, added up."""
    found = {}
    for row in rows:
        key = row["case"], row["label"], row["name"]
        found[key] = [a + int(row[name]) for a, name in zip(found.get(key, [0] * 4), COUNTS, strict=True)]
    return found


@pytest.fixture
def folders(tmp_path, monkeypatch):
    """Return a folder with two folders of three volumes, which are on grids of their own; one is turned."""
    monkeypatch.chdir(tmp_path)
    for number, shape in enumerate([(6, 5, 4), (7, 8, 3), (5, 5, 6)]):
        prediction, reference = drawn(shape, number)
        affine = np.diag([1.0, 2.0, 3.0, 1.0])
        turned, there = make.turned(prediction, affine, (2, 0, 1), (True, False, False))
        for side, mask, at in (("p", turned, there), ("r", reference, affine)):
            (tmp_path / side).mkdir(exist_ok=True)
            make.nifti(tmp_path / side / f"case{number}.nii.gz", mask.astype(np.uint8), affine=at)
    return tmp_path


def run(*words):
    """Run a command line that succeeds, and return what it printed."""
    found = runner().invoke(cli, list(words))
    assert found.exit_code == 0, found.output
    return found.stdout


def read(path):
    """Return the rows of a CSV; empty is None."""
    with path.open(newline="") as file:
        return [{key: value or None for key, value in row.items()} for row in csv.DictReader(file)]


def test_slices_of_a_batch_add_up_and_are_made_again(folders):
    """In two processes, from JSON, and from shards; a turned prediction has the slices of its reference."""
    asked = ("-q", "--region", "both=1,2", "-m", "dice")
    run("batch", "p", "r", *asked, "-j", "2", "--per-slice", "one.csv", "-o", "all.csv", "-o", "all.json")
    for number in range(3):
        name = f"case{number}.nii.gz"
        run("score", f"p/{name}", f"r/{name}", *asked, "-o", f"{number}.json", "--per-slice", f"{number}.csv")
    run("report", "all.json", "-q", "--per-slice", "again.csv")
    run("report", "0.json", "1.json", "2.json", "-q", "--per-slice", "merged.csv")
    rows, *others = (read(folders / f"{name}.csv") for name in ("one", "again", "merged"))
    assert rows == others[0] == others[1]
    assert rows == [row for number in range(3) for row in read(folders / f"{number}.csv")]
    assert summed(rows) == summed(read(folders / "all.csv"))
    assert {row["case"]: int(row["slice"]) + 1 for row in rows} == {"case0": 4, "case1": 3, "case2": 6}


def test_a_run_that_goes_on_has_every_slice(folders):
    """The journal keeps them; a case without numbers has no row; one that was done without slices is counted again."""
    whole = (folders / "p" / "case1.nii.gz").read_bytes()
    (folders / "p" / "case1.nii.gz").write_bytes(whole[:40])
    batch = ("batch", "p", "r", "-q", "-o", "all.json", "-j", "1")
    runner().invoke(cli, [*batch, "--per-slice", "some.csv"])
    assert {row["case"] for row in read(folders / "some.csv")} == {"case0", "case2"}
    (folders / "p" / "case1.nii.gz").write_bytes(whole)
    run(*batch, "--resume", "--per-slice", "every.csv")
    run(*batch, "--per-slice", "whole.csv")
    assert read(folders / "every.csv") == read(folders / "whole.csv")
    (folders / "p" / "case1.nii.gz").write_bytes(whole[:40])
    runner().invoke(cli, batch)
    assert "2 cases that an earlier run has done are counted again" in runner().invoke(cli, [*batch[:3], *batch[4:], "--resume", "--per-slice", "x.csv"]).stderr  # fmt: skip


def test_layers_and_pages_have_slices(tmp_path):
    """Binary layers are counted each; a stack's pages are its slices; an image is one."""
    rng = np.random.default_rng(1)
    layers = [make.nifti(tmp_path / f"{at}.nii", rng.integers(0, 2, (5, 4, 3, 2), np.uint8)) for at in "pr"]
    pages = [make.tiff_run(tmp_path / f"{at}.tif", rng.integers(0, 3, (5, 6, 7), np.uint8), "ImageJ=1.0\nimages=5\n") for at in "pr"]  # fmt: skip
    images = [make.png(tmp_path / f"{at}.png", rng.integers(0, 3, (6, 7), np.uint8)) for at in "pr"]
    for sides, slices in ((layers, 3), (pages, 5), (images, 1)):
        report = dicecli.score(*sides, per_slice=True)
        rows = list(report.rows("slices"))
        assert {row["slice"] for row in rows} == {*range(slices)}
        assert summed(rows) == summed(report.rows())


def test_slices_that_were_not_counted_are_refused():
    """Of a report without them, and of maps; the option is of masks alone."""
    prediction, reference = drawn((3, 4, 5), 1)
    plain, maps = dicecli.score(prediction, reference), dicecli.soft(prediction / 4, reference > 0)
    for report, said in ((plain, "were not counted"), (maps, "of masks, and these are probability maps")):
        with pytest.raises(UsageError, match=said):
            list(report.rows("slices"))
    with pytest.raises(UsageError, match="per_slice is for masks"):
        dicecli.soft(prediction / 4, reference > 0, per_slice=True)


def test_slices_of_a_file_that_contradict_its_matrix_are_refused():
    """What does not add up to the matrix of the case, or is missing, is no record; old records have none."""
    record = json.loads(json.dumps(dicecli.score(*drawn((5, 6, 3), 1), per_slice=True).to_dict()))
    assert from_dict(record).to_dict() == record
    measured = record["cases"][0]["measured"]
    (slices,) = measured["slices"]
    most = slices["pixels"].index(max(slices["pixels"]))
    for pixels in (1, 0):  # one too many, then one that another pair lacks
        slices["pixels"][most - 1] += pixels
        slices["pixels"][most] -= 1 - pixels
        with pytest.raises(UsageError, match="do not add up to its matrix"):
            from_dict(record)
    del measured["slices"]
    with pytest.raises(UsageError, match="has no slices"):
        from_dict(record)
    del record["settings"]["per_slice"]
    assert not from_dict(record).settings.per_slice


@pytest.mark.usefixtures("folders")
def test_a_baseline_with_slices_has_no_other_settings():
    """They change no number that is compared."""
    run("batch", "p", "r", "-q", "-o", "old.json", "-j", "1")
    printed = run(
        "batch", "p", "r", "-j", "1", "--per-slice", "x.csv", "--baseline", "old.json", "--max-drop", "0"
    )
    assert "other settings" not in printed
