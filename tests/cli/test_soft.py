"""``dicecli soft`` and ``dicecli batch --soft``: exit codes, outputs, curves, folders."""

from __future__ import annotations

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import places
import pytest
from plain import is_plain
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.metrics._soft.catalogue import OVERALL, SCORES
from dicecli.plugins import load, own
from dicecli.records.cases import Case, Scored
from dicecli.records.codec import read, written
from dicecli.reports.exporters import csv as csv_exporter
from dicecli.runs.scoring import make_settings, report_of, result_of

SAMPLES = places.SAMPLES
SCENE = (str(SAMPLES / "scene_probabilities.nii.gz"), str(SAMPLES / "scene_reference.nii.gz"))
LESION = (str(SAMPLES / "lesion_logits.npy"), str(SAMPLES / "lesion_reference.png"))
FOLDERS = (str(SAMPLES / "probabilities"), str(SAMPLES / "references"))


def run(*arguments):
    """Run the command line in this process."""
    return runner().invoke(cli, [str(each) for each in arguments])


@pytest.fixture(scope="module")
def report():
    """Three cases: one ordinary, one where nothing is anywhere and ε is 0, one that fails."""
    p = np.array([[[0.7, 0.2, 0.1, 0.25]], [[0.2, 0.7, 0.1, 0.5]], [[0.1, 0.1, 0.8, 0.25]]])
    nothing = np.zeros((3, 1, 4))
    nothing[0] = 1
    labels = {"labels": {"0": "background", "1": "liver", "2": "|tumour| [b]"}}
    settings = make_settings(soft=True, labels=labels, smooth=0.0, accept_labels=True)
    cases = [
        Case("ordinary", p, np.array([[0, 1, 2, 2]])),
        Case("=nothing", nothing, np.zeros((1, 4), int)),
        Case("broken", 2 * p, np.array([[0, 1, 2, 2]])),
    ]
    return report_of([result_of(case, settings) for case in cases], settings)


@pytest.mark.parametrize(
    "name", [each for each in own("exporters") if hasattr(load("exporters", each), "render_soft")]
)
def test_the_output_is_the_golden_one(name, report, golden):
    """Each form's bytes are those kept in tests/golden, twice the same; every case stands in it."""
    exporter = load("exporters", name)
    text = exporter.render_soft(report)
    assert text == exporter.render_soft(report)
    assert text.endswith("\n")
    assert "NotProbabilities" in text
    assert is_plain(text)
    if hasattr(exporter, "render_soft_summary"):
        summary = exporter.render_soft_summary(report)
        assert summary == exporter.render_soft_summary(report)
        assert is_plain(summary)
    golden(f"soft{exporter.SUFFIXES[0]}", text)


def test_every_score_stands_in_every_machine_format(report):
    """JSON and CSV hold every score of the catalogue, undefined as null and empty."""
    record = report.to_dict()
    row = record["cases"][0]["labels"][0]
    assert {each.name for each in SCORES} <= set(row)
    assert [each.name for each in OVERALL] == list(record["cases"][0]["overall"])
    assert record["cases"][1]["labels"][0]["soft_dice_standard"] is None
    assert record["cases"][1]["undefined"]["soft_dice_standard"] == 2
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    rows = list(csv.DictReader(io.StringIO(csv_exporter.render_soft(report))))
    assert [each["kind"] for each in rows] == ["label", "label", "macro", "micro"] * 2 + [""]
    assert rows[4]["soft_dice_standard"] == ""
    assert rows[4]["case"] == "'=nothing"
    assert float(rows[0]["soft_dice_standard"]) == row["soft_dice_standard"]


def test_a_case_survives_the_journal(report):
    """What the journal keeps of a case gives the same report again."""
    results = [read(Scored, json.loads(json.dumps(written(each)))) for each in report.scored]
    again = report_of([*results, *report.failed], report.settings)
    assert again.to_dict()["summary"] == report.to_dict()["summary"]


def test_soft_prints_what_python_gives():
    """`-f json` is `dicecli.soft(...).to_dict()`, the notes on standard error, exit 0."""
    result = run("soft", *SCENE, "-f", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(dicecli.soft(*SCENE).to_dict()))
    assert "channels are label 0, label 1, label 2, label 3" in result.stderr
    assert run("soft", *SCENE, "-f", "json", "-q").stderr == ""


def test_argmax_is_that_of_score(tmp_path):
    """`dice_argmax` is what `score` gives for the label of the largest probability."""
    import nibabel

    image = nibabel.load(SCENE[0])
    labels = np.asarray(image.dataobj).argmax(axis=-1).astype(np.uint8)
    nibabel.Nifti1Image(labels, image.affine).to_filename(tmp_path / "labels.nii.gz")
    scored = dicecli.score(str(tmp_path / "labels.nii.gz"), SCENE[1]).to_dict()["cases"][0]
    soft = dicecli.soft(*SCENE).to_dict()["cases"][0]
    for one, other in zip(scored["labels"], soft["labels"], strict=True):
        assert one["dice"] == other["dice_argmax"]
    assert scored["averages"]["macro"]["dice"] == soft["averages"]["macro"]["dice_argmax"]
    assert scored["averages"]["micro"]["dice"] == soft["averages"]["micro"]["dice_argmax"]
    assert scored["overall"]["overall_accuracy"] == soft["overall"]["overall_accuracy"]


