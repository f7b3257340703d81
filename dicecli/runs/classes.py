"""Files that are a class each: a case has several on a side, matched with the other side's by name.

Longer than other modules: of many cases and of one case it is the same matching.
"""

from __future__ import annotations

import os
import shlex
from typing import TYPE_CHECKING

from dicecli.errors import AmbiguousPair, Missing
from dicecli.masks.class_names import members_of
from dicecli.records.alike import difference, look
from dicecli.records.measurements import Row
from dicecli.records.natural import natural
from dicecli.records.one_each import OneEach, lacking
from dicecli.runs.listing import Listed, list_side
from dicecli.runs.name_kinds import Kind, kind_of
from dicecli.runs.naming import Side, listed, several
from dicecli.runs.placeholders import filled
from dicecli.runs.sides import Sides, is_folder
from dicecli.runs.unread import expect_unread
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

    from dicecli.records.cases import Case
    from dicecli.records.settings import Settings

_NAMED = 5


def classes_in(sides: Iterable[Side], cases: Collection[str]) -> tuple[str, ...]:
    """Return every class that some of the cases have a file of, on either side, in natural order."""
    found = {
        side.labels[relative]
        for side in sides
        for case, masks in side.named.items()
        if case in cases
        for relative in masks
        if relative in side.labels
    }
    return tuple(sorted(found, key=natural))


def mask_of(side: Side, case: str, classes: Sequence[str]) -> str | OneEach | None:
    """Return the mask of a case on a side: a file, or one for each class; None where there is none.

    Raises
    ------
    AmbiguousPair
        Several files for one.
    """
    if not side.labels:
        return side.mask(case)
    if case not in side.named:
        return None
    named: dict[str, list[str]] = {}
    for relative in side.named[case]:
        named.setdefault(side.labels[relative], []).append(relative)
    return _one_each(side, filled(side.path(side.pattern or ""), case), named, classes)


def _one_each(side: Side, called: str, named: Mapping[str, Sequence[str]], classes: Sequence[str]) -> OneEach:
    for name, masks in named.items():
        if len(masks) > 1:
            raise side.error(
                f"the class '{name}' of {called} has {several(masks)}",
                "Keep one of them in the folder, and move the others out of it.",
                AmbiguousPair,
            )
    return OneEach(
        called, tuple((name, side.path(named[name][0]) if name in named else None) for name in classes)
    )


def notes_on_classes(
    found: Side, expected: Side, classes: Sequence[str], cases: Collection[str]
) -> list[str]:
    """Say which classes only one side of a run has, and which names could be cut otherwise."""
    notes = [each.in_doubt for each in (found, expected) if each.in_doubt is not None]
    if not (found.labels and expected.labels):
        return notes
    own = {side.side: classes_in([side], cases) for side in (found, expected)}
    for side, other in (("prediction", "reference"), ("reference", "prediction")):
        alone = [name for name in own[side] if name not in own[other]]
        if alone:
            notes.append(f"of {len(classes):,} classes only {side}s have {some_of(alone, _NAMED)}")
    return notes


def is_complete(case: Case, settings: Settings) -> bool:
    """Tell whether each class that one side of a case has, and that has a row, is there on the other side."""
    return not any(_absent(case, settings).values())


def _absent(case: Case, settings: Settings) -> dict[str, list[str]]:
    sides = (("prediction", case.prediction, case.reference), ("reference", case.reference, case.prediction))

    def has_row(name: str) -> bool:
        """Tell whether a class is asked for."""
        return settings.has_layer(Row("region", None, name, members_of(name, settings.labels)))

    return {side: [*filter(has_row, lacking(mask, other))] for side, mask, other in sides}


def check_complete(case: Case, settings: Settings) -> None:
    """Check that each class which one side of a case has is there on the other side, too.

    Where some labels alone are asked for, what the others lack is no matter.

    Raises
    ------
    Missing
    """
    absent = _absent(case, settings)
    said = [
        f"the {side} has no file of {_classes(names)}, which the other side has: {some_of(names, _NAMED)}"
        for side, names in absent.items()
        if names
    ]
    if not said:
        return
    alike = {look(name): name for name in absent["reference"]}
    slips = [(alike[look(name)], name) for name in absent["prediction"] if look(name) in alike]
    said += [f"'{a}' and '{b}' are two classes, which differ {difference(a, b)}" for a, b in slips[:1]]
    raise Missing(
        "; ".join(said),
        "Make them, and name the files of one class alike; or count them as empty: --missing zero; or leave "
        "the case out: --missing skip; or score other classes alone: --only NAME,NAME.",
        f"{case.prediction} against {case.reference}",
    )


