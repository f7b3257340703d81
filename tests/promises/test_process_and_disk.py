"""What the machine does to a run: every row on processes, disks, time and terminals, each by its own words.

Some of them are tested beside what they concern, in other files: the list of all rows stands at the end.
"""

from __future__ import annotations

import errno
import json
import os
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import disturbed
import faulty_io
import make
import numpy as np
import places
import pytest
import workers
from batches import (
    MANY,
    PATIENCE_S,
    all_outputs,
    assert_no_process_is_left,
    assert_nothing_is_lost,
    both,
    call,
    contents,
    journalled,
    needs_proc,
    pair,
    posix_only,
    record,
    run,
    sound,
    start,
    start_and_hold,
    wait_for,
)
from record_schema import loaded

import dicecli
from dicecli.errors import Changed, Timeout, Truncated, UsageError, WorkerDied
from dicecli.masks.formats.nifti import _voxels
from dicecli.masks.opening import open_mask
from dicecli.masks.pair import Pair
from dicecli.records.cases import Case
from dicecli.runs import batch as batching
from dicecli.runs.finding import find_pairs
from dicecli.runs.inspection.file import inspect
from dicecli.runs.scoring import make_settings, result_of
from dicecli.statistics._census import census

needs_full_device = pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
NAMES = [f"case{number:03}" for number in range(6)]


def errors(folder):
    """Return the error of every case that failed."""
    found = record(folder / "scores.json")["cases"]
    return {case["case"]: case["error"] for case in found if case["status"] == "failed"}


def python(code, *arguments, **options):
    """Run Python code in a process of its own, as a script whose workers can import it."""
    return subprocess.run(
        [sys.executable, "-c", code, *(str(each) for each in arguments)],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
        **options,
    )


# --- SIGKILL of a worker, and other ends of a case -----------------------------------------------------------


@posix_only
def test_a_case_that_kills_its_worker_each_time(tmp_path):
    """It is a row `WorkerDied`, in this run and when going on, and costs no other case; cured, it is scored."""
    words = [*both(sound(tmp_path, 6)), *all_outputs(tmp_path), "-q"]
    hook = tmp_path / "hook"
    hook.mkdir()
    env = faulty_io.environment(hook, tmp_path, kill="references/case002")
    for more in ([], ["--resume"]):
        done = run(*words, "-j", 2, *more, env=env)
        assert (done.returncode, done.stderr) == (3, "")
        assert_nothing_is_lost(tmp_path, NAMES)
        assert errors(tmp_path) == {"case002": "WorkerDied"}
        assert sorted({*NAMES} - {"case002"}) == sorted(journalled(tmp_path))
    assert call(*words, "--resume").exit_code == 0
    resumed = contents(tmp_path)
    assert call(*words).exit_code == 0
    assert resumed == contents(tmp_path)


@posix_only
def test_a_pair_that_kills_its_process(tmp_path, monkeypatch):
    """Where `score` has a process of its own its death is an error that says how, with the exit code 3."""
    prediction, reference = (folder / "case000.png" for folder in both(sound(tmp_path, 1)))
    for name, value in faulty_io.environment(tmp_path, tmp_path, kill="references/case000").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(WorkerDied, match="SIGKILL") as caught:
        dicecli.score(prediction, reference, timeout=60)
    assert caught.value.exit_code == 3


@pytest.mark.parametrize(
    ("raised", "name"), [(MemoryError, "OutOfMemory"), (RecursionError, "InternalError")]
)
def test_memory_or_stack_that_run_out(raised, name, tmp_path):
    """The case is a row, and the others are scored."""
    sound(tmp_path, 3)

    def run_out(_, path):
        if path.endswith("references/case001.png"):
            raise raised

    with faulty_io.Faults(tmp_path, before=run_out):
        assert call(*both(tmp_path), *all_outputs(tmp_path)).exit_code == 3
    assert_nothing_is_lost(tmp_path, NAMES[:3])
    assert errors(tmp_path) == {"case001": name}


# --- kill -9 of the parent at any moment, then --resume ------------------------------------------------------


@posix_only
@needs_proc
def test_killed_at_any_moment_and_counted(tmp_path):
    """The final output is byte-identical; nothing that was written down is counted again, and of the rest at
    most the cases in flight. The long run is ``tests/endurance/kill_and_resume.py``.
    """
    killed = disturbed.kill_and_resume(tmp_path, moments=3, seed=11, cases=40)
    assert killed.moments == 3
    assert killed.again.total() == 3


