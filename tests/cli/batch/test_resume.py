"""The journal of ``dicecli batch``: what is done is not read again, and damage costs what was damaged."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys

import make
import pytest
from batches import (
    CASES,
    FILES,
    PATIENCE_S,
    SOUND,
    SOUND_NAMES,
    all_outputs,
    both,
    call,
    contents,
    journal_of,
    journalled,
    posix_only,
    record,
    run,
    sound,
    start_and_hold,
    statuses,
)


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
    assert re.search(
        r"Note: 1 case that an earlier run has done is counted again: .* have changed", done.stderr
    )
    resumed = contents(tmp_path)
    call(*words)
    assert contents(tmp_path) == resumed


def test_a_touched_file_is_counted_again(tmp_path):
    """Another time of change is enough, since the size alone says nothing."""
    words = interrupted(tmp_path)
    path = tmp_path / "references" / "case000.png"
    os.utime(path, ns=(path.stat().st_atime_ns, path.stat().st_mtime_ns + 1_000_000_000))
    assert re.search(
        r"Note: 1 case that an earlier run has done is counted again", call(*words, "--resume").stderr
    )


@pytest.mark.parametrize(
    "options", [["--ignore-label", "3"], ["--geometry", "ignore"], ["--region", "both=1,2"]], ids=" ".join
)
def test_changed_settings_are_counted_again_and_that_is_said(options, tmp_path):
    """Counts made with other settings are not taken, and the result is that of a fresh run."""
    words = interrupted(tmp_path)
    done = call(*words, "--resume", *options)
    assert done.exit_code == 0
    assert (
        "2 cases that an earlier run has done are counted again: their files or the settings have changed"
        in done.stderr
    )
    resumed = contents(tmp_path)
    call(*words, *options)
    assert contents(tmp_path) == resumed


def test_starting_anew_puts_the_journal_aside_and_says_so(tmp_path):
    """Without --resume everything is counted, and a note says what --resume would go on with."""
    words = interrupted(tmp_path)
    done = call(*words)
    assert done.exit_code == 0
    assert "To go on with it, stop this run, and give --resume." in done.stderr
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
