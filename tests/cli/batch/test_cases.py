"""Cases of ``dicecli batch``: each stands once in every output, in the same bytes whatever runs it."""

from __future__ import annotations

import csv
import json
from shutil import copytree
from xml.etree import ElementTree as ET

import make
import numpy as np
import pytest
from batches import (
    CASES,
    FAULTY,
    NAMES,
    OUTPUTS,
    all_outputs,
    assert_nothing_is_lost,
    both,
    call,
    contents,
    pair,
    record,
    run,
    sound,
    statuses,
)

import dicecli
from dicecli.errors import PairingError, UsageError


@pytest.fixture(scope="module")
def one_after_the_other(faulty, tmp_path_factory):
    """Run over `faulty` in one process; return standard output and every file."""
    folder = tmp_path_factory.mktemp("serial")
    done = run(*both(faulty), *all_outputs(folder), "-q", "-j", 1)
    assert (done.returncode, done.stderr) == (3, "")
    return done.stdout, contents(folder)


@pytest.mark.parametrize("how", ["-j 2", "-j 3", "-j 1 --executor processes", "-j 2 --executor serial", "-q"])
def test_every_output_has_the_same_bytes_whatever_runs_it(how, faulty, one_after_the_other, tmp_path):
    """Standard output and every file are the same for any number of jobs and any executor."""
    done = run(*both(faulty), *all_outputs(tmp_path), "-q", *how.split())
    assert (done.returncode, done.stderr) == (3, "")
    assert one_after_the_other == (done.stdout, contents(tmp_path))


@pytest.mark.parametrize(("policy", "status"), [("error", "failed"), ("zero", "scored"), ("skip", "missing")])
def test_every_expected_case_stands_once(policy, status, faulty, tmp_path):
    """Broken, truncated, missing, odd or empty: each expected case is once in every output, and they add up."""
    done = call(*both(faulty), *all_outputs(tmp_path), "--missing", policy)
    assert done.exit_code == 3
    assert_nothing_is_lost(tmp_path, NAMES)
    found = record(tmp_path / "scores.json")
    failed = {case["case"]: case["error"] for case in found["cases"] if case["status"] == "failed"}
    assert {
        name: error for name, error in FAULTY.items() if error != "Missing" or policy == "error"
    } == failed
    assert statuses(found)["case005"] == status
    assert "extra" not in statuses(found)


def test_a_row_says_what_is_wrong(faulty, tmp_path):
    """A failed case's row has the side, the file and the error in CSV; every format names the error."""
    call(*both(faulty), *all_outputs(tmp_path))
    with (tmp_path / "scores.csv").open(encoding="utf-8", newline="") as file:
        said = {row["case"]: row["error"] for row in csv.DictReader(file) if row["status"] == "failed"}
    predictions, references = both(faulty)
    assert said["case003"].startswith(f"EmptyFile: prediction {predictions / 'case003.png'}: ")
    assert said["case007"].startswith(f"Truncated: reference {references / 'case007.png'}: ")
    assert str(references / "case005.png") in said["case005"]
    for name in OUTPUTS:
        text = (tmp_path / name).read_text(encoding="utf-8")
        assert set(FAULTY.values()) == {error for error in FAULTY.values() if error in text}, name


def test_a_prediction_without_reference_is_listed(faulty, tmp_path):
    """It is no case, and a note names it, in the reports and on standard output."""
    done = call(*both(faulty), "-o", tmp_path / "scores.json")
    note = "1 prediction has no reference: extra.png"
    assert note in record(tmp_path / "scores.json")["summary"]["notes"]
    assert note in done.stdout


def test_zero_scores_a_missing_prediction_as_an_empty_one(tmp_path):
    """With --missing zero every label of the reference is missed: recall 0 and Dice 0, and exit code 0."""
    sound(tmp_path, 3)
    (tmp_path / "predictions" / "case001.png").unlink()
    done = call(*both(tmp_path), "-o", tmp_path / "scores.json", "--missing", "zero")
    assert done.exit_code == 0
    case = record(tmp_path / "scores.json")["cases"][1]
    assert (case["case"], case["status"], case["prediction"]) == ("case001", "scored", "(none)")
    assert [(row["dice"], row["recall"]) for row in case["labels"]] == [(0.0, 0.0)] * 3


