"""NIfTI-1 and NIfTI-2: ``.nii``, ``.nii.gz``, and pairs of ``.hdr`` and ``.img``."""

from dicecli.masks.formats.nifti.masks import (
    SUFFIXES,
    from_image,
    open_mask,
    open_probabilities,
    probabilities_from_image,
)

__all__ = ["SUFFIXES", "from_image", "open_mask", "open_probabilities", "probabilities_from_image"]
