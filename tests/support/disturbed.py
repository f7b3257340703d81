"""Runs that are disturbed on purpose, and what must hold of them: for the tests, and for the scripts in ``tests/endurance/``.

What a run is measured by is what the same run gives undisturbed: the same bytes, after ``--resume``.
"""

from __future__ import annotations

import csv
import errno
import io
import itertools
import json
import random
import shutil
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import batches
import faulty_io
import make

from dicecli.runs.executors.processes import MOST_ITEMS

#: The files that a run with faults writes.
WRITTEN = ("scores.csv", "scores.json", "summary.csv")


KINDS = {".png": make.png, ".nii": make.nifti, ".nii.gz": make.nifti, ".tif": make.geotiff}
_OLD = "of an earlier run\n"


def inject(folder, error=errno.EIO, suffixes=tuple(KINDS)):
    """Run over and over: let the first call of the file system fail, then the second, until none is left.

    After each the outputs must be old or new, and whole; no other file may be left; and going on must end with
    the bytes of an undisturbed run.

    Returns
    -------
    Counter
        How many runs ended with which exit code; the last one is undisturbed.

    Raises
    ------
    AssertionError
        That does not hold: it says which call failed.
    """
    words = _mixed(folder, suffixes)
    expected = _undisturbed(folder, words)
    codes = Counter()
    for fail_at in itertools.count(1):
        _age(folder)
        with faulty_io.Faults(folder, fail_at=fail_at, error=error) as faults:
            done = batches.call(*words)
        codes[done.exit_code] += 1
        what = f"call {fail_at}, {errno.errorcode[error]} on {faults.calls[-1]}"
        _check(folder, expected, done.exit_code, done.stderr, what)
        if not faults.has_failed:
            assert done.exit_code == 0
            break
        _go_on(folder, expected, words, what)
    return codes


def inject_everywhere(folder, error=errno.EIO, suffixes=tuple(KINDS), jobs=2):
    """Likewise with worker processes: the call of the same number fails in each process that comes so far."""
    words = _mixed(folder, suffixes)
    expected = _undisturbed(folder, words)
    codes = Counter()
    hook, log = folder / "hook", folder / "hook" / "log"
    hook.mkdir()
    for fail_at in itertools.count(1):
        _age(folder)
        log.unlink(missing_ok=True)
        env = faulty_io.environment(hook, folder, fail_at=fail_at, error=error, log=log)
        done = batches.run(*words, "-j", jobs, env=env)
        codes[done.returncode] += 1
        what = f"call {fail_at}, {errno.errorcode[error]}"
        _check(folder, expected, done.returncode, done.stderr, what)
        if " failed " not in log.read_text(encoding="utf-8"):
            assert done.returncode == 0
            break
        _go_on(folder, expected, words, what)
    return codes


def _mixed(folder, suffixes):
    """Write a small pair of each format, and return the words of a run over them."""
    for number, suffix in enumerate(suffixes):
        batches.pair(folder, f"case{number:03}", number, 12, KINDS[suffix], suffix)
    out = folder / "out"
    out.mkdir()
    outputs = [part for name in WRITTEN[:2] for part in ("-o", out / name)]
    return [*batches.both(folder), *outputs, "--summary", out / WRITTEN[2], "-m", "dice", "-q", "-f", "csv"]


def _undisturbed(folder, words):
    assert batches.call(*words).exit_code == 0
    return _contents(folder)


def _contents(folder):
    return {name: (folder / "out" / name).read_bytes() for name in WRITTEN}


def _age(folder):
    for name in WRITTEN:
        (folder / "out" / name).write_text(_OLD, encoding="utf-8")


def _check(folder, expected, code, said, what):
    """Hold what must be true after a run that something failed in."""
    count = len(list((folder / "references").iterdir()))
    assert code in {0, 2, 3}, (what, code, said)
    assert "Traceback" not in said, (what, said)
    assert code != 2 or "Error: " in said, what
    for name, content in _contents(folder).items():
        is_old = content == _OLD.encode()
        assert is_old or _is_whole(name, content, count), (what, name)
        assert code or content == expected[name], (what, name)
    left = {path.name for path in (folder / "out").iterdir()} - {*WRITTEN, "scores.csv.journal"}
    assert not left, (what, left)


def _go_on(folder, expected, words, what):
    """Hold that going on, undisturbed, ends with the bytes of an undisturbed run."""
    done = batches.call(*words, "--resume")
    assert done.exit_code == 0, (what, done.stderr)
    assert _contents(folder) == expected, what
    assert not (folder / "out" / "scores.csv.journal").exists(), what


