"""The matrix as a record: the pairs of labels that meet, and in how many pixels."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from dicecli.records.counts import Counts
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import Label, Whole  # noqa: TC001 - the codec reads types
from dicecli.records.packing import Packed, packed

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from dicecli.statistics._confusion import ConfusionMatrix


@dataclass(frozen=True, slots=True)
class Matrix:
    """The pairs of labels that meet, and in how many pixels; sparse, and exact at any size.

    Attributes
    ----------
    reference : tuple of int
        The label of the reference, of each pair; pairs are sorted, and each stands once.
    prediction : tuple of int or None
        That of the prediction; None where the prediction has no label there.
    pixels : tuple of int
        How often the pair meets, at least once.
    """

    reference: tuple[Label, ...]
    prediction: tuple[Label | None, ...]
    pixels: tuple[Whole, ...]

    @classmethod
    def zero(cls) -> Self:
        """Return the matrix of no pixel."""
        return cls((), (), ())

    @classmethod
    def of(cls, matrix: ConfusionMatrix) -> Self:
        """Take it from what was counted; pixels whose reference has no label must be left out before."""
        import numpy as np

        rows, columns = matrix.table.nonzero()
        # As objects, of which each label is one, however many pairs it is in.
        labels = np.array([None if label == NO_LABEL else label for label in matrix.labels], object)
        pixels = matrix.table[rows, columns].tolist()
        return cls(tuple(labels[rows].tolist()), tuple(labels[columns].tolist()), tuple(pixels))

    @classmethod
    def of_counts(cls, counts: Counts) -> Self:
        """Return the matrix of one row alone: 1 is inside it, 0 outside."""
        cells = ((0, 0, counts.tn), (0, 1, counts.fp), (1, 0, counts.fn), (1, 1, counts.tp))
        return cls.of_cells([cell for cell in cells if cell[2]])

    @classmethod
    def of_cells(cls, cells: Iterable[tuple[int, int | None, int]]) -> Self:
        """Take it from pairs of labels with their pixels, in the order of a matrix."""
        every = list(cells)
        rows, columns = tuple([cell[0] for cell in every]), tuple([cell[1] for cell in every])
        return cls(rows, columns, tuple([cell[2] for cell in every]))

    def __add__(self, other: object) -> Matrix:
        if not isinstance(other, Matrix):
            return NotImplemented
        if self.reference == other.reference and self.prediction == other.prediction:
            added = tuple([a + b for a, b in zip(self.pixels, other.pixels, strict=True)])
            return Matrix(self.reference, self.prediction, added)
        return Matrix.added((self, other))

    @classmethod
    def added(cls, matrices: Iterable[Matrix]) -> Self:
        """Return the sum of many, each of which is looked at once."""
        cells: dict[tuple[int, int | None], int] = {}
        for each in matrices:
            for row, column, n in each.cells():
                cells[row, column] = cells.get((row, column), 0) + n
        return cls.of_cells((*pair, n) for pair, n in sorted(cells.items(), key=_order))

    def __reduce__(self) -> tuple[Any, ...]:
        return Matrix, (self.reference, self.prediction, self.pixels)

    def packed(self, parts: dict[Any, Any]) -> Packed[Matrix]:
        """Return the same in few bytes; its labels are those of an equal one that was seen; `parts` grows."""
        rows, columns, pixels = map(packed, (self.reference, self.prediction, self.pixels))
        return Packed(Matrix, (parts.setdefault(rows, rows), parts.setdefault(columns, columns), pixels))

    def cells(self) -> Iterator[tuple[int, int | None, int]]:
        """Yield the label of the reference, that of the prediction, and the pixels of each pair."""
        return zip(self.reference, self.prediction, self.pixels, strict=True)

    def check(self) -> None:
        """Raise ValueError where this is no matrix: unlike lengths, a pair twice or out of order."""
        if not len(self.reference) == len(self.prediction) == len(self.pixels):
            raise ValueError("reference, prediction and pixels are of unlike length")
        if 0 in self.pixels:
            raise ValueError("a pair of labels meets in no pixel")
        pairs = [_order((cell[:2], 0)) for cell in self.cells()]
        if any(not before < after for before, after in pairwise(pairs)):
            raise ValueError("pairs of labels stand twice, or in no order")

    @property
    def total(self) -> int:
        """The number of pixels."""
        return sum(self.pixels)

    @property
    def labels(self) -> tuple[int, ...]:
        """The labels that either side holds, in ascending order."""
        return tuple(sorted({*self.reference, *(each for each in self.prediction if each is not None)}))

    def counts(self, members: Iterable[int]) -> Counts:
        """Return the four counts of a set of labels; of labels that neither side holds, true negatives."""
        inside = frozenset(members)
        tp = fp = fn = tn = 0
        for row, column, n in self.cells():
            if row in inside:
                if column in inside:
                    tp += n
                else:
                    fn += n
            elif column in inside:
                fp += n
            else:
                tn += n
        return Counts(tp, fp, fn, tn)

    def every_count(self) -> dict[int, Counts]:
        """Return the four counts of each label that either side holds, in ascending order."""
        sizes: dict[int, list[int]] = {}
        total = 0
        for row, column, n in self.cells():
            total += n
            if row not in sizes:
                sizes[row] = [0, 0, 0]
            sizes[row][1] += n
            if column is not None:
                if column not in sizes:
                    sizes[column] = [0, 0, 0]
                sizes[column][2] += n
                if row == column:
                    sizes[row][0] += n
        return {
            label: Counts(tp, prediction - tp, reference - tp, total - reference - prediction + tp)
            for label, (tp, reference, prediction) in sorted(sizes.items())
        }


def _order(cell: tuple[tuple[int, int | None], int]) -> tuple[int, bool, int]:
    (row, column), _ = cell
    return row, column is not None, column or 0
