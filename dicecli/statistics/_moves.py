"""Ways to turn, mirror and shift a mask, and which of them are worth a count, by a label's projections."""

from __future__ import annotations

from itertools import permutations, product
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

#: How alike the projections of a label must be for a move to be counted, and how many moves are.
_ALIKE, _COUNTED = 0.6, 4
#: The part of an axis that a shift may be long, and the longest axis along which it is sought.
_SHORT, _LONGEST_AXIS = 4, 8192


class Move(NamedTuple):
    """How pixels of the prediction move; as in :class:`Moved`."""

    axes: tuple[int, ...]
    mirrored: tuple[int, ...]
    steps: tuple[int, ...]

    def applied(self, at: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
        """Return where pixels come to lie: beyond the edges too."""
        turned: np.ndarray = at[list(self.axes)]
        for axis in self.mirrored:
            turned[axis] = shape[axis] - 1 - turned[axis]
        turned += np.array(self.steps)[:, None]
        return turned


def _moves(reference: np.ndarray, prediction: np.ndarray, shape: tuple[int, ...]) -> Iterator[Move]:
    """Yield every move there is, the simplest first: mirrored, transposed, both; and shifted."""
    axes = tuple(range(len(shape)))
    still = (0,) * len(shape)
    turns = [
        Move(order, tuple(axis for axis, is_mirrored in zip(axes, flips, strict=True) if is_mirrored), still)
        for order in permutations(axes)
        if tuple(shape[axis] for axis in order) == shape
        for flips in product((False, True), repeat=len(axes))
    ]
    turns.sort(
        key=lambda move: (sum(a != b for a, b in zip(move.axes, axes, strict=True)), len(move.mirrored))
    )
    yield from turns[1:]
    if max(shape) <= _LONGEST_AXIS:
        steps = tuple(
            _shift(*(np.bincount(side[axis], minlength=shape[axis]) for side in (reference, prediction)))
            for axis in axes
        )
        if all(_SHORT * abs(step) <= length for step, length in zip(steps, shape, strict=True)):
            yield Move(axes, (), steps)


def _shift(reference: np.ndarray, prediction: np.ndarray) -> int:
    """Return by how many pixels one projection must move to be most like the other one."""
    size = 1 << int(2 * len(reference) - 1).bit_length()
    spectrum = np.fft.rfft(reference, size) * np.conj(np.fft.rfft(prediction, size))
    best = int(np.rint(np.fft.irfft(spectrum, size)).argmax())
    return best if best < len(reference) else best - size


def worth_counting(reference: np.ndarray, prediction: np.ndarray, shape: tuple[int, ...]) -> Sequence[Move]:
    """Return the moves after which projections of a label are most alike, of equals the simplest first."""
    wanted = [np.bincount(at, minlength=n) for at, n in zip(reference, shape, strict=True)]
    given = [np.bincount(at, minlength=n) for at, n in zip(prediction, shape, strict=True)]
    total = max(reference.shape[1], prediction.shape[1])
    found = [
        (
            round(
                min(_alike(wanted[at], given[move.axes[at]], move, at) for at in range(len(shape))) / total, 2
            ),
            move,
        )
        for move in _moves(reference, prediction, shape)
    ]
    return [move for alike, move in sorted(found, key=lambda each: -each[0])[:_COUNTED] if alike >= _ALIKE]


def _alike(reference: np.ndarray, prediction: np.ndarray, move: Move, axis: int) -> int:
    """Return how many pixels two projections on an axis of the reference have in common after a move."""
    if axis in move.mirrored:
        prediction = prediction[::-1]
    step = move.steps[axis]
    given = prediction[max(0, -step) : len(prediction) - max(0, step)]
    wanted = reference[max(0, step) : len(reference) - max(0, -step)]
    return int(np.minimum(wanted, given).sum())
