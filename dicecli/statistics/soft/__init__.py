"""Sums over a map of probabilities, from which every soft score comes.

What it reads is known at once; all else is loaded where it is asked for, so that runs on masks, which look at
what each statistic reads, pay nothing for it.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

READS = "probabilities"


def __getattr__(name: str) -> Any:
    """Take what a statistic has from the module that has all of it."""
    if name.startswith("__"):
        raise AttributeError(name)
    return getattr(import_module("dicecli.statistics.soft.whole"), name)
