"""The worker processes of a run, and the items between them."""

from __future__ import annotations

import contextlib
import pickle
import time
from collections import deque
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from dicecli.errors import WorkersFailed
from dicecli.runs.executors._worker import (
    BACK,
    ERROR,
    FAILED,
    HELLO,
    PATIENCE_S,
    PLACE,
    READY,
    RESULT,
    packed,
    unpacked,
)
from dicecli.runs.executors.processes._patience import QUICK_S, Patience, is_stuck, lateness
from dicecli.runs.executors.processes._process import affordable, start

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dicecli.runs.executors.processes._process import Worker

Item = TypeVar("Item")
Result = TypeVar("Result")

#: Of quick items a worker holds what takes about this many seconds, and this many at most.
_AHEAD_S, MOST_ITEMS = 0.05, 32


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
        may_fork: bool,
    ) -> None:
        self.function = function
        self.items = enumerate(items)
        self.jobs = affordable(max(jobs, 1))
        self.lost, self.late, self.may_fork = lost, late, may_fork
        self.patience = Patience(timeout)
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
            sentinels = {each.process.sentinel: each for each in self.workers}
            self.patience.nap(self.workers)
            events = self.patience.wait(self.workers, [*pipes, *sentinels])
            # A pipe is read to its end before its worker is given up: results may stand in it.
            said = [pipes[each] for each in events if each in pipes]
            over = [sentinels[each] for each in events if each in sentinels]
            for worker in dict.fromkeys([*said, *over, *self.patience.overdue(self.workers)]):
                if worker in said or (worker in over and worker.pipe.poll()):
                    self.hear_out(worker)
                elif worker in over:
                    self.bury(worker)
                else:
                    self.stop(worker)
                self.hand_out()
                while self.done:
                    yield self.done.popleft()
            self.call_back()

    def leftovers(self) -> Iterator[tuple[int, Result]]:
        """Yield what is done already, without waiting for more; further errors are passed over."""
        for worker in list(self.workers):
            with contextlib.suppress(Exception, SystemExit):
                while worker in self.workers and not worker.is_amid and worker.pipe.poll():
                    self.hear(worker)
        yield from self.done

    def call_back(self) -> None:
        """Ask workers over an item that is no quick one for those behind it, so that others may have them."""
        for worker in self.workers:
            if is_stuck(worker) and worker.send(BACK):
                worker.is_recalled, worker.room = True, 1

    def stop(self, worker: Worker) -> None:
        """Kill a worker that is overdue: the item that it worked on was too long."""
        if worker.is_ready and self.late is not None:
            position, item = worker.tasks.popleft()
            self.backlog.extendleft(reversed(worker.tasks))
            worker.tasks.clear()
            self.done.append((position, self.late(item)))
        self.bury(worker, lateness(worker), by_force=True)

    def hand_out(self) -> None:
        """Give every free worker an item, then quick ones ahead; start workers for items that wait."""
        for is_ahead in (False, True):
            for worker in self.workers:
                if not worker.is_recalled and 2 * len(worker.tasks) <= worker.room:
                    self.give(worker, worker.room if is_ahead else min(worker.room, 1))
        starting = sum(not worker.is_ready for worker in self.workers)
        while len(self.workers) < self.jobs and self.have_waiting(starting + 1):
            starting += 1
            try:
                start(self.workers, may_fork=self.may_fork)
            except OSError as error:
                self.go_on_with(self.workers, f"could not be started: {error}")

    def give(self, worker: Worker, room: int) -> None:
        """Send a worker items in one message, until it holds as many, or its share of what waits."""
        count = room - len(worker.tasks)
        if count < 1 or not self.have_waiting(1):
            return
        self.have_waiting(count * len(self.workers))
        share = -(-len(self.backlog) // len(self.workers))
        tasks = [self.backlog.popleft() for _ in range(min(count, share))]
        if not worker.tasks:
            worker.since = time.monotonic()
        if worker.send(packed(tasks)):
            worker.tasks.extend(tasks)
        else:
            self.backlog.extendleft(reversed(tasks))

    def have_waiting(self, count: int) -> bool:
        """Take items until `count` of them wait, and return whether there were as many."""
        while len(self.backlog) < count:
            task = next(self.items, None)
            if task is None:
                return False
            self.backlog.append(task)
        return True

    def hear_out(self, worker: Worker) -> None:
        """Read what a worker has said so far, but no more than it can hold: others have to be heard, too."""
        for _ in range(MOST_ITEMS):
            self.hear(worker)
            if worker not in self.workers or not worker.pipe.poll():
                return

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
        if worker.is_ready and kind == BACK:
            self.take_back(worker, bytes(body))
        elif worker.is_ready:
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
        worker.seconds = max(seconds, (worker.seconds + seconds) / 2)
        least = 2 if worker.seconds < QUICK_S else 1
        worker.room = max(least, min(MOST_ITEMS, int(_AHEAD_S / max(worker.seconds, 1e-6))))
        self.done.append((position, result))

    def take_back(self, worker: Worker, body: bytes) -> None:
        """Take back the items that a worker has not begun; who names others is dismissed."""
        places = [body[start : start + PLACE] for start in range(0, len(body), PLACE)]
        given_back = {int.from_bytes(each, "little") for each in places}
        items = [task for task in worker.tasks if task[0] in given_back]
        if not worker.is_recalled or len(items) != len(places):
            self.bury(worker, "said what is no answer", by_force=True)
            return
        worker.is_recalled = False
        worker.tasks = deque(task for task in worker.tasks if task[0] not in given_back)
        self.backlog.extendleft(reversed(items))

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
                "Run with --jobs 1, in this process.",
            )
        self.jobs = len(left)

    def dismiss(self) -> None:
        """End every worker: by closing its pipe, then by asking, then by force."""
        for worker in self.workers:
            worker.pipe.close()
            if not worker.is_ready:
                worker.kill()
        left = [worker.process for worker in self.workers]
        for step in ("join", "terminate", "kill"):
            deadline = time.monotonic() + PATIENCE_S
            for process in left if step != "join" else ():
                getattr(process, step)()
            for process in left:
                process.join(max(0.0, deadline - time.monotonic()))
            left = [process for process in left if process.exitcode is None]
