"""Whether a prediction would fit if mirrored, transposed or shifted: tried where labels never overlap.

Both masks are read once more, and only the pixels that belong to a label are held. Which moves are worth a
count is seen from how many pixels of one label lie in each row, column and plane; few are counted.
"""

from __future__ import annotations

import math
from contextlib import closing
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.records.observed import Cells, Moved
from dicecli.statistics._moves import Move, worth_counting

if TYPE_CHECKING:
    from dicecli.masks.pair import Pair
    from dicecli.statistics._confusion import ConfusionMatrix
    from dicecli.statistics._opened import Opened

#: Nothing is tried in larger masks, nor where more pixels belong to labels, nor where their box is larger.
MAX_PIXELS, MAX_LABELLED, _MAX_BOX = 1 << 27, 1 << 21, 1 << 26
#: Nor where there are more labels: the table of one move has a place for each pair of them.
_MAX_ROWS = 256
#: Nothing is tried where fewer of the labels never overlap: macro IoU could hardly rise enough.
_LEAST_SHARE = 0.2
#: The IoU that the label must come to; of a shift, which some object or other often fits, a higher one.
_LEAST_IOU, _LEAST_IOU_OF_SHIFT = 0.5, 0.8


class _Points(NamedTuple):
    """The pixels of one side that belong to a label.

    Attributes
    ----------
    at : numpy.ndarray
        int64, shape ``(axes, pixels)``: where they lie.
    places : numpy.ndarray
        The place of each pixel's row, counted from 1; in the reference one more where it is left out.
    """

    at: np.ndarray
    places: np.ndarray


def moved(pair: Pair, opened: Opened, background: int | None) -> Moved | None:
    """Find a move of the prediction by which labels overlap that do not overlap at all.

    Parameters
    ----------
    pair : Pair
        Of label maps, still open.
    opened : Opened
    background : int or None
        The label that is none of those.

    Returns
    -------
    Moved or None
        None where all labels overlap, where nothing fits, or where trying would take longer than counting.

    Raises
    ------
    CaseError
        As whatever reads masks.
    """
    label = _apart(opened, background)
    if label is None:
        return None
    reference, prediction = _points(pair, opened, background)
    place = 1 + [row.label for row in opened.rows].index(label)
    own = [each.at[:, each.places == place] for each in (reference, prediction)]
    best: tuple[float, Move] | None = None
    counter = _Counter(reference, opened)
    for move in worth_counting(own[0], own[1], opened.shape):
        iou = counter.iou(move, prediction, place)
        least = _LEAST_IOU_OF_SHIFT if any(move.steps) else _LEAST_IOU
        if iou >= least and (best is None or iou > best[0] + 0.01):
            best = iou, move
    if best is None:
        return None
    return Moved(*best[1], label, counter.cells(best[1], prediction, background))


def _apart(opened: Opened, background: int | None) -> int | None:
    """Return the largest label that both sides have and that does not overlap, if enough labels are so."""
    pixels = math.prod(opened.shape)
    is_small = pixels <= MAX_PIXELS and len(opened.rows) <= _MAX_ROWS
    if len(opened.census) != 1 or not is_small or len(opened.shape) not in {2, 3}:
        return None
    matrix: ConfusionMatrix = opened.census[0, 0]
    overlap = dict(zip(matrix.labels, matrix.table.diagonal().tolist(), strict=True))
    labels = {row.label for row in opened.rows if row.label is not None} - {background}
    sizes = matrix.sizes("reference"), matrix.sizes("prediction")
    apart = [each for each in labels if each in sizes[0] and each in sizes[1] and not overlap[each]]
    labelled = max(sum(n for label, n in side.items() if label in labels) for side in sizes)
    if opened.unpredicted:
        return None  # what is left out would move with the prediction
    left_out = pixels - opened.counted
    if len(apart) < max(1, _LEAST_SHARE * len(labels)) or labelled + left_out > MAX_LABELLED:
        return None
    return max(apart, key=lambda label: (sizes[0][label], -label))


