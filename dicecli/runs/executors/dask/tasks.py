"""Cases as tasks of a Dask cluster: processes of this machine, or a cluster that exists.

Items, results and errors travel as bytes, in the form that worker processes use, so that Dask looks into none
of them. A worker that dies costs time only: its tasks are run elsewhere.
"""

from __future__ import annotations

import itertools
import pickle
import time
from asyncio import CancelledError
from queue import SimpleQueue
from typing import TYPE_CHECKING, Generic, TypeVar

from dicecli.errors import WorkersFailed
from dicecli.runs.executors._worker import ERROR, unpacked
from dicecli.runs.executors.dask._cluster import begin, connected, failure, is_death, threads_of
from dicecli.runs.executors.dask._task import add_up, do, pack, read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dask.delayed import Delayed
    from distributed import Client

Item = TypeVar("Item")
Result = TypeVar("Result")
Task = tuple[int, Item]

#: Several quick items are one task of about so many seconds, but no more items than that: a task costs a few
#: milliseconds on its way, whatever is in it.
_TASK_S, MOST_ITEMS = 0.2, 32
#: Tasks that a cluster that exists is given while it has no workers, so that it has a reason to start some.
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
        Worker processes on this machine; at most ``2 * jobs`` tasks are taken ahead of the results. A task is
        one item, or up to 32 that are quick.
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
        flight: _Flight[Item, Result] = _Flight(
            client, pack(function), fewest=1 if scheduler is None else _FEWEST_TASKS
        )
        yield from flight.results(itertools.chain([first], tasks))
        for position, item in flight.suspects:
            alone: _Flight[Item, Result] = _Flight(client, pack(function), is_alone=True)
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
    packed, packed_add = pack(function), pack(add)
    with connected(jobs, scheduler, most_deaths=3) as client:
        from dask import delayed

        work, added = delayed(do, pure=False), delayed(add_up, pure=False)
        parts = [work(packed, [pickle.dumps(item)]) for item in cut(max(1, threads_of(client)))]
        while len(parts) > 1:
            starts = range(0, len(parts), _BRANCHES)
            parts = [added(packed_add, parts[start : start + _BRANCHES]) for start in starts]
        try:
            (message,) = begin(client, _computed(client, parts[0])).result()
        except (Exception, CancelledError) as error:
            raise failure(error) from error
    if message[:1] == ERROR:
        raise unpacked(memoryview(message)[1:])
    total: Result = read(message)[0]
    return total


class _Flight(Generic[Item, Result]):
    """The tasks that are with the cluster, each with its items.

    Parameters
    ----------
    fewest : int
        How many tasks there may be at least, also where the cluster has no use for them yet.
    is_alone : bool
        Whether there may be only one, of one item.

    Attributes
    ----------
    suspects : list of tuple
        Position and item of those whose workers died.
    """

    def __init__(self, client: Client, function: bytes, *, fewest: int = 1, is_alone: bool = False) -> None:
        self.suspects: list[Task[Item]] = []
        self._client, self._function = client, function
        self._fewest, self._is_alone = fewest, is_alone
        self._done: SimpleQueue[tuple[int, list[bytes] | BaseException]] = SimpleQueue()
        self._tasks: dict[int, list[Task[Item]]] = {}
        self._size = 1
        self._threads, self._asked = 0, -_KNOWN_S

    def results(self, waiting: Iterator[Task[Item]]) -> Iterator[tuple[int, Result]]:
        """Yield position and result of every item that is no suspect; raise the first error after them."""
        wrong: dict[int, BaseException] = {}
        self._launch(waiting)
        while self._tasks and (not wrong or min(self._tasks) < min(wrong)):
            first, outcome = self._done.get()
            tasks = self._tasks.pop(first)
            if is_death(outcome):
                self.suspects += tasks
                outcome, tasks = [], []
            elif isinstance(outcome, BaseException):
                raise failure(outcome) from outcome
            if not wrong:
                self._launch(waiting)
            for (position, _), message in zip(tasks, outcome, strict=True):
                if message[:1] == ERROR:
                    wrong[position] = unpacked(memoryview(message)[1:])
                    continue
                result, seconds = read(message)
                self._learn(seconds)
                yield position, result
        if wrong:
            raise wrong[min(wrong)]

    def _launch(self, waiting: Iterator[Task[Item]]) -> None:
        """Give the cluster as many tasks as there is room for."""
        while len(self._tasks) < self._most() and (tasks := list(itertools.islice(waiting, self._size))):
            first, items = tasks[0][0], [pickle.dumps(item) for _, item in tasks]
            self._tasks[first] = tasks
            begin(self._client, self._follow(first, items))

    async def _follow(self, first: int, items: list[bytes]) -> None:
        """Run a task, and put what came of it where the results are waited for."""
        outcome: list[bytes] | BaseException
        try:
            outcome = await self._client.submit(do, self._function, items, pure=False, fifo_timeout=0)
        except BaseException as error:  # noqa: BLE001 - it is for the other thread to judge
            outcome = error
        self._done.put((first, outcome))

    def _most(self) -> int:
        """Return how many tasks there may be at a time; clusters grow and shrink."""
        if self._is_alone:
            return 1
        if time.monotonic() - self._asked > _KNOWN_S:
            self._threads, self._asked = threads_of(self._client), time.monotonic()
        return max(2 * self._threads, self._fewest)

    def _learn(self, seconds: float) -> None:
        """Choose how many items make a task from how long the last one took."""
        if not self._is_alone:
            self._size = max(1, min(MOST_ITEMS, int(_TASK_S / max(seconds, 1e-9))))


async def _computed(client: Client, root: Delayed) -> list[bytes]:
    messages: list[bytes] = await client.compute(root, optimize_graph=False)
    return messages
