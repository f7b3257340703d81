"""What stands for a mask that is not one whole file: several files, or a part of one."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod


class Compound(ABC):
    """A mask that is several files, or a part of one; picklable, so that it travels to workers.

    Its ``str`` is what reports and messages call it.
    """

    @property
    @abstractmethod
    def paths(self) -> tuple[str, ...]:
        """Every file that it is read from."""

    @abstractmethod
    def __str__(self) -> str: ...


def paths_of(mask: object) -> tuple[str, ...]:
    """Return the files that a side of a case is read from; none of arrays, and of what is not there."""
    if isinstance(mask, Compound):
        return mask.paths
    return (os.fspath(mask),) if isinstance(mask, (str, os.PathLike)) else ()


def is_of_files(mask: object) -> bool:
    """Tell whether others can open a side of a case as well: files, or nothing at all."""
    return mask is None or isinstance(mask, (str, os.PathLike, Compound))
