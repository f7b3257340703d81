"""Cases side by side in worker processes; a crash costs the case that was worked on, and nothing else.

Which case a dead worker was at is known, since it answers each one, in the order in which it is given them.
So no other one is under suspicion: what the worker had not begun goes to another.
"""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, TypeVar

from dicecli.runs.executors.processes._crew import MOST_ITEMS, Crew

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

Item = TypeVar("Item")
Result = TypeVar("Result")

__all__ = ["MOST_ITEMS", "run"]


def run(
    function: Callable[[Item], Result],
    items: Iterable[Item],
    jobs: int = 1,
    lost: Callable[[Item, str], Result] | None = None,
    *,
    timeout: float | None = None,
    late: Callable[[Item], Result] | None = None,
    may_fork: bool = False,
) -> Iterator[tuple[int, Result]]:
    """Yield position and result of every item, as they are done, from at most `jobs` worker processes.

    Quick items go to workers several at once, ``MOST_ITEMS`` at most, and answers to them are taken so: at
    most ``2 * jobs + 1`` such groups are taken ahead of the results. What `function` raises is raised here,
    after what was done by then, with the worker's traceback as a note. Leaving the generator ends every
    worker.

    Parameters
    ----------
    timeout : float, optional
        Seconds that an item may take, with what its worker loads for it. Then the worker is killed, and
        another one started.
    late : callable
        Gives the result of an item that took longer; what it raises is raised here.
    may_fork : bool
        Whether this process is this project's own, and has used no device: on Linux workers are then forked
        from it as long as it has no other thread of Python, and have at once what it has loaded. Elsewhere,
        where libraries do not survive a fork, they start afresh.

    Raises
    ------
    WorkersFailed
        Workers die, or hang, before they do anything; or one dies over an item, and `lost` is None.
    """
    crew = Crew(pickle.dumps(function), items, jobs, lost, timeout=timeout, late=late, may_fork=may_fork)
    try:
        try:
            yield from crew.results()
        except (Exception, SystemExit):
            yield from crew.leftovers()
            raise
    finally:
        crew.dismiss()
