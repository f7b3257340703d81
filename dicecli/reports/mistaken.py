"""What is mistaken for what: the confusion matrix for people, and the largest confusions in words."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

from dicecli.records.labels import NO_LABEL
from dicecli.reports import matrix
from dicecli.reports.presentation import figure, size
from dicecli.reports.sheet import Sheet
from dicecli.reports.text import inert

if TYPE_CHECKING:
    from dicecli.reports.numbers import Numbers

#: So many confusions are said in words, of at least this share of a label of the reference.
MOST, LEAST_SHARE = 3, 0.05
_WHERE = (
    "Rows: the reference; columns: the prediction, by label. Recall is also called producer's accuracy, "
    "precision user's accuracy; where they meet stands the share of all pixels whose label is right."
)
_NONE = "none: the prediction has no data there, or an ignored label."


class Mistaken(NamedTuple):
    """One confusion.

    Attributes
    ----------
    reference : int
        A label of the reference.
    prediction : int or None
        What the prediction calls it; None: it has no label there.
    share : float
        Of the pixels of the reference's label, above 0.
    """

    reference: int
    prediction: int | None
    share: float


def mistaken(report: Numbers) -> list[Mistaken]:
    """Return every confusion of all cases pooled, the largest share of a reference's label first.

    Empty where all is right, where there are no pixels, and where the report has no matrix.
    """
    if report.matrix is None:
        return []
    sizes: dict[int, int] = {}
    for row, _, n in report.matrix.cells():
        sizes[row] = sizes.get(row, 0) + n
    found = [
        (n / sizes[row], sizes[row], row, column) for row, column, n in report.matrix.cells() if row != column
    ]
    found.sort(key=lambda each: (-each[0], -each[1]))
    return [Mistaken(row, column, share) for share, _, row, column in found]


def in_words(report: Numbers) -> tuple[str, ...]:
    """Return the largest confusions in a few words each: 3 at most, of at least 5 % of a label."""
    large = [each for each in mistaken(report)[:MOST] if each.share >= LEAST_SHARE]
    return tuple(_said(each, report) for each in large)


def _said(each: Mistaken, report: Numbers) -> str:
    percent = round(100 * each.share)
    part = "all" if each.share == 1 else "nearly all" if percent == 100 else f"{percent} %"
    one = f"{part} of {title(each.reference, report)}"
    if each.prediction is None:
        return f"{one} has no label in the prediction"
    return f"{one} is called {title(each.prediction, report)}"


def title(label: int, report: Numbers) -> str:
    """Return what a label is called: its name, else its number."""
    return inert(matrix.names([label], report.settings).get(label, f"label {label}"))


def matrix_sheet(report: Numbers) -> Sheet:
    """Return the confusion matrix of all cases pooled, with totals and recall beside names, precision below.

    Raises
    ------
    UsageError
        The report has none.
    """
    found, names = report.confusion, report.label_names
    every = found.every_count()
    lines = []
    columns = matrix.columns(found)
    for (label, counts), row in zip(every.items(), found.rows(names), strict=True):
        pixels = (f"{row[column]:,}" for column in columns[2:])
        ends = (size(counts.reference), _share(counts.tp, counts.reference))
        lines.append((str(label), inert(names.get(label, "")), *ends, *pixels))
    lost = [size(found.unlabelled)] if NO_LABEL in found.labels else []
    total, correct = sum(each.reference for each in every.values()), sum(each.tp for each in every.values())
    sizes = (*(size(each.prediction) for each in every.values()), *lost)
    lines.append(("", "total", size(total), "", *sizes))
    shares = (*(_share(each.tp, each.prediction) for each in every.values()), *([""] * len(lost)))
    lines.append(("", "precision", "", _share(correct, total), *shares))
    remark = " ".join([_WHERE, *([_NONE] if lost else []), *(f"{each}." for each in in_words(report))])
    kinds = ("label",) * len(every) + ("total", "total")
    columns = (*columns[:2], "total", "recall", *columns[2:])
    return Sheet("Confusion matrix", columns, tuple(lines), remark, kinds=kinds, kept=2)


def _share(part: int, of: int) -> str:
    return figure(part / of if of else math.nan)
