"""An average of one metric, from measurements alone."""

from __future__ import annotations

import operator

from dicecli.reports.averages import AVERAGES
from dicecli.reports.measured import added
from dicecli.reports.pools import Pools, Sums


def average(
    name: str,
    cases,
    score,
    weigh=operator.attrgetter("reference"),
):
    """Compute one average of one metric, from measurements alone.

    Parameters
    ----------
    name : str
        One of :data:`~dicecli.reports.averages.AVERAGES`.
    cases : sequence of sequence
        Per case the measurement of every label that takes part, in one order throughout.
    score : callable
        From a measurement to a value, NaN where undefined.
    weigh : callable, optional
        From a measurement to its weight: the pixels of the reference.

    Raises
    ------
    KeyError
        There is no such average.
    """
    totals = [added(label) for label in zip(*cases, strict=True)]
    pools = Pools(
        Sums(cases, totals),
        score,
        lambda: [score(each) for each in totals],
        lambda: [[score(each) for each in case] for case in cases],
        lambda: [weigh(each) for each in totals],
    )
    return AVERAGES[name].compute(pools)


def parts(average):
    """Return all that an average has: two of them are equal where their values are."""
    return average.value, average.n, average.undefined, average.infinite, average.finite
