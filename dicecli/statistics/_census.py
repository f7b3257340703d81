"""The census: how often the stored labels of both sides meet, counted where the settings say."""

from __future__ import annotations

from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from dicecli.errors import TooManyLabels
from dicecli.masks.arrays import ArraySource
from dicecli.masks.layers import nodata_of
from dicecli.masks.opening import on_side
from dicecli.plugins import load
from dicecli.statistics._allowed import AllowedLabels
from dicecli.statistics._apart import OUTSIDE, UNKNOWN, nothing, parted
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._devices import backend_of, cpu_backend
from dicecli.statistics._opened import DEPTHS
from dicecli.statistics._sums import Sums

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from dicecli.masks.blocks import Window
    from dicecli.masks.pair import Pair
    from dicecli.masks.sources import MaskSource

    #: By the places of two layers; of what is not compared there is a third number: why.
    Counted = Sums[tuple[int, ...], ConfusionMatrix]
    #: What counts two blocks: see the backends.
    Count = Callable[[np.ndarray, np.ndarray], ConfusionMatrix]

SIDES = ("reference", "prediction")
#: What inside is stored as in files of 0 and 255.
_FULL = 255


def census(pair: Pair, windows: Iterable[Window], device: str, *, ahead: bool = False) -> Counted:
    """Count some windows of a pair's plan; `ahead` reads both masks at the same time, in two threads.

    Returns
    -------
    Sums
        A :class:`ConfusionMatrix` of stored labels by the places of two layers: each with its counterpart,
        and a label map with each of the other side. What is outside the field is counted apart, as what
        values mean is a matter of the whole masks. Where a side is a file for each class, :data:`DEPTHS`
        has how many classes a pixel of each side is in, inside the field, where that is several.

    Raises
    ------
    CaseError
        Damage that shows only now, and values that are no labels.
    """
    count, allowed = _counter(device), AllowedLabels(pair.memory)
    places = layer_pairs(pair)
    reasons = () if pair.field is None else (OUTSIDE,)
    found = nothing(places, reasons)
    # Closed at once where counting fails: a thread that reads ahead would stay as long as the error does.
    with closing(pair.blocks(windows, ahead=ahead)) as read:
        for reference, prediction, *fields in read:
            outside = [(OUTSIDE, each) for (each,) in fields]
            filled = []
            for first, second in places:
                for why, blocks in parted((reference[first], prediction[second]), outside):
                    allowed.check(*blocks)
                    try:
                        matrix = count(*blocks)
                    except TooManyLabels as error:
                        layers = pair.reference[first], pair.prediction[second]
                        raise _of_the_richer(error, layers, *blocks) from error.__cause__
                    found[first, second, *why] = allowed.added(found[first, second, *why], matrix)
                    filled += [(first, second)] if not why and matrix.labels != (0,) else []
            if len(filled) > 1 and pair.classes is not None:
                depths = [_depth(pair, side, at, filled) for at, side in enumerate((reference, prediction))]
                if max(int(each.max(initial=0)) for each in depths) > 1:
                    for why, blocks in parted((depths[0], depths[1]), outside):
                        if not why:
                            found[DEPTHS] = found.get(DEPTHS, ConfusionMatrix.empty()) + count(*blocks)
    return Sums(found)


def _depth(
    pair: Pair, layers: Sequence[np.ndarray], at: int, filled: Sequence[tuple[int, int]]
) -> np.ndarray:
    """Return in how many classes each pixel of a side is; 0 everywhere where it is no file for each class."""
    depth = np.zeros(layers[0].shape, np.uint16)
    if pair.classes is not None and SIDES[at] in pair.classes.sides:
        for places in filled:
            labels = layers[places[at]]
            depth += (labels == 1) | (labels == _FULL)
    return depth


def layer_pairs(pair: Pair) -> list[tuple[int, int]]:
    """Return which layers are compared with each other: places of the reference's and the prediction's."""
    number = max(len(pair.reference), len(pair.prediction))
    return [(at % len(pair.reference), at % len(pair.prediction)) for at in range(number)]


def census_of_reference(pair: Pair) -> Counted:
    """Read the reference of a map of probabilities, and count it against itself.

    What is outside the field is counted apart, and where the map has nodata, if that is to be left out.
    """
    if pair.field is None and not pair.leaves_out_unknown:
        return Sums({(0, 0): census_of_one("reference", pair.reference[0])})
    backend, allowed = load("backends", cpu_backend()), AllowedLabels(pair.memory)
    found = nothing([(0, 0)], (OUTSIDE, UNKNOWN))
    with closing(pair.blocks(pair.windows())) as read:
        for (block,), values, *fields in read:
            reasons = [(OUTSIDE, each) for (each,) in fields]
            unknown = nodata_of(values, pair.prediction) if pair.leaves_out_unknown else None
            reasons += [] if unknown is None else [(UNKNOWN, unknown)]
            for why, both in parted((block, block), reasons):
                allowed.check(*both)
                found[0, 0, *why] = allowed.added(found[0, 0, *why], backend.count_block(*both))
    return Sums(found)


def census_of_one(side: str, source: MaskSource) -> ConfusionMatrix:
    """Read one mask alone, and count its stored labels against themselves; errors name the side."""
    backend, allowed = load("backends", cpu_backend()), AllowedLabels(source.reading.max_memory)
    matrix = ConfusionMatrix.empty()
    for window in source.windows():
        block = on_side(side, source, source.read, window)
        on_side(side, source, allowed.check, block)
        matrix = on_side(side, source, allowed.added, matrix, backend.count_block(block, block))
    return matrix


def whole_tensors(pair: Pair) -> Counted | None:
    """Count tensors on the device where they lie, as they are; None where there are none."""
    first, second = pair.reference[0], pair.prediction[0]
    if pair.field is not None or not (isinstance(first, ArraySource) and isinstance(second, ArraySource)):
        return None
    if not ((first.is_tensor or second.is_tensor) and first.is_countable and second.is_countable):
        return None
    return Sums({(0, 0): ConfusionMatrix.from_arrays(reference=first.array, prediction=second.array)})


def device_note(device: str) -> str | None:
    """Say where it is counted, if not where it was asked for."""
    if backend_of(device) != "torch":
        return None
    note: str | None = load("backends", "torch").device(device)[1]
    return note


def _counter(device: str) -> Count:
    """Return what counts two blocks on a device, or on the processor where it is not there."""
    name = backend_of(device)
    backend = load("backends", name)
    if name == "torch":
        where = backend.device(device)[0]
        if where is not None:
            return partial(backend.count_block, where=where)
        backend = load("backends", cpu_backend())
    count: Count = backend.count_block
    return count


def _of_the_richer(error: TooManyLabels, layers: Sequence[MaskSource], *blocks: np.ndarray) -> TooManyLabels:
    """Tell an error over both masks which of them has more labels in the blocks where it was met."""
    first, second = (len(set(block.ravel().tolist())) for block in blocks)
    at = int(first < second)
    return error.on_side(SIDES[at], layers[at].path)
