"""Arrays that hold a number per class: which axis has the classes, and a source for each, or the largest."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from dicecli.errors import ShapeMismatch
from dicecli.masks.arrays import ArraySource
from dicecli.masks.largest import largest_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from dicecli.masks.reading import Reading
    from dicecli.masks.sources import MaskSource


def array_channels(
    array: Any,
    path: str,
    shape: tuple[int, ...],
    reading: Reading | None = None,
    kind: Callable[..., ArraySource] = ArraySource,
) -> list[MaskSource]:
    """Take an array of probabilities as one source per channel.

    An array of the reference's shape is one class. One with an axis more has its channels on the first axis,
    or on the last, whichever leaves the reference's shape; on the first where both do, with a note. A
    `reading.probability_axis` says which. Without a reference, its shape being empty, the shorter of the two
    is taken for it, where it is short beside the others.

    Parameters
    ----------
    array : array_like or torch.Tensor
    path : str
    shape : tuple of int
        Of the reference.
    reading : Reading, optional
    kind : callable
        What makes a source of a part of the array.

    Raises
    ------
    ShapeMismatch
    """
    held: Any = array if hasattr(array, "shape") and hasattr(array, "dtype") else np.asarray(array)
    axis, note = _channel_axis(tuple(int(n) for n in held.shape), shape, reading, path)
    parts = [held] if axis is None else [held[_at(axis, n)] for n in range(held.shape[axis])]
    channels: list[MaskSource] = []
    for part in parts:
        source = kind(part, path, None, reading)
        strides = getattr(source.array, "strides", None)
        if isinstance(strides, tuple) and len(strides) > 1 and strides[0] < strides[-1]:
            source.order = "F"
        slowest = 0 if source.order == "C" else len(source.shape) - 1
        source.chunks = tuple(1 if at == slowest else n for at, n in enumerate(source.shape))
        channels.append(source)
    channels[0].notes += note
    return channels


def largest_of_array(scores: ArraySource) -> ArraySource:
    """Return which of the scores of an array of four axes is the largest, as a mask of three.

    Raises
    ------
    NotLabels
        As :func:`~dicecli.masks.largest.largest_of` says.
    """
    values = scores.values(tuple(slice(0, n) for n in scores.shape))
    axis = scores.reading.channel_axis
    found = ArraySource(largest_of(values, axis, scores.path), scores.path, reading=scores.reading)
    found.take_for_largest()
    found.notes += [*scores.notes, f"labels are the index of the largest of {scores.shape[axis]} scores"]
    return found


def _at(axis: int, place: int) -> tuple[slice | int, ...]:
    return (*(slice(None),) * axis, place)


def _short_axis(found: tuple[int, ...]) -> int | None:
    """Return the axis that may be that of the channels by the shape alone; None where there is none."""
    if len(found) < 3:
        return None
    axis = 0 if found[0] <= found[-1] else len(found) - 1
    others = found[:axis] + found[axis + 1 :]
    return axis if len(found) > 3 or 2 * found[axis] <= min(others) else None


def _channel_axis(
    found: tuple[int, ...], shape: tuple[int, ...], reading: Reading | None, path: str
) -> tuple[int | None, list[str]]:
    """Find the axis of the channels: None where there is none."""
    wanted = None if reading is None else reading.probability_axis
    if wanted is not None and -len(found) <= wanted < len(found):
        axis = wanted % len(found)
        return axis, [f"its channels are on axis {axis} of {len(found)}, as --channel-axis says"]
    if not shape:
        return _short_axis(found), []
    axes = [axis for axis in (0, len(found) - 1) if found[:axis] + found[axis + 1 :] == shape]
    if wanted is None and (found == shape or len(found) == len(shape)):
        return None, []
    if wanted is not None or not axes:
        one, other = (" x ".join(str(n) for n in each) for each in (found, shape))
        raise ShapeMismatch(
            f"the shapes differ: probabilities {one}, reference {other}",
            "An array has the reference's shape, or an axis of channels before or after it; "
            "--channel-axis N where that stands elsewhere.",
            path,
        )
    if len(axes) == 1 or found[0] == 1:
        return axes[0], []
    return axes[0], [
        f"its channels may be on the first axis or the last, by their shape {' x '.join(map(str, found))}: "
        "taken to be on the first; --channel-axis -1 says otherwise"
    ]
