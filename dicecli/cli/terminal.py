"""How wide the terminal is, and whether it has colours: what the environment says goes first."""

from __future__ import annotations

import os
import shutil
import sys

#: Where standard output is no terminal, and nothing says how wide it is.
_WIDTH = 100
#: Longer lines of prose are hard to read.
_PROSE = 80


def width() -> int:
    """Return how many columns standard output has: what COLUMNS says, else the terminal's, else 100."""
    said = os.environ.get("COLUMNS", "")
    if said.isascii() and said.isdigit() and int(said):
        return int(said)
    if not sys.stdout.isatty():
        return _WIDTH
    return shutil.get_terminal_size((_WIDTH, 24)).columns


def prose() -> int:
    """Return how wide prose is: 80 columns, or less where the terminal has less."""
    return max(min(width(), _PROSE), 40)


def wish() -> bool | None:
    """Return whether the environment wants colours, by NO_COLOR, FORCE_COLOR or TERM; None: it is silent.

    See https://no-color.org and https://force-color.org: what counts is that they are set and not empty.
    """
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return False if os.environ.get("TERM") == "dumb" else None


def has_colour() -> bool:
    """Tell whether standard output gets colours: as the environment wishes, else where it is a terminal."""
    wanted = wish()
    return sys.stdout.isatty() if wanted is None else wanted
