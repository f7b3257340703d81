"""The command line, as a shell sees it: what goes where, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import stat
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd
import places
import pytest
from PIL import Image
from streams import runner

from dicecli.cli import cli
from dicecli.cli.main import COMMANDS
from dicecli.metrics._catalogue import catalogue, every_of

SAMPLES = places.SAMPLES


def pair(name, suffix=".png"):
    return [str(SAMPLES / f"{name}_prediction{suffix}"), str(SAMPLES / f"{name}_reference{suffix}")]


def run(*arguments):
    return runner().invoke(cli, [str(each) for each in arguments])


def masks(folder, prediction, reference):
    """Write two small 8-bit masks and return their paths."""
    paths = [folder / "prediction.png", folder / "reference.png"]
    for path, values in zip(paths, (prediction, reference), strict=True):
        Image.fromarray(np.asarray(values, np.uint8)).save(path)
    return [str(path) for path in paths]


def test_the_table_shows_labels_averages_and_what_was_assumed():
    """The table names labels, shows the averages with their definitions, and says what was left out."""
    result = run("score", *pair("street"), "--labels", SAMPLES / "street_labels.json", "-v")
    assert result.exit_code == 0
    for expected in ("pavement", "macro", "micro", "weighted", "pool the counts over cases", "ignored label"):
        assert expected in result.stdout
    brief = run("score", *pair("street"), "--labels", SAMPLES / "street_labels.json")
    assert "pool the counts" not in brief.stdout
    assert "ignored label" in brief.stdout
    assert not brief.stderr


def test_json_is_the_full_record(tmp_path):
    """The JSON has the documented keys, every metric of the catalogue, and null for undefined."""
    found = run("score", *masks(tmp_path, [[0, 1]], [[0, 2]]), "-f", "json", "-q")
    record = json.loads(found.stdout)
    assert list(record) == ["schema", "dicecli", "origin", "settings", "cases", "summary"]
    (case,) = record["cases"]
    for key in (
        "case",
        "status",
        "prediction",
        "reference",
        "shape",
        "spacing",
        "unit",
        "counted",
        "excluded",
    ):
        assert key in case
    assert case["checks"] == {"f1_equals_dice": True, "dice_from_iou": True}
    first = case["labels"][0]
    assert list(first)[:7] == ["label", "name", "tp", "fp", "fn", "tn", "dice"]
    assert first["recall"] is None
    assert first["dice"] == 0.0
    assert {"macro", "micro", "weighted"} == set(case["averages"])
    assert {key: record["summary"][key] for key in ("expected", "scored", "failed")} == {
        "expected": 1,
        "scored": 1,
        "failed": 0,
    }


def test_csv_reads_back_without_loss(tmp_path):
    """pandas.read_csv gives the very numbers of the JSON; undefined is empty, a region has no label.

    What pandas 3 does by itself, older ones do when asked for it.
    """
    target = tmp_path / "scores.csv"
    arguments = [*pair("organs", ".nii.gz"), "--labels", SAMPLES / "organs_labels.json", "-m", "all"]
    assert run("score", *arguments, "-o", target).exit_code == 0
    record = json.loads(run("score", *arguments, "-f", "json", "-q").stdout)
    rows = record["cases"][0]["labels"]
    asked = {} if int(pd.__version__.split(".")[0]) >= 3 else {"float_precision": "round_trip"}
    frame = pd.read_csv(target, **asked)
    assert list(frame.columns[:8]) == ["case", "status", "label", "name", "tp", "fp", "fn", "tn"]
    assert list(frame.columns[-2:]) == ["error", "notes"]
    assert len(rows) == len(frame)
    for row, (_, read) in zip(rows, frame.iterrows(), strict=True):
        for key, value in row.items():
            if value is None:
                assert pd.isna(read[key])
            else:
                assert value == read[key], key


def test_to_pandas_is_the_csv():
    """The data frame in Python has the columns and values of the CSV."""
    import dicecli

    report = dicecli.score(*pair("lesion"))
    text = run("score", *pair("lesion"), "-f", "csv", "-q").stdout
    (row,) = csv.DictReader(io.StringIO(text))
    frame = report.to_pandas()
    assert list(row) == list(frame.columns)
    assert float(row["dice"]) == frame["dice"][0]
    assert int(row["tp"]) == frame["tp"][0]


def test_chosen_metrics_are_the_columns_in_the_order_given():
    """-m chooses and orders; an alias stands for its metric; all means all."""
    text = run(
        "score", *pair("lesion"), "-f", "csv", "-q", "-m", "sensitivity", "-m", "f1", "-m", "dice"
    ).stdout
    assert text.splitlines()[0] == "case,status,label,name,tp,fp,fn,tn,recall,f1,dice,error,notes"
    (every,) = json.loads(run("score", *pair("lesion"), "-f", "json", "-q", "-m", "all").stdout)["cases"]
    (usual,) = json.loads(run("score", *pair("lesion"), "-f", "json", "-q").stdout)["cases"]
    of_masks = [each for each in every_of("labels") if each.takes == "row"]
    counts = ("label", "name", "tp", "fp", "fn", "tn")
    for row, shown in zip(every["labels"], usual["labels"], strict=True):
        assert shown.items() <= row.items()
        assert {
            *counts,
            *(f"{each.name}{'_px' * (each.unit is not None)}" for each in of_masks),
        } == row.keys()
        assert {*counts, *(each.name for each in of_masks if each.of == "counts")} == shown.keys()


def test_outputs_go_by_suffix_and_are_whole(tmp_path):
    """-o writes each format by its suffix, leaves no temporary file, and replaces an older report."""
    names = ["scores.json", "scores.csv", "scores.md", "scores.txt"]
    (tmp_path / "scores.json").write_text("old")
    options = [part for name in names for part in ("-o", tmp_path / name)]
    assert run("score", *pair("lesion"), *options).exit_code == 0
    assert sorted(names) == sorted(path.name for path in tmp_path.iterdir())
    assert json.loads((tmp_path / "scores.json").read_text())["schema"] == 2
    assert (tmp_path / "scores.md").read_text(encoding="utf-8").startswith("## lesion")


@pytest.mark.parametrize(
    ("target", "word"),
    [("scores.xyz", "suffix"), ("missing/scores.csv", "does not exist"), (".", "folder")],
)
def test_an_output_that_cannot_be_written_ends_before_the_work(tmp_path, target, word):
    """Exit 2, with what is wrong and what to do, and nothing printed to standard output."""
    result = run("score", *pair("lesion"), "-o", tmp_path / target)
    assert result.exit_code == 2
    assert word in result.stderr
    assert "Hint:" in result.stderr
    assert not result.stdout


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="needs a user whom permissions bind")
def test_a_read_only_folder_is_refused(tmp_path):
    """A folder that refuses is found before the work."""
    tmp_path.chmod(stat.S_IRUSR | stat.S_IXUSR)
    assert run("score", *pair("lesion"), "-o", tmp_path / "scores.csv").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["-m", "dise"], "Did you mean dice"),
        (["--labels", "vok"], "voc"),
        (["--labels", "nothing.json"], "no such file"),
        (["--region", "kidneys"], "no region"),
        (["--threshold", "0"], "above 0"),
        (["--undefined", "half"], "half"),
    ],
)
def test_wrong_options_are_exit_2(arguments, expected):
    """What is wrong with an option is said, with the nearest known name where there is one."""
    result = run("score", *pair("lesion"), *arguments)
    assert result.exit_code == 2
    assert expected in result.stderr
    assert not result.stdout


def test_a_failed_case_is_exit_3_with_error_and_hint(tmp_path):
    """A mask that cannot be read: exit 3, Error and Hint on standard error, no traceback, nothing on stdout."""
    (tmp_path / "cut.png").write_bytes(Path(pair("lesion")[0]).read_bytes()[:200])
    result = run("score", tmp_path / "cut.png", pair("lesion")[1])
    assert result.exit_code == 3
    assert not result.stdout
    assert result.stderr.startswith("Error: prediction ")
    assert "cut.png" in result.stderr
    assert "\nHint: " in result.stderr
    assert "Traceback" not in result.stderr


def test_a_failed_case_stands_in_json_and_csv(tmp_path):
    """The failure is a row of the machine formats, with its stable name."""
    arguments = [
        "score",
        tmp_path / "nothing.png",
        pair("lesion")[1],
        "-o",
        tmp_path / "scores.csv",
        "-f",
        "json",
    ]
    result = run(*arguments)
    assert result.exit_code == 3
    (case,) = json.loads(result.stdout)["cases"]
    assert [case["status"], case["error"]] == ["failed", "Missing"]
    assert case["message"]
    assert case["hint"]
    (row,) = csv.DictReader(io.StringIO((tmp_path / "scores.csv").read_text(encoding="utf-8")))
    assert row["status"] == "failed"
    assert row["error"].startswith("Missing: ")


def test_notes_of_machine_formats_go_to_standard_error():
    """With -f csv notes are on standard error, so that a pipe stays clean; -q silences them."""
    result = run("score", *pair("lesion"), "-f", "csv")
    assert "Note: reference: values are 0 and 255" in result.stderr
    assert "Note" not in result.stdout
    assert not run("score", *pair("lesion"), "-f", "csv", "-q").stderr


def test_verbose_says_what_counted():
    """-v names the backend on standard error."""
    assert "Counted with n" in run("score", *pair("lesion"), "-v").stderr


def test_many_labels_show_the_worst_and_say_how_to_get_all(tmp_path):
    """With hundreds of labels the table shows the worst twenty; -v shows every one."""
    reference = np.arange(200, dtype=np.uint8).repeat(4).reshape(20, 40)
    prediction = reference.copy()
    prediction[prediction == 57] = 58
    paths = masks(tmp_path, prediction, reference)
    short = run("score", *paths).stdout
    rows = [line.split() for line in short.splitlines() if line[:6].strip().isdigit()]
    assert len(rows) == 20
    assert [row[0] for row in rows[:2]] == ["57", "58"]
    assert "20 of 199 labels with the worst dice" in short
    every = run("score", *paths, "-v").stdout
    assert len([line for line in every.splitlines() if line[:6].strip().isdigit()]) == 199


def test_region_and_include_background_and_undefined():
    """--region adds a row and an average of its own, --include-background a label, --undefined a value."""
    arguments = [*pair("organs", ".nii.gz"), "-f", "json", "-q"]
    record = json.loads(run("score", *arguments, "--region", "kidneys=2,3").stdout)["cases"][0]
    assert record["labels"][-1]["name"] == "kidneys"
    assert record["labels"][-1]["label"] is None
    assert record["labels"][-1]["dice"] == record["averages"]["macro-regions"]["dice"]
    whole = json.loads(run("score", *arguments, "--include-background").stdout)["cases"][0]
    assert whole["labels"][0]["label"] == 0
    assert whole["averages"]["micro"]["dice"] == pytest.approx(
        whole["overall"]["overall_accuracy"], abs=1e-15
    )
    empty = json.loads(run("score", *pair("empty"), "-f", "json", "-q", "--labels", "brats").stdout)["cases"][
        0
    ]
    assert empty["averages"]["macro"]["dice"] is None
    assert empty["undefined"]["macro"]["dice"] == 4
    policy = ["--undefined", "one", "--labels", "brats", "-f", "json", "-q"]
    assert (
        json.loads(run("score", *pair("empty"), *policy).stdout)["cases"][0]["averages"]["macro"]["dice"]
        == 1.0
    )


def test_geometry_ignore_compares_by_index():
    """--geometry ignore scores what strict refuses, and says so."""
    assert run("score", *pair("misaligned", ".nii.gz")).exit_code == 3
    result = run("score", *pair("misaligned", ".nii.gz"), "--geometry", "ignore")
    assert result.exit_code == 0
    assert "geometry ignored" in result.stdout


def test_a_missing_device_falls_back_with_a_note():
    """--device cuda without such a device counts on the processor, says so, and gives the same numbers."""
    torch = pytest.importorskip("torch", reason="torch is not installed")
    if torch.cuda.is_available():
        pytest.skip("there is a CUDA device here")
    plain = json.loads(run("score", *pair("lesion"), "-f", "json", "-q").stdout)
    other = json.loads(run("score", *pair("lesion"), "-f", "json", "-q", "--device", "cuda").stdout)
    assert any("no cuda device" in note for note in other["cases"][0]["notes"])
    assert plain["cases"][0]["labels"] == other["cases"][0]["labels"]


def test_inspect_tells_format_values_and_alignment():
    """Inspect shows each file's facts and values, and whether two of them lie on each other."""
    result = run("inspect", *pair("misaligned", ".nii.gz"))
    assert result.exit_code == 3
    for expected in ("NIfTI-1", "orientation", "distinct", "do NOT lie on each other", "6 voxels", "origin"):
        assert expected in result.stdout
    record = json.loads(run("inspect", pair("cells")[0], "-f", "json").stdout)
    assert record["files"][0]["facts"]["mode"] == "grey, 16 bit"
    assert record["pair"] is None


