"""NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, and pairs of ``.hdr`` and ``.img``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nibabel.spatialimages import SpatialImage

    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource

SUFFIXES = (".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz")


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a NIfTI file as a mask of labels.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.nifti import masks

    return masks.open_mask(path, reading)


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open an axis of a NIfTI file as channels of probabilities.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.nifti import channels

    return channels.open_probabilities(path, reading, shape)


def from_image(image: SpatialImage, reading: Reading) -> MaskSource:
    """Take an image of nibabel as a mask of labels.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.nifti import masks

    return masks.from_image(image, reading)


def probabilities_from_image(
    image: SpatialImage, reading: Reading, shape: tuple[int, ...]
) -> list[MaskSource]:
    """Take an axis of an image of nibabel as channels of probabilities.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.nifti import channels

    return channels.probabilities_from_image(image, reading, shape)
