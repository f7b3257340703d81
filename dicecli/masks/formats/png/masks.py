"""PNG: palette, grey of 1 to 16 bits, and colours through a colour table."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import (
    NotLabels,
    UnknownColour,
    UnknownFormat,
    Unreadable,
)
from dicecli.masks import files
from dicecli.masks.formats.png import _chunks as chunks
from dicecli.masks.formats.png._pixels import decoded
from dicecli.masks.grid import Grid
from dicecli.masks.sources import MaskSource, Reading

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.blocks import Window
    from dicecli.records.labels import Colour


#: Colours that are listed where a colour table is wanting.
_LISTED = 32


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
        "mode": f"{chunks.KINDS[header.kind]}, {header.depth} bit",
        "compression": "deflate" + (", interlaced" if header.interlaced else ""),
    }
    if header.kind == 3:
        source.facts["palette"] = f"{len(header.palette) // 3} colours"
    return source


class _Png(MaskSource):
    """The pixels of a PNG: indices of a palette, grey values, or labels of colours."""

    def __init__(self, path: str, samples: np.ndarray, header: chunks.Header, reading: Reading) -> None:
        dtype = np.dtype(np.uint16 if header.depth == 16 else np.uint8)
        if header.kind in {2, 6} and reading.colours:
            dtype = np.dtype(np.int64)
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
            colours = len(header.palette) // 3
            if top >= colours:
                self.notes.append(f"label {top} lies outside its palette of {colours} colours")
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
            self.notes.append("colours are read as labels by the colour table")
            return _by_table(array, self._colours, self.path)
        grey: np.ndarray = array[..., 0]
        if np.array_equal(grey, array[..., 1]) and np.array_equal(grey, array[..., 2]):
            self.notes.append("grey stored as RGB is read as grey")
            return grey
        colours, times = np.unique(_packed(array), return_counts=True)
        error = UnknownColour(
            f"it is coded by {colours.size:,} colours, as {_hex(int(colours[-1]))}, "
            "and no colour table is given",
            'Give one: --labels FILE with {"labels": {"1": "road"}, "colours": {"1": "#804080"}}.',
            self.path,
        )
        most = np.argsort(-times, kind="stable")[:_LISTED]
        listed = [f"{_hex(int(colours[each]))} {times[each] / times.sum():.2%}" for each in most]
        error.facts = {"colours": ", ".join(listed) + (" ..." if colours.size > _LISTED else "")}
        raise error


def _packed(array: np.ndarray) -> np.ndarray:
    wide = array.astype(np.uint32)
    packed: np.ndarray = (wide[..., 0] << 16) | (wide[..., 1] << 8) | wide[..., 2]
    return packed


def _by_table(array: np.ndarray, table: Mapping[Colour, int], path: str) -> np.ndarray:
    """Replace every colour by its label.

    Raises
    ------
    UnknownColour
        With the colour, its share of the pixels, and the nearest colour of the table.
    """
    keys = np.array([(r << 16) | (g << 8) | b for r, g, b in table], np.uint32)
    labels = np.array(list(table.values()), np.int64)
    order = np.argsort(keys)
    keys, labels = keys[order], labels[order]
    packed = _packed(array)
    place = np.minimum(np.searchsorted(keys, packed), keys.size - 1)
    strange = keys[place] != packed
    if strange.any():
        raise _unknown_colour(packed[strange], packed.size, table, path)
    found: np.ndarray = labels[place]
    return found


def _unknown_colour(strange: np.ndarray, total: int, table: Mapping[Colour, int], path: str) -> UnknownColour:
    colours, times = np.unique(strange, return_counts=True)
    most = int(colours[np.argmax(times)])
    rgb = (most >> 16, (most >> 8) & 255, most & 255)
    nearest = min(table, key=lambda known: sum((a - b) ** 2 for a, b in zip(known, rgb, strict=True)))
    others = f", and {colours.size - 1:,} more colours" if colours.size > 1 else ""
    return UnknownColour(
        f"the colour {_hex(most)} {rgb} of {times.max() / total:.2%} of the pixels is not in the colour table"
        f"{others}; the nearest is {nearest}, label {table[nearest]}",
        "Add the colour to the table. Colours near a known one come from JPEG or from interpolation: "
        "save the mask losslessly.",
        path,
    )


def _hex(packed: int) -> str:
    return f"#{packed:06x}"
