"""The five plugin folders: what is in them, and how one is loaded.

A plugin is a public module or package of its folder, named with the user's word. The listing costs no import.
A name that is not in the folder is looked up among the entry points of the group ``dicecli.<folder>``.
"""

from __future__ import annotations

import difflib
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.errors import UnknownName

if TYPE_CHECKING:
    from types import ModuleType

#: Where each kind of plugin lives.
FOLDERS = {
    "formats": "masks.formats",
    "metrics": "metrics",
    "backends": "statistics.backends",
    "executors": "runs.executors",
    "exporters": "reports.exporters",
}


@cache
def names(folder: str) -> tuple[str, ...]:
    """List a plugin folder, in alphabetical order, without importing anything of it."""
    here = Path(__file__).parent.joinpath(*FOLDERS[folder].split("."))
    packages = (path.parent.name for path in here.glob("*/__init__.py"))
    found = (*(path.stem for path in here.glob("*.py")), *packages)
    return tuple(sorted(name for name in found if not name.startswith("_")))


def load(folder: str, name: str) -> ModuleType:
    """Import the plugin `name` of `folder`; entry points are asked where the folder has none of that name.

    Raises
    ------
    UnknownName
        Neither the folder nor an installed package has it. The message lists the known names.
    """
    if name in names(folder):
        return import_module(f"dicecli.{FOLDERS[folder]}.{name}")
    from importlib.metadata import entry_points

    for entry in entry_points(group=f"dicecli.{folder}", name=name):
        plugin: ModuleType = entry.load()
        return plugin
    raise unknown(folder.removesuffix("s"), name, names(folder))


@cache
def cpu_backend() -> str:
    """Return the name of the backend that counts on the processor: the C extension's where that was built."""
    return "native" if load("backends", "native").is_available() else "numpy"


def unknown(kind: str, name: str, known: tuple[str, ...], aliases: tuple[str, ...] = ()) -> UnknownName:
    """Make the error for a name that does not exist: the nearest names, and the known ones."""
    near = difflib.get_close_matches(name.lower(), (*known, *aliases), n=3)
    hint = f"Did you mean {' or '.join(near)}? " if near else ""
    return UnknownName(f"there is no {kind} '{name}'", f"{hint}Known: {', '.join(known)}.")
