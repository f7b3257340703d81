"""The command ``dicecli report``: results rendered again, merged and judged, from the counts alone."""

from __future__ import annotations

import copy
import csv
import json
import random
import shutil
from xml.etree import ElementTree as ET

import make
import numpy as np
import pytest
from streams import runner

from dicecli.cli import cli

OUTPUTS = ("scores.csv", "scores.json", "scores.md", "scores.xml", "scores.txt")
SUMMARIES = ("summary.csv", "summary.json", "summary.md")
FORMATS = ("table", "csv", "json", "junit", "markdown")
LABELS = {
    "labels": {"0": "background", "1": "liver", "2": "a | b", "3": "nowhere", "4": "=1+1"},
    "regions": {"both": [1, 2], "rest": [3, 4]},
    "ignore": 5,
}


def call(*arguments):
    """Run a command in this process."""
    return runner().invoke(cli, [str(each) for each in arguments], catch_exceptions=False)


def batch(*arguments):
    return call("batch", *arguments, "-j", 1)


def outputs(folder):
    folder.mkdir(exist_ok=True)
    return [part for name in OUTPUTS for part in ("-o", folder / name)]


def contents(folder, names=OUTPUTS):
    return {name: (folder / name).read_bytes() for name in names}


def record(path):
    return json.loads(path.read_text(encoding="utf-8"))


def table(path, rows):
    """Write a table of pairs beside the masks."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows([("prediction", "reference", "case", "group"), *rows])
    return path


@pytest.fixture(scope="module")
def masks(tmp_path_factory):
    """Write masks of all formats: sound, empty, broken, missing; return the folder and the rows of its pairs."""
    folder = tmp_path_factory.mktemp("masks")
    rows = []
    for number in range(10):
        prediction, reference = (make.blobs((12, 15), 3 + number % 4, seed) for seed in (number, 50 + number))
        if number == 4:
            prediction, reference = np.zeros((2, 12, 15), np.uint8)
        if number == 7:
            prediction = reference
        write, suffix = [(make.png, "png"), (make.geotiff, "tif"), (volume, "nii.gz")][number % 3]
        for side, mask in (("p", prediction), ("r", reference)):
            write(folder / f"{side}{number}.{suffix}", mask)
        rows.append((f"p{number}.{suffix}", f"r{number}.{suffix}", f"case {number}", f"g{number % 4}"))
    (folder / "p3.png").write_bytes(b"")
    (folder / "r6.png").write_bytes(b"no mask")
    rows[8] = ("", *rows[8][1:])
    rows[9] = (*rows[9][:2], "c\N{RIGHT-TO-LEFT OVERRIDE}|ase, <9>", "")
    return folder, rows


def volume(path, mask):
    return make.nifti(path, mask[..., np.newaxis], affine=np.diag([0.7, 0.8, 2.5, 1]))


def labels_file(folder):
    path = folder / "labels.json"
    path.write_text(json.dumps(LABELS), encoding="utf-8")
    return path


OPTIONS = {
    "plain": [],
    "names, regions and an ignored label": ["--labels", "LABELS"],
    "regions": ["--region", "both=1,2", "--region", "none=77"],
    "ignored labels": ["--ignore-label", "1", "--ignore-label", "4"],
    "undefined as zero": ["--undefined", "zero"],
    "undefined as one": ["--undefined", "one", "--include-background"],
    "chosen metrics": ["-m", "iou", "-m", "volume_reference_mm3", "-m", "fnr"],
    "all metrics": ["-m", "all"],
    "an overall metric": ["-m", "overall_kappa"],
    "missing as zero": ["--missing", "zero"],
    "missing left out": ["--missing", "skip"],
    "gates": ["--fail-under", "dice=0.1", "--fail-under", "min:iou[2]=0.9", "--fail-over", "fnr@micro=0.1"],
    "stopped": ["--strict"],
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_every_output_is_rendered_again_to_the_byte(options, masks, tmp_path):
    """From the JSON alone come the bytes that the run wrote: of every format, with whatever is in it."""
    folder, rows = masks
    options = [labels_file(tmp_path) if option == "LABELS" else option for option in options]
    done = batch("--pairs", table(folder / "pairs.csv", rows), *options, *outputs(tmp_path / "run"))
    again = call("report", tmp_path / "run" / "scores.json", *outputs(tmp_path / "again"))
    assert (done.exit_code, done.stdout) == (again.exit_code, again.stdout)
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


@pytest.mark.parametrize("name", FORMATS)
def test_standard_output_is_rendered_again(name, masks, tmp_path):
    """-f gives what the run gave."""
    folder, rows = masks
    done = batch("--pairs", table(folder / "pairs.csv", rows), "-f", name, *outputs(tmp_path))
    assert done.stdout == call("report", tmp_path / "scores.json", "-f", name).stdout


@pytest.mark.parametrize("name", SUMMARIES)
@pytest.mark.parametrize("count", [1, 10], ids=["one case", "ten cases"])
def test_summaries_are_rendered_again(name, count, masks, tmp_path):
    """--summary gives the bytes that the run's own --summary gave, in each of its formats."""
    folder, rows = masks
    (tmp_path / "again").mkdir()
    pairs = table(folder / "pairs.csv", rows[:count])
    batch("--pairs", pairs, "--summary", tmp_path / name, "-o", tmp_path / "scores.json")
    call("report", tmp_path / "scores.json", "--summary", tmp_path / "again" / name)
    assert (tmp_path / name).read_bytes() == (tmp_path / "again" / name).read_bytes()


