"""Labels that are stored as colours: a colour table makes labels of them, and nothing guesses."""

from __future__ import annotations

import json
import math
from collections import Counter
from typing import TYPE_CHECKING, Protocol

import numpy as np

from dicecli.errors import UnknownColour

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from dicecli.records.labels import Colour

#: What a source notes where no table is needed.
GREY = "grey stored as RGB is read as grey"
#: Colours whose shares are listed where a colour table is wanting; and so many that no table is proposed.
_LISTED, _MOST = 32, 256
#: Pixels that are looked up at a time, and colours of which no more are counted.
_PIECE, _MOST_COUNTED = 1 << 18, 1 << 16


class Table(Protocol):
    """A colour table, as label schemes and what formats know of them have it."""

    @property
    def colours(self) -> Mapping[Colour, int]:
        """The label of each colour."""

    @property
    def alike(self) -> Mapping[Colour, tuple[int, ...]]:
        """The other labels of a colour, which are left out."""

    @property
    def ignore(self) -> tuple[int, ...]:
        """Labels that are left out."""


def said_of_table(scheme: Table) -> str:
    """Return what a source notes where a colour table was used; of labels with one colour, which it is."""
    said = [
        f"{hexed(int(packed(np.array(colour, np.uint8))))} as {scheme.colours[colour]}, not as "
        f"{', '.join(map(str, labels))}"
        for colour, labels in scheme.alike.items()
        if scheme.colours[colour] not in scheme.ignore
    ]
    rest = f"; where labels share one, {'; '.join(said)}" if said else ""
    return f"colours are read as labels by the colour table{rest}"


def by_table(
    array: np.ndarray, table: Mapping[Colour, int], path: str, dtype: np.dtype | None = None
) -> np.ndarray:
    """Replace every colour by its label; beside the labels little memory is taken.

    Parameters
    ----------
    array : numpy.ndarray
        uint8, the last axis has red, green and blue.
    table : mapping of (red, green, blue) to int
        Not empty.
    path : str
    dtype : numpy.dtype, optional
        One that holds every label; int64 by default.

    Returns
    -------
    numpy.ndarray
        Of that type, and of the shape without the last axis.

    Raises
    ------
    UnknownColour
        With the colour, its share of the pixels, and the nearest colour of the table.
    """
    keys = np.array([(r << 16) | (g << 8) | b for r, g, b in table], np.uint32)
    labels = np.array(list(table.values()), np.int64).astype(dtype or np.int64)
    order = np.argsort(keys)
    keys, labels = keys[order], labels[order]
    found = np.empty(array.shape[:-1], labels.dtype)
    for part in pieces(array.shape):
        colours = packed(array[part])
        place = np.minimum(np.searchsorted(keys, colours), keys.size - 1)
        if (keys[place] != colours).any():
            every, times = counted(packed(array[each]) for each in pieces(array.shape))
            is_strange = ~np.isin(every, keys)
            raise unknown_colour(every[is_strange], times[is_strange], int(times.sum()), table, path)
        found[part] = labels[place]
    return found


def label_type(table: Mapping[Colour, int]) -> np.dtype:
    """Return the smallest type that holds every label of a colour table."""
    low, high = min(table.values()), max(table.values())
    types = (np.dtype(each) for each in ("uint8", "uint16", "int32"))
    fitting = (each for each in types if np.iinfo(each).min <= low and high <= np.iinfo(each).max)
    return next(fitting, np.dtype(np.int64))


