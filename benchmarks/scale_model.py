"""How long a run takes on a Dask cluster: a model in seconds of a processor, with measured constants.

Three kinds of processes work at the same time: the workers, the scheduler and the command itself. The slowest
of them decides, since each keeps the others waiting, and what comes before and after is added. The file
system is no part of it: it is asked for so many bytes a second, and the model says how many.
"""

from __future__ import annotations

import math
import statistics
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

#: As in dicecli/runs/executors/dask/tasks.py and dicecli/statistics/_sharing.py: seconds and items of a
#: task, sums of a task, shares of a raster per thread, windows of a share, shares that are enough.
TASK_S, MOST_ITEMS = 0.2, 32
BRANCHES, SHARES, MOST_WINDOWS, MOST_SHARES = 8, 4, 32, 1 << 13
CLUSTERS = (1, 10, 100, 1000)


@dataclass(frozen=True)
class Constants:
    """What was measured on one machine: processor seconds and bytes.

    Attributes
    ----------
    start_s, start_work_s : float
        By the clock, and of all processors: of a command with a single case on a cluster that exists.
    case_s, case_bytes : float
        Of one case on a worker, and the bytes of its two files.
    worker_task_s, scheduler_task_s, client_task_s : float
        What a task costs each side beside its work.
    pair_s, client_item_s, journal_s, csv_s, summary_s : float
        What a case costs the command: to find it, to send it and take its result, to note it, to write its
        rows as CSV, and the statistics, which CSV does without.
    item_bytes, result_bytes, kept_bytes : int
        Of one case on its way, of its result, and of what the command keeps of it.
    pixel_s, pixel_bytes : float
        Of a pixel of dense land cover, and its share of the two files.
    sparse_pixel_s : float
        Of a pixel of a raster that is all but empty.
    open_s : float
        Of both files of a share.
    add_s : float
        Of one sum of two tables.
    window_pixels : float
        Pixels of a window.
    share_bytes, table_bytes : int
        Of a task of a raster on its way, and of its result.
    """

    start_s: float
    start_work_s: float
    case_s: float
    case_bytes: float
    worker_task_s: float
    scheduler_task_s: float
    client_task_s: float
    pair_s: float
    client_item_s: float
    journal_s: float
    csv_s: float
    summary_s: float
    item_bytes: int
    result_bytes: int
    kept_bytes: int
    pixel_s: float
    pixel_bytes: float
    sparse_pixel_s: float
    open_s: float
    add_s: float
    window_pixels: float
    share_bytes: int
    table_bytes: int


@dataclass(frozen=True)
class Prediction:
    """How long a run takes, and what each side does meanwhile: seconds.

    Attributes
    ----------
    number : int
        Of workers.
    before, after : float
        What nothing else happens beside: the start, and the report.
    workers, scheduler, client : float
        How long each kind of process is busy; `workers` is the time of one of them.
    work : float
        Processor seconds of all.
    read_bytes : float
        Of the masks.
    """

    number: int
    before: float
    workers: float
    scheduler: float
    client: float
    after: float
    work: float
    read_bytes: float

    @property
    def seconds(self) -> float:
        """The whole run, each process on a processor of its own."""
        return self.before + max(self.workers, self.scheduler, self.client) + self.after

    @property
    def limit(self) -> str:
        """Which kind of process decides."""
        sides = {"workers": self.workers, "scheduler": self.scheduler, "command": self.client}
        return max(sides, key=lambda name: sides[name])

    def on(self, processors: int) -> float:
        """Return the whole run where all of the processes share so few processors."""
        during = self.workers * self.number + self.scheduler + self.client
        least = max(self.workers, self.scheduler, self.client)
        return self.before + max(least, during / processors) + self.after


def batch(c: Constants, cases: int, workers: int) -> Prediction:
    """Predict a batch that ends in CSV: cases are sent as tasks of several."""
    tasks = cases / max(1, min(MOST_ITEMS, int(TASK_S / c.case_s)))
    done = cases * c.case_s + tasks * c.worker_task_s
    client = cases * (c.client_item_s + c.journal_s)
    scheduler = tasks * c.scheduler_task_s
    before, after = c.start_s + cases * c.pair_s, cases * c.csv_s
    work = c.start_work_s + cases * c.pair_s + done + client + scheduler + after
    return Prediction(workers, before, done / workers, scheduler, client, after, work, cases * c.case_bytes)


