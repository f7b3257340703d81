"""What a census counts apart: pixels that are left out for another reason than what the reference is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from dicecli.statistics._confusion import ConfusionMatrix

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping

    #: By the places of two layers; of what is not compared there is a third number: why.
    Counted = Mapping[tuple[int, ...], ConfusionMatrix]
    #: Blocks of both sides.
    Blocks = tuple[np.ndarray, np.ndarray]

#: Why pixels are counted apart: they are outside the field; a map of probabilities has nodata there.
OUTSIDE, UNKNOWN = 1, 2


def nothing(
    places: Iterable[tuple[int, int]], reasons: Iterable[int] = ()
) -> dict[tuple[int, ...], ConfusionMatrix]:
    """Return the census of no pixels."""
    every = [*places]
    apart = [(*place, why) for why in reasons for place in every]
    return dict.fromkeys([*every, *apart], ConfusionMatrix.empty())


def parted(
    blocks: Blocks, reasons: Iterable[tuple[int, np.ndarray]]
) -> Iterator[tuple[tuple[int, ...], Blocks]]:
    """Yield what is counted apart of two blocks, by the first reason that holds; then the rest."""
    kept: np.ndarray | None = None
    for why, where in reasons:
        here = where if kept is None else where & kept
        if here.any():
            yield (why,), (blocks[0][here], blocks[1][here])
            kept = ~where if kept is None else kept & ~where
    if kept is None:
        yield (), blocks
    elif kept.any():
        yield (), (blocks[0][kept], blocks[1][kept])


def to_compare(census: Counted) -> dict[tuple[int, int], ConfusionMatrix]:
    """Return what was counted where nothing keeps pixels from being compared, by the places of two layers."""
    return {(first, second): each for (first, second, *why), each in census.items() if not why}


def whole(census: Counted) -> dict[tuple[int, int], ConfusionMatrix]:
    """Return what was counted of whole masks, wherever that is, by the places of two layers."""
    found = to_compare(census)
    for (first, second, *why), each in census.items():
        if why:
            found[first, second] += each
    return found


def where_predicted(matrix: ConfusionMatrix, unpredicted: Collection[int]) -> ConfusionMatrix:
    """Return the matrix of the pixels whose prediction is none of some labels."""
    if not unpredicted:
        return matrix
    labels = np.array(matrix.labels, np.int64)
    keep = ~np.isin(labels, list(unpredicted))
    return ConfusionMatrix.from_pairs(labels, labels[keep], matrix.table[:, keep])
