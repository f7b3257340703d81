"""Words with a slip: every word that a user can get wrong is refused with the right one."""

from __future__ import annotations

import json
import shlex

import numpy as np
import pytest
from PIL import Image
from streams import runner

from dicecli.cli import cli
from dicecli.records.alike import did_you_mean_file
from dicecli.words import did_you_mean, near

#: What is typed, and the word that is proposed first. Files are in the folder of the test.
SLIPS = {
    "command": ("socre p.png r.png", "score"),
    "option": ("score p.png r.png --labls voc", "--labels"),
    "option of the group": ("--verson", "--version"),
    "metric": ("score p.png r.png -m dise", "dice"),
    "metric in a list": ("score p.png r.png -m iou,dise", "dice"),
    "metric of the field": ("score p.png r.png -m sensitivty", "sensitivity"),
    "parameter of a metric": ("score p.png r.png -m nsd_2nm", "nsd_2mm"),
    "metric to explain": ("metrics recal", "recall"),
    "average": ("score p.png r.png --average mirco", "micro"),
    "average of a gate": ("batch p r --fail-under dice@mirco=0.5", "micro"),
    "metric of a gate": ("batch p r --fail-under dise=0.5", "dice"),
    "label of a gate": ("batch p r --labels l.json --fail-under dice[livr]=0.5 -o x.json", "liver"),
    "metric of a drop": ("batch p r --baseline r.json --max-drop dise=0.5", "dice"),
    "number to explain": ("explain r.json dise@macro", "dice"),
    "average to explain": ("explain r.json dice@marco", "macro"),
    "label to explain": ("explain r.json dice[livr]", "liver"),
    "format": ("score p.png r.png -f jsn", "json"),
    "format of inspect": ("inspect p.png -f jsn", "json"),
    "suffix": ("score p.png r.png -o x.jsn", ".json"),
    "preset": ("score p.png r.png --labels citiscapes", "cityscapes"),
    "file of labels": ("score p.png r.png --labels ll.json", "l.json"),
    "policy": ("score p.png r.png --undefined skp", "skip"),
    "nodata": ("score p.png r.png --nodata ignor", "ignore"),
    "tool": ("score p.png r.png --like monay", "monai"),
    "device": ("score p.png r.png --device cdua", "cuda"),
    "executor": ("batch p r --executor dsak", "dask"),
    "logits": ("soft p.npy r.png --logits sofmax", "softmax"),
    "channel": ("soft p.npy r.png --labels l.json --channels 0,livr", "liver"),
    "distance to nothing": ("score p.png r.png -m hd --empty-distance diagnal", "diagonal"),
    "command to configure": ("config scor", "score"),
    "record": ("report rr.json", "r.json"),
    "record to explain": ("explain rr.json", "r.json"),
    "prediction": ("score pp.png r.png", "p.png"),
    "reference": ("score p.png rr.png", "r.png"),
    "key of a file": ("config score", "average"),
    "value in a file": ("config batch", "micro"),
    "key of labels": ("score p.png r.png --labels odd.json", "regions"),
}
#: What a configuration file of the folder says.
FILES = {"key of a file": 'averag = "micro"\n', "value in a file": 'average = "mirco"\n'}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return a folder with masks, folders, labels and a record, which is the current one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".git").mkdir()
    for place in ("p.png", "r.png", "p/a.png", "r/a.png"):
        (tmp_path / place).parent.mkdir(exist_ok=True)
        Image.fromarray(np.eye(3, dtype=np.uint8)).save(tmp_path / place)
    labels = {"labels": {"0": "background", "1": "liver"}}
    (tmp_path / "l.json").write_text(json.dumps(labels))
    (tmp_path / "odd.json").write_text(json.dumps({**labels, "regoins": {}}))
    assert runner().invoke(cli, shlex.split("score p.png r.png --labels l.json -o r.json")).exit_code == 0
    return tmp_path


