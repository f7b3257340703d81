"""The numbers of one case: a row for each label and region, and the averages over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING, Any

from dicecli.metrics._catalogue import catalogue
from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.means import Average
    from dicecli.reports.suggestions import Suggestion


@dataclass(frozen=True)
class RowValues:
    """One row of one case: a label or region, and every metric's value.

    Attributes
    ----------
    row : Row
    facts : Counts or Facts
        What the leading statistic says of it: of masks the four counts.
    sizes : dict of str to float
        The numbers that tables for people show of it, by the column's title.
    values : dict of str to float
        By the metric's name; NaN is undefined.
    """

    row: Row
    facts: Any
    sizes: dict[str, float]
    values: dict[str, float]

    @property
    def counts(self) -> Counts:
        """The four counts, of masks."""
        found: Counts = self.facts
        return found

    @property
    def label(self) -> int | None:
        """The label; None of a region."""
        return self.row.label

    @property
    def name(self) -> str | None:
        """The name, where it has one."""
        return self.row.name

    @property
    def title(self) -> str:
        """What people call it: its name, else its number."""
        return self.row.title


@dataclass(frozen=True)
class CaseValues:
    """All numbers of one scored case.

    Attributes
    ----------
    result : Scored
    labels, regions : tuple of RowValues
        The evaluated labels, in ascending order; the regions, in the order of their declaration.
    others : tuple of RowValues
        Labels that are not evaluated but were measured: the background, where averages leave it out.
    averages : dict of str to dict of str to Average
        By the average's name, then by the metric's.
    overall : dict of str to float
        Metrics of all labels at once.
    checks : dict of str to bool
        Identities that were checked, exactly, on every row of masks.
    notes : tuple of str
        What was assumed or looks odd, and what may mislead.
    suggestions : tuple of Suggestion
        What to try, where the numbers would be much better; notes say the same.
    """

    result: Scored
    labels: tuple[RowValues, ...]
    regions: tuple[RowValues, ...]
    others: tuple[RowValues, ...]
    averages: dict[str, dict[str, Average]]
    overall: dict[str, float]
    checks: dict[str, bool]
    notes: tuple[str, ...] = field(default=())
    suggestions: tuple[Suggestion, ...] = field(default=())

    @property
    def rows(self) -> tuple[RowValues, ...]:
        """The evaluated labels, then the regions."""
        return (*self.labels, *self.regions)


def labels_found(result: Scored) -> set[int]:
    """Return the labels that a case is about: those that its matrix holds, and those that have rows."""
    found: set[int] = set()
    for name, rows in result.measured.items():
        found.update(row.label for row in rows if row.label is not None)
        if name == "matrix" and IMAGE in rows:
            found.update(rows[IMAGE].labels)
    return found


def identities(rows: Iterable[RowValues]) -> dict[str, bool]:
    """Check, in exact fractions, that F1 is Dice and that Dice and IoU give each other, in rows of counts."""
    every = [row.facts for row in rows if isinstance(row.facts, Counts)]
    equal = derived = True
    table = catalogue()
    for tp, fp, fn, _ in every:
        if not tp + fp + fn:
            continue
        dice, f1 = Fraction(2 * tp, 2 * tp + fp + fn), Fraction(2 * tp, (tp + fp) + (tp + fn))
        iou = Fraction(tp, tp + fp + fn)
        counts = Counts(tp, fp, fn)
        equal &= dice == f1 and table["dice"].value(counts) == table["f1"].value(counts) == float(dice)
        derived &= dice == 2 * iou / (1 + iou) and iou == dice / (2 - dice)
        derived &= table["iou"].value(counts) == float(iou)
    return {"f1_equals_dice": equal, "dice_from_iou": derived}
