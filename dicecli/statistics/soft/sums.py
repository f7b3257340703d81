"""The statistic under every score of a probability map: sums over pixels, and histograms of probabilities.

With ``p`` the probability of a class at a pixel and ``g`` its reference, 0 or 1. Like the confusion matrix,
these sums are a commutative monoid: windows, files and processes can be added in any order and grouping.
Sums of fractions are added as whole numbers of 2^-1074, the smallest step of float64, so that nothing is
rounded when they are put together, however many there are. Within a piece of a window they are rounded as
NumPy adds floats, so that another plan of windows can change the last digit.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, fields
from functools import reduce
from typing import TYPE_CHECKING, Annotated, Any, Self, overload

import numpy as np

from dicecli.records.measurements import Least, Most, Shape, Whole
from dicecli.records.wholes import real
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics.soft.forms import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from dicecli.records.wholes import Large, Wholes

#: Thresholds are multiples of 1/STEPS; the histograms have a bin from each to the next, and one for 1.
STEPS = 1000
#: Calibration is looked at in so many bins of equal width; the last one holds 1 too.
BINS = 20
#: What a probability of 0 counts as where its logarithm is taken, 2^-52: such a pixel costs 36.04.
LEAST = float(np.finfo(np.float64).eps)
#: Of the whole numbers that stand for fractions.
_EXPONENT = -1074
_UNIT = 1 << -_EXPONENT
#: The type of a sum of them: of fewer pixels than 2^128, at :data:`LEAST` each.
Sum = Annotated[int, Least(0), Most(1 << 1074 + 128 + 6)]


def exact(value: float) -> int:
    """Return a finite float64 as a whole number of 2^-1074, which it always is."""
    above, below = value.as_integer_ratio()
    return above << (1075 - below.bit_length())


@overload
def rounded(value: int) -> float: ...
@overload
def rounded(value: Wholes | Large) -> np.ndarray: ...
def rounded(value: int | Wholes | Large) -> float | np.ndarray:
    """Return the float64 nearest to so many times 2^-1074; of many an array of them."""
    return value / _UNIT if isinstance(value, int) else value.scaled(_EXPONENT)


@dataclass(frozen=True, eq=False)
class ChannelSums:
    """What is summed over the pixels of one class.

    Attributes
    ----------
    overlap, prediction, squared : int
        Σpg, Σp and Σp², in units of 2^-1074.
    cross_entropy, brier : int
        Σ -(g log p + (1 - g) log(1 - p)) and Σ(p - g)², in the same units.
    bounded : int
        Pixels whose cross-entropy would be infinite, so that p was bounded by 2^-52.
    confidence : tuple of int
        Σp in each of 20 bins of equal width, in the same units.
    inside, outside : numpy.ndarray
        int64, shape ``(STEPS + 1,)``: how many pixels with g = 1, and with g = 0, have p in each bin: from a
        threshold to the next, and 1 alone.
    """

    overlap: Sum
    prediction: Sum
    squared: Sum
    cross_entropy: Sum
    brier: Sum
    bounded: Whole
    confidence: tuple[Sum, ...]
    inside: Annotated[np.ndarray, Shape((STEPS + 1,))]
    outside: Annotated[np.ndarray, Shape((STEPS + 1,))]

    @classmethod
    def zero(cls) -> Self:
        """Return the sums over no pixel."""
        nothing = np.zeros(STEPS + 1, np.int64)
        return cls(0, 0, 0, 0, 0, 0, (0,) * BINS, nothing, nothing)

    def check(self) -> None:
        """Raise ValueError where these are no sums: another number of bins."""
        if len(self.confidence) != BINS:
            raise ValueError(f"confidence has {len(self.confidence)} bins, not {BINS}")

    @property
    def pixels(self) -> int:
        """The number of pixels."""
        return int(self.inside.sum()) + int(self.outside.sum())

    @property
    def reference(self) -> int:
        """Σg, the number of pixels of the class in the reference."""
        return int(self.inside.sum())

    @property
    def sums(self) -> Sums:
        """What the forms of soft Dice are made of, as floats."""
        return Sums(
            rounded(self.overlap), rounded(self.prediction), rounded(self.squared), real(self.reference)
        )

    @property
    def bins(self) -> tuple[list[int], list[int]]:
        """The histograms inside and outside in :data:`BINS` bins of equal width, 1 itself in the last."""
        merged = [each[:STEPS].reshape(BINS, -1).sum(axis=1).tolist() for each in self._histograms]
        for counts, each in zip(merged, self._histograms, strict=True):
            counts[-1] += int(each[STEPS])
        return merged[0], merged[1]

    @property
    def _histograms(self) -> tuple[np.ndarray, np.ndarray]:
        return self.inside, self.outside

    def __add__(self, other: Self) -> Self:
        added: Self = _added(self, other)
        return added

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _equal(self, other)

    __hash__ = None  # type: ignore[assignment]  # compared by value and built from mutable arrays


@dataclass(frozen=True, eq=False)
class JointSums:
    """What is summed over the pixels of classes of which each pixel has exactly one.

    Attributes
    ----------
    cross_entropy : int
        Σ -log p of the reference's class, in units of 2^-1074.
    bounded : int
        Pixels where that p is 0, and was bounded by 2^-52.
    confidence : tuple of int
        Σ of the largest p in each of 20 bins of equal width, in the same units.
    most, hits : numpy.ndarray
        int64, shape ``(BINS,)``: pixels whose largest p is in each bin; and those of them where that class
        is the reference's.
    table : numpy.ndarray
        int64, ``(C, C)``: pixels by the reference's class and that of the largest p, the first of equals.
    """

    cross_entropy: Sum
    bounded: Whole
    confidence: tuple[Sum, ...]
    most: Annotated[np.ndarray, Shape((BINS,))]
    hits: Annotated[np.ndarray, Shape((BINS,))]
    table: Annotated[np.ndarray, Shape((None, None))]

    @classmethod
    def zero(cls, classes: int = 0) -> Self:
        """Return the sums over no pixel of so many classes."""
        nothing = np.zeros(BINS, np.int64)
        return cls(0, 0, (0,) * BINS, nothing, nothing, np.zeros((classes, classes), np.int64))

    def check(self) -> None:
        """Raise ValueError where these are no sums: another number of bins, or a table that is not square."""
        if len(self.confidence) != BINS:
            raise ValueError(f"confidence has {len(self.confidence)} bins, not {BINS}")
        if self.table.shape[0] != self.table.shape[1]:
            raise ValueError("table is not square")

    def confusion(self, labels: Sequence[int]) -> ConfusionMatrix:
        """Return the table as a confusion matrix of the labels that the classes have."""
        numbers = np.array(labels, np.int64)
        return ConfusionMatrix.from_pairs(numbers, numbers, self.table)

    def __add__(self, other: Self) -> Self:
        if isinstance(other, JointSums) and len(self.table) != len(other.table):
            # Those of no class are the zero of any number of classes.
            if 0 not in {len(self.table), len(other.table)}:
                raise ValueError(f"{len(self.table)} classes and {len(other.table)} do not add up")
            return self if len(self.table) else other
        added: Self = _added(self, other)
        return added

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and _equal(self, other)

    __hash__ = None  # type: ignore[assignment]  # as above


@dataclass(frozen=True)
class SoftSums:
    """The sums of every channel of a probability map; of all of them together where they exclude each other.

    Attributes
    ----------
    channels : tuple of ChannelSums
        Those of regions, whose probability is a sum of channels', come last.
    joint : JointSums or None
        Of as many of them as its table has rows.
    """

    channels: tuple[ChannelSums, ...]
    joint: JointSums | None = None

    @classmethod
    def empty(cls, channels: int, *, joint: int = 0) -> Self:
        """Return the sums over no pixel; so many channels, the first `joint` of which exclude each other."""
        return cls((ChannelSums.zero(),) * channels, JointSums.zero(joint) if joint else None)

    def __add__(self, other: object) -> SoftSums:
        if not isinstance(other, SoftSums):
            return NotImplemented
        channels = tuple(map(operator.add, self.channels, other.channels))
        if self.joint is None or other.joint is None:
            return SoftSums(channels)
        return SoftSums(channels, self.joint + other.joint)


def _added(one: Any, other: Any) -> Any:
    if type(one) is not type(other):
        return NotImplemented
    values = ((getattr(one, each.name), getattr(other, each.name)) for each in fields(one))
    return type(one)(*(tuple(map(operator.add, a, b)) if isinstance(a, tuple) else a + b for a, b in values))


def _equal(one: Any, other: Any) -> bool:
    return all(np.array_equal(getattr(one, each.name), getattr(other, each.name)) for each in fields(one))


def pooled(channels: Iterable[ChannelSums]) -> ChannelSums:
    """Return the sums of several classes as if their pixels were those of one."""
    return reduce(operator.add, channels, ChannelSums.zero())
