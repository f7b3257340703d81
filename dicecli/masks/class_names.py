"""What classes that are a file each are called, and which others are asked for beside them."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from dicecli.records.compound import Absent
from dicecli.records.measurements import Row
from dicecli.records.one_each import OneEach, names_among
from dicecli.records.only import check_classes

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from dicecli.records.cases import Case
    from dicecli.records.label_maps import Side
    from dicecli.records.labels import LabelScheme
    from dicecli.records.settings import Settings


def members_of(name: str, scheme: LabelScheme) -> tuple[int, ...]:
    """Return the labels that a class is called by: of a region, of their name, or its number itself."""
    if name in scheme.regions:
        return scheme.regions[name]
    named = tuple(label for label, each in scheme.names.items() if each == name)
    if named or not re.fullmatch(r"-?\d{1,18}", name):
        return named
    is_known = not scheme.is_declared or int(name) in scheme.names
    return (int(name),) if is_known else ()


def check_asked(settings: Settings, masks: Iterable[object]) -> None:
    """Check that a class is of what alone is asked for, where some of the masks are a file for each class.

    Beside a label map a class needs no file, if it is declared.

    Raises
    ------
    UsageError
    """
    every = list(masks)
    names = [*names_among(every)]
    if names and any(map(_is_map, every)):
        names += besides(names, settings)
    check_classes(settings.only, settings.labels, {name: members_of(name, settings.labels) for name in names})


def besides(names: Collection[str], settings: Settings) -> list[str]:
    """Return what alone is asked for and is of no class: labels and regions, as classes would be called.

    None where everything is asked for.
    """
    only, scheme = settings.only, settings.labels
    if only is None:
        return []
    rows = [Row("region", None, name, members_of(name, scheme)) for name in names]
    filed = {label for row in rows if settings.has_layer(row) for label in row.members}
    called = [scheme.name(label) or str(label) for label in only.labels if label not in filed]
    called += [name for name in only.regions if name in scheme.regions and name not in names]
    return [name for name in dict.fromkeys(called) if name not in names and members_of(name, scheme)]


def side_of_files(case: Case) -> Side | None:
    """Return the side of a case that is a file for each class beside a label map; None of any other case."""
    if isinstance(case.prediction, OneEach):
        return "prediction" if _is_map(case.reference) else None
    return "reference" if isinstance(case.reference, OneEach) and _is_map(case.prediction) else None


def adding(case: Case, side: Side, names: Iterable[str]) -> Case:
    """Return a case with further classes of which its files are none."""
    mask = getattr(case, side)
    without = ((name, None) for name in names)
    return replace(case, **{side: replace(mask, classes=(*mask.classes, *without))})


def with_asked(case: Case, settings: Settings) -> Case:
    """Return a case with the classes that alone are asked for and have no file, beside a label map."""
    side = side_of_files(case)
    names = [] if side is None else besides(getattr(case, side).names, settings)
    return adding(case, side, names) if side is not None and names else case


def _is_map(mask: object) -> bool:
    return mask is not None and not isinstance(mask, (OneEach, Absent))
