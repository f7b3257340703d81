"""The field of a case: a mask of its own that says which pixels are compared."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import GeometryError, MeaningError, NotLabels
from dicecli.masks.alignment import align
from dicecli.masks.cropped import Cropped
from dicecli.masks.opening import FIELD, opened_layers
from dicecli.masks.sources import MaskSource
from dicecli.masks.uncovered import FieldOutsideTiles, OutsideTiles
from dicecli.masks.views import Reoriented, Reshaped, Widened
from dicecli.records.compound import paths_of
from dicecli.records.settings import Settings

if TYPE_CHECKING:
    from dicecli.masks.blocks import Window
    from dicecli.records.cases import Case

_HINT = (
    "Give one mask of integers: 0 and nodata are outside, any other value is inside; it takes no threshold."
)


class Field(MaskSource):
    """A mask of which it matters alone where it is 0 or nodata: outside."""

    def __init__(self, source: MaskSource) -> None:
        super().__init__(
            source.path,
            source.grid,
            np.dtype(bool),
            chunks=source.chunks,
            order=source.order,
            reading=source.reading,
        )
        self.notes, self.checked = source.notes, source.checked
        self.is_random_access, self.dropped_axes = source.is_random_access, source.dropped_axes
        self._source = source

    def values(self, window: Window) -> np.ndarray:
        """Read the window of the mask as it is stored."""
        return self._source.values(window)

    def read(self, window: Window) -> np.ndarray:
        """Return where a window is outside: bool.

        Raises
        ------
        NotLabels
            Values that are no integers.
        """
        try:
            labels = self._source.read(window)
        except MeaningError as error:
            raise _refused(error) from error
        outside: np.ndarray = labels == 0
        if self._source.nodata_label is not None:
            outside |= labels == self._source.nodata_label
        return outside

    def finish(self) -> None:
        """Check the mask's end."""
        self._source.finish()

    def close(self) -> None:
        """Close the mask."""
        self._source.close()


def opened_field(given: object, settings: Settings) -> Field:
    """Open whatever a field is given as; options on the labels of masks do not concern it.

    Raises
    ------
    CaseError
        With the file; NotLabels where it is no one mask of integers.
    """
    plain = Settings(nodata="ignore", max_pixels=settings.max_pixels, max_memory=settings.max_memory)
    try:
        found = opened_layers(FIELD, given, plain)
    except MeaningError as error:
        raise _refused(error) from error
    if len(found) > 1:
        for each in found:
            each.close()
        raise NotLabels(f"it holds {len(found)} binary layers", _HINT, found[0].path, FIELD)
    return Field(found[0])


def notes_on_same(case: Case) -> list[str]:
    """Say where the field is a mask of a side itself: the same array, or the same file by whatever path."""
    said = {
        "reference": "what is predicted where it has nothing is left out, so that no false alarm counts",
        "prediction": "what it does not find is left out, so that it misses nothing",
    }
    return [
        f"it is the {side} itself: {what}"
        for side, what in said.items()
        if _is_one(case.within, getattr(case, side))
    ]


def _is_one(field: object, mask: object) -> bool:
    of_field, of_mask = paths_of(field), paths_of(mask)
    try:
        return (field is mask and field is not None) or any(
            Path(one).samefile(other) for one in of_field for other in of_mask
        )
    except (OSError, ValueError):
        return False


def laid(reference: MaskSource, field: Field, settings: Settings) -> tuple[MaskSource, list[str]]:
    """Lay a field on a reference that the prediction lies on already; and say what was done.

    Of a reference that is a window of a larger one the field may be that of the larger one.

    Raises
    ------
    ShapeMismatch, GridMismatch
        As of a prediction.
    """
    # A volume that is swapped for the prediction's sake lies as images do; so does a field that is one.
    axes = None if isinstance(reference, Reoriented) else settings.axes
    is_smaller = field.grid.size < reference.grid.size
    window = not is_smaller and (settings.window or isinstance(reference, Cropped))
    try:
        first, found, notes = align(reference, field, settings.geometry, axes, window=window)
    except GeometryError as error:
        kind, said = type(error), f"it does not lie on the reference; taken for a prediction: {error.message}"
        where = f"{field.path} against {reference.path}"
        if is_smaller:
            raise kind(
                said, "Give a mask of the reference's shape, in which 0 is outside.", where, FIELD
            ) from error
        raise kind(said, error.hint, where, FIELD) from error
    # Where the reference itself was turned or squeezed for it, the field is taken the way back instead.
    while first is not reference:
        first, found = _back(first, found)
    if isinstance(reference, OutsideTiles):
        found = FieldOutsideTiles(found, reference)
    # What was aligned as a prediction was the field.
    return found, [f"{FIELD}: {note.replace('the prediction', 'the field')}" for note in notes]


def _back(view: MaskSource, field: MaskSource) -> tuple[MaskSource, MaskSource]:
    """Return what a view of the reference is of, and a field of the view's grid on that one's."""
    if isinstance(view, Reshaped):
        return view.source, Widened(field, view.axis, view.source.grid)
    if isinstance(view, Reoriented):
        axes = len(field.grid.full_shape)
        order = tuple(view.axes.index(axis) for axis in range(axes))
        return view.source, Reoriented(field, order, tuple(view.flips[at] for at in order))
    raise TypeError(f"{type(view).__name__} is no view that a pair is laid on each other by")


def _refused(error: MeaningError) -> NotLabels:
    return NotLabels(error.message, _HINT, error.path, FIELD)