# --- Disk full, EIO, read-only folder while writing ----------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "kind"),
    [("ENOSPC", "write"), ("EDQUOT", "fsync"), ("EIO", "fsync"), ("EROFS", "open"), ("EACCES", "rename")],
)
def test_a_disk_that_refuses_an_output(error, kind, tmp_path):
    """Earlier outputs untouched, a clear error, the journal usable; and what is not on that disk is written."""
    words = [*both(sound(tmp_path, 3)), *all_outputs(tmp_path)]
    assert call(*words).exit_code == 0
    expected = contents(tmp_path)
    for name in expected:
        (tmp_path / name).write_text("of an earlier run", encoding="utf-8")

    def refuse(what, path):
        if what == kind and "scores.json" in path:
            raise OSError(getattr(errno, error), os.strerror(getattr(errno, error)))

    with faulty_io.Faults(tmp_path, before=refuse):
        done = call(*words)
    assert done.exit_code == 2
    assert (
        f"Error: {tmp_path / 'scores.json'}: cannot be written: {os.strerror(getattr(errno, error))}"
        in done.stderr
    )
    assert "Hint: " in done.stderr
    assert contents(tmp_path) == {**expected, "scores.json": b"of an earlier run"}
    assert sorted(NAMES[:3]) == sorted(journalled(tmp_path))
    assert not list(tmp_path.glob(".*"))
    assert call(*words, "--resume").exit_code == 0
    assert expected == contents(tmp_path)


def test_any_call_of_the_file_system_may_fail(tmp_path):
    """Whichever open, read, write, flush or rename fails: no traceback, outputs old or new and whole, and
    going on ends with the bytes of an undisturbed run. The long run is ``tests/endurance/inject_faults.py``.
    """
    codes = disturbed.inject(tmp_path, errno.EIO, (".png", ".nii.gz"))
    assert codes[2] > 10
    assert codes[3] > 10


# --- A file that changes, or vanishes, while it is read: row ------------------------------------------------


FORMATS = {
    ".png": make.png,
    ".nii": make.nifti,
    ".nii.gz": make.nifti,
    ".hdr": make.nifti,
    ".tif": make.geotiff,
}


