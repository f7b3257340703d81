"""Counting the windows of an open pair, with what counts where the settings say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from dicecli.errors import TooManyLabels
from dicecli.masks.views import ArraySource
from dicecli.plugins import backend_of, cpu_backend, load
from dicecli.statistics._confusion import ConfusionMatrix

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np

    from dicecli.masks.blocks import Window
    from dicecli.masks.pair import Pair


def count(pair: Pair, windows: Iterable[Window], device: str, *, ahead: bool = False) -> ConfusionMatrix:
    """Count some windows of a pair's plan; `ahead` reads both masks at the same time, in two threads.

    Raises
    ------
    CaseError
        Damage that shows only now, and values that are no labels.
    """
    backend, where = _backend(device)
    matrix = ConfusionMatrix.empty()
    for first, second in pair.blocks(windows, ahead=ahead):
        try:
            matrix += (
                backend.count_block(first, second)
                if where is None
                else backend.count_block(first, second, where)
            )
        except TooManyLabels as error:
            raise _of_the_richer(error, pair, first, second) from error.__cause__
    return matrix


def whole_tensors(pair: Pair) -> ConfusionMatrix | None:
    """Count tensors on the device where they lie, as they are; None where there are none."""
    first, second = pair.reference, pair.prediction
    if not (isinstance(first, ArraySource) and isinstance(second, ArraySource)):
        return None
    if not ((first.is_tensor or second.is_tensor) and first.is_countable and second.is_countable):
        return None
    return ConfusionMatrix.from_arrays(reference=first.array, prediction=second.array)


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
    side, source = ("reference", pair.reference) if first >= second else ("prediction", pair.prediction)
    return error.on_side(side, source.path)
