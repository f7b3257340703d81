"""Files of a side in formats that are not read: which of them are cases all the same, and fail as such."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.masks import unread
from dicecli.runs.naming import named_by
from dicecli.runs.placeholders import Named

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.runs.naming import Side

_BETWEEN = re.compile("[-_. ]+")


def expect_unread(found: Side, expected: Side) -> None:
    """Let files in formats that are not read be the masks of their cases, where these have no other.

    Of references each one is, but for those that lie beside a mask as its image: ``a.jpg`` or
    ``images/a.jpg`` with ``a.png``, ``a.jpg`` with ``a_mask.png``, whatever lies in ``a/`` with
    ``a/seg.png``. Of predictions those are whose case has a reference.

    Parameters
    ----------
    found, expected : Side
        Predictions and references; what is taken moves from :attr:`Side.others` to the masks.
    """
    predictions, references = _named(found), _named(expected)
    beside = _Beside(expected)
    known = {*found.named, *(key.case for key in predictions)}
    _take(
        expected,
        {
            key: each
            for key, each in references.items()
            if key.case in known or key.label is not None or each not in beside
        },
    )
    _take(found, {key: each for key, each in predictions.items() if key.case in expected.named})


def expect_unread_tiles(tiles: Side) -> None:
    """Let tiles in formats that are not read be cases, but for those that lie beside a mask as its image."""
    beside, named = _Beside(tiles), _named(tiles)
    _take(tiles, {key: each for key, each in named.items() if key.label is not None or each not in beside})


def unread_masks(references: Side) -> list[str]:
    """Return the files in formats that are not read which would be the masks of cases of their own.

    Those are what :func:`expect_unread` takes of references; a mask that is read is none of them.
    """
    beside = _Beside(references)
    return [
        each
        for key, each in _named(references).items()
        if each not in references.masks and (key.label is not None or each not in beside)
    ]


def _named(side: Side) -> dict[Named, str]:
    """Return what is not read by its case, and its class where each has a file; only what has no mask.

    Slices of DICOM in a folder below the side's are one file, the first of them, of the folder's name.
    """
    suffixes = {each: unread.suffix(each) for each in side.others if not _is_hidden(each)}
    masks = {each: suffix for each, suffix in suffixes.items() if suffix}
    if not masks:
        return {}
    every = named_by(replace(side, masks=masks), side.pattern)
    slices = Counter(_parts(each)[0] for each, suffix in masks.items() if suffix == ".dcm")
    has = {Named(case, side.labels.get(each)) for case, paths in side.named.items() for each in paths}
    found: dict[Named, str] = {}
    for case, paths in sorted(every.named.items()):
        for each in sorted(paths):
            folder, _ = _parts(each)
            is_slice = side.pattern is None and folder and masks[each] == ".dcm" and slices[folder] > 1
            key = Named(folder if is_slice else case, every.labels.get(each))
            if key not in has:
                found.setdefault(key, each)
    return found


def _is_hidden(relative: str) -> bool:
    return relative.endswith("/") or relative.rpartition("/")[2].startswith(".")


def _take(side: Side, named: Mapping[Named, str]) -> None:
    for key, relative in named.items():
        side.named.setdefault(key.case, []).append(relative)
        side.masks[relative] = unread.suffix(relative) or ""
        if key.label is not None:
            side.labels[relative] = key.label
    taken = set(named.values())
    side.others = [each for each in side.others if each not in taken]


class _Beside:
    """What lies beside the masks of a side as their images."""

    def __init__(self, side: Side) -> None:
        masks = [(*_parts(relative), side.masks[relative]) for relative in side.masks]
        bases = Counter(base[: -len(suffix)] for _, base, suffix in masks)
        self._bases = set(bases)
        self._starts = {start for base in bases for start in _starts(base)}
        by_folder: defaultdict[str, list[str]] = defaultdict(list)
        for folder, base, suffix in masks:
            by_folder[folder].append(base[: -len(suffix)])
        #: Folders that are a case: each has one mask, and others have one of the same name.
        self._cases = {
            folder for folder, (base, *more) in by_folder.items() if folder and not more and bases[base] > 1
        }

    def __contains__(self, relative: str) -> bool:
        folder, base = _parts(relative)
        base = base[: -len(unread.suffix(relative) or "")] if unread.suffix(relative) else base
        above = folder.split("/")
        return (
            base in self._bases
            or base in self._starts
            or any(start in self._bases for start in _starts(base))
            or any("/".join(above[:end]) in self._cases for end in range(1, len(above) + 1))
        )


def _parts(relative: str) -> tuple[str, str]:
    folder, _, base = relative.rpartition("/")
    return folder, base


def _starts(base: str) -> Iterator[str]:
    """Yield what stands before each sign between the words of a name."""
    return (base[: found.start()] for found in _BETWEEN.finditer(base) if found.start())
