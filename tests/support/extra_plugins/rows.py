"""Masks as text: a line of digits per row of pixels."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import Corrupt
from dicecli.masks import files
from dicecli.masks.views import ArraySource

if TYPE_CHECKING:
    from dicecli.masks.sources import MaskSource, Reading

SUFFIXES = (".rows",)


def open_mask(path: str, reading: Reading) -> MaskSource:
    """Read a mask of digits; small, so at once."""
    files.check_regular(path)
    lines = Path(path).read_text(encoding="ascii", errors="replace").split()
    if len({len(line) for line in lines}) != 1 or not "".join(lines).isdigit():
        raise Corrupt("its lines are no rows of digits of one length", "Write the mask again.", path)
    source = ArraySource([[int(digit) for digit in line] for line in lines], path, reading=reading)
    source.facts["format"] = "digits"
    return source
