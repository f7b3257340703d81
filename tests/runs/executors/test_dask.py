"""Runs on a Dask cluster: the bytes of a serial run, whatever dies; only integers travel; every end is bounded."""

from __future__ import annotations

import asyncio
import contextlib
import json
import operator
import os
import pickle
import shutil
import signal
import subprocess
import sys
import threading
import time
import tracemalloc
from functools import partial
from itertools import pairwise
from pathlib import Path

import make
import numpy as np
import places
import pytest
import workers
from record_schema import loaded
from streams import runner

from dicecli.cli.main import cli
from dicecli.errors import Changed, UsageError, WorkersFailed
from dicecli.masks.blocks import Plan, plan
from dicecli.masks.pair import Pair
from dicecli.plugins import load
from dicecli.records.cases import Case
from dicecli.records.settings import Settings
from dicecli.runs.executors._worker import answer
from dicecli.runs.executors.dask._cluster import failure
from dicecli.runs.executors.dask._task import _working_in, pack
from dicecli.statistics._sharing import CensusWork, _seen, _travelling, do_share

pytest.importorskip("distributed", reason="dask is not installed")
psutil = pytest.importorskip("psutil", reason="psutil, which distributed needs, is not installed")
dask = load("executors", "dask")

SAMPLES = places.SAMPLES
PATIENCE_S = 300
posix_only = pytest.mark.skipif(os.name != "posix", reason="signals are POSIX's")


class Cluster:
    """A scheduler and two worker processes of this machine, each a process of its own."""

    def __init__(self, folder):
        note = folder / "scheduler.json"
        self._errors = (folder / "cluster.txt").open("w", encoding="utf-8")
        self.scheduler = self._start(
            "scheduler", "--host", "127.0.0.1", "--port", "0", "--no-dashboard", "--scheduler-file", note
        )
        assert until(lambda: note.exists() and note.read_text(encoding="utf-8"))
        self.address = json.loads(note.read_text(encoding="utf-8"))["address"]
        self.worker = self._start(
            "worker",
            self.address,
            "--nworkers",
            "2",
            "--nthreads",
            "1",
            "--no-dashboard",
            "--local-directory",
            folder,
        )

    def _start(self, what, *arguments):
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *map(str, arguments)],
            env={**os.environ, "PYTHONPATH": str(places.SUPPORT)},
            stdout=self._errors,
            stderr=self._errors,
            start_new_session=True,
        )

    def end(self):
        """Kill all of it."""
        for process in (self.worker, self.scheduler):
            for each in [*descendants(process.pid), process]:
                with contextlib.suppress(psutil.NoSuchProcess):
                    each.kill()
            process.wait()
        self._errors.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Run one cluster for all tests that leave it as it is."""
    made = Cluster(tmp_path_factory.mktemp("cluster"))
    yield made
    made.end()


def until(condition, seconds=PATIENCE_S):
    """Wait for something to become true, and return it."""
    end = time.monotonic() + seconds
    while not (found := condition()) and time.monotonic() < end:
        time.sleep(0.005)
    return found


def descendants(pid):
    """List the processes that a process has started, and theirs."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return psutil.Process(pid).children(recursive=True)
    return []


def run(*arguments):
    """Run a command in this process."""
    return runner().invoke(cli, [str(each) for each in arguments])


def start(*arguments, folder):
    """Run a command in a process and a session of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "dicecli", *(str(each) for each in arguments)],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        start_new_session=True,
    )


@pytest.fixture(scope="module")
def rasters(tmp_path_factory):
    """Write a sparse pair of maps of 0.6 billion pixels, a second's work, with a few fields in it."""
    import rasterio

    folder, side = tmp_path_factory.mktemp("rasters"), 24_000
    options = {
        "driver": "GTiff", "width": side, "height": side, "count": 1, "dtype": "uint8", "tiled": True,
        "blockxsize": 512, "blockysize": 512, "compress": "deflate", "sparse_ok": True, "crs": "EPSG:32632",
        "transform": rasterio.Affine(10, 0, 5e5, 0, -10, 5e6),
    }  # fmt: skip
    for name, shift in (("reference", 0), ("prediction", 3)):
        with rasterio.open(folder / f"{name}.tif", "w", **options) as file:
            for place in range(0, side, 3000):
                field = np.roll(make.blobs((512, 512), 5, seed=place), shift, 1)
                file.write(field.astype(np.uint8), 1, window=((place, place + 512), (place, place + 512)))
    return folder


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    """Write 200 pairs of masks that take some time to read; one is broken, one without its prediction."""
    folder, random = tmp_path_factory.mktemp("folders"), np.random.default_rng(3)
    for side in ("predictions", "references"):
        (folder / side).mkdir()
        for case in range(200):
            path = folder / side / f"case{case:03}.png"
            if case < 5:
                make.png(path, random.integers(0, 5, (700, 700), dtype=np.uint8))
            else:
                shutil.copy(folder / side / f"case{case % 5:03}.png", path)
    (folder / "predictions" / "case007.png").write_bytes(b"")
    (folder / "predictions" / "case011.png").unlink()
    return folder


