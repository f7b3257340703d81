"""What a confusion matrix says of other numbers for the same labels: an offset, a permutation, a preset.

Every search goes over the pairs of labels that meet, a fixed number of times, so that it never takes longer
than the counting did; and none is made where the masks agree already.
"""

from __future__ import annotations

import math
from collections import defaultdict
from dataclasses import replace
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from dicecli.records.settings import Settings

#: A pair of labels with a lower IoU is no sign of one label under two numbers.
_LEAST_IOU = 0.25
#: How many offsets are tried.
_OFFSETS = 2
#: How far below the best way to renumber a simpler one may stay.
_NEARLY = 0.02
#: What a label that neither mask has counts as, by ``--undefined``, where it counts.
_OF_NOTHING = {"zero": 0.0, "one": 1.0}
#: The number that stands for a label of the prediction that is left over.
_NO_ONE = None


class Macro(NamedTuple):
    """Means over the evaluated labels: of those that either mask has, and of others as undefined ones count.

    NaN where there is none.
    """

    dice: float
    iou: float


class Renumbered(NamedTuple):
    """Another way to read the numbers of the prediction.

    Attributes
    ----------
    kind : {"preset", "offset", "relabelling"}
    iou : float
        The macro IoU that it gives.
    labels : mapping of int to int or None
        The label that each of the prediction's means; None for one that means none.
    names : tuple of str
        The presets: whose numbers the prediction has, and whose the reference.
    """

    kind: str
    iou: float
    labels: Mapping[int, int | None]
    names: tuple[str, ...] = ()


