"""Two folders, or a list of pairs, become cases; nothing is dropped in silence."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher

from dicecli.records.cases import Case
from dicecli.runs.listing import Side, list_side, listed

_NAMED = 3
#: So many names of each side are compared to see by what rule they differ.
_SAMPLE = 30
#: What a case's name does not start or end with, where one is proposed.
_EDGES = "/_-. "


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
    follow_links: bool = False,
    soft: bool = False,
) -> Pairing:
    """Pair the masks of two folders and their subfolders by name.

    A case's name is the path of its mask in the folder, without the suffix; or what ``{case}`` stands for
    in the pattern of the side. Links to folders are not followed. Links to files that lead out of the folder
    are not either, and their cases fail, unless `follow_links` says otherwise.

    Parameters
    ----------
    predictions, references : str
    prediction_pattern, reference_pattern : str, optional
        Such as ``{case}_pred.nii.gz`` or ``{case}/seg.nii.gz``, for the whole path in the folder. ``{case}``
        is one or more characters, ``/`` included, as many as can be; it is the same wherever it is repeated.
        ``*`` is any characters but ``/``, as few as can be.
    follow_links : bool
        Whether links to files may lead out of their folder.
    soft : bool
        Whether the predictions are probabilities, of which other formats can be.

    Raises
    ------
    PairingError
        A folder that cannot be listed or holds no mask, a pattern without ``{case}`` or that matches no
        mask, or several files for one side of a case.
    """
    reads = "open_probabilities" if soft else "open_mask"
    found = list_side("prediction", predictions, prediction_pattern, reads)
    expected = list_side("reference", references, reference_pattern)
    sides = () if follow_links else (expected, found)
    cases = tuple(
        Case(name, found.mask(name), expected.mask(name), refused=_refused(name, sides))
        for name in sorted(expected.named)
    )
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


def _refused(name: str, sides: tuple[Side, ...]) -> str | None:
    return next((side.side for side in sides if side.leads_outside(name)), None)


def _not_alike(found: Side, expected: Side, alone: list[str]) -> list[str]:
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


def _patterns(found: Side, expected: Side, alone: list[str], missing: list[str]) -> str:
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


def _counted(items: list[str], one: str, many: str) -> list[str]:
    return [f"{len(items):,} {one if len(items) == 1 else many}: {listed(items)}"] if items else []
