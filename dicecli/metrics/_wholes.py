"""Many whole numbers at once, as metrics of counts take them; what comes of them is exact, or refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NoReturn, overload

if TYPE_CHECKING:
    import numpy as np

#: Whole numbers up to here are exact in float64.
EXACT = 1 << 53


class Wholes:
    """Whole numbers in an array, which add up, multiply and are divided by :func:`ratio` as integers are.

    Nothing else is done with them: a function that asks whether one is 0, compares or rounds them gets a
    TypeError, for it means one number. So whatever comes out is what each number alone would have given.

    Parameters
    ----------
    values : numpy.ndarray
        float64, of any shape, each a whole number.
    most : int
        None of them is farther from 0.

    Raises
    ------
    OverflowError
        They may be too large to be exact.
    """

    __slots__ = ("most", "values")
    __hash__ = None  # type: ignore[assignment]  # as arrays

    def __init__(self, values: np.ndarray, most: int) -> None:
        if most > EXACT:
            raise OverflowError(f"whole numbers up to {most} are not exact in float64")
        self.values, self.most = values, most

    def __add__(self, other: object) -> Wholes:
        values, most = _operand(other)
        return Wholes(self.values + values, self.most + most)

    __radd__ = __add__

    def __sub__(self, other: object) -> Wholes:
        values, most = _operand(other)
        return Wholes(self.values - values, self.most + most)

    def __rsub__(self, other: object) -> Wholes:
        return -self + other

    def __mul__(self, other: object) -> Wholes:
        values, most = _operand(other)
        return Wholes(self.values * values, self.most * most)

    __rmul__ = __mul__

    def __neg__(self) -> Wholes:
        return Wholes(-self.values, self.most)

    def __abs__(self) -> Wholes:
        return Wholes(abs(self.values), self.most)

    def __eq__(self, other: object) -> NoReturn:
        raise TypeError("many whole numbers are not compared")

    def __bool__(self) -> NoReturn:
        raise TypeError("many whole numbers are neither true nor false")


def _operand(other: object) -> tuple[np.ndarray | int, int]:
    """Return the values of what is added or multiplied, and how far from 0 they may be."""
    if isinstance(other, Wholes):
        return other.values, other.most
    if isinstance(other, int):
        return other, abs(other)
    raise TypeError(f"{type(other).__name__} is no whole number")


@overload
def ratio(numerator: int, denominator: int) -> float: ...
@overload
def ratio(numerator: Wholes, denominator: Wholes) -> np.ndarray: ...
def ratio(numerator: int | Wholes, denominator: int | Wholes) -> float | np.ndarray:
    """Divide whole numbers, correctly rounded at any size; 0/0, and whatever else is over 0, is NaN.

    A metric of counts that divides by this alone, and asks nothing else, is computed for thousands of
    resamples at once: :class:`Wholes` become an array of what each of them gives.
    """
    if isinstance(numerator, Wholes) and isinstance(denominator, Wholes):
        import numpy as np

        found = np.full(np.broadcast_shapes(numerator.values.shape, denominator.values.shape), math.nan)
        np.divide(numerator.values, denominator.values, out=found, where=denominator.values != 0)
        return found
    if isinstance(numerator, Wholes) or isinstance(denominator, Wholes):
        raise TypeError("a number and many are not divided")
    return numerator / denominator if denominator else math.nan
