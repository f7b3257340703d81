"""A Dask cluster on this machine, in a process of its own.

Dask starts its workers by :mod:`multiprocessing`, whose children look for modules in the current folder
first, and puts what they need into the environment of whoever asks it to. So that is not the host, but a
process that has a safe path, which its children take over, and that works in a folder of Python's own.
"""

from __future__ import annotations

import asyncio
import json
import logging
import signal
import sys
from contextlib import suppress
from multiprocessing import resource_tracker
from typing import TYPE_CHECKING

from dicecli.runs.allocator import KEPT, LARGEST
from dicecli.runs.executors._worker import PATIENCE_S

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from distributed import LocalCluster, Nanny

#: Nothing is listened to but on this machine itself.
HOST = "127.0.0.1"
#: How long an end of workers is waited for, in seconds; it takes one or two.
AN_END_S = 30.0


def serve(pipe: Connection) -> None:
    """Run a cluster until the pipe closes: the run is over, or the parent is gone.

    It is told how many workers there are to be, over how many deaths of workers a task is given up, and a
    folder to write to; it answers with the scheduler's address, or with the reason why there is none.
    """
    logging.disable()
    _leave_signals_to_the_parent()
    with suppress(EOFError, OSError):
        jobs, most_deaths, scratch = json.loads(pipe.recv_bytes())
        try:
            cluster = _started(jobs, most_deaths, scratch)
        except Exception as error:  # noqa: BLE001 - whatever it is, the parent tells it
            pipe.send_bytes(json.dumps({"error": str(error)}).encode())
            return
        try:
            pipe.send_bytes(json.dumps({"address": cluster.scheduler_address}).encode())
            pipe.recv_bytes()
        finally:
            with suppress(TimeoutError):
                cluster.sync(_end, list(cluster.workers.values()))
                cluster.close(AN_END_S)


def _leave_signals_to_the_parent() -> None:
    """Take no notice of what ends a run; its workers are to take none of an interrupt."""
    # Ignored, they would stay so in the workers, which have to end.
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), lambda *_: None)
    if sys.platform != "win32":
        resource_tracker.ensure_running()  # by its first start it would let the signals through again
        signal.pthread_sigmask(signal.SIG_BLOCK, (signal.SIGINT,))


def _started(jobs: int, most_deaths: int, scratch: str) -> LocalCluster:
    """Start a cluster, which nothing outside this machine can reach."""
    import dask
    from distributed import LocalCluster

    config = {
        # Dask has its workers hand back freed memory at once: half of the time of a small case.
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": KEPT,
        "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": LARGEST,
        "distributed.scheduler.allowed-failures": most_deaths,
        "distributed.scheduler.worker-ttl": None,
        "distributed.worker.multiprocessing-method": "spawn",
        "distributed.worker.profile.enabled": False,
    }
    dask.config.set(config)
    return LocalCluster(
        n_workers=max(jobs, 1),
        threads_per_worker=1,
        processes=True,
        host=HOST,
        dashboard_address=None,
        worker_dashboard_address=None,
        scheduler_kwargs={"dashboard_address": f"{HOST}:0"},
        memory_limit=0,
        local_directory=scratch,
        silence_logs=logging.CRITICAL + 1,
    )


async def _end(nannies: list[Nanny]) -> None:
    """End the workers, by force where they are amid a task.

    One that is just being started again cannot be ended yet, which its nanny takes for an error of its own;
    it ends with the cluster. Now and then one answers no more, whatever time it was given: it is not waited
    for, and ends with this process.
    """
    ending = [each.close(timeout=PATIENCE_S) for each in nannies]
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*ending, return_exceptions=True), AN_END_S)
