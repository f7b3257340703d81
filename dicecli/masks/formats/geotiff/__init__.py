"""GeoTIFF and plain TIFF, through GDAL's own driver and nothing else that lies beside the file."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource

SUFFIXES = (".tif", ".tiff", ".gtiff", ".geotiff")


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a TIFF as a mask of labels.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.geotiff import stacks

    return stacks.open_mask(path, reading)


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open the bands or pages of a TIFF as channels of probabilities.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.geotiff import stacks

    return stacks.open_probabilities(path, reading, shape)
