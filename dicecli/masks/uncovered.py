"""The part of a mask in which no tile lies, as a mask of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import ManyVolumes
from dicecli.masks.views import View
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.blocks import Window
    from dicecli.masks.sources import MaskSource
    from dicecli.records.compound import Uncovered


class OutsideTiles(View):
    """Another source without the pixels on which tiles lie: they have no label, and are none of the case's.

    What tiles cover as a whole is not read.

    Attributes
    ----------
    apart : int
        How many pixels of its grid tiles cover.
    """

    def __init__(self, source: MaskSource, mask: Uncovered) -> None:
        super().__init__(source, source.grid, source.chunks, np.dtype(np.int64))
        self.facts, self.oddities, self.dropped_axes = source.facts, source.oddities, source.dropped_axes
        self.apart = source.grid.size - mask.pixels
        self._tiles = np.array(mask.windows, np.int64)
        # What has no label is background, and is told from what is none of the case's here.
        self._is_filled = source.nodata_label == NO_LABEL and source.reading.nodata == "background"

    @property
    def nodata_label(self) -> int | None:
        """The other source's, unless its nodata is read as background here."""
        return None if self._is_filled else self.source.nodata_label

    def values(self, window: Window) -> np.ndarray:
        """Return the other source's values, tiles or not."""
        return self.source.values(window)

    def read(self, window: Window) -> np.ndarray:
        """Return the labels outside of all tiles; what stands for no label elsewhere."""
        covered = self.covered(window)
        if covered.all():
            return np.broadcast_to(np.int64(NO_LABEL), covered.shape)
        labels = self.source.read(window).astype(np.int64)
        if self._is_filled:
            labels[labels == NO_LABEL] = self.reading.background or 0
        labels[covered] = NO_LABEL
        return labels

    def covered(self, window: Window) -> np.ndarray:
        """Return where in a window a tile lies: bool, of the window's shape."""
        start, stop = (np.array([getattr(part, end) for part in window]) for end in ("start", "stop"))
        found = np.zeros(stop - start, bool)
        low = np.maximum(self._tiles[..., 0], start) - start
        high = np.minimum(self._tiles[..., 1], stop) - start
        is_here = (low < high).all(axis=1)
        for first, last in zip(low[is_here].tolist(), high[is_here].tolist(), strict=True):
            found[tuple(slice(*ends) for ends in zip(first, last, strict=True))] = True
        return found


class FieldOutsideTiles(View):
    """The field of a mask without tiles: where these lie nothing is outside of it."""

    def __init__(self, field: MaskSource, reference: OutsideTiles) -> None:
        super().__init__(field, field.grid, field.chunks)
        self._reference = reference

    def values(self, window: Window) -> np.ndarray:
        """Return the field's values, tiles or not."""
        return self.source.values(window)

    def read(self, window: Window) -> np.ndarray:
        """Return where it is outside of the field, but for what tiles cover: bool."""
        outside: np.ndarray = self.source.read(window) & ~self._reference.covered(window)
        return outside


def outside_tiles(layers: Sequence[MaskSource], mask: Uncovered) -> list[MaskSource]:
    """Return a mask that is open without what tiles cover.

    Raises
    ------
    ManyVolumes
        It is several binary layers, of which no pixel can be left out.
    """
    if len(layers) > 1:
        for each in layers:
            each.close()
        raise ManyVolumes(
            f"it is {len(layers)} binary layers; where no tile covers it one band of labels is expected",
            "Leave out what no tile covers: --uncovered ignore.",
            mask.path,
        )
    return [OutsideTiles(layers[0], mask)]