def truncate(path):
    os.truncate(path, path.stat().st_size // 2)


def modify(path):
    """Turn the last bytes round, where they stand, and set the times back, as copying programs do."""
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(-20, os.SEEK_END)
        end = file.read()
        file.seek(-20, os.SEEK_END)
        file.write(end[::-1])
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def replace(path):
    """Put another file of the same size in its place, as programs do that write beside and rename."""
    other = path.with_name("other")
    shutil.copy2(path, other)
    other.replace(path)


@pytest.mark.parametrize("change", [truncate, modify, replace, Path.unlink], ids=lambda each: each.__name__)
@pytest.mark.parametrize("is_early", [True, False], ids=["before its voxels", "after its voxels"])
@pytest.mark.parametrize("suffix", FORMATS)
def test_a_file_that_changes_while_it_is_read(suffix, is_early, change, tmp_path):
    """Whatever happens to it between header and voxels, or before the end: an error, never a number."""
    case = Case("case", *(str(tmp_path / f"{side}{suffix}") for side in ("prediction", "reference")))
    for seed, path in enumerate((case.prediction, case.reference)):
        FORMATS[suffix](Path(path), make.blobs((12, 12), seed=seed))
    changing = Path(case.prediction).with_suffix(".img") if suffix == ".hdr" else Path(case.prediction)
    time.sleep(0.02)  # more than a tick of the clock by which the system tells times of change
    masks = Pair(case, make_settings())
    with pytest.raises(Changed, match=r"changed|vanished") as caught, masks:  # noqa: PT012 - all of it may raise
        if is_early:
            change(changing)
        census(masks, masks.windows(), "cpu")
        if not is_early:
            change(changing)
        masks.finish()
    assert (caught.value.side, caught.value.path) == ("prediction", case.prediction)


def array(path, values):
    """Write an array as NumPy does."""
    np.save(path, values)


@pytest.mark.parametrize("change", [truncate, modify, replace, Path.unlink], ids=lambda each: each.__name__)
@pytest.mark.parametrize(("write", "suffix"), [(array, ".npy"), (make.geotiff, ".tif"), (make.nifti, ".nii")])
def test_probabilities_that_change_while_they_are_read(write, suffix, change, tmp_path):
    """A file of probabilities is held to the same."""
    case = Case("case", str(tmp_path / f"prediction{suffix}"), str(tmp_path / "reference.png"))
    write(Path(case.prediction), np.linspace(0, 1, 144, dtype=np.float32).reshape(12, 12))
    make.png(Path(case.reference), make.blobs((12, 12), 2))
    time.sleep(0.02)
    both_sides = Pair(case, make_settings(soft=True))
    with pytest.raises(Changed, match=r"changed|vanished") as caught, both_sides:  # noqa: PT012 - as above
        change(Path(case.prediction))
        for _ in both_sides.blocks(both_sides.windows()):
            pass
        both_sides.finish()
    assert (caught.value.side, caught.value.path) == ("prediction", case.prediction)


@pytest.mark.parametrize("change", [truncate, replace, Path.unlink], ids=lambda each: each.__name__)
def test_a_file_that_changes_is_a_row(change, tmp_path):
    """The case stands in the report as failed, with the side and the file; the others are scored."""
    for number, name in enumerate(NAMES[:3]):
        pair(tmp_path, name, number, 16, make.nifti, ".nii")
    victim = tmp_path / "references" / "case001.nii"
    time.sleep(0.02)

    def interfere(kind, path):
        if path == str(victim) and kind == "read" and not done:
            done.append(path)
            change(victim)

    done = []
    with faulty_io.Faults(tmp_path, before=interfere):
        assert call(*both(tmp_path), *all_outputs(tmp_path)).exit_code == 3
    assert_nothing_is_lost(tmp_path, NAMES[:3])
    assert errors(tmp_path) == {"case001": "Changed"}
    (row,) = [case for case in record(tmp_path / "scores.json")["cases"] if case["status"] == "failed"]
    assert row["message"].startswith(f"reference {victim}: the file has ")


def test_a_volume_that_shrinks_is_no_crash(tmp_path):
    """Where a plain volume is read against its order it is held, or looked at again: never a dead process."""
    path = make.nifti(tmp_path / "a.nii", make.blobs((8, 9, 10)))
    for most in (_voxels._MOST_HELD, 0):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(_voxels, "_MOST_HELD", most)
            content = path.read_bytes()
            window = (slice(0, 1), slice(0, 9), slice(0, 10))
            with open_mask(path) as source:
                first = source.read(window)
                os.truncate(path, 400)
                if most:
                    assert np.array_equal(first, source.read(window))
                else:
                    with pytest.raises(Truncated, match="become shorter"):
                        source.read(window)
            path.write_bytes(content)


def test_a_mask_that_changes_while_it_is_inspected(tmp_path):
    """`inspect` shows no numbers of such a file."""
    path = make.nifti(tmp_path / "a.nii", make.blobs((8, 8)))
    time.sleep(0.02)
    with faulty_io.Faults(tmp_path, before=lambda kind, _: kind == "read" and replace(path)):
        found = inspect(str(path))
    assert (found.error.name, found.values) == ("Changed", None)


# --- A case that takes longer than --timeout: row Timeout, worker replaced, the next case fine ---------------


@pytest.mark.parametrize("jobs", [1, 2])
def test_a_case_that_takes_longer_than_the_timeout(jobs, tmp_path):
    """Row `Timeout`, worker replaced, the next case fine; going on counts that one alone."""
    words = [*both(sound(tmp_path, 6)), *all_outputs(tmp_path), "-q", "-j", jobs]
    hook = tmp_path / "hook"
    hook.mkdir()
    since = time.monotonic()  # it would hang for an hour
    done = run(*words, "--timeout", 2.5, env=faulty_io.environment(hook, tmp_path, hang="references/case002"))
    assert time.monotonic() - since < PATIENCE_S
    assert done.returncode == 3, done.stderr
    assert "Traceback" not in done.stderr
    assert_nothing_is_lost(tmp_path, NAMES)
    assert errors(tmp_path) == {"case002": "Timeout"}
    (row,) = [case for case in record(tmp_path / "scores.json")["cases"] if case["status"] == "failed"]
    for part in ("predictions/case002.png", "references/case002.png", "longer than 2.5 s"):
        assert part in row["message"]
    assert "--timeout" in row["hint"]
    assert call(*words, "--resume", jobs=0).exit_code == 0
    resumed = contents(tmp_path)
    assert call(*both(tmp_path), *all_outputs(tmp_path)).exit_code == 0
    assert resumed == contents(tmp_path)


def test_a_pair_that_takes_longer_than_the_timeout(tmp_path):
    """`dicecli score --timeout` says so, ends with 3, and the record has the row."""
    folders = [folder / "case000.png" for folder in both(sound(tmp_path, 1))]
    hook = tmp_path / "hook"
    hook.mkdir()
    code = "import sys; from dicecli.cli import main; sys.argv[0] = 'dicecli'; main()"
    done = python(
        code,
        *("score", *folders, "--timeout", "1", "-f", "json"),
        env=faulty_io.environment(hook, tmp_path, hang="predictions/case000"),
    )
    assert done.returncode == 3
    assert "longer than 1 s" in done.stderr
    assert "Traceback" not in done.stderr
    assert loaded(done.stdout)["cases"][0]["error"] == "Timeout"


def test_a_timeout_that_nothing_reaches_changes_no_byte(tmp_path):
    """With time enough, `batch` and `score` give what they give without a limit."""
    sound(tmp_path, 3)
    words = [*both(tmp_path), "-f", "json"]
    assert call(*words).stdout == call(*words, "--timeout", "600").stdout
    prediction, reference = (folder / "case000.png" for folder in both(tmp_path))
    usual, limited = (dicecli.score(prediction, reference, timeout=each) for each in (None, 600))
    assert usual.to_dict() == limited.to_dict()
    assert dicecli.batch(*both(tmp_path), timeout=600).to_dict() == dicecli.batch(*both(tmp_path)).to_dict()


def test_what_is_wrong_with_a_pair_is_said_under_a_timeout_too(tmp_path):
    """An error of the masks comes out of the process that has a limit as it is."""
    sound(tmp_path, 1)
    prediction, reference = (folder / "case000.png" for folder in both(tmp_path))
    prediction.write_bytes(b"")
    with pytest.raises(dicecli.DicecliError, match="0 bytes") as caught:
        dicecli.score(prediction, reference, timeout=60)
    assert (caught.value.name, caught.value.side) == ("EmptyFile", "prediction")


def test_a_pair_that_takes_too_long_is_an_error_in_python(tmp_path, monkeypatch):
    """`dicecli.score(timeout=...)` raises `Timeout`, and no process is left."""
    sound(tmp_path, 1)
    for name, value in faulty_io.environment(tmp_path, tmp_path, hang="references/case000").items():
        monkeypatch.setenv(name, value)
    with pytest.raises(Timeout, match="longer than 1 s"):
        dicecli.score(*(folder / "case000.png" for folder in both(tmp_path)), timeout=1)
    assert workers.children() == []


def test_a_timeout_in_a_file_of_options(tmp_path, monkeypatch):
    """`timeout` in dicecli.toml holds as the option does: a wrong one is refused."""
    monkeypatch.chdir(sound(tmp_path, 1))
    for text, code in (
        ("timeout = 60", 0),
        ("timeout = 0.5e3", 0),
        ("timeout = -1", 2),
        ("timeout = 'x'", 2),
    ):
        Path("dicecli.toml").write_text(text, encoding="utf-8")
        assert call("predictions", "references").exit_code == code, text


@pytest.mark.parametrize("value", ["0", "-1", "nan", "inf", "soon"])
def test_a_timeout_that_is_none(value, tmp_path):
    """What is no number of seconds is exit code 2."""
    assert call(*both(sound(tmp_path, 1)), "--timeout", value).exit_code == 2


@pytest.mark.parametrize("executor", ["serial", "dask"])
def test_an_executor_that_cannot_stop_a_case(executor, tmp_path):
    """A timeout with it is refused, before a mask is read: one that nobody holds would be worse than none."""
    done = call(*both(sound(tmp_path, 1)), "--executor", executor, "--timeout", "5")
    assert done.exit_code == 2
    assert f"the executor {executor} cannot stop a case" in done.stderr
    with pytest.raises(UsageError, match="cannot stop"):
        dicecli.batch(*both(tmp_path), executor=executor, timeout=5)


def test_arrays_have_no_timeout():
    """Pixels in memory are counted here, where nothing can be stopped: that is said."""
    with pytest.raises(UsageError, match="a timeout is for files"):
        dicecli.score(make.blobs((4, 4)), make.blobs((4, 4)), timeout=5)


# --- Standard output closed early (| head -1): no traceback, report files complete ---------------------------


def shell(line, folder, **options):
    """Run a line of the shell in a folder, in which `dicecli` is this one; return its code, output and errors."""
    text = f'dicecli() {{ {shlex.quote(sys.executable)} -m dicecli "$@"; }}; {line}'
    done = subprocess.run(
        ["sh", "-c", text],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
        **options,
    )
    return done.returncode, done.stdout, done.stderr


BATCH = "dicecli batch predictions references -j 1 -f csv -o scores.json"


@posix_only
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (f"{BATCH} | head -1", 0),
        (f"{BATCH} 2>&1 | head -1", 0),
        (f"{BATCH} >&-", 0),
        (f"{BATCH} 2>&-", 0),
        (f"{BATCH} -j 2 <&- >&- 2>&-", 0),
        pytest.param(f"{BATCH} 2>/dev/full", 0, marks=needs_full_device),
        pytest.param(f"{BATCH} >/dev/full", 2, marks=needs_full_device),
        pytest.param("dicecli --help >/dev/full", 2, marks=needs_full_device),
        pytest.param("dicecli inspect references/case000.png >/dev/full", 2, marks=needs_full_device),
        ("dicecli --help | head -1", 0),
        ("dicecli score predictions/case000.png references/case000.png -o scores.json | head -1", 0),
        ("dicecli score predictions/case000.png references/case000.png -o scores.json >&-", 0),
    ],
)
def test_streams_that_are_closed_or_full(line, code, tmp_path):
    """No traceback, report files complete; a report that a full disk took in part is exit code 2."""
    sound(tmp_path, 3)
    found, _, err = shell(line, tmp_path)
    assert found == code, err
    assert "Traceback" not in err
    assert "Exception" not in err
    if code == 2:
        assert err.startswith("Error: standard output cannot be written: No space left on device\nHint: ")
        assert shell(line.replace("/dev/full", "printed.txt"), tmp_path)[0] == 0
        assert (tmp_path / "printed.txt").read_bytes()
    if "scores.json" in line:
        cases = record(tmp_path / "scores.json")["cases"]
        assert {"scored"} == {case["status"] for case in cases}
        assert len(cases) == (3 if "batch" in line else 1)


