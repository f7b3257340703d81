"""Cases as tasks of a Dask cluster: processes of this machine, or a cluster that exists.

Items, results and errors travel as bytes, in the form that worker processes use, so that Dask looks into none
of them. A worker that dies costs time only: its tasks are run elsewhere.
"""

from __future__ import annotations

import itertools
import os
import pickle
import time
from contextlib import suppress
from functools import lru_cache, partial, reduce
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dicecli.errors import WorkersFailed
from dicecli.executors._dask_cluster import connected, failure
from dicecli.executors._worker import ERROR, answer, unpacked
from dicecli.version import __version__

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = tuple[int, Item]

#: A cluster that exists is given several quick items as one task of about this many seconds, but no more items
#: than that: a task costs it a few milliseconds, whatever is in it.
_TASK_S, _MOST_ITEMS = 0.2, 32
#: Tasks that a cluster without workers is given, so that it has a reason to start some.
_FEWEST_TASKS = 32
#: How long the number of a cluster's threads is taken as known, in seconds.
_KNOWN_S = 2.0
#: How many matrices one task adds up.
_BRANCHES = 8


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int = 1,
    lost: Callable[[Item, str], Result] | None = None,
    scheduler: str | None = None,
) -> Iterator[tuple[int, Result]]:
    """Yield position and result of every item, as they are done, from a Dask cluster.

    Parameters
    ----------
    jobs : int
        Worker processes on this machine; at most ``2 * jobs`` items are taken ahead of the results.
    lost : callable
        Gives the result of an item all of whose workers died, at last while it was worked on alone.
    scheduler : str, optional
        The address of a cluster that exists: all its workers are used, and `jobs` has no meaning. At most two
        tasks per thread are in flight.

    Raises
    ------
    UsageError
        There is no Dask, or no scheduler at that address.
    WorkersFailed
        The cluster goes away, or has no dicecli of this version; or an item is lost, and `lost` is None.
    """
    tasks = enumerate(items)
    first = next(tasks, None)
    if first is None:
        return
    with connected(jobs, scheduler, most_deaths=1) as client:
        flight = _Flight(client, _packed(function), None if scheduler else 2 * jobs)
        yield from flight.results(itertools.chain([first], tasks))
        for position, item in flight.suspects:
            alone = _Flight(client, _packed(function), 1)
            yield from alone.results(iter([(position, item)]))
            for _ in alone.suspects:
                reason = "died each time that it was tried"
                if lost is None:
                    raise WorkersFailed(f"a worker process {reason}", "Look at what it was working on.")
                yield position, lost(item, reason)


def fold(
    function: Callable[[Item], Result],
    cut: Callable[[int], Sequence[Item]],
    add: Callable[[Result, Result], Result],
    jobs: int = 1,
    scheduler: str | None = None,
) -> Result:
    """Return the sum of what a function gives for every item, added up in a tree where the workers are.

    Parameters
    ----------
    cut : callable
        Gives the items, of which there must be one, for so many threads.
    add : callable
        Associative.
    jobs, scheduler
        As for :func:`run`.

    Raises
    ------
    Exception
        What the function raised for the first item that it raised for.
    UsageError, WorkersFailed
        As for :func:`run`.
    """
    with connected(jobs, scheduler, most_deaths=3) as client:
        from dask import delayed

        work, added = delayed(_task, pure=False), delayed(_sum, pure=False)
        packed, packed_add = _packed(function), _packed(add)
        parts = [work(packed, [pickle.dumps(item)]) for item in cut(max(1, _threads(client)))]
        while True:
            groups = range(0, len(parts), _BRANCHES)
            parts = [added(packed_add, parts[start : start + _BRANCHES]) for start in groups]
            if len(parts) == 1:
                break
        root = client.compute(parts[0], optimize_graph=False)
        try:
            (message,) = root.result()
        except BaseException as error:
            raise failure(error) from error
        total: Result = _opened(message)
        return total


class _Flight(Generic[Item, Result]):
    """The tasks that are with the cluster, each with its items.

    Parameters
    ----------
    room : int or None
        How many tasks of one item there may be; None: as many as the cluster has use for, of several items.
    """

    def __init__(self, client: Any, function: bytes, room: int | None) -> None:
        from distributed import as_completed

        self.client, self.function, self.room = client, function, room
        self.done = as_completed(loop=client.loop, with_results=True, raise_errors=False)
        self.tasks: dict[Any, list[Task[Item]]] = {}
        self.size = 1
        self.suspects: list[Task[Item]] = []
        self._threads, self._known = 0, -_KNOWN_S

    def results(self, waiting: Iterator[Task[Item]]) -> Iterator[tuple[int, Result]]:
        """Yield position and result; items whose workers died become suspects instead."""
        self.fill(waiting)
        for future, outcome in self.done:
            tasks = self.tasks.pop(future)
            if future.status != "finished":
                self.suspects += tasks
                _raise_unless_killed(outcome)
                outcome = []
            self.fill(waiting)
            for (position, _), message in zip(tasks, outcome, strict=False):
                yield position, _opened(message)
