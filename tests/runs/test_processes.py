"""Worker processes where people start them: in scripts as they are written, in threads, in workers of others."""

from __future__ import annotations

import json
import multiprocessing
import subprocess
import sys

from batches import both, sound

import dicecli

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


def test_batch_with_two_jobs_in_a_daemonic_process(tmp_path):
    """One that may start no children of multiprocessing, as those of a Pool, has workers and limits all the same."""
    sides = both(sound(tmp_path, 2))
    expected = dicecli.batch(*sides)
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        found = pool.apply(dicecli.batch, sides, {"jobs": 2, "timeout": 300})
        one = pool.apply(dicecli.score, [each / "case000.png" for each in sides], {"timeout": 300})
    assert expected.results == found.results
    assert expected.notes == found.notes
    assert expected.results[0].measured == one.results[0].measured
