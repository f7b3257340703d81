"""Which configuration file is obeyed: the one that is named, or the nearest of this folder's own.

A file may lower a gate, leave out labels and name outputs, so that none is obeyed which a stranger can have
put there: not one above the repository, or the home folder, and not one of another user.
"""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli.cli.configuration import OWN, SHARED, has_table
from dicecli.errors import ConfigError
from dicecli.records.alike import did_you_mean_file
from dicecli.reports.writing import strange_link

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

#: What the root of a repository has: a folder, or a file, as in a worktree.
_ROOTS = (".git", ".hg", ".svn")
#: Of a file that is not obeyed so much is looked at: whether it is meant for this program, and has gates.
_LOOKED_AT = 1 << 20
_GATES = (b"fail-under", b"fail-over", b"max-drop", b"baseline")


@dataclass(frozen=True)
class PassedBy:
    """A configuration file that is there, and not obeyed.

    Attributes
    ----------
    path : Path
    why : str
    is_near : bool
        Whether it would have been obeyed but for its owner, so that every run and every output says so.
    is_own : bool
        Whether it is of this user.
    has_gates : bool
        Whether the name of a gate, or of a baseline, is among its first bytes: it is not parsed.
    """

    path: Path
    why: str
    is_near: bool
    is_own: bool = False
    has_gates: bool = False


@dataclass(frozen=True)
class Search:
    """What a search came to: the file that is obeyed, if there is one, and others that are not."""

    path: Path | None = None
    passed: tuple[PassedBy, ...] = ()


def search(named: str | None = None) -> Search:
    """Return the configuration file that is named, whoever owns it; else what the current folder has.

    Raises
    ------
    ConfigError
        There is no such file; or two are in one folder, or one cannot be read.
    """
    if named is None:
        with suppress(OSError):  # the current folder may have been removed
            return find(Path.cwd())
        return Search()
    path = Path(os.path.abspath(named))  # noqa: PTH100 - links stay: what is named is shown
    if not _is_file(path):
        meant = did_you_mean_file(named)
        raise ConfigError("there is no such file of options", f"{meant}Name one: --config FILE.", named)
    return Search(path)


def find(start: Path) -> Search:
    """Return the nearest configuration file in a folder or above it.

    It is looked for up to the root of the repository, or up to the home folder, whichever comes first; where
    the folder lies in neither, there alone. On systems with owners, files of other users are passed by.

    Raises
    ------
    ConfigError
        Two in one folder, or a file that cannot be read.
    """
    start = start.resolve()
    folders = [start, *start.parents]
    number, passed = _within(folders), list[PassedBy]()
    for folder in folders[:number]:
        here = [path for path in (folder / OWN, folder / SHARED) if _is_file(path)]
        strange = [path for path in here if _is_of_another(path)]
        passed += _passed(strange, "it belongs to another user", is_near=True)
        own = [path for path in here if path not in strange and has_table(path)]
        if len(own) > 1:
            raise ConfigError(
                f"both {OWN} and [tool.dicecli] of {SHARED} are there", "Keep one of them.", str(folder)
            )
        if own:
            return Search(own[0], tuple(passed))
    above = (folder / name for folder in folders[number:] for name in (OWN, SHARED))
    passed += _passed(filter(_is_file, above), "it is above what is searched", is_near=False)
    return Search(None, tuple(passed))


def _within(folders: list[Path]) -> int:
    """Return how many of a folder and those above it are searched."""
    home = Path(os.path.realpath(os.path.expanduser("~")))  # noqa: PTH111 - without a home it is no error
    for at, folder in enumerate(folders):
        is_home = folder == home and folder.parent != folder  # all the machine is nobody's home
        if is_home or any(os.path.lexists(folder / each) for each in _ROOTS):
            return at + 1
    return 1


def _is_file(path: Path) -> bool:
    with suppress(OSError, ValueError):
        return path.is_file()
    return False


def _is_of_another(path: Path) -> bool:
    """Whether a file, or a link on the way to it, belongs to another user; of systems without, never."""
    if os.name != "posix":
        return False
    with suppress(OSError):
        if any(each.st_uid != os.geteuid() for each in (path.lstat(), path.stat())):
            return True
        return path.is_symlink() and strange_link(path) is not None
    return True


def _passed(paths: Iterable[Path], why: str, *, is_near: bool) -> Iterator[PassedBy]:
    """Yield the files of those not obeyed that are for this program, as far as their first bytes show."""
    for path in paths:
        found = b""
        with suppress(OSError), path.open("rb") as file:
            found = file.read(_LOOKED_AT)
        is_shared = path.name == SHARED
        _, mark, rest = found.partition(b"tool.dicecli")
        if is_shared and not mark:
            continue
        has_gates = any(each in (rest if is_shared else found).replace(b"_", b"-") for each in _GATES)
        yield PassedBy(path, why, is_near, not _is_of_another(path), has_gates)