@posix_only
def test_a_standard_output_that_does_not_block(tmp_path):
    """A pipe that takes nothing for now, as some programs set it, is waited for: no byte is lost."""
    sound(tmp_path, 60)
    ours, theirs = os.pipe()
    os.set_blocking(theirs, False)
    fcntl = pytest.importorskip("fcntl")
    if hasattr(fcntl, "F_SETPIPE_SZ"):
        fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    process = start(*both(tmp_path), "-j", 1, "-f", "json", "-o", tmp_path / "scores.json", stdout=theirs)
    os.close(theirs)
    with os.fdopen(ours, encoding="utf-8") as file:
        time.sleep(0.5)
        text = file.read()
    with process.stderr as said:
        assert (process.wait(PATIENCE_S), said.read()) == (0, "")
    assert text == (tmp_path / "scores.json").read_text(encoding="utf-8")


# --- No HOME, no TTY, LANG=C, COLUMNS=20, ulimit -n 64: works ------------------------------------------------


@posix_only
def test_a_bare_environment(tmp_path):
    """`score` gives in it what it gives elsewhere; `batch` has its own test."""
    sound(tmp_path, 1)
    bare = {"PATH": os.environ["PATH"], "LANG": "C", "COLUMNS": "20"}
    line = "dicecli score predictions/case000.png references/case000.png"
    usual = shell(line, tmp_path, env=os.environ | {"COLUMNS": "20"})
    assert usual == shell(f"ulimit -n 64; exec <&-; {line} --timeout 60", tmp_path, env=bare)
    assert usual[0] == 0


