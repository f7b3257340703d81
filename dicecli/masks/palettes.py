"""Palettes: numbers that are painted in colours. Which of both are the labels, and do two palettes agree.

Numbers are labels. Where colours say something else nobody knows what was meant, and the user decides.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.errors import AmbiguousPalette, NotLabels
from dicecli.masks.colours import hexed, no_table, packed, said_of_table, unknown_colour
from dicecli.masks.encoding import meaning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.records.labels import LabelScheme
    from dicecli.records.settings import Settings

#: The colour of each number, from 0, as :func:`dicecli.masks.colours.packed` gives it.
Palette = tuple[int, ...]

_INDEX = "If the numbers are the labels, whatever their colours: --read-as index."
_COLOUR = (
    "If the colours are: --read-as colour, with a colour table (--labels FILE); without one, the error shows "
    "the colours as such a file has them."
)
_BLACK, _WHITE = 0x000000, 0xFFFFFF
#: Two greys are a binary mask; more are grey values, or numbers.
_GREYS = 3


class Painted(NamedTuple):
    """What a side has of colours.

    Attributes
    ----------
    palette : tuple of int or None
    meant : mapping of int to int
        Every stored label of the mask, with the label that it means.
    """

    palette: Palette | None
    meant: Mapping[int, int]

    def colours(self) -> dict[int, set[int]]:
        """Return the colours in which each label is painted that the mask holds."""
        found: dict[int, set[int]] = {}
        if self.palette is None:
            # What is shown black and white, and stored as 0 and 255.
            return {0: {_BLACK}, 1: {_WHITE}} if self.meant.get(255) == 1 else {}
        for number, label in self.meant.items():
            if 0 <= number < len(self.palette):
                found.setdefault(label, set()).add(self.palette[number])
        return found

    def paints(self, label: int, colour: int) -> bool:
        """Whether a label has a colour, or would have it if the mask held it."""
        if self.palette is not None and label not in self.meant.values() and 0 <= label < len(self.palette):
            return self.palette[label] == colour
        return colour in self.colours().get(label, ())


@lru_cache(maxsize=64)
def palette_of(colours: bytes) -> Palette:
    """Return a palette of its colours: red, green and blue of each number, one after the other."""
    return tuple(packed(np.frombuffer(colours, np.uint8).reshape(-1, 3)).tolist())


def meant_values(
    palette: Palette | None, sizes: Mapping[int, int], settings: Settings, *, is_mapped: bool = False
) -> tuple[dict[int, int], list[str]]:
    """Decide which stored labels mean other ones, by the colours of a palette or by their values; and notes.

    Parameters
    ----------
    palette : tuple of int or None
    sizes : mapping of int to int
        Pixels by stored label, without nodata.
    settings : Settings
    is_mapped : bool
        Whether the user says what each number is: then neither colours nor other numbers speak against it.

    Raises
    ------
    NotLabels
        As :func:`dicecli.masks.encoding.meaning`, and :func:`by_colour`.
    UnknownColour
        Colours, where these are read, that no colour table has.
    AmbiguousPalette
        Colours that say other labels than the numbers.
    """
    if palette is not None and settings.read_as == "colour":
        return by_colour(palette, sizes, settings)
    if is_mapped and settings.threshold is None:
        return {}, []
    if palette is not None and settings.read_as == "auto":
        # Behind a threshold it is not known any more which numbers there were.
        used = sizes if settings.threshold is None else dict.fromkeys(range(len(palette)), 1)
        check_palette(palette, used, settings.labels)
    return meaning(sizes, settings)


def by_colour(
    palette: Palette, sizes: Mapping[int, int], settings: Settings
) -> tuple[dict[int, int], list[str]]:
    """Return the label of each number by its colour, and a note.

    Parameters
    ----------
    palette : tuple of int
    sizes : mapping of int to int
        Pixels by number, without nodata.
    settings : Settings

    Raises
    ------
    UnknownColour
        There is no colour table, or it lacks a colour. Without a table, all colours of the mask are shown.
    NotLabels
        A number without colour; a threshold, which is of numbers.
    """
    if settings.threshold is not None:
        raise NotLabels(
            "a threshold is of numbers, and its colours are to be read",
            "Leave out --threshold; or take the numbers of its palette: --read-as index.",
        )
    top = max(sizes, default=0)
    if top >= len(palette):
        raise NotLabels(
            f"label {top} lies outside its palette of {len(palette)} colours, and has none to be read by",
            "Read the numbers instead: --read-as index.",
        )
    found = {number: palette[number] for number in sizes}
    times: dict[int, int] = {}
    for number, colour in found.items():
        times[colour] = times.get(colour, 0) + sizes[number]
    table = {(r << 16) | (g << 8) | b: label for (r, g, b), label in settings.labels.colours.items()}
    wanting = sorted(times if not table else times.keys() - table)
    if wanting:
        numbers = {colour: number for number, colour in sorted(found.items(), reverse=True)}
        colours, shares = np.array(wanting), np.array([times[each] for each in wanting])
        if table:
            raise unknown_colour(colours, shares, sum(sizes.values()), settings.labels.colours)
        raise no_table(colours, shares, numbers=[numbers[each] for each in wanting])
    return {number: table[colour] for number, colour in found.items()}, [
        f"of its palette, {said_of_table(settings.labels)}"
    ]


def check_palette(palette: Palette, sizes: Mapping[int, int], scheme: LabelScheme) -> None:
    """Refuse a palette whose colours say other labels than its numbers.

    Parameters
    ----------
    palette : tuple of int
    sizes : mapping of int to int
        Pixels by number, without nodata.
    scheme : LabelScheme

    Raises
    ------
    AmbiguousPalette
        A colour is declared as another label's; or the palette is of three greys or more that are not the
        numbers.
    """
    used = {number: palette[number] for number in sorted(sizes) if 0 <= number < len(palette)}
    for number, colour in used.items():
        rgb = (colour >> 16, (colour >> 8) & 255, colour & 255)
        label = scheme.colours.get(rgb, number)
        if number not in {label, *scheme.alike.get(rgb, ())}:
            raise AmbiguousPalette(
                f"its palette paints label {number} in {hexed(colour)}, which is the colour of label {label} "
                f"in {scheme.source}",
                f"{_INDEX} If the colours are, as declared: --read-as colour.",
            )
    strange = next((number for number, colour in used.items() if colour != _grey(number)), None)
    if strange is not None and _are_greys(palette, used):
        raise AmbiguousPalette(
            f"its palette has greys alone, and they are not its numbers: {strange} is painted "
            f"{hexed(used[strange])}",
            f"{_INDEX} {_COLOUR}",
        )


def check_pair(reference: Painted, prediction: Painted) -> None:
    """Refuse two masks that paint different labels in one colour, in pixels that they hold.

    Two palettes of which no colour is the same are two schemes: their numbers are the labels.

    Raises
    ------
    AmbiguousPalette
    """
    if reference.palette is None and prediction.palette is None:
        return
    if reference.palette == prediction.palette:
        return
    first, second = reference.colours(), prediction.colours()
    for label, colours in sorted(first.items()):
        for other, others in sorted(second.items()):
            for colour in sorted(colours & others if label != other else ()):
                if not reference.paints(other, colour) and not prediction.paints(label, colour):
                    raise AmbiguousPalette(
                        f"the colour {hexed(colour)} is label {label} in the reference, and label {other} in "
                        "the prediction",
                        f"{_INDEX} {_COLOUR}",
                    )


def _are_greys(palette: Palette, used: Mapping[int, int]) -> bool:
    """Tell grey values from colours: three greys or more are used, or are all that the palette has.

    Grey ramps that fill up a palette are none of its own, as long as they are not used.
    """
    if not all(_is_grey(each) for each in used.values()):
        return False
    own = {colour for number, colour in enumerate(palette) if number in used or colour != _grey(number)}
    return len(set(used.values())) >= _GREYS or (len(own) >= _GREYS and all(_is_grey(each) for each in own))


def _grey(number: int) -> int:
    return number * 0x010101


def _is_grey(colour: int) -> bool:
    return colour == _grey(colour & 255)
