"""The confusion matrix, which every overlap metric comes from: how often each pair of labels meets.

It is what the census counts, so that it costs no pass. The counts of labels and regions are read from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.records.measurements import IMAGE
from dicecli.statistics.matrix.cells import Matrix
from dicecli.statistics.matrix.counts import (
    COLUMNS,
    FACTS,
    SUMMANDS,
    every,
    facts,
    is_layered,
    is_there,
    label_counts,
    region_counts,
    sizes,
    taken,
    weight,
    wrong,
)

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Opened

__all__ = [
    "COLUMNS",
    "FACTS",
    "MEASURES",
    "OPTIONS",
    "READS",
    "SUMMANDS",
    "Matrix",
    "begin",
    "done",
    "every",
    "facts",
    "halo",
    "is_layered",
    "is_there",
    "label_counts",
    "region_counts",
    "sizes",
    "taken",
    "weight",
    "wrong",
]

READS = "labels"
OPTIONS: tuple[str, ...] = ()
#: Of all labels together; or of a row that has a matrix of its own, as binary layers have.
MEASURES = {"image": Matrix, "label": Matrix, "region": Matrix}


def halo(opened: Opened, options: Mapping[str, Any]) -> None:
    """Return None: the census is enough."""


def begin(opened: Opened, options: Mapping[str, Any]) -> None:
    """Return None: no pass is made for it."""


def done(state: object, opened: Opened, mapped: Mapped = map) -> Iterator[tuple[Row, Matrix]]:
    """Yield the matrix of two label maps; of binary layers one for each."""
    del state, mapped
    if opened.is_layered:
        yield from zip(opened.rows, map(Matrix.of, opened.census.values()), strict=True)
    else:
        yield IMAGE, Matrix.of(opened.census[0, 0])