# --- SIGINT and SIGTERM of a single pair ---------------------------------------------------------------------


@posix_only
@needs_proc
@pytest.mark.parametrize("options", [[], ["--timeout", "600"]], ids=["here", "in a process of its own"])
@pytest.mark.parametrize(("number", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
def test_a_pair_that_is_interrupted(number, code, options, tmp_path):
    """130 and 143, no traceback, no child left, and an earlier output untouched."""
    prediction, reference = (folder / "case000.png" for folder in both(sound(tmp_path, 1)))
    output, hook = tmp_path / "scores.csv", tmp_path / "hook"
    hook.mkdir()
    output.write_text("of an earlier run", encoding="utf-8")
    log = hook / "log"
    process = subprocess.Popen(
        [sys.executable, "-m", "dicecli", "score", prediction, reference, "-o", output, *options],
        env=faulty_io.environment(hook, tmp_path, hang="predictions/case000", log=log),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE_S
    while not (log.exists() and "predictions/case000" in log.read_text(encoding="utf-8")):
        assert time.monotonic() < end
        time.sleep(0.02)
    os.killpg(process.pid, getattr(signal, number))
    out, err = process.communicate(timeout=PATIENCE_S)
    assert (process.returncode, out) == (code, "")
    assert "Traceback" not in err
    assert_no_process_is_left(process)
    assert output.read_text(encoding="utf-8") == "of an earlier run"
    assert not list(tmp_path.glob(".*"))


# --- A clock that jumps --------------------------------------------------------------------------------------


def test_no_module_asks_for_the_time_of_day():
    """Nothing goes by a clock that can be set: limits, rates and flushing go by one that only runs forward.

    The day that reports bear is the one thing that is of the calendar.
    """
    package = Path(dicecli.__file__).parent
    texts = {path.name: path.read_text(encoding="utf-8") for path in package.rglob("*.py")}
    assert len(texts) > 80
    assert [name for name, text in texts.items() if re.search(r"\btime\.time\(|\bdatetime\b", text)] == [
        "provenance.py"
    ]


# --- The end of the terminal (SIGHUP), as SIGTERM: a partial report that says so ------------------------------


@posix_only
@needs_proc
@pytest.mark.parametrize("is_ignored", [False, True], ids=["hang-up", "nohup"])
def test_the_end_of_the_terminal(is_ignored, tmp_path):
    """A terminal that is closed ends the run with a partial report, and 129; under nohup nothing ends."""
    sound(tmp_path, MANY)
    words = [*both(tmp_path), *all_outputs(tmp_path), "-j", 2]
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN if is_ignored else signal.SIG_DFL)
    try:
        process = start_and_hold(words, tmp_path)
    finally:
        signal.signal(signal.SIGHUP, before)
    os.killpg(process.pid, signal.SIGHUP)
    process.send_signal(signal.SIGCONT)
    _, err = process.communicate(timeout=PATIENCE_S)
    assert "Traceback" not in err
    assert_no_process_is_left(process)
    assert process.returncode == (0 if is_ignored else 129)
    summary = record(tmp_path / "scores.json")["summary"]
    assert bool(summary["pending"]) == bool(summary.get("partial")) == (not is_ignored)
    assert summary["failed"] == 0


@posix_only
@needs_proc
def test_a_terminal_that_goes_away(tmp_path):
    """Where the terminal itself has gone, with all three streams, the report is whole all the same, and 129."""
    import fcntl
    import pty
    import termios

    words = [*both(sound(tmp_path, MANY, 128)), *all_outputs(tmp_path), "-j", 2]
    ours, theirs = pty.openpty()
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), theirs)
    process = start(*words, **streams, preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0))
    os.close(theirs)
    wait_for(5, process, tmp_path)
    process.send_signal(signal.SIGSTOP)
    os.close(ours)
    process.send_signal(signal.SIGCONT)
    assert process.wait(PATIENCE_S) == 129
    assert_no_process_is_left(process)
    summary = record(tmp_path / "scores.json")["summary"]
    assert summary["partial"]
    assert summary["failed"] == 0


