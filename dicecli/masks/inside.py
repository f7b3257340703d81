"""What stored labels mean where sides are compared layer by layer: inside, outside, nothing known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dicecli.errors import NotLabels
from dicecli.masks.arrays import NothingSource
from dicecli.records.labels import NO_LABEL
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from dicecli.masks.sources import MaskSource
    from dicecli.records.measurements import Row
    from dicecli.records.settings import Settings


def meant_inside(source: MaskSource, sizes: Mapping[int, int], settings: Settings) -> dict[int, int]:
    """Decide what each stored label of a binary layer means: 1 is inside, 0 outside.

    Raises
    ------
    ManyVolumes
        It holds 1 beside 255.
    NotLabels
        It has nodata, which would leave out other pixels of each layer; or, being a file for one class, it
        holds anything but 0, and 1 or 255.
    """
    known = set(sizes) - {source.nodata_label}
    is_outside = settings.nodata == "background" or (settings.nodata == "auto" and source.nodata == 0)
    has_nodata = source.nodata_label in sizes and not is_outside
    if {1, 255} <= known or not known <= {0, 1, 255}:
        raise source.refusal or _of_many(source, {label: sizes[label] for label in known - {0}})
    if has_nodata:
        raise NotLabels(
            "several binary layers hold nodata, which would leave out other pixels of each",
            "Take it for outside: --nodata background; or for a value like any other: --nodata label. Or say "
            "which band holds labels: --band N.",
            source.path,
        )
    return {label: int(label in {1, 255} & known) for label in sizes}


def _of_many(source: MaskSource, sizes: Mapping[int, int]) -> NotLabels:
    shown = some_of([f"{label} ({counted(n, 'pixel')})" for label, n in sorted(sizes.items())], 5)
    return NotLabels(
        f"it holds {shown}; a file for one class is expected to hold 0, and 1 or 255 inside",
        "Save it as 0 and 1, with 1 where the class is. If it holds several classes it is a label map: put "
        "no {label} into the pattern of its side.",
        source.path,
    )


def meant_regions(
    source: MaskSource, renamed: Mapping[int, int], rows: Sequence[Row], settings: Settings
) -> list[dict[int, int]]:
    """Return whether each stored label of a label map is inside each of some regions: 1, or 0.

    Where it is left out or nothing is known it is ``NO_LABEL``; a prediction that is not there is outside.

    Parameters
    ----------
    source : MaskSource
    renamed : mapping of int to int
        What its stored labels mean: see :func:`meant`.
    rows : sequence of Row
        The regions.
    settings : Settings
    """
    if isinstance(source, NothingSource):
        return [dict.fromkeys(renamed, 0) for _ in rows]
    left_out = {NO_LABEL, *settings.labels.ignore}
    return [
        {at: NO_LABEL if label in left_out else int(label in row.members) for at, label in renamed.items()}
        for row in rows
    ]
