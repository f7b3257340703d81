"""Tuples of whole numbers in as few bytes as these need, so that a hundred thousand cases can be held."""

from __future__ import annotations

from array import array
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from dicecli.records.labels import NO_LABEL

if TYPE_CHECKING:
    from collections.abc import Callable

Record = TypeVar("Record")
#: Numbers, None among them, or their bytes behind the letter of their type.
Column = bytes | tuple[int | None, ...]


class Packed(Generic[Record]):
    """A measurement whose fields are tuples of whole numbers, in few bytes.

    Parameters
    ----------
    kind : type
        What it is unpacked to; takes the tuples in their order.
    columns : tuple
        Of :func:`packed`.
    """

    __slots__ = ("_columns", "_kind")

    def __init__(self, kind: Callable[..., Record], columns: tuple[Column, ...]) -> None:
        self._kind, self._columns = kind, columns

    def unpacked(self) -> Record:
        """Return the measurement."""
        return self._kind(*map(_unpacked, self._columns))


def packed(numbers: tuple[int | None, ...]) -> Column:
    """Return numbers as the letter of the smallest type that holds them, and its bytes; or as they are."""
    with suppress(ValueError, TypeError):
        return b"B" + bytes(numbers)  # type: ignore[arg-type]  # None and what is larger raise
    known = [NO_LABEL if each is None else each for each in numbers]
    for letter in "HIq":
        with suppress(OverflowError):
            return letter.encode() + array(letter, known).tobytes()
    return numbers


def _unpacked(held: Column) -> tuple[int | None, ...]:
    if isinstance(held, tuple):
        return held
    letter = chr(held[0])
    if letter == "B":
        return tuple(held[1:])
    numbers = tuple(array(letter, held[1:]))
    if letter == "q" and NO_LABEL in numbers:
        return tuple([None if each == NO_LABEL else each for each in numbers])
    return numbers