@pytest.mark.parametrize("kind", SLIPS)
def test_a_word_with_a_slip_is_refused_with_the_right_one(kind, folder):
    """The right word comes first; nothing is computed where the word can be known to be wrong before."""
    (folder / "dicecli.toml").write_text(FILES.get(kind, ""))
    typed, right = SLIPS[kind]
    done = runner().invoke(cli, shlex.split(typed))
    assert done.exit_code == (3 if kind in {"prediction", "reference"} else 2), done.output
    meant = done.stderr.partition("Did you mean ")[2]
    assert meant.startswith((right, f"'{right}'")), done.stderr


@pytest.mark.parametrize(
    ("typed", "right"),
    [
        ("p.png r.png -m dice", "dicecli score p.png r.png -m dice"),
        ("p r -o 'a b.csv'", "dicecli batch p r -o 'a b.csv'"),
        ("nowhere.nii.gz r.png", "dicecli score nowhere.nii.gz r.png"),
        ("p.png", "dicecli inspect p.png"),
        ("r.json", "dicecli report r.json"),
        ("soft p r", "dicecli batch --soft p r"),
        ("score p.png r.png --fail-under dice=1", "batch"),
        ("score p.png r.png --ignore_index 255", "Here it is --ignore-label 255."),
        ("score --y-pred p.png", "Here it is --prediction."),
        ("batch p r --n-jobs 3", "Here it is --jobs 4."),
        ("score p.png r.png --class-names x", "Here it is --labels FILE.json."),
        ("inspect p.png --xyzzy 2", "lists every one"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_what_is_meant_is_said_to_the_letter(typed, right):
    """A command that was left out, folders for files, an option of another command or of another tool."""
    done = runner().invoke(cli, shlex.split(typed))
    assert done.exit_code == 2
    assert right in done.stderr.partition("Hint: ")[2]
    assert "Did you mean" not in done.stderr


@pytest.mark.usefixtures("folder")
def test_two_folders_are_one_case_or_many():
    """As one case they are scored, and the command for many stands beside the number."""
    done = runner().invoke(cli, ["score", "p", "r"])
    assert done.exit_code == 0
    assert "dicecli batch p r" in done.stdout


def test_dicecli_alone_says_what_one_can_do(folder, monkeypatch):
    """Three things, in a few lines on standard error; where names tell sides, lines that run as they are."""
    done = runner().invoke(cli, [])
    assert (done.exit_code, done.stdout) == (2, "")
    assert len(done.stderr.splitlines()) <= 14
    for line in ("score PREDICTION REFERENCE", "batch PREDICTIONS REFERENCES", "inspect p.png"):
        assert f"    dicecli {line}\n" in done.stderr
    for old, new in (
        ("p.png", "case 1_pred.png"),
        ("r.png", "case 1_gt.png"),
        ("p", "preds"),
        ("r", "labelsTs"),
    ):
        (folder / old).rename(folder / new)
    said = runner().invoke(cli, []).stderr
    lines = [line.strip().removeprefix("dicecli ") for line in said.splitlines() if line.startswith("    ")]
    assert shlex.split(lines[0]) == ["score", "case 1_pred.png", "case 1_gt.png"]
    assert lines[1] == "batch preds labelsTs"
    assert [0, 0, 0] == [runner().invoke(cli, shlex.split(line)).exit_code for line in lines]
    (folder / "none").mkdir()
    monkeypatch.chdir(folder / "none")
    assert "inspect FILE" in runner().invoke(cli, []).stderr


def test_near_words_and_files(tmp_path):
    """Case does not matter; words are given as they are known; a path that is there is not doubted."""
    assert ["Dice"] == near("DISE", ["Dice", "iou"])
    assert did_you_mean("xyzzy", ["Dice"]) == ""
    (tmp_path / "masks.csv").touch()
    assert f"Did you mean {tmp_path / 'masks.csv'}? " == did_you_mean_file(tmp_path / "mask.csv")
    assert did_you_mean_file(tmp_path / "masks.csv") == ""
    assert did_you_mean_file(tmp_path / "nowhere" / "mask.csv") == ""
    assert did_you_mean_file("\0") == ""
