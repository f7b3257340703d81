"""The command that lists presets and forms, and shows labels."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import replace
from pathlib import Path

import pytest
from streams import runner

from dicecli.cli import cli
from dicecli.records.schemes import forms, load_labels, presets


def run(*words, **environment):
    """Run the command at 80 columns."""
    return runner().invoke(cli, ["labels", *map(str, words)], env={"COLUMNS": "80", **environment})


def rows_of(*words):
    """Return the rows of its CSV."""
    return [*csv.DictReader(io.StringIO(run(*words, "-f", "csv").stdout))]


def test_it_lists_presets_and_forms():
    """A line each; JSON and CSV have the number of labels and the whole description."""
    lines = run().stdout.splitlines()
    assert [*presets()] == [line.split()[0] for line in lines[1 : 1 + len(presets())]]
    assert {*forms().values()} <= {line.strip() for line in lines}
    record = json.loads(run("-f", "json").stdout)
    assert {"scl": 11, "brats": 5}.items() <= {
        each["name"]: each["labels"] for each in record["presets"]
    }.items()
    assert [*forms().values()] == record["forms"]
    assert [each["description"] for each in record["presets"]] == [row["description"] for row in rows_of()]


@pytest.mark.parametrize("name", presets())
def test_a_preset_is_shown_and_comes_back_from_json(tmp_path, name):
    """At 80 columns; as JSON it is a labels file that says the same, and as CSV a row for each label."""
    scheme = load_labels(name)
    shown = run(name).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert all(f"\n  {each} " in shown for each in scheme.regions)
    path = tmp_path / "labels.json"
    path.write_text(run(name, "-f", "json").stdout, encoding="utf-8")
    assert scheme == replace(load_labels(path), source=name)
    rows = rows_of(name)
    by_role = {
        role: {int(row["label"]) for row in rows if row["role"] == role} for role in ("ignored", "background")
    }
    assert sorted(scheme.known) == [int(row["label"]) for row in rows]
    assert {"ignored": {*scheme.ignore}, "background": {scheme.background} - {None}} == by_role
    assert {*scheme.names.values()} == {row["name"] for row in rows if row["name"]}


def test_a_file_of_any_form_is_shown(tmp_path, monkeypatch):
    """With what its names do not do, and a swatch of each colour where there are colours."""
    monkeypatch.chdir(tmp_path)
    path = Path("dseg.tsv")
    names = ("x" * 90, "=1+1", "\u202ered", "void")
    rows = [f"{n}\t{name}\t{'n/a' if n > 1 else '#00ff7f'}\n" for n, name in enumerate(names, 1)]
    path.write_text("index\tname\tcolor\n" + "".join(rows), encoding="utf-8")
    shown = run(path).stdout
    assert max(map(len, shown.splitlines())) <= 80
    assert "Label 0, which has no name here, is the background." in shown
    assert "Label 4, void, is evaluated like any other: 'dicecli score --ignore-label 4' leaves" in " ".join(
        shown.split()
    )
    assert "1  evaluated   #00ff7f       xxxx" in shown
    assert "\\u202ered" in shown
    assert "\x1b[48;2;0;255;127m" in run(path, FORCE_COLOR="1").stdout
    assert [names[0], "'=1+1"] == [row["name"] for row in rows_of(path)][:2]
    Path("own.json").write_text(run(path, "-f", "json").stdout, encoding="utf-8")
    assert load_labels(path) == replace(load_labels("own.json"), source="dseg.tsv")


@pytest.mark.parametrize(
    ("word", "said"), [("citiscapes", "Did you mean cityscapes?"), ("nothing.tsv", "A labels file is ")]
)
def test_what_there_is_not_is_refused(word, said):
    """With the nearest names, or the forms that are read."""
    done = run(word)
    assert done.exit_code == 2
    assert said in done.stderr


def test_a_map_of_a_file_is_shown(tmp_path):
    """As an option has it, and in words; a file of no form is told every form."""
    path = tmp_path / "labels.json"
    path.write_text('{"labels": {"1": "a"}, "map": {"prediction": {"0-149": "+1"}}}')
    text = " ".join(run(str(path)).stdout.split())
    assert "prediction 0-149:+1 labels 0 to 149 are read 1 higher" in text
    path.write_text('{"a": {"b": 1}}')
    assert "id2label" in run(str(path)).stderr
