"""What adds up, key by key: the counts of a census, or the states of a pass."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping


class Sums:
    """Things that add up, by keys; a key that one side lacks keeps what the other has.

    Attributes
    ----------
    parts : mapping
    """

    __slots__ = ("parts",)

    def __init__(self, parts: Mapping[Any, Any]) -> None:
        self.parts = parts

    def __add__(self, other: object) -> Sums:
        if not isinstance(other, Sums):
            return NotImplemented
        mine, others = self.parts, other.parts
        shared = {key: mine[key] + others[key] for key in mine.keys() & others.keys()}
        return Sums({**mine, **others, **shared})