def test_inspect_of_a_broken_file_is_an_answer(tmp_path):
    """A file that cannot be scored is described as far as possible, with the reason and exit 3."""
    (tmp_path / "page.png").write_text("<html>not found</html>")
    result = run("inspect", tmp_path / "page.png", pair("lesion")[0])
    assert result.exit_code == 3
    assert "UnknownFormat: this is HTML" in result.stdout
    assert "read as" in result.stdout


def test_metrics_lists_and_explains():
    """The catalogue lists every metric; a name or an alias explains one; an unknown name is exit 2."""
    listed = run("metrics").stdout
    for name in catalogue():
        assert name in listed
    explained = run("metrics", "users-accuracy").stdout
    for expected in ("precision", "tp / (tp + fp)", "0 to 1", "the prediction is empty", "doi"):
        assert expected in explained
    assert run("metrics", "nothing").exit_code == 2


def test_help_lists_the_commands_with_their_own_first_line():
    """The list that spares importing commands says what the commands say themselves."""
    for name, said in COMMANDS.items():
        command = cli.get_command(None, name)
        assert said == (command.help or "").splitlines()[0]
        assert run(name, "--help").exit_code == 0
    assert run("nothing").exit_code == 2


@pytest.mark.parametrize("command", [(), *[(each,) for each in cli.list_commands(None)]])
def test_help_fits_80_columns(command):
    """Its examples, too, and the help with every option."""
    for word in ("--help", *(["--help-all"] if command else [])):
        done = runner().invoke(cli, [*command, word], terminal_width=80)
        assert done.exit_code == 0
        lines = done.output.splitlines()
        assert not [line for line in lines if len(line) > 80]
        assert "\b" not in done.output.replace("\\b", "\b")
        assert "  Examples:" in lines
        assert (
            len([line for line in lines if line.startswith("    dicecli ")]) > 1 or "  Examples:" not in lines
        )