def test_skip_leaves_a_missing_prediction_out(tmp_path):
    """With --missing skip the case has no part in the numbers, is listed as missing, and the exit code is 0."""
    sound(tmp_path, 3)
    expected = call(*both(tmp_path), "-f", "json")
    pair(tmp_path, "extra")
    (tmp_path / "predictions" / "extra.png").unlink()
    done = call(*both(tmp_path), "-f", "json", "-o", tmp_path / "scores.xml", "--missing", "skip")
    assert done.exit_code == 0
    found = json.loads(done.stdout)["summary"]
    assert [found[name] for name in ("expected", "scored", "failed", "missing")] == [4, 3, 0, 1]
    assert json.loads(expected.stdout)["summary"]["averages"] == found["averages"]
    suite = ET.parse(tmp_path / "scores.xml").find("testsuite[@name='cases']")  # noqa: S314 - our own output
    assert [suite.get(name) for name in ("tests", "errors", "skipped")] == ["4", "0", "1"]


@pytest.mark.parametrize("side", ["predictions", "references"])
def test_two_files_for_one_case_are_an_error_that_names_both(side, tmp_path):
    """Whichever side has two candidates, nothing is computed, and nothing is chosen in silence."""
    sound(tmp_path)
    make.geotiff(tmp_path / side / "case001.tif", make.blobs((16, 16)))
    done = call(*both(tmp_path), "-o", tmp_path / "scores.csv")
    assert done.exit_code == 2
    assert "case001.png" in done.stderr
    assert "case001.tif" in done.stderr
    assert not (tmp_path / "scores.csv").exists()


def test_no_case_could_be_scored(tmp_path):
    """Where every case fails each of them still stands in every output; the averages are undefined, never 0."""
    for side in both(tmp_path):
        side.mkdir()
        for name in ("a", "b"):
            (side / f"{name}.png").write_text("no mask", encoding="utf-8")
    done = call(*both(tmp_path), *all_outputs(tmp_path))
    assert done.exit_code == 3
    assert_nothing_is_lost(tmp_path, ["a", "b"])
    averages = record(tmp_path / "scores.json")["summary"]["averages"]
    assert {value for each in averages.values() for value in each["values"].values()} == {None}


def test_only_a_metric_of_the_whole_matrix(tmp_path):
    """Choosing nothing but an overall metric leaves no column of labels, and is no reason to fail."""
    done = call(*both(sound(tmp_path)), "-m", "overall_kappa", *all_outputs(tmp_path))
    assert done.exit_code == 0
    assert all("overall_kappa" in case["overall"] for case in record(tmp_path / "scores.json")["cases"])


def test_folders_with_one_pair(tmp_path):
    """One case is a run, too: every output is written, and the case stands once in each."""
    done = call(*both(sound(tmp_path, 1)), *all_outputs(tmp_path))
    assert done.exit_code == 0
    assert_nothing_is_lost(tmp_path, ["case000"])


def test_masks_that_hold_nothing(tmp_path):
    """A run without any label is scored: each case has its row, and everything is undefined."""
    for side in both(tmp_path):
        side.mkdir()
        for name in ("a", "b"):
            make.png(side / f"{name}.png", np.zeros((4, 4), np.uint8))
    done = call(*both(tmp_path), *all_outputs(tmp_path))
    assert done.exit_code == 0
    assert_nothing_is_lost(tmp_path, ["a", "b"])


@pytest.mark.parametrize("is_same_folder", [True, False], ids=["one folder", "copies"])
def test_copies_are_warned_of_with_their_number(is_same_folder, tmp_path):
    """The same folder twice, where that is allowed, or byte-identical pairs: a warning with the count."""
    references = sound(tmp_path, 5) / "references"
    predictions = references
    if not is_same_folder:
        predictions = copytree(references, tmp_path / "copies")
        make.png(predictions / "case002.png", make.blobs((16, 16), seed=99))
    done = call(predictions, references, "-f", "csv", "--allow-same")
    count = "5 of 5" if is_same_folder else "4 of 5"
    assert done.exit_code == 0
    assert f"in {count} cases both masks are one file, or files of the same bytes" in done.stderr


def test_patterns_pair_names_that_differ(tmp_path):
    """The text that {case} stands for pairs the files, wherever it stands in the path."""
    predictions, references = both(sound(tmp_path, 3))
    for name in CASES[:3]:
        (predictions / f"{name}.png").rename(predictions / f"{name}_pred.png")
        (references / name).mkdir()
        (references / f"{name}.png").rename(references / name / "seg.png")
    patterns = ["--prediction-pattern", "{case}_pred.png", "--reference-pattern", "{case}/seg.png"]
    done = call(predictions, references, *patterns, "-f", "json")
    assert done.exit_code == 0
    assert dict.fromkeys(CASES[:3], "scored") == statuses(json.loads(done.stdout))


