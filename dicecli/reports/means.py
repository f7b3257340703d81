"""Means of values of which some may be undefined, and some infinite."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Self


class Average(float):
    """One average of one metric: the number itself, with what went into it.

    It is compared, computed with and written as its value: two are equal where their values are.

    Attributes
    ----------
    value : float
        The plain number. NaN where nothing defined went in; infinite where any value is.
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
    >>> average * 100, average.n, average.undefined, f"{average:.2f}"
    (75.0, 2, 1, '0.75')
    """

    __slots__ = ("finite", "infinite", "n", "undefined")

    n: int
    undefined: int
    infinite: int
    finite: float

    def __new__(
        cls, value: float, n: int, undefined: int, infinite: int = 0, finite: float = math.nan
    ) -> Self:
        """Take the number and what went into it."""
        self = super().__new__(cls, value)
        _set_n(self, n)
        _set_undefined(self, undefined)
        _set_infinite(self, infinite)
        _set_finite(self, finite)
        return self

    @property
    def value(self) -> float:
        """The plain number."""
        return float(self)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError(f"an average cannot be changed: its {name} is what was computed")

    def __repr__(self) -> str:
        fields = ", ".join(f"{name}={value!r}" for name, value in zip(_FIELDS, self._fields(), strict=True))
        return f"Average({fields})"

    def __str__(self) -> str:
        return repr(self.value)

    def __reduce__(self) -> tuple[type[Average], tuple[float, int, int, int, float]]:
        return Average, self._fields()

    def _fields(self) -> tuple[float, int, int, int, float]:
        return self.value, self.n, self.undefined, self.infinite, self.finite


_FIELDS = ("value", "n", "undefined", "infinite", "finite")
# As Average itself cannot be changed; thousands are made.
_set_n, _set_undefined, _set_infinite, _set_finite = (
    vars(Average)[name].__set__ for name in ("n", "undefined", "infinite", "finite")
)


def of_one(value: float, n: int) -> Average:
    """Return a value that is no mean of others, such as one that is pooled, of `n` sets of measurements."""
    is_infinite = math.isinf(value)
    return Average(value, n, 0, int(is_infinite), math.nan if is_infinite else value)


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
