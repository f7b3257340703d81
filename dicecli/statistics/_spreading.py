"""One case counted by several threads or workers: windows are shared out, or both masks are read at once."""

from __future__ import annotations

import math
import operator
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from dicecli.errors import Changed
from dicecli.masks import files
from dicecli.masks.pair import Pair
from dicecli.statistics._census import count
from dicecli.statistics._confusion import ConfusionMatrix

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings

    #: Adds up what a function gives for each of the shares that another one cuts: see the executor `dask`.
    Fold = Callable[
        [
            Callable[[range], ConfusionMatrix],
            Callable[[int], list[range]],
            Callable[[ConfusionMatrix, ConfusionMatrix], ConfusionMatrix],
        ],
        ConfusionMatrix,
    ]

#: Below so many pixels threads cost more than they bring.
WORTH_PIXELS = 1 << 20
#: Shares per thread, so that a thread whose windows are easy takes more of them; or per square root of the
#: windows, where many workers would only wait for the scheduler: it takes a millisecond for a share.
_SHARES = 4
#: Windows of a share that travels, at most: what a worker that dies takes with it.
_MOST_WINDOWS = 32
#: More shares than that are of no use to anybody.
_MOST_SHARES = 1 << 13


def spread(
    case: Case, settings: Settings, pair: Pair, threads: int, fold: Fold | None = None
) -> ConfusionMatrix:
    """Count an open pair with up to so many threads, or with what `fold` works with.

    Where windows can be read in any order, each thread has files of its own and takes some of the windows.
    Where they only come one after the other, the two masks are read at the same time, here.

    Raises
    ------
    CaseError
    """
    windows = pair.windows()
    number = len(windows)
    sources = (pair.reference, pair.prediction)
    is_small = pair.reference.grid.size < WORTH_PIXELS
    can_share = number > 1 and all(each.is_random_access for each in sources)
    if fold is not None and can_share and not is_small and _travels(case):
        of_share = partial(count_share, case, settings, _seen(case, number))
        return fold(of_share, partial(_portions, number), operator.add)
    if threads < 2 or is_small:
        return count(pair, windows, settings.device)
    if not can_share:
        return count(pair, windows, settings.device, ahead=True)
    return _shared_out(case, settings, pair, shares(number, threads * _SHARES), threads)


def shares(windows: int, number: int) -> list[range]:
    """Cut a plan of so many windows into runs of neighbours, `number` or fewer, of about the same length."""
    number = min(number, windows)
    cuts = [part * windows // number for part in range(number + 1)]
    return [range(start, stop) for start, stop in pairwise(cuts)]


def count_share(case: Case, settings: Settings, seen: tuple[object, ...], share: range) -> ConfusionMatrix:
    """Open a case and count some windows of its plan; it travels to other processes and machines.

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
        windows = pair.windows()
        if _seen(case, len(windows)) != seen:
            raise Changed(
                "a worker finds other files under these paths than the command that sent it there",
                "Every worker must see the same files under the same paths: they need a shared file system.",
                f"{case.prediction} against {case.reference}",
            )
        return count(pair, (windows[place] for place in share), settings.device)


def _seen(case: Case, windows: int) -> tuple[object, ...]:
    """Return what two machines must agree on: the number of windows, and the sizes of the files.

    Times are left out: they differ between machines, and where each has a copy of its own.
    """
    paths = [os.fspath(each) for each in (case.prediction, case.reference) if each is not None]
    return (windows, *(part and part[0] for path in paths for part in files.state(path)))


def _portions(windows: int, threads: int) -> list[range]:
    wanted = _SHARES * min(threads, math.isqrt(windows))
    return shares(windows, max(wanted, min(_MOST_SHARES, -(-windows // _MOST_WINDOWS))))


def _travels(case: Case) -> bool:
    """Whether both masks are files, which others can open; pixels do not travel."""
    return all(
        each is None or isinstance(each, (str, os.PathLike)) for each in (case.prediction, case.reference)
    )


def _shared_out(
    case: Case, settings: Settings, pair: Pair, parts: list[range], threads: int
) -> ConfusionMatrix:
    """Count the shares in threads, each of which opens the files once; `pair` learns what they checked."""
    own = threading.local()
    others: list[Pair] = []
    matrix = ConfusionMatrix.empty()
    with ExitStack() as stack:
        lock = threading.Lock()

        def of_share(share: range) -> ConfusionMatrix:
            """Count some windows with the files that this thread has opened."""
            if not hasattr(own, "pair"):
                opened = Pair(case, settings)
                with lock:
                    own.pair = stack.enter_context(opened)
                    others.append(opened)
            mine: Pair = own.pair
            windows = mine.windows()
            return count(mine, (windows[place] for place in share), settings.device)

        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(of_share, parts):
                matrix += part
    for other in others:
        pair.reference.checked.update(other.reference.checked)
        pair.prediction.checked.update(other.prediction.checked)
    return matrix
