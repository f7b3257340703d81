"""What the pass and the reports ask of the statistic, but for what it reads."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.statistics._surfaces.bands import context_of_balls, context_of_squares
from dicecli.statistics.surface.asked import asked
from dicecli.statistics.surface.measured import (
    BANDS,
    CONTOURS,
    DISTANCES,
    Bands,
    Contours,
    Distances,
    Surfaces,
)
from dicecli.statistics.surface.rows import rows
from dicecli.statistics.surface.state import State
from dicecli.statistics.surface.summands import SUMMANDS
from dicecli.statistics.surface.wording import described

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Opened, Options

__all__ = [
    "MEASURES",
    "OPTIONS",
    "SUMMANDS",
    "Bands",
    "Contours",
    "Distances",
    "Surfaces",
    "begin",
    "described",
    "done",
    "halo",
    "notes",
]

OPTIONS = (
    "parts",
    "percentile",
    "tolerance",
    "surface",
    "rim",
    "percentile_rule",
    "boundary_width",
    "spacing",
    "include_background",
    "labels",
    "only",
    "max_memory",
)
MEASURES = {"label": Surfaces, "region": Surfaces}
_VOLUME = 3
#: Spacings that differ by more than this are said of.
_UNEVEN = 2


def halo(opened: Opened, options: Options) -> int:
    """Return 1, the neighbours that make a rim; for bands as many as these are wide.

    Raises
    ------
    NoSurface, UnitMismatch
        See :func:`~dicecli.statistics.surface.asked.asked`.
    """
    wanted = asked(opened, options)
    if BANDS not in wanted.parts:
        return 1
    if wanted.is_square:
        return max(1, context_of_squares(int(wanted.band.number)))
    return max(1, context_of_balls(wanted.band.number, wanted.band_spacing[0]))


def begin(opened: Opened, options: Options) -> State:
    """Return the surfaces of no block."""
    return State(opened, options)


def done(state: State, opened: Opened, mapped: Mapped = map) -> Iterator[tuple[Row, Surfaces]]:
    """Yield what was measured of each label that has a row, then of each region that has one."""
    yield from rows(state, opened, mapped)


def notes(state: State, opened: Opened) -> list[str]:
    """Say where no surface of voxels is right, and what there is not of volumes."""
    del opened
    wanted, said = state.asked, []
    apart = max(wanted.spacing) / min(wanted.spacing)
    if DISTANCES in wanted.parts and apart > _UNEVEN:
        said.append(
            f"the spacing differs {apart:.3g}-fold between axes: no surface of voxels is right there, and "
            "distances are off by up to some 40 %, which hides differences between methods"
        )
    if CONTOURS in wanted.parts and len(wanted.shape) == _VOLUME:
        said.append("boundary_f is of images, and undefined for volumes: nsd with a tolerance is of both")
    return said
