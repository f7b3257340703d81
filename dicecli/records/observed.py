"""What was seen of a case while its masks were open, and what its measurements do not hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from dicecli.records.measurements import Label, Whole  # noqa: TC001 - the codec reads types

if TYPE_CHECKING:
    from collections.abc import Iterator


Side = Literal["reference", "prediction"]


@dataclass(frozen=True, slots=True)
class Cells:
    """Pairs of labels that meet, and in how many pixels: a part of a matrix, or another one.

    Attributes
    ----------
    reference : tuple of int
        The label of the reference, of each pair.
    prediction : tuple of int or None
        That of the prediction; None where it has no label.
    pixels : tuple of int
        How often the pair meets.
    """

    reference: tuple[Label, ...]
    prediction: tuple[Label | None, ...]
    pixels: tuple[Whole, ...]

    def check(self) -> None:
        """Raise ValueError where the three are of unlike length."""
        if not len(self.reference) == len(self.prediction) == len(self.pixels):
            raise ValueError("reference, prediction and pixels are of unlike length")

    def __iter__(self) -> Iterator[tuple[int, int | None, int]]:
        return zip(self.reference, self.prediction, self.pixels, strict=True)

    @property
    def total(self) -> int:
        """The number of pixels."""
        return sum(self.pixels)


@dataclass(frozen=True, slots=True)
class Moved:
    """A way to turn, mirror or shift the prediction by which labels overlap that did not overlap at all.

    Attributes
    ----------
    axes : tuple of int
        For each axis of the reference the axis of the prediction that belongs there.
    mirrored : tuple of int
        The axes of the reference along which the prediction is mirrored.
    steps : tuple of int
        By how many pixels it is shifted along each axis, once it is turned.
    label : int
        The largest label that did not overlap.
    cells : Cells
        How often labels would meet.
    """

    axes: tuple[Whole, ...]
    mirrored: tuple[Whole, ...]
    steps: tuple[int, ...]
    label: Label
    cells: Cells

    def check(self) -> None:
        """Raise ValueError where this moves no mask: other axes than there are."""
        every = list(range(len(self.axes)))
        if sorted(self.axes) != every or not {*self.mirrored} <= {*every} or len(self.steps) != len(every):
            raise ValueError("axes, mirrored and steps are not of the same axes")


@dataclass(frozen=True, slots=True)
class Observed:
    """What was seen of a case; notes and suggestions are made of it.

    Attributes
    ----------
    twins : {"file", "bytes"} or None
        Whether both masks are one file, or files of the same bytes; None where they are not.
    as_one : tuple of {"reference", "prediction"}
        The masks of 0 and 255 whose 255 is read as label 1.
    nodata : Cells or None
        The pixels whose reference is nodata that is read as background; None where there is no such tag.
    ignored : Cells or None
        The compared pixels in which the prediction has a label that is left out in the reference.
    moved : Moved or None
        How the prediction would fit, where a label of both masks does not overlap at all.
    """

    twins: Literal["file", "bytes"] | None = None
    as_one: tuple[Side, ...] = ()
    nodata: Cells | None = None
    ignored: Cells | None = None
    moved: Moved | None = None


#: What is observed of most cases.
NOTHING = Observed()
