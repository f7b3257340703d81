"""Where labels lie: how many pixels of each side have one, and the sums of their coordinates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from dicecli.records.measurements import Whole  # noqa: TC001 - the codec reads types

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Block, Opened, Options

READS = "labels"
OPTIONS: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Places:
    """Where one row lies in both sides; whole numbers, so that nothing is rounded.

    Attributes
    ----------
    reference, prediction : int
        Pixels of the row.
    reference_sums, prediction_sums : tuple of int
        Their coordinates along each axis added up, in pixels from the first one; empty where there is none.
    """

    reference: Whole
    prediction: Whole
    reference_sums: tuple[Whole, ...]
    prediction_sums: tuple[Whole, ...]

    @classmethod
    def zero(cls) -> Self:
        """Return the place of no pixel."""
        return cls(0, 0, (), ())

    def __add__(self, other: object) -> Places:
        if not isinstance(other, Places):
            return NotImplemented
        return Places(
            self.reference + other.reference,
            self.prediction + other.prediction,
            _added(self.reference_sums, other.reference_sums),
            _added(self.prediction_sums, other.prediction_sums),
        )

    def check(self) -> None:
        """Raise ValueError where these are no sums: of other numbers of axes, or of no pixel."""
        for pixels, sums in ((self.reference, self.reference_sums), (self.prediction, self.prediction_sums)):
            if bool(pixels) != bool(sums):
                raise ValueError("coordinates are added up of a side without a pixel, or of none with one")
        if len({len(sums) for sums in (self.reference_sums, self.prediction_sums) if sums}) > 1:
            raise ValueError("coordinates of both sides are along other axes")

    def check_shape(self, shape: tuple[int, ...]) -> None:
        """Raise ValueError where no mask of that shape has such sums."""
        for pixels, sums in ((self.reference, self.reference_sums), (self.prediction, self.prediction_sums)):
            if sums and len(sums) != len(shape):
                raise ValueError(f"coordinates along {len(sums)} axes, where there are {len(shape)}")
            if any(total > pixels * (length - 1) for total, length in zip(sums, shape, strict=False)):
                raise ValueError("coordinates that lie outside of the mask")


def _added(one: tuple[int, ...], other: tuple[int, ...]) -> tuple[int, ...]:
    if not one or not other:
        return one or other
    return tuple([a + b for a, b in zip(one, other, strict=True)])


#: Of each label, and of each region: regions are added up from their labels, but for binary layers.
MEASURES = {"label": Places, "region": Places}


class State:
    """Coordinates of some blocks, added up by side, layer, axis and row."""

    def __init__(self, opened: Opened) -> None:
        import numpy as np

        layers = max(len(opened.reference), len(opened.prediction))
        shape = (2, layers, len(opened.shape) + 1, len(opened.rows) + 1)
        #: The last but one axis has the number of pixels first, then the sum of coordinates along each axis.
        self.sums = np.zeros(shape, np.int64)

    def __add__(self, other: object) -> State:
        if not isinstance(other, State):
            return NotImplemented
        total = object.__new__(State)
        total.sums = self.sums + other.sums
        return total

    def add(self, block: Block, mapped: Mapped = map) -> None:
        """Add a block's own pixels; several layers are worked on at a time."""
        inner = block.inner
        kept = None if block.ignored is None else ~block.ignored[inner]
        tasks = [
            (at, layer, codes[inner])
            for at, side in enumerate((block.reference, block.prediction))
            for layer, codes in enumerate(side)
        ]
        rows = self.sums.shape[-1]
        found = mapped(lambda task: _sums(task[2], kept, block, rows), tasks)
        for (at, layer, _), sums in zip(tasks, found, strict=True):
            self.sums[at, layer] += sums


def _sums(codes: np.ndarray, kept: np.ndarray | None, block: Block, rows: int) -> np.ndarray:
    """Return of one layer the pixels of each row, and the sums of their coordinates along each axis.

    Most pixels of a block are of one row, the background: what it has is what all have without the others.
    """
    import numpy as np

    found = np.zeros((codes.ndim + 1, rows), np.int64)
    if not codes.size:
        return found
    places = codes if kept is None else np.where(kept, codes, 0)
    is_turned = places.flags.f_contiguous
    flat = (places.T if is_turned else places).reshape(-1)
    most = int(flat[flat.size // 2])
    others = np.flatnonzero(flat != most)
    of_others = flat[others]
    found[0] = np.bincount(of_others, minlength=rows)
    at = np.unravel_index(others, codes.shape, order="F" if is_turned else "C")
    for axis, (part, along) in enumerate(zip(block.core, at, strict=True), start=1):
        # Coordinates within a block add up exactly as floats, those in the grid as integers.
        within = np.bincount(of_others, along, rows).astype(np.int64)
        found[axis] = within + found[0] * part.start
    length = [part.stop - part.start for part in block.core]
    found[0, most] += flat.size - others.size
    for axis, (part, n) in enumerate(zip(block.core, length, strict=True), start=1):
        every = (part.start + part.stop - 1) * n // 2 * (flat.size // n)
        found[axis, most] += every - int(found[axis].sum())
    return found


def halo(opened: Opened, options: Options) -> int:
    """Return 0: a pixel needs no other one."""
    del opened, options
    return 0


def begin(opened: Opened, options: Options) -> State:
    """Return the coordinates of no pixel."""
    del options
    return State(opened)


def done(state: State, opened: Opened, mapped: Mapped = map) -> Iterator[tuple[Row, Places]]:
    """Yield where each label lies, then each region; or each binary layer."""
    del mapped
    of_label: dict[int | None, Places] = {}
    sums = state.sums.sum(axis=1)
    for place, row in enumerate(opened.rows, start=1):
        reference, prediction = ([int(n) for n in side[:, place]] for side in sums)
        of_label[row.label] = found = Places(
            reference[0],
            prediction[0],
            tuple(reference[1:]) if reference[0] else (),
            tuple(prediction[1:]) if prediction[0] else (),
        )
        yield row, found
    for region in opened.regions:
        yield region, sum((of_label[each] for each in region.members if each in of_label), Places.zero())
