"""ITK-SNAP's label descriptions: number, red, green, blue, alpha, two flags, and the name in quotes.

Source: the header that ITK-SNAP writes into them.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.legends._entries import Entry, scheme_of
from dicecli.records.legends._written import colour_at

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a label description file of ITK-SNAP"
_LINE = re.compile(r'(\d{1,19})\s+(\d+)\s+(\d+)\s+(\d+)\s+[\d.eE+-]+\s+[01]\s+[01]\s+"\s*(\S|\S.*\S)\s*"')
_RIGHT = '1  255 0 0  1  1 1  "Hippocampus"'


def is_of(written: Written) -> bool:
    """Whether its first line is a label."""
    return written.begins_with(_LINE)


def read(written: Written) -> LabelScheme:
    """Read it."""
    found = written.matches(_LINE, _RIGHT)
    entries = (
        Entry(int(each[1]), each[5], colour_at(written, line, each.groups()[1:4], _RIGHT), line)
        for line, each in found
    )
    return scheme_of(entries, written)
