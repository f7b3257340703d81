"""How sure the averages of a run are: an interval of each by the bootstrap, the SD of those over cases."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dicecli.plugins import load
from dicecli.reports.averages import AVERAGES, OVER_REGIONS, exists
from dicecli.reports.resampled import Asked, Drawn, Sums
from dicecli.reports.summing import deviation
from dicecli.statistics._leading import statistic_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.wholes import Summands
    from dicecli.reports import pools
    from dicecli.reports.adding import Added
    from dicecli.reports.averages import Definition
    from dicecli.reports.drawn import Block
    from dicecli.reports.table import Table


@dataclass(frozen=True, slots=True)
class Interval:
    """How sure an average is; NaN where that is not defined.

    Where values are infinite it is that of the mean of the others.

    Attributes
    ----------
    low, high : float
        The 95 % percentile interval, by the bootstrap over cases, or over groups of cases.
    sd : float
        Of a mean over cases: the standard deviation, with n - 1, of the values of the cases.
    """

    low: float = math.nan
    high: float = math.nan
    sd: float = math.nan

    def __iter__(self) -> Iterator[float]:
        yield from (self.low, self.high, self.sd)


def intervals(
    table: Table, names: Iterable[str], metrics: Sequence[Metric], undefined: str
) -> dict[str, dict[str, Interval]]:
    """Return the interval of each average that there is, by its name and metric.

    Parameters
    ----------
    table : Table
        Of all cases.
    names : iterable of str
        Of averages, over labels or over regions.
    metrics : sequence of Metric
    undefined : str
        The policy where both masks are empty.

    Returns
    -------
    dict
        NaN where fewer than two cases, or groups, have something to average, and of averages of what is
        added up where the metric is :func:`not_resampled`.
    """
    names = tuple(names)
    found = {name: {each.name: Interval() for each in metrics if exists(name, each)} for name in names}
    if len(table.scored) < 2:
        return found
    table.compute(each for each in metrics if each.averaged)
    drawing = _Drawing(table, undefined)
    for name in names:
        for each in metrics:
            if exists(name, each):
                drawing.add(name, each)
    for (name, metric), interval in drawing.intervals().items():
        found[name][metric] = interval
    return found


def summands_of(of: str) -> Summands | None:
    """Return what is added up of what metrics say they are of; None where the statistic does not say."""
    found: Summands | None = getattr(load("statistics", statistic_of(of)), "SUMMANDS", None)
    return found


def is_resampled(metric: Metric) -> bool:
    """Whether what a metric is of is added up, and scored, in each resample."""
    is_quick = metric.resampled and metric.over_labels is None
    return metric.pools and is_quick and summands_of(metric.of) is not None


def not_resampled(metrics: Iterable[Metric]) -> list[Metric]:
    """Return those of some metrics whose averages of what is added up have no interval, though they exist."""
    return [each for each in metrics if each.averaged and each.pools and not is_resampled(each)]


class _Drawing:
    """What is asked of all resamples, so that they are drawn once."""

    def __init__(self, table: Table, undefined: str) -> None:
        self._table, self._undefined = table, undefined
        self._sums = Sums([each.case.group for each in table.scored])
        self._known: dict[tuple[str, bool], Asked] = {}
        self._added: dict[tuple[str, bool], Added | None] = {}
        self._pools: dict[tuple[str, bool], pools.Sums] = {}
        self._deviations: dict[tuple[str, str], float] = {}
        self._asked: dict[tuple[str, str], Callable[[Block], np.ndarray]] = {}

    def add(self, name: str, metric: Metric) -> None:
        """Ask for an average of a metric."""
        definition, over_regions = AVERAGES[OVER_REGIONS.get(name, name)], name in OVER_REGIONS
        if definition.per_case is not None:
            found = self._table.pools(metric, self._pools, over_regions=over_regions)
            values = np.array([each.finite for each in definition.per_case(found)], np.float64)
            self._deviations[name, metric.name] = deviation(values[np.isfinite(values)].tolist())
            if self._sums.several(np.isfinite(values)):
                self._asked[name, metric.name] = partial(self._sums.mean_of, found=self._sums.mean(values))
        elif definition.drawn is not None and self._is_several(definition, metric, over_regions):
            compute = definition.drawn
            self._asked[name, metric.name] = lambda block: compute(
                self._drawn(block, metric, over_regions=over_regions)
            )

    def _drawn(self, block: Block, metric: Metric, *, over_regions: bool) -> Drawn:
        """Return what averages of a metric share of some resamples."""
        key = metric.name, over_regions
        made: Drawn = block.kept(
            key, lambda: Drawn(self._sums, block, metric, self._known[key], self._undefined)
        )
        return made

    def _is_several(self, definition: Definition, metric: Metric, over_regions: bool) -> bool:
        """Take in what is needed, and tell whether several of what is drawn have something."""
        asked = self._of(metric, over_regions=over_regions)
        if definition.pools:
            return asked.added is not None and asked.added.is_several
        return self._sums.several(np.isfinite(self._values(metric, over_regions)).any(axis=1))

    def _of(self, metric: Metric, *, over_regions: bool) -> Asked:
        key = metric.name, over_regions
        if key not in self._known:
            means = [self._sums.mean(column) for column in self._values(metric, over_regions).T]
            added = self._taken(metric.of, over_regions) if is_resampled(metric) else None
            leading = None if added is None else self._taken(self._table.taken_as, over_regions)
            self._known[key] = Asked(added, leading, self._table.weigh, means)
        return self._known[key]

    def _taken(self, of: str, over_regions: bool) -> Added | None:
        """Return what was measured by a statistic, to be added up; None where it does not say how."""
        key = of, over_regions
        if key not in self._added:
            summands, part = summands_of(of), self._table.part(over_regions=over_regions)
            taken = self._table.taken(of)
            self._added[key] = None if summands is None else self._sums.added(taken, part, summands)
        return self._added[key]

    def _values(self, metric: Metric, over_regions: bool) -> np.ndarray:
        """Return the values of a metric, ``(cases, rows)``."""
        shape = len(self._table.scored), len(self._table.rows)
        values = np.array(self._table.values(metric), np.float64).reshape(shape)
        return values[:, self._table.part(over_regions=over_regions)]

    def intervals(self) -> dict[tuple[str, str], Interval]:
        """Return what was asked for."""
        limits = dict(zip(self._asked, self._sums.limits([*self._asked.values()]), strict=True))
        return {
            key: Interval(*limits.get(key, (math.nan, math.nan)), self._deviations.get(key, math.nan))
            for key in {**limits, **self._deviations}
        }
