"""The census: how often the stored labels of both sides meet, counted where the settings say."""

from __future__ import annotations

from contextlib import closing
from typing import TYPE_CHECKING, Any

from dicecli.errors import TooManyLabels
from dicecli.masks.blocks import plan
from dicecli.masks.opening import on_side
from dicecli.masks.views import ArraySource
from dicecli.plugins import backend_of, cpu_backend, load
from dicecli.statistics._confusion import ConfusionMatrix
from dicecli.statistics._sums import Sums

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from dicecli.masks.blocks import Window
    from dicecli.masks.pair import Pair


def census(pair: Pair, windows: Iterable[Window], device: str, *, ahead: bool = False) -> Sums:
    """Count some windows of a pair's plan; `ahead` reads both masks at the same time, in two threads.

    Returns
    -------
    Sums
        A :class:`ConfusionMatrix` of stored labels by the places of two layers: each with its counterpart,
        and a label map with each of the other side.

    Raises
    ------
    CaseError
        Damage that shows only now, and values that are no labels.
    """
    backend, where = _backend(device)
    places = layer_pairs(pair)
    found = dict.fromkeys(places, ConfusionMatrix.empty())
    # Closed at once where counting fails: a thread that reads ahead would stay as long as the error does.
    with closing(pair.blocks(windows, ahead=ahead)) as read:
        for reference, prediction in read:
            for first, second in places:
                blocks = reference[first], prediction[second]
                try:
                    found[first, second] += (
                        backend.count_block(*blocks) if where is None else backend.count_block(*blocks, where)
                    )
                except TooManyLabels as error:
                    raise _of_the_richer(error, pair, *blocks) from error.__cause__
    return Sums(found)


def layer_pairs(pair: Pair) -> list[tuple[int, int]]:
    """Return which layers are compared with each other: places of the reference's and the prediction's."""
    number = max(len(pair.reference), len(pair.prediction))
    return [(at % len(pair.reference), at % len(pair.prediction)) for at in range(number)]


def census_of_reference(pair: Pair) -> Sums:
    """Read the reference alone, and count it against itself."""
    backend, source = load("backends", cpu_backend()), pair.reference[0]
    matrix = ConfusionMatrix.empty()
    for window in plan(source):
        block = on_side("reference", source, source.read, window)
        matrix += backend.count_block(block, block)
    return Sums({(0, 0): matrix})


def whole_tensors(pair: Pair) -> Sums | None:
    """Count tensors on the device where they lie, as they are; None where there are none."""
    first, second = pair.reference[0], pair.prediction[0]
    if not (isinstance(first, ArraySource) and isinstance(second, ArraySource)):
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


def _backend(device: str) -> tuple[Any, Any]:
    backend = load("backends", backend_of(device))
    if backend_of(device) != "torch":
        return backend, None
    where = backend.device(device)[0]
    return (load("backends", cpu_backend()), None) if where is None else (backend, where)


def _of_the_richer(error: TooManyLabels, pair: Pair, *blocks: np.ndarray) -> TooManyLabels:
    """Tell an error over both masks which of them has more labels in the blocks where it was met."""
    first, second = (len(set(block.ravel().tolist())) for block in blocks)
    side, sources = ("reference", pair.reference) if first >= second else ("prediction", pair.prediction)
    return error.on_side(side, sources[0].path)
