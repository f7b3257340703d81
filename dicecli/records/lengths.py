"""Lengths with their unit, as people write them: ``2mm``, ``1.5px``; and what those of a grid are in."""

from __future__ import annotations

import math
import re
from decimal import Decimal
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

#: What a length is in where a case has no unit.
PIXELS = "px"
#: Every unit that a length can be in. A spacing in degrees is no length.
LENGTHS = ("mm", "m", PIXELS)
#: In which units the size of a pixel is known.
SIZES = ("mm3", "m2")
#: By what share a pixel is less than the product of its steps where axes are not at right angles.
_SKEW = 1e-6
#: So many metres a unit has; pixels have none.
_METRES = {"mm": Decimal("0.001"), "m": Decimal(1)}
_FORM = re.compile(rf"([0-9]+(?:\.[0-9]+)?|\.[0-9]+) ?({'|'.join(LENGTHS)})")


class Length(NamedTuple):
    """A length as it was written.

    Attributes
    ----------
    number : float
    unit : {"mm", "m", "px"}
    """

    number: float
    unit: str

    def __str__(self) -> str:
        return f"{plain_number(self.number)}{self.unit}"

    def in_unit(self, unit: str) -> float | None:
        """Return the number in another unit; None where neither can be converted into the other."""
        if unit == self.unit:
            return self.number
        if unit not in _METRES or self.unit not in _METRES:
            return None
        return float(Decimal(repr(self.number)) * _METRES[self.unit] / _METRES[unit])


def plain_number(number: float) -> str:
    """Write a number with all the digits that it needs to be read again, and no exponent."""
    return f"{Decimal(repr(number)).normalize():f}"


def parse_length(text: str, what: str, example: str, *, may_be_zero: bool = False) -> Length:
    """Read a length.

    Parameters
    ----------
    text : str
    what : str
        What it is of, for the error.
    example : str
        One that would do.
    may_be_zero : bool

    Raises
    ------
    UsageError
        It has no unit, another one, or is no number above 0, or from 0.
    """
    found = _FORM.fullmatch(text.strip().lower()) if isinstance(text, str) else None
    if found is None or math.isinf(float(found[1])):
        raise UsageError(
            f"{what} is {text!r}; a number with its unit is expected: {', '.join(LENGTHS)}",
            f"Write {example}, without a space: px are pixels or voxels.",
        )
    length = Length(float(found[1]), found[2])
    if not length.number and not may_be_zero:
        raise UsageError(f"{what} is {text!r}; a length above 0 is expected", f"Write {example}.")
    return length


def is_sheared(spacing: Sequence[float] | None, sizes: Mapping[str, float]) -> bool:
    """Tell whether the size of a pixel shows that axes are not at right angles."""
    size = sizes.get({2: "m2", 3: "mm3"}.get(len(spacing or ()), ""))
    return spacing is not None and size is not None and size < math.prod(spacing) * (1 - _SKEW)


def length_of(spacing: Sequence[float] | None, unit: str | None, sizes: Mapping[str, float]) -> str | None:
    """Return what distances are in on a grid: see :attr:`dicecli.records.cases.Scored.length`."""
    if is_sheared(spacing, sizes):
        return None
    if spacing is None or unit is None:
        return PIXELS
    return unit if unit in LENGTHS else None