OUTPUTS = ("all.json", "all.csv", "all.md", "all.xml")


def outputs(folder):
    """Name the options that write every kind of report into a folder."""
    folder.mkdir(exist_ok=True)
    return [part for name in OUTPUTS for part in ("-o", folder / name)]


def contents(folder):
    """Read every report."""
    return {name: (folder / name).read_bytes() for name in OUTPUTS}


@pytest.fixture(scope="module")
def serial_batch(folders, tmp_path_factory):
    """Give what a serial run writes of the folders."""
    folder = tmp_path_factory.mktemp("serial")
    with contextlib.chdir(folders):
        result = run("batch", "predictions", "references", "-j", 1, "-q", *outputs(folder))
    assert result.exit_code == 3
    return contents(folder)


@pytest.fixture(scope="module")
def serial_score(rasters, tmp_path_factory):
    """Give what a serial run writes of the maps."""
    folder = tmp_path_factory.mktemp("serial")
    with contextlib.chdir(rasters):
        assert run("score", "prediction.tif", "reference.tif", "-j", 1, "-q", *outputs(folder)).exit_code == 0
    return contents(folder)


# --- The same bytes -----------------------------------------------------------------------------------------


def test_a_batch_on_a_cluster_has_the_bytes_of_a_serial_one(cluster, folders, serial_batch, tmp_path):
    """Every kind of report is the same, broken and missing cases and relative paths included."""
    with contextlib.chdir(folders):
        result = run(
            "batch", "predictions", "references", "--executor", "dask", "--scheduler", cluster.address, "-q",
            *outputs(tmp_path),
        )  # fmt: skip
    assert (3, "") == (result.exit_code, result.stderr)
    assert serial_batch == contents(tmp_path)


def test_a_raster_on_a_cluster_has_the_bytes_of_a_serial_run(cluster, rasters, serial_score, tmp_path):
    """The windows of one raster, counted and added up by workers, give the same reports."""
    with contextlib.chdir(rasters):
        result = run(
            "score", "prediction.tif", "reference.tif", "--executor", "dask", "--scheduler", cluster.address,
            "-q", *outputs(tmp_path),
        )  # fmt: skip
    assert (0, "") == (result.exit_code, result.stderr)
    assert serial_score == contents(tmp_path)


# --- Deaths -------------------------------------------------------------------------------------------------


def kill_worker(pid, is_amid):
    """Kill a worker process of a command with SIGKILL as soon as `is_amid` it."""

    def found():
        assert psutil.Process(pid).status() != psutil.STATUS_ZOMBIE, "it ended before a worker was killed"
        with contextlib.suppress(psutil.NoSuchProcess):
            several = [each for each in descendants(pid) if "spawn_main" in " ".join(each.cmdline())]
            return next((each for each in several if is_amid(each)), None)
        return None

    until(found).kill()


@posix_only
def test_a_worker_killed_in_a_batch_costs_nothing_but_time(folders, serial_batch, tmp_path):
    """SIGKILL of a worker while cases are scored: every case has its row, and the bytes are a serial run's."""
    command = start(
        "batch", "predictions", "references", "--executor", "dask", "-j", 2, "-q", *outputs(tmp_path),
        folder=folders,
    )  # fmt: skip
    journal = tmp_path / f"{OUTPUTS[0]}.journal"

    def done():
        return len(journal.read_bytes().splitlines()) - 1 if journal.exists() else 0

    kill_worker(command.pid, lambda _: done() >= 20)
    was_done = done()
    _, stderr = command.communicate(timeout=PATIENCE_S)
    assert (3, "") == (command.returncode, stderr)
    assert was_done < 190
    assert serial_batch == contents(tmp_path)


