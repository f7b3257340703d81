"""Two folders, or a list of pairs, become cases; nothing is dropped in silence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

from dicecli.errors import PairingError
from dicecli.results import Case

_NAMED = 3
#: So many names of each side are held against each other to see how the sides differ.
_SAMPLE = 30
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
    alone = [name for name in found.named if name not in expected.named]
    extra = sorted(relative for name in alone for relative in found.named[name])
    notes = _not_alike(found, expected, sorted(alone))
    notes += _counted(extra, "prediction has", "predictions have", "no reference")
    if os.path.samefile(predictions, references):  # noqa: PTH121 - these are strings throughout
        selves = sum(found.named.get(name) == masks for name, masks in expected.named.items())
        if selves:
            notes.insert(0, f"both folders are the same folder: {selves} of {len(cases)} cases are one file")
        used = {*found.matched(), *expected.matched()}
        for side in (found, expected):
            side.unmatched = [relative for relative in side.unmatched if relative not in used]
    for side in (found, expected):
        what = f"match {side.side} pattern '{side.pattern}'"
        notes += _counted(side.unmatched, "mask does not", "masks do not", what)
        notes += _counted(side.links, "link to a folder is", "links to folders are", "not followed")
    left_out = {side.path(each) for side in (found, expected) for each in (*side.others, *side.unmatched)}
    unpaired = tuple(found.path(relative) for relative in extra)
    return Pairing(cases, unpaired, tuple(sorted(left_out)), tuple(notes))


def pair_csv(path: str, *, predictions: str | None = None, references: str | None = None) -> Pairing:
    """Read pairs from a CSV file with the columns prediction and reference, and perhaps case and group.

    An empty prediction is a case that has none. A case without a name is called as its reference is, without
    the suffix.

    Parameters
    ----------
    path : str
    predictions, references : str, optional
        Where relative paths start; the folder of the CSV file by default.

    Raises
    ------
    PairingError
        A file that cannot be read, columns that are missing or unknown, a row without reference or with
        another number of cells, or a case that stands twice.
    """
    own = os.path.dirname(path)  # noqa: PTH120 - these are strings throughout
    folders = {"prediction": predictions or own, "reference": references or own}
    cases: list[Case] = []
    lines: dict[object, int] = {}
    for line, row in _rows(path):
        if not row["reference"]:
            raise PairingError(f"line {line} has no reference", "Name one in every row.", path)
        prediction, reference = (
            _joined(folders[side], row[side]) if row[side] else None for side in ("prediction", "reference")
        )
        name = row.get("case") or _name(folders["reference"], row["reference"])
        pair = tuple(each and os.path.normpath(each) for each in (prediction, reference))
        for key, what in ((name, f"the case '{name}'"), (pair, f"the pair with '{row['reference']}'")):
            if key in lines:
                raise PairingError(
                    f"{what} stands twice, in line {lines[key]} and in line {line}",
                    "Delete one of the rows, or tell them apart by the column 'case'.",
                    path,
                )
            lines[key] = line
        cases.append(Case(name, prediction, reference, row.get("group") or None))
    if not cases:
        raise PairingError("it holds no pair", "Write one row per case below the header.", path)
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

    def matched(self) -> list[str]:
        return [relative for masks in self.named.values() for relative in masks]

    def mask(self, name: str) -> str | None:
        """Return the path of a case's mask, or None; several are an error."""
        masks = self.named.get(name, ())
        if len(masks) > 1:
            raise self.error(
                f"several files for the case '{name}': {_listed(sorted(masks))}",
                f"Keep one, or say which files are meant: --{self.side}-pattern "
                f"'{{case}}{self.masks[masks[0]]}', for instance.",
            )
        return self.path(masks[0]) if masks else None


def _side(side: str, folder: str, pattern: str | None) -> _Side:
    """List a folder, and name its masks."""
    found = _Side(side, folder, pattern)
    expression = None if pattern is None else _expression(found, pattern)
    _scan(found)
    if not found.masks:
        others = f" ({_listed(sorted(found.others))})" if found.others else ""
        raise found.error(
            f"there is no mask in this folder; other files: {len(found.others)}{others}",
            f"Suffixes that are read: {', '.join(sorted(_suffixes()))}.",
        )
    if expression is None:
        matched = {relative: relative[: -len(suffix)] for relative, suffix in found.masks.items()}
    else:
        matches = {relative: expression.fullmatch(relative) for relative in found.masks}
        matched = {relative: match["case"] for relative, match in matches.items() if match}
    if not matched:
        raise found.error(
            f"the pattern '{pattern}' matches none of {len(found.masks):,} masks: {_listed(found.masks)}",
            "It stands for the whole path in the folder, with the suffix; * is any characters but '/'.",
        )
    _sort_out(found, matched)
    return found


def _sort_out(found: _Side, matched: dict[str, str]) -> None:
    """Name the masks that match; the data of a NIfTI pair go with their header."""

    def half(relative: str, suffix: str) -> str:
        return relative[: -len(found.masks[relative])] + suffix

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
    suffixes, waiting, folders = _suffixes(), [""], {}
    while waiting:
        prefix = waiting.pop()
        try:
            with os.scandir(found.path(prefix)) as entries:
                for entry in entries:
                    relative, suffix = prefix + entry.name, files.suffix(entry.name)
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
            what = f"the folder {prefix} in it" if prefix else "the folder"
            raise found.error(f"{what} cannot be read: {error.strerror}", "Check its permissions.") from error
    # A folder with a mask's name that holds no mask stands for one, and fails as such.
    inside = sorted(found.masks)
    for relative, suffix in folders.items():
        at = bisect_left(inside, relative + "/")
        if suffix in suffixes and not any(each.startswith(relative + "/") for each in inside[at : at + 1]):
            found.masks[relative] = suffix
