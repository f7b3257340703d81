"""The numbers of one probability map: a row for each class, and the averages over them."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from dicecli.records.measurements import Row
    from dicecli.statistics.soft.sums import ChannelSums


class SoftRow(NamedTuple):
    """One class: its sums, and every score's value (NaN: undefined)."""

    channel: Row
    sums: ChannelSums
    values: dict[str, float]


@dataclass(frozen=True)
class SoftScores:
    """All numbers of one case, or of all cases pooled.

    Attributes
    ----------
    labels : tuple of SoftRow
        The evaluated classes, in the order of the channels.
    regions : tuple of SoftRow
        Those whose probability is the sum of their labels': they overlap, and are in no average.
    others : tuple of SoftRow
        Those that averages leave out: the background, and ignored labels.
    averages : dict of str to dict of str to float
        ``macro`` and ``micro``, by the score's name.
    undefined : dict of str to int
        How many undefined values ``macro`` leaves out, by the score's name.
    overall : dict of str to float
        Of all channels together.
    """

    labels: tuple[SoftRow, ...]
    regions: tuple[SoftRow, ...]
    others: tuple[SoftRow, ...]
    averages: dict[str, dict[str, float]]
    undefined: dict[str, int]
    overall: dict[str, float]

    @property
    def rows(self) -> tuple[SoftRow, ...]:
        """What reports have a row for: the evaluated classes, then the regions."""
        return (*self.labels, *self.regions)

    @property
    def has_argmax(self) -> bool:
        """Whether channels exclude each other, so that the largest probability decides."""
        return not math.isnan(self.overall["overall_accuracy"])
