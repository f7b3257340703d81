"""The command ``dicecli batch``: folders in, reports and an exit code out, whatever happens in between."""

from __future__ import annotations

import csv
import json
import os
import random
import re
import signal
import subprocess
import sys
import time
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path
from shutil import copytree
from types import SimpleNamespace
from xml.etree import ElementTree as ET

import make
import numpy as np
import pytest
from click.testing import CliRunner

import dicecli
from dicecli.cli import cli
from dicecli.cli import progress as progress_module
from dicecli.errors import PairingError, UsageError
from dicecli.results import Case, Failed, Scored

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")
needs_proc = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="there is no /proc here")
not_as_root = pytest.mark.skipif(
    os.name != "posix" or os.geteuid() == 0, reason="to this user nothing is forbidden"
)
#: Every file that a run writes.
OUTPUTS = ("scores.csv", "scores.json", "scores.md", "scores.xml", "scores.txt")
FILES = (*OUTPUTS, "summary.csv")
#: How many cases the folders have in which processes are killed, and how many of them can be scored.
MANY, SOUND = 160, 159
CASES = [f"case{number:03}" for number in range(MANY)]
SOUND_NAMES = {*CASES} - {"case100"}
PATIENCE_S = 60.0


# --- Helpers ------------------------------------------------------------------------------------------------


def pair(folder, name, seed=0, size=64, write=make.png, suffix=".png"):
    """Write a reference of four labels, and a prediction that is wrong in some of its pixels."""
    rng = np.random.default_rng(seed)
    reference = make.blobs((size, size), 4, seed)
    prediction = np.where(rng.random(reference.shape) < 0.1, rng.integers(0, 4, reference.shape), reference)
    for side, mask in (("predictions", prediction), ("references", reference)):
        path = folder / side / f"{name}{suffix}"
        path.parent.mkdir(parents=True, exist_ok=True)
        write(path, mask.astype(np.uint8))


def sound(folder, count=4, size=16):
    """Write pairs that can all be scored, and return the folder."""
    for number in range(count):
        pair(folder, f"case{number:03}", number, size)
    return folder


def both(folder):
    return [folder / "predictions", folder / "references"]


def all_outputs(folder):
    """Return the options that write every kind of file into a folder."""
    options = [part for name in OUTPUTS for part in ("-o", folder / name)]
    return [*options, "--summary", folder / "summary.csv"]


def contents(folder):
    return {name: (folder / name).read_bytes() for name in FILES}


def call(*arguments, jobs=1, **options):
    """Run the command in this process."""
    count = ["--jobs", jobs] if jobs else []
    words = [str(each) for each in ("batch", *arguments, *count)]
    return CliRunner().invoke(cli, words, catch_exceptions=False, **options)


def command(*arguments):
    return [sys.executable, "-m", "dicecli", "batch", *(str(each) for each in arguments)]


def run(*arguments, **options):
    """Run the command in a process of its own, to its end."""
    return subprocess.run(
        command(*arguments), capture_output=True, encoding="utf-8", check=False, timeout=PATIENCE_S, **options
    )


def start(*arguments, **options):
    """Start the command in a process group of its own."""
    options = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "encoding": "utf-8"} | options
    return subprocess.Popen(command(*arguments), start_new_session=True, **options)


def record(path):
    return json.loads(path.read_text(encoding="utf-8"))


def statuses(found):
    """Return every case of a JSON record with its status."""
    return {case["case"]: case["status"] for case in found["cases"]}


