"""What a process that starts afresh runs first: its own path, then one function of this very package.

It is run by its path, by :mod:`dicecli.runs.executors._fresh`, and loads nothing of this package before it
knows where that lies.
"""

from __future__ import annotations

import json
import os
import sys
from importlib import import_module
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from multiprocessing.connection import Connection


def begin(handle: int) -> None:
    """Be what the parent says over the pipe: in its folder, with its modules, but for those of the folder."""
    pipe = _pipe(handle)
    told = json.loads(pipe.recv_bytes())
    stays = os.getcwd()  # noqa: PTH109 - as it is gone back to
    if told["folder"] is not None:
        os.chdir(told["folder"])  # names such as /proc/self/cwd lead where they led the parent
    sys.path[:] = path_of(told["path"], sys.path, told["folder"])
    if not told["goes_along"]:
        os.chdir(stays)
    _load(told["root"])
    getattr(import_module(told["module"]), told["function"])(pipe)


def path_of(theirs: Sequence[str], own: Sequence[str], folder: str | None) -> list[str]:
    """Return where modules are looked for: where the parent does, but in no folder for being the current one.

    Parameters
    ----------
    theirs : sequence of str
        The parent's ``sys.path``. What is relative in it leads to wherever the parent is.
    own : sequence of str
        What this process has found by itself, in another folder: the current one is in it only where somebody
        has named it, as an installed package or ``PYTHONPATH`` does.
    folder : str, optional
        The parent's current folder; None where that is gone.
    """
    return [each for each in theirs if each in own or _is_elsewhere(each, folder)]


def _is_elsewhere(path: str, folder: str | None) -> bool:
    """Whether a path is whole, and leads to no such folder; names that cannot be looked up are compared."""
    if not Path(path).is_absolute():
        return False
    if folder is None:
        return True
    try:
        return not Path(path).samefile(folder)
    except (OSError, ValueError):
        return os.path.normcase(path) != os.path.normcase(folder)


def _load(root: str) -> None:
    """Load the parent's own dicecli, whichever comes first on the path."""
    spec = PathFinder.find_spec("dicecli", [root])
    if spec is None or spec.loader is None:
        raise ModuleNotFoundError(f"dicecli is no more in {root}", name="dicecli")
    package = module_from_spec(spec)
    sys.modules["dicecli"] = package
    spec.loader.exec_module(package)


def _pipe(handle: int) -> Connection:
    if sys.platform == "win32":
        from multiprocessing.connection import PipeConnection

        return PipeConnection(handle)
    from multiprocessing.connection import Connection

    return Connection(handle)


if __name__ == "__main__":
    begin(int(sys.argv[1]))
