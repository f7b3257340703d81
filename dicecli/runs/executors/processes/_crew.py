"""The worker processes of a run, and the items between them."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections import deque
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dicecli.errors import WorkersFailed
from dicecli.runs.executors._worker import (
    ERROR,
    FAILED,
    HELLO,
    PATIENCE_S,
    PLACE,
    READY,
    RESULT,
    signals_held,
    unpacked,
)
from dicecli.runs.executors.processes._process import affordable, started

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dicecli.runs.executors.processes._process import Worker

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Items below this many seconds are sent one ahead. Above, the way through the pipe costs next to nothing,
#: while an item that waits behind a long one could be worked on elsewhere.
_QUICK_S = 0.1
#: A worker that is not ready by then hangs over something that it loads.
_START_S = 300.0
#: How long at most nothing is looked at while something has a limit. Who sleeps for longer was stopped, as by
#: Ctrl-Z, and the workers with it: that time does not count.
_TICK_S = 1.0


class Crew(Generic[Item, Result]):
    """The workers, and the items between them."""

    def __init__(
        self,
        function: bytes,
        items: Iterable[Item],
        jobs: int,
        lost: Callable[[Item, str], Result] | None,
        *,
        timeout: float | None,
        late: Callable[[Item], Result] | None,
    ) -> None:
        self.function = function
        self.items = enumerate(items)
        self.jobs = affordable(max(jobs, 1))
        self.lost, self.timeout, self.late = lost, timeout, late
        self.workers: list[Worker] = []
        self.backlog: deque[tuple[int, Item]] = deque()
        self.done: deque[tuple[int, Result]] = deque()
        self.most_stillborn = self.jobs + 2
        self.stillborn = 0

    def results(self) -> Iterator[tuple[int, Result]]:
        """Yield position and result until every item has one."""
        self.hand_out()
        while self.backlog or any(worker.tasks for worker in self.workers):
            pipes = {worker.pipe: worker for worker in self.workers}
            sentinels = {each.process.sentinel: each for each in self.workers if not each.is_orphan}
            events = self.waited_for([*pipes, *sentinels])
            # A pipe is read to its end before its worker is given up: results may stand in it.
            said = [pipes[each] for each in events if each in pipes]
            over = [sentinels[each] for each in events if each in sentinels]
            for worker in dict.fromkeys([*said, *over, *self.overdue()]):
                if worker in said:
                    self.hear(worker)
                elif worker in over:
                    if worker.is_over():
                        self.bury(worker)
                else:
                    self.stop(worker)
                self.hand_out()
                while self.done:
                    yield self.done.popleft()

    def leftovers(self) -> Iterator[tuple[int, Result]]:
        """Yield what is done already, without waiting for more; further errors are passed over."""
        for worker in list(self.workers):
            with contextlib.suppress(Exception, SystemExit):
                while worker in self.workers and not worker.is_amid and worker.pipe.poll():
                    self.hear(worker)
        yield from self.done

    def waited_for(self, ends: list[Any]) -> list[Any]:
        """Wait until a worker says something, is over or overdue; return what is to be looked at."""
        dues = [due for worker in self.workers if (due := self.due(worker)) is not None]
        if not dues:
            return wait(ends)
        started = time.monotonic()
        patience = max(0.0, min(_TICK_S, min(dues) - started))
        events = wait(ends, patience)
        overslept = time.monotonic() - started - patience
        if overslept > _TICK_S:
            for worker in self.workers:
                worker.since += overslept
        return events

    def due(self, worker: Worker) -> float | None:
        """Return when a worker must have done what it is at."""
        if not worker.is_ready:
            return worker.since + _START_S
        return worker.since + self.timeout if self.timeout is not None and worker.tasks else None

    def overdue(self) -> list[Worker]:
        """Return the workers that have not done in time what they are at, and have nothing to say."""
        now = time.monotonic()
        dues = [(worker, self.due(worker)) for worker in self.workers]
        return [worker for worker, due in dues if due is not None and due <= now and not worker.pipe.poll()]

    def stop(self, worker: Worker) -> None:
        """Kill a worker that is overdue: the item that it worked on was too long."""
        if worker.is_ready and self.late is not None:
            position, item = worker.tasks.popleft()
            self.backlog.extendleft(reversed(worker.tasks))
            worker.tasks.clear()
            self.done.append((position, self.late(item)))
        reason = "took too long" if worker.is_ready else f"was not ready after {_START_S:g} seconds"
        self.bury(worker, reason, by_force=True)

    def hand_out(self) -> None:
        """Give every free worker an item, then quick ones one ahead; start workers for items that wait."""
        for depth in (1, 2):
            for worker in self.workers:
                if len(worker.tasks) < depth <= worker.room and self.have_waiting(1):
                    position, item = self.backlog.popleft()
                    if not worker.tasks:
                        worker.since = time.monotonic()
                    if worker.send(position.to_bytes(PLACE, "little") + pickle.dumps(item)):
                        worker.tasks.append((position, item))
                    else:
                        self.backlog.appendleft((position, item))
        starting = sum(not worker.is_ready for worker in self.workers)
        while len(self.workers) < self.jobs and self.have_waiting(starting + 1):
            starting += 1
            try:
                with signals_held():
                    self.workers.append(started())
            except OSError as error:
                self.go_on_with(self.workers, f"could not be started: {error}")

    def have_waiting(self, count: int) -> bool:
        """Take items until `count` of them wait, and return whether there were as many."""
        while len(self.backlog) < count:
            task = next(self.items, None)
            if task is None:
                return False
            self.backlog.append(task)
        return True

    def hear(self, worker: Worker) -> None:
        """Read one message of a worker."""
        try:
            message = worker.hear()
        except BlockingIOError:
            self.bury(worker, "stopped amid what it said", by_force=True)
            return
        except (EOFError, OSError):
            self.bury(worker)
            return
        kind, body = bytes(message[:1]), message[1:]
        if worker.is_ready:
            self.take(worker, kind, int.from_bytes(body[:PLACE], "little"), body[PLACE:])
        elif kind == HELLO:
            worker.send(self.function)
        elif kind == READY:
            worker.is_ready, worker.room = True, 1
            self.stillborn = 0
        else:
            what = str(body, "utf-8") if kind == FAILED else "said what is no answer"
            self.bury(worker, what, by_force=kind != FAILED)

    def take(self, worker: Worker, kind: bytes, position: int, body: memoryview) -> None:
        """Take the answer to an item; who says anything else is dismissed."""
        left = deque(task for task in worker.tasks if task[0] != position)
        is_answer = kind in {RESULT, ERROR} and len(left) < len(worker.tasks)
        try:
            error = unpacked(body) if kind == ERROR else None
            answered: Any = (None, 0.0) if error else pickle.loads(body)  # noqa: S301 - our own worker's
            result, seconds = answered
        except Exception:  # noqa: BLE001 - what is no pickle may raise anything
            is_answer = False
        if not is_answer:
            self.bury(worker, "said what is no answer", by_force=True)
            return
        worker.tasks, worker.since = left, time.monotonic()
        if error is not None:
            raise error
        worker.room = 2 if seconds < _QUICK_S else 1
        self.done.append((position, result))

    def bury(self, worker: Worker, reason: str = "", *, by_force: bool = False) -> None:
        """Take leave of a dead worker: the item that it worked on is lost, the next one waits again."""
        how = worker.end(by_force=by_force)
        self.workers.remove(worker)
        reason = reason or how
        if worker.tasks:
            position, item = worker.tasks.popleft()
            self.backlog.extendleft(reversed(worker.tasks))
            if self.lost is None:
                raise WorkersFailed(f"a worker process {reason}", "Look at what it was working on.")
            self.done.append((position, self.lost(item, reason)))
        if not worker.is_ready:
            self.stillborn += 1
            if self.stillborn >= self.most_stillborn:
                self.go_on_with([each for each in self.workers if each.is_ready], reason)

    def go_on_with(self, left: Sequence[Worker], reason: str) -> None:
        """Start no more workers than are left; where none is, that is the end."""
        if not left:
            raise WorkersFailed(
                f"the worker processes cannot do anything: the last one {reason}",
                "Run with --jobs 1. A script that asks for more needs it below if __name__ == '__main__'.",
            )
        self.jobs = len(left)

    def dismiss(self) -> None:
        """End every worker: by closing its pipe, then by asking, then by force."""
        for worker in self.workers:
            worker.pipe.close()
            if worker.is_orphan or not worker.is_ready:
                worker.kill()
        left = [worker.process for worker in self.workers]
        for step in ("join", "terminate", "kill"):
            deadline = time.monotonic() + PATIENCE_S
            for process in left if step != "join" else ():
                getattr(process, step)()
            for process in left:
                process.join(max(0.0, deadline - time.monotonic()))
            left = [process for process in left if process.exitcode is None]
