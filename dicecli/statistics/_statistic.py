"""What a statistic is, as far as the pass knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, cast

from dicecli.plugins import load

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

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

    def done(self, state: State | None, opened: Opened) -> Iterable[tuple[Row, Measurement]]:
        """Yield the measurement of each row."""


def statistic(name: str) -> Statistic:
    """Return a statistic by its name."""
    return cast("Statistic", load("statistics", name))
