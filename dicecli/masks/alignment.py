"""Whether two masks lie on each other; and, where only the order of their axes differs, making them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import GridMismatch, ShapeMismatch
from dicecli.masks.apart import IGNORE
from dicecli.masks.axes import AXES_SAID, fits_swapped, with_axes_swapped
from dicecli.masks.differing import NEAREST_VOXELS, displacement
from dicecli.masks.placing import check_grids
from dicecli.masks.views import Reoriented, Reshaped

if TYPE_CHECKING:
    from dicecli.masks.axes import Side
    from dicecli.masks.blocks import Window
    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Axes, Geometry


def align(
    reference: MaskSource,
    prediction: MaskSource,
    geometry: Geometry = "strict",
    axes: Axes | None = None,
    *,
    window: bool = False,
) -> tuple[MaskSource, MaskSource, list[str]]:
    """Return the reference, and the prediction as a source of the same grid; and notes on what was done.

    Nothing is resized, resampled or broadcast. With `window` a mask that is an exact window of the other
    one's grid is laid on that part of it; without a place in both that is refused. The prediction is turned
    where both masks store the same world grid in other directions or another order of axes; an axis of
    length 1 that only one of them has is dropped; the first two axes of a volume beside an image are swapped
    where `axes` is ``xy``. With geometry ``ignore`` this is so, too, and only what would be refused is
    compared by index.

    Raises
    ------
    ShapeMismatch, GridMismatch
        With what differs and by how much.
    """
    cropped = list[str]()
    if window and reference.shape != prediction.shape:
        reference, prediction, cropped = _in_window(reference, prediction)
    try:
        first, second, notes = _aligned(reference, prediction, axes)
    except GridMismatch as error:
        if geometry == "strict":
            raise
        said = ignored(error)
    else:
        return first, second, [*cropped, *notes]
    try:
        first, second, notes = _aligned(reference, prediction, axes, are_units_compared=False)
    except GridMismatch:
        first, second, squeezed = _by_index(reference, prediction, axes)
        notes = [*_dropped(reference, prediction), *squeezed]
    return first, second, [*cropped, *notes, said]


def _in_window(reference: MaskSource, prediction: MaskSource) -> tuple[MaskSource, MaskSource, list[str]]:
    """Lay two masks on each other of which one is an exact window of the other; others stay as they are.

    Raises
    ------
    ShapeMismatch
        One of them has no place.
    """
    from dicecli.masks.cropped import Cropped

    bare = [
        side
        for side, each in (("prediction", prediction), ("reference", reference))
        if each.grid.affine is None
    ]
    if bare:
        raise ShapeMismatch(
            f"the shapes differ: prediction {_times(prediction.shape)}, reference {_times(reference.shape)}; "
            f"and where the one lies in the other is not known: the {' and the '.join(bare)} "
            f"{'has' if len(bare) == 1 else 'have'} no georeferencing",
            "A window is found by the place of both masks, never guessed: save both as GeoTIFF or NIfTI with "
            "their place, and --window finds it.",
        )
    found = _window(reference, prediction)
    if found is None:
        return reference, prediction, []
    side, where, said = found
    notes = [f"{said}, which alone is compared"]
    if side == "prediction":
        return Cropped(reference, where), prediction, notes
    return reference, Cropped(prediction, where), notes


def _window(reference: MaskSource, prediction: MaskSource) -> tuple[Side, Window, str] | None:
    """Return which side is an exact window of the other, where in it, and that in words; None for neither."""
    from dicecli.masks.windows import at, window_in

    sides: dict[Side, Grid] = {"reference": reference.grid, "prediction": prediction.grid}
    order: tuple[tuple[Side, Side], ...] = (("prediction", "reference"), ("reference", "prediction"))
    for side, other in order:
        where = window_in(sides[other], sides[side])
        if where is not None:
            share = sides[side].size / sides[other].size
            begin = at(tuple(part.start for part in where))
            said = f"the {side} is an exact window of the {other}, from {begin} on: {share:.2%} of it"
            return side, where, said
    return None


def ignored(error: GridMismatch) -> str:
    """Say for what a pair would have been refused if geometry were not ignored."""
    return f"geometry ignored: {error.message}; compared pixel by pixel all the same"


def _aligned(
    reference: MaskSource, prediction: MaskSource, axes: Axes | None, *, are_units_compared: bool = True
) -> tuple[MaskSource, MaskSource, list[str]]:
    """Align two masks, or refuse them."""
    notes = _dropped(reference, prediction)
    on_units = _notes_on_units(reference.grid, prediction.grid, are_compared=are_units_compared)
    prediction, turned = _turned(reference, prediction)
    first, second, squeezed = _by_index(reference, prediction, axes)
    on_place = check_grids(first.grid, second.grid, axes, (reference.path, prediction.path))
    return first, second, [*notes, *turned, *squeezed, *on_place, *on_units]


def _by_index(
    reference: MaskSource, prediction: MaskSource, axes: Axes | None
) -> tuple[MaskSource, MaskSource, list[str]]:
    """Bring two masks into one shape, wherever they lie."""
    reference, prediction, notes = _squeezed(reference, prediction)
    if axes == "xy":
        reference, prediction = with_axes_swapped(reference, prediction)
    if reference.shape != prediction.shape:
        raise _shape_error(reference, prediction, axes)
    return reference, prediction, notes


def _notes_on_units(reference: Grid, prediction: Grid, *, are_compared: bool) -> list[str]:
    """Say where a unit of length is taken for granted; refuse two that are stated and differ."""
    stated = {reference.unit_stated, prediction.unit_stated}
    if are_compared and len(stated - {None, "none"}) > 1:
        raise GridMismatch(
            f"the headers state different units of length: prediction {prediction.unit_stated}, reference "
            f"{reference.unit_stated}",
            f"One of them may be wrong: save both in one unit. {IGNORE}",
        )
    return ["a NIfTI header names no unit of length: millimetres are taken"] if "none" in stated else []


def _dropped(reference: MaskSource, prediction: MaskSource) -> list[str]:
    """Say when only one of two masks of as many axes had more in its file, of length 1."""
    first, second = reference.dropped_axes, prediction.dropped_axes
    if first == second or len(reference.shape) != len(prediction.shape):
        return []
    which = "reference" if first > second else "prediction"
    return [f"trailing axes of length 1 of the {which}'s file are dropped"]


def _turned(reference: MaskSource, prediction: MaskSource) -> tuple[MaskSource, list[str]]:
    """Turn the prediction where its axes run in other directions of the world than the reference's."""
    first, second = reference.grid.affine, prediction.grid.affine
    if first is None or second is None or first.shape != second.shape:
        return prediction, []
    relative = np.linalg.solve(first[:, :-1], second[:, :-1])
    scaled = relative / np.abs(relative).max(axis=0)
    axes = [int(axis) for axis in np.argmax(np.abs(relative), axis=1)]
    if sorted(axes) != list(range(len(axes))):
        return prediction, []
    flips = [bool(scaled[target, axis] < 0) for target, axis in enumerate(axes)]
    if axes == sorted(axes) and not any(flips):
        return prediction, []
    turned = Reoriented(prediction, tuple(axes), tuple(flips))
    if turned.shape != reference.shape or displacement(reference.grid, turned.grid) > NEAREST_VOXELS:
        return prediction, []
    there, here = prediction.grid.orientation, reference.grid.orientation
    how = f"from {there} to {here}" if there and there != here else "into the reference's order and direction"
    return turned, [f"the prediction's axes were turned {how}, without interpolation"]


