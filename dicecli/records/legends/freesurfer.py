"""FreeSurfer's colour tables, as ``FreeSurferColorLUT.txt``: number, name, red, green, blue and alpha.

Source: FreeSurfer, distribution/FreeSurferColorLUT.txt. Left and right have one colour there, which stands
for none of them here.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.legends._entries import of_lines

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a FreeSurferColorLUT.txt"
_LINE = re.compile(r"(-?\d{1,19})\s+(\S.*?)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+")
_RIGHT = "2  Left-Cerebral-White-Matter  245 245 245 0"


def is_of(written: Written) -> bool:
    """Whether its first line is a label, and no header says that it is of 3D Slicer."""
    return written.begins_with(_LINE) and not written.says("# color table file")


def read(written: Written) -> LabelScheme:
    """Read it."""
    return of_lines(written, _LINE, _RIGHT)
