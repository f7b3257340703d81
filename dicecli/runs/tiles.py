"""A folder of tiles against the one raster in which they lie: every tile is a case, within its window."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import CaseError, PairingError
from dicecli.masks import files
from dicecli.masks.opening import opened_channels, opened_layers
from dicecli.masks.windows import union, window_in
from dicecli.plugins import by_suffix
from dicecli.records.cases import Case
from dicecli.records.compound import Absent, Uncovered
from dicecli.records.natural import natural
from dicecli.runs.classes import classes_in, mask_of
from dicecli.runs.listing import Listed, list_side
from dicecli.runs.pairing import Pairing, on_left_out
from dicecli.runs.unread import expect_unread_tiles
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.grid import Grid
    from dicecli.masks.windows import Box
    from dicecli.records.observed import Side
    from dicecli.records.settings import Settings

#: The case of what no tile covers.
UNCOVERED = "(uncovered)"


class Tiled(NamedTuple):
    """A folder of tiles, and the file in which they lie.

    Attributes
    ----------
    side : {"reference", "prediction"}
        That of the tiles.
    folder, raster : str
    """

    side: Side
    folder: str
    raster: str

    @property
    def other(self) -> Side:
        """The side of the raster."""
        return "reference" if self.side == "prediction" else "prediction"

    def case(self, name: str, tile: object, refused: Side | None) -> Case:
        """Make the case of a tile."""
        prediction, reference = (tile, self.raster) if self.side == "prediction" else (self.raster, tile)
        return Case(name, prediction, reference, refused=refused)


def tiled(predictions: str, references: str, settings: Settings) -> Tiled | None:
    """Return which side is a folder, where the other one is a file of a format that is read."""
    for each in (Tiled("prediction", predictions, references), Tiled("reference", references, predictions)):
        if os.path.isdir(each.folder) and os.path.isfile(each.raster):  # noqa: PTH112, PTH113 - as given
            plugin = by_suffix("formats", files.suffix(each.raster), _reads(each.other, settings))
            return None if plugin is None else each
    return None


def pair_tiles(
    tiles: Tiled, settings: Settings, patterns: Mapping[Side, str | None], *, follow_links: bool = False
) -> Pairing:
    """Make a case of every tile of a folder, and one of the reference that no tile covers.

    Tiles are opened for where they lie, and not read. One that cannot be opened, or is no exact window,
    covers nothing, and its case says why.

    Parameters
    ----------
    tiles : Tiled
    settings : Settings
        How both sides are read, and whether what no tile covers is missed, or left out.
    patterns : mapping
        By side: that of the folder is for its tiles, as for :func:`~dicecli.runs.pairing.pair_folders`.
    follow_links : bool

    Raises
    ------
    PairingError
        As for two folders; a pattern for the file; a raster that cannot be opened.
    """
    side, other = tiles.side, tiles.other
    if patterns[other] is not None:
        raise PairingError(
            f"the {other} is one file, and a pattern for it is given: '{patterns[other]}'",
            f"Leave out --{other}-pattern: the window of each tile is found by its place.",
            tiles.raster,
            other,
        )
    try:
        whole = _grid(other, tiles.raster, settings)
    except CaseError as error:
        raise PairingError(error.message, error.hint, tiles.raster, other) from error
    found = list_side(side, tiles.folder, patterns[side], _reads(side, settings))
    expect_unread_tiles(found)
    classes = classes_in((found,), found.named)
    cases, boxes = [], []
    for name in sorted(found.named, key=natural):
        tile = mask_of(found, name, classes)
        refused: Side | None = side if not follow_links and found.leads_outside(name) else None
        cases.append(tiles.case(found.spelt(name), tile, refused))
        box = None if refused else _box(side, tile, whole, settings)
        boxes += [] if box is None else [box]
    more, notes = _covered(tiles, boxes, whole, settings, has_classes=bool(classes))
    said, left_out = on_left_out(found)
    notes += said
    folders = (Listed.of(found),)
    return Pairing((*cases, *more), (), left_out, tuple(notes), is_tiled=True, folders=folders)


def _reads(side: Side, settings: Settings) -> str:
    return "open_probabilities" if side == "prediction" and settings.soft is not None else "open_mask"


def _grid(side: Side, mask: object, settings: Settings, shape: tuple[int, ...] = (0, 0)) -> Grid:
    """Open a mask for where its pixels lie."""
    is_soft = side == "prediction" and settings.soft is not None
    sources = opened_channels(mask, shape, settings) if is_soft else opened_layers(side, mask, settings)
    for each in sources:
        each.close()
    return sources[0].grid


def _box(side: Side, tile: object, whole: Grid, settings: Settings) -> Box | None:
    """Return where a tile lies; None where it cannot be opened, or is no window: its case will say why."""
    try:
        window = window_in(whole, _grid(side, tile, settings, whole.shape))
    except CaseError:
        return None
    return None if window is None else tuple((part.start, part.stop) for part in window)


def _covered(
    tiles: Tiled, boxes: Sequence[Box], whole: Grid, settings: Settings, *, has_classes: bool
) -> tuple[list[Case], list[str]]:
    """Say what tiles cover twice, and what they do not; make a case of that where it is missed."""
    covered = union(boxes)
    left, twice = whole.size - covered, sum(map(_pixels, boxes)) - covered
    cases, notes = [], []
    if twice:
        are = "is" if twice == 1 else "are"
        excess = (
            f"{counted(twice, 'pixel')} {are} counted in excess, {twice / covered:.2%} of what they cover"
        )
        notes.append(f"tiles overlap: {excess}; pooled numbers are of all that is counted")
    if boxes and left:
        said = f"no tile covers {counted(left, 'pixel')} of the {tiles.other}, {left / whole.size:.2%} of it"
        why = _why_left_out(tiles, settings, has_classes=has_classes)
        if why is None:
            cases.append(Case(UNCOVERED, Absent(), Uncovered(tiles.raster, tuple(boxes), left)))
            said += f": their labels are missed, in a case {UNCOVERED}; --uncovered ignore leaves them out"
        notes.append(said if why is None else f"{said}: left out, {why}")
    return cases, notes


def _why_left_out(tiles: Tiled, settings: Settings, *, has_classes: bool) -> str | None:
    """Say why what no tile covers is left out; None where it is missed."""
    if tiles.side == "reference":
        return "since they have no reference"
    if settings.soft is not None:
        return "since nothing is known of them"
    if settings.uncovered == "ignore":
        return "as was asked"
    return "since tiles have a file for each class" if has_classes else None


def _pixels(box: Box) -> int:
    return int(np.prod([stop - start for start, stop in box]))
