"""How a file is to be read, as options and labels say: all that a format must know beyond the file itself."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicecli.records.limits import MAX_MEMORY, MAX_PIXELS, check_memory

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.records.labels import Colour


@dataclass(frozen=True)
class Reading:
    """What a format must know beyond the file itself; the fields are those of the settings.

    Attributes
    ----------
    band, page, threshold, nodata, argmax, channel_axis, background, ignore, geometry, max_pixels, max_memory
        As in :class:`~dicecli.records.settings.Settings` and its labels.
    is_background_a_label : bool
        Whether a nodata tag of the background's label is background; False where labels are declared and it
        is none of them.
    probability_axis : int or None
        The axis of an array's channels of probabilities.
    colours : mapping of (red, green, blue) to int
        Labels of a colour-coded image.
    alike : mapping of (red, green, blue) to tuple of int
        Labels that have a colour of `colours`, too, and are left out.
    is_binary : bool
        Whether channels are binary layers, so that stored values count as in a mask, not probabilities.
    sharing : int
        How many files share the memory that is allowed: those of a side that is a file for each class.
    """

    band: int | None = None
    page: int | None = None
    threshold: float | None = None
    nodata: str = "auto"
    argmax: bool = False
    channel_axis: int = -1
    probability_axis: int | None = None
    background: int | None = 0
    is_background_a_label: bool = True
    ignore: tuple[int, ...] = ()
    geometry: str = "strict"
    colours: Mapping[Colour, int] = field(default_factory=dict)
    alike: Mapping[Colour, tuple[int, ...]] = field(default_factory=dict)
    max_pixels: int = MAX_PIXELS
    max_memory: int = MAX_MEMORY
    is_binary: bool = False
    sharing: int = 1

    def check_memory(self, needed: int, what: str, path: str, *, once: int = 0) -> None:
        """Check the bytes that each of the files needs at once, and those that one of them does at a time.

        Raises
        ------
        TooLarge
        """
        if self.sharing > 1:
            what = f"{what}, and so {self.sharing} files of its side"
        check_memory(needed * self.sharing + once, self.max_memory, what, path)
