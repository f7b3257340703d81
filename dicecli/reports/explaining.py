"""What a number of a report is: its metric, over which labels and cases it was averaged, what is left out."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from dicecli.reports import origins
from dicecli.reports.asked import parse
from dicecli.reports.averages import AVERAGES, OF_VALUES, OVER_REGIONS, definition
from dicecli.reports.bound import bind
from dicecli.reports.said import measured_by, of_case, of_run, options
from dicecli.words import some_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.reports.bound import Number
    from dicecli.reports.means import Average
    from dicecli.reports.report import Report

#: So many labels are named that an average is over.
_NAMED = 12
_OVER_ALL = {
    "labels": "all counted pixels, background included",
    "probabilities": "all channels together; generalised Dice of the labels that are averaged",
}
_OF_A_ROW = {
    "macro": "pooled: the {things} of all cases added up, then the {score}",
    OF_VALUES: "the mean over the cases where it is defined",
}
_WORDS = {
    "labels": {"things": "counts", "score": "ratio"},
    "probabilities": {"things": "sums", "score": "score"},
}


def explained(report: Report, name: str) -> list[tuple[str, str]]:
    """Return what a number is, as pairs of a word and what is said of it.

    Raises
    ------
    UsageError, UnknownName
        As for :meth:`~dicecli.reports.report.Report.look_up`.
    """
    number = bind(parse(name), report)
    found = number.of_run()
    metric, reads = number.metric, report.settings.reads
    said = [
        ("value", f"{found.value!r}" if not math.isnan(found.value) else "undefined"),
        ("metric", f"{metric.name}: {metric.summary}"),
        ("formula", metric.formula),
        ("range", f"{metric.range}; better: {metric.better}"),
        ("undefined", f"where {metric.undefined}"),
    ]
    if number.row is not None:
        kind, row = number.row.kind, number.row
        title = f"{row.name} ({row.label})" if row.name and row.label is not None else row.title
        is_of_labels = kind == "region" and row.members  # a binary layer is a region of no label
        members = f", the labels {', '.join(map(str, row.members))}" if is_of_labels else ""
        said.append((kind, f"{title}{members}"))
        said.append(("average", _OF_A_ROW[number.average or OF_VALUES].format(**_WORDS[reads])))
    elif number.average is not None:
        said.append(("average", f"{number.average}: {definition(number.average, reads)}"))
        over_regions = number.average in OVER_REGIONS
        rows = [row.title for row in report.evaluated if (row.kind == "region") == over_regions]
        said.append(
            ("over", f"{len(rows)} {'regions' if over_regions else 'labels'}: {some_of(rows, _NAMED)}")
        )
    else:
        said.append(("over", _OVER_ALL[reads]))
    if metric.tuned:
        said.append(("tuned", _tuned(number)))
    said += _left_out(report, number, found)
    said += measured_by([metric], report.settings)
    if given := options([metric]):
        said.append(("options", given))
    return said


def _tuned(number: Number) -> str:
    """Say of how many cases and rows one threshold is."""
    average = AVERAGES[OVER_REGIONS.get(number.average or OF_VALUES, number.average or OF_VALUES)]
    if average.alone != average.name:
        chosen = "each case has its own threshold, chosen on that case"
    elif number.row is not None:
        chosen = "one threshold for all cases, chosen on them"
    else:
        chosen = "one threshold for all cases and all that is averaged, chosen on them"
    return f"{chosen}, which flatters: choose on one part, score another"


def _left_out(report: Report, number: Number, found: Average) -> Iterator[tuple[str, str]]:
    """Yield over how many values and cases a number is, and what was left out."""
    is_pooled = number.average is None or (number.row is not None and number.average != OF_VALUES)
    counts = [f"{found.n} {'case' if is_pooled else 'value'}{'' if found.n == 1 else 's'}"]
    counts += [f"{found.undefined} undefined left out"] * bool(found.undefined)
    yield "n", ", ".join(counts)
    if found.infinite:
        rest = "undefined" if math.isnan(found.finite) else f"{found.finite!r}"
        yield "infinite", f"{rest} without its infinite values ({found.infinite})"
    without = [
        f"{report.number(each)} {each}" for each in ("failed", "missing", "pending") if report.number(each)
    ]
    yield "cases", ", ".join([f"{report.number('scored')} of {len(report.results)} scored", *without])


def meanings(report: Report) -> list[tuple[str, str]]:
    """Return the headline, where a report comes from, and what its numbers mean: averages, intervals."""
    whence = [("headline", report.headline), *origins.said(report.origin, verbose=True)]
    if report.is_batch or not report.scored:
        return [*whence, *of_run(report, every=True)]
    return [*whence, *of_case(report.case(report.scored[0]), report, every=True)]


def leading(report: Report) -> tuple[str, ...]:
    """Return the names of the numbers that lead: of each metric shown, its leading average."""
    return tuple(
        f"{each.name}@{report.leading(each)}" if each.averaged else each.name
        for each in report.shown
        if each.averaged or each.takes == "every"
    )
