"""What ``{case}``, ``{label}`` and ``*`` stand for in the pattern of a side."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dicecli.records.alike import one_form
from dicecli.runs.laying import CASE, LABEL, Wish, laid

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from collections.abc import Set as AbstractSet


class Known(NamedTuple):
    """What the names of a side may be cut into, as far as others say so.

    Attributes
    ----------
    cases : set of str
        Those that the other side has.
    classes : set of str
        Those that are declared, or that the other side has files of.
    files : set of Named
        What the other side has a file of.
    """

    cases: AbstractSet[str]
    classes: AbstractSet[str]
    files: AbstractSet[Named]

    def fits(self, named: Named) -> tuple[bool, bool, bool]:
        """Return whether the other side has the very file; the case; and whether the class is known."""
        return named in self.files, named.case in self.cases, named.label in self.classes


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


def cut(
    pattern: str, masks: Iterable[str], known: Known | None = None
) -> tuple[dict[str, Named], str | None]:
    """Return what each mask is of that a pattern matches, and a note where some could be cut otherwise.

    A name is cut as what is known says. Where that says nothing,
    ``{case}`` is as many characters as can be, ``{label}`` as few; only where more of the cases would then
    have every label, it is the other way round: as of ``{case}_{label}.png``, where a label is
    ``kidney_left``. Names are cut in the form in which they are compared, and so are the pieces.

    Parameters
    ----------
    pattern : str
        For the whole path in the folder.
    masks : iterable of str
        Paths in the folder, their parts with ``/`` between.
    known : Known, optional

    Raises
    ------
    PairingError
        A placeholder is repeated, and could be too many texts.
    """
    names, pattern = list(masks), one_form(pattern)
    found = _matched(pattern, names)
    if LABEL not in pattern:
        return found, None
    other = _matched(pattern, names, as_few=True)
    apart = [name for name, each in found.items() if other[name].case != each.case]
    if not apart:
        return found, None
    if _share(other) > _share(found):
        found, other = other, found
    if known is not None:
        apart = [name for name in apart if not _settled(pattern, name, (found, other), known)]
        if not apart:
            return found, None
    name, one, two = apart[0], found[apart[0]], other[apart[0]]
    return found, (
        f"'{pattern}' cuts {name} in more than one way: it is taken for the class '{one.label}' of the case "
        f"'{one.case}', not for '{two.label}' of '{two.case}'"
    )


def _settled(pattern: str, name: str, cuts: Sequence[dict[str, Named]], known: Known) -> bool:
    """Cut a name as what is known says, in the first of both cuts; tell whether that is one way alone."""
    found, other = cuts
    shortest, longest = sorted((len(found[name].case), len(other[name].case)))
    ways = {found[name]: known.fits(found[name])}
    for length in range(shortest, longest + 1):
        texts = laid(pattern, one_form(name), Wish(length=length))
        if texts is not None:
            way = Named(**texts)
            ways[way] = known.fits(way)
    best = max(ways.values())
    fitting = [way for way, fits in ways.items() if fits == best]
    found[name] = fitting[0]
    return len(fitting) == 1 and any(best)


def _matched(pattern: str, masks: Iterable[str], *, as_few: bool = False) -> dict[str, Named]:
    wish = Wish(is_short=as_few)
    texts = ((name, laid(pattern, one_form(name), wish)) for name in masks)
    return {name: Named(**each) for name, each in texts if each is not None}


def _share(found: Mapping[str, Named]) -> float:
    """Return the share of all classes of all cases that have a file."""
    cases, labels = ({each[at] for each in found.values()} for at in (0, 1))
    return len(set(found.values())) / (len(cases) * len(labels))


def filled(pattern: str, case: str) -> str:
    """Return a pattern with the name of a case in its place."""
    return pattern.replace(CASE, case)


def classes_named(*patterns: str | None) -> tuple[str, ...] | None:
    """Return the classes that are files by patterns: none; or None, where pairing shows which there are."""
    return None if any(isinstance(each, str) and LABEL in each for each in patterns) else ()
