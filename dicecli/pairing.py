"""Two folders, or a list of pairs, become cases; nothing is dropped in silence."""

from __future__ import annotations

import csv
import os
import re
import stat
from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from dicecli import files
from dicecli.errors import PairingError
from dicecli.plugins import load, names
from dicecli.results import Case

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_NAMED = 3
#: So many names of each side are held against each other to see by what rule they differ.
_SAMPLE = 30
#: What a case's name does not start or end with, where one is proposed.
_EDGES = "/_-. "
_COLUMNS = ("prediction", "reference", "case", "group")
#: The two files of one NIfTI mask.
_OTHER_HALF = {".hdr": ".img", ".img": ".hdr", ".hdr.gz": ".img.gz", ".img.gz": ".hdr.gz"}


@dataclass(frozen=True)
class Pairing:
    """The cases of a run, and every file that is in none of them.

    Attributes
    ----------
    cases : tuple of Case
        One per reference, sorted by name.
    unpaired : tuple of str
        Predictions that have no reference.
    left_out : tuple of str
        Hidden files and folders, files that no format reads, links to folders, and masks that the pattern
        of their side does not match. Hidden folders end in ``/``.
    notes : tuple of str
        What looks odd.
    """

    cases: tuple[Case, ...]
    unpaired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def pair_folders(
    predictions: str,
    references: str,
    *,
    prediction_pattern: str | None = None,
    reference_pattern: str | None = None,
) -> Pairing:
    """Pair the masks of two folders and their subfolders by name.

    A case's name is the path of its mask in the folder, without the suffix; or what ``{case}`` stands for
    in the pattern of the side. Links to folders are not followed.

    Parameters
    ----------
    predictions, references : str
    prediction_pattern, reference_pattern : str, optional
        Such as ``{case}_pred.nii.gz`` or ``{case}/seg.nii.gz``, for the whole path in the folder. ``{case}``
        is one or more characters, ``/`` included, as many as can be; it is the same wherever it is repeated.
        ``*`` is any characters but ``/``, as few as can be.

    Raises
    ------
    PairingError
        A folder that cannot be listed or holds no mask, a pattern without ``{case}`` or that matches no
        mask, or several files for one side of a case.
    """
    found = _side("prediction", predictions, prediction_pattern)
    expected = _side("reference", references, reference_pattern)
    cases = tuple(Case(name, found.mask(name), expected.mask(name)) for name in sorted(expected.named))
    alone = sorted(name for name in found.named if name not in expected.named)
    extra = sorted(relative for name in alone for relative in found.named[name])
    notes = _not_alike(found, expected, alone)
    notes += _counted(extra, "prediction has no reference", "predictions have no reference")
    if os.path.samefile(predictions, references):  # noqa: PTH121 - these are strings throughout
        selves = sum(found.named.get(name) == masks for name, masks in expected.named.items())
        if selves:
            notes.insert(
                0, f"both folders are the same folder: {selves:,} of {len(cases):,} cases are one file"
            )
        used = {*found.matched(), *expected.matched()}
        for side in (found, expected):
            side.unmatched = [relative for relative in side.unmatched if relative not in used]
    for side in (found, expected):
        what = f"match the {side.side} pattern '{side.pattern}'"
        notes += _counted(side.unmatched, f"mask does not {what}", f"masks do not {what}")
        notes += _counted(side.links, "link to a folder is not followed", "links to folders are not followed")
    left_out = {side.path(each) for side in (found, expected) for each in (*side.others, *side.unmatched)}
    unpaired = tuple(found.path(relative) for relative in extra)
    return Pairing(cases, unpaired, tuple(sorted(left_out)), tuple(notes))


def pair_csv(path: str, *, predictions: str | None = None, references: str | None = None) -> Pairing:
    """Read pairs from a CSV file with the columns prediction and reference, and perhaps case and group.

    An empty prediction is a case that has none. A case without a name is called as its reference is,
    without the suffix.

    Parameters
    ----------
    path : str
    predictions, references : str, optional
        Where relative paths start; the folder of the CSV file by default.

    Raises
    ------
    PairingError
        A file that cannot be read, columns that are missing or unknown, a row without reference or with
        another number of cells than the header, or a case that stands twice.
    """
    own = os.path.dirname(path)  # noqa: PTH120 - as above
    start = {"prediction": predictions or own, "reference": references or own}
    cases: list[Case] = []
    lines: dict[object, int] = {}
    for line, row in _rows(path):
        if not row["reference"]:
            raise PairingError(f"line {line} has no reference", "Name one in every row.", path)
        prediction, reference = (
            _joined(start[side], row[side]) if row[side] else None for side in ("prediction", "reference")
        )
        name = row.get("case") or _name(start["reference"], row["reference"])
        pair = tuple(each and os.path.normpath(each) for each in (prediction, reference))
        for key, what in ((name, f"the case '{name}'"), (pair, f"the pair with '{row['reference']}'")):
            if key in lines:
                raise PairingError(
                    f"{what} stands twice, in line {lines[key]} and in line {line}",
                    "Every case stands once: delete one of the rows, or correct it.",
                    path,
                )
            lines[key] = line
        cases.append(Case(name, prediction, reference, row.get("group") or None))
    if not cases:
        raise PairingError("there is no pair in this file", "Write one row per case below the header.", path)
    return Pairing(tuple(sorted(cases, key=lambda case: case.name)))


