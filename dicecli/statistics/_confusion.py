"""The statistic under every overlap metric: how often each pair of labels meets in one pixel.

The file is long because the class is one: whoever adds an operation sees beside it those that there are.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import NotLabels, TooManyLabels
from dicecli.masks.tensors import is_tensor, on_host
from dicecli.plugins import load, unknown
from dicecli.records.calling import telling
from dicecli.records.counts import Counts
from dicecli.records.labels import NO_LABEL, labels_of
from dicecli.statistics._devices import cpu_backend

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

#: More distinct labels than this are taken for something else than a label map.
MAX_LABELS = 4096
#: A notebook shows the table of so many.
_MOST_SHOWN = 40


@dataclass(frozen=True, eq=False, repr=False)
class ConfusionMatrix:
    """A joint histogram of two label masks; with ``+``, ``sum`` and :meth:`empty` a commutative monoid.

    Windows, files, threads, processes and machines can be counted in any order and grouping: the sum of
    their matrices is the same integers.

    Attributes
    ----------
    labels : tuple of int
        Sorted and unique. May hold :data:`~dicecli.records.labels.NO_LABEL`.
    table : numpy.ndarray
        int64, or Python's integers where all pixels together are more; shape ``(len(labels),
        len(labels))``. ``table[i, j]`` is the number of pixels whose reference is ``labels[i]`` and whose
        prediction is ``labels[j]``.

    Examples
    --------
    >>> from dicecli import ConfusionMatrix
    >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
    >>> sum([matrix, matrix])
    <dicecli.ConfusionMatrix: 2 labels, 8 pixels, 75.0% alike>
    """

    labels: tuple[int, ...]
    table: np.ndarray

    @classmethod
    def empty(cls) -> ConfusionMatrix:
        """Return the matrix of no pixels: no labels, and nothing changes when it is added.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> ConfusionMatrix.empty().total
        0
        """
        return cls((), np.zeros((0, 0), np.int64))

    @classmethod
    @telling
    def from_arrays(
        cls, *, prediction: Any, reference: Any, ignore_label: int | Iterable[int] | None = None
    ) -> ConfusionMatrix:
        """Count two label arrays of one shape.

        Parameters
        ----------
        prediction, reference : array_like or torch.Tensor
            Integers or booleans of any width, the same shape. Tensors are counted on their device, those in
            the host's memory by what counts arrays; none is copied.
        ignore_label : int or several, optional
            Pixels whose reference has one of these labels are left out.

        Returns
        -------
        ConfusionMatrix
            Over all labels found. Two empty arrays give the empty matrix.

        Raises
        ------
        ShapeMismatch
            The shapes differ; nothing is broadcast.
        NotLabels
            Values that are not integers.
        TooManyLabels
            More than 4,096 distinct labels.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.table.tolist()
        [[1, 1], [0, 2]]
        """
        for each in (prediction, reference):
            if isinstance(each, np.ma.MaskedArray):
                raise NotLabels(
                    "a masked array: what its mask leaves out would be counted",
                    "Give it to dicecli.score, to which that is nodata.",
                )
        reference, prediction = on_host(reference), on_host(prediction)
        backend = "torch" if is_tensor(prediction) or is_tensor(reference) else cpu_backend()
        matrix: ConfusionMatrix = load("backends", backend).count_block(reference, prediction)
        if NO_LABEL in matrix.labels:
            raise NotLabels(
                f"an array holds {NO_LABEL}, which NaN becomes when it is cast to integers",
                "Put a label in its place.",
            )
        for label in labels_of(ignore_label):
            matrix = matrix.without(label)
        return matrix

    @classmethod
    def from_pairs(cls, rows: np.ndarray, columns: np.ndarray, table: np.ndarray) -> ConfusionMatrix:
        """Build a matrix from a table whose rows and columns have labels of their own.

        Parameters
        ----------
        rows, columns : numpy.ndarray
            int64 labels of the reference and of the prediction, in any order; repeated ones are merged, and
            those without a pixel left out.
        table : numpy.ndarray
            int64, or Python's integers where they are large; shape ``(len(rows), len(columns))``.

        Examples
        --------
        >>> import numpy as np
        >>> from dicecli import ConfusionMatrix
        >>> ConfusionMatrix.from_pairs(np.array([0, 2]), np.array([0, 1]), np.array([[3, 1], [0, 2]])).labels
        (0, 1, 2)
        """
        has_row, has_column = (table != 0).any(axis=1), (table != 0).any(axis=0)
        if not (has_row.all() and has_column.all() and table.flags.c_contiguous):
            rows, columns, table = rows[has_row], columns[has_column], table[np.ix_(has_row, has_column)]
        if np.array_equal(rows, columns) and bool((np.diff(rows) > 0).all()):
            check_number(rows.size)
            return cls(tuple(rows.tolist()), table)
        labels = np.union1d(rows, columns).astype(np.int64)
        check_number(labels.size)
        merged: np.ndarray = np.zeros((labels.size, labels.size), _exact(table))
        np.add.at(merged, np.ix_(np.searchsorted(labels, rows), np.searchsorted(labels, columns)), table)
        return cls(tuple(labels.tolist()), merged)

    def __add__(self, other: ConfusionMatrix) -> ConfusionMatrix:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        if not self.labels or not other.labels:
            return self if self.labels else other
        if self.labels == other.labels:
            return ConfusionMatrix(self.labels, self.table + other.table)
        labels = tuple(sorted({*self.labels, *other.labels}))
        check_number(len(labels))
        table, place = self._over(labels), other._places(labels)
        table = table.astype(_exact(other.table), copy=False) if table.dtype != object else table
        table[np.ix_(place, place)] += other.table
        return ConfusionMatrix(labels, table)

    def __radd__(self, other: object) -> ConfusionMatrix:
        return self if isinstance(other, int) and other == 0 else NotImplemented  # ``sum`` begins with 0

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, ConfusionMatrix):
            return NotImplemented
        mine, others = self.trimmed(), other.trimmed()
        return mine.labels == others.labels and bool(np.array_equal(mine.table, others.table))

    __hash__ = None  # type: ignore[assignment]  # compared by value and built from a mutable array

    def __repr__(self) -> str:
        labels = sum(label != NO_LABEL for label in self.labels)
        alike = int(self.table.trace()) / self.total if self.total else math.nan
        return f"<dicecli.ConfusionMatrix: {labels} labels, {self.total:,} pixels, {alike:.1%} alike>"

    def _repr_html_(self) -> str | None:
        """Return a table for a notebook, with a row for each label of the reference; None of many labels."""
        if len(self.labels) > _MOST_SHOWN:
            return None
        names = ["none" if label == NO_LABEL else str(label) for label in self.labels]
        head = "".join(f"<th>{name}</th>" for name in (r"reference \ prediction", *names))
        rows = zip(names, self.table.tolist(), strict=True)
        body = (f"<tr><th>{name}</th>{''.join(f'<td>{n:,}</td>' for n in row)}</tr>" for name, row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(body)}</tbody></table>"

    @property
    def total(self) -> int:
        """The number of pixels counted."""
        return int(self.table.sum())

    @property
    def unlabelled(self) -> int:
        """The number of pixels whose prediction belongs to no label."""
        return self._size(self.table.sum(axis=0), NO_LABEL)

    def reference_size(self, label: int) -> int:
        """Return how many pixels have this label in the reference.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.reference_size(1)
        2
        """
        return self._size(self.table.sum(axis=1), label)

    def sizes(self, side: str) -> dict[int, int]:
        """Return the labels that one side holds, each with its number of pixels.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.sizes("prediction")
        {0: 1, 1: 3}
        """
        sides = ("prediction", "reference")
        if not isinstance(side, str) or side not in sides:
            raise unknown("side", str(side), sides)
        margin = self.table.sum(axis=sides.index(side))
        return {label: int(n) for label, n in zip(self.labels, margin, strict=True) if n}

    def rows(self, names: Mapping[int, str] | None = None) -> Iterator[dict[str, object]]:
        """Yield a row per label: ``reference``, ``name``, and pixels by the prediction's labels, as text.

        ``none``, the last, where there is one: pixels whose prediction belongs to no label.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1], reference=[0, 0, 1])
        >>> next(matrix.rows({0: "nothing"}))
        {'reference': 0, 'name': 'nothing', '0': 1, '1': 1}
        """
        keys = [str(each) if each != NO_LABEL else "none" for each in self.labels]
        for label, row in zip(self.labels, self.table.tolist(), strict=True):
            if label != NO_LABEL:
                pixels = dict(zip(keys, row, strict=True))
                rest = {"none": pixels.pop("none")} if "none" in pixels else {}
                yield {"reference": label, "name": (names or {}).get(label), **pixels, **rest}

    def counts(self, label: int | Iterable[int]) -> Counts:
        """Return the four counts of one label, or of a region given as several labels.

        A label that neither mask holds has only true negatives.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.counts(1)
        Counts(tp=2, fp=1, fn=0, tn=1)
        """
        wanted = set(labels_of(label))
        inside = np.array([each in wanted for each in self.labels], dtype=bool)
        tp = int(self.table[np.ix_(inside, inside)].sum())
        reference = int(self.table[inside].sum())
        prediction = int(self.table[:, inside].sum())
        return Counts(tp, prediction - tp, reference - tp, self.total - reference - prediction + tp)

    def every_count(self) -> dict[int, Counts]:
        """Return the four counts of each label of the matrix, in one go; not of "no label".

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> sorted(matrix.every_count())
        [0, 1]
        """
        total = self.total
        rows, columns = (self.table.sum(axis=axis).tolist() for axis in (1, 0))
        found = {}
        for label, tp, row, column in zip(
            self.labels, self.table.diagonal().tolist(), rows, columns, strict=True
        ):
            if label != NO_LABEL:
                found[label] = Counts(tp, column - tp, row - tp, total - row - column + tp)
        return found

    def without(self, label: int | Iterable[int]) -> ConfusionMatrix:
        """Return the matrix of the pixels whose reference is another label than `label`, or than several.

        Where such a pixel's *prediction* is `label`, that belongs to no label: it stays a miss of the
        reference's label, but is nobody's false positive.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.without(0).total
        2
        """
        left_out = {*labels_of(label)}
        if left_out.isdisjoint(self.labels):
            return self.trimmed()
        keep = np.array([each not in left_out for each in self.labels], dtype=bool)
        rows = np.array(self.labels, np.int64)[keep]
        columns = np.array([NO_LABEL if each in left_out else each for each in self.labels], np.int64)
        return ConfusionMatrix.from_pairs(rows, columns, self.table[keep])

    def relabelled(
        self, *, reference: Mapping[int, int] | None = None, prediction: Mapping[int, int] | None = None
    ) -> ConfusionMatrix:
        """Return the matrix with the labels of each side renamed; labels renamed alike are merged.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> matrix.relabelled(reference={1: 7}, prediction={1: 7}).labels
        (0, 7)
        """
        if all(
            (names or {}).get(each, each) == each for names in (reference, prediction) for each in self.labels
        ):
            return self.trimmed()
        rows = np.array([(reference or {}).get(each, each) for each in self.labels], np.int64)
        columns = np.array([(prediction or {}).get(each, each) for each in self.labels], np.int64)
        return ConfusionMatrix.from_pairs(rows, columns, self.table)

    def trimmed(self) -> ConfusionMatrix:
        """Return the matrix over those labels that hold a pixel in either mask.

        Examples
        --------
        >>> from dicecli import ConfusionMatrix
        >>> matrix = ConfusionMatrix.from_arrays(prediction=[0, 1, 1, 1], reference=[0, 0, 1, 1])
        >>> (matrix.trimmed() == matrix)
        True
        """
        used = (self.table.sum(axis=0) + self.table.sum(axis=1)) > 0
        if used.all():
            return self
        labels = tuple(label for label, keep in zip(self.labels, used, strict=True) if keep)
        return ConfusionMatrix(labels, self.table[np.ix_(used, used)])

    def _over(self, labels: tuple[int, ...]) -> np.ndarray:
        """Return the table over a larger sorted tuple of labels."""
        place = self._places(labels)
        table: np.ndarray = np.zeros((len(labels), len(labels)), _exact(self.table))
        table[np.ix_(place, place)] = self.table
        return table

    def _places(self, labels: tuple[int, ...]) -> np.ndarray:
        """Return where the labels lie in a larger sorted tuple of labels."""
        return np.searchsorted(np.array(labels, np.int64), np.array(self.labels, np.int64))

    def _size(self, margin: np.ndarray, label: int) -> int:
        return int(margin[self.labels.index(label)]) if label in self.labels else 0


def _exact(table: np.ndarray) -> type:
    """Return what sums of a table are in: Python's integers where it has them."""
    return object if table.dtype == object else np.int64


def check_number(labels: int) -> None:
    """Check that two masks together have no more distinct labels than a label map has.

    Raises
    ------
    TooManyLabels
    """
    if labels > MAX_LABELS:
        raise TooManyLabels(
            f"the two masks hold more than {MAX_LABELS:,} distinct labels (at least {labels:,}); a label map "
            "has fewer",
            "Is one of them an image, a probability map or a map of instances? See 'dicecli inspect'.",
        )
