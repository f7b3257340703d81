"""Windows of a probability map into sums: checked, turned into probabilities, in pieces for the cache."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.statistics.soft.activation import Activated, activated, largest
from dicecli.statistics.soft.checks import Watch, check_sums, check_values
from dicecli.statistics.soft.sums import LEAST, SoftSums
from dicecli.statistics.soft.tally import PIECE, Tally, edges

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dicecli.records.measurements import Row
    from dicecli.records.softness import Softness

#: Pieces that one share of a window has, and the least pixels of a piece.
_PIECES = 8
_LEAST_PIECE = 1 << 12
#: A range of labels up to this width is looked up in a table, a wider one by bisection.
_TABLE = 1 << 17


@dataclass(frozen=True)
class Meaning:
    """What the stored labels of a reference are to the channels.

    Attributes
    ----------
    stored : numpy.ndarray
        int64, sorted: every label that the reference holds.
    is_kept : numpy.ndarray
        bool, ``(len(stored),)``: False for ignored labels and nodata.
    is_inside : numpy.ndarray
        bool, ``(C, len(stored))``: whether a label belongs to a channel.
    """

    stored: np.ndarray
    is_kept: np.ndarray
    is_inside: np.ndarray
    _table: np.ndarray | None = field(default=None, repr=False)

    @classmethod
    def of(cls, meant: Mapping[int, int | None], channels: Sequence[Row]) -> Meaning:
        """Build it from what each stored label means; None is to be left out."""
        stored = np.array(sorted(meant), np.int64)
        kept = np.array([meant[label] is not None for label in stored.tolist()], bool)
        inside = np.array(
            [[meant[label] in each.members for label in stored.tolist()] for each in channels], bool
        ).reshape(len(channels), len(stored))
        table = None
        if stored.size and int(stored[-1]) - int(stored[0]) < _TABLE:
            table = np.zeros(int(stored[-1]) - int(stored[0]) + 1, np.intp)
            table[stored - stored[0]] = np.arange(stored.size)
        return cls(stored, kept, inside, table)

    def codes(self, labels: np.ndarray) -> np.ndarray:
        """Return the place of each label among :attr:`stored`."""
        if self._table is None:
            return np.searchsorted(self.stored, labels)
        return self._table[labels.astype(np.intp) - int(self.stored[0])]


class Summing:
    """Sums over the windows of one map.

    Parameters
    ----------
    meaning : Meaning
        Of the channels, then of the regions.
    softness : Softness
    channels : int
    regions : numpy.ndarray, optional
        bool, ``(R, C)``: the channels that each region's probability is the sum of.

    Attributes
    ----------
    watch : Watch
        What was seen so far.
    """

    def __init__(
        self, meaning: Meaning, softness: Softness, channels: int, regions: np.ndarray | None = None
    ) -> None:
        self._meaning, self._softness, self._channels = meaning, softness, channels
        self._regions = np.zeros((0, channels), bool) if regions is None else regions
        self._rows = channels + len(self._regions)
        self._excludes = softness.excludes(channels)
        self.watch = Watch()

    def nothing(self) -> SoftSums:
        """Return the sums over no pixel."""
        return SoftSums.empty(self._rows, joint=self._channels if self._excludes else 0)

    def window(
        self,
        labels: np.ndarray,
        values: Sequence[np.ndarray],
        missing: np.ndarray | None,
        mapped: Callable[..., Any] = map,
    ) -> SoftSums:
        """Return the sums of one window.

        Parameters
        ----------
        labels : numpy.ndarray
            Stored labels of the reference, ``(n,)``.
        values : sequence of numpy.ndarray
            Of each channel, as stored, ``(n,)``.
        missing : numpy.ndarray or None
            bool, ``(n,)``: where nothing is known, and so every probability is 0.
        mapped : callable
            As :func:`map`: what works on shares of the window, in their order.

        Raises
        ------
        NotProbabilities
            Values outside [0, 1], NaN, or sums other than 1.
        """
        step = max(_LEAST_PIECE, PIECE // self._rows)
        starts = range(0, labels.size, step * _PIECES)
        total = self.nothing()
        share = partial(self._share, labels, values, missing, step)
        for sums, watch in mapped(share, starts):
            total += sums
            self.watch.merge(watch)
        return total

    def _share(
        self,
        labels: np.ndarray,
        values: Sequence[np.ndarray],
        missing: np.ndarray | None,
        step: int,
        start: int,
    ) -> tuple[SoftSums, Watch]:
        """Return the sums of some pieces of `step` pixels, and what was seen in them."""
        dtype = values[0].dtype if self._softness.logits is None else np.dtype(np.float64)
        tally, watch = Tally(self._rows, edges(dtype), joint=self._channels if self._excludes else 0), Watch()
        watch.has_fractions = self.watch.has_fractions
        for at in range(start, min(labels.size, start + step * _PIECES), step):
            part = slice(at, at + step)
            codes = self._meaning.codes(labels[part])
            kept = self._meaning.is_kept[codes]
            block = np.array([each[part] for each in values], np.float64)
            gone = None if missing is None else missing[part]
            if not kept.all():
                codes, block = codes[kept], np.ascontiguousarray(block[:, kept])
                gone = None if gone is None else gone[kept]
            if codes.size:
                self._add(tally, watch, block, codes, None if gone is None or not gone.any() else gone)
        return tally.total(), watch

    def _add(
        self, tally: Tally, watch: Watch, block: np.ndarray, codes: np.ndarray, gone: np.ndarray | None
    ) -> None:
        """Add a piece: values ``(C, n)``, the reference's labels as places among the stored ones."""
        softness = self._softness
        if gone is not None:
            watch.missing += int(gone.sum())
            block[:, gone] = 0
        check_values(block, softness, watch)
        g = self._meaning.is_inside[: self._channels, codes]
        found = activated(block, g, softness.logits, softness.temperature)
        if gone is not None and softness.logits is not None:
            found = _without(found, g, gone)  # a logit of 0 is no probability of 0
        tally.add(*self._with_regions(found, g, codes))
        if not self._excludes:
            return
        if softness.logits is None:
            check_sums(found.p, gone)
        index = self._meaning.is_inside[: self._channels].argmax(axis=0)[codes]
        with np.errstate(divide="ignore"):
            log_p = np.log(_own(found.p, index)) if found.log_p is None else _own(found.log_p, index)
        tally.add_joint(largest(block), found.p.max(axis=0), index, -log_p)

    def _with_regions(
        self, found: Activated, g: np.ndarray, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return p, g, cross-entropy and how often that was bounded: of the channels, then of the regions."""
        if not len(self._regions):
            return found.p, g, found.entropy, found.bounded
        inside = self._meaning.is_inside[self._channels :, codes]
        summed = np.minimum(1, self._regions.astype(np.float64) @ found.p)
        region = activated(summed, inside, None, 1.0)
        pairs = (
            (found.p, summed),
            (g, inside),
            (found.entropy, region.entropy),
            (found.bounded, region.bounded),
        )
        p, g, entropy, bounded = map(np.concatenate, pairs)
        return p, g, entropy, bounded


def _own(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Return at each pixel the value of one channel: ``(C, n)`` and ``(n,)`` to ``(n,)``."""
    own: np.ndarray = np.take_along_axis(values, index[None], 0)[0]
    return own


def _without(found: Activated, g: np.ndarray, gone: np.ndarray) -> Activated:
    """Predict nothing where nothing is known: what the reference has is missed, at the largest cost."""
    p, entropy = found.p.copy(), found.entropy.copy()
    p[:, gone] = 0
    entropy[:, gone] = np.where(g[:, gone], -math.log(LEAST), 0.0)
    log_p = found.log_p
    if log_p is not None:
        log_p = log_p.copy()
        log_p[:, gone] = -math.inf
    return Activated(p, entropy, found.bounded + (g & gone).sum(axis=1), log_p)
