"""What metrics take of a map of probabilities: a class, and all of them together."""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields
from functools import cached_property, reduce
from typing import TYPE_CHECKING

from dicecli.records.measurements import IMAGE, Whole
from dicecli.statistics.soft.curves import Curve, curve
from dicecli.statistics.soft.sums import ChannelSums, JointSums, exact, pooled, rounded

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.counts import Counts
    from dicecli.records.measurements import Row


@dataclass(frozen=True)
class Channel:
    """One class, or several added up, in one case or in many.

    Attributes
    ----------
    sums : ChannelSums
    argmax : Counts or None
        The hard counts of the largest probability; None where channels do not exclude each other.
    """

    sums: ChannelSums
    argmax: Counts | None

    def __add__(self, other: object) -> Channel:
        if not isinstance(other, Channel):
            return NotImplemented
        hard = None if self.argmax is None or other.argmax is None else self.argmax + other.argmax
        return Channel(self.sums + other.sums, hard)

    @property
    def curve(self) -> Curve:
        """The exact counts at every threshold."""
        return curve(self.sums)

    @cached_property
    def best(self) -> tuple[float, float]:
        """The threshold with the largest Dice, and that Dice."""
        return self.curve.best

    @cached_property
    def half(self) -> Counts:
        """The hard counts of p >= 0.5."""
        return self.curve.counts(0.5)


@dataclass(frozen=True)
class Together:
    """All classes of a case, or of many.

    Attributes
    ----------
    evaluated : tuple of Channel
        Those that take part in averages.
    channels : tuple of ChannelSums
        All of them, the background's too.
    joint : JointSums or None
        Where they exclude each other.
    """

    evaluated: tuple[Channel, ...]
    channels: tuple[ChannelSums, ...]
    joint: JointSums | None

    @cached_property
    def pooled(self) -> ChannelSums:
        """The sums of all of them."""
        return pooled(self.channels)

    @property
    def pixels(self) -> int:
        """The pixels that sums over all of them are divided by: of channels of their own, each one's."""
        return self.pooled.pixels if self.joint is None else int(self.joint.table.sum())


@dataclass(frozen=True)
class Sizes:
    """The sums that soft Dice is made of, rounded to the nearest float64.

    Attributes
    ----------
    pg : float
        Σpg, with p the probability of the class at a pixel, and g its reference.
    p : float
        Σp.
    p2 : float
        Σp².
    g : int
        Σg.
    cross_entropy : float
        Σ -(g log p + (1 - g) log(1 - p)).
    brier : float
        Σ(p - g)².
    """

    pg: float
    p: float
    p2: float
    g: Whole
    cross_entropy: float
    brier: float


@dataclass(frozen=True)
class Facts:
    """What reports say of a class beside its scores.

    Attributes
    ----------
    reference_px : int
        Pixels of the class in the reference.
    expected_px : float
        Σp, the number of pixels that the map expects.
    sums : Sizes
        The sums over pixels, rounded to the nearest float64.
    """

    reference_px: Whole
    expected_px: float
    sums: Sizes


def facts(channel: Channel) -> Facts:
    """Return what reports say of a class."""
    sums = channel.sums
    pg, p, p2, g = sums.sums
    return Facts(
        sums.reference, p, Sizes(pg, p, p2, int(g), rounded(sums.cross_entropy), rounded(sums.brier))
    )


def sizes(channel: Channel) -> dict[str, float]:
    """Return what tables for people say of a class, by the column's title."""
    return {"reference px": channel.sums.reference, "expected px": rounded(channel.sums.prediction)}


def is_there(channel: Channel) -> bool:
    """Tell whether the reference has the class."""
    return channel.sums.reference > 0


def weight(channel: Channel) -> int:
    """Return the size of the class in the reference, by which averages weight it."""
    return channel.sums.reference


def wrong(channel: Channel) -> int:
    """Return how much of the class is wrong: Σp(1 - g) + Σ(1 - p)g, in units of 2^-1074."""
    sums = channel.sums
    return sums.prediction - 2 * sums.overlap + exact(float(sums.reference))


def rows_of(case: Scored) -> tuple[Row, ...]:
    """Return what the channels of a case are, then its regions that are sums of them."""
    return tuple(row for row in case.measured.rows("soft") if row.kind != "image")


def taken(case: Scored, rows: Sequence[Row]) -> list[Channel | None]:
    """Return each of some rows of a case; None where the map has no such channel."""
    found = case.measured["soft"]
    keys = {_key(row): row for row in found}
    hard = _hard(case)
    every: list[Channel | None] = []
    for row in rows:
        own = keys.get(_key(row))
        every.append(None if own is None else Channel(found[own], hard.get(own)))
    return every


def _key(row: Row) -> tuple[str, int | str | None]:
    return row.kind, row.name if row.kind == "region" else row.label


def _hard(case: Scored) -> dict[Row, Counts]:
    """Return the counts of the largest probability, where channels exclude each other."""
    rows, joint = rows_of(case), case.measured["soft"].get(IMAGE)
    if joint is None:
        return {}
    matrix = joint.confusion([row.members[0] for row in rows if row.kind == "label"])
    return {row: matrix.counts(row.members) for row in rows}


def every(cases: Sequence[Scored], evaluated: Sequence[Row]) -> Together:
    """Return all classes of some cases, their pixels added up as if they were those of one.

    Channels exclude each other together where they do in every case, and are the same ones in all.
    """
    order = dict.fromkeys(row for case in cases for row in rows_of(case))
    found = {row: ChannelSums.zero() for row in order}
    for case in cases:
        sums = case.measured["soft"]
        for row in rows_of(case):
            found[row] += sums[row]
    joints = [case.measured["soft"].get(IMAGE) for case in cases]
    joint = None
    if joints and None not in joints and all(rows_of(case) == tuple(order) for case in cases):
        joint = reduce(operator.add, joints)
    # Regions are sums of channels where these exclude each other, and channels of their own elsewhere.
    has_sums = any(each is not None for each in joints)
    of_channels = [row for row in evaluated if not (has_sums and row.kind == "region")]
    per_row = zip(*(taken(case, of_channels) for case in cases), strict=True)
    pools = [[each for each in row if each is not None] for row in per_row]
    channels = [sums for row, sums in found.items() if not (has_sums and row.kind == "region")]
    return Together(tuple(reduce(operator.add, each) for each in pools if each), tuple(channels), joint)


#: What JSON and rows say of a class, beside its scores; rows have those that are plain numbers.
FACTS = Facts
COLUMNS = tuple(each.name for each in fields(Facts) if each.name != "sums")
