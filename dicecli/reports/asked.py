"""The name of any number of a report: ``metric``, ``metric@average``, ``metric[row]@average``.

Gates, ``dicecli explain`` and :meth:`~dicecli.reports.report.Report.look_up` read it here. Without an average
it is the one that leads; of one row it is the pooled value where the metric pools, else the mean over cases.
Of one row ``@macro`` is the pooled value, ``@label-mean`` the mean over cases, and no other average has a
meaning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.errors import UnknownName, UsageError
from dicecli.metrics._catalogue import averaged, resolve, unit_in
from dicecli.plugins import unknown
from dicecli.reports.averages import AVERAGES, OF_VALUES, OVER_REGIONS, leading, without_pools
from dicecli.words import plain

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.metrics._metric import Metric

#: What the name of a number looks like.
FORM = re.compile(
    r"(?P<metric>[^\s:@=\[\]][^:@=\[\]]*)(?:\[(?P<row>.+)\]\s*)?(?:@(?P<average>[^@=\[\]]+))?",
    re.IGNORECASE | re.DOTALL,
)
#: Averages that mean something of one row alone.
OF_A_ROW = ("macro", "label-mean")
_EXAMPLES = "Write dice, iou@micro, dice[liver], or dice[liver]@label-mean."


@dataclass(frozen=True)
class Asked:
    """A number that is asked for by its name.

    Attributes
    ----------
    text : str
        As it was written.
    metric : Metric
        As it is in the catalogue.
    row : str or None
        The label's number or name, or the region's; None: of all rows.
    average : str or None
        None: the one that leads.
    unit : str or None
        What a length is said to be in, where the name says so.
    """

    text: str
    metric: Metric
    row: str | None = None
    average: str | None = None
    unit: str | None = None


def parse(text: str, examples: str = _EXAMPLES, written: Callable[[str], str] = str) -> Asked:
    """Read the name of a number.

    Parameters
    ----------
    text : str
    examples : str
        The hint where it is no such name.
    written : callable
        Makes of a name what hints tell to write: a gate, where it is the name in one.

    Raises
    ------
    UsageError
        It is no such name, or one without a meaning, such as an average of what has none.
    UnknownName
        There is no such metric, or no such average.
    """
    found = FORM.fullmatch(text.strip()) if isinstance(text, str) else None
    if found is None:
        raise UsageError("METRIC, METRIC@AVERAGE, METRIC[ROW] or METRIC[ROW]@AVERAGE is expected", examples)
    metric, row, average = _metric_of(found, written)
    if metric.takes == "every" and (average or row):
        raise UsageError(
            f"{metric.name} is one number of all labels, without averages and labels",
            f"Write {written(metric.name)}.",
        )
    if average is not None:
        average = plain(average).replace("_", "-")
        _check_average(metric, row, average, written)
    return Asked(text, metric, row and row.strip(), average, unit_in(found["metric"], metric))


def _metric_of(found: re.Match[str], written: Callable[[str], str]) -> tuple[Metric, str | None, str | None]:
    """Return the metric, row and average of a name; a word as ``miou`` says both metric and average."""
    word, row, average = found["metric"], found["row"], found["average"]
    try:
        return resolve(word), row, average
    except UnknownName:
        number = averaged(word)
        if number is None:
            raise
    metric, meant = number
    if row is not None or average is not None:
        name = metric.name if row is None else f"{metric.name}[{row}]"
        raise UsageError(
            f"'{word.strip()}' is {metric.name}@{meant} already",
            f"Write {written(name if average is None else f'{name}@{average}')}, or {written(word.strip())}.",
        )
    return metric, row, meant


def _check_average(metric: Metric, row: str | None, average: str, written: Callable[[str], str]) -> None:
    if average not in AVERAGES and average not in OVER_REGIONS:
        raise unknown("average", average, (*AVERAGES, *OVER_REGIONS))
    name = metric.name if row is None else f"{metric.name}[{row}]"
    if not metric.averaged and row is None:
        raise UsageError(f"{metric.name} has no averages", f"Name a label: {written(f'{metric.name}[1]')}.")
    if not metric.pools and AVERAGES[OVER_REGIONS.get(average, average)].pools:
        raise UsageError(
            f"{metric.name} does not pool, so that there is no {average} of it",
            f"Write {written(f'{name}@{leading(metric)}')}; it has {' and '.join(without_pools())}.",
        )
    if row is not None and OVER_REGIONS.get(average, average) not in OF_A_ROW:
        has = OF_A_ROW if metric.pools else (OF_VALUES,)
        meanings = {"macro": "pooled over cases", "label-mean": "the mean over cases"}
        said = " or ".join(f"{written(f'{name}@{each}')} ({meanings[each]})" for each in has)
        raise UsageError(f"of one label or region there is no {average}", f"Write {said}.")
