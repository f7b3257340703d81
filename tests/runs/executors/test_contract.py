"""What every executor promises; a new one is held to it by being in the folder. And worker processes that die."""

from __future__ import annotations

import itertools
import multiprocessing.connection
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import places
import pytest
import workers

from dicecli.errors import WorkersFailed
from dicecli.plugins import load, own
from dicecli.runs.executors import _fresh, _worker, processes
from dicecli.runs.executors.processes import _crew, _patience, _process

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked, and listed, on Linux")
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


@pytest.fixture(params=own("executors"))
def run(request):
    """Load each executor of the folder."""
    if request.param == "dask":
        pytest.importorskip("distributed", reason="dask is not installed")
    return load("executors", request.param).run


@pytest.fixture(autouse=True)
def _no_child_is_left():
    """No test leaves a process behind."""
    yield
    assert workers.children() == []


def until(condition, seconds=60.0):
    """Wait for something to become true."""
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.01)
    return condition()


def is_running(pid):
    """Whether a process exists, and is no zombie."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    stat = Path(f"/proc/{pid}/stat")
    return not stat.exists() or stat.read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"


def start(code):
    """Run Python code in a session of its own, where the tests' functions can be imported."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        env={**os.environ, "PYTHONPATH": str(places.SUPPORT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


def signed_in(folder):
    """List the processes that have left their number in a folder."""
    return [int(path.name) for path in folder.iterdir()]


def until_it_fails(results):
    """Collect what comes, and the error that ends it."""
    found = []
    try:
        for each in results:
            found.append(each)  # noqa: PERF402 - what came before the error is wanted
    except Exception as error:  # noqa: BLE001 - which one is the test's concern
        return found, error
    return found, None


# Every executor


@pytest.mark.parametrize(("count", "jobs"), [(0, 2), (1, 1), (1, 3), (7, 2), (100, 1), (100, 3)])
def test_every_item_has_one_result_at_its_position(run, count, jobs):
    """However many items and jobs there are, each position is there once, with its own item's result."""
    found = list(run(workers.square, range(count), jobs, workers.lost))
    assert [(position, position**2) for position in range(count)] == sorted(found)


@pytest.mark.parametrize("jobs", [1, 3])
def test_items_are_taken_only_a_little_ahead(run, jobs):
    """Items may come from an endless generator: at most two per job are taken beyond the results given.

    Where quick items are sent in groups, it is two groups, and what is left of the one that has come back.
    """
    group = getattr(sys.modules[run.__module__], "MOST_ITEMS", 1)
    taken = []
    items = (taken.append(number) or number for number in itertools.count())
    results = run(workers.square, items, jobs, workers.lost)
    ahead = [len(taken) - given for given, _ in enumerate(itertools.islice(results, 60), start=1)]
    results.close()
    assert max(ahead) <= (2 * jobs + 1) * group - 1


def test_an_exception_of_the_function_comes_out_as_it_is(run):
    """What the function raises is raised, after every result that was there before; none is given twice."""
    found, error = until_it_fails(run(workers.fail_at_five, range(40), 1, workers.lost))
    assert (type(error).__name__, str(error)) == ("ValueError", "item 5")
    assert [(position, position) for position in range(5)] == sorted(found)[:5]
    assert len(dict(found)) == len(found)


def test_an_exception_of_the_items_comes_out_as_it_is(run):
    """What the iterator of the items raises is raised, too."""
    items = (workers.fail_at_five(number) for number in range(40))
    found, error = until_it_fails(run(workers.square, items, 2, workers.lost))
    assert str(error) == "item 5"
    assert {(position, position**2) for position in range(5)} >= set(found)


def test_an_executor_can_be_left_at_any_time(run):
    """Closing after the first result ends the run, whatever is still to do."""
    results = run(workers.square, itertools.count(), 2, workers.lost)
    position, result = next(results)
    results.close()
    assert position**2 == result
    assert list(results) == []


# Worker processes


def test_the_work_is_done_in_as_many_processes_as_asked_for():
    """Two jobs are two processes, neither of them this one; one item needs one process only."""
    found = {pid for _, pid in processes.run(workers.process_id, range(200), 2)}
    assert os.getpid() not in found
    assert len(found) in {1, 2}
    results = processes.run(workers.process_id, range(1), 8)
    next(results)
    assert sys.platform != "linux" or len(workers.children()) == 1
    results.close()


