"""Lists of distances from one surface to another, sorted: their mean, percentiles, and what lies near."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

import numpy as np

#: How a percentile of a list is found.
Rule = Literal["linear", "step", "index"]
#: A distance this little above a tolerance, in parts of it, is within: files keep spacings in float32.
TOLERANCE_SLACK = 1e-6
#: A share of weights this little below a percentile, in parts of it, has reached it: sums are rounded.
_SHARE_SLACK = 1e-9


@dataclass(frozen=True, eq=False)
class Distances:
    """The distances from the points of a surface, at least one, to another one; made by `of` and `pooled`.

    Attributes
    ----------
    values : numpy.ndarray
        float64, ascending, in the unit of the spacing.
    weights : numpy.ndarray or None
        float64, above 0, the length or area that each point stands for; ascending where distances are
        equal. None where each point counts once.
    """

    values: np.ndarray
    weights: np.ndarray | None = None

    def __post_init__(self) -> None:
        if not len(self.values):
            raise ValueError("a surface has at least one point, so a list has at least one distance")

    @property
    def largest(self) -> float:
        """The largest distance."""
        return float(self.values[-1])

    @property
    def total(self) -> float:
        """The sum of the weights, or the number of points where there are none."""
        return self._weight(len(self.values))

    def within(self, tolerance: float) -> float:
        """Return the weight, or the number, of the points that are at most a tolerance away."""
        return self._weight(int(np.searchsorted(self.values, tolerance * (1 + TOLERANCE_SLACK), "right")))

    def _weight(self, count: int) -> float:
        """Return the weight, or the number, of the nearest points."""
        return count if self.weights is None else math.fsum(self.weights[:count].tolist())


def of(values: np.ndarray, weights: np.ndarray | None = None) -> Distances:
    """Return a list of distances, with the weight of each or without, given in any order.

    Raises
    ------
    ValueError
        There are none.
    """
    return _sorted([values], None if weights is None else [weights], "quicksort")


def pooled(one: Distances, other: Distances) -> Distances:
    """Return the list of the distances of two lists.

    Raises
    ------
    ValueError
        One has weights, the other none.
    """
    values = [one.values, other.values]
    if one.weights is None and other.weights is None:
        return _sorted(values, None, "stable")
    if one.weights is None or other.weights is None:
        raise ValueError("a list with weights and one without them cannot be pooled")
    return _sorted(values, [one.weights, other.weights], "stable")


def _sorted(
    values: list[np.ndarray], weights: list[np.ndarray] | None, kind: Literal["quicksort", "stable"]
) -> Distances:
    """Return the parts of a list as one, by distance and then by weight."""
    if weights is None:
        together = np.concatenate(values).astype(np.float64, copy=False)
        together.sort(kind=kind)
        return Distances(together)
    # Complex numbers sort by one part, and then by the other.
    pairs = np.empty(sum(map(len, values)), np.complex128)
    pairs.real, pairs.imag = np.concatenate(values), np.concatenate(weights)
    pairs.sort(kind=kind)
    return Distances(pairs.real.copy(), pairs.imag.copy())


def mean(distances: Distances) -> float:
    """Return the mean, weighted where there are weights; it hangs on no order in which they were found."""
    values, weights = distances.values, distances.weights
    is_new = np.concatenate(([True], values[1:] != values[:-1]))
    if weights is not None:
        is_new[1:] |= weights[1:] != weights[:-1]
    starts = np.flatnonzero(is_new)
    counts = np.diff(starts, append=len(values))
    if weights is not None:
        counts = counts * weights[starts]
    return math.fsum((values[starts] * counts).tolist()) / math.fsum(counts.tolist())


def percentile(distances: Distances, percent: float, rule: Rule) -> float:
    """Return a percentile.

    Parameters
    ----------
    distances : Distances
        The list; its weights count for "step" alone.
    percent : float
        From 0 to 100; 99.9 is the decimal number, not the nearest binary one.
    rule : {"linear", "step", "index"}
        "linear" interpolates between neighbours as NumPy does: rank (n - 1) p / 100. "index" takes the rank
        below that. "step" takes the first distance at which the cumulated weight reaches p / 100 of all.

    Raises
    ------
    ValueError
        The percentage is not from 0 to 100, or there is no such rule.
    """
    if not 0 <= percent <= 100:
        raise ValueError(f"a percentage is from 0 to 100, not {percent}")
    values, last = distances.values, len(distances.values) - 1
    share = Fraction(str(percent)) / 100
    if rule == "linear":
        return _interpolated(values, last * (percent / 100))
    if rule == "index":
        return float(values[math.floor(last * share)])
    if rule == "step":
        return float(values[_reached(distances, share)])
    raise ValueError(f"{rule!r} is none of {', '.join(get_args(Rule))}")


def _interpolated(values: np.ndarray, rank: float) -> float:
    """Return the value at a rank between two, to the bit as `numpy.percentile` does."""
    below = math.floor(rank)
    one, other = float(values[below]), float(values[min(below + 1, len(values) - 1)])
    part = rank - below
    return one + (other - one) * part if part < 0.5 else other - (other - one) * (1 - part)


def _reached(distances: Distances, share: Fraction) -> int:
    """Return the first place at which a share of all weight is reached; exact where each counts once."""
    if distances.weights is None:
        return max(math.ceil(len(distances.values) * share) - 1, 0)
    cumulated = np.cumsum(distances.weights)
    return int(np.searchsorted(cumulated, float(share) * (1 - _SHARE_SLACK) * cumulated[-1], "left"))
