"""What a folder holds, file by file, and whether all of it is alike: grids, types and labels."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicecli.errors import PairingError
from dicecli.records.natural import natural
from dicecli.runs.inspection.file import inspect
from dicecli.runs.listing import list_side
from dicecli.runs.naming import joined
from dicecli.runs.unread import unread_masks

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.records.label_maps import Side
    from dicecli.records.settings import Settings
    from dicecli.runs.inspection.file import Inspection

#: What the files of a folder may have in common, by the words that headers have for it.
COMMON = ("format", "shape", "spacing", "orientation", "crs", "stored as", "mode", "channels")
_READS = ("open_mask", "open_probabilities")


@dataclass
class Folder:
    """The files of a folder that are masks or maps of probabilities by their suffixes, and the others.

    Attributes
    ----------
    path : str
    names : list of str
        From the folder on, in the order in which people list them.
    others : list of str
        What is not looked at: files of other suffixes, hidden ones, links to folders.
    unread : list of str
        Files in formats that are not read; as references they are masks of cases, which fail.
    outside : set of str
        Links to files that lie elsewhere.
    """

    path: str
    names: list[str]
    others: list[str]
    unread: list[str]
    outside: set[str]

    def inspected(self, settings: Settings, side: Side | None = None) -> Iterator[tuple[str, Inspection]]:
        """Yield each name and what its file is, one after the other; its labels by the map of a side."""
        for name in self.names:
            found = inspect(joined(self.path, name), settings, side)
            if name in self.outside:
                found.problems.append("a link that leads out of the folder, which a batch does not follow")
            yield name, found


def listed_folder(path: str) -> Folder:
    """List a folder and all below it.

    Raises
    ------
    PairingError
        It cannot be read, or has no file of a suffix that is read.
    """
    found, refusal = [], None
    for reads in _READS:
        try:
            found.append(list_side("", path, None, reads))
        except PairingError as error:
            refusal = refusal or error
    if refusal is not None and not found:
        raise refusal
    names = {name for side in found for name in side.matched()}
    held = {name for side in found for name in side.masks}
    others = {name for side in found for name in side.others} - held
    outside = {name for side in found for name in side.outside}
    strange = unread_masks(found[0]) if found[0].reads == _READS[0] else ()
    unread = sorted({*strange} - held, key=natural)
    others -= {*unread}
    return Folder(path, sorted(names, key=natural), sorted(others, key=natural), unread, outside)


@dataclass
class Survey:
    """What the files of a folder have in common.

    Attributes
    ----------
    names : mapping of int to str
        Those of declared labels.
    masks, maps : int
        How many could be scored, by ``score`` and by ``soft``.
    bad : list of str
        Those that could not.
    odd : dict of str to list of str
        What looks odd, and of which files.
    errors : dict of str to dict of str to str
        By the name of an error the files that cannot be scored for it, each with its message.
    ranges : list of (float, float)
        Least and greatest value of each map of probabilities.
    sums : list of float
        How far from 1 the sums over the channels of each are that has several.
    alike : dict of str to dict of str to list of str
        By what may be in common, the files that have each kind of it.
    labels : dict of float to list of str
        The masks that store each value.
    called : dict of float to str
        Its name, where one is declared.
    read : dict of float to (int or str)
        What a map of labels reads it as, where there is one: a label, or ``ignore``.
    """

    names: Mapping[int, str] = field(default_factory=dict)
    masks: int = 0
    maps: int = 0
    bad: list[str] = field(default_factory=list)
    odd: dict[str, list[str]] = field(default_factory=dict)
    errors: dict[str, dict[str, str]] = field(default_factory=dict)
    ranges: list[tuple[float, float]] = field(default_factory=list)
    sums: list[float] = field(default_factory=list)
    alike: dict[str, dict[str, list[str]]] = field(default_factory=dict)
    labels: dict[float, list[str]] = field(default_factory=dict)
    called: dict[float, str] = field(default_factory=dict)
    read: dict[float, int | str] = field(default_factory=dict)

    def add(self, name: str, found: Inspection) -> None:
        """Take note of a file."""
        stored, problems = found.probabilities, found.problems
        if stored is not None:
            self.maps += 1
            self.ranges.append((stored.minimum, stored.maximum))
            self.sums += [stored.apart] * (len(stored.channels) > 1)
            problems = ["it holds NaN"] * any(each.nan for each in stored.channels)
        elif found.error is not None:
            self.bad.append(name)
            self.errors.setdefault(found.error.name, {})[name] = str(found.error.message)
        else:
            self.masks += 1
        for each in problems:
            self.odd.setdefault(each, []).append(name)
        for key, kind in facts_of(found).items():
            self.alike.setdefault(key, {}).setdefault(kind, []).append(name)
        for value in labels_of(found):
            self.labels.setdefault(value, []).append(name)
            label = found.read_as(value)
            if label is not None:
                self.read[value] = label
            elif value in self.names:
                self.called[value] = self.names[int(value)]
        self.called |= found.names

    @property
    def files(self) -> int:
        """How many files there are."""
        return self.masks + self.maps + len(self.bad)

    def not_in_all(self) -> list[tuple[list[float], list[str]]]:
        """Return the values that some masks lack, those of the same masks together, and these masks."""
        masks = {name for names in self.labels.values() for name in names}
        found: dict[tuple[str, ...], list[float]] = {}
        for value, names in sorted(self.labels.items()):
            if len(names) < len(masks):
                found.setdefault(tuple(names), []).append(value)
        return [(values, [*names]) for names, values in found.items()]

    def kinds(self, key: str) -> list[tuple[str, list[str]]]:
        """Return what files have of one thing, and which; what most have first."""
        return sorted(self.alike.get(key, {}).items(), key=lambda each: -len(each[1]))

    def to_dict(self) -> dict[str, object]:
        """Return it as JSON's types."""
        return {
            "files": self.files,
            "masks": self.masks,
            "maps": self.maps,
            "bad": self.bad,
            "alike": {
                key: [{"is": kind, "files": some} for kind, some in self.kinds(key)] for key in self.alike
            },
            "labels": [
                {
                    "value": value if math.isfinite(value) else str(value),
                    "name": self.called.get(value),
                    "read_as": self.read.get(value),
                    "files": some,
                }
                for value, some in sorted(self.labels.items())
            ],
        }


