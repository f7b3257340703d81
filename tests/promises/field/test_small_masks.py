"""Small masks in many processes: small runs start no worker, and who asks for processes has them."""

from __future__ import annotations

import faulty_io
import pytest
from batches import all_outputs, both, call, posix_only, record, run, sound

from dicecli.plugins import load
from dicecli.records.cases import Case
from dicecli.runs.batch import _are_small


@pytest.fixture
def started(monkeypatch):
    """Note how many workers the batches of a test are given."""
    found = []
    plugin = load("executors", "processes")
    usual = plugin.run

    def noting(function, items, jobs, *arguments, **named):
        found.append(jobs)
        return usual(function, items, jobs, *arguments, **named)

    monkeypatch.setattr(plugin, "run", noting)
    monkeypatch.setattr("dicecli.cli.options.cores", lambda: 2)
    return found


def test_six_pairs_start_no_worker(started, tmp_path):
    """Six pairs by default are done here: "quick items travel in batches; small runs start no worker"."""
    words = [*both(sound(tmp_path, 6)), "-f", "csv"]
    alone = call(*words, jobs=0)
    assert (alone.exit_code, started) == (0, [])
    assert call(*words, "--jobs", 2, jobs=0).stdout == alone.stdout
    assert started == [2]


def test_what_is_not_small_has_workers(started, tmp_path):
    """Many cases, or large files, or a limit of time: workers as ever."""
    sound(tmp_path, 6)
    assert call(*both(tmp_path), "--timeout", 60, jobs=0).exit_code == 0
    with (tmp_path / "references" / "case003.png").open("ab") as file:
        file.truncate(1 << 19)  # what follows the end of a PNG is left out
    assert call(*both(tmp_path), jobs=0).exit_code in {0, 3}
    assert started == [2, 2]
    assert not _are_small([Case("case", tmp_path, tmp_path)] * 17)
    assert not _are_small([Case("case", str(tmp_path / "none"), None)])


@posix_only
def test_a_small_case_that_killed_its_process_has_its_own(tmp_path):
    """Going on, what is left is tried in a process of its own: "death and timeout still cost one case"."""
    words = [*both(sound(tmp_path, 4)), *all_outputs(tmp_path), "-q"]
    hook = tmp_path / "hook"
    hook.mkdir()
    env = faulty_io.environment(hook, tmp_path, kill="references/case002")
    assert run(*words, env=env).returncode < 0
    assert run(*words, "--resume", env=env).returncode == 3
    found = {each["case"]: each.get("error") for each in record(tmp_path / "scores.json")["cases"]}
    assert found == {f"case{number:03}": "WorkerDied" if number == 2 else None for number in range(4)}
    assert (tmp_path / "scores.csv.journal").exists()
