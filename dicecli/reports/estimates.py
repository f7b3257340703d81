"""Accuracy and areas of a map from a sample of it: the stratified estimators, with standard errors.

The formulas are those of Olofsson et al. 2014, Good practices for estimating area and assessing accuracy of
land change, Remote Sensing of Environment 148, 42-57, by the numbers of their equations. The strata are the
classes of the map: W_i is the share of class i in the mapped area, n_ij the number of sample points of class
i in the map and j in the reference.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from dicecli.errors import UsageError
from dicecli.records.labels import NO_LABEL
from dicecli.words import counted, some_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from dicecli.statistics._confusion import ConfusionMatrix

#: A 95 % interval is the estimate, less and more by so many standard errors.
Z = 1.96
#: So many classes are named in a message.
_NAMED = 5


class Estimate(NamedTuple):
    """A number that a sample gives, and how sure it is.

    Attributes
    ----------
    value : float
        NaN where it is undefined.
    standard_error : float
        NaN where it is undefined: of a value that is, and where a stratum has a single point.
    """

    value: float
    standard_error: float

    @property
    def margin(self) -> float:
        """Half of the 95 % interval: 1.96 standard errors."""
        return Z * self.standard_error

    @property
    def low(self) -> float:
        """Where the 95 % interval begins; it may be below 0."""
        return self.value - self.margin

    @property
    def high(self) -> float:
        """Where the 95 % interval ends; of an accuracy it may be above 1."""
        return self.value + self.margin

    def times(self, factor: float) -> Estimate:
        """Return the estimate of so many times the number."""
        return Estimate(self.value * factor, self.standard_error * factor)


UNDEFINED = Estimate(math.nan, math.nan)


@dataclass(frozen=True)
class Estimates:
    """What a sample says of a map; every tuple is in the order of the labels.

    Attributes
    ----------
    labels : tuple of int
        Of the map and of the reference, ascending.
    mapped : tuple of float
        What the map has of each class, in the unit of the areas that were given; 0: it has none.
    points : tuple of int
        Sample points by their class in the map: n_i.
    reference_points : tuple of int
        Sample points by their class in the reference: n_j.
    proportions : tuple of tuple of float
        Eq. 4, the error matrix as shares of the area: a row for each class of the map, a column for each of
        the reference.
    overall : Estimate
        Overall accuracy: eq. 1, its variance eq. 5.
    users : tuple of Estimate
        User's accuracy: eq. 2 and 6. Undefined of a class that the map has not.
    producers : tuple of Estimate
        Producer's accuracy: eq. 3 and 7. Undefined of a class that no point of the reference has.
    shares : tuple of Estimate
        Of the area, by the reference: eq. 9 and 10.
    """

    labels: tuple[int, ...]
    mapped: tuple[float, ...]
    points: tuple[int, ...]
    reference_points: tuple[int, ...]
    proportions: tuple[tuple[float, ...], ...]
    overall: Estimate
    users: tuple[Estimate, ...]
    producers: tuple[Estimate, ...]
    shares: tuple[Estimate, ...]

    @property
    def total(self) -> float:
        """The mapped area, in the unit of the areas that were given."""
        return math.fsum(self.mapped)

    @property
    def of_one_point(self) -> tuple[int, ...]:
        """The classes of the map with a single point, of which no variance is known."""
        return tuple(label for label, n in zip(self.labels, self.points, strict=True) if n == 1)


def estimated(
    matrix: ConfusionMatrix, areas: Mapping[int, float], title: Callable[[int], str] = str
) -> Estimates:
    """Estimate accuracy and areas of a map.

    Parameters
    ----------
    matrix : ConfusionMatrix
        Of sample points; the prediction is the map.
    areas : mapping of int to float
        What the map has of each class, in any one unit, pixels among them.
    title : callable, optional
        What a class is called in messages.

    Raises
    ------
    UsageError
        There is no point or no area; a class of the map has an area and no point, or a point and no area;
        points without a class of the map.
    """
    _check(matrix, areas, title)
    labels = tuple(sorted({*matrix.labels, *(label for label, area in areas.items() if area)} - {NO_LABEL}))
    mapped = tuple(areas.get(label, 0) for label in labels)
    total = math.fsum(mapped)
    weights = [area / total for area in mapped]
    sample = _by_map(matrix, labels)
    points = [sum(row) for row in sample]
    shares = [[n / of if of else 0.0 for n in row] for row, of in zip(sample, points, strict=True)]
    # What eq. 5, 6, 7 and 10 are sums of: the variance of the share of a class among the points of a stratum.
    spread = [
        [0.0 if not of else share * (1 - share) / (of - 1) if of > 1 else math.nan for share in row]
        for row, of in zip(shares, points, strict=True)
    ]
    proportions = [[weight * share for share in row] for weight, row in zip(weights, shares, strict=True)]
    diagonal = range(len(labels))
    of_reference = [math.fsum(row[at] for row in proportions) for at in diagonal]
    return Estimates(
        labels,
        mapped,
        tuple(points),
        tuple(sum(row[at] for row in sample) for at in diagonal),
        tuple(map(tuple, proportions)),
        Estimate(
            math.fsum(proportions[at][at] for at in diagonal),
            _error(weights, [spread[at][at] for at in diagonal]),
        ),
        tuple(
            Estimate(shares[at][at], math.sqrt(spread[at][at])) if points[at] else UNDEFINED
            for at in diagonal
        ),
        tuple(_producers(at, proportions[at][at], of_reference[at], weights, spread) for at in diagonal),
        tuple(Estimate(of_reference[at], _error(weights, [row[at] for row in spread])) for at in diagonal),
    )


def _error(weights: Sequence[float], spread: Sequence[float]) -> float:
    """Return the standard error of a sum over strata: the root of eq. 5, and eq. 10."""
    return math.sqrt(math.fsum(weight**2 * each for weight, each in zip(weights, spread, strict=True)))


def _producers(
    at: int, right: float, share: float, weights: Sequence[float], spread: Sequence[Sequence[float]]
) -> Estimate:
    """Return the producer's accuracy of a class: eq. 3, and eq. 7 with areas as shares of all."""
    if not share:
        return UNDEFINED
    value = right / share
    terms = [weight**2 * row[at] for weight, row in zip(weights, spread, strict=True)]
    factors = [(1 - value) ** 2 if place == at else value**2 for place in range(len(weights))]
    variance = math.fsum(factor * term for factor, term in zip(factors, terms, strict=True)) / share**2
    return Estimate(value, math.sqrt(variance))


