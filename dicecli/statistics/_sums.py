"""What adds up, key by key: the counts of a census, or the states of a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, Protocol, Self, TypeVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class Addend(Protocol):
    """What adds up, in any order."""

    def __add__(self, other: Self, /) -> Self: ...


Key = TypeVar("Key")
Part = TypeVar("Part", bound=Addend)


class Sums(Generic[Key, Part]):
    """Things that add up, by keys; a key that one side lacks keeps what the other has.

    Attributes
    ----------
    parts : mapping
    """

    __slots__ = ("parts",)

    def __init__(self, parts: Mapping[Key, Part]) -> None:
        self.parts = parts

    def __add__(self, other: Sums[Key, Part]) -> Sums[Key, Part]:
        if not isinstance(other, Sums):
            return NotImplemented
        mine, others = self.parts, other.parts
        shared = {key: mine[key] + others[key] for key in mine.keys() & others.keys()}
        return Sums({**mine, **others, **shared})