def test_one_case_is_rendered_again(masks, tmp_path):
    """The JSON of 'dicecli score' is a report, too."""
    folder, rows = masks
    done = call("score", folder / rows[1][0], folder / rows[1][1], *outputs(tmp_path / "run"))
    again = call("report", tmp_path / "run" / "scores.json", *outputs(tmp_path / "again"))
    assert (done.exit_code, done.stdout) == (again.exit_code, again.stdout)
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


def test_no_mask_is_touched(masks, tmp_path):
    """A report is rendered where there are no masks any more."""
    folder = shutil.copytree(masks[0], tmp_path / "masks")
    batch("--pairs", table(folder / "pairs.csv", masks[1]), *outputs(tmp_path / "run"))
    shutil.rmtree(folder)
    assert call("report", tmp_path / "run" / "scores.json", *outputs(tmp_path / "again")).exit_code == 3
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


@pytest.mark.parametrize(
    "chosen", [["iou"], ["recall", "dice"], ["all"], ["overall_mcc", "fdr"]], ids=" ".join
)
def test_metrics_are_chosen_again(chosen, masks, tmp_path):
    """-m gives the bytes of a run that was told the same, whichever metrics the first run was told."""
    folder, rows = masks
    pairs = table(folder / "pairs.csv", rows)
    options = [part for name in chosen for part in ("-m", name)]
    # All of them are those that can be had: of a statistic that needs a pass only where it was measured.
    of_the_pass = ["hd", "boundary_iou", "boundary_f", "centre_distance"]
    names = of_the_pass if chosen == ["all"] else ["precision"]
    measured = [part for name in names for part in ("-m", name)]
    batch("--pairs", pairs, *measured, "-o", tmp_path / "first.json")
    batch("--pairs", pairs, *options, *outputs(tmp_path / "run"))
    call("report", tmp_path / "first.json", *options, *outputs(tmp_path / "again"))
    assert contents(tmp_path / "run") == contents(tmp_path / "again")


# --- Shards -------------------------------------------------------------------------------------------------


def shards(masks, tmp_path, cuts, *options):
    """Score the pairs at once, and cut into shards; return the shards' JSON files."""
    folder, rows = masks
    batch("--pairs", table(folder / "pairs.csv", rows), *options, *outputs(tmp_path / "run"))
    found = []
    for number, cut in enumerate(cuts):
        found.append(tmp_path / f"shard{number}.json")
        batch("--pairs", table(folder / "pairs.csv", [rows[n] for n in cut]), *options, "-o", found[-1])
    return found


