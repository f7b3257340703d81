"""What is measured of the surfaces of one row."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Self

from dicecli.records.measurements import Least, Whole

if TYPE_CHECKING:
    from collections.abc import Iterator

#: The type of a field that is a length, an area or a number of points: nothing negative.
Size = Annotated[float, Least(0)]
#: Whole numbers up to here are exact as floats.
_EXACT = 1 << 53
#: What can be asked for of the measurement.
DISTANCES, BANDS, CONTOURS = "distances", "bands", "contours"


@dataclass(frozen=True, slots=True)
class Distances:
    """A list of distances, each from a point of one surface to the other surface, in the unit of the case.

    Attributes
    ----------
    points : int
        How many there are; at least one.
    weight : float
        The sum of their weights: points where each counts 1, the area (in two dimensions length) of corners.
    mean : float
        The weighted mean.
    largest : float
        The Hausdorff distance of this direction.
    percentiles : tuple of float
        For each percentage of :attr:`Surfaces.percents`.
    within : tuple of float
        The weight within each of :attr:`Surfaces.tolerances`.
    """

    points: Whole
    weight: Size
    mean: Size
    largest: Size
    percentiles: tuple[Size, ...]
    within: tuple[Size, ...]


@dataclass(frozen=True, slots=True)
class Bands:
    """Pixels near the boundary of each mask, inside of it; of ``boundary_iou``. They add up.

    Attributes
    ----------
    reference, prediction : int
        In the band of each side.
    both : int
        In both bands.
    """

    reference: Whole
    prediction: Whole
    both: Whole

    def check(self) -> None:
        """Raise ValueError where more is in both than in one."""
        if self.both > min(self.reference, self.prediction):
            raise ValueError("more pixels are in both bands than in one of them")


@dataclass(frozen=True, slots=True)
class Contours:
    """Pixels of each mask's boundary, and how many are near the other one; of ``boundary_f``. They add up.

    Attributes
    ----------
    reference, prediction : int
        On the boundary of each side.
    reference_near, prediction_near : int
        Those within the width of the other side's.
    """

    reference: Whole
    prediction: Whole
    reference_near: Whole
    prediction_near: Whole

    def check(self) -> None:
        """Raise ValueError where more pixels are near than there are."""
        if self.reference_near > self.reference or self.prediction_near > self.prediction:
            raise ValueError("more pixels are near the other boundary than there are")


@dataclass(frozen=True, slots=True)
class Surfaces:
    """What was measured of the surfaces of one row; distances of several cases do not add up, and are None.

    Attributes
    ----------
    reference, prediction : int
        Pixels of the row.
    parts : tuple of str
        Which of ``bands``, ``contours`` and ``distances`` were asked for.
    percents : tuple of float
        The percentages asked for, ascending.
    tolerances : tuple of str
        The tolerances asked for, ascending.
    diagonal : float
        Of the grid, in the unit of the case.
    to_prediction, to_reference : Distances or None
        From the reference's surface to the prediction's, and back; None where one of them has no point.
    pooled : Distances or None
        Both lists as one.
    bands : Bands or None
        None where they were not asked for.
    contours : Contours or None
        None where they were not asked for, and of volumes.
    """

    reference: Whole
    prediction: Whole
    parts: tuple[str, ...] = ()
    percents: tuple[Size, ...] = ()
    tolerances: tuple[str, ...] = ()
    diagonal: Size = 0.0
    to_prediction: Distances | None = None
    to_reference: Distances | None = None
    pooled: Distances | None = None
    bands: Bands | None = None
    contours: Contours | None = None

    @classmethod
    def zero(cls) -> Self:
        """Return the measurement of nothing."""
        return cls(0, 0)

    def __add__(self, other: object) -> Surfaces:
        if not isinstance(other, Surfaces):
            return NotImplemented
        if self == Surfaces(0, 0) or other == Surfaces(0, 0):
            return other if self == Surfaces(0, 0) else self
        return Surfaces(
            self.reference + other.reference,
            self.prediction + other.prediction,
            _union(self.parts, other.parts),
            _union(self.percents, other.percents),
            _union(self.tolerances, other.tolerances),
            max(self.diagonal, other.diagonal),
            bands=_added(self.bands, other.bands),
            contours=_added(self.contours, other.contours),
        )

    def packed(self, parts: dict[Any, Any]) -> Packed | Surfaces:
        """Return it in a quarter of the memory; what is the same in all of a run is held once."""
        numbers = [*_numbers(self), *(each for some in self._lists() for each in _numbers(some))]
        if max(numbers) > _EXACT:
            return self
        asked = (self.parts, self.percents, self.tolerances, *(each is not None for each in self._lists()))
        return Packed(parts.setdefault(asked, asked), array("d", numbers).tobytes())

    def _lists(self) -> tuple[Distances | Bands | Contours | None, ...]:
        return self.to_prediction, self.to_reference, self.pooled, self.bands, self.contours

    def check(self) -> None:
        """Raise ValueError where fields contradict each other."""
        lists = [self.to_prediction, self.to_reference, self.pooled]
        if len({each is None for each in lists}) > 1:
            raise ValueError("distances of one direction alone")
        if {*self.parts} - {DISTANCES, BANDS, CONTOURS}:
            raise ValueError(f"parts are {', '.join(self.parts)}")
        for each in lists:
            if each is None:
                continue
            if len(each.percentiles) != len(self.percents) or len(each.within) != len(self.tolerances):
                raise ValueError("there are not as many percentiles, or shares, as were asked for")
            if max((each.mean, *each.percentiles)) > each.largest * (1 + 1e-9) or not each.points:
                raise ValueError("a distance is larger than the largest, or there is none")


class Packed:
    """Surfaces as bytes: a run has a hundred thousand."""

    __slots__ = ("_asked", "_numbers")

    def __init__(self, asked: tuple[Any, ...], numbers: bytes) -> None:
        self._asked, self._numbers = asked, numbers

    def unpacked(self) -> Surfaces:
        """Return them."""
        parts, percents, tolerances, *there = self._asked
        numbers = iter(array("d", self._numbers))
        reference, prediction, diagonal = (next(numbers) for _ in range(3))

        def distances() -> Distances:
            """Take a list of distances from the numbers."""
            points, weight, mean, largest = (next(numbers) for _ in range(4))
            percentiles, within = (tuple([next(numbers) for _ in each]) for each in (percents, tolerances))
            return Distances(int(points), weight, mean, largest, percentiles, within)

        lists = [distances() if is_there else None for is_there in there[:3]]
        bands = Bands(*_whole(numbers, 3)) if there[3] else None
        contours = Contours(*_whole(numbers, 4)) if there[4] else None
        return Surfaces(
            int(reference),
            int(prediction),
            parts,
            percents,
            tolerances,
            diagonal,
            lists[0],
            lists[1],
            lists[2],
            bands,
            contours,
        )


def _whole(numbers: Iterator[float], count: int) -> list[int]:
    return [int(next(numbers)) for _ in range(count)]


def _numbers(record: Any) -> list[float]:
    """Return the numbers of a record in the order of its fields; of the surfaces those that are no list."""
    if record is None:
        return []
    if isinstance(record, Surfaces):
        return [record.reference, record.prediction, record.diagonal]
    found: list[float] = []
    for name in record.__slots__:
        each = getattr(record, name)
        found += each if isinstance(each, tuple) else [each]
    return found


def _union(one: tuple[Any, ...], other: tuple[Any, ...]) -> tuple[Any, ...]:
    return tuple(sorted({*one, *other}))


def _added(one: Any, other: Any) -> Any:
    """Add two records field by field; one that is None adds nothing."""
    if one is None or other is None:
        return one or other
    return type(one)(*(getattr(one, name) + getattr(other, name) for name in one.__slots__))
