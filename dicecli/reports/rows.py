"""The numbers of one case: a row for each label and region, and the averages over them."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from typing import TYPE_CHECKING

from dicecli.metrics._catalogue import catalogue
from dicecli.records.counts import Counts
from dicecli.records.measurements import IMAGE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.records.cases import Scored
    from dicecli.records.measurements import Row
    from dicecli.reports.averages import Average


@dataclass(frozen=True)
class LabelScore:
    """One row: a label or region of one case, its counts, and every metric's value (NaN: undefined)."""

    row: Row
    counts: Counts
    values: dict[str, float]

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
class CaseScores:
    """All numbers of one scored case.

    Attributes
    ----------
    result : Scored
    labels, regions : tuple of LabelScore
        The evaluated labels, in ascending order; the regions, in the order of their declaration.
    others : tuple of LabelScore
        Labels that are not evaluated but were counted: the background, where averages leave it out.
    averages : dict of str to dict of str to Average
        By the average's name, then by the metric's.
    overall : dict of str to float
        Metrics of the whole matrix.
    checks : dict of str to bool
        Identities that were checked, exactly, on every row.
    notes : tuple of str
        What was assumed or looks odd, and what may mislead.
    """

    result: Scored
    labels: tuple[LabelScore, ...]
    regions: tuple[LabelScore, ...]
    others: tuple[LabelScore, ...]
    averages: dict[str, dict[str, Average]]
    overall: dict[str, float]
    checks: dict[str, bool]
    notes: tuple[str, ...] = field(default=())


def labels_found(result: Scored) -> set[int]:
    """Return the labels that a case is about: those that its matrix holds, and those that have rows."""
    found: set[int] = set()
    for name, rows in result.measured.items():
        found.update(row.label for row in rows if row.label is not None)
        if name == "matrix" and IMAGE in rows:
            found.update(rows[IMAGE].labels)
    return found


def identities(rows: Sequence[Counts]) -> dict[str, bool]:
    """Check, in exact fractions, that F1 is Dice and that Dice and IoU give each other, for every row."""
    equal = derived = True
    for tp, fp, fn, _ in rows:
        if not tp + fp + fn:
            continue
        dice, f1 = Fraction(2 * tp, 2 * tp + fp + fn), Fraction(2 * tp, (tp + fp) + (tp + fn))
        iou = Fraction(tp, tp + fp + fn)
        table = catalogue()
        counts = Counts(tp, fp, fn)
        equal &= dice == f1 and table["dice"].function(counts) == table["f1"].function(counts) == float(dice)
        derived &= dice == 2 * iou / (1 + iou) and iou == dice / (2 - dice)
        derived &= table["iou"].function(counts) == float(iou)
    return {"f1_equals_dice": equal, "dice_from_iou": derived}
