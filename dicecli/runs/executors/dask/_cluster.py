"""The way to a Dask cluster: one on this machine for as long as it is needed, or one that exists."""

from __future__ import annotations

import asyncio
import json
import logging
import signal
from contextlib import ExitStack, contextmanager, suppress
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

from dicecli.errors import UsageError, WorkersFailed
from dicecli.runs.executors._fresh import Fresh
from dicecli.runs.executors._worker import PATIENCE_S, signals_held
from dicecli.runs.executors.dask._local import AN_END_S, serve

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from concurrent.futures import Future

    from distributed import Client

Outcome = TypeVar("Outcome")

#: How long a scheduler is waited for, in seconds.
_CONNECT_S = 8.0
#: What the handlers of these loggers print is Dask's talk with itself.
_TALKATIVE = ("distributed", "distributed.client", "tornado", "tornado.application", "asyncio")
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
    with ExitStack() as stack:
        # It loads Dask while that is loaded here.
        local = None if scheduler is not None else stack.enter_context(_local(jobs, most_deaths))
        try:
            import distributed
        except ImportError as error:
            raise UsageError("Dask is not installed", "Install it: pip install 'dicecli[dask]'.") from error
        stack.enter_context(_silence())
        where = _address(local) if local is not None else _checked(scheduler or "")
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
    if isinstance(error, (OSError, asyncio.CancelledError)) or _has_gone_away(error):
        return WorkersFailed(
            "the Dask cluster has gone away",
            "Start it again. A batch that writes a file goes on where this ended: --resume.",
        )
    return WorkersFailed(
        f"the Dask workers cannot do the work: {type(error).__name__}: {error}",
        "They need dicecli of the same version as here, with what it reads the masks with.",
    )


def _has_gone_away(error: BaseException) -> bool:
    """Whether a client has lost its cluster: what it asked for is cancelled, what it asks is not sent."""
    from distributed.client import CancelledError, ClosedClientError, FuturesCancelledError

    return isinstance(error, (CancelledError, ClosedClientError, FuturesCancelledError))


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
def _local(jobs: int, most_deaths: int) -> Iterator[Fresh]:
    """Have a cluster of worker processes on this machine started in a process, which lasts as long as it.

    Raises
    ------
    WorkersFailed
    """
    with TemporaryDirectory(prefix="dicecli-", ignore_cleanup_errors=True) as scratch:
        try:
            with signals_held(_INTERRUPT):
                process = Fresh(serve, goes_along=False)
        except OSError as error:
            raise _no_worker(error) from error
        try:
            with suppress(OSError):  # it is dead already, and has no answer
                process.pipe.send_bytes(json.dumps([jobs, most_deaths, scratch]).encode())
            yield process
        finally:
            _held(_dismiss, process)


def _address(process: Fresh) -> str:
    """Return the address of the scheduler that a process has started.

    Raises
    ------
    WorkersFailed
    """
    try:
        said: dict[str, str] = json.loads(process.pipe.recv_bytes())
    except (EOFError, OSError) as error:
        raise _no_worker("the process of the cluster has ended") from error
    if "address" not in said:
        raise _no_worker(said["error"])
    return said["address"]


def _dismiss(process: Fresh) -> None:
    """End the process of a cluster, by force where it does not end."""
    process.pipe.close()
    process.join(2 * AN_END_S)
    if process.exitcode is None:
        process.kill()
        process.join(PATIENCE_S)


def _no_worker(reason: object) -> WorkersFailed:
    """Make the error for a cluster that cannot be started."""
    return WorkersFailed(
        f"no Dask worker can be started here: {reason}",
        "Leave out --executor dask, or name a cluster that exists: --scheduler tcp://host:8786.",
    )


def _held(action: Callable[..., object], *arguments: object) -> None:
    """Do something that a second interrupt must not break off."""
    with signals_held(_INTERRUPT):
        action(*arguments)


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