def _squeezed(reference: MaskSource, prediction: MaskSource) -> tuple[MaskSource, MaskSource, list[str]]:
    """Drop a leading or trailing axis of length 1 that only one of the masks has."""
    more, fewer = len(reference.shape), len(prediction.shape)
    if abs(more - fewer) != 1:
        return reference, prediction, []
    longer, shorter, side = (
        (reference, prediction, "reference") if more > fewer else (prediction, reference, "prediction")
    )
    for axis in (0, len(longer.shape) - 1):
        left = longer.shape[:axis] + longer.shape[axis + 1 :]
        if longer.shape[axis] == 1 and left == shorter.shape:
            squeezed = Reshaped(longer, axis)
            note = f"the {side}'s {'first' if axis == 0 else 'last'} axis has length 1 and was dropped"
            return (squeezed, shorter, [note]) if side == "reference" else (shorter, squeezed, [note])
    return reference, prediction, []


def _shape_error(reference: MaskSource, prediction: MaskSource, axes: Axes | None) -> ShapeMismatch:
    from dicecli.masks.fitting import WITHIN, fit_of

    first, second = reference.shape, prediction.shape
    if fits_swapped(reference.grid, prediction.grid):
        other = "ij" if axes == "xy" else "xy"
        return ShapeMismatch(
            f"the shapes differ: prediction {_times(second)}, reference {_times(first)}, and would not with "
            "the first two axes swapped",
            f"{AXES_SAID} --axes {other}.",
        )
    fit = fit_of(reference.grid, prediction.grid, (reference.path, prediction.path))
    said = f"the shapes differ: prediction {_times(second)}, reference {_times(first)}"
    if fit is not None:
        return ShapeMismatch(f"{said}; {fit.message}", fit.hint)
    window = _window(reference, prediction)
    # A volume of another shape that begins where the other does may have a header that was only copied.
    if window is not None and any(part.start for part in window[1]):
        return ShapeMismatch(f"{said}; {window[2]}", WITHIN)
    hint = "Nothing is resized here: bring the prediction back to the reference's grid (nearest neighbour)."
    if sorted(first) == sorted(second):
        hint = "The same lengths in another order: one mask is transposed. Save both with the same axes."
    elif [n for n in first if n != 1] == [n for n in second if n != 1]:
        hint = "They differ by axes of length 1: save both with the same number of axes."
    elif math.prod(first) == math.prod(second):
        hint = "As many pixels in another shape: one mask was reshaped. Save both with the same axes."
    elif len(first) != len(second) and _has_one_axis_more(*sorted((first, second), key=len)):
        hint = (
            "One mask has an axis more: save the slice or channel that the other one is of, or, of scores, "
            "the label whose score is the largest."
        )
        if max(reference.grid, prediction.grid, key=lambda grid: len(grid.shape)).kind == "stack":
            hint = "One mask has an axis more, its pages: --page N reads the page that the other one is of."
    return ShapeMismatch(said, hint)


def _has_one_axis_more(shorter: tuple[int, ...], longer: tuple[int, ...]) -> bool:
    return shorter in {longer[1:], longer[:-1]}


def _times(shape: tuple[int, ...]) -> str:
    return " x ".join(str(n) for n in shape)
