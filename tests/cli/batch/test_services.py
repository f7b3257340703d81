"""What a repository and CI services give to ``dicecli batch``, and get: options, summaries, baselines."""

from __future__ import annotations

import json
from shutil import copytree

import make
import numpy as np
import pytest
from batches import both, call, pair, posix_only, record, sound, spoiled
from click.shell_completion import ShellComplete

from dicecli.cli.main import cli


@pytest.mark.parametrize(("name", "head"), [("dicecli.toml", ""), ("pyproject.toml", "[tool.dicecli]\n")])
def test_a_file_gives_defaults(name, head, tmp_path, monkeypatch):
    """What the file says holds also in a folder below it, and standard error says where it is from."""
    repository = sound(tmp_path / "repository")
    (repository / ".git").mkdir()
    (repository / name).write_text(
        f'{head}metric = ["iou"]\nfail-under = ["iou=0.999"]\njobs = 1\nlabels = "labels.json"\n',
        encoding="utf-8",
    )
    names = {str(label): f"part {label}" for label in range(4)}
    (repository / "labels.json").write_text(json.dumps({"labels": names}), encoding="utf-8")
    (repository / "below").mkdir()
    monkeypatch.chdir(repository / "below")
    done = call("../predictions", "../references", "-f", "csv", jobs=None)
    assert done.exit_code == 1
    assert done.stdout.startswith("case,status,label,name,tp,fp,fn,tn,iou,error,notes\n")
    assert "part 2" in done.stdout
    assert (
        f"Note: options from {repository.resolve() / name}: fail-under, jobs, labels, metric\n" in done.stderr
    )


