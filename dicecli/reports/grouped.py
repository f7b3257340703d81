"""What the cases of each group come to: the averages that lead, with their intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dicecli.records.undefined import number
from dicecli.reports.intervals import intervals

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.records.codec import Json
    from dicecli.reports.intervals import Interval
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers

#: The columns that rows of groups have beside others.
COLUMNS = ("group_by", "group")


class Led(NamedTuple):
    """The average of a metric that leads.

    Attributes
    ----------
    metric, average : str
        Their names.
    found : Average
    interval : Interval
    """

    metric: str
    average: str
    found: Average
    interval: Interval


def led(report: Numbers) -> Iterator[Led]:
    """Yield, of every metric that is shown and has averages, the one that leads."""
    shown = [each for each in report.shown if each.averaged]
    names = dict.fromkeys(report.leading(each) for each in shown)
    of_name = {name: [each for each in shown if report.leading(each) == name] for name in names}
    table, undefined = report.table, report.settings.undefined
    found = {name: table.averages([name], metrics)[name] for name, metrics in of_name.items()}
    sure = {name: intervals(table, [name], metrics, undefined)[name] for name, metrics in of_name.items()}
    for each in shown:
        name = report.leading(each)
        yield Led(each.name, name, found[name][each.name], sure[name][each.name])


def record(report: Numbers) -> Json:
    """Return the groups as JSON's types: undefined is None, infinity a text."""
    return {
        "by": report.settings.group_by,
        "groups": [
            {
                "value": value,
                "expected": len(group.results),
                "scored": len(group.scored),
                "metrics": {each.metric: _numbers(each) for each in led(group)},
            }
            for value, group in report.groups.items()
        ],
    }


def _numbers(each: Led) -> Json:
    return {
        "average": each.average,
        "value": number(each.found.value),
        "n": each.found.n,
        "undefined": each.found.undefined,
        "infinite": each.found.infinite,
        "ci_low": number(each.interval.low),
        "ci_high": number(each.interval.high),
        "sd": number(each.interval.sd),
    }


def rows(report: Numbers) -> Iterator[Mapping[str, object]]:
    """Yield a row for each group and metric, with the columns of the summary; undefined is None."""
    for value, group in report.groups.items():
        known: dict[str, object] = {"kind": "group", "group_by": report.settings.group_by, "group": value}
        known |= {"expected": len(group.results), "scored": len(group.scored)}
        for each in led(group):
            numbers = {"value": each.found.value, "finite_mean": each.found.finite, "sd": each.interval.sd}
            numbers |= {"ci_low": each.interval.low, "ci_high": each.interval.high}
            yield {
                **known,
                "name": each.average,
                "metric": each.metric,
                "n": each.found.n,
                "undefined": each.found.undefined,
                "infinite": each.found.infinite,
                **{key: None if math.isnan(at) else at for key, at in numbers.items()},
            }
