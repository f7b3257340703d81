"""References of which several belong to a case: a file for each class, a picture beside a mask."""

from __future__ import annotations

import re
import shlex
from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from dicecli.records.natural import natural
from dicecli.records.schemes import load_labels, presets
from dicecli.runs.laid_out import fitting, is_clear
from dicecli.runs.name_kinds import IMAGES, OF_LABELS
from dicecli.runs.naming import listed, named_by
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.runs.naming import Side

#: What names of masks end in: the likelier to be the labels, the sooner.
_LABELS = (*OF_LABELS, "labeltrainids", "instanceids")
_END = re.compile(r"[-_.]([^-_./A-Za-z]*+[A-Za-z][^-_./]*+)$")
_NAMED = 4
#: More files in one folder are no classes.
_CLASSES = 200


def classes(found: Side, expected: Side) -> list[str]:
    """Say where each folder of the references has the same names, and by which patterns these are classes.

    Parameters
    ----------
    found, expected : Side
        Predictions and references, named by their paths.
    """
    for inside, names in _same_names(expected):
        end = _suffix(expected)
        pattern = f"{{case}}/{inside}{{label}}{end}"
        options = _tried(
            found, expected, pattern, (pattern, f"{{case}}{_suffix(found)}", f"{{case}}/{{label}}{end}")
        )
        if options:
            word = fitting(found, expected)
            said = f"--layout {word}, or {options}" if word == "totalsegmentator" else options
            return [
                f"each folder of references has the same {counted(len(names), 'name')}, {listed(names)}: "
                f"if these are classes of one case, try {said}"
            ]
    return []


def one_case(found: Side, expected: Side) -> list[str]:
    """Say where the files of one folder are called as all of them are classes of a preset: they are one case.

    Parameters
    ----------
    found, expected : Side
        Predictions and references, named by their paths.
    """
    names = expected.named.keys()
    if not 1 < len(names) <= _CLASSES or any("/" in each for each in names):
        return []
    if sum(re.search(r"\d", each) is not None for each in names) > len(names) / 2:
        return []  # numbers are of cases, so that no preset need be read
    for preset in presets():
        if names <= {*load_labels(preset).names.values()}:
            command = shlex.join(["dicecli", "score", found.folder, expected.folder])
            return [
                f"each reference is a case, and the {len(names)} are called as classes are, {listed(names)} "
                f"(preset {preset}): if they are the classes of one case, {command}"
            ]
    return []


def kinds(found: Side, expected: Side) -> list[str]:
    """Say where images or other masks lie beside the references, and by which patterns these are left out.

    Parameters
    ----------
    found, expected : Side
        Predictions and references, named by their paths.
    """
    ends = Counter(end[0] if (end := _END.search(name)) else "" for name in expected.named)
    if len(ends) < 2 or not {end[1:].lower() for end in ends} <= {*IMAGES, *_LABELS}:
        return []
    of_predictions = {end[0] for name in found.named if (end := _END.search(name))}
    likely = [each for each in ends if each[1:].lower() in _LABELS]
    alike = [each for each in likely if each in of_predictions]
    wanted = min(alike or likely, key=_rank, default=None)
    if wanted is None:
        return []
    pattern = f"{{case}}{wanted}{_suffix(expected)}"
    options = _tried(found, expected, pattern, (f"{{case}}{wanted}{_suffix(found)}", None))
    if not options:
        return []
    word = fitting(found, expected)
    said = ", ".join(f"{n:,} {end}" for end, n in sorted(ends.items(), key=lambda each: natural(each[0])))
    return [
        f"references are of {len(ends)} kinds, {said}, and each is a case: to score {wanted} alone, try "
        f"{f'--layout {word}, or ' if word else ''}{options}"
    ]


def _rank(end: str) -> int:
    return _LABELS.index(end[1:].lower())


def _same_names(side: Side) -> Iterator[tuple[str, list[str]]]:
    """Yield where in the folders of the cases several names recur, the same in each, and these names.

    Where all have digits they are names of cases.
    """
    by_folder: defaultdict[str, set[str]] = defaultdict(set)
    for relative, suffix in side.masks.items():
        folder, _, base = relative[: -len(suffix)].rpartition("/")
        by_folder[folder].add(base)
    alike: defaultdict[tuple[int, str], list[set[str]]] = defaultdict(list)
    last = Counter(folder.rpartition("/")[2] for folder in by_folder)
    for folder, names in by_folder.items():
        above, _, own = folder.rpartition("/")
        if folder:
            alike[folder.count("/"), f"{own}/" if above and last[own] > 1 else ""].append(names)
    for (_, inside), sets in alike.items():
        often = Counter(name for names in sets for name in names)
        recurring = {name for name, times in often.items() if times > 1}
        is_same = len(sets) > 1 and len(recurring) > 1 and len(recurring) == len(often)
        if is_same and not all(re.search(r"\d", name) for name in recurring) and not _are_kinds(recurring):
            yield inside, sorted(recurring, key=natural)


def _are_kinds(names: set[str]) -> bool:
    """Tell whether one of these names is of an image, so that they are no classes."""
    return any(word.lower() in IMAGES for name in names for word in re.split("[-_.]", name))


def _suffix(side: Side) -> str:
    """Return the suffix of all masks of a side, as it is written; of several any."""
    ends = {mask[-len(suffix) :] for mask, suffix in side.masks.items()}
    return ends.pop() if len(ends) == 1 else ".*"


def _tried(found: Side, expected: Side, pattern: str, others: tuple[str | None, ...]) -> str | None:
    """Return a pattern for references as an option, with the first for predictions that leaves none alone."""
    references = named_by(expected, pattern)
    for other in others:
        predictions = named_by(found, other)
        both = len(references.named.keys() & predictions.named.keys())
        is_whole = both in {len(references.named), len(predictions.named)} and both
        if is_whole and is_clear(references) and is_clear(predictions):
            words = {"prediction": other, "reference": pattern}
            return " ".join(f"--{side}-pattern {shlex.quote(each)}" for side, each in words.items() if each)
    return None
