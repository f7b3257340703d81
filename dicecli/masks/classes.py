"""A mask that is one file for each class: its layers, in one order and on one grid, and their rows."""

from __future__ import annotations

import shlex
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from dicecli.errors import CaseError, ChannelMismatch, GeometryError, NotLabels, ShapeMismatch, UnknownLabel
from dicecli.masks.alignment import align
from dicecli.masks.arrays import NothingSource
from dicecli.masks.class_names import members_of
from dicecli.masks.differing import differences
from dicecli.records.measurements import Row
from dicecli.records.one_each import OneEach, lacking
from dicecli.records.schemes import naming
from dicecli.words import did_you_mean, every, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dicecli.masks.sources import MaskSource
    from dicecli.records.cases import Case
    from dicecli.records.labels import LabelScheme
    from dicecli.records.settings import Settings

_NAMED = 5
_OTHER = {"reference": "prediction", "prediction": "reference"}


def in_order(names: Sequence[str], scheme: LabelScheme) -> list[str]:
    """Return classes in the order in which regions and labels are declared; others follow in their own."""
    declared = (*scheme.regions, *scheme.names.values())
    places = {name: place for place, name in enumerate(declared)}
    return sorted(names, key=lambda name: places.get(name, len(places)))


@dataclass(frozen=True)
class Classes:
    """What the layers of a case are where a side is a file for each class; by default no side is.

    Attributes
    ----------
    rows : tuple of Row
        A row for each class; its members are the labels of that name, or the region's.
    sides : tuple of str
        The sides that are a file for each class; the other one, if any, is a label map, or not there.
    lacking : mapping of str to tuple of str
        By side, the classes that have no file there although the other side has them.
    neither : tuple of str
        The classes that other cases of the run have, and neither side of this one.
    """

    rows: tuple[Row, ...] = ()
    sides: tuple[str, ...] = ()
    lacking: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    neither: tuple[str, ...] = ()

    def check(self, **layers: Sequence[MaskSource]) -> None:
        """Refuse a side of binary layers, which have no names, beside a side of a file for each class.

        Raises
        ------
        ChannelMismatch
        """
        for side, sources in layers.items():
            if self.rows and side not in self.sides and len(sources) > 1:
                raise ChannelMismatch(
                    f"it has {len(sources)} binary layers, which have no names; the {_OTHER[side]} has a "
                    "file for each class",
                    "Save it as a file for each class, too; or as a label map.",
                    sources[0].path,
                    side,
                )


def _asked(mask: OneEach, settings: Settings) -> dict[str, Row]:
    """Return the classes that have a row, each with it, as they are declared."""
    scheme = settings.labels
    rows = {
        name: Row("region", None, name, members_of(name, scheme)) for name in in_order(mask.names, scheme)
    }
    return {name: row for name, row in rows.items() if settings.has_layer(row)}


def classes_of(case: Case, settings: Settings) -> Classes:
    """Return what the layers of a case are where a side is a file for each class.

    Where some labels alone are asked for, these are all that there is of it.

    Raises
    ------
    NotLabels
        None of the classes is asked for.
    UnknownLabel
        The other side is a label map, in which nobody knows what a class is.
    """
    sides = {"reference": case.reference, "prediction": case.prediction}
    of_classes = {side: each for side, each in sides.items() if isinstance(each, OneEach)}
    if not of_classes:
        return Classes()
    side, first = next(iter(of_classes.items()))
    other = _OTHER[side]
    rows = _asked(first, settings)
    if not rows:
        raise _none_asked(first, settings, side)
    unknown = [name for name, row in rows.items() if not row.members]
    if unknown and other not in of_classes and sides[other] is not None:
        raise _unknown(unknown, side, other, settings.labels)
    absent = {
        each: tuple(name for name in lacking(sides[each], sides[_OTHER[each]]) if name in rows)
        for each in of_classes
    }
    return Classes(
        rows=tuple(rows.values()),
        sides=tuple(of_classes),
        lacking=absent,
        neither=tuple(name for name in first.without if name in rows and name not in absent[side]),
    )