def test_a_shell_that_completes_a_line_hears_nothing_of_the_file(tmp_path, monkeypatch, capsys):
    """Completion finds a command's options, and no note of defaults falls into the line that is being typed."""
    (tmp_path / "dicecli.toml").write_text("jobs = 1\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    found = ShellComplete(cli, {}, "dicecli", "_DICECLI_COMPLETE").get_completions(["batch"], "--metr")
    assert ["--metric"] == [each.value for each in found]
    assert capsys.readouterr() == ("", "")


def test_the_command_line_wins(tmp_path, monkeypatch):
    """An option that is given replaces the file's, one that may be repeated, too."""
    sound(tmp_path)
    (tmp_path / "dicecli.toml").write_text(
        'metric = ["iou"]\nfail-under = ["iou=0.999"]\nmissing = "skip"\n', encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    words = ["predictions", "references", "-f", "json"]
    settings = json.loads(call(*words).stdout)["settings"]
    assert (settings["missing"], settings["metrics"]) == ("skip", ["iou"])
    done = call(*words, "-m", "dice", "-m", "recall", "--fail-under", "dice=0.1", "--missing", "zero")
    found = json.loads(done.stdout)
    assert done.exit_code == 0
    assert (found["settings"]["missing"], found["settings"]["metrics"]) == ("zero", ["dice", "recall"])
    assert [each["gate"] for each in found["summary"]["gates"]] == ["dice=0.1"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("metrics = ['dice']", "metrics"),
        ("fail-undr = ['dice=0.5']", "fail-undr"),
        ("resume = true", "resume"),
        ("dry-run = true", "dry-run"),
        ("schema = true", "schema"),
        ("jobs = 'many'", "jobs"),
        ("jobs = 0", "jobs"),
        ("missing = 'perhaps'", "missing"),
        ("fail-under = ['nonsense']", "nonsense"),
        ("jobs = ", "TOML"),
    ],
)
def test_a_file_that_is_wrong(text, said, tmp_path, monkeypatch):
    """An unknown key, or a value that its option does not take, is exit code 2, and is named."""
    sound(tmp_path)
    (tmp_path / "dicecli.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    done = call("predictions", "references", jobs=None)
    assert done.exit_code == 2
    assert said in done.stderr


def test_github_gets_a_summary_and_annotations(tmp_path, monkeypatch):
    """--github appends the Markdown to the step's summary, and annotates the gates that failed, no others."""
    target = tmp_path / "step.md"
    target.write_text("of an earlier step\n", encoding="utf-8")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    gates = ["--fail-under", "dice=0.1", "--fail-under", "min:dice[2]=0.999"]
    done = call(*both(sound(tmp_path)), *gates, "--github")
    assert done.exit_code == 1
    text = target.read_text(encoding="utf-8")
    assert text.startswith("of an earlier step\n")
    assert "## Gates" in text
    assert "## Averages" in text
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("::")]
    assert line.startswith("::error title=dicecli gate failed::min:dice[2]=0.999: value 0.")
    assert "limit 0.999" in line
    assert "worst case: case00" in line


def test_github_is_told_nothing_unless_asked(tmp_path, monkeypatch):
    """Without --github the step's summary is not touched; with it, but outside GitHub, nothing is missing."""
    target = tmp_path / "step.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(target))
    words = [*both(sound(tmp_path)), "--fail-under", "dice=0.999"]
    done = call(*words)
    assert (done.exit_code, target.exists()) == (1, False)
    assert "::error" not in done.stderr
    monkeypatch.delenv("GITHUB_STEP_SUMMARY")
    assert call(*words, "--github").exit_code == 1


def test_a_summary_of_github_that_cannot_be_written(tmp_path, monkeypatch):
    """It is an output as any other: refused before a mask is read."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "nowhere" / "step.md"))
    done = call(*spoiled(tmp_path), "--github")
    assert done.exit_code == 2
    assert "nowhere" in done.stderr


@posix_only
def test_names_are_inert_in_annotations(tmp_path, monkeypatch):
    """A case's name gives GitHub no commands, and the terminal neither."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    sound(tmp_path, 1)
    pair(tmp_path, "b\n::warning::x\u202e%0A", seed=5)
    done = call(*both(tmp_path), "--github", "--fail-under", "min:dice=1")
    assert [line.split("::")[1] for line in done.stderr.splitlines() if "::" in line] == [
        "error title=dicecli gate failed"
    ]
    assert "\u202e" not in done.stderr


@pytest.mark.parametrize(
    ("drops", "code"),
    [(["0.5"], 0), (["0.001"], 1), (["dice[1]=0.5", "iou@micro=0.5"], 0), (["0.5", "dice[1]=0.001"], 1)],
)
def test_a_baseline(drops, code, tmp_path):
    """A run that got worse by more than --max-drop ends with 1, and what got worse is listed."""
    old = sound(tmp_path / "old")
    new = copytree(old, tmp_path / "new")
    make.png(new / "predictions" / "case002.png", np.zeros((16, 16), np.uint8))
    pair(new, "case004", size=16)
    call(*both(old), "-o", tmp_path / "old.json")
    options = [part for drop in drops for part in ("--max-drop", drop)]
    done = call(*both(new), "--baseline", tmp_path / "old.json", *options, "-o", tmp_path / "new.json")
    assert done.exit_code == code
    gates = record(tmp_path / "new.json")["summary"]["gates"]
    assert [f"max-drop {drop}" for drop in drops] == [each["gate"] for each in gates]
    for each in gates:
        assert "4 shared cases" in each["detail"]
        assert "only in this run: case004" in each["detail"]
        assert "worse cases: case002" in each["detail"]
    assert call(*both(old), "--baseline", tmp_path / "old.json", "--max-drop", "0").exit_code == 0


def test_a_baseline_of_other_cases(tmp_path):
    """Where nothing is shared nothing can be compared: exit code 2."""
    call(*both(sound(tmp_path / "old")), "-o", tmp_path / "old.json")
    pair(tmp_path / "new", "other")
    done = call(*both(tmp_path / "new"), "--baseline", tmp_path / "old.json", "--max-drop", "0.1")
    assert done.exit_code == 2
    assert "no case was scored both" in done.stderr