# --- Outputs: old or new, and whole --------------------------------------------------------------------------


def test_an_output_that_is_a_link(tmp_path):
    """Its target is written; the link stays one."""
    sound(tmp_path, 2)
    (tmp_path / "below").mkdir()
    target = tmp_path / "below" / "real.csv"
    for is_there in (False, True):
        if is_there:
            target.write_text("of an earlier run", encoding="utf-8")
        link = tmp_path / f"scores{is_there}.csv"
        link.symlink_to(target)
        assert call(*both(tmp_path), "-o", link).exit_code == 0
        assert link.is_symlink()
        assert target.read_text(encoding="utf-8").startswith("case,status,")
        target.unlink()


@posix_only
def test_an_output_that_is_no_file(tmp_path):
    """A pipe is not replaced by a file, and not waited for: 2 before any computing."""
    os.mkfifo(tmp_path / "scores.csv")
    done = call(*both(sound(tmp_path, 1)), "-o", tmp_path / "scores.csv")
    assert done.exit_code == 2
    assert "this is a pipe" in done.stderr


@pytest.mark.parametrize("error", ["EROFS", "EACCES", "ENOSPC"])
def test_a_folder_that_refuses_a_new_file(error, tmp_path):
    """2 before any computing: no mask has been opened, and no journal is left."""
    sound(tmp_path, 1)
    out = tmp_path / "out"
    out.mkdir()

    def refuse(kind, path):
        if kind == "open" and path.startswith(str(out)):
            raise OSError(getattr(errno, error), os.strerror(getattr(errno, error)), path)

    with faulty_io.Faults(tmp_path, before=refuse) as faults:
        done = call(*both(tmp_path), "-o", out / "scores.csv")
    assert done.exit_code == 2
    assert f"cannot write into {out}: {os.strerror(getattr(errno, error))}" in done.stderr
    assert [path for _, path in faults.calls if path.endswith(".png")] == []
    assert list(out.iterdir()) == []


