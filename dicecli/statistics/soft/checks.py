"""Whether the values of a map are probabilities; and what can be said once all of them were seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotProbabilities
from dicecli.statistics.soft.sums import LEAST
from dicecli.words import counted

if TYPE_CHECKING:
    from dicecli.records.probabilities import Probabilities
    from dicecli.statistics.soft.sums import SoftSums

#: How far the channels' sum may lie from 1.
_SUM_TOLERANCE = 1e-3
_PROPOSE = (
    "If they are logits, say which: --logits sigmoid, or --logits softmax for several channels that exclude "
    "each other."
)
#: How far beyond 0 and 1 interpolation may lead; what lies further is something else.
_OVERSHOOT = 0.25


@dataclass
class Watch:
    """What can be said of a map only once all of it was seen.

    Attributes
    ----------
    has_fractions : bool
        Whether any value lies strictly between 0 and 1.
    has_one : bool
        Whether any value is 1.
    is_within : bool
        Whether every value lies in [0, 1].
    missing : int
        Pixels with nodata where the reference is valid.
    """

    has_fractions: bool = False
    has_one: bool = False
    is_within: bool = True
    missing: int = 0

    def merge(self, other: Watch) -> None:
        """Take note of what another one has seen."""
        self.has_fractions |= other.has_fractions
        self.has_one |= other.has_one
        self.is_within &= other.is_within
        self.missing += other.missing

    def see(self, values: np.ndarray, low: float, high: float) -> None:
        """Take note of a piece, whose smallest and largest values are given."""
        self.is_within = self.is_within and low >= 0 and high <= 1
        self.has_one = self.has_one or high == 1
        if not self.has_fractions:
            self.has_fractions = bool(((values > 0) & (values < 1)).any())


def check_values(block: np.ndarray, options: Probabilities, watch: Watch) -> None:
    """Check that a piece, ``(C, n)``, holds probabilities, or finite logits; and take note of it.

    Raises
    ------
    NotProbabilities
    """
    low, high = float(block.min()), float(block.max())
    if options.logits is not None:
        if not (np.isfinite(low) and np.isfinite(high)):
            raise NotProbabilities(
                "its logits hold NaN or infinity", "Save them again without; float16 overflows beyond 65,504."
            )
    elif not (low >= 0 and high <= 1):
        raise _not_within(block, low, high)
    watch.see(block, low, high)


def _not_within(block: np.ndarray, low: float, high: float) -> NotProbabilities:
    if np.isnan(low):
        return NotProbabilities(
            f"it holds NaN ({int(np.isnan(block).sum()):,} such values in the block where the first was met)",
            "Save it again without. If NaN marks missing pixels of a GeoTIFF: --nodata ignore. " + _PROPOSE,
        )
    if low >= 0 and bool((block == np.rint(block)).all()):
        if high == 255:
            return NotProbabilities(
                "its values are integers up to 255: grey levels, or labels, not probabilities",
                "Divide grey levels by 255, as floats; score labels with 'dicecli score'.",
            )
        return NotProbabilities(
            f"its values are integers up to {high:g}: labels, not probabilities",
            "Score labels with 'dicecli score'; here the prediction is what the network gave before argmax. "
            "Divide grey levels by 255, and per cent by 100, as floats.",
        )
    return NotProbabilities(
        f"its values run from {low:.6g} to {high:.6g} in the block where one outside 0 to 1 was first met",
        _what_they_may_be(low, high),
    )


def _what_they_may_be(low: float, high: float) -> str:
    """Return the hint for values outside 0 to 1: only what such values can be is proposed."""
    if max(-low, high - 1) <= _OVERSHOOT:
        return f"If interpolation went beyond, clip them to 0 to 1. {_PROPOSE}"
    if low >= 0:
        return f"Divide grey levels by 255, and per cent by 100. {_PROPOSE}"
    return _PROPOSE


def check_sums(p: np.ndarray, gone: np.ndarray | None) -> None:
    """Check that channels which exclude each other, ``(C, n)``, sum to 1 wherever something is known.

    Raises
    ------
    NotProbabilities
    """
    total = p.sum(axis=0)
    if gone is not None:
        total[gone] = 1
    low, high = float(total.min()), float(total.max())
    if max(1 - low, high - 1) > _SUM_TOLERANCE:
        raise NotProbabilities(
            f"its {len(p)} channels sum to {low:.6g} up to {high:.6g} at a pixel; 1 is expected of channels "
            "that exclude each other",
            "If each is a probability of its own: --independent. If interpolation moved them, divide them by "
            "their sum. If they are logits, elsewhere below 0 or above 1: --logits softmax, or --logits "
            "sigmoid.",
        )


def refuse_hard(watch: Watch, options: Probabilities) -> None:
    """Refuse a map of nothing but 0 and 1, which is a mask; nothing but 0 may be what a network gave.

    Raises
    ------
    NotProbabilities
    """
    if options.logits is None and watch.has_one and not watch.has_fractions and not options.accept_labels:
        raise NotProbabilities(
            "it holds nothing but 0 and 1: a mask of labels, not probabilities",
            "Score labels with 'dicecli score'. If 0 and 1 are what the network gave: --accept-labels.",
        )


def remarks(watch: Watch, sums: SoftSums, options: Probabilities) -> list[str]:
    """Return what is to be said of a map of which all was seen."""
    notes = []
    is_empty = not any(each.pixels for each in sums.channels)
    if not (is_empty or watch.has_fractions or watch.has_one) and options.logits is None:
        notes.append("prediction: every probability is 0")
    if options.logits is not None and watch.is_within and watch.has_fractions:
        notes.append("prediction: every logit lies between 0 and 1: are they probabilities already?")
    if watch.missing:
        notes.append(
            f"prediction: {counted(watch.missing, 'pixel')} with nodata where the reference is valid "
            f"{'counts' if watch.missing == 1 else 'count'} as probability 0"
        )
    bounded = max(
        [each.bounded for each in sums.channels] + ([sums.joint.bounded] if sums.joint is not None else [])
    )
    if bounded:
        notes.append(
            f"prediction: at {counted(bounded, 'pixel')} it is certain and wrong: infinite cross-entropy, "
            f"bounded by p = {LEAST:.4g}"
        )
    return notes
