"""``dicecli soft``: exit codes, outputs, metrics, curves; and what its report is in Python."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import maps
import numpy as np
import places
import pytest
from plain import is_plain
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.metrics._catalogue import every_of
from dicecli.plugins import having, load
from dicecli.records.cases import Case, Scored
from dicecli.records.codec import read, written
from dicecli.reports.report import Report

SAMPLES = places.SAMPLES
SCENE = (str(SAMPLES / "scene_probabilities.nii.gz"), str(SAMPLES / "scene_reference.nii.gz"))
LESION = (str(SAMPLES / "lesion_logits.npy"), str(SAMPLES / "lesion_reference.png"))
FOLDERS = (str(SAMPLES / "probabilities"), str(SAMPLES / "references"))
ROWS = [each.name for each in every_of("probabilities") if each.takes == "row"]
TOGETHER = [each.name for each in every_of("probabilities") if each.takes == "every"]


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
    settings = maps.settings(labels=labels, smooth=0.0, accept_labels=True)
    cases = [
        Case("ordinary", p, np.array([[0, 1, 2, 2]])),
        Case("=nothing", nothing, np.zeros((1, 4), int)),
        Case("broken", 2 * p, np.array([[0, 1, 2, 2]])),
    ]
    return dicecli.score_many(cases, settings)


@pytest.mark.parametrize("name", [each for each in having("exporters", "report") if each != "nnunet"])
def test_the_output_is_the_golden_one(name, report, golden):
    """Each form's bytes are those kept in tests/golden, twice the same; every case stands in it."""
    text = report.render(name)
    assert text == report.render(name)
    assert text.endswith("\n")
    assert "NotProbabilities" in text
    assert is_plain(text)
    golden(f"soft{load('exporters', name).SUFFIXES[0]}", text)


def test_one_map_is_shown_as_the_golden_one(report, golden):
    """Of one case every score is shown, what was averaged, what is undefined, and what the numbers mean."""
    alone = Report(report.results[:1], report.settings)
    golden("soft_alone.txt", alone.render("table"))
    golden("soft_alone.md", alone.render("markdown"))


def test_every_score_stands_in_every_machine_format(report):
    """JSON and CSV hold every score of the catalogue, undefined as null and empty."""
    record = report.to_dict()
    row = record["cases"][0]["labels"][0]
    assert [each for each in row if each in ROWS] == ROWS
    assert list(row)[:5] == ["label", "name", "reference_px", "expected_px", "sums"]
    assert list(record["cases"][0]["overall"]) == TOGETHER
    assert record["cases"][1]["labels"][0]["soft_dice_standard"] is None
    assert record["cases"][1]["undefined"]["macro"]["soft_dice_standard"] == 2
    assert json.loads(json.dumps(record, allow_nan=False)) == record
    rows = list(csv.DictReader(io.StringIO(report.render("csv"))))
    known = ["case", "status", "label", "name", "reference_px", "expected_px"]
    assert [*rows[0]] == [*known, *ROWS, "error", "notes"]
    assert [(each["case"], each["label"]) for each in rows] == [
        *(("ordinary", "1"), ("ordinary", "2"), ("'=nothing", "1"), ("'=nothing", "2"), ("broken", ""))
    ]
    assert rows[2]["soft_dice_standard"] == ""
    assert float(rows[0]["soft_dice_standard"]) == row["soft_dice_standard"]
    assert float(rows[0]["expected_px"]) == row["expected_px"]


def test_a_case_survives_the_journal(report):
    """What the journal keeps of a case gives the same report again."""
    results = [read(Scored, json.loads(json.dumps(written(each)))) for each in report.scored]
    again = Report([*results, *report.failed], report.settings)
    assert again.to_dict() == report.to_dict()


def test_the_frame_has_the_rows_of_the_csv(report):
    """A data frame has a row per case and label: whole numbers that may be missing, and floats."""
    frame = report.to_pandas()
    assert frame["label"].tolist()[:4] == [1, 2, 1, 2]
    assert str(frame.dtypes["reference_px"]) == "Int64"
    assert {str(frame.dtypes[name]) for name in ("expected_px", *ROWS)} == {"float64"}
    expected = report.to_dict()["cases"][0]["labels"][1]
    assert frame.loc[1, ROWS].tolist() == [expected[name] for name in ROWS]


