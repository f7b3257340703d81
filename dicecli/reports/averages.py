"""The named averages: what each one means, and how it is computed.

The tools of this field call different numbers by the same name; see ``docs/conventions.md``. None of these
can be converted into another, nor can an averaged Dice be converted into an averaged IoU.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dicecli.records.counts import Counts, pooled

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    Row = Sequence[Counts]

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


def average(name: str, cases: Sequence[Row], metric: Callable[[Counts], float]) -> Average:
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
    """The counts of some cases, added up once in every way that the averages need.

    Parameters
    ----------
    cases : sequence of sequence of Counts
        Per case the counts of every label that takes part, in one order throughout.
    """

    def __init__(self, cases: Sequence[Row]) -> None:
        self._cases = cases
        self._labels = [pooled(label) for label in zip(*cases, strict=True)]
        self._of_cases = [pooled(case) for case in cases]
        self._all = pooled(self._of_cases)

    def average(
        self,
        name: str,
        metric: Callable[[Counts], float],
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

    def _weighted(self, metric: Callable[[Counts], float]) -> Average:
        values = [(metric(counts), counts.reference) for counts in self._labels]
        kept = [(value, weight) for value, weight in values if not math.isnan(value)]
        total = sum(weight for _, weight in kept)
        if not total:
            return Average(math.nan, 0, len(values))
        value = math.fsum(value * weight for value, weight in kept) / total
        return Average(value, len(kept), len(values) - len(kept))
