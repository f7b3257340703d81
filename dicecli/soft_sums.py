"""The statistic under every score of a probability map: sums over pixels, and histograms of probabilities.

With ``p`` the probability of a class at a pixel and ``g`` its reference, 0 or 1. Like the confusion matrix,
these sums are a commutative monoid: windows, files and processes can be added in any order and grouping.
Sums of fractions are added as whole numbers of 2^-1074, the smallest step of float64, so that nothing is
rounded when they are put together, however many there are.
"""

from __future__ import annotations

import math
import operator
from dataclasses import dataclass, fields
from functools import reduce
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dicecli.confusion import ConfusionMatrix
from dicecli.soft_forms import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

#: Thresholds are multiples of 1/STEPS; the histograms have a bin from each to the next, and one for 1.
STEPS = 1000
#: Calibration is looked at in so many bins of equal width; the last one holds 1 too.
BINS = 20
#: Probabilities are bounded by this where their logarithm is taken, 2^-52: so a pixel costs 36.04 at most.
LEAST = float(np.finfo(np.float64).eps)
#: Probabilities that are worked on at a time: all that is made of them stays in a core's cache.
PIECE = 1 << 16
#: Of the whole numbers that stand for fractions.
_UNIT = 1 << 1074
_WIDTH = STEPS // BINS


def exact(value: float) -> int:
    """Return a finite float64 as a whole number of 2^-1074, which it always is."""
    above, below = value.as_integer_ratio()
    return above << (1075 - below.bit_length())


def rounded(value: int) -> float:
    """Return the float64 nearest to so many times 2^-1074."""
    return value / _UNIT


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
        Pixels whose cross-entropy would be infinite, so that p was bounded by :data:`LEAST`.
    confidence : tuple of int
        Σp in each of the :data:`BINS`, in the same units.
    inside, outside : numpy.ndarray
        int64, shape ``(STEPS + 1,)``: how many pixels with g = 1, and with g = 0, have p in each bin.
    """

    overlap: int
    prediction: int
    squared: int
    cross_entropy: int
    brier: int
    bounded: int
    confidence: tuple[int, ...]
    inside: np.ndarray
    outside: np.ndarray

    @classmethod
    def empty(cls) -> Self:
        """Return the sums over no pixel."""
        nothing = np.zeros(STEPS + 1, np.int64)
        return cls(0, 0, 0, 0, 0, 0, (0,) * BINS, nothing, nothing)

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
            rounded(self.overlap), rounded(self.prediction), rounded(self.squared), float(self.reference)
        )

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
        Pixels where that p is 0, and was bounded by :data:`LEAST`.
    confidence : tuple of int
        Σ of the largest p in each of the :data:`BINS`, in the same units.
    most, hits : numpy.ndarray
        int64, shape ``(BINS,)``: pixels whose largest p is in each bin; and those of them where that class
        is the reference's.
    table : numpy.ndarray
        int64, ``(C, C)``: pixels by the reference's class and that of the largest p, the first of equals.
    """

    cross_entropy: int
    bounded: int
    confidence: tuple[int, ...]
    most: np.ndarray
    hits: np.ndarray
    table: np.ndarray

    @classmethod
    def empty(cls, classes: int) -> Self:
        """Return the sums over no pixel."""
        nothing = np.zeros(BINS, np.int64)
        return cls(0, 0, (0,) * BINS, nothing, nothing, np.zeros((classes, classes), np.int64))

    def confusion(self, labels: Sequence[int]) -> ConfusionMatrix:
        """Return the table as a confusion matrix of the labels that the classes have."""
        numbers = np.array(labels, np.int64)
        return ConfusionMatrix.from_pairs(numbers, numbers, self.table)

    def __add__(self, other: Self) -> Self:
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
        return cls((ChannelSums.empty(),) * channels, JointSums.empty(joint) if joint else None)

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
    return reduce(operator.add, channels, ChannelSums.empty())


def edges(dtype: np.dtype) -> np.ndarray:
    """Return the thresholds as values of a type, so that a stored 0.7 reaches 0.7 whatever its type.

    Returns
    -------
    numpy.ndarray
        float64, ``(STEPS + 2,)``: the lower end of each bin, and infinity.
    """
    steps = np.arange(STEPS + 1) / STEPS
    stored = steps.astype(dtype) if np.dtype(dtype).kind == "f" else steps
    return np.append(stored.astype(np.float64), np.inf)