#: Ways to cut the ten pairs into shards.
CUTS = {
    "two": [range(5), range(5, 10)],
    "four": [[9, 0, 5], [1], [4, 8], [2, 3, 6, 7]],
    "ten": [[number] for number in reversed(range(10))],
}
MERGED = [
    *(
        ("two", name)
        for name in ("plain", "ignored labels", "undefined as one", "chosen metrics", "missing as zero")
    ),
    *(("four", name) for name in ("plain", "names, regions and an ignored label", "regions")),
    *(("ten", name) for name in ("plain", "missing left out")),
]


@pytest.mark.parametrize(("cut", "name"), MERGED)
def test_merged_shards_are_the_run_at_once(cut, name, masks, tmp_path):
    """However a run is cut, merging its shards gives the bytes of scoring at once: pooled averages included,
    also where some shard lacks a label that others have.
    """
    options, cuts = OPTIONS[name], CUTS[cut]
    options = [labels_file(tmp_path) if option == "LABELS" else option for option in options]
    found = shards(masks, tmp_path, cuts, *options)
    done = call("report", *found, *outputs(tmp_path / "merged"))
    assert done.exit_code == 3
    expected, actual = (record(tmp_path / name / "scores.json") for name in ("run", "merged"))
    assert expected["summary"]["averages"] == actual["summary"]["averages"]
    assert expected == actual
    assert contents(tmp_path / "run") == contents(tmp_path / "merged")


def test_shards_may_be_merged_in_steps(masks, tmp_path):
    """The merged JSON merges again, in any order."""
    one, two, three = shards(masks, tmp_path, [range(3), range(3, 7), range(7, 10)])
    call("report", three, one, "-o", tmp_path / "some.json")
    call("report", two, tmp_path / "some.json", *outputs(tmp_path / "merged"))
    assert contents(tmp_path / "run") == contents(tmp_path / "merged")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--undefined", "zero"], "undefined"),
        (["--ignore-label", "1"], "ignore_labels"),
        (["--region", "both=1,2"], "regions"),
        (["--missing", "skip"], "missing"),
        (["-m", "dice"], "metrics"),
        (["--geometry", "ignore"], "geometry"),
    ],
)
def test_shards_of_different_settings_are_refused(options, said, masks, tmp_path):
    """Numbers that do not belong together are not put together: exit code 2, and the difference is named."""
    folder, rows = masks
    batch("--pairs", table(folder / "pairs.csv", rows[:2]), "-o", tmp_path / "one.json")
    batch("--pairs", table(folder / "pairs.csv", rows[4:6]), *options, "-o", tmp_path / "other.json")
    done = call("report", tmp_path / "one.json", tmp_path / "other.json", "-o", tmp_path / "merged.json")
    assert done.exit_code == 2
    assert f"different settings: {said}" in done.stderr
    assert not (tmp_path / "merged.json").exists()


def test_shards_that_share_a_case_are_refused(masks, tmp_path):
    """No case counts twice: exit code 2, and the case is named."""
    one, other = shards(masks, tmp_path, [[0, 1, 2], [2, 4]])
    done = call("report", one, other)
    assert done.exit_code == 2
    assert "case 2" in done.stderr
    assert call("report", one, one).exit_code == 2


# --- Gates --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "code"),
    [
        ([], 0),
        (["--fail-under", "dice=0.01"], 0),
        (["--fail-under", "dice=0.99"], 1),
        (["--fail-under", "recall=0.99", "-m", "iou"], 1),
        (["--fail-under", "dice[77]=0.1"], 2),
        (["--baseline", "scores.json", "--max-drop", "0"], 0),
        (["--baseline", "scores.json"], 0),
    ],
    ids=str,
)
def test_results_are_judged_again(options, code, masks, tmp_path, monkeypatch):
    """Gates and a baseline are for a report what they are for a run."""
    folder, rows = masks
    batch("--pairs", table(folder / "pairs.csv", rows[:3]), *outputs(tmp_path))
    monkeypatch.chdir(tmp_path)
    assert call("report", "scores.json", *options, "-o", "again.json").exit_code == code
    if code != 2:
        gates = record(tmp_path / "again.json")["summary"]["gates"]
        assert ["--fail-under" in options or "--max-drop" in options] == [bool(gates)]


