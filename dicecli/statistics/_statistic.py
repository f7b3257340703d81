"""What a statistic is.

A statistic is a plugin: a module or package of this folder, of which the pass uses

``READS``
    ``"labels"``, or ``"probabilities"``.
``MEASURES``
    The type of its measurement by the kind of a row.
``OPTIONS``
    The names of the settings that it depends on, and of the parameters of its metrics, such as the
    percentiles that were asked for.
``halo(opened, options)``
    How many pixels of context a block needs on each side along the slowest axis; None where the census is
    enough, so that no pass is made for it.
``begin(opened, options)``
    A state: picklable, with ``add(block, mapped)`` and ``+``, which commutes; None where there is no pass.
``done(state, opened, mapped)``
    Yields a row and its measurement each; `mapped` is `map`, or that of a pool of threads.
``notes(state, opened)``
    What is to be said of the case once all was seen; may be missing.
``SUMMANDS``
    What is added up of its measurements, a :class:`~dicecli.records.wholes.Summands`, for reports to add it
    up in resamples; may be missing, and then averages of what is added up have no interval.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from dicecli.plugins import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Measurement, Row
    from dicecli.statistics._opened import Opened, Options, State


class Statistic(Protocol):
    """What a statistic has; it may have notes, too."""

    MEASURES: Mapping[str, type[Measurement]]
    OPTIONS: Sequence[str]

    def halo(self, opened: Opened, options: Options) -> int | None:
        """Return the pixels of context that a block needs; None where the census is enough."""

    def begin(self, opened: Opened, options: Options) -> State:
        """Return the state of no block; there is none where the census is enough."""

    def done(
        self, state: State | None, opened: Opened, mapped: Mapped = map
    ) -> Iterable[tuple[Row, Measurement]]:
        """Yield the measurement of each row; `mapped` works on several at a time."""


def loaded(name: str) -> Statistic:
    """Return a statistic by its name."""
    return cast("Statistic", load("statistics", name))
