"""What is said of classes that are a file each: what is missing, what overlaps, what no file is of."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.records.labels import NO_LABEL
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.masks.classes import Classes
    from dicecli.records.settings import Settings
    from dicecli.statistics._confusion import ConfusionMatrix

_NAMED = 5


def notes_on_classes(side: str, classes: Classes, depths: ConfusionMatrix | None) -> list[str]:
    """Say which classes of a side have no file, and how many pixels are in several classes.

    Parameters
    ----------
    side : {"reference", "prediction"}
        One that is a file for each class.
    classes : Classes
    depths : ConfusionMatrix or None
        How many classes the pixels of each side are in, of those windows where that is several.
    """
    said = []
    absent = classes.lacking.get(side, ())
    if absent:
        files = f"{len(absent):,} class{'es' * (len(absent) != 1)}"
        said.append(f"no file of {files}, taken for empty: {some_of(absent, _NAMED)}")
    overlap = sum(n for depth, n in (depths.sizes(side) if depths else {}).items() if depth > 1)
    if overlap:
        each, verb = counted(overlap, "pixel"), "lies" if overlap == 1 else "lie"
        said.append(f"{each} {verb} in more than one class: counted in each")
    return said


def notes_on_neither(classes: Classes, settings: Settings) -> list[str]:
    """Say which classes of the run, and which declared regions, have no file on either side of a case."""
    if not classes.sides:
        return []
    found = {row.name for row in classes.rows}
    asked = settings.only.regions if settings.only else settings.labels.regions
    regions = [name for name in settings.labels.regions if name not in found and name in asked]
    said = {
        "no file on either side, so that nothing is there": classes.neither,
        "regions that no file is of are not scored": regions,
    }
    return [f"{what}: {some_of(names, _NAMED)}" for what, names in said.items() if names]


def notes_on_others(
    classes: Classes, renamed: Mapping[int, int], sizes: Mapping[int, int], settings: Settings
) -> list[str]:
    """Say which labels of a label map are of no class that has a file on the other side.

    Parameters
    ----------
    classes : Classes
    renamed : mapping of int to int
        What the stored labels mean.
    sizes : mapping of int to int
        Pixels by stored label.
    settings : Settings
    """
    if not classes.sides:
        return []
    rows, scheme = classes.rows, settings.labels
    known = {NO_LABEL, *scheme.ignore, scheme.background, *(label for row in rows for label in row.members)}
    others: dict[int, int] = {}
    for at, label in renamed.items():
        if label not in known and at in sizes:
            others[label] = others.get(label, 0) + sizes[at]
    if not others:
        return []
    named = [
        f"{label}{f' ({name})' if (name := scheme.name(label)) else ''}, {counted(n, 'pixel')}"
        for label, n in sorted(others.items())
    ]
    return [f"labels that no file of the other side is of are not scored: {some_of(named, _NAMED)}"]