def test_a_folder_of_outputs_that_vanishes(tmp_path):
    """The report is printed all the same, the other files are written, and the error names what is not."""
    sound(tmp_path, 3)
    out, kept = tmp_path / "out", tmp_path / "kept.json"
    out.mkdir()

    def vanish(_, path):
        if path.endswith("references/case001.png") and out.exists():
            shutil.rmtree(out)

    with faulty_io.Faults(tmp_path, before=vanish):
        done = call(*both(tmp_path), "-o", out / "scores.csv", "-o", kept, "-f", "json")
    assert done.exit_code == 2
    assert f"Error: {out / 'scores.csv'}: cannot be written: No such file or directory" in done.stderr
    assert json.loads(done.stdout) == record(kept)
    assert record(kept)["summary"]["scored"] == 3


@posix_only
def test_a_disk_that_does_not_confirm_a_name(tmp_path):
    """Where flushing the folder fails that is an error, though the new file is there, whole; not, where the
    file system has no such thing.
    """
    sound(tmp_path, 1)

    def refuse(kind, path, error):
        if kind == "fsync" and Path(path).is_dir():
            raise OSError(error, os.strerror(error))

    for error, code in ((errno.EIO, 2), (errno.EINVAL, 0)):
        with faulty_io.Faults(tmp_path, before=partial(refuse, error=error)):
            done = call(*both(tmp_path), "-o", tmp_path / "scores.csv")
        assert done.exit_code == code
        assert ("does not confirm" in done.stderr) == bool(code)
        assert (tmp_path / "scores.csv").read_text(encoding="utf-8").startswith("case,status,")


# --- The memory of the parent --------------------------------------------------------------------------------


def test_results_share_what_is_equal(tmp_path):
    """What a worker sends anew with each result is kept once, and every result stays what it was. A long run
    is ``tests/endurance/soak.py``.
    """
    sound(tmp_path, 3, 64)
    pairing = find_pairs(*(str(folder) for folder in both(tmp_path)))
    plain = [result_of(case, make_settings()) for case in pairing.cases]
    kept = batching.run(pairing, make_settings(), jobs=2).results
    assert plain == list(kept)
    for name in ("shape", "sizes", "excluded", "notes"):
        assert len({id(getattr(each, name)) for each in kept}) == 1, name
    measured = [each.measured["matrix"] for each in kept]
    assert len({id(row) for rows in measured for row in rows}) == 1
    packed = [each.measured._values[0]._columns for each in kept]
    for at, side in enumerate(("reference", "prediction")):
        assert len({id(columns[at]) for columns in packed}) == 1, side
    assert [id(case) for case in pairing.cases] == [id(each.case) for each in kept]


@posix_only
@needs_proc
def test_a_soak_in_small():
    """Hundreds of pairs, one in a hundred bad: every case is accounted for. A long run is the same script's."""
    script = places.TESTS / "endurance" / "soak.py"
    done = subprocess.run(
        [sys.executable, script, "--cases", "300", "--seed", "1"],
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
    )
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert "expected: 297 scored, 3 failed" in done.stdout
    assert "found otherwise: 0" in done.stdout


