"""Which folder is the reference: rows A17 and A18 of the cases from the field, and what they ask of other commands."""

from __future__ import annotations

import csv
import io
import json
import os
import shlex
from shutil import copytree

import make
import numpy as np
import pytest
from batches import both, pair, sound
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.runs.sides import contradiction


def call(*words):
    """Run a command in this process."""
    return runner().invoke(cli, [str(each) for each in words], catch_exceptions=False)


def precision_and_recall(done):
    """Return both of label 1, from what a command printed as CSV."""
    row = next(row for row in csv.DictReader(io.StringIO(done.stdout)) if row["label"] == "1")
    return row["precision"], row["recall"]


# A17


def same(kind, folder):
    """Return the words of a batch whose two sides are one, of folders that are spelt or linked in this way."""
    references = sound(folder, 3) / "references"
    if kind == "spelt otherwise":
        return [references, references / ".." / "references"]
    if kind == "a link to the folder":
        (folder / "link").symlink_to(references)
        return [folder / "link", references]
    if kind in {"links to files", "hard links"}:
        (folder / "other").mkdir()
        for path in references.iterdir():
            (os.symlink if kind == "links to files" else os.link)(path, folder / "other" / path.name)
        return [folder / "other", references, "--follow-links"]
    if kind == "pairs of a CSV":
        rows = "".join(f"{path},{path}\n" for path in references.iterdir())
        (folder / "pairs.csv").write_text(f"prediction,reference\n{rows}", encoding="utf-8")
        return ["--pairs", folder / "pairs.csv"]
    return [references, references]


@pytest.mark.parametrize(
    "kind",
    [
        *("the same folder", "spelt otherwise", "a link to the folder", "links to files", "hard links"),
        "pairs of a CSV",
    ],
)
def test_a_folder_as_both_sides(kind, tmp_path):
    """`batch refs refs`, the same folder as both sides, with a gate: 2, unless `--allow-same`."""
    words = same(kind, tmp_path)
    for gate in ([], ["--fail-under", "dice=0.9"]):
        done = call("batch", *words, "-j", 1, *gate)
        assert (done.exit_code, done.stdout) == (2, "")
        assert "the predictions are the references: both masks are one file in 3 of 3 cases" in done.stderr
    assert call("batch", *words, "--dry-run").exit_code == 2
    assert "--allow-same" in done.stderr
    allowed = call("batch", *words, "-j", 1, "--fail-under", "dice=0.9", "--allow-same")
    assert allowed.exit_code == 0
    assert "in 3 of 3 cases both masks are one file" in " ".join(allowed.stdout.split())


def test_a_folder_as_both_sides_in_python(tmp_path):
    """Python's batch is held to the same, and its hint is followed literally."""
    references = sound(tmp_path, 2) / "references"
    with pytest.raises(UsageError, match="the predictions are the references") as caught:
        dicecli.batch(references, references)
    assert "allow_same=True" in caught.value.hint
    assert dicecli.batch(references, references, allow_same=True).averages["macro"]["dice"].value == 1


def test_what_is_not_the_same(tmp_path):
    """`score f f` stays a note; so do copies, and a folder of which one case alone is one file."""
    prediction, references = both(sound(tmp_path, 3))
    mask = references / "case000.png"
    assert call("score", mask, mask).exit_code == 0
    assert "prediction and reference are the same file" in call("score", mask, mask).stdout
    copies = copytree(references, tmp_path / "copies")
    assert call("batch", copies, references, "-j", 1).exit_code == 0
    (prediction / "case000.png").unlink()
    os.link(mask, prediction / "case000.png")
    done = call("batch", prediction, references, "-j", 1)
    assert done.exit_code == 0
    assert "in 1 of 3 cases both masks are one file" in " ".join(done.stdout.split())


# A18


def exchanged(folder):
    """Write references into `labelsTs`, and predictions that cover more than they should."""
    reference = np.zeros((8, 8), np.uint8)
    reference[2:4, 2:4] = 1
    prediction = np.zeros((8, 8), np.uint8)
    prediction[2:6, 2:4] = 1
    for name, mask in (("labelsTs", reference), ("predictions", prediction)):
        (folder / name).mkdir()
        make.png(folder / name / "a.png", mask)
    return folder / "labelsTs", folder / "predictions"


