"""One case counted by several threads or workers: windows are shared out, or both masks are read at once."""

from __future__ import annotations

import operator
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from itertools import pairwise
from typing import TYPE_CHECKING

from dicecli.confusion import ConfusionMatrix
from dicecli.pair import Pair

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.blocks import Window
    from dicecli.results import Case
    from dicecli.settings import Settings

    #: Adds up what a function gives for each of the shares that another one cuts: see the executor `dask`.
    Fold = Callable[
        [
            Callable[[list[Window]], ConfusionMatrix],
            Callable[[int], list[list[Window]]],
            Callable[[ConfusionMatrix, ConfusionMatrix], ConfusionMatrix],
        ],
        ConfusionMatrix,
    ]

#: Below so many pixels threads cost more than they bring.
WORTH_PIXELS = 1 << 20
#: Shares per thread, so that a thread whose windows are easy takes more of them.
_SHARES = 4
#: Windows of a share that travels, at most: what a worker that dies takes with it.
_MOST_WINDOWS = 32


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
    sources = (pair.reference, pair.prediction)
    is_small = pair.reference.grid.size < WORTH_PIXELS
    can_share = len(windows) > 1 and all(each.is_random_access for each in sources)
    if fold is not None and can_share and not is_small and _travels(case):
        return fold(partial(count_share, case, settings), partial(_portions, windows), operator.add)
    if threads < 2 or is_small:
        return pair.count(windows)
    if not can_share:
        return pair.count(windows, ahead=True)
    return _shared_out(case, settings, shares(windows, threads * _SHARES), threads)


def shares(windows: list[Window], number: int) -> list[list[Window]]:
    """Cut a plan into so many runs of neighbouring windows, or fewer, of about the same length."""
    number = min(number, len(windows))
    cuts = [round(part * len(windows) / number) for part in range(number + 1)]
    return [windows[start:stop] for start, stop in pairwise(cuts)]


def count_share(case: Case, settings: Settings, windows: list[Window]) -> ConfusionMatrix:
    """Open a case and count some windows of its plan; it travels to other processes and machines.

    Raises
    ------
    CaseError
    """
    with Pair(case, settings) as pair:
        return pair.count(windows)


def _portions(windows: list[Window], threads: int) -> list[list[Window]]:
    return shares(windows, max(threads * _SHARES, -(-len(windows) // _MOST_WINDOWS)))


def _travels(case: Case) -> bool:
    """Whether both masks are files, which others can open; pixels do not travel."""
    return all(
        each is None or isinstance(each, (str, os.PathLike)) for each in (case.prediction, case.reference)
    )


def _shared_out(case: Case, settings: Settings, parts: list[list[Window]], threads: int) -> ConfusionMatrix:
    """Count the shares in threads, each of which opens the files once."""
    own = threading.local()
    matrix = ConfusionMatrix.empty()
    with ExitStack() as stack:
        lock = threading.Lock()

        def count(windows: list[Window]) -> ConfusionMatrix:
            if not hasattr(own, "pair"):
                pair = Pair(case, settings)
                with lock:
                    own.pair = stack.enter_context(pair)
            mine: Pair = own.pair
            return mine.count(windows)

        with ThreadPoolExecutor(threads) as pool:
            for part in pool.map(count, parts):
                matrix += part
    return matrix