def test_the_best_threshold_is_reached_by_score():
    """`score --threshold T` at the best threshold gives `dice_best`, to the last bit."""
    p = np.load(LESION[0]).astype(np.float64)
    probability = 1 / (1 + np.exp(-p))
    reference = LESION[1]
    row = dicecli.soft(probability, reference).to_dict()["cases"][0]["labels"][0]
    for threshold, name in ((row["best_threshold"], "dice_best"), (0.5, "dice_at_half")):
        scored = dicecli.score(probability, reference, threshold=threshold).to_dict()["cases"][0]["labels"]
        assert scored[0]["dice"] == row[name]


def test_curves(tmp_path):
    """`--curve` writes 1,000 thresholds per label and for all as CSV, or a picture, the same bytes each time."""
    pytest.importorskip("matplotlib")
    path = tmp_path / "curve.csv"
    assert run("soft", *SCENE, "--curve", path).exit_code == 0
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert len(rows) == 4 * 1000
    assert [rows[0]["threshold"], rows[999]["threshold"]] == ["0.001", "1.0"]
    assert {each["kind"] for each in rows[-1000:]} == {"micro"}
    for row in rows[::97]:
        tp, fp, fn = (int(row[name]) for name in ("tp", "fp", "fn"))
        assert float(row["dice"]) == 2 * tp / (2 * tp + fp + fn)
        assert row["precision"] == ("" if not tp + fp else str(tp / (tp + fp)))
    pictures = [tmp_path / "a.png", tmp_path / "b.png"]
    for each in pictures:
        assert run("soft", *SCENE, "--curve", each).exit_code == 0
    assert pictures[0].read_bytes().startswith(b"\x89PNG")
    assert pictures[0].read_bytes() == pictures[1].read_bytes()


def test_a_picture_needs_matplotlib(monkeypatch, tmp_path):
    """Without the extra, `--curve x.png` is exit 2 before the work, and says what to install."""
    import sys

    monkeypatch.setitem(sys.modules, "matplotlib", None)
    result = run("soft", *SCENE, "--curve", tmp_path / "a.png")
    assert result.exit_code == 2
    assert "dicecli[plot]" in result.stderr


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["soft", *SCENE, "--temperature", "2"], 2, "a temperature is for logits"),
        (["soft", *SCENE, "--curve", "curve.txt"], 2, "no curve has the suffix '.txt'"),
        (["soft", *SCENE, "-o", "report.xml"], 2, "no report has the suffix '.xml'"),
        (["soft", *SCENE, "-f", "junit"], 2, "no report in the form junit"),
        (["soft", *SCENE, "--channels", "0,1"], 3, "--channels names 2"),
        (["soft", *LESION], 3, "values run from"),
        (["soft", SCENE[1], SCENE[1]], 3, "a mask of labels, not probabilities"),
        (["soft", "nothing.npy", SCENE[1]], 3, "there is no such file"),
        (["batch", *FOLDERS, "--smooth", "1"], 2, "--smooth is for probability maps"),
        (["batch", "--soft", *FOLDERS, "--threshold", "0.5"], 2, "--threshold is for masks"),
        (
            ["batch", "--soft", *FOLDERS, "--device", "cpu", "--argmax"],
            2,
            "--argmax, --device are for masks",
        ),
        (["batch", "--soft", *FOLDERS, "--missing", "zero"], 2, "cannot be counted as zero"),
    ],
)
def test_what_goes_wrong_is_said(arguments, code, said):
    """Wrong usage is exit 2, a file that cannot be scored exit 3; both say what to do, and nothing is traced."""
    result = run(*arguments)
    assert result.exit_code == code
    assert said in result.stderr
    assert "Hint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_folder_of_maps(tmp_path):
    """`batch --soft` gives every case, all of them pooled, and the same bytes for any number of jobs."""
    outputs = []
    for jobs in (1, 2):
        out = [tmp_path / f"{jobs}{suffix}" for suffix in (".csv", ".json", ".md", ".txt")]
        arguments = [part for path in out for part in ("-o", path)]
        summary = tmp_path / f"summary{jobs}.csv"
        result = run(
            "batch",
            "--soft",
            *FOLDERS,
            "-j",
            jobs,
            *arguments,
            "--summary",
            summary,
            "--curve",
            tmp_path / "c.csv",
        )
        assert result.exit_code == 0
        outputs.append([result.stdout, *(path.read_bytes() for path in (*out, summary))])
    assert outputs[0] == outputs[1]
    record = json.loads((tmp_path / "1.json").read_text())
    assert [case["case"] for case in record["cases"]] == [f"garden_{n}" for n in range(1, 7)]
    pooled = record["summary"]["pooled"]["labels"][0]
    assert pooled["reference_px"] == sum(case["labels"][0]["reference_px"] for case in record["cases"])
    sums = [case["labels"][0]["sums"] for case in record["cases"]]
    above = 2 * sum(each["pg"] for each in sums) + 1e-5
    below = sum(each["p"] + each["g"] for each in sums) + 1e-5
    assert pooled["soft_dice_standard"] == pytest.approx(above / below, rel=1e-14)
    found = record["summary"]["labels"][0]["scores"]["soft_dice_standard"]
    values = [case["labels"][0]["soft_dice_standard"] for case in record["cases"]]
    assert found["mean"] == pytest.approx(sum(values) / 6, rel=1e-14)
    assert found["pooled"] == pooled["soft_dice_standard"]


