"""PNG: palette, grey of 1 to 16 bits, and colours through a colour table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import (
    NotLabels,
    UnknownFormat,
    Unreadable,
)
from dicecli.masks import colours, files
from dicecli.masks.formats.png import _chunks as chunks
from dicecli.masks.formats.png._header import KINDS
from dicecli.masks.formats.png._pixels import decoded
from dicecli.masks.grid import Grid
from dicecli.masks.palettes import palette_of
from dicecli.masks.sources import MaskSource

if TYPE_CHECKING:
    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.png._header import Header
    from dicecli.masks.reading import Reading


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a PNG mask. It is decoded now, so that damage is its first error; its values are judged later.

    Raises
    ------
    UnknownFormat, Truncated, Corrupt, TooLarge
        It is not PNG, is cut off, a checksum is wrong, or it is an animation.
    NotLabels
        16-bit colours.
    """
    size = files.check_regular(path)
    start = files.head(path)
    if not start.startswith(chunks.MAGIC):
        raise UnknownFormat(
            f"this is {files.looks_like(start)}, not PNG as its name says",
            "Give a PNG file, or name it after its format. JPEG cannot hold labels.",
            path,
        )
    chunks.check_size(start, size, reading, path)
    try:
        with files.open_regular(path) as file:
            data = file.read()
    except OSError as error:
        raise Unreadable(f"cannot be read: {error.strerror}", "Check its permissions.", path) from error
    header, stream = chunks.check(data, path)
    source = _Png(path, decoded(stream, header, path), header, reading)
    source.facts = {
        "format": "PNG",
        "mode": f"{KINDS[header.kind]}, {header.depth} bit",
        "compression": "deflate" + (", interlaced" if header.interlaced else ""),
    }
    if header.kind == 3:
        source.palette = palette_of(header.palette)
        source.facts["palette"] = f"{len(header.palette) // 3} colours"
    return source


class _Png(MaskSource):
    """The pixels of a PNG: indices of a palette, grey values, or labels of colours."""

    def __init__(self, path: str, samples: np.ndarray, header: Header, reading: Reading) -> None:
        dtype = np.dtype(np.uint16 if header.depth == 16 else np.uint8)
        if header.kind in {2, 6} and reading.colours:
            dtype = colours.label_type(reading.colours)
        grid = Grid((header.height, header.width))
        super().__init__(path, grid, dtype, chunks=(1, header.width), reading=reading)
        self._samples: np.ndarray | None = samples
        self._pixels = samples
        self._header, self._colours = header, reading.colours

    def values(self, window: Window) -> np.ndarray:
        """Return the labels of a window."""
        if self._samples is not None:
            self._pixels, self._samples = self._labels(self._samples), None
        return self._pixels[window]

    def finish(self) -> None:
        """Judge what was never asked for."""
        self.values((slice(0, 1), slice(0, 1)))

    def _labels(self, array: np.ndarray) -> np.ndarray:
        """Take samples for labels, or refuse to."""
        header = self._header
        if header.kind == 3:
            top = int(array.max())
            number = len(header.palette) // 3
            if top >= number:
                self.notes.append(f"label {top} lies outside its palette of {number} colours")
        if header.kind in {4, 6}:
            alpha = array[..., -1]
            if int(alpha.min()) != int(alpha.max()):
                raise NotLabels(
                    f"its alpha channel varies ({int(alpha.min())} to {int(alpha.max())})",
                    "Save the labels without transparency, as grey or palette.",
                    self.path,
                )
            self.notes.append(
                "grey with a constant alpha is read as grey"
                if header.kind == 4
                else "a constant alpha is left out"
            )
            array = array[..., 0] if header.kind == 4 else array[..., :3]
        return self._of_colours(array) if header.kind in {2, 6} else array

    def _of_colours(self, array: np.ndarray) -> np.ndarray:
        """Turn colours into labels: grey stored as colour as it is, others by the colour table."""
        if self._colours:
            self.notes.append(colours.said_of_table(self.reading))
            return colours.by_table(array, self._colours, self.path, self.dtype)
        grey = colours.grey_of(array)
        if grey is None:
            every = (colours.packed(array[part]) for part in colours.pieces(array.shape))
            raise colours.no_table(*colours.counted(every), self.path)
        self.notes.append(colours.GREY)
        return grey