def facts_of(found: Inspection) -> dict[str, str]:
    """Return what a file may have in common with others, in words; nothing of what could not be opened."""
    facts = {key: str(found.facts[key]) for key in COMMON if found.facts.get(key) is not None}
    if "stored as" in facts:
        facts["stored as"] = ", ".join(dict.fromkeys(facts["stored as"].split(", ")))
    if found.probabilities is not None:
        facts["channels"] = str(len(found.probabilities.channels))
    return facts


def labels_of(found: Inspection) -> list[float]:
    """Return the values that a mask stores; nothing of a map of probabilities, or of what holds fractions.

    A mask that is refused for something else has its labels; those of floats that are scored are as stored.
    """
    values = [] if found.probabilities is not None else [*(found.values or {})]
    return values if found.error is None or all(value == value // 1 for value in values) else []


def shortly(values: list[float], most: int | None = None) -> str:
    """Write ascending values in a few words, those in a row as a range: 0-3, 255.

    In at most so many characters, where that is given and enough for the first: 0-3, 255 and 8 more.
    """
    parts: list[list[float]] = []
    for value in values:
        if parts and value == parts[-1][-1] + 1:
            parts[-1].append(value)
        else:
            parts.append([value])
    words: list[str] = []
    number: list[int] = []
    for part in parts:
        between = "-" if part[0] >= 0 else " to "
        is_range = len(part) > 2
        words += [f"{part[0]:g}{between}{part[-1]:g}"] if is_range else [f"{each:.7g}" for each in part]
        number += [len(part)] if is_range else [1] * len(part)
    text, end = ", ".join(words), len(words)
    while most is not None and len(text) > most and end > 1:
        end -= 1
        text = f"{', '.join(words[:end])} and {sum(number[end:]):,} more"
    return text
