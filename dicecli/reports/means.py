"""Means of values of which some may be undefined, and some infinite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable


class Average(NamedTuple):
    """One average of one metric; ``float(average)`` and ``f"{average:.3f}"`` are of its value.

    Attributes
    ----------
    value : float
        NaN where nothing defined went in; infinite where any value is.
    n : int
        How many values (of ``micro``: sets of measurements) went in.
    undefined : int
        How many values were left out because they are undefined, before any of them was averaged.
    infinite : int
        How many values are infinite, before any of them was averaged: cases that were missed altogether.
    finite : float
        The mean of the others, NaN where there is none.

    Examples
    --------
    >>> from dicecli.reports.means import mean
    >>> average = mean([0.5, float("nan"), 1.0])
    >>> float(average), average.n, average.undefined, f"{average:.2f}"
    (0.75, 2, 1, '0.75')
    """

    value: float
    n: int
    undefined: int
    infinite: int = 0
    finite: float = math.nan

    def __float__(self) -> float:
        return self.value

    def __format__(self, spec: str) -> str:
        return format(self.value, spec) if spec else str(self)


def mean(values: Iterable[float]) -> Average:
    """Return the mean of the values that are not NaN, summed exactly; of none it is NaN, never 0."""
    every = list(values)
    kept = [value for value in every if not math.isnan(value)]
    finite = kept if all(map(math.isfinite, kept)) else [value for value in kept if math.isfinite(value)]
    rest = math.fsum(finite) / len(finite) if finite else math.nan
    return Average(
        _infinite(kept) if len(finite) < len(kept) else rest,
        len(kept),
        len(every) - len(kept),
        len(kept) - len(finite),
        rest,
    )


def _infinite(values: Iterable[float]) -> float:
    """Return the mean of values of which some are infinite: NaN where these are of both signs."""
    ends = {value for value in values if math.isinf(value)}
    return ends.pop() if len(ends) == 1 else math.nan


def weighted_mean(values: Iterable[float], weights: Iterable[float]) -> Average:
    """Return the mean of the values that are not NaN, weighted; NaN where no weight is left."""
    pairs = list(zip(values, weights, strict=True))
    kept = [(value, weight) for value, weight in pairs if not math.isnan(value)]
    total = math.fsum(weight for _, weight in kept)
    if not total:
        return Average(math.nan, 0, len(pairs))
    finite = [(value, weight) for value, weight in kept if math.isfinite(value)]
    left = total if len(finite) == len(kept) else math.fsum(weight for _, weight in finite)
    rest = math.fsum(value * weight for value, weight in finite) / left if left else math.nan
    missed = [value for value, weight in kept if math.isinf(value) and weight]
    value = _infinite(missed) if missed else rest
    return Average(value, len(kept), len(pairs) - len(kept), len(kept) - len(finite), rest)
