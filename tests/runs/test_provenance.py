"""Where a report comes from: said in every report, kept when it is rendered again or put together."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
from dataclasses import replace
from xml.etree import ElementTree as ET

import make
import numpy as np
import pytest
from batches import both, call, sound
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.records.origin import NOWHERE, Origin, RunOrigin
from dicecli.reports.merging import merged
from dicecli.reports.origins import said
from dicecli.reports.reading_back import from_dict
from dicecli.runs.journal import Journal
from dicecli.runs.provenance import date_of, described

MASK = np.eye(4, dtype=np.uint8)
LABELS = {"labels": {"0": "background", "1": "liver"}}


@pytest.fixture
def here(tmp_path, monkeypatch):
    """Make two folders of masks in a folder that becomes the current one, with a file of labels."""
    sound(tmp_path, 2)
    (tmp_path / "labels.json").write_text(json.dumps({"labels": dict.fromkeys("0123", "x")} | {"ignore": 9}))
    for name in "pr":
        make.png(tmp_path / f"{name}.png", MASK)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def origin_of(*words):
    """Run a command with JSON on standard output, and return where its one run comes from."""
    done = runner().invoke(cli, [*words, "-f", "json"], catch_exceptions=False)
    assert done.exit_code == 0, done.stderr
    report = from_dict(json.loads(done.stdout))
    (run,) = report.origin.runs
    return run


def test_the_words_of_a_command(here):
    """Both sides as they were given, and every option that is not as by default, as it could be given again.

    What is shown is no part of it: that can be chosen again.
    """
    labels = (here / "labels.json").read_bytes()
    run = origin_of(
        *("score", "r.png", "--prediction", "p.png", "--labels", "labels.json", "--ignore-label", "255"),
        *("--region", "a b=1,2", "-m", "dice", "-m", "iou", "--include-background", "--undefined", "skip"),
        *("--max-memory", "1GB"),
    )
    options = ("--region 'a b=1,2'", "--ignore-label 255")
    options = (*options, "--include-background", "--max-memory 1GB")
    assert {*options} == {*run.options}
    expected = RunOrigin(
        prediction="p.png",
        reference="r.png",
        labels="labels.json",
        labels_sha256=hashlib.sha256(labels).hexdigest(),
        options=run.options,
        version=dicecli.__version__,
        date="2026-01-01",
    )
    assert expected == run
    again = [word for each in run.options for word in shlex.split(each)]
    assert run == origin_of("score", "p.png", "r.png", "--labels", "labels.json", *again)


def test_the_sides_of_a_batch(here):
    """Folders, patterns and flags; or the CSV of the pairs."""
    run = origin_of(
        "batch", "predictions", "predictions", "--allow-same", "--reference-pattern", "{case}.png"
    )
    assert run.options == ("--allow-same",)
    sides = (run.prediction, run.reference, run.pairs, run.prediction_pattern, run.reference_pattern)
    assert sides == ("predictions", "predictions", None, None, "{case}.png")
    (here / "pairs.csv").write_text("prediction,reference\np.png,r.png\n")
    run = origin_of("batch", "--pairs", "pairs.csv", "--labels", "voc")
    assert (run.prediction, run.reference, run.pairs) == (None, None, "pairs.csv")
    assert (run.labels, run.labels_sha256) == ("voc", None)


def test_the_configuration_file_that_was_obeyed(here, monkeypatch):
    """It is named with the options that came from it and not from the command line, also with --quiet."""
    (here / ".git").mkdir()
    (here / "dicecli.toml").write_text('metric = ["iou"]\nundefined = "one"\nmax-drop = ["iou=0.1"]\n')
    monkeypatch.chdir(here / "predictions")
    run = origin_of("score", "../p.png", "../r.png", "-m", "dice")
    assert (run.config, run.from_config) == (
        "../dicecli.toml".replace("/", os.sep),
        ("undefined",),
    )
    assert run.options == ("--undefined one",)
    given = ["score", "../p.png", "../r.png", "-m", "dice", "--undefined", "skip"]
    assert origin_of(*given).config is None
    done = runner().invoke(cli, [*given, "-f", "csv", "-q"])
    assert f"options from {here / 'dicecli.toml'}: metric, undefined" in done.stderr


def test_python_says_what_was_given(here):
    """Paths, arrays and images in words; options as the command line has them, iterators, too."""
    report = dicecli.score(MASK, MASK.tolist(), ignore_label=iter([3, 4]), regions={"a": [1]}, labels=LABELS)
    (run,) = report.origin.runs
    assert (run.prediction, run.reference, run.labels) == ("array 4 x 4 uint8", "list", "the labels given")
    assert run.options == ("--region a=1", "--ignore-label 3", "--ignore-label 4")
    assert report.settings.labels.ignore == (3, 4)
    (run,) = dicecli.soft(MASK * 0.5, here / "r.png", channels=["1"]).origin.runs
    assert (run.prediction, run.reference) == ("array 4 x 4 float64", str(here / "r.png"))
    assert run.options == ("--channels 1",)
    (run,) = dicecli.batch(here / "predictions", here / "references", follow_links=True).origin.runs
    assert (run.prediction, run.options) == (str(here / "predictions"), ("--follow-links",))
    nibabel = pytest.importorskip("nibabel")
    assert described(nibabel.Nifti1Image(MASK[..., None], np.eye(4))) == "image 4 x 4 x 1 uint8"


def test_it_stays_with_the_report():
    """It survives JSON, other settings and merging, where a run stands once; old records have none."""
    one, two = (dicecli.score(MASK, MASK, name=name, undefined="one") for name in "ab")
    assert from_dict(one.to_dict()).origin == one.origin == one.shown_with(one.settings).origin
    assert merged([one, two]).origin == one.origin
    other = dicecli.score(MASK, MASK.astype(int), name="c", undefined="one")
    assert merged([one, other]).origin == Origin((*one.origin.runs, *other.origin.runs))
    old = one.to_dict()
    del old["origin"]
    assert from_dict(old).origin == NOWHERE
    old["origin"] = {"runs": [{"prediction": 3}]}
    with pytest.raises(UsageError, match=r"origin\.runs"):
        from_dict(old)


def test_it_stands_in_junit_and_in_no_csv(here):
    """JUnit has properties before its cases; CSV stays without a word of it, and so without a date."""
    done = call(*both(here), "-o", here / "a.xml", "-o", here / "a.csv", "--missing", "zero")
    assert done.exit_code == 0
    suite = ET.parse(here / "a.xml").getroot()[0]  # noqa: S314 - our own
    assert suite[0].tag == "properties"
    found = {each.get("name"): each.get("value") for each in suite[0]}
    assert found["prediction"] == str(here / "predictions")
    assert (found["options"], found["date"]) == ("--missing zero", "2026-01-01")
    assert "2026" not in (here / "a.csv").read_text()


def test_what_people_are_told():
    """What runs have in common stands once, what differs one after the other; strangers' text is inert."""
    run = RunOrigin(
        prediction="a\x1b", reference="r", labels="l.json", labels_sha256="0123456789abcdef", version="1"
    )
    shards = Origin(tuple(replace(run, prediction=f"p{number}") for number in range(5)))
    assert said(Origin((run,)), verbose=False) == [
        ("prediction", "a\\x1b"),
        ("reference", "r"),
        ("labels", "l.json"),
    ]
    short = [("prediction", "p0"), ("prediction", "p1"), ("prediction", "p2"), ("prediction", "and 2 more")]
    assert said(shards, verbose=False)[:5] == [*short, ("reference", "r")]
    assert [text for word, text in said(shards, verbose=True)] == [
        *(f"p{number}" for number in range(5)),
        "r",
        "l.json (SHA-256 0123456789ab)",
        "1",
    ]
    told = said(
        Origin((replace(run, config="c.toml", from_config=("metric",), options=("--metric iou",)),)),
        verbose=False,
    )
    assert told[-2:] == [("options", "--metric iou"), ("options from", "c.toml: metric")]
    assert said(NOWHERE, verbose=True) == []


def test_the_day_of_a_run(tmp_path, monkeypatch):
    """SOURCE_DATE_EPOCH fixes it; else a resumed run keeps the day on which it first began."""
    assert date_of("2001-01-01") == "2026-01-01"
    for bad in ("soon", "1e3", "-1", str(10**30)):
        monkeypatch.setenv("SOURCE_DATE_EPOCH", bad)
        with pytest.raises(UsageError, match="SOURCE_DATE_EPOCH"):
            Journal.open(tmp_path / "none", resume=False)
    assert not (tmp_path / "none").exists()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "0")
    Journal.open(tmp_path / "j", resume=False).close()
    monkeypatch.delenv("SOURCE_DATE_EPOCH")
    for _ in range(2):
        journal = Journal.open(tmp_path / "j", resume=True)
        journal.close()
        assert date_of(journal.began) == "1970-01-01"
    fresh = Journal.open(tmp_path / "j", resume=False)
    fresh.close()
    assert fresh.began == date_of() > "2025"
