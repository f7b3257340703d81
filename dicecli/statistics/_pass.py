"""The pass: after the census, every window once more, forwards, for all statistics that need pixels.

What a statistic is, is written in :mod:`dicecli.statistics._statistic`.
"""

from __future__ import annotations

from contextlib import closing, contextmanager
from itertools import chain, islice
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import DicecliError
from dicecli.masks.blocks import slowest
from dicecli.masks.opening import on_side
from dicecli.plugins import blame, own
from dicecli.records.codec import read, written
from dicecli.records.measurements import Measured
from dicecli.statistics._statistic import loaded
from dicecli.statistics._sums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence

    from dicecli.masks.blocks import Mapped, Plan, Window
    from dicecli.masks.pair import Pair, Stored
    from dicecli.records.measurements import Measurement, Row
    from dicecli.records.settings import Settings
    from dicecli.statistics._opened import Block, Opened, Options, State
    from dicecli.statistics._statistic import Statistic

    #: By the statistic's name.
    Wanted = Mapping[str, Options]


def options_of(
    names: Iterable[str], settings: Settings, numbers: Callable[[str], Mapping[str, tuple[Any, ...]]]
) -> dict[str, dict[str, Any]]:
    """Return what each statistic depends on, by its name.

    Of its ``OPTIONS`` each is a setting, or the parameter of a metric: `numbers` has, by the statistic, those
    that metrics were asked for with, and as ``parts`` what these need of the measurement.
    """
    found = {}
    for name in names:
        given = numbers(name)
        options = loaded(name).OPTIONS
        found[name] = {
            each: given[each] if each in given else getattr(settings, each, ()) for each in options
        }
    return found


def halos(opened: Opened, options: Wanted) -> dict[str, int]:
    """Return the context that each statistic needs; those that need no pass are left out."""
    found = {name: _halo(name, opened, given) for name, given in options.items()}
    return {name: halo for name, halo in found.items() if halo is not None}


def _halo(name: str, opened: Opened, options: Options) -> int | None:
    with _blamed(name):
        halo = loaded(name).halo(opened, options)
        if halo is not None and (type(halo) is not int or halo < 0):
            raise ValueError(f"its halo is {halo!r}; a whole number from 0, or None, is expected")
        return halo


def plan_of(pair: Pair, halo: int) -> Plan:
    """Return the windows of a pass: the census's, or where a block needs context those that slide along."""
    return pair.slabs(halo) if halo else pair.windows()


def push(
    pair: Pair,
    windows: Sequence[Window],
    opened: Opened,
    options: Wanted,
    *,
    halo: int,
    mapped: Mapped = map,
    ahead: bool = False,
) -> Sums[str, State]:
    """Push some windows, neighbours in their order, through the states of some statistics.

    Parameters
    ----------
    pair : Pair
    windows : sequence of Window
        Of :func:`plan_of`.
    opened : Opened
    options : mapping
        The options of each statistic, by its name.
    halo : int
        The largest that any of them needs.
    mapped : callable
        As :func:`map`: what reads several layers, and works on shares of a block.
    ahead : bool
        Whether to read both sides at the same time, in two threads.

    Returns
    -------
    Sums
        A state by the statistic's name.

    Raises
    ------
    CaseError
    """
    states = {name: _begun(name, opened, given) for name, given in options.items()}
    # Closed at once where a state raises: a thread that reads ahead would stay as long as the error does.
    with closing(_blocks(pair, windows, opened, halo=halo, mapped=mapped, ahead=ahead)) as blocks:
        for block in blocks:
            for name, state in states.items():
                with _blamed(name):
                    on_side("prediction", pair.prediction[0], state.add, block, mapped)
            del block
    return Sums(states)


