"""The four integers that every overlap metric is a function of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Counts(NamedTuple):
    """How many pixels of one label, or of one region, two masks agree on.

    Python integers, so exact at any size. Merging is :func:`pooled`; the empty element is ``Counts()``.

    Attributes
    ----------
    tp : int
        True positives: both masks have the label.
    fp : int
        False positives: only the prediction has it.
    fn : int
        False negatives: only the reference has it.
    tn : int
        True negatives: neither has it.
    """

    tp: int = 0
    fp: int = 0
    fn: int = 0
    tn: int = 0

    @property
    def reference(self) -> int:
        """Pixels that have the label in the reference."""
        return self.tp + self.fn

    @property
    def prediction(self) -> int:
        """Pixels that have the label in the prediction."""
        return self.tp + self.fp

    @property
    def total(self) -> int:
        """All pixels that were counted."""
        return self.tp + self.fp + self.fn + self.tn


def pooled(many: Iterable[Counts]) -> Counts:
    """Add counts number by number; the sum of none is ``Counts(0, 0, 0, 0)``."""
    tp = fp = fn = tn = 0
    for counts in many:
        tp += counts.tp
        fp += counts.fp
        fn += counts.fn
        tn += counts.tn
    return Counts(tp, fp, fn, tn)