@pytest.mark.parametrize(
    ("arguments", "hint"),
    [
        ("score a b --average makro", "Did you mean macro? 'cli score --help' shows what it takes."),
        ("score a b -f jsn", "Did you mean json? 'cli score --help' shows what it takes."),
        ("score a b --ignore-label liver", "'cli score --help' shows what it takes."),
        ("batch a b --metric", "'cli batch --help' shows what it takes."),
        ("--xyzzy", "'cli --help' shows what it takes."),
        ("score a b --metrics dice", "Did you mean --metric? 'cli score --help-all' lists every one."),
        ("batch a b --label x.json", "Did you mean --labels? 'cli batch --help-all' lists every one."),
        (
            "score a b --map 1=1",
            "Did you mean --map-reference or --map-prediction? 'cli score --help-all' lists every one.",
        ),
    ],
)
def test_what_is_typed_wrong_is_refused_in_one_form(arguments, hint):
    """What click finds, too: an error, then a hint, with words that are near and no others."""
    done = run(*arguments.split())
    assert done.exit_code == 2
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["Error", "Hint"]
    assert done.stderr.splitlines()[1] == f"Hint: {hint}"


def test_names_from_outside_are_inert(tmp_path):
    """A file name with terminal escapes and markup is shown whole, and does nothing."""
    name = "a\x1b[31m[bold]x[/y].png" if os.name == "posix" else "a[bold]x[].png"
    target = tmp_path / name.replace("/", "")
    target.write_bytes(Path(pair("lesion")[0]).read_bytes())
    result = run("score", target, pair("lesion")[1])
    assert result.exit_code == 0
    assert "\x1b" not in result.stdout
    shown = "".join(result.stdout.split())  # a long path is folded
    assert "[bold]x[y].png" in shown or os.name != "posix"


def test_a_real_process_ends_with_the_code_and_a_closed_pipe_is_no_error():
    """The installed entry point returns the exit codes; a reader that stops early causes no traceback."""
    dicecli = [sys.executable, "-m", "dicecli"]
    assert subprocess.run([*dicecli, "score"], capture_output=True, check=False).returncode == 2
    failed = subprocess.run([*dicecli, "score", "a.png", "b.png"], capture_output=True, check=False)
    assert failed.returncode == 3
    assert b"Traceback" not in failed.stderr
    with subprocess.Popen([*dicecli, "metrics"], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        process.stdout.close()
        assert b"Traceback" not in process.stderr.read()


@pytest.mark.parametrize(
    ("module", "built", "missing"),
    [
        ("dicecli.statistics.backends._native", "counts with the C extension", "counts with NumPy alone"),
        ("dicecli.masks.formats.png._rows", "decodes PNG with C", "decodes PNG with NumPy"),
    ],
)
def test_the_version_says_what_is_in_use(module, built, missing, monkeypatch):
    """Each extension that was built is named, and so is what stands in for one that was not."""
    if find_spec(module):
        assert built in run("--version").stdout
    monkeypatch.setitem(sys.modules, module, None)
    assert missing in run("--version").stdout