def test_a_broken_map_is_a_row_and_the_run_resumes(tmp_path):
    """A map that cannot be scored is a row with exit 3; after it is mended, `--resume` sums only that one."""
    shutil.copytree(FOLDERS[0], tmp_path / "p")
    shutil.copytree(FOLDERS[1], tmp_path / "g")
    good = (tmp_path / "p" / "garden_2.tif").read_bytes()
    (tmp_path / "p" / "garden_2.tif").write_bytes(b"")
    (tmp_path / "p" / "garden_5.tif").unlink()
    out = tmp_path / "o.json"
    arguments = ["batch", "--soft", tmp_path / "p", tmp_path / "g", "-o", out, "-j", "1", "--missing", "skip"]
    result = run(*arguments)
    assert result.exit_code == 3
    rows = {case["case"]: case for case in json.loads(out.read_text())["cases"]}
    assert rows["garden_2"]["error"] == "EmptyFile"
    assert rows["garden_5"]["status"] == "missing"
    (tmp_path / "p" / "garden_2.tif").write_bytes(good)
    assert run(*arguments, "--resume").exit_code == 0
    resumed = out.read_bytes()
    assert run(*arguments).exit_code == 0
    assert resumed == out.read_bytes()
    assert not (tmp_path / "o.json.journal").exists()


@pytest.mark.parametrize(
    "words",
    [
        ("-m", "dice"),
        ("--fail-under", "dice=0.9"),
        ("--baseline", "{out}", "--max-drop", "0.1"),
        ("-f", "junit"),
    ],
    ids=" ".join,
)
def test_report_says_what_records_of_these_do_not_have(words, tmp_path):
    """`dicecli report` on a record of probability maps refuses what is for masks alone: exit 2, with a hint."""
    out = tmp_path / "o.json"
    assert run("soft", *SCENE, "-o", out).exit_code == 0
    assert run("report", out).exit_code == 0
    result = run("report", out, *(word.format(out=out) for word in words))
    assert (result.exit_code, result.stdout) == (2, "")
    assert "probability maps" in result.stderr
    assert "Hint: " in result.stderr


def test_no_baseline_is_a_record_of_these(tmp_path):
    """A record of probability maps as a baseline of masks is exit 2 with a hint."""
    out, masks = tmp_path / "o.json", (str(SAMPLES / "scene_reference.nii.gz"),) * 2
    assert run("soft", *SCENE, "-o", out).exit_code == 0
    assert run("score", *masks, "-o", tmp_path / "m.json").exit_code == 0
    result = run("report", tmp_path / "m.json", "--baseline", out, "--max-drop", "0.1")
    assert (result.exit_code, result.stdout) == (2, "")
    assert "these are results of probability maps" in result.stderr


def test_defaults_come_from_a_file(tmp_path, monkeypatch):
    """Options of `soft` may stand in dicecli.toml; those for masks alone are named as unused with --soft."""
    monkeypatch.chdir(tmp_path)
    Path("dicecli.toml").write_text('logits = "sigmoid"\nthreshold = 0.9\n')
    result = run("soft", *LESION, "-q")
    assert result.exit_code == 0
    Path("dicecli.toml").write_text("threshold = 0.5\n")
    result = run("batch", "--soft", *FOLDERS)
    assert result.exit_code == 0
    assert "not used with --soft: --threshold" in result.stderr


def test_metrics_explains_soft_scores():
    """`dicecli metrics` lists and explains the scores of probability maps too."""
    listed = run("metrics").stdout
    for each in (*SCORES, *OVERALL):
        assert each.name in listed
    explained = run("metrics", "soft-dice-squared").stdout
    for expected in ("soft_dice_squared", "Σp²", "V-Net", "doi:10.1109/3DV.2016.79", "dicecli soft"):
        assert expected in explained
    assert "did you mean" in run("metrics", "soft_dice_cubed").stderr.lower()
