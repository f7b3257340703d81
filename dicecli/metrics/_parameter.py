"""The number in a metric's name, such as the percentile of ``hd95``."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterable


class Parameter(NamedTuple):
    """The number in a metric's name.

    Attributes
    ----------
    name : str
        What stands in braces in the metric's name, and the keyword by which the function takes it. The
        statistic gets the values asked for as an option of this name, where its ``OPTIONS`` have it.
    low, high : float
        The least and the largest that it may be.
    """

    name: str
    low: float = 0.0
    high: float = math.inf

    @property
    def braces(self) -> str:
        """What stands for it in a name."""
        return f"{{{self.name}}}"

    def put(self, name: str, number: float) -> str:
        """Return a name with the number in it: all the digits that it needs to be read again, no exponent."""
        from decimal import Decimal

        return name.replace(self.braces, f"{Decimal(repr(number)).normalize():f}")

    def example(self, name: str) -> str:
        """Return a name with a number in it that it may be."""
        return self.put(name, max(self.low, min(self.high, 2.0)))

    def read(self, word: str, names: Iterable[str], example: str) -> float | None:
        """Return the number in a word that is one of some names; None where it is none of them.

        Raises
        ------
        UsageError
            There is no number in it, or none that it may be.
        """
        for each in names:
            if word == plain(each):
                raise UsageError(f"{word}: a number is expected for {self.braces}", f"Write {example}.")
            found = re.fullmatch(
                re.escape(each).replace(re.escape(self.braces), r"([0-9]+(?:\.[0-9]+)?)"), word
            )
            if found is None:
                continue
            number = float(found[1])
            if not self.low <= number <= self.high:
                raise UsageError(
                    f"{word}: its {self.name} is {number:g}",
                    f"It lies from {self.low:g} to {self.high:g}: {example}.",
                )
            return number
        return None


def plain(name: str) -> str:
    """Return a name without what does not matter in it: case, hyphens, spaces."""
    return name.strip().lower().replace("-", "_").replace(" ", "_")