@posix_only
@pytest.mark.parametrize("seed", range(20))
def test_a_killed_worker_costs_the_item_it_was_working_on(seed):
    """Whenever workers are killed amid items, exactly these items are lost, with the reason in words."""
    numbers = np.random.default_rng(seed)
    deadly = set(numbers.permutation(30)[: numbers.integers(1, 4)].tolist())
    items = [
        (numbers.uniform(0, 0.005), "signal" if position in deadly else "return", int(signal.SIGKILL))
        for position in range(30)
    ]
    found = list(processes.run(workers.obey, items, 2, workers.lost))
    reason = "was killed by signal 9 (SIGKILL); often the system runs out of memory"
    expected = [(n, ("lost", items[n], reason) if n in deadly else 9) for n in range(30)]
    assert expected == sorted(found, key=lambda each: each[0])


def test_quick_items_travel_in_batches(monkeypatch):
    """A thousand items that take next to nothing are far fewer messages, and each has its own answer."""
    messages = []
    send = _process.Worker.send
    monkeypatch.setattr(
        _process.Worker, "send", lambda worker, data: messages.append(len(data)) or send(worker, data)
    )
    found = list(processes.run(workers.square, range(1000), 2, workers.lost))
    assert [(n, n * n) for n in range(1000)] == sorted(found)
    assert len(messages) < 200


def test_what_waits_behind_a_slow_item_is_done_elsewhere():
    """Quick items may have been sent with one that is slow: they are called back, and done before it is."""
    items = [(1.5 if position == 60 else 0, "return", position) for position in range(120)]
    found = [position for position, _ in processes.run(workers.obey, items, 2, workers.lost)]
    assert found[-1] == 60
    assert sorted(found) == list(range(120))


@posix_only
def test_items_sent_with_a_deadly_one_are_done():
    """Of a batch whose worker dies, what was answered counts, the one in work is lost, the rest is done."""
    items = [(0, "exit" if position in {100, 300} else "return", position % 256) for position in range(400)]
    found = dict(processes.run(workers.obey, items, 1, workers.lost))
    lost = {position for position, result in found.items() if result != position % 256}
    assert lost == {100, 300}
    assert len(found) == 400


def test_every_item_of_a_batch_has_its_own_time(monkeypatch):
    """A limit is for each item: one that takes some of it is not late because of those before it.

    The clock is put forward as an answer is taken, by more than the limit: the next item is on time all the same.
    """
    now, take = [0.0], _crew.Crew.take

    def taken(crew, worker, *given):
        now[0] += 100.0
        take(crew, worker, *given)

    clock = SimpleNamespace(monotonic=lambda: now[0], sleep=time.sleep)
    for module in (_crew, _patience, _process):
        monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(_crew.Crew, "take", taken)
    items = [(0.01, "return", position) for position in range(40)]
    found = list(processes.run(workers.obey, items, 1, workers.lost, timeout=90.0, late=late))
    assert list(enumerate(range(40))) == sorted(found)


@linux_only
@pytest.mark.parametrize("has_thread", [False, True])
def test_a_forked_worker_has_what_is_loaded_and_no_file_of_its_parent(has_thread, tmp_path):
    """It has modules at once; the lock of a journal ends with its parent. Beside a thread none is forked."""
    code = f"""
import sys, threading, workers
from dicecli.runs.executors import _fresh, _worker, processes
sys.modules["loaded_by_the_parent"] = sys
journal = open({str(tmp_path / "journal")!r}, "w")
ended = threading.Event()
thread = threading.Thread(target=ended.wait)
if {has_thread}:
    thread.start()
print([found for _, found in processes.run(workers.inherited, [None] * 2, 1, workers.lost, may_fork=True)])
ended.set()
"""
    out, err = start(code).communicate()
    assert err == ""
    assert out == f"{[(not has_thread, [])] * 2}\n"


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_the_start_method_of_the_host_stays(method, monkeypatch):
    """Whatever it has set, workers start in their own way; that it may still set one is tested with all of Python's."""
    monkeypatch.setattr(multiprocessing.context._default_context, "_actual_context", None)
    multiprocessing.set_start_method(method)
    assert [(0, 0), (1, 1)] == sorted(processes.run(workers.square, range(2), 1, workers.lost))
    assert multiprocessing.get_start_method() == method