def test_soft_prints_what_python_gives():
    """`-f json` is `dicecli.soft(...).to_dict()`, the notes on standard error, exit 0."""
    result = run("soft", *SCENE, "-f", "json")
    assert result.exit_code == 0
    assert json.loads(result.stdout) == json.loads(json.dumps(dicecli.soft(*SCENE).to_dict()))
    assert run("soft", *SCENE, "-f", "csv").stdout == dicecli.soft(*SCENE).render("csv")
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
    assert scored["overall"]["overall_accuracy"] == soft["overall"]["overall_accuracy_argmax"]


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
        (["soft", *SCENE, "-o", "report.pdf"], 2, "no report has the suffix '.pdf'"),
        (["soft", *SCENE, "-f", "pdf"], 2, "pdf"),
        (["soft", *SCENE, "-m", "nonsense"], 2, "there is no metric 'nonsense'"),
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
    assert "Hint: " in result.stderr or "Usage: " in result.stderr
    assert "Traceback" not in result.stderr


# Metrics.


@pytest.mark.parametrize(
    "chosen",
    [["brier"], ["dice_best", "brier"], ["overall_ece", "gain"], ["Soft-Dice-Squared"]],
    ids=" ".join,
)
def test_metrics_are_chosen(chosen, tmp_path):
    """-m shows these metrics alone, in their order, on the command line as in Python; numbers stay as they are."""
    words = [part for name in chosen for part in ("-m", name)]
    names = [name.lower().replace("-", "_") for name in chosen]
    rows = [name for name in names if name in ROWS]
    result = run("soft", *SCENE, *words, "-f", "csv", "-o", tmp_path / "o.json", "-o", tmp_path / "o.md")
    assert result.exit_code == 0
    columns = ["case", "status", "label", "name", "reference_px", "expected_px", *rows, "error", "notes"]
    assert next(csv.reader(io.StringIO(result.stdout))) == columns
    found, every = dicecli.soft(*SCENE, metrics=chosen), dicecli.soft(*SCENE)
    assert result.stdout == found.render("csv")
    assert json.loads((tmp_path / "o.json").read_text()) == json.loads(json.dumps(found.to_dict()))
    for one, other in zip(*(each.to_dict()["cases"][0]["labels"] for each in (found, every)), strict=True):
        assert [each for each in one if each in ROWS] == rows
        assert one == {name: other[name] for name in one}
    assert found.overall == every.overall
    shown = (tmp_path / "o.md").read_text().replace("\\", "")
    assert [name in shown for name in ROWS if name in rows or "loss" in name] == [
        name in rows for name in ROWS if name in rows or "loss" in name
    ]


def test_all_is_every_metric_of_maps():
    """`-m all` is each of them, and none of masks."""
    record = json.loads(run("soft", *SCENE, "-m", "all", "-f", "json").stdout)
    assert record["settings"]["metrics"] == [each.name for each in every_of("probabilities")]
    row = record["cases"][0]["labels"][0]
    assert [each for each in row if each in ROWS] == ROWS
    assert "dice" not in row


@pytest.mark.parametrize(
    ("arguments", "said", "commands"),
    [
        (["soft", *SCENE, "-m", "dice"], "dice is of masks", ("dicecli score", "dicecli batch")),
        (["batch", "--soft", *FOLDERS, "-m", "iou"], "iou is of masks", ("dicecli score", "dicecli batch")),
        (
            ["score", *LESION[1:], *LESION[1:], "-m", "brier"],
            "brier is of probability maps",
            ("soft", "--soft"),
        ),
        (["batch", FOLDERS[1], FOLDERS[1], "-m", "gain"], "gain is of probability maps", ("soft", "--soft")),
    ],
)
def test_a_metric_of_the_other_kind_is_an_error(arguments, said, commands):
    """A metric that the predictions cannot have is exit 2, before anything is read, and names the commands that have it."""
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert said in result.stderr
    assert all(each in result.stderr.partition("Hint: ")[2] for each in commands)


