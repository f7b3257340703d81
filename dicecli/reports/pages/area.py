"""The tables on accuracy and areas of a map that a sample gives."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING

from dicecli.reports.presentation import UNDEFINED, figure, interval, size
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from dicecli.reports.estimates import Estimate, Estimates

#: Of so many classes the error matrix is shown where not all is asked for.
_FEW = 12
_INTERVAL = "95 % CI"


def sheets(
    found: Estimates, names: Mapping[int, str], unit: str, factor: float, *, every: bool
) -> Iterator[Sheet]:
    """Yield the tables: accuracy and area of each class, the error matrix; that of many classes with `every`.

    Parameters
    ----------
    found : Estimates
    names : mapping of int to str
    unit : str
        Of areas, as they are shown.
    factor : float
        By it areas are multiplied to be in `unit`.
    every : bool
    """
    heads = [(str(label), inert(names.get(label, ""))) for label in found.labels]
    yield _accuracy(found, heads)
    yield _areas(found, heads, unit, factor)
    if every or len(found.labels) <= _FEW:
        yield _matrix(found, heads)


def _accuracy(found: Estimates, heads: list[tuple[str, str]]) -> Sheet:
    columns = ("label", "name", "points", "user's", "SE", _INTERVAL, "producer's", "SE", _INTERVAL)
    each = zip(heads, found.points, found.users, found.producers, strict=True)
    rows = tuple((*head, size(n), *_cells(user), *_cells(producer)) for head, n, user, producer in each)
    return Sheet("Accuracy", columns, rows, kept=2)


def _areas(found: Estimates, heads: list[tuple[str, str]], unit: str, factor: float) -> Sheet:
    columns = ("label", "name", f"mapped {unit}", f"area {unit}", "SE", _INTERVAL, "share", "SE", _INTERVAL)
    each = zip(heads, found.mapped, found.shares, strict=True)
    write = partial(written_area, of=found.total * factor)
    rows = tuple(
        (*head, write(area * factor), *_of_area(share.times(found.total * factor), write), *_cells(share))
        for head, area, share in each
    )
    return Sheet("Area", columns, rows, kept=2)


def _matrix(found: Estimates, heads: list[tuple[str, str]]) -> Sheet:
    columns = ("map", "name", *(label for label, _ in heads), "total")
    rows = [
        (*head, *map(figure, row), figure(sum(row)))
        for head, row in zip(heads, found.proportions, strict=True)
    ]
    rows.append(("", "total", *(figure(each.value) for each in found.shares), figure(1.0)))
    remark = "Shares of the area. Rows: the map; columns: the reference, by label."
    return Sheet(
        "Error matrix", columns, tuple(rows), remark, kinds=("label",) * len(heads) + ("total",), kept=2
    )


def _cells(found: Estimate) -> tuple[str, str, str]:
    return figure(found.value), figure(found.standard_error), interval(found.low, found.high)


def _of_area(found: Estimate, write: Callable[[float], str]) -> tuple[str, str, str]:
    ends = UNDEFINED if math.isnan(found.low) else f"{write(found.low)} to {write(found.high)}"
    return write(found.value), write(found.standard_error), ends


def written_area(value: float, of: float) -> str:
    """Write an area for people, all of one map with as many decimals, at least one."""
    if math.isnan(value):
        return UNDEFINED
    return f"{value:,.{min(4, max(1, 5 - len(str(int(of)))))}f}"
