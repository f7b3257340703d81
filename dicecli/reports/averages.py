"""The named averages: what each one means, and how it is computed.

The tools of this field call different numbers by the same name; see ``docs/conventions.md``. None of these
can be converted into another, nor can an averaged Dice be converted into an averaged IoU.
"""

from __future__ import annotations

import math
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from dicecli.records.counts import pooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dicecli.metrics._catalogue import Metric

    Row = Sequence[Any]

#: Every average with its definition, as reports print it.
DEFINITIONS = {
    "macro": "pool the counts over cases per label, the ratio per label, mean over labels",
    "micro": "pool the counts over cases and labels, then the ratio",
    "weighted": "as macro, weighted by the label's size in the reference",
    "micro-imagewise": "per case pool the counts over labels, then the ratio; mean over cases",
    "macro-imagewise": "per case mean over its defined labels; mean over cases",
    "label-mean": "per label mean over the cases where it is defined; mean over labels",
}
#: Those that differ when there is only one case.
OF_ONE_CASE = ("macro", "micro", "weighted")
#: Those of a metric that does not pool: means of values, each of one label of one case.
OF_VALUES = ("macro-imagewise", "label-mean")
#: The mean over regions is kept apart: regions overlap, and would count pixels twice among the labels.
MACRO_REGIONS = "macro-regions"


def definition(name: str) -> str:
    """Say what an average is."""
    return DEFINITIONS["macro"].replace("label", "region") if name == MACRO_REGIONS else DEFINITIONS[name]


def exists(name: str, metric: Metric) -> bool:
    """Whether a metric has an average of a name; most need that it pools."""
    return metric.averaged and (metric.pools or name in OF_VALUES)


def leading(metric: Metric) -> str:
    """Return the average that a gate means which names none, and that stands first."""
    return "macro" if metric.pools else "label-mean"


def of_one_case(metrics: Iterable[Metric]) -> tuple[str, ...]:
    """Return the averages of one case, where that of values is another one only for what does not pool."""
    others = dict.fromkeys(leading(each) for each in metrics if each.averaged)
    return tuple(dict.fromkeys((*OF_ONE_CASE, *others)))


class Average(NamedTuple):
    """One average of one metric.

    Attributes
    ----------
    value : float
        NaN where nothing defined went in.
    n : int
        How many values (of ``micro``: sets of counts) went in.
    undefined : int
        How many values were left out because they are undefined, before any of them was averaged.
    """

    value: float
    n: int
    undefined: int


def mean(values: Iterable[float]) -> Average:
    """Return the mean of the values that are not NaN, summed exactly; of none it is NaN, never 0."""
    every = list(values)
    kept = [value for value in every if not math.isnan(value)]
    value = math.fsum(kept) / len(kept) if kept else math.nan
    return Average(value, len(kept), len(every) - len(kept))


def average(name: str, cases: Sequence[Row], metric: Callable[[Any], float]) -> Average:
    """Compute one of :data:`DEFINITIONS`.

    Parameters
    ----------
    name : str
        One of the named averages.
    cases : sequence of sequence of Counts
        Per case the counts of every label that takes part, in one order throughout.
    metric : callable
        From counts to a value, NaN where undefined. A policy that puts a value there is part of it.

    Raises
    ------
    KeyError
        There is no such average.
    """
    return Pools(cases).average(name, metric)


class Pools:
    """The measurements of some cases, added up once in every way that averages need.

    Parameters
    ----------
    cases : sequence of sequence of measurements
        Per case that of every label that takes part, in one order throughout; by default counts.
    add : callable
        Adds several of them up.
    counts : Pools, optional
        The counts of the same labels, where these are no counts: labels are weighted by them.
    """

    def __init__(
        self,
        cases: Sequence[Row],
        add: Callable[[Iterable[Any]], Any] = pooled,
        counts: Pools | None = None,
    ) -> None:
        self._cases, self._add, self._counts = cases, add, counts

    @cached_property
    def _labels(self) -> list[Any]:
        return [self._add(label) for label in zip(*self._cases, strict=True)]

    @cached_property
    def _of_cases(self) -> list[Any]:
        return [self._add(case) for case in self._cases]

    @cached_property
    def _all(self) -> Any:
        return self._add(self._of_cases)

    @cached_property
    def weights(self) -> list[int]:
        """The size of each label in the reference; of pools of counts."""
        return [counts.reference for counts in self._labels]

    def average(
        self,
        name: str,
        metric: Callable[[Any], float],
        values: Sequence[Sequence[float]] | None = None,
    ) -> Average:
        """Compute one of the named averages.

        `values` spares computing again: the metric per case and label, in the order of the counts.
        """
        if name == "macro":
            return mean(metric(counts) for counts in self._labels)
        if name == "micro":
            n = len(self._cases) * len(self._labels)
            value = metric(self._all) if n else math.nan
            return Average(value, 0, n) if math.isnan(value) else Average(value, n, 0)
        if name == "weighted":
            return self._weighted(metric)
        if name == "micro-imagewise":
            return mean(metric(case) if self._labels else math.nan for case in self._of_cases)
        every = (
            values if values is not None else [[metric(counts) for counts in case] for case in self._cases]
        )
        inner = {"macro-imagewise": every, "label-mean": zip(*every, strict=True)}[name]
        means = [mean(each) for each in inner]
        outer = mean(each.value for each in means)
        return Average(outer.value, outer.n, sum(each.undefined for each in means))

    def _weighted(self, metric: Callable[[Any], float]) -> Average:
        counts = self if self._counts is None else self._counts
        pairs = zip(self._labels, counts.weights, strict=True)
        values = [(metric(label), weight) for label, weight in pairs]
        kept = [(value, weight) for value, weight in values if not math.isnan(value)]
        total = sum(weight for _, weight in kept)
        if not total:
            return Average(math.nan, 0, len(values))
        value = math.fsum(value * weight for value, weight in kept) / total
        return Average(value, len(kept), len(values) - len(kept))
