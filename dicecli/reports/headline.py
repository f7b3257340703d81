"""The sentence that a run comes to: the average that leads, how sure it is, and what cases are like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from dicecli.metrics._catalogue import resolve
from dicecli.reports.averages import AVERAGES, OVER_REGIONS, alone, beside
from dicecli.reports.intervals import Interval
from dicecli.reports.text import inert
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.measurements import Row
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers

#: Words for what became of cases that have no numbers.
_UNSCORED = {"failed": "failed", "missing": "missing", "pending": "not reached"}
#: Decimals of many cases, of one, and of lengths by their unit.
_MANY, _ONE, _LENGTHS = 3, 4, {"mm": 2, "m": 2, "px": 1}
_MOST = 9
_NONE = Interval()


@dataclass(frozen=True)
class Headline:
    """The sentence, and the numbers that it is made of; NaN where there is none.

    Attributes
    ----------
    text : str
        The sentence.
    metric : str or None
        The first metric that is shown, by its name in the report; None where nothing was scored.
    average : str or None
        The average that leads; None of a metric that has none.
    value : float
        That average; undefined or infinite, too.
    interval : Interval
        Of it; where values are infinite, of the mean of the others.
    mean, sd : float
        Over cases, of their macro means; of their micro values where ``micro`` leads.
    n : int
        How many cases have a value.
    rows, scored, expected : int
        Labels, or regions, that the average is over; cases that were scored, and all of them.
    """

    text: str
    metric: str | None = None
    average: str | None = None
    value: float = math.nan
    interval: Interval = _NONE
    mean: float = math.nan
    sd: float = math.nan
    n: int = 0
    rows: int = 0
    scored: int = 0
    expected: int = 0


def headline(report: Numbers) -> Headline:
    """Return the sentence of a run, for a paper or a pull request: plain text in one line."""
    scored, expected = len(report.scored), len(report.results)
    metric = next((each for each in report.shown if each.averaged), None)
    if not scored:
        return Headline(f"no case was scored: {_unscored(report) or 'there is none'}", expected=expected)
    if metric is None:
        return Headline(_without_average(report), scored=scored, expected=expected)
    name = report.leading(metric)
    name = name if name in report.average_names else alone(name, metric)
    found, rows = report.averages[name][metric.name], _rows(report, name)
    text, interval, mean, sd, n = _said(report, metric, name, found, rows)
    return Headline(
        "; ".join([text, *_left_out(report, name, found)]),
        *(metric.name, name, found.value, interval, mean, sd, n, len(rows), scored, expected),
    )


def n_in_words(report: Numbers, name: str, found: Average) -> str:
    """Say what the n of an average is: 5 labels, 300 cases; and what it leaves out because it is undefined.

    Parameters
    ----------
    report : Numbers
    name : str
        Of the average, over labels or over regions.
    found : Average
        Of one metric.
    """
    meant, things = AVERAGES[OVER_REGIONS.get(name, name)], _things(name)
    rows, cases = len(_rows(report, name)), len(report.scored)
    if meant.name == "micro":
        if found.n != rows * cases:
            return f"{found.n:,} {things}s of cases"
        return counted(rows, things) + f" in {counted(cases, 'case')}" * report.is_batch
    said = counted(found.n, things if meant.per_case is None else "case")
    if not found.undefined:
        return said
    # What pooled rows are averaged to leaves out rows; any other average leaves out values of cases.
    what = "" if _is_pooled(name) else f" value{'s' * (found.undefined != 1)}"
    return f"{said}, {found.undefined:,} undefined{what} left out"


def _things(name: str) -> str:
    return "region" if name in OVER_REGIONS else "label"


def _is_pooled(name: str) -> bool:
    """Whether an average is of the cases added up, rather than a mean of values of cases."""
    meant = AVERAGES[OVER_REGIONS.get(name, name)]
    return meant.pools and meant.per_case is None


def _rows(report: Numbers, name: str) -> tuple[Row, ...]:
    return report.evaluated[report.table.part(over_regions=name in OVER_REGIONS)]


def _said(
    report: Numbers, metric: Metric, name: str, found: Average, rows: Sequence[Row]
) -> tuple[str, Interval, float, float, int]:
    """Return the sentence without what it leaves out; interval, mean, SD and number of cases in it."""
    write = _Written(metric, report, found.finite if found.infinite else found.value)
    text = f"{metric.in_words} {_value(report, metric, name, found, write)}"
    over = [] if len(rows) == 1 else [_over(name, found, len(rows))]
    text += f" of {inert(rows[0].title)}" if len(rows) == 1 else ""
    if not report.is_batch:
        return ", ".join([text, *over]), Interval(), math.nan, math.nan, 0
    over.append(_cases(report))
    how = f"{'pooled' if _is_pooled(name) else 'mean'} over " * (len(rows) == 1)
    text += f", {how}{' and '.join(over)}"
    own, cases = report.shown_intervals, report.averages[beside(name)][metric.name]
    interval, sd = own[name][metric.name], own[beside(name)][metric.name].sd
    without = " without them" * bool(found.infinite)
    if not math.isnan(interval.low):
        text += f" (95 % CI{without} {write.number(interval.low)} to {write.number(interval.high)})"
    if not math.isnan(sd):
        of = f" of {counted(cases.n, 'case')}" * (cases.n != len(report.scored))
        spread = f"{write.number(cases.finite)} ± {write.length(sd)}"
        # The mean over cases beside a weighted average is of macro means, as there is no other.
        kind = " of macro means" * (AVERAGES[OVER_REGIONS.get(name, name)].name == "weighted")
        text += f"; per case {spread}{without} (mean ± SD{kind}{of})"
    return text, interval, cases.finite, sd, cases.n


class _Written:
    """How the numbers of a sentence are written, all with as many decimals as the first one needs.

    Parameters
    ----------
    metric : Metric
    report : Numbers
    value : float
        The first number; with fewer than two digits that are not 0 they get more decimals.
    """

    def __init__(self, metric: Metric, report: Numbers, value: float) -> None:
        self._unit = report.unit if metric.unit else ""
        least = _ONE if len(report.scored) == 1 else _MANY
        least = _LENGTHS.get(self._unit, least)
        is_small = math.isfinite(value) and value
        self._decimals = min(_MOST, max(least, 1 - math.floor(math.log10(abs(value)))) if is_small else least)

    def number(self, value: float) -> str:
        """Write a number."""
        return f"{value:,.1f}" if abs(value) >= 1000 else f"{value:.{self._decimals}f}"

    def length(self, value: float) -> str:
        """Write a number with its unit, where it has one."""
        return f"{self.number(value)} {self._unit}".rstrip()


def _value(report: Numbers, metric: Metric, name: str, found: Average, write: _Written) -> str:
    """Write an average, undefined or infinite, too: how many values are, and the mean of the others."""
    if math.isnan(found.value) and not found.infinite:
        return "undefined"
    if not found.infinite:
        return write.length(found.value)
    shape = len(report.scored), len(report.table.rows)
    values = np.reshape(report.table.values(metric), shape)[
        :, report.table.part(over_regions=name in OVER_REGIONS)
    ]
    of = f"{found.infinite:,} of {counted(int((~np.isnan(values)).sum()), 'value')}"
    rest = "" if math.isnan(found.finite) else f", {write.length(found.finite)} without them"
    return f"infinite ({of}){rest}"


def _over(name: str, found: Average, rows: int) -> str:
    """Say which average it is and of how many labels or regions; some may be undefined."""
    meant = OVER_REGIONS.get(name, name)
    # Of pooled rows those that are undefined are left out as a whole.
    some = f"{found.n:,} of " * (_is_pooled(name) and meant != "micro" and found.n < rows)
    word = name if not AVERAGES[meant].pools else meant
    return f"{word} over {some}{counted(rows, _things(name))}"


def _cases(report: Numbers) -> str:
    return f"{len(report.scored):,} of {counted(len(report.results), 'case')}"


def _left_out(report: Numbers, name: str, found: Average) -> list[str]:
    """Say what a sentence is not about, or what it takes for something else."""
    said = []
    if found.undefined and not _is_pooled(name):
        said.append(f"{counted(found.undefined, 'undefined value')} left out")
    without = sum(each.case.prediction is None for each in report.scored)
    if without:
        said.append(f"{counted(without, 'case')} without a prediction counted as empty")
    if report.unscored:
        said.append(f"without numbers: {_unscored(report)}")
    return said


def _unscored(report: Numbers) -> str:
    """Say how many cases have no numbers, and why."""
    numbers = {word: report.number(status) for status, word in _UNSCORED.items()}
    return ", ".join(f"{n:,} {word}" for word, n in numbers.items() if n)


def _without_average(report: Numbers) -> str:
    """Return the sentence where no metric has averages: sizes, or numbers of all labels at once."""
    over = f"{_cases(report)} scored" if report.is_batch else "one case scored"
    names = {resolve(each).name for each in report.settings.metrics or ()}
    asked = [each for each in report.together if each.name in names]
    if report.shown or not asked:
        shown = ", ".join(each.in_words for each in report.shown) or "what was asked for"
        return f"{over}; {shown}: no averages"
    metric = asked[0]
    value = report.overall[metric.name]
    written = _Written(metric, report, value).number(value) if math.isfinite(value) else "undefined"
    return f"{metric.in_words} {written}, of all labels" + f" and {_cases(report)}" * report.is_batch