@linux_only
def test_workers_killed_from_outside_cost_one_item_each_at_most():
    """Any worker may be killed at any time: each position is still there once, and few are lost."""
    numbers = np.random.default_rng(7)
    killed, found = 0, []
    for each in processes.run(workers.slow_square, range(60), 2, workers.lost):
        found.append(each)
        if len(found) in {5, 20, 35}:
            time.sleep(numbers.uniform(0, 0.03))
            children = workers.children()
            os.kill(children[numbers.integers(len(children))], signal.SIGKILL)
            killed += 1
    assert list(range(60)) == sorted(position for position, _ in found)
    wrong = [(position, result) for position, result in found if result != position**2]
    assert len(wrong) <= killed
    assert {"lost"} >= {result[0] for _, result in wrong}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        pytest.param((0, "exit", 3), "ended with exit code 3", id="exit"),
        pytest.param((0, "exit", 0), "ended with exit code 0", id="exit without a complaint"),
        pytest.param(
            (0, "signal", signal.SIGSEGV),
            "was killed by signal 11 (SIGSEGV); a crash inside a library",
            id="segmentation fault",
            marks=posix_only,
        ),
    ],
)
def test_the_reason_says_how_a_worker_died(order, reason):
    """A worker that leaves, or crashes, says so in its item's result; the items around it are done."""
    items = [(0, "return", 1), order, (0, "return", 2)]
    found = dict(processes.run(workers.obey, items, 1, workers.lost))
    assert {0: 1, 1: ("lost", order, reason), 2: 2} == found


def test_every_item_may_be_deadly():
    """A run whose every item kills its worker ends all the same, with every item lost."""
    items = [(0, "exit", 5)] * 6
    found = dict(processes.run(workers.obey, items, 2, workers.lost))
    assert dict.fromkeys(range(6), ("lost", items[0], "ended with exit code 5")) == found


def test_a_death_that_nobody_takes_ends_the_run():
    """Without a result for lost items, a worker's death is an error that says how it died."""
    with pytest.raises(WorkersFailed, match="exit code 5"):
        list(processes.run(workers.obey, [(0, "exit", 5)], 1))


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        pytest.param(workers.Deadly(6), "ended with exit code 6", id="dies"),
        pytest.param(workers.Unloadable(), "ValueError: no such library", id="raises"),
    ],
)
def test_workers_that_cannot_start_end_the_run(function, reason):
    """Workers that end before they do anything are started a few times over, then the run says why it ends."""
    since = time.monotonic()
    with pytest.raises(WorkersFailed, match=reason) as caught:
        list(processes.run(function, range(1000), 2, workers.lost))
    assert "--jobs 1" in caught.value.hint
    assert time.monotonic() - since < 60


def test_a_worker_that_works_is_enough(tmp_path):
    """Where one worker is at work and no other can start, the one does it all; when it dies, that is the end."""
    function = workers.FirstComes(tmp_path / "alone")
    found = list(processes.run(function, [(0.02, "return", n) for n in range(40)], 2, workers.lost))
    assert list(enumerate(range(40))) == sorted(found)
    items = [*[(0.02, "return", n) for n in range(40)], (0, "exit", 1), (0, "return", 41)]
    results = processes.run(workers.FirstComes(tmp_path / "mortal"), items, 2, workers.lost)
    found, error = until_it_fails(results)
    assert [*range(40), ("lost", (0, "exit", 1), "ended with exit code 1")] == [result for _, result in found]
    assert isinstance(error, WorkersFailed)


def test_an_exception_brings_the_traceback_of_the_worker():
    """Where in the worker something was raised stands in a note."""
    _, error = until_it_fails(processes.run(workers.fail_at_five, range(6), 2, workers.lost))
    assert "raise ValueError(what)" in "".join(error.__notes__)


