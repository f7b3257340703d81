"""What is added up of surfaces, over labels and over cases: pixels of masks, of bands and of contours."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.wholes import Summands
from dicecli.statistics.surface.measured import BANDS, CONTOURS, DISTANCES, Bands, Contours, Surfaces

if TYPE_CHECKING:
    from dicecli.records.wholes import Taken

_PARTS = (BANDS, CONTOURS, DISTANCES)


def _parts(surfaces: Surfaces) -> list[int]:
    return [int(each in surfaces.parts) for each in _PARTS]


def _bands(surfaces: Surfaces) -> tuple[int, ...]:
    found = surfaces.bands
    return (0, 0, 0, 0) if found is None else (found.reference, found.prediction, found.both, 1)


def _contours(surfaces: Surfaces) -> tuple[int, ...]:
    found = surfaces.contours
    if found is None:
        return (0, 0, 0, 0, 0)
    return found.reference, found.prediction, found.reference_near, found.prediction_near, 1


def made(taken: Taken) -> Surfaces:
    """Return surfaces without what does not add up: distances, with the percentages and tolerances."""
    *bands, has_bands = taken("bands")
    *contours, has_contours = taken("contours")
    reference, prediction = taken("pixels")
    return Surfaces(
        reference,
        prediction,
        tuple(name for name, number in zip(_PARTS, taken("parts"), strict=True) if number),
        bands=Bands(*bands) if has_bands else None,
        contours=Contours(*contours) if has_contours else None,
    )


SUMMANDS = Summands(
    {
        "pixels": lambda surfaces: (surfaces.reference, surfaces.prediction),
        "parts": _parts,
        "bands": _bands,
        "contours": _contours,
    },
    14,
    made,
    lambda surfaces: bool(surfaces.reference or surfaces.prediction),
)
