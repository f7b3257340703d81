"""How long workers are waited for: until they say something, hang over an item, or have had their time."""

from __future__ import annotations

import multiprocessing.connection
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.runs.executors.processes._process import Worker

#: An item that takes longer is no quick one. The way through the pipe costs next to nothing beside it, while
#: an item that waits behind it could be worked on elsewhere: those are called back.
QUICK_S = 0.1
#: A worker that is not ready by then hangs over something that it loads.
START_S = 300.0
#: How long at most answers to quick items are left lying, so that many are taken at once.
_NAP_S = 0.01
#: How long at most nothing is looked at while something has a limit. Who sleeps for longer was stopped, as by
#: Ctrl-Z, and the workers with it: that time does not count.
_TICK_S = 1.0


def is_stuck(worker: Worker) -> bool:
    """Whether items wait behind one that is no quick one, and were not called back yet."""
    return _has_ahead(worker) and time.monotonic() - worker.since > QUICK_S


def lateness(worker: Worker) -> str:
    """Say of a worker that is overdue what it did."""
    return "took too long" if worker.is_ready else f"was not ready after {START_S:g} seconds"


def _has_ahead(worker: Worker) -> bool:
    return worker.is_ready and not worker.is_recalled and len(worker.tasks) > 1


class Patience:
    """How long workers are waited for.

    Attributes
    ----------
    timeout : float or None
        Seconds that an item may take.
    """

    def __init__(self, timeout: float | None) -> None:
        self.timeout = timeout

    def nap(self, workers: Sequence[Worker]) -> None:
        """Let quick workers that have enough to do answer several items, which are then heard at once."""
        busy = [worker for worker in workers if worker.tasks]
        if busy and all(worker.is_ready and len(worker.tasks) > 1 for worker in busy):
            left = min(len(worker.tasks) * worker.seconds for worker in busy)
            seconds, started = min(_NAP_S, left / 2), time.monotonic()
            time.sleep(seconds)
            _allow_for(workers, started + seconds)

    def wait(self, workers: Sequence[Worker], ends: list[Any]) -> list[Any]:
        """Wait until a worker says something, is over, overdue or stuck; return what is to be looked at."""
        looks = [look for worker in workers if (look := self._next_look(worker)) is not None]
        if not looks:
            return multiprocessing.connection.wait(ends)
        started = time.monotonic()
        seconds = max(0.0, min(_TICK_S, min(looks) - started))
        events = multiprocessing.connection.wait(ends, seconds)
        _allow_for(workers, started + seconds)
        return events

    def overdue(self, workers: Sequence[Worker]) -> list[Worker]:
        """Return the workers that have not done in time what they are at, and have nothing to say."""
        now = time.monotonic()
        dues = [(worker, self._due(worker)) for worker in workers]
        return [worker for worker, due in dues if due is not None and due <= now and not worker.pipe.poll()]

    def _due(self, worker: Worker) -> float | None:
        """Return when a worker must have done what it is at."""
        if not worker.is_ready:
            return worker.since + START_S
        return worker.since + self.timeout if self.timeout is not None and worker.tasks else None

    def _next_look(self, worker: Worker) -> float | None:
        """Return when something is to be done about a worker that says nothing."""
        due = self._due(worker)
        if not _has_ahead(worker):
            return due
        stuck = worker.since + QUICK_S
        return stuck if due is None else min(stuck, due)


def _allow_for(workers: Sequence[Worker], waking: float) -> None:
    """Give the workers the time for which everything was stopped, if this process wakes so much later."""
    overslept = time.monotonic() - waking
    if overslept > _TICK_S:
        for worker in workers:
            worker.since += overslept