@pytest.mark.parametrize(
    ("what", "kind", "said"),
    [
        pytest.param("result", "(AttributeError|PicklingError)", "lambda", id="result"),
        pytest.param("error", "RuntimeError", "ValueError: with a lambda in it", id="error"),
        pytest.param(
            "one-way error", "RuntimeError", "OneWayError: the cause: the reason", id="one-way error"
        ),
    ],
)
def test_what_cannot_travel_is_an_error(what, kind, said):
    """A result that cannot be pickled is an exception; an error that cannot still says what it was."""
    found, error = until_it_fails(processes.run(workers.break_the_rules, ["fine", what], 1, workers.lost))
    assert found == [(0, "fine")]
    assert re.fullmatch(kind, type(error).__name__)
    assert said in str(error)


def test_large_items_and_results_do_not_block():
    """Items and results larger than any pipe's buffer pass each other on the way."""
    items = [bytes([number]) * 2_000_000 for number in range(12)]
    found = list(processes.run(workers.echo, items, 2, workers.lost))
    assert list(enumerate(items)) == sorted(found)


@pytest.mark.parametrize("function", [workers.sign_in, workers.sign_in_and_hold_the_lock])
def test_no_worker_outlives_its_run(function, tmp_path):
    """Closing the generator ends a worker amid its item, even one in a loop that lets no other thread run."""
    results = processes.run(function, [None, tmp_path, tmp_path], 1, workers.lost)
    assert next(results) == (0, None)
    assert until(lambda: signed_in(tmp_path))
    since = time.monotonic()
    results.close()
    assert time.monotonic() - since < 100
    assert workers.children() == []


def late(item):
    """Give the result of an item that took too long."""
    return "late", item


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_item_that_takes_too_long_is_stopped(jobs):
    """It costs itself alone: its worker is replaced, and what that had been given beside it is done."""
    items = [(3600 if position in {3, 7} else 0, "return", position) for position in range(10)]
    since = time.monotonic()
    found = dict(processes.run(workers.obey, items, jobs, workers.lost, timeout=1.5, late=late))
    assert {n: ("late", items[n]) if n in {3, 7} else n for n in range(10)} == found
    assert time.monotonic() - since < 300


def test_what_late_items_raise_comes_out():
    """Where a late item has no result but an error, that ends the run, and no process is left."""
    with pytest.raises(ZeroDivisionError):
        list(
            processes.run(
                workers.obey, [(3600, "return", 1)], 1, workers.lost, timeout=0.5, late=lambda _: 1 / 0
            )
        )


def test_time_in_which_everything_was_stopped_does_not_count(monkeypatch):
    """Who is woken later than asked for was stopped, as by Ctrl-Z, and its workers with it."""
    patience = _patience.Patience(5.0)
    worker = SimpleNamespace(
        is_ready=True, is_recalled=False, tasks=[(0, "item")], since=100.0, pipe=SimpleNamespace(poll=bool)
    )
    now = [102.0]
    monkeypatch.setattr(_patience, "time", SimpleNamespace(monotonic=lambda: now[0]))

    def sleep(_, seconds, slept):
        now[0] += slept or seconds
        return []

    for slept, is_overdue in [(None, False), (3600.0, False), (None, True)]:
        monkeypatch.setattr(multiprocessing.connection, "wait", partial(sleep, slept=slept))
        patience.wait([worker], [])
        assert bool(patience.overdue([worker])) == is_overdue, (slept, now, worker.since)


@pytest.mark.parametrize(
    "said",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"Z", id="an unknown word"),
        pytest.param(b"Hello, world", id="a word of another time"),
        pytest.param(b"R" + bytes(8) + b"no pickle", id="no pickle"),
        pytest.param(b"E" + bytes(8) + pickle.dumps("no error"), id="no error"),
        pytest.param(b"R" + bytes(8) + pickle.dumps("no pair"), id="no pair"),
        pytest.param(b"R" + (99).to_bytes(8, "little") + pickle.dumps((1, 0.0)), id="another item"),
    ],
)
@posix_only
def test_a_worker_that_says_what_is_no_answer_costs_its_item(said):
    """Whatever a worker puts on its pipe, it is replaced, its item is lost, and the others are done."""
    items = [struct.pack("!i", len(said)) + said, "fine", "fine, too"]
    found = dict(processes.run(workers.babble, items, 1, workers.lost))
    assert {0: ("lost", items[0], "said what is no answer"), 1: "fine", 2: "fine, too"} == found


