"""The way to a Dask cluster: one on this machine for as long as it is needed, or one that exists."""

from __future__ import annotations

import asyncio
import logging
import signal
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from dicecli.errors import UsageError, WorkersFailed
from dicecli.runs.allocator import KEPT, LARGEST
from dicecli.runs.executors._worker import PATIENCE_S, signals_held

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Future

    from distributed import Client, LocalCluster, Nanny

Outcome = TypeVar("Outcome")

#: How long a scheduler is waited for, in seconds.
_CONNECT_S = 8.0
#: How long an end of workers is waited for, in seconds; it takes one or two.
_AN_END_S = 30.0
#: What the handlers of these loggers print is Dask's talk with itself.
_TALKATIVE = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
#: Nothing is listened to but on this machine itself.
_HOST = "127.0.0.1"
_SCHEMES = ("tcp", "tls", "ws", "wss")
#: Blocked where threads begin that start processes: they, and the processes, take no notice of it.
_INTERRUPT = (signal.SIGINT,)


@contextmanager
def connected(jobs: int, scheduler: str | None, *, most_deaths: int) -> Iterator[Client]:
    """Give a client of the cluster at an address, or of one that lasts as long as the context.

    Parameters
    ----------
    most_deaths : int
        How many workers may die over a task before a local cluster gives it up. Others have their own number.

    Raises
    ------
    UsageError
        There is no Dask, or no scheduler at that address.
    WorkersFailed
        No worker process can be started.
    """
    try:
        import distributed
    except ImportError as error:
        raise UsageError("Dask is not installed", "Install it: pip install 'dicecli[dask]'.") from error
    with ExitStack() as stack:
        stack.enter_context(_silence())
        where = stack.enter_context(_local(jobs, most_deaths)) if scheduler is None else _checked(scheduler)
        try:
            with signals_held(_INTERRUPT):
                client = distributed.Client(where, timeout=_CONNECT_S, set_as_default=False)
                stack.callback(_held, client.close)
        except (OSError, ImportError) as error:
            raise UsageError(
                f"no Dask scheduler answers at {scheduler}: {error}",
                "Is it running, and can this machine reach it?",
            ) from error
        yield client


def begin(client: Client, work: Coroutine[object, None, Outcome]) -> Future[Outcome]:
    """Start something in the client's own thread.

    Dask's futures stay there: one that ends in the main thread would swallow an interrupt.
    """
    return asyncio.run_coroutine_threadsafe(work, client.loop.asyncio_loop)


def threads_of(client: Client) -> int:
    """Return how many threads a cluster has by now.

    Raises
    ------
    WorkersFailed
        It has gone away.
    """
    try:
        return sum(client.nthreads().values())
    except OSError as error:
        raise failure(error) from error


def is_death(error: object) -> bool:
    """Whether a task failed because its workers died, one after the other."""
    from distributed import KilledWorker

    return isinstance(error, KilledWorker)


def failure(error: BaseException) -> WorkersFailed:
    """Make the error for a cluster that does not do its work."""
    if is_death(error):
        return WorkersFailed(
            "a worker process died, and so did every other one that was tried",
            "Often it is memory: fewer --jobs, or larger workers.",
        )
    if isinstance(error, (OSError, asyncio.CancelledError)) or "Cancelled" in type(error).__name__:
        return WorkersFailed(
            "the Dask cluster has gone away",
            "Start it again. A batch that writes a file goes on where this ended: --resume.",
        )
    return WorkersFailed(
        f"the Dask workers cannot do the work: {type(error).__name__}: {error}",
        "They need dicecli of the same version as here, with what it reads the masks with.",
    )


def _checked(address: str) -> str:
    """Return an address as it is, if it is one: Dask's client does not recover from others."""
    try:
        parts = urlsplit(address)
        is_address = parts.scheme in _SCHEMES and parts.hostname and parts.port
    except ValueError:
        is_address = False
    if not is_address:
        raise UsageError(
            f"'{address}' is no address of a Dask scheduler",
            "It is like tcp://host:8786, or tls://host:8786.",
        )
    return address


@contextmanager
def _local(jobs: int, most_deaths: int) -> Iterator[LocalCluster]:
    """Run a cluster of worker processes on this machine, which nothing outside it can reach."""
    import dask
    from distributed import LocalCluster

    config = {
        # Dask has its workers hand back freed memory at once: half of the time of a small case.
        "distributed.nanny.pre-spawn-environ.MALLOC_TRIM_THRESHOLD_": KEPT,
        "distributed.nanny.pre-spawn-environ.MALLOC_MMAP_THRESHOLD_": LARGEST,
        "distributed.scheduler.allowed-failures": most_deaths,
        "distributed.scheduler.worker-ttl": None,
        "distributed.worker.profile.enabled": False,
    }
    cluster = None
    with TemporaryDirectory(prefix="dicecli-", ignore_cleanup_errors=True) as scratch:
        try:
            with signals_held(_INTERRUPT), dask.config.set(config), _told():
                cluster = LocalCluster(
                    n_workers=max(jobs, 1),
                    threads_per_worker=1,
                    processes=True,
                    host=_HOST,
                    dashboard_address=None,
                    worker_dashboard_address=None,
                    scheduler_kwargs={"dashboard_address": f"{_HOST}:0"},
                    memory_limit=0,
                    local_directory=scratch,
                    silence_logs=logging.CRITICAL + 1,
                )
            yield cluster
        finally:
            if cluster is not None:
                with suppress(TimeoutError):
                    _held(cluster.sync, _end, list(cluster.workers.values()))
                    _held(cluster.close, _AN_END_S)


@contextmanager
def _told() -> Iterator[None]:
    """Say what it means where Dask cannot start a worker."""
    try:
        yield
    except Exception as error:
        raise WorkersFailed(
            f"no Dask worker can be started here: {error}",
            "Leave out --executor dask, or name a cluster that exists: --scheduler tcp://host:8786.",
        ) from error


def _held(action: Callable[..., object], *arguments: object) -> None:
    """Do something that a second interrupt must not break off."""
    with signals_held(_INTERRUPT):
        action(*arguments)


async def _end(nannies: list[Nanny]) -> None:
    """End the workers, by force where they are amid a task.

    One that is just being started again cannot be ended yet, which its nanny takes for an error of its own;
    it ends with the cluster. Now and then one answers no more, whatever time it was given: it is not waited
    for, and ends with this process.
    """
    ending = [each.close(timeout=PATIENCE_S) for each in nannies]
    with suppress(TimeoutError):
        await asyncio.wait_for(asyncio.gather(*ending, return_exceptions=True), _AN_END_S)


@contextmanager
def _silence() -> Iterator[None]:
    """Keep Dask's log from standard error: that a worker is started again, or that a connection has ended."""

    def nothing(_: logging.LogRecord) -> bool:
        """Let no record pass."""
        return False

    loggers = [logging.getLogger(name) for name in _TALKATIVE]
    filtered = [*{handler for logger in loggers for handler in logger.handlers}, loggers[-1]]
    for each in filtered:
        each.addFilter(nothing)
    try:
        yield
    finally:
        for each in filtered:
            each.removeFilter(nothing)
