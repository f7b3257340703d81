"""What stands for a mask that is not one whole file: several files, or a part of one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from dataclasses import dataclass
from hashlib import sha256


class Compound(ABC):
    """A mask that is several files, or a part of one; picklable, so that it travels to workers.

    Its ``str`` is what reports and messages call it.
    """

    @property
    @abstractmethod
    def paths(self) -> tuple[str, ...]:
        """Every file that it is read from."""

    @property
    def identity(self) -> str:
        """What tells it from another one of the same files, in a journal."""
        return str(self)

    @abstractmethod
    def __str__(self) -> str: ...


@dataclass(frozen=True)
class Uncovered(Compound):
    """The part of a file in which no tile lies.

    Attributes
    ----------
    path : str
    windows : tuple of tuple of (int, int)
        Of each tile that covers some of it where it begins and ends, by axis.
    pixels : int
        How many no tile covers.
    """

    path: str
    windows: tuple[tuple[tuple[int, int], ...], ...]
    pixels: int

    @property
    def paths(self) -> tuple[str, ...]:
        """The one file."""
        return (self.path,)

    @property
    def identity(self) -> str:
        """With where the tiles lie."""
        return f"{self} {sha256(repr(self.windows).encode()).hexdigest()}"

    def __str__(self) -> str:
        return f"{self.path}, where none of {len(self.windows):,} tiles lies"


@dataclass(frozen=True)
class Absent(Compound):
    """A mask that is not there and counts as one of no label at all, whatever becomes of missing ones.

    So nothing of the reference is right there, nor is its background.
    """

    @property
    def paths(self) -> tuple[str, ...]:
        """None."""
        return ()

    def __str__(self) -> str:
        return "(none)"


def paths_of(mask: object) -> tuple[str, ...]:
    """Return the files that a side of a case is read from; none of arrays, and of what is not there."""
    if isinstance(mask, Compound):
        return mask.paths
    return (os.fspath(mask),) if isinstance(mask, (str, os.PathLike)) else ()


def is_of_files(mask: object) -> bool:
    """Tell whether others can open a side of a case as well: files, or nothing at all."""
    return mask is None or isinstance(mask, (str, os.PathLike, Compound))
