"""A window of a mask as a mask of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.masks.views import View

if TYPE_CHECKING:
    import numpy as np

    from dicecli.masks.blocks import Window
    from dicecli.masks.sources import MaskSource


class Cropped(View):
    """The part of another source that lies within a window of it, at least a pixel along each axis.

    What the other one's file says holds for it, too: nodata, palette, notes. Of the checks at the end those
    of the window are done, where the rest need not be read.
    """

    def __init__(self, source: MaskSource, window: Window) -> None:
        grid = source.grid.cropped(window)
        chunks = tuple(min(chunk, n) for chunk, n in zip(source.chunks, grid.shape, strict=True))
        super().__init__(source, grid, chunks)
        self.facts, self.oddities = source.facts, source.oddities
        self.dropped_axes = source.dropped_axes
        source.keep_to(window)
        self._window = window

    def values(self, window: Window) -> np.ndarray:
        """Read the window where it lies in the other source."""
        return self.source.values(self._there(window))

    def read(self, window: Window) -> np.ndarray:
        """Return the labels that the other source makes of its values."""
        return self.source.read(self._there(window))

    def _there(self, window: Window) -> Window:
        return tuple(
            slice(whole.start + part.start, whole.start + part.stop)
            for whole, part in zip(self._window, window, strict=True)
        )
