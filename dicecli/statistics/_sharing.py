"""The windows of one case shared out: among threads or workers, or both sides read at once."""

from __future__ import annotations

import math
import operator
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING, Protocol

from dicecli.errors import Changed
from dicecli.masks import files
from dicecli.masks.pair import Pair
from dicecli.statistics._census import census
from dicecli.statistics._pass import plan_of, push
from dicecli.statistics._sums import Key, Part, Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from dicecli.masks.blocks import Mapped, Plan, Window
    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings
    from dicecli.statistics._census import Counted
    from dicecli.statistics._opened import Opened, State
    from dicecli.statistics._pass import Wanted


class Fold(Protocol):
    """Adds up what a function gives for each of the shares that another one cuts: see the executor `dask`."""

    def __call__(
        self,
        function: Callable[[range], Sums[Key, Part]],
        cut: Callable[[int], list[range]],
        add: Callable[[Sums[Key, Part], Sums[Key, Part]], Sums[Key, Part]],
        /,
    ) -> Sums[Key, Part]:
        """Return the sum."""


class Work(Protocol[Key, Part]):
    """What is done with the windows of an open pair; it travels to other processes and machines."""

    def plan(self, pair: Pair) -> Plan:
        """Return the windows."""

    def do(
        self, pair: Pair, windows: Sequence[Window], mapped: Mapped = map, *, ahead: bool = False
    ) -> Sums[Key, Part]:
        """Do it with some of the windows, neighbours in their order."""


@dataclass(frozen=True)
class CensusWork:
    """The census, counted on a device."""

    device: str

    def plan(self, pair: Pair) -> Plan:
        """Return the windows that suit both files."""
        return pair.windows()

    def do(
        self, pair: Pair, windows: Sequence[Window], mapped: Mapped = map, *, ahead: bool = False
    ) -> Counted:
        """Count some windows."""
        del mapped
        return census(pair, windows, self.device, ahead=ahead)


@dataclass(frozen=True)
class PassWork:
    """The pass, for statistics by their names and options."""

    opened: Opened
    options: Wanted
    halo: int

    def plan(self, pair: Pair) -> Plan:
        """Return the windows of a pass with that context."""
        return plan_of(pair, self.halo)

    def do(
        self, pair: Pair, windows: Sequence[Window], mapped: Mapped = map, *, ahead: bool = False
    ) -> Sums[str, State]:
        """Push some windows through states of their own."""
        return push(pair, windows, self.opened, self.options, halo=self.halo, mapped=mapped, ahead=ahead)


#: Below so many pixels threads cost more than they bring.
WORTH_PIXELS = 1 << 20
#: Shares per thread, so that a thread whose windows are easy takes more of them; or per square root of the
#: windows, where many workers would only wait for the scheduler: it takes a millisecond for a share.
_SHARES = 4
#: Windows of a share that travels, at most: what a worker that dies takes with it.
_MOST_WINDOWS = 32
#: More shares than that are of no use to anybody.
_MOST_SHARES = 1 << 13


def share_out(
    case: Case,
    settings: Settings,
    pair: Pair,
    work: Work[Key, Part],
    *,
    threads: int,
    fold: Fold | None = None,
) -> Sums[Key, Part]:
    """Do some work on an open pair with up to so many threads, or with what `fold` works with.

    Where windows can be read in any order, each thread has files of its own and takes some of the windows.
    Where they only come one after the other, several layers are read at the same time, here.

    Raises
    ------
    CaseError
    """
    windows = work.plan(pair)
    number = len(windows)
    is_small = pair.grid.size * max(len(pair.reference), len(pair.prediction)) < WORTH_PIXELS
    can_share = number > 1 and all(each.is_random_access for each in pair.sources)
    if fold is not None and can_share and not is_small and case.is_of_files:
        of_share = partial(do_share, case, settings, work, _seen(case, number))
        return fold(of_share, partial(_travelling, number), operator.add)
    if can_share:
        threads = min(threads, pair.most_readers)
    if threads < 2 or is_small:
        return work.do(pair, windows)
    if can_share:
        return _in_threads(case, settings, pair, work, threads=threads)
    if isinstance(work, CensusWork):
        return work.do(pair, windows, ahead=True)
    with several(threads) as mapped:
        return work.do(pair, windows, mapped, ahead=not pair.is_soft)


@contextmanager
def several(threads: int) -> Iterator[Mapped]:
    """Give what works on several things at a time with up to so many threads: :func:`map` with one."""
    if threads < 2:
        yield map
        return
    with ThreadPoolExecutor(threads) as pool:
        yield pool.map


def shares(windows: int, number: int) -> list[range]:
    """Cut a plan of so many windows into runs of neighbours, `number` or fewer, of about the same length."""
    number = min(number, windows)
    cuts = [part * windows // number for part in range(number + 1)]
    return [range(start, stop) for start, stop in pairwise(cuts)]


def do_share(
    case: Case, settings: Settings, work: Work[Key, Part], seen: tuple[object, ...], share: range
) -> Sums[Key, Part]:
    """Open a case and do some work on some of its windows, in another process or on another machine.

    Parameters
    ----------
    seen : tuple
        What the other machine saw of the files: see :func:`_seen`.

    Raises
    ------
    CaseError
        Also where other files than those are seen here.
    """
    with Pair(case, settings) as pair:
        windows = work.plan(pair)
        if _seen(case, len(windows)) != seen:
            raise Changed(
                "a worker finds other files under these paths than the command that sent it there",
                "Every worker must see the same files under the same paths: they need a shared file system.",
                f"{case.prediction} against {case.reference}",
            )
        return work.do(pair, windows[share.start : share.stop])


def _seen(case: Case, windows: int) -> tuple[object, ...]:
    """Return what two machines must agree on: the number of windows, and the sizes of the files.

    Times are left out: they differ between machines, and where each has a copy of its own.
    """
    return (windows, *(part and part[0] for _, path in case.files for part in files.state(path)))


def _travelling(windows: int, threads: int) -> list[range]:
    """Cut a plan of so many windows for workers of so many threads, to which the shares travel."""
    wanted = _SHARES * min(threads, math.isqrt(windows))
    return shares(windows, max(wanted, min(_MOST_SHARES, -(-windows // _MOST_WINDOWS))))


def _in_threads(
    case: Case, settings: Settings, pair: Pair, work: Work[Key, Part], *, threads: int
) -> Sums[Key, Part]:
    """Do the shares in threads, each of which opens the files once; `pair` learns what they checked."""
    pair.readers = threads
    own = threading.local()
    others: list[Pair] = []
    total: Sums[Key, Part] = Sums({})
    with ExitStack() as stack:
        lock = threading.Lock()

        def of_share(share: range) -> Sums[Key, Part]:
            """Work on some windows with the files that this thread has opened."""
            if not hasattr(own, "pair"):
                opened = Pair(case, settings)
                opened.readers = threads
                with lock:
                    own.pair = stack.enter_context(opened)
                    others.append(opened)
            mine: Pair = own.pair
            return work.do(mine, work.plan(mine)[share.start : share.stop])

        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(of_share, shares(len(work.plan(pair)), threads * _SHARES)):
                total += part
    for other in others:
        for source, theirs in zip(pair.sources, other.sources, strict=True):
            source.checked.update(theirs.checked)
    return total
