"""What a folder of masks holds: every mask by the name of its case, and what is left out.

Longer than other modules: a folder is listed, and its files are named, in one place for all kinds of runs.
"""

from __future__ import annotations

import os
import stat
from bisect import bisect_left
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import AmbiguousPair, PairingError
from dicecli.masks import files, unread
from dicecli.plugins import suffixes
from dicecli.records.alike import did_you_mean_file, difference, one_form, spelt_as
from dicecli.records.natural import natural
from dicecli.runs.laying import CASE
from dicecli.runs.placeholders import Known, Named, cut
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NAMED = 3
#: The two files of one NIfTI mask.
_OTHER_HALF = {".hdr": ".img", ".img": ".hdr", ".hdr.gz": ".img.gz", ".img.gz": ".hdr.gz"}


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


@dataclass
class Side:
    """What one folder holds; paths start at the folder, and ``/`` separates their parts."""

    side: str
    folder: str
    pattern: str | None
    #: The function of a format by which such a file is opened.
    reads: str = "open_mask"
    #: Every mask, and its suffix in lower case.
    masks: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    #: Links to files that lie outside.
    outside: set[str] = field(default_factory=set)
    #: The masks by the name of their case (in the form in which names are compared), and those that the
    #: pattern does not match.
    named: dict[str, list[str]] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)
    #: The class of each mask, where there is a file for each; a note where it may be another one.
    labels: dict[str, str] = field(default_factory=dict)
    in_doubt: str | None = None

    def listed(self, *, has_below: bool = True) -> Listed:
        """Return which files of this folder are masks."""
        return Listed(self.side, self.folder, self.pattern, self.reads, has_below)

    def path(self, relative: str) -> str:
        """Return the path of what lies in this folder."""
        return joined(self.folder, relative)

    def error(self, message: str, hint: str, kind: type[PairingError] = PairingError) -> PairingError:
        """Make an error about this folder."""
        return kind(message, hint, self.folder, self.side)

    def matched(self) -> Iterator[str]:
        """Return the masks that belong to a case."""
        return (relative for masks in self.named.values() for relative in masks)

    def mask(self, name: str) -> str | None:
        """Return the path of a case's mask, or None; several are an error."""
        masks = self.named.get(name, ())
        if len(masks) > 1:
            of_all = [
                suffix for suffix in sorted(map(self.masks.__getitem__, masks)) if self._all_have(suffix)
            ]
            raise self.error(
                f"the case '{name}' has {several(masks)}",
                f"Keep one of them, or give a --{self.side}-pattern that only one matches, such as "
                f"'{{case}}{of_all[0]}'."
                if of_all
                else "Keep one of them in the folder, and move the others out of it.",
                AmbiguousPair,
            )
        return self.path(masks[0]) if masks else None

    def _all_have(self, suffix: str) -> bool:
        """Whether every case has exactly one mask with a suffix, so that a pattern of it leaves none out."""
        return all([self.masks[each] for each in masks].count(suffix) == 1 for masks in self.named.values())

    def spelt(self, name: str) -> str:
        """Return the name of a case in the form in which the file system has it."""
        return name if name.isascii() else spelt_as(min(self.named[name]), name)

    def leads_outside(self, name: str) -> bool:
        """Whether a case's mask, or the other half of it, is a link out of the folder."""
        for relative in self.named.get(name, ()) if self.outside else ():
            suffix = self.masks[relative]
            other = relative[: -len(suffix)] + _OTHER_HALF.get(suffix, suffix)
            if self.outside & {relative, other}:
                return True
        return False


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
    _name(found)
    if not found.named:
        raise found.error(
            f"the pattern '{pattern}' matches none of the {counted(len(found.masks), 'mask')}: "
            f"{listed(found.masks)}",
            "It stands for the whole path in the folder, suffix included; * is any characters but '/'.",
        )
    return found


def named_by(found: Side, pattern: str | None) -> Side:
    """Return what a folder holds with its masks named by another pattern, which may match none."""
    other = replace(found, pattern=pattern, named={}, unmatched=[])
    _name(other)
    return other


def settled(found: Side, other: Side | None, classes: Iterable[str]) -> Side:
    """Return a side whose names are cut as the other one says, where that is in no doubt, and `classes`."""
    if found.in_doubt is None:
        return found
    settled, known = replace(found, named={}, unmatched=[]), Known(set(), {*classes}, set())
    if other is not None:
        named = {Named(case, other.labels.get(each)) for case, masks in other.named.items() for each in masks}
        known = Known({*other.named}, {*classes, *other.labels.values()}, named)
    _name(settled, known)
    is_open = other is not None and other.in_doubt is not None
    return replace(settled, in_doubt=found.in_doubt) if is_open and not settled.in_doubt else settled


def _name(found: Side, known: Known | None = None) -> None:
    """Name the masks by the pattern; without one, by their paths."""
    if found.pattern is None:
        matched = {relative: one_form(relative[: -len(suffix)]) for relative, suffix in found.masks.items()}
    else:
        named, found.in_doubt = cut(found.pattern, found.masks, known)
        matched = {relative: each.case for relative, each in named.items()}
        found.labels = {relative: each.label for relative, each in named.items() if each.label is not None}
    _sort_out(found, matched)


def _sort_out(found: Side, matched: dict[str, str]) -> None:
    """Put the masks under their cases' names; the data of a NIfTI pair go with their header."""

    def half(relative: str, suffix: str) -> str:
        """Return the name that both files of a NIfTI pair share."""
        return relative[: -len(suffix)] + suffix

    halves = {half(each, found.masks[each]) for each in matched if found.masks[each] in _OTHER_HALF}
    for relative, suffix in found.masks.items():
        is_beside = suffix in _OTHER_HALF and half(relative, _OTHER_HALF[suffix]) in halves
        if relative not in matched:
            found.unmatched += [] if is_beside else [relative]
        elif not (is_beside and suffix.startswith(".img")):
            found.named.setdefault(matched[relative], []).append(relative)


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


def joined(folder: str, relative: str) -> str:
    """Return a path that starts in a folder; no folder at all is the current one."""
    return os.path.join(folder, relative)  # noqa: PTH118 - as above


def listed(items: Iterable[str]) -> str:
    """Name a few, and say how many more there are."""
    return some_of(sorted(items, key=natural), _NAMED)


def several(masks: Sequence[str]) -> str:
    """Name files of which one is meant; of those of one name say how they differ."""
    is_one = len({*map(one_form, masks)}) == 1
    how = f", which differ {difference(*masks[:2])}" if is_one else f": {listed(masks)}"
    return f"{len(masks)} files{how}"