class Tally:
    """Adds up pieces of a window; what they give is put together exactly.

    Parameters
    ----------
    channels : int
    lower : numpy.ndarray
        What :func:`edges` gives.
    joint : int
        How many of the channels, the first ones, exclude each other; 0 where none do.
    """

    def __init__(self, channels: int, lower: np.ndarray, *, joint: int = 0) -> None:
        self._lower = lower
        self._fractions: list[np.ndarray] = []
        self._of_joint: list[np.ndarray] = []
        self._histogram = np.zeros((channels, 2, STEPS + 1), np.int64)
        self._bounded = np.zeros(channels, np.int64)
        self._joint = JointSums.empty(joint) if joint else None

    def add(self, p: np.ndarray, g: np.ndarray, entropy: np.ndarray, bounded: np.ndarray) -> None:
        """Add a piece.

        Parameters
        ----------
        p : numpy.ndarray
            float64, ``(C, n)``, within [0, 1].
        g : numpy.ndarray
            bool, ``(C, n)``.
        entropy : numpy.ndarray
            float64, ``(C, n)``: the binary cross-entropy of each.
        bounded : numpy.ndarray
            int64, ``(C,)``: how many of those had to be bounded.
        """
        channels = len(p)
        bins = bins_of(p, self._lower)
        bins += np.arange(0, 2 * channels, 2)[:, None] * (STEPS + 1)
        bins += g * (STEPS + 1)
        size = 2 * channels * (STEPS + 1)
        flat = bins.reshape(-1)
        self._histogram += np.bincount(flat, minlength=size).reshape(self._histogram.shape)
        weight = np.bincount(flat, p.reshape(-1), size).reshape(channels, 2, STEPS + 1).sum(axis=1)
        overlap = (p * g).sum(axis=1)
        squares = np.square(p)
        whole = [overlap, p.sum(axis=1), squares.sum(axis=1), entropy.sum(axis=1)]
        np.subtract(p, g, out=squares)
        np.square(squares, out=squares)
        whole.append(squares.sum(axis=1))
        self._fractions.append(np.column_stack([*whole, _by_bin(weight)]))
        self._bounded += bounded

    def add_joint(self, top: np.ndarray, largest: np.ndarray, index: np.ndarray, entropy: np.ndarray) -> None:
        """Add what concerns all channels of a piece together.

        Parameters
        ----------
        top, index : numpy.ndarray
            Integers, ``(n,)``: the channel of the largest p, and that of the reference.
        largest : numpy.ndarray
            float64, ``(n,)``: that largest p.
        entropy : numpy.ndarray
            float64, ``(n,)``: -log p of the reference's channel, infinite where that is 0.
        """
        if self._joint is None:
            raise ValueError("these channels do not exclude each other")
        classes = len(self._joint.table)
        at = np.minimum(bins_of(largest, self._lower) // _WIDTH, BINS - 1)
        is_hit = top == index
        infinite = np.isinf(entropy)
        bounded = int(infinite.sum())
        if bounded:
            entropy = np.where(infinite, -math.log(LEAST), entropy)
        self._of_joint.append(np.append(np.bincount(at, largest, BINS), entropy.sum()))
        self._joint += JointSums(
            0,
            bounded,
            (0,) * BINS,
            np.bincount(at, minlength=BINS),
            np.bincount(at[is_hit], minlength=BINS),
            np.bincount(index * classes + top, minlength=classes**2).reshape(classes, classes),
        )

    def total(self) -> SoftSums:
        """Return the sums of all pieces."""
        channels = []
        for number, counts in enumerate(self._histogram):
            overlap, prediction, squared, entropy, brier, *confidence = _totals(
                [piece[number] for piece in self._fractions], 5 + BINS
            )
            bounded = int(self._bounded[number])
            channels.append(
                ChannelSums(
                    overlap,
                    prediction,
                    squared,
                    entropy,
                    brier,
                    bounded,
                    tuple(confidence),
                    counts[1],
                    counts[0],
                )
            )
        joint = self._joint
        if joint is not None:
            *confidence, entropy = _totals(self._of_joint, BINS + 1)
            nothing = JointSums.empty(len(joint.table))
            joint += JointSums(entropy, 0, tuple(confidence), nothing.most, nothing.hits, nothing.table)
        return SoftSums(tuple(channels), joint)


def _totals(pieces: Sequence[np.ndarray], width: int) -> list[int]:
    """Add float64 values column by column, exactly: so it does not matter which pieces were added where."""
    columns = np.array(pieces).reshape(-1, width).T
    return [sum(map(exact, column)) for column in columns.tolist()]


def bins_of(p: np.ndarray, lower: np.ndarray) -> np.ndarray:
    """Return the bin that each probability lies in: the last one whose lower end it reaches."""
    bins = (p * STEPS).astype(np.intp)
    # The product is rounded, and so may be one off.
    bins -= p < lower[bins]
    bins += p >= lower[bins + 1]
    return bins


def _by_bin(weight: np.ndarray) -> np.ndarray:
    """Add up the fine bins into the :data:`BINS`, 1 itself into the last."""
    merged: np.ndarray = weight[:, :STEPS].reshape(len(weight), BINS, _WIDTH).sum(axis=2)
    merged[:, -1] += weight[:, STEPS]
    return merged
