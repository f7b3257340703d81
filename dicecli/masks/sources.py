"""A mask as something to read from: header now, voxels by window."""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Self

import numpy as np

from dicecli.errors import NotLabels
from dicecli.masks.blocks import WINDOW_PIXELS, pixels_within, plan
from dicecli.masks.encoding import Fractions, nodata_label, residual, to_labels
from dicecli.masks.reading import Reading

if TYPE_CHECKING:
    from dicecli.errors import CaseError
    from dicecli.masks.blocks import Plan, Window
    from dicecli.masks.grid import Grid

#: Values of probabilities, and of a mask of 0 and 1 that was interpolated, stay below; of more labels, not.
_MOST_OF_ONE = 1.5


class MaskSource(ABC):
    """One mask. A format's source gives stored values by window; labels are made of them here.

    Attributes
    ----------
    path : str
        The file, or what an array was given as.
    grid : Grid
    dtype : numpy.dtype
        Of the values.
    chunks : tuple of int
        The shape that this file is cheapest to read in.
    order : {"C", "F"}
        Whether the last or the first axis runs fastest in the file.
    nodata : float or None
        The stored value that stands for nodata, where it is to be treated as such.
    nan_is_nodata : bool
        Whether NaN stands for it too.
    background_tag : float or None
        The stored value that is nodata by the file's tag, where it is read as background.
    is_random_access : bool
        Whether windows in any order cost the same, so that several readers can share them.
    dropped_axes : int
        How many trailing axes of length 1 the file has beyond the grid's.
    notes : list of str
        What was assumed, for the report.
    facts : dict of str to object
        What ``dicecli inspect`` shows beside the grid: format, mode, compression and so on.
    oddities : list of str
        What looks wrong with the file although it can be read.
    checked : set of int
        The blocks of the file whose checksums were right; :meth:`finish` sees to the others.
    palette : tuple of int or None
        The colour of each stored value from 0, as :func:`dicecli.masks.colours.packed` gives it; None where
        there is no palette.
    refusal : CaseError or None
        Of a binary layer: what is wrong with its file where that holds anything else.
    is_largest : bool
        Whether labels are which of several scores is the largest: :mod:`dicecli.masks.largest` says how ties
        are stored.
    has_own_nodata : bool
        Whether `nodata` is no value of the file, and stands for what is hidden.
    apart : int
        How many of its pixels are none of the case's: they have no label, and are not counted as nodata.
    held : int
        Bytes that each reader of it holds beside windows.
    kept : Window or None
        The part that the case is about, where it is not the whole: see :meth:`keep_to`.
    """

    def __init__(
        self,
        path: str,
        grid: Grid,
        dtype: np.dtype,
        *,
        chunks: tuple[int, ...] | None = None,
        order: str = "C",
        nodata: float | None = None,
        nan_is_nodata: bool = False,
        reading: Reading | None = None,
    ) -> None:
        self.path = path
        self.grid = grid
        self.dtype = np.dtype(dtype)
        self.chunks = chunks or grid.shape
        self.order = order
        self.nodata = nodata
        self.is_random_access = False
        self.reading = reading or Reading()
        self.threshold, self.ignore = self.reading.threshold, self.reading.ignore
        self.nan_is_nodata = nan_is_nodata
        self.background_tag: float | None = None
        self.dropped_axes = 0
        self.notes: list[str] = []
        self.facts: dict[str, object] = {}
        self.oddities: list[str] = []
        self.checked: set[int] = set()
        self.palette: tuple[int, ...] | None = None
        self.refusal: CaseError | None = None
        self.is_largest = False
        self.has_own_nodata = False
        self.kept: Window | None = None
        self.apart = self.held = 0

    def take_for_largest(self) -> None:
        """Take the values for indices of the largest score, which no threshold is meant for."""
        self.is_largest, self.threshold = True, None

    @property
    def shape(self) -> tuple[int, ...]:
        """Pixels along each axis."""
        return self.grid.shape

    @property
    def nodata_label(self) -> int | None:
        """The label that stands for nodata in what :meth:`read` gives; None if none does."""
        nodata = math.nan if self.nodata is None and self.nan_is_nodata else self.nodata
        return nodata_label(nodata, self.dtype, self.threshold)

    @property
    def background_tag_label(self) -> int | None:
        """The label that stands for :attr:`background_tag` in what :meth:`read` gives; None if none does."""
        tag = self.background_tag
        if tag is None or (tag and self.threshold is not None):
            return None
        return int(to_labels(np.array([tag], self.dtype), threshold=self.threshold)[0])

    @property
    def pixel_bytes(self) -> int:
        """Bytes that a pixel of a window takes at the most, until it is counted."""
        size = self.dtype.itemsize
        if self.dtype.kind in "iub" and self.threshold is None:
            return 2 * size + 1
        return 2 * size + 22  # what labels are made of floats by, and what compares them

    def windows(self, pixels: int = WINDOW_PIXELS) -> Plan:
        """Return a plan of this mask alone, in the memory that is allowed."""
        return plan(self, pixels=pixels, most=pixels_within(self.reading.max_memory, self.pixel_bytes))

    @abstractmethod
    def values(self, window: Window) -> np.ndarray:
        """Return the stored values of a window, scaled as the file says: booleans, integers or floats."""

    def read(self, window: Window) -> np.ndarray:
        """Return the integer labels of a window.

        Windows that come in the file's own order are streamed; others work too.

        Raises
        ------
        NotLabels
            Values that are no labels; fractions are shown with the largest one of the whole file.
        FileError
            Damage that shows only now.
        """
        try:
            return to_labels(
                self.values(window),
                self.nodata,
                self.threshold,
                nan_is_nodata=self.nan_is_nodata,
                ignore=self.ignore,
            )
        except Fractions:
            blocks = (self.values(each) for each in self.windows())
            found = [(residual(each, self.nodata), self._top(each)) for each in blocks]
            raise self.fractions(*(max(each) for each in zip(*found, strict=True))) from None

    def _top(self, values: np.ndarray) -> float:
        """Return the largest finite value of a block, nodata apart; minus infinity where there is none."""
        is_known = np.isfinite(values) & (values != (math.nan if self.nodata is None else self.nodata))
        return float(values.max(initial=-math.inf, where=is_known))

    def fractions(self, largest: float, top: float) -> NotLabels:
        """Make the error for values that are no integers.

        Parameters
        ----------
        largest : float
            The largest distance from an integer.
        top : float
            The largest value.
        """
        message = f"its values are not all integers: the largest distance from one is {largest:.4g}"
        if top < _MOST_OF_ONE:
            hint = "If it is a probability map, give a threshold, as --threshold 0.5, or score the "
            hint += "probabilities: dicecli soft. Labels must be saved without interpolation and scaling."
        else:
            message += f", and the largest value {top:.4g}"
            hint = (
                "These are no probabilities. If they are labels that were interpolated, save them again with "
            )
            hint += "nearest neighbour; if they were scaled, without."
        return NotLabels(message, hint, self.path)

    def keep_to(self, window: Window) -> None:
        """Let the checks at the end be of this part alone, where the rest of the file need not be read."""
        self.kept = window

    def finish(self) -> None:  # noqa: B027 - most formats have nothing to do
        """Check what can only be checked at the end: checksums, and that nothing follows."""

    def close(self) -> None:  # noqa: B027 - most formats have nothing to do
        """Let go of the file."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def pixels(window: Window) -> int:
    """Return the number of pixels of a window."""
    return math.prod(part.stop - part.start for part in window)