class Confusion:
    """Which labels meet, with the sizes of each; sparse.

    Parameters
    ----------
    cells : iterable of (int, int or None, int)
        The label of the reference, that of the prediction, and the pixels; a pair may stand twice.
    settings : Settings
        Which labels are evaluated.
    """

    def __init__(self, cells: Iterable[tuple[int, int | None, int]], settings: Settings) -> None:
        self._settings = settings
        # By the reference's label first: one dictionary of a million pairs would be slow to fill.
        meeting: dict[int, dict[int | None, int]] = defaultdict(lambda: defaultdict(int))
        columns: dict[int | None, int] = defaultdict(int)
        for row, column, n in cells:
            if n > 0:
                meeting[row][column] += n
                columns[column] += n
        self._meeting = meeting
        self.rows = {row: sum(each.values()) for row, each in meeting.items()}
        self.columns = {label: n for label, n in columns.items() if label is not None}

    def meet(self, row: int, column: int | None) -> int:
        """Return in how many pixels a label of the reference meets one of the prediction."""
        return self._meeting[row].get(column, 0) if row in self.rows else 0

    def __iter__(self) -> Iterator[tuple[int, int | None, int]]:
        for row, each in self._meeting.items():
            for column, n in each.items():
                yield row, column, n

    def without(self, label: int) -> Confusion:
        """Return the same without the pixels whose reference is a label."""
        labels = self._settings.labels.adding(ignore=(label,))
        return Confusion((cell for cell in self if cell[0] != label), replace(self._settings, labels=labels))

    def less(self, cells: Iterable[tuple[int, int | None, int]]) -> Confusion:
        """Return the same without some of its pixels."""
        fewer: dict[tuple[int, int | None], int] = defaultdict(int)
        for row, column, n in cells:
            fewer[row, column] += n
        left = ((row, column, n - fewer.get((row, column), 0)) for row, column, n in self)
        return Confusion(left, self._settings)

    def macro(self, renumbered: Mapping[int, int | None] | None = None) -> Macro:
        """Return the macro averages; with the prediction's labels renumbered, no two of them alike.

        Labels of the prediction that are not renumbered keep their number, or, where another one has taken
        it, are labels of their own that the reference lacks.
        """
        scheme, new = self._settings.labels, renumbered or {}
        taken = {label for label in new.values() if label is not None}
        sources: dict[int, int] = {}
        strange = 0
        for label in self.columns:
            meant = new.get(label, label if label not in taken else _NO_ONE)
            if meant is not None and (renumbered or meant not in scheme.ignore):
                sources[meant] = label
            elif label not in new and label in taken and not scheme.is_declared and not self._settings.only:
                strange += self.is_evaluated(label)
        dice, iou = [], []
        for label in {*self.rows, *sources}:
            if not self.is_evaluated(label):
                continue
            source = sources.get(label)
            tp = self.meet(label, source) if source is not None else 0
            sizes = self.rows.get(label, 0) + (0 if source is None else self.columns[source])
            dice.append(2 * tp / sizes)
            iou.append(tp / (sizes - tp))
        nothing = self._without_pixels({*self.rows, *sources})
        dice += nothing
        iou += nothing
        number = len(iou) + strange
        if not number:
            return Macro(math.nan, math.nan)
        return Macro(math.fsum(dice) / number, math.fsum(iou) / number)

    def _without_pixels(self, there: AbstractSet[int]) -> list[float]:
        """Return what each label that has a row, and no pixel, goes into averages with: none by default."""
        value = _OF_NOTHING.get(self._settings.undefined)
        if value is None:
            return []
        only = self._settings.only
        asked = self._settings.labels.names if only is None else only.labels
        return [value for label in asked if label not in there and self.is_evaluated(label)]

    def is_evaluated(self, label: int) -> bool:
        """Tell whether a label goes into averages."""
        return self._settings.evaluates(label)

    def iou(self, row: int, column: int) -> float:
        """Return the IoU of a label of the reference and one of the prediction, which meet."""
        n = self.meet(row, column)
        return n / (self.rows[row] + self.columns[column] - n)

    def renumbered(self) -> Renumbered | None:
        """Return the best way to renumber the prediction: of those that are nearly as good, the simplest."""
        # Of a pair with such an IoU the label of the reference has a part at least as large.
        alike = sorted(
            (-self.iou(row, column), row, column)
            for row, size in self.rows.items()
            for column, n in self._meeting[row].items()
            if n >= size * _LEAST_IOU and column is not None
        )
        pairs = [(-iou, row, column) for iou, row, column in alike if -iou >= _LEAST_IOU]
        if all(row == column for _, row, column in pairs):
            return None
        found = [*self._presets(), *self._offsets(pairs), self._one_to_one(pairs)]
        best = max(each.iou for each in found)
        return next(each for each in found if each.iou >= best - _NEARLY)

    def _one_to_one(self, pairs: Sequence[tuple[float, int, int]]) -> Renumbered:
        """Give each label of the prediction the number of the label it is most alike."""
        new: dict[int, int | None] = {}
        taken: set[int] = set()
        for _, row, column in pairs:
            if row not in taken and column not in new:
                new[column] = row
                taken.add(row)
        # A label that the prediction lacks, or has and misses, is no background under another number.
        background = self._settings.labels.background
        to = new.get(background) if background is not None else None
        if background is not None and to is not None and to != background and background not in taken:
            is_own = to in self.columns and to not in new
            if background in self.rows or len(self.columns) == 1 or is_own:
                del new[background]
        return Renumbered("relabelling", self._iou(new), {at: to for at, to in new.items() if at != to})

    def _offsets(self, pairs: Sequence[tuple[float, int, int]]) -> Iterator[Renumbered]:
        """Move all labels by as much as at least two of them seem to be apart."""
        weights: dict[int, float] = {}
        number: dict[int, int] = {}
        for iou, row, column in pairs:
            step = row - column
            weights[step], number[step] = weights.get(step, 0) + iou, number.get(step, 0) + 1
        steps = [step for step, n in number.items() if step and n > 1]
        for step in sorted(steps, key=lambda step: (-weights[step], abs(step), step))[:_OFFSETS]:
            for every in (self.columns, self.columns.keys() - {self._settings.labels.background}):
                new = {label: label + step for label in every}
                yield Renumbered("offset", self._iou(new), new)

    def _presets(self) -> Iterator[Renumbered]:
        for names, numbers in _numberings():
            if len(self.columns.keys() & numbers) > 1:
                new = {label: numbers.get(label) for label in {*self.columns, *numbers}}
                yield Renumbered("preset", self._iou(new), new, names)

    def _iou(self, new: Mapping[int, int | None]) -> float:
        found = self.macro(new).iou
        return 0.0 if math.isnan(found) else found


@cache
def _numberings() -> tuple[tuple[tuple[str, str], dict[int, int]], ...]:
    """Return the presets that have the same names under other numbers: from the one to the other."""
    from dicecli.records.schemes import load_labels, presets

    schemes = {name: load_labels(name).names for name in presets()}
    found = []
    for given, one in schemes.items():
        for wanted, other in schemes.items():
            by_name = {name: label for label, name in other.items()}
            numbers = {label: by_name[name] for label, name in one.items() if name in by_name}
            is_other = any(label != to for label, to in numbers.items())
            if is_other and 2 * len(numbers) >= min(len(one), len(other)):
                found.append(((given, wanted), numbers))
    return tuple(found)
