"""The labels of a mask under other numbers: what a map of labels makes of what its stored values mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UnknownLabel
from dicecli.records.label_maps import Span, option_of
from dicecli.records.labels import NO_LABEL
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from dicecli.records.label_maps import LabelMap

_BINARY = 255
#: So many characters of a map are shown.
_SHOWN = 80


class Meant(NamedTuple):
    """What the stored labels of a label map mean.

    Attributes
    ----------
    labels : dict of int to int
        Every stored label with the label that it means; ``NO_LABEL`` where nothing is known, or it is none.
    notes : list of str
    ignored : frozenset of int
        The stored labels that a map of the user's says are none.
    """

    labels: dict[int, int]
    notes: list[str]
    ignored: frozenset[int] = frozenset()


def numbered(
    side: str, labels: Mapping[int, int], sizes: Mapping[int, int], of_side: LabelMap | None
) -> Meant:
    """Return the labels of a mask as a map of the user's reads them, by stored label.

    Parameters
    ----------
    side : {"prediction", "reference"}
    labels : mapping of int to int
        What each stored label means, before the map.
    sizes : mapping of int to int
        Pixels by stored label.
    of_side : LabelMap or None
        None: labels stay as they are.

    Raises
    ------
    UnknownLabel
        Labels that the map lacks.
    """
    if of_side is None:
        return Meant(dict(labels), [])
    pixels: dict[int, int] = {}
    for stored, label in labels.items():
        pixels[label] = pixels.get(label, 0) + sizes[stored]
    table = _mapped(side, pixels, of_side)
    found = {stored: table[label] for stored, label in labels.items()}
    none = frozenset(stored for stored, label in found.items() if label is None)
    said = of_side.said(side)
    return Meant(
        {at: NO_LABEL if to is None else to for at, to in found.items()}, [said] if said else [], none
    )


def _mapped(side: str, sizes: Mapping[int, int], of_side: LabelMap) -> dict[int, int | None]:
    """Return what each label of a whole mask is read as: None for what is no label.

    Parameters
    ----------
    side : {"prediction", "reference"}
    sizes : mapping of int to int
        Pixels by label, without nodata.
    of_side : LabelMap

    Raises
    ------
    UnknownLabel
        Labels that the map lacks.
    """
    strange = {label: n for label, n in sorted(sizes.items()) if not of_side.has(label)}
    if not strange:
        return {label: of_side[label] for label in sizes}
    shown = some_of([f"{label} ({counted(n, 'pixel')})" for label, n in strange.items()], 5)
    first = min(strange)
    message = f"label {shown} is not in the map of the {side}'s labels, {_shortened(of_side.text)}"
    option = option_of(side)
    if sizes.keys() <= {0, _BINARY}:
        raise UnknownLabel(
            f"{message}; where labels are mapped, 255 is not read as 1 by itself",
            f"Say what it is in {option}: add 255=1 to read it as 1, 255=255 to keep it, or 255=ignore "
            "where it is no label.",
        )
    kept = _kept(strange, of_side)
    whole = f"{of_side.text},{kept}"
    written = f" ({option} '{whole}')" if len(whole) <= _SHOWN else ""
    raise UnknownLabel(
        message,
        f"Say what it is in {option}: add {kept} to keep {'it' if len(strange) == 1 else 'them'}{written}, "
        f"{first}=ignore where it is none, or *=ignore for all that the map lacks.",
    )


def _kept(strange: Iterable[int], of_side: LabelMap) -> str:
    """Write that labels keep their numbers, and those between them that the map has not either.

    Other masks of the run may have these.
    """
    spans: list[Span] = []
    for label in strange:
        before = spans[-1] if spans else None
        between = before and any(each.first < label and each.last > before.last for each in of_side.spans)
        if before is None or between:
            spans.append(Span(label, label, label))
        else:
            spans[-1] = Span(before.first, label, 0, is_step=True)
    return ",".join(span.text for span in spans)


def _shortened(text: str) -> str:
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
