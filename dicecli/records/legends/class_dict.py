"""``class_dict.csv``, as it goes with colour-coded masks: name, r, g and b, numbered in their order from 0.

Source: the tables of CamVid and DeepGlobe as they are shared.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.legends._written import colour_at, wrong_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a class_dict.csv"
_RIGHT = "road,128,64,128"


def is_of(written: Written) -> bool:
    """Whether its first line has the four columns, and no other."""
    return written.columns(",") == ["name", "r", "g", "b"]


def read(written: Written) -> LabelScheme:
    """Read it."""
    return scheme_of(_entries(written), written, is_coded=True, by_order=True)


def _entries(written: Written) -> Iterator[Entry]:
    for number, (line, row) in enumerate(written.rows(",", _RIGHT)):
        if not row["name"]:
            raise wrong_line(written, line, "it has no name", _RIGHT)
        colour = colour_at(written, line, [row[each] for each in "rgb"], _RIGHT)
        yield Entry(number, row["name"], colour, line)
