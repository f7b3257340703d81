"""What a run asks of surfaces, once the grid of a case is known: units, widths, and what is refused."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.errors import NoSurface, UnitMismatch
from dicecli.records.lengths import PIXELS, Length, parse_length
from dicecli.statistics.surface.measured import BANDS, CONTOURS, DISTANCES

if TYPE_CHECKING:
    from dicecli.records.measurements import Row
    from dicecli.records.only import Only
    from dicecli.records.surfaces import PercentileRule, Rim, Surface
    from dicecli.statistics._opened import Opened, Options

#: Of the diagonal: the widths of boundary_iou (Cheng 2021) and of boundary_f (DAVIS 2017).
_BAND, _CONTOUR = 0.02, 0.008
_IMAGE, _VOLUME = 2, 3


@dataclass(frozen=True)
class Asked:
    """What is asked for of the surfaces of one case; axes are in the order of the file, the slowest first.

    Attributes
    ----------
    parts : tuple of str
    surface, rim, rule : str
    shape : tuple of int
    spacing : tuple of float
        In `unit`; 1 where that is pixels.
    unit : {"mm", "m", "px"}
    percents : tuple of float
    tolerances : tuple of Length
    limits : tuple of float
        The tolerances in `unit`.
    band : Length
        The width of the bands; in pixels or in `unit`.
    band_spacing : tuple of float
        The spacing that it is measured by.
    is_square : bool
        Whether bands are those of Cheng 2021: squares around pixels outside.
    contour : float
        How near boundaries have to be, in pixels or, with `contour_spacing`, in the unit.
    contour_spacing : tuple of float
    flat : int or None
        The axis of the file that is none of these: that of a volume of one slice, which is an image.
    """

    parts: tuple[str, ...]
    surface: Surface
    rim: Rim
    rule: PercentileRule
    shape: tuple[int, ...]
    spacing: tuple[float, ...]
    unit: str
    percents: tuple[float, ...]
    tolerances: tuple[Length, ...]
    limits: tuple[float, ...]
    band: Length
    band_spacing: tuple[float, ...]
    is_square: bool
    contour: float
    contour_spacing: tuple[float, ...]
    flat: int | None = None

    @property
    def diagonal(self) -> float:
        """Of the grid, in the unit."""
        return math.hypot(*sorted(n * step for n, step in zip(self.shape, self.spacing, strict=True)))


def asked(opened: Opened, options: Options) -> Asked:
    """Return what options ask for on the grid of a case.

    Raises
    ------
    NoSurface
        A grid on which distances along the axes are no lengths, where these are asked for, or that is neither
        image nor volume.
    UnitMismatch
        A tolerance or width in another unit than the case.
    """
    given, parts = options["boundary_width"], {*options["parts"]}
    width = None if given is None else parse_length(given, "the boundary's width", "--boundary-width 5px")
    is_width_of_grid = width is not None and width.unit != PIXELS and bool({BANDS, CONTOURS} & parts)
    unit = _unit_of(opened, needs_length=DISTANCES in parts or is_width_of_grid)
    turned = slice(None, None, -1 if opened.order == "F" else 1)
    shape = opened.shape[turned]
    spacing = (1.0,) * len(shape) if unit == PIXELS or opened.spacing is None else opened.spacing[turned]
    flat = shape.index(1) if len(shape) == _VOLUME and 1 in shape else None
    if flat is not None:
        shape = shape[:flat] + shape[flat + 1 :]
        spacing = spacing[:flat] + spacing[flat + 1 :]
    tolerances = tuple(options["tolerance"])
    limits = tuple(_in_unit(each, unit, f"nsd_{each}") for each in tolerances)
    if width is not None and is_width_of_grid:
        width = Length(_in_unit(width, unit, "--boundary-width"), unit)
    diagonal = math.hypot(*sorted(shape))
    band = width or Length(max(1.0, float(round(_BAND * diagonal))), PIXELS)
    contour = width or Length(float(math.ceil(_CONTOUR * diagonal)), PIXELS)
    steps = {unit: spacing, PIXELS: (1.0,) * len(shape)}
    return Asked(
        tuple(options["parts"]),
        options["surface"],
        options["rim"],
        options["percentile_rule"],
        shape,
        spacing,
        unit,
        tuple(options["percentile"]),
        tolerances,
        limits,
        band,
        band_spacing=steps[band.unit],
        is_square=len(shape) == _IMAGE and band.unit == PIXELS and band.number.is_integer(),
        contour=contour.number,
        contour_spacing=steps[contour.unit],
        flat=flat,
    )


def is_asked(row: Row, options: Options) -> bool:
    """Tell whether a row is measured: one of a label that has a row, or a layer that is asked for."""
    only: Only | None = options["only"]
    if only is not None:
        return only.has_layer(row, options["labels"].regions)
    return row.label is None or options["include_background"] or row.label != options["labels"].background


def regions_asked(opened: Opened, options: Options) -> tuple[Row, ...]:
    """Return the declared regions that are measured."""
    return tuple(row for row in opened.regions if is_asked(row, options))


def _unit_of(opened: Opened, *, needs_length: bool) -> str:
    """Return what distances are in; what is in pixels alone needs no length on the grid."""
    axes = len(opened.shape)
    if axes not in {_IMAGE, _VOLUME}:
        hint = "Leave boundary metrics out."
        if axes > _VOLUME:
            hint = "Leave boundary metrics out; or score an image or a volume of it at a time."
        raise NoSurface(
            f"it has {axes} {'axis' if axes == 1 else 'axes'}; surfaces are of images (2) and volumes (3)",
            f"{hint} -m all has them: name others instead, as -m dice -m iou.",
        )
    if opened.length is None and not needs_length:
        return PIXELS
    if opened.length is None:
        why = (
            f"its spacing is in {opened.unit}"
            if opened.unit not in {"mm", "m"}
            else "the axes of its grid are not at right angles"
        )
        raise NoSurface(
            f"{why}, so that distances along its axes are no lengths",
            "Measure in pixels: --spacing voxel; or bring both maps to a grid with right angles in metres or "
            "millimetres, and score those.",
        )
    return opened.length


def _in_unit(length: Length, unit: str, what: str) -> float:
    found = length.in_unit(unit)
    if found is None:
        hint = (
            "Measure in pixels: --spacing voxel; or give it in the unit of the file."
            if length.unit == PIXELS
            else "Give it in pixels, as 2px; 'dicecli inspect' shows what the file says of its spacing."
        )
        raise UnitMismatch(f"{what}: it is in {length.unit}, and the distances of this case in {unit}", hint)
    return found
