"""Which images of a TIFF are its pages, and whether they are one volume.

Longer than other modules: what makes a page of an image, and a volume of pages, is one decision.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from dicecli.errors import CaseError, Corrupt, ManyImages, TooLarge, Truncated
from dicecli.masks import files
from dicecli.masks.formats.geotiff._directories import MOST_DIRECTORIES, Directories, Directory
from dicecli.masks.formats.geotiff._layout import ALIKE, LENGTHS, NODATA, OFFSETS, Layout, palette

if TYPE_CHECKING:
    from collections.abc import Sequence

    from dicecli.masks.formats.geotiff._descriptions import Described
    from dicecli.masks.formats.geotiff._directories import Order

_SUBFILE, _DESCRIPTION, _X_RESOLUTION, _Y_RESOLUTION, _DEPTH = 254, 270, 282, 283, 32997
#: Bytes of a description that are looked at.
_MOST_TEXT = 1 << 24
#: Bits of NewSubfileType: of less resolution, as overviews and thumbnails are; a mask of another image.
_REDUCED, _MASK = 1, 4


@dataclass
class Pages:
    """The pages of a TIFF.

    Attributes
    ----------
    order : {"<", ">"}
        The byte order of the file.
    places : list of int
        Where the directory of each page lies; where one stands for all, where the pixels of each do.
    layouts : list of Layout
        Of each page; those that are alike are one object.
    described : Described or None
        What the file's description says of them.
    first : int
        Where the first directory of the file lies.
    masks : int
        How many masks the file has beside them.
    palette : tuple of int or None
        The colours of the first page's numbers.
    is_run : bool
        Whether one directory stands for pages whose pixels follow each other.
    """

    order: Order
    places: list[int]
    layouts: list[Layout]
    described: Described | None
    first: int
    masks: int = 0
    palette: tuple[int, ...] | None = None
    is_run: bool = False

    def __len__(self) -> int:
        return len(self.places)


def pages_of(path: str, wanted: int | None) -> Pages | None:
    """Find the pages of a TIFF; up to the one that is wanted, where one is.

    None where it is no TIFF, or its first directory cannot be read: GDAL says what is wrong with it.

    Raises
    ------
    ManyImages
        They are no volume, and none is wanted.
    Truncated, Corrupt, TooLarge
        Directories after the first one that cannot be read.
    """
    with files.readable(path), files.open_regular(path) as file:
        if not file.read(4).startswith((b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")):
            return None
        found = Directories(file, path)
        try:
            first = next(found.walk(), None)
        except CaseError:
            return None
        if first is None:
            return None
        try:
            known = dict[tuple[object, ...], Layout]()
            layout = _layout(found, first, known)
        except CaseError:
            if first.following:
                raise
            return None
        if found.number(first, _DEPTH, 1) > 1:
            raise _deep(found.number(first, _DEPTH, 1), path)
        pages = _collected(found, first, wanted, known)
        pages.described = _said(found, first, layout)
        pages.palette = palette(found, found.read(pages.places[0]), pages.layouts[0])
        return _checked(pages, found, first, wanted)


def _collected(
    found: Directories, first: Directory, wanted: int | None, known: dict[tuple[object, ...], Layout]
) -> Pages:
    """Walk the directories, and keep those of pages; where there are none, the first one."""
    pages = Pages(found.order, [], [], None, first.at)
    for directory in found.walk():
        kind = found.number(directory, _SUBFILE, 0)
        pages.masks += bool(kind & _MASK)
        if not kind & (_REDUCED | _MASK):
            if len(pages) == wanted:
                break
            pages.places.append(directory.at)
            pages.layouts.append(_layout(found, directory, known))
    if not pages.places:
        pages.places, pages.layouts = [first.at], [_layout(found, first, known)]
    return pages


def _layout(found: Directories, directory: Directory, known: dict[tuple[object, ...], Layout]) -> Layout:
    """Return how a page is stored; from `known` where its entries are those of another one."""
    nodata = found.text(directory, NODATA, 64)
    key = (*map(directory.entries.get, ALIKE), nodata)
    if key not in known:
        made = Layout._make(
            [*(found.number(directory, tag, default) for tag, default in ALIKE.items()), nodata]
        )
        if not made.is_possible:
            raise Corrupt(
                f"a directory of it contradicts the format: {made}, in blocks of {made.block[1]} x "
                f"{made.block[0]}, predictor {made.predictor}",
                "It is damaged: fetch or save it again.",
                found.path,
            )
        # A number may be written as of two types, and where many are meant its entry says where they lie.
        known[key] = known.setdefault(made, made)
    return known[key]


def _said(found: Directories, first: Directory, layout: Layout) -> Described | None:
    text = found.text(first, _DESCRIPTION, _MOST_TEXT)
    if not text:
        return None
    from dicecli.masks.formats.geotiff._descriptions import described

    resolution = found.ratio(first, _Y_RESOLUTION), found.ratio(first, _X_RESOLUTION)
    return described(text, (layout.height, layout.width), layout.samples, resolution)


def _checked(pages: Pages, found: Directories, first: Directory, wanted: int | None) -> Pages:
    """Hold the description against what is there, and the pages against each other."""
    said, there = pages.described, len(pages)
    if said is not None and there == 1 and said.images > 1 and said.program != "OME-XML":
        run = _run(pages, found, first)
        if run is not None and wanted is None and said.is_contradictory:
            raise _contradicted(said, len(run), found.path)
        if run is not None:
            return run
        if wanted is None:
            raise _fewer(said, pages.layouts[0], found)
    if wanted is not None or there == 1:
        return pages
    _check_alike(pages.layouts, found.path)
    if said is None:
        return pages
    # OME names every channel and time in each of several files.
    is_of_several = said.program == "OME-XML" and there == said.slices
    if said.is_in_order and (said.images < 2 or is_of_several):
        pages.described = said.as_slices(there)
    elif said.is_contradictory or said.images != there:
        raise _contradicted(said, there, found.path)
    return pages


def _run(pages: Pages, found: Directories, first: Directory) -> Pages | None:
    """Return the pages for which one directory stands, where their pixels follow each other."""
    layout, said = pages.layouts[0], pages.described
    dtype = layout.dtype
    if said is None or layout.compression != 1 or layout.samples != 1 or layout.tile_width or dtype is None:
        return None
    length = -(-layout.width * layout.bits // 8) * layout.height
    starts, lengths = (found.places(first, tag, 1 << 24) for tag in (OFFSETS, LENGTHS))
    if len(starts) != len(lengths) or not len(starts) or (starts[1:] != starts[:-1] + lengths[:-1]).any():
        return None
    start = int(starts[0])
    if start <= 0 or start + said.images * length > found.size:
        return None
    if said.images > MOST_DIRECTORIES:
        raise TooLarge(
            f"one directory of it stands for {said.images:,} images", "Save it in parts.", found.path
        )
    # As one strip: it is one run of the file.
    layout = layout._replace(rows_per_strip=layout.height)
    places = [start + page * length for page in range(said.images)]
    return replace(pages, places=places, layouts=[layout] * said.images, is_run=True)


def _check_alike(layouts: Sequence[Layout], path: str) -> None:
    are_packed = any(each.is_packed for each in layouts)
    if all(each.kind == layouts[0].kind for each in layouts) and layouts[0].samples == 1 and not are_packed:
        return
    kinds: dict[tuple[int | str | None, ...], list[int]] = {}
    for number, each in enumerate(layouts, 1):
        kinds.setdefault(each.kind, []).append(number)
    shown = [f"page {_numbers(each)}: {layouts[each[0] - 1]}" for each in list(kinds.values())[:4]]
    more = f"; and {len(kinds) - 4:,} kinds more" if len(kinds) > 4 else ""
    what = "packed as YCbCr or LogLuv" if are_packed else "of several samples each"
    what = "which differ" if len(kinds) > 1 else what
    error = ManyImages(
        f"it holds {len(layouts):,} images, {what}: {'; '.join(shown)}{more}",
        f"Say which one holds the labels: --page N, from 1 to {len(layouts)}.",
        path,
    )
    error.facts = {"format": "TIFF", "pages": len(layouts)}
    raise error


def _numbers(pages: Sequence[int]) -> str:
    shown = ", ".join(str(each) for each in pages[:3])
    return shown if len(pages) <= 3 else f"{shown} and {len(pages) - 3:,} more"


def _deep(depth: int, path: str) -> ManyImages:
    said = f"one directory of it stands for {depth:,} slices (ImageDepth), which are not read"
    error = ManyImages(said, "Save it with a page for each slice, or as .nii.gz.", path)
    error.facts = {"format": "TIFF", "slices": depth}
    return error


def _fewer(said: Described, layout: Layout, found: Directories) -> Truncated:
    """Make the error for one image where the description speaks of several that are not there."""
    return Truncated(
        f"its description, of {said.program}, speaks of {said.images:,} images of {layout}; the file has one "
        f"directory, and in its {found.size:,} bytes no such images one after the other",
        "Fetch or save it again. If the description was left over from another file, and the first image is "
        "all there is: --page 1.",
        found.path,
    )


def _contradicted(said: Described, there: int, path: str) -> ManyImages:
    what = f"{said.images:,} images" if said.is_in_order else "several images, or images in another order"
    error = ManyImages(
        f"it holds {there:,} pages; its description, of {said.program}, speaks of {what}: "
        f"{said.slices:,} slices, {said.channels:,} channels, {said.times:,} times",
        f"Save one volume per file, as {SAVE_AS_VOLUME}. One page alone: --page N, from 1 to {there}.",
        path,
    )
    error.facts = {"format": "TIFF", "pages": there}
    return error


#: How to save slices so that nothing else is said of them.
SAVE_AS_VOLUME = "tifffile.imwrite(path, volume, photometric='minisblack', metadata={'axes': 'ZYX'}) does"
