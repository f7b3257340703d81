"""How long the line, or how large the surface, is that parts the corners of a cell in a mask from the others.

A cell has a corner in the middle of each of 2x2 pixels, or 2x2x2 voxels. The rule is that of marching
squares and cubes with points in the middle of edges. Its areas are, but for rounding, those of the table of
DeepMind's surface-distance (2018).
"""

from __future__ import annotations

import math
from functools import lru_cache
from itertools import combinations, product
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterator

#: A point in half sides of the cell: a corner has even numbers, the middle of an edge one that is odd.
_Point = tuple[int, ...]
_CORNERS = tuple(product((0, 2), repeat=3))
#: How often the area of a piece, in faces of a unit cell, is in its normal: twice, of half sides.
_TIMES = 8


@lru_cache(maxsize=16)
def weights(spacing: tuple[float, ...]) -> np.ndarray:
    """Return how much line or surface each kind of cell holds.

    The same to the bit where axes are exchanged or mirrored, and where in and out are.

    Parameters
    ----------
    spacing : tuple of float
        The size of a pixel along each of its 2 axes, or of a voxel along its 3.

    Returns
    -------
    numpy.ndarray
        float64, read-only, of 16 or 256 values, in the spacing's unit or its square. A cell's place is the
        sum of 2^(3 - (2i + j)), or 2^(7 - (4i + 2j + k)), over its corners (i, j) or (i, j, k) in the mask,
        each 0 or 1. Cells all in or all out, the first and the last, hold nothing.
    """
    found = _lengths(*spacing) if len(spacing) == 2 else _areas(*spacing)
    found.setflags(write=False)
    return found


def _lengths(down: float, right: float) -> np.ndarray:
    """Return the lengths of lines: across a corner, straight through, or across two corners."""
    across = math.sqrt(down * down + right * right)
    found = np.full(16, across / 2)
    found[[0b0000, 0b1111]] = 0
    found[[0b0011, 0b1100]] = right
    found[[0b0101, 0b1010]] = down
    found[[0b0110, 0b1001]] = across
    return found


def _areas(*spacing: float) -> np.ndarray:
    """Return the areas of surfaces: of each piece by its normal, and added up without error."""
    first, second, third = spacing
    sides = second * third, first * third, first * second

    def area(normal: _Point) -> float:
        """Return the area of a piece: the length of its normal once cells have their sides."""
        across = [abs(part) / _TIMES * side for part, side in zip(normal, sides, strict=True)]
        return math.sqrt(math.fsum(part * part for part in across))

    return np.array([math.fsum(map(area, normals)) for normals in _normals()])


@lru_cache(maxsize=1)
def _normals() -> tuple[tuple[_Point, ...], ...]:
    """Return the normals of the flat pieces of the surface in each kind of cell, eight times their area."""
    return tuple(
        tuple(_normal(piece) for loop in _loops(_corners_in(code)) for piece in _pieces(loop))
        for code in range(256)
    )


def _corners_in(code: int) -> frozenset[_Point]:
    """Return the corners of a cell that are in the mask, or those that are not where these are fewer."""
    found = frozenset(corner for bit, corner in enumerate(_CORNERS) if code >> 7 - bit & 1)
    return found if len(found) <= 4 else frozenset(_CORNERS) - found


def _loops(corners: frozenset[_Point]) -> Iterator[list[_Point]]:
    """Yield the closed lines of points between corners in and out, joined one to the next."""
    joined: dict[_Point, list[_Point]] = {}
    for one, other in _joins(corners):
        joined.setdefault(one, []).append(other)
        joined.setdefault(other, []).append(one)
    while joined:
        loop = [next(iter(joined))]
        while loop:
            following = [point for point in joined.pop(loop[-1]) if point in joined]
            if not following:
                break
            loop.append(following[0])
        yield loop


def _joins(corners: frozenset[_Point]) -> Iterator[tuple[_Point, _Point]]:
    """Yield the points to join on each face: both; of four, the two beside each corner that is in."""
    for axis, side in product(range(3), (0, 2)):
        face = [corner for corner in _CORNERS if corner[axis] == side]
        points = {
            _middle(one, other): one if one in corners else other
            for one, other in combinations(face, 2)
            if _is_edge(one, other) and (one in corners) != (other in corners)
        }
        for one, other in combinations(points, 2):
            if len(points) == 2 or points[one] == points[other]:
                yield one, other


def _is_edge(one: _Point, other: _Point) -> bool:
    """Tell whether two corners differ along one axis."""
    return sum(a != b for a, b in zip(one, other, strict=True)) == 1


def _middle(one: _Point, other: _Point) -> _Point:
    """Return the point in the middle of two."""
    return tuple((a + b) // 2 for a, b in zip(one, other, strict=True))


def _pieces(loop: list[_Point]) -> Iterator[list[_Point]]:
    """Yield the flat pieces of a loop: itself, or those that it is cut into."""
    if len(loop) != 5 and _is_flat(loop):
        yield loop
        return
    one, other = sorted(_cuts([_direction(point) for point in loop]))
    for piece in (loop[one : other + 1], loop[other:] + loop[: one + 1]):
        if _is_flat(piece):
            yield piece
        else:  # either diagonal gives triangles of the same areas
            yield piece[:3]
            yield piece[2:] + piece[:1]


def _direction(point: _Point) -> int:
    """Return the axis along which the edge of a point runs."""
    return [part % 2 for part in point].index(1)


def _cuts(run: list[int]) -> tuple[int, int]:
    """Return between which two points a loop is cut, from the axes along which its points' edges run.

    Of five points three on parallel edges follow each other: they are a triangle, and the rest is flat. Of
    six there are two whose edge is parallel to that of neither neighbour.
    """
    around = [{run[at - 1], run[(at + 1) % len(run)]} for at in range(len(run))]
    if len(run) == 5:
        middle = next(at for at in range(5) if around[at] == {run[at]})
        return (middle - 1) % 5, (middle + 1) % 5
    one, other = (at for at in range(6) if run[at] not in around[at])
    return one, other


def _is_flat(loop: list[_Point]) -> bool:
    """Tell whether the points of a loop lie in one plane."""
    normal = _normal(loop)
    return len({sum(part * at for part, at in zip(normal, point, strict=True)) for point in loop}) == 1


def _normal(piece: list[_Point]) -> _Point:
    """Return the sum of the cross products along a loop: its normal, as long as eight times its area."""
    around = list(zip(piece, piece[1:] + piece[:1], strict=True))
    return tuple(
        sum(one[b] * other[c] - one[c] * other[b] for one, other in around)
        for b, c in ((1, 2), (2, 0), (0, 1))
    )