@posix_only
def test_a_worker_killed_in_a_raster_costs_nothing_but_time(rasters, serial_score, tmp_path):
    """SIGKILL of a worker that has the raster open: its windows are counted elsewhere, with the same bytes."""
    command = start(
        "score", "prediction.tif", "reference.tif", "--executor", "dask", "-j", 2, "-q", *outputs(tmp_path),
        folder=rasters,
    )  # fmt: skip
    kill_worker(command.pid, lambda each: any(file.path.endswith(".tif") for file in each.open_files()))
    _, stderr = command.communicate(timeout=PATIENCE_S)
    assert (0, "") == (command.returncode, stderr)
    assert serial_score == contents(tmp_path)


@posix_only
def test_a_deadly_item_is_lost_and_no_other():
    """An item that kills every worker that tries it is lost, with a reason; what was beside it is done."""
    items = [(0.01, "signal" if place == 4 else "return", int(signal.SIGKILL)) for place in range(12)]
    found = dict(dask.run(workers.obey, items, 2, workers.lost))
    assert {**dict.fromkeys(range(12), 9), 4: ("lost", items[4], "died each time that it was tried")} == found


def error_of_a_fold(address):
    """Add up what takes a minute, and return the error that ends it."""
    try:
        dask.fold(workers.slow_square, lambda _: range(6000), operator.add, scheduler=address)
    except WorkersFailed as error:
        return error


@posix_only
def test_a_scheduler_that_dies_ends_the_run_with_what_to_do(folders, serial_batch, tmp_path):
    """Where the cluster goes away amid a batch and a sum, both end soon, saying so; --resume does the rest."""
    mortal = Cluster(tmp_path)
    try:
        folded = []
        thread = threading.Thread(target=lambda: folded.append(error_of_a_fold(mortal.address)))
        thread.start()
        batch = start(
            "batch", "predictions", "references", "--executor", "dask", "--scheduler", mortal.address, "-q",
            *outputs(tmp_path / "batch"), folder=folders,
        )  # fmt: skip
        journal = tmp_path / "batch" / f"{OUTPUTS[0]}.journal"
        assert until(lambda: journal.exists() and len(journal.read_bytes().splitlines()) > 10)
        mortal.scheduler.kill()
        _, said = batch.communicate(timeout=PATIENCE_S)
        thread.join(PATIENCE_S)
        assert not thread.is_alive()
    finally:
        mortal.end()
    assert batch.returncode == 2
    assert (
        "Error: the Dask cluster has gone away\nHint: Start it again. A batch that writes a file goes on where this ended: --resume"
        in said
    )
    assert len(said.splitlines()) == 2
    assert ["the Dask cluster has gone away"] == [error.message for error in folded]
    with contextlib.chdir(folders):
        run("batch", "predictions", "references", "-q", "--resume", *outputs(tmp_path / "batch"))
    assert serial_batch == contents(tmp_path / "batch")


@posix_only
def test_a_cluster_that_has_gone_away_is_said_to_have_whatever_finds_it_out():
    """A connection, a task that was cancelled, or a client that is closed and sends nothing more."""
    from distributed import client as dask
    from distributed.comm import CommClosedError

    group = dask.CancelledFuturesGroup(errors=[], reason="scheduler-connection-lost")
    for error in (
        dask.ClosedClientError("Client is closed. Can't send update-graph message."),
        dask.CancelledError("a"),
        dask.FutureCancelledError("a", "scheduler-connection-lost"),
        dask.FuturesCancelledError([group]),
        asyncio.CancelledError(),
        CommClosedError("in <TCP>"),
    ):
        assert failure(error).message == "the Dask cluster has gone away"
    assert "Other: b" in failure(type("Other", (Exception,), {})("b")).message


def test_an_interrupt_leaves_a_partial_report_and_no_process(folders, tmp_path):
    """Ctrl-C amid a run on a local cluster: a partial report, no word of Dask, nothing left running."""
    command = start(
        "batch", "predictions", "references", "--executor", "dask", "-j", 2, "-q", *outputs(tmp_path),
        folder=folders,
    )  # fmt: skip
    journal = tmp_path / f"{OUTPUTS[0]}.journal"
    assert until(lambda: journal.exists() and len(journal.read_bytes().splitlines()) > 5)
    started = descendants(command.pid)
    os.killpg(command.pid, signal.SIGINT)
    _, stderr = command.communicate(timeout=PATIENCE_S)
    assert (130, "") == (command.returncode, stderr)
    assert loaded((tmp_path / OUTPUTS[0]).read_bytes())["summary"]["partial"]
    assert until(lambda: not any(each.is_running() for each in started))


