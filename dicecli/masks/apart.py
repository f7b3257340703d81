"""The refusal of two masks that lie apart: how far, in what, and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import GridMismatch
from dicecli.masks.differing import differences, displacement

if TYPE_CHECKING:
    from dicecli.masks.grid import Grid

#: What hints end with that a user may overrule.
IGNORE = "--geometry ignore compares pixel by pixel all the same."
#: Sizes that differ by one of these are those of another unit: of metres, millimetres and micrometres.
_UNITS_APART, _ROUNDING = (1e3, 1e6), 1e-3


def grids_apart(reference: Grid, prediction: Grid, paths: tuple[str, str] = ("", "")) -> GridMismatch:
    """Make the error for two grids of one shape and coordinate system that do not lie on each other.

    From a header that nobody wrote, or that is in another unit, nothing is to be resampled, and where the
    masks have no place in common there is nothing to resample: it would give wrong numbers.
    """
    found = "; ".join(differences(reference, prediction)) or "they differ at the corners"
    message = (
        f"the masks lie up to {displacement(reference, prediction):.4g} voxels apart: prediction {found}"
    )
    bare = [
        side for side, grid in (("reference", reference), ("prediction", prediction)) if _is_default(grid)
    ]
    if len(bare) == 1:
        (side,) = bare
        other = "prediction" if side == "reference" else "reference"
        return GridMismatch(
            message,
            f"The {side}'s header is that of an array saved without one (spacing 1, origin 0): save it again "
            f"with the header of the {other}, or of the image that both are of; do not resample it. {IGNORE}",
        )
    if _is_in_other_units(reference, prediction):
        return GridMismatch(
            message,
            "The voxels of one are 1,000 or 1,000,000 times as long: one header seems to be in another unit "
            "than it says. Save that mask again with its sizes and its place in millimetres; do not resample "
            f"it. {IGNORE}",
        )
    if _are_disjoint(reference, prediction):
        return GridMismatch(
            message,
            "They have no place in common, as tiles side by side: give the mask of the same place. If it is "
            f"the same, one header is wrong: save that mask again with the header of the other. {IGNORE}",
        )
    from dicecli.masks.fitting import fit_of

    fit = fit_of(reference, prediction, paths)
    if fit is not None:
        return GridMismatch(f"{message}: {fit.message}", f"{IGNORE} {fit.hint}")
    return GridMismatch(message, f"Resample one of them onto the other's grid (nearest neighbour). {IGNORE}")


def _is_default(grid: Grid) -> bool:
    """Tell whether a volume's place is the one that writers give to an array without a header.

    Its axes are those of the world in some direction, its steps 1 mm, and it begins at the origin; or it has
    steps of 1 mm, and no place at all.
    """
    if grid.kind != "volume":
        return False
    if grid.affine is None:
        return grid.spacing is not None and set(grid.spacing) == {1.0}
    steps = np.abs(grid.affine[:, :-1])
    return bool((grid.affine[:, -1] == 0).all() and np.array_equal(steps, np.eye(len(steps))))


def _is_in_other_units(reference: Grid, prediction: Grid) -> bool:
    """Tell whether all lengths along the axes differ by the one factor that lies between two units."""
    if reference.spacing is None or prediction.spacing is None or "map" in {reference.kind, prediction.kind}:
        return False
    ratios = np.array(prediction.spacing) / np.array(reference.spacing)
    factors = np.array([*_UNITS_APART, *(1 / factor for factor in _UNITS_APART)])
    return bool((np.abs(ratios / factors[:, None] - 1) < _ROUNDING).all(axis=1).any())


def _are_disjoint(reference: Grid, prediction: Grid) -> bool:
    """Tell whether no pixel of the one lies in the other, seen along the axes of the reference."""
    if (
        reference.affine is None
        or prediction.affine is None
        or reference.affine.shape != prediction.affine.shape
    ):
        return False
    apart = prediction.world(prediction.corners()) - reference.affine[:, -1]
    places = np.linalg.solve(reference.affine[:, :-1], apart.T)
    last = np.array(reference.full_shape) - 1
    return bool(((places.max(axis=1) < -0.5) | (places.min(axis=1) > last + 0.5)).any())