def pieces(shape: tuple[int, ...]) -> Iterator[slice]:
    """Yield runs along the first axis, each of about a quarter of a million pixels, or one place of it."""
    step = max(1, _PIECE // max(1, math.prod(shape[1:-1])))
    for start in range(0, shape[0], step):
        yield slice(start, start + step)


def counted(blocks: Iterable[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """Count colours, in ascending order; those that come after the first 65,536 are not looked for.

    Parameters
    ----------
    blocks : iterable of numpy.ndarray
        As :func:`packed` gives them.

    Returns
    -------
    numpy.ndarray
        uint32, each colour once.
    numpy.ndarray
        int64, the pixels of each.
    """
    found: Counter[int] = Counter()
    for block in blocks:
        colours, times = np.unique(block, return_counts=True)
        found.update(dict(zip(colours.tolist(), times.tolist(), strict=True)))
        if len(found) > _MOST_COUNTED:
            break
    pairs = sorted(found.items())
    return np.array([each for each, _ in pairs], np.uint32), np.array([n for _, n in pairs], np.int64)


def grey_of(array: np.ndarray) -> np.ndarray | None:
    """Return the grey values of colours all of which are grey, without the last axis; else None."""
    grey: np.ndarray = array[..., 0]
    is_grey = np.array_equal(grey, array[..., 1]) and np.array_equal(grey, array[..., 2])
    return grey if is_grey else None


def no_table(
    colours: np.ndarray, times: np.ndarray, path: str | None = None, numbers: Sequence[int] | None = None
) -> UnknownColour:
    """Make the error for colours without a colour table, with a table of them that can be taken as it is.

    Parameters
    ----------
    colours, times : numpy.ndarray
        Each colour, as :func:`packed` gives it, in ascending order; and how many pixels have it.
    path : str, optional
    numbers : sequence of int, optional
        The label to propose for each. By default black is 0, and the others count from 1, commonest first.
    """
    most = np.argsort(-times, kind="stable")
    listed = [f"{hexed(int(colours[each]))} {times[each] / times.sum():.2%}" for each in most[:_LISTED]]
    shares = ", ".join(listed) + (" ..." if colours.size > _LISTED else "")
    if numbers is None:
        others = [int(colours[each]) for each in most if colours[each]]
        numbers = [others.index(int(each)) + 1 if each else 0 for each in colours]
    error = UnknownColour(
        f"it is coded by {colours.size:,} colours, and no colour table is given: {shares}",
        _proposed(colours, numbers),
        path,
    )
    error.facts = {"colours": shares}
    return error


def _proposed(colours: np.ndarray, numbers: Sequence[int]) -> str:
    """Return a hint with a file of labels for some colours."""
    if colours.size > _MOST:
        return (
            "So many are an image, not labels: give the mask. If they are labels, give a colour table: "
            '--labels FILE with {"labels": {"1": "road"}, "colours": {"1": "#804080"}}.'
        )
    table = {str(number): hexed(int(colour)) for number, colour in sorted(zip(numbers, colours, strict=True))}
    content = json.dumps({"labels": table, "colours": table})
    return (
        "Give one: --labels FILE, where FILE holds these colours, under the numbers and names that you want "
        f"(where the other mask has numbers, under those): {content}"
    )


def packed(array: np.ndarray) -> np.ndarray:
    """Return each colour as one number, uint32: red, green and blue from the top, of the last axis."""
    found: np.ndarray = array[..., 0].astype(np.uint32)
    for channel in (1, 2):
        found <<= 8
        found |= array[..., channel]
    return found


def hexed(colour: int) -> str:
    """Return a colour as it is written in files: #804080."""
    return f"#{colour:06x}"


def unknown_colour(
    colours: np.ndarray, times: np.ndarray, total: int, table: Mapping[Colour, int], path: str | None = None
) -> UnknownColour:
    """Make the error for colours that a colour table lacks.

    Parameters
    ----------
    colours, times : numpy.ndarray
        Each of them, as :func:`packed` gives it; and how many pixels have it.
    total : int
        The pixels of the mask.
    table : mapping of (red, green, blue) to int
    path : str, optional
    """
    most = int(colours[np.argmax(times)])
    rgb = (most >> 16, (most >> 8) & 255, most & 255)
    nearest = min(table, key=lambda known: sum((a - b) ** 2 for a, b in zip(known, rgb, strict=True)))
    others = f", and {colours.size - 1:,} more colours" if colours.size > 1 else ""
    return UnknownColour(
        f"the colour {hexed(most)} {rgb} of {times.max() / total:.2%} of the pixels is not in the colour "
        f"table{others}; the nearest is {nearest}, label {table[nearest]}",
        "Add the colour to the table. Colours near a known one come from JPEG or from interpolation: "
        "save the mask losslessly.",
        path,
    )
