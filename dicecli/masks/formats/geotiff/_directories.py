"""The directories of a TIFF, walked once from the first to the last: what each says, and where it lies."""

from __future__ import annotations

import os
import struct
from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np

from dicecli.errors import Corrupt, TooLarge, Truncated

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import BinaryIO

Order = Literal["<", ">"]

#: Directories of one file, and entries of one directory: no stack has so many.
MOST_DIRECTORIES, _MOST_ENTRIES = 1 << 16, 1 << 12
#: NumPy's letters for the types of TIFF 6.0 and BigTIFF; a rational is two numbers.
_LETTERS = {
    1: "u1", 2: "u1", 3: "u2", 4: "u4", 5: "u4", 6: "i1", 7: "u1", 8: "i2", 9: "i4", 10: "i4",
    11: "f4", 12: "f8", 13: "u4", 16: "u8", 17: "i8", 18: "u8",
}  # fmt: skip
_RATIONALS = {5, 10}
#: The bytes of a value of each type.
LENGTHS_OF_TYPES = {kind: int(each[1]) * (2 if kind in _RATIONALS else 1) for kind, each in _LETTERS.items()}
#: Types of whole numbers without sign; tags that have one for each sample, of bits and of their format.
_WHOLE, _SEVERAL = {1, 3, 4, 16}, {258, 339}


class Entry(NamedTuple):
    """One entry of a directory: its type, how many values it has, and these or where they lie."""

    kind: int
    amount: int
    value: bytes


class Directory(NamedTuple):
    """Where a directory lies in the file, its entries by tag, and where the next one lies; 0 for nowhere."""

    at: int
    entries: dict[int, Entry]
    following: int


class Directories:
    """The directories of an open file that begins as a TIFF does.

    Attributes
    ----------
    order : {"<", ">"}
        The byte order, as struct and NumPy have it.
    size : int
        The bytes of the file.
    """

    def __init__(self, file: BinaryIO, path: str) -> None:
        self.file, self.path = file, path
        self.size = os.fstat(file.fileno()).st_size
        file.seek(0)
        start = file.read(16).ljust(16, b"\0")
        self.order: Order = "<" if start[:2] == b"II" else ">"
        self.is_big = 43 in start[2:4]
        self._count, self._entry, self._place = (
            struct.Struct(self.order + each)
            for each in (("Q", "HHQ8s", "Q") if self.is_big else ("H", "HHI4s", "I"))
        )
        (self.first,) = self._place.unpack_from(start, 8 if self.is_big else 4)
        if self.is_big and struct.unpack_from(f"{self.order}HH", start, 4) != (8, 0):
            self.first = 0  # no BigTIFF that anybody knows
        self._last: Directory | None = None

    def walk(self) -> Iterator[Directory]:
        """Yield the directories in the file's order.

        Raises
        ------
        Truncated
            One lies outside of the file, or is cut off.
        Corrupt
            They go round in a circle; of one that points to itself nothing is lost.
        TooLarge
            More than 65,536.
        """
        at, seen = self.first, set[int]()
        while at:
            if at in seen:
                if len(seen) == 1:
                    return  # no other one can be reached
                raise Corrupt(
                    f"its directories go round in a circle: after {len(seen)} of them comes one again",
                    "Save it again from its source.",
                    self.path,
                )
            if len(seen) == MOST_DIRECTORIES:
                raise TooLarge(
                    f"it has more than {MOST_DIRECTORIES:,} directories",
                    "Save it in parts of fewer pages.",
                    self.path,
                )
            seen.add(at)
            directory = self.read(at)
            yield directory
            at = directory.following

    def read(self, at: int) -> Directory:
        """Read the directory that begins at a byte; the last one is kept.

        Raises
        ------
        Truncated
        """
        if self._last is not None and self._last.at == at:
            return self._last
        self.file.seek(min(at, self.size))
        head = self.file.read(self._count.size)
        count = self._count.unpack(head)[0] if len(head) == self._count.size else 0
        length = min(count, _MOST_ENTRIES) * self._entry.size
        rest = self.file.read(length + self._place.size)
        if not 0 < count <= _MOST_ENTRIES or len(rest) < length + self._place.size:
            raise Truncated(
                f"a directory of it should lie at byte {at:,} of {self.size:,}, and is not there whole",
                "It is cut off or damaged: fetch or save it again.",
                self.path,
            )
        entries: dict[int, Entry] = {}
        for tag, kind, n, value in self._entry.iter_unpack(rest[:length]):
            entries.setdefault(tag, Entry(kind, n, value))
        self._last = Directory(at, entries, self._place.unpack_from(rest, length)[0])
        return self._last

    def raw(self, entry: Entry, most: int) -> bytes:
        """Return the bytes of an entry's values, at most so many.

        Raises
        ------
        Corrupt
            A type that does not exist.
        Truncated
            They lie outside of the file.
        """
        size = LENGTHS_OF_TYPES.get(entry.kind)
        if size is None:
            raise Corrupt(f"an entry of it has the type {entry.kind}", "Save it again.", self.path)
        length = entry.amount * size
        if length <= len(entry.value):
            return entry.value[:length]
        (at,) = self._place.unpack(entry.value)
        if at + length > self.size:
            raise Truncated(
                f"{length:,} bytes of a directory should lie at byte {at:,} of {self.size:,}",
                "It is cut off or damaged: fetch or save it again.",
                self.path,
            )
        self.file.seek(at)
        return self.file.read(min(length, most))

    def numbers(self, entry: Entry, most: int) -> np.ndarray:
        """Return an entry's values, at most so many, as they are stored; a rational is two of them."""
        letter = _LETTERS.get(entry.kind, "u1")
        raw = self.raw(entry, most * int(letter[1]))
        return np.frombuffer(raw, self.order + letter)[: most * (2 if entry.kind in _RATIONALS else 1)]

    def places(self, directory: Directory, tag: int, most: int) -> np.ndarray:
        """Return the numbers of a tag of places or lengths, int64; none where it has no such numbers."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _WHOLE - {1}:
            return np.zeros(0, np.int64)
        return self.numbers(entry, most).astype(np.int64)

    def number(self, directory: Directory, tag: int, default: int) -> int:
        """Return the first value of a tag, which is a whole number; or the default where there is none.

        Raises
        ------
        Corrupt
            It is no such number.
        """
        entry = directory.entries.get(tag)
        if entry is None:
            return default
        if entry.kind not in _WHOLE or not entry.amount or (entry.amount > 1 and tag not in _SEVERAL):
            raise Corrupt(
                f"its tag {tag} has {entry.amount:,} values of type {entry.kind}; one whole number is "
                "expected",
                "Save it again.",
                self.path,
            )
        return int(self.numbers(entry, 1)[0])

    def ratio(self, directory: Directory, tag: int) -> float | None:
        """Return a rational number; None where there is none, or it has no value."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in _RATIONALS or entry.amount != 1:
            return None
        above, below = self.numbers(entry, 2).tolist()
        return above / below if below else None

    def text(self, directory: Directory, tag: int, most: int) -> str | None:
        """Return a text, at most so many bytes of it; None where there is none."""
        entry = directory.entries.get(tag)
        if entry is None or entry.kind not in {1, 2, 7}:
            return None
        raw = self.raw(entry, most).rstrip(b"\0")
        try:
            return raw.decode()
        except UnicodeDecodeError:
            return raw.decode("latin-1")  # as ImageJ has written its micro sign
