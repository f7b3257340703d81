"""Measure what a run on a Dask cluster costs each side, and hold the model of docs/scale.md to a real run.

Starts a scheduler and two workers on this machine, each a process of its own, measures the constants in
seconds of the processor, predicts a batch and a raster on those two workers, runs both, and prints constants,
tables for larger clusters, and how far off the predictions are::

    pip install -e '.[dask]'
    python benchmarks/scale.py [--quick] [--results benchmarks/results]

Run it on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import json
import operator
import os
import pickle
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
from contextlib import contextmanager
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import report
from data import make_geotiff, make_pairs, make_sparse
from processes import measured
from scale_model import BRANCHES, Constants, Prediction, batch, checked, raster, shown, tables
from sizes import FULL

from dicecli.masks.pair import Pair
from dicecli.plugins import load
from dicecli.records.cases import Case
from dicecli.records.settings import Settings
from dicecli.reports.report import Report
from dicecli.runs.allocator import KEPT, LARGEST, keep_freed_memory
from dicecli.runs.executors._worker import answer
from dicecli.runs.executors.dask import tasks as dask
from dicecli.runs.executors.dask._cluster import connected
from dicecli.runs.executors.dask._task import pack
from dicecli.runs.finding import find_pairs
from dicecli.runs.journal import Journal
from dicecli.runs.scoring import result_of
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._sharing import CensusWork, _seen, _travelling, do_share

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

WORKERS, SIDE = 2, 512
SETTINGS = Settings(metrics=("dice",))
#: What docs/scale.md recommends for the workers of a cluster.
MEMORY = {"MALLOC_TRIM_THRESHOLD_": str(KEPT), "MALLOC_MMAP_THRESHOLD_": str(LARGEST)}


class Cluster:
    """A scheduler and some workers of one thread each, as processes whose use of the processor is known."""

    def __init__(self, folder: Path) -> None:
        note = folder / "scheduler.json"
        self._processes = [
            self._start("scheduler", "--host", "127.0.0.1", "--port", "0", "--scheduler-file", str(note))
        ]
        while not (note.exists() and note.read_text(encoding="utf-8")):
            time.sleep(0.05)
        self.address: str = json.loads(note.read_text(encoding="utf-8"))["address"]
        options = ("--nworkers", str(WORKERS), "--nthreads", "1", "--local-directory", str(folder))
        self._processes.append(self._start("worker", self.address, *options))
        with connected(1, self.address, most_deaths=3) as client:
            client.wait_for_workers(WORKERS)

    def _start(self, what: str, *arguments: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            [sys.executable, "-m", f"distributed.cli.dask_{what}", *arguments, "--no-dashboard"],
            env=os.environ | MEMORY,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def seconds(self) -> tuple[float, float]:
        """Return the processor seconds of the scheduler, and of the workers, so far."""
        found = []
        for each in self._processes:
            process = psutil.Process(each.pid)
            times = [one.cpu_times() for one in (process, *process.children(recursive=True))]
            found.append(sum(one.user + one.system for one in times))
        return found[0], found[1]

    def end(self) -> None:
        """End all of it."""
        for each in reversed(self._processes):
            each.terminate()
            each.wait()


@contextmanager
def cluster() -> Iterator[Cluster]:
    """Run a cluster for as long as the context lasts."""
    with tempfile.TemporaryDirectory() as folder:
        made = Cluster(Path(folder))
        try:
            yield made
        finally:
            made.end()


def each_s(work: Callable[[], object], times: int) -> float:
    """Return the processor seconds of doing something once: the median of five rounds."""
    taken = []
    for _ in range(5):
        started = time.process_time()
        for _ in range(times):
            work()
        taken.append((time.process_time() - started) / times)
    return statistics.median(taken)


def sides(made: Cluster, work: Callable[[], object]) -> tuple[float, float, float]:
    """Do something on the cluster; return what it cost the scheduler, the workers and this process."""
    before, here = made.seconds(), time.process_time()
    work()
    time.sleep(0.2)  # what the sides still tell each other belongs to it
    after = made.seconds()
    return after[0] - before[0], after[1] - before[1], time.process_time() - here


def of_tasks(made: Cluster, number: int) -> dict[str, float]:
    """Measure tasks that do nothing: single ones that are added up, and items that are sent in groups."""
    address = made.address
    dask.fold(abs, lambda _: range(50), operator.add, scheduler=address)  # both sides load what they need
    empty = sides(made, lambda: dask.fold(abs, lambda _: range(1), operator.add, scheduler=address))
    full = sides(made, lambda: dask.fold(abs, lambda _: range(number), operator.add, scheduler=address))
    tasks = number * BRANCHES / (BRANCHES - 1)
    scheduler, worker, client = ((one - other) / tasks for one, other in zip(full, empty, strict=True))
    items = sides(made, lambda: list(dask.run(abs, range(10 * number), scheduler=address)))
    return {
        "scheduler_task_s": scheduler,
        "worker_task_s": worker,
        "client_task_s": client,
        "client_item_s": (items[2] - empty[2]) / (10 * number),
    }


def of_cases(folder: Path) -> dict[str, float]:
    """Measure cases, here: what a worker does for one, and what the command does with its result."""
    names = str(folder / "predictions"), str(folder / "references")
    cases = find_pairs(*names).cases
    pair_s = each_s(lambda: find_pairs(*names), 1) / len(cases)
    tracemalloc.start()
    results = [result_of(each, SETTINGS) for each in cases]
    kept = tracemalloc.get_traced_memory()[0] / len(cases)
    tracemalloc.stop()
    files = [Path(each) for case in cases for each in (case.prediction, case.reference)]
    some = iter(cases * 6)
    case_s = each_s(lambda: result_of(next(some), SETTINGS), len(cases))
    with tempfile.TemporaryDirectory() as name:
        journal = Journal.open(Path(name) / "journal", resume=False)
        started = time.process_time()
        for case, result in zip(cases, results, strict=True):
            journal.find(case, SETTINGS)
            journal.add(case, SETTINGS, result)
        journal_s = (time.process_time() - started) / len(cases)
        journal.close()
    summary_s = each_s(lambda: Report(results, SETTINGS, is_batch=True).summary, 1) / len(cases)
    csv_s = each_s(lambda: load("exporters", "csv").render(Report(results, SETTINGS, is_batch=True)), 1)
    return {
        "case_s": case_s,
        "pair_s": pair_s,
        "kept_bytes": round(kept),
        "case_bytes": sum(each.stat().st_size for each in files) / len(cases),
        "journal_s": journal_s,
        "csv_s": csv_s / len(cases),
        "summary_s": summary_s,
        "item_bytes": len(pickle.dumps(cases[0])),
        "result_bytes": len(answer(partial(result_of, settings=SETTINGS), pickle.dumps(cases[0]))),
    }


def of_rasters(dense: Path, sparse: Path) -> dict[str, float]:
    """Measure shares of rasters, here: opening, reading and counting, and sums of their tables."""
    found: dict[str, float] = {}
    for name, folder in (("pixel_s", dense), ("sparse_pixel_s", sparse)):
        case = Case("map", str(folder / "prediction.tif"), str(folder / "reference.tif"))
        open_s = each_s(lambda case=case: Pair(case, SETTINGS).__enter__().__exit__(None, None, None), 5)
        with Pair(case, SETTINGS) as pair:
            windows, pixels = pair.windows(), pair.grid.size
        share = _travelling(len(windows), 1)[0]
        count = partial(do_share, case, SETTINGS, CensusWork("cpu"), _seen(case, len(windows)))
        read = sum(
            (part[0].stop - part[0].start) * (part[1].stop - part[1].start)
            for part in (windows[at] for at in share)
        )
        found[name] = (each_s(lambda count=count, share=share: count(share), 1) - open_s) / read
        if folder == dense:
            (matrix,) = count(share).parts.values()
            found |= {
                "open_s": open_s,
                "pixel_bytes": sum(each.stat().st_size for each in folder.glob("*.tif")) / pixels,
                "window_pixels": pixels / len(windows),
                "add_s": each_s(
                    lambda matrix=matrix: matrix + ConfusionMatrix(matrix.labels, matrix.table), 500
                ),
                "share_bytes": len(pack(count)) + len(pickle.dumps(share)),
                "table_bytes": len(answer(count, pickle.dumps(share))),
            }
    return found


def ran(made: Cluster, *arguments: str) -> tuple[float, dict[str, float]]:
    """Run the command; return how long the whole process took, and the processor seconds of each side."""
    before = made.seconds()
    run = measured([sys.executable, "-m", "dicecli", *arguments], Path.cwd())
    if run.error:
        raise SystemExit(run.error)
    time.sleep(0.2)
    scheduler, workers = (late - early for late, early in zip(made.seconds(), before, strict=True))
    return run.seconds, {"workers": workers, "scheduler": scheduler, "command": run.cpu_seconds}


def of_the_start(made: Cluster) -> dict[str, float]:
    """Measure a run on the cluster that has a single small case."""
    with tempfile.TemporaryDirectory() as name:
        make_pairs(Path(name), 1, SIDE)
        pair = (str(Path(name) / "predictions"), str(Path(name) / "references"))
        how = ("-q", "-f", "csv", "-m", "dice", "--executor", "dask", "--scheduler", made.address)
        runs = [ran(made, "batch", *pair, *how) for _ in range(6)][1:]
    return {
        "start_s": statistics.median(seconds for seconds, _ in runs),
        "start_work_s": statistics.median(sum(work.values()) for _, work in runs),
    }


def compare(
    made: Cluster, c: Constants, folders: dict[str, Path], cases: int, pixels: int
) -> list[dict[str, Any]]:
    """Run a batch and a raster on the two workers, and put the predictions beside."""
    how = ("-q", "-m", "dice", "-f", "csv", "--executor", "dask", "--scheduler", made.address)
    batch_of = (str(folders["png"] / "predictions"), str(folders["png"] / "references"))
    raster_of = (str(folders["dense"] / "prediction.tif"), str(folders["dense"] / "reference.tif"))
    runs: dict[str, tuple[tuple[str, ...], Prediction]] = {
        f"{cases:,} PNG pairs": (
            ("batch", *batch_of, *how, "-o", str(folders["png"] / "out.csv")),
            batch(c, cases, WORKERS),
        ),
        f"a raster of {pixels / 1e6:,.0f} million pixels": (
            ("score", *raster_of, *how),
            raster(c, pixels, WORKERS),
        ),
    }
    found = []
    for name, (command, predicted) in runs.items():
        times = [ran(made, *command) for _ in range(6)][1:]
        found.append(
            {
                "run": name,
                "predicted_s": predicted.on(os.cpu_count() or 1),
                "measured_s": [seconds for seconds, _ in times],
                "predicted_work_s": predicted.work,
                "measured_work_s": [sum(work.values()) for _, work in times],
                "sides_work_s": [work for _, work in times],
            }
        )
    return found


def markdown(content: dict[str, Any], constants: Constants) -> str:
    """Write all of it."""
    lines = [f"# Scale: {content['machine']}", "", f"{content['date']}, {content['packages']}", ""]
    lines += [*shown(constants), *tables(constants), *checked(content["runs"])]
    return "\n".join(lines) + "\n"


def main() -> None:
    """Measure, predict, run, and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--quick", action="store_true", help="tiny data: does it work at all?")
    parser.add_argument("--results", type=Path, help="where to write the record; else it is only printed")
    options = parser.parse_args()
    keep_freed_memory()
    sizes = FULL._replace(raster=2048, sparse=8192) if options.quick else FULL
    cases, number = (20, 100) if options.quick else (2000, 2000)
    with tempfile.TemporaryDirectory() as name, cluster() as made:
        folders = {each: Path(name) / each for each in ("png", "dense", "sparse")}
        for each in folders.values():
            each.mkdir()
        make_pairs(folders["png"], cases, SIDE)
        make_geotiff(folders["dense"], sizes)
        make_sparse(folders["sparse"], sizes)
        constants = Constants(
            **of_the_start(made),
            **of_tasks(made, number),
            **of_cases(folders["png"]),
            **of_rasters(folders["dense"], folders["sparse"]),
        )
        content = {
            "date": datetime.now(UTC).date().isoformat(),
            "machine": report.machine(),
            "packages": ", ".join(
                f"{key} {value}" for key, value in report.surroundings()["packages"].items()
            ),
            "constants": asdict(constants),
            "runs": compare(made, constants, folders, cases, sizes.raster**2),
        }
    text = markdown(content, constants)
    print(text)
    if options.results:
        options.results.mkdir(parents=True, exist_ok=True)
        stem = f"{content['date']}_scale_{report.machine().replace(', ', '_').replace(' ', '-').lower()}"
        (options.results / f"{stem}.md").write_text(text, encoding="utf-8")
        (options.results / f"{stem}.json").write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