def _is_whole(name, content, count):
    """Whether a report ends where it should, and has each of so many cases once."""
    text = content.decode("utf-8")
    if not text.endswith("\n"):
        return False
    if name == "scores.json":
        return (
            len(json.loads(text)["cases"])
            == count
            == len({each["case"] for each in json.loads(text)["cases"]})
        )
    rows = list(csv.reader(io.StringIO(text)))
    is_even = len({len(row) for row in rows}) == 1
    return is_even and (name != "scores.csv" or len({row[0] for row in rows[1:]}) == count)


class Killed(NamedTuple):
    """What came of runs that were killed.

    Attributes
    ----------
    moments : int
        How often a run was killed.
    runs : int
        How many runs it took to their ends, each of which had the bytes of an undisturbed one.
    journalled : int
        Cases that the killed runs had written down, and that were never counted again.
    again : Counter
        How many cases were counted again after a kill, and how often that was so.
    """

    moments: int
    runs: int
    journalled: int
    again: Counter


def kill_and_resume(folder, moments, seed, cases=200, say=lambda _: None):
    """Kill runs at random moments with SIGKILL, and go on with them.

    Every run ends with the bytes of an undisturbed one. What stands in the journal is never opened again. Of
    what a killed run had begun, at most the cases in flight are counted again: one without worker processes;
    with them, for each, what it can hold, and the one that is being written down.

    Raises
    ------
    AssertionError
        That does not hold.
    """
    chance = random.Random(seed)  # noqa: S311 - no secret
    batches.sound(folder, cases, 48)
    (folder / "predictions" / "case007.png").write_bytes(b"")
    usual = folder / "usual"
    usual.mkdir()
    assert batches.call(*batches.both(folder), *batches.all_outputs(usual)).exit_code == 3
    expected = batches.contents(usual)
    hook = folder / "hook"
    hook.mkdir()
    killed = Killed(0, 0, 0, Counter())
    while killed.moments < moments:
        out = folder / f"run{killed.runs}"
        out.mkdir()
        jobs = chance.randint(1, 3)
        for _ in range(min(chance.choice([1, 1, 2, 3]), moments - killed.moments)):
            killed = _kill_once(folder, out, hook, jobs, chance, cases, killed)
        held = {*batches.journalled(out)}
        done, begun = _run_logged(folder, out, hook, jobs)
        assert done == 3
        assert begun == {f"case{number:03}" for number in range(cases)} - held
        assert batches.contents(out) == expected
        names = batches.journalled(out)
        assert sorted(names) == sorted({f"case{number:03}" for number in range(cases)} - {"case007"})
        shutil.rmtree(out)
        killed = killed._replace(runs=killed.runs + 1)
        say(killed)
    return killed


def _kill_once(folder, out, hook, jobs, chance, cases, killed):
    before = batches.journalled(out)
    process, log = _start_logged(folder, out, hook, jobs)
    if chance.random() < 0.4:
        time.sleep(chance.uniform(0, 1.2))
    else:
        batches.wait_for(chance.randint(len(before), cases), process, out)
        time.sleep(chance.uniform(0, 0.02))
    process.kill()
    was_killed = process.wait() == -signal.SIGKILL
    batches.assert_no_process_is_left(process)
    held = batches.journalled(out)
    begun = _begun(log)
    assert held[: len(before)] == before
    assert not begun & {*before}, "what stood in the journal was counted again"
    again = begun - {*held} - {"case007"}
    assert len(again) <= (1 if jobs == 1 else MOST_ITEMS * jobs + 1), (jobs, again)
    killed.again[len(again)] += was_killed
    return killed._replace(
        moments=killed.moments + was_killed, journalled=killed.journalled + len(held) - len(before)
    )


def _start_logged(folder, out, hook, jobs):
    log = hook / "log"
    log.unlink(missing_ok=True)
    words = [*batches.both(folder), *batches.all_outputs(out), "--resume", "-q", "-j", jobs]
    env = faulty_io.environment(hook, folder / "references", log=log)
    return batches.start(*words, env=env, stderr=subprocess.DEVNULL), log


def _run_logged(folder, out, hook, jobs):
    process, log = _start_logged(folder, out, hook, jobs)
    return process.wait(batches.PATIENCE_S), _begun(log)


def _begun(log):
    """Return the cases whose references were opened, that is, which were counted, or begun."""
    with suppress(FileNotFoundError):
        return {
            Path(line.split(" ", 2)[2]).stem
            for line in log.read_text(encoding="utf-8").splitlines()
            if "/case" in line
        }
    return set()
