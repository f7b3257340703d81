"""What the stored labels of a label map mean, decided once: labels, or nothing known.

Everything that a file may do to its labels ends here: 0 and 255, thresholds, nodata, colours, renaming. What
reads blocks further down sees the places of rows, and nothing of how they are stored.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Self

import numpy as np

from dicecli.errors import Changed
from dicecli.masks.arrays import NothingSource
from dicecli.masks.declared import check_declared
from dicecli.masks.exact import where_missing
from dicecli.masks.largest import untied
from dicecli.masks.palettes import meant_values
from dicecli.masks.renumbered import Meant, numbered
from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from dicecli.masks.sources import MaskSource
    from dicecli.records.settings import Settings

#: A range of labels up to this width is looked up in a table, a wider one by bisection.
_TABLE = 1 << 17
#: Labels that are looked up at a time; so many are compared with faster.
_PIECE, _FEW = 1 << 16, 4


def meant(side: str, source: MaskSource, sizes: Mapping[int, int], settings: Settings) -> Meant:
    """Decide what each stored label of a whole label map means, and say what was assumed.

    Parameters
    ----------
    side : {"prediction", "reference"}
    source : MaskSource
    sizes : mapping of int to int
        Its pixels by stored label, nodata included.
    settings : Settings

    Raises
    ------
    NotLabels
        Grey levels; scores that tie.
    UnknownLabel
        Labels that the map of the side lacks, or the declared scheme.
    UnknownColour, AmbiguousPalette
        Colours of a palette: see :func:`~dicecli.masks.palettes.meant_values`.
    """
    of_side = None if isinstance(source, NothingSource) else settings.labels.maps.get(side)
    # What values mean is a matter of the whole mask, also of what the other one leaves out.
    nodata = source.nodata_label
    known = {label: n for label, n in sizes.items() if label not in {NO_LABEL, nodata}}
    renamed, notes = (
        (untied(known, source.path), [])
        if source.is_largest
        else meant_values(source.palette, known, settings, is_mapped=of_side is not None)
    )
    labels = {label: renamed.get(label, label) for label in known}
    found = numbered(side, labels, known, of_side)
    kept = {found.labels[label]: n for label, n in known.items() if label not in found.ignored}
    notes = [*notes, *found.notes, *check_declared(side, kept, settings.labels, settings.only)]
    for label in sizes.keys() - known.keys():
        is_background = label == nodata and settings.nodata == "background"
        found.labels[label] = (settings.labels.background or 0) if is_background else NO_LABEL
    return Meant(found.labels, notes, found.ignored)


@dataclass(frozen=True, eq=False, repr=False)
class Encoding:
    """From stored labels to the places of rows: 0 is none of them.

    Attributes
    ----------
    stored : numpy.ndarray
        int64, sorted: every stored label of the whole mask.
    places : numpy.ndarray
        Unsigned, ``(len(stored),)``: the place of each among the rows, counted from 1; 0 for no row.
    is_ignored : numpy.ndarray or None
        bool, ``(len(stored),)``: whether pixels with it are left out; None where none are.
    """

    stored: np.ndarray
    places: np.ndarray
    is_ignored: np.ndarray | None = None
    _tables: tuple[np.ndarray, np.ndarray | None] | None = None

    @classmethod
    def of(cls, places: Mapping[int, int], ignored: Collection[int] = ()) -> Self:
        """Build it from the place of each stored label; the `ignored` stored labels are left out."""
        stored = np.array(sorted(places), np.int64)
        dtype = np.min_scalar_type(max(places.values(), default=0))
        found = np.array([places[label] for label in stored.tolist()], dtype)
        left_out = np.array([label in ignored for label in stored.tolist()], bool) if ignored else None
        tables = None
        if stored.size and stored[0] >= 0 and stored[-1] < _TABLE:
            table = np.zeros(int(stored[-1]) + 1, np.intp)
            table[stored] = np.arange(stored.size)
            tables = (found[table], None if left_out is None else left_out[table])
        return cls(stored, found, left_out, tables)

    def encode(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
        """Return the places of a block of stored labels, and where it is left out: None for nowhere.

        Raises
        ------
        Changed
            A label that was not stored when they were counted.
        """
        if self._tables is None:
            # As int64, which holds every label: beside uint64 both would be compared as floats.
            at = np.searchsorted(self.stored, labels.astype(np.int64, copy=False))
            if at.size and int(at.max()) >= self.stored.size:
                raise _changed()
            return self.places[at], None if self.is_ignored is None else self.is_ignored[at]
        places, left_out = self._tables
        if labels.size and not (int(labels.max()) < len(places) and int(labels.min()) >= 0):
            raise _changed()
        found = _looked_up(places, labels) if self._step is None else self._stepped(labels)
        return found, None if left_out is None else _looked_up(left_out, labels)

    @cached_property
    def _step(self) -> int | None:
        """What each stored label has to be raised by to be its place, where that is one number for all."""
        steps = {int(place) - int(label) for place, label in zip(self.places, self.stored, strict=True)}
        return steps.pop() if len(steps) == 1 else None

    def _stepped(self, labels: np.ndarray) -> np.ndarray:
        """Return the places where labels follow each other: an addition, many times as fast as a table."""
        wide = max(labels.dtype.newbyteorder("="), self.places.dtype, key=lambda dtype: dtype.itemsize)
        step = np.array(self._step).astype(wide)
        found: np.ndarray = np.add(labels, step, dtype=wide, casting="unsafe")
        return found.astype(self.places.dtype, copy=False)


def _changed() -> Changed:
    return Changed(
        "the mask holds other labels than when they were counted",
        "Score it once nobody writes to it any more.",
    )


def _looked_up(table: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Return what a table has for each label, in the order of the array in memory, a piece at a time.

    NumPy makes indices of 8 bytes of labels of any width: of a whole window they would be most of the memory.
    """
    is_turned = labels.flags.f_contiguous
    flat = (labels.T if is_turned else labels).reshape(-1)
    if table.dtype == bool and 0 < np.count_nonzero(table) <= _FEW:
        return np.asarray(np.logical_or.reduce([labels == each for each in np.flatnonzero(table)]))
    found = np.empty(flat.shape, table.dtype)
    for start in range(0, flat.size, _PIECE):
        part = slice(start, start + _PIECE)
        np.take(table, flat[part].astype(np.intp, copy=False), out=found[part], mode="clip")
    return found.reshape(labels.T.shape).T if is_turned else found.reshape(labels.shape)


def nodata_of(blocks: Sequence[np.ndarray], sources: Sequence[MaskSource]) -> np.ndarray | None:
    """Return where a map has nodata: in any of its channels, or in all where the value is a probability too.

    A map whose nodata is 0 has pixels where one class has the probability 0, and others where nothing is
    known: there every channel is 0.

    Parameters
    ----------
    blocks : sequence of numpy.ndarray
        The stored values of each channel.
    sources : sequence of MaskSource
        The channels.

    Returns
    -------
    numpy.ndarray or None
        bool, of the blocks' shape; None where there is none.
    """
    if all(each.nodata is None and not each.nan_is_nodata for each in sources):
        return None
    found = [_nodata(block, each) for block, each in zip(blocks, sources, strict=True)]
    if all(each.nodata is not None and 0 <= each.nodata <= 1 for each in sources):
        return np.logical_and.reduce(found) if len(found) > 1 else None
    return np.logical_or.reduce(found) if any(each.any() for each in found) else None


def _nodata(values: np.ndarray, source: MaskSource) -> np.ndarray:
    """Return where one channel has the value that stands for nodata."""
    missing = where_missing(values, source.nodata, nan_is_nodata=source.nan_is_nodata)
    return np.zeros(values.shape, bool) if missing is None else missing
