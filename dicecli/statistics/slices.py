"""How often each pair of labels meets in each slice, which every overlap metric of a slice comes from.

A slice is what has one place along the last axis of the reference; a mask of two axes is one slice.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from dicecli.plugins import load
from dicecli.records.measurements import IMAGE, Label, Whole
from dicecli.records.packing import Packed, packed
from dicecli.statistics._devices import cpu_backend

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Block, Opened, Options

READS = "labels"
OPTIONS: tuple[str, ...] = ()
#: Cells that are kept before those that stand twice are added up.
_MANY = 1 << 18


def number_of(shape: tuple[int, ...]) -> int:
    """Return how many slices a mask of a shape has."""
    return shape[-1] if len(shape) > 2 else 1


@dataclass(frozen=True, slots=True)
class Slices:
    """The pairs of labels that meet in each slice, and in how many pixels; sparse, and exact at any size.

    Attributes
    ----------
    slices : tuple of int
        The slice of each pair, from 0; pairs are sorted, and each stands once in a slice.
    reference : tuple of int
        The label of the reference, of each pair.
    prediction : tuple of int or None
        That of the prediction; None where the prediction has no label there, or one to be ignored.
    pixels : tuple of int
        How often the pair meets in the slice, at least once.
    """

    slices: tuple[Whole, ...]
    reference: tuple[Label, ...]
    prediction: tuple[Label | None, ...]
    pixels: tuple[Whole, ...]

    @classmethod
    def zero(cls) -> Self:
        """Return what is in no slice."""
        return cls((), (), (), ())

    def __add__(self, other: object) -> Slices:
        if not isinstance(other, Slices):
            return NotImplemented
        cells: dict[tuple[int, int, int | None], int] = {}
        for at, row, column, n in (*self.cells(), *other.cells()):
            cells[at, row, column] = cells.get((at, row, column), 0) + n
        ordered = sorted(cells.items(), key=lambda cell: _order(cell[0]))
        return Slices(*_columns([(*pair, n) for pair, n in ordered]))

    def __reduce__(self) -> tuple[object, ...]:
        return Slices, (self.slices, self.reference, self.prediction, self.pixels)

    def packed(self, parts: dict[object, object]) -> Packed[Slices]:
        """Return the same in few bytes; `parts` is not used: no two cases are alike in this."""
        del parts
        columns = map(packed, (self.slices, self.reference, self.prediction, self.pixels))
        return Packed(Slices, tuple(columns))

    def cells(self) -> Iterator[tuple[int, int, int | None, int]]:
        """Yield the slice, the labels of reference and prediction, and the pixels of each pair."""
        return zip(self.slices, self.reference, self.prediction, self.pixels, strict=True)

    def check(self) -> None:
        """Raise ValueError where these are no slices: unlike lengths, a pair twice or out of order."""
        if len({len(each) for each in (self.slices, self.reference, self.prediction, self.pixels)}) > 1:
            raise ValueError("slices, reference, prediction and pixels are of unlike length")
        if 0 in self.pixels:
            raise ValueError("a pair of labels meets in no pixel")
        pairs = [_order(cell[:3]) for cell in self.cells()]
        if any(not before < after for before, after in pairwise(pairs)):
            raise ValueError("pairs of labels stand twice in a slice, or in no order")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError where a mask of that shape has fewer slices."""
        if self.slices and self.slices[-1] >= number_of(shape):
            raise ValueError(f"slice {self.slices[-1]} of {number_of(shape)}, counted from 0")


def _order(pair: tuple[int, int, int | None]) -> tuple[int, int, bool, int]:
    at, row, column = pair
    return at, row, column is not None, column or 0