def _none_asked(mask: OneEach, settings: Settings, side: str) -> NotLabels:
    only = "" if settings.only is None else settings.only.in_words()
    return NotLabels(
        f"--only {only} names none of its classes, which are a file each: {every(mask.names)}",
        f"Name some of them, as --only {shlex.quote(next(iter(mask.names)))}; or leave out --only.",
        side=side,
    )


def _unknown(unknown: Sequence[str], side: str, other: str, scheme: LabelScheme) -> UnknownLabel:
    known = [*scheme.names.values(), *scheme.regions]
    near = did_you_mean(unknown[0], known)
    message = (
        f"the {side} has a file for each class, and no label of the {other}, a label map, is named "
        f"{some_of(unknown, _NAMED)}"
    )
    # One name says little: many sets of labels have a car, and a liver is label 1 in many.
    having = naming(unknown) if len(unknown) > 1 and not scheme.is_declared else []
    if having:
        return UnknownLabel(
            message,
            f"All of these are names of {' and of '.join(having)}: if the {other}'s labels are so numbered, "
            f"--labels {having[0]}. Else name the label of each class in a labels file, or by --region "
            f"{unknown[0]}=LABEL.",
            side=other,
        )
    return UnknownLabel(
        message,
        f"{near}Name the label of each class as its file is named: in a labels file, --labels FILE; or by "
        f"--region {unknown[0]}=LABEL. Named are {every(known) or 'none'}.",
        side=other,
    )


def opened_classes(
    side: str, mask: OneEach, settings: Settings, opened: Callable[[str, int], MaskSource]
) -> list[MaskSource]:
    """Open the file of each class that has a row, in that order; one that has no file is an empty layer.

    Parameters
    ----------
    side : {"reference", "prediction"}
    mask : OneEach
        With at least one file.
    settings : Settings
    opened : callable
        Opens a file, one of so many that share the memory of a side.

    Returns
    -------
    list of MaskSource
        Of one grid.

    Raises
    ------
    CaseError
        With the side and the file: what is wrong with it, and that the files lie on several grids.
    """
    paths = {name: path for name, path in mask.classes if path is not None}
    names = [*_asked(mask, settings)] or [*paths][:1]
    there = [name for name in names if name in paths]
    found: dict[str, MaskSource] = {}
    with ExitStack() as stack:
        # Where there is none of them, a file of another class says at least where pixels lie.
        for name in there or [*paths][:1]:
            try:
                source = stack.enter_context(opened(paths[name], max(1, len(there))))
            except CaseError as error:
                raise error.on_side(side, paths[name]) from error.__cause__
            first = next(iter(found.values()), source)
            found[name] = source if source is first else _beside(side, first, source, settings)
        if not there:
            first = stack.enter_context(_empty(first))
            found = {}
        stack.pop_all()
    return [found.get(name) or _empty(first) for name in names]


def _beside(side: str, first: MaskSource, source: MaskSource, settings: Settings) -> MaskSource:
    """Lay a class on the first one of its side.

    Raises
    ------
    ShapeMismatch, GridMismatch
    """
    kind: type[CaseError] = ShapeMismatch
    try:
        _, found, said = align(first, source, settings.geometry)
    except GeometryError as error:
        kind, found, said = type(error), source, []
        is_apart = True
    else:
        is_apart = found.shape != first.shape
    if is_apart:
        shapes = [" x ".join(map(str, each.shape)) for each in (source, first)]
        how = [f"its shape is {shapes[0]}, the other's {shapes[1]}"] if shapes[0] != shapes[1] else []
        how = how or differences(first.grid, source.grid)
        raise kind(
            f"it does not lie on {first.path}, another class of the same side: {'; '.join(how)}",
            "Save every class of a case on one grid (nearest neighbour).",
            source.path,
            side,
        )
    found.notes.extend(note for note in said if note.startswith("geometry ignored"))
    return found


def _empty(first: MaskSource) -> MaskSource:
    """Return a layer with nothing inside, to be read as the first one is."""
    found = NothingSource(first.grid, 0)
    found.notes.clear()
    found.chunks, found.order, found.dropped_axes = first.chunks, first.order, first.dropped_axes
    found.is_random_access = True
    return found
