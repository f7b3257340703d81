"""Every page of a TIFF as one volume, one of them as a mask, or its channels.

What a file of one page does not need is imported where it is used: most files have one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import ManyImages, ManyVolumes
from dicecli.masks import files
from dicecli.masks.formats.geotiff import masks
from dicecli.masks.formats.geotiff._pages import SAVE_AS_VOLUME, Pages, pages_of
from dicecli.records.limits import check_pixels

if TYPE_CHECKING:
    from dicecli.masks.formats.geotiff._descriptions import Described
    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Open a TIFF mask: its one page, the one that was chosen, or all of them as a volume.

    Raises
    ------
    FileError
        Whatever is wrong with it.
    ManyImages
        Pages that are no volume, and none was chosen.
    ManyVolumes
        They are channels; or the page has several bands.
    LossyCompression, NotLabels
    """
    files.check_regular(path)
    pages = pages_of(path, reading.page)
    if pages is None or (len(pages) == 1 and not pages.is_run):
        return _one_page(path, reading, pages)
    if reading.page is not None:
        return _chosen(path, reading, pages)
    said = pages.described
    if said is not None and said.times == 1 and said.channels > 1:
        raise _channels(said, pages, path)
    _check_times(said, len(pages), path)
    from dicecli.masks.formats.geotiff._page_mask import PageMask

    return PageMask(path, pages, reading, list(range(len(pages))), is_flat=False)


def open_probabilities(path: str, reading: Reading, shape: tuple[int, ...]) -> list[MaskSource]:
    """Open a TIFF of probabilities: the bands of its page; or pages as channels, or as one volume.

    Pages are channels where the file says so, or where the reference has two axes; else they are slices of a
    volume with the probability of one class.

    Raises
    ------
    FileError, ManyImages, LossyCompression, NotLabels
    """
    from dicecli.masks.formats.geotiff import bands
    from dicecli.masks.formats.geotiff._blocks import PageBlocks
    from dicecli.masks.formats.geotiff._page_mask import PageMask, size_of

    files.check_regular(path)
    pages = pages_of(path, reading.page)
    if pages is None or (len(pages) == 1 and not pages.is_run):
        directory = None if pages is None else _directory(pages, 1, reading, path)
        return bands.open_probabilities(path, reading, shape, directory)
    if reading.page is not None:
        _check_page(reading.page, len(pages), path)
        if not pages.is_run:
            return bands.open_probabilities(
                path, reading, shape, _directory(pages, reading.page, reading, path)
            )
        return [PageMask(path, pages, reading, [reading.page - 1], is_flat=True)]
    said = pages.described
    _check_times(said, len(pages), path)
    if said is not None and said.channels > 1:
        groups = [said.of_channel(each) for each in range(said.channels)]
    elif len(shape) == 2:
        groups = [[page] for page in range(len(pages))]
    else:
        groups = [list(range(len(pages)))]
    is_flat = max(map(len, groups)) == 1
    check_pixels((*size_of(pages), len(pages)), reading.max_pixels, path)
    blocks = PageBlocks(path, pages, reading)
    return [PageMask(path, pages, reading, each, is_flat=is_flat, blocks=blocks) for each in groups]


def _one_page(path: str, reading: Reading, pages: Pages | None) -> MaskSource:
    """Open the one page of a file; what stands before it may be a thumbnail."""
    directory = None if pages is None else _directory(pages, 1, reading, path)
    source = masks.open_mask(path, reading, directory)
    if pages is not None and reading.page not in {None, 1}:
        source.notes.append(f"it has one page, which is read; --page {reading.page} is for the other file")
    return source


def _chosen(path: str, reading: Reading, pages: Pages) -> MaskSource:
    """Open one of several pages."""
    number = reading.page or 1
    _check_page(number, len(pages), path)
    if pages.is_run:
        from dicecli.masks.formats.geotiff._page_mask import PageMask

        source: MaskSource = PageMask(path, pages, reading, [number - 1], is_flat=True)
    else:
        source = masks.open_mask(path, reading, _directory(pages, number, reading, path))
    source.facts["page"] = number
    source.notes.append(f"page {number} alone is read")
    return source


def _directory(pages: Pages, number: int, reading: Reading, path: str) -> int | None:
    """Return where the directory of a page lies; None for the file's first one, whose masks GDAL finds."""
    at = pages.places[number - 1]
    if at == pages.first:
        return None
    from dicecli.masks.formats.geotiff._page_mask import check_masks

    check_masks(pages, reading, path)
    return at


def _check_page(number: int, there: int, path: str) -> None:
    if number > there:
        raise ManyImages(f"it has no page {number}: it has {there}", f"Give --page from 1 to {there}.", path)


def _check_times(said: Described | None, there: int, path: str) -> None:
    """Refuse pages that are several volumes."""
    if said is None or said.times == 1:
        return
    what = f"{said.times:,} times"
    if said.slices > 1 or said.channels > 1:
        what += f" of {said.slices:,} slices in {said.channels:,} channels"
    error = ManyImages(
        f"its {there:,} pages are {what}, as its description ({said.program}) says: no volume",
        "Save each time as a file, and score the folder: dicecli batch. Where they are slices, say so when "
        f"you save them, as {SAVE_AS_VOLUME}. One page alone: --page N, from 1 to {there}.",
        path,
    )
    error.facts = {"format": "TIFF", "pages": there}
    raise error


def _channels(said: Described, pages: Pages, path: str) -> ManyVolumes:
    """Make the error for channels; where they are binary, each is a layer all the same."""
    error = ManyVolumes(
        f"its {len(pages):,} pages are {said.channels:,} channels, as its description ({said.program}) says",
        "If each is the probability of a class: dicecli soft. Where they are slices of a volume, say so when "
        f"you save them, as {SAVE_AS_VOLUME}. One page alone: --page N, from 1 to {len(pages)}.",
        path,
    )
    error.facts = {"format": "TIFF", "pages": len(pages), "channels": said.channels}
    error.number = said.channels
    return error