def said_of(mask: object) -> str:
    """Return how a dry run shows a side: its path; of a file for each class, which ones there are not."""
    if not isinstance(mask, OneEach):
        return str(mask)
    there, without = len(mask.paths), mask.without
    none = f", none of {some_of(without, _NAMED)}" if without else ""
    return f"{mask} ({counted(there, 'file')}{none})"


def _classes(names: Sequence[str]) -> str:
    return f"{len(names):,} class{'es' * (len(names) != 1)}"


def with_classes(prediction: object, reference: object) -> Sides:
    """Return both sides of a single case, with the files of a class each in place of a folder.

    The classes are named by the files, without their suffixes; what lies in folders below is left out.

    Raises
    ------
    PairingError
        A folder that cannot be listed, or in which no mask lies.
    """
    given = {"prediction": prediction, "reference": reference}
    folders = {side: os.fspath(each) for side, each in given.items() if is_folder(each)}  # type: ignore[call-overload]  # paths
    sides = {side: list_side(side, folder, None) for side, folder in folders.items()}
    if len(sides) == 2:
        expect_unread(sides["prediction"], sides["reference"])
    named = {side: _directly(each) for side, each in sides.items()}
    classes = sorted({name for each in named.values() for name in each}, key=natural)
    masks = given | {
        side: _one_each(each, folders[side], named[side], classes) for side, each in sides.items()
    }
    notes = [
        f"{side}: {counted(below, 'mask')} in folders below {'is' if below == 1 else 'are'} left out"
        for side, each in sides.items()
        if (below := len(each.named) - len(named[side]))
    ]
    advice = ""
    if len(folders) == 2:
        batch = f"dicecli batch {shlex.join(folders.values())}"
        notes.insert(
            0, f"two folders: one case, of a file for each of {_classes(classes)}; of many cases: {batch}"
        )
        advice = f"If the files are cases, and no classes of one: {batch}."
    else:
        ((side, names),) = named.items()
        advice = _of_one_folder(given, sides[side], [each for masks in names.values() for each in masks])
    listed = tuple(Listed.of(each, has_below=False) for each in sides.values())
    return Sides(masks["prediction"], masks["reference"], tuple(notes), advice, listed)


def _of_one_folder(given: Mapping[str, object], side: Side, masks: Sequence[str]) -> str:
    """Return what else a folder may be, beside what is no folder: labels with their images, or tiles."""
    kinds = {each: kind_of(each[: -len(side.masks[each])]) for each in masks}
    labels = [each for each, kind in kinds.items() if kind > Kind.UNSAID]
    if len(labels) == 1 and set(kinds.values()) == {Kind.IMAGE, kinds[labels[0]]}:
        return f"If the other files are images, give the labels alone: {shlex.quote(side.path(labels[0]))}."
    if not all(isinstance(each, (str, os.PathLike)) for each in given.values()):
        return ""
    both = shlex.join(os.fspath(given[each]) for each in ("prediction", "reference"))  # type: ignore[call-overload]  # paths
    return f"If the files are tiles of the other side, and no classes: dicecli batch {both}."


def _directly(side: Side) -> dict[str, list[str]]:
    """Return the masks that lie in a folder itself, by name.

    Raises
    ------
    PairingError
        All of them lie in folders below.
    """
    found = {name: masks for name, masks in side.named.items() if "/" not in name}
    if not found:
        first = os.path.dirname(side.path(min(side.masks, key=natural)))  # noqa: PTH120 - strings throughout
        raise side.error(
            f"no mask lies in this folder, and {len(side.masks):,} in folders below: {listed(side.masks)}",
            f"Give the folder that the masks of one case lie in: {shlex.quote(first)}.",
        )
    return found
