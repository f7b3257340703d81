"""What every executor promises; a new one is held to it by being in the folder. And worker processes that die."""

from __future__ import annotations

import itertools
import multiprocessing
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import workers

from dicecli.errors import WorkersFailed
from dicecli.executors import processes
from dicecli.plugins import load, names

posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(params=names("executors"))
def run(request):
    """Load each executor of the folder."""
    if request.param == "dask":
        pytest.importorskip("distributed", reason="dask is not installed")
    return load("executors", request.param).run


@pytest.fixture(autouse=True)
def _no_child_is_left():
    """No test leaves a process behind."""
    yield
    assert [] == multiprocessing.active_children()


def until(condition, seconds=10.0):
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def is_running(pid):
    """Whether a process exists and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def start(code, **options):
    """Run Python code in a process of its own, from which the tests' functions can be imported."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parent)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        **options,
    )


# Every executor


@pytest.mark.parametrize(("count", "jobs"), [(0, 2), (1, 1), (1, 3), (7, 2), (100, 1), (100, 3)])
def test_every_item_has_one_result_at_its_position(run, count, jobs):
    """However many items and jobs there are, each position is there once, with its own item's result."""
    found = list(run(workers.square, range(count), jobs, workers.lost))
    assert [(position, position**2) for position in range(count)] == sorted(found)


@pytest.mark.parametrize("jobs", [1, 3])
def test_items_are_taken_only_a_little_ahead(run, jobs):
    """Items come from an endless generator; at most two per job are taken beyond the results given."""
    taken = itertools.count()
    results = run(workers.square, iter(lambda: next(taken), None), jobs, workers.lost)
    ahead = []
    for given, _ in enumerate(itertools.islice(results, 60), start=1):
        ahead.append(next(taken) - given)
        taken = itertools.count(given + ahead[-1])
    results.close()
    assert max(ahead) <= 2 * jobs


@pytest.mark.parametrize("jobs", [1, 2])
def test_what_the_function_raises_is_raised(run, jobs):
    """An exception comes out as it is; every result before it has been given, none is given twice."""
    found = []
    with pytest.raises(ValueError, match="item 5"):
        found.extend(run(workers.fail_at_five, range(40), jobs, workers.lost))
    assert found == []  # extend keeps nothing of an iterator that raises
    with pytest.raises(ValueError, match="item 5"):
        for each in run(workers.fail_at_five, range(40), jobs, workers.lost):
            found.append(each)  # noqa: PERF402
