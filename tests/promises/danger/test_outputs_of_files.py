"""Files that a configuration names: which commands write them, and what is said where they clash or are not there."""

from __future__ import annotations

import json
from pathlib import Path

import make
import numpy as np
import pytest
from streams import runner

from dicecli.cli import cli

MASK = np.array([[0, 1, 1], [2, 2, 1]], np.uint8)


def run(*words):
    return runner().invoke(cli, list(map(str, words)))


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    """Make a repository with two masks, and results of them, the current folder."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    for side in ("p", "r"):
        Path(side).mkdir()
        make.png(Path(side) / "a.png", MASK if side == "p" else MASK[:, ::-1])
    run("batch", "p", "r", "-o", "old.json", "--no-config")


def test_outputs_do_not_hold_for_what_shows_again_what_is_there():
    """'report scores.json' beside output = "scores.json" was always exit 2; -o writes another form."""
    Path("dicecli.toml").write_text('output = "s.json"\nsummary = "s.csv"\naverage = "micro"\n')
    assert run("batch", "p", "r").exit_code == 0
    written = {name: Path(name).read_bytes() for name in ("s.json", "s.csv")}
    for words in (("report", "s.json"), ("explain", "s.json"), ("inspect", "p/a.png")):
        done = run(*words)
        assert done.exit_code == 0, done.output
        assert ": output" not in done.stderr
    done = run("report", "s.json", "-o", "s.md")
    assert (done.exit_code, done.stderr) == (
        0,
        f"Note: options from {Path.cwd() / 'dicecli.toml'}: average\n",
    )
    assert Path("s.md").is_file()
    assert {name: Path(name).read_bytes() for name in written} == written
    shown = json.loads(run("config", "-f", "json").stdout)["commands"]
    of_file = {name for name, each in shown.items() if each.get("output", {}).get("from") == "file"}
    assert of_file == {"score", "batch", "soft", "points", "area"}


@pytest.mark.parametrize(
    ("text", "words", "said", "option"),
    [
        (
            'output = "s.csv"\nsummary = "./s.csv"\n',
            "",
            "output s.csv of dicecli.toml and summary s.csv of",
            "--summary",
        ),
        (
            'output = "s.csv"\n',
            "--summary s.csv",
            "output s.csv of dicecli.toml and --summary s.csv are",
            "-o",
        ),
        (
            'output = "old.json"\nbaseline = "old.json"\n',
            "",
            "is a file that is read, baseline old.json of",
            "-o",
        ),
        (
            'output = "old.json"\n',
            "--baseline old.json",
            "output old.json of dicecli.toml is a file that",
            "-o",
        ),
        (
            'confusion = "r/a.png"\n',
            "",
            "confusion r/a.png of dicecli.toml is a file that is read, r/a.png, the reference",
            "--confusion",
        ),
    ],
)
def test_a_clash_says_that_the_configuration_names_it(text, words, said, option):
    """With the option that takes the place of what the file says, and nothing is overwritten."""
    if ".png" in text:
        pytest.importorskip("matplotlib", reason="matplotlib is not installed, which is said first")
    Path("dicecli.toml").write_text(text)
    before = {path: path.read_bytes() for path in Path().rglob("*.*") if path.is_file()}
    done = run("batch", "p", "r", *words.split())
    assert done.exit_code == 2
    assert said in done.stderr
    assert f"elsewhere: {option} other." in done.stderr
    assert {path: path.read_bytes() for path in Path().rglob("*.*") if path.is_file()} == before


@pytest.mark.parametrize("key", ["labels", "baseline", "pairs"])
def test_a_file_that_is_not_there_is_told_with_the_configuration(key):
    """Where its paths start is said; given on the command line, the file's is not looked for; ~ is the home folder."""
    Path("dicecli.toml").write_text(f'{key} = "meta/x.json"\n')
    sides = [] if key == "pairs" else ["p", "r"]
    here = Path.cwd()
    done = run("batch", *sides)
    assert done.exit_code == 2
    assert (
        f"{here / 'dicecli.toml'}: {key} is {here / 'meta' / 'x.json'}, and there is no such file"
        in done.stderr
    )
    assert (
        f"Paths start in the folder where it lies. Correct it; or give another one: --{key} FILE."
        in done.stderr
    )
    Path("dicecli.toml").write_text(f'{key} = "~/x.json"\n')
    assert f"{key} is {Path.home() / 'x.json'}, and" in run("batch", *sides).stderr
    if key != "pairs":
        assert run("batch", *sides, f"--{key}", "voc" if key == "labels" else "old.json").exit_code == 0


@pytest.mark.parametrize("name", ["dicecli.toml", "my.toml"])
def test_the_table_may_stand_in_any_file_where_nothing_stands_beside_it(name):
    """[tool.dicecli] pasted into dicecli.toml, or into what --config names."""
    Path(name).write_text('[tool.dicecli]\naverage = "micro"\n')
    done = run("score", "p/a.png", "r/a.png", "--config", name)
    assert (done.exit_code, done.stderr.count(": average")) == (0, 1)
    Path(name).write_text('undefined = "one"\n[tool.dicecli]\naverage = "micro"\n')
    done = run("score", "p/a.png", "r/a.png", "--config", name)
    assert done.exit_code == 2
    assert "Leave out the line [tool.dicecli]." in done.stderr


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ('timeout = "60"', "timeout = 60"),
        ('threshold = "0.5"', "threshold = 0.5"),
        ('include-background = "true"', "include-background = true"),
    ],
)
def test_what_needs_no_quotes_is_shown_without(text, hint):
    """A number or true in quotes is refused with the line as it should be."""
    Path("dicecli.toml").write_text(f"{text}\n")
    assert run("batch", "p", "r").stderr.rstrip().endswith(f"Hint: Write it without quotes: {hint}")