def test_a_table_of_pairs_names_cases_and_groups(tmp_path):
    """pairs.csv pairs what no name could; groups are kept, and resampled whole; what is not there is a row."""
    sound(tmp_path, 3)
    rows = [
        ("predictions/case000.png", "references/case000.png", "first", "A"),
        ("predictions/case001.png", "references/case001.png", "second", "A"),
        ("predictions/case002.png", "references/case002.png", "third", "B"),
        ("predictions/nowhere.png", "references/case000.png", "fourth", "B"),
        ("", "references/case001.png", "fifth", ""),
    ]
    table = tmp_path / "pairs.csv"
    lines = [",".join(row) for row in [("prediction", "reference", "case", "group"), *rows]]
    table.write_text("\n".join(lines), encoding="utf-8")
    done = call("--pairs", table, *all_outputs(tmp_path))
    assert done.exit_code == 3
    assert_nothing_is_lost(tmp_path, ["first", "second", "third", "fourth", "fifth"])
    found = record(tmp_path / "scores.json")
    groups = {name: group or None for *_, name, group in rows}
    assert groups == {case["case"]: case["group"] for case in found["cases"]}
    assert found["summary"]["bootstrap"]["resampled"] == "group"
    errors = {case["case"]: case["error"] for case in found["cases"] if case["status"] == "failed"}
    assert errors == {"fourth": "Missing", "fifth": "Missing"}


def test_the_two_sides_may_have_different_formats(tmp_path):
    """A PNG is compared with the GeoTIFF of the same name, and the counts are those of the arrays."""
    prediction, reference = make.blobs((16, 20), seed=1), make.blobs((16, 20), seed=2)
    for side in both(tmp_path):
        (side / "site").mkdir(parents=True)
    make.png(tmp_path / "predictions" / "site" / "a.png", prediction)
    make.geotiff(tmp_path / "references" / "site" / "a.tif", reference)
    (case,) = json.loads(call(*both(tmp_path), "-f", "json", "--include-background").stdout)["cases"]
    assert case["case"] == "site/a"
    counted = {row["label"]: tuple(row[name] for name in ("tp", "fp", "fn", "tn")) for row in case["labels"]}
    assert {label: tuple(each) for label, each in make.brute(prediction, reference).items()} == counted


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ([], {}),
        (["--missing", "zero", "-m", "iou"], {"missing": "zero", "metrics": "iou"}),
        (
            ["--region", "both=1,2", "--ignore-label", "3", "--undefined", "one"],
            {"regions": {"both": (1, 2)}, "ignore_label": 3, "undefined": "one"},
        ),
        (["--prediction-pattern", "{case}.png"], {"prediction_pattern": "{case}.png", "jobs": 2}),
    ],
    ids=["plain", "missing", "labels", "pattern"],
)
def test_the_python_twin_gives_the_same_record(words, options, faulty, tmp_path):
    """dicecli.batch returns what the command writes."""
    call(*both(faulty), *words, "-o", tmp_path / "scores.json")
    assert record(tmp_path / "scores.json") == dicecli.batch(*both(faulty), **options).to_dict()


def test_the_python_twin_takes_a_table(tmp_path):
    """dicecli.batch takes pairs, as the command does, and gives a data frame."""
    sound(tmp_path, 3)
    table = tmp_path / "pairs.csv"
    lines = [f"predictions/{name}.png,references/{name}.png,{name[-1]}" for name in CASES[:3]]
    table.write_text("\n".join(["prediction,reference,group", *lines]), encoding="utf-8")
    call("--pairs", table, *all_outputs(tmp_path))
    report = dicecli.batch(pairs=table)
    assert record(tmp_path / "scores.json") == report.to_dict()
    frame = report.to_pandas()
    assert len(frame) == 9
    assert [f"references/{name}" for name in CASES[:3]] == sorted(set(frame["case"]))


def test_the_python_twin_refuses_what_the_command_refuses(tmp_path):
    """Folders that cannot be paired, and options that are wrong, raise before anything is counted."""
    folders = both(sound(tmp_path))
    with pytest.raises(PairingError, match="there is no such folder"):
        dicecli.batch(tmp_path / "nowhere", folders[1])
    with pytest.raises(UsageError, match="two folders"):
        dicecli.batch(folders[0])
    with pytest.raises(UsageError, match="no option"):
        dicecli.batch(*folders, nonsense=1)
    with pytest.raises(UsageError, match="missing"):
        dicecli.batch(*folders, missing="perhaps")
