"""Options and metrics that do not go with what a run reads."""

from __future__ import annotations

import json

import places
import pytest
from streams import runner

from dicecli.cli import cli

PAIR = [str(places.SAMPLES / f"lesion_{side}.png") for side in ("prediction", "reference")]
SOFT = [str(places.SAMPLES / "lesion_logits.npy"), PAIR[1], "--logits", "sigmoid"]
FOLDERS = {
    "labels": [str(places.SAMPLES / each) for each in ("predictions", "references")],
    "probabilities": ["--soft", *(str(places.SAMPLES / each) for each in ("probabilities", "references"))],
}
RUNS = [
    pytest.param(["score", *PAIR], "dice", "soft_dice_standard", id="score"),
    pytest.param(["soft", *SOFT], "soft_dice_standard", "dice", id="soft"),
    pytest.param(["batch", *FOLDERS["labels"]], "dice", "soft_dice_standard", id="batch"),
    pytest.param(["batch", *FOLDERS["probabilities"]], "soft_dice_standard", "dice", id="batch --soft"),
]


@pytest.mark.parametrize(("arguments", "own", "other"), RUNS)
def test_metrics_of_a_file_are_for_whom_they_concern(arguments, own, other, tmp_path, monkeypatch):
    """One file serves masks and maps: what is of the other kind is left out, and said; -q says nothing."""
    (tmp_path / "dicecli.toml").write_text(f'metric = ["{own}", "{other}"]\n')
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(cli, [*arguments, "-f", "json"])
    assert done.exit_code == 0
    assert json.loads(done.stdout)["settings"]["metrics"] == [own]
    assert f"not used: {other}, of the configuration file" in done.stderr
    assert "not used" not in runner().invoke(cli, [*arguments, "-f", "json", "-q"]).stderr


@pytest.mark.parametrize(("arguments", "own", "other"), RUNS)
def test_metrics_of_the_command_line_have_to_fit(arguments, own, other, tmp_path, monkeypatch):
    """One of the other kind is an error there, whatever a file says."""
    (tmp_path / "dicecli.toml").write_text(f'metric = ["{own}"]\n')
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(cli, [*arguments, "-m", other])
    assert done.exit_code == 2
    assert f"{other} is of" in done.stderr


def results(tmp_path, reads):
    """Write the JSON of a run."""
    path = tmp_path / f"{reads}.json"
    runner().invoke(cli, ["batch", *FOLDERS[reads], "-j", "1", "-q", "-o", str(path)])
    return str(path)


@pytest.mark.parametrize("reads", FOLDERS)
@pytest.mark.parametrize("again", [False, True])
def test_gates_of_a_file_are_for_whom_they_concern(reads, again, tmp_path, monkeypatch):
    """One file serves masks and maps, scored or rendered again; those of the command line have to fit."""
    gates = {"labels": "dice=0.01", "probabilities": "soft_dice_standard=0.01"}
    (other,) = {*gates} - {reads}
    path = results(tmp_path, reads)
    lines = [f"fail-under = {json.dumps([*gates.values()])}", 'fail-over = ["brier=0.9", "fdr=0.9"]']
    (tmp_path / "dicecli.toml").write_text(
        "\n".join([*lines, 'metric = ["dice", "brier"]', 'curve = "c.csv"'])
    )
    monkeypatch.chdir(tmp_path)
    arguments = ["report", path] if again else ["batch", *FOLDERS[reads], "-j", "1"]
    done = runner().invoke(cli, [*arguments, "-f", "json"])
    assert done.exit_code == 0, done.output
    over = "fdr=0.9" if reads == "labels" else "brier=0.9"
    found = json.loads(done.stdout)
    assert {gates[reads], over} == {each["gate"] for each in found["summary"]["gates"]}
    assert gates[other] in done.stderr.split("not used: ")[1]
    assert (tmp_path / "c.csv").exists() == (reads == "probabilities" and not again)
    done = runner().invoke(cli, [*arguments, "--fail-under", gates[other]])
    assert done.exit_code == 2
    assert "and this run is of" in done.stderr


def test_a_baseline_of_a_file_goes_with_its_drops(tmp_path, monkeypatch):
    """A baseline of masks is no use to maps, unless there is a drop left to judge by it."""
    old = results(tmp_path, "labels")
    (tmp_path / "dicecli.toml").write_text(f'baseline = "{old}"\nmax-drop = ["dice=0.1", "iou[1]=0.2"]\n')
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(cli, ["batch", *FOLDERS["probabilities"], "-j", "1", "-f", "csv"])
    assert done.exit_code == 0, done.output
    assert "not used: dice=0.1, iou[1]=0.2, baseline" in done.stderr
    done = runner().invoke(cli, ["batch", *FOLDERS["labels"], "-j", "1", "-f", "csv"])
    assert done.exit_code == 0
    assert "not used" not in done.stderr


def test_a_metric_that_there_is_not_is_an_error_in_a_file_too(tmp_path, monkeypatch):
    """A misspelt one is not passed over."""
    (tmp_path / "dicecli.toml").write_text('metric = ["dise"]\n')
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(cli, ["score", *PAIR])
    assert done.exit_code == 2
    assert "Did you mean dice" in done.stderr
