"""What ``dicecli batch`` says on its way, and where."""

from __future__ import annotations

import os
import re
import subprocess
from contextlib import suppress
from types import SimpleNamespace

import pytest
from batches import (
    CASES,
    PATIENCE_S,
    all_outputs,
    assert_nothing_is_lost,
    both,
    call,
    command,
    contents,
    posix_only,
    run,
    sound,
    start,
)
from make import measured

from dicecli.records.cases import Case, Failed, Scored
from dicecli.runs import progress as progress_module


def test_quiet_says_nothing(faulty, tmp_path):
    """With -q nothing goes to standard error: no progress, no notes."""
    done = run(*both(faulty), "-q", "-f", "csv", "-o", tmp_path / "scores.csv", "-j", 2)
    assert (done.returncode, done.stderr) == (3, "")


def results(count, failing):
    """Return as many results as a run would give, some of them failed."""
    cases = [Case(f"c{number}", "p", "r") for number in range(count)]
    return [
        Failed(case, "Error", "", "")
        if number in failing
        else Scored(case, (), None, None, {}, 0, {}, measured({}))
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
        env={
            **{name: os.environ[name] for name in ("PATH", "SOURCE_DATE_EPOCH")},
            "LANG": "C",
            "COLUMNS": "20",
        },
        capture_output=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 3, done.stderr
    assert contents(usual) == contents(bare)
