"""What the pass keeps of surfaces: points of both sides, with their places, and counts of bands."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import TooLarge
from dicecli.masks.blocks import slowest
from dicecli.statistics._surfaces.bands import balls, squares
from dicecli.statistics._surfaces.contours import contour_points
from dicecli.statistics._surfaces.rims import corner_points, rim_points
from dicecli.statistics.surface.asked import asked, is_asked, regions_asked
from dicecli.statistics.surface.measured import BANDS, CONTOURS, DISTANCES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Block, Opened, Options

    #: Arrays of points, and of what they are.
    Found = tuple["Key", tuple[np.ndarray, ...]]

#: What a point needs at once, with its place in a tree and its distance.
POINT_BYTES = 64
#: So many codes are compared with faster than looked up.
_FEW = 8


class Key(NamedTuple):
    """Of what points are: distances or contours, the side by its number, and the view."""

    part: str
    side: int
    view: int


class Piece(NamedTuple):
    """One side of a block as one view has it, the slowest axis of the file first.

    Attributes
    ----------
    codes : numpy.ndarray
        Unsigned: the places of rows; 0 for none, the largest of the type for pixels that are left out.
    core : slice
        The planes that are the block's own.
    first, last : bool
        Whether the grid begins, and ends, with these planes.
    start : int
        The plane of the grid that the first one is.
    blank : int
        Another code that is no row.
    """

    codes: np.ndarray
    core: slice
    first: bool
    last: bool
    start: int
    blank: int = 0


class State:
    """Points and bands of some blocks.

    A view is what of the codes is looked at: the first one has all rows, the others a region each, as 1.
    """

    def __init__(self, opened: Opened, options: Options) -> None:
        self.asked = asked(opened, options)
        self.order = opened.order
        self.limit = int(options["max_memory"])
        self.pixels = int(np.prod(opened.shape, dtype=object))
        self.seen = 0
        #: The declared regions that are looked at, a view each behind the first.
        self.regions = regions_asked(opened, options)
        self.views = _views(opened, self.regions, options)
        self.points: dict[Key, list[tuple[np.ndarray, ...]]] = {}
        #: By view: rows by the reference's band, the prediction's, both.
        self.bands = [np.zeros((3, max(2, len(table))), np.int64) for table in self.views]

    def __add__(self, other: object) -> State:
        if not isinstance(other, State):
            return NotImplemented
        total = object.__new__(State)
        vars(total).update(vars(self))
        total.seen = self.seen + other.seen
        total.bands = [mine + theirs for mine, theirs in zip(self.bands, other.bands, strict=True)]
        every = {*self.points, *other.points}
        total.points = {key: self.points.get(key, []) + other.points.get(key, []) for key in every}
        total.check()
        return total

    def add(self, block: Block, mapped: Mapped = map) -> None:
        """Add a block's own pixels; sides, layers and views are worked on at a time.

        Raises
        ------
        TooLarge
            The points need more memory than is allowed.
        """
        layers, views = range(len(block.reference)), range(len(self.views))
        parts = self.asked.parts
        if {DISTANCES, CONTOURS} & {*parts}:
            sides = [(side, layer, view) for layer in layers for view in views for side in (0, 1)]
            for some in mapped(lambda task: self._points(block, *task), sides):
                for key, found in some:
                    self.points.setdefault(key, []).append(found)
        if BANDS in parts:
            pairs = [(layer, view) for layer in layers for view in views]
            for view, counts in mapped(lambda task: self._bands(block, *task), pairs):
                self.bands[view] += counts
        self.seen += int(np.prod([part.stop - part.start for part in block.core], dtype=object))
        self.check()

    def check(self) -> None:
        """Check that the points still fit into the memory that is allowed.

        Raises
        ------
        TooLarge
        """
        number = sum(found[0].size for every in self.points.values() for found in every)
        if number * POINT_BYTES > self.limit:
            needed = _needed(number, self.seen, self.pixels)
            share = f"{100 * self.seen / max(1, self.pixels):.0f} %"
            raise TooLarge(
                f"the surfaces have {number:,} points in the first {share} of {self.pixels:,} pixels, "
                f"which need {number * POINT_BYTES:,} bytes; {self.limit:,} are allowed",
                f"Allow more: --max-memory {needed}, where the rest is like this; or "
                "cut both masks to the part that matters, maps by 'gdal_translate -srcwin X Y WIDTH HEIGHT "
                "map.tif part.tif', and score the parts.",
            )

    def _points(self, block: Block, side: int, layer: int, view: int) -> list[Found]:
        piece, found = self._piece(block, side, layer, view), []
        if DISTANCES in self.asked.parts:
            found.append((Key(DISTANCES, side, view), self._surface(piece)))
        if CONTOURS in self.asked.parts and piece.codes.ndim == 2:
            points = contour_points(piece.codes, piece.core, last=piece.last, start=piece.start)
            found.append((Key(CONTOURS, side, view), points))
        return [(key, points) for key, points in found if points[0].size]

    def _surface(self, piece: Piece) -> tuple[np.ndarray, ...]:
        codes, core, first, last, start, blank = piece
        if self.asked.surface == "corner":
            return corner_points(codes, core, first=first, last=last, start=start, blank=blank)
        rim = self.asked.rim
        return rim_points(codes, core, first=first, last=last, start=start, rim=rim, blank=blank)

    def _bands(self, block: Block, layer: int, view: int) -> tuple[int, np.ndarray]:
        sides = [self._piece(block, side, layer, view) for side in (0, 1)]
        masks = []
        for piece in sides:
            where = {"first": piece.first, "last": piece.last}
            if self.asked.is_square:
                masks.append(squares(piece.codes, piece.core, int(self.asked.band.number), **where))
            else:
                reach, spacing = self.asked.band.number, self.asked.band_spacing
                masks.append(balls(piece.codes, piece.core, reach, spacing, **where))
        codes = [piece.codes[piece.core] for piece in sides]
        return view, _counts(codes, masks, self.bands[view].shape[1])

    def _piece(self, block: Block, side: int, layer: int, view: int) -> Piece:
        """Return one side of a block as a view has it."""
        codes = (block.reference, block.prediction)[side][layer]
        ignored = block.ignored
        table = self.views[view]
        # The largest value of the type is none of theirs: it says that a pixel is left out.
        wanted = np.min_scalar_type(len(table))
        seen = codes.astype(wanted, copy=False)
        dropped = np.flatnonzero(table != np.arange(len(table))).tolist()
        blank = dropped[0] if len(dropped) == 1 and self.asked.parts == (DISTANCES,) and not view else 0
        if dropped and not blank:
            seen = _through(table.astype(wanted), seen)
        if ignored is not None:
            seen = np.where(ignored, np.iinfo(wanted).max, seen).astype(wanted, copy=False)
        axis, flat = slowest(self.order, codes.ndim), self.asked.flat
        turned = seen.T if self.order == "F" else seen
        if flat is not None:
            turned = turned.squeeze(flat)
        turned = np.ascontiguousarray(turned)
        if flat == 0:
            # There is one plane, and so one block.
            return Piece(turned, slice(0, len(turned)), first=True, last=True, start=0, blank=blank)
        at = block.at[axis]
        return Piece(
            turned, block.inner[axis], at.start == 0, at.stop == self.asked.shape[0], at.start, blank
        )


def _counts(codes: Sequence[np.ndarray], masks: Sequence[np.ndarray], rows: int) -> np.ndarray:
    """Return how many pixels of each row are in the reference's band, the prediction's, and both."""
    both = masks[0] & masks[1] & (codes[0] == codes[1])
    counted = [
        np.bincount(codes[side][mask], minlength=rows)
        for side, mask in ((0, masks[0]), (1, masks[1]), (0, both))
    ]
    return np.stack(counted).astype(np.int64)


def _through(table: np.ndarray, codes: np.ndarray) -> np.ndarray:
    """Return what a table has for each code, in the order of the codes in memory.

    All but one stay as they are, or few become 1: to compare is many times as fast as to look up.
    """
    # As Python's numbers: beside those of NumPy codes would be compared in 64 bits.
    dropped, kept = np.flatnonzero(table != np.arange(len(table))).tolist(), np.flatnonzero(table).tolist()
    if len(dropped) == 1 and not table[dropped[0]] and codes.dtype == table.dtype:
        is_kept: np.ndarray = codes != dropped[0]
        found: np.ndarray = is_kept.view(codes.dtype) if codes.itemsize == 1 else is_kept.astype(codes.dtype)
        np.multiply(codes, found, out=found)
        return found
    if 0 < len(kept) <= _FEW and (table[kept] == 1).all():
        is_kept = codes == kept[0]
        for each in kept[1:]:
            is_kept |= codes == each
        return is_kept.astype(table.dtype)
    return np.take(table, codes)


def _views(opened: Opened, regions: Sequence[Row], options: Options) -> list[np.ndarray]:
    """Return for each view what the place of each row is in it: 0 for none."""
    rows = np.array([0, *(at * is_asked(row, options) for at, row in enumerate(opened.rows, start=1))])
    of_regions = [
        np.array([0, *(int(row.label in region.members) for row in opened.rows)]) for region in regions
    ]
    return [rows, *of_regions]


def _needed(points: int, seen: int, pixels: int) -> str:
    """Return the memory that all of it would need, rounded up, as an option takes it.

    Where not all was seen it is a sixteenth more: what is alike differs a little.
    """
    size = points * POINT_BYTES * pixels / max(1, seen) * (1 if seen >= pixels else 17 / 16)
    unit, name = (1 << 30, "GiB") if size > 10 << 30 else (1 << 20, "MiB")
    return f"{math.ceil(size / unit)}{name}"
