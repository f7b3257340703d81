"""The four integers that every overlap metric is a function of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from dicecli.records.measurements import Whole  # noqa: TC001 - the codec reads types

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@dataclass(frozen=True, slots=True)
class Counts:
    """How many pixels of one label, or of one region, two masks agree on.

    Python integers, so exact at any size. Counts add up with ``+``; the zero is ``Counts()``. They unpack in
    the order of their fields.

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

    Examples
    --------
    >>> from dicecli import Counts
    >>> Counts(tp=3, fp=1) + Counts(tp=1, fn=2)
    Counts(tp=4, fp=1, fn=2, tn=0)
    >>> tp, fp, fn, tn = Counts(tp=3, fp=1)
    """

    tp: Whole = 0
    fp: Whole = 0
    fn: Whole = 0
    tn: Whole = 0

    @classmethod
    def zero(cls) -> Self:
        """Return the counts of no pixel."""
        return cls()

    def __add__(self, other: object) -> Counts:
        if not isinstance(other, Counts):
            return NotImplemented
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn, self.tn + other.tn)

    def __iter__(self) -> Iterator[int]:
        return iter((self.tp, self.fp, self.fn, self.tn))

    def __reduce__(self) -> tuple[Any, ...]:
        return Counts, (self.tp, self.fp, self.fn, self.tn)

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
