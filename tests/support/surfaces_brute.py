"""Surfaces by brute force: rims, corners, all pairs of points, bands; as they are defined, and as slow as that is.

A mask is a boolean array of two or three axes, `left_out` the pixels that belong to neither side, or None. Distances
are in the unit of the spacing. Nothing of the package is used.
"""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import NamedTuple

import numpy as np

#: Steps to neighbours that make a voxel rim: how many axes a step may go along.
STEPS = {"face": 1, "edge": 2, "all": 3}
#: A distance equals a tolerance that is so little smaller: NIfTI keeps the spacing in float32.
SLACK = 1e-6


class Points(NamedTuple):
    """A surface: whole-numbered places of points, one a row, and how much each counts; None: one each."""

    at: np.ndarray
    weights: np.ndarray | None = None

    @property
    def counts(self):
        """How much each point counts."""
        return np.ones(len(self.at)) if self.weights is None else self.weights


def image(labels, spacing):
    """Return labels as a nibabel image in micrometres: the header's float32 has 700 exactly, and 0.7 not."""
    import nibabel

    affine = np.diag([*(1000 * each for each in spacing), *[1.0] * (4 - len(spacing))])
    found = nibabel.Nifti1Image(np.asarray(labels, np.uint8), affine)
    found.header.set_xyzt_units("micron")
    return found


def neighbours(ndim, kind):
    """Return the steps to the neighbours of a voxel."""
    return [
        step for step in itertools.product((-1, 0, 1), repeat=ndim) if 0 < sum(map(abs, step)) <= STEPS[kind]
    ]


def framed(mask, left_out=None, width=1):
    """Return a mask, and which of its pixels are kept, within a frame of pixels that are kept and outside."""
    kept = np.ones(mask.shape, bool) if left_out is None else ~left_out
    return np.pad(mask & kept, width), np.pad(kept, width, constant_values=True)


def rim(mask, left_out=None, kind="face"):
    """Return the voxels of a mask that have a neighbour which is kept and outside; beyond the array is outside."""
    inside, kept = framed(mask, left_out)
    outside = kept & ~inside
    found = np.zeros(mask.shape, bool)
    for step in neighbours(mask.ndim, kind):
        found |= outside[tuple(slice(1 + by, 1 + by + n) for by, n in zip(step, mask.shape, strict=True))]
    return Points(np.argwhere(found & inside[(slice(1, -1),) * mask.ndim]))


def corners(mask, spacing, left_out=None):
    """Return the corners of voxels around which some that are kept are inside and some are not, with their weights.

    Pixels that are left out are all inside of a cell, or all outside, whichever makes less surface.
    """
    inside, kept = framed(mask, left_out)
    places, weights = [], []
    for at in itertools.product(*(range(n + 1) for n in mask.shape)):
        cell = tuple(slice(start, start + 2) for start in at)
        around, valid = inside[cell], kept[cell]
        if around.any() and (valid & ~around).any():
            places.append(at)
            ways = around, around | ~valid
            weights.append(min(measure_of(tuple(each.ravel().tolist()), tuple(spacing)) for each in ways))
    return Points(np.array(places, np.int64).reshape(-1, mask.ndim), np.array(weights, float))


# --- The length or area of the surface in a cell ------------------------------------------------------------


@cache
def measure_of(around, spacing):
    """Return the length or area of the surface in a cell, from which of its corners are inside, in C order."""
    inside = np.array(around).reshape((2,) * len(spacing))
    if sum(around) > len(around) // 2:
        inside = ~inside
    return _length(inside, spacing) if inside.ndim == 2 else _area(inside, np.array(spacing))


def _length(inside, spacing):
    """Return the length of the line in a cell of four corners, of which at most two are inside."""
    diagonal = math.hypot(*spacing)
    if inside.sum() < 2:
        return diagonal / 2 * inside.sum()
    if inside[0, 0] == inside[1, 1]:
        return diagonal
    # Two side by side: a line along axis 1 separates rows, one along axis 0 separates columns.
    return spacing[1] if inside[0, 0] == inside[0, 1] else spacing[0]


def _area(inside, spacing):
    """Return the area of the surface in a cell of eight corners, of which at most four are inside."""
    joins = {}
    for axis, side in itertools.product(range(3), (0, 1)):
        for one, other in _joined_on_face(inside, axis, side):
            joins.setdefault(one, []).append(other)
            joins.setdefault(other, []).append(one)
    assert all(len(each) == 2 for each in joins.values())
    total = 0.0
    while joins:
        loop = [next(iter(joins))]
        while following := [each for each in joins[loop[-1]] if each not in loop]:
            loop.append(following[0])
        for each in loop:
            del joins[each]
        total += sum(_area_of(part, spacing) for part in _parts(loop))
    return total