# --- The rows, and where each of them is tested --------------------------------------------------------------

ROWS = {
    "a case that takes longer than --timeout": [
        "test_process_and_disk.test_a_case_that_takes_longer_than_the_timeout",
        "test_process_and_disk.test_a_pair_that_takes_longer_than_the_timeout",
        "test_contract.test_an_item_that_takes_too_long_is_stopped",
    ],
    "SIGKILL of one worker of a 200-case run": [
        "test_killed.test_a_worker_that_dies_costs_its_own_case",
        "test_contract.test_a_killed_worker_costs_the_item_it_was_working_on",
        "test_contract.test_workers_killed_from_outside_cost_one_item_each_at_most",
        "test_process_and_disk.test_a_case_that_kills_its_worker_each_time",
    ],
    "every worker dies at start": [
        "test_killed.test_workers_that_cannot_start",
        "test_contract.test_workers_that_cannot_start_end_the_run",
        "test_contract.test_workers_that_never_get_ready_end_the_run",
    ],
    "SIGINT once, twice; SIGTERM": [
        "test_killed.test_an_interrupted_run_reports_what_is_done",
        "test_killed.test_an_impatient_interrupt",
        "test_contract.test_an_interrupted_parent_leaves_no_worker",
        "test_process_and_disk.test_the_end_of_the_terminal",
    ],
    "kill -9 of the parent at any moment, then --resume": [
        "test_killed.test_killed_at_any_moment",
        "test_process_and_disk.test_killed_at_any_moment_and_counted",
        "test_contract.test_workers_end_with_a_parent_that_is_killed",
        "test_journal.test_a_journal_torn_anywhere_keeps_every_whole_line",
    ],
    "disk full, EIO, read-only folder while writing": [
        "test_resume.test_a_full_disk",
        "test_resume.test_a_full_disk_when_every_case_has_its_numbers",
        "test_process_and_disk.test_a_disk_that_refuses_an_output",
        "test_process_and_disk.test_any_call_of_the_file_system_may_fail",
        "test_journal.test_a_full_disk_is_an_error_and_costs_no_other_line",
        "test_journal.test_a_disk_that_fails_on_closing_is_an_error",
    ],
    "an output path that cannot be written": [
        "test_usage.test_what_cannot_be_written_or_read_is_said_before_any_mask_is_read",
        "test_usage.test_a_folder_that_forbids_writing",
        "test_process_and_disk.test_a_folder_that_refuses_a_new_file",
        "test_process_and_disk.test_an_output_that_is_no_file",
    ],
    "an output is a file that is read, or another output": [
        "test_outputs.test_2_before_anything_is_read",
        "test_links_and_journals.test_symbolic_links_in_strange_folders_are_not_followed",
    ],
    "two runs with one output": ["test_links_and_journals.test_two_runs_into_one_file_through_two_names"],
    "--resume is forgotten": [
        "test_links_and_journals.test_kept_beside_as_old_said_before",
        "test_links_and_journals.test_no_row_is_lost_however_often_it_is_forgotten",
    ],
    "standard output closed early (| head -1)": [
        "test_progress.test_standard_output_that_nobody_reads",
        "test_process_and_disk.test_streams_that_are_closed_or_full",
    ],
    "a file that changes, or vanishes, while it is read": [
        "test_process_and_disk.test_a_file_that_changes_while_it_is_read",
        "test_process_and_disk.test_a_file_that_changes_is_a_row",
        "test_journal.test_a_file_that_changes_while_it_is_counted_is_counted_again",
    ],
    "no HOME, no TTY, LANG=C, COLUMNS=20, ulimit -n 64": [
        "test_process_and_disk.test_a_bare_environment",
        "test_progress.test_a_bare_environment",
        "test_contract.test_few_files_may_be_open",
    ],
}


@pytest.mark.parametrize("row", ROWS)
def test_every_row_is_a_test(row):
    """What the list names is there."""
    for each in ROWS[row]:
        module, name = each.split(".")
        texts = [path.read_text(encoding="utf-8") for path in places.TESTS.rglob(f"{module}.py")]
        assert any(f"\ndef {name}(" in text for text in texts), each
