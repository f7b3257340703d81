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


def test_a_metric_that_there_is_not_is_an_error_in_a_file_too(tmp_path, monkeypatch):
    """A misspelt one is not passed over."""
    (tmp_path / "dicecli.toml").write_text('metric = ["dise"]\n')
    monkeypatch.chdir(tmp_path)
    done = runner().invoke(cli, ["score", *PAIR])
    assert done.exit_code == 2
    assert "Did you mean dice" in done.stderr
