"""A configuration file that is not obeyed: every output says so, and every run that might be taken for obeying."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import make
import numpy as np
import pytest
from batches import posix_only
from streams import runner

from dicecli.cli import cli
from dicecli.plugins import load, own
from dicecli.records.origin import NotObeyed
from dicecli.reports.look import Look
from dicecli.reports.parts import PARTS
from dicecli.reports.reading_back import from_dict, read_report
from dicecli.runs.areas import area
from dicecli.runs.python import score

MASK = np.array([[0, 1, 1], [2, 2, 1]], np.uint8)
STRANGE = NotObeyed("c/d.toml", "it belongs to another user", has_gates=True)
SAID = ".toml is not obeyed: it belongs to another user; its gates do not hold"


def run(*words):
    return runner().invoke(cli, [str(each) for each in words])


@pytest.fixture
def top(tmp_path, monkeypatch):
    """Return a folder in no repository, the current one, with two masks; beside it the home folder is."""
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("USERPROFILE", str(tmp_path / "home"))
    folder = tmp_path / "data"
    for side in ("p", "r"):
        (folder / side).mkdir(parents=True)
        make.png(folder / side / "a.png", MASK if side == "p" else MASK[:, ::-1])
    monkeypatch.chdir(folder)
    return folder


def strange(monkeypatch, text='fail-under = "dice=0.99"\n', name="dicecli.toml"):
    """Write a file of options into the current folder, which is another user's from now on."""
    Path(name).write_text(text)
    uid = Path(name).stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)


@pytest.mark.parametrize("name", own("exporters"))
def test_the_note_stands_in_every_output(name):
    """Never of another owner (a note says so): in every part of every form, once; read back, it is there still."""
    exporter = load("exporters", name)
    if name == "png":
        pytest.importorskip("matplotlib", reason="matplotlib is not installed")
    pair = score(
        MASK,
        MASK[:, ::-1],
        regions={"all": [1, 2]},
        **{each.asks: True for each in PARTS.values() if each.asks is not None},
    )
    report = pair.shown_with(pair.settings, pair.origin.beside([STRANGE, STRANGE]))
    for part in set(exporter.PARTS) - {"curve"}:
        text = exporter.render(report, part, Look())
        text = text.decode("latin1") if isinstance(text, bytes) else text.replace("\\", "")
        lines = [each for each in text.splitlines() if "d.toml" in each]
        assert lines, part
        assert all(each.count("d.toml is not") <= 1 for each in lines), (part, lines)
    assert from_dict(report.to_dict()).to_dict() == report.to_dict()
    assert "not_obeyed" not in json.dumps(pair.to_dict())
    if hasattr(exporter, "of_area"):
        found = area([[66, 0], [4, 30]], {0: 9000, 1: 1000}).rendered(None, [STRANGE])
        assert SAID in exporter.of_area(found, Look()).replace("\\", "")


@posix_only
def test_what_a_strangers_gates_do_not_hold_is_said_wherever_a_run_is_seen(top, monkeypatch):
    """The run goes on; its gates do not hold, which every output, GitHub and whoever merges it hears."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(top / "step.md"))
    monkeypatch.setenv("COLUMNS", "200")
    strange(monkeypatch)
    outputs = [f"o{suffix}" for suffix in (".csv", ".json", ".md", ".html", ".xml", ".txt")]
    words = [each for name in outputs for each in ("-o", name)]
    done = run(
        "batch", "p", "r", "--github", *words, "--summary", "s.csv", "--confusion", "c.csv", "-f", "csv"
    )
    assert done.exit_code == 0, done.output
    why = f"{top / 'dicecli.toml'} is not obeyed: it belongs to another user; its gates do not hold; "
    notes = [each for each in done.stderr.splitlines() if "not obeyed" in each]
    assert notes[0] == f"Note: {why}--config {top / 'dicecli.toml'} obeys it"
    assert notes[1:] == [
        "::warning title=dicecli::dicecli.toml is not obeyed: it belongs to another user; its gates "
        "do not hold"
    ]
    for name in (*outputs, "s.csv", "c.csv", "step.md"):
        assert SAID in Path(name).read_text(encoding="utf-8").replace("\\", ""), name
    assert [each.config for each in read_report("o.json").origin.not_obeyed] == ["dicecli.toml"]
    merged = run("report", "o.json", "-f", "json")
    assert json.loads(merged.stdout)["summary"]["notes"].count(f"dicecli{SAID}") == 1
    for command in ("score", "inspect"):
        shown = json.loads(run(command, "p/a.png", "r/a.png", "-f", "json").stdout)
        assert shown.get("origin", shown)["not_obeyed"][0]["has_gates"] is True
        assert "its gates do not hold" in run(command, "p/a.png", "r/a.png").stdout


@posix_only
@pytest.mark.usefixtures("top")
@pytest.mark.parametrize(
    ("text", "has_gates"),
    [
        ('max_drop = "0.1"\n', True),
        ("no TOML: 'fail-over", True),
        ('baseline = "b.json"\n', True),
        ('average = "micro"\n', False),
    ],
)
def test_gates_are_looked_for_and_nothing_is_parsed(text, has_gates, monkeypatch):
    """As far as one may look without parsing: the text has the word; of pyproject.toml below its table."""
    strange(monkeypatch, text)
    strange(monkeypatch, f"# fail-under\n[tool.dicecli]\n{text}", "pyproject.toml")
    done = run("score", "p/a.png", "r/a.png", "-q")
    assert done.exit_code == 0
    assert done.stderr.count("its gates do not hold") == 2 * has_gates
    assert done.stderr.count(" is not obeyed: it belongs to another user; ") == 2


@posix_only
def test_an_own_file_above_what_is_searched_is_named_once(top, monkeypatch):
    """A note on stderr says so, once, also with -q; a file of others up there stays silent."""
    file = top.parent / "dicecli.toml"
    for each in (file, top.parent / "pyproject.toml"):
        each.write_text('[tool.dicecli]\nfail-under = "dice=0.99"\n')
    done = run("batch", "p", "r", "-q", "-f", "json")
    assert done.exit_code == 0
    assert done.stderr == (
        f"Note: {file} is not obeyed: it is above what is searched; its gates do not hold; --config {file} obeys it\n"
    )
    assert json.loads(done.stdout)["summary"]["notes"] == []
    assert len(json.loads(run("config", "-f", "json").stdout)["not_obeyed"]) == 2
    assert not run("batch", "p", "r", "-q", "--no-config").stderr
    Path("dicecli.toml").write_text('average = "micro"\n')  # the nearest that is found is obeyed
    assert "not obeyed" not in run("batch", "p", "r", "-q").stderr
    Path("dicecli.toml").unlink()
    uid = file.stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: uid + 1)
    assert not run("batch", "p", "r", "-q").stderr


@posix_only
@pytest.mark.usefixtures("top")
def test_config_says_it_once(monkeypatch):
    """What 'dicecli config' prints is about these files: nothing of it stands on standard error as well."""
    strange(monkeypatch)
    done = run("config", "score")
    assert done.stderr == ""
    assert done.stdout.count("belongs to another user") == 1


def test_merged_reports_keep_what_was_not_obeyed():
    """Each file once."""
    from dicecli.records.origin import Origin, together

    other = replace(STRANGE, config="e.toml")
    found = together([Origin().beside([STRANGE]), Origin().beside([STRANGE, other])])
    assert found.not_obeyed == (STRANGE, other)
