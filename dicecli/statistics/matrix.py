"""The confusion matrix, which every overlap metric comes from: how often each pair of labels meets.

It is what the census counts, so that it costs no pass. The counts of labels and regions are read from it.
"""

from __future__ import annotations

from array import array
from contextlib import suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

from dicecli.records.counts import Counts
from dicecli.records.labels import NO_LABEL
from dicecli.records.measurements import IMAGE, Label, Row, Whole

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from dicecli.records.measurements import Measured
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened


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
        return cls._of_cells([cell for cell in cells if cell[2]])

    @classmethod
    def _of_cells(cls, cells: Iterable[tuple[int, int | None, int]]) -> Self:
        every = list(cells)
        rows, columns = tuple([cell[0] for cell in every]), tuple([cell[1] for cell in every])
        return cls(rows, columns, tuple([cell[2] for cell in every]))

    def __add__(self, other: object) -> Matrix:
        if not isinstance(other, Matrix):
            return NotImplemented
        if self.reference == other.reference and self.prediction == other.prediction:
            added = tuple([a + b for a, b in zip(self.pixels, other.pixels, strict=True)])
            return Matrix(self.reference, self.prediction, added)
        cells: dict[tuple[int, int | None], int] = {}
        for row, column, n in (*self.cells(), *other.cells()):
            cells[row, column] = cells.get((row, column), 0) + n
        return Matrix._of_cells((*pair, n) for pair, n in sorted(cells.items(), key=_order))

    def __reduce__(self) -> tuple[Any, ...]:
        return Matrix, (self.reference, self.prediction, self.pixels)

    def packed(self, parts: dict[Any, Any]) -> Packed:
        """Return the same in few bytes; its labels are those of an equal one that was seen; `parts` grows."""
        rows, columns, pixels = map(_packed, (self.reference, self.prediction, self.pixels))
        return Packed((parts.setdefault(rows, rows), parts.setdefault(columns, columns), pixels))

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


class Packed:
    """A matrix in as few bytes as its numbers need, of which a hundred thousand may be held."""

    __slots__ = ("_columns",)

    def __init__(self, columns: tuple[bytes | tuple[int | None, ...], ...]) -> None:
        self._columns = columns

    def unpacked(self) -> Matrix:
        """Return the matrix."""
        rows, columns, pixels = map(_unpacked, self._columns)
        return Matrix(rows, columns, pixels)  # type: ignore[arg-type]  # None is in columns alone


def _packed(numbers: tuple[int | None, ...]) -> bytes | tuple[int | None, ...]:
    """Return numbers as the letter of the smallest type that holds them, and its bytes; or as they are."""
    with suppress(ValueError, TypeError):
        return b"B" + bytes(numbers)  # type: ignore[arg-type]  # None and what is larger raise
    known = [NO_LABEL if each is None else each for each in numbers]
    for letter in "HIq":
        with suppress(OverflowError):
            return letter.encode() + array(letter, known).tobytes()
    return numbers


def _unpacked(held: bytes | tuple[int | None, ...]) -> tuple[int | None, ...]:
    if isinstance(held, tuple):
        return held
    letter = chr(held[0])
    if letter == "B":
        return tuple(held[1:])
    numbers = tuple(array(letter, held[1:]))
    if letter == "q" and NO_LABEL in numbers:
        return tuple([None if each == NO_LABEL else each for each in numbers])
    return numbers


def _order(cell: tuple[tuple[int, int | None], int]) -> tuple[int, bool, int]:
    (row, column), _ = cell
    return row, column is not None, column or 0


READS = "labels"
OPTIONS: tuple[str, ...] = ()
#: Of all labels together; or of a row that has a matrix of its own, as binary layers have.
MEASURES = {"image": Matrix, "label": Matrix, "region": Matrix}


def halo(opened: Opened, options: Mapping[str, Any]) -> None:
    """Return None: the census is enough."""


def begin(opened: Opened, options: Mapping[str, Any]) -> None:
    """Return None: no pass is made for it."""


def done(state: object, opened: Opened) -> Iterator[tuple[Row, Matrix]]:
    """Yield the matrix of two label maps; of binary layers one for each."""
    del state
    if len(opened.census) == 1:
        yield IMAGE, Matrix.of(opened.census[0, 0])
    else:
        yield from zip(opened.rows, map(Matrix.of, opened.census.values()), strict=True)


def label_counts(measured: Measured) -> dict[int, Counts]:
    """Return the counts of every label that either side of a case holds."""
    rows = measured.get("matrix", {})
    found = rows[IMAGE].every_count() if IMAGE in rows else {}
    return found | {
        row.label: each.counts((1,))
        for row, each in rows.items()
        if row.kind == "label" and row.label is not None
    }


def region_counts(measured: Measured, regions: Mapping[str, tuple[int, ...]]) -> dict[str, Counts]:
    """Return the counts of regions, given as the labels of each; some have a matrix of their own."""
    rows = measured.get("matrix", {})
    own = {row.name: each.counts((1,)) for row, each in rows.items() if row.kind == "region"}
    whole = rows.get(IMAGE, Matrix.zero())
    return {name: own[name] if name in own else whole.counts(members) for name, members in regions.items()}


def is_layered(measured: Measured) -> bool:
    """Whether a case is of binary layers, so that it has regions of its own, and no label."""
    rows = measured.rows("matrix")
    return bool(rows) and all(row.kind == "region" for row in rows)


def own_regions(measured: Measured) -> list[Row]:
    """Return the regions that have a matrix of their own: layers, which may overlap."""
    return [row for row in measured.rows("matrix") if row.kind == "region"]
