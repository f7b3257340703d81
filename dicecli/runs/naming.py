"""The masks of one folder by the names of their cases, as a pattern or their paths have them."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicecli.errors import AmbiguousPair, PairingError
from dicecli.records.alike import difference, one_form, spelt_as
from dicecli.records.natural import natural
from dicecli.runs.placeholders import Known, Named, cut
from dicecli.words import some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

_NAMED = 3
#: The two files of one NIfTI mask.
_OTHER_HALF = {".hdr": ".img", ".img": ".hdr", ".hdr.gz": ".img.gz", ".img.gz": ".hdr.gz"}


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


def named_by(found: Side, pattern: str | None) -> Side:
    """Return what a folder holds with its masks named by another pattern, which may match none."""
    other = replace(found, pattern=pattern, named={}, unmatched=[])
    give_names(other)
    return other


def settled(found: Side, other: Side | None, classes: Iterable[str]) -> Side:
    """Return a side whose names are cut as the other one says, where that is in no doubt, and `classes`."""
    if found.in_doubt is None:
        return found
    settled, known = replace(found, named={}, unmatched=[]), Known(set(), {*classes}, set())
    if other is not None:
        named = {Named(case, other.labels.get(each)) for case, masks in other.named.items() for each in masks}
        known = Known({*other.named}, {*classes, *other.labels.values()}, named)
    give_names(settled, known)
    is_open = other is not None and other.in_doubt is not None
    return replace(settled, in_doubt=found.in_doubt) if is_open and not settled.in_doubt else settled


def give_names(found: Side, known: Known | None = None) -> None:
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


def joined(folder: str, relative: str) -> str:
    """Return a path that starts in a folder; no folder at all is the current one."""
    return os.path.join(folder, relative)  # noqa: PTH118 - these are strings throughout


def listed(items: Iterable[str]) -> str:
    """Name a few, and say how many more there are."""
    return some_of(sorted(items, key=natural), _NAMED)


def several(masks: Sequence[str]) -> str:
    """Name files of which one is meant; of those of one name say how they differ."""
    is_one = len({*map(one_form, masks)}) == 1
    how = f", which differ {difference(*masks[:2])}" if is_one else f": {listed(masks)}"
    return f"{len(masks)} files{how}"
