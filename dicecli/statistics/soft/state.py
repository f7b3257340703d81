"""Blocks of a probability map into sums: checked, turned into probabilities, in pieces for the cache."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.statistics.soft.activation import Activated, activated, largest
from dicecli.statistics.soft.checks import Watch, check_sums, check_values
from dicecli.statistics.soft.sums import LEAST, SoftSums
from dicecli.statistics.soft.tally import PIECE, Tally, edges

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.records.probabilities import Probabilities
    from dicecli.statistics._opened import Block, Opened

#: Pieces that one share of a block has, and the least pixels of a piece.
_PIECES = 8
_LEAST_PIECE = 1 << 12


class Summing:
    """Sums over some blocks of one map.

    Attributes
    ----------
    options : Probabilities
    sums : SoftSums
        Of the channels, then of the regions.
    watch : Watch
        What was seen so far.
    """

    def __init__(self, opened: Opened, options: Probabilities) -> None:
        self.options = options
        self._channels = len(opened.channels)
        self._rows = self._channels + len(opened.regions)
        self._excludes = options.excludes(self._channels)
        self._order = opened.order
        # Whether a row of the reference, by its place, belongs to a channel or region; 0 is no row.
        self._is_inside = np.zeros((self._rows, len(opened.rows) + 1), bool)
        for at, channel in enumerate((*opened.channels, *opened.regions)):
            self._is_inside[at, 1:] = [row.label in channel.members for row in opened.rows]
        # The channels that each region's probability is the sum of.
        self._regions = np.array(
            [[each.label in region.members for each in opened.channels] for region in opened.regions], bool
        ).reshape(len(opened.regions), self._channels)
        self.sums = SoftSums.empty(self._rows, joint=self._channels if self._excludes else 0)
        self.watch = Watch()

    def __add__(self, other: object) -> Summing:
        if not isinstance(other, Summing):
            return NotImplemented
        total = object.__new__(Summing)
        vars(total).update(vars(self))
        total.sums, total.watch = self.sums + other.sums, Watch()
        total.watch.merge(self.watch)
        total.watch.merge(other.watch)
        return total

    def add(self, block: Block, mapped: Callable[..., Any] = map) -> None:
        """Add a block; `mapped` works on shares of it, in their order.

        Raises
        ------
        NotProbabilities
            Values outside [0, 1], NaN, or sums other than 1.
        """
        codes, *values = (self._flat(each, block) for each in (block.reference[0], *block.prediction))
        ignored, unknown = (
            None if each is None else self._flat(each, block) for each in (block.ignored, block.unknown)
        )
        step = max(_LEAST_PIECE, PIECE // self._rows)
        share = partial(self._share, codes, values, ignored=ignored, unknown=unknown, step=step)
        for sums, watch in mapped(share, range(0, codes.size, step * _PIECES)):
            self.sums += sums
            self.watch.merge(watch)

    def _flat(self, array: np.ndarray, block: Block) -> np.ndarray:
        """Return a block's own pixels in the order of the files."""
        flat: np.ndarray = array[block.inner].ravel("F" if self._order == "F" else "C")
        return flat

    def _share(
        self,
        codes: np.ndarray,
        values: Sequence[np.ndarray],
        start: int,
        *,
        ignored: np.ndarray | None,
        unknown: np.ndarray | None,
        step: int,
    ) -> tuple[SoftSums, Watch]:
        """Return the sums of some pieces of `step` pixels, and what was seen in them."""
        dtype = values[0].dtype if self.options.logits is None else np.dtype(np.float64)
        tally, watch = Tally(self._rows, edges(dtype), joint=self._channels if self._excludes else 0), Watch()
        watch.has_fractions = self.watch.has_fractions
        for at in range(start, min(codes.size, start + step * _PIECES), step):
            part = slice(at, at + step)
            places, block = codes[part], np.array([each[part] for each in values], np.float64)
            gone = None if unknown is None else unknown[part]
            if ignored is not None and ignored[part].any():
                kept = ~ignored[part]
                places, block = places[kept], np.ascontiguousarray(block[:, kept])
                gone = None if gone is None else gone[kept]
            if places.size:
                self._add(tally, watch, block, places, None if gone is None or not gone.any() else gone)
        return tally.total(), watch

    def _add(
        self, tally: Tally, watch: Watch, block: np.ndarray, codes: np.ndarray, gone: np.ndarray | None
    ) -> None:
        """Add a piece: values ``(C, n)``, the reference as places among the rows."""
        options = self.options
        if gone is not None:
            watch.missing += int(gone.sum())
            block[:, gone] = 0
        check_values(block, options, watch)
        g = self._is_inside[: self._channels, codes]
        found = activated(block, g, options.logits, options.temperature)
        if gone is not None and options.logits is not None:
            found = _without(found, g, gone)  # a logit of 0 is no probability of 0
        tally.add(*self._with_regions(found, g, codes))
        if not self._excludes:
            return
        if options.logits is None:
            check_sums(found.p, gone)
        index = self._is_inside[: self._channels].argmax(axis=0)[codes]
        with np.errstate(divide="ignore"):
            log_p = np.log(_own(found.p, index)) if found.log_p is None else _own(found.log_p, index)
        tally.add_joint(largest(block), found.p.max(axis=0), index, -log_p)

    def _with_regions(
        self, found: Activated, g: np.ndarray, codes: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Return p, g, cross-entropy and how often that was bounded: of the channels, then of the regions."""
        if not len(self._regions):
            return found.p, g, found.entropy, found.bounded
        inside = self._is_inside[self._channels :, codes]
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
