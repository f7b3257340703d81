"""The statistic that leads a run: what tables, averages and gates need of it besides its measurements.

Of masks of labels it is the matrix, of maps of probabilities the soft sums. It is measured in every run of
its kind, whatever metrics were asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol, cast

from dicecli.plugins import load

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row

#: By what a run reads: the statistic, and what metrics say they are of that take what it gives of a row.
_LEADING = {"labels": ("matrix", "counts"), "probabilities": ("soft", "soft")}


class Leading(Protocol):
    """What such a statistic has, besides what the pass asks of it.

    Attributes
    ----------
    FACTS : type
        A dataclass: what JSON says of a row beside its metrics.
    COLUMNS : tuple of str
        Those of its fields that rows of a table have.
    taken : callable
        From a case and rows to what metrics take of each row; None where the case has no such row.
    every : callable
        From cases and the rows that averages are over to what metrics of all labels at once take.
    facts, sizes : callable
        From what metrics take of a row to its FACTS; to the numbers that tables for people show of it.
    is_there : callable
        Whether a row is there in a case at all, so that a value of it is to be expected.
    weight : callable
        The size in the reference, by which averages weight.
    wrong : callable
        How much of a row is wrong, a whole number in any one unit: what ranks cases whose values are equal.
    """

    FACTS: type
    COLUMNS: tuple[str, ...]
    taken: Callable[[Scored, Sequence[Row]], list[Any]]
    every: Callable[[Sequence[Scored], Sequence[Row]], Any]
    facts: Callable[[Any], Any]
    sizes: Callable[[Any], dict[str, float]]
    is_there: Callable[[Any], bool]
    weight: Callable[[Any], float]
    wrong: Callable[[Any], int]


def leading(reads: str) -> Leading:
    """Return the leading statistic of runs that read labels, or probabilities."""
    return cast("Leading", load("statistics", name_of(reads)))


def name_of(reads: str) -> str:
    """Return its name."""
    return _LEADING[reads][0]


def taken_as(reads: str) -> str:
    """Return what metrics say they are of that take what it gives of a row."""
    return _LEADING[reads][1]


def statistic_of(of: str) -> str:
    """Return the statistic that has what metrics say they are of."""
    return next((name for name, taken in _LEADING.values() if taken == of), of)
