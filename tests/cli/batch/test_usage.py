"""How ``dicecli batch`` ends: exit codes, and wrong usage that is said before any mask is read."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest
from batches import (
    NAMES,
    OUTPUTS,
    all_outputs,
    assert_nothing_is_lost,
    both,
    call,
    not_as_root,
    record,
    run,
    sound,
    spoiled,
)


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


@pytest.mark.parametrize(
    "options",
    [
        ["-o", "nowhere/scores.csv"],
        ["-o", "a folder.csv"],
        ["-o", "scores.xlsx"],
        ["-o", "scores"],
        ["--summary", "summary.xml"],
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
