"""Runs of ``dicecli batch`` whose processes are killed or interrupted, at any moment."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import time
from contextlib import suppress

import pytest
from batches import (
    CASES,
    MANY,
    PATIENCE_S,
    SOUND,
    SOUND_NAMES,
    all_outputs,
    assert_no_process_is_left,
    assert_nothing_is_lost,
    both,
    busiest,
    call,
    contents,
    journalled,
    needs_proc,
    posix_only,
    record,
    run,
    sound,
    start,
    start_and_hold,
    wait_for,
    workers_of,
)


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
    victim = busiest(workers_of(process))
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
        "if any(word.endswith('_begin.py') for word in sys.orig_argv):\n"
        "    os._exit(7)\n"
        "os.register_at_fork(after_in_child=lambda: os._exit(7))\n",
        encoding="utf-8",
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    done = run(*both(sound(tmp_path)), "-j", 2, env={**os.environ, "PYTHONPATH": path})
    assert done.returncode == 2
    assert "the last one ended with exit code 7" in done.stderr
    assert "Traceback" not in done.stderr
