"""From the points of a whole case to the measurement of each row."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from dicecli.statistics._surfaces import lists
from dicecli.statistics._surfaces.cells import weights
from dicecli.statistics._surfaces.nearest import Tree
from dicecli.statistics.surface.measured import (
    BANDS,
    CONTOURS,
    DISTANCES,
    Bands,
    Contours,
    Distances,
    Surfaces,
)
from dicecli.statistics.surface.state import Key

if TYPE_CHECKING:
    from collections.abc import Iterator

    from dicecli.masks.blocks import Mapped
    from dicecli.records.measurements import Row
    from dicecli.statistics._opened import Opened
    from dicecli.statistics.surface.asked import Asked
    from dicecli.statistics.surface.state import State

    #: The pixels of a row: of the reference, of the prediction.
    Pixels = tuple[int, int]


class Place(NamedTuple):
    """Where the points of a row are found: the view, and the code in it."""

    view: int
    code: int


class Points(NamedTuple):
    """The points of one row on one side.

    Attributes
    ----------
    tree : Tree
    weights : numpy.ndarray or None
        The area, or length, of each; None where each counts 1.
    """

    tree: Tree
    weights: np.ndarray | None


def rows(state: State, opened: Opened, mapped: Mapped) -> Iterator[tuple[Row, Surfaces]]:
    """Yield the measurement of each row that is looked at; rows and directions are worked on at a time."""
    sizes = _sizes(opened)
    places = {
        **{row: Place(0, code) for code, row in enumerate(opened.rows, start=1) if state.views[0][code]},
        **{row: Place(view, 1) for view, row in enumerate(state.regions, start=1)},
    }
    lists_of = _distances(state, places, mapped) if DISTANCES in state.asked.parts else {}
    near = _contours(state, places, mapped) if CONTOURS in state.asked.parts else {}
    for row, place in places.items():
        to_prediction, to_reference, pooled = lists_of.get(place, (None, None, None))
        reference, prediction = sizes[row]
        yield (
            row,
            Surfaces(
                reference,
                prediction,
                tuple(sorted(state.asked.parts)),
                state.asked.percents,
                tuple(map(str, state.asked.tolerances)),
                state.asked.diagonal,
                to_prediction,
                to_reference,
                pooled,
                _bands(state, place) if BANDS in state.asked.parts else None,
                near.get(place),
            ),
        )


def _sizes(opened: Opened) -> dict[Row, Pixels]:
    """Return how many compared pixels each row has on each side."""
    every = list(opened.census.values())
    if len(every) > 1 or any(row.kind == "region" for row in opened.rows):
        found = {
            row: (matrix.sizes("reference").get(1, 0), matrix.sizes("prediction").get(1, 0))
            for row, matrix in zip(opened.rows, every, strict=True)
        }
    else:
        found = {}
        first, second = every[0].sizes("reference"), every[0].sizes("prediction")
        for row in (*opened.rows, *opened.regions):
            found[row] = (
                sum(first.get(label, 0) for label in row.members),
                sum(second.get(label, 0) for label in row.members),
            )
    return found


def _of_places(state: State, part: str, side: int) -> dict[Place, tuple[np.ndarray, ...]]:
    """Return the points of one side by their row: in the order of the grid, each array without the codes."""
    found = {}
    for view in range(len(state.views)):
        every = state.points.get(Key(part, side, view), [])
        if not every:
            continue
        index, codes, *more = (np.concatenate(arrays) for arrays in zip(*every, strict=True))
        order = np.lexsort((index, codes))
        index, codes, *more = (each[order] for each in (index, codes, *more))
        starts = np.flatnonzero(np.diff(codes, prepend=codes[:1] + 1))
        for start, stop in zip(starts.tolist(), [*starts[1:].tolist(), len(codes)], strict=True):
            found[Place(view, int(codes[start]))] = tuple(each[start:stop] for each in (index, *more))
    return found


def _distances(
    state: State, places: dict[Row, Place], mapped: Mapped
) -> dict[Place, tuple[Distances, Distances, Distances]]:
    """Return for each row whose surfaces have points: to the prediction, to the reference, both as one."""
    asked, sides = state.asked, list(mapped(lambda side: _of_places(state, DISTANCES, side), (0, 1)))
    both = [place for place in places.values() if all(place in side for side in sides)]
    tasks = [(place, side) for place in both for side in (0, 1)]
    made = mapped(lambda task: _points(asked, sides[task[1]][task[0]]), tasks)
    points = dict(zip(tasks, made, strict=True))
    measured = dict(
        zip(
            tasks,
            mapped(lambda task: _measured(asked, points[task], points[task[0], 1 - task[1]]), tasks),
            strict=True,
        )
    )
    summed = mapped(lambda place: _summed(asked, measured[place, 0], measured[place, 1]), both)
    return dict(zip(both, summed, strict=True))


def _points(asked: Asked, found: tuple[np.ndarray, ...]) -> Points:
    index, *cells = found
    is_corner = asked.surface == "corner"
    tree = Tree(_coordinates(index, tuple(n + is_corner for n in asked.shape)), asked.spacing)
    if not is_corner:
        return Points(tree, None)
    is_set, is_ignored = cells
    table = weights(asked.spacing)
    # Of the two ways to see an ignored pixel, the one that adds less surface.
    return Points(tree, np.minimum(table[is_set], table[is_set | is_ignored]))


def _coordinates(index: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """Return int32 coordinates, n times the axes, of places in C order: faster than `unravel_index`."""
    found = np.empty((len(index), len(shape)), np.int32)
    rest = index
    for axis in range(len(shape) - 1, 0, -1):
        rest, found[:, axis] = np.divmod(rest, shape[axis])
    found[:, 0] = rest
    return found


def _measured(asked: Asked, points: Points, others: Points) -> lists.Distances:
    return lists.of(others.tree.nearest(points.tree, asked.spacing), points.weights)


def _summed(
    asked: Asked, to_prediction: lists.Distances, to_reference: lists.Distances
) -> tuple[Distances, Distances, Distances]:
    pooled = lists.pooled(to_prediction, to_reference)
    first, second, both = (
        Distances(
            len(each.values),
            float(each.total),
            lists.mean(each),
            each.largest,
            tuple(lists.percentile(each, percent, asked.rule) for percent in asked.percents),
            tuple(float(each.within(limit)) for limit in asked.limits),
        )
        for each in (to_prediction, to_reference, pooled)
    )
    return first, second, both


def _contours(state: State, places: dict[Row, Place], mapped: Mapped) -> dict[Place, Contours]:
    """Return how much of each row's boundary is near that of the other side."""
    asked, sides = state.asked, [_of_places(state, CONTOURS, side) for side in (0, 1)]

    def near(place: Place) -> Contours:
        """Count on both sides."""
        found = [side.get(place, (np.zeros(0, np.int64),))[0] for side in sides]
        if not all(len(each) for each in found):
            return Contours(len(found[0]), len(found[1]), 0, 0)
        trees = [Tree(_coordinates(each, asked.shape)) for each in found]
        within = [
            lists.of(trees[1 - side].nearest(trees[side], asked.contour_spacing)).within(asked.contour)
            for side in (0, 1)
        ]
        return Contours(len(found[0]), len(found[1]), int(within[0]), int(within[1]))

    wanted = list(places.values()) if len(asked.shape) == 2 else []
    return dict(zip(wanted, mapped(near, wanted), strict=True))


def _bands(state: State, place: Place) -> Bands:
    return Bands(*(int(n) for n in state.bands[place.view][:, place.code]))
