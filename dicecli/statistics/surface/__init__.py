"""Where the surfaces of labels lie: distances between them, bands inside of them, and contours of images.

What each of them is, and which tool prints the same number, is written in ``docs/boundary.md``.

What it reads is known at once; all else is loaded where it is asked for, so that runs without surfaces, which
look at what each statistic reads, pay nothing for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

READS = "labels"


def __getattr__(name: str) -> Any:
    """Take what a statistic has from the module that has all of it."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(import_module("dicecli.statistics.surface.whole"), name)