def test_verdicts_are_kept_until_others_are_asked_for(masks, tmp_path):
    """The gates of the run decide the exit code of its report; new gates take their place."""
    folder, rows = masks
    pairs = table(folder / "pairs.csv", rows[:3])
    assert batch("--pairs", pairs, "--fail-under", "dice=0.99", *outputs(tmp_path)).exit_code == 1
    assert call("report", tmp_path / "scores.json").exit_code == 1
    done = call("report", tmp_path / "scores.json", "--fail-under", "dice=0.01", "-o", tmp_path / "new.json")
    assert done.exit_code == 0
    assert [gate["gate"] for gate in record(tmp_path / "new.json")["summary"]["gates"]] == ["dice=0.01"]


def test_github_is_told_of_a_report(masks, tmp_path, monkeypatch):
    """--github appends the Markdown of merged shards to the step's summary."""
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "step.md"))
    found = shards(masks, tmp_path, [range(5), range(5, 10)])
    done = call("report", *found, "--fail-under", "dice=0.99", "--github", "-f", "markdown")
    assert done.exit_code == 3
    assert "::error title=dicecli gate failed::dice=0.99" in done.stderr
    assert "## Gates" in (tmp_path / "step.md").read_text(encoding="utf-8")


# --- Bad input ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def good(masks, tmp_path_factory):
    """Return the text of a record with everything in it."""
    folder, rows = masks
    path = tmp_path_factory.mktemp("good") / "scores.json"
    options = ["--labels", labels_file(path.parent), "--fail-under", "dice=0.1", "-m", "dice", "-m", "iou"]
    batch("--pairs", table(folder / "pairs.csv", rows), *options, "-o", path)
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"case,status\n",
        b"null",
        b"[]",
        b"17",
        b'"scores"',
        b"{}",
        b'{"schema": 1}',
        b'{"schema": 2, "cases": []}',
        b'{"schema": "1"}',
        b'{"schema": {}}',
        b'{"schema": [1]}',
        b'{"schema": true}',
        b'{"schema": 1, "settings": {}, "cases": [], "summary": {}}',
        b"\xff\xfe\x00",
        b"\x89PNG\r\n\x1a\n",
        b"[" * 100_000,
        b'{"a":' * 100_000,
    ],
    ids=lambda content: repr(content[:24]),
)
def test_what_is_no_record_is_refused(content, tmp_path):
    """Exit code 2, and a message that names the file and says which files are taken."""
    path = tmp_path / "scores.json"
    path.write_bytes(content)
    done = call("report", path, "-o", tmp_path / "again.md")
    assert done.exit_code == 2
    assert f"Error: {path}: " in done.stderr
    assert "dicecli batch -o results.json" in done.stderr
    assert not (tmp_path / "again.md").exists()


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_a_record_that_was_cut_is_refused(share, good, tmp_path):
    """Wherever the text ends too early, no number comes out of it."""
    path = tmp_path / "scores.json"
    path.write_text(good[: int(len(good) * share)], encoding="utf-8")
    done = call("report", path)
    assert (done.exit_code, done.stdout) == (2, "")
    assert str(path) in done.stderr


@pytest.mark.parametrize("name", ["nowhere.json", "folder.json"])
def test_a_file_that_cannot_be_read_is_refused(name, tmp_path):
    """A file that is missing, or a folder, is named."""
    (tmp_path / "folder.json").mkdir()
    done = call("report", tmp_path / name)
    assert done.exit_code == 2
    assert str(tmp_path / name) in done.stderr


