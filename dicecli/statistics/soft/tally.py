"""Adding up pieces of a probability map into its sums and histograms."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics.soft.sums import BINS, LEAST, STEPS, ChannelSums, JointSums, SoftSums, exact

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Probabilities that are worked on at a time: all that is made of them stays in a core's cache.
PIECE = 1 << 16
_WIDTH = STEPS // BINS


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
        self._joint = JointSums.zero(joint) if joint else None

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
            nothing = JointSums.zero(len(joint.table))
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
