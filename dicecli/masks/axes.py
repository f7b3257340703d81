"""A volume beside an image: which of the volume's axes is the column, and which the row."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from dicecli.masks.views import Reoriented

if TYPE_CHECKING:
    from dicecli.masks.grid import Grid
    from dicecli.masks.sources import MaskSource

Side = Literal["reference", "prediction"]
#: What may be meant by the first axis of a volume that lies beside an image.
AXES_SAID = (
    "The first axis of a NIfTI is the column as ITK (SimpleITK, 3D Slicer) writes images, and the row as "
    "nibabel writes arrays. Say which:"
)


def volume_beside_image(reference: Grid, prediction: Grid) -> Side | None:
    """Return which of two masks is a volume where the other one is an image or a map; else None."""
    is_volume = reference.kind == "volume", prediction.kind == "volume"
    if is_volume[0] == is_volume[1] or min(len(reference.shape), len(prediction.shape)) < 2:
        return None
    return "reference" if is_volume[0] else "prediction"


def fits_swapped(reference: Grid, prediction: Grid) -> bool:
    """Whether a volume has the shape of an image once its first two axes are swapped."""
    first, second = reference.shape, prediction.shape
    is_other = first[:2] == second[1::-1] and first[2:] == second[2:]
    return is_other and volume_beside_image(reference, prediction) is not None


def with_axes_swapped(reference: MaskSource, prediction: MaskSource) -> tuple[MaskSource, MaskSource]:
    """Return two masks, of a volume beside an image with its first two axes in each other's place."""
    side = volume_beside_image(reference.grid, prediction.grid)
    if side == "reference":
        return _swapped(reference), prediction
    return reference, _swapped(prediction) if side == "prediction" else prediction


def _swapped(source: MaskSource) -> Reoriented:
    order = (1, 0, *range(2, len(source.grid.full_shape)))
    return Reoriented(source, order, (False,) * len(order))