MATRIX = ["cases", 0, "measured", "matrix", 0]
CHANGES = {
    "a count of text": ([*MATRIX, "pixels", 0], "x"),
    "a count of a fraction": ([*MATRIX, "pixels", 0], 1.5),
    "a negative count": ([*MATRIX, "pixels", 0], -1),
    "no count": ([*MATRIX, "pixels", 0], None),
    "a count that is true": ([*MATRIX, "pixels", 0], True),
    "a label of text": ([*MATRIX, "reference", 0], "liver"),
    "no rows": (["cases", 0, "measured", "matrix"], []),
    "nothing measured": (["cases", 0, "measured"], {}),
    "a name that is a number": (["cases", 0, "case"], 17),
    "a group that is an object": (["cases", 0, "group"], {}),
    "a shape of text": (["cases", 0, "shape"], "12 x 15"),
    "sizes that are a list": (["cases", 0, "pixel_size"], []),
    "an unknown status": (["cases", 0, "status"], "fine"),
    "an error that is true": (["cases", 3, "error"], True),
    "notes that are a number": (["summary", "notes"], 1.5),
    "a background that is an object": (["settings", "background"], {}),
    "an unknown metric": (["settings", "metrics"], ["nonsense"]),
    "cases that are an object": (["cases"], {}),
    "a case that is text": (["cases", 0], "case 0"),
    "a size in feet": (["cases", 0, "pixel_size"], {"ft2": 1.5}),
    "pixels left out for another reason": (
        ["cases", 0, "excluded"],
        {"ignore_label": 0, "nodata": 0, "dark": 0},
    ),
    "pixels left out for no reason": (["cases", 0, "excluded"], {}),
    "a verdict without a limit": (["summary", "gates", 0, "limit"], None),
}


@pytest.mark.parametrize(("path", "value"), CHANGES.values(), ids=CHANGES)
def test_a_record_that_makes_no_sense_is_refused(path, value, good, tmp_path):
    """Values of the wrong kind are exit code 2 and a message: neither a traceback nor a number."""
    changed = json.loads(good)
    inner = changed
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    target = tmp_path / "scores.json"
    target.write_text(json.dumps(changed), encoding="utf-8")
    done = call("report", target, "-f", "json")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error: " in done.stderr


def places(value, path=()):
    """Yield the path of every value in a record."""
    if path:
        yield path
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in inner:
        yield from places(each, (*path, key))


@pytest.mark.parametrize("seed", range(4))
def test_no_change_of_a_record_gives_a_traceback(seed, good, tmp_path):
    """Whatever stands wherever in a record, the answer is a report or exit code 2, with nothing in between."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    first = json.loads(good)
    every = [path for path in places(first) if path[0] != "summary" or path[1:2] in (("gates",), ("notes",))]
    target = tmp_path / "scores.json"
    for _ in range(30):
        changed = copy.deepcopy(first)
        *outer, last = chance.choice(every)
        inner = changed
        for key in outer:
            inner = inner[key]
        inner[last] = chance.choice(
            [None, True, -1, 1.5, "x", "1", [], {}, [1], {"a": 1}, 10**30, float("nan")]
        )
        target.write_text(json.dumps(changed), encoding="utf-8")
        done = call("report", target, "-f", chance.choice(FORMATS))
        assert done.exit_code in {0, 1, 2, 3}
        assert (done.exit_code == 2) == (not done.stdout)


def test_the_output_is_tested_first(good, tmp_path):
    """A place that cannot be written to is exit code 2, and nothing else is written."""
    (tmp_path / "scores.json").write_text(good, encoding="utf-8")
    words = ["-o", tmp_path / "good.csv", "-o", tmp_path / "nowhere" / "scores.csv"]
    assert call("report", tmp_path / "scores.json", *words).exit_code == 2
    assert sorted(path.name for path in tmp_path.iterdir()) == ["scores.json"]


def test_no_file_is_an_error():
    """A report is of something."""
    assert call("report").exit_code == 2


def test_the_reports_are_well_formed(good, tmp_path):
    """XML parses, CSV has as many cells in each row as in its header, JSON has no NaN."""
    (tmp_path / "scores.json").write_text(good, encoding="utf-8")
    call("report", tmp_path / "scores.json", *outputs(tmp_path / "again"))
    names = [case["case"] for case in json.loads(good)["cases"]]
    root = ET.parse(tmp_path / "again" / "scores.xml").getroot()  # noqa: S314 - our own output
    assert len(root.findall("testsuite[@name='cases']/testcase")) == len(names)
    with (tmp_path / "again" / "scores.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    assert {len(rows[0])} == {len(row) for row in rows}
    assert "NaN" not in (tmp_path / "again" / "scores.json").read_text(encoding="utf-8")