# --- What cannot be had -------------------------------------------------------------------------------------


def test_a_scheduler_that_is_not_there_is_an_error(monkeypatch):
    """Nobody at the address: exit 2 after a while that is bounded, with the address and what to look at."""
    monkeypatch.setattr("dicecli.runs.executors.dask._cluster._CONNECT_S", 0.3)
    since = time.monotonic()
    pair = SAMPLES / "predictions", SAMPLES / "references"
    result = run("batch", *pair, "--executor", "dask", "--scheduler", "tcp://127.0.0.1:9")
    assert result.exit_code == 2
    assert "no Dask scheduler answers at tcp://127.0.0.1:9" in result.stderr
    assert "Is it running" in result.stderr
    assert time.monotonic() - since < PATIENCE_S


@pytest.mark.parametrize(
    "address", ["localhost", "tcp://", "tcp://host", "http://host:8786", "tcp://host:no", ""]
)
def test_what_is_no_address_is_an_error(address):
    """What cannot be the address of a scheduler is told at once, with what one looks like."""
    pair = SAMPLES / "predictions", SAMPLES / "references"
    result = run("batch", *pair, "--executor", "dask", "--scheduler", address)
    assert result.exit_code == 2
    assert "is no address of a Dask scheduler" in result.stderr
    assert "tcp://host:8786" in result.stderr


def test_a_scheduler_without_the_executor_is_an_error():
    """--scheduler without --executor dask would do nothing: exit 2."""
    result = run("batch", SAMPLES / "predictions", SAMPLES / "references", "--scheduler", "tcp://host:8786")
    assert result.exit_code == 2
    assert "--executor dask" in result.stderr


def test_without_dask_the_error_says_what_to_install(monkeypatch):
    """Where the extra is missing, that is the error."""
    monkeypatch.setitem(sys.modules, "distributed", None)
    result = run("batch", SAMPLES / "predictions", SAMPLES / "references", "--executor", "dask", "-j", 2)
    assert result.exit_code == 2
    assert "pip install 'dicecli[dask]'" in result.stderr
    with pytest.raises(UsageError, match="Dask is not installed"):
        dask.fold(workers.square, lambda _: [1], workers.nest, 1)


def test_workers_that_cannot_start_are_an_error(tmp_path):
    """Where every worker dies at its start, the run ends soon and says so."""
    (tmp_path / "deadly.py").write_text("import os; os._exit(3)", encoding="utf-8")
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "dicecli",
            "batch",
            "predictions",
            "references",
            "--executor",
            "dask",
            "-j",
            "2",
        ],
        cwd=SAMPLES,
        env={**os.environ, "DASK_DISTRIBUTED__WORKER__PRELOAD": json.dumps([str(tmp_path / "deadly.py")])},
        capture_output=True,
        encoding="utf-8",
        check=False,
        timeout=PATIENCE_S,
    )
    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("Error: no Dask worker can be started here")
    assert len(done.stderr.splitlines()) == 2


# --- What travels -------------------------------------------------------------------------------------------


def leaves(tree):
    """List what was nested, from left to right."""
    return [tree] if not isinstance(tree, tuple) else [leaf for part in tree for leaf in leaves(part)]


def depth(tree):
    """Return how deep something is nested."""
    return 0 if not isinstance(tree, tuple) else 1 + max(depth(part) for part in tree)


def test_sums_are_made_in_a_tree(cluster):
    """Five hundred results are added in their order, and none of them passes through more than a few sums."""
    nested = dask.fold(workers.square, lambda _: range(500), workers.nest, scheduler=cluster.address)
    assert [number**2 for number in range(500)] == leaves(nested)
    assert depth(nested) <= 3 * 7


def test_sums_are_made_by_the_workers(cluster):
    """Not only what is counted, also what is added up is added up where the workers are."""
    found = dask.fold(workers.where, lambda _: range(100), workers.both_and_where, scheduler=cluster.address)
    assert os.getpid() not in found
    assert len(found) <= 2


