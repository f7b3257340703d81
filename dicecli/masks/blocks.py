"""One plan of windows that both masks are read through."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol, TypeVar, overload

Task = TypeVar("Task")
Found = TypeVar("Found")

Window = tuple[slice, ...]

#: Pixels of a window: large enough that the cost of a call vanishes, small enough for many such blocks.
WINDOW_PIXELS = 1 << 22
#: A window grows to so many times this where the files' own blocks want it, not further.
_GROWTH = 16
MAX_WINDOW_PIXELS = _GROWTH * WINDOW_PIXELS

#: What windows may have of the memory that a mask is allowed: one part of so many.
_OF_MEMORY = 3
#: Windows do not shrink below this for the sake of memory.
_LEAST_PIXELS = 1 << 16


class Mapped(Protocol):
    """What :func:`map` does, here or in several threads: the results come in the order of what is given."""

    def __call__(self, function: Callable[[Task], Found], tasks: Iterable[Task], /) -> Iterable[Found]:
        """Return what the function gives for each."""


class Chunked(Protocol):
    """What the plan needs to know of a mask: its shape, cheapest block, and the order of its file."""

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""

    @property
    def chunks(self) -> tuple[int, ...]:
        """The shape that the file is cheapest to read in."""

    @property
    def order(self) -> str:
        """``"C"``: the last axis runs fastest in the file; ``"F"``: the first does."""


class Plan(Sequence[Window]):
    """Windows that cover a shape, each made when it is asked for: a plan of any length takes no memory."""

    def __init__(self, shape: tuple[int, ...], steps: Sequence[int], order: str) -> None:
        self._shape, self._steps = shape, steps
        axes = range(len(shape))
        self._fastest_first = tuple(reversed(axes)) if order == "C" else tuple(axes)
        self._parts = [-(-n // step) if n else 0 for n, step in zip(shape, steps, strict=True)]

    def __len__(self) -> int:
        return math.prod(self._parts)

    @overload
    def __getitem__(self, index: int) -> Window: ...
    @overload
    def __getitem__(self, index: slice) -> list[Window]: ...
    def __getitem__(self, index: int | slice) -> Window | list[Window]:
        if isinstance(index, slice):
            return [self[each] for each in range(*index.indices(len(self)))]
        rest = range(len(self))[index]
        window = [slice(0)] * len(self._shape)
        for axis in self._fastest_first:
            rest, place = divmod(rest, self._parts[axis])
            start = place * self._steps[axis]
            window[axis] = slice(start, min(start + self._steps[axis], self._shape[axis]))
        return tuple(window)


def plan(
    *masks: Chunked, pixels: int = WINDOW_PIXELS, growth: int = _GROWTH, most: int | None = None
) -> Plan:
    """Cut the common shape of some masks into windows that cover each pixel once.

    The windows suit the blocks of every file: they are whole multiples of them where that stays in bounds.
    They come in the order of the first mask's file, so that a source that only reads forward can stream.
    A window has about so many `pixels`, and at most `growth` times as many where the files' blocks want it;
    never more than `most`, for which blocks are read several times.

    Returns
    -------
    Plan
        One slice per axis, with explicit start and stop. Nothing for a shape without pixels.
    """
    first = masks[0]
    shape = first.shape
    steps: Sequence[int] = shape
    if most is not None:
        pixels = min(pixels, most)
        growth = min(growth, most // pixels)
    if math.prod(shape):
        steps = _steps(shape, [mask.chunks for mask in masks], first.order, pixels, growth)
    return Plan(shape, steps, first.order)


def pixels_within(memory: int, pixel_bytes: int) -> int:
    """Return how many pixels a window may have, where so many bytes are allowed and one pixel takes so many.

    Windows have a third of the memory, so that a mask that is held whole has room for them. They do not
    shrink below 65,536 pixels, which take less than what a process needs anyway.
    """
    return max(_LEAST_PIXELS, memory // _OF_MEMORY // max(1, pixel_bytes))


def slowest(order: str, axes: int) -> int:
    """Return the axis along which a file of that order moves most slowly."""
    return 0 if order == "C" else axes - 1


def slabs(*masks: Chunked, pixels: int = WINDOW_PIXELS, most: int | None = None, halo: int = 0) -> Plan:
    """Cut the common shape of some masks into windows that are whole along all axes but the slowest.

    They come in the order of the first mask's file, have about so many `pixels`, and suit the files' blocks
    where that stays in bounds. With `halo` planes of context on each side they have no more than `most`, or
    are one plane.
    """
    shape, axis = masks[0].shape, slowest(masks[0].order, len(masks[0].shape))
    steps = list(shape)
    if math.prod(shape):
        plane = math.prod(shape) // shape[axis]
        step, block = max(1, pixels // plane), _common(tuple(mask.chunks[axis] for mask in masks))
        if block * plane <= _GROWTH * pixels:
            step = max(1, step // block) * block
        if most is not None:
            step = max(1, min(step, most // plane - 2 * halo))
        steps[axis] = min(shape[axis], step)
    return Plan(shape, steps, masks[0].order)


def _steps(
    shape: tuple[int, ...], chunks: list[tuple[int, ...]], order: str, pixels: int, growth: int
) -> list[int]:
    """Grow the common block along the file's fastest axis first, until the window is large enough."""
    steps = [min(n, _common(sizes)) for n, sizes in zip(shape, zip(*chunks, strict=True), strict=True)]
    fastest_first = range(len(shape) - 1, -1, -1) if order == "C" else range(len(shape))
    for axis in reversed(fastest_first):
        others = math.prod(steps) // steps[axis]
        if others * steps[axis] > growth * pixels:
            steps[axis] = max(1, growth * pixels // others)
    for axis in fastest_first:
        room = pixels // math.prod(steps)
        if room < 2:
            break
        steps[axis] = min(shape[axis], steps[axis] * room)
    return steps


def _common(sizes: tuple[int, ...]) -> int:
    """Return the least common multiple of some block sizes, or the largest where that would be far larger."""
    multiple = math.lcm(*sizes)
    return multiple if multiple <= 4 * max(sizes) else max(sizes)
