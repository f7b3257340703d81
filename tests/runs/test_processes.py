"""Worker processes where people start them: in scripts as they are written, in threads, in workers of others."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys

import pytest
from batches import both, sound

import dicecli
from dicecli.errors import UsageError

#: Without a guard, and in two threads at once.
SCRIPT = """
import json, sys
from concurrent.futures import ThreadPoolExecutor

import dicecli

print("begins")
with ThreadPoolExecutor(2) as pool:
    found = list(pool.map(lambda sides: dicecli.batch(*sides, jobs=2).to_dict(), [sys.argv[1:3]] * 2))
assert __file__ and __spec__ is None
print(json.dumps(found))
"""


def test_a_script_needs_no_guard(tmp_path):
    """It runs once, whatever workers it asks for, and from threads, too."""
    sides = both(sound(tmp_path, 2))
    path = tmp_path / "script.py"
    path.write_text(SCRIPT, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, path, *sides], capture_output=True, encoding="utf-8", check=True, timeout=300
    )
    begins, found = done.stdout.splitlines()
    assert ("begins", "") == (begins, done.stderr)
    assert [dicecli.batch(*sides).to_dict()] * 2 == json.loads(found)


def test_a_daemonic_process_scores_alone(tmp_path, monkeypatch):
    """It may start no process: a note says so, and a timeout, which nobody could keep, is an error."""
    sides = both(sound(tmp_path, 2))
    expected = dicecli.batch(*sides)
    monkeypatch.setitem(multiprocessing.current_process()._config, "daemon", True)
    for options in ({"jobs": 2}, {"executor": "processes"}):
        found = dicecli.batch(*sides, **options)
        assert expected.results == found.results
        (note,) = set(found.notes) - set(expected.notes)
        assert note.startswith("this process is daemonic")
    assert expected.notes == dicecli.batch(*sides).notes
    for function, given in (
        (dicecli.batch, sides),
        (dicecli.score, [each / "case000.png" for each in sides]),
    ):
        with pytest.raises(UsageError, match="a timeout needs a process for each case"):
            function(*given, timeout=5)