def test_the_same_in_python():
    """A metric of the other kind is a UsageError in Python, too, wherever it is asked for."""
    with pytest.raises(UsageError, match="dice is of masks"):
        dicecli.soft(*SCENE, metrics="dice")
    with pytest.raises(UsageError, match="brier is of probability maps"):
        dicecli.score(LESION[1], LESION[1], metrics=["brier"])
    report = dicecli.soft(*SCENE)
    for name in ("dice", "dice[1]", "dice@micro"):
        with pytest.raises(UsageError, match="of masks"):
            report.look_up(name)


def test_any_number_has_a_name():
    """`value`, `pooled` and `look_up` give the numbers of the record by their names."""
    report = dicecli.soft(*SCENE, name="scene", regions={"both": [1, 3]})
    (case,) = report.to_dict()["cases"]
    by_row = {row["name"] or row["label"]: row for row in case["labels"]}
    for name in ROWS:
        for row, values in by_row.items():
            assert report.value(name, "scene", row) == values[name] == report.pooled(name, row)
            assert report.look_up(f"{name}[{row}]").value == values[name]
            assert report.look_up(f"{name}[{row}]@label-mean").value == values[name]
        for average in ("macro", "micro", "weighted", "macro-regions"):
            expected = case["averages"][average][name]
            assert report.look_up(f"{name}@{average}").value == expected
            assert report.value(f"{name}@{average}", "scene") == expected
        assert report.look_up(name).value == report.value(name, "scene") == case["averages"]["macro"][name]
    for name in TOGETHER:
        assert report.look_up(name).value == report.value(name, "scene") == case["overall"][name]


@pytest.mark.parametrize(("policy", "value"), [("zero", 0.0), ("one", 1.0)])
def test_a_policy_puts_a_value_where_a_class_is_nowhere(policy, value):
    """`undefined` concerns soft Dice without ε and hard Dice of maps; what has no such policy stays undefined."""
    p, g = np.zeros((3, 1, 4)), np.zeros((1, 4), int)
    p[0], p[1, 0, :2], p[0, 0, :2], g[0, :2] = 1, 1, 0, 1
    given = {"smooth": 0.0, "accept_labels": True}
    found, without = (
        dicecli.soft(p, g, undefined=each, **given).to_dict()["cases"][0] for each in (policy, "skip")
    )
    here, nowhere = found["labels"]
    assert here == without["labels"][0]
    follow = {"soft_dice_standard", "soft_dice_jaccard", "soft_dice_squared", "dice_at_half", "dice_argmax"}
    assert without["undefined"]["macro"] == {name: int(without["labels"][1][name] is None) for name in ROWS}
    for name in ROWS:
        assert nowhere[name] == (value if name in follow else without["labels"][1][name])
        if name in follow:
            assert without["labels"][1][name] is None
            assert found["averages"]["macro"][name] == (here[name] + value) / 2
        assert found["undefined"]["macro"][name] == (
            0 if name in follow else without["undefined"]["macro"][name]
        )


# Defaults, and the catalogue.


def test_defaults_come_from_a_file(tmp_path, monkeypatch):
    """Options of `soft` may stand in dicecli.toml; those for masks alone are named as unused with --soft."""
    monkeypatch.chdir(tmp_path)
    Path("dicecli.toml").write_text('logits = "sigmoid"\nfail-under = ["dice=0.9"]\n')
    result = run("soft", *LESION, "-q")
    assert result.exit_code == 0
    Path("dicecli.toml").write_text('threshold = 0.5\nfail-under = ["soft_dice_standard=0.1"]\n')
    result = run("batch", "--soft", *FOLDERS, "-j", "1")
    assert result.exit_code == 0
    assert "not used with --soft: --threshold" in result.stderr
    assert "soft_dice_standard=0.1" in result.stdout


def test_metrics_explains_soft_scores():
    """`dicecli metrics` lists and explains the scores of probability maps too."""
    listed = run("metrics").stdout
    for each in (*ROWS, *TOGETHER):
        assert each in listed
    explained = run("metrics", "soft-dice-squared").stdout
    for expected in ("soft_dice_squared", "Σp²", "V-Net", "doi:10.1109/3DV.2016.79", "dicecli soft"):
        assert expected in explained
    assert "did you mean" in run("metrics", "soft_dice_cubed").stderr.lower()
