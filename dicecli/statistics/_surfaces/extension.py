"""The C extension of surfaces, where it was built."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import ModuleType


@cache
def native() -> ModuleType | None:
    """Return the extension, or None where it was not built and NumPy does the same."""
    try:
        return import_module("dicecli.statistics._surfaces._native")
    except ImportError:
        return None
