"""Statistics over cases: of every label, region and metric, with an interval of the mean by the bootstrap."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from dicecli.records.cases import Case

#: So that the limits of the 95 % interval are the 250th and the 9,750th of the sorted means.
RESAMPLES = 9999
#: Fixed, so that the same results give the same interval; reports print it.
SEED = 1945
WORST = 5
_LOW, _HIGH = 249, 9749
#: Resamples at a time, so that memory stays small with many cases.
_CELLS = 1 << 22
#: Columns at a time, likewise.
_COLUMNS = 256


@dataclass(frozen=True)
class Statistics:
    """One metric of one label or region over the cases. NaN where it is not defined.

    Attributes
    ----------
    expected : int
        Cases of the run.
    scored : int
        Those of them that have measurements of this row.
    n : int
        Those with a defined value, which the statistics are of.
    undefined : int
        Those that were scored, but where the value is undefined: 0/0.
    missing : int
        Cases of the run that were not scored, or lack the row.
    mean : float
        Of the defined values.
    sd : float
        Their standard deviation, with n - 1.
    median : float
        The middle one.
    q1, q3 : float
        The quartiles, linear (type 7).
    min, max : float
        The smallest and the largest.
    ci_low, ci_high : float
        95 % confidence interval of the mean: percentile bootstrap over cases, or over groups of cases.
    pooled : float
        The metric of the counts added up over cases.
    """

    expected: int
    scored: int
    n: int
    undefined: int
    missing: int
    mean: float
    sd: float
    median: float
    q1: float
    q3: float
    min: float
    max: float
    ci_low: float
    ci_high: float
    pooled: float


@dataclass(frozen=True)
class RowSummary:
    """One label or region over the cases: the statistics by metric, and the cases where it went worst."""

    label: int | None
    name: str | None
    metrics: dict[str, Statistics]
    worst: tuple[tuple[str, float], ...]

    @property
    def title(self) -> str:
        """What people call it."""
        return self.name or f"label {self.label}"


@dataclass(frozen=True)
class Summary:
    """All statistics of a run.

    Attributes
    ----------
    rows : tuple of RowSummary
        In the order of the report's rows.
    ranked : str or None
        The metric by which cases are worst.
    resampled : {"case", "group"}
    """

    rows: tuple[RowSummary, ...]
    ranked: str | None
    resampled: str


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
    """

    label: int | None
    name: str | None
    cases: tuple[int, ...]
    values: np.ndarray
    pooled: tuple[float, ...]


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
    intervals = _intervals_of_rows(columns, groups)
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
            worst = _worst(names, values, sign=1 if higher_is_better else -1)
        rows.append(RowSummary(row.label, row.name, found, worst))
    is_grouped = any(group is not None for group in groups)
    return Summary(tuple(rows), ranked, "group" if is_grouped else "case")


def _intervals_of_rows(
    columns: Sequence[Columns], groups: Sequence[str | None]
) -> list[list[tuple[float, float]]]:
    """Return the intervals of each row's metrics; rows that the same cases have are resampled at once."""
    places: dict[tuple[int, ...], list[int]] = {}
    for place, row in enumerate(columns):
        places.setdefault(row.cases, []).append(place)
    found: list[list[tuple[float, float]]] = [[] for _ in columns]
    for cases, alike in places.items():
        widths = [columns[place].values.shape[1] for place in alike]
        stacked = np.hstack([columns[place].values for place in alike])
        limits = iter(bootstrap(stacked, [groups[case] for case in cases]))
        for place, width in zip(alike, widths, strict=True):
            found[place] = [next(limits) for _ in range(width)]
    return found


def statistics(column: np.ndarray, missing: int, interval: tuple[float, float], of_pool: float) -> Statistics:
    """Return the statistics of one column of values, NaN where undefined."""
    values = column[~np.isnan(column)]
    n = int(values.size)
    quartiles = np.quantile(values, [0.25, 0.5, 0.75]).tolist() if n else [math.nan] * 3
    return Statistics(
        expected=int(column.size) + missing,
        scored=int(column.size),
        n=n,
        undefined=int(column.size) - n,
        missing=missing,
        mean=math.fsum(values.tolist()) / n if n else math.nan,
        sd=_sd(values.tolist()),
        median=quartiles[1],
        q1=quartiles[0],
        q3=quartiles[2],
        min=float(values.min()) if n else math.nan,
        max=float(values.max()) if n else math.nan,
        ci_low=interval[0],
        ci_high=interval[1],
        pooled=of_pool,
    )


