"""A pair counted once more with the axes of one side in another order: whether it would fit far better.

It is only read where the order of axes is in doubt and the masks fit badly as they are.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import GridMismatch, TooLarge
from dicecli.masks.alignment import ignored
from dicecli.masks.arrays import ArraySource
from dicecli.masks.axes import AXES_SAID
from dicecli.records.labels import NO_LABEL
from dicecli.statistics._apart import to_compare, where_predicted
from dicecli.statistics._census import census

if TYPE_CHECKING:
    from dicecli.masks.axes import Side
    from dicecli.masks.pair import Pair
    from dicecli.records.measurements import Row
    from dicecli.records.settings import Settings
    from dicecli.statistics._opened import Census, Opened

#: From this macro IoU on nothing else is tried.
GOOD = 0.8
#: By so much macro IoU has to rise before something else is what was meant.
FAR_BETTER = 0.2


def check_axes(pair: Pair, opened: Opened, settings: Settings) -> list[str]:
    """Check a volume beside an image whose shape says nothing of which of its axes is the column.

    Parameters
    ----------
    pair : Pair
        Open, and counted.
    opened : Opened
    settings : Settings

    Returns
    -------
    list of str
        A note, where geometry is ignored.

    Raises
    ------
    GridMismatch
        Macro IoU would rise by 0.2 or more if the first axis of the volume were the column.
    """
    volume = pair.volume_in_doubt
    orders = [] if volume is None else _orders(pair, volume)
    now = _macro_iou(pair, opened, settings) if orders else math.nan
    if volume is None or math.isnan(now) or now >= GOOD:
        return []
    image: Side = "prediction" if volume == "reference" else "reference"
    for order, what, hint in orders:
        try:
            then = _macro_iou(
                pair.turned(image, order, (False,) * len(order)), opened, settings, is_turned=True
            )
        except TooLarge:  # to be held, which what was asked for does not need
            continue
        if then >= now + FAR_BETTER:
            found = f"with {what} macro IoU would be {then:.2f}, and is {now:.2f}"
            paths = f"{pair.prediction[0].path} against {pair.reference[0].path}"
            error = GridMismatch(f"the axes of the {volume} seem to be others: {found}", hint, paths)
            if settings.geometry == "ignore":
                return [ignored(error)]
            raise error
    return []


def _orders(pair: Pair, volume: Side) -> list[tuple[tuple[int, ...], str, str]]:
    """Return the orders of the image's axes that have its shape, what they are, and what to do about each."""
    source = (pair.prediction if volume == "reference" else pair.reference)[0]
    shape, axes = pair.grid.shape, len(source.grid.full_shape)
    found = []
    if shape[0] == shape[1] > 1:
        hint = f"{AXES_SAID} --axes xy; or, if the row is meant, --axes ij."
        found.append(((1, 0, *range(2, axes)), "its first two axes swapped", hint))
    if len(shape) == 3 and shape[0] == shape[2] > 1 and isinstance(source, ArraySource):
        hint = "An array of SimpleITK has the axes z, y, x: give array.T; or, if they are meant, --axes ij."
        found.append(((2, 1, 0), "all of them in reverse", hint))
    return found


def _macro_iou(pair: Pair, opened: Opened, settings: Settings, *, is_turned: bool = False) -> float:
    if pair.is_soft:
        return macro_iou_of_maps(pair, opened, settings)
    return macro_iou(recounted(pair, opened) if is_turned else opened.census, settings)


def recounted(turned: Pair, opened: Opened) -> Census:
    """Count a pair as :meth:`~dicecli.masks.pair.Pair.turned` gives it; labels are as they are meant.

    Parameters
    ----------
    turned : Pair
    opened : Opened
        What is known of the pair as it is: what values mean does not depend on where they are.

    Raises
    ------
    CaseError
        A mask that cannot be read in that order.
    """
    counted = to_compare(census(turned, turned.windows(), "cpu").parts)
    meant = {place: 1 if row.label is None else row.label for place, row in enumerate(opened.rows, start=1)}
    meant[0] = NO_LABEL if opened.rows and opened.rows[0].label is not None else 0
    found = {}
    for at, (layers, matrix) in enumerate(counted.items()):
        reference = {
            stored: NO_LABEL if stored in opened.ignored else meant[place]
            for stored, place in opened.reference[at].items()
        }
        prediction = {stored: meant[place] for stored, place in opened.prediction[at].items()}
        predicted = where_predicted(matrix, opened.unpredicted)
        found[layers] = predicted.relabelled(reference=reference, prediction=prediction).without(NO_LABEL)
    return found


def macro_iou(counted: Census, settings: Settings) -> float:
    """Return the mean IoU of the labels, or binary layers, of a case; NaN where there are none."""
    left_out = set() if settings.include_background else {settings.labels.background}
    if len(counted) > 1:
        left_out = {0}  # outside of a layer
    found = [
        each.tp / (each.tp + each.fp + each.fn)
        for matrix in counted.values()
        for label, each in matrix.every_count().items()
        if label not in left_out and each.tp + each.fp + each.fn
    ]
    return math.fsum(found) / len(found) if found else math.nan


def macro_iou_of_maps(pair: Pair, opened: Opened, settings: Settings) -> float:
    """Return the mean IoU of the channels of a map, as the masks that they give; NaN where there are none.

    A pixel is of the channel with the largest value where channels exclude each other, else of each whose
    probability is 0.5 or more.
    """
    background = None if settings.include_background else settings.labels.background
    wanted = [at for at, each in enumerate(opened.channels) if each.label is None or each.label != background]
    sums = np.zeros((len(wanted), 2), np.int64)
    windows = pair.windows()
    for window, stored in zip(windows, pair.blocks(windows), strict=True):
        block = opened.block(window, window, stored, pair.prediction)
        values = np.stack(block.prediction)
        is_compared = np.True_ if block.ignored is None else ~block.ignored
        for row, at in enumerate(wanted):
            is_there = np.isin(block.reference[0], _places_of(opened.channels[at], opened.rows)) & is_compared
            is_predicted = _is_of(values, at, settings) & is_compared
            sums[row] += np.count_nonzero(is_there & is_predicted), np.count_nonzero(is_there | is_predicted)
    found = [both / either for both, either in sums.tolist() if either]
    return math.fsum(found) / len(found) if found else math.nan


def _is_of(values: np.ndarray, channel: int, settings: Settings) -> np.ndarray:
    """Return which pixels a channel gives as a mask, `values` having the channels on the first axis."""
    options = settings.soft
    if options is not None and options.excludes(len(values)):
        is_largest: np.ndarray = values.argmax(axis=0) == channel
        return is_largest
    is_logit = options is not None and options.logits is not None
    is_likely: np.ndarray = values[channel] >= (0.0 if is_logit else 0.5)
    return is_likely


def _places_of(channel: Row, rows: tuple[Row, ...]) -> list[int]:
    """Return the places of the labels that a channel is of."""
    return [place for place, row in enumerate(rows, start=1) if row.label in channel.members]
