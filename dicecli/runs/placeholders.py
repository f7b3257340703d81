"""What ``{case}``, ``{label}`` and ``*`` stand for in the pattern of a side."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

CASE, LABEL = "{case}", "{label}"


class Named(NamedTuple):
    """What a file is of.

    Attributes
    ----------
    case : str
    label : str or None
        The class; None where the pattern has no ``{label}``, so that the file holds every class.
    """

    case: str
    label: str | None = None


def cut(pattern: str, masks: Iterable[str]) -> tuple[dict[str, Named], str | None]:
    """Return what each mask is of that a pattern matches, and a note where some could be cut otherwise.

    ``{case}`` is as many characters as can be, ``{label}`` as few. Only where more of the cases would then
    have every label, it is the other way round: as of ``{case}_{label}.png``, where a label is
    ``kidney_left``.

    Parameters
    ----------
    pattern : str
        For the whole path in the folder.
    masks : iterable of str
        Paths in the folder, their parts with ``/`` between.
    """
    names = list(masks)
    found = _matched(pattern, names)
    if LABEL not in pattern:
        return found, None
    other = _matched(pattern, names, as_few=True)
    apart = [name for name, each in found.items() if other[name].case != each.case]
    if not apart:
        return found, None
    if _share(other) > _share(found):
        found, other = other, found
    name, one, two = apart[0], found[apart[0]], other[apart[0]]
    return found, (
        f"'{pattern}' cuts {name} in more than one way: it is taken for the class '{one.label}' of the case "
        f"'{one.case}', not for '{two.label}' of '{two.case}'"
    )


def _matched(pattern: str, masks: Iterable[str], *, as_few: bool = False) -> dict[str, Named]:
    expression = _expression(pattern, as_few=as_few)
    matches = {name: expression.fullmatch(name) for name in masks}
    return {name: Named(**match.groupdict()) for name, match in matches.items() if match}


def _share(found: Mapping[str, Named]) -> float:
    """Return the share of all classes of all cases that have a file."""
    cases, labels = ({each[at] for each in found.values()} for at in (0, 1))
    return len(set(found.values())) / (len(cases) * len(labels))


def _expression(pattern: str, *, as_few: bool) -> re.Pattern[str]:
    """Translate a pattern into a regular expression for whole paths."""
    groups = {CASE: ".+?", LABEL: "[^/]+"} if as_few else {CASE: ".+", LABEL: "[^/]+?"}
    expression = ""
    for part in re.split(r"(\{case\}|\{label\}|\*+)", pattern.replace(os.sep, "/")):
        if part in groups:
            name = part[1:-1]
            is_repeated = f"(?P<{name}>" in expression
            expression += f"(?P={name})" if is_repeated else f"(?P<{name}>{groups[part]})"
        else:
            expression += "[^/]*?" if part.startswith("*") else re.escape(part)
    return re.compile(expression, re.DOTALL)


def filled(pattern: str, case: str) -> str:
    """Return a pattern with the name of a case in its place."""
    return pattern.replace(CASE, case)


def classes_named(*patterns: str | None) -> tuple[str, ...] | None:
    """Return the classes that are files by patterns: none; or None, where pairing shows which there are."""
    return None if any(isinstance(each, str) and LABEL in each for each in patterns) else ()