def test_the_first_error_of_a_fold_is_raised(cluster):
    """What the function raises comes out of the tree, for the first item that it is raised for."""
    with pytest.raises(ValueError, match="item 5"):
        dask.fold(workers.fail_at_five, lambda _: range(60), workers.nest, scheduler=cluster.address)


def seen_of(case):
    """Return what whoever sends tasks has seen of the files."""
    with Pair(case, Settings()) as pair:
        return _seen(case, len(pair.windows()))


def test_tasks_and_results_are_small(rasters):
    """A task holds paths, settings and two numbers, a result a small table: no pixel travels."""
    case = Case("map", str(rasters / "prediction.tif"), str(rasters / "reference.tif"))
    count = partial(do_share, case, Settings(), CensusWork("cpu"), seen_of(case))
    message = answer(count, pickle.dumps(range(3)))
    assert message[:1] == b"R"
    assert len(pack(count)) < 2000
    assert len(pickle.dumps(range(10**9, 10**9 + 5))) < 100
    assert len(message) < 2000


def test_a_worker_that_sees_other_files_counts_nothing(rasters, tmp_path):
    """Where a path leads to another file on a worker, that is an error and no number."""
    case = Case("map", str(rasters / "prediction.tif"), str(rasters / "reference.tif"))
    seen = seen_of(case)
    (tmp_path / "reference.tif").write_bytes((rasters / "reference.tif").read_bytes() + b"\0")
    other = Case("map", case.prediction, str(tmp_path / "reference.tif"))
    (matrix,) = do_share(case, Settings(), CensusWork("cpu"), seen, range(2)).parts.values()
    assert matrix.total == 2 * 512 * 8192
    with pytest.raises(Changed, match="other files"):
        do_share(other, Settings(), CensusWork("cpu"), seen, range(2))


def test_tasks_of_other_folders_wait(tmp_path):
    """Threads of one worker never see a folder that another task has chosen; afterwards all is as before."""
    before, folders = Path.cwd(), [tmp_path / name for name in "ab"]
    for folder in folders:
        folder.mkdir()
    seen = []

    def work(folder):
        for _ in range(30):
            with _working_in(str(folder)):
                first = Path.cwd()
                time.sleep(0.0005)
                seen.append((folder, first, Path.cwd()))

    threads = [threading.Thread(target=work, args=(folders[place % 2],)) for place in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(seen) == 120
    assert all(first == folder == last for folder, first, last in seen)
    assert before == Path.cwd()


def test_a_folder_that_a_worker_lacks_leads_nowhere(tmp_path, monkeypatch):
    """Relative paths are never looked up in another folder that happens to be the worker's own."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "mask.png").touch()
    with _working_in(str(tmp_path / "elsewhere")):
        assert not Path("mask.png").exists()
    assert Path("mask.png").exists()


# --- Size ---------------------------------------------------------------------------------------------------


def test_a_plan_of_any_length_takes_no_memory():
    """A raster of 10^6 x 10^6 pixels has a plan, shares for any number of threads, and any of its windows."""

    class Huge:
        shape, chunks, order = (10**6, 10**6), (512, 512), "C"

    tracemalloc.start()
    windows = plan(Huge())
    shares = _travelling(len(windows), 1)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert isinstance(windows, Plan)
    assert len(windows) == 1954 * 123
    assert windows[-1] == (slice(1953 * 512, 10**6), slice(122 * 8192, 10**6))
    assert most < 2_000_000
    assert 1000 < len(shares) <= 1 << 13
    assert len(_travelling(len(windows), 10_000)) == len(shares)
    assert len(_travelling(400, 2)) == 13
    assert len(_travelling(400, 10_000)) == 80
    for some in (shares, _travelling(len(windows), 10_000)):
        assert [0, len(windows)] == [some[0].start, some[-1].stop]
        assert all(left.stop == right.start for left, right in pairwise(some))


def test_any_window_of_a_plan_is_the_one_that_comes_in_its_place():
    """Windows by number, from either end, and in slices are those that the plan gives one after the other."""
    windows = Plan((7, 9, 5), (2, 4, 5), "F")
    listed = list(windows)
    assert len(listed) == len(windows) == 12
    assert listed == [windows[place] for place in range(-12, 0)]
    assert listed[2:9:3] == windows[2:9:3]
    with pytest.raises(IndexError):
        windows[12]
