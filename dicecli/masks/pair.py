"""The two sides of a case: opened, laid on each other, and read through one plan of windows.

The file is long because the class is one: how a pair is opened is how it is read.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from copy import copy
from functools import partial
from typing import TYPE_CHECKING, Self

from dicecli.errors import CaseError
from dicecli.masks.alignment import align
from dicecli.masks.arrays import NothingSource
from dicecli.masks.axes import volume_beside_image
from dicecli.masks.blocks import WINDOW_PIXELS, pixels_within, plan, slabs
from dicecli.masks.files_as_opened import FilesAsOpened
from dicecli.masks.opening import FIELD, on_side, opened_channels, opened_layers, shown
from dicecli.masks.views import Reoriented
from dicecli.records.compound import Absent, Compound

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterable

    import numpy as np

    from dicecli.masks.axes import Side
    from dicecli.masks.blocks import Mapped, Plan, Window
    from dicecli.masks.classes import Classes
    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings

    #: What reads a layer: its side, itself, and the function.
    Task = tuple[str, MaskSource, Callable[[Window], np.ndarray]]
    #: What a window holds, layer by layer: of the reference, of the prediction, and where there is a field,
    #: as one more, where it is outside.
    Stored = tuple[tuple[np.ndarray, ...], ...]

#: Windows do not shrink below this, however many layers or channels there are.
_LEAST_PIXELS = 1 << 16
#: What they may grow to for the sake of the files' blocks where there are several to hold.
_GROWTH = 4


class Pair:
    """Both sides of a case while they are open; a context manager.

    Attributes
    ----------
    reference, prediction : tuple of MaskSource
        The layers of each side: one label map, or several binary layers; of a prediction that is a map of
        probabilities, its channels. All of one grid.
    classes : Classes or None
        What the layers are where a side is a file for each class; None where none is.
    field : MaskSource or None
        Of that grid, too: where its windows, as they are read, are outside, nothing is compared.
    notes : list of str
        What was done to lay one on the other.
    readers : int
        How many such pairs are read at the same time, this one among them.
    """

    def __init__(self, case: Case, settings: Settings) -> None:
        self._case, self._settings = case, settings
        self._stack = ExitStack()
        self._files = FilesAsOpened(case)
        self.reference: tuple[MaskSource, ...] = ()
        self.prediction: tuple[MaskSource, ...] = ()
        self.classes: Classes | None = None
        self.field: MaskSource | None = None
        self.notes: list[str] = []
        self.readers = 1
        self._leads: Side | None = None

    def __enter__(self) -> Self:
        """Open and align.

        Raises
        ------
        CaseError
            With the side and the file that it concerns.
        """
        self._files.note()
        try:
            self.classes = self._named_classes()
            reference = self._kept(opened_layers("reference", self._case.reference, self._settings))
            self._align(reference, self._kept(self._opened_prediction(reference[0])))
            if self.classes is not None:
                self.classes.check(reference=self.reference, prediction=self.prediction)
            self._lay_field()
        except BaseException as error:
            self._stack.close()
            self._files.blame(error)
            raise
        return self

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        self._stack.close()
        self._files.blame(error)

    @property
    def is_soft(self) -> bool:
        """Whether the prediction is read as probabilities."""
        return self._settings.soft is not None

    @property
    def leaves_out_unknown(self) -> bool:
        """Whether nodata of the prediction is left out as that of the reference is."""
        return self._settings.nodata == "both"

    @property
    def memory(self) -> int:
        """Bytes that a mask is allowed."""
        return self._settings.max_memory

    @property
    def grid(self) -> Grid:
        """The grid of every layer: the reference's."""
        return self.reference[0].grid

    @property
    def sources(self) -> tuple[MaskSource, ...]:
        """Every layer of both sides, and the field where there is one."""
        return (*self.reference, *self.prediction, *self._fields)

    @property
    def _fields(self) -> tuple[MaskSource, ...]:
        return () if self.field is None else (self.field,)

    @property
    def leading(self) -> MaskSource:
        """The layer in the order of whose file windows come: of the side of which more is read."""
        is_of_prediction = self.is_soft or len(self.prediction) > 1
        if self._leads is not None:
            is_of_prediction = self._leads == "prediction"
        return self.prediction[0] if is_of_prediction else self.reference[0]

    def windows(self) -> Plan:
        """Return the plan that both are read through; memory does not grow with the number of layers."""
        first, second = self.reference[0], self.prediction[0]
        others = (second if self.leading is first else first, *self._fields)
        if self._pixels == WINDOW_PIXELS:
            return plan(self.leading, *others, pixels=WINDOW_PIXELS, most=self._most)
        return plan(self.leading, *others, pixels=self._pixels, growth=_GROWTH, most=self._most)

    @property
    def volume_in_doubt(self) -> Side | None:
        """The side that is a volume beside an image, where nobody said what the volume's first axis is."""
        is_said = self._settings.axes is not None
        return None if is_said else volume_beside_image(self.reference[0].grid, self.prediction[0].grid)

    def turned(self, side: Side, axes: tuple[int, ...], flips: tuple[bool, ...]) -> Pair:
        """Return this pair with one side's axes permuted and reversed, to be read while this one is open.

        Windows come in the order of the other side's file. Axis ``t`` of what is read is axis ``axes[t]`` of
        the side, reversed where ``flips[t]``. A field goes with the reference.
        """
        found = copy(self)
        layers = tuple(Reoriented(each, axes, flips) for each in getattr(self, side))
        other: Side = "prediction" if side == "reference" else "reference"
        vars(found).update({side: layers, "_leads": other})
        if side == "reference" and self.field is not None:
            along = len(self.field.grid.full_shape)
            found.field = Reoriented(self.field, axes[:along], flips[:along])
        return found

    def slabs(self, halo: int = 0) -> Plan:
        """Return a plan whose windows are whole along all axes but the slowest of the files, with a halo."""
        return slabs(self.leading, *self.sources, pixels=self._pixels, most=self._most, halo=halo)

    @property
    def most_readers(self) -> int:
        """How many pairs may be read at a time, so that all hold of a side what is allowed."""
        of_sides = (sum(each.held for each in side) for side in (self.reference, self.prediction))
        return max(1, self._settings.max_memory // max(1, *of_sides))

    @property
    def _most(self) -> int:
        """Pixels of a window, so that what all readers hold of a side is within the memory allowed."""
        of_sides = (sum(each.pixel_bytes for each in side) for side in (self.reference, self.prediction))
        return pixels_within(self._settings.max_memory, max(of_sides) * self.readers)

    @property
    def _pixels(self) -> int:
        """Of a window; the fewer, the more layers of it are held at a time."""
        layers = max(len(self.reference), len(self.prediction))
        if layers == 1 and not self.is_soft:
            return WINDOW_PIXELS
        return max(_LEAST_PIXELS, WINDOW_PIXELS // (2 * layers))

    def blocks(
        self, windows: Iterable[Window], mapped: Mapped = map, *, ahead: bool = False
    ) -> Generator[Stored]:
        """Read windows, every layer of both sides each: stored labels, and of channels the stored values.

        Parameters
        ----------
        windows : iterable of Window
        mapped : callable
            As :func:`map`: what reads several layers.
        ahead : bool
            Whether to read both sides at the same time, in two threads.

        Raises
        ------
        CaseError
            Damage that shows only now, and values that are no labels.
        """
        if ahead:
            with ThreadPoolExecutor(1) as pool:
                for window in windows:
                    second = pool.submit(self._read_side, "prediction", window)
                    first = self._read_side("reference", window)
                    yield first, second.result(), *self._outside(window)
                    del first, second  # not to be held while the next ones are read
        elif mapped is map:
            for window in windows:
                reference, prediction = (
                    self._read_side(side, window) for side in ("reference", "prediction")
                )
                yield reference, prediction, *self._outside(window)
                del reference, prediction
        else:
            for window in windows:
                found = tuple(mapped(partial(_read, window), self._tasks()))
                start, stop = len(self.reference), len(self.reference) + len(self.prediction)
                yield found[:start], found[start:stop], *((each,) for each in found[stop:])
                del found

    def finish(self, threads: int = 1) -> None:
        """Check what shows only at the end of every file: checksums, that nothing follows or has changed.

        Raises
        ------
        CaseError
        """
        if threads < 2:
            for task in self._tasks():
                _finished(task)
        else:
            with ThreadPoolExecutor(2) as pool:
                done = [pool.submit(_finished, task) for task in self._tasks()]
            for each in done:
                each.result()
        self._files.check()

    def _named_classes(self) -> Classes | None:
        if not any(isinstance(each, Compound) for each in (self._case.prediction, self._case.reference)):
            return None
        from dicecli.masks.classes import classes_of

        found = classes_of(self._case, self._settings)
        return found if found.sides else None

    def _kept(self, sources: list[MaskSource]) -> list[MaskSource]:
        for each in sources:
            self._stack.enter_context(each)
        return sources

    def _opened_prediction(self, reference: MaskSource) -> list[MaskSource]:
        given, settings = self._case.prediction, self._settings
        if self.is_soft:
            return opened_channels(given, reference.shape, settings)
        if isinstance(given, Absent):  # nobody predicted background there either
            return [NothingSource(reference.grid, None)]
        if given is None:
            return [NothingSource(reference.grid, settings.labels.background)]
        return opened_layers("prediction", given, settings)

    def _align(self, reference: list[MaskSource], prediction: list[MaskSource]) -> None:
        """Lay every layer of the prediction on the reference's first one; those of a side have one grid."""
        laid = partial(
            align, geometry=self._settings.geometry, axes=self._settings.axes, window=self._settings.window
        )
        try:
            for each in prediction:
                first, turned, said = laid(reference[0], each)
                self.notes += [note for note in said if note not in self.notes]
                self.prediction = (*self.prediction, turned)
            others = [laid(each, prediction[0])[0] for each in reference[1:]]
            self.reference = (first, *others)
        except CaseError as error:
            error.path = f"{shown(self._case.prediction)} against {shown(self._case.reference)}"
            raise

    def _lay_field(self) -> None:
        """Open the field of the case, where it has one, and lay it on the reference as it is read."""
        if self._case.within is not None:
            from dicecli.masks.field import laid, notes_on_same, opened_field

            field = opened_field(self._case.within, self._settings)
            self._kept([field])
            self.field, said = laid(self.reference[0], field, self._settings)
            notes = (*field.notes, *notes_on_same(self._case))
            self.notes = [*self.notes, *said, *(f"{FIELD}: {note}" for note in notes)]

    def _tasks(self) -> list[Task]:
        """Return what reads each layer."""
        of_reference = [("reference", each, each.read) for each in self.reference]
        of_field = [(FIELD, each, each.read) for each in self._fields]
        return [
            *of_reference,
            *(("prediction", each, each.values if self.is_soft else each.read) for each in self.prediction),
            *of_field,
        ]

    def _read_side(self, side: Side, window: Window) -> tuple[np.ndarray, ...]:
        return tuple([_read(window, task) for task in self._tasks() if task[0] == side])

    def _outside(self, window: Window) -> Stored:
        return tuple([(_read(window, task),) for task in self._tasks() if task[0] == FIELD])


def _finished(task: Task) -> None:
    side, source, _ = task
    on_side(side, source, source.finish)


def _read(window: Window, task: Task) -> np.ndarray:
    side, source, read = task
    return on_side(side, source, read, window)
