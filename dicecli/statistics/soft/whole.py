"""What the pass and the reports ask of the statistic, but for what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.measurements import IMAGE
from dicecli.statistics.soft.checks import refuse_hard, remarks
from dicecli.statistics.soft.measured import (
    COLUMNS,
    FACTS,
    every,
    facts,
    is_there,
    sizes,
    taken,
    weight,
    wrong,
)
from dicecli.statistics.soft.state import Summing
from dicecli.statistics.soft.summands import SUMMANDS
from dicecli.statistics.soft.sums import ChannelSums, JointSums

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Opened

__all__ = [
    "COLUMNS",
    "FACTS",
    "MEASURES",
    "OPTIONS",
    "SUMMANDS",
    "begin",
    "done",
    "every",
    "facts",
    "halo",
    "is_there",
    "notes",
    "sizes",
    "taken",
    "weight",
    "wrong",
]

OPTIONS = ("soft",)
#: Of each channel, and of regions that are sums of channels; of the image where channels exclude each other.
MEASURES = {"label": ChannelSums, "region": ChannelSums, "image": JointSums}


def halo(opened: Opened, options: Mapping[str, Any]) -> int:
    """Return 0: a pixel needs no other one."""
    del opened, options
    return 0


def begin(opened: Opened, options: Mapping[str, Any]) -> Summing:
    """Return the sums over no pixel."""
    return Summing(opened, options["soft"])


def done(
    state: Summing, opened: Opened, mapped: Mapped = map
) -> Iterator[tuple[Row, ChannelSums | JointSums]]:
    """Yield the sums of each channel, then of each region that is a sum of channels; then of all together.

    Raises
    ------
    NotProbabilities
        The map holds nothing but 0 and 1.
    """
    del mapped
    refuse_hard(state.watch, state.options)
    yield from zip((*opened.channels, *opened.regions), state.sums.channels, strict=True)
    if state.sums.joint is not None:
        yield IMAGE, state.sums.joint


def notes(state: Summing, opened: Opened) -> list[str]:
    """Say what was seen of the whole map."""
    del opened
    return remarks(state.watch, state.sums, state.options)
