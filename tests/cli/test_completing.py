"""What a shell proposes, asked by click's own way to it, and once by bash."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys

import pytest
from click.shell_completion import ShellComplete, get_completion_class
from places import SAMPLES

from dicecli.cli import cli
from dicecli.cli.completing import prepare
from dicecli.cli.main import COMMANDS
from dicecli.metrics._catalogue import every_of
from dicecli.records.schemes import presets
from dicecli.records.settings import AVERAGES

LABELS = ["--labels", str(SAMPLES / "organs_labels.json")]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Let the current folder be one with two files, of which one may be of labels."""
    for name in ("organs.json", "vocal.json", "mask.png"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)


def proposed(*words):
    """Return what is proposed for the last of some words; ``<file>`` stands for the files that a shell knows."""
    shell = ShellComplete(cli, {}, "dicecli", "_DICECLI_COMPLETE")
    found = shell.get_completions(list(words[:-1]), words[-1])
    return [each.value if each.type == "plain" else f"<{each.type}>" for each in found]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["s"], ["score", "soft"]),
        (["score", "--ignore-l"], ["--ignore-label"]),
        (["score", ""], ["<file>"]),
        (["score", "-m", "dice,io"], ["dice,iou"]),
        (["score", "-m", "iou,Bal"], ["iou,balanced_accuracy"]),
        (["score", "-m", "hd95_"], ["hd95_to_reference", "hd95_to_prediction"]),
        (["soft", "-m", "soft_dice_s"], ["soft_dice_standard", "soft_dice_squared"]),
        (["batch", "--soft", "-m", "dice_a"], ["dice_at_half", "dice_argmax"]),
        (["score", "-m", "bounda"], ["boundary_iou", "boundary_f", "boundary"]),
        (["score", "--labels", "v"], ["voc", "vocal.json"]),
        (["score", "--labels", ""], [*presets(), "organs.json", "vocal.json"]),
        (["score", "--labels", "masks/"], ["<file>"]),
        (["labels", "world"], ["worldcover"]),
        (["score", "-f", "j"], ["json", "junit"]),
        (["batch", "--summary", "s"], ["<file>"]),
        (["score", "--average", "mi"], ["micro", "micro-imagewise"]),
        (["score", "--undefined", "o"], ["one"]),
        (["batch", "--fail-under", "max:fn"], ["max:fnr"]),
        (["batch", "--fail-under", "dice@la"], ["dice@label-mean"]),
        (["batch", *LABELS, "--fail-under", "min:dice[tu"], ["min:dice[tumour]"]),
        (["batch", "--labels", "nothing.json", "--fail-under", "dice["], []),
        (["score", *LABELS, "--only", "liver,sp"], ["liver,spleen"]),
        (["score", *LABELS, "--only", "right"], []),
        (["report", "r.json", "--max-drop", "specif"], ["specificity"]),
        (["explain", "r.json", "iou@"], [f"iou@{each}" for each in AVERAGES]),
        (["metrics", "prec"], ["precision"]),
        (["config", "b"], ["batch"]),
    ],
    ids=" ".join,
)
def test_what_is_proposed(words, expected):
    """Words that go on what is typed, of what the command takes."""
    assert expected == proposed(*words)


def test_everything_is_proposed_where_nothing_is_typed():
    """Every command, and every metric of what a command reads, each once."""
    assert [*COMMANDS] == proposed("")
    assert {each.name for each in every_of("labels")} <= {*proposed("score", "-m", "")}
    given = proposed("score", "-m", "dice,")
    assert "dice,dice" not in given
    assert "dice,iou" in given


def test_values_in_fish_may_hold_commas():
    """The part behind the first comma is the value, whatever is in it."""
    prepare()
    shell = get_completion_class("fish")(cli, {}, "dicecli", "_DICECLI_COMPLETE")
    assert 'string split -m 1 ","' in shell.source()


def test_a_shell_waits_for_nothing_heavy():
    """NumPy, readers of formats and the like are not loaded; nor is a command where its name is typed."""
    code = (
        "import sys, json; from click.shell_completion import ShellComplete; from dicecli.cli.main import cli\n"
        "ask = ShellComplete(cli, {}, 'dicecli', 'X').get_completions\n"
        "ask([], 's'); first = [*sys.modules]\n"
        f"ask(['batch', *{LABELS!r}, '--fail-under'], 'dice['); ask(['score', '-m'], 'di')\n"
        "print(json.dumps([first, [*sys.modules]]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    first, last = map(set, json.loads(done.stdout))
    assert {"dicecli.cli.score", "dicecli.cli.batch"} & first == set()
    assert "dicecli.cli.batch" in last
    assert {"numpy", "pandas", "nibabel", "rasterio", "PIL", "rich", "scipy", "torch", "dask"} & last == set()


def test_no_shell_runs_what_is_proposed(tmp_path):
    """Of files and labels those are proposed that are one word to a shell, and no option: no `$(rm)`, no ` -o x`."""
    for name in (
        "vocal ones",
        "a -o x",
        "a\u00a0-o\u3000x",
        "$(touch x)",
        "`touch x`",
        "--output=x",
        "a;b",
        "a'b",
        "\x1b[31m",
        "!12",
    ):
        (tmp_path / f"{name}.json").touch()
    assert {"organs.json", "vocal.json"} == {
        each for each in proposed("labels", "") if each.endswith(".json")
    }
    names = {"kidney": 1, "kidney -o evil.csv": 2, "kidney\t-o": 3}
    (tmp_path / "organs.json").write_text(json.dumps({"labels": names}), encoding="utf-8")
    assert proposed("score", "--labels", "organs.json", "--only", "kid") == ["kidney"]
    assert proposed("batch", "--labels", "organs.json", "--fail-under", "dice[") == ["dice[kidney]"]


@pytest.mark.skipif(os.name != "posix" or shutil.which("bash") is None, reason="needs bash")
def test_bash_completes_a_list(tmp_path):
    """The script that is documented defines a function, which proposes the whole word."""
    command = tmp_path / "bin" / "dicecli"
    command.parent.mkdir()
    body = 'import sys; sys.argv[0] = "dicecli"; from dicecli.cli import main; main()'
    command.write_text(f"#!/bin/sh\nexec '{sys.executable}' -c '{body}' \"$@\"\n", encoding="utf-8")
    command.chmod(0o755)
    script = (
        'eval "$(_DICECLI_COMPLETE=bash_source dicecli)"; COMP_WORDS=(dicecli score -m dice,io); COMP_CWORD=3; '
        '_dicecli_completion dicecli; echo "${COMPREPLY[@]}"'
    )
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", script],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PATH": path},
        check=True,
    )
    assert done.stdout == "dice,iou\n"