def _blocks(
    pair: Pair,
    windows: Sequence[Window],
    opened: Opened,
    *,
    halo: int,
    mapped: Mapped,
    ahead: bool,
) -> Generator[Block]:
    if not halo:
        for window, stored in zip(windows, pair.blocks(windows, mapped, ahead=ahead), strict=True):
            yield opened.block(window, window, stored, pair.prediction, mapped)
        return
    axis = slowest(opened.order, len(opened.shape))
    wanted = [_with_context(window, halo, axis, opened.shape) for window in windows]
    # What is read for each: the planes that no window before it has read.
    edges = [None, *(at[axis].stop for at in wanted)]
    parts = [
        _along(at, axis, at[axis].start if edge is None else edge, at[axis].stop)
        for at, edge in zip(wanted, edges, strict=False)
    ]
    read = pair.blocks([part for part in parts if part[axis].start < part[axis].stop], mapped, ahead=ahead)
    held: Stored = (), ()
    starts = [at[axis].start for at in wanted]
    for window, at, part, before in zip(windows, wanted, parts, [*starts[:1], *starts[:-1]], strict=True):
        held = _cut(held, axis, at[axis].start - before)
        if part[axis].start < part[axis].stop:
            held = _joined(held, next(read), axis, mapped)
        yield opened.block(at, window, held, pair.prediction, mapped)


def _with_context(window: Window, halo: int, axis: int, shape: tuple[int, ...]) -> Window:
    part = window[axis]
    return _along(window, axis, max(0, part.start - halo), min(shape[axis], part.stop + halo))


def _along(window: Window, axis: int, start: int, stop: int) -> Window:
    return (*window[:axis], slice(start, stop), *window[axis + 1 :])


def _cut(stored: Stored, axis: int, start: int) -> Stored:
    """Let go of the planes before `start`; what stays is copied, as a view would keep all."""
    if not start:
        return stored
    behind = (*(slice(None),) * axis, slice(start, None))
    return tuple(tuple([each[behind].copy(order="K") for each in side]) for side in stored)


def _joined(one: Stored, other: Stored, axis: int, mapped: Mapped) -> Stored:
    """Put planes behind others, several layers at a time; at the beginning there are none."""
    if not one[0]:
        return other
    layers = zip(chain.from_iterable(one), chain.from_iterable(other), strict=True)
    found = iter([*mapped(lambda planes: np.concatenate(planes, axis), layers)])
    return tuple(tuple(islice(found, len(side))) for side in one)


def measured(
    states: Mapping[str, State], names: Iterable[str], opened: Opened, pair: Pair, mapped: Mapped = map
) -> tuple[dict[str, dict[Row, Measurement]], list[str]]:
    """Return the measurements of each statistic by row, and what is to be said of the case.

    `mapped` is as :func:`map`: what works on several rows at a time.

    Raises
    ------
    CaseError
        What shows only once all was seen.
    """
    found: dict[str, dict[Row, Measurement]] = {}
    said: list[str] = []
    for name in names:
        statistic, state = loaded(name), states.get(name)
        with _blamed(name):
            found[name] = on_side("prediction", pair.prediction[0], _rows, statistic, state, opened, mapped)
            notes = statistic.notes(state, opened) if hasattr(statistic, "notes") else []
            if name not in own("statistics"):
                found[name], notes = _checked(name, found[name], notes)
            said += notes
    return found, said


def _rows(
    statistic: Statistic, state: State | None, opened: Opened, mapped: Mapped
) -> dict[Row, Measurement]:
    found = dict(statistic.done(state, opened, mapped))
    for row, each in found.items():
        if type(each) is not statistic.MEASURES.get(row.kind):
            raise TypeError(f"it measures {type(each).__name__} of a row of kind {row.kind}")
    return found


def _checked(
    name: str, found: Mapping[Row, Measurement], notes: object
) -> tuple[dict[Row, Measurement], Sequence[str]]:
    """Return what a statistic of a package gives as records have it; ValueError for what none could hold."""
    rows = read(Measured, written(Measured.of({name: found})), "measured").get(name, {})
    return dict(rows), read(tuple[str, ...], notes, "notes")


def _begun(name: str, opened: Opened, options: Options) -> State:
    with _blamed(name):
        return loaded(name).begin(opened, options)


@contextmanager
def _blamed(name: str) -> Iterator[None]:
    """Say of an unexpected error which installed package it is of; one of a statistic of the folder is ours.

    Raises
    ------
    BrokenPlugin
    """
    try:
        yield
    except (DicecliError, MemoryError):
        raise
    except Exception as error:  # whatever a package's statistic raises; blamed on it, or raised as it is
        blame("statistics", name, error)
        raise
