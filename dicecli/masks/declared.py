"""The labels that a mask holds, against those that are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UnknownLabel
from dicecli.records.label_maps import option_of
from dicecli.records.only import declared
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.records.labels import LabelScheme
    from dicecli.records.only import Only

_NAMED = 5
#: The largest numbers of pixels of 8 and of 16 bits, which references mark void pixels with.
_VOID = (255, 65535)


def check_declared(
    side: str, sizes: Mapping[int, int], scheme: LabelScheme, only: Only | None = None
) -> list[str]:
    """Refuse labels that the declared scheme lacks, instead of dropping their pixels.

    Where some labels alone are asked for, others may be there: they are errors of these, and a note says so.

    Parameters
    ----------
    side : {"prediction", "reference"}
        Whose map could say that they are others.
    sizes : mapping of int to int
        Pixels by label, without nodata.
    scheme : LabelScheme
    only : Only, optional

    Returns
    -------
    list of str
        Notes.

    Raises
    ------
    UnknownLabel
    """
    if not scheme.is_declared:
        return []
    strange = {
        label: n for label, n in sizes.items() if label not in scheme.known and label != scheme.background
    }
    if not strange:
        return []
    shown = some_of([f"{label} ({counted(n, 'pixel')})" for label, n in sorted(strange.items())], _NAMED)
    is_one = scheme.is_one and 255 in strange and set(sizes) <= {0, 255}
    if only is not None and not is_one:
        return [
            f"label {shown} is not declared by {scheme.source}: it has no row, and is an error wherever the "
            "other mask has a label with one"
        ]
    raise UnknownLabel(
        f"label {shown} is not declared by {scheme.source}",
        "If 255 stands for label 1, which is declared: --threshold 128."
        if is_one
        else _void(next(iter(strange)))
        if _is_void(side, sizes, strange)
        else _hint(side, scheme),
    )


def _is_void(side: str, sizes: Mapping[int, int], strange: Mapping[int, int]) -> bool:
    """Tell whether the one label that is not declared is what references mark void pixels with."""
    return side == "reference" and len(strange) == 1 < len(sizes) and next(iter(strange)) in _VOID


def _void(label: int) -> str:
    return (
        f"In a reference {label} is usually void, as borders are, or what nobody labelled: leave out the "
        f"pixels whose reference is {label} by --ignore-label {label}. If it is a class, declare it there."
    )


def _hint(side: str, scheme: LabelScheme) -> str:
    return (
        f"Declare it there, or give a row to the others alone: --only {declared(scheme).in_words()}. Then "
        "its pixels count as errors wherever the other mask says something else. Where declared labels have "
        f"other numbers here, {option_of(side)} says which. --ignore-label N would leave out every pixel "
        "whose reference is N, so that what is predicted there counts no more."
    )
