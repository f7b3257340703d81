"""PNG: palette, grey of 1 to 16 bits, and colours through a colour table."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource

SUFFIXES = (".png",)


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a PNG as a mask of labels.

    Raises
    ------
    CaseError
        Whatever is wrong with it.
    """
    from dicecli.masks.formats.png import masks

    return masks.open_mask(path, reading)
