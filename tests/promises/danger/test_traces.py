"""No traceback, whatever stands in a command line or in a file; and what stands there is not taken for what it is not."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path

import make
import numpy as np
import pytest
import strange
import sweeps
from streams import runner

import dicecli
from dicecli.cli import cli
from dicecli.errors import UsageError
from dicecli.reports.reading_back import from_dict

MANY = ",".join(map(str, range(260)))
#: How many attempts of a subject are made here; the others are for the script.
SOME = {"lines": 35, "results": 15, "labels": 30, "pairs": 8}


def called(line, code):
    """Call a line that ends with a code, and return what it prints; where nothing was computed with a hint."""
    found = runner().invoke(cli, line.split() if isinstance(line, str) else line)
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    assert found.exit_code == code, (line, found.stdout, found.stderr)
    assert code != 2 or "Hint:" in found.stderr
    return found


# `batch --soft` where no case can be scored; `soft` with no label left


@pytest.mark.usefixtures("at_desk")
def test_3_with_its_rows():
    """`batch --soft` where no case can be scored: 3 with its rows, in every output, and as what reads them."""
    for name in "abc":
        Path(f"soft/{name}.npy").write_text("no array", encoding="utf-8")
    outputs = ("o.json", "o.csv", "o.md", "o.html", "o.xml", "o.txt")
    gates = ("--fail-under", "soft_dice_standard=0.1", "--baseline", "softs.json", "--max-drop", "0.1")
    asked = [*("batch", "--soft", "soft", "q", *gates, "--summary", "s.csv", "--curve", "c.csv")]
    called([*asked, *(part for name in outputs for part in ("-o", name))], 3)
    for name in outputs:
        assert Path(name).read_text(encoding="utf-8").count("UnknownFormat") >= 3, name
    assert Path("s.csv").is_file()
    assert Path("c.csv").is_file()
    for word in ("table", "csv", "json", "markdown", "html", "junit"):
        assert (
            "UnknownFormat"
            in called(f"report o.json -f {word} --max-drop 0.1 --baseline softs.json", 3).stdout
        )
    verdicts = json.loads(Path("o.json").read_text(encoding="utf-8"))["summary"]["gates"]
    assert [(each["gate"], each["holds"], each["value"]) for each in verdicts] == [
        ("soft_dice_standard=0.1", False, None),
        ("max-drop 0.1", False, None),
    ]
    assert "undefined" in called("explain o.json soft_dice_standard brier[1]", 0).stdout
    found = dicecli.batch("soft", "q", soft=True)
    assert (len(found.unscored), found.scored) == (3, ())


@pytest.mark.usefixtures("at_desk")
def test_undefined():
    """`soft two.npy ones.png --ignore-label 1` is the smallest: undefined."""
    called("soft two.npy ones.png --ignore-label 1 -o o.json -o o.md -o o.html -o o.xml --curve o.csv", 0)
    assert "undefined" in called("report o.json", 0).stdout
    assert "undefined" in called("explain o.json", 0).stdout
    found = dicecli.soft("two.npy", "ones.png", ignore_label=1)
    assert np.isnan(found.soft_dice_standard)
    for line in (
        "score ones.png ones.png --ignore-label 1 --per-slice o.csv --confusion o.md",
        "report o.json -m all",
    ):
        assert "undefined" in called(line, 0).stdout


# tampered `results.json`, labels from 2^63, 260 ignore labels with a threshold: errors with hints

TAMPERED = {
    "fp 2^63": (("cases", 0, "labels", 0, "fp"), 2**63, "schema1"),
    "tp 10^400": (("cases", 0, "labels", 0, "tp"), 10**400, "schema1"),
    "a count of a matrix 2^63": (("cases", 0, "measured", "matrix", 0, "pixels", 0), 2**63, "score"),
    "a setting infinite": (("settings", "threshold"), 10**400, "score"),
    "a setting out of its range": (("settings", "threshold"), -1, "score"),
    "a band before the first": (("settings", "band"), 0, "score"),
    "a label beyond 63 bits": (("settings", "background"), hex(2**63), "score"),
    "a region beyond 63 bits": (("settings", "regions"), {"x": [1, hex(2**64)]}, "score"),
    "a tolerance of no length": (("settings", "tolerance"), ["x"], "single"),
    "a width of no length": (("settings", "boundary_width"), "x", "single"),
    "a distance of nothing": (("settings", "empty_distance"), "x", "single"),
    "a shape of fewer pixels": (("cases", 0, "shape", 0), 5, "score"),
    "pixels left out that are not there": (("cases", 0, "excluded", "nodata"), 1, "score"),
    "no bootstrap": (("summary", "gates"), None, "batch"),
    "a smoothing out of its range": (("settings", "soft", "smooth"), -1.0, "soft"),
}


@pytest.mark.parametrize("name", TAMPERED)
def test_tampered_results_are_errors_with_hints(at_desk, name):
    """Tampered `results.json`: errors with hints, for whoever reads them."""
    path, value, file = TAMPERED[name]
    record = json.loads((at_desk.folder / f"{file}.json").read_text(encoding="utf-8"))
    strange.at(record, path[:-1])[path[-1]] = value
    Path("x.json").write_text(json.dumps(record), encoding="utf-8")
    with pytest.raises(UsageError) as caught:
        from_dict(record)
    assert caught.value.hint
    for line in (
        "report x.json",
        "explain x.json",
        f"report x.json {file}.json",
        f"report {file}.json --baseline x.json",
    ):
        called(line, 2)


@pytest.mark.usefixtures("at_desk")
@pytest.mark.parametrize("said", ["NaN", "Infinity", "1e999", "[" * 100_000, '{"a": 1, "a": 2}', "1" * 5000])
def test_settings_that_are_no_json_are_errors_with_hints(said):
    """NaN settings, no bootstrap: and a key that is missing is no default."""
    text = Path("batch.json").read_text(encoding="utf-8")
    assert '"threshold": null' in text
    Path("x.json").write_text(text.replace('"threshold": null', f'"threshold": {said}'), encoding="utf-8")
    called("report x.json", 2)


def test_what_a_run_of_one_case_lacks_makes_it_no_batch(at_desk):
    """A batch without its bootstrap is rendered again, or refused: no traceback."""
    record = json.loads((at_desk.folder / "batch.json").read_text(encoding="utf-8"))
    whole = from_dict(record).render("csv", "summary")
    del record["summary"]["bootstrap"]
    assert from_dict(record).render("csv", "summary") == whole


BEYOND = (2**63, 2**64, -(2**63), 10**400)


@pytest.mark.usefixtures("at_desk")
@pytest.mark.parametrize("label", BEYOND, ids=["2^63", "2^64", "-2^63", "10^400"])
def test_labels_from_2_to_the_63_are_errors_with_hints(label):
    """Labels ≥ 2^63 in colours or channels, and wherever else labels stand."""
    for content in (
        {"labels": {"0": "bg", "1": "x"}, "colours": {str(label): [1, 2, 3]}},
        {"id2label": {"0": "bg", str(label): "x"}},
        f"0 bg 0 0 0 0\n{label} liver 221 130 101 0\n",
        f"index\tname\tcolor\n0\tbg\t#000000\n{label}\tliver\t#dd8265\n",
    ):
        text = content if isinstance(content, str) else json.dumps(content)
        Path("x.json" if text[0] == "{" else "x").write_text(text, encoding="utf-8")
        called(["score", "colour.png", "a.png", "--labels", "x.json" if text[0] == "{" else "x"], 2)
    for line in (
        f"soft map.npy a.png --channels 0,1,{label}",
        f"soft map.npy a.png --region x=1,{label}",
        f"score a.png b.png --region x=1,{label}",
        f"score a.png b.png --ignore-label {label}",
        f"score a.png b.png --only {label}",
        f"score a.png b.png --map-prediction 1={label}",
        f"inspect a.png --ignore-label {label}",
        f"explain score.json dice[{label}]",
    ):
        called(line, 2)


@pytest.mark.usefixtures("at_desk")
def test_260_ignore_labels_with_a_threshold():
    """As many ignore labels as one likes, with a threshold: those that the masks have are left out."""
    reference = make.blobs((6, 7), 3, 2).astype(np.uint16)
    reference[0], reference[1] = 259, 300
    reference[2:] = np.where(reference[2:] == 0, 400, reference[2:])
    reference[5, 6] = 265  # a grey level below the threshold
    make.png(Path("x.png"), reference)
    for line in ("inspect x.png", "area matrix.csv --areas a.tif", "points a.tif points.csv --missing skip"):
        found = runner().invoke(cli, [*line.split(), "--ignore-label", MANY, "--threshold", "270"])
        assert isinstance(found.exception, SystemExit | None), found.exception
    found = dicecli.score(reference, reference, ignore_label=range(2, 261), threshold=270)
    (case,) = found.scored
    assert case.excluded["ignore_label"] == int(((reference > 1) & (reference < 261)).sum())
    assert found["1"].dice == 1
    assert case.counted == int(((reference < 2) | (reference > 260)).sum())


@pytest.mark.usefixtures("at_desk")
@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("score a.png b.png --max-memory 1e400GB", 2),
        (f"score a.png b.png --max-memory {'9' * 400}GB", 2),
        (f"score a.png b.png --tolerance {'9' * 400}mm", 2),
        (f"area matrix.csv --areas areas.csv --pixel-size {'9' * 200}m", 2),
        (f"soft {'a' * 300} {'b' * 300}", 3),
        (f"inspect {'a' * 300}", 3),
        (f"area {'a' * 300}.csv --areas areas.csv", 2),
        (f"{'a' * 300}.png", 2),
    ],
)
def test_numbers_and_names_that_are_too_long(line, code):
    """Numbers beyond what a float holds, and names that the system refuses."""
    called(line, code)


@pytest.mark.usefixtures("at_desk")
def test_numbers_of_other_files_are_errors_with_hints():
    """Coordinates beyond a float; labels of a matrix that are fractions, or beyond 63 bits; counts without end."""
    points = json.loads(Path("points.geojson").read_text(encoding="utf-8"))
    points["features"][0]["geometry"]["coordinates"] = [9.0, 10**400]
    Path("x.geojson").write_text(json.dumps(points), encoding="utf-8")
    called("points a.tif x.geojson", 2)
    matrix = json.loads(Path("confusion.json").read_text(encoding="utf-8"))
    for cell in (
        [1.5, 0, 3],
        [2**63, 0, 3],
        [True, 0, 3],
        [0, -(2**63), 3],
        [0, 0, 1e30],
        [0, 0],
        [0, float("inf"), 1],
    ):
        Path("x.json").write_text(json.dumps(matrix | {"cells": [cell]}), encoding="utf-8")
        called("area x.json --areas areas.csv", 2)
    Path("x.csv").write_text(f"reference,name,0,1\n0,a,{'1' * 5000},1\n1,b,1,1\n", encoding="utf-8")
    called("area x.csv --areas areas.csv", 2)
    for areas in ({1: 10**400}, {1: float("inf")}, {1: -1}):
        with pytest.raises(UsageError):
            dicecli.area([[1, 0], [0, 1]], areas)


@pytest.mark.usefixtures("at_desk")
def test_a_configuration_of_masks_beside_soft():
    """Its metrics and its baseline go, with a note; a number that is none is an error."""
    Path("dicecli.toml").write_text('metric = ["dice"]\nbaseline = "batch.json"\n', encoding="utf-8")
    assert "not used: dice, baseline" in called("soft map.npy a.png", 0).stderr
    for value in ("nan", "inf", "9" * 400):
        Path("dicecli.toml").write_text(f"threshold = {value}\n", encoding="utf-8")
        called("config score -f json", 2)


@pytest.mark.usefixtures("at_desk")
def test_a_number_of_one_label_alone_is_no_number_of_all():
    """Sizes have no average: the number of a label is named, and a report does not list them."""
    called("score a.tif b.tif -m area_error_m2,dice -o o.json", 0)
    assert "[1]" in called("explain o.json area_error_m2", 2).stderr
    called("explain o.json area_error_m2[1]", 0)
    report = dicecli.score("a.tif", "b.tif", metrics="area_error_m2,dice")
    assert not hasattr(report, "area_error_m2")
    assert all(hasattr(report, name) for name in dir(report))


def test_a_number_that_no_float_holds_is_no_option():
    """Nor one that is none."""
    for value in (10**400, -(10**400), float("nan"), float("inf")):
        with pytest.raises(UsageError):
            dicecli.make_settings(threshold=value)


@pytest.mark.usefixtures("at_desk")
def test_a_pair_that_is_no_local_file_is_a_row():
    """It is wrong usage of one case: that one fails, with its hint, and no defect is reported."""
    Path("x.csv").write_text(
        "prediction,reference\np/a.png,http://127.0.0.1:1/x.png\np/b.png,r/b.png\n", encoding="utf-8"
    )
    found = json.loads(called("batch --pairs x.csv -j 1 -f json", 3).stdout)
    assert [each["status"] for each in found["cases"]] == ["failed", "scored"]
    assert found["cases"][0]["error"] == "UsageError"
    assert "download it" in found["cases"][0]["hint"]


# Random command lines, results files and label files


@pytest.mark.parametrize("subject", sweeps.SUBJECTS)
def test_a_sweep_ends_without_a_traceback(at_desk, subject):
    """Whatever stands in lines and files: an exit code of the documents, within seconds, errors with their hints,
    no warning, and no JSON that is none; the figures of the long run are in docs/engineering/reliability.md.
    """
    codes = Counter()
    for number in range(SOME.get(subject, 12)):
        codes.update(judged(at_desk, subject, number))
    assert codes["2"]
    assert len(codes) > 1 or subject not in SOME


def judged(desk, subject, number):
    """Return the exit codes of an attempt without faults, and make the desk what it was."""
    answers, faults = sweeps.judged(sweeps.attempt(subject, number, desk.folder))
    desk.reset()
    assert faults == [], f"python tests/fuzzing/sweep.py --subjects {subject} --only {number}"
    return answers


def test_the_judge_says_no(at_desk, monkeypatch):
    """What it is there for, it sees: an exception, a warning, an exit code that the documents lack."""
    for fault in (ZeroDivisionError("x"), SystemExit(7)):
        monkeypatch.setattr("dicecli.cli.metrics._show", raising(fault), raising=False)
        monkeypatch.setitem(cli.get_command(None, "metrics").__dict__, "callback", raising(fault))
        _, faults = sweeps.judged(sweeps.Attempt({}, (("metrics",),)))
        assert faults
    assert at_desk.reset() == []
    Path("a.png").write_bytes(b"")
    Path("new").mkdir()
    Path("b.png").replace("new/b.png")
    assert at_desk.reset() == ["a.png", "b.png", "b.png"]
    assert not Path("new").exists()


def raising(error):
    """Return what raises an error, whatever it is called with."""

    def raises(*_, **__):
        raise error

    return raises