def _by_map(matrix: ConfusionMatrix, labels: Sequence[int]) -> list[list[int]]:
    """Return the points by their class in the map, then in the reference."""
    place = {label: at for at, label in enumerate(labels)}
    found = [[0] * len(labels) for _ in labels]
    for label, row in zip(matrix.labels, matrix.table.tolist(), strict=True):
        for other, n in zip(matrix.labels, row, strict=True):
            if n:
                found[place[other]][place[label]] = n
    return found


def _check(matrix: ConfusionMatrix, areas: Mapping[int, float], title: Callable[[int], str]) -> None:
    """Check that every stratum has points and an area."""
    points = matrix.sizes("prediction")
    if not points:
        raise UsageError("the matrix has no point", "Give one of a sample: dicecli points MAP POINTS.")
    if NO_LABEL in points:
        raise UsageError(
            f"the matrix has {counted(points[NO_LABEL], 'point')} without a class in the map, in no stratum "
            "whose area could be given",
            "Leave them out, as 'dicecli points --missing skip' does; of a CSV delete the column 'none'. The "
            "numbers are then of the area that the map covers.",
        )
    without = [label for label, area in areas.items() if area and not points.get(label)]
    if without:
        raise UsageError(
            f"{_said(without, title)} in the map, and no sample point is there",
            f"{_counted_from_0(matrix, areas)}Sample every class of the map; or give a CSV of areas without "
            "these classes, so that the numbers are of the others alone.",
        )
    strange = [label for label in points if not areas.get(label)]
    if strange:
        raise UsageError(
            f"{_said(strange, title)} in the map by the sample, and no area of it",
            "Give the areas of the map that the points were compared with, each class of it.",
        )


def _counted_from_0(matrix: ConfusionMatrix, areas: Mapping[int, float]) -> str:
    """Return a hint where all areas are of the label behind the matrix's, as where an array's begin at 0."""
    ours = sorted(matrix.labels)
    if ours != list(range(len(ours))) or sorted(areas) != [label + 1 for label in ours]:
        return ""
    meant = ", ".join(f"{label - 1}: {area:.10g}" for label, area in sorted(areas.items()))
    return f"Rows and columns of an array are labels from 0 on: give areas of {{{meant}}}. "


def _said(labels: Sequence[int], title: Callable[[int], str]) -> str:
    """Name some classes, as what a sentence begins with."""
    names = some_of([title(label) for label in sorted(labels)], _NAMED)
    return f"{names} {'is' if len(labels) == 1 else 'are'}"
