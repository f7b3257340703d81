"""Confidence intervals of means, by resampling cases or groups of cases."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: So that the limits of the 95 % interval are the 250th and the 9,750th of the sorted means.
RESAMPLES = 9999
#: Fixed, so that the same results give the same interval; reports print it.
SEED = 1945
_LOW, _HIGH = 249, 9749
#: Resamples at a time, so that memory stays small with many cases.
_CELLS = 1 << 22
#: Columns at a time, likewise.
_COLUMNS = 256


def of_tables(
    tables: Sequence[tuple[tuple[int, ...], np.ndarray]], groups: Sequence[str | None]
) -> list[list[tuple[float, float]]]:
    """Return the intervals of each table's columns; tables of the same cases are resampled at once.

    Parameters
    ----------
    tables : sequence of (tuple of int, numpy.ndarray)
        The places of the cases, and values of shape ``(cases, columns)``.
    groups : sequence of str or None
        Of every case there is.
    """
    places: dict[tuple[int, ...], list[int]] = {}
    for place, (cases, _) in enumerate(tables):
        places.setdefault(cases, []).append(place)
    found: list[list[tuple[float, float]]] = [[] for _ in tables]
    for cases, alike in places.items():
        stacked = np.hstack([tables[place][1] for place in alike])
        limits = iter(bootstrap(stacked, [groups[case] for case in cases]))
        for place in alike:
            found[place] = [next(limits) for _ in range(tables[place][1].shape[1])]
    return found


def bootstrap(columns: np.ndarray, groups: Sequence[str | None]) -> list[tuple[float, float]]:
    """Return the 95 % percentile interval of each column's mean, resampling rows or groups of rows.

    Parameters
    ----------
    columns : numpy.ndarray
        float64, shape ``(cases, columns)``; NaN and what is infinite is left out of the means.
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
    units = units_of(groups)
    if cases < 2 or units.max() < 1:
        return [(math.nan, math.nan)] * width
    found: list[tuple[float, float]] = []
    for start in range(0, width, _COLUMNS):
        found += _intervals(columns[:, start : start + _COLUMNS], units)
    return found


def _intervals(columns: np.ndarray, units: np.ndarray) -> list[tuple[float, float]]:
    """Return the intervals of some columns, from the same resamples as those of any others."""
    width = columns.shape[1]
    steps, defined, scale = stepped(columns, units)
    per_unit = np.zeros((int(units.max()) + 1, 2 * width))
    np.add.at(per_unit, units, np.hstack([steps, defined]))
    means = np.concatenate([_means(drawn @ per_unit, scale) for drawn in draws(len(per_unit))])
    several = (per_unit[:, width:] > 0).sum(axis=0) > 1
    return [limits(means[:, column]) if several[column] else (math.nan, math.nan) for column in range(width)]


def stepped(columns: np.ndarray, units: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return values as multiples of a small step, so that all sums of them are exact.

    Parameters
    ----------
    columns : numpy.ndarray
        float64, ``(cases, columns)``.
    units : numpy.ndarray
        The number of what is resampled, per case.

    Returns
    -------
    steps, defined : numpy.ndarray
        float64, ``(cases, columns)``: whole numbers of steps, 0 where a value is not finite; 1 where it is.
    scale : numpy.ndarray
        ``(columns,)``: the step, a power of two.
    """
    defined = np.isfinite(columns)
    values = np.where(defined, columns, 0.0)
    largest = np.abs(values).max(axis=0, initial=0.0)
    largest[largest == 0] = 1.0
    # Room for a group that is drawn many times over: 16 times the largest one is all but impossible.
    most = 16 * int(np.bincount(units).max()) + len(units)
    scale = 2.0 ** (np.ceil(np.log2(largest)) - (52 - math.ceil(math.log2(most))))
    return np.rint(values / scale), defined.astype(np.float64), scale


def units_of(groups: Sequence[str | None]) -> np.ndarray:
    """Return the number of what is resampled, per case: its group, or itself where it has none."""
    numbers: dict[object, int] = {}
    keys = [(position,) if group is None else group for position, group in enumerate(groups)]
    return np.array([numbers.setdefault(key, len(numbers)) for key in keys], np.intp)


def draws(units: int) -> Iterator[np.ndarray]:
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


def limits(means: np.ndarray) -> tuple[float, float]:
    """Return the limits among the sorted means; their ranks shrink with the resamples that are defined."""
    kept = means[~np.isnan(means)]
    if not kept.size:
        return math.nan, math.nan
    share = kept.size / RESAMPLES
    low, high = round(_LOW * share), min(kept.size - 1, round(_HIGH * share))
    kept.partition((low, high))  # which takes a fraction of the time of sorting all of them
    return float(kept[low]), float(kept[high])
