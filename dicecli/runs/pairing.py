"""Two folders, or a list of pairs, become cases; nothing is dropped in silence."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from dicecli.errors import PairingError
from dicecli.masks.class_names import check_asked
from dicecli.records.cases import Case
from dicecli.records.natural import natural
from dicecli.runs.classes import classes_in, mask_of, notes_on_classes
from dicecli.runs.laying import LABEL
from dicecli.runs.listing import Listed, list_side
from dicecli.runs.name_kinds import Kind, kind_of
from dicecli.runs.naming import Side, listed, settled
from dicecli.runs.several import classes, kinds, one_case
from dicecli.runs.unlike import unlike
from dicecli.runs.unread import expect_unread
from dicecli.words import counted

if TYPE_CHECKING:
    from collections.abc import Collection

    from dicecli.records.settings import Settings


@dataclass(frozen=True)
class Pairing:
    """The cases of a run, and every file that is in none of them.

    Attributes
    ----------
    cases : tuple of Case
        One per reference: of folders in the natural order of names (c2 before c10), of a CSV in its own.
    unpaired : tuple of str
        Predictions that have no reference.
    left_out : tuple of str
        Hidden files and folders, files that no format reads, links to folders, and masks that the pattern
        of their side does not match. Hidden folders end in ``/``.
    notes : tuple of str
        What looks odd.
    columns : tuple of str
        What else a CSV has of its cases, as the header says: cases can be grouped by it.
    is_tiled : bool
        Whether they are tiles against one raster, within which each has its window.
    folders : tuple of Listed
        What was listed.
    legends : tuple of str
        Files of labels that lie there and were looked at.
    """

    cases: tuple[Case, ...]
    unpaired: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    is_tiled: bool = False
    folders: tuple[Listed, ...] = field(default=(), compare=False)
    legends: tuple[str, ...] = ()

    def scored_by(self, settings: Settings) -> Settings:
        """Return the settings by which these cases are scored: of tiles within their windows.

        Raises
        ------
        UsageError
            What alone is asked for is in no file, where classes are a file each.
        """
        masks = (mask for case in self.cases for mask in (case.prediction, case.reference))
        check_asked(settings, masks)
        return replace(settings, window=True) if self.is_tiled else settings


def pair_folders(
    predictions: str,
    references: str,
    *,
    prediction_pattern: str | None = None,
    reference_pattern: str | None = None,
    follow_links: bool = False,
    soft: bool = False,
    declared: Collection[str] = (),
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
        ``*`` is any characters but ``/``, as few as can be. With ``{label}``, any characters but ``/``, a
        case has a file for each class, which is named so; the other side may have one for all.
    follow_links : bool
        Whether links to files may lead out of their folder.
    soft : bool
        Whether the predictions are probabilities, of which other formats can be.
    declared : collection of str
        What labels and regions are called, by which names of files may have to be cut.

    Raises
    ------
    PairingError
        A folder that cannot be listed or holds no mask, a pattern without ``{case}`` or that matches no
        mask, several files for one side or class of a case, or a file for each class beside probabilities.
    """
    if soft and any(LABEL in each for each in (prediction_pattern, reference_pattern) if each is not None):
        raise PairingError(
            f"a pattern has {LABEL}, and predictions are probabilities: a file for each class is of masks",
            f"Save the channels of each case in one file, and its labels in another, without {LABEL}; or "
            "score masks, without --soft.",
        )
    reads = "open_probabilities" if soft else "open_mask"
    found = list_side("prediction", predictions, prediction_pattern, reads)
    expected = list_side("reference", references, reference_pattern)
    expected = settled(expected, found if found.in_doubt is None else None, declared)
    found = settled(found, expected, declared)
    _check_cut(found, expected)
    expect_unread(found, expected)
    sides = () if follow_links else (expected, found)
    classes = classes_in((found, expected), expected.named)
    cases = tuple(
        Case(
            expected.spelt(name),
            mask_of(found, name, classes),
            mask_of(expected, name, classes),
            refused=next((side.side for side in sides if side.leads_outside(name)), None),
        )
        for name in sorted(expected.named, key=natural)
    )
    alone = sorted((name for name in found.named if name not in expected.named), key=natural)
    extra = sorted((relative for name in alone for relative in found.named[name]), key=natural)
    notes = _advice(found, expected, alone)
    notes += notes_on_classes(found, expected, classes, expected.named)
    notes += _counted(extra, "prediction has no reference", "predictions have no reference")
    if os.path.samefile(predictions, references):  # noqa: PTH121 - these are strings throughout
        notes = [*_of_one_folder(found, expected), *notes]
    said, left_out = on_left_out(found, expected)
    unpaired, folders = tuple(map(found.path, extra)), (Listed.of(found), Listed.of(expected))
    return Pairing(cases, unpaired, left_out, (*notes, *said), folders=folders)


def _check_cut(found: Side, expected: Side) -> None:
    """Check that cases pair where names can be cut in several ways: another way, they may.

    Raises
    ------
    PairingError
    """
    in_doubt = next((side for side in (found, expected) if side.in_doubt is not None), None)
    if in_doubt is not None and found.named.keys().isdisjoint(expected.named):
        other = expected if in_doubt is found else found
        raise in_doubt.error(
            f"no case is on both sides: {in_doubt.in_doubt}; {other.side}s have cases like "
            f"{listed(other.named)}",
            "Let one way alone be left: put the files of each case into a folder, '{case}/{label}.png'.",
        )


def _of_one_folder(found: Side, expected: Side) -> list[str]:
    """Say how many cases are one file, and let what either side has in a case be left out by none."""
    used = {*found.matched(), *expected.matched()}
    for side in (found, expected):
        side.unmatched = [relative for relative in side.unmatched if relative not in used]
    selves = sum(found.named.get(name) == masks for name, masks in expected.named.items())
    one = "is" if selves == 1 else "are"
    of_all = counted(len(expected.named), "case")
    return [f"both folders are the same folder: {selves:,} of {of_all} {one} one file"] if selves else []


def on_left_out(*sides: Side) -> tuple[list[str], tuple[str, ...]]:
    """Return notes on masks and links in folders that belong to no case, and every path that is left out.

    Pictures and instances beside labels that a pattern takes are left out on purpose, and not noted.
    """
    notes = []
    for side in sides:
        what = f"match the {side.side} pattern '{side.pattern}'"
        notes += _counted(_unexpected(side), f"mask does not {what}", f"masks do not {what}")
        notes += _counted(side.links, "link to a folder is not followed", "links to folders are not followed")
    left_out = {side.path(each) for side in sides for each in (*side.others, *side.unmatched)}
    return notes, tuple(sorted(left_out, key=natural))


def _unexpected(side: Side) -> list[str]:
    """Return the masks that the pattern does not match, without those that labels have beside them."""
    taken = next(side.matched(), None)
    if taken is None or _kind(side, taken) < Kind.UNSAID:
        return side.unmatched
    return [each for each in side.unmatched if _kind(side, each) >= Kind.UNSAID]


def _kind(side: Side, mask: str) -> Kind:
    return kind_of(mask[: -len(side.masks[mask])])


def _advice(found: Side, expected: Side, alone: list[str]) -> list[str]:
    """Say by which options other files would pair, where names say so; each of them was tried."""
    if found.pattern is not None or expected.pattern is not None:
        return unlike(found, expected, alone)
    said = one_case(found, expected) or classes(found, expected)
    return said or unlike(found, expected, alone) or kinds(found, expected)


def _counted(items: list[str], one: str, many: str) -> list[str]:
    return [f"{len(items):,} {one if len(items) == 1 else many}: {listed(items)}"] if items else []
