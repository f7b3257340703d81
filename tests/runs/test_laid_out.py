"""A layout becomes patterns and labels: those that pair the most; what is given by hand stays."""

from __future__ import annotations

import json
import os

import make
import numpy as np
import pytest
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import PairingError, UnknownName
from dicecli.runs.laid_out import lay_out

PREDICTION, REFERENCE = np.array([[0, 1, 0], [1, 1, 0]], np.uint8), np.array([[0, 0, 0], [1, 1, 0]], np.uint8)
DICE = 0.8
LABELS = {"labels": {"background": 0, "organ": 1}}


@pytest.fixture
def tree(tmp_path, monkeypatch):
    """Write files of these names as masks, those below ``p`` as predictions, and go there."""
    monkeypatch.chdir(tmp_path)

    def write(*paths):
        for path in paths:
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            if path.endswith(".json"):
                (tmp_path / path).write_text(json.dumps(LABELS), encoding="utf-8")
            else:
                array = PREDICTION if path.startswith("p/") else REFERENCE
                is_volume = path.endswith(".gz")
                (make.nifti if is_volume else make.png)(
                    tmp_path / path, array[..., None] if is_volume else array
                )

    return write


def test_the_patterns_are_those_that_pair_the_most(tree):
    """One stray file of the first pattern counts for less than two cases of another."""
    tree("p/a.png", "p/fold_0/validation/x1.png", "p/fold_1/validation/x2.png", "r/a.png")
    tree("r/labelsTr/x1.png", "r/labelsTr/x2.png")
    found = lay_out("nnunet", "p", "r")
    assert "fold_*/validation/{case}.png" == found.prediction_pattern
    assert "labelsTr/{case}.png" == found.reference_pattern
    assert found.labels is None


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        (["d/dataset.json", "d/r/dataset.json", "p/dataset.json"], "d/dataset.json"),
        (["d/r/dataset.json", "p/dataset.json"], "d/r/dataset.json"),
        (["p/dataset.json"], "p/dataset.json"),
        ([], None),
    ],
)
def test_label_files_are_looked_for_beside_references_first(tree, files, expected):
    """Above the references, among them, then with the predictions, where nnU-Net puts a copy."""
    tree("p/a.png", "d/r/a.png", *files)
    assert expected == lay_out("nnunet", "p", "d/r").labels


@pytest.mark.parametrize("folder", ["r", "r/SegmentationClass"])
def test_labels_that_lie_there_count_before_the_preset(tree, folder, tmp_path):
    """CVAT writes its own classes beside its masks: 1 is the first of them, not VOC's aeroplane."""
    tree("p/a.png", "r/SegmentationClass/a.png", "r/SegmentationObject/a.png")
    assert lay_out("voc", "p", folder).labels == "voc"
    (tmp_path / "r" / "labelmap.txt").write_text("background:0,0,0::\ncar:128,0,0::\n", encoding="utf-8")
    assert lay_out("voc", "p", folder).labels == os.path.join("r", "labelmap.txt")  # noqa: PTH118 - a text


def test_what_is_given_by_hand_stays(tree):
    """A pattern or labels beside the layout count in its place, and the note leaves them out."""
    tree("p/x_a.png", "r/a.png", "dataset.json")
    found = lay_out("nnunet", "p", "r", prediction_pattern="x_{case}.png", labels="voc")
    assert ("x_{case}.png", "{case}.png", "voc") == (
        found.prediction_pattern,
        found.reference_pattern,
        found.labels,
    )
    assert ("layout nnunet: --reference-pattern '{case}.png'",) == found.notes


def test_without_a_layout_nothing_changes():
    """No layout is no option, and nothing is looked at."""
    found = lay_out(None, "nowhere", None, labels={1: "organ"})
    assert (None, None, {1: "organ"}, ()) == (
        found.prediction_pattern,
        found.reference_pattern,
        found.labels,
        found.notes,
    )


def test_two_files_of_one_case_under_every_pattern_are_refused(tree):
    """Where no pattern tells two files apart, none is chosen: both are named."""
    tree("p/a_x.png", "p/a_y.png", "r/c/a_gtFine_labelIds.png")
    with pytest.raises(PairingError, match="the case 'a' has 2 files"):
        dicecli.batch("p", "r", layout="cityscapes", prediction_pattern="{case}_*.png")


def test_python_and_a_file_of_options_have_it(tree, tmp_path):
    """The twin in Python, and a configuration file, lay out as the command line does."""
    tree("p/BraTS-1.nii.gz", "r/BraTS-1/BraTS-1-seg.nii.gz", "r/BraTS-1/BraTS-1-t1c.nii.gz")
    report = dicecli.batch("p", "r", layout="brats")
    (tmp_path / "dicecli.toml").write_text('layout = "brats"\n', encoding="utf-8")
    done = runner().invoke(cli, ["batch", "p", "r", "-j", "1", "-f", "json"], catch_exceptions=False)
    record = json.loads(done.stdout)
    assert report.to_dict()["cases"] == record["cases"]
    assert DICE == report.look_up("dice[1]").value
    (run,) = report.origin.runs
    assert ("{case}.nii.gz", "brats") == (run.prediction_pattern, run.labels)
    assert report.notes[0].startswith(
        "layout brats: --prediction-pattern '{case}.nii.gz' --reference-pattern "
    )


def test_a_slip_is_refused_with_the_right_word():
    """In Python as on the command line."""
    with pytest.raises(UnknownName, match="there is no layout 'nnu-net'") as caught:
        dicecli.batch("p", "r", layout="nnu-net")
    assert caught.value.hint.startswith("Did you mean nnunet? Known: bids, ")
    done = runner().invoke(cli, ["batch", "p", "r", "--layout", "cityscape"])
    assert 2 == done.exit_code
    assert "Did you mean cityscapes?" in done.stderr
