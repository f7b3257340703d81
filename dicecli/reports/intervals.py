"""How sure the averages of a run are: an interval of each by the bootstrap, the SD of those over cases."""

from __future__ import annotations

import math
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.reports.averages import AVERAGES, OVER_REGIONS, exists
from dicecli.reports.packed import Packed
from dicecli.reports.resampled import Asked, Counted, Drawn, Sums, mean_of
from dicecli.reports.summary import deviation

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.reports import pools
    from dicecli.reports.averages import Definition
    from dicecli.reports.table import Table


class Interval(NamedTuple):
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
        NaN where fewer than two cases, or groups, have something to average. Averages of what is added up
        have none where the metric is not of counts: sums of probabilities and pixels near boundaries are not
        resampled.
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


class _Drawing:
    """What is asked of all resamples, so that they are drawn once."""

    def __init__(self, table: Table, undefined: str) -> None:
        self._table, self._undefined = table, undefined
        self._sums = Sums([each.case.group for each in table.scored])
        self._known: dict[tuple[str, bool], Asked] = {}
        self._counted: dict[bool, Counted] = {}
        self._pools: dict[tuple[str, bool], pools.Sums] = {}
        self._deviations: dict[tuple[str, str], float] = {}
        self._asked: dict[tuple[str, str], Callable[[np.ndarray], np.ndarray]] = {}
        self._last: dict[tuple[str, bool], Drawn] = {}

    def add(self, name: str, metric: Metric) -> None:
        """Ask for an average of a metric."""
        definition, over_regions = AVERAGES[OVER_REGIONS.get(name, name)], name in OVER_REGIONS
        if definition.per_case is not None:
            found = self._table.pools(metric, self._pools, over_regions=over_regions)
            values = np.array([each.finite for each in definition.per_case(found)], np.float64)
            self._deviations[name, metric.name] = deviation(values[np.isfinite(values)].tolist())
            if self._sums.several(np.isfinite(values)):
                self._asked[name, metric.name] = partial(mean_of, found=self._sums.mean(values))
        elif definition.drawn is not None and self._is_several(definition, metric, over_regions):
            compute = definition.drawn
            self._asked[name, metric.name] = lambda sums: compute(
                self._drawn(sums, metric, over_regions=over_regions)
            )

    def _drawn(self, sums: np.ndarray, metric: Metric, *, over_regions: bool) -> Drawn:
        """Return what averages of a metric share of some resamples."""
        key = metric.name, over_regions
        if key not in self._last or self._last[key].sums is not sums:
            self._last[key] = Drawn(sums, metric, self._known[key], self._undefined)
        return self._last[key]

    def _is_several(self, definition: Definition, metric: Metric, over_regions: bool) -> bool:
        """Take in what is needed, and tell whether several of what is drawn have something."""
        asked = self._of(metric, over_regions=over_regions)
        if definition.pools:
            return asked.counted is not None and asked.counted.is_several
        return self._sums.several(np.isfinite(self._values(metric, over_regions)).any(axis=1))

    def _of(self, metric: Metric, *, over_regions: bool) -> Asked:
        key = metric.name, over_regions
        if key not in self._known:
            means = [self._sums.mean(column) for column in self._values(metric, over_regions).T]
            self._known[key] = Asked(self._counts(metric, over_regions=over_regions), means)
        return self._known[key]

    def _counts(self, metric: Metric, *, over_regions: bool) -> Counted | None:
        taken = self._table.taken(metric.of) if metric.pools else None
        if not isinstance(taken, Packed):
            return None
        if over_regions not in self._counted:
            part = self._table.part(over_regions=over_regions)
            self._counted[over_regions] = Counted(self._sums, taken.numbers()[:, part])
        return self._counted[over_regions]

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