def _sd(values: Sequence[float]) -> float:
    n = len(values)
    if n < 2:
        return math.nan
    mean = math.fsum(values) / n
    return math.sqrt(math.fsum((value - mean) ** 2 for value in values) / (n - 1))


def _worst(names: Sequence[str], values: Sequence[float], sign: int) -> tuple[tuple[str, float], ...]:
    found = [
        (sign * value, name, value)
        for name, value in zip(names, values, strict=True)
        if not math.isnan(value)
    ]
    return tuple((name, value) for _, name, value in sorted(found)[:WORST])


def bootstrap(columns: np.ndarray, groups: Sequence[str | None]) -> list[tuple[float, float]]:
    """Return the 95 % percentile interval of each column's mean, resampling rows or groups of rows.

    Parameters
    ----------
    columns : numpy.ndarray
        float64, shape ``(cases, columns)``; NaN is left out of the means.
    groups : sequence of str or None
        Per case; a case without a group is a group of its own.

    Returns
    -------
    list of (float, float)
        NaN where fewer than two units have a value. Resamples without any defined value are left out.

    Notes
    -----
    Values are rounded to a multiple of a power of two that is so small that nobody sees it (1e-9 of the
    largest), and so large that every sum is an exact integer in float64. So the order of summation does not
    matter, and every machine gives the same interval.
    """
    cases, width = columns.shape
    units = np.array(_units(groups), np.intp)
    if cases < 2 or units.max() < 1:
        return [(math.nan, math.nan)] * width
    found: list[tuple[float, float]] = []
    for start in range(0, width, _COLUMNS):
        found += _intervals(columns[:, start : start + _COLUMNS], units)
    return found


def _intervals(columns: np.ndarray, units: np.ndarray) -> list[tuple[float, float]]:
    """Return the intervals of some columns, from the same resamples as those of any others."""
    width = columns.shape[1]
    defined = ~np.isnan(columns)
    values = np.where(defined, columns, 0.0)
    largest = np.abs(values).max(axis=0, initial=0.0)
    largest[~np.isfinite(largest) | (largest == 0)] = 1.0
    # Room for a group that is drawn many times over: 16 times the largest one is all but impossible.
    most = 16 * int(np.bincount(units).max()) + len(units)
    scale = 2.0 ** (np.ceil(np.log2(largest)) - (52 - math.ceil(math.log2(most))))
    summands = np.hstack([np.rint(values / scale), defined.astype(np.float64)])
    per_unit = np.zeros((int(units.max()) + 1, 2 * width))
    np.add.at(per_unit, units, summands)
    means = np.concatenate([_means(drawn @ per_unit, scale) for drawn in _draws(len(per_unit))])
    several = (per_unit[:, width:] > 0).sum(axis=0) > 1
    return [_limits(means[:, column]) if several[column] else (math.nan, math.nan) for column in range(width)]


def _units(groups: Sequence[str | None]) -> list[int]:
    """Return the number of what is resampled, per case: its group, or itself where it has none."""
    numbers: dict[object, int] = {}
    keys = [(position,) if group is None else group for position, group in enumerate(groups)]
    return [numbers.setdefault(key, len(numbers)) for key in keys]


def _draws(units: int) -> Iterator[np.ndarray]:
    """Yield how often each unit is drawn, for all resamples in blocks: float64, ``(block, units)``."""
    random = np.random.default_rng(SEED)
    block = max(1, min(RESAMPLES, _CELLS // units))
    for start in range(0, RESAMPLES, block):
        rows = min(block, RESAMPLES - start)
        drawn = random.integers(0, units, (rows, units)) + np.arange(rows)[:, None] * units
        yield np.bincount(drawn.reshape(-1), minlength=rows * units).reshape(rows, units).astype(np.float64)


def _means(sums: np.ndarray, scale: np.ndarray) -> np.ndarray:
    width = scale.size
    with np.errstate(invalid="ignore", divide="ignore"):
        means: np.ndarray = sums[:, :width] / sums[:, width:] * scale
    return means


def _limits(means: np.ndarray) -> tuple[float, float]:
    """Return the limits among the sorted means; their ranks shrink with the resamples that are defined."""
    kept = np.sort(means[~np.isnan(means)])
    if not kept.size:
        return math.nan, math.nan
    share = kept.size / RESAMPLES
    return float(kept[round(_LOW * share)]), float(kept[min(kept.size - 1, round(_HIGH * share))])
