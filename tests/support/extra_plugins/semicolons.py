"""Numbers and names between semicolons, as a legend."""

from __future__ import annotations

from typing import Any

from dicecli import LabelScheme

CALLED = "numbers and names between semicolons"


def is_of(written: Any) -> bool:
    """Whether its first line is a number and a name."""
    return written.text.partition(";")[0].strip().isdigit()


def read(written: Any) -> LabelScheme:
    """Read it."""
    pairs = (line.split(";") for _, line in written.lines)
    return LabelScheme({int(number): name for number, name in pairs}, source=written.source)
