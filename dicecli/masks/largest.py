"""The largest of several scores in each pixel; and when that is no answer: one channel, labels, ties.

Every format, and arrays, take labels of scores here, so that all refuse the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import numpy as np

from dicecli.errors import NotLabels

if TYPE_CHECKING:
    from collections.abc import Mapping

Value = TypeVar("Value", int, float)

#: Scores of a network hardly ever tie; in binary masks, and between label maps, most of the background does.
_MOST_TIES = 0.001
#: So many values show whether it is worth to look whether all are whole numbers.
_SAMPLE = 1000
_HINT = (
    "If its channels are binary masks, or labels, leave out --argmax: binary ones are scored as regions, "
    "which may overlap. "
)


def largest_of(
    scores: np.ndarray, axis: int, path: str, *, is_reversed: bool = False, is_whole: bool = True
) -> np.ndarray:
    """Return which channel has the largest score in each pixel of a block.

    Parameters
    ----------
    scores : numpy.ndarray
        Any number of axes, the channels on `axis`.
    is_reversed : bool
        Whether the smallest stored score is the largest one, as with a negative slope.
    is_whole : bool
        Whether stored whole numbers are whole as they are meant, too: not so with a slope that is none.

    Returns
    -------
    numpy.ndarray
        int64, without `axis`: the index of the channel. Where several have the largest score it is -1 - the
        index of the first of them, so that ties can be counted in the whole mask: see :func:`untied`.

    Raises
    ------
    NotLabels
        One channel alone, NaN, or whole numbers that are labels rather than scores.
    """
    channels = scores.shape[axis]
    if channels < 2:
        raise NotLabels(
            "--argmax is to take the largest of its scores, and there is one channel: all of it would be 0",
            "Name the axis that has the scores: --channel-axis N. If it holds labels, leave out --argmax; if "
            "one probability, --threshold 0.5 instead.",
            path,
        )
    if scores.dtype.kind == "f" and np.isnan(scores).any():
        raise NotLabels("its scores hold NaN", "Save them again without, or save labels.", path)
    if is_whole:
        _refuse_labels(scores, axis, path)
    index = (np.argmin if is_reversed else np.argmax)(scores, axis=axis)
    top = np.take_along_axis(scores, np.expand_dims(index, axis), axis)
    is_tied = np.count_nonzero(scores == top, axis=axis) > 1
    found: np.ndarray = np.where(is_tied, -1 - index, index) if is_tied.any() else index
    return found


def _refuse_labels(scores: np.ndarray, axis: int, path: str) -> None:
    """Refuse whole numbers that do not add up to one number in every pixel, as one-hot and bytes do."""
    if not scores.size:
        return
    if scores.dtype.kind == "f":
        some = scores.ravel(order="K")[:_SAMPLE]
        if not np.array_equal(some, np.rint(some)) or not np.array_equal(scores, np.rint(scores)):
            return
    sums = scores.sum(axis=axis, dtype=np.float64)
    if float(sums.max() - sums.min()) > scores.shape[axis]:
        raise NotLabels(
            "--argmax takes the largest of scores, and its channels hold whole numbers that are no scores: "
            f"their sums range from {sums.min():g} to {sums.max():g}, where one number is expected",
            f"{_HINT}Scores other than one-hot and probabilities in bytes must be saved as floats.",
            path,
        )


def untied(sizes: Mapping[int, int], path: str) -> dict[int, int]:
    """Return what each index that :func:`largest_of` gives means, the whole mask being known.

    Parameters
    ----------
    sizes : mapping of int to int
        Pixels by index. None is no mask, and has no ties.

    Raises
    ------
    NotLabels
        In more than 0.1 % of the pixels several scores are the largest.
    """
    total, tied = sum(sizes.values()), sum(n for label, n in sizes.items() if label < 0)
    if tied > _MOST_TIES * total:
        raise NotLabels(
            f"in {tied / total:.1%} of its pixels several scores are the largest, so that --argmax has no "
            f"answer there; at most {_MOST_TIES:.1%} is expected of scores",
            f"{_HINT}If another axis has the scores: --channel-axis N.",
            path,
        )
    return {label: _index(label) for label in sizes}


def folded(values: Mapping[Value, int]) -> dict[Value, int]:
    """Return pixels by index, those of ties added to that of the first channel that they are of."""
    found: dict[Value, int] = {}
    for value, n in values.items():
        found[_index(value)] = found.get(_index(value), 0) + n
    return dict(sorted(found.items()))


def _index(value: Value) -> Value:
    return -1 - value if value < 0 else value