def _joined_on_face(inside, axis, side):
    """Yield pairs of points, in half units, that are joined on one face of a cell."""
    others = [each for each in range(3) if each != axis]
    ring = [(0, 0), (0, 1), (1, 1), (1, 0)]

    def place(corner):
        at = [2 * side] * 3
        at[others[0]], at[others[1]] = 2 * corner[0], 2 * corner[1]
        return tuple(at)

    def is_in(corner):
        return bool(inside[tuple(each // 2 for each in place(corner))])

    def middle(one, other):
        return tuple((a + b) // 2 for a, b in zip(place(one), place(other), strict=True))

    crossed = [
        middle(*pair) for pair in itertools.pairwise([*ring, ring[0]]) if is_in(pair[0]) != is_in(pair[1])
    ]
    if len(crossed) == 2:
        yield tuple(crossed)
    elif crossed:
        for at, corner in enumerate(ring):
            if is_in(corner):
                yield middle(ring[at - 1], corner), middle(corner, ring[(at + 1) % 4])


def _parts(loop):
    """Cut a loop of points in the middles of edges into flat ones, or such whose area is that of two triangles."""
    if _is_flat(loop):
        return [loop]
    along = [point.index(1) for point in loop]
    if len(loop) == 5:
        # The triangle of its three points on parallel edges, and the flat quadrilateral that remains.
        axis = next(each for each in range(3) if along.count(each) == 3)
        triangle = [point for point, each in zip(loop, along, strict=True) if each == axis]
        rest = [at for at, each in enumerate(along) if each != axis]
        first = rest[0] if rest[1] == rest[0] + 1 else rest[1]
        quadrilateral = [loop[(first + by) % 5] for by in (-1, 0, 1, 2)]
        return [triangle, quadrilateral]
    # Two quadrilaterals; cut along either diagonal they have the same area.
    assert len(loop) == 6
    alone = [at for at in range(6) if along[at] not in {along[at - 1], along[(at + 1) % 6]}]
    assert len(alone) == 2
    assert alone[1] - alone[0] == 3
    return [[loop[(start + by) % 6] for by in range(4)] for start in alone]


def _is_flat(loop):
    first, second, third, *rest = np.array(loop)
    normal = np.cross(second - first, third - first)
    return not any(np.dot(normal, each - first) for each in rest)


def _area_of(loop, spacing):
    """Return the area of a fan of triangles."""
    first, *rest = np.array(loop) * spacing / 2
    return sum(
        float(np.linalg.norm(np.cross(one - first, other - first))) / 2
        for one, other in itertools.pairwise(rest)
    )


# --- Distances ----------------------------------------------------------------------------------------------


def apart(ones, others, spacing):
    """Return the distance of every point from every other one: from whole steps, the smallest square added first."""
    steps = ones[:, np.newaxis, :] - others[np.newaxis, :, :]
    squares = np.sort((steps * np.array(spacing, float)) ** 2, axis=-1)
    total = squares[..., 0]
    for axis in range(1, squares.shape[-1]):
        total = total + squares[..., axis]
    return np.sqrt(total)


def nearest(ones, others, spacing):
    """Return how far each of some points is from the nearest of the others."""
    return apart(ones.at, others.at, spacing).min(axis=1) if len(ones.at) else np.zeros(0)


def mean(values, weights):
    """Return a weighted mean."""
    products = (value * weight for value, weight in zip(values.tolist(), weights.tolist(), strict=True))
    return math.fsum(products) / math.fsum(weights.tolist())


def share(values, weights, tolerance):
    """Return how much of the weight lies within a tolerance."""
    return math.fsum(weights[values <= tolerance * (1 + SLACK)].tolist()) / math.fsum(weights.tolist())


def percentile(values, weights, p, rule):
    """Return a percentile by one of three rules; weights count by one of them alone."""
    if rule == "linear":
        return float(np.percentile(values, p))
    if rule == "index":
        return sorted(values.tolist())[int((len(values) - 1) * p / 100)]
    order = np.lexsort((weights, values))
    reached = np.cumsum(weights[order]) / math.fsum(weights.tolist())
    # A share that is reached but for rounding is reached.
    return float(values[order][np.flatnonzero(reached >= p / 100 - 1e-12)[0]])


class Surfaces(NamedTuple):
    """The surfaces of both sides, and the distances of each from the other."""

    reference: Points
    prediction: Points
    to_reference: np.ndarray
    to_prediction: np.ndarray

    @classmethod
    def of(cls, prediction, reference, spacing, left_out=None, surface="voxel", kind="face"):
        """Return those of two masks."""
        found = [
            rim(mask, left_out, kind) if surface == "voxel" else corners(mask, spacing, left_out)
            for mask in (reference, prediction)
        ]
        one, other = found
        if not len(one.at) or not len(other.at):
            return cls(one, other, np.zeros(0), np.zeros(0))
        return cls(one, other, nearest(other, one, spacing), nearest(one, other, spacing))

    @property
    def to_both(self):
        """The distances of both, and how much each counts."""
        return (
            np.concatenate([self.to_reference, self.to_prediction]),
            np.concatenate([self.prediction.counts, self.reference.counts]),
        )

    def directed(self):
        """Return the distances of each direction with how much they count: to the reference, to the prediction."""
        return (self.to_reference, self.prediction.counts), (self.to_prediction, self.reference.counts)

    def hd(self, p=100.0, rule="linear", directions="max"):
        """Return the Hausdorff distance, or a percentile of it."""
        if directions == "pool":
            return percentile(*self.to_both, p, rule)
        both = [percentile(*each, p, rule) for each in self.directed()]
        return max(both) if directions == "max" else sum(both) / 2

    def hd_to(self, side, p=100.0, rule="linear"):
        """Return the same of one direction: to the reference, or to the prediction."""
        return percentile(*self.directed()[side == "prediction"], p, rule)

    def asd_to(self, side):
        """Return the mean distance of one direction."""
        return mean(*self.directed()[side == "prediction"])

    def assd(self):
        """Return the mean of both lists together."""
        return mean(*self.to_both)

    def masd(self):
        """Return the mean of both means."""
        return sum(mean(*each) for each in self.directed()) / 2

    def nsd(self, tolerance, directions="pool"):
        """Return the share of both surfaces within a tolerance."""
        if directions == "mean":
            return sum(share(*each, tolerance) for each in self.directed()) / 2
        return share(*self.to_both, tolerance)


# --- Bands and boundaries -----------------------------------------------------------------------------------


def square_band(mask, reach, left_out=None):
    """Return the pixels of a mask that have one outside, which is kept, within so many steps in the largest axis."""
    inside, kept = framed(mask, left_out, reach)
    outside = kept & ~inside
    found = np.zeros(mask.shape, bool)
    for step in itertools.product(range(2 * reach + 1), repeat=mask.ndim):
        found |= outside[tuple(slice(by, by + n) for by, n in zip(step, mask.shape, strict=True))]
    return found & inside[(slice(reach, -reach),) * mask.ndim]


def round_band(mask, reach, spacing, left_out=None):
    """Return the voxels of a mask whose distance from its rim is below a length."""
    found = np.zeros(mask.shape, bool)
    points, inside = rim(mask, left_out), framed(mask, left_out)[0][(slice(1, -1),) * mask.ndim]
    if len(points.at):
        own = Points(np.argwhere(inside))
        found[tuple(own.at[nearest(own, points, spacing) < reach * (1 - SLACK)].T)] = True
    return found


def iou(one, other):
    """Return intersection over union, NaN where both are empty."""
    union = (one | other).sum()
    return float((one & other).sum() / union) if union else math.nan


def contour(mask, left_out=None):
    """Return the pixels that differ from their right, lower or lower-right neighbour, both kept: within the array.

    The last row has the right one alone, the last column the lower one.
    """
    kept = np.ones(mask.shape, bool) if left_out is None else ~left_out
    found = np.zeros(mask.shape, bool)
    rows, columns = mask.shape
    for row, column in itertools.product(range(rows), range(columns)):
        for below, right in ((0, 1), (1, 0), (1, 1)):
            other = row + below, column + right
            if other[0] < rows and other[1] < columns and kept[row, column] and kept[other]:
                found[row, column] |= mask[row, column] != mask[other]
    return found


def boundary_f(prediction, reference, reach, spacing=(1.0, 1.0), left_out=None):
    """Return F of the shares of both boundaries within a length of the other's; NaN where neither has any."""
    one, other = (Points(np.argwhere(contour(mask, left_out))) for mask in (prediction, reference))
    if not len(one.at) and not len(other.at):
        return math.nan
    if not len(one.at) or not len(other.at):
        return 0.0
    precision = share(nearest(one, other, spacing), one.counts, reach)
    recall = share(nearest(other, one, spacing), other.counts, reach)
    return 2 * precision * recall / (precision + recall) if precision + recall else 0.0
