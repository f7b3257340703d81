"""What a folder of masks holds: every mask by the name of its case, and what is left out."""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple, Self

from dicecli.masks import files, unread
from dicecli.plugins import suffixes
from dicecli.records.alike import did_you_mean_file
from dicecli.runs.laying import CASE
from dicecli.runs.naming import Side, give_names, listed, named_by
from dicecli.words import counted


class Listed(NamedTuple):
    """A folder that a run lists, and which of its files are masks of the run.

    Attributes
    ----------
    side, folder : str
    pattern : str or None
    reads : str
        The function of a format by which such a file is opened.
    has_below : bool
        Whether masks lie in folders below as well.
    """

    side: str
    folder: str
    pattern: str | None
    reads: str
    has_below: bool = True

    @classmethod
    def of(cls, side: Side, *, has_below: bool = True) -> Self:
        """Return which files of a side's folder are masks."""
        return cls(side.side, side.folder, side.pattern, side.reads, has_below)

    def takes(self, path: str) -> bool:
        """Tell whether a file would be a mask of a run that lists the folder once it is there."""
        itself = os.path.join(os.path.realpath(os.path.dirname(path)), os.path.basename(path))  # noqa: PTH118, PTH119, PTH120 - strings throughout
        relatives = {self._inside(each) for each in (itself, os.path.realpath(path))} - {None}
        return any(each is not None and self._is_mask(each) for each in relatives)

    def _inside(self, path: str) -> str | None:
        """Return a path as it starts in the folder; None of one that lies elsewhere."""
        place = Path(path)
        for above in place.parents:
            if above.exists() and os.path.samefile(above, self.folder):  # noqa: PTH121 - as above
                return place.relative_to(above).as_posix()
        return None

    def _is_mask(self, relative: str) -> bool:
        *folders, name = relative.split("/")
        suffix = files.suffix(name)
        is_seen = not any(each.startswith(".") for each in (*folders, name))
        if not is_seen or (folders and not self.has_below) or suffix not in _Suffixes(self.reads):
            return False
        if any(files.suffix(each) in unread.FOLDERS for each in folders):
            return False
        return bool(named_by(Side(*self[:4], masks={relative: suffix}), self.pattern).named)


class _Suffixes:
    """The suffixes of masks; installed packages are asked for theirs only where a file has another one."""

    def __init__(self, reads: str) -> None:
        self._reads = reads
        self._known = frozenset(suffixes("formats", reads, of_folder=True))
        self._every: frozenset[str] | None = None

    def __contains__(self, suffix: str) -> bool:
        if suffix in self._known or not suffix:
            return bool(suffix)
        if self._every is None:
            self._every = frozenset(suffixes("formats", self._reads))
        return suffix in self._every


def list_side(side: str, folder: str, pattern: str | None, reads: str = "open_mask") -> Side:
    """List a folder, and name its masks: the files of the formats that have a function called `reads`."""
    found = Side(side, folder, pattern, reads)
    if pattern is not None and CASE not in str(pattern):
        raise found.error(
            f"the pattern '{pattern}' has no {{case}}",
            "Put {case} where the name of the case stands, as in '{case}_pred.nii.gz'.",
        )
    _scan(found)
    if not found.masks:
        others = f" ({listed(found.others)})" if found.others else ""
        raise found.error(
            f"there is no mask in this folder; other files: {len(found.others):,}{others}",
            f"Suffixes that are read: {', '.join(suffixes('formats', found.reads))}.",
        )
    give_names(found)
    if not found.named:
        raise found.error(
            f"the pattern '{pattern}' matches none of the {counted(len(found.masks), 'mask')}: "
            f"{listed(found.masks)}",
            "It stands for the whole path in the folder, suffix included; * is any characters but '/'.",
        )
    return found


def _scan(found: Side) -> None:
    """List a folder and all below it, without following links to folders."""
    _check_folder(found)
    known, waiting = _Suffixes(found.reads), [""]
    folders: dict[str, str] = {}
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(found.path(prefix)) as entries:
                for entry in entries:
                    relative, suffix = prefix + entry.name, _suffix(entry.name.partition(".")[2])
                    is_folder = entry.is_dir(follow_symlinks=False)
                    if entry.name.startswith("."):
                        found.others.append(relative + "/" * is_folder)
                    elif is_folder and suffix not in unread.FOLDERS:
                        waiting.append(relative + "/")
                        folders[relative] = suffix
                    elif suffix in known:
                        found.masks[relative] = suffix
                        if entry.is_symlink() and not _is_inside(entry.path, found.folder):
                            found.outside.add(relative)
                    else:
                        found.others.append(relative)
                        if entry.is_symlink() and os.path.isdir(entry.path):  # noqa: PTH112 - as above
                            found.links.append(relative)
        except OSError as error:
            what = f"the folder {prefix} in it cannot" if prefix else "this folder cannot"
            raise found.error(f"{what} be read: {error.strerror}", "Check its permissions.") from error
    # A folder with a mask's name and no mask in it stands for a mask, and its case fails.
    inside = sorted(found.masks)
    for relative, suffix in folders.items():
        at = bisect_left(inside, relative + "/")
        if suffix in known and not any(each.startswith(relative + "/") for each in inside[at : at + 1]):
            found.masks[relative] = suffix


def _is_inside(path: str, folder: str) -> bool:
    """Whether what a link leads to, if anything, lies in a folder or below it."""
    root = os.path.join(os.path.realpath(folder), "")  # noqa: PTH118 - these are strings throughout
    return os.path.realpath(path).startswith(root)


def _check_folder(found: Side) -> None:
    try:
        mode = os.stat(found.folder).st_mode  # noqa: PTH116 - as above
    except (FileNotFoundError, NotADirectoryError) as error:
        meant = did_you_mean_file(found.folder)
        raise found.error("there is no such folder", f"{meant}Check the path.") from error
    except (OSError, ValueError) as error:
        raise found.error(f"cannot be read: {error}", "Check the path and its permissions.") from error
    if not stat.S_ISDIR(mode):
        raise found.error(
            "this is a file, not a folder",
            "To compare two files: dicecli score PREDICTION REFERENCE; in Python dicecli.score.",
        )


@lru_cache(256)
def _suffix(after_dot: str) -> str:
    """Return the suffix of a name from what follows its first dot: few strings for many names."""
    return files.suffix(f"name.{after_dot}")
