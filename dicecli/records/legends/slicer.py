"""3D Slicer's text colour tables, ``.ctbl`` or ``.txt``: number, name, red, green, blue and alpha.

Source: 3D Slicer, developer guide, Colors; vtkMRMLColorTableStorageNode. It begins with
``# Color table file``; a name has no spaces, and may stand in single quotes.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from dicecli.records.legends._entries import of_lines

if TYPE_CHECKING:
    from dicecli.records.labels import LabelScheme
    from dicecli.records.legends._written import Written

CALLED = "a .ctbl of 3D Slicer"
_LINE = re.compile(r"(\d{1,19})\s+'?([^\s']+)'?\s+([\d.]+)\s+([\d.]+)\s+([\d.]+)(?:\s+[\d.]+)?")
_RIGHT = "2 bone 241 214 145 255"


def is_of(written: Written) -> bool:
    """Whether its header says so."""
    return written.says("# color table file")


def read(written: Written) -> LabelScheme:
    """Read it."""
    return of_lines(written, _LINE, _RIGHT)