@dataclass
class _Side:
    """What one folder holds; paths start at the folder, and ``/`` separates their parts."""

    side: str
    folder: str
    pattern: str | None
    #: Every mask, and its suffix in lower case.
    masks: dict[str, str] = field(default_factory=dict)
    others: list[str] = field(default_factory=list)
    links: list[str] = field(default_factory=list)
    #: The masks by the name of their case, and those that the pattern does not match.
    named: dict[str, list[str]] = field(default_factory=dict)
    unmatched: list[str] = field(default_factory=list)

    def path(self, relative: str) -> str:
        return _joined(self.folder, relative)

    def error(self, message: str, hint: str) -> PairingError:
        return PairingError(message, hint, self.folder, self.side)

    def matched(self) -> Iterator[str]:
        return (relative for masks in self.named.values() for relative in masks)

    def mask(self, name: str) -> str | None:
        """Return the path of a case's mask, or None; several are an error."""
        masks = self.named.get(name, ())
        if len(masks) > 1:
            raise self.error(
                f"the case '{name}' has {len(masks)} files: {_listed(masks)}",
                f"Keep one of them, or give a --{self.side}-pattern that only one matches, such as "
                f"'{{case}}{self.masks[min(masks)]}'.",
            )
        return self.path(masks[0]) if masks else None


def _side(side: str, folder: str, pattern: str | None) -> _Side:
    """List a folder, and name its masks."""
    found = _Side(side, folder, pattern)
    expression = None if pattern is None else _expression(found, pattern)
    _scan(found)
    if not found.masks:
        others = f" ({_listed(found.others)})" if found.others else ""
        raise found.error(
            f"there is no mask in this folder; other files: {len(found.others):,}{others}",
            f"Suffixes that are read: {', '.join(sorted(_suffixes()))}.",
        )
    if expression is None:
        matched = {relative: relative[: -len(suffix)] for relative, suffix in found.masks.items()}
    else:
        matches = {relative: expression.fullmatch(relative) for relative in found.masks}
        matched = {relative: match["case"] for relative, match in matches.items() if match}
    if not matched:
        raise found.error(
            f"the pattern '{pattern}' matches none of the {len(found.masks):,} masks: {_listed(found.masks)}",
            "It stands for the whole path in the folder, suffix included; * is any characters but '/'.",
        )
    _sort_out(found, matched)
    return found


def _sort_out(found: _Side, matched: dict[str, str]) -> None:
    """Put the masks under their cases' names; the data of a NIfTI pair go with their header."""

    def half(relative: str, suffix: str) -> str:
        return relative[: -len(suffix)] + suffix

    halves = {half(each, found.masks[each]) for each in matched if found.masks[each] in _OTHER_HALF}
    for relative, suffix in found.masks.items():
        is_beside = suffix in _OTHER_HALF and half(relative, _OTHER_HALF[suffix]) in halves
        if relative not in matched:
            found.unmatched += [] if is_beside else [relative]
        elif not (is_beside and suffix.startswith(".img")):
            found.named.setdefault(matched[relative], []).append(relative)


def _scan(found: _Side) -> None:
    """List a folder and all below it, without following links to folders."""
    _check_folder(found)
    suffixes, waiting = _suffixes(), [""]
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
                    elif is_folder:
                        waiting.append(relative + "/")
                        folders[relative] = suffix
                    elif suffix in suffixes:
                        found.masks[relative] = suffix
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
        if suffix in suffixes and not any(each.startswith(relative + "/") for each in inside[at : at + 1]):
            found.masks[relative] = suffix


def _check_folder(found: _Side) -> None:
    try:
        mode = os.stat(found.folder).st_mode  # noqa: PTH116 - as above
    except (FileNotFoundError, NotADirectoryError) as error:
        raise found.error("there is no such folder", "Check the path.") from error
    except (OSError, ValueError) as error:
        raise found.error(f"cannot be read: {error}", "Check the path and its permissions.") from error
    if not stat.S_ISDIR(mode):
        raise found.error(
            "this is a file, not a folder", "To compare two files: dicecli score PREDICTION REFERENCE."
        )


def _suffixes() -> set[str]:
    return {suffix for name in names("formats") for suffix in load("formats", name).SUFFIXES}


@lru_cache(256)
def _suffix(after_dot: str) -> str:
    """Return the suffix of a name from what follows its first dot: few strings for many names."""
    return files.suffix(f"name.{after_dot}")


def _joined(folder: str, relative: str) -> str:
    return os.path.join(folder, relative)  # noqa: PTH118 - as above