def _columns(cells: list[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    return iter(zip(*cells, strict=True)) if cells else iter([()] * 4)


#: Of all labels together; or of a row that is a binary layer.
MEASURES = {"image": Slices, "label": Slices, "region": Slices}


class State:
    """What some blocks have, by layer: arrays of slice, places of reference and prediction, and pixels."""

    def __init__(self, opened: Opened) -> None:
        layers = max(len(opened.reference), len(opened.prediction))
        self.cells: list[list[np.ndarray]] = [[] for _ in range(layers)]
        self.most = [_MANY] * layers

    def __add__(self, other: object) -> State:
        if not isinstance(other, State):
            return NotImplemented
        total = object.__new__(State)
        total.cells = [[*mine, *others] for mine, others in zip(self.cells, other.cells, strict=True)]
        total.most = [max(each) for each in zip(self.most, other.most, strict=True)]
        for layer in range(len(total.cells)):
            total.keep(layer)
        return total

    def add(self, block: Block, mapped: Mapped = map) -> None:
        """Add a block's own pixels; several slices are worked on at a time."""
        inner = block.inner
        kept = None if block.ignored is None else _by_slice(~block.ignored[inner])
        start = block.core[-1].start if len(block.core) > 2 else 0
        tasks = []
        for layer, sides in enumerate(zip(block.reference, block.prediction, strict=True)):
            reference, prediction = (_by_slice(codes[inner]) for codes in sides)
            tasks += [
                (layer, start + at, first, second, None if kept is None else kept[at])
                for at, (first, second) in enumerate(zip(reference, prediction, strict=True))
            ]
        found = mapped(_counted, tasks)
        for (layer, *_), cells in zip(tasks, found, strict=True):
            self.cells[layer].append(cells)
        for layer in range(len(self.cells)):
            self.keep(layer)

    def keep(self, layer: int) -> None:
        """Add up cells that stand twice where there are many; where they stay many, more may come."""
        if sum(map(len, self.cells[layer])) > self.most[layer]:
            self.cells[layer] = [_added(self.cells[layer])]
            self.most[layer] = max(_MANY, 2 * len(self.cells[layer][0]))

    def sums(self, layer: int) -> np.ndarray:
        """Return the cells of a layer in their order, each once; int64, ``(n, 4)``."""
        return _added(self.cells[layer])


def _counted(task: tuple[int, int, np.ndarray, np.ndarray, np.ndarray | None]) -> np.ndarray:
    """Return the cells of one slice of a block; its layer, number, both sides and what is kept are given."""
    _, at, reference, prediction, kept = task
    if kept is not None:
        reference, prediction = reference[kept], prediction[kept]
    matrix = load("backends", cpu_backend()).count_block(reference, prediction)
    places, (rows, columns) = np.array(matrix.labels, np.int64), matrix.table.nonzero()
    found = [np.full(rows.size, at), places[rows], places[columns], matrix.table[rows, columns]]
    return np.stack(found, axis=1).astype(np.int64)


def _by_slice(codes: np.ndarray) -> np.ndarray:
    """Return an array with the slices on its first axis, each of which is cheap to read."""
    if codes.ndim < 3:
        return codes[np.newaxis]
    found = np.moveaxis(codes, -1, 0)
    strides = [abs(each) for each in found.strides]
    return found if strides[0] == max(strides) else np.ascontiguousarray(found)


def _added(cells: list[np.ndarray]) -> np.ndarray:
    """Return cells in their order, those of one slice and one pair of places as one."""
    every = np.concatenate([np.zeros((0, 4), np.int64), *cells])
    every = every[np.lexsort(every.T[2::-1])]
    is_first = np.ones(len(every), bool)
    is_first[1:] = (every[1:, :3] != every[:-1, :3]).any(axis=1)
    starts = np.flatnonzero(is_first)
    found = every[starts]
    found[:, 3] = np.add.reduceat(every[:, 3], starts) if len(every) else 0
    return found


def halo(opened: Opened, options: Options) -> int:
    """Return 0: a pixel needs no other one."""
    del opened, options
    return 0


def begin(opened: Opened, options: Options) -> State:
    """Return what no pixel has."""
    del options
    return State(opened)


def done(state: State, opened: Opened, mapped: Mapped = map) -> Iterator[tuple[Row, Slices]]:
    """Yield the pairs of two label maps; of binary layers those of each: 1 is inside, 0 outside."""
    del mapped
    for layer in range(len(state.cells)):
        at, rows, columns, pixels = state.sums(layer).T
        labels: list[int | None] = [None, *(row.label for row in opened.rows)]
        if opened.is_layered:
            rows, columns = (rows > 0).astype(int), (columns > 0).astype(int)
            labels = [0, 1]
        named: list[Any] = [[labels[place] for place in side.tolist()] for side in (rows, columns)]
        found = Slices(tuple(at.tolist()), tuple(named[0]), tuple(named[1]), tuple(pixels.tolist()))
        yield opened.rows[layer] if opened.is_layered else IMAGE, found