def raster(c: Constants, pixels: float, workers: int, *, sparse: bool = False) -> Prediction:
    """Predict one raster: shares of its windows are tasks, and so are sums of their tables."""
    windows = math.ceil(pixels / c.window_pixels)
    wanted = SHARES * min(workers, math.isqrt(windows))
    shares = min(windows, max(wanted, min(MOST_SHARES, math.ceil(windows / MOST_WINDOWS))))
    sums = math.ceil(shares / (BRANCHES - 1))
    share = pixels / shares * (c.sparse_pixel_s if sparse else c.pixel_s) + c.open_s + c.worker_task_s
    added = sums * c.worker_task_s + shares * c.add_s
    done = shares * share + added
    # No worker does a part of a share: the last ones are waited for.
    longest = math.ceil(shares / workers) * share + added / workers
    scheduler, client = ((shares + sums) * each for each in (c.scheduler_task_s, c.client_task_s))
    work = c.start_work_s + done + scheduler + client
    read = 0.0 if sparse else pixels * c.pixel_bytes
    return Prediction(workers, c.start_s + client, longest, scheduler, 0.0, 0.0, work, read)


def shown(constants: Constants) -> list[str]:
    """Write the constants as a table."""
    lines = ["| constant | value |", "|---|---:|"]
    for name, value in asdict(constants).items():
        if name in {"pixel_s", "sparse_pixel_s"}:
            text = f"{value * 1e9:.2f} ns"
        elif name.endswith("_s"):
            text = (
                f"{value:.2f} s"
                if value > 0.1
                else f"{value * 1e3:.3f} ms"
                if value > 1e-4
                else f"{value * 1e6:.1f} us"
            )
        else:
            text = (
                f"{value:,.3f} B"
                if name == "pixel_bytes"
                else f"{value:,.0f}{' B' if 'bytes' in name else ''}"
            )
        lines.append(f"| `{name}` | {text} |")
    return lines


def duration(seconds: float) -> str:
    """Write seconds in the unit that suits them."""
    if seconds < 180:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 10_800 else f"{seconds / 3600:.1f} h"


def tables(c: Constants) -> list[str]:
    """Write what the model says of larger clusters."""
    lines = []
    jobs: dict[str, Callable[[int], Prediction]] = {
        "10^6 PNG pairs of 512 x 512": lambda n: batch(c, 10**6, n),
        "10^6 x 10^6 pixels of dense land cover": lambda n: raster(c, 1e12, n),
        "10^6 x 10^6 pixels, nearly all of them not stored": lambda n: raster(c, 1e12, n, sparse=True),
    }
    for name, job in jobs.items():
        lines += [
            "",
            f"**{name}**",
            "",
            "| workers | the run | workers | scheduler | command | reads | limit |",
        ]
        lines.append("|---:|---:|---:|---:|---:|---:|---|")
        for n in CLUSTERS:
            p = job(n)
            parts = (p.seconds, p.workers, p.scheduler, p.before + p.client + p.after)
            reads = f"{p.read_bytes / p.seconds / 1e6:,.0f} MB/s"
            lines.append(f"| {n:,} | {' | '.join(duration(each) for each in parts)} | {reads} | {p.limit} |")
    return lines


def checked(runs: list[dict[str, Any]]) -> list[str]:
    """Write the real runs beside what was predicted of them."""
    lines = ["", "| a real run, two workers | | predicted | measured | off by |", "|---|---|---:|---:|---:|"]
    for each in runs:
        for kind, what in (("work_s", "processor"), ("s", "clock")):
            times, predicted = each[f"measured_{kind}"], each[f"predicted_{kind}"]
            middle = statistics.median(times)
            off = 100 * (predicted / middle - 1)
            span = f"{middle:.2f} s ({min(times):.2f} to {max(times):.2f})"
            lines.append(f"| {each['run']} | {what} | {predicted:.2f} s | {span} | {off:+.0f} % |")
    return lines