def _points(pair: Pair, opened: Opened, background: int | None) -> tuple[_Points, _Points]:
    """Read both masks, and return their labelled pixels; those left out are in the reference's."""
    background_place = next((at for at, row in enumerate(opened.rows, 1) if row.label == background), 0)
    left_out = len(opened.rows) + 1
    found: list[list[_Points]] = [[], []]
    windows = pair.windows()
    with closing(pair.blocks(windows)) as blocks:
        for window, stored in zip(windows, blocks, strict=True):
            block = opened.block(window, window, stored, pair.prediction)
            reference, prediction = block.reference[0], block.prediction[0]
            if block.ignored is not None:
                reference = np.where(block.ignored, left_out, reference)
            starts = np.array([[part.start] for part in window])
            for side, places in zip(found, (reference, prediction), strict=True):
                is_labelled = places != 0
                if background_place:
                    is_labelled &= places != background_place
                at = np.flatnonzero(is_labelled)
                where = np.stack(np.unravel_index(at, places.shape))
                side.append(_Points(where + starts, places.ravel()[at]))
    first, second = (
        _Points(np.concatenate([each.at for each in side], 1), np.concatenate([each.places for each in side]))
        for side in found
    )
    return first, second


class _Counter:
    """Counts how often labels meet after a move; holds the box of the reference's labels.

    Parameters
    ----------
    reference : _Points
    opened : Opened
    """

    def __init__(self, reference: _Points, opened: Opened) -> None:
        self._opened, self._width = opened, len(opened.rows) + 2
        self._start = reference.at.min(axis=1)
        self._size = reference.at.max(axis=1) - self._start + 1
        self._places = reference.places
        self._canvas = np.zeros(0, np.uint16)
        if np.prod(self._size, dtype=float) <= _MAX_BOX:
            dtype = np.min_scalar_type(self._width)
            self._canvas = np.zeros(tuple(self._size.tolist()), dtype)
            self._canvas[tuple(reference.at - self._start[:, None])] = reference.places

    def _met(self, move: Move, prediction: _Points) -> tuple[np.ndarray, np.ndarray]:
        """Return the places of both sides in each pixel that the prediction labels and that stays inside."""
        at = move.applied(prediction.at, self._opened.shape)
        places = prediction.places
        if any(move.steps):
            stays = ((at >= 0) & (at < np.array(self._opened.shape)[:, None])).all(axis=0)
            at, places = at[:, stays], places[stays]
        number = np.zeros(at.shape[1], np.int64)
        is_inside = np.ones(at.shape[1], bool)
        for along, start, size in zip(at, self._start.tolist(), self._size.tolist(), strict=True):
            number *= size
            number += along - start
            is_inside &= (along >= start) & (along < start + size)
        reference = self._canvas.ravel().take(number, mode="clip") * is_inside
        return reference.astype(np.intp), places.astype(np.intp)

    def iou(self, move: Move, prediction: _Points, place: int) -> float:
        """Return the IoU of the row at a place."""
        if not self._canvas.size:
            return 0.0
        reference, moved = self._met(move, prediction)
        tp = int(((reference == place) & (moved == place)).sum())
        counted = int(((moved == place) & (reference != self._width - 1)).sum())
        return tp / (int((self._places == place).sum()) + counted - tp)

    def cells(self, move: Move, prediction: _Points, background: int | None) -> Cells:
        """Return how often each pair of labels meets; where neither mask has a label, the background does."""
        width = self._width
        reference, moved = self._met(move, prediction)
        table = np.bincount(reference * width + moved, minlength=width * width).reshape(width, width)
        table[:, 0] = np.bincount(self._places, minlength=width) - table.sum(axis=1)
        table = table[: width - 1, : width - 1]
        table[0, 0] = 0
        table[0, 0] = self._opened.counted - int(table.sum())
        labels = [row.label or 0 for row in self._opened.rows]
        rows, columns = (each.tolist() for each in table.nonzero())
        return Cells(
            tuple([background or 0, *labels][at] for at in rows),
            tuple([background, *labels][at] for at in columns),
            tuple(table[rows, columns].tolist()),
        )
