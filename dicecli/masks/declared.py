"""The labels that a mask holds, against those that are declared."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import UnknownLabel
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from dicecli.records.labels import LabelScheme


def check_declared(sizes: Mapping[int, int], scheme: LabelScheme) -> None:
    """Refuse labels that the declared scheme lacks, instead of dropping their pixels.

    Raises
    ------
    UnknownLabel
    """
    if not scheme.is_declared:
        return
    strange = {
        label: n for label, n in sizes.items() if label not in scheme.known and label != scheme.background
    }
    if strange:
        shown = some_of([f"{label} ({counted(n, 'pixel')})" for label, n in sorted(strange.items())], 5)
        raise UnknownLabel(
            f"label {shown} is not declared by {scheme.source}",
            "If 255 stands for label 1, which is declared: --threshold 128."
            if scheme.is_one and 255 in strange and set(sizes) <= {0, 255}
            else "Declare it there: then its pixels count as errors wherever the other mask says something "
            "else. --ignore-label N would leave out every pixel whose reference is N, so that what is "
            "predicted there counts no more.",
        )
