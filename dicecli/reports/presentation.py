"""What the reports for people's eyes share: how numbers are written, which rows and notes are shown."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import TYPE_CHECKING

from dicecli.reports.averages import OVER_REGIONS, alone, exists
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dicecli.metrics._metric import Metric
    from dicecli.records.cases import Scored
    from dicecli.reports.means import Average
    from dicecli.reports.numbers import Numbers
    from dicecli.reports.rows import CaseValues, RowValues

#: More labels than this are not all shown, but the worst of them.
MANY_LABELS = 40
WORST = 20
UNDEFINED = "—"
_TITLES = {"dice": "dice = f1"}
_EXCLUDED = {
    "ignore_label": "of an ignored label",
    "nodata": "of nodata",
    "outside": "outside the field",
    "nodata_prediction": "of the prediction's nodata",
}
#: The two sides of a case, in the order in which notes name them.
_SIDES = ("prediction", "reference")
#: A note that is said of a side, perhaps of several cases.
_OF_SIDE = re.compile(r"(in [\d,]+ of [\d,]+ cases?: )?(prediction|reference): (.*)", re.DOTALL)


def figure(value: float) -> str:
    """Write a number for people: four decimals, a dash where it is undefined."""
    if math.isnan(value):
        return UNDEFINED
    return f"{value:.4f}" if abs(value) < 1000 else f"{value:,.1f}"


def size(value: float) -> str:
    """Write a number of pixels for people; one that need not be whole with a decimal."""
    return f"{value:,}" if isinstance(value, int) else f"{value:,.1f}"


def title(metric: Metric) -> str:
    """Write a metric's name over its column."""
    return _TITLES.get(metric.name, metric.name)


def shown_metrics(result: Scored, metrics: Sequence[Metric]) -> tuple[list[Metric], str]:
    """Return the metrics to show, and what to say of those that this kind of file cannot have."""
    without = [each for each in metrics if each.size is not None and each.size not in result.sizes]
    if not without:
        return list(metrics), ""
    said = f"{', '.join(each.name for each in without)}: the reference gives no size of a pixel for them"
    return [each for each in metrics if each not in without], said


def shown_labels(case: CaseValues, metrics: Sequence[Metric], *, every: bool) -> tuple[list[RowValues], str]:
    """Return the labels to show, and what to say of the others: with many labels, the worst alone."""
    rows = list(case.labels)
    if every or len(rows) <= MANY_LABELS:
        return rows, ""
    ranked = next((each for each in metrics if each.better != "neither"), None)
    if ranked is None:
        return rows[:WORST], f"the first {WORST} of {len(rows)} labels; all of them: -v, or -f csv"
    sign = 1 if ranked.better == "higher" else -1
    defined = [row for row in rows if not math.isnan(row.values[ranked.name])]
    worst = sorted(defined, key=lambda row: (sign * row.values[ranked.name], row.label))[:WORST]
    return worst, (
        f"the {len(worst)} of {len(rows)} labels with the worst {ranked.name}, worst first; "
        "all of them: -v, or -f csv"
    )


def short(value: float) -> str:
    """Write a number with three decimals: a table of statistics has many columns."""
    return figure(value) if math.isnan(value) or abs(value) >= 1000 else f"{value:.3f}"


def interval(low: float, high: float) -> str:
    """Write the limits of a confidence interval."""
    return UNDEFINED if math.isnan(low) else f"{short(low)} to {short(high)}"


def heading(case: CaseValues, *, every: bool) -> list[tuple[str, str]]:
    """Return what was compared: masks, and pixels that were left out; with `every`, shape and spacing too."""
    result = case.result
    shape = " x ".join(str(n) for n in result.shape)
    if result.spacing:
        steps = " x ".join(f"{step:.6g}" for step in result.spacing)
        shape += f", spacing {steps} {result.unit or '(unit unknown)'}"
    counted = pixels([result], every=every)
    said = [(side, inert(str(getattr(result.case, side)))) for side in _SIDES]
    return said + [("shape", shape)] * every + counted


def pixels(cases: Iterable[Scored], *, every: bool) -> list[tuple[str, str]]:
    """Return how many pixels of some cases were counted, and left out for each reason.

    Nothing where none was left out, but with `every`.
    """
    counted, excluded = 0, Counter[str]()
    for each in cases:
        counted += each.counted
        excluded.update(each.excluded)
    left_out = ", ".join(f"{n:,} {_EXCLUDED[why]}" for why, n in excluded.items() if n)
    if not left_out and not every:
        return []
    return [("counted", f"{counted:,} pixels{'; left out: ' * bool(left_out)}{left_out}")]


def _parts(note: str) -> tuple[str, str, str]:
    """Return of how many cases a note is, of which side, and what it says: empty texts where it says none."""
    found = _OF_SIDE.fullmatch(note)
    return ("", "", note) if found is None else (found[1] or "", found[2], found[3])


def shown_notes(notes: Sequence[str]) -> list[str]:
    """Return notes as people read them: what is said of both sides alike stands once."""
    found: dict[tuple[str, str], list[str]] = {}
    for note in notes:
        among, side, text = _parts(note)
        found.setdefault((among, text), []).extend([side] * bool(side))
    return [
        inert(f"{among}{' and '.join(side for side in _SIDES if side in sides)}{': ' * bool(sides)}{text}")
        for (among, text), sides in found.items()
    ]


def undefined_row(case: CaseValues, metrics: Sequence[Metric], report: Numbers) -> list[int]:
    """Return how many undefined values the leading average of each metric leaves out."""
    return [
        case.averages[alone(report.leading(each), each)][each.name].undefined if each.averaged else 0
        for each in metrics
    ]


def averages_of(
    averages: Mapping[str, dict[str, Average]], labels: Sequence[object], regions: Collection[object]
) -> dict[str, dict[str, Average]]:
    """Return the averages that are shown: of a run of regions alone, as of binary layers, those over them."""
    return {name: each for name, each in averages.items() if labels or not regions or name in OVER_REGIONS}


def averaged(name: str, values: Mapping[str, Average], metrics: Sequence[Metric]) -> list[str]:
    """Write an average of each metric: nothing where it has none at all, a dash where it lacks this one."""
    return [
        (figure(values[each.name].value) if exists(name, each) else UNDEFINED) if each.averaged else ""
        for each in metrics
    ]