@posix_only
def test_a_worker_that_stops_amid_a_message_is_not_waited_for_without_end(monkeypatch):
    """One that announces a gigabyte, and then holds the pipe, costs its item after a while."""
    monkeypatch.setattr(_process, "_MESSAGE_S", 1)
    items = [struct.pack("!i", 1 << 30) + b"R", "fine"]
    found = dict(processes.run(workers.babble, items, 1, workers.lost))
    assert {0: ("lost", items[0], "stopped amid what it said"), 1: "fine"} == found


def test_workers_that_never_get_ready_end_the_run(monkeypatch):
    """Workers that hang over what they load are not waited for without end, and the reason is said."""
    monkeypatch.setattr(_patience, "START_S", 0.5)
    with pytest.raises(WorkersFailed, match=r"was not ready after 0\.5 seconds"):
        list(processes.run(workers.Hanging(), range(10), 1, workers.lost))


@posix_only
def test_a_process_that_is_over_leaves_no_file_open():
    """Who has asked how it ended, before waiting for it, keeps nothing of it."""
    process = _fresh.Fresh(_worker.work)
    process.pipe.close()
    assert until(lambda: process.exitcode is not None)
    process.join(1)
    process.join(1)
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(process.sentinel)


@posix_only
def test_workers_end_with_a_parent_that_is_killed(tmp_path):
    """A parent that is killed with SIGKILL takes its workers with it, also amid an item."""
    code = "import sys, workers; from dicecli.runs.executors.processes import run; list(run(workers.sign_in, [{0!r}] * 5, 2))"
    parent = start(code.format(str(tmp_path)))
    assert until(lambda: len(signed_in(tmp_path)) == 2)
    parent.kill()
    parent.communicate()
    assert until(lambda: not any(is_running(pid) for pid in signed_in(tmp_path)))


@posix_only
def test_an_interrupt_is_the_business_of_the_parent_alone():
    """However often the group is interrupted, starting workers included, only the parent takes notice."""
    code = """
import signal, workers
from dicecli.runs.executors.processes import run
signal.signal(signal.SIGINT, lambda *_: None)
print("ready", flush=True)
print(sorted(run(workers.slow_square, range(40), 2, workers.lost)) == [(n, n * n) for n in range(40)])
"""
    parent = start(code)
    assert parent.stdout.readline() == "ready\n"
    while parent.poll() is None:
        os.killpg(parent.pid, signal.SIGINT)
        time.sleep(0.01)
    assert parent.communicate() == ("True\n", "")


@posix_only
@pytest.mark.parametrize("seed", range(5))
def test_an_interrupted_parent_leaves_no_worker(seed):
    """An interrupt at any moment ends the run and its workers, and none of them says a word."""
    code = """
import workers
from dicecli.runs.executors.processes import run
try:
    print("ready", flush=True)
    list(run(workers.slow_square, range(10_000), 4, workers.lost))
except KeyboardInterrupt:
    print(workers.children())
"""
    parent = start(code)
    assert parent.stdout.readline() == "ready\n"
    time.sleep(np.random.default_rng(seed).uniform(0, 0.4))
    os.killpg(parent.pid, signal.SIGINT)
    assert parent.communicate(timeout=300) == ("[]\n", "")


@posix_only
@pytest.mark.parametrize("others", [0, 180])
def test_few_files_may_be_open(others):
    """Where only few more files can be opened, as many workers as that allows do the work."""
    code = f"""
import resource, workers
from dicecli.runs.executors.processes import run
resource.setrlimit(resource.RLIMIT_NOFILE, (64 + {others}, 64 + {others}))
others = [open(workers.__file__) for _ in range({others})]
results = run(workers.square, range(300), 500, workers.lost)
found = [next(results)]
one_more = open(workers.__file__)
found += results
print(sorted(found) == [(n, n * n) for n in range(300)])
"""
    assert start(code).communicate() == ("True\n", "")