def _expression(found: _Side, pattern: str) -> re.Pattern[str]:
    """Translate a pattern into a regular expression for whole paths."""
    expression = ""
    for part in re.split(r"(\{case\}|\*+)", pattern.replace(os.sep, "/")):
        if part == "{case}":
            expression += "(?P=case)" if "(?P<case>" in expression else "(?P<case>.+)"
        else:
            expression += "[^/]*?" if part.startswith("*") else re.escape(part)
    if "(?P<case>" not in expression:
        raise found.error(
            f"the pattern '{pattern}' has no {{case}}",
            "Put {case} where the name of the case stands, as in '{case}_pred.nii.gz'.",
        )
    return re.compile(expression, re.DOTALL)


def _not_alike(found: _Side, expected: _Side, alone: list[str]) -> list[str]:
    """Say when the names of the two sides differ by a rule, and which patterns would pair them."""
    missing = sorted(name for name in expected.named if name not in found.named)
    if not missing or not alone:
        return []
    is_plain = found.pattern is None and expected.pattern is None
    advice = _patterns(found, expected, alone, missing) if is_plain else ""
    if len(missing) < len(expected.named):
        return [f"some names differ only by what stands around the case's name: {advice}"] if advice else []
    say = "say with --prediction-pattern and --reference-pattern where it stands, as in '{case}_pred.nii.gz'"
    return [
        f"no case name in common: references have names like '{missing[0]}', predictions like '{alone[0]}'; "
        f"{advice or say}"
    ]


def _patterns(found: _Side, expected: _Side, alone: list[str], missing: list[str]) -> str:
    """Propose the patterns by which most of a sample of lonely names would pair, where there are such."""
    votes: Counter[tuple[str, ...]] = Counter()
    sample = missing[:_SAMPLE], alone[:_SAMPLE]
    for prediction in sample[1]:
        matcher = SequenceMatcher(None, "", prediction, autojunk=False)
        for reference in sample[0]:
            matcher.set_seq1(reference)
            at = matcher.find_longest_match()
            common = reference[at.a : at.a + at.size]
            first, last = len(common) - len(common.lstrip(_EDGES)), len(common.rstrip(_EDGES))
            if first < last:
                names_and_starts = (prediction, at.b), (reference, at.a)
                votes[
                    tuple(f"{name[: n + first]}{{case}}{name[n + last :]}" for name, n in names_and_starts)
                ] += 1
    patterns, agreeing = max(votes.items(), key=lambda vote: (vote[1], vote[0]), default=((), 0))
    if agreeing < 2 or agreeing * 2 <= min(map(len, sample)):
        return ""
    options = []
    for side, pattern in zip((found, expected), patterns, strict=True):
        endings = {mask[-len(suffix) :] for mask, suffix in side.masks.items()}
        if pattern != "{case}":
            options.append(f"--{side.side}-pattern '{pattern}{endings.pop() if len(endings) == 1 else '.*'}'")
    return f"try {' '.join(options)}"


def _rows(path: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Read the rows of a CSV file, each with the number of its line; cells of spaces are empty."""
    try:
        with Path(path).open(encoding="utf-8-sig", newline="") as file:
            reader = csv.reader(file, skipinitialspace=True, strict=True)
            header = [cell.strip() for cell in next(reader, ())]
            _check_header(header, path)
            for row in reader:
                cells = [cell if cell.strip() else "" for cell in row]
                if not any(cells):
                    continue
                if len(cells) != len(header):
                    raise PairingError(
                        f"line {reader.line_num} has {len(cells)} cells, and the header {len(header)}",
                        "Put a cell that contains a comma between double quotes.",
                        path,
                    )
                yield reader.line_num, dict(zip(header, cells, strict=True))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PairingError(f"cannot be read: {error}", "Give a CSV file in UTF-8.", path) from error


def _check_header(header: list[str], path: str) -> None:
    wrong = {
        "missing": [column for column in _COLUMNS[:2] if column not in header],
        "unknown": [column for column in dict.fromkeys(header) if column not in _COLUMNS],
        "repeated": [column for column in _COLUMNS if header.count(column) > 1],
    }
    if any(wrong.values()):
        said = (f"{what}: {', '.join(map(repr, columns))}" for what, columns in wrong.items() if columns)
        raise PairingError(
            f"columns {'; '.join(said)}",
            "The first line names the columns: prediction,reference and perhaps case,group.",
            path,
        )


def _name(folder: str, reference: str) -> str:
    """Return a reference's path in its folder without the suffix."""
    root, path = os.path.normpath(folder or "."), os.path.normpath(_joined(folder, reference))
    inside = path.startswith(root + os.sep)
    relative = path.removeprefix(root + os.sep) if inside else os.path.normpath(reference)
    relative = relative.replace(os.sep, "/")
    return relative[: len(relative) - len(files.suffix(relative))] or relative


def _counted(items: list[str], one: str, many: str) -> list[str]:
    return [f"{len(items):,} {one if len(items) == 1 else many}: {_listed(items)}"] if items else []


def _listed(items: Iterable[str]) -> str:
    listed = sorted(items)
    more = f" and {len(listed) - _NAMED:,} more" if len(listed) > _NAMED else ""
    return ", ".join(listed[:_NAMED]) + more
