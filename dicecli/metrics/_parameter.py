"""The number in a metric's name, such as the percentile of ``hd95``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UsageError
from dicecli.records.lengths import Length, plain_number
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Iterable

    #: What stands in a name: a number, or a length.
    Argument = float | Length

#: A number and what may be its unit.
_NUMBER = re.compile(r"([0-9]+(?:\.[0-9]+)?)([a-z]*)")


class Parameter(NamedTuple):
    """The number in a metric's name.

    Attributes
    ----------
    name : str
        What stands in braces in the metric's name, and the keyword by which the function takes it. The
        statistic gets the values asked for as an option of this name, where its ``OPTIONS`` have it.
    low, high : float
        The least and the largest that it may be.
    units : tuple of str
        Where it is a length: the units that it may have, one of which it needs; ``nsd_2mm``. The setting of
        its name, where there is one, has values for a word without.
    usual : float
        What it usually is: for examples.
    """

    name: str
    low: float = 0.0
    high: float = math.inf
    units: tuple[str, ...] = ()
    usual: float = 2.0

    @property
    def braces(self) -> str:
        """What stands for it in a name."""
        return f"{{{self.name}}}"

    def put(self, name: str, number: Argument) -> str:
        """Return a name with the number in it: all the digits that it needs to be read again, no exponent."""
        return name.replace(self.braces, plain_number(number) if isinstance(number, float) else str(number))

    def example(self, name: str) -> str:
        """Return a name with a number in it that it may be."""
        number = max(self.low, min(self.high, self.usual))
        return self.put(name, Length(number, self.units[0]) if self.units else number)

    def stem(self, name: str) -> str:
        """Return a name without the number."""
        return name.replace(self.braces, "").rstrip("_")

    def read(self, word: str, names: Iterable[str], example: str) -> Argument | None:
        """Return the number in a word that is one of some names; None where it is none of them.

        Raises
        ------
        UsageError
            There is no number in it, or none that it may be.
        """
        for each in names:
            if word == plain(each) or (self.units and word == self.stem(each)):
                what = "a length with its unit" if self.units else "a number"
                raise UsageError(f"{word}: {what} is expected for its {self.name}", f"Write {example}.")
            found = self._number_in(word, each)
            if found is None:
                continue
            number = float(found[1])
            if self.units and not found[2]:
                raise UsageError(
                    f"{word}: its {self.name} has no unit; one of {', '.join(self.units)} is expected",
                    f"Write {each.replace(self.braces, found[1])}{self.units[0]}, or whatever unit is meant.",
                )
            if not self.low <= number <= self.high:
                raise UsageError(
                    f"{word}: its {self.name} is {number:g}",
                    f"It lies from {self.low:g} to {self.high:g}: {example}.",
                )
            return Length(number, found[2]) if self.units else number
        return None

    def _number_in(self, word: str, name: str) -> re.Match[str] | None:
        """Return the number, and the unit, that a word has in place of the braces; None where it has none."""
        before, _, after = name.partition(self.braces)
        if not (word.startswith(before) and word.endswith(after)):
            return None
        found = _NUMBER.fullmatch(word, len(before), max(len(before), len(word) - len(after)))
        return found if found is None or found[2] in {"", *self.units} else None
