"""What the bands of a TIFF are: labels, colours, or an alpha band that hides pixels of the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from rasterio.io import DatasetReader

_COLOURS = ["red", "green", "blue"]


class Kinds(NamedTuple):
    """The bands of a file, from 1.

    Attributes
    ----------
    held : tuple of int
        Those that are no alpha band.
    alpha : int or None
    are_colours : bool
        Whether the file says that its bands are red, green and blue. Writers say so of any three bands, or
        four, of 8 bits: values of 0 and 1 alone are masks all the same.
    """

    held: tuple[int, ...]
    alpha: int | None
    are_colours: bool

    @property
    def named(self) -> str:
        """Return what they are, in words."""
        last = ", and alpha" if self.alpha else ""
        return f"red, green and blue{last}" if self.are_colours else f"{len(self.held)}{last}"


def kinds(dataset: DatasetReader) -> Kinds:
    """Return what the bands are, as the file says."""
    names = [each.name for each in dataset.colorinterp] if dataset.count > 1 else ["gray"]
    alpha = names.index("alpha") + 1 if "alpha" in names[1:] else None
    held = tuple(band for band in range(1, dataset.count + 1) if band != alpha)
    are_colours = len(held) == 3 and [names[band - 1] for band in held] == _COLOURS
    return Kinds(held, alpha, are_colours)