def cases_of(folder):
    """Return the cases that stand in CSV, JSON and XML, each as a count by name; of CSV once per label."""
    with (folder / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = Counter((row["case"], row["label"]) for row in csv.DictReader(file))
    cases = ET.parse(folder / "scores.xml").iterfind("testsuite[@name='cases']/testcase")  # noqa: S314 - our own output
    return (
        rows,
        Counter(case["case"] for case in record(folder / "scores.json")["cases"]),
        Counter(case.get("name") for case in cases),
    )


def assert_nothing_is_lost(folder, names):
    """Every expected case stands exactly once in CSV, JSON and XML, and the numbers of the record add up."""
    rows, in_json, in_xml = cases_of(folder)
    once = Counter(dict.fromkeys(names, 1))
    assert once == in_json
    assert once == in_xml
    assert set(once) == {name for name, _ in rows}
    assert {1} == set(rows.values())
    found = record(folder / "scores.json")
    summary = found["summary"]
    by_status = {name: summary[name] for name in ("scored", "failed", "missing", "pending")}
    assert by_status == {name: list(statuses(found).values()).count(name) for name in by_status}
    assert len(names) == summary["expected"] == sum(by_status.values())


def journal_of(folder):
    return folder / "scores.csv.journal"


def journalled(folder):
    """Return the names of the cases in a journal, line by line; a torn line does not count."""
    with suppress(FileNotFoundError):
        lines = journal_of(folder).read_bytes().splitlines(keepends=True)
        whole = [line[9:] for line in lines if line == b"%08x %b" % (zlib.crc32(line[9:-1]), line[9:])]
        return [entry["scored"]["case"][0] for entry in map(json.loads, whole) if "scored" in entry]
    return []


def wait_for(count, process, folder):
    """Wait until a journal has so many cases, or the process is over."""
    end = time.monotonic() + PATIENCE_S
    while process.poll() is None:
        with suppress(FileNotFoundError):
            if journal_of(folder).read_bytes().count(b"\n") > count:
                return
        assert time.monotonic() < end
        time.sleep(0.001)


def start_and_hold(words, folder, count=10):
    """Start a run, and hold it with SIGSTOP once some of its many cases are done, and before most of them are."""
    for _ in range(10):
        process = start(*words, stdout=subprocess.PIPE)
        wait_for(count, process, folder)
        process.send_signal(signal.SIGSTOP)
        if process.poll() is None and len(journalled(folder)) < SOUND - 20:
            return process
        process.kill()  # the machine was so busy that the run was over too soon: once more
        process.communicate()
        journal_of(folder).unlink(missing_ok=True)
    pytest.fail("every run was over too soon")


def processes():
    """Yield number, parent and group of every process that is not over."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            state, parent, group = path.read_text(encoding="utf-8").rpartition(")")[2].split()[:3]
            if state not in "ZX":
                yield int(path.parent.name), int(parent), int(group)


def workers_of(process):
    """Return the worker processes of a run: its own, or those of the server that forks them for it."""
    found = list(processes())

    def children(of, word):
        mine = [pid for pid, parent, _ in found if parent in of]
        return [pid for pid in mine if word in Path(f"/proc/{pid}/cmdline").read_bytes()]

    servers = children([process.pid], b"forkserver")
    return children([process.pid], b"spawn_main") + children(servers, b"forkserver")


def assert_no_process_is_left(process):
    """Whatever the run has started ends soon."""
    end = time.monotonic() + 10
    while left := [pid for pid, _, group in processes() if group == process.pid]:
        assert time.monotonic() < end, left
        time.sleep(0.01)


@pytest.fixture(scope="module")
def faulty(tmp_path_factory):
    """Write pairs of which a few cannot be scored, and one prediction too many."""
    folder = tmp_path_factory.mktemp("faulty")
    sound(folder, 12, 24)
    predictions, references = both(folder)
    (predictions / "case003.png").write_bytes(b"")
    (predictions / "case005.png").unlink()
    (references / "case007.png").write_bytes((references / "case007.png").read_bytes()[:60])
    make.png(predictions / "case008.png", make.blobs((20, 20)))
    make.png(predictions / "extra.png", make.blobs((20, 20)))
    for side in (predictions, references):
        make.png(side / "nothing.png", np.zeros((24, 24), np.uint8))
    return folder


FAULTY = {
    "case003": "EmptyFile",
    "case005": "Missing",
    "case007": "Truncated",
    "case008": "ShapeMismatch",
}
NAMES = [*CASES[:12], "nothing"]


@pytest.fixture(scope="module")
def many(tmp_path_factory):
    """Write pairs enough for a run that takes a while, one of them broken, so that the journal is kept at the end."""
    folder = tmp_path_factory.mktemp("many")
    sound(folder, MANY, 64)
    (folder / "predictions" / "case100.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    return folder


@pytest.fixture(scope="module")
def undisturbed(many, tmp_path_factory):
    """Run over `many` undisturbed, and return what it writes."""
    folder = tmp_path_factory.mktemp("undisturbed")
    assert call(*both(many), *all_outputs(folder)).exit_code == 3
    return contents(folder)


# --- The same bytes -----------------------------------------------------------------------------------------


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


# --- Nothing is lost ----------------------------------------------------------------------------------------


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
    """The same folder twice, or byte-identical pairs, give a warning with the count."""
    references = sound(tmp_path, 5) / "references"
    predictions = references
    if not is_same_folder:
        predictions = copytree(references, tmp_path / "copies")
        make.png(predictions / "case002.png", make.blobs((16, 16), seed=99))
    done = call(predictions, references, "-f", "csv")
    count = "5 of 5" if is_same_folder else "4 of 5"
    assert done.exit_code == 0
    assert f"in {count} cases both masks are one file, or copies of it" in done.stderr


# --- Pairing by pattern, by table, across formats -----------------------------------------------------------


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
    assert make.brute(prediction, reference) == counted


# --- Exit codes ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("gates", "is_broken", "code"),
    [
        ([], False, 0),
        (["--fail-under", "dice=0.5"], False, 0),
        (["--fail-under", "dice=0.999"], False, 1),
        (["--fail-under", "dice=0.5", "--fail-under", "min:dice=0.999"], False, 1),
        ([], True, 3),
        (["--fail-under", "dice=0.5"], True, 3),
        (["--fail-under", "dice=0.999"], True, 3),
        (["--fail-under", "nonsense"], True, 2),
        (["--fail-over", "dice=0.5"], True, 2),
        (["--fail-under", "dice[liver]=0.5"], False, 2),
    ],
)
def test_exit_codes(gates, is_broken, code, tmp_path):
    """0: all scored, all gates hold; 1: a gate does not; 3: a case has no numbers, whatever the gates say."""
    sound(tmp_path)
    if is_broken:
        (tmp_path / "predictions" / "case001.png").write_bytes(b"")
    assert call(*both(tmp_path), *gates).exit_code == code


def test_every_gate_stands_in_the_reports(tmp_path):
    """Value, limit and verdict of each gate are in JSON, Markdown, JUnit, text and on standard output."""
    gates = {"dice=0.5": True, "dice[2]=0.999": False, "min:iou[1]=0.1": True}
    options = [part for gate in gates for part in ("--fail-under", gate)]
    done = call(*both(sound(tmp_path)), *options, *all_outputs(tmp_path))
    assert done.exit_code == 1
    found = {each["gate"]: each for each in record(tmp_path / "scores.json")["summary"]["gates"]}
    assert gates == {name: each["holds"] for name, each in found.items()}
    suite = ET.parse(tmp_path / "scores.xml").find("testsuite[@name='gates']")  # noqa: S314 - our own output
    assert gates == {case.get("name"): case.find("failure") is None for case in suite}
    assert (suite.get("tests"), suite.get("failures")) == ("3", "1")
    for text in (done.stdout, *((tmp_path / name).read_text(encoding="utf-8") for name in OUTPUTS[2:])):
        for name, each in found.items():
            (line,) = [line for line in text.splitlines() if name in line.replace("\\", "")]
            assert f"{each['value']:.4f}" in line
            assert f"{each['limit']:g}" in line
            assert ("FAILED" in line or "<failure" in line) == (not each["holds"])


@pytest.mark.parametrize("jobs", [1, 2])
def test_strict_stops_at_the_first_failure(jobs, faulty, tmp_path):
    """With --strict the exit code is 3, the report says that it is partial, and every case is in it."""
    done = run(*both(faulty), *all_outputs(tmp_path), "--strict", "-j", jobs)
    assert done.returncode == 3
    assert_nothing_is_lost(tmp_path, NAMES)
    summary = record(tmp_path / "scores.json")["summary"]
    assert summary["failed"] == 1
    assert summary["pending"] > 0
    assert summary["partial"]
    assert "partial" in done.stdout


def test_a_dry_run_shows_the_pairing_and_reads_no_mask(faulty, tmp_path):
    """--dry-run names both files of each case and what has none, writes nothing, and ends as a run would."""
    done = call(*both(faulty), "--dry-run", *all_outputs(tmp_path))
    assert done.exit_code == 3
    predictions, references = both(faulty)
    for name in NAMES:
        assert f"  reference   {references / name}.png\n" in done.stdout
        assert (f"  prediction  {predictions / name}.png\n" in done.stdout) == (name != "case005")
    assert "13 cases, 1 without prediction" in done.stdout
    assert "extra.png" in done.stderr
    assert not list(tmp_path.iterdir())
    assert call(*both(faulty), "--dry-run", "--missing", "skip").exit_code == 0
    assert call(*spoiled(tmp_path), "--dry-run").exit_code == 0


def test_what_is_left_out_is_said_on_request(tmp_path):
    """Hidden files and files that are no masks are named with -v."""
    predictions, references = both(sound(tmp_path))
    (predictions / ".DS_Store").write_bytes(b"x")
    (references / "notes.txt").write_bytes(b"x")
    assert ".DS_Store" not in call(predictions, references).stderr
    said = call(predictions, references, "-v").stderr
    assert f"Left out: {predictions / '.DS_Store'}\n" in said
    assert f"Left out: {references / 'notes.txt'}\n" in said


# --- Wrong usage --------------------------------------------------------------------------------------------


def spoiled(folder):
    """Make folders in which each mask that is read gives exit code 3."""
    for path in sound(folder, 2).glob("*/*.png"):
        path.write_bytes(b"no mask")
    return both(folder)


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "nowhere/scores.csv"],
        ["-o", "a folder.csv"],
        ["-o", "scores.xlsx"],
        ["-o", "scores"],
        ["--summary", "summary.txt"],
        ["--summary", "nowhere/summary.csv"],
        ["-o", "good.json", "-o", "nowhere/scores.csv"],
        ["-o", "taken.csv"],
        ["-o", "not mine.csv"],
        ["-o", "good.json", "--baseline", "nowhere.json", "--max-drop", "0.1"],
        ["-o", "good.json", "--baseline", "good.json"],
        ["-o", "good.json", "--labels", "nowhere.json"],
        ["-o", "good.json", "-m", "nonsense"],
    ],
    ids=" ".join,
)
def test_what_cannot_be_written_or_read_is_said_before_any_mask_is_read(options, tmp_path, monkeypatch):
    """The exit code is 2, not the 3 that the masks would give; no file is written, and no journal is left."""
    folders = spoiled(tmp_path / "masks")
    work = tmp_path / "work"
    work.mkdir()
    monkeypatch.chdir(work)
    (work / "a folder.csv").mkdir()
    (work / "taken.csv.journal").mkdir()
    (work / "not mine.csv.journal").write_text("somebody's diary\n", encoding="utf-8")
    before = sorted(work.iterdir())
    done = call(*folders, *options)
    assert done.exit_code == 2
    assert "Error: " in done.stderr
    assert "Hint: " in done.stderr
    assert not done.stdout
    assert before == sorted(work.iterdir())
    assert (work / "not mine.csv.journal").read_text(encoding="utf-8") == "somebody's diary\n"


@not_as_root
def test_a_folder_that_forbids_writing(tmp_path):
    """It is refused before any mask is read."""
    folders = spoiled(tmp_path / "masks")
    (tmp_path / "locked").mkdir(mode=0o500)
    done = call(*folders, "-o", tmp_path / "locked" / "scores.csv")
    assert done.exit_code == 2
    assert "locked" in done.stderr


@not_as_root
@pytest.mark.parametrize("where", ["references", "predictions", "predictions/inside"])
def test_a_folder_that_cannot_be_read(where, tmp_path):
    """It is named, and nothing is computed: what is in it cannot be known to be missing."""
    sound(tmp_path)
    (tmp_path / where).mkdir(exist_ok=True)
    (tmp_path / where).chmod(0)
    try:
        done = call(*both(tmp_path))
    finally:
        (tmp_path / where).chmod(0o700)
    assert done.exit_code == 2
    assert where.split("/")[0] in done.stderr
    assert re.search("[Pp]ermission|not readable", done.stderr)


@pytest.mark.parametrize("side", [0, 1], ids=["predictions", "references"])
@pytest.mark.parametrize("kind", ["empty", "without masks", "missing", "a file"])
def test_folders_that_hold_nothing(side, kind, tmp_path):
    """An empty folder, one without masks, none at all, a file: exit code 2, and the message names it."""
    folders = both(sound(tmp_path))
    odd = tmp_path / "the odd one"
    if kind in {"empty", "without masks"}:
        odd.mkdir()
    if kind == "without masks":
        (odd / "notes.txt").write_bytes(b"x")
    if kind == "a file":
        odd.write_bytes(b"x")
    folders[side] = odd
    done = call(*folders)
    assert done.exit_code == 2
    assert f"{('prediction', 'reference')[side]} {odd}: " in done.stderr
    assert "Hint: " in done.stderr


def test_patterns_that_match_nothing(tmp_path):
    """Two patterns that match nothing: exit code 2, the pattern is named, and so is a file that is there."""
    folders = both(sound(tmp_path))
    done = call(*folders, "--prediction-pattern", "x_{case}.tif", "--reference-pattern", "y_{case}.tif")
    assert done.exit_code == 2
    assert "x_{case}.tif" in done.stderr
    assert "case000.png" in done.stderr
    done = call(*folders, "--prediction-pattern", "{case}.png", "--reference-pattern", "y_{case}.tif")
    assert done.exit_code == 2
    assert "y_{case}.tif" in done.stderr
    assert call(*folders, "--prediction-pattern", "case.png").exit_code == 2


def test_names_that_have_nothing_in_common(tmp_path):
    """Where no name of one side is a name of the other, the run says so and how to pair them."""
    sound(tmp_path, 3)
    for path in list((tmp_path / "predictions").iterdir()):
        path.rename(path.with_name(f"{path.stem}_pred.png"))
    done = call(*both(tmp_path))
    assert done.exit_code == 3
    said = " ".join(done.stdout.split())
    assert "no case name in common" in said
    assert "--prediction-pattern '{case}_pred.png'" in said


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["predictions"],
        ["predictions", "references", "--resume"],
        ["predictions", "references", "--pairs", "pairs.csv"],
        ["--pairs", "pairs.csv", "--prediction-pattern", "{case}"],
        ["predictions", "references", "--max-drop", "0.1"],
        ["predictions", "references", "-j", "0"],
        ["predictions", "references", "--executor", "nonsense"],
        ["predictions", "references", "--missing", "nonsense"],
    ],
    ids=" ".join,
)
def test_wrong_usage(words, tmp_path, monkeypatch):
    """What cannot be meant is exit code 2, with a message."""
    sound(tmp_path)
    monkeypatch.chdir(tmp_path)
    done = call(*words, jobs=None)
    assert done.exit_code == 2
    assert "Error: " in done.stderr


# --- What is said on the way --------------------------------------------------------------------------------


def test_quiet_says_nothing(faulty, tmp_path):
    """With -q nothing goes to standard error: no progress, no notes."""
    done = run(*both(faulty), "-q", "-f", "csv", "-o", tmp_path / "scores.csv", "-j", 2)
    assert (done.returncode, done.stderr) == (3, "")


def results(count, failing):
    """Return as many results as a run would give, some of them failed."""
    cases = [Case(f"c{number}", "p", "r") for number in range(count)]
    return [
        Failed(case, "Error", "", "") if number in failing else Scored(case, (), None, None, {}, 0, {}, {})
        for number, case in enumerate(cases)
    ]


def progress_lines(monkeypatch, capsys, moments, *, known=0, failing=(), quiet=False):
    """Report a case of 108 as done at each moment, some of them known from before; return what is said."""
    now = [1000.0]
    monkeypatch.setattr(progress_module, "time", SimpleNamespace(monotonic=lambda: now[0]))
    with progress_module.Progress(108, quiet=quiet) as progress:
        for result in results(known, failing=()):
            progress(result, is_new=False)
        for moment, result in zip(moments, results(len(moments), failing), strict=True):
            now[0] = 1000.0 + moment
            progress(result, is_new=True)
    out, err = capsys.readouterr()
    assert not out
    return err.splitlines()


def test_a_plain_line_now_and_then_where_there_is_no_terminal(monkeypatch, capsys):
    """Every ten seconds it says how many cases are done, at which rate, how long the rest will take, and how
    many failed.
    """
    assert progress_lines(monkeypatch, capsys, [1, 9, 10, 11, 19, 20, 29, 40], failing={4}) == [
        "3 of 108 cases, 0.3 a second, about 6 min left",
        "6 of 108 cases, 0.3 a second, about 6 min left, 1 failed",
        "8 of 108 cases, 0.2 a second, about 8 min left, 1 failed",
    ]


def test_what_was_done_before_is_not_taken_for_speed(monkeypatch, capsys):
    """After --resume the time left goes by the cases that are really counted."""
    (line,) = progress_lines(monkeypatch, capsys, [5, 10], known=100)
    assert line == "102 of 108 cases, 0.2 a second, about 30 s left"


def test_a_short_run_says_nothing(monkeypatch, capsys):
    """A run that is over before the first line is due says nothing."""
    assert progress_lines(monkeypatch, capsys, [1, 2, 9.9]) == []


def test_no_lines_when_quiet(monkeypatch, capsys):
    """With -q there are none."""
    assert progress_lines(monkeypatch, capsys, [10, 20, 30], quiet=True) == []


@posix_only
@pytest.mark.parametrize("is_quiet", [False, True], ids=["loud", "quiet"])
def test_a_bar_on_a_terminal(is_quiet, tmp_path):
    """On a terminal standard error has a bar with the count, the rate and the time left; with -q nothing."""
    import pty

    ours, theirs = pty.openpty()
    process = start(
        *both(sound(tmp_path, 30)),
        *(["-q"] if is_quiet else []),
        *("-j", 1, "-f", "csv"),
        stderr=theirs,
        env={**os.environ, "TERM": "xterm-256color", "COLUMNS": "100"},
    )
    os.close(theirs)
    said = b""
    with suppress(OSError):  # the other end is closed
        while part := os.read(ours, 4096):
            said += part
    os.close(ours)
    assert process.wait() == 0
    if is_quiet:
        assert said == b""
    else:
        assert b"30/30" in said
        assert re.search(rb"[\d.]+/s", said)
        assert re.search(rb"\d:\d\d:\d\d", said)


@posix_only
def test_standard_output_that_nobody_reads(tmp_path):
    """Where the reader of standard output has gone the report files are complete, and nothing is said."""
    sound(tmp_path)
    process = start(*both(tmp_path), *all_outputs(tmp_path), "-q", "-j", 1, stdout=subprocess.PIPE)
    process.stdout.close()
    with process.stderr as said:
        assert (process.wait(), said.read()) == (0, "")
    assert_nothing_is_lost(tmp_path, CASES[:4])


@posix_only
def test_a_bare_environment(faulty, tmp_path):
    """Without HOME, with LANG=C, 20 columns and 64 files at most, two jobs write the usual bytes."""
    usual, bare = tmp_path / "usual", tmp_path / "bare"
    for folder in (usual, bare):
        folder.mkdir()
    call(*both(faulty), *all_outputs(usual))
    limited = ["sh", "-c", 'ulimit -n 64; exec "$@"', "sh"]
    done = subprocess.run(
        [*limited, *command(*both(faulty), *all_outputs(bare), "-j", 2)],
        env={"PATH": os.environ["PATH"], "LANG": "C", "COLUMNS": "20"},
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 3, done.stderr
    assert contents(usual) == contents(bare)


# --- The journal --------------------------------------------------------------------------------------------


def test_no_journal_is_left_once_every_case_has_its_numbers(tmp_path):
    """After a success there are the outputs, and nothing else."""
    out = tmp_path / "out"
    out.mkdir()
    call(*both(sound(tmp_path)), *all_outputs(out))
    assert sorted(FILES) == sorted(path.name for path in out.iterdir())


def test_a_journal_is_kept_while_a_case_has_failed(tmp_path):
    """It is kept, and that is said; once the mask is repaired, going on counts that case alone."""
    sound(tmp_path)
    mask = tmp_path / "predictions" / "case002.png"
    content = mask.read_bytes()
    mask.write_bytes(b"")
    done = call(*both(tmp_path), *all_outputs(tmp_path))
    assert done.exit_code == 3
    assert f"{journal_of(tmp_path)} keeps what is done; --resume counts only the rest" in done.stderr
    assert journalled(tmp_path) == ["case000", "case001", "case003"]
    mask.write_bytes(content)
    done = call(*both(tmp_path), *all_outputs(tmp_path), "--resume")
    assert done.exit_code == 0
    assert not journal_of(tmp_path).exists()
    resumed = contents(tmp_path)
    call(*both(tmp_path), *all_outputs(tmp_path))
    assert contents(tmp_path) == resumed


def interrupted(folder, *options):
    """Make a run that stops after three of the four cases, of which two have numbers; return its words."""
    sound(folder)
    mask = folder / "predictions" / "case002.png"
    content = mask.read_bytes()
    mask.write_bytes(b"")
    words = [*both(folder), *all_outputs(folder), *options]
    assert call(*words, "--strict").exit_code == 3
    mask.write_bytes(content)
    assert journalled(folder) == ["case000", "case001"]
    return words


def test_what_is_done_is_not_read_again(tmp_path):
    """Masks of done cases that were replaced by garbage of the same size and time are not even looked into."""
    words = interrupted(tmp_path)
    for path in (side / f"{name}.png" for side in both(tmp_path) for name in CASES[:2]):
        before = path.stat()
        path.write_bytes(b"?" * before.st_size)
        os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    done = call(*words, "--resume")
    assert done.exit_code == 0
    assert "counted again" not in done.stderr
    assert dict.fromkeys(CASES[:4], "scored") == statuses(record(tmp_path / "scores.json"))


def test_a_changed_file_is_counted_again_and_that_is_said(tmp_path):
    """A done case whose mask has changed since is counted anew; the other is not."""
    words = interrupted(tmp_path)
    make.png(tmp_path / "predictions" / "case001.png", make.blobs((16, 16), seed=77))
    done = call(*words, "--resume")
    assert done.exit_code == 0
    assert re.search(r"Note: 1 cases? (was|were) counted again: .* have changed", done.stderr)
    resumed = contents(tmp_path)
    call(*words)
    assert contents(tmp_path) == resumed


def test_a_touched_file_is_counted_again(tmp_path):
    """Another time of change is enough, since the size alone says nothing."""
    words = interrupted(tmp_path)
    path = tmp_path / "references" / "case000.png"
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000_000))
    assert re.search(r"Note: 1 cases? (was|were) counted again", call(*words, "--resume").stderr)


@pytest.mark.parametrize(
    "options", [["--ignore-label", "3"], ["--geometry", "ignore"], ["--region", "both=1,2"]], ids=" ".join
)
def test_changed_settings_are_counted_again_and_that_is_said(options, tmp_path):
    """Counts made with other settings are not taken, and the result is that of a fresh run."""
    words = interrupted(tmp_path)
    done = call(*words, "--resume", *options)
    assert done.exit_code == 0
    assert "2 cases were counted again: their files or the settings have changed" in done.stderr
    resumed = contents(tmp_path)
    call(*words, *options)
    assert contents(tmp_path) == resumed


def test_starting_anew_replaces_the_journal_and_says_so(tmp_path):
    """Without --resume everything is counted, and a note says what --resume would have done."""
    words = interrupted(tmp_path)
    done = call(*words)
    assert done.exit_code == 0
    assert "replacing the journal of an earlier run; --resume would go on with it" in done.stderr
    assert not journal_of(tmp_path).exists()


@pytest.mark.parametrize("damage", ["torn", "flipped", "empty"])
def test_a_damaged_journal_costs_what_was_damaged(damage, tmp_path):
    """A line that is torn or whose checksum does not hold is as good as none; the result is the same."""
    words = interrupted(tmp_path)
    journal = journal_of(tmp_path)
    content = bytearray(journal.read_bytes())
    if damage == "torn":
        del content[-30:]
    elif damage == "flipped":
        content[len(content) // 2] ^= 1
    else:
        content.clear()
    journal.write_bytes(content)
    done = call(*words, "--resume")
    assert done.exit_code == 0
    resumed = contents(tmp_path)
    call(*words)
    assert contents(tmp_path) == resumed


@posix_only
def test_two_runs_with_one_output(many, undisturbed, tmp_path):
    """While a run is at work another one with the same output is refused, and the first one is not harmed."""
    words = [*both(many), *all_outputs(tmp_path), "-j", 1]
    process = start_and_hold(words, tmp_path)
    second = run(*words)
    process.send_signal(signal.SIGCONT)
    process.communicate()
    assert second.returncode == 2
    assert "another run is using this journal" in second.stderr
    assert process.returncode == 3
    assert undisturbed == contents(tmp_path)


def run_on_a_small_disk(size, words):
    """Run the command where no file can become larger than some bytes."""
    code = (
        "import resource, runpy, sys\n"
        f"resource.setrlimit(resource.RLIMIT_FSIZE, ({size}, resource.RLIM_INFINITY))\n"
        "runpy.run_module('dicecli', run_name='__main__', alter_sys=True)"
    )
    return subprocess.run(
        [sys.executable, "-c", code, "batch", *(str(each) for each in words)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
    )


@posix_only
@pytest.mark.parametrize("where", ["journal", "output"])
def test_a_full_disk(where, many, undisturbed, tmp_path):
    """Where nothing more can be written the error is clear, an earlier output is untouched, and the journal
    is good for going on.
    """
    earlier = tmp_path / "scores.json"
    earlier.write_text("of an earlier run", encoding="utf-8")
    words = [*both(many), *all_outputs(tmp_path), "-j", 1]
    size = 20_000 if where == "journal" else len(undisturbed["scores.json"]) // 2
    done = run_on_a_small_disk(size, words)
    assert done.returncode == 2
    assert f"Error: {journal_of(tmp_path) if where == 'journal' else earlier}: " in done.stderr
    assert "Traceback" not in done.stderr
    assert earlier.read_text(encoding="utf-8") == "of an earlier run"
    held = journalled(tmp_path)
    assert 0 < len(held) < SOUND if where == "journal" else len(held) == SOUND
    assert run(*words, "--resume").returncode == 3
    assert undisturbed == contents(tmp_path)
    assert held == journalled(tmp_path)[: len(held)]
    assert sorted(SOUND_NAMES) == sorted(journalled(tmp_path))


@posix_only
def test_a_full_disk_when_every_case_has_its_numbers(tmp_path):
    """The journal is kept until the reports are written, and removed then."""
    words = [*both(sound(tmp_path, 20)), *all_outputs(tmp_path), "-j", 1]
    assert call(*words).exit_code == 0
    expected = contents(tmp_path)
    for name in FILES:
        (tmp_path / name).unlink()
    assert run_on_a_small_disk(len(expected["scores.json"]) // 2, words).returncode == 2
    assert CASES[:20] == journalled(tmp_path)
    assert run(*words, "--resume").returncode == 0
    assert expected == contents(tmp_path)
    assert not journal_of(tmp_path).exists()


# --- Processes that are killed ------------------------------------------------------------------------------


def wait_for_a_random_moment(process, folder, chance, left):
    """Wait for a moment somewhere in the run: at its start, after some more cases, or while reports are written."""
    done = len(journalled(folder))
    most = (SOUND - done) // (left + 1)
    if not most or chance.random() < 0.25:
        time.sleep(chance.uniform(0, 0.4))
    elif left == 1 and chance.random() < 0.5:
        wait_for(SOUND, process, folder)
        time.sleep(chance.uniform(0, 0.1))
    else:
        wait_for(done + chance.randint(1, most), process, folder)
        time.sleep(chance.uniform(0, 0.01))


@posix_only
@needs_proc
@pytest.mark.parametrize("seed", range(6))
def test_killed_at_any_moment(seed, many, undisturbed, tmp_path):
    """However often a run is killed, at 24 random moments in all, going on with it ends with the bytes of an
    undisturbed run; what the journal held is never counted again; no worker outlives its parent.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    words = [*both(many), *all_outputs(tmp_path), "--resume", "-q", "-j", 1 + seed % 3]
    done, killed = [], 0
    for _ in range(20):
        process = start(*words, stderr=subprocess.DEVNULL)
        wait_for_a_random_moment(process, tmp_path, chance, 4 - killed)
        process.kill()
        killed += process.wait() == -signal.SIGKILL
        assert_no_process_is_left(process)
        now = journalled(tmp_path)
        assert done == now[: len(done)]
        assert len(set(now)) == len(now)
        done = now
        if killed == 4:
            break
    assert killed == 4
    finished = run(*words)
    assert (finished.returncode, finished.stderr) == (3, "")
    assert undisturbed == contents(tmp_path)
    assert done == journalled(tmp_path)[: len(done)]
    assert sorted(SOUND_NAMES) == sorted(journalled(tmp_path))


@posix_only
@needs_proc
@pytest.mark.parametrize("jobs", [1, 2])
@pytest.mark.parametrize(
    ("number", "is_for_group", "code"),
    [(signal.SIGINT, False, 130), (signal.SIGINT, True, 130), (signal.SIGTERM, False, 143)],
    ids=["interrupt", "interrupt of the group", "terminate"],
)
def test_an_interrupted_run_reports_what_is_done(
    number, is_for_group, code, jobs, many, undisturbed, tmp_path
):
    """The exit code says how it ended, the reports are whole and say that they are partial, no process is
    left, and going on ends with the bytes of an undisturbed run.
    """
    words = [*both(many), *all_outputs(tmp_path), "-j", jobs]
    process = start_and_hold(words, tmp_path)
    if is_for_group:
        os.killpg(process.pid, number)
    else:
        process.send_signal(number)
    process.send_signal(signal.SIGCONT)
    out, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == code
    assert_no_process_is_left(process)
    assert "Traceback" not in err
    assert_nothing_is_lost(tmp_path, CASES)
    summary = record(tmp_path / "scores.json")["summary"]
    assert summary["partial"]
    assert 0 < summary["pending"] < MANY
    held = journalled(tmp_path)
    assert abs(len(held) - summary["scored"]) <= 1
    texts = [out, *((tmp_path / name).read_text(encoding="utf-8") for name in ("scores.md", "scores.txt"))]
    assert all("This report is partial" in text for text in texts)
    assert "--resume counts only the rest" in err
    assert run(*words, "--resume").returncode == 3
    assert undisturbed == contents(tmp_path)
    assert held == journalled(tmp_path)[: len(held)]


@posix_only
@needs_proc
@pytest.mark.parametrize("pause_s", [0.0, 0.02, 0.1])
def test_an_impatient_interrupt(pause_s, many, undisturbed, tmp_path):
    """A second interrupt ends the run at once: exit code 130, no process is left, the journal is usable."""
    words = [*both(many), *all_outputs(tmp_path), "-j", 2]
    process = start_and_hold(words, tmp_path)
    process.send_signal(signal.SIGCONT)
    os.killpg(process.pid, signal.SIGINT)
    time.sleep(pause_s)
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert process.returncode in {130, -signal.SIGINT}
    assert "Traceback" not in err
    assert_no_process_is_left(process)
    assert run(*words, "--resume").returncode == 3
    assert undisturbed == contents(tmp_path)


@posix_only
@needs_proc
def test_a_worker_that_dies_costs_its_own_case(tmp_path):
    """SIGKILL of one worker of a run of 200 cases: 199 scored, one row WorkerDied, none twice; going on
    counts that one alone, and ends with the bytes of an undisturbed run.
    """
    names = [f"case{number:03}" for number in range(200)]
    words = [*both(sound(tmp_path, 200, 64)), *all_outputs(tmp_path)]
    process = start_and_hold([*words, "-j", 2], tmp_path)
    victim, *_ = workers_of(process)
    os.kill(victim, signal.SIGSTOP)  # so that it keeps the cases that it is given
    process.send_signal(signal.SIGCONT)
    wait_for(len(journalled(tmp_path)) + 10, process, tmp_path)
    os.kill(victim, signal.SIGKILL)
    process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 3
    assert_no_process_is_left(process)
    assert_nothing_is_lost(tmp_path, names)
    found = record(tmp_path / "scores.json")
    (lost,) = [case for case in found["cases"] if case["status"] == "failed"]
    assert found["summary"]["scored"] == 199
    assert lost["error"] == "WorkerDied"
    assert "signal 9 (SIGKILL)" in lost["message"]
    assert sorted({*names} - {lost["case"]}) == sorted(journalled(tmp_path))
    assert run(*words, "--resume").returncode == 0
    resumed = contents(tmp_path)
    assert call(*words).exit_code == 0
    assert contents(tmp_path) == resumed


@posix_only
def test_workers_that_cannot_start(tmp_path):
    """Where every worker dies at its start the run ends, with the reason."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if any(each in word for word in sys.orig_argv for each in ('spawn_main', 'forkserver')):\n"
        "    os._exit(7)\n",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = run(*both(sound(tmp_path)), "-j", 2, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 2
    assert "the last one ended with exit code 7" in done.stderr
    assert "Traceback" not in done.stderr


# --- The configuration of a repository ----------------------------------------------------------------------


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
    assert done.stdout.startswith("case,status,label,name,tp,fp,fn,tn,iou,error\n")
    assert "part 2" in done.stdout
    assert (
        f"Note: options from {repository.resolve() / name}: fail-under, jobs, labels, metric\n" in done.stderr
    )


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


# --- GitHub, baselines --------------------------------------------------------------------------------------


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


# --- In Python ----------------------------------------------------------------------------------------------


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
