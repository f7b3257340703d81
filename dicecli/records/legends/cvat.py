"""CVAT's ``labelmap.txt``: name, red,green,blue, parts and actions between colons, numbered by order from 0.

Source: CVAT, formats "Segmentation mask" and "PASCAL VOC", written by Datumaro.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.legends._written import colour_at

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a labelmap.txt of CVAT"
_LINE = re.compile(r"(\S.*?)\s*:(?:(\d+),(\d+),(\d+))?:[^:]*:[^:]*")
_RIGHT = "car:0,0,142::"


def is_of(written: Written) -> bool:
    """Whether its first line is a label, or its header says so."""
    return written.begins_with(_LINE) or written.says("# label:color_rgb")


def read(written: Written) -> LabelScheme:
    """Read it; a label may lack its colour."""
    return scheme_of(_entries(written), written, is_coded=True, by_order=True)


def _entries(written: Written) -> Iterator[Entry]:
    for number, (line, found) in enumerate(written.matches(_LINE, _RIGHT)):
        name, *values = found.groups()
        colour = None if values[0] is None else colour_at(written, line, values, _RIGHT)
        yield Entry(number, name, colour, line)