@pytest.mark.parametrize("format_name", ["table", "csv", "json", "markdown", "junit"])
def test_reference_first_is_noted(format_name, tmp_path, monkeypatch):
    """Reference first (as nnU-Net's evaluator has it): `batch labelsTs predictions`: a note where names
    contradict, in every output, and what it says gives the right numbers when it is followed.
    """
    exchanged(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = call("batch", "labelsTs", "predictions", "-j", 1, "-f", format_name)
    assert done.exit_code == 0
    said = " ".join((done.stdout + done.stderr).replace("\\_", "_").split())
    assert "'labelsTs' is taken as the prediction and 'predictions' as the reference" in said
    named = "--prediction predictions --reference labelsTs"
    assert named in said
    right = call("batch", *shlex.split(named), "-j", 1, "-f", "csv")
    assert "is taken as" not in right.stderr
    assert precision_and_recall(right) == ("0.5", "1.0")
    assert precision_and_recall(call("batch", "labelsTs", "predictions", "-f", "csv")) == ("1.0", "0.5")


@pytest.mark.parametrize("format_name", ["table", "csv", "json", "markdown", "junit"])
def test_reference_first_is_noted_of_a_pair(format_name, tmp_path, monkeypatch):
    """`score` of two files says it, too, in every output."""
    exchanged(tmp_path)
    monkeypatch.chdir(tmp_path)
    words = ("score", "labelsTs/a.png", "predictions/a.png")
    done = call(*words, "-f", format_name)
    if format_name != "junit":  # which has no notes on a case that passes
        assert "'labelsTs/a.png' is taken as the prediction" in " ".join((done.stdout + done.stderr).split())
    right = call("score", "--reference", words[1], "--prediction", words[2], "-f", "csv")
    assert (precision_and_recall(right), right.stderr) == (("0.5", "1.0"), "")
    meant = call("score", "--prediction", words[1], words[2], "-f", "csv")
    assert (precision_and_recall(meant), meant.stderr) == (("1.0", "0.5"), "")


def test_reference_first_is_noted_of_maps(tmp_path, monkeypatch):
    """`soft`, `batch --soft` and Python say it, too, and take the same options."""
    mask = np.zeros((8, 8), np.uint8)
    mask[2:4] = 1
    monkeypatch.chdir(tmp_path)
    for name in ("gt", "out"):
        (tmp_path / name).mkdir()
    np.save(tmp_path / "gt" / "a.npy", 0.25 + mask.astype(np.float32) / 2)
    make.png(tmp_path / "out" / "a.png", mask)
    said = "'gt/a.npy' is taken as the prediction and 'out/a.png' as the reference"
    assert said in " ".join(call("soft", "gt/a.npy", "out/a.png").stdout.split())
    assert "'gt' is taken" in " ".join(call("batch", "--soft", "gt", "out", "-j", 1).stdout.split())
    for words in (
        ["soft", "--reference", "out/a.png", "gt/a.npy"],
        ["batch", "--soft", "out", "--prediction", "gt"],
    ):
        done = call(*words, "-f", "json")
        assert (done.exit_code, "is taken as" in done.stdout + done.stderr) == (0, False)
        assert json.loads(done.stdout)["cases"][0]["reference"] == "out/a.png"
    assert any("'gt' is taken" in note for note in dicecli.batch("gt", "out", soft=True).notes)
    (case,) = dicecli.soft("gt/a.npy", "out/a.png").cases()
    assert any(said in note for note in case.notes)
    (case,) = dicecli.score("gt/../out/a.png", "out/a.png").cases()
    assert not any("is taken as" in note for note in case.notes)


@pytest.mark.parametrize(
    ("first", "second", "is_noted"),
    [
        ("labelsTr", "nnUNet_out", True),
        ("labels", "model_a", True),
        ("gt", "predictions", True),
        ("ground_truth", "baseline", True),
        ("reference", "run3", True),
        ("masks", "preds", True),
        ("annotations", "epoch_10", True),
        ("data/gtFine/val", "results", True),
        ("case_1_GT.png", "case_1.png", True),
        ("predictions", "labelsTs", False),
        ("pred_masks", "images", False),
        ("masks_a", "annotations", False),
        ("labels/model_a", "labels/model_b", False),
        ("model_a", "model_b", False),
        ("targets.png", "unmasked.png", False),
    ],
)
def test_names_that_contradict(first, second, is_noted):
    """Labels, labelsTs, gt, ground_truth, reference, masks, annotations as the first, and not as the second."""
    assert bool(contradiction(first, second)) == is_noted
    assert not (is_noted and contradiction(second, first))


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["score", "a.png"], "missing: reference"),
        (["score"], "missing: prediction and reference"),
        (["score", "--reference", "a.png"], "missing: prediction"),
        (["soft"], "missing: prediction and reference"),
        (["score", "a.png", "b.png", "--reference", "c.png"], "'b.png' is too many"),
        (["score", "a.png", "--prediction", "b.png", "--reference", "c.png"], "'a.png' is too many"),
        (["batch", "a", "b", "--prediction", "c"], "'b' is too many"),
        (["batch", "a"], "two folders are expected"),
        (["batch", "--reference", "a"], "two folders are expected"),
    ],
)
def test_exactly_two_sides(words, said):
    """One side, or three, are wrong usage, and nothing is read."""
    done = call(*words)
    assert done.exit_code == 2
    assert said in done.stderr
    assert "Hint: Give both" in done.stderr


def test_the_folders_of_a_list_of_pairs_may_be_named(tmp_path):
    """With `--pairs` the options say where paths start, as the arguments do."""
    pair(tmp_path, "a", size=16)
    (tmp_path / "pairs.csv").write_text("prediction,reference\na.png,a.png\n", encoding="utf-8")
    prediction, reference = both(tmp_path)
    words = ["batch", "--pairs", tmp_path / "pairs.csv", "-j", 1, "-f", "json"]
    by_name = call(*words, "--reference", reference, "--prediction", prediction)
    assert (by_name.exit_code, by_name.stdout) == (0, call(*words, prediction, reference).stdout)
