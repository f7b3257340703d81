"""A mask that is one file for each class, such as a folder with a file for every organ."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from dicecli.records.compound import Compound
from dicecli.records.natural import natural

if TYPE_CHECKING:
    from collections.abc import Iterable


@dataclass(frozen=True, slots=True)
class OneEach(Compound):
    """A side of a case that has a binary mask for each class; masks may overlap.

    Attributes
    ----------
    called : str
        What reports call it: the pattern of the side, with the case filled in.
    classes : tuple of (str, str or None)
        Each class of the run with its file, in one order for both sides; None where there is no file.
    """

    called: str
    classes: tuple[tuple[str, str | None], ...]

    @property
    def paths(self) -> tuple[str, ...]:
        """The files of the classes that have one."""
        return tuple(path for _, path in self.classes if path is not None)

    @property
    def names(self) -> tuple[str, ...]:
        """Every class of the run."""
        return tuple(name for name, _ in self.classes)

    @property
    def without(self) -> tuple[str, ...]:
        """The classes that have no file on this side of this case."""
        return tuple(name for name, path in self.classes if path is None)

    @property
    def identity(self) -> str:
        """With the classes of the run: of what has no file here either, a row says that nothing is there."""
        return json.dumps([self.called, *self.names])

    def __str__(self) -> str:
        return self.called


def names_among(masks: Iterable[object]) -> tuple[str, ...]:
    """Return every class of which some of the masks may have a file; none where none is a file for each."""
    every = {mask.names for mask in masks if isinstance(mask, OneEach)}
    return tuple(sorted({name for names in every for name in names}, key=natural))


def lacking(mask: object, other: object) -> tuple[str, ...]:
    """Return the classes that have no file on a side although the other side of the case has them."""
    if not isinstance(mask, OneEach) or other is None:
        return ()
    neither = other.without if isinstance(other, OneEach) else ()
    return tuple(name for name in mask.without if name not in neither)
