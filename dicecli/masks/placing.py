"""Whether two grids of one shape lie on each other, and what to say where that is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import GridMismatch
from dicecli.masks.apart import IGNORE, grids_apart
from dicecli.masks.differing import EXACT_VOXELS, NEAREST_VOXELS, differences, displacement, same_crs

if TYPE_CHECKING:
    from dicecli.masks.grid import Grid
    from dicecli.records.settings import Axes


def check_grids(
    reference: Grid, prediction: Grid, axes: Axes | None = None, paths: tuple[str, str] = ("", "")
) -> list[str]:
    """Return notes on two grids of one shape that lie on each other, `axes` being what was said of them.

    `paths` are those of the reference and the prediction, which a hint may name.

    Raises
    ------
    GridMismatch
        They lie more than half a voxel apart, or in different coordinate systems.
    """
    notes = _notes_on_place(reference, prediction, axes)
    if notes and (reference.kind != prediction.kind or None in {reference.spacing, prediction.spacing}):
        return notes
    found = differences(reference, prediction)
    if not same_crs(reference.crs, prediction.crs):
        from dicecli.masks.fitting import fit_of

        said = "the masks lie in different coordinate systems: prediction"
        fit = fit_of(reference, prediction, paths)
        if fit is not None:
            raise GridMismatch(f"{said} {fit.message}", f"{IGNORE} {fit.hint}")
        hint = f"Reproject one of them onto the other's grid (nearest neighbour). {IGNORE}"
        raise GridMismatch(f"{said} {'; '.join(found)}", hint)
    if (reference.crs is None) != (prediction.crs is None) and not notes:
        bare = "reference" if reference.crs is None else "prediction"
        notes.append(f"the {bare} names no CRS: taken to be the other's")
    apart = displacement(reference, prediction)
    if apart > NEAREST_VOXELS:
        raise grids_apart(reference, prediction, paths)
    if apart > EXACT_VOXELS:
        said = "; ".join(found) or "they differ at the corners"
        notes.append(f"the grids lie up to {apart:.3f} voxels apart: {said}. Compared pixel by pixel")
    return notes


def _notes_on_place(reference: Grid, prediction: Grid, axes: Axes | None) -> list[str]:
    """Say what cannot be compared: only one of the masks says where it lies, or they differ in kind."""
    kinds = {reference.kind, prediction.kind}
    notes = []
    if (reference.affine is None) != (prediction.affine is None):
        bare = "reference" if reference.affine is None else "prediction"
        notes.append(f"the {bare} has no georeferencing: compared pixel by pixel")
        placed = prediction if reference.affine is None else reference
        if placed.kind == "map" and placed.affine is not None and placed.affine[1, 0] > 0:
            notes.append("the map's rows run from south to north: is the other one upside down against it?")
    elif kinds == {"map", "volume"}:
        notes.append("a map against a volume: compared pixel by pixel")
    if len(kinds) == 2 and "volume" in kinds:
        order = "second and first" if axes == "xy" else "first and second"
        notes.append(f"rows and columns of the one are the {order} axis of the other")
    return notes
