"""Many whole numbers in place of one, as metrics take them; what comes of them is exact, or refused."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn, Protocol, overload

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    import numpy as np

#: Whole numbers up to here are exact in float64.
EXACT = 1 << 53


class Wholes:
    """Whole numbers in an array, which add up, multiply and are divided by :func:`ratio` as integers are.

    Nothing else is done with them: a function that compares or rounds them, or asks whether one is 0 where
    some are and some are not, gets a TypeError, for it means one number. So whatever comes out is what each
    number alone would have given.

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

    def __bool__(self) -> bool:
        is_true = bool(self.values.all())
        if is_true != bool(self.values.any()):
            raise TypeError("some of many whole numbers are 0, and some are not")
        return is_true

    def scaled(self, exponent: int) -> np.ndarray:
        """Return the float64 nearest to so many times 2 to the power of the exponent."""
        import numpy as np

        found: np.ndarray = np.ldexp(self.values, exponent)
        return found


class Large:
    """Whole numbers in an array that are too large for float64; all that is done with them is to round them.

    Parameters
    ----------
    pieces : sequence of (int, numpy.ndarray)
        What each number is the sum of: whole numbers from 0 in float64, times 2 to the power of the first,
        which ascends.
    """

    __slots__ = ("_pieces",)

    def __init__(self, pieces: Sequence[tuple[int, np.ndarray]]) -> None:
        self._pieces = pieces

    def scaled(self, exponent: int) -> np.ndarray:
        """Return the float64 nearest to each of them times 2 to the power of the exponent."""
        import numpy as np

        terms = [np.ldexp(values, at + exponent) for at, values in reversed(self._pieces)]
        found: np.ndarray = terms[0]
        rest = np.zeros_like(found)
        for each in terms[1:]:
            total = found + each
            # What was lost, exactly, for `found` has no smaller bits than `each` may have; only the sum of
            # what was lost may be rounded, by less than `doubt`.
            rest = rest + (each - (total - found))
            found = total
        doubt = np.ldexp(found, -98) if len(terms) > 2 else np.zeros_like(rest)
        rounded: np.ndarray = found + (rest - doubt)
        for place in np.argwhere(rounded != found + (rest + doubt)):
            rounded[tuple(place)] = self._alone(tuple(place), exponent)
        return rounded

    def _alone(self, place: tuple[int, ...], exponent: int) -> float:
        """Return one of them, times 2 to the power of the exponent, which is below 0."""
        whole = sum(int(values[place]) << at for at, values in self._pieces)
        return whole / (1 << -exponent)


class Taken(Protocol):
    """What is added up of one measurement, or of many at once."""

    def __call__(self, name: str) -> Sequence[Any]:
        """Return some numbers: of one Python's integers, of many an array each, as Wholes or Large."""

    def array(self, name: str) -> np.ndarray:
        """Return the same of one measurement as an array of int64; of many a TypeError is raised."""


class Summands(NamedTuple):
    """What is added up of a statistic's measurements: whole numbers from 0, by a word for each kind of them.

    Attributes
    ----------
    numbers : mapping
        By the word a function, from a measurement to a sequence of them, as long for every measurement.
    width : int
        About how many there are of a measurement.
    made : callable
        From what was :class:`Taken` to a measurement, or to what looks like one to metrics and asks for
        numbers when they are looked at.
    has_something : callable
        Whether a measurement is of anything at all.
    """

    numbers: Mapping[str, Callable[[Any], Sequence[int] | np.ndarray]]
    width: int
    made: Callable[[Taken], Any]
    has_something: Callable[[Any], bool]


def _operand(other: object) -> tuple[np.ndarray | int, int]:
    """Return the values of what is added or multiplied, and how far from 0 they may be."""
    if isinstance(other, Wholes):
        return other.values, other.most
    if isinstance(other, int):
        return other, abs(other)
    raise TypeError(f"{type(other).__name__} is no whole number")


@overload
def ratio(numerator: float, denominator: int) -> float: ...
@overload
def ratio(numerator: Wholes | np.ndarray, denominator: Wholes) -> np.ndarray: ...
def ratio(numerator: float | Wholes | np.ndarray, denominator: int | Wholes) -> float | np.ndarray:
    """Divide by whole numbers; 0/0, and whatever else is over 0, is NaN.

    Whole numbers over whole numbers are correctly rounded at any size. A metric that divides by this alone,
    and asks nothing else of what it takes, is computed for thousands of resamples at once: :class:`Wholes`
    become an array of what each of them gives.
    """
    if not isinstance(denominator, Wholes):
        if not isinstance(numerator, (int, float)):
            raise TypeError("many are not divided by one number")
        return numerator / denominator if denominator else math.nan
    if isinstance(numerator, (int, float)):
        raise TypeError("one number is not divided by many")
    import numpy as np

    above = numerator.values if isinstance(numerator, Wholes) else numerator
    found = np.full(np.broadcast_shapes(above.shape, denominator.values.shape), math.nan)
    np.divide(above, denominator.values, out=found, where=denominator.values != 0)
    return found


@overload
def real(number: int) -> float: ...
@overload
def real(number: Wholes) -> np.ndarray: ...
def real(number: int | Wholes) -> float | np.ndarray:
    """Return a whole number as a float, or many as an array of them."""
    return number.values if isinstance(number, Wholes) else float(number)


@overload
def total(summands: Iterable[float]) -> float: ...
@overload
def total(summands: Iterable[np.ndarray]) -> np.ndarray: ...
def total(summands: Iterable[float] | Iterable[np.ndarray]) -> float | np.ndarray:
    """Add up floats, or arrays of them element by element, rounding but once; 0 where there are none."""
    every = [*summands]
    if not every or isinstance(every[0], float):
        return math.fsum(every)
    import numpy as np

    stacked = np.stack(every, axis=-1)
    flat = stacked.reshape(-1, len(every)).tolist()
    return np.array([math.fsum(each) for each in flat]).reshape(stacked.shape[:-1])
