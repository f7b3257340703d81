"""The bands of a TIFF as scores of labels: the label is the band with the largest one, from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.masks.formats.geotiff.bands import channels_of
from dicecli.masks.largest import largest_of
from dicecli.masks.layers import nodata_of
from dicecli.masks.sources import MaskSource
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._place import Place
    from dicecli.masks.reading import Reading


def largest_of_bands(
    dataset: DatasetReader, path: str, reading: Reading, directory: int | None, known: Place | None
) -> MaskSource:
    """Make labels of scores, a band per label; of the first image, or that whose directory lies there."""
    return _Largest(channels_of(dataset, path, reading, directory, known), path, reading)


class _Largest(MaskSource):
    """The number of the band with the largest score; where a band has nodata there is no label."""

    def __init__(self, channels: list[MaskSource], path: str, reading: Reading) -> None:
        first = channels[0]
        has_nodata = any(each.nodata is not None or each.nan_is_nodata for each in channels)
        super().__init__(
            path,
            first.grid,
            np.dtype(np.int64),
            chunks=first.chunks,
            nodata=NO_LABEL if has_nodata else None,
            reading=reading,
        )
        self.is_random_access = first.is_random_access
        self.take_for_largest()
        self.has_own_nodata, self.held = True, sum(each.held for each in channels)
        self.notes = [*first.notes, f"labels are the index of the largest of {len(channels)} scores"]
        self.facts, self._channels = first.facts, channels

    def keep_to(self, window: Window) -> None:
        """Let the checks at the end be of a window of every band."""
        for each in self._channels:
            each.keep_to(window)

    @property
    def pixel_bytes(self) -> int:
        """What every band takes, stacked once more and compared, and the index."""
        return sum(each.dtype.itemsize * 3 + 1 for each in self._channels) + 24

    def values(self, window: Window) -> np.ndarray:
        """Return the index of the largest band, as :func:`largest_of` does."""
        blocks = [each.values(window) for each in self._channels]
        missing = nodata_of(blocks, self._channels)
        scores = np.stack(blocks)
        if missing is None:
            return largest_of(scores, 0, self.path)
        found = np.full(missing.shape, NO_LABEL, np.int64)
        found[~missing] = largest_of(scores[:, ~missing], 0, self.path)
        return found

    def finish(self) -> None:
        """Check the checksums of every band."""
        for each in self._channels:
            each.finish()

    def close(self) -> None:
        """Close the file."""
        for each in self._channels:
            each.close()
