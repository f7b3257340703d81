"""Where the voxels of a NIfTI file lie, as its header says: axes, their steps, and the way to the world."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import BadHeader
from dicecli.masks.differing import displacement
from dicecli.masks.grid import Grid, determinant, without_trailing_ones

if TYPE_CHECKING:
    from nibabel.nifti1 import Nifti1Header
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.grid import StatedUnit
    from dicecli.masks.reading import Reading

#: Millimetres; nothing that is scanned lies a thousand kilometres from its origin.
_FARTHEST = 1e9
#: Nor is a voxel smaller than an atom; squares of such numbers still are numbers.
_SMALLEST = 1e-9
#: A header's unit of length, by its code, and how many millimetres it has.
_UNITS: dict[int, tuple[StatedUnit, float]] = {1: ("m", 1000.0), 2: ("mm", 1.0), 3: ("µm", 0.001)}


class Place(NamedTuple):
    """What a header says of axes and place.

    Attributes
    ----------
    grid : Grid
        Of the first three axes.
    layout : tuple of int
        The shape as stored, without trailing axes of length 1, and without leading ones of more than three.
    path : str
        What the file, or the image, is called.
    oddities : list of str
        What looks wrong.
    notes : list of str
        What was assumed, and decides where it lies.
    dropped : int
        How many trailing axes of length 1 there are beyond the layout.
    """

    grid: Grid
    layout: tuple[int, ...]
    path: str
    oddities: list[str]
    notes: list[str]
    dropped: int


def place_of(header: Nifti1Header, path: str, reading: Reading, shape: tuple[int, ...] = ()) -> Place:
    """Return the grid, and the shape as stored; without a unit of length, steps are millimetres.

    Parameters
    ----------
    shape : tuple of int
        Of the reference, beside which a leading axis of length 1 may be one of space.

    Raises
    ------
    BadHeader
        Axes that there cannot be; or a place that is stated and is none, unless geometry is ignored.
    """
    axes, whole = _axes(header, path)
    stored, notes = _without_leading(whole, reading, shape)
    space = stored[:3]
    unit, factor = _UNITS.get(int(header["xyzt_units"]) & 7, ("none", 1.0))
    with np.errstate(invalid="ignore"):  # of NaN, which is told below
        zooms = np.abs(np.asarray(header["pixdim"][1:4], np.float64))
    affine, oddities, said = _affine(header, factor, (*space, *(1,) * (3 - len(space))))
    if said and affine is None:
        _refuse_place(said, path, reading)
        said = [f"{each}: it has no place, and geometry is ignored" for each in said]
    if affine is not None:
        zooms = np.linalg.norm(affine[:, :3], axis=0) / factor
    is_sized = bool((zooms > _SMALLEST).all() and (zooms < _FARTHEST).all())
    if not is_sized:
        oddities.append(f"its voxel sizes are {zooms.tolist()}: sizes are unknown")
    spacing = tuple((zooms * factor).tolist())
    if unit == "none":
        oddities.append("its header names no unit of length: millimetres are taken")
    of_one = math.prod(spacing) if affine is None else determinant(affine[:, :3])
    grid = Grid(
        shape=space,
        spacing=spacing[: len(space)] if is_sized else None,
        unit="mm" if is_sized else None,
        affine=affine,
        pixel_size=of_one if is_sized else None,
        kind="volume",
        unit_stated=unit if is_sized else None,
    )
    return Place(grid, stored, path, oddities + said, notes + said, max(0, axes - len(whole)))


def place_of_image(image: SpatialImage, reading: Reading, shape: tuple[int, ...] = ()) -> Place:
    """Return the same of an image that nibabel has loaded or made, and what to call it."""
    from nibabel.nifti1 import Nifti1Header
    from nibabel.nifti2 import Nifti2Image

    header = image.header
    if not isinstance(header, Nifti1Header):
        header = Nifti2Image.from_image(image).header
        header.set_xyzt_units("mm")  # the unit of every other format that nibabel reads
    return place_of(header, image.get_filename() or f"<{type(image).__name__}>", reading, shape)


def without_channels(grid: Grid, layout: tuple[int, ...], axis: int) -> Grid:
    """Return the grid of one of the channels on an axis of four.

    The header places the first three axes in space; with channels among them it places nothing.
    """
    return grid if axis == 3 else Grid(layout[:axis] + layout[axis + 1 :], kind="volume")


def _axes(header: Nifti1Header, path: str) -> tuple[int, tuple[int, ...]]:
    """Return how many axes the header counts, and their lengths without trailing ones of 1; two at least."""
    dims = [int(n) for n in header["dim"]]
    if not 1 <= dims[0] <= 7 or any(n < 1 for n in dims[1 : dims[0] + 1]):
        raise BadHeader(
            f"its header gives the dimensions {dims}: an axis count from 1 to 7 and positive lengths are "
            "expected",
            "The file is damaged, or not NIfTI. Save it again.",
            path,
        )
    return dims[0], without_trailing_ones((*dims[1 : dims[0] + 1], 1)[: max(2, dims[0])])


def _without_leading(
    whole: tuple[int, ...], reading: Reading, shape: tuple[int, ...]
) -> tuple[tuple[int, ...], list[str]]:
    """Drop leading axes of length 1 where more than three are left: the header's place is of the others.

    Such an axis is that of channels, put before those of a volume. It stays with argmax, whose channels are
    on an axis that is counted in the file, and beside a reference of `shape` that has it, too.
    """
    found = whole
    is_of_space = reading.argmax or without_trailing_ones(whole[:3]) == shape
    while len(found) > 3 and found[0] == 1 and not is_of_space:
        found = found[1:]
    if found == whole:
        return found, []
    first, then = (" x ".join(str(n) for n in each) for each in (whole, found))
    return found, [f"its first axis has length 1 and is dropped: {first} is read as {then}"]


def _refuse_place(said: list[str], path: str, reading: Reading) -> None:
    """Refuse a place that is stated and is none: what it was to lie on nobody can tell."""
    if reading.geometry == "ignore":
        return
    raise BadHeader(
        f"{'; '.join(said)}: its header states a place, and there is none in it",
        "Save it again with the header of the image that it belongs to. --geometry ignore compares pixel by "
        "pixel all the same.",
        path,
    )


def _affine(
    header: Nifti1Header, factor: float, shape: tuple[int, ...]
) -> tuple[np.ndarray | None, list[str], list[str]]:
    """Return the way to the world, in millimetres, ``(3, 4)``: the sform, else the qform, else None.

    Beside it what looks odd, and what is wrong with a form that is stated and cannot be used.
    """
    found = {}
    oddities, wrong = [], []
    for name in ("sform", "qform"):
        if int(header[f"{name}_code"]) <= 0:
            continue
        affine, fault = _form(header, name)
        with np.errstate(all="ignore"):  # as in _form
            affine = affine * factor
        fault = fault or ("" if _is_regular(affine) else "is singular or out of bounds")
        if fault:
            wrong.append(f"its {name} {fault}, and is not used")
        else:
            found[name] = affine
    if len(found) == 2:
        grids = [Grid(shape, affine=each, kind="volume") for each in found.values()]
        apart = displacement(*grids)
        if apart > 0.5:
            wrong.append(f"its sform and qform lie up to {apart:.3g} voxels apart; the sform is used")
    if not found and not wrong:
        oddities.append("neither sform nor qform says how it lies in the world")
    return next(iter(found.values()), None), oddities, wrong


def _form(header: Nifti1Header, name: str) -> tuple[np.ndarray, str]:
    """Return what one of the two forms comes to, and what is wrong with it at first sight."""
    from nibabel.spatialimages import HeaderDataError

    try:
        # Sizes and quaternions of NaN and infinity are told from places below, without a warning.
        with np.errstate(all="ignore"):
            affine = np.asarray(getattr(header, f"get_{name}")(), np.float64)[:3]
    except (ValueError, HeaderDataError):
        return np.zeros((3, 4)), "has sizes or a quaternion that there cannot be"
    return affine, "" if np.isfinite(affine).all() else "holds NaN or infinity"


def _is_regular(affine: np.ndarray) -> bool:
    """Tell whether an affine gives every voxel a place of its own, in numbers to reckon with."""
    if not np.isfinite(affine).all() or np.abs(affine).max() > _FARTHEST:
        return False
    lengths = np.linalg.norm(affine[:, :3], axis=0)
    return bool(lengths.min() > _SMALLEST and abs(np.linalg.det(affine[:, :3])) > 1e-6 * np.prod(lengths))
