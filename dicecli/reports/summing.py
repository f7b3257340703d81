"""From values to statistics over cases, with an interval of the mean by the bootstrap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from dicecli.records.natural import natural
from dicecli.reports.bootstrap import of_tables
from dicecli.reports.means import mean
from dicecli.reports.summary import RowSummary, Spread, Statistics, Summary

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Case

_WORST = 5


@dataclass(frozen=True)
class Columns:
    """What is summed up of one label or region.

    Attributes
    ----------
    label, name
        Of the row.
    cases : tuple of int
        The places of the scored cases that have the row.
    values : numpy.ndarray
        float64, shape ``(cases, metrics)``; NaN is undefined.
    pooled : tuple of float
        Each metric over all cases together.
    wrong : tuple of int
        Per case, how much of the row is wrong, in any one unit: what ranks cases whose values are equal.
    """

    label: int | None
    name: str | None
    cases: tuple[int, ...]
    values: np.ndarray
    pooled: tuple[float, ...]
    wrong: tuple[int, ...]


def summarise(
    columns: Sequence[Columns],
    metrics: Sequence[str],
    scored: Sequence[Case],
    *,
    expected: int,
    ranked: str | None,
    higher_is_better: bool = True,
) -> Summary:
    """Compute the statistics of every row and metric.

    Parameters
    ----------
    columns : sequence of Columns
        A row each, in the order of the report.
    metrics : sequence of str
        The names of the columns' metrics.
    scored : sequence of Case
        The cases that have numbers; a row that one of them lacks is missing there.
    expected : int
        The cases of the run.
    ranked : str or None
        The metric by which cases are worst.
    higher_is_better : bool
        Of that metric.
    """
    groups = [each.group for each in scored]
    intervals = of_tables([(row.cases, row.values) for row in columns], groups)
    rows = []
    for row, limits in zip(columns, intervals, strict=True):
        missing = expected - len(row.cases)
        found = {
            name: statistics(row.values[:, place], missing, limits[place], row.pooled[place])
            for place, name in enumerate(metrics)
        }
        worst: tuple[tuple[str, float], ...] = ()
        if ranked is not None:
            values = row.values[:, metrics.index(ranked)].tolist()
            names = [scored[case].name for case in row.cases]
            worst = _worst(names, values, row.wrong, sign=1 if higher_is_better else -1)
        rows.append(RowSummary(row.label, row.name, found, worst))
    is_grouped = any(group is not None for group in groups)
    return Summary(tuple(rows), ranked, "group" if is_grouped else "case")


def statistics(column: np.ndarray, missing: int, interval: tuple[float, float], of_pool: float) -> Statistics:
    """Return the statistics of one column of values, NaN where undefined; the interval is of finite ones."""
    values = column[~np.isnan(column)]
    n, finite = int(values.size), values[np.isfinite(values)]
    rest = Spread(len(finite), mean(finite.tolist()).value, deviation(finite.tolist()), *interval)
    is_finite = len(finite) == n
    # Between a number and infinity there is nothing: a share of the cases ends at a value then.
    rule: Literal["linear", "inverted_cdf"] = "linear" if is_finite else "inverted_cdf"
    quartiles = np.quantile(values, [0.25, 0.5, 0.75], method=rule).tolist() if n else [math.nan] * 3
    return Statistics(
        expected=int(column.size) + missing,
        scored=int(column.size),
        n=n,
        undefined=int(column.size) - n,
        missing=missing,
        mean=mean(values.tolist()).value,
        sd=rest.sd if is_finite else math.nan,
        median=quartiles[1],
        q1=quartiles[0],
        q3=quartiles[2],
        min=float(values.min()) if n else math.nan,
        max=float(values.max()) if n else math.nan,
        ci_low=interval[0] if is_finite else math.nan,
        ci_high=interval[1] if is_finite else math.nan,
        pooled=of_pool,
        infinite=n - len(finite),
        finite=rest,
    )


def deviation(values: Sequence[float]) -> float:
    """Return the standard deviation of finite values, with n - 1; NaN of fewer than two."""
    n = len(values)
    if n < 2:
        return math.nan
    middle = math.fsum(values) / n
    return math.sqrt(math.fsum((value - middle) ** 2 for value in values) / (n - 1))


def _worst(
    names: Sequence[str], values: Sequence[float], wrong: Sequence[int], sign: int
) -> tuple[tuple[str, float], ...]:
    """Return the worst cases: of equal values where most is wrong, then in the natural order of names."""
    found = [
        (sign * value, -missed, place)
        for place, (value, missed) in enumerate(zip(values, wrong, strict=True))
        if not math.isnan(value)
    ]
    found.sort()
    # Names are compared where they can decide alone: of very many cases that takes long.
    kept = [each for each in found if each[:2] <= found[min(_WORST, len(found)) - 1][:2]]
    kept.sort(key=lambda each: (*each[:2], natural(names[each[2]])))
    return tuple((names[place], values[place]) for _, _, place in kept[:_WORST])
