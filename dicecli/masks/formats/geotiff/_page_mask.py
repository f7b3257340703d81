"""Pages of a TIFF as a mask: all of them as a volume, of which they are the last axis, or one alone."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import NotLabels
from dicecli.masks.formats.geotiff._blocks import PageBlocks
from dicecli.masks.grid import Grid
from dicecli.masks.sources import MaskSource
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.blocks import Window
    from dicecli.masks.formats.geotiff._pages import Pages
    from dicecli.masks.reading import Reading


class PageMask(MaskSource):
    """Some pages: as a volume, of which they are the last axis, or one of them as a mask of two axes."""

    def __init__(
        self,
        path: str,
        pages: Pages,
        reading: Reading,
        numbers: Sequence[int],
        *,
        is_flat: bool,
        blocks: PageBlocks | None = None,
    ) -> None:
        place = _grid(pages, len(numbers), is_flat=is_flat)
        check_pixels(place.shape, reading.max_pixels, path)
        nodata, background, note = _nodata(pages, reading, path)
        self._blocks = blocks or PageBlocks(path, pages, reading)
        self._numbers, self._is_flat = numbers, is_flat
        block = pages.layouts[0].block
        super().__init__(
            path,
            place,
            self._blocks.dtype,
            chunks=block if is_flat else (*block, 1),
            order="C" if is_flat else "F",
            nodata=nodata,
            nan_is_nodata=reading.nodata in {"ignore", "background"},
            reading=reading,
        )
        self.is_random_access, self._is_finished = True, False
        self.background_tag, self.palette = background, pages.palette
        self.notes += note + [f"GDAL warns: {each}" for each in self._blocks.warnings]
        self._describe(pages, reading)

    def _describe(self, pages: Pages, reading: Reading) -> None:
        layout, said = pages.layouts[0], pages.described
        self.facts = {
            "format": "TIFF",
            "pages": len(pages),
            "stored as": str(self.dtype),
            "blocks": f"{layout.block[1]} x {layout.block[0]} "
            + ("tiles" if layout.tile_width else "strips"),
            "compression": self._blocks.compression,
            "nodata": layout.nodata,
        }
        if said is not None:
            self.facts["described by"] = said.program
            self.oddities += [said.oddity] if said.oddity else []
        if reading.band not in {None, 1}:
            self.notes.append(
                f"its pages have one band, which is read; --band {reading.band} is for the other file"
            )

    def values(self, window: Window) -> np.ndarray:
        """Return the stored values of a window."""
        *rectangle, slices = (*window, slice(0, 1)) if self._is_flat else window
        size = [part.stop - part.start for part in (slices, *rectangle)]
        values = np.empty(size, self.dtype)
        self._blocks.read(self._numbers[slices], tuple(rectangle), values)
        return values[0] if self._is_flat else values.transpose(1, 2, 0)

    def finish(self) -> None:
        """Check the checksums of what GDAL read, and say how much is not stored."""
        if self._is_finished:
            return
        for page in self._numbers:
            self._blocks.check(page)
        self._is_finished = True
        if self._blocks.sparse:
            value = "0" if self.facts["nodata"] is None else "nodata"
            note = f"{self._blocks.sparse:,} of its blocks are sparse: not stored, and read as {value}"
            self.notes.append(note)

    def close(self) -> None:
        """Close the file."""
        self._blocks.close()


def size_of(pages: Pages) -> tuple[int, int]:
    """Return rows and columns of a page."""
    return pages.layouts[0].height, pages.layouts[0].width


def _grid(pages: Pages, slices: int, *, is_flat: bool) -> Grid:
    """Return the grid of some pages: only what their description says of it is known."""
    size, said = size_of(pages), pages.described
    if is_flat or said is None or said.spacing is None:
        return Grid(size if is_flat else (*size, slices), kind="image" if is_flat else "stack")
    return Grid(
        (*size, slices),
        spacing=said.spacing,
        unit=said.unit,
        pixel_size=float(np.prod(said.spacing)),
        kind="stack",
    )


def check_masks(pages: Pages, reading: Reading, path: str) -> None:
    """Refuse masks beside pages, which say where nothing is known: GDAL finds those of the first image alone.

    Raises
    ------
    NotLabels
    """
    if pages.masks and reading.nodata != "label":
        raise NotLabels(
            f"beside its {len(pages):,} pages it has {pages.masks:,} masks, which say where nothing is "
            "known, and are not read with several pages",
            "Count what they cover as any other pixel: --nodata label. Or save a page per file.",
            path,
        )


def _nodata(pages: Pages, reading: Reading, path: str) -> tuple[float | None, float | None, list[str]]:
    """Decide which stored value is nodata, or nodata that is read as background, by the tag of every page.

    Raises
    ------
    NotLabels
        Masks beside the pages, which say what is nodata and are not read; or a tag that is no number.
    """
    check_masks(pages, reading, path)
    text = pages.layouts[0].nodata
    if reading.nodata == "label":
        return None, None, []
    if text is None:
        return None, None, []
    try:
        tag = float(text)
    except ValueError:
        tag = math.inf
    if abs(tag) >= 2**53:
        raise NotLabels(
            f"its nodata is {text[:40]!r}: no number that is read here",
            "Take it for none: --nodata label.",
            path,
        )
    if reading.nodata == "auto" and tag == reading.background and reading.is_background_a_label:
        return None, tag, [f"nodata is {tag:g}, which is also the background label: read as background"]
    return tag, None, []
