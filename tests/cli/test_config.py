"""``dicecli config``: which options are in force in a folder, and where each came from."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import places
import pytest
from PIL import Image
from streams import runner

from dicecli.cli import cli
from dicecli.cli.defaults import COMMANDS

TEXT = """
labels = "voc"
fail-under = ["dice=0.85", "min:dice[tumour]=0.3"]
include_background = true
undefined = "skip"
threshold = 0.5
temperature = 2
"""


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Return an empty folder, which is the current one and a repository of its own."""
    (tmp_path / ".git").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments):
    return runner().invoke(cli, ["config", *arguments])


def options(*arguments):
    """Return the options in force by command, as JSON says them."""
    done = run(*arguments, "-f", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    return json.loads(done.stdout)


@pytest.mark.usefixtures("folder")
def test_without_a_file_every_option_is_a_default():
    """There is nothing else; the first line says that there is no file."""
    record = options()
    assert record["file"] is None
    assert list(record["commands"]) == list(COMMANDS)
    assert {each["from"] for every in record["commands"].values() for each in every.values()} == {"default"}
    assert run().stdout.startswith(
        "No dicecli.toml is obeyed, and no pyproject.toml with [tool.dicecli].\n\ndicecli score\n"
    )


def test_each_option_says_where_it_came_from(folder):
    """What the file says is in force, also where it says the default; each command has what it knows."""
    (folder / "dicecli.toml").write_text(TEXT)
    record = options()
    assert Path(record["file"]) == folder / "dicecli.toml"
    of_file = {
        command: {name: each["value"] for name, each in every.items() if each["from"] == "file"}
        for command, every in record["commands"].items()
    }
    reading, gates = {"labels": "voc"}, {"fail-under": ["dice=0.85", "min:dice[tumour]=0.3"]}
    scoring = reading | {"include-background": True, "undefined": "skip"}
    assert of_file == {
        "score": scoring | {"threshold": 0.5},
        "batch": scoring | {"threshold": 0.5, "temperature": 2} | gates,
        "soft": scoring | {"temperature": 2},
        "points": scoring | {"threshold": 0.5},
        "report": gates,
        "area": reading | {"threshold": 0.5},
        "inspect": reading | {"threshold": 0.5},
    }


def test_what_it_says_is_what_a_run_has(folder):
    """The settings in the record of a run are those that were shown before."""
    (folder / "pyproject.toml").write_text(f"[tool.dicecli]\n{TEXT.replace('voc', 'brats')}")
    shown = options("score")["commands"]["score"]
    pair = [str(places.SAMPLES / f"lesion_{side}.png") for side in ("prediction", "reference")]
    settings = json.loads(runner().invoke(cli, ["score", *pair, "-f", "json", "-q"]).stdout)["settings"]
    for name in ("labels", "include-background", "undefined", "threshold", "nodata", "max-pixels", "average"):
        assert shown[name]["value"] == settings[name.replace("-", "_")]


def test_people_see_what_is_no_default_first(folder):
    """By command and source, the file by its path; 80 columns hold all of it but for a long path."""
    (folder / "dicecli.toml").write_text(TEXT)
    lines = run("score").stdout.splitlines()
    assert lines[:7] == [
        "dicecli score",
        f"  from {folder / 'dicecli.toml'}",
        "    labels              voc",
        "    include-background  true",
        "    undefined           skip",
        "    threshold           0.5",
        "  default",
    ]
    assert "    average             macro" in lines[7:]
    assert "    band                none" in lines[7:]
    assert "    max-memory          16GiB" in lines[7:]
    assert max(len(line) for line in run().stdout.splitlines() if "from" not in line) <= 80


def test_a_command_alone(folder):
    """Its own options are shown, and no others; a command that takes none is a wrong usage."""
    (folder / "dicecli.toml").write_text(TEXT)
    assert list(options("report")["commands"]) == ["report"]
    assert run("report").stdout.count("dicecli ") == 1
    assert run("metrics").exit_code == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("bend = 1\n", "there is no option 'bend'"),
        ("band = 'one'\n", 'band is "one", an integer is expected'),
        ("band = 0\n", "Invalid value for '--band'"),
        ("band =\n", "is no TOML"),
    ],
)
def test_a_wrong_file_is_exit_2(folder, text, said):
    """Just as it would be for the commands themselves, with what is wrong."""
    (folder / "dicecli.toml").write_text(text)
    done = run()
    assert done.exit_code == 2
    assert said in done.stderr
    assert not done.stdout


@pytest.mark.usefixtures("folder")
@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('metric = "dise"', "Did you mean dice"),
        ('metric = ["dice,miou"]', "-m iou."),
        ('fail-under = "dise=0.5"', "Did you mean dice"),
        ('fail-over = "dice=0.5"', "--fail-under"),
        ('labels = "vok"', "Did you mean voc"),
        ('region = "kidneys"', "is no region"),
        ('tolerance = "2nm"', "2mm"),
    ],
)
def test_words_that_no_command_would_take_are_refused(text, said, folder):
    """As every command that takes them would."""
    (folder / "dicecli.toml").write_text(f"{text}\n", encoding="utf-8")
    done = runner().invoke(cli, ["config"])
    assert done.exit_code == 2
    assert said in done.stderr


def test_words_of_both_kinds_are_right_where_they_are_of_use(folder):
    """Families, metrics without their number, and those of probability maps: for each command what it takes."""
    text = 'metric = "boundary,nsd,all,soft_dice_standard"\ntolerance = "2px"\nlogits = "sigmoid"\n'
    (folder / "dicecli.toml").write_text(text, encoding="utf-8")
    assert runner().invoke(cli, ["config"]).exit_code == 0
    Image.fromarray(np.eye(3, dtype=np.uint8)).save(folder / "m.png")
    done = runner().invoke(cli, ["score", "m.png", "m.png", "-f", "csv", "-q"])
    assert done.exit_code == 0, done.stderr
    assert "hd95_px,assd_px,nsd_2px" in done.stdout.splitlines()[0]


def test_an_environment_that_gives_an_option_is_named(monkeypatch):
    """Should an option take its value from the environment, that is where it came from."""
    import click

    from dicecli.cli import inspect

    option = next(each for each in inspect.command.params if each.name == "band")
    assert isinstance(option, click.Option)
    monkeypatch.setattr(option, "envvar", "DICECLI_BAND")
    monkeypatch.setenv("DICECLI_BAND", "3")
    assert options("inspect")["commands"]["inspect"]["band"] == {"value": 3, "from": "environment"}
    assert run("inspect").stdout.splitlines()[2:4] == ["dicecli inspect", "  environment"]


def test_what_a_file_says_is_inert(folder):
    """A value with terminal escapes is shown, and does nothing."""
    (folder / "dicecli.toml").write_text('group-by = "a\\u001b[31mb"\n')
    shown = runner().invoke(cli, ["config", "batch"], color=True).stdout
    assert "\x1b[31m" not in shown
    assert "[31mb" in shown
